//! A service that runs already, and a sandbox that runs already.

use serde_json::json;

use crate::standin;
use crate::support::{Sandboxed, has, wait_until, wire};
use crate::tiny;

/// The stand-in, started by nobody's `verify`.
struct Own(std::process::Child);

impl Drop for Own {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn start_by_hand(port: u16, sandbox: &Sandboxed) -> Own {
    let words = standin::command();
    let child = std::process::Command::new(&words[0])
        .args(&words[1..])
        .env_clear()
        .envs([
            ("STANDIN", "on"),
            ("OTEL_SERVICE_NAME", "tiny"),
            ("OTEL_EXPORTER_OTLP_ENDPOINT", &sandbox.url()),
            ("OTEL_EXPORTER_OTLP_HEADERS", &format!("x-honeycomb-team={}", tiny::HONEYCOMB_KEY)),
            ("AWS_XRAY_DAEMON_ADDRESS", &sandbox.daemon()),
            ("AWS_ENDPOINT_URL", &sandbox.url()),
            ("ROLLBAR_ENDPOINT", &format!("{}/api/1/", sandbox.url())),
            ("ROLLBAR_ACCESS_TOKEN", tiny::ROLLBAR_TOKEN),
            ("PORT", &port.to_string()),
        ])
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let own = Own(child);
    wait_until("the service", || wire::send("GET", &format!("http://127.0.0.1:{port}/up"), &[], "").is_ok());
    own
}

#[test]
fn a_service_that_runs_already_is_used_as_it_is() {
    let call = tiny::workspace();
    let sandbox = call.sandbox().with_group("Tiny", "service(\"tiny\")").with_rule("Tiny", 100);
    let port = tiny::port(&call);
    let mut own = start_by_hand(port, &sandbox);

    let run = call.again().args("verify --format json").passes();
    let report = run.report();
    assert_eq!(report.with("skipped"), ["printed", "quiet"]);
    assert_eq!(report.with("passed").len(), tiny::CHECKS - 2);
    let reason = |id: &str| report.check(id)["reason"].as_str().unwrap().to_owned();
    assert_eq!(reason("printed"), "the service was running already, and its output is not ours to read");
    assert_eq!(reason("quiet"), "the running service cannot be started again with QUIET=on; stop it and verify again");
    // What is skipped is left out of what is possible.
    assert_eq!(report.0["score"], json!({ "earned": 20.5, "possible": 20.5, "bonus": 1, "bonus_possible": 1 }));
    assert_eq!(report.0["service"], json!({ "url": format!("http://127.0.0.1:{port}/") }));
    has(&report.0["notices"].to_string(), &["a service answers at", "already: it is used as it is"]);
    assert!(own.0.try_wait().unwrap().is_none(), "it was not ours to end");
}

#[test]
fn the_workspaces_sandbox_is_found_and_used_and_goes_on() {
    let call = tiny::workspace();
    let sandbox = call.sandbox().with_group("Tiny", "service(\"tiny\")").with_rule("Tiny", 100);
    let run = call.again().args("verify --format json").passes();
    run.report().all_passed();
    // It went where it was looked for.
    let trace = run.report().check("segment")["facts"][0]["value"].as_str().unwrap().to_owned();
    let found = sandbox.xray("Traces", &json!({ "TraceIds": [trace] })).ok().json();
    assert_eq!(found["Traces"][0]["Id"], trace.as_str());
    let status = wire::send("GET", &format!("{}/_bootcamp/status", sandbox.url()), &[], "").unwrap().ok().json();
    assert_eq!(status["pid"], sandbox.id());
}

#[test]
fn without_one_verify_brings_its_own_and_leaves_nothing() {
    let run = tiny::workspace().args("verify tiny/vendors --format json --timeout 3s").fails_with(1);
    // Nobody has created these in it.
    assert_eq!(run.report().with("failed"), ["group", "rule"]);
    // What was passed is noted, and nothing of the sandbox stays.
    assert_eq!(run.kept(), ["progress.json", "progress.lock"]);
}

#[test]
fn what_a_dead_sandbox_left_is_not_believed() {
    let call = tiny::workspace();
    let sandbox = call.sandbox();
    sandbox.end(nix::sys::signal::Signal::SIGKILL);
    assert!(call.workspace().join(".bootcamp/sandbox.json").exists());
    let run = call.again().args("verify tiny/vendors/the-answer --format json").passes();
    run.report().all_passed();
}

#[test]
fn what_an_earlier_run_has_sent_does_not_pass_for_this_one() {
    let call = tiny::workspace();
    let _sandbox = call.sandbox().with_group("Tiny", "service(\"tiny\")").with_rule("Tiny", 100);
    call.again().args("verify --quiet").passes();
    let run = call
        .again()
        .env("BREAK", "silent,no-span,no-segment,no-line,no-item")
        .args("verify tiny/vendors --format json --timeout 2s")
        .fails_with(1);
    // The groups, the rule and the answer are there still; of this run's telemetry there is none.
    assert_eq!(run.report().with("passed"), ["answer", "group", "rule", "log-group"]);
    assert_eq!(run.report().with("errored"), Vec::<&str>::new());
}
