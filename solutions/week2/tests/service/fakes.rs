//@ file since reference
//! Vendors on loopback that take what they are sent and keep it.

use std::{
    collections::HashMap,
    net::{SocketAddr, UdpSocket},
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use opentelemetry_proto::tonic::{
    collector::trace::v1::ExportTraceServiceRequest,
    common::v1::{KeyValue, any_value::Value as Attribute},
    trace::v1::Span,
};
use prost::Message;
use serde_json::{Value, json};
use tokio::{net::TcpListener, time::sleep};

/// Honeycomb, CloudWatch Logs, Rollbar and another service behind one HTTP port, and the X-Ray
/// daemon behind a UDP port.
#[derive(Clone)]
pub struct Vendors {
    pub http: SocketAddr,
    pub udp: SocketAddr,
    seen: Arc<Mutex<Seen>>,
}

#[derive(Default)]
struct Seen {
    spans: Vec<Span>,
    segments: Vec<Value>,
    /// Operations on CloudWatch Logs in the order of their arrival.
    operations: Vec<String>,
    streams: Vec<String>,
    lines: Vec<String>,
    items: Vec<Value>,
    /// Headers of requests to the other service.
    others: Vec<HeaderMap>,
}

impl Vendors {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        let vendors = Self {
            http: listener.local_addr().unwrap(),
            udp: socket.local_addr().unwrap(),
            seen: Arc::default(),
        };
        let app = Router::new().fallback(take).with_state(vendors.clone());
        tokio::spawn(async { axum::serve(listener, app).await });
        let seen = vendors.seen.clone();
        std::thread::spawn(move || {
            let mut buffer = vec![0; 65536];
            while let Ok(length) = socket.recv(&mut buffer) {
                let text = str::from_utf8(&buffer[..length]).unwrap();
                let (header, document) = text.split_once('\n').unwrap();
                let header: Value = serde_json::from_str(header).unwrap();
                assert_eq!(header, json!({ "format": "json", "version": 1 }));
                let document = serde_json::from_str(document).unwrap();
                seen.lock().unwrap().segments.push(document);
            }
        });
        vendors
    }

    /// The environment that leads the service here.
    pub fn variables(&self) -> HashMap<&'static str, String> {
        let http = format!("http://{}", self.http);
        HashMap::from([
            ("OTEL_SERVICE_NAME", "cruddur-backend".to_owned()),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", http.clone()),
            (
                "OTEL_EXPORTER_OTLP_HEADERS",
                "x-honeycomb-team=key".to_owned(),
            ),
            ("OTEL_BSP_SCHEDULE_DELAY", "100".to_owned()),
            (
                "AWS_XRAY_DAEMON_ADDRESS",
                format!("localhost:{}", self.udp.port()),
            ),
            ("AWS_DEFAULT_REGION", "us-east-1".to_owned()),
            ("AWS_ACCESS_KEY_ID", "AKIASANDBOX000000001".to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "secret".to_owned()),
            ("AWS_ENDPOINT_URL", http.clone()),
            ("ROLLBAR_ACCESS_TOKEN", "token".to_owned()),
            ("ROLLBAR_ENDPOINT", format!("{http}/api/1/")),
        ])
    }

    pub fn spans(&self) -> Vec<Span> {
        self.seen.lock().unwrap().spans.clone()
    }

    pub fn span(&self, name: &str) -> Span {
        let spans = self.spans();
        let names: Vec<_> = spans.iter().map(|span| span.name.clone()).collect();
        let span = spans.into_iter().find(|span| span.name == name);
        span.unwrap_or_else(|| panic!("no span `{name}` in {names:?}"))
    }

    pub fn segments(&self) -> Vec<Value> {
        self.seen.lock().unwrap().segments.clone()
    }

    pub fn segment(&self, name: &str) -> Value {
        let segments = self.segments();
        let segment = segments.iter().find(|segment| segment["name"] == name);
        segment
            .unwrap_or_else(|| panic!("no segment `{name}` in {segments:?}"))
            .clone()
    }

    pub fn operations(&self) -> Vec<String> {
        self.seen.lock().unwrap().operations.clone()
    }

    pub fn lines(&self) -> Vec<String> {
        self.seen.lock().unwrap().lines.clone()
    }

    pub fn items(&self) -> Vec<Value> {
        self.seen.lock().unwrap().items.clone()
    }

    pub fn others(&self) -> Vec<HeaderMap> {
        self.seen.lock().unwrap().others.clone()
    }
}

async fn take(
    State(vendors): State<Vendors>,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    if uri.path() == "/v1/traces" {
        assert_eq!(headers["x-honeycomb-team"], "key");
        let request = ExportTraceServiceRequest::decode(body).unwrap();
        let spans = request
            .resource_spans
            .into_iter()
            .flat_map(|resource| resource.scope_spans)
            .flat_map(|scope| scope.spans);
        vendors.seen.lock().unwrap().spans.extend(spans);
    } else if uri.path() == "/api/1/item/" {
        assert_eq!(headers["x-rollbar-access-token"], "token");
        let item = serde_json::from_slice(&body).unwrap();
        vendors.seen.lock().unwrap().items.push(item);
    } else if let Some(target) = headers.get("x-amz-target") {
        let operation = target.to_str().unwrap().split('.').next_back().unwrap();
        return logs(&vendors, operation, &serde_json::from_slice(&body).unwrap()).await;
    } else {
        vendors.seen.lock().unwrap().others.push(headers);
    }
    StatusCode::OK.into_response()
}

/// CloudWatch Logs, slow to create a stream and strict about its absence.
async fn logs(vendors: &Vendors, operation: &str, input: &Value) -> Response {
    vendors
        .seen
        .lock()
        .unwrap()
        .operations
        .push(operation.to_owned());
    assert_eq!(input["logGroupName"], "cruddur");
    if operation == "CreateLogStream" {
        sleep(Duration::from_millis(500)).await;
    }
    let mut seen = vendors.seen.lock().unwrap();
    let stream = input["logStreamName"].as_str().unwrap_or_default();
    let (status, output) = match operation {
        "CreateLogStream" => {
            seen.streams.push(stream.to_owned());
            (StatusCode::OK, json!({}))
        }
        "CreateLogGroup" => (
            StatusCode::BAD_REQUEST,
            json!({ "__type": "ResourceAlreadyExistsException", "message": "it is here" }),
        ),
        "PutLogEvents" if !seen.streams.iter().any(|known| known == stream) => (
            StatusCode::BAD_REQUEST,
            json!({ "__type": "ResourceNotFoundException", "message": "no such stream" }),
        ),
        _ => {
            let events = input["logEvents"].as_array().unwrap().iter();
            let lines = events.map(|event| event["message"].as_str().unwrap().to_owned());
            seen.lines.extend(lines);
            (StatusCode::OK, json!({}))
        }
    };
    (status, output.to_string()).into_response()
}

/// The value of a span's attribute.
pub fn attribute(span: &Span, key: &str) -> Option<Attribute> {
    let is_it = |attribute: &&KeyValue| attribute.key == key;
    span.attributes.iter().find(is_it)?.value.clone()?.value
}

pub fn text(value: &str) -> Attribute {
    Attribute::StringValue(value.to_owned())
}

pub fn integer(value: i64) -> Attribute {
    Attribute::IntValue(value)
}
