//@ file since rollbar/a-message
//! An item as Rollbar wants it.

use std::{collections::BTreeMap, convert::Infallible};

use axum::{
    extract::{FromRequestParts, MatchedPath},
    http::{HeaderMap, header, request::Parts},
};
use axum_tracing_opentelemetry::tracing_opentelemetry_instrumentation_sdk::find_current_trace_id;
use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Value, json};
use uuid::Uuid;

use super::stack::Panic; //@ since rollbar/an-error
use crate::telemetry::server_span::client_ip;

/// How bad it is. The console hides `warning` until its filter is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    Error,
    Warning,
    Info,
}

/// One thing to report.
#[derive(Debug)]
pub(super) struct Item {
    uuid: Uuid,
    level: Level,
    at: DateTime<Utc>,
    trace_id: Option<String>,
    body: Body,
    request: RequestInfo,
}

/// What happened.
#[derive(Debug)]
pub(super) enum Body {
    Message(String),
    Trace(Panic), //@ since rollbar/an-error
}

/// The request in which it happened.
#[derive(Debug, Clone)]
pub struct RequestInfo {
    /// Method and route, the same for all requests to one handler.
    context: String,
    method: String,
    url: String,
    query_string: String,
    headers: BTreeMap<String, String>,
    user_ip: Option<String>,
}

impl Item {
    pub(super) fn new(level: Level, body: Body, request: RequestInfo) -> Self {
        Self {
            uuid: Uuid::new_v4(),
            level,
            at: Utc::now(),
            trace_id: find_current_trace_id(),
            body,
            request,
        }
    }

    /// The `data` member of a report.
    pub(super) fn into_data(self) -> Value {
        //@ since rollbar/an-error
        //~ let Body::Message(message) = self.body;
        //~ let body = json!({ "message": { "body": message } });
        let body = match self.body {
            Body::Message(message) => json!({ "message": { "body": message } }),
            Body::Trace(panic) => json!({
                "trace": {
                    "frames": panic.frames(),
                    "exception": { "class": Panic::CLASS, "message": panic.message },
                }
            }),
        };
        //@ end
        json!({
            "environment": "production",
            "uuid": self.uuid,
            "level": self.level,
            "timestamp": self.at.timestamp(),
            "code_version": env!("CARGO_PKG_VERSION"),
            "platform": std::env::consts::OS,
            "language": "rust",
            "framework": "axum",
            "context": self.request.context,
            "body": body,
            "request": {
                "url": self.request.url,
                "method": self.request.method,
                "headers": self.request.headers,
                "query_string": self.request.query_string,
                "user_ip": self.request.user_ip,
            },
            "custom": { "trace_id": self.trace_id },
            "notifier": {
                "name": env!("CARGO_PKG_NAME"),
                "version": env!("CARGO_PKG_VERSION"),
            },
        })
    }
}

impl RequestInfo {
    fn new(request: &Parts) -> Self {
        let route = request.extensions.get::<MatchedPath>();
        let path = route.map_or(request.uri.path(), MatchedPath::as_str);
        Self {
            context: format!("{} {path}", request.method),
            method: request.method.to_string(),
            url: request.uri.to_string(),
            query_string: request.uri.query().unwrap_or_default().to_owned(),
            headers: scrub(&request.headers),
            user_ip: client_ip(&request.extensions),
        }
    }
}

/// Every request has one: a handler asks for it as for any part of the request.
impl<S: Sync> FromRequestParts<S> for RequestInfo {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(Self::new(parts))
    }
}

/// The headers, with the secrets in them crossed out.
fn scrub(headers: &HeaderMap) -> BTreeMap<String, String> {
    let secret = [
        header::AUTHORIZATION,
        header::PROXY_AUTHORIZATION,
        header::COOKIE,
        header::SET_COOKIE,
    ];
    headers
        .iter()
        .map(|(name, value)| {
            let value = if secret.contains(name) {
                "********".to_owned()
            } else {
                String::from_utf8_lossy(value.as_bytes()).into_owned()
            };
            (name.to_string(), value)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn request() -> RequestInfo {
        let (parts, ()) = Request::get("http://localhost:4567/rollbar/test?x=1")
            .header("authorization", "Bearer s3cret")
            .header("cookie", "session=s3cret")
            .header(
                "traceparent",
                "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            )
            .body(())
            .unwrap()
            .into_parts();
        RequestInfo::new(&parts)
    }

    #[test]
    fn a_message_carries_the_request_but_no_secrets() {
        let item = Item::new(Level::Warning, Body::Message("hello".into()), request());
        let data = item.into_data();
        assert_eq!(data["environment"], "production");
        assert_eq!(data["level"], "warning");
        assert_eq!(data["body"]["message"]["body"], "hello");
        assert_eq!(
            data["request"]["url"],
            "http://localhost:4567/rollbar/test?x=1"
        );
        assert_eq!(data["request"]["query_string"], "x=1");
        assert_eq!(
            data["request"]["headers"]["traceparent"],
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
        );
        assert_eq!(data["uuid"].as_str().unwrap().len(), 36);
        assert!(!data.to_string().contains("s3cret"), "{data}");
    }
}
