//! Why a check is not met, as the program tells it: one cause for all that it explains, and the same of a recording.

use serde_json::Value;

use crate::support::{Bootcamp, has};
use crate::tiny;

const RULES: &str = r#"
[key-blank]
explains = ["honeycomb", "variable"]
cause = "The key is blank where `{service}` was started."
fix = "Put `HONEYCOMB_API_KEY=…` into `.env`."
lesson = "vendors/spans"
when = [
  { variable = { name = "HONEYCOMB_API_KEY", is = "missing" } },
  { composed = { name = "OTEL_EXPORTER_OTLP_HEADERS", value = { exists = true } } },
  { rejected = { vendor = "honeycomb", reason = { one-of = ["blank-key", "missing-key"] } } },
]

[length-as-text]
explains = ["honeycomb-span"]
cause = "The count is sent as a text."
fix = "Record an integer."
lesson = "vendors/spans"
when = [{ failing = { actual = { contains = "a text" } } }]

[told-by-the-folder]
explains = ["any"]
fallback = true
cause = "The notes say why."
fix = "Read them."
lesson = "folder/files"
when = [{ found = { in = "", line = "notes on the \\w+ course" } }, { printed = { contains = "trace=" } }]
"#;

fn workspace(breaks: &str) -> Bootcamp {
    tiny::workspace().write("checks/tiny/diagnoses/1-all.toml", RULES).env("BREAK", breaks)
}

/// The rules that were named for a check.
fn named(report: &Value, check: &str) -> Vec<String> {
    let steps = report["steps"].as_array().unwrap();
    let check = steps.iter().flat_map(|step| step["checks"].as_array().unwrap()).find(|found| found["id"] == check).unwrap();
    let rules = check["diagnoses"].as_array().into_iter().flatten();
    rules.map(|rule| rule["id"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn one_cause_is_told_for_all_that_it_explains() {
    let call = workspace("").env("HONEYCOMB_API_KEY", "").env("HONEYCOMB_CONFIGURATION_KEY", tiny::HONEYCOMB_KEY);
    let run = call.again().args("verify tiny/vendors/spans --format json --timeout 2s --record run.json").fails_with(1);
    for check in ["dataset", "server-span", "inner-span", "health-untraced"] {
        assert_eq!(named(&run.report().0, check), ["key-blank"], "{check}: {}", run.stdout);
    }
    // The same evidence is explained the same, elsewhere and later.
    let elsewhere =
        tiny::course(Bootcamp::new()).write("checks/tiny/diagnoses/1-all.toml", RULES).write("run.json", run.read("run.json"));
    let again = elsewhere.args("verify tiny/vendors/spans --format json --replay run.json").fails_with(1);
    assert_eq!(named(&again.report().0, "server-span"), ["key-blank"]);

    let page = call.args("verify tiny/vendors/spans --format plain --timeout 2s").fails_with(1).stdout;
    has(
        &page,
        &[
            "Cause: The key is blank where `tiny` was started.",
            "Because: `HONEYCOMB_API_KEY` is blank (the shell)",
            "was refused with 401",
        ],
    );
}

#[test]
fn a_narrow_cause_comes_before_a_last_resort_and_what_is_met_has_none() {
    let run = workspace("length-text,no-item").args("verify tiny --format json --timeout 3s").fails_with(1);
    let report = run.report().0;
    assert_eq!(named(&report, "inner-span"), ["length-as-text"]);
    assert_eq!(named(&report, "item"), ["told-by-the-folder"]);
    for met in ["server-span", "answer", "access-line"] {
        assert_eq!(named(&report, met), [""; 0], "{met}");
    }
}

#[test]
fn a_rule_that_leads_nowhere_breaks_the_course() {
    let call = workspace("").edit("checks/tiny/diagnoses/1-all.toml", "lesson = \"vendors/spans\"", "lesson = \"vendors/spams\"");
    let run = call.args("verify tiny").fails_with(4);
    has(&run.stderr, &["the diagnosis `key-blank` leads to the unknown step `vendors/spams`", "did you mean `vendors/spans`?"]);
}
