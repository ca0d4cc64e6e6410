//! AWS X-Ray: the daemon that SDKs send to, and the API that reads it back.
//!
//! Paths, members and limits follow the API model (2016-04-12) and the X-Ray developer guide; error bodies are REST-JSON
//! with `x-amzn-errortype`. A signature is demanded but not verified.

mod batch;
pub(in crate::sandbox) mod browse;
mod cause;
mod credential;
mod daemon;
mod document;
mod failure;
mod filter;
mod graph;
mod group;
mod ingest;
mod outline;
mod read;
mod rule;
mod setting;
mod summary;
mod tables;
mod tag;
mod target;
mod timestamp;
mod trace;

#[cfg(test)]
mod tests;

pub use daemon::serve_daemon;
pub use tables::TABLES;

use bytes::Bytes;
use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde::de::DeserializeOwned;
use serde_json::Value;

use self::credential::Caller;
use self::failure::Failure;
use super::wire::{self, Request, Response};
use super::{Shared, now_ms, rejection};
use crate::facts::Rejection;

/// The largest body that is read, in bytes.
const LARGEST_BODY: usize = 1024 * 1024;

/// Answers any request to the X-Ray API. Credentials are demanded: what comes without is refused and kept as evidence.
pub async fn handle(shared: &Shared, request: Request) -> Response {
    match Caller::parse(request.header("authorization")) {
        Ok(caller) => answer(shared, &caller, &request.method, &request.path, &request.body).await,
        Err(failure) => {
            keep(shared, &request.method, &request.path, "no-credentials", &failure).await;
            stamped(failure.response())
        }
    }
}

/// Answers a request whose caller is known.
async fn answer(shared: &Shared, caller: &Caller, method: &Method, path: &str, body: &Bytes) -> Response {
    let result = match route(method, path, body) {
        Ok(operation) => operate(shared, caller, operation, body).await,
        Err(failure) => Err(failure),
    };
    let response = match result {
        Ok(value) => wire::json(StatusCode::OK, &value),
        Err(failure) => {
            keep(shared, method, path, reason(&failure), &failure).await;
            failure.response()
        }
    };
    stamped(response)
}

/// AWS answers every request with an id, which SDKs show in their errors.
fn stamped(mut response: Response) -> Response {
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        response.headers_mut().insert(HeaderName::from_static("x-amzn-requestid"), id);
    }
    response
}

async fn keep(shared: &Shared, method: &Method, path: &str, reason: &str, failure: &Failure) {
    let path: String = path.chars().take(100).collect();
    let rejection = Rejection {
        at_ms: now_ms(),
        vendor: String::from("xray"),
        request: format!("{method} {path}"),
        status: failure.status.as_u16(),
        reason: reason.to_owned(),
        detail: failure.to_string(),
        service: None,
    };
    rejection::keep(shared, rejection).await;
}

fn reason(failure: &Failure) -> &'static str {
    match failure.code {
        "SerializationException" => "unparsable",
        "UnknownOperationException" if failure.status == StatusCode::METHOD_NOT_ALLOWED => "wrong-method",
        "UnknownOperationException" => "wrong-path",
        "RequestEntityTooLargeException" => "too-large",
        "InternalFailure" => "internal",
        _ => "invalid-request",
    }
}

/// A body's members. An empty body is an object without any.
fn parse_body<T: DeserializeOwned>(body: &[u8]) -> Result<T, Failure> {
    let body = if body.iter().all(u8::is_ascii_whitespace) { b"{}" } else { body };
    if !body.trim_ascii_start().starts_with(b"{") {
        return Err(Failure::new(StatusCode::BAD_REQUEST, "SerializationException", "the body is not a JSON object"));
    }
    serde_json::from_slice(body)
        .map_err(|error| Failure::new(StatusCode::BAD_REQUEST, "SerializationException", error.to_string()))
}

/// The outcome of a change within a transaction that was made, or that the API refuses without having changed anything.
#[derive(Debug)]
enum Change<T> {
    Made(T),
    Refused(Failure),
}

impl<T> Change<T> {
    fn into_result(self) -> Result<T, Failure> {
        match self {
            Self::Made(value) => Ok(value),
            Self::Refused(failure) => Err(failure),
        }
    }
}

macro_rules! operations {
    ($($name:ident = $path:literal),+ $(,)?) => {
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        enum Operation { $($name),+ }

        impl Operation {
            fn of(path: &str) -> Option<Self> {
                match path { $($path => Some(Self::$name),)+ _ => None }
            }
        }
    };
}

operations! {
    PutTraceSegments = "/TraceSegments",
    BatchGetTraces = "/Traces",
    GetTraceSummaries = "/TraceSummaries",
    GetTraceGraph = "/TraceGraph",
    GetServiceGraph = "/ServiceGraph",
    CreateGroup = "/CreateGroup",
    UpdateGroup = "/UpdateGroup",
    DeleteGroup = "/DeleteGroup",
    GetGroup = "/GetGroup",
    GetGroups = "/Groups",
    CreateSamplingRule = "/CreateSamplingRule",
    UpdateSamplingRule = "/UpdateSamplingRule",
    DeleteSamplingRule = "/DeleteSamplingRule",
    GetSamplingRules = "/GetSamplingRules",
    GetSamplingTargets = "/SamplingTargets",
    GetSamplingStatisticSummaries = "/SamplingStatisticSummaries",
    GetTraceSegmentDestination = "/GetTraceSegmentDestination",
    UpdateTraceSegmentDestination = "/UpdateTraceSegmentDestination",
    GetEncryptionConfig = "/EncryptionConfig",
    PutEncryptionConfig = "/PutEncryptionConfig",
    PutTelemetryRecords = "/TelemetryRecords",
    ListTagsForResource = "/ListTagsForResource",
    TagResource = "/TagResource",
    UntagResource = "/UntagResource",
}

fn route(method: &Method, path: &str, body: &[u8]) -> Result<Operation, Failure> {
    let unknown = |status, message: String| Err(Failure::new(status, "UnknownOperationException", message));
    let path = path.strip_suffix('/').unwrap_or(path);
    let Some(operation) = Operation::of(path) else {
        return unknown(StatusCode::NOT_FOUND, String::from("X-Ray has no operation at this path"));
    };
    if method != Method::POST {
        return unknown(StatusCode::METHOD_NOT_ALLOWED, String::from("X-Ray's operations are all POST"));
    }
    if body.len() > LARGEST_BODY {
        let message = format!("the body has {} bytes, {LARGEST_BODY} are allowed", body.len());
        return Err(Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", message));
    }
    Ok(operation)
}

async fn operate(shared: &Shared, caller: &Caller, operation: Operation, body: &[u8]) -> Result<Value, Failure> {
    match operation {
        Operation::PutTraceSegments => ingest::put_trace_segments(shared, body).await,
        Operation::BatchGetTraces => batch::batch_get_traces(shared, body).await,
        Operation::GetTraceSummaries => summary::get_trace_summaries(shared, body).await,
        Operation::GetTraceGraph => graph::get_trace_graph(shared, body).await,
        Operation::GetServiceGraph => graph::get_service_graph(shared, body).await,
        Operation::CreateGroup => group::create_group(shared, caller, body).await,
        Operation::UpdateGroup => group::update_group(shared, caller, body).await,
        Operation::DeleteGroup => group::delete_group(shared, body).await,
        Operation::GetGroup => group::get_group(shared, caller, body).await,
        Operation::GetGroups => group::get_groups(shared, caller).await,
        Operation::CreateSamplingRule => rule::create_sampling_rule(shared, caller, body).await,
        Operation::UpdateSamplingRule => rule::update_sampling_rule(shared, caller, body).await,
        Operation::DeleteSamplingRule => rule::delete_sampling_rule(shared, caller, body).await,
        Operation::GetSamplingRules => rule::get_sampling_rules(shared, caller).await,
        Operation::GetSamplingTargets => target::get_sampling_targets(shared, body).await,
        Operation::GetSamplingStatisticSummaries => target::get_sampling_statistic_summaries(shared).await,
        Operation::GetTraceSegmentDestination => setting::get_trace_segment_destination(shared).await,
        Operation::UpdateTraceSegmentDestination => setting::update_trace_segment_destination(shared, body).await,
        Operation::GetEncryptionConfig => setting::get_encryption_config(shared).await,
        Operation::PutEncryptionConfig => setting::put_encryption_config(shared, body).await,
        Operation::PutTelemetryRecords => setting::put_telemetry_records(body),
        Operation::ListTagsForResource => tag::list_tags_for_resource(shared, body).await,
        Operation::TagResource => tag::tag_resource(shared, body).await,
        Operation::UntagResource => tag::untag_resource(shared, body).await,
    }
}
