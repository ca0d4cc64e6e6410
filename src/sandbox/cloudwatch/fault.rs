//! Errors as AWS words them: `{"__type","message"}` and the header `x-amzn-errortype`.

use std::fmt::Display;

use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

use super::ask::CONTENT_TYPE;
use crate::sandbox::store::StoreError;
use crate::sandbox::wire::{self, Response};

/// A refusal, and whether it is kept as evidence.
#[derive(Debug)]
pub(super) struct Fault {
    /// The exception's name.
    pub kind: &'static str,
    /// The exception's message.
    pub message: String,
    /// 400 but for few.
    pub status: StatusCode,
    /// Members beside the message.
    pub more: Option<Box<Map<String, Value>>>,
    /// The word under which it is kept as a rejection; `None` for what is part of normal traffic.
    pub reason: Option<&'static str>,
    /// What the rejection says instead of the message, where the message alone would not help.
    pub detail: Option<String>,
}

impl Fault {
    pub fn new(kind: &'static str, message: impl Into<String>) -> Self {
        let status = StatusCode::BAD_REQUEST;
        Self { kind, message: message.into(), status, more: None, reason: None, detail: None }
    }

    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new("InvalidParameterException", message)
    }

    pub fn no_group() -> Self {
        Self::new("ResourceNotFoundException", "The specified log group does not exist.")
    }

    pub fn no_stream() -> Self {
        Self::new("ResourceNotFoundException", "The specified log stream does not exist.")
    }

    pub fn bad_token() -> Self {
        Self::invalid("The specified nextToken is invalid.")
    }

    pub fn unavailable(cause: impl Display) -> Self {
        Self::new("ServiceUnavailableException", cause.to_string()).status(StatusCode::SERVICE_UNAVAILABLE)
    }

    pub fn status(self, status: StatusCode) -> Self {
        Self { status, ..self }
    }

    /// Kept as a rejection under this word.
    pub fn keep(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    /// What the rejection says.
    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub fn with(mut self, key: &str, value: Value) -> Self {
        self.more.get_or_insert_default().insert(key.to_owned(), value);
        self
    }

    pub fn told(&self) -> String {
        self.detail.clone().unwrap_or_else(|| self.message.clone())
    }

    pub fn into_response(self) -> Response {
        let mut body = self.more.map(|more| *more).unwrap_or_default();
        body.insert(String::from("__type"), Value::from(self.kind));
        body.insert(String::from("message"), Value::from(self.message));
        let mut response = wire::answer(self.status, CONTENT_TYPE, Value::Object(body).to_string());
        response.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(self.kind));
        response
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::unavailable(error)
    }
}
