//! Errors as Rollbar words them: `{"err":1,"message":"…"}`.

use http::{HeaderValue, StatusCode, header};
use serde_json::json;

use crate::sandbox::store::StoreError;
use crate::sandbox::wire::{self, Response};

/// A refusal, and whether it is kept as evidence.
#[derive(Debug)]
pub(super) struct Fault {
    pub status: StatusCode,
    pub message: String,
    /// The word under which it is kept as a rejection.
    pub reason: Option<&'static str>,
    /// What the rejection says, where the message alone would not help.
    pub detail: Option<String>,
    allow: Option<&'static str>,
}

impl Fault {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), reason: None, detail: None, allow: None }
    }

    /// A payload that breaks the rules: 422, naming the field.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, message)
    }

    pub fn keep(self, reason: &'static str) -> Self {
        Self { reason: Some(reason), ..self }
    }

    pub fn detail(self, detail: impl Into<String>) -> Self {
        Self { detail: Some(detail.into()), ..self }
    }

    pub fn allow(self, methods: &'static str) -> Self {
        Self { allow: Some(methods), ..self }
    }

    pub fn into_response(self) -> Response {
        let mut response = wire::json(self.status, &json!({"err": 1, "message": self.message}));
        if let Some(methods) = self.allow {
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(methods));
        }
        response
    }
}

impl From<StoreError> for Fault {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, error.to_string())
    }
}
