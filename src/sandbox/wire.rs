//! One HTTP request and its answer, as the embedded vendors see them: whole, bounded, free of any server.

use std::net::SocketAddr;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde::Serialize;
use serde::de::{DeserializeOwned, Error};

/// An answer with its whole body.
pub type Response = http::Response<Bytes>;

/// A request whose body has been read, within the bounds that its path allows. Not yet decompressed.
#[derive(Debug, Clone)]
pub struct Request {
    /// The method.
    pub method: Method,
    /// The path, without the query, still percent-encoded.
    pub path: String,
    /// The raw query string, empty where there is none.
    pub query: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body as it came.
    pub body: Bytes,
    /// Who sent it.
    pub peer: SocketAddr,
}

impl Request {
    /// A header's value as text; `None` where it is absent or not text.
    #[must_use]
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// The first value of a query parameter, decoded.
    #[must_use]
    pub fn parameter(&self, name: &str) -> Option<String> {
        url::form_urlencoded::parse(self.query.as_bytes()).find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
    }
}

/// An answer of the given content type.
#[must_use]
pub fn answer(status: StatusCode, content_type: &'static str, body: impl Into<Bytes>) -> Response {
    let mut response = http::Response::new(body.into());
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}

/// An answer in JSON.
#[must_use]
pub fn json(status: StatusCode, body: &impl Serialize) -> Response {
    match serde_json::to_vec(body) {
        Ok(bytes) => answer(status, "application/json", bytes),
        Err(error) => answer(StatusCode::INTERNAL_SERVER_ERROR, "text/plain", error.to_string()),
    }
}

/// Reads JSON, and unlike `serde_json::from_slice` refuses invalid UTF-8 in fields that nobody asks for as well.
///
/// # Errors
/// When it is no JSON, not of that shape, nested more than 128 deep, or not UTF-8.
pub fn parse_json<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, serde_json::Error> {
    let text =
        std::str::from_utf8(bytes).map_err(|error| serde_json::Error::custom(format!("the body is not UTF-8: {error}")))?;
    serde_json::from_str(text)
}
