//! The report as TAP, version 14: a test point is a check, with YAML diagnostics where it is not met.
//!
//! A bonus check that is not met is a `TODO`, which a TAP harness does not count against the run, as the exit code does not.

use super::text::one_line;
use super::{CheckReport, Report, RunStatus, Status, StepReport};

/// The lines of a TAP stream.
#[must_use]
pub fn render(report: &Report) -> String {
    let checks: usize = report.steps.iter().map(|step| step.checks.len()).sum();
    let mut lines = vec!["TAP version 14".to_owned(), plan(checks)];
    if let Some(trouble) = &report.service.trouble {
        lines.push(format!("# the service: {}", one_line(&trouble.cause)));
        lines.push(format!("# fix: {}", one_line(&trouble.remedy)));
        lines.extend(report.service.output.iter().map(|line| format!("# | {line}").trim_end().to_owned()));
    }
    let mut number = 0;
    for lesson in &report.lessons {
        lines.push(format!("# {} {}", lesson.number, lesson.title));
        for step in report.steps_of(&lesson.id) {
            for check in &step.checks {
                number += 1;
                point(number, report, step, check, &mut lines);
            }
        }
    }
    let score = &report.score;
    lines.push(format!("# points: {} of {}", score.earned, score.possible));
    lines.push(format!("# bonus: {} of {}", score.bonus, score.bonus_possible));
    if report.status == RunStatus::Interrupted {
        lines.push("Bail out! the run was interrupted".to_owned());
    }
    lines.push(String::new());
    lines.join("\n")
}

/// `1..0` says by itself that there is nothing to run.
fn plan(checks: usize) -> String {
    if checks == 0 { "1..0 # SKIP nothing was selected".to_owned() } else { format!("1..{checks}") }
}

fn point(number: usize, report: &Report, step: &StepReport, check: &CheckReport, lines: &mut Vec<String>) {
    let ok = matches!(check.status, Status::Passed | Status::Skipped);
    let directive = match check.status {
        Status::Skipped => format!(" # SKIP {}", escape(check.reason.as_deref().unwrap_or_default())),
        Status::Failed if !report.decides(step) => " # TODO bonus".to_owned(),
        _ => String::new(),
    };
    let word = if ok { "ok" } else { "not ok" };
    lines.push(format!("{word} {number} - {} {}{directive}", escape(&step.number), escape(&check.title)).trim_end().to_owned());
    if check.status != Status::Skipped {
        lines.push("  ---".to_owned());
        for (key, value) in diagnostics(step, check) {
            lines.push(format!("  {key}: {value}"));
        }
        lines.push("  ...".to_owned());
    }
}

/// Keys with values that are JSON, which is YAML too: whatever a text holds, it stays in its line.
fn diagnostics(step: &StepReport, check: &CheckReport) -> Vec<(&'static str, serde_json::Value)> {
    let mut values = vec![("id", check.id.clone().into()), ("step", step.id.clone().into()), ("kind", check.kind.clone().into())];
    if check.status != Status::Passed {
        values.push(("severity", if check.status == Status::Failed { "fail" } else { "error" }.into()));
    }
    if let Some(mismatch) = &check.mismatch {
        values.push(("expected", mismatch.expected.clone().into()));
        values.push(("actual", mismatch.actual.clone().into()));
        values.extend(mismatch.nearest.clone().map(|nearest| ("nearest", nearest.into())));
    }
    values.extend(check.cause.clone().map(|cause| ("message", cause.into())));
    if let Some(likeliest) = check.diagnoses.first() {
        let causes = check.diagnoses.iter().map(|diagnosis| diagnosis.cause.clone()).collect::<Vec<_>>();
        values.push(("causes", causes.into()));
        values.push(("fix", likeliest.fix.clone().into()));
    } else {
        values.extend(check.fix.clone().or(check.remedy.clone()).map(|fix| ("fix", fix.into())));
    }
    if !check.facts.is_empty() {
        let facts = check.facts.iter().map(|fact| (fact.label.clone(), fact.value.clone().into()));
        values.push(("facts", serde_json::Value::Object(facts.collect())));
    }
    if check.status == Status::Failed {
        values.push(("at", check.place().to_string().into()));
    }
    values.push(("duration_ms", check.duration_ms.into()));
    values
}

/// A description or a reason: in one line, with `#` and `\` escaped, as neither may begin a directive.
fn escape(text: &str) -> String {
    one_line(text).replace('\\', "\\\\").replace('#', "\\#")
}
