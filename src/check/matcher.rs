use std::fmt;
use std::sync::{Mutex, PoisonError};

use regex::Regex;
use schemars::JsonSchema;
use serde::Deserialize;
use serde::de::value::MapAccessDeserializer;
use serde::de::{self, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::Placeholders;

/// What a value must be. A bare scalar in a check file means `equals`; a table may combine several demands.
#[derive(Debug, Clone, Default, PartialEq, JsonSchema)]
#[schemars(transparent)]
pub struct Matcher {
    #[schemars(with = "MatcherShape")]
    demands: Demands,
}

/// How a matcher is written in a check file.
#[derive(JsonSchema)]
#[serde(untagged)]
#[allow(dead_code, clippy::large_enum_variant, reason = "only its schema is used")]
enum MatcherShape {
    Text(String),
    Number(f64),
    Truth(bool),
    Demands(Demands),
}

#[derive(Debug, Clone, Default, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Demands {
    /// It is this value; texts may hold placeholders.
    #[serde(default)]
    equals: Option<Value>,
    /// It is one of these.
    #[serde(default)]
    one_of: Option<Vec<Value>>,
    /// It is a text that holds this one, or a list that holds this value.
    #[serde(default)]
    contains: Option<Value>,
    /// It is a text that this regular expression finds something in.
    #[serde(default)]
    #[schemars(with = "Option<String>")]
    matches: Option<Pattern>,
    /// It is there (`true`), or it is not (`false`).
    #[serde(default)]
    exists: Option<bool>,
    /// Its type.
    #[serde(default, rename = "type")]
    kind: Option<Kind>,
    /// It is a number not below this one.
    #[serde(default)]
    at_least: Option<f64>,
    /// It is a number not above this one.
    #[serde(default)]
    at_most: Option<f64>,
}

/// The type of a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text.
    String,
    /// A whole number.
    Integer,
    /// Any number.
    Number,
    /// True or false.
    Boolean,
    /// A list.
    Array,
    /// A table.
    Object,
}

/// A regular expression that was found sound when the check file was read.
#[derive(Debug)]
struct Pattern {
    text: String,
    /// The text as it was last filled, compiled. To compile one takes a thousand times as long as to apply it, a check is
    /// held against every fact of a source in every round, and within a run its placeholders stay the same.
    compiled: Mutex<Option<(String, Regex)>>,
}

impl Pattern {
    fn new(text: String) -> Self {
        Self { text, compiled: Mutex::new(None) }
    }

    fn finds(&self, text: &str, placeholders: &Placeholders) -> bool {
        let filled = placeholders.fill_pattern(&self.text);
        let mut compiled = self.compiled.lock().unwrap_or_else(PoisonError::into_inner);
        match compiled.as_ref() {
            Some((known, regex)) if *known == filled => regex.is_match(text),
            _ => {
                let Ok(regex) = Regex::new(&filled) else { return false };
                let found = regex.is_match(text);
                *compiled = Some((filled, regex));
                found
            }
        }
    }
}

impl Clone for Pattern {
    fn clone(&self) -> Self {
        Self::new(self.text.clone())
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.text == other.text
    }
}

impl<'de> Deserialize<'de> for Pattern {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        // Placeholders stand where a value will: any plain word shows whether the rest is sound.
        let sample = Placeholders::NAMES.iter().fold(text.clone(), |text, name| text.replace(name, "x"));
        // Compiled when it is first needed: a list of the course needs none.
        match regex_syntax::parse(&sample) {
            Ok(_) => Ok(Self::new(text)),
            Err(error) => Err(de::Error::custom(format_args!("`{text}` is not a regular expression: {error}"))),
        }
    }
}

impl<'de> Deserialize<'de> for Matcher {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(MatcherVisitor)
    }
}

struct MatcherVisitor;

impl<'de> Visitor<'de> for MatcherVisitor {
    type Value = Matcher;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(
            "a value, or a table of `equals`, `one-of`, `contains`, `matches`, `exists`, `type`, `at-least`, `at-most`",
        )
    }

    fn visit_bool<E>(self, value: bool) -> Result<Matcher, E> {
        Ok(Matcher::equals(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Matcher, E> {
        Ok(Matcher::equals(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Matcher, E> {
        Ok(Matcher::equals(value))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Matcher, E> {
        Ok(Matcher::equals(value))
    }

    fn visit_str<E>(self, value: &str) -> Result<Matcher, E> {
        Ok(Matcher::equals(value))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Matcher, A::Error> {
        let demands = Demands::deserialize(MapAccessDeserializer::new(map))?;
        if demands == Demands::default() {
            return Err(de::Error::custom("this matcher demands nothing: write `exists = true`, or what the value must be"));
        }
        Ok(Matcher { demands })
    }
}

impl Matcher {
    /// The matcher of a bare value.
    pub fn equals(value: impl Into<Value>) -> Self {
        Self { demands: Demands { equals: Some(value.into()), ..Demands::default() } }
    }

    /// The matcher of anything that is there.
    #[must_use]
    pub fn exists() -> Self {
        Self { demands: Demands { exists: Some(true), ..Demands::default() } }
    }

    /// Whether the value is as demanded; `None` stands for a value that is not there.
    #[must_use]
    pub fn accepts(&self, value: Option<&Value>, placeholders: &Placeholders) -> bool {
        let demands = &self.demands;
        let Some(value) = value.filter(|value| !value.is_null()) else { return demands.exists == Some(false) };
        if demands.exists == Some(false) {
            return false;
        }
        let equals = demands.equals.as_ref().is_none_or(|wanted| same(wanted, value, placeholders));
        let one_of = demands.one_of.as_ref().is_none_or(|wanted| wanted.iter().any(|wanted| same(wanted, value, placeholders)));
        let contains = demands.contains.as_ref().is_none_or(|wanted| match (value, wanted) {
            (Value::String(text), Value::String(part)) => text.contains(&placeholders.fill(part)),
            (Value::Array(values), wanted) => values.iter().any(|value| same(wanted, value, placeholders)),
            _ => false,
        });
        let matches = demands.matches.as_ref().is_none_or(|pattern| pattern.finds(&text_of(value), placeholders));
        let kind = demands.kind.is_none_or(|kind| kind.is_of(value));
        let at_least = demands.at_least.is_none_or(|bound| value.as_f64().is_some_and(|number| number >= bound));
        let at_most = demands.at_most.is_none_or(|bound| value.as_f64().is_some_and(|number| number <= bound));
        equals && one_of && contains && matches && kind && at_least && at_most
    }

    /// The same, of a text.
    #[must_use]
    pub fn accepts_text(&self, text: &str, placeholders: &Placeholders) -> bool {
        self.accepts(Some(&Value::from(text)), placeholders)
    }

    /// What is demanded, as it completes "it must be …": "`3`, an integer".
    #[must_use]
    pub fn describe(&self, placeholders: &Placeholders) -> String {
        let demands = &self.demands;
        let show = |value: &Value| format!("`{}`", placeholders.fill(&text_of(value)));
        let mut parts = Vec::new();
        if let Some(value) = &demands.equals {
            parts.push(show(value));
        }
        if let Some(values) = &demands.one_of {
            parts.push(format!("one of {}", values.iter().map(show).collect::<Vec<_>>().join(", ")));
        }
        if let Some(value) = &demands.contains {
            parts.push(format!("containing {}", show(value)));
        }
        if let Some(pattern) = &demands.matches {
            parts.push(format!("matching `{}`", placeholders.fill(&pattern.text)));
        }
        if let Some(kind) = demands.kind {
            parts.push(String::from(kind.describe()));
        }
        match (demands.at_least, demands.at_most) {
            (Some(low), Some(high)) => parts.push(format!("from {low} to {high}")),
            (Some(low), None) => parts.push(format!("at least {low}")),
            (None, Some(high)) => parts.push(format!("at most {high}")),
            (None, None) => {}
        }
        match demands.exists {
            Some(false) => parts.push(String::from("absent")),
            Some(true) if parts.is_empty() => parts.push(String::from("present")),
            _ => {}
        }
        parts.join(", ")
    }
}

impl Kind {
    fn is_of(self, value: &Value) -> bool {
        match self {
            Self::String => value.is_string(),
            Self::Integer => value.is_i64() || value.is_u64(),
            Self::Number => value.is_number(),
            Self::Boolean => value.is_boolean(),
            Self::Array => value.is_array(),
            Self::Object => value.is_object(),
        }
    }

    fn describe(self) -> &'static str {
        match self {
            Self::String => "a text",
            Self::Integer => "an integer",
            Self::Number => "a number",
            Self::Boolean => "true or false",
            Self::Array => "a list",
            Self::Object => "a table",
        }
    }

    /// The type of a value, as a person says it: "a text".
    #[must_use]
    pub fn name_of(value: &Value) -> &'static str {
        match value {
            Value::Null => "nothing",
            Value::Bool(_) => Self::Boolean.describe(),
            Value::Number(number) if number.is_f64() => Self::Number.describe(),
            Value::Number(_) => Self::Integer.describe(),
            Value::String(_) => Self::String.describe(),
            Value::Array(_) => Self::Array.describe(),
            Value::Object(_) => Self::Object.describe(),
        }
    }
}

/// Numbers are compared by value (`3` is `3.0`), texts after their placeholders are filled.
fn same(wanted: &Value, value: &Value, placeholders: &Placeholders) -> bool {
    match (wanted, value) {
        (Value::String(wanted), Value::String(value)) => placeholders.fill(wanted) == *value,
        (Value::Number(wanted), Value::Number(value)) => wanted == value || wanted.as_f64() == value.as_f64(),
        (wanted, value) => wanted == value,
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn matcher(toml: &str) -> Matcher {
        #[derive(Deserialize)]
        struct Table {
            m: Matcher,
        }
        toml::from_str::<Table>(toml).unwrap().m
    }

    fn accepts(toml: &str, value: impl Into<Value>) -> bool {
        matcher(toml).accepts(Some(&value.into()), &Placeholders::default())
    }

    #[test]
    fn a_scalar_is_equality_and_types_count() {
        assert!(accepts("m = 3", json!(3)));
        assert!(accepts("m = 3", json!(3.0)));
        assert!(!accepts("m = 3", json!("3")));
        assert!(!accepts("m = { type = 'integer' }", json!("3")));
        assert!(accepts("m = { type = 'integer', at-least = 1, at-most = 3 }", json!(3)));
        assert!(!accepts("m = { type = 'integer', at-least = 1, at-most = 3 }", json!(4)));
    }

    #[test]
    fn texts() {
        assert!(accepts("m = { contains = 'b' }", json!("abc")));
        assert!(!accepts("m = { contains = 'x' }", json!("abc")));
        assert!(accepts("m = { contains = 3 }", json!([1, 3])));
        assert!(accepts("m = { matches = '^a.c$' }", json!("abc")));
        assert!(!accepts("m = { matches = '^b' }", json!("abc")));
        assert!(accepts("m = { one-of = ['a', 'b'] }", json!("b")));
        assert!(!accepts("m = { one-of = ['a', 'b'] }", json!("c")));
    }

    #[test]
    fn absence_is_a_demand_of_its_own() {
        let none = Placeholders::default();
        assert!(matcher("m = { exists = false }").accepts(None, &none));
        assert!(!matcher("m = { exists = false }").accepts(Some(&json!(1)), &none));
        assert!(!matcher("m = { exists = true }").accepts(None, &none));
        assert!(!matcher("m = 'x'").accepts(None, &none));
    }

    #[test]
    fn typos_and_empty_matchers_are_refused() {
        for wrong in ["m = { equal = 3 }", "m = {}", "m = { matches = '(' }", "m = { type = 'int' }", "m = [1]"] {
            assert!(toml::from_str::<toml::Table>(wrong).is_ok(), "{wrong} is sound TOML");
            #[derive(Debug, Deserialize)]
            #[allow(dead_code)]
            struct Table {
                m: Matcher,
            }
            assert!(toml::from_str::<Table>(wrong).is_err(), "{wrong} was taken");
        }
    }

    #[test]
    fn it_says_what_it_wants() {
        let none = Placeholders::default();
        assert_eq!(matcher("m = { equals = 3, type = 'integer' }").describe(&none), "`3`, an integer");
        assert_eq!(matcher("m = { one-of = ['a', 'b'] }").describe(&none), "one of `a`, `b`");
    }
}
