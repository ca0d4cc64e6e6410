//! What makes a segment document acceptable. Follows the segment documents' chapter of the X-Ray developer guide and
//! the codes that the service has been seen to answer.

use std::borrow::Cow;

use serde_json::{Value, json};

use super::outline::Outline;
use crate::facts::{SegmentError, TraceId};

/// The longest document, in bytes.
pub(super) const LONGEST: usize = 64 * 1024;

/// The longest name, in characters.
const LONGEST_NAME: usize = 200;

/// A document that may be kept, and what the store wants to know of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Accepted {
    /// `1-8hex-24hex`, in lower case.
    pub trace_id: String,
    /// The second that the trace id carries.
    pub epoch_s: u32,
    /// When it began, in Unix seconds.
    pub started: f64,
    /// When it ended, in Unix seconds; its beginning while it is in progress.
    pub ended: f64,
    /// The text as it came.
    pub text: String,
}

/// A document that X-Ray would list in `UnprocessedTraceSegments`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("Invalid {what}. ErrorCode: {code}{}", cause(.detail))]
pub(super) struct Refused {
    /// The offender's id, where it has one.
    pub id: Option<String>,
    /// The offender's name, where it has one.
    pub name: Option<String>,
    /// `InvalidName` and the like.
    pub code: &'static str,
    /// `segment` or `subsegment`.
    pub what: &'static str,
    /// What exactly is wrong.
    pub detail: Cow<'static, str>,
}

fn cause(detail: &str) -> String {
    if detail.is_empty() { String::new() } else { format!(", Cause: {detail}") }
}

impl Refused {
    fn new(segment: &Outline<'_>, what: &'static str, code: &'static str, detail: impl Into<Cow<'static, str>>) -> Self {
        let filled = |text: &str| (!text.is_empty()).then(|| text.chars().take(LONGEST_NAME).collect());
        Self { id: filled(&segment.id), name: filled(&segment.name), code, what, detail: detail.into() }
    }

    /// An entry of `UnprocessedTraceSegments`.
    pub fn entry(&self) -> Value {
        let mut entry = json!({ "ErrorCode": self.code, "Message": self.to_string() });
        if let Some(id) = &self.id {
            entry["Id"] = json!(id);
        }
        entry
    }
}

/// Reads and checks one document.
pub(super) fn check(text: String) -> Result<Accepted, Refused> {
    let nobody = Outline::default();
    if text.len() > LONGEST {
        let detail = format!("the document has {} bytes, {LONGEST} are allowed", text.len());
        return Err(Refused::new(&nobody, "segment", "InvalidSegment", detail));
    }
    // Serde would take an array for a struct, field by field.
    if text.trim_start().starts_with('[') && serde_json::from_str::<serde::de::IgnoredAny>(&text).is_ok() {
        return Err(Refused::new(&nobody, "segment", "MissingId", ""));
    }
    let segment = match serde_json::from_str::<Outline<'_>>(&text) {
        Ok(segment) => segment,
        Err(error) => {
            let loose: Value = serde_json::from_str(&text).unwrap_or_default();
            let field = |name: &str| loose.get(name).and_then(Value::as_str).unwrap_or_default();
            let known = Outline::named(field("id"), field("name"));
            return Err(Refused::new(&known, "segment", "InvalidSegment", SegmentError::from(error).to_string()));
        }
    };
    let what = if segment.is_subsegment() { "subsegment" } else { "segment" };
    let refuse = |code, detail: &'static str| Err(Refused::new(&segment, what, code, detail));
    if segment.id.is_empty() {
        return refuse("MissingId", "");
    }
    if segment.trace_id.is_empty() {
        return refuse("MissingTraceId", "");
    }
    // A bare W3C id is one trace in two worlds to us, but not to X-Ray.
    let trace_id = match segment.trace_id.parse::<TraceId>() {
        Ok(id) if segment.trace_id.starts_with("1-") => id,
        _ => return refuse("InvalidTraceId", ""),
    };
    if let Some(kind) = &segment.kind
        && kind != "subsegment"
        && kind != "segment"
    {
        return refuse("InvalidSegment", "`type` is neither `segment` nor `subsegment`");
    }
    if segment.is_subsegment() && segment.parent_id.as_deref().is_none_or(str::is_empty) {
        return refuse("MissingParentId", "");
    }
    if let Some(parent) = &segment.parent_id
        && !parent.is_empty()
        && !is_id(parent)
    {
        return refuse("InvalidParentId", "");
    }
    for (index, entity) in segment.walk().enumerate() {
        check_entity(entity, if index == 0 { what } else { "subsegment" })?;
    }
    let started = segment.start_time;
    let ended = segment.walk().filter_map(|entity| entity.end_time).fold(started, f64::max);
    // There is one way to write an id of this form, but for the case of its letters.
    let (epoch_s, trace_id) = (trace_id.epoch_seconds(), segment.trace_id.to_ascii_lowercase());
    drop(segment);
    Ok(Accepted { trace_id, epoch_s, started, ended, text })
}

fn check_entity(entity: &Outline<'_>, what: &'static str) -> Result<(), Refused> {
    let refuse = |code, detail: &'static str| Err(Refused::new(entity, what, code, detail));
    if entity.id.is_empty() {
        return refuse("MissingId", "");
    }
    if !is_id(&entity.id) {
        return refuse("InvalidId", "an id has 16 hexadecimal digits");
    }
    if !is_name(&entity.name) {
        return refuse("InvalidName", "null");
    }
    if !is_time(entity.start_time) {
        return refuse("InvalidSegment", "`start_time` is missing or not a time in Unix seconds");
    }
    match entity.end_time {
        Some(end) if !is_time(end) => refuse("InvalidSegment", "`end_time` is not a time in Unix seconds"),
        None if !entity.in_progress => refuse("InvalidSegment", "either `end_time` or `in_progress` is required"),
        _ => Ok(()),
    }
}

fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

fn is_name(text: &str) -> bool {
    let allowed = |letter: char| letter.is_alphanumeric() || letter.is_whitespace() || "_.:/%&#=+\\-@".contains(letter);
    !text.is_empty() && text.chars().count() <= LONGEST_NAME && text.chars().all(allowed)
}

fn is_time(seconds: f64) -> bool {
    seconds > 0.0 && seconds < 253_402_300_799.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const GOOD: &str = r#"{"trace_id":"1-4efaaf4d-1e8720b39541901950019ee5","id":"70de5b6f19ff9a0a","name":"example.com","start_time":1.478293361271E9,"end_time":1.478293361449E9}"#;

    fn code(document: &str) -> Result<(), &'static str> {
        check(document.to_owned()).map(drop).map_err(|refused| refused.code)
    }

    #[test]
    fn what_the_guide_shows_is_accepted() {
        let accepted = check(GOOD.to_owned()).unwrap();
        assert_eq!((accepted.trace_id.as_str(), accepted.epoch_s), ("1-4efaaf4d-1e8720b39541901950019ee5", 0x4efa_af4d));
        assert!(accepted.started < accepted.ended);
        let loud = check(GOOD.replace("1-4efaaf4d-1e8720b39541901950019ee5", "1-4EFAAF4D-1E8720B39541901950019EE5")).unwrap();
        assert_eq!(loud.trace_id, accepted.trace_id);
        assert_eq!(code(&GOOD.replace("\"end_time\":1.478293361449E9", "\"in_progress\":true")), Ok(()));
        assert_eq!(code(&GOOD.replace("example.com", "## Über/Größe=1 @x\\\\y")), Ok(()));
    }

    #[test]
    fn each_mistake_has_its_code() {
        let without = |field: &str| {
            let mut value: Value = serde_json::from_str(GOOD).unwrap();
            value.as_object_mut().unwrap().remove(field);
            code(&value.to_string())
        };
        assert_eq!(without("id"), Err("MissingId"));
        assert_eq!(without("trace_id"), Err("MissingTraceId"));
        assert_eq!(without("name"), Err("InvalidName"));
        assert_eq!(without("start_time"), Err("InvalidSegment"));
        assert_eq!(without("end_time"), Err("InvalidSegment"));
        assert_eq!(code(&GOOD.replace("1-4efaaf4d-", "1-4efaaf4-")), Err("InvalidTraceId"));
        assert_eq!(code(&GOOD.replace("1-4efaaf4d-1e87", "4efaaf4d1e87")), Err("InvalidTraceId"));
        assert_eq!(code(&GOOD.replace("70de5b6f19ff9a0a", "70de")), Err("InvalidId"));
        assert_eq!(code(&GOOD.replace("example.com", "example(com)")), Err("InvalidName"));
        assert_eq!(code(&GOOD.replace("example.com", &"x".repeat(201))), Err("InvalidName"));
        assert_eq!(code(&GOOD.replacen('{', "{\"type\":\"subsegment\",", 1)), Err("MissingParentId"));
        assert_eq!(code(&GOOD.replacen('{', "{\"type\":\"span\",", 1)), Err("InvalidSegment"));
        assert_eq!(code(&GOOD.replacen('{', "{\"fault\":\"yes\",", 1)), Err("InvalidSegment"));
        assert_eq!(code("[]"), Err("MissingId"));
        assert_eq!(code("[1"), Err("InvalidSegment"));
        assert_eq!(code(&GOOD.replacen('{', &format!("{{\"metadata\":\"{}\",", "x".repeat(LONGEST)), 1)), Err("InvalidSegment"));
    }

    #[test]
    fn a_nested_mistake_names_the_subsegment() {
        let nested =
            GOOD.replacen('{', r#"{"subsegments":[{"id":"cbb6a6a3e8c41c46","name":"a,b","start_time":1,"end_time":2}],"#, 1);
        let refused = check(nested).unwrap_err();
        assert_eq!(refused.id.as_deref(), Some("cbb6a6a3e8c41c46"));
        assert_eq!(refused.to_string(), "Invalid subsegment. ErrorCode: InvalidName, Cause: null");
    }

    proptest! {
        #[test]
        fn checking_never_panics(text in "\\PC{0,200}") {
            let _ = check(text);
        }

        #[test]
        fn a_damaged_document_never_panics(at in 0..GOOD.len(), with in "\\PC{0,4}") {
            let mut text = GOOD.to_owned();
            text.replace_range(at..=at, &with);
            let _ = check(text);
        }

        #[test]
        fn deep_nesting_is_refused_or_read(depth in 0_usize..300) {
            let open = r#"{"id":"cbb6a6a3e8c41c46","name":"n","start_time":1,"end_time":2,"subsegments":["#;
            let nested = format!("{}{}", open.repeat(depth), "]}".repeat(depth));
            let _ = check(GOOD.replacen('{', &format!("{{\"subsegments\":[{nested}],"), 1));
        }
    }
}
