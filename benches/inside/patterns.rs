//! What finds a line or a trace: CloudWatch's filter patterns, and X-Ray's filter expressions.

use bootcamp::sandbox::cloudwatch::Pattern;
use bootcamp::sandbox::{now_ms, xray};
use divan::counter::ItemsCount;
use serde_json::{Value, json};

use super::house::{House, post};

const PATTERNS: [&str; 5] = [
    "\"GET /api/activities/home\" 200",
    "?ERROR ?WARN ?panicked",
    "%request=[0-9a-f]{8}%",
    "{ $.status >= 500 || $.path = \"/api/activities/*\" }",
    "[ip, method, path, status = 2*, ms]",
];

const LINES: usize = 1_000;

fn lines() -> Vec<String> {
    (0..LINES)
        .map(|index| match index % 2 {
            0 => format!("127.0.0.1 GET /api/activities/home {} 1.8 request={index:08x}", 200 + index % 7),
            _ => json!({ "level": "INFO", "status": 200 + index % 400, "path": "/api/activities/home", "ms": 1.8 }).to_string(),
        })
        .collect()
}

#[divan::bench(args = PATTERNS)]
fn log_pattern_over_1000_lines(bencher: divan::Bencher, text: &str) {
    let (pattern, lines) = (Pattern::parse(text).expect("a sound pattern"), lines());
    bencher.counter(ItemsCount::new(LINES)).bench(|| lines.iter().filter(|line| pattern.matches(line)).count());
}

#[divan::bench(args = PATTERNS)]
fn parse_log_pattern(text: &str) -> Pattern {
    Pattern::parse(text).expect("a sound pattern")
}

const CREDENTIAL: (&str, &str) =
    ("authorization", "AWS4-HMAC-SHA256 Credential=AKIASANDBOX000000001/20260101/us-east-1/xray/aws4_request, Signature=0");

/// GetTraceSummaries over a thousand traces. None of the expressions but the first finds anything, so that all are looked at.
#[divan::bench(args = ["", "annotation.user = \"nobody\"", "service(\"backend-rust\") { fault } AND http.url CONTAINS \"/no\"", "responsetime > 5 OR http.status = 418"])]
fn filter_expression_over_1000_traces(bencher: divan::Bencher, expression: &str) {
    let house = House::open();
    let now = now_ms() / 1000;
    for batch in 0..40 {
        let documents: Vec<String> = (0..25)
            .map(|index| {
                let number = batch * 25 + index;
                json!({
                    "trace_id": format!("1-{now:08x}-{number:024x}"), "id": format!("{number:016x}"), "name": "backend-rust",
                    "start_time": now, "end_time": now + 1, "annotations": { "user": "andrew" },
                    "http": { "request": { "method": "GET", "url": "http://127.0.0.1:4567/api" }, "response": { "status": 200 } },
                })
                .to_string()
            })
            .collect();
        let body = json!({ "TraceSegmentDocuments": documents }).to_string();
        house.ask(xray::handle, post("/TraceSegments", &[CREDENTIAL], body));
    }
    let body = json!({ "StartTime": now - 60, "EndTime": now + 60, "FilterExpression": expression }).to_string();
    let ask = || house.ask(xray::handle, post("/TraceSummaries", &[CREDENTIAL], body.clone()));
    let found: Value = serde_json::from_slice(&ask()).expect("an answer in JSON");
    assert_eq!(found["TraceSummaries"].as_array().is_some_and(|all| !all.is_empty()), expression.is_empty(), "{found}");
    bencher.counter(ItemsCount::new(1_000_usize)).bench(ask);
}
