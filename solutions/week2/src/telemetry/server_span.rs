//! What the server span of a request should carry beyond what the tracing layer finds by itself.

use std::net::SocketAddr;

use axum::{
    extract::{ConnectInfo, Request},
    http::{HeaderMap, Uri, header, uri::Scheme},
    middleware::Next,
    response::Response,
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::services::current_user::CURRENT_USER;

/// The path that load balancers ask all day long.
const HEALTH: &str = "/api/health";

/// Whether requests to this path are traced, and logged.
#[must_use]
pub fn is_traced(path: &str) -> bool {
    path != HEALTH
}

/// Puts scheme and host into the URI. HTTP/1.1 leaves both out of the request line, and without them
/// the span has an empty `url.scheme`.
pub async fn complete_uri(mut request: Request) -> Request {
    let authority = request
        .headers()
        .get(header::HOST)
        .and_then(|host| host.to_str().ok())
        .and_then(|host| host.parse().ok());
    if let (None, Some(authority)) = (request.uri().scheme(), authority) {
        let mut parts = request.uri().clone().into_parts();
        parts.scheme = Some(scheme(request.headers()));
        parts.authority = Some(authority);
        if let Ok(uri) = Uri::from_parts(parts) {
            *request.uri_mut() = uri;
        }
    }
    request
}

/// Behind the proxy of a cloud workspace the browser spoke HTTPS, though we do not.
fn scheme(headers: &HeaderMap) -> Scheme {
    match headers.get("x-forwarded-proto") {
        Some(proto) if proto == "https" => Scheme::HTTPS,
        _ => Scheme::HTTP,
    }
}

/// Tells the server span who asks.
pub async fn identify(request: Request, next: Next) -> Response {
    let span = Span::current();
    span.set_attribute("app.user_id", CURRENT_USER.id);
    if let Some(ip) = client_ip(&request) {
        span.set_attribute("client.address", ip);
    }
    next.run(request).await
}

/// The address at the other end of the connection, unknown only in tests without a connection.
#[must_use]
pub fn client_ip(request: &Request) -> Option<String> {
    let ConnectInfo(address) = request.extensions().get::<ConnectInfo<SocketAddr>>()?;
    Some(address.ip().to_canonical().to_string())
}
