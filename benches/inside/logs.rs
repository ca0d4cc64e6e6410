//! CloudWatch Logs without the network: batches in, and one line found again.

use bootcamp::sandbox::{cloudwatch, now_ms};
use bytes::Bytes;
use divan::counter::ItemsCount;
use serde_json::{Value, json};

use super::house::{House, post};

const CREDENTIAL: (&str, &str) =
    ("authorization", "AWS4-HMAC-SHA256 Credential=AKIASANDBOX000000001/20260101/us-east-1/logs/aws4_request, Signature=0");

const NEEDLE: &str = "needle7f3a91";

fn ask(house: &House, target: &'static str, body: impl Into<Bytes>) -> Bytes {
    house.ask(cloudwatch::handle, post("/", &[CREDENTIAL, ("x-amz-target", target)], body))
}

fn house() -> House {
    let house = House::open();
    ask(&house, "Logs_20140328.CreateLogGroup", r#"{"logGroupName":"cruddur"}"#);
    ask(&house, "Logs_20140328.CreateLogStream", r#"{"logGroupName":"cruddur","logStreamName":"backend"}"#);
    house
}

fn put(house: &House, lines: impl Iterator<Item = String>) {
    ask(house, "Logs_20140328.PutLogEvents", body(lines));
}

fn body(lines: impl Iterator<Item = String>) -> Bytes {
    let now = now_ms();
    let events: Vec<Value> = lines.map(|message| json!({ "timestamp": now, "message": message })).collect();
    json!({ "logGroupName": "cruddur", "logStreamName": "backend", "logEvents": events }).to_string().into()
}

fn line(index: usize) -> String {
    format!("127.0.0.1 - \"GET /api/activities/home HTTP/1.1\" 200 1.834 ms request={index:08x} user=andrew agent=curl/8.5.0")
}

#[divan::bench(args = [1, 500])]
fn put_log_events(bencher: divan::Bencher, events: usize) {
    let house = house();
    let body = body((0..events).map(line));
    bencher.counter(ItemsCount::new(events)).bench(|| ask(&house, "Logs_20140328.PutLogEvents", body.clone()));
}

/// By a text that the pattern demands, which is searched for in whole chunks; and by a regular expression, which is not.
#[divan::bench(args = ["\"needle7f3a91\"", "%needle[0-9a-f]{6}%"], consts = [10_000, 100_000])]
fn filter_log_events<const LINES: usize>(bencher: divan::Bencher, pattern: &str) {
    let house = house();
    for start in (0..LINES).step_by(5_000) {
        let needle = |index| if index == LINES * 2 / 3 { format!("{} {NEEDLE}", line(index)) } else { line(index) };
        put(&house, (start..start + 5_000).map(needle));
    }
    let body = json!({ "logGroupName": "cruddur", "filterPattern": pattern }).to_string();
    let find = || ask(&house, "Logs_20140328.FilterLogEvents", body.clone());
    let found: Value = serde_json::from_slice(&find()).expect("an answer in JSON");
    assert_eq!(found["events"].as_array().map(Vec::len), Some(1), "{found}");
    bencher.counter(ItemsCount::new(LINES)).bench(find);
}
