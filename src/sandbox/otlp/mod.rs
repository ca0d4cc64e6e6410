//! OTLP as Honeycomb takes it: one pure [`parse`] beneath two thin transports, HTTP and gRPC.

mod encoding;
mod expand;
pub mod grpc;
pub mod http;
mod refusal;
mod survey;
mod value;

pub use encoding::{EncodingError, MAX_DECODED, decode};
pub use expand::{expand, starts};
pub use opentelemetry_proto::tonic::collector::trace::v1::{ExportTraceServiceRequest, ExportTraceServiceResponse};
pub use survey::batches;
pub(super) use value::base64;

use prost::Message;

use super::wire;

/// How an export request is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContentType {
    /// `application/protobuf`, `application/x-protobuf`, and gRPC.
    Protobuf,
    /// `application/json`.
    Json,
}

impl ContentType {
    /// The form that a `Content-Type` header names; parameters such as `charset` do not matter.
    #[must_use]
    pub fn parse(header: &str) -> Option<Self> {
        let (name, _) = header.split_once(';').unwrap_or((header, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "application/protobuf" | "application/x-protobuf" => Some(Self::Protobuf),
            "application/json" => Some(Self::Json),
            _ => None,
        }
    }
}

/// Not an export request.
#[derive(Debug, thiserror::Error)]
pub enum ParseError {
    /// The protobuf is broken, or nested more than 100 deep.
    #[error("the body is not an `ExportTraceServiceRequest` in protobuf: {0}")]
    Protobuf(#[from] prost::DecodeError),
    /// The JSON is broken, of another shape, or nested more than 128 deep.
    #[error("the body is not an `ExportTraceServiceRequest` in JSON: {0}")]
    Json(#[from] serde_json::Error),
}

/// Reads an export request.
///
/// # Errors
/// When the bytes are no such thing.
pub fn parse(content_type: ContentType, bytes: &[u8]) -> Result<ExportTraceServiceRequest, ParseError> {
    match content_type {
        ContentType::Protobuf => Ok(ExportTraceServiceRequest::decode(bytes)?),
        ContentType::Json => Ok(wire::parse_json(bytes)?),
    }
}

#[cfg(test)]
mod tests;
