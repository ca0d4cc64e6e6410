//! Where we could not look: errored, with the remedy, and never failed. No request leaves this machine.

use nix::sys::signal::Signal;

use crate::support::{Bootcamp, Report, has, wait_until};
use crate::tiny;

/// Errored, each with a cause and a remedy.
fn explained(report: &Report, id: &str) -> (String, String) {
    let check = report.check(id);
    assert_eq!(check["status"], "errored", "{check:#}");
    assert!(check["mismatch"].is_null() && check["facts"].is_null(), "{check:#}");
    let text = |field: &str| check[field].as_str().unwrap_or_default().to_owned();
    assert!(!text("cause").is_empty() && !text("remedy").is_empty(), "{check:#}");
    (text("cause"), text("remedy"))
}

/// Should a client reach for a vendor after all, it ends at a port of this machine on which nobody listens.
fn fenced(call: Bootcamp) -> Bootcamp {
    let nobody = "http://127.0.0.1:9";
    let call = ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"].into_iter().fold(call, |call, name| call.env(name, nobody));
    call.env("HONEYCOMB_API_ENDPOINT", nobody)
        .env("AWS_ENDPOINT_URL", nobody)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("AWS_MAX_ATTEMPTS", "1")
}

#[test]
fn live_without_credentials() {
    let call = fenced(tiny::workspace())
        .env("HONEYCOMB_API_KEY", "")
        .env("AWS_ACCESS_KEY_ID", "")
        .env("AWS_SECRET_ACCESS_KEY", "")
        // The service itself reports to nobody.
        .write(
            "docker-compose.yml",
            "services:\n  app:\n    image: tiny\n    environment:\n      STANDIN: \"on\"\n      OTEL_SERVICE_NAME: tiny\n",
        );
    let run = call.args("verify tiny/vendors --target live --timeout 2s --format json").fails_with(3);
    let report = run.report();
    assert_eq!((report.0["target"].as_str(), report.0["status"].as_str()), (Some("live"), Some("errored")));
    assert_eq!(report.with("failed"), Vec::<&str>::new());
    assert_eq!(report.with("passed"), ["answer", "printed"]);
    let (cause, remedy) = explained(&report, "server-span");
    has(&cause, &["no Honeycomb key to read with"]);
    has(&remedy, &["set `HONEYCOMB_CONFIGURATION_KEY`"]);
    let (cause, remedy) = explained(&report, "item");
    has(&cause, &["no Rollbar token to read with"]);
    has(&remedy, &["set `ROLLBAR_READ_TOKEN`"]);
    for id in ["group", "rule", "segment", "subsegment", "node", "filter", "log-group", "access-line"] {
        has(&explained(&report, id).1, &["AWS_"]);
    }
}

#[test]
fn a_sandbox_that_dies_in_the_middle() {
    let call = tiny::workspace().env("BREAK", "no-segment");
    let sandbox = call.sandbox().with_group("Tiny", "service(\"tiny\")").with_rule("Tiny", 100);
    let progress = call.root().join("progress");
    // The segment never comes, so the run is still asking when the sandbox goes.
    let running = call.again().args("verify --format json --timeout 5s").start();
    let trace = || sandbox.logs("DescribeLogStreams", &serde_json::json!({ "logGroupName": "tiny" })).json();
    wait_until("the access line", || {
        trace()["logStreams"].as_array().is_some_and(|streams| {
            streams.iter().any(|stream| stream["lastIngestionTime"].is_number() || stream["lastEventTimestamp"].is_number())
        })
    });
    sandbox.end(Signal::SIGKILL);
    let run = running.finish();
    let report = run.report();
    assert_eq!(report.with("failed"), Vec::<&str>::new(), "{:#}\n{}", report.0, progress.display());
    assert_eq!(run.code, Some(3));
    for id in ["segment", "subsegment"] {
        explained(&report, id);
    }
    // What needs no vendor was seen.
    for id in ["notes", "answer", "printed"] {
        assert_eq!(report.check(id)["status"], "passed");
    }
}
