use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::sandbox::store::{Place, Store};
use crate::sandbox::{Addresses, Keys, TABLES, cloudwatch, honeycomb, otlp, rollbar, status, xray};

const TRACE: &str = "4efaaf4d1e8720b39541901950019ee5";
const XRAY: &str = "1-4efaaf4d-1e8720b39541901950019ee5";
const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/xray/aws4_request, SignedHeaders=host, Signature=00";

fn sandbox() -> (Shared, Identity) {
    let shared = Shared { store: Store::open(&Place::Memory, &TABLES).unwrap(), keys: Keys::default().into() };
    let addresses = Addresses { ips: vec![Ipv4Addr::LOCALHOST.into()], http: 4318, grpc: 4317, daemon: 2000 };
    (shared, Identity { addresses, started_ms: 1_700_000_000_000 })
}

fn request(method: Method, target: &str, headers: &[(&'static str, &str)], body: impl Into<Bytes>) -> wire::Request {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let headers: HeaderMap =
        headers.iter().map(|(name, value)| ((*name).parse().unwrap(), HeaderValue::from_str(value).unwrap())).collect();
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    wire::Request { method, path: path.to_owned(), query: query.to_owned(), headers, body: body.into(), peer }
}

async fn ask((shared, identity): &(Shared, Identity), target: &str) -> (u16, String, HeaderMap) {
    let answer = status::handle(shared, identity, &request(Method::GET, target, &[], "")).await;
    (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap(), answer.headers().clone())
}

async fn page(sandbox: &(Shared, Identity), path: &str) -> String {
    let (status, text, _) = ask(sandbox, &format!("{PATH}{path}")).await;
    assert_eq!(status, 200, "{path}: {text}");
    text
}

/// Texts that a service sends, one for each place.
struct Texts<'a> {
    name: &'a str,
    key: &'a str,
    value: &'a str,
}

impl Texts<'_> {
    const PLAIN: Texts<'static> = Texts { name: "GET /api/activities/home", key: "app.user", value: "ada" };
}

async fn spans(shared: &Shared, dataset: &str, spans: Value) {
    let headers = [("content-type", "application/json"), ("x-honeycomb-team", shared.keys.honeycomb_ingest.as_str())];
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": dataset}}]});
    let body = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]});
    let answer = otlp::http::handle(shared, request(Method::POST, "/v1/traces", &headers, body.to_string())).await;
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
}

async fn segments(shared: &Shared, documents: &[Value]) {
    let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
    let body = json!({ "TraceSegmentDocuments": texts }).to_string();
    let answer = xray::handle(shared, request(Method::POST, "/TraceSegments", &[("authorization", SIGNED)], body)).await;
    let body: Value = serde_json::from_slice(answer.body()).unwrap();
    assert_eq!(body["UnprocessedTraceSegments"], json!([]));
}

async fn logs(shared: &Shared, operation: &str, input: Value) {
    let target = format!("Logs_20140328.{operation}");
    let headers = [("authorization", SIGNED), ("x-amz-target", target.as_str())];
    let answer = cloudwatch::handle(shared, request(Method::POST, "/", &headers, input.to_string())).await;
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
}

async fn occurrence(shared: &Shared, data: Value) {
    let headers = [("x-rollbar-access-token", shared.keys.rollbar_post.as_str())];
    let answer =
        rollbar::handle(shared, request(Method::POST, "/api/1/item/", &headers, json!({ "data": data }).to_string())).await;
    assert_eq!(answer.status(), 200, "{:?}", answer.body());
}

/// One request as all four vendors hear of it, and one more that is refused.
async fn filled(texts: &Texts<'_>) -> (Shared, Identity) {
    let sandbox = sandbox();
    let shared = &sandbox.0;
    let Texts { name, key, value } = texts;
    let attributes =
        json!([{"key": key, "value": {"stringValue": value}}, {"key": "http.response.status_code", "value": {"intValue": 200}}]);
    let event = json!({"name": name, "timeUnixNano": "1700000000000500000", "attributes": attributes});
    let root = json!({"traceId": TRACE, "spanId": "aaaaaaaaaaaaaaaa", "name": name, "kind": 2, "attributes": attributes, "events": [event],
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000008000000"});
    let inner = json!({"traceId": TRACE, "spanId": "bbbbbbbbbbbbbbbb", "parentSpanId": "aaaaaaaaaaaaaaaa", "name": name, "kind": 1,
        "startTimeUnixNano": "1700000000002000000", "endTimeUnixNano": "1700000000004000000", "status": {"code": 2, "message": value}});
    spans(shared, "cruddur", json!([root])).await;
    spans(shared, value, json!([inner])).await;
    let http = json!({"request": {"method": "GET", "url": format!("http://x/{value}"), "user_agent": value}, "response": {"status": 200}});
    let below = json!({"id": "cccccccccccccccc", "name": "mock-data", "start_time": 1_700_000_000.001, "end_time": 1_700_000_000.002,
        "annotations": {"who": value}, "metadata": {"default": {"found": value, "more": [value, 1]}}});
    segments(
        shared,
        &[json!({"trace_id": XRAY, "id": "dddddddddddddddd", "name": "cruddur", "start_time": 1_700_000_000.0,
            "end_time": 1_700_000_000.008, "http": http, "user": value, "subsegments": [below]})],
    )
    .await;
    logs(shared, "CreateLogGroup", json!({"logGroupName": "/cruddur/backend"})).await;
    logs(shared, "CreateLogStream", json!({"logGroupName": "/cruddur/backend", "logStreamName": "one & two"})).await;
    let events = json!([{"timestamp": crate::sandbox::now_ms(), "message": format!("said {value}")}]);
    logs(shared, "PutLogEvents", json!({"logGroupName": "/cruddur/backend", "logStreamName": "one & two", "logEvents": events}))
        .await;
    let frame = json!({"filename": format!("src/{value}.rs"), "lineno": 7, "method": name, "code": value});
    occurrence(
        shared,
        json!({"environment": "production", "level": "error", "framework": "axum", "timestamp": 1_700_000_000,
            "body": {"trace": {"exception": {"class": "Panic", "message": value}, "frames": [frame]}},
            "request": {"url": "http://x/rollbar/test", "method": "GET", "headers": {"Authorization": "Bearer swordfish", "Accept": value}},
            "custom": {"note": value}}),
    )
    .await;
    let unknown = [("x-honeycomb-team", "x"), ("content-type", "application/json")];
    let answer = otlp::http::handle(shared, request(Method::POST, "/v1/traces", &unknown, "{}")).await;
    assert!(answer.status().is_client_error());
    sandbox
}

/// Every page that there is of a filled sandbox.
const PAGES: [&str; 10] = [
    "",
    "/traces",
    "/trace/4efaaf4d1e8720b39541901950019ee5",
    "/trace/1-4efaaf4d-1e8720b39541901950019ee5",
    "/logs",
    "/logs?group=%2Fcruddur%2Fbackend",
    "/logs/events?group=%2Fcruddur%2Fbackend",
    "/logs/events?group=%2Fcruddur%2Fbackend&stream=one+%26+two",
    "/items",
    "/item/1",
];

/// The elements of a page in their order, each with the names of its attributes: all that a reader of markup sees but the
/// texts. Panics where elements are not closed in the order in which they were opened.
fn skeleton(page: &str) -> Vec<String> {
    const VOID: [&str; 3] = ["meta", "!DOCTYPE", "br"];
    let (mut found, mut open, mut rest) = (Vec::new(), Vec::new(), page);
    while let Some(at) = rest.find('<') {
        rest = &rest[at + 1..];
        let (mut quoted, mut end) = (false, rest.len());
        for (index, letter) in rest.char_indices() {
            match letter {
                '"' => quoted = !quoted,
                '>' if !quoted => {
                    end = index;
                    break;
                }
                '<' => panic!("an element within an element: {}", &rest[..index]),
                _ => {}
            }
        }
        let element = &rest[..end];
        rest = &rest[(end + 1).min(rest.len())..];
        if let Some(name) = element.strip_prefix('/') {
            assert_eq!(open.pop(), Some(name), "{page}");
            continue;
        }
        let unquoted: String = element.split('"').step_by(2).collect();
        // A browser takes the first of two attributes of one name, and drops the other.
        let mut names: Vec<&str> = unquoted.split(' ').collect();
        names.sort_unstable();
        assert!(names.windows(2).all(|pair| pair[0] != pair[1]), "{element}");
        let name = element.split(' ').next().unwrap();
        if !VOID.contains(&name) {
            open.push(name);
        }
        found.push(unquoted);
    }
    assert!(open.is_empty(), "{open:?}");
    found
}

#[tokio::test]
async fn the_overview_tells_what_came_in_and_what_was_refused() {
    let sandbox = filled(&Texts::PLAIN).await;
    let page = page(&sandbox, "").await;
    for part in [
        "http://127.0.0.1:4318",
        "127.0.0.1:2000",
        "3 Honeycomb events, 1 X-Ray traces, 1 log groups, 1 Rollbar items, 1 refused requests",
        "GET /api/activities/home</a>",
        "ada, cruddur",
        "/cruddur/backend</a>",
        "Panic: ada</a>",
        "unknown-key",
    ] {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(page.contains("http-equiv=\"refresh\""));
    assert!(!super::tests::page(&sandbox, "?live=off").await.contains("http-equiv=\"refresh\""));
}

#[tokio::test]
async fn a_trace_is_one_row_and_one_page_in_both_worlds() {
    let sandbox = filled(&Texts::PLAIN).await;
    let list = page(&sandbox, "/traces").await;
    let path = trace_path(&TRACE.parse().unwrap());
    assert_eq!(list.matches(&format!("href=\"{path}\"")).count(), 1, "{list}");
    assert!(list.contains("<td class=\"n\">2</td><td class=\"n\">1</td><td class=\"n\">8.00 ms</td>"), "{list}");
    let (status, by_path, _) = ask(&sandbox, &path).await;
    assert_eq!(status, 200);
    for other in [XRAY, &TRACE.to_uppercase()] {
        assert!(page(&sandbox, &format!("/trace/{other}")).await.ends_with(by_path.split_once("<main").unwrap().1), "{other}");
    }
    for part in [
        "2 spans, 1 span event or link in ada, cruddur",
        "1 segment and 1 subsegment",
        // The inner span begins a quarter in and takes another one: nanoseconds, not Honeycomb's milliseconds.
        "<rect class=\"wrong\" x=\"25.00%\" width=\"25.00%\"",
        "Annotations",
        "default.found",
        "response.status",
        "Span event",
    ] {
        assert!(by_path.contains(part), "{part} in {by_path}");
    }
}

#[tokio::test]
async fn a_trace_of_one_vendor_says_what_the_other_lacks() {
    let sandbox = sandbox();
    let event = json!([{"data": {"name": "a", "trace.trace_id": "../<x>", "trace.span_id": "1", "duration_ms": 2.5}}]);
    let headers = [("x-honeycomb-team", sandbox.0.keys.honeycomb_ingest.as_str())];
    let sent = honeycomb::handle(&sandbox.0, request(Method::POST, "/1/batch/own", &headers, event.to_string())).await;
    assert_eq!(sent.status(), 200);
    segments(
        &sandbox.0,
        &[json!({"trace_id": XRAY, "id": "dddddddddddddddd", "name": "alone", "start_time": 1.7e9, "in_progress": true})],
    )
    .await;
    let list = page(&sandbox, "/traces").await;
    assert!(list.contains("href=\"/_bootcamp/console/trace?id=..%2F%3Cx%3E\"") && list.contains("alone (in progress)"), "{list}");
    let own = page(&sandbox, "/trace?id=..%2F%3Cx%3E").await;
    assert!(own.contains("../&lt;x&gt;") && own.contains("X-Ray has no segment of this trace"), "{own}");
    let alone = page(&sandbox, &format!("/trace/{TRACE}")).await;
    assert!(alone.contains("Honeycomb has no span of this trace") && alone.contains("in progress"), "{alone}");
}

#[tokio::test]
async fn what_was_not_looked_through_is_not_counted_as_none() {
    let sandbox = filled(&Texts::PLAIN).await;
    let later = json!([{"traceId": "5".repeat(32), "spanId": "5555555555555555", "name": "later", "startTimeUnixNano": "1600000000000000000",
        "endTimeUnixNano": "1600000000000000000"}]);
    for _ in 0..501 {
        spans(&sandbox.0, "later", later.clone()).await;
    }
    let list = page(&sandbox, "/traces").await;
    assert!(list.contains("<td class=\"n\">–</td><td class=\"n\">1</td>"), "{list}");
    assert!(
        list.contains("<td class=\"n\">500</td><td class=\"n\">0</td>") && list.contains("Older ones are not listed"),
        "{list}"
    );
    assert!(page(&sandbox, PAGES[2]).await.contains("2 spans, "));
}

#[tokio::test]
async fn lines_come_newest_first_a_page_at_a_time() {
    let sandbox = filled(&Texts::PLAIN).await;
    let now = crate::sandbox::now_ms();
    let events: Vec<Value> =
        (0..ROWS as i64 + 50).map(|n| json!({"timestamp": now + n, "message": format!("line {n}.")})).collect();
    logs(&sandbox.0, "CreateLogStream", json!({"logGroupName": "/cruddur/backend", "logStreamName": "many"})).await;
    logs(&sandbox.0, "PutLogEvents", json!({"logGroupName": "/cruddur/backend", "logStreamName": "many", "logEvents": events}))
        .await;
    let first = page(&sandbox, "/logs/events?group=%2Fcruddur%2Fbackend&stream=many").await;
    assert_eq!(first.matches("line ").count(), ROWS);
    assert!(first.find("line 249.").unwrap() < first.find("line 50.").unwrap() && !first.contains("line 49."));
    let older = first.split("href=\"").find_map(|part| part.strip_prefix(PATH)?.split_once("\" rel=\"next\"")).unwrap().0;
    let second = page(&sandbox, &older.replace("&amp;", "&")).await;
    assert_eq!(second.matches("line ").count(), 50);
    assert!(second.contains("line 49.") && !second.contains("line 50.") && !second.contains("rel=\"next\""));
    // Of all streams, with the stream's name beside each.
    let all = page(&sandbox, "/logs/events?group=%2Fcruddur%2Fbackend").await;
    assert!(all.contains("stream=many"));
    assert!(page(&sandbox, "/logs?group=%2Fcruddur%2Fbackend").await.contains("one &amp; two</a>"));
}

#[tokio::test]
async fn an_item_shows_its_frames_and_its_request_without_credentials() {
    let sandbox = filled(&Texts::PLAIN).await;
    let item = page(&sandbox, "/item/1").await;
    for part in ["#1 Panic: ada", "src/ada.rs", "headers.Accept", "http://x/rollbar/test", "custom.note", "production"] {
        assert!(item.contains(part), "{part} in {item}");
    }
    assert!(item.contains("‹hidden›") && !item.contains("swordfish"));
}

#[tokio::test]
async fn no_page_shows_a_key() {
    let keys = Keys::default();
    let value = format!("{} x-honeycomb-team=swordfish {}", keys.honeycomb_ingest, keys.rollbar_post);
    let sandbox = filled(&Texts { name: &value, key: "http.request.header.authorization", value: &value }).await;
    for path in PAGES {
        let page = page(&sandbox, path).await;
        assert!(
            !page.contains("swordfish") && !page.contains(&keys.honeycomb_ingest) && !page.contains(&keys.rollbar_post),
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_script_is_text() {
    let script = "<script>alert(1)</script>\"'><img src=x onerror=y>";
    let sandbox = filled(&Texts { name: script, key: script, value: script }).await;
    for path in PAGES {
        let page = page(&sandbox, path).await;
        assert!(!page.contains("<script") && !page.contains("<img"), "{path}: {page}");
        skeleton(&page);
    }
    let trace = page(&sandbox, PAGES[2]).await;
    assert!(trace.contains("&lt;script&gt;alert(1)&lt;/script&gt;&quot;'&gt;&lt;img"), "{trace}");
}

#[tokio::test]
async fn pages_allow_nothing_but_their_stylesheet() {
    let sandbox = filled(&Texts::PLAIN).await;
    for path in PAGES.into_iter().chain(["/nowhere"]) {
        let (_, page, headers) = ask(&sandbox, &format!("{PATH}{path}")).await;
        assert_eq!(headers["content-type"], "text/html; charset=utf-8");
        let policy = headers["content-security-policy"].to_str().unwrap();
        let style = page.split_once("<style>").unwrap().1.split_once("</style>").unwrap().0;
        let hash = otlp::base64(&<sha2::Sha256 as sha2::Digest>::digest(style));
        assert!(policy.starts_with(&format!("default-src 'none'; style-src 'sha256-{hash}';")), "{policy}");
        assert!(!headers.keys().any(|name| name.as_str().starts_with("access-control")));
        // What a policy of hashes would not let through, or would fetch.
        for part in [" style=", " src=", "<link", "<form", "url(", "@import"] {
            assert!(!page.contains(part), "{path}: {part}");
        }
    }
}

#[tokio::test]
async fn what_is_not_there_has_a_page_with_a_way_back() {
    let sandbox = filled(&Texts::PLAIN).await;
    for path in [
        "/nowhere",
        "/trace",
        "/trace/",
        "/trace/x",
        "/trace/00000000000000000000000000000001",
        "/trace/%ff%00",
        "/item/2",
        "/item/x",
        "/item/99999999999999999999",
        "/logs?group=x",
        "/logs/events",
        "/logs/events?group=x",
        "/logs/events?group=%2Fcruddur%2Fbackend&stream=x",
        "/logs/events?group=%2Fcruddur%2Fbackend&before=x",
    ] {
        let (status, page, _) = ask(&sandbox, &format!("{PATH}{path}")).await;
        assert_eq!(status, 404, "{path}");
        assert!(page.contains("href=\"/_bootcamp/console\">Back to the overview</a>"), "{path}");
    }
    let (status, page, _) = ask(&sandbox, "/_bootcamp/consoles").await;
    assert_eq!((status, page.as_str()), (404, "there is no such page\n"));
    let answer = status::handle(&sandbox.0, &sandbox.1, &request(Method::POST, PATH, &[], "")).await;
    assert_eq!(answer.status(), 405);
}

#[tokio::test]
async fn an_empty_sandbox_says_how_it_is_filled() {
    let sandbox = sandbox();
    for (path, part) in
        [("/traces", "No trace has come in yet"), ("/logs", "no log group yet"), ("/items", "no item yet"), ("/", "Overview")]
    {
        assert!(page(&sandbox, path).await.contains(part), "{path}");
    }
}

#[tokio::test]
async fn much_is_bounded() {
    let sandbox = sandbox();
    let long = "x".repeat(30_000);
    let many: Vec<Value> = (0..600)
        .map(|n| {
            json!({"traceId": format!("{n:032x}"), "spanId": format!("{n:016x}"), "name": long, "startTimeUnixNano": "1700000000000000000",
                "endTimeUnixNano": "1700000000000000001"})
        })
        .collect();
    spans(&sandbox.0, "many", many[..ROWS + 20].into()).await;
    let list = page(&sandbox, "/traces").await;
    assert_eq!(list.matches("<tr>").count(), ROWS + 1);
    assert!(list.contains("Older ones are not listed") && list.len() < 400_000, "{}", list.len());
    let one: Vec<Value> = (0..600)
        .map(|n| {
            json!({"traceId": TRACE, "spanId": format!("{n:016x}"), "name": "n", "startTimeUnixNano": "1", "endTimeUnixNano": "2",
                "attributes": (0..50).map(|k| json!({"key": format!("k{k}"), "value": {"stringValue": &long[..300]}})).collect::<Vec<_>>()})
        })
        .collect();
    spans(&sandbox.0, "one", one.into()).await;
    let trace = page(&sandbox, &format!("/trace/{TRACE}")).await;
    assert_eq!(trace.matches("<li><details>").count(), ROWS);
    assert!(trace.contains("Of 600 only the first 200 are shown") && trace.contains("this page is long enough"));
    assert!(trace.len() < 1_500_000, "{}", trace.len());
    skeleton(&trace);
}

fn run<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// Whatever the texts are, the pages are of the same elements: no `<` of a text begins one, no quotation mark ends an attribute.
    #[test]
    fn texts_never_become_markup(name in "[<>&\"'/=a-z!-]{1,16}", key in "[<>&\"' a-z]{1,12}", value in "[<>&\"'\\\\a-z\u{1}-\u{1f}ä‹☃]{1,20}") {
        // A blank or a hidden one is shown in another way.
        let (name, key, value) = (format!("n{name}"), format!("zz{key}"), format!("v{value}"));
        let (skeletons, plain) = run(async {
            let (hostile, plain) = (filled(&Texts { name: &name, key: &key, value: &value }).await, filled(&Texts::PLAIN).await);
            let mut both = (Vec::new(), Vec::new());
            for path in PAGES {
                both.0.push(skeleton(&page(&hostile, path).await));
                both.1.push(skeleton(&page(&plain, path).await));
            }
            both
        });
        prop_assert_eq!(skeletons, plain);
    }

    #[test]
    fn any_address_is_answered(path in "[/a-z0-9%<\"-]{0,24}|/(trace|item|logs)/\\PC{0,40}", query in "(group|stream|before|id|live)=\\PC{0,20}|\\PC{0,20}") {
        let (status, page) = run(async {
            let sandbox = sandbox();
            let path = format!("{PATH}/{path}");
            let answer = handle(&sandbox.0, &sandbox.1, &request(Method::GET, &format!("{path}?{query}"), &[], "")).await;
            (answer.status().as_u16(), String::from_utf8(answer.body().to_vec()).unwrap())
        });
        prop_assert!(matches!(status, 200 | 404));
        skeleton(&page);
    }
}
