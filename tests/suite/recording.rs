//! Evidence on disk: judged again without a service and without a vendor, by another workspace, with the same verdicts.

use serde_json::Value;

use crate::support::{Bootcamp, has};
use crate::tiny;

#[test]
fn what_was_recorded_is_judged_the_same_without_service_or_vendor() {
    let call = tiny::workspace().env("BREAK", "length-text,no-http,item-level,leak-keys");
    let sandbox = call.sandbox().with_group("Tiny", "service(\"tiny\")").with_rule("Tiny", 100);
    let run = call.again().args("verify --format json --timeout 4s --record run.json").fails_with(1);
    sandbox.stop();
    let first = run.report();
    assert_eq!(first.with("failed"), ["inner-span", "segment", "item"]);

    let recording = run.read("run.json");
    for secret in [tiny::HONEYCOMB_KEY, tiny::AWS_SECRET, tiny::ROLLBAR_TOKEN] {
        assert!(!recording.contains(secret), "a secret is in the recording");
        assert!(!run.stdout.contains(secret) && !run.stderr.contains(secret), "a secret was shown");
    }
    // The service printed its keys: the lines are there, without them.
    has(&recording, &["config: HONEYCOMB_API_KEY=•••", "config: OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=•••"]);

    // Another folder, with the course and nothing else.
    let elsewhere = tiny::course(Bootcamp::new()).write("run.json", &recording);
    let second = elsewhere.again().args("verify tiny --format json --replay run.json").fails_with(1);
    assert_eq!(second.report().verdicts(), first.verdicts());
    for id in ["inner-span", "segment", "item"] {
        assert_eq!(second.report().check(id)["mismatch"], first.check(id)["mismatch"], "{id}");
    }
    assert_eq!(second.report().0["score"], first.0["score"]);
    // A part of it, too.
    let part = elsewhere.again().args("verify tiny/vendors/spans --format json --replay run.json").fails_with(1);
    assert_eq!(part.report().with("failed"), ["inner-span"]);
    elsewhere.again().args("verify tiny/folder --replay run.json").passes();
}

#[test]
fn recordings_that_are_none_are_refused() {
    let call = tiny::course(Bootcamp::new());
    let refused = |text: &str, fragments: &[&str]| {
        let run = call.again().write("run.json", text).args("verify tiny --replay run.json").fails_with(2);
        assert_eq!(run.stdout, "");
        has(&run.stderr, fragments);
    };
    let recorded = r#"{"schema_version": 1, "course": "tiny", "target": "sandbox", "started_ms": 0}"#;
    refused(&recorded.replace("tiny", "week2"), &["is of the course `week2`, not of `tiny`; verify that one"]);
    refused(&recorded.replace(": 1,", ": 2,"), &["has the shape 2", "reads up to 1; use the bootcamp that wrote it"]);
    refused(
        &recorded.replace("\"schema_version\": 1, ", ""),
        &["it has no `schema_version`", "give --replay a file that --record wrote"],
    );
    refused("{\"schema_version\": 1, \"course\": \"tiny\"", &["cannot read the recording `run.json`", "give --replay"]);
    refused("", &["cannot read the recording `run.json`"]);
    refused(&recorded.replace("\"sandbox\"", "7"), &["cannot read the recording"]);
    let run = call.again().args("verify tiny --replay nowhere.json").fails_with(2);
    has(&run.stderr, &["cannot read the recording `nowhere.json`", "give --replay a file that --record wrote"]);
}

#[test]
fn evidence_that_lacks_what_was_asked_is_an_error_and_no_failure() {
    let recorded = r#"{"schema_version": 1, "course": "tiny", "target": "sandbox", "started_ms": 0}"#;
    let run = tiny::course(Bootcamp::new())
        .write("run.json", recorded)
        .args("verify tiny --replay run.json --format json")
        .fails_with(3);
    let report = run.report();
    assert_eq!(report.with("errored").len(), tiny::CHECKS);
    assert!(report.checks().iter().all(|check| check["mismatch"] == Value::Null && check["remedy"].is_string()));
}

#[test]
fn a_recording_that_cannot_be_written_does_not_swallow_the_report() {
    let call = tiny::workspace().args("verify tiny/folder --format json --record nowhere/run.json");
    let run = call.fails_with(2);
    run.report().all_passed();
    has(&run.stderr, &["cannot write the recording `nowhere/run.json`", "choose another file for --record"]);
}
