//@ file since honeycomb/a-span-for-every-request
//! What the server span of a request should carry beyond what the tracing layer finds by itself.

//@ since cloudwatch-logs/the-access-line
use std::net::SocketAddr;

//@ end
use axum::{
    //@ since cloudwatch-logs/the-access-line
    //~ extract::Request,
    //~ http::{HeaderMap, Uri, header, uri::Scheme},
    extract::{ConnectInfo, Request},
    http::{Extensions, HeaderMap, Uri, header, uri::Scheme},
    //@ end
    //@ since homework/who-was-it
    middleware::Next,
    response::Response,
    //@ end
};
//@ since homework/who-was-it
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

use crate::services::current_user::CURRENT_USER;
//@ end
//@ since homework/leave-the-health-checks-out

/// The path that load balancers ask all day long.
const HEALTH: &str = "/api/health";

/// Whether requests to this path are traced, and logged.
#[must_use]
pub fn is_traced(path: &str) -> bool {
    path != HEALTH
}
//@ end

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
//@ since homework/who-was-it

/// Tells the server span who asks.
pub async fn identify(request: Request, next: Next) -> Response {
    let span = Span::current();
    span.set_attribute("app.user_id", CURRENT_USER.id);
    if let Some(ip) = client_ip(request.extensions()) {
        span.set_attribute("client.address", ip);
    }
    next.run(request).await
}
//@ end
//@ since cloudwatch-logs/the-access-line

/// The address at the other end of the connection, unknown only in tests without a connection.
#[must_use]
pub fn client_ip(extensions: &Extensions) -> Option<String> {
    let ConnectInfo(address) = extensions.get::<ConnectInfo<SocketAddr>>()?;
    Some(address.ip().to_canonical().to_string())
}
//@ end
