//! What the formats for people say in the same words.

use super::look::Tone;
use super::text::count;
use super::{CheckReport, Diagnosis, Look, Report, RunStatus, Status, Tally};
use crate::check::Points;
use crate::progress::Standing;

/// What a cause rests on, apart from what the mismatch says already.
pub(super) fn untold<'r>(check: &'r CheckReport, diagnosis: &'r Diagnosis) -> impl Iterator<Item = &'r str> {
    let told = move |sentence: &&str| {
        check.mismatch.as_ref().is_some_and(|mismatch| {
            [Some(&mismatch.actual), mismatch.nearest.as_ref()].into_iter().flatten().any(|text| text.contains(*sentence))
        })
    };
    diagnosis.evidence.iter().map(String::as_str).filter(move |sentence| !told(sentence))
}

/// `point` or `points`, as the number before it wants.
pub(crate) fn point(number: Points) -> &'static str {
    if number == Points::whole(1) { "point" } else { "points" }
}

/// `8 of 10 points`, `8 of 10 points, 2 of 5 bonus`.
pub(super) fn earned_of(earned: Points, points: Points, bonus_earned: Points, bonus: Points) -> String {
    let required = format!("{earned} of {points} {}", point(points));
    let beyond = format!("{bonus_earned} of {bonus} bonus");
    match (points == Points::ZERO, bonus == Points::ZERO) {
        (_, true) => required,
        (true, false) => beyond,
        (false, false) => format!("{required}, {beyond}"),
    }
}

/// The sign of how a learner stands with a step; none where it is open.
pub(super) const fn standing_sign(look: Look, standing: Standing) -> (Tone, &'static str) {
    match standing {
        Standing::Open => (Tone::Dim, " "),
        Standing::Passed => (Tone::Good, look.sign("✓", "+")),
        Standing::Broken => (Tone::Bad, look.sign("✗", "x")),
        Standing::Changed => (Tone::Warn, "~"),
        Standing::Skipped => (Tone::Dim, look.sign("–", "-")),
    }
}

/// `12 of 17 checks met; 2 not met, 2 could not be checked, 1 skipped.`
pub(super) fn sentence(tally: &Tally) -> String {
    let mut parts = Vec::new();
    for (number, words) in [
        (tally.failed, "not met"),
        (tally.bonus_failed, "bonus not met"),
        (tally.errored, "could not be checked"),
        (tally.skipped, "skipped"),
    ] {
        if number > 0 {
            parts.push(format!("{number} {words}"));
        }
    }
    let met = format!("{} of {} met", tally.passed, count(tally.checks(), "check"));
    if parts.is_empty() { format!("{met}.") } else { format!("{met}; {}.", parts.join(", ")) }
}

/// The first step that is not met and ought to be, and where to read on.
pub(super) fn next(report: &Report) -> Option<String> {
    let step = report.steps.iter().find(|step| step.status == Status::Failed && report.decides(step))?;
    Some(format!("{} {} ({}:{})", step.number, step.title, step.file, step.line))
}

/// What a reader may otherwise get wrong about the numbers.
pub(super) fn remarks(report: &Report, tally: &Tally) -> Vec<String> {
    let mut remarks = Vec::new();
    if tally.left_out > Points::ZERO {
        remarks.push(format!(
            "Skipped checks do not count: their {} {} are left out of the total.",
            tally.left_out,
            point(tally.left_out)
        ));
    }
    if tally.bonus_failed > 0 {
        remarks.push("Unmet bonus checks cost nothing.".to_owned());
    }
    if tally.checks() > 0 && tally.checks() == tally.skipped {
        remarks.push("All that was selected is skipped here, so nothing was verified.".to_owned());
    }
    if tally.fresh > 0 {
        remarks.push(format!(
            "{} {} proved by data that arrived after the probe, not by this run's own trace: the key does not allow reading traces back.",
            count(tally.fresh, "check"),
            if tally.fresh == 1 { "is" } else { "are" }
        ));
    }
    if report.status == RunStatus::Interrupted {
        remarks.push("The run was interrupted; checks that were not settled by then are shown as not checked.".to_owned());
    }
    remarks
}
