//! OTLP over HTTP: `POST /v1/traces` in protobuf or JSON.

use bytes::Bytes;
use http::{Method, StatusCode};
use prost::Message;
use serde_json::json;

use super::refusal::{Refusal, sender};
use super::{ContentType, batches, decode, parse};
use crate::facts::Rejection;
use crate::sandbox::honeycomb::batch;
use crate::sandbox::{Shared, now_ms, rejection, wire};

/// `google.rpc.Status`, without the details that nobody fills.
#[derive(Clone, PartialEq, Message)]
pub struct Status {
    /// A gRPC status code.
    #[prost(int32, tag = "1")]
    pub code: i32,
    /// What went wrong.
    #[prost(string, tag = "2")]
    pub message: String,
}

/// Answers `/v1/traces`, `/v1/metrics` and `/v1/logs`. Metrics and logs are taken, as Honeycomb takes them, and dropped.
pub async fn handle(shared: &Shared, request: wire::Request) -> wire::Response {
    let what = format!("{} {}", request.method, request.path);
    if request.method != Method::POST {
        let detail = format!("`{}` takes POST, not {}", request.path, request.method);
        rejection::keep(
            shared,
            Rejection {
                at_ms: now_ms(),
                vendor: String::from("honeycomb"),
                request: what,
                status: StatusCode::METHOD_NOT_ALLOWED.as_u16(),
                reason: String::from("wrong-method"),
                detail,
                service: None,
            },
        )
        .await;
        let mut response = wire::answer(StatusCode::METHOD_NOT_ALLOWED, "text/plain", "method not allowed\n");
        response.headers_mut().insert(http::header::ALLOW, http::HeaderValue::from_static("POST"));
        return response;
    }
    let header = request.header("content-type").unwrap_or_default();
    let Some(content_type) = ContentType::parse(header) else {
        let refusal = Refusal::ContentType(header.chars().take(100).collect());
        refusal.keep(shared, &what, None).await;
        return wire::answer(refusal.status(), "text/plain", refusal.to_string());
    };
    match take(shared, content_type, &request).await {
        Ok(()) => success(content_type),
        Err(refusal) => {
            refusal.keep(shared, &what, Some((content_type, request.header("content-encoding"), &request.body))).await;
            refused(content_type, refusal.status(), i32::from(refusal.grpc_code()), &refusal.to_string())
        }
    }
}

async fn take(shared: &Shared, content_type: ContentType, request: &wire::Request) -> Result<(), Refusal> {
    let (_, dataset) = sender(shared, request)?;
    if request.path != "/v1/traces" {
        return Ok(());
    }
    let body = decode(request.header("content-encoding"), &request.body)?;
    let parsed = parse(content_type, &body)?;
    let protobuf = (content_type == ContentType::Protobuf).then_some(body);
    batch::keep(shared, batches(parsed, protobuf, dataset)).await.map_err(|error| Refusal::Store(error.to_string()))
}

fn success(content_type: ContentType) -> wire::Response {
    match content_type {
        // An empty message has no bytes.
        ContentType::Protobuf => wire::answer(StatusCode::OK, "application/x-protobuf", Bytes::new()),
        ContentType::Json => wire::answer(StatusCode::OK, "application/json", "{}"),
    }
}

/// A `google.rpc.Status` in the request's own form.
#[must_use]
pub fn refused(content_type: ContentType, status: StatusCode, code: i32, message: &str) -> wire::Response {
    match content_type {
        ContentType::Protobuf => {
            let body = Status { code, message: message.to_owned() }.encode_to_vec();
            wire::answer(status, "application/x-protobuf", body)
        }
        ContentType::Json => wire::json(status, &json!({ "code": code, "message": message })),
    }
}
