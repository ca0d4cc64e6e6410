//! A service that does not build, crashes, never answers, answers something else or does not end: it is said so, with its
//! last words.

use crate::support::{Bootcamp, Report, has};
use crate::tiny;

/// What is said of a service that could not be had; all that rests on it fails for that one reason.
fn trouble(report: &Report) -> (String, String) {
    let trouble = &report.0["service"]["trouble"];
    let text = |field: &str| trouble[field].as_str().unwrap_or_default().to_owned();
    for id in ["answer", "server-span", "segment", "access-line", "item", "quiet"] {
        let check = report.check(id);
        assert_eq!(check["status"], "failed", "{check:#}");
        assert_eq!(check["mismatch"]["actual"], text("cause").as_str(), "{check:#}");
    }
    (text("cause"), text("remedy"))
}

fn output(report: &Report) -> String {
    let lines = report.0["service"]["output"].as_array().cloned().unwrap_or_default();
    lines.iter().map(|line| line.as_str().unwrap()).collect::<Vec<_>>().join("\n")
}

fn verify(call: Bootcamp) -> Report {
    call.args("verify --format json --quiet --timeout 2s").fails_with(1).report()
}

#[test]
fn one_that_crashes_at_its_start() {
    let report = verify(tiny::workspace().env("BREAK", "crash"));
    let (cause, remedy) = trouble(&report);
    has(&cause, &["exit code 7"]);
    assert!(!remedy.is_empty());
    has(&output(&report), &["the configuration is missing: TINY_MODE"]);
    // What needs no service is judged all the same.
    assert_eq!(report.check("notes")["status"], "passed");
}

#[test]
fn one_that_answers_garbage() {
    let report = verify(tiny::workspace().env("BREAK", "garbage"));
    has(&trouble(&report).0, &["220 tiny ESMTP ready"]);
}

#[test]
fn one_whose_program_is_not_there() {
    let call = tiny::workspace();
    let manifest = format!(
        "course = \"tiny\"\n\n[service]\nurl = \"http://127.0.0.1:{}\"\nname = \"app\"\nhealth = \"/up\"\nrun = [\"./no-such\"]\n",
        tiny::port(&call)
    );
    let report = verify(call.write("bootcamp.toml", manifest));
    has(&trouble(&report).0, &["no-such"]);
}

#[test]
fn one_whose_port_is_taken_by_something_silent() {
    let call = tiny::workspace();
    let port = tiny::port(&call);
    let _taken = std::net::TcpListener::bind(("127.0.0.1", port)).unwrap();
    let report = verify(call);
    has(&trouble(&report).0, &[&port.to_string()]);
}

#[test]
fn one_that_compose_does_not_know() {
    let report = verify(tiny::workspace().edit("bootcamp.toml", "name = \"app\"", "name = \"ap\""));
    has(&trouble(&report).0, &["`ap`"]);
    has(&trouble(&report).1, &["`app`"]);
}

#[test]
fn one_that_does_not_build_is_shown_as_cargo_shows_it() {
    let call = tiny::workspace();
    let port = tiny::port(&call);
    let run = call
        .toolchain()
        .write(
            "bootcamp.toml",
            format!("course = \"tiny\"\n[service]\nurl = \"http://127.0.0.1:{port}\"\nname = \"app\"\nhealth = \"/up\"\n"),
        )
        .write("Cargo.toml", "[package]\nname = \"learner\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n")
        .write("src/main.rs", "fn main() {\n    let count: u32 = \"three\";\n}\n")
        .args("verify --format json --quiet")
        .fails_with(1);
    let report = run.report();
    has(&trouble(&report).0, &["the service does not build: `cargo build`"]);
    has(
        &output(&report),
        &[
            "error[E0308]: mismatched types",
            "--> src/main.rs:2:22",
            "2 |     let count: u32 = \"three\";",
            "expected `u32`, found `&str`",
        ],
    );
    assert_eq!(report.0["service"]["trouble"]["while_building"], true);
    let plain = run.call.again().args("verify --format plain --quiet").fails_with(1);
    has(&plain.stdout, &["error[E0308]: mismatched types", "--> src/main.rs:2:22"]);
}

#[test]
fn one_that_builds_by_another_command() {
    let call = tiny::workspace().edit(
        "bootcamp.toml",
        "[service]\n",
        "[service]\nbuild = [\"sh\", \"-c\", \"echo cannot >&2; exit 3\"]\n",
    );
    let report = verify(call);
    has(&trouble(&report).0, &["the service does not build", "exit code 3"]);
    has(&output(&report), &["cannot"]);
}

#[test]
fn one_that_does_not_end() {
    // What a shell ignores, the program that it becomes ignores too.
    let call = tiny::workspace();
    let call = call.edit("bootcamp.toml", "run = [", "run = [\"sh\", \"-c\", \"trap '' TERM; exec \\\"$@\\\"\", \"sh\", ");
    let run = call.args("verify tiny/vendors/the-answer --format json --quiet").passes();
    has(
        &run.report().0["notices"].to_string(),
        &["the service (default) did not end within 2 s of being asked to, and was killed"],
    );
}

#[test]
fn one_whose_compose_file_is_broken() {
    let report = verify(tiny::workspace().edit("docker-compose.yml", "      STANDIN", "   STANDIN"));
    has(&trouble(&report).0, &["docker-compose.yml"]);
    let check = report.check("compose");
    assert_eq!((check["status"].as_str(), &check["mismatch"]["file"]), (Some("failed"), &"docker-compose.yml".into()));
    has(check["mismatch"]["actual"].as_str().unwrap(), &["it is not sound YAML"]);
    assert!(check["mismatch"]["line"].as_u64().is_some_and(|line| (5..=7).contains(&line)), "{check:#}");
}

#[test]
fn one_without_a_compose_file() {
    let report = verify(tiny::workspace().without("docker-compose.yml"));
    let (cause, remedy) = trouble(&report);
    has(&cause, &["docker-compose.yml"]);
    assert!(!remedy.is_empty());
    assert_eq!(report.check("compose")["mismatch"]["actual"], "there is no such file");
}

#[test]
fn one_that_crashes_with_its_switch_on() {
    let call = tiny::workspace().env("BREAK", "crash-quiet");
    let run = call.args("verify tiny/vendors/lines --format json --quiet").fails_with(1);
    assert_eq!(run.report().with("failed"), ["quiet"]);
    let actual = run.report().check("quiet")["mismatch"]["actual"].as_str().unwrap().to_owned();
    has(&actual, &["the service did not come up with QUIET=on", "exit code 7"]);
}

#[test]
fn one_that_dies_of_a_request() {
    let call = tiny::workspace().env("BREAK", "die");
    let run = call.args("verify tiny/vendors/items --format json --quiet --timeout 2s").fails_with(1);
    let report = run.report();
    assert_eq!(report.with("failed"), ["item", "item-request"]);
    let mismatch = &report.check("item")["mismatch"];
    has(mismatch["expected"].as_str().unwrap(), &["an answer to GET http://127.0.0.1:", "/fails?bootcamp="]);
    has(mismatch["actual"].as_str().unwrap(), &["the connection was closed without an answer"]);
    let notices = report.0["notices"].to_string();
    has(&notices, &["the service (default) ended by itself with exit code 8 while it was verified", "`the heap is gone`"]);
}

/// The longest of these: a service has 30 s to come up.
#[test]
fn one_that_never_answers() {
    let report = verify(tiny::workspace().env("BREAK", "mute"));
    let (cause, remedy) = trouble(&report);
    has(&cause, &["30 s"]);
    assert!(!remedy.is_empty());
}
