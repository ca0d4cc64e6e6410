//! Errors in the two shapes of the API: `{"error"}` and RFC 7807.

use http::StatusCode;
use serde_json::{Value, json};

use crate::sandbox::wire;

/// `{"error": "…"}`, as Honeycomb answers refused keys and broken event bodies.
#[must_use]
pub fn plain(status: StatusCode, message: &str) -> wire::Response {
    wire::json(status, &json!({ "error": message }))
}

/// One thing that is wrong with a field, for `type_detail`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Detail {
    /// Where: `calculations[0].op`.
    pub field: String,
    /// `invalid`, `missing`, `incorrect_type`, `already_exists`.
    pub code: &'static str,
    /// A sentence.
    pub description: String,
}

impl Detail {
    /// A value that is not allowed there.
    #[must_use]
    pub fn invalid(field: impl Into<String>, description: impl Into<String>) -> Self {
        Self { field: field.into(), code: "invalid", description: description.into() }
    }
}

/// RFC 7807: there is no such thing.
#[must_use]
pub fn not_found(what: &str) -> wire::Response {
    problem(StatusCode::NOT_FOUND, "not-found", "The requested resource cannot be found.", what, None)
}

/// RFC 7807: the body is not the JSON that is expected there.
#[must_use]
pub fn unparseable(why: &str) -> wire::Response {
    problem(StatusCode::BAD_REQUEST, "unparseable", "The request body could not be parsed.", why, None)
}

/// RFC 7807: the body can be read and makes no sense.
#[must_use]
pub fn validation_failed(details: &[Detail]) -> wire::Response {
    let said: Vec<Value> = details
        .iter()
        .map(|detail| json!({ "field": detail.field, "code": detail.code, "description": detail.description }))
        .collect();
    let summary = details.iter().map(|detail| detail.description.as_str()).collect::<Vec<_>>().join("; ");
    problem(
        StatusCode::UNPROCESSABLE_ENTITY,
        "validation-failed",
        "The provided input is invalid.",
        &summary,
        Some(Value::Array(said)),
    )
}

fn problem(status: StatusCode, kind: &str, title: &str, error: &str, detail: Option<Value>) -> wire::Response {
    let mut body = json!({
        "status": status.as_u16(),
        "type": format!("https://api.honeycomb.io/problems/{kind}"),
        "title": title,
        "error": error,
    });
    if let Some(detail) = detail {
        body["type_detail"] = detail;
    }
    wire::answer(status, "application/problem+json", body.to_string())
}
