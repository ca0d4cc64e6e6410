//@ file since rollbar/an-error
//! The layer that catches panics.

use std::panic::AssertUnwindSafe;

use axum::{
    Json,
    extract::{Request, State},
    http::StatusCode,
    middleware::Next,
    response::{IntoResponse, Response},
};
use futures_util::FutureExt;
use opentelemetry::KeyValue;
use serde_json::json;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use super::{
    Rollbar,
    item::{Body, Item, Level, RequestInfo},
    stack::Panic,
};

/// Turns a panic in a handler into a 500, and reports it with its stack and the request.
pub async fn report_panics(
    State(rollbar): State<Rollbar>,
    info: RequestInfo,
    request: Request,
    next: Next,
) -> Response {
    let result = AssertUnwindSafe(next.run(request)).catch_unwind().await;
    result.unwrap_or_else(|payload| {
        let panic = Panic::take(payload.as_ref());
        Span::current().add_event(
            "exception",
            vec![
                KeyValue::new("exception.type", Panic::CLASS),
                KeyValue::new("exception.message", panic.message.clone()),
            ],
        );
        rollbar.enqueue(Item::new(Level::Error, Body::Trace(panic), info));
        let body = Json(json!({ "error": "internal server error" }));
        (StatusCode::INTERNAL_SERVER_ERROR, body).into_response()
    })
}
