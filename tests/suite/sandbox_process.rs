//! `bootcamp sandbox` as a process: what it keeps, what it refuses, and how it ends.

use std::net::{TcpListener, UdpSocket};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::support::{Bootcamp, Sandboxed, free_port, has, lives, matches, redact, wire};
use crate::tiny;

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// A trace id of this moment, as W3C writes it.
fn fresh_trace() -> String {
    format!("{:08x}{:024x}", now_ms() / 1000, fastrand::u128(..) >> 32)
}

fn xray_id(trace: &str) -> String {
    format!("1-{}-{}", &trace[..8], &trace[8..])
}

/// Something that is sent, acknowledged, and read back.
#[derive(Debug, Clone, Copy)]
enum Kind {
    Span,
    Segment,
    Line,
    Item,
    Group,
}

impl Kind {
    const ALL: [Self; 5] = [Self::Span, Self::Segment, Self::Line, Self::Item, Self::Group];

    /// Sends one, under a mark of its own, and returns once it is acknowledged.
    fn send(self, sandbox: &Sandboxed, mark: &str) {
        let url = sandbox.url();
        match self {
            Self::Span => {
                let now = format!("{}000000", now_ms());
                let span = json!({ "traceId": mark, "spanId": "00f067aa0ba902b7", "name": "kept", "kind": 2,
                    "startTimeUnixNano": now, "endTimeUnixNano": now });
                let body = json!({ "resourceSpans": [{
                    "resource": { "attributes": [{ "key": "service.name", "value": { "stringValue": "kept" } }] },
                    "scopeSpans": [{ "spans": [span] }] }] });
                let headers = [("x-honeycomb-team", tiny::HONEYCOMB_KEY), ("content-type", "application/json")];
                wire::send("POST", &format!("{url}/v1/traces"), &headers, &body.to_string()).unwrap().ok();
            }
            Self::Segment => {
                let start = now_ms() as f64 / 1000.0;
                let document = json!({ "name": "kept", "id": "00f067aa0ba902b7", "trace_id": xray_id(mark),
                    "start_time": start, "end_time": start });
                let input = json!({ "TraceSegmentDocuments": [document.to_string()] });
                let answer = sandbox.xray("TraceSegments", &input).ok().json();
                assert_eq!(answer["UnprocessedTraceSegments"], json!([]));
            }
            Self::Line => {
                let event = json!({ "timestamp": now_ms(), "message": format!("kept {mark}") });
                let input = json!({ "logGroupName": "kept", "logStreamName": "kept", "logEvents": [event] });
                sandbox.logs("PutLogEvents", &input).ok();
            }
            Self::Item => {
                let data = json!({ "environment": "production", "uuid": mark, "body": { "message": { "body": "kept" } } });
                let headers = [("x-rollbar-access-token", tiny::ROLLBAR_TOKEN), ("content-type", "application/json")];
                let body = json!({ "data": data }).to_string();
                wire::send("POST", &format!("{url}/api/1/item/"), &headers, &body).unwrap().ok();
            }
            Self::Group => {
                sandbox.xray("CreateGroup", &json!({ "GroupName": mark, "FilterExpression": "ok" })).ok();
            }
        }
    }

    /// A mark that no other has.
    fn mark(self) -> String {
        match self {
            Self::Group => format!("g{:016x}", fastrand::u64(..)),
            _ => fresh_trace(),
        }
    }

    /// Whether it is there.
    fn is_kept(self, sandbox: &Sandboxed, mark: &str) -> bool {
        let url = sandbox.url();
        match self {
            Self::Span => spans(&url, mark) == 1,
            Self::Segment => {
                let traces = sandbox.xray("Traces", &json!({ "TraceIds": [xray_id(mark)] })).ok().json();
                traces["Traces"][0]["Segments"].as_array().is_some_and(|segments| segments.len() == 1)
            }
            Self::Line => {
                let input = json!({ "logGroupName": "kept", "filterPattern": format!("\"{mark}\"") });
                let found = sandbox.logs("FilterLogEvents", &input).ok().json();
                found["events"].as_array().is_some_and(|events| events.len() == 1)
            }
            Self::Item => {
                let headers = [("x-rollbar-access-token", tiny::ROLLBAR_TOKEN)];
                let answer = wire::send("GET", &format!("{url}/api/1/item/?uuid={mark}"), &headers, "").unwrap();
                answer.status == 200
            }
            Self::Group => {
                let groups = sandbox.xray("Groups", &json!({})).ok().json();
                groups["Groups"].as_array().unwrap().iter().any(|group| group["GroupName"] == mark)
            }
        }
    }
}

/// How many spans of a trace Honeycomb's API finds.
fn spans(url: &str, trace: &str) -> i64 {
    let headers = [("x-honeycomb-team", tiny::HONEYCOMB_KEY), ("content-type", "application/json")];
    let post =
        |path: &str, body: Value| wire::send("POST", &format!("{url}{path}"), &headers, &body.to_string()).unwrap().ok().json();
    let filter = json!({ "column": "trace.trace_id", "op": "=", "value": trace });
    let query = json!({ "calculations": [{ "op": "COUNT" }], "filters": [filter], "time_range": 3600 });
    let query = post("/1/queries/kept", query)["id"].clone();
    let result = post("/1/query_results/kept", json!({ "query_id": query, "disable_series": true }))["id"].clone();
    let path = format!("{url}/1/query_results/kept/{}", result.as_str().unwrap());
    let result = wire::send("GET", &path, &headers, "").unwrap().ok().json();
    result["data"]["results"][0]["data"]["COUNT"].as_i64().unwrap_or(0)
}

fn with_stream(sandbox: Sandboxed) -> Sandboxed {
    sandbox.logs("CreateLogGroup", &json!({ "logGroupName": "kept" })).ok();
    sandbox.logs("CreateLogStream", &json!({ "logGroupName": "kept", "logStreamName": "kept" })).ok();
    sandbox
}

#[test]
fn what_it_was_sent_survives_its_restart() {
    let call = Bootcamp::new();
    let sandbox = with_stream(call.sandbox()).with_rule("Kept", 42);
    let marks: Vec<(Kind, String)> = Kind::ALL.into_iter().map(|kind| (kind, kind.mark())).collect();
    for (kind, mark) in &marks {
        kind.send(&sandbox, mark);
        assert!(kind.is_kept(&sandbox, mark), "{kind:?}");
        assert!(!kind.is_kept(&sandbox, &kind.mark()), "{kind:?}: what was never sent is not there");
    }
    assert_eq!(sandbox.stop().code, Some(0));

    let sandbox = call.sandbox();
    for (kind, mark) in &marks {
        assert!(kind.is_kept(&sandbox, mark), "{kind:?} did not survive");
    }
    let rules = sandbox.xray("GetSamplingRules", &json!({})).ok().json().to_string();
    has(&rules, &["\"RuleName\":\"Kept\"", "\"Priority\":42", "\"RuleName\":\"Default\""]);
}

#[test]
fn what_it_acknowledged_survives_its_death() {
    let call = Bootcamp::new();
    let mut sandbox = with_stream(call.sandbox());
    let mut sent: Vec<(Kind, String)> = Vec::new();
    // Killed after the first, the second, the third of each kind: the last acknowledgement is an instant old.
    for (kind, count) in Kind::ALL.into_iter().flat_map(|kind| [1, 2, 3].map(|count| (kind, count))) {
        for _ in 0..count {
            let mark = kind.mark();
            kind.send(&sandbox, &mark);
            sent.push((kind, mark));
        }
        let killed = sandbox.end(Signal::SIGKILL);
        assert_eq!(killed.code, None, "a signal ended it");
        sandbox = call.sandbox();
        let lost: Vec<_> = sent.iter().filter(|(kind, mark)| !kind.is_kept(&sandbox, mark)).collect();
        assert!(lost.is_empty(), "acknowledged and lost: {lost:?}");
    }
}

#[test]
fn what_was_made_in_a_sandbox_counts_after_it_has_ended() {
    let call = tiny::workspace();
    let made = call.sandbox().with_group("Tiny", "service(\"tiny\")").with_rule("Tiny", 100);
    assert_eq!(made.stop().code, Some(0));
    call.again().args("verify --format json").passes().report().all_passed();
}

#[test]
fn a_run_leaves_no_sandbox_where_there_was_none() {
    let run = tiny::workspace().args("verify --format json --timeout 1s").run();
    assert_eq!(run.kept(), ["progress.json", "progress.lock"]);
}

#[test]
fn in_memory_it_keeps_nothing() {
    let call = Bootcamp::new();
    let ports = "sandbox --memory --http-port 0 --grpc-port 0 --daemon-port 0 --no-bridge";
    let sandbox = Sandboxed::start(call.again().args(ports)).with_group("Gone", "ok");
    sandbox.stop();
    let left: Vec<_> = std::fs::read_dir(call.workspace().join(".bootcamp")).unwrap().collect();
    assert!(left.is_empty(), "{left:?}");
    let sandbox = Sandboxed::start(call.again().args(ports));
    assert!(!sandbox.xray("Groups", &json!({})).ok().body.contains("Gone"));
}

#[test]
fn asked_to_end_it_ends_cleanly() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let call = Bootcamp::new();
        let sandbox = call.sandbox();
        let (id, url) = (sandbox.id(), sandbox.url());
        assert!(call.workspace().join(".bootcamp/sandbox.json").exists());
        // Somebody who says nothing does not hold it up.
        let _idle = std::net::TcpStream::connect(url.strip_prefix("http://").unwrap()).unwrap();
        let run = sandbox.end(signal);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        assert!(!lives(id));
        assert!(!call.workspace().join(".bootcamp/sandbox.json").exists(), "nobody is to find it any more");
        assert!(wire::send("GET", &url, &[], "").is_err());
        matches("sandbox/announced.txt", &redact(&run.stdout, call.root()));
    }
}

#[test]
fn one_workspace_has_one_sandbox() {
    let call = Bootcamp::new().write("bootcamp.toml", "course = \"tiny\"\n").write("src/main.rs", "");
    let sandbox = call.sandbox();
    // Another folder of the same workspace is the same workspace.
    let within = call.workspace().join("src");
    let second = call.again().within(within).args("sandbox --http-port 0 --grpc-port 0 --daemon-port 0").fails_with(2);
    let expected = format!(
        "a sandbox of this workspace runs already at {} (process {}); stop it first, or use it",
        sandbox.url(),
        sandbox.id()
    );
    has(&second.stderr, &[&expected]);
    assert!(lives(sandbox.id()));
    // The first is still the one that is found.
    let told: Value = serde_json::from_slice(&std::fs::read(call.workspace().join(".bootcamp/sandbox.json")).unwrap()).unwrap();
    assert_eq!(told["pid"], sandbox.id());
}

#[test]
fn a_port_that_is_taken_is_named() {
    let taken = TcpListener::bind(("127.0.0.1", free_port())).unwrap();
    let port = taken.local_addr().unwrap().port();
    for option in ["--http-port", "--grpc-port", "--daemon-port"] {
        let others = ["--http-port", "--grpc-port", "--daemon-port"].into_iter().filter(|other| *other != option);
        let call = others.fold(Bootcamp::new().args("sandbox --no-bridge"), |call, other| call.arg(other).arg("0"));
        let run = call.arg(option).arg(port.to_string()).fails_with(3);
        assert_eq!(run.stdout, "");
        has(&run.stderr, &[&format!("port {port} of 127.0.0.1 ("), "is taken by another program", option]);
        assert!(!run.path(".bootcamp/sandbox.json").exists());
    }
    // The daemon's other half.
    let taken = UdpSocket::bind(("127.0.0.1", free_port())).unwrap();
    let port = taken.local_addr().unwrap().port();
    let run =
        Bootcamp::new().args("sandbox --no-bridge --http-port 0 --grpc-port 0 --daemon-port").arg(port.to_string()).fails_with(3);
    has(&run.stderr, &[&port.to_string()]);
}

const FREE: &str = "sandbox --http-port 0 --grpc-port 0 --daemon-port 0 --no-bridge";

#[test]
fn the_variables_that_a_service_needs() {
    let call = Bootcamp::new();
    let start = || Sandboxed::start(call.again().args(FREE).args("--env-file .env.sandbox"));
    let sandbox = start();
    let file = std::fs::read_to_string(call.workspace().join(".env.sandbox")).unwrap();
    has(&file, &[&format!("AWS_ENDPOINT_URL={}\n", sandbox.url()), &format!("AWS_XRAY_DAEMON_ADDRESS={}\n", sandbox.daemon())]);
    matches("sandbox/env-file.txt", &redact(&file, call.root()));
    let run = sandbox.stop();
    has(&run.stdout, &["variables written to   .env.sandbox (for services on this machine)"]);
    // Its own file is written anew.
    start().stop();
}

#[test]
fn a_file_of_somebody_elses_is_left_alone() {
    let call = Bootcamp::new().write(".env", "HONEYCOMB_API_KEY=mine\n");
    let run = call.args(FREE).args("--env-file .env").fails_with(2);
    has(&run.stderr, &["`.env` was not written by the sandbox, and is left as it is; give --env-file another name"]);
    assert_eq!(run.read(".env"), "HONEYCOMB_API_KEY=mine\n");
    assert!(!run.path(".bootcamp/sandbox.json").exists(), "it does not run");
    let run = Bootcamp::new().args(FREE).args("--env-file nowhere/.env").fails_with(2);
    has(&run.stderr, &["cannot write `nowhere/.env`"]);
}

#[test]
fn a_store_that_is_none_is_named() {
    let run = Bootcamp::new()
        .write(".bootcamp/sandbox.db", "this is no database, but it is a file of some length".repeat(100))
        .args(FREE)
        .fails_with(3);
    has(&run.stderr, &["file is not a database", "/.bootcamp/sandbox.db` away to begin anew, or keep nothing with `--memory`"]);
}
