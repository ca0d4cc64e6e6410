//! The two halves meet: our clients for the vendors ask the embedded vendors, which took what a service would send.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bootcamp::facts::{Level, Secret, TraceId};
use bootcamp::sandbox::{Ports, Sandbox, Settings};
use bootcamp::vendor::{aws, cloudwatch, honeycomb, http_client, rollbar, xray};
use serde_json::{Value, json};

/// What all nonces of this run begin with, in a query as a probe has it.
const NONCE: &str = "5f3a9c0d1e2b";

struct Meeting {
    sandbox: Sandbox,
    base: String,
    http: reqwest::Client,
    now_ms: i64,
    /// The probe's trace, and one that the service began by itself.
    ours: TraceId,
    stray: TraceId,
}

impl Meeting {
    async fn arrange() -> Self {
        let sandbox = Sandbox::bind(Settings { ports: Ports::free(), ..Settings::default() }).await.unwrap();
        let now_ms = bootcamp::sandbox::now_ms();
        let second = u32::try_from(now_ms / 1000).unwrap();
        Self {
            base: sandbox.addresses().http_url(),
            sandbox,
            http: http_client().unwrap(),
            now_ms,
            ours: TraceId::fresh(second),
            stray: TraceId::fresh(second),
        }
    }

    fn account(&self) -> aws::Account {
        let keys = aws::Keys {
            access_key_id: Secret::new("AKIASANDBOX"),
            secret_access_key: Secret::new("secret"),
            session_token: None,
        };
        aws::Account::new(Some(String::from("us-east-1")), Some(keys)).with_endpoint(&self.base)
    }

    /// A request as AWS's SDKs send it: signed, though nobody looks at the signature.
    async fn aws(&self, service: &str, path: &str, target: Option<&str>, body: &Value) -> Value {
        let credential = format!("AWS4-HMAC-SHA256 Credential=AKIASANDBOX/20260101/us-east-1/{service}/aws4_request");
        let mut request = self.http.post(format!("{}{path}", self.base)).header("authorization", credential).json(body);
        if let Some(target) = target {
            request = request.header("x-amz-target", target).header("content-type", "application/x-amz-json-1.1");
        }
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path} {target:?}");
        answer.json().await.unwrap_or_default()
    }
}

#[tokio::test]
async fn honeycomb_by_query_and_by_key() {
    let meeting = Meeting::arrange().await;
    let keys = meeting.sandbox.shared().keys.clone();
    let client = |key: &str| honeycomb::Client::new(meeting.http.clone(), &meeting.base, Secret::new(key));
    let question = honeycomb::Question {
        service: Some(String::from("cruddur")),
        trace_ids: vec![meeting.ours],
        nonce: NONCE.to_owned(),
        columns: vec![String::from("app.result_length"), String::from("app.nobody_writes_this")],
        since_ms: meeting.now_ms,
    };
    let reader = client(&keys.honeycomb_configuration);
    let empty = reader.observe(&question).await.unwrap();
    assert!(empty.spans.is_empty() && empty.datasets.is_empty());

    let start = i128::from(meeting.now_ms) * 1_000_000;
    let span = |trace: &TraceId, id: &str, query: &str| {
        json!({"traceId": trace.w3c(), "spanId": id, "name": "GET /", "kind": 2, "startTimeUnixNano": start.to_string(),
            "endTimeUnixNano": (start + 1_500_000).to_string(), "status": {"code": 2},
            "attributes": [{"key": "app.result_length", "value": {"intValue": "3"}}, {"key": "url.query", "value": {"stringValue": query}}]})
    };
    let spans = [
        span(&meeting.ours, "00f067aa0ba902b7", "a=1"),
        span(&meeting.stray, "00f067aa0ba902b8", &format!("bootcamp={NONCE}-01")),
        span(&TraceId::fresh(1), "00f067aa0ba902b9", "somebody=else"),
    ];
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "cruddur"}}]});
    let sent = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"scope": {}, "spans": spans}]}]});
    let posted = meeting.http.post(format!("{}/v1/traces", meeting.base)).header("x-honeycomb-team", &keys.honeycomb_ingest);
    assert_eq!(posted.json(&sent).send().await.unwrap().status(), 200);

    let seen = reader.observe(&question).await.unwrap();
    assert_eq!((seen.level, seen.spans.len()), (Level::Exact, 2), "the probe's own, and the one that mentions it: {seen:?}");
    let own = seen.spans.iter().find(|span| span.trace_id == meeting.ours.w3c()).unwrap();
    assert_eq!((own.kind.as_str(), own.status_code, own.dataset.as_str()), ("server", 2, "cruddur"));
    assert_eq!(own.attributes["app.result_length"], json!(3));
    assert!(seen.spans.iter().any(|span| span.trace_id == meeting.stray.w3c() && span.mentions(NONCE)));

    let sender = client(&keys.honeycomb_ingest).observe(&question).await.unwrap_err();
    assert!(!sender.passing && sender.remedy.contains("configuration key"), "{sender:?}");
    let unknown = client("nonsense").observe(&question).await.unwrap_err();
    assert!(!unknown.passing && !format!("{unknown:?}").contains("nonsense"), "{unknown:?}");
}

#[tokio::test]
async fn xray_by_id_by_url_and_by_filter() {
    let meeting = Meeting::arrange().await;
    let client = xray::Client::new(meeting.account());
    let filter = String::from("annotation.user_id = \"ada\"");
    let question = xray::Question {
        trace_ids: vec![meeting.ours],
        nonce: NONCE.to_owned(),
        since_ms: meeting.now_ms,
        traces: true,
        groups: true,
        rules: true,
        graph: true,
        filters: vec![filter.clone()],
    };
    let start = meeting.now_ms as f64 / 1000.0;
    let put = async |trace: &TraceId, query: &str| {
        let document = json!({"trace_id": trace.xray(), "id": "aaaaaaaaaaaaaaaa", "name": "cruddur", "start_time": start, "end_time": start + 0.1,
            "annotations": {"user_id": "ada"}, "http": {"request": {"method": "GET", "url": format!("http://x/?{query}")}, "response": {"status": 200}},
            "subsegments": [{"id": "bbbbbbbbbbbbbbbb", "name": "mock-data", "start_time": start, "end_time": start + 0.01}]});
        meeting.aws("xray", "/TraceSegments", None, &json!({"TraceSegmentDocuments": [document.to_string()]})).await;
    };
    put(&meeting.stray, &format!("bootcamp={NONCE}-01")).await;
    let astray = client.observe(&question).await.unwrap();
    assert_eq!(astray.segments.iter().map(|tree| tree.trace_id.clone()).collect::<Vec<_>>(), [meeting.stray.xray()]);

    put(&meeting.ours, "a=1").await;
    let group = json!({"GroupName": "Cruddur", "FilterExpression": "service(\"cruddur\")"});
    client.create_group(&group).await.unwrap();
    client.create_group(&group).await.expect("one that is there already is left as it is");
    let seen = client.observe(&question).await.unwrap();
    assert_eq!(seen.segments.len(), 1, "with the probe's own trace, nothing else is looked for");
    assert_eq!(seen.segments[0].subsegments[0].name, "mock-data");
    assert!(seen.groups.iter().any(|group| group.name == "Cruddur" && group.filter == "service(\"cruddur\")"));
    assert!(seen.nodes.iter().any(|node| node.name == "cruddur" && node.requests == 2), "{:?}", seen.nodes);
    assert!(seen.filtered[&filter].contains(&meeting.ours.w3c()));

    let wrong = xray::Question { filters: vec![String::from("annotation.user_id = (")], ..question };
    let refused = client.observe(&wrong).await.unwrap_err();
    assert!(!refused.passing && refused.cause.contains("annotation.user_id = ("), "{refused:?}");
}

#[tokio::test]
async fn cloudwatch_here_and_in_another_group() {
    let meeting = Meeting::arrange().await;
    let client = cloudwatch::Client::new(meeting.account());
    let question =
        cloudwatch::Question { groups: vec![String::from("cruddur")], nonce: NONCE.to_owned(), since_ms: meeting.now_ms };
    let none = client.observe(&question).await.unwrap();
    assert!(none.groups.is_empty() && none.events.is_empty(), "a group that is not there is no trouble");

    let logs = async |operation: &str, body: Value| {
        meeting.aws("logs", "/", Some(&format!("Logs_20140328.{operation}")), &body).await;
    };
    let put = async |group: &str, line: &str| {
        let event = json!([{"timestamp": meeting.now_ms, "message": line}]);
        logs("PutLogEvents", json!({"logGroupName": group, "logStreamName": "s", "logEvents": event})).await;
    };
    for group in ["cruddr", "cruddur"] {
        logs("CreateLogGroup", json!({"logGroupName": group})).await;
        logs("CreateLogStream", json!({"logGroupName": group, "logStreamName": "s"})).await;
    }
    put("cruddr", &format!("GET /?bootcamp={NONCE}-01 200")).await;
    let elsewhere = client.observe(&question).await.unwrap();
    assert_eq!(elsewhere.events.iter().map(|event| event.group.as_str()).collect::<Vec<_>>(), ["cruddr"]);
    put("cruddur", &format!("GET /?bootcamp={NONCE}-01 200")).await;
    let here = client.observe(&question).await.unwrap();
    assert_eq!(here.events.iter().map(|event| event.group.as_str()).collect::<Vec<_>>(), ["cruddur"]);
    assert_eq!(here.groups.iter().find(|group| group.name == "cruddur").unwrap().streams, ["s"]);
}

#[tokio::test]
async fn rollbar_with_either_token() {
    let meeting = Meeting::arrange().await;
    let keys = meeting.sandbox.shared().keys.clone();
    let client = |token: &str| rollbar::Client::new(meeting.http.clone(), &meeting.base, Secret::new(token));
    let question = rollbar::Question { since_ms: meeting.now_ms };
    let item = json!({"data": {"environment": "production", "level": "warning", "timestamp": meeting.now_ms / 1000,
        "body": {"message": {"body": "Hello World!"}},
        "request": {"url": format!("http://x/?bootcamp={NONCE}-01"), "headers": {"Traceparent": "00-x"}}}});
    let posted = meeting.http.post(format!("{}/api/1/item/", meeting.base)).header("x-rollbar-access-token", &keys.rollbar_post);
    assert_eq!(posted.json(&item).send().await.unwrap().status(), 200);

    let seen = client(&keys.rollbar_read).observe(&question).await.unwrap();
    let [item] = &seen.items[..] else { panic!("{seen:?}") };
    assert_eq!(
        (item.level.as_str(), item.environment.as_str(), item.message.as_deref()),
        ("warning", "production", Some("Hello World!"))
    );
    assert!(item.mentions(NONCE) && item.request_headers.contains_key("traceparent"));

    let sender = client(&keys.rollbar_post).observe(&question).await.unwrap_err();
    assert!(!sender.passing && sender.remedy.contains("read"), "{sender:?}");
    let unknown = client("abc").observe(&question).await.unwrap_err();
    assert!(!unknown.passing, "{unknown:?}");
}
