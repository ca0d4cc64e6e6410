use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::json;

use super::body::BodyError;
use super::otlp::{self, ContentType};
use super::{Shared, honeycomb, now_ms, rejection, wire};
use crate::facts::Rejection;

/// Who answers a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// OTLP over HTTP.
    Otlp,
    /// OTLP over gRPC.
    Grpc,
    /// Honeycomb's API.
    Honeycomb,
    /// CloudWatch Logs.
    CloudWatch,
    /// Rollbar.
    Rollbar,
    /// X-Ray's API.
    Xray,
    /// The sandbox itself.
    Own,
    /// Nobody.
    Nobody,
}

/// X-Ray's operations are told by their paths.
const XRAY_PATHS: [&str; 24] = [
    "/TraceSegments",
    "/Traces",
    "/TraceSummaries",
    "/TraceGraph",
    "/ServiceGraph",
    "/CreateGroup",
    "/UpdateGroup",
    "/DeleteGroup",
    "/GetGroup",
    "/Groups",
    "/CreateSamplingRule",
    "/UpdateSamplingRule",
    "/DeleteSamplingRule",
    "/GetSamplingRules",
    "/SamplingTargets",
    "/SamplingStatisticSummaries",
    "/GetTraceSegmentDestination",
    "/UpdateTraceSegmentDestination",
    "/EncryptionConfig",
    "/PutEncryptionConfig",
    "/TelemetryRecords",
    "/ListTagsForResource",
    "/TagResource",
    "/UntagResource",
];

/// Who answers, told by path and headers.
#[must_use]
pub fn target(method: &Method, path: &str, headers: &HeaderMap) -> Target {
    if otlp::grpc::is_grpc(headers) {
        return Target::Grpc;
    }
    let for_logs = headers.get("x-amz-target").is_some_and(|value| value.as_bytes().starts_with(b"Logs_20140328."));
    match path {
        "/" if for_logs => Target::CloudWatch,
        "/" if matches!(*method, Method::GET | Method::HEAD) => Target::Own,
        "/v1/traces" | "/v1/metrics" | "/v1/logs" => Target::Otlp,
        _ if path.starts_with("/_bootcamp/") => Target::Own,
        _ if path.starts_with("/api/1/") => Target::Rollbar,
        _ if path.starts_with("/1/") => Target::Honeycomb,
        _ if XRAY_PATHS.contains(&path) => Target::Xray,
        _ => Target::Nobody,
    }
}

impl Target {
    /// The name in rejections.
    fn vendor(self) -> &'static str {
        match self {
            Self::Otlp | Self::Grpc | Self::Honeycomb => "honeycomb",
            Self::CloudWatch => "cloudwatch",
            Self::Rollbar => "rollbar",
            Self::Xray => "xray",
            Self::Own | Self::Nobody => "unknown",
        }
    }

    /// How large a body may be, in bytes.
    #[must_use]
    pub fn limit(self, path: &str) -> usize {
        match self {
            Self::Otlp => 20 << 20,
            Self::Grpc => otlp::grpc::MAX_MESSAGE + 5,
            Self::Honeycomb if path.starts_with("/1/batch/") => 5 << 20,
            Self::Honeycomb | Self::Rollbar => 1 << 20,
            // A megabyte of messages, escaped in JSON.
            Self::CloudWatch => 3 << 20,
            // Fifty documents of 64 kB, escaped in JSON.
            Self::Xray => 8 << 20,
            Self::Own | Self::Nobody => 64 << 10,
        }
    }
}

/// Answers a request whose body could not be had, as the vendor would, and keeps the refusal.
pub async fn refuse_body(shared: &Shared, target: Target, request: &wire::Request, error: BodyError) -> wire::Response {
    let limit = target.limit(&request.path);
    let (status, reason, detail) = match error {
        BodyError::TooLarge => (
            StatusCode::PAYLOAD_TOO_LARGE,
            "too-large",
            format!("the body is larger than the {limit} bytes that are allowed there"),
        ),
        BodyError::TooSlow => (StatusCode::REQUEST_TIMEOUT, "too-slow", String::from("the body did not arrive in time")),
        BodyError::Broken => (StatusCode::BAD_REQUEST, "broken", String::from("the connection broke within the body")),
    };
    keep(shared, target.vendor(), request, status, reason, detail).await;
    let said = if error == BodyError::TooLarge { "request body too large" } else { "the request body could not be read" };
    let mut answer = match target {
        Target::Otlp => {
            let content_type = request.header("content-type").and_then(ContentType::parse).unwrap_or(ContentType::Protobuf);
            otlp::http::refused(content_type, status, if error == BodyError::TooLarge { 8 } else { 3 }, said)
        }
        Target::Grpc => return otlp::grpc::failed(if error == BodyError::TooLarge { 8 } else { 4 }, said),
        Target::Honeycomb => honeycomb::problem::plain(status, said),
        Target::Rollbar => wire::json(status, &json!({ "err": 1, "message": said })),
        Target::CloudWatch => amazon(status, "application/x-amz-json-1.1", "__type"),
        Target::Xray => amazon(status, "application/json", "__type"),
        Target::Own | Target::Nobody => wire::answer(status, "text/plain", format!("{said}\n")),
    };
    if request_is_one(request) {
        // What is left of the body would be taken for the next request.
        answer.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    }
    answer
}

// In HTTP/2 the connection is not the request's to close; `:authority` takes the place of `Host` there.
fn request_is_one(request: &wire::Request) -> bool {
    request.headers.contains_key(header::HOST)
}

fn amazon(status: StatusCode, content_type: &'static str, kind: &str) -> wire::Response {
    let name = "RequestEntityTooLargeException";
    let mut answer = wire::answer(status, content_type, json!({ kind: name, "message": "Request size exceeded" }).to_string());
    answer.headers_mut().insert("x-amzn-errortype", HeaderValue::from_static(name));
    answer
}

/// Answers a request for which nobody is responsible, and keeps it with a guess at what was meant.
pub async fn nobody(shared: &Shared, request: &wire::Request) -> wire::Response {
    let not_found = || wire::answer(StatusCode::NOT_FOUND, "text/plain", "404 page not found\n");
    // Browsers ask for these by themselves.
    if request.method == Method::GET && matches!(request.path.as_str(), "/favicon.ico" | "/robots.txt") {
        return not_found();
    }
    let (vendor, guess) = guess(request);
    let path: String = request.path.chars().take(200).collect();
    let detail = format!("{} {path}: {guess}", request.method);
    keep(shared, vendor, request, StatusCode::NOT_FOUND, "wrong-path", detail).await;
    not_found()
}

fn guess(request: &wire::Request) -> (&'static str, &'static str) {
    let path = request.path.to_ascii_lowercase();
    let has = |header: &str| request.headers.contains_key(header);
    if has("x-honeycomb-team") || path.contains("trace") && !has("x-amz-date") && !has("authorization") {
        (
            "honeycomb",
            "did you mean `/v1/traces`? `OTEL_EXPORTER_OTLP_ENDPOINT` takes the base URL, to which the exporter adds the path",
        )
    } else if path.contains("item") || has("x-rollbar-access-token") {
        ("rollbar", "did you mean `/api/1/item/`? Rollbar's endpoint ends in `/api/1/`, with the slash")
    } else if has("x-amz-target") {
        ("unknown", "of the AWS services told by `X-Amz-Target`, the sandbox has CloudWatch Logs alone")
    } else if has("x-amz-date") {
        ("unknown", "of the AWS services, the sandbox has X-Ray and CloudWatch Logs alone")
    } else {
        ("unknown", "no vendor of the sandbox has this path")
    }
}

async fn keep(shared: &Shared, vendor: &str, request: &wire::Request, status: StatusCode, reason: &str, detail: String) {
    let rejection = Rejection {
        at_ms: now_ms(),
        vendor: vendor.to_owned(),
        request: format!("{} {}", request.method, request.path.chars().take(200).collect::<String>()),
        status: status.as_u16(),
        reason: reason.to_owned(),
        detail,
        service: None,
    };
    rejection::keep(shared, rejection).await;
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(method: &str, path: &str, headers: &[(&'static str, &'static str)]) -> Target {
        let headers = headers.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_static(value))).collect();
        target(&method.parse().unwrap(), path, &headers)
    }

    #[test]
    fn vendors_are_told_apart_by_path_and_headers() {
        assert_eq!(told("POST", "/v1/traces", &[]), Target::Otlp);
        assert_eq!(told("GET", "/1/auth", &[]), Target::Honeycomb);
        assert_eq!(told("POST", "/", &[("x-amz-target", "Logs_20140328.PutLogEvents")]), Target::CloudWatch);
        assert_eq!(told("POST", "/", &[("x-amz-target", "DynamoDB_20120810.PutItem")]), Target::Nobody);
        assert_eq!(told("POST", "/api/1/item/", &[]), Target::Rollbar);
        assert_eq!(told("POST", "/TraceSegments", &[]), Target::Xray);
        assert_eq!(told("GET", "/", &[]), Target::Own);
        assert_eq!(told("GET", "/_bootcamp/status", &[]), Target::Own);
        assert_eq!(told("POST", "/x", &[("content-type", "application/grpc+proto")]), Target::Grpc);
        for path in ["/v1/traces/", "/v1/trace", "/v1/traces/v1/traces", "/1", "/api/1item/", "/tracesegments", "//v1/traces"] {
            assert_eq!(told("POST", path, &[]), Target::Nobody, "{path}");
        }
    }
}
