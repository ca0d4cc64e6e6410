use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use super::{Manifest, ServiceSettings, Target};
use crate::service::problem::{Problem, listed, nearest};

const KEYS: &[&str] = &["course", "target", "service"];
const SERVICE_KEYS: &[&str] = &["url", "compose", "name", "build", "run", "health"];

/// Reads a manifest's text. Where there are problems, the manifest holds what could be made out.
pub(super) fn read(workspace: &Path, text: &str) -> (Manifest, Vec<Problem>) {
    let mut reader = Reader { text, problems: Vec::new() };
    let manifest = reader.manifest(workspace);
    (manifest, reader.problems)
}

/// Walks the parsed text and gathers what is wrong with it.
struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

type Value<'a> = Spanned<DeValue<'a>>;

impl<'a> Reader<'a> {
    fn manifest(&mut self, workspace: &Path) -> Manifest {
        let mut manifest = Manifest::defaults(workspace, "");
        let table = match DeTable::parse(self.text) {
            Ok(table) => table,
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let label = error.message().lines().next().unwrap_or("here").to_owned();
                self.refuse(
                    format!("`{}` is not valid TOML: {label}", Manifest::FILE),
                    span,
                    &label,
                    "correct the line; text stands in quotes: `course = \"week2\"`",
                );
                return manifest;
            }
        };
        let table = table.get_ref();
        self.unknown(table, KEYS, "the manifest");
        match table.get("course") {
            Some(value) => self.text(value, "course", |reader, course, span| {
                let sound = !course.is_empty() && course.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
                if sound {
                    course.clone_into(&mut manifest.course);
                } else {
                    reader.refuse(
                        format!("`{course}` is not the name of a course"),
                        span,
                        "a course's name",
                        "name it as `bootcamp list` does: `course = \"week2\"`",
                    );
                }
            }),
            None => self.refuse(
                format!("`{}` has no `course`", Manifest::FILE),
                0..0,
                "missing here",
                "add `course = \"week2\"` at its top",
            ),
        }
        if let Some(value) = table.get("target") {
            self.text(value, "target", |reader, target, span| match target {
                "sandbox" => manifest.target = Target::Sandbox,
                "live" => manifest.target = Target::Live,
                other => reader.refuse(
                    format!("`{other}` is no target"),
                    span,
                    "neither `sandbox` nor `live`",
                    "write `target = \"sandbox\"` or `target = \"live\"`",
                ),
            });
        }
        if let Some(value) = table.get("service") {
            match value.get_ref().as_table() {
                Some(service) => self.service(service, &mut manifest.service),
                None => self.refuse(
                    String::from("`service` is not a table"),
                    value.span(),
                    "a table is needed",
                    "write `[service]` on a line of its own, and its keys below",
                ),
            }
        }
        manifest
    }

    fn service(&mut self, table: &DeTable<'a>, service: &mut ServiceSettings) {
        self.unknown(table, SERVICE_KEYS, "`[service]`");
        if let Some(value) = table.get("url") {
            self.text(value, "service.url", |reader, url, span| match address(url) {
                Ok(url) => service.url = url,
                Err(reason) => reader.refuse(
                    format!("`service.url` is not an address: {reason}"),
                    span,
                    "this address",
                    "write it as `url = \"http://127.0.0.1:4567\"`",
                ),
            });
        }
        if let Some(value) = table.get("compose") {
            self.text(value, "service.compose", |reader, file, span| match relative(file) {
                Ok(path) => service.compose = path,
                Err(reason) => reader.refuse(
                    format!("`service.compose` {reason}"),
                    span,
                    "this path",
                    "name a file of the workspace: `compose = \"docker-compose.yml\"`",
                ),
            });
        }
        if let Some(value) = table.get("name") {
            self.text(value, "service.name", |reader, name, span| {
                if name.trim().is_empty() {
                    reader.refuse(
                        String::from("`service.name` is empty"),
                        span,
                        "a name is needed",
                        "name the service as the compose file does: `name = \"backend\"`",
                    );
                } else {
                    name.clone_into(&mut service.name);
                }
            });
        }
        if let Some(value) = table.get("health") {
            self.text(value, "service.health", |reader, path, span| {
                if path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic()) {
                    path.clone_into(&mut service.health);
                } else {
                    reader.refuse(
                        String::from("`service.health` is not the path of a URL"),
                        span,
                        "this path",
                        "it begins with a slash: `health = \"/api/health\"`",
                    );
                }
            });
        }
        service.build = table.get("build").and_then(|value| self.command(value, "build"));
        service.run = table.get("run").and_then(|value| self.command(value, "run"));
    }

    /// A command: a list of words, or the one word of a program.
    fn command(&mut self, value: &Value<'a>, key: &str) -> Option<Vec<String>> {
        let words: Option<Vec<String>> = match value.get_ref() {
            DeValue::String(program) => Some(vec![program.to_string()]),
            DeValue::Array(words) => words.iter().map(|word| word.get_ref().as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        let words = words.filter(|words| words.first().is_some_and(|program| !program.trim().is_empty()));
        if words.is_none() {
            let example = if key == "build" { "[\"cargo\", \"build\"]" } else { "[\"./serve\", \"--quiet\"]" };
            self.refuse(
                format!("`service.{key}` is not a command"),
                value.span(),
                "a program and its arguments are needed",
                &format!("write the words one by one: `{key} = {example}`"),
            );
        }
        words
    }

    fn text(&mut self, value: &Value<'a>, key: &str, take: impl FnOnce(&mut Self, &str, Range<usize>)) {
        if let Some(text) = value.get_ref().as_str() {
            return take(self, text, value.span());
        }
        let message = format!("`{key}` must be text, it is of the type {}", value.get_ref().type_str());
        let help = format!("write `{} = \"…\"`", key.rsplit('.').next().unwrap_or(key));
        self.refuse(message, value.span(), "put this in quotes", &help);
    }

    fn unknown(&mut self, table: &DeTable<'a>, known: &[&str], of: &str) {
        let mut unknown: Vec<_> = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).collect();
        unknown.sort_by_key(|key| key.span().start);
        for key in unknown {
            let help = match nearest(key.get_ref(), known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{of} knows {}", listed(known.iter().copied())),
            };
            self.refuse(format!("{of} has an unknown key `{}`", key.get_ref()), key.span(), "unknown key", &help);
        }
    }

    fn refuse(&mut self, message: String, span: Range<usize>, label: &str, help: &str) {
        self.problems.push(Problem::new(message).pointing(Manifest::FILE, self.text, span, label).with_help(help));
    }
}

/// An address at which a service can be asked.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" if url.host().is_some() => {}
        "http" | "https" => return Err(String::from("it names no host")),
        scheme => return Err(format!("`{scheme}` is neither `http` nor `https`")),
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(String::from("it may have scheme, host, port and path only"));
    }
    Ok(url)
}

/// A path that stays within the workspace.
fn relative(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    if text.trim().is_empty() {
        return Err("is empty");
    }
    let mut depth = 0_i32;
    for component in path.components() {
        depth += match component {
            Component::Normal(_) => 1,
            Component::CurDir => 0,
            Component::ParentDir => -1,
            Component::RootDir | Component::Prefix(_) => return Err("is not relative to the workspace"),
        };
        if depth < 0 {
            return Err("leads out of the workspace");
        }
    }
    Ok(path)
}
