//! One run, told in all forms at once.

use crate::support::has;
use crate::tiny;

#[test]
fn every_format_and_three_files_from_one_run() {
    let call = tiny::workspace().write("notes.txt", "nothing\n").args("verify tiny/folder --quiet");
    let files = "--report-json out.json --report-junit out.xml --report-tap out.tap";
    let run = call.clone().args("--format json").args(files).fails_with(1);
    assert_eq!(run.report().with("failed"), ["notes"]);
    assert_eq!(run.stderr, "");
    let written: serde_json::Value = serde_json::from_str(&run.read("out.json")).unwrap();
    assert_eq!(written, run.report().0, "the file and stdout hold the same report");
    let junit = run.read("out.xml");
    assert_eq!((junit.matches("<testcase ").count(), junit.matches("<failure ").count()), (6, 1));
    has(&run.read("out.tap"), &["TAP version 14\n", "1..6\n", "not ok 1 "]);

    let form = |format: &str| call.clone().args("--format").arg(format).fails_with(1).stdout;
    has(&form("junit"), &["<?xml", "<testsuites", "</testsuites>"]);
    has(&form("tap"), &["TAP version 14"]);
    has(&form("github"), &["::error file=notes.txt,line=1"]);
    has(&form("plain"), &["its text is another"]);
    has(&form("pretty"), &["its text is another"]);
    // Not a terminal: plain is the default, and there is no colour anywhere.
    let plain = call.clone().fails_with(1).stdout;
    has(&plain, &["its text is another"]);
    assert!(!plain.contains('\u{1b}') && !form("pretty").contains('\u{1b}'));
}

#[test]
fn a_job_summary_is_added_where_github_asks_for_one() {
    let call = tiny::workspace();
    let file = call.workspace().join("summary.md");
    let run = call.env("GITHUB_STEP_SUMMARY", file.display().to_string()).args("verify tiny/folder --format github").passes();
    has(&run.read("summary.md"), &["A tiny course", "|"]);
}

#[test]
fn a_report_that_cannot_be_written_is_said_before_anything_is_started() {
    let run = tiny::workspace().args("verify --report-junit nowhere/out.xml --build").run();
    assert_eq!(run.code, Some(2), "an unknown option is a usage error");
    let run = tiny::workspace().args("verify --report-junit nowhere/out.xml").fails_with(2);
    assert_eq!(run.stdout, "");
    has(&run.stderr, &["nowhere/out.xml"]);
    assert!(!run.stderr.contains("starting"), "{}", run.stderr);
}

#[test]
fn progress_goes_to_stderr_and_can_be_silenced() {
    let run = tiny::workspace().args("verify tiny/vendors/the-answer").passes();
    has(&run.stderr, &["verifying", "the service answers at", "probe things: 200", "passed 2.1"]);
    let quiet = tiny::workspace().args("verify tiny/vendors/the-answer --quiet").passes();
    assert_eq!(quiet.stderr, "");
}
