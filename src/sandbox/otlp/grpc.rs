//! OTLP over gRPC. One unary call needs no framework: a frame in, a frame and trailers out, over the same parse and
//! the same bounds as HTTP. (tonic's own server holds a decoded message and re-encodes what is kept here as it came.)

use bytes::{Buf, Bytes};
use http::{HeaderMap, HeaderValue, StatusCode};

use super::refusal::{Refusal, sender};
use super::{ContentType, batches, decode, parse};
use crate::sandbox::honeycomb::batch;
use crate::sandbox::{Shared, wire};

/// The largest message that is taken, before it is decompressed.
pub const MAX_MESSAGE: usize = 20 << 20;

const TRACES: &str = "/opentelemetry.proto.collector.trace.v1.TraceService/Export";
const METRICS: &str = "/opentelemetry.proto.collector.metrics.v1.MetricsService/Export";
const LOGS: &str = "/opentelemetry.proto.collector.logs.v1.LogsService/Export";

/// Trailers to send after the body, as an extension of a [`wire::Response`].
#[derive(Debug, Clone)]
pub struct Trailers(pub HeaderMap);

/// Whether a request is one of gRPC.
#[must_use]
pub fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(http::header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    content_type.is_some_and(|value| value.starts_with(b"application/grpc"))
}

/// Answers a call. The response always has the HTTP status 200; how it went stands in `grpc-status`.
pub async fn handle(shared: &Shared, request: wire::Request) -> wire::Response {
    // The last part of `opentelemetry.proto.….TraceService/Export` says it all.
    let name: String =
        request.path.rsplit(['.', '/']).take(2).collect::<Vec<_>>().into_iter().rev().collect::<Vec<_>>().join("/");
    let what = format!("gRPC {}", name.chars().take(100).collect::<String>());
    if !matches!(request.path.as_str(), TRACES | METRICS | LOGS) {
        Refusal::Method.keep(shared, &what, None).await;
        return failed(Refusal::Method.grpc_code(), &Refusal::Method.to_string());
    }
    match take(shared, &request).await {
        Ok(()) => succeeded(),
        Err(refusal) => {
            let body = message(&request).ok();
            let body = body.as_ref().map(|(encoding, body)| (ContentType::Protobuf, *encoding, body));
            refusal.keep(shared, &what, body).await;
            failed(refusal.grpc_code(), &refusal.to_string())
        }
    }
}

async fn take(shared: &Shared, request: &wire::Request) -> Result<(), Refusal> {
    let (_, dataset) = sender(shared, request)?;
    if request.path != TRACES {
        return Ok(());
    }
    let (encoding, compressed) = message(request)?;
    let body = decode(encoding, &compressed)?;
    let parsed = parse(ContentType::Protobuf, &body)?;
    batch::keep(shared, batches(parsed, Some(body), dataset)).await.map_err(|error| Refusal::Store(error.to_string()))
}

/// The one message of a unary call, and how it is compressed.
fn message(request: &wire::Request) -> Result<(Option<&str>, Bytes), Refusal> {
    let mut body = request.body.clone();
    if body.len() < 5 {
        return Err(Refusal::Frame("the gRPC frame is cut off"));
    }
    let (flag, length) = (body.get_u8(), body.get_u32());
    if u32::try_from(body.len()) != Ok(length) {
        return Err(Refusal::Frame("the gRPC frame's length is not that of its message"));
    }
    match flag {
        0 => Ok((None, body)),
        1 => Ok((request.header("grpc-encoding").or(Some("missing")), body)),
        _ => Err(Refusal::Frame("the gRPC frame's compression flag is neither 0 nor 1")),
    }
}

fn succeeded() -> wire::Response {
    // An empty message: not compressed, no bytes.
    let mut response = wire::answer(StatusCode::OK, "application/grpc", Bytes::from_static(&[0; 5]));
    accepts(response.headers_mut());
    let mut trailers = HeaderMap::new();
    trailers.insert("grpc-status", HeaderValue::from_static("0"));
    response.extensions_mut().insert(Trailers(trailers));
    response
}

/// An answer without a message: its headers are its trailers.
#[must_use]
pub fn failed(code: u8, message: &str) -> wire::Response {
    let mut response = wire::answer(StatusCode::OK, "application/grpc", Bytes::new());
    accepts(response.headers_mut());
    response.headers_mut().insert("grpc-status", HeaderValue::from(u16::from(code)));
    let encoded: String =
        message
            .bytes()
            .map(|byte| {
                if (b' '..=b'~').contains(&byte) && byte != b'%' { char::from(byte).to_string() } else { format!("%{byte:02X}") }
            })
            .collect();
    if let Ok(value) = HeaderValue::from_str(&encoded) {
        response.headers_mut().insert("grpc-message", value);
    }
    response
}

fn accepts(headers: &mut HeaderMap) {
    headers.insert("grpc-accept-encoding", HeaderValue::from_static("identity,gzip,zstd"));
}
