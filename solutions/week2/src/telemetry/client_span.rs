//@ file since honeycomb/requests-that-go-out
//! A span around each request that we make, and its context in the request's headers, so that the
//! other side continues our trace.

use axum_tracing_opentelemetry::tracing_opentelemetry_instrumentation_sdk::{
    find_context_from_tracing, http::inject_context,
};
use reqwest::{Client, RequestBuilder, Response};
use tracing::{Instrument, field::Empty, info_span};

/// Sends the request in a span of kind *client*, with the attributes that OpenTelemetry's
/// conventions for HTTP clients name.
///
/// # Errors
///
/// As [`RequestBuilder::send`].
pub async fn send(client: &Client, request: RequestBuilder) -> reqwest::Result<Response> {
    let mut request = request.build()?;
    let url = request.url();
    let span = info_span!(
        "HTTP request",
        otel.name = %request.method(),
        otel.kind = "client",
        otel.status_code = Empty,
        http.request.method = %request.method(),
        http.response.status_code = Empty,
        url.full = %url,
        server.address = url.host_str(),
        server.port = url.port_or_known_default().map(i64::from),
        // The name that X-Ray's map gives to the other side.
        peer.service = url.host_str(),
        error.type = Empty,
    );
    inject_context(&find_context_from_tracing(&span), request.headers_mut());

    let result = client.execute(request).instrument(span.clone()).await;
    match &result {
        Ok(response) => {
            let status = response.status();
            span.record("http.response.status_code", i64::from(status.as_u16()));
            if status.is_client_error() || status.is_server_error() {
                span.record("otel.status_code", "ERROR");
                span.record("error.type", status.as_str());
            }
        }
        Err(error) => {
            span.record("otel.status_code", "ERROR");
            span.record("error.type", kind(error));
        }
    }
    result
}

/// A word that errors of the same kind share, as `error.type` should be.
fn kind(error: &reqwest::Error) -> &'static str {
    if error.is_timeout() {
        "timeout"
    } else if error.is_connect() {
        "connect"
    } else {
        "request"
    }
}
