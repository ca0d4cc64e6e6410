//@ file since reference
//! What arrives at the vendors.

use std::time::{Duration, Instant};

use opentelemetry_proto::tonic::trace::v1::{span::SpanKind, status::StatusCode};
use serde_json::json;

use crate::{
    fakes::{Vendors, attribute, integer, text},
    process::{Probe, Service, command},
};

/// The longest that the service may take to stop, with some allowance for a busy machine.
const STOPS_WITHIN: Duration = Duration::from_millis(2500);

fn hex(bytes: &[u8]) -> String {
    let digits = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from_digit(digit.into(), 16));
    bytes.iter().flat_map(digits).flatten().collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_request_is_one_trace_for_all_vendors() {
    let vendors = Vendors::start().await;
    let mut service = Service::start(vendors.variables()).await;
    let probe = Probe::new();
    let answer = probe
        .get(&service, "/api/activities/home?bootcamp=n0nce")
        .await;
    assert_eq!(answer.status(), 200);
    probe.get(&service, "/api/health").await;
    let (status, took) = service.stop().await;
    assert!(status.success() && took < STOPS_WITHIN, "{status} {took:?}");

    // Honeycomb
    let server = vendors.span("GET /api/activities/home");
    assert_eq!(hex(&server.trace_id), probe.trace_id);
    assert_eq!(hex(&server.parent_span_id), probe.parent);
    assert_eq!(server.kind(), SpanKind::Server);
    for (key, value) in [
        ("http.request.method", text("GET")),
        ("http.route", text("/api/activities/home")),
        ("http.response.status_code", integer(200)),
        ("url.path", text("/api/activities/home")),
        ("url.query", text("bootcamp=n0nce")),
        ("url.scheme", text("http")),
        ("app.user_id", text("ada")),
    ] {
        assert_eq!(attribute(&server, key), Some(value), "{key}");
    }
    let capture = vendors.span("activities_home");
    assert_eq!(capture.parent_span_id, server.span_id);
    let mock_data = vendors.span("home-activities-mock-data");
    assert_eq!(mock_data.parent_span_id, capture.span_id);
    assert_eq!(attribute(&mock_data, "app.result_length"), Some(integer(3)));
    assert!(attribute(&mock_data, "app.now").is_some());
    assert_eq!(vendors.spans().len(), 3, "the health check is not traced");

    // X-Ray
    let segment = vendors.segment("cruddur-backend");
    assert_eq!(segment["trace_id"], probe.root());
    assert_eq!(segment["id"], hex(&server.span_id));
    assert_eq!(segment["parent_id"], probe.parent);
    assert_eq!(segment["http"]["request"]["method"], "GET");
    let url = segment["http"]["request"]["url"].as_str().unwrap();
    assert!(
        url.ends_with("/api/activities/home?bootcamp=n0nce"),
        "{url}"
    );
    assert_eq!(segment["http"]["response"]["status"], 200);
    let subsegment = vendors.segment("activities_home");
    assert_eq!(subsegment["type"], "subsegment");
    assert_eq!(subsegment["parent_id"], segment["id"]);
    assert_eq!(subsegment["annotations"], json!({ "user_id": "ada" }));

    // CloudWatch Logs
    let lines = vendors.lines();
    assert!(
        lines[0].contains("listening on http://"),
        "the first line is kept: {lines:?}"
    );
    let access = " 127.0.0.1 GET http /api/activities/home?bootcamp=n0nce 200";
    let access = lines.iter().find(|line| line.ends_with(access)).unwrap();
    assert!(chrono::NaiveDateTime::parse_from_str(&access[..19], "[%Y-%b-%d %H:%M]").is_ok());
    let hello = "HomeActivities: Hello Cloudwatch! from /api/activities/home";
    assert!(lines.iter().any(|line| line.ends_with(hello)), "{lines:?}");
    assert!(
        !lines.iter().any(|line| line.contains("/api/health")),
        "{lines:?}"
    );

    // The console
    let printed = service.stdout();
    let span = printed
        .iter()
        .find(|line| line.contains("home-activities-mock-data"));
    assert!(span.unwrap().contains(&probe.trace_id));
    assert!(printed.iter().any(|line| line == access));
}

#[tokio::test(flavor = "multi_thread")]
async fn each_capture_has_its_name_and_what_it_found() {
    let vendors = Vendors::start().await;
    let mut service = Service::start(vendors.variables()).await;
    let probe = Probe::new();
    probe.get(&service, "/api/activities/@ada").await;
    probe.get(&service, "/api/activities/notifications").await;
    let unknown = format!("/api/activities/{}", uuid::Uuid::new_v4());
    assert_eq!(probe.get(&service, &unknown).await.status(), 404);
    assert_eq!(probe.get(&service, "/nowhere?at=all").await.status(), 404);
    service.stop().await;

    let mock_data = vendors.segment("mock-data");
    assert_eq!(
        mock_data["parent_id"],
        vendors.segment("activities_users")["id"]
    );
    assert_eq!(mock_data["metadata"]["results-size"], 1);
    assert!(mock_data["metadata"]["now"].is_string());
    vendors.segment("activities_show");

    let notifications = vendors.span("notifications-activities-mock-data");
    assert_eq!(
        attribute(&notifications, "app.result_length"),
        Some(integer(1))
    );
    let nowhere = vendors.span("GET");
    assert_eq!(hex(&nowhere.trace_id), probe.trace_id);
    assert_eq!(
        attribute(&nowhere, "http.response.status_code"),
        Some(integer(404))
    );
    assert_eq!(attribute(&nowhere, "url.query"), Some(text("at=all")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_trace_is_continued_from_either_header() {
    let vendors = Vendors::start().await;
    let mut service = Service::start(vendors.variables()).await;
    let url = service.printed("listening").await;
    let url = format!(
        "{}/api/activities/home",
        &url[url.find("http://").unwrap()..]
    );
    let (w3c, aws) = (Probe::new(), Probe::new());
    let http = reqwest::Client::new();
    let request = http.get(&url).header(
        "traceparent",
        format!("00-{}-{}-01", w3c.trace_id, w3c.parent),
    );
    request.send().await.unwrap();
    let request = http.get(&url).header(
        "x-amzn-trace-id",
        format!("Root={};Parent={}", aws.root(), aws.parent),
    );
    request.send().await.unwrap();
    http.get(&url).send().await.unwrap();
    service.stop().await;

    let servers: Vec<_> = vendors
        .spans()
        .into_iter()
        .filter(|span| span.kind() == SpanKind::Server)
        .map(|span| hex(&span.trace_id))
        .collect();
    assert_eq!(servers[..2], [w3c.trace_id, aws.trace_id]);
    let of_its_own = u32::from_str_radix(&servers[2][..8], 16).unwrap();
    let now = chrono::Utc::now().timestamp();
    assert!(
        (now - i64::from(of_its_own)).abs() < 60,
        "X-Ray wants the time in the id"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn an_outgoing_request_is_a_client_span_and_carries_the_trace() {
    let vendors = Vendors::start().await;
    let mut variables = vendors.variables();
    variables.insert("BACKEND_URL", format!("http://{}", vendors.http));
    let mut service = Service::start(variables).await;
    let probe = Probe::new();
    let answer = probe.get(&service, "/api/reachability").await;
    let url = format!("http://{}/api/health", vendors.http);
    assert_eq!(
        answer.json::<serde_json::Value>().await.unwrap(),
        json!({ "url": url, "reachable": true, "status": 200 })
    );
    service.stop().await;

    let spans = vendors.spans();
    let client = spans
        .iter()
        .find(|span| span.kind() == SpanKind::Client)
        .unwrap();
    let server = vendors.span("GET /api/reachability");
    assert_eq!(client.parent_span_id, server.span_id);
    for (key, value) in [
        ("http.request.method", text("GET")),
        ("url.full", text(&url)),
        ("server.address", text("127.0.0.1")),
        ("server.port", integer(vendors.http.port().into())),
        ("http.response.status_code", integer(200)),
    ] {
        assert_eq!(attribute(client, key), Some(value), "{key}");
    }
    let sent = format!("00-{}-{}-01", probe.trace_id, hex(&client.span_id));
    assert_eq!(vendors.others()[0]["traceparent"], sent.as_str());
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_at_the_other_end_is_an_answer_too() {
    // A port that was free a moment ago.
    let port = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let backend = format!("http://127.0.0.1:{port}");
    let service = Service::start([("BACKEND_URL", &backend)]).await;
    let answer = Probe::new().get(&service, "/api/reachability").await;
    assert_eq!(answer.status(), 200);
    assert_eq!(
        answer.json::<serde_json::Value>().await.unwrap(),
        json!({ "url": format!("{backend}/api/health"), "reachable": false, "status": null })
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn rollbar_gets_the_message_and_the_panic_with_its_stack() {
    let vendors = Vendors::start().await;
    let mut service = Service::start(vendors.variables()).await;
    let probe = Probe::new();
    probe.get(&service, "/rollbar/test?x=1").await;
    assert_eq!(
        probe.get(&service, "/rollbar/error?x=2").await.status(),
        500
    );
    // The first stack takes a while to resolve.
    for _ in 0..500 {
        if vendors.items().len() == 2 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    service.stop().await;

    let items = vendors.items();
    let [message, error] = items.as_slice() else {
        panic!("two items are expected: {items:?}");
    };
    for item in [message, error] {
        let data = &item["data"];
        assert_eq!(data["environment"], "production");
        assert_eq!(data["language"], "rust");
        assert_eq!(data["framework"], "axum");
        assert_eq!(data["request"]["method"], "GET");
        assert_eq!(data["request"]["user_ip"], "127.0.0.1");
        let traceparent = format!("00-{}-{}-01", probe.trace_id, probe.parent);
        assert_eq!(data["request"]["headers"]["traceparent"], traceparent);
        assert_eq!(data["request"]["headers"]["authorization"], "********");
        assert!(!item.to_string().contains("s3cret"));
    }

    assert_eq!(message["data"]["level"], "warning");
    assert_eq!(message["data"]["body"]["message"]["body"], "Hello World!");
    let url = message["data"]["request"]["url"].as_str().unwrap();
    assert!(url.ends_with("/rollbar/test?x=1"), "{url}");

    assert_eq!(error["data"]["level"], "error");
    assert_eq!(error["data"]["context"], "GET /rollbar/error");
    assert_eq!(error["data"]["request"]["query_string"], "x=2");
    let trace = &error["data"]["body"]["trace"];
    assert_eq!(trace["exception"]["class"], "panic");
    assert_eq!(
        trace["exception"]["message"],
        "everybody has at least one bookmark"
    );
    let frames = trace["frames"].as_array().unwrap();
    assert!(frames.len() > 1, "more than the place alone: {frames:?}");
    let last = frames.last().unwrap();
    assert_eq!(last["filename"], "src/routes/rollbar.rs");
    assert!(last["lineno"].as_u64().unwrap() > 0);

    let span = vendors.span("GET /rollbar/error");
    assert_eq!(span.status.unwrap().code(), StatusCode::Error);
    assert_eq!(span.events[0].name, "exception");
    let segments = vendors.segments();
    assert!(
        segments.iter().any(|segment| segment["fault"] == true),
        "{segments:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn errors_only_means_access_lines_of_other_responses_than_200() {
    let vendors = Vendors::start().await;
    let mut variables = vendors.variables();
    variables.insert("CLOUDWATCH_LOGS", "errors".to_owned());
    let mut service = Service::start(variables).await;
    let probe = Probe::new();
    for path in ["/api/activities/home", "/nowhere", "/api/activities/@"] {
        probe.get(&service, path).await;
    }
    service.stop().await;
    let lines = vendors.lines();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(lines[0].ends_with("GET http /nowhere 404"));
    assert!(lines[1].ends_with("GET http /api/activities/@ 422"));
}

#[tokio::test(flavor = "multi_thread")]
async fn off_asks_nothing_of_cloudwatch() {
    let vendors = Vendors::start().await;
    let mut variables = vendors.variables();
    variables.insert("CLOUDWATCH_LOGS", "off".to_owned());
    let mut service = Service::start(variables).await;
    Probe::new().get(&service, "/nowhere").await;
    service.stop().await;
    assert_eq!(vendors.operations(), [""; 0]);
    vendors.span("GET");
}

#[test]
fn a_switch_that_does_not_exist_ends_the_start() {
    let output = command([("CLOUDWATCH_LOGS", "some")]).output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        "error: `CLOUDWATCH_LOGS` is `some`; use `all`, `errors` or `off`\n"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_vendor_s_variable_the_service_warns_and_goes_on() {
    let service = Service::start([
        ("OTEL_EXPORTER_OTLP_ENDPOINT", ""),
        ("AWS_ENDPOINT_URL", ""),
        ("ROLLBAR_ENDPOINT", ""),
    ])
    .await;
    for variable in [
        "OTEL_SERVICE_NAME",
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "AWS_XRAY_DAEMON_ADDRESS",
        "AWS_DEFAULT_REGION",
        "ROLLBAR_ACCESS_TOKEN",
    ] {
        let warnings = service.stdout();
        let warnings = warnings.iter().filter(|line| line.starts_with("WARN"));
        assert_eq!(
            warnings.filter(|line| line.contains(variable)).count(),
            1,
            "{variable}"
        );
    }
    assert_eq!(
        Probe::new()
            .get(&service, "/api/activities/home")
            .await
            .status(),
        200
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn vendors_that_never_answer_slow_nothing_down() {
    // Connections are taken by the system, and nobody ever reads from them.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = silent.local_addr().unwrap();
    let mut variables = Vendors::start().await.variables();
    for variable in [
        "OTEL_EXPORTER_OTLP_ENDPOINT",
        "AWS_ENDPOINT_URL",
        "ROLLBAR_ENDPOINT",
    ] {
        variables.insert(variable, format!("http://{address}"));
    }
    variables.insert("AWS_XRAY_DAEMON_ADDRESS", "nobody.invalid:2000".to_owned());

    let started = Instant::now();
    let mut service = Service::start(variables).await;
    assert!(
        started.elapsed() < Duration::from_secs(1),
        "{:?}",
        started.elapsed()
    );
    let probe = Probe::new();
    for path in ["/api/activities/home", "/rollbar/test", "/rollbar/error"] {
        let asked = Instant::now();
        probe.get(&service, path).await;
        assert!(
            asked.elapsed() < Duration::from_millis(500),
            "{:?}",
            asked.elapsed()
        );
    }
    let (status, took) = service.stop().await;
    assert!(status.success() && took < STOPS_WITHIN, "{status} {took:?}");
}
