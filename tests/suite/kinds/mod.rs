//! Each kind of check, met by a sound service and missed by one that is broken in just that way: exactly the checks that rest
//! on the broken thing fail, they say what was expected, found and nearest, and all others still pass.

mod cloudwatch;
mod folder;
mod honeycomb;
mod rollbar;
mod service;
mod xray;

use std::collections::BTreeSet;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::support::{Bootcamp, Report, Run};
use crate::tiny;

/// One thing that is wrong, and what must be said of it.
struct Case {
    name: &'static str,
    /// What the stand-in does wrong.
    breaks: &'static str,
    /// What is wrong with the workspace.
    prepare: fn(Bootcamp) -> Bootcamp,
    /// The group's filter in X-Ray, and the sampling rule's priority.
    group: Option<&'static str>,
    priority: Option<i64>,
    /// The checks that must fail, in the course's order; no others may.
    fails: &'static [&'static str],
    /// Check, field of its mismatch, and what must stand there.
    says: &'static [(&'static str, &'static str, &'static str)],
}

/// Nothing is wrong.
const SOUND: Case = Case {
    name: "sound",
    breaks: "",
    prepare: |call| call,
    group: Some("service(\"tiny\")"),
    priority: Some(100),
    fails: &[],
    says: &[],
};

/// How many cases run at a time: they mostly wait.
const AT_A_TIME: usize = 12;

/// Runs all cases, and fails with all that is wrong.
#[track_caller]
fn prove(cases: &[&Case]) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..AT_A_TIME.min(cases.len()) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(panic) = catch_unwind(AssertUnwindSafe(|| judge(case))) {
                        let text = panic.downcast_ref::<String>().cloned().unwrap_or_default();
                        wrong.lock().unwrap().push(format!("{}: {text}", case.name));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{} of {} cases:\n\n{}", wrong.len(), cases.len(), wrong.join("\n\n"));
}

fn judge(case: &Case) {
    let run = verify(case);
    let report = run.report();
    assert_eq!(report.with("failed"), case.fails, "{}", told(&report));
    assert_eq!(report.with("passed").len(), tiny::CHECKS - case.fails.len(), "{}", told(&report));
    // The annotation is a bonus: missing it alone costs nothing.
    let code = i32::from(case.fails.iter().any(|id| *id != "filter"));
    assert_eq!(run.code, Some(code), "{}", run.stderr);
    for (check, field, fragment) in case.says {
        let value = &report.check(check)["mismatch"][field];
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        assert!(shown.contains(fragment), "`{check}`, {field}: `{fragment}` is not in `{shown}`\n{}", told(&report));
    }
    for check in case.fails {
        let check = report.check(check);
        let fix = check["fix"].as_str().unwrap_or_default();
        assert!(!fix.is_empty(), "no fix: {check:#}");
        assert!(check["mismatch"]["expected"].as_str().is_some_and(|expected| !expected.contains('{')), "{check:#}");
    }
}

fn verify(case: &Case) -> Run {
    let call = (case.prepare)(tiny::workspace()).env("BREAK", case.breaks);
    let mut sandbox = call.sandbox();
    if let Some(filter) = case.group {
        sandbox = sandbox.with_group("Tiny", filter);
    }
    if let Some(priority) = case.priority {
        sandbox = sandbox.with_rule("Tiny", priority);
    }
    // What will never come is not waited for long; what does come is there at once.
    let patience = if case.fails.is_empty() { "20s" } else { "6s" };
    let run = call.args("verify --format json --quiet --timeout").arg(patience).run();
    sandbox.stop();
    run
}

/// What did not pass, for a test that fails.
fn told(report: &Report) -> String {
    let bad = report.checks().into_iter().filter(|check| check["status"] != "passed");
    let lines: Vec<String> = bad
        .map(|check| format!("{} {}: {} {}", check["status"], check["id"], check["mismatch"], check["cause"]))
        .chain([report.0["service"].to_string()])
        .collect();
    lines.join("\n")
}

#[test]
fn a_service_that_is_broken_in_one_way_misses_just_what_rests_on_it() {
    let families = [folder::CASES, service::CASES, honeycomb::CASES, xray::CASES, cloudwatch::CASES, rollbar::CASES];
    let cases: Vec<&Case> = families.into_iter().flatten().collect();
    prove(&cases);
    // No kind is left out but containers, which have tests of their own.
    let missed: BTreeSet<&str> = cases.iter().flat_map(|case| case.fails).copied().collect();
    assert_eq!(missed.len(), tiny::CHECKS, "each check is missed by some case: {missed:?}");
}

#[test]
fn a_sound_service_of_any_make_passes_every_kind() {
    let run = verify(&SOUND);
    let report = run.report();
    report.all_passed();
    assert_eq!(run.code, Some(0));
    assert_eq!(report.checks().len(), tiny::CHECKS);
    let score = &report.0["score"];
    assert_eq!(score, &serde_json::json!({ "earned": 22.5, "possible": 22.5, "bonus": 1, "bonus_possible": 1 }));
    assert!(
        report.checks().iter().all(|check| check["evidence_level"] == "exact" && !check["facts"].as_array().unwrap().is_empty())
    );
    // The facts are this run's own: one trace, in all three worlds.
    let fact = |check: &str, label: &str| {
        let facts = report.check(check)["facts"].as_array().unwrap();
        facts.iter().find(|fact| fact["label"] == label).map(|fact| fact["value"].as_str().unwrap().to_owned()).unwrap()
    };
    let trace = fact("server-span", "trace");
    assert_eq!(fact("segment", "trace"), format!("1-{}-{}", &trace[..8], &trace[8..]));
    assert!(fact("printed", "printed").contains(&trace));
    assert_eq!(fact("item", "frame"), "src/things.rs:7");
    assert_eq!(fact("inner-span", "app.result_length"), "2");
}
