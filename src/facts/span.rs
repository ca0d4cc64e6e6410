use serde::{Deserialize, Serialize};

use super::Attributes;

/// A span as Honeycomb shows it: one event with `trace.span_id`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Span {
    /// 32 hex digits, as the service sent them.
    pub trace_id: String,
    /// 16 hex digits.
    pub span_id: String,
    /// The parent's span id; absent on a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// The span's name.
    pub name: String,
    /// `server`, `client`, `internal`, `producer`, `consumer` or `unspecified`.
    pub kind: String,
    /// The dataset's name, which is the service's.
    pub dataset: String,
    /// The start, in Unix milliseconds; 0 where the vendor did not say.
    #[serde(default)]
    pub start_ms: i64,
    /// How long it took, in milliseconds.
    #[serde(default)]
    pub duration_ms: f64,
    /// OpenTelemetry's status code: 0 unset, 1 ok, 2 error.
    #[serde(default)]
    pub status_code: i64,
    /// All other columns: resource, scope and span attributes, with the types in which they arrived.
    #[serde(default)]
    pub attributes: Attributes,
}

impl Span {
    /// The HTTP status that the span carries, under the current or the former semantic conventions.
    #[must_use]
    pub fn http_status(&self) -> Option<i64> {
        ["http.response.status_code", "http.status_code"].iter().find_map(|key| self.attributes.get(*key)?.as_i64())
    }

    /// Whether any attribute holds the text: how a probe's nonce is found in a span of another trace.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        self.attributes.values().any(|value| value.as_str().is_some_and(|value| value.contains(text)))
    }
}
