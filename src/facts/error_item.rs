use serde::{Deserialize, Serialize};

use super::Attributes;

/// One occurrence of a Rollbar item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ErrorItem {
    /// The occurrence's id, and that of the item it belongs to; 0 where the vendor did not say.
    #[serde(default)]
    pub occurrence_id: i64,
    /// The item's id.
    #[serde(default)]
    pub item_id: i64,
    /// Unix seconds.
    #[serde(default)]
    pub timestamp: i64,
    /// `critical`, `error`, `warning`, `info` or `debug`; `error` where the payload had none.
    pub level: String,
    /// `production` and the like.
    pub environment: String,
    /// The item's title: the message, or the exception's class and message.
    pub title: String,
    /// The message's body, of a message item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// The exception's class, of a trace item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception_class: Option<String>,
    /// The exception's message, of a trace item.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub exception_message: Option<String>,
    /// The stack, as the payload orders it.
    #[serde(default)]
    pub frames: Vec<Frame>,
    /// `request.url`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_url: Option<String>,
    /// `request.method`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request_method: Option<String>,
    /// `request.headers`, names in lower case.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub request_headers: Attributes,
}

/// One frame of a stack.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Frame {
    /// The source file.
    #[serde(default)]
    pub filename: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lineno: Option<u64>,
    /// The function.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
}

impl ErrorItem {
    /// Whether the request's URL or a header holds the text: how a probe's nonce or trace id is found.
    #[must_use]
    pub fn mentions(&self, text: &str) -> bool {
        self.request_url.as_deref().is_some_and(|url| url.contains(text))
            || self.request_headers.values().any(|value| value.as_str().is_some_and(|value| value.contains(text)))
    }
}
