//! The sandbox's Honeycomb, driven by OpenTelemetry's own SDK and exporters over loopback, and by hostile clients.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::collections::HashMap;
use std::io::Write;
use std::net::SocketAddr;
use std::time::Duration;

use bootcamp::facts::Rejection;
use bootcamp::sandbox::store::Place;
use bootcamp::sandbox::{Keys, Patience, Ports, Sandbox, SandboxError, Settings};
use opentelemetry::trace::{Span as _, SpanKind, Status, TraceContextExt, Tracer, TracerProvider};
use opentelemetry::{Context, KeyValue};
use opentelemetry_otlp::{Compression, Protocol, SpanExporter, WithExportConfig, WithHttpConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// How long anything here may take before it counts as hanging.
const HANGING: Duration = Duration::from_secs(60);

async fn sandbox(place: Place) -> Sandbox {
    // Slow clients are given up early, so that the tests need not wait for them.
    let patience = Patience { head: Duration::from_millis(300), body: Duration::from_secs(20), ..Patience::default() };
    Sandbox::bind(Settings { place, ports: Ports::free(), patience, ..Settings::default() }).await.unwrap()
}

#[derive(Debug, Clone, Copy)]
enum Transport {
    Http(Protocol, Option<Compression>),
    Grpc(Option<Compression>),
}

fn exporter(transport: Transport, http: &str, grpc: &str, key: &str) -> SpanExporter {
    match transport {
        Transport::Http(protocol, compression) => {
            let mut builder = SpanExporter::builder()
                .with_http()
                .with_protocol(protocol)
                .with_endpoint(format!("{http}/v1/traces"))
                .with_headers(HashMap::from([(String::from("x-honeycomb-team"), key.to_owned())]));
            if let Some(compression) = compression {
                builder = builder.with_compression(compression);
            }
            builder.build().unwrap()
        }
        Transport::Grpc(compression) => {
            let mut metadata = tonic::metadata::MetadataMap::new();
            metadata.insert("x-honeycomb-team", key.parse().unwrap());
            let mut builder = SpanExporter::builder().with_tonic().with_endpoint(grpc).with_metadata(metadata);
            if let Some(compression) = compression {
                builder = builder.with_compression(compression);
            }
            builder.build().unwrap()
        }
    }
}

/// Sends a server span with a child, and returns the trace's id and what the SDK says of the export.
async fn export(sandbox: &Sandbox, transport: Transport, service: &'static str, key: String) -> (String, Result<(), String>) {
    let (http, grpc) = (sandbox.addresses().http_url(), sandbox.addresses().grpc_url());
    tokio::task::spawn_blocking(move || {
        let provider = SdkTracerProvider::builder()
            .with_resource(Resource::builder().with_service_name(service).build())
            .with_batch_exporter(exporter(transport, &http, &grpc, &key))
            .build();
        let tracer = provider.tracer("cruddur-tracer");
        let mut root = tracer.span_builder("GET /api/activities/home").with_kind(SpanKind::Server).start(&tracer);
        root.set_attribute(KeyValue::new("http.response.status_code", 500));
        root.set_status(Status::error("broken"));
        let trace_id = root.span_context().trace_id().to_string();
        let context = Context::new().with_span(root);
        let mut child = tracer.start_with_context("home-activities-mock-data", &context);
        child.set_attribute(KeyValue::new("app.result_length", 3));
        child.add_event("looked", vec![KeyValue::new("found", true)]);
        child.end();
        context.span().end();
        let flushed = provider.force_flush().map_err(|error| error.to_string());
        let _ = provider.shutdown();
        (trace_id, flushed)
    })
    .await
    .unwrap()
}

struct Api {
    client: reqwest::Client,
    url: String,
}

impl Api {
    fn of(sandbox: &Sandbox) -> Self {
        Self { client: reqwest::Client::new(), url: sandbox.addresses().http_url() }
    }

    async fn get(&self, path: &str) -> Value {
        let key = Keys::default().honeycomb_configuration;
        let answer = self.client.get(format!("{}{path}", self.url)).header("x-honeycomb-team", key).send().await.unwrap();
        answer.json().await.unwrap()
    }

    async fn post(&self, path: &str, body: &Value) -> Value {
        let key = Keys::default().honeycomb_configuration;
        let answer =
            self.client.post(format!("{}{path}", self.url)).header("x-honeycomb-team", key).json(body).send().await.unwrap();
        answer.json().await.unwrap()
    }

    async fn rows(&self, dataset: &str, spec: &Value) -> Vec<Value> {
        let query = self.post(&format!("/1/queries/{dataset}"), spec).await;
        let wish = json!({ "query_id": query["id"], "disable_series": true });
        let result = self.post(&format!("/1/query_results/{dataset}"), &wish).await;
        let done = self.get(&format!("/1/query_results/{dataset}/{}", result["id"].as_str().unwrap())).await;
        assert_eq!(done["complete"], json!(true), "{done}");
        done["data"]["results"].as_array().unwrap().iter().map(|row| row["data"].clone()).collect()
    }

    async fn rejections(&self) -> Vec<Rejection> {
        serde_json::from_value(self.get("/_bootcamp/rejections?since=0").await).unwrap()
    }

    async fn is_alive(&self) -> bool {
        self.get("/_bootcamp/status").await["pid"] == json!(std::process::id())
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_transport_of_the_sdk_arrives() {
    let sandbox = sandbox(Place::Memory).await;
    let api = Api::of(&sandbox);
    let mut expected_datasets = Vec::new();
    for (transport, service) in [
        (Transport::Http(Protocol::HttpBinary, None), "binary"),
        (Transport::Http(Protocol::HttpBinary, Some(Compression::Gzip)), "binary-gzip"),
        (Transport::Http(Protocol::HttpBinary, Some(Compression::Zstd)), "binary-zstd"),
        (Transport::Http(Protocol::HttpJson, None), "json"),
        (Transport::Http(Protocol::HttpJson, Some(Compression::Gzip)), "json-gzip"),
        (Transport::Grpc(None), "grpc"),
        (Transport::Grpc(Some(Compression::Gzip)), "grpc-gzip"),
        (Transport::Grpc(Some(Compression::Zstd)), "grpc-zstd"),
    ] {
        let (trace_id, flushed) = export(&sandbox, transport, service, Keys::default().honeycomb_ingest).await;
        assert_eq!(flushed, Ok(()), "{transport:?}");
        let spec = json!({
            "breakdowns": ["name", "span.kind", "app.result_length", "http.response.status_code", "error", "status_message",
                "service.name", "library.name", "meta.annotation_type"],
            "filters": [{"column": "trace.trace_id", "op": "=", "value": trace_id}],
            "orders": [{"column": "name"}],
        });
        let row = |name: &str, kind: Value, length: Value, status: Value, error: Value, message: Value, annotation: Value| {
            json!({
                "name": name, "span.kind": kind, "app.result_length": length, "http.response.status_code": status, "error": error,
                "status_message": message, "service.name": service, "library.name": "cruddur-tracer",
                "meta.annotation_type": annotation, "COUNT": 1,
            })
        };
        let (none, server, internal) = (Value::Null, json!("server"), json!("internal"));
        let expected = [
            row("GET /api/activities/home", server, none.clone(), json!(500), json!(true), json!("broken"), none.clone()),
            row("home-activities-mock-data", internal, json!(3), none.clone(), none.clone(), none.clone(), none.clone()),
            row("looked", none.clone(), none.clone(), none.clone(), none.clone(), none, json!("span_event")),
        ];
        assert_eq!(api.rows(service, &spec).await, expected, "{transport:?}");
        assert_eq!(api.rows("__all__", &spec).await, expected, "{transport:?}");
        expected_datasets.push(service);
    }
    let datasets = api.get("/1/datasets").await;
    let mut names: Vec<&str> = datasets.as_array().unwrap().iter().map(|dataset| dataset["name"].as_str().unwrap()).collect();
    names.sort_unstable();
    expected_datasets.sort_unstable();
    assert_eq!(names, expected_datasets);
    assert_eq!(api.get("/1/columns/json?key_name=app.result_length").await["type"], json!("integer"));
    assert_eq!(api.rejections().await, []);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_child_names_its_parent() {
    let sandbox = sandbox(Place::Memory).await;
    let api = Api::of(&sandbox);
    let transport = Transport::Http(Protocol::HttpBinary, None);
    let (trace_id, _) = export(&sandbox, transport, "cruddur", Keys::default().honeycomb_ingest).await;
    let ids = async |name: &str, column: &str| {
        let filters =
            json!([{"column": "trace.trace_id", "op": "=", "value": trace_id}, {"column": "name", "op": "=", "value": name}]);
        let rows = api.rows("cruddur", &json!({ "breakdowns": [column], "filters": filters })).await;
        rows[0][column].as_str().map(str::to_owned)
    };
    let root = ids("GET /api/activities/home", "trace.span_id").await;
    assert_eq!(root.as_ref().map(String::len), Some(16));
    assert_eq!(ids("home-activities-mock-data", "trace.parent_id").await, root);
    assert_eq!(ids("GET /api/activities/home", "trace.parent_id").await, None);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_unset_key_is_refused_and_explained() {
    let sandbox = sandbox(Place::Memory).await;
    let api = Api::of(&sandbox);
    for transport in
        [Transport::Http(Protocol::HttpBinary, None), Transport::Http(Protocol::HttpJson, None), Transport::Grpc(None)]
    {
        for (key, reason) in [("", "blank-key"), ("some-nonsense", "unknown-key")] {
            let (_, flushed) = export(&sandbox, transport, "cruddur", key.to_owned()).await;
            assert!(flushed.is_err(), "{transport:?} {key}");
            let kept = api.rejections().await.pop().unwrap();
            assert_eq!((kept.vendor.as_str(), kept.reason.as_str(), kept.status), ("honeycomb", reason, 401), "{transport:?}");
            assert_eq!(kept.service.as_deref(), Some("cruddur"));
            assert!(!kept.detail.contains("some-nonsense"));
        }
    }
    assert_eq!(api.get("/1/datasets").await, json!([]));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join(".bootcamp/sandbox.db"));
    let first = sandbox(place.clone()).await;
    let (trace_id, flushed) = export(&first, Transport::Grpc(None), "cruddur", Keys::default().honeycomb_ingest).await;
    assert_eq!(flushed, Ok(()));
    first.stop().await;
    let again = sandbox(place).await;
    let filters = json!([{"column": "trace.trace_id", "op": "=", "value": trace_id}]);
    assert_eq!(Api::of(&again).rows("cruddur", &json!({ "filters": filters })).await, [json!({"COUNT": 3})]);
    again.stop().await;
}

#[tokio::test]
async fn a_taken_port_is_named() {
    let first = sandbox(Place::Memory).await;
    let addresses = first.addresses().clone();
    for (ports, port, what) in [
        (Ports { http: addresses.http, ..Ports::free() }, addresses.http, "HTTP"),
        (Ports { grpc: addresses.grpc, ..Ports::free() }, addresses.grpc, "gRPC"),
        (Ports { daemon: addresses.daemon, ..Ports::free() }, addresses.daemon, "daemon"),
    ] {
        let error = Sandbox::bind(Settings { ports, ..Settings::default() }).await.unwrap_err();
        assert!(matches!(error, SandboxError::PortTaken { port: taken, .. } if taken == port));
        let said = error.to_string();
        assert!(said.contains(&port.to_string()) && said.contains(what) && said.contains("taken by another program"), "{said}");
    }
    let nowhere = Settings { bind: "192.0.2.1".parse().unwrap(), ports: Ports::free(), ..Settings::default() };
    assert!(matches!(Sandbox::bind(nowhere).await.unwrap_err(), SandboxError::NoSuchAddress { .. }));
    first.stop().await;
}

#[tokio::test]
async fn several_addresses_share_the_ports() {
    let also_bind = vec!["127.0.0.2".parse().unwrap(), "127.0.0.1".parse().unwrap()];
    let settings = Settings { also_bind, ports: Ports::free(), ..Settings::default() };
    let sandbox = match Sandbox::bind(settings).await {
        Ok(sandbox) => sandbox,
        // Only Linux has the whole of 127/8 on its loopback.
        Err(SandboxError::NoSuchAddress { .. }) if !cfg!(target_os = "linux") => return,
        Err(error) => panic!("{error}"),
    };
    assert_eq!(sandbox.addresses().ips.len(), 2);
    for ip in &sandbox.addresses().ips {
        for port in [sandbox.addresses().http, sandbox.addresses().grpc, sandbox.addresses().daemon] {
            TcpStream::connect((*ip, port)).await.unwrap();
        }
    }
    sandbox.stop().await;
}

#[tokio::test]
async fn the_wrong_path_is_explained() {
    let sandbox = sandbox(Place::Memory).await;
    let api = Api::of(&sandbox);
    for (path, vendor, hint) in [
        ("/v1/traces/v1/traces", "honeycomb", "`/v1/traces`"),
        ("/v1/trace", "honeycomb", "base URL"),
        ("/api/1item/", "rollbar", "`/api/1/item/`"),
        ("/elsewhere", "unknown", "no vendor"),
    ] {
        let answer = api.client.post(format!("{}{path}", api.url)).body("x").send().await.unwrap();
        assert_eq!(answer.status(), 404);
        let kept = api.rejections().await.pop().unwrap();
        assert_eq!((kept.vendor.as_str(), kept.reason.as_str()), (vendor, "wrong-path"), "{path}");
        assert!(kept.detail.contains(hint) && kept.detail.contains(path), "{}", kept.detail);
    }
    let page = api.client.get(&api.url).send().await.unwrap().text().await.unwrap();
    assert!(page.contains("bootcamp sandbox") && page.contains(&sandbox.addresses().grpc_url()), "{page}");
    sandbox.stop().await;
}

/// Sends bytes as they are and returns what comes back until the other side closes.
async fn raw(address: SocketAddr, bytes: &[u8]) -> Vec<u8> {
    let exchange = async {
        let mut stream = TcpStream::connect(address).await.unwrap();
        // The sandbox may close while we are still sending.
        let _ = stream.write_all(bytes).await;
        let mut answer = Vec::new();
        let _ = stream.read_to_end(&mut answer).await;
        answer
    };
    tokio::time::timeout(HANGING, exchange).await.expect("the sandbox neither answered nor closed")
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_past_their_bounds_are_refused() {
    let sandbox = sandbox(Place::Memory).await;
    let api = Api::of(&sandbox);
    let key = Keys::default().honeycomb_ingest;
    let large = bytes::Bytes::from(vec![b'x'; 100 << 20]);
    for (path, length) in
        [("/v1/traces", 100 << 20), ("/1/events/x", (1 << 20) + 1), ("/1/batch/x", (5 << 20) + 1), ("/nowhere", 1 << 20)]
    {
        for declared in [true, false] {
            let part = large.slice(..length);
            let body = if declared {
                reqwest::Body::from(part)
            } else {
                // In chunks, without a length.
                let pieces: Vec<_> = part.chunks(1 << 20).map(|piece| Ok::<_, std::io::Error>(part.slice_ref(piece))).collect();
                reqwest::Body::wrap(http_body_util::StreamBody::new(futures_util::StreamExt::map(
                    futures_util::stream::iter(pieces),
                    |piece| piece.map(hyper::body::Frame::data),
                )))
            };
            let request = api.client.post(format!("{}{path}", api.url)).header("x-honeycomb-team", &key);
            let answer = request.header("content-type", "application/json").body(body).send().await.unwrap();
            assert_eq!(answer.status(), 413, "{path} {declared}");
            let said = answer.text().await.unwrap();
            match path {
                "/v1/traces" => assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["code"], json!(8)),
                "/nowhere" => {}
                _ => assert_eq!(serde_json::from_str::<Value>(&said).unwrap()["error"], json!("request body too large")),
            }
            assert_eq!(api.rejections().await.pop().unwrap().reason, "too-large");
        }
    }
    let bomb = gzip(&vec![0; 200 << 20]);
    assert!(bomb.len() < 1 << 20);
    for path in ["/v1/traces", "/1/events/x", "/1/batch/x"] {
        let request =
            api.client.post(format!("{}{path}", api.url)).header("x-honeycomb-team", &key).header("content-encoding", "gzip");
        let answer = request.header("content-type", "application/x-protobuf").body(bomb.clone()).send().await.unwrap();
        assert_eq!(answer.status(), 413, "{path}");
    }
    assert!(api.is_alive().await);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn broken_json_is_refused() {
    let sandbox = sandbox(Place::Memory).await;
    let api = Api::of(&sandbox);
    let key = Keys::default().honeycomb_configuration;
    let deep = [b"[".repeat(500_000), b"{\"a\":".repeat(100_000), b"\xff\xfe\"".to_vec(), b"{\"a\":\"\xc3\x28\"}".to_vec()];
    for body in deep {
        for path in ["/v1/traces", "/1/events/x", "/1/batch/x", "/1/queries/__all__", "/1/query_results/__all__", "/1/datasets"] {
            let request = api.client.post(format!("{}{path}", api.url)).header("x-honeycomb-team", &key);
            let answer = request.header("content-type", "application/json").body(body.clone()).send().await.unwrap();
            assert_eq!(answer.status(), 400, "{path}");
        }
    }
    assert_eq!(api.get("/1/datasets").await, json!([]));
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn half_open_connections_are_dropped_and_garbage_is_survived() {
    let sandbox = sandbox(Place::Memory).await;
    let api = Api::of(&sandbox);
    let addresses = sandbox.addresses().clone();
    let ports = [addresses.http, addresses.grpc].map(|port| SocketAddr::new(addresses.local(), port));
    let starts: [&[u8]; 6] = [
        b"",
        b"PRI * HTT",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\ngarbage that is no frame of HTTP/2, and more of it",
        b"POST /v1/traces HTTP/1.1\r\nhost: x\r\nx-slow: ",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        &[0xff; 4096],
    ];
    for address in ports {
        let attempts: Vec<_> = starts.iter().map(|start| raw(address, start)).collect();
        for (answer, start) in futures_util::future::join_all(attempts).await.into_iter().zip(starts) {
            assert!(!answer.starts_with(b"HTTP/1.1 200"), "{start:?}");
        }
    }
    // More silent connections than there may be at a time: those who come later get their turn.
    let mut silent = Vec::new();
    for _ in 0..600 {
        silent.push(TcpStream::connect(ports[0]).await.unwrap());
    }
    assert!(tokio::time::timeout(HANGING, api.is_alive()).await.unwrap());
    drop(silent);
    sandbox.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn stopping_does_not_wait_for_the_idle() {
    let sandbox = sandbox(Place::Memory).await;
    let address = SocketAddr::new(sandbox.addresses().local(), sandbox.addresses().http);
    let mut idle = TcpStream::connect(address).await.unwrap();
    idle.write_all(b"GET /_bootcamp/status HTTP/1.1\r\nhost: x\r\n\r\n").await.unwrap();
    let mut first = [0; 12];
    idle.read_exact(&mut first).await.unwrap();
    assert_eq!(&first, b"HTTP/1.1 200");
    tokio::time::timeout(HANGING, sandbox.stop()).await.unwrap();
    assert!(TcpStream::connect(address).await.is_err(), "nobody listens any more");
}
