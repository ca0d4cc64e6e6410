use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::{Map, Value};

use super::Matchers;
use super::closest::Demands;
use crate::check::judge::Scene;
use crate::check::{Fact, Matcher, Mismatch, Verdict};
use crate::facts::Level;

/// A file of the workspace, as text.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct File {
    /// Its path within the workspace.
    pub path: String,
    /// Its whole text; without it, that the file exists is enough.
    #[serde(default)]
    pub text: Option<Matcher>,
}

impl File {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let Some(text) = text_of(scene, &self.path) else { return missing(&self.path) };
        match &self.text {
            Some(matcher) if !matcher.accepts_text(text, &scene.placeholders) => {
                let expected = format!("`{}` with a text {}", self.path, matcher.describe(&scene.placeholders));
                Verdict::Never(Mismatch::new(expected, "its text is another").at(&self.path, Some(1)))
            }
            _ => Verdict::Met(vec![Fact::new("file", self.path.clone())], Level::Exact),
        }
    }
}

/// Values in a TOML, YAML, JSON or dotenv file.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ConfigFile {
    /// Its path within the workspace.
    pub path: String,
    /// What must stand where. A place is a path of keys: `services.backend.environment.AWS_XRAY_URL`; a number is an index,
    /// `*` any element of a list; a key with dots in it is quoted.
    pub values: Matchers,
}

/// How a configuration file is read.
#[derive(Debug, Clone, Copy)]
pub(super) enum Format {
    Toml,
    Yaml,
    Json,
    Dotenv,
}

impl ConfigFile {
    pub(super) fn judge(&self, scene: &Scene<'_>, format: Format) -> Verdict {
        let Some(text) = text_of(scene, &self.path) else { return missing(&self.path) };
        let document = match parse(text, format) {
            Ok(document) => document,
            Err((reason, line)) => {
                let expected = format!("`{}` can be read", self.path);
                return Verdict::Never(Mismatch::new(expected, reason).at(&self.path, line));
            }
        };
        let mut demands = Demands::new(&scene.placeholders);
        let mut lines = Vec::new();
        let mut first_miss: Option<&str> = None;
        for (place, matcher) in &self.values {
            let keys = split(place);
            let found = look_up(&document, &keys);
            // Of several elements of a list, one that is as demanded is enough.
            let value = found.iter().find(|value| matcher.accepts(Some(value), &scene.placeholders)).or(found.first());
            let before = demands.misses.len();
            demands.value(&format!("`{place}`"), Some(matcher), value.copied());
            if demands.misses.len() > before {
                first_miss = first_miss.or(Some(place));
            } else {
                lines.extend(line_of(text, &keys));
            }
        }
        let Some(place) = first_miss else {
            let first = lines.iter().min().map_or_else(|| self.path.clone(), |line| format!("{}:{line}", self.path));
            return Verdict::Met(vec![Fact::new("file", first)], Level::Exact);
        };
        let expected =
            demands.misses.iter().map(|miss| format!("{} {}", miss.what, miss.expected)).collect::<Vec<_>>().join(", ");
        let actual = demands.misses.iter().map(|miss| format!("{} {}", miss.what, miss.actual)).collect::<Vec<_>>().join(", ");
        let keys = split(place);
        let mismatch = Mismatch::new(format!("in `{}`: {expected}", self.path), actual).at(&self.path, line_of(text, &keys));
        Verdict::Never(
            mismatch.nearest(elsewhere(&document, &keys).map(|path| format!("`{}` stands at `{path}`", keys[keys.len() - 1]))),
        )
    }
}

fn text_of<'e>(scene: &Scene<'e>, path: &str) -> Option<&'e str> {
    scene.evidence.files.get(path)?.as_deref()
}

fn missing(path: &str) -> Verdict {
    Verdict::Never(Mismatch::new(format!("a file `{path}` in the workspace"), "there is no such file").at(path, None))
}

/// Reads a file into one shape, or says why not and at which line.
fn parse(text: &str, format: Format) -> Result<Value, (String, Option<usize>)> {
    match format {
        Format::Toml => toml::from_str::<Value>(text).map_err(|error| {
            let line = error.span().map(|span| text[..span.start.min(text.len())].lines().count().max(1));
            (format!("it is not sound TOML: {}", error.message()), line)
        }),
        Format::Yaml => serde_saphyr::from_str::<Value>(text).map(environment_lists).map_err(|error| {
            let line = error.location().map(|location| usize::try_from(location.line()).unwrap_or(1));
            (format!("it is not sound YAML: {}", error.to_string().lines().next().unwrap_or_default()), line)
        }),
        Format::Json => {
            serde_json::from_str(text).map_err(|error| (format!("it is not sound JSON: {error}"), Some(error.line())))
        }
        Format::Dotenv => Ok(Value::Object(
            text.lines()
                .filter_map(|line| line.trim().strip_prefix("export ").or(Some(line.trim())))
                .filter(|line| !line.starts_with('#'))
                .filter_map(|line| line.split_once('='))
                .map(|(name, value)| (name.trim().to_owned(), Value::from(value.trim().trim_matches(['"', '\'']))))
                .collect(),
        )),
    }
}

/// Compose takes an `environment` as a table or as a list of `KEY=VALUE`: the list becomes the table.
fn environment_lists(value: Value) -> Value {
    match value {
        Value::Object(table) => Value::Object(
            table
                .into_iter()
                .map(|(key, value)| match value {
                    Value::Array(items) if key == "environment" => (key, pairs(items)),
                    value => (key, environment_lists(value)),
                })
                .collect(),
        ),
        Value::Array(items) => Value::Array(items.into_iter().map(environment_lists).collect()),
        other => other,
    }
}

fn pairs(items: Vec<Value>) -> Value {
    let pair = |item: &Value| {
        let text = item.as_str()?;
        let (name, value) = text.split_once('=').unwrap_or((text, ""));
        Some((name.to_owned(), Value::from(value)))
    };
    match items.iter().map(pair).collect::<Option<Map<_, _>>>() {
        Some(table) => Value::Object(table),
        None => Value::Array(items),
    }
}

/// A place's keys: parts between dots, a quoted part taken whole.
fn split(place: &str) -> Vec<String> {
    let mut keys = vec![String::new()];
    let mut quoted = false;
    for character in place.chars() {
        match character {
            '"' => quoted = !quoted,
            '.' if !quoted => keys.push(String::new()),
            other => keys.last_mut().unwrap_or(&mut String::new()).push(other),
        }
    }
    keys
}

/// All values at a place; more than one where `*` stands for the elements of a list.
fn look_up<'v>(value: &'v Value, keys: &[String]) -> Vec<&'v Value> {
    let Some((key, rest)) = keys.split_first() else { return vec![value] };
    match value {
        Value::Object(table) if key == "*" => table.values().flat_map(|value| look_up(value, rest)).collect(),
        Value::Object(table) => table.get(key).map(|value| look_up(value, rest)).unwrap_or_default(),
        Value::Array(items) if key == "*" => items.iter().flat_map(|item| look_up(item, rest)).collect(),
        Value::Array(items) => {
            key.parse::<usize>().ok().and_then(|index| items.get(index)).map(|item| look_up(item, rest)).unwrap_or_default()
        }
        _ => Vec::new(),
    }
}

/// Where the last key stands instead: a variable that wrong indentation put under another service.
fn elsewhere(document: &Value, keys: &[String]) -> Option<String> {
    fn search(value: &Value, key: &str, path: &str, depth: usize) -> Option<String> {
        let Value::Object(table) = value else { return None };
        if table.contains_key(key) {
            return Some(format!("{path}{key}"));
        }
        let deeper = depth.checked_sub(1)?;
        table.iter().find_map(|(name, value)| search(value, key, &format!("{path}{name}."), deeper))
    }
    let key = keys.last()?;
    if !look_up(document, keys).is_empty() {
        return None;
    }
    search(document, key, "", 8)
}

/// The line of the deepest key of the place that stands in the file, from 1.
fn line_of(text: &str, keys: &[String]) -> Option<usize> {
    keys.iter().rev().filter(|key| key.as_str() != "*").find_map(|key| {
        let starts = |line: &str| {
            let line = line.trim_start().trim_start_matches(['-', '"', '\'', '[', ' ']);
            line.strip_prefix(key.as_str()).is_some_and(|rest| rest.starts_with([':', '=', ' ', '"', '\'', ']', '.']))
        };
        text.lines().position(starts).map(|index| index + 1)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn places_with_indices_stars_and_quotes() {
        let document = parse("ports:\n - {name: a, port: 1}\n - {name: b, port: 2}\nx: {a.b: 3}", Format::Yaml).unwrap();
        let at = |place: &str| look_up(&document, &split(place)).into_iter().cloned().collect::<Vec<_>>();
        assert_eq!(at("ports.*.port"), [Value::from(1), Value::from(2)]);
        assert_eq!(at("ports.1.name"), [Value::from("b")]);
        assert_eq!(at("x.\"a.b\""), [Value::from(3)]);
        assert!(at("x.a.b").is_empty());
    }

    #[test]
    fn an_environment_may_be_a_list() {
        let document = parse("services:\n  b:\n    environment:\n      - A=1=2\n      - B\n", Format::Yaml).unwrap();
        assert_eq!(look_up(&document, &split("services.b.environment.A")), [&Value::from("1=2")]);
    }

    #[test]
    fn a_variable_under_another_service_is_found() {
        let document = parse("services:\n  b: {}\n  x:\n    environment: {A: 1}\n", Format::Yaml).unwrap();
        assert_eq!(elsewhere(&document, &split("services.b.environment.A")).as_deref(), Some("services.x.environment.A"));
    }

    #[test]
    fn lines_are_found() {
        assert_eq!(line_of("[dependencies]\naxum = '1'\n", &split("dependencies.axum")), Some(2));
        assert_eq!(line_of("[dependencies]\n", &split("dependencies.axum")), Some(1));
    }

    proptest! {
        #[test]
        fn reading_never_panics(text in "\\PC{0,60}", place in "\\PC{0,20}") {
            for format in [Format::Toml, Format::Yaml, Format::Json, Format::Dotenv] {
                if let Ok(document) = parse(&text, format) {
                    let keys = split(&place);
                    let _ = look_up(&document, &keys);
                    let _ = elsewhere(&document, &keys);
                    let _ = line_of(&text, &keys);
                }
            }
        }
    }
}
