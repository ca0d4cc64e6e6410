//! `bootcamp verify week2 --solution`: the reference is built, started, probed, and proves every step.
//!
//! The first time, its dependencies are built into `target/solutions`; after that it takes seconds.

use std::time::Duration;

use regex::Regex;

use crate::support::{Bootcamp, Report, matches, repository};

/// A first build takes minutes on a small machine.
const BUILD: Duration = Duration::from_mins(20);

#[test]
fn main_job_proves_every_step_of_week_2() {
    let report = std::env::temp_dir().join(format!("bootcamp-suite-{}.json", std::process::id()));
    let run = Bootcamp::new()
        .toolchain()
        // The same with and without Docker: its checks have tests of their own.
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .within(repository(""))
        .args("verify week2 --solution --format plain --timeout 60s --report-json")
        .arg(report.display().to_string())
        .patience(BUILD)
        .passes();
    let json = Report(serde_json::from_slice(&std::fs::read(&report).unwrap()).unwrap());
    std::fs::remove_file(&report).unwrap();

    assert_eq!(json.0["status"], "passed");
    assert_eq!(json.with("failed"), Vec::<&str>::new());
    assert_eq!(json.with("errored"), Vec::<&str>::new());
    // Only what needs a container does not count here, and is left out of what is possible.
    let skipped: Vec<_> = json.checks().into_iter().filter(|check| check["status"] == "skipped").collect();
    assert!(!skipped.is_empty() && skipped.iter().all(|check| check["kind"] == "docker-container"), "{skipped:#?}");
    assert!(skipped.iter().all(|check| check["reason"].as_str().is_some_and(|reason| reason.contains("Docker"))), "{skipped:#?}");
    let left_out: f64 = skipped.iter().map(|check| check["points"].as_f64().unwrap()).sum();
    let score = |field: &str| json.0["score"][field].as_f64().unwrap();
    assert!((score("possible") + left_out - 100.0).abs() < 1e-9, "{:#}", json.0["score"]);
    assert!((score("earned") - score("possible")).abs() < 1e-9 && (score("bonus") - 20.0).abs() < 1e-9, "{:#}", json.0["score"]);

    // Each of the week's telemetry was really read back: one trace of this run, in all the worlds.
    let fact = |check: &str, label: &str| {
        let facts = json.check(check)["facts"].as_array().unwrap();
        let fact = facts.iter().find(|fact| fact["label"] == label);
        fact.and_then(|fact| fact["value"].as_str())
            .unwrap_or_else(|| panic!("`{check}` has no fact `{label}`: {facts:#?}"))
            .to_owned()
    };
    let trace = fact("server-span", "trace");
    assert_eq!(fact("home-span", "trace"), trace);
    assert_eq!(fact("segment", "trace"), format!("1-{}-{}", &trace[..8], &trace[8..]));
    assert!(fact("console-span", "printed").contains(&trace));
    assert_eq!((fact("home-span-length", "app.result_length"), fact("mock-data-size", "results-size")), ("3".into(), "1".into()));
    assert!(fact("access-line", "line").contains("GET http /api/activities/home?bootcamp="));
    assert!(fact("rollbar-error-frame", "frame").starts_with("src/"), "{}", fact("rollbar-error-frame", "frame"));
    assert!(json.checks().iter().all(|check| check["status"] == "skipped" || check["evidence_level"] == "exact"));

    matches("main-job.plain.txt", &steadied(&run.shown()));
}

/// The page without what changes with every edit of the reference, and what depends on the machine and the moment.
fn steadied(page: &str) -> String {
    [
        (r"\.(toml|yml|yaml|json|rs|env|md):\d+", ".$1:[LINE]"),
        (r"(?m)\S+/\d{4}-\d\d-\d\dT[\d.-]+Z$", "[HOST]/[TIME]"),
        (r"(?m)requests \d+$", "requests [COUNT]"),
        // A line of the console is cut at a width, so where it ends depends on the numbers in it.
        (r"(?m)(printed .* trace=\[HEX-32\]).*$", "$1 …"),
    ]
    .into_iter()
    .fold(page.to_owned(), |page, (pattern, with)| Regex::new(pattern).unwrap().replace_all(&page, with).into_owned())
}
