//! What has to be known of a segment document to accept it, for the most part borrowed from its text.
//!
//! It takes what [`Segment`](crate::facts::Segment) takes and nothing else, so that whatever is kept can be read again; what
//! nobody asks for here is looked at and dropped.

use std::borrow::Cow;
use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, Error, MapAccess, SeqAccess, Visitor};

/// A segment or subsegment.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Outline<'a> {
    #[serde(borrow)]
    pub trace_id: Cow<'a, str>,
    #[serde(borrow)]
    pub id: Cow<'a, str>,
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    pub parent_id: Option<String>,
    /// Unix seconds.
    pub start_time: f64,
    /// Unix seconds.
    pub end_time: Option<f64>,
    pub in_progress: bool,
    #[serde(rename = "type")]
    pub kind: Option<String>,
    #[serde(borrow)]
    pub subsegments: Vec<Outline<'a>>,
    // Of the others the type alone matters.
    namespace: Option<Text>,
    http: Any,
    annotations: Members,
    metadata: Any,
    fault: bool,
    error: bool,
    throttle: bool,
    cause: Any,
    user: Option<Text>,
    origin: Option<Text>,
    aws: Any,
    sql: Any,
    service: Any,
    resource_arn: Option<Text>,
    inferred: bool,
    precursor_ids: Vec<Text>,
    links: Any,
}

impl<'a> Outline<'a> {
    /// One of which no more is known.
    pub fn named(id: &'a str, name: &'a str) -> Self {
        Self { id: id.into(), name: name.into(), ..Self::default() }
    }

    /// Whether it is work within a segment.
    pub fn is_subsegment(&self) -> bool {
        self.kind.as_deref() == Some("subsegment")
    }

    /// This one and all beneath it, parents first.
    pub fn walk(&self) -> impl Iterator<Item = &Self> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(next.subsegments.iter().rev());
            Some(next)
        })
    }
}

/// Any JSON, as deep and with such numbers and strings as a `Value` takes: to ignore it would be to take more.
#[derive(Debug, Default)]
struct Any;

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Any {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("any valid JSON value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_bool<E: Error>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E: Error>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E: Error>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E: Error>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self, A::Error> {
        while list.next_element::<Self>()?.is_some() {}
        Ok(self)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self, A::Error> {
        while members.next_entry::<Text, Self>()?.is_some() {}
        Ok(self)
    }
}

/// An object of any members.
#[derive(Debug, Default)]
struct Members;

impl<'de> Deserialize<'de> for Members {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Self)
    }
}

impl<'de> Visitor<'de> for Members {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Self, A::Error> {
        Any.visit_map(members).map(|_| self)
    }
}

/// A string.
#[derive(Debug)]
struct Text;

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_str(Self)
    }
}

impl Visitor<'_> for Text {
    type Value = Self;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_str<E: Error>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;
    use crate::facts::Segment;

    /// Takes the text or not, as a segment does, and sees the same in it.
    fn agrees(text: &str) -> bool {
        match (serde_json::from_str::<Outline<'_>>(text), Segment::parse(text)) {
            (Ok(outline), Ok(segment)) => {
                let seen = outline.walk().map(|one| (&*one.id, &*one.name, &*one.trace_id, one.start_time, one.end_time));
                let kept = segment.walk().map(|one| (&*one.id, &*one.name, &*one.trace_id, one.start_time, one.end_time));
                let same = |one: &Outline<'_>, other: &Segment| {
                    one.parent_id == other.parent_id && one.kind == other.kind && one.in_progress == other.in_progress
                };
                seen.eq(kept) && outline.walk().zip(segment.walk()).all(|(one, other)| same(one, other))
            }
            (outline, segment) => outline.is_err() == segment.is_err(),
        }
    }

    const MEMBERS: [&str; 27] = [
        "trace_id",
        "id",
        "name",
        "parent_id",
        "start_time",
        "end_time",
        "in_progress",
        "type",
        "subsegments",
        "namespace",
        "http",
        "annotations",
        "metadata",
        "fault",
        "error",
        "throttle",
        "cause",
        "user",
        "origin",
        "aws",
        "sql",
        "service",
        "resource_arn",
        "inferred",
        "precursor_ids",
        "links",
        "unknown",
    ];

    #[test]
    fn every_member_has_the_type_that_a_segment_gives_it() {
        let odd =
            ["1e999", "\"\\ud800\"", "-0", "18446744073709551616", "{\"a\":1,\"a\":2}", "[\"x\"]", "{\"a\":{\"b\":[1e999]}}"];
        let plain = [json!(null), json!(true), json!(1), json!(1.5), json!("ä\n"), json!([]), json!({}), json!([{}]), json!([1])];
        let values: Vec<String> = odd.iter().map(ToString::to_string).chain(plain.iter().map(Value::to_string)).collect();
        for member in MEMBERS {
            for value in &values {
                for text in [
                    format!("{{\"{member}\":{value}}}"),
                    format!("{{\"subsegments\":[{{\"{member}\":{value}}}]}}"),
                    format!("{{\"{member}\":{value},\"{member}\":{value}}}"),
                ] {
                    assert!(agrees(&text), "{text}");
                }
            }
        }
    }

    #[test]
    fn nesting_ends_where_a_segment_s_does() {
        for depth in 110..140 {
            for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
                let nested = format!("{}1{}", open.repeat(depth), close.repeat(depth));
                for member in ["metadata", "unknown"] {
                    let text = format!("{{\"{member}\":{nested}}}");
                    assert!(agrees(&text), "{depth} of {open} in {member}");
                }
            }
        }
    }

    proptest! {
        #[test]
        fn any_text_is_taken_as_a_segment_takes_it(text in "\\PC{0,60}|\\{(\"(id|name|http|type|user)\":(null|1|\"\\PC{0,3}\"|\\{\\}|\\[\\]),?){0,4}\\}") {
            prop_assert!(agrees(&text));
        }
    }
}
