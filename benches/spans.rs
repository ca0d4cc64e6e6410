//! Spans as a small service exports them. Shared by the two benchmarks.

use bootcamp::sandbox::otlp::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span};

/// An export of that many spans, three to a trace, with the attributes of an HTTP server's instrumentation.
pub fn export(count: usize) -> ExportTraceServiceRequest {
    let resource = Resource {
        attributes: vec![
            text("service.name", "backend-rust"),
            text("telemetry.sdk.language", "rust"),
            text("telemetry.sdk.name", "opentelemetry"),
            text("telemetry.sdk.version", "0.33.0"),
            text("deployment.environment.name", "production"),
        ],
        ..Resource::default()
    };
    let scope = InstrumentationScope { name: String::from("backend_rust"), version: String::from("1.0.0"), ..Default::default() };
    let spans = (0..count).map(span).collect();
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }],
    }
}

fn span(index: usize) -> Span {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    let start = u64::try_from(now.as_nanos()).unwrap_or_default();
    let number = u64::try_from(index).unwrap_or_default();
    let trace = u128::from(number / 3) | 0x68e6_f4a0 << 96;
    let parent_span_id = if index.is_multiple_of(3) { Vec::new() } else { (number - number % 3 + 1).to_be_bytes().to_vec() };
    Span {
        trace_id: trace.to_be_bytes().to_vec(),
        span_id: (number + 1).to_be_bytes().to_vec(),
        parent_span_id,
        name: String::from("GET /api/activities/home"),
        kind: 2,
        start_time_unix_nano: start,
        end_time_unix_nano: start + 1_834_000,
        attributes: vec![
            text("http.request.method", "GET"),
            text("http.route", "/api/activities/home"),
            text("url.path", "/api/activities/home"),
            text("url.scheme", "http"),
            text("user_agent.original", "curl/8.5.0"),
            text("client.address", "127.0.0.1"),
            text("code.module.name", "backend_rust::services::home_activities"),
            whole("http.response.status_code", 200),
            whole("server.port", 4567),
            whole("app.result_length", 3),
        ],
        ..Span::default()
    }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.to_owned()))
}

fn whole(key: &str, value: i64) -> KeyValue {
    attribute(key, Any::IntValue(value))
}

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}
