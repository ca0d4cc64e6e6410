//! The sandbox's X-Ray, driven by what learners use: the AWS SDK for Rust, the Rust X-Ray exporter, and datagrams in
//! the shape of the Python SDK's.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use aws_sdk_xray::Client;
use aws_sdk_xray::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_xray::error::ProvideErrorMetadata as _;
use aws_sdk_xray::primitives::DateTime;
use aws_sdk_xray::types::{
    AnnotationValue, EncryptionType, InsightsConfiguration, SamplingRule, SamplingRuleUpdate, SamplingStatisticsDocument, Tag,
    TelemetryRecord, TimeRangeType, TraceSegmentDestination, TraceSegmentDestinationStatus,
};
use bootcamp::facts::{Segment, TraceId};
use bootcamp::sandbox::store::Place;
use bootcamp::sandbox::{Ports, Settings, Shared, rejection};
use opentelemetry::trace::{Span as _, SpanKind, TraceContextExt as _, Tracer as _, TracerProvider as _};
use opentelemetry::{Context, KeyValue};
use opentelemetry_aws::trace::XrayIdGenerator;
use opentelemetry_aws::xray_exporter::daemon_client::XrayDaemonClient;
use opentelemetry_aws::xray_exporter::{SegmentTranslator, XrayExporter};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpStream, UdpSocket};

/// A whole sandbox, and what these tests ask of it.
struct Sandbox {
    whole: bootcamp::sandbox::Sandbox,
    shared: Shared,
    api: SocketAddr,
    daemon: SocketAddr,
}

impl Sandbox {
    async fn start() -> Self {
        Self::start_on(Place::Memory).await
    }

    async fn start_on(place: Place) -> Self {
        let settings = Settings { place, ports: Ports::free(), ..Settings::default() };
        let whole = bootcamp::sandbox::Sandbox::bind(settings).await.unwrap();
        let addresses = whole.addresses();
        let api = SocketAddr::new(addresses.local(), addresses.http);
        Self { shared: whole.shared().clone(), api, daemon: addresses.daemon_address(), whole }
    }

    fn client(&self) -> Client {
        let config = aws_sdk_xray::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new("eu-central-1"))
            .credentials_provider(Credentials::new("AKIDSANDBOX", "secret", None, None, "test"))
            .endpoint_url(format!("http://{}", self.api))
            .build();
        Client::from_conf(config)
    }

    /// Asks until the trace's tree has as many segments and subsegments, inferred ones aside.
    async fn settle(&self, id: &str, wanted: usize) -> Vec<Segment> {
        let client = self.client();
        for _ in 0..500 {
            let answer = client.batch_get_traces().trace_ids(id).send().await.unwrap();
            let documents: Vec<Segment> = answer
                .traces()
                .iter()
                .flat_map(aws_sdk_xray::types::Trace::segments)
                .map(|segment| Segment::parse(segment.document().unwrap()).unwrap())
                .filter(|segment| !segment.inferred)
                .collect();
            let roots = Segment::assemble(documents);
            if roots.iter().flat_map(Segment::walk).count() >= wanted {
                return roots;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{id} did not come to {wanted} segments");
    }

    /// A request to the daemon's TCP side, as an SDK's connector sends it: unsigned.
    async fn proxy(&self, path: &str, body: &str) -> (u16, serde_json::Value) {
        let url = format!("http://{}{path}", self.daemon);
        let answer = reqwest::Client::new().post(url).body(body.to_owned()).send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

fn now() -> f64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs_f64()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the time of day")]
fn fresh() -> String {
    TraceId::fresh(now() as u32).xray()
}

fn at(offset: f64) -> DateTime {
    DateTime::from_secs_f64(now() + offset)
}

fn document(trace_id: &str, id: &str, more: &str) -> String {
    let start = now();
    format!(
        r#"{{"trace_id":"{trace_id}","id":"{id}","name":"backend","start_time":{start},"end_time":{},
            "http":{{"request":{{"url":"http://backend/api?x=1","method":"GET"}},"response":{{"status":200}}}}{more}}}"#,
        start + 0.125
    )
}

#[tokio::test]
async fn the_sdk_puts_and_reads_traces() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client();
    let id = fresh();
    let call = r#","annotations":{"week":2,"name":"two","good":true},"user":"ada","subsegments":[
        {"id":"bbbbbbbbbbbbbbbb","name":"table","namespace":"remote","start_time":1,"end_time":2}]"#;
    let answer = client
        .put_trace_segments()
        .trace_segment_documents(document(&id, "aaaaaaaaaaaaaaaa", call))
        .trace_segment_documents(document("1-x-y", "cccccccccccccccc", ""))
        .send()
        .await
        .unwrap();
    let refused = &answer.unprocessed_trace_segments()[0];
    assert_eq!((refused.id(), refused.error_code()), (Some("cccccccccccccccc"), Some("InvalidTraceId")));

    let other = fresh();
    let traces = client.batch_get_traces().trace_ids(&id).trace_ids(&other).send().await.unwrap();
    assert_eq!(traces.unprocessed_trace_ids(), [other]);
    let trace = &traces.traces()[0];
    assert_eq!((trace.id(), trace.limit_exceeded(), trace.segments().len()), (Some(id.as_str()), Some(false), 2));

    let summaries = client
        .get_trace_summaries()
        .start_time(at(-60.0))
        .end_time(at(60.0))
        .time_range_type(TimeRangeType::TraceId)
        .filter_expression("annotation.week = 2 AND service(\"backend\")")
        .send()
        .await
        .unwrap();
    assert_eq!(summaries.traces_processed_count(), Some(1));
    let summary = &summaries.trace_summaries()[0];
    assert_eq!((summary.id(), summary.has_fault(), summary.is_partial()), (Some(id.as_str()), Some(false), Some(false)));
    assert_eq!(summary.http().unwrap().http_url(), Some("http://backend/api?x=1"));
    assert_eq!(summary.http().unwrap().http_status(), Some(200));
    assert_eq!(summary.entry_point().unwrap().name(), Some("backend"));
    assert_eq!(summary.users()[0].user_name(), Some("ada"));
    let value = |key: &str| summary.annotations().unwrap()[key][0].annotation_value().unwrap().clone();
    assert_eq!(value("week"), AnnotationValue::NumberValue(2.0));
    assert_eq!(value("name"), AnnotationValue::StringValue(String::from("two")));
    assert_eq!(value("good"), AnnotationValue::BooleanValue(true));

    let graph = client.get_service_graph().start_time(at(-60.0)).end_time(at(60.0)).send().await.unwrap();
    let mut kinds: Vec<_> = graph.services().iter().map(|service| (service.name(), service.r#type())).collect();
    kinds.sort_unstable();
    assert_eq!(kinds, [(Some("backend"), None), (Some("backend"), Some("client")), (Some("table"), Some("remote"))]);
    let root = graph.services().iter().find(|service| service.root() == Some(true)).unwrap();
    assert_eq!(root.summary_statistics().unwrap().total_count(), Some(1));
    assert_eq!(root.edges().len(), 1);
    let one = client.get_trace_graph().trace_ids(&id).send().await.unwrap();
    assert_eq!(one.services().len(), 3);
}

#[tokio::test]
async fn the_sdk_knows_the_errors() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client();
    let ids: Vec<String> = (0..6).map(|_| fresh()).collect();
    let error = client.batch_get_traces().set_trace_ids(Some(ids)).send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_request_exception());
    assert_eq!(error.message(), Some("Exceeding maximum query size: 5"));

    let error = client.list_tags_for_resource().resource_arn("arn:aws:xray:x:1:group/a/b").send().await.unwrap_err();
    assert!(error.into_service_error().is_resource_not_found_exception());

    let filter = client.create_group().group_name("g").filter_expression("service(").send().await.unwrap_err();
    assert!(filter.into_service_error().is_invalid_request_exception());

    let url = format!("http://{}/Groups", sandbox.api);
    let answer = reqwest::Client::new().post(url).send().await.unwrap();
    assert_eq!(answer.status(), 403);
    assert_eq!(answer.headers()["x-amzn-errortype"], "MissingAuthenticationTokenException");
    let reasons: Vec<String> = rejection::since(&sandbox.shared, 0).await.unwrap().into_iter().map(|one| one.reason).collect();
    assert_eq!(reasons, ["invalid-request", "invalid-request", "invalid-request", "no-credentials"]);
}

fn sampling_rule(name: &str) -> SamplingRule {
    SamplingRule::builder()
        .rule_name(name)
        .resource_arn("*")
        .priority(9000)
        .fixed_rate(0.1)
        .reservoir_size(5)
        .service_name("Cruddur")
        .service_type("*")
        .host("*")
        .http_method("*")
        .url_path("*")
        .version(1)
        .build()
        .unwrap()
}

#[tokio::test]
async fn the_sdk_keeps_groups_rules_and_tags() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client();
    let insights = InsightsConfiguration::builder().insights_enabled(true).notifications_enabled(false).build();
    let made = client
        .create_group()
        .group_name("Cruddur")
        .filter_expression("service(\"backend\")")
        .insights_configuration(insights)
        .tags(Tag::builder().key("week").value("2").build().unwrap())
        .send()
        .await
        .unwrap();
    let arn = made.group().unwrap().group_arn().unwrap().to_owned();
    assert!(arn.starts_with("arn:aws:xray:eu-central-1:"), "{arn}");
    let tags = client.list_tags_for_resource().resource_arn(&arn).send().await.unwrap();
    assert_eq!((tags.tags()[0].key(), tags.tags()[0].value()), ("week", "2"));
    let tag = Tag::builder().key("more").value("x").build().unwrap();
    client.tag_resource().resource_arn(&arn).tags(tag).send().await.unwrap();
    client.untag_resource().resource_arn(&arn).tag_keys("week").send().await.unwrap();
    assert_eq!(client.list_tags_for_resource().resource_arn(&arn).send().await.unwrap().tags().len(), 1);
    client.update_group().group_arn(&arn).filter_expression("fault").send().await.unwrap();
    let group = client.get_group().group_name("Cruddur").send().await.unwrap();
    assert_eq!(group.group().unwrap().filter_expression(), Some("fault"));
    assert_eq!(group.group().unwrap().insights_configuration().unwrap().insights_enabled(), Some(true));
    assert_eq!(client.get_groups().send().await.unwrap().groups().len(), 2);
    client.delete_group().group_name("Cruddur").send().await.unwrap();
    assert!(client.get_group().group_name("Cruddur").send().await.is_err());

    let record = client.create_sampling_rule().sampling_rule(sampling_rule("Cruddur")).send().await.unwrap();
    let record = record.sampling_rule_record().unwrap();
    assert!(record.created_at().unwrap().as_secs_f64() > now() - 60.0);
    let update = SamplingRuleUpdate::builder().rule_name("Cruddur").fixed_rate(0.5).build();
    let updated = client.update_sampling_rule().sampling_rule_update(update).send().await.unwrap();
    let rule = updated.sampling_rule_record().unwrap().sampling_rule().unwrap();
    assert!((rule.fixed_rate() - 0.5).abs() < f64::EPSILON);
    let rules = client.get_sampling_rules().send().await.unwrap();
    assert_eq!(rules.sampling_rule_records().len(), 2);
    let statistics = SamplingStatisticsDocument::builder()
        .rule_name("Cruddur")
        .client_id("0123456789abcdef01234567")
        .timestamp(at(0.0))
        .request_count(10)
        .sampled_count(3)
        .borrow_count(0)
        .build()
        .unwrap();
    let targets = client.get_sampling_targets().sampling_statistics_documents(statistics).send().await.unwrap();
    let target = &targets.sampling_target_documents()[0];
    assert_eq!((target.reservoir_quota(), target.interval()), (Some(5), Some(10)));
    assert!(targets.last_rule_modification().unwrap().as_secs_f64() > now() - 60.0);
    let sums = client.get_sampling_statistic_summaries().send().await.unwrap();
    assert_eq!(sums.sampling_statistic_summaries()[0].request_count(), 10);
    client.delete_sampling_rule().rule_name("Cruddur").send().await.unwrap();
    for number in 0..25 {
        client.create_sampling_rule().sampling_rule(sampling_rule(&format!("r{number}"))).send().await.unwrap();
    }
    let error = client.create_sampling_rule().sampling_rule(sampling_rule("more")).send().await.unwrap_err();
    assert!(error.into_service_error().is_rule_limit_exceeded_exception());
}

#[tokio::test]
async fn the_sdk_reads_settings() {
    let sandbox = Sandbox::start().await;
    let client = sandbox.client();
    let destination = client.get_trace_segment_destination().send().await.unwrap();
    assert_eq!(destination.destination(), Some(&TraceSegmentDestination::XRay));
    assert_eq!(destination.status(), Some(&TraceSegmentDestinationStatus::Active));
    let elsewhere = TraceSegmentDestination::CloudWatchLogs;
    client.update_trace_segment_destination().destination(elsewhere.clone()).send().await.unwrap();
    assert_eq!(client.get_trace_segment_destination().send().await.unwrap().destination(), Some(&elsewhere));
    let encryption = client.get_encryption_config().send().await.unwrap();
    assert_eq!(encryption.encryption_config().unwrap().r#type(), Some(&EncryptionType::None));
    let encryption = client.put_encryption_config().r#type(EncryptionType::Kms).key_id("alias/x").send().await.unwrap();
    assert_eq!(encryption.encryption_config().unwrap().key_id(), Some("alias/x"));
    let record = TelemetryRecord::builder().timestamp(at(0.0)).segments_sent_count(1).build().unwrap();
    client.put_telemetry_records().telemetry_records(record).send().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rust_exporter_is_understood() {
    let sandbox = Sandbox::start().await;
    let daemon = XrayDaemonClient::new(sandbox.daemon).unwrap();
    let exporter = XrayExporter::new(daemon)
        .with_translator(SegmentTranslator::new().with_indexed_attr(String::from("app.week")).metadata_all_attrs());
    let provider =
        SdkTracerProvider::builder().with_id_generator(XrayIdGenerator::default()).with_simple_exporter(exporter).build();
    let tracer = provider.tracer("test");
    let server = tracer
        .span_builder("GET /api/home")
        .with_kind(SpanKind::Server)
        .with_attributes([
            KeyValue::new("http.request.method", "GET"),
            KeyValue::new("url.full", "http://backend/api/home?bootcamp=nonce"),
            KeyValue::new("http.response.status_code", 200_i64),
            KeyValue::new("app.week", 2_i64),
        ])
        .start(&tracer);
    let id: TraceId = server.span_context().trace_id().to_string().parse().unwrap();
    let context = Context::current_with_span(server);
    let mut child = tracer.span_builder("mock-data").start_with_context(&tracer, &context);
    child.set_attribute(KeyValue::new("results-size", 3_i64));
    child.end();
    let mut call = tracer
        .span_builder("GET")
        .with_kind(SpanKind::Client)
        .with_attributes([KeyValue::new("http.request.method", "GET"), KeyValue::new("url.full", "http://elsewhere/")])
        .start_with_context(&tracer, &context);
    call.end();
    context.span().end();

    let roots = sandbox.settle(&id.xray(), 3).await;
    assert_eq!(roots.len(), 1, "{roots:?}");
    assert_eq!((roots[0].status(), roots[0].subsegments.len()), (Some(200), 2));
    let mock = roots[0].walk().find(|segment| segment.name == "mock-data").unwrap();
    assert_eq!(mock.metadata("results-size"), Some(&serde_json::json!(3)));
    let found = sandbox
        .client()
        .get_trace_summaries()
        .start_time(at(-60.0))
        .end_time(at(60.0))
        .filter_expression("http.url CONTAINS \"bootcamp=nonce\"")
        .send()
        .await
        .unwrap();
    assert_eq!(found.trace_summaries().len(), 1);
    let kept = rejection::since(&sandbox.shared, 0).await.unwrap();
    assert!(kept.is_empty(), "{kept:?}");
    provider.shutdown().unwrap();
}

#[tokio::test]
async fn datagrams_of_the_python_sdk_are_understood_and_others_kept_as_evidence() {
    let sandbox = Sandbox::start().await;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let id = fresh();
    let nested = r#","aws":{"xray":{"sdk":"X-Ray for Python","sdk_version":"2.15.0"}},
        "service":{"runtime":"CPython","runtime_version":"3.12"},"subsegments":[{"id":"bbbbbbbbbbbbbbbb","name":"mock-data",
        "start_time":1.0,"end_time":2.0,"in_progress":false,"namespace":"local","metadata":{"default":{"results-size":3}}}]"#;
    let header = r#"{"format":"json","version":1}"#;
    for datagram in [
        String::from("no header at all"),
        format!("{{\"format\":\"xml\",\"version\":1}}\n{}", document(&id, "cccccccccccccccc", "")),
        format!("{header}\n{{\"name\":\"half\""),
        format!("{header}\n{}", document(&id, "aaaaaaaaaaaaaaaa", nested)),
    ] {
        socket.send_to(datagram.as_bytes(), sandbox.daemon).await.unwrap();
    }
    let roots = sandbox.settle(&id, 2).await;
    assert_eq!((roots.len(), roots[0].id.as_str()), (1, "aaaaaaaaaaaaaaaa"));
    assert_eq!(roots[0].subsegments[0].metadata("results-size"), Some(&serde_json::json!(3)));
    let reasons: Vec<String> = rejection::since(&sandbox.shared, 0).await.unwrap().into_iter().map(|one| one.reason).collect();
    assert_eq!(reasons[..2], ["unparsable", "unparsable"]);
    // A document that has not ended in time for the good one is refused right after it.
    for _ in 0..500 {
        if rejection::since(&sandbox.shared, 0).await.unwrap().iter().any(|one| one.reason == "invalid-segment") {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the half document was not kept as evidence");
}

#[tokio::test]
async fn the_daemon_answers_sampling_without_a_signature() {
    let sandbox = Sandbox::start().await;
    let (status, rules) = sandbox.proxy("/GetSamplingRules", "{}").await;
    assert_eq!((status, &rules["SamplingRuleRecords"][0]["SamplingRule"]["RuleName"]), (200, &serde_json::json!("Default")));
    let statistics = r#"{"SamplingStatisticsDocuments":[{"RuleName":"Default","ClientID":"0123456789abcdef01234567",
        "RequestCount":4,"BorrowCount":0,"SampledCount":1,"Timestamp":1700000000}]}"#;
    let (_, targets) = sandbox.proxy("/SamplingTargets", statistics).await;
    assert_eq!(targets["SamplingTargetDocuments"][0]["ReservoirQuota"], 1);
    assert_eq!(sandbox.proxy("/Nothing", "{}").await.0, 404);
    assert_eq!(sandbox.proxy("/TraceSegments", &" ".repeat(2 * 1024 * 1024)).await.0, 413);
}

#[tokio::test]
async fn half_open_connections_starve_nobody_and_do_not_hold_up_the_end() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("sandbox.db"));
    let sandbox = Sandbox::start_on(place.clone()).await;
    let mut idle = Vec::new();
    for number in 0..40 {
        let mut stream = TcpStream::connect(sandbox.daemon).await.unwrap();
        if number % 2 == 0 {
            stream.write_all(b"POST /GetSamplingRules HTTP/1.1\r\nhost: x\r\ncontent-le").await.unwrap();
        }
        idle.push(stream);
    }
    assert_eq!(sandbox.proxy("/GetSamplingRules", "{}").await.0, 200);
    let mut garbage = TcpStream::connect(sandbox.daemon).await.unwrap();
    garbage.write_all(b"\x16\x03\x01 hello\r\n\r\n").await.unwrap();
    let mut answer = Vec::new();
    let _ = garbage.read_to_end(&mut answer).await;
    assert!(answer.is_empty() || answer.starts_with(b"HTTP/1.1 400"), "{}", String::from_utf8_lossy(&answer));

    // What was sent before the end is still written.
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let id = fresh();
    let datagram = format!("{{\"format\":\"json\",\"version\":1}}\n{}", document(&id, "aaaaaaaaaaaaaaaa", ""));
    socket.send_to(datagram.as_bytes(), sandbox.daemon).await.unwrap();
    drop(sandbox.shared);
    tokio::time::timeout(Duration::from_secs(10), sandbox.whole.stop()).await.expect("it stops");
    let again = Sandbox::start_on(place).await;
    let client = again.client();
    let traces = client.batch_get_traces().trace_ids(&id).send().await.unwrap();
    assert_eq!(traces.traces().len(), 1);
}

#[tokio::test]
async fn a_burst_of_datagrams_arrives_whole() {
    let sandbox = Sandbox::start().await;
    let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let id = fresh();
    for number in 0..60 {
        let datagram = format!("{{\"format\": \"json\", \"version\": 1}}\n{}", document(&id, &format!("{number:016x}"), ""));
        socket.send_to(datagram.as_bytes(), sandbox.daemon).await.unwrap();
    }
    assert_eq!(sandbox.settle(&id, 60).await.len(), 60);
}
