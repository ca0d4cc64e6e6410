//! The result in lines that each make sense alone: no colour, no columns, no signs. For screen readers, logs and `grep`.

use super::text::{bounded, duration, one_line};
use super::words::{next, point, remarks, sentence, untold};
use super::{CheckReport, Report, RunStatus, Score, Status};
use crate::check::Points;

/// No single value is longer than this.
const LONGEST_VALUE: usize = 2_000;

/// The report as lines of plain text.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut lines = vec![format!("Verified: {} of course {} ({}).", report.subject, report.course, report.title)];
    lines.push(format!("Target: {}.", report.target));
    if let Some(url) = &report.service.url {
        lines.push(format!("Service: {url}"));
    }
    if let Some(trouble) = &report.service.trouble {
        let what = if trouble.while_building { "does not build" } else { "did not come up" };
        lines.push(format!("The service {what}: {}", one_line(&trouble.cause)));
        lines.push(format!("  Fix: {}", one_line(&trouble.remedy)));
        lines.extend(report.service.output.iter().map(|line| format!("  Output: {line}").trim_end().to_owned()));
    }
    for lesson in &report.lessons {
        lines.push(String::new());
        lines.push(format!("Lesson {}, {}: {}.", lesson.number, lesson.title, points(&lesson.score)));
        for step in report.steps_of(&lesson.id) {
            let bonus = if step.bonus { " bonus" } else { "" };
            let worth = match step.status {
                Status::Skipped => format!("{}{bonus} {} left out", step.points, point(step.points)),
                _ => format!("{} of {}{bonus} {}", step.earned, step.possible, point(step.possible)),
            };
            lines.push(format!("Step {}, {}: {}, {worth}.", step.number, step.title, step.status.name()));
            step.checks.iter().for_each(|check| lines.extend(self::check(check)));
        }
    }
    lines.push(String::new());
    lines.extend(report.notices.iter().map(|notice| format!("Note: {}", one_line(notice))));
    let word = match report.status {
        RunStatus::Passed => "passed",
        RunStatus::Failed => "not passed yet",
        RunStatus::Errored => "could not verify",
        RunStatus::Interrupted => "interrupted",
    };
    lines.push(format!("Result: {word}. {}, in {}.", points(&report.score), duration(report.duration_ms)));
    let tally = report.tally();
    lines.push(sentence(&tally));
    lines.extend(next(report).map(|next| format!("Next: {next}")));
    lines.extend(remarks(report, &tally));
    lines.push(String::new());
    lines.join("\n")
}

/// `8 of 10 points`, `8 of 10 points and 2 of 5 bonus points`.
pub(crate) fn points(score: &Score) -> String {
    let required = format!("{} of {} {}", score.earned, score.possible, point(score.possible));
    let bonus = format!("{} of {} bonus {}", score.bonus, score.bonus_possible, point(score.bonus_possible));
    match (score.possible == Points::ZERO, score.bonus_possible == Points::ZERO) {
        (_, true) => required,
        (true, false) => bonus,
        (false, false) => format!("{required} and {bonus}"),
    }
}

fn check(check: &CheckReport) -> Vec<String> {
    let mut lines = vec![format!("  Check {} {}: {}", check.id, check.status.name(), check.title)];
    lines.extend(values(check).into_iter().map(|(label, value)| format!("    {label}: {value}")));
    lines
}

/// All that is to be said of one check, each value in one line. The other line-oriented formats say the same.
pub(crate) fn values(check: &CheckReport) -> Vec<(String, String)> {
    let mut values: Vec<(String, String)> =
        check.facts.iter().map(|fact| ("Seen".to_owned(), format!("{} {}", fact.label, fact.value))).collect();
    if let Some(mismatch) = &check.mismatch {
        values.push(("Expected".to_owned(), mismatch.expected.clone()));
        values.push(("Found".to_owned(), mismatch.actual.clone()));
        values.extend(mismatch.nearest.clone().map(|nearest| ("Nearest".to_owned(), nearest)));
        values.extend(mismatch.place().map(|place| ("In".to_owned(), place.to_string())));
    }
    values.extend(check.cause.clone().map(|cause| ("Could not check".to_owned(), cause)));
    values.extend(check.reason.clone().map(|reason| ("Why".to_owned(), reason)));
    values.extend(check.remedy.clone().map(|remedy| ("Fix".to_owned(), remedy)));
    for (index, diagnosis) in check.diagnoses.iter().enumerate() {
        values.push((if index == 0 { "Cause" } else { "Or perhaps" }.to_owned(), diagnosis.cause.clone()));
        values.extend(untold(check, diagnosis).map(|sentence| ("Because".to_owned(), sentence.to_owned())));
        values.push(("Fix".to_owned(), diagnosis.fix.clone()));
        values.push(("Lesson".to_owned(), diagnosis.lesson.to_string()));
    }
    if check.status == Status::Failed && check.diagnoses.is_empty() {
        values.extend(check.fix.clone().map(|fix| ("Fix".to_owned(), fix)));
        values.push(("Lesson".to_owned(), check.lesson.to_string()));
    }
    values.into_iter().map(|(label, value)| (label, bounded(&one_line(&value), LONGEST_VALUE))).collect()
}
