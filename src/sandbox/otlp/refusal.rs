use bytes::Bytes;
use http::StatusCode;

use super::survey::service;
use super::{ContentType, EncodingError, ParseError, decode, parse};
use crate::facts::Rejection;
use crate::sandbox::honeycomb::key::{Key, KeyError, authenticate};
use crate::sandbox::{Shared, now_ms, rejection, wire};

/// Why an export is not taken; the transports say it in their own ways.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// Not a content type of OTLP.
    #[error("unsupported content-type, valid types are: application/protobuf, application/x-protobuf, application/json")]
    ContentType(String),
    /// No key, or none that may send.
    #[error("{}", said(.0))]
    Key(KeyError),
    /// A Classic key without the name of a dataset.
    #[error("missing 'x-honeycomb-dataset' header")]
    Dataset,
    /// The body cannot be decompressed.
    #[error("failed to parse OTLP request body")]
    Encoding(#[from] EncodingError),
    /// The body is no export request.
    #[error("failed to parse OTLP request body")]
    Body(#[from] ParseError),
    /// The gRPC frame is broken.
    #[error("failed to parse OTLP request body")]
    Frame(&'static str),
    /// Not a service or method of OTLP over gRPC.
    #[error("unknown service or method")]
    Method,
    /// The store failed.
    #[error("the sandbox cannot keep it now")]
    Store(String),
}

// The words are the vendor's.
fn said(error: &KeyError) -> &'static str {
    match error {
        KeyError::Missing | KeyError::Blank => "missing 'x-honeycomb-team' header",
        _ => "unknown API key - check your credentials",
    }
}

impl Refusal {
    /// The HTTP status.
    #[must_use]
    pub fn status(&self) -> StatusCode {
        match self {
            Self::ContentType(_) => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::Key(_) | Self::Dataset => StatusCode::UNAUTHORIZED,
            Self::Encoding(EncodingError::TooLarge) => StatusCode::PAYLOAD_TOO_LARGE,
            Self::Encoding(_) | Self::Body(_) | Self::Frame(_) => StatusCode::BAD_REQUEST,
            Self::Method => StatusCode::NOT_FOUND,
            Self::Store(_) => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    /// The gRPC status, and `google.rpc.Status.code` over HTTP.
    #[must_use]
    pub fn grpc_code(&self) -> u8 {
        match self {
            Self::Key(_) | Self::Dataset => 16,
            Self::Encoding(EncodingError::TooLarge) => 8,
            Self::Encoding(EncodingError::Unsupported) | Self::Method => 12,
            Self::ContentType(_) | Self::Encoding(_) | Self::Body(_) | Self::Frame(_) => 3,
            Self::Store(_) => 14,
        }
    }

    fn reason(&self) -> &'static str {
        match self {
            Self::ContentType(_) => "wrong-content-type",
            Self::Key(error) => error.reason(),
            Self::Dataset => "missing-dataset",
            Self::Encoding(EncodingError::TooLarge) => "too-large",
            Self::Encoding(_) | Self::Body(_) | Self::Frame(_) => "unparsable",
            Self::Method => "wrong-path",
            Self::Store(_) => "store",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::ContentType(name) if name.is_empty() => {
                String::from("there is no `Content-Type`; OTLP needs `application/x-protobuf` or `application/json`")
            }
            Self::ContentType(name) => {
                format!("the content type is `{name}`; OTLP needs `application/x-protobuf` or `application/json`")
            }
            Self::Key(error) => error.to_string(),
            Self::Dataset => String::from("a Classic key needs the header `x-honeycomb-dataset`"),
            Self::Encoding(error) => error.to_string(),
            Self::Body(error) => error.to_string(),
            Self::Frame(why) => (*why).to_owned(),
            Self::Method => String::from("over gRPC, the sandbox has OTLP's `TraceService`, `MetricsService` and `LogsService`"),
            Self::Store(why) => why.clone(),
        }
    }

    /// Keeps the refusal as evidence, with the service's name where the body tells it.
    pub async fn keep(&self, shared: &Shared, what: &str, body: Option<(ContentType, Option<&str>, &Bytes)>) {
        let service = body.and_then(|(content_type, encoding, body)| {
            let request = parse(content_type, &decode(encoding, body).ok()?).ok()?;
            service(&request)
        });
        let kept = Rejection {
            at_ms: now_ms(),
            vendor: String::from("honeycomb"),
            request: what.to_owned(),
            status: self.status().as_u16(),
            reason: self.reason().to_owned(),
            detail: self.detail(),
            service,
        };
        rejection::keep(shared, kept).await;
    }
}

/// The key of an export and, for Classic keys, the dataset.
///
/// # Errors
/// When it may not send.
pub fn sender<'r>(shared: &Shared, request: &'r wire::Request) -> Result<(Key, Option<&'r str>), Refusal> {
    let key = authenticate(&shared.keys, request.header("x-honeycomb-team")).map_err(Refusal::Key)?;
    let dataset = request.header("x-honeycomb-dataset").map(str::trim).filter(|name| !name.is_empty());
    match (key.classic, dataset) {
        (true, None) => Err(Refusal::Dataset),
        (true, dataset) => Ok((key, dataset)),
        (false, _) => Ok((key, None)),
    }
}
