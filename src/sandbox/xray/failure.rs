//! How X-Ray says no: REST-JSON, the modelled error's name in `x-amzn-errortype`.

use http::{HeaderName, HeaderValue, StatusCode};
use serde_json::json;

use crate::sandbox::store::StoreError;
use crate::sandbox::wire::{self, Response};

/// A refusal, in the shape that the AWS SDKs turn into their modelled errors.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{code}: {message}")]
pub(super) struct Failure {
    /// The HTTP status.
    pub status: StatusCode,
    /// The error's name in the API model.
    pub code: &'static str,
    /// What went wrong.
    pub message: String,
}

impl Failure {
    /// Any failure.
    pub fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into() }
    }

    /// `InvalidRequestException`, X-Ray's answer to nearly everything that it does not like.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "InvalidRequestException", message)
    }

    /// A value outside the model's limits, in the words that AWS uses.
    pub fn constraint(value: &str, member: &str, constraint: &str) -> Self {
        let value: String = value.chars().take(100).collect();
        Self::invalid(format!(
            "1 validation error detected: Value '{value}' at '{member}' failed to satisfy constraint: Member must {constraint}"
        ))
    }

    /// A required member that is not there.
    pub fn missing(member: &str) -> Self {
        Self::invalid(format!(
            "1 validation error detected: Value null at '{member}' failed to satisfy constraint: Member must not be null"
        ))
    }

    /// The answer on the wire.
    pub fn response(&self) -> Response {
        let mut response = wire::json(self.status, &json!({ "message": self.message }));
        response.headers_mut().insert(HeaderName::from_static("x-amzn-errortype"), HeaderValue::from_static(self.code));
        response
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure", error.to_string())
    }
}
