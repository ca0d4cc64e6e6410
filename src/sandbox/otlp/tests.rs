use std::net::{Ipv4Addr, SocketAddr};
use std::ops::ControlFlow;
use std::sync::Arc;

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::{
    AnyValue, ArrayValue, InstrumentationScope, KeyValue, KeyValueList, any_value::Value as Any,
};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::span::{Event as SpanEvent, Link};
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, ScopeSpans, Span, Status};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::sandbox::honeycomb::event::{Event, Wanted};
use crate::sandbox::store::{Place, Store};
use crate::sandbox::{Keys, Shared, honeycomb, rejection, wire};

fn attribute(key: &str, value: Any) -> KeyValue {
    KeyValue { key: key.to_owned(), value: Some(AnyValue { value: Some(value) }), ..KeyValue::default() }
}

fn text(key: &str, value: &str) -> KeyValue {
    attribute(key, Any::StringValue(value.to_owned()))
}

fn span() -> Span {
    Span {
        trace_id: vec![0x4e, 0xfa, 0xaf, 0x4d, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
        span_id: vec![1, 2, 3, 4, 5, 6, 7, 8],
        name: String::from("GET /home"),
        kind: 2,
        start_time_unix_nano: 1_700_000_000_000_000_000,
        end_time_unix_nano: 1_700_000_000_001_500_000,
        attributes: vec![attribute("app.result_length", Any::IntValue(3)), text("who", "span")],
        ..Span::default()
    }
}

fn request(service: &str, spans: Vec<Span>) -> ExportTraceServiceRequest {
    let resource = Resource { attributes: vec![text("service.name", service), text("who", "resource")], ..Resource::default() };
    let scope = InstrumentationScope {
        name: String::from("lib"),
        version: String::from("1.2"),
        attributes: vec![text("who", "scope"), text("scope.only", "yes")],
        ..InstrumentationScope::default()
    };
    let scope_spans = vec![ScopeSpans { scope: Some(scope), spans, ..ScopeSpans::default() }];
    ExportTraceServiceRequest {
        resource_spans: vec![ResourceSpans { resource: Some(resource), scope_spans, ..ResourceSpans::default() }],
    }
}

fn events(request: &ExportTraceServiceRequest, wanted: &Wanted) -> Vec<Event> {
    let mut events = Vec::new();
    let _ = expand(&request.encode_to_vec(), wanted, &mut |event| {
        events.push(event);
        ControlFlow::Continue(())
    });
    events
}

fn only(spans: Vec<Span>) -> Event {
    let mut events = events(&request("cruddur", spans), &Wanted::All);
    assert_eq!(events.len(), 1);
    events.remove(0)
}

#[test]
fn a_span_is_an_event_with_these_columns() {
    let event = only(vec![span()]);
    assert_eq!(event.at_ms, 1_700_000_000_000);
    assert_eq!(
        Value::Object(event.fields),
        json!({
            "trace.trace_id": "4efaaf4d0102030405060708090a0b0c", "trace.span_id": "0102030405060708", "type": "server",
            "span.kind": "server", "name": "GET /home", "status_code": 0, "span.num_links": 0, "span.num_events": 0,
            "meta.signal_type": "trace", "duration_ms": 1.5, "library.name": "lib", "library.version": "1.2",
            "service.name": "cruddur", "scope.only": "yes", "who": "span", "app.result_length": 3,
        })
    );
}

#[test]
fn what_is_set_gets_a_column() {
    let mut failed = span();
    failed.parent_span_id = vec![0xff; 8];
    failed.trace_state = String::from("a=b");
    failed.status = Some(Status { message: String::from("boom"), code: 2 });
    failed.end_time_unix_nano = 5;
    failed.attributes = vec![
        attribute("array", Any::ArrayValue(ArrayValue { values: vec![AnyValue { value: Some(Any::IntValue(1)) }] })),
        attribute("bytes", Any::BytesValue(vec![1, 2, 3])),
        attribute(
            "map",
            Any::KvlistValue(KeyValueList { values: vec![text("inner", "x"), attribute("n", Any::BoolValue(true))] }),
        ),
        text("SampleRate", "4"),
        text("", "no name"),
    ];
    let event = only(vec![failed]);
    assert_eq!(event.sample_rate, 4);
    for (column, value) in [
        ("trace.parent_id", json!("ffffffffffffffff")),
        ("trace.trace_state", json!("a=b")),
        ("status_message", json!("boom")),
        ("status_code", json!(2)),
        ("error", json!(true)),
        ("duration_ms", json!(0.0)),
        ("meta.invalid_duration", json!(true)),
        ("array", json!("[1]")),
        ("bytes", json!("\"AQID\"")),
        ("map.inner", json!("x")),
        ("map.n", json!(true)),
        ("who", json!("scope")),
    ] {
        assert_eq!(event.fields.get(column), Some(&value), "{column}");
    }
    for column in ["SampleRate", "", "map"] {
        assert_eq!(event.fields.get(column), None, "{column}");
    }
    let mut ok = span();
    ok.status = Some(Status { message: String::new(), code: 1 });
    let event = only(vec![ok]);
    assert_eq!((event.fields["status_code"].clone(), event.fields.get("error")), (json!(1), None));
}

fn with_annotations() -> Span {
    let mut span = span();
    span.status = Some(Status { message: String::new(), code: 2 });
    span.events = vec![SpanEvent {
        time_unix_nano: 1_700_000_000_001_000_000,
        name: String::from("exception"),
        attributes: vec![text("exception.message", "boom"), text("other", "x")],
        ..SpanEvent::default()
    }];
    span.links =
        vec![Link { trace_id: vec![9; 16], span_id: vec![8; 8], attributes: vec![text("why", "retry")], ..Link::default() }];
    span
}

#[test]
fn events_and_links_are_events_of_their_own() {
    let events = events(&request("cruddur", vec![with_annotations()]), &Wanted::All);
    let [span, event, link] = &events[..] else { panic!("{events:?}") };
    assert_eq!(span.fields["exception.message"], json!("boom"));
    assert_eq!(span.fields.get("other"), None);
    assert_eq!((&span.fields["span.num_events"], &span.fields["span.num_links"]), (&json!(1), &json!(1)));
    assert_eq!(event.at_ms, 1_700_000_000_001);
    assert_eq!(
        Value::Object(event.fields.clone()),
        json!({
            "trace.trace_id": "4efaaf4d0102030405060708090a0b0c", "trace.parent_id": "0102030405060708", "name": "exception",
            "parent_name": "GET /home", "meta.annotation_type": "span_event", "meta.signal_type": "trace", "error": true,
            "library.name": "lib", "library.version": "1.2", "service.name": "cruddur", "scope.only": "yes", "who": "scope",
            "exception.message": "boom", "other": "x",
        })
    );
    assert_eq!(link.fields["meta.annotation_type"], json!("link"));
    assert_eq!(link.fields["trace.link.trace_id"], json!("09".repeat(16)));
    assert_eq!(link.fields["trace.link.span_id"], json!("08".repeat(8)));
    assert_eq!((link.at_ms, &link.fields["why"]), (1_700_000_000_000, &json!("retry")));
}

#[test]
fn only_the_wanted_columns_are_made() {
    let wanted = Wanted::Only(["name", "who", "exception.message"].map(String::from).into());
    let events = events(&request("cruddur", vec![with_annotations()]), &wanted);
    assert_eq!(Value::Object(events[0].fields.clone()), json!({"name": "GET /home", "who": "span", "exception.message": "boom"}));
}

#[test]
fn the_survey_finds_the_columns_that_the_events_have() {
    let export = request("cruddur", vec![span(), with_annotations()]);
    let rows = events(&export, &Wanted::All);
    let batches = batches(export.clone(), Some(export.encode_to_vec().into()), None);
    let [batch] = &batches[..] else { panic!("{batches:?}") };
    let mut columns: Vec<&str> = rows.iter().flat_map(|event| event.fields.keys().map(String::as_str)).collect();
    columns.sort_unstable();
    columns.dedup();
    let mut surveyed: Vec<&str> = batch.columns.keys().map(String::as_str).collect();
    surveyed.sort_unstable();
    assert_eq!(surveyed, columns);
    for event in &rows {
        for (name, value) in &event.fields {
            assert_eq!(Some(batch.columns[name]), honeycomb::event::ColumnType::of(value), "{name}");
        }
    }
    assert_eq!((batch.events, batch.traces.len()), (4, 1));
    assert_eq!((batch.from_ms, batch.to_ms), (1_700_000_000_000, 1_700_000_000_001));
    assert_eq!(batch.traces[0], honeycomb::event::trace_hash_of_text("4efaaf4d0102030405060708090a0b0c"));
}

#[test]
fn the_service_names_the_dataset() {
    let names = |services: &[&str]| {
        let mut export = ExportTraceServiceRequest::default();
        for service in services {
            export.resource_spans.extend(request(service, vec![span()]).resource_spans);
        }
        batches(export, None, None).into_iter().map(|batch| batch.dataset).collect::<Vec<_>>()
    };
    assert_eq!(names(&[" cruddur ", "other", "cruddur"]), ["cruddur", "other"]);
    assert_eq!(names(&["", "  ", "unknown_service:node"]), ["unknown_service"]);
    let mut nameless = request("x", vec![span()]);
    nameless.resource_spans[0].resource = None;
    assert_eq!(batches(nameless.clone(), None, None)[0].dataset, "unknown_service");
    assert_eq!(batches(nameless, None, Some("classic"))[0].dataset, "classic");
    assert!(batches(request("empty", Vec::new()), None, None).is_empty());
}

fn shared() -> Shared {
    let store = Store::open(&Place::Memory, &[honeycomb::TABLES, rejection::TABLES]).unwrap();
    Shared { store, keys: Arc::new(Keys::default()) }
}

fn post(headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> wire::Request {
    wire::Request {
        method: ::http::Method::POST,
        path: String::from("/v1/traces"),
        query: String::new(),
        headers: headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect(),
        body: body.into(),
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
    }
}

const KEY: (&str, &str) = ("x-honeycomb-team", "sandboxIngestKey000001");
const PROTOBUF: (&str, &str) = ("content-type", "application/x-protobuf");
const JSON: (&str, &str) = ("content-type", "application/json; charset=utf-8");

#[tokio::test]
async fn success_is_empty_in_the_requests_own_form() {
    let shared = shared();
    let body = request("cruddur", vec![span()]).encode_to_vec();
    let answer = http::handle(&shared, post(&[KEY, PROTOBUF], body)).await;
    assert_eq!((answer.status().as_u16(), answer.body().len()), (200, 0));
    assert_eq!(answer.headers()["content-type"], "application/x-protobuf");
    let body = serde_json::to_vec(&request("cruddur", vec![span()])).unwrap();
    let answer = http::handle(&shared, post(&[KEY, JSON], body)).await;
    assert_eq!((answer.status().as_u16(), &answer.body()[..]), (200, &b"{}"[..]));
    assert_eq!(honeycomb::count(&shared).await.unwrap(), 2);
    let mut metrics = post(&[KEY, PROTOBUF], "metrics");
    metrics.path = String::from("/v1/metrics");
    assert_eq!(http::handle(&shared, metrics).await.status().as_u16(), 200);
    assert!(rejection::since(&shared, 0).await.unwrap().is_empty());
}

#[tokio::test]
async fn failures_come_in_the_vendors_order_and_are_kept() {
    let shared = shared();
    let export = request("cruddur", vec![span()]).encode_to_vec();
    let classic = ("x-honeycomb-team", "0123456789abcdef0123456789abcdef");
    for (headers, body, status, message, reason) in [
        (
            vec![("content-type", "text/plain")],
            &b""[..],
            415,
            "unsupported content-type, valid types are: application/protobuf, application/x-protobuf, application/json",
            "wrong-content-type",
        ),
        (vec![PROTOBUF], b"\xff", 401, "missing 'x-honeycomb-team' header", "missing-key"),
        (vec![PROTOBUF, ("x-honeycomb-team", "")], &export, 401, "missing 'x-honeycomb-team' header", "blank-key"),
        (
            vec![PROTOBUF, ("x-honeycomb-team", "nonsense")],
            &export,
            401,
            "unknown API key - check your credentials",
            "unknown-key",
        ),
        (vec![PROTOBUF, classic], &export, 401, "missing 'x-honeycomb-dataset' header", "missing-dataset"),
        (vec![PROTOBUF, KEY], b"\xff\xff", 400, "failed to parse OTLP request body", "unparsable"),
        (vec![PROTOBUF, KEY, ("content-encoding", "gzip")], &export, 400, "failed to parse OTLP request body", "unparsable"),
    ] {
        let answer = http::handle(&shared, post(&headers, Bytes::copy_from_slice(body))).await;
        assert_eq!(answer.status().as_u16(), status, "{reason}");
        if status == 415 {
            assert_eq!(
                (&answer.headers()["content-type"], &answer.body()[..]),
                (&"text/plain".parse().unwrap(), message.as_bytes())
            );
        } else {
            assert_eq!(http::Status::decode(answer.body().clone()).unwrap().message, message);
        }
        let kept = rejection::since(&shared, 0).await.unwrap().pop().unwrap();
        assert_eq!((kept.status, kept.reason.as_str()), (status, reason));
        assert_eq!(kept.service.as_deref() == Some("cruddur"), matches!(reason, "blank-key" | "unknown-key" | "missing-dataset"));
    }
    let answer = http::handle(&shared, post(&[JSON], "{}")).await;
    let said: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(said, json!({"code": 16, "message": "missing 'x-honeycomb-team' header"}));
    assert_eq!(honeycomb::count(&shared).await.unwrap(), 0);
}

fn frame(flag: u8, body: &[u8]) -> Vec<u8> {
    let mut frame = vec![flag];
    frame.extend(u32::try_from(body.len()).unwrap().to_be_bytes());
    frame.extend(body);
    frame
}

#[tokio::test]
async fn grpc_answers_with_its_own_statuses() {
    let shared = shared();
    let call = |headers: &[(&'static str, &str)], body: Vec<u8>| {
        let mut request = post(headers, body);
        request.path = String::from("/opentelemetry.proto.collector.trace.v1.TraceService/Export");
        request
    };
    let export = request("cruddur", vec![span()]).encode_to_vec();
    let answer = grpc::handle(&shared, call(&[KEY], frame(0, &export))).await;
    assert_eq!(&answer.body()[..], [0; 5]);
    assert_eq!(answer.extensions().get::<grpc::Trailers>().unwrap().0["grpc-status"], "0");
    assert_eq!(honeycomb::count(&shared).await.unwrap(), 1);
    let bomb = zstd::encode_all(&vec![0; MAX_DECODED + 1][..], 1).unwrap();
    let zstd = ("grpc-encoding", "zstd");
    for (headers, body, status) in [
        (vec![], frame(0, &export), "16"),
        (vec![("x-honeycomb-team", "nonsense")], frame(0, &export), "16"),
        (vec![KEY], frame(0, b"\xff"), "3"),
        (vec![KEY], vec![], "3"),
        (vec![KEY], frame(7, &export), "3"),
        (vec![KEY], frame(1, &export), "12"),
        (vec![KEY, ("grpc-encoding", "br")], frame(1, &export), "12"),
        (vec![KEY, zstd], frame(1, &bomb), "8"),
    ] {
        let answer = grpc::handle(&shared, call(&headers, body)).await;
        assert_eq!((answer.status().as_u16(), &answer.headers()["grpc-status"]), (200, &status.parse().unwrap()), "{headers:?}");
    }
    assert_eq!(rejection::since(&shared, 0).await.unwrap().len(), 8);
    let mut unknown = call(&[KEY], frame(0, &export));
    unknown.path = String::from("/nobody");
    assert_eq!(grpc::handle(&shared, unknown).await.headers()["grpc-status"], "12");
    let kept = rejection::since(&shared, 0).await.unwrap();
    assert_eq!((kept[0].request.as_str(), kept[8].request.as_str()), ("gRPC TraceService/Export", "gRPC /nobody"));
    assert_eq!(kept[8].reason, "wrong-path");
}

#[test]
fn nesting_is_bounded() {
    let deep = format!("{}1{}", "{\"arrayValue\":{\"values\":[".repeat(5_000), "]}}".repeat(5_000));
    let body = format!(r#"{{"resourceSpans":[{{"resource":{{"attributes":[{{"key":"a","value":{deep}}}]}}}}]}}"#);
    assert!(matches!(parse(ContentType::Json, body.as_bytes()), Err(ParseError::Json(_))));
    let mut value = AnyValue { value: Some(Any::IntValue(1)) };
    for _ in 0..150 {
        value = AnyValue { value: Some(Any::ArrayValue(ArrayValue { values: vec![value] })) };
    }
    let mut export = request("x", vec![span()]);
    export.resource_spans[0].scope_spans[0].spans[0].attributes.push(KeyValue {
        key: String::from("deep"),
        value: Some(value),
        ..KeyValue::default()
    });
    assert!(matches!(parse(ContentType::Protobuf, &export.encode_to_vec()), Err(ParseError::Protobuf(_))));
    assert!(parse(ContentType::Json, b"{\"resourceSpans\":[{\"resource\":\"\xff\"}]}").is_err());
}

proptest! {
    #[test]
    fn any_bytes_are_survived(bytes: Vec<u8>, text in "\\PC{0,100}") {
        for content_type in [ContentType::Protobuf, ContentType::Json] {
            for body in [&bytes[..], text.as_bytes()] {
                if let Ok(export) = parse(content_type, body) {
                    let rows = events(&export, &Wanted::All).len();
                    let found: u32 = batches(export, None, None).iter().map(|batch| batch.events).sum();
                    prop_assert_eq!(rows as u64, u64::from(found));
                }
            }
        }
        let _ = ContentType::parse(&text);
    }

    #[test]
    fn any_damage_to_a_real_export_is_survived(place in 0_usize..600, byte: u8, cut in 0_usize..600) {
        let mut body = request("cruddur", vec![with_annotations()]).encode_to_vec();
        let index = place % body.len();
        body[index] = byte;
        body.truncate(body.len().saturating_sub(cut % 7));
        if let Ok(export) = parse(ContentType::Protobuf, &body) {
            let rows = events(&export, &Wanted::All).len();
            let found: u32 = batches(export, None, None).iter().map(|batch| batch.events).sum();
            prop_assert_eq!(rows as u64, u64::from(found));
        }
    }
}
