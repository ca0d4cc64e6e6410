//! The checks of the step: how each stands, and of what was found.

use std::collections::HashSet;

use super::paint::{Paint, Tone};
use super::rows::Rows;
use super::waterfall;
use crate::check::Points;
use crate::guide::{CheckState, Command, Guide, Phase, StepState};
use crate::report::text::one_line;
use crate::report::{CheckReport, Fact, Status};
use crate::typeset::clean;
use crate::verify::Stage;

/// Where what is said of a check begins.
const DETAIL: usize = 2;
/// The width of the labels `expected`, `nearest` and so on, with the space after them.
const LABEL: usize = 10;
/// A fact's label takes no more columns than this.
const WIDEST_FACT: usize = 16;

/// The pane's lines.
pub(super) fn rows(guide: &Guide, paint: Paint, width: usize) -> Rows {
    let mut rows = Rows::new(paint, width);
    let Some((_, step)) = guide.step() else { return rows };
    let checks = guide.checks();
    headline(&mut rows, guide, &checks);
    let mut told = HashSet::new();
    if let Phase::Unbuilt { cause, remedy } | Phase::Crashed { cause, remedy } = &guide.service.phase {
        // The service's own box says it.
        told.insert(format!("{}\n{}", clean(cause), clean(remedy)));
    }
    for (check, state) in &checks {
        // Space makes it readable; but not where there is nothing to tell apart.
        if let CheckState::Settled { report, .. } = state
            && (report.status != Status::Passed || (guide.is_passed() && !report.facts.is_empty()))
        {
            rows.part();
        }
        add(&mut rows, guide, &check.title, *state, &mut told);
    }
    if guide.is_passed()
        && let Some(seen) = guide.waterfalls.get(&step.path)
    {
        waterfall::add(&mut rows, seen);
    }
    rows
}

/// How the step stands, in a line.
fn headline(rows: &mut Rows, guide: &Guide, checks: &[(&crate::course::StepCheck, CheckState<'_>)]) {
    let Some((_, step)) = guide.step() else { return };
    let paint = rows.paint;
    let count = checks.len();
    let ended = |status| {
        let is = |state: &CheckState<'_>| matches!(state, CheckState::Settled { report, .. } if report.status == status);
        checks.iter().filter(|(_, state)| is(state)).count()
    };
    let met = ended(Status::Passed);
    let run = guide.run.as_ref().filter(|run| run.steps.contains(&step.path));
    if let Some(run) = run {
        let moving = paint.moving(guide.ticks);
        let what = match run.stage {
            _ if run.second => "looking once more: it may only be late",
            Some(Stage::Building) => "building",
            Some(Stage::Starting) => "starting",
            Some(Stage::Probing) => "sending requests",
            Some(Stage::Collecting) => "looking",
            Some(Stage::Preparing | Stage::Stopping) | None => "about to look",
        };
        let saved = run.saved.iter().next().map(|path| {
            let others = if run.saved.len() > 1 { format!(" and {} more", run.saved.len() - 1) } else { String::new() };
            format!("{}{others} saved: ", one_line(path))
        });
        let so_far = if met > 0 { format!(", {met} of {count} met") } else { String::new() };
        let text = format!("{}{what}{so_far}", saved.unwrap_or_default());
        rows.hung(vec![paint.span(Tone::Accent, format!("{moving} "))], Tone::Bare, &text);
        rows.part_always();
        return;
    }
    let state = guide.step_state(step);
    match state {
        StepState::Passed => passed(rows, guide),
        StepState::Broken => {
            let text = "passed before, and does not hold any more; its points are kept";
            rows.hung(vec![paint.span(Tone::Warn, "! ")], Tone::Bare, text);
        }
        StepState::Changed if met < count => {
            let text = "passed before; its checks have changed since, so it is looked at again";
            rows.hung(vec![paint.span(Tone::Warn, "! ")], Tone::Bare, text);
        }
        StepState::Skipped => {
            let text = "skipped for now; a save or `v` looks at it again";
            rows.hung(vec![paint.span(Tone::Dim, paint.sign("– ", "- "))], Tone::Bare, text);
        }
        _ => {
            let failed = ended(Status::Failed);
            let (tone, sign, text) = match (failed, ended(Status::Errored), ended(Status::Skipped)) {
                (1.., ..) => (Tone::Bad, paint.sign("✗", "x"), format!("{met} of {count} met")),
                (_, 1.., _) => (Tone::Warn, "!", String::from("could not look")),
                (_, _, skipped) if skipped == count && count > 0 => {
                    (Tone::Dim, paint.sign("–", "-"), String::from("does not count here; `n` goes on"))
                }
                _ if count == 0 => (Tone::Dim, paint.sign("–", "-"), String::from("nothing is checked here; `x` goes on")),
                _ => (Tone::Dim, "?", String::from("not looked at yet; a save or `v` does")),
            };
            rows.hung(vec![paint.span(tone, format!("{sign} "))], Tone::Strong, &text);
        }
    }
    rows.part_always();
}

/// That it has passed, what it brought, and the way on.
fn passed(rows: &mut Rows, guide: &Guide) {
    let Some((_, step)) = guide.step() else { return };
    let paint = rows.paint;
    let earned = guide.progress.earned_by(step);
    let bonus = if step.bonus { "bonus " } else { "" };
    let points = if earned == Points::whole(1) { "point" } else { "points" };
    let dot = paint.sign(" · ", " - ");
    let on = if guide.at + 1 < guide.count() { "goes on" } else { "ends the course" };
    rows.on_click(Command::Next);
    rows.line(vec![
        paint.span(Tone::Good, format!("{} passed", paint.sign("✓", "+"))),
        paint.span(Tone::Dim, dot),
        paint.span(Tone::Strong, format!("+{earned} {bonus}{points}")),
        paint.span(Tone::Dim, dot),
        paint.span(Tone::Accent, "n"),
        paint.span(Tone::Bare, format!(" {on}")),
    ]);
}

/// A check's sign, and its state in words.
fn signed(paint: Paint, guide: &Guide, state: CheckState<'_>) -> (Tone, &'static str, &'static str) {
    match state {
        // It was met when the step passed.
        CheckState::Unknown if guide.is_passed() => (Tone::Good, paint.sign("✓", "+"), ""),
        CheckState::Unknown => (Tone::Dim, "?", ""),
        CheckState::Looking => (Tone::Accent, paint.moving(guide.ticks), "looking"),
        CheckState::Settled { again: true, .. } => (Tone::Accent, paint.moving(guide.ticks), "looking again"),
        CheckState::Settled { report, .. } => match report.status {
            Status::Passed => (Tone::Good, paint.sign("✓", "+"), ""),
            Status::Failed => (Tone::Bad, paint.sign("✗", "x"), "not met"),
            Status::Skipped => (Tone::Dim, paint.sign("–", "-"), "skipped"),
            Status::Errored => (Tone::Warn, "!", "could not look"),
        },
    }
}

fn add(rows: &mut Rows, guide: &Guide, title: &str, state: CheckState<'_>, told: &mut HashSet<String>) {
    let paint = rows.paint;
    let (tone, sign, word) = signed(paint, guide, state);
    let after = (!word.is_empty()).then(|| paint.span(if tone == Tone::Accent { Tone::Dim } else { tone }, word));
    rows.hung_markdown(vec![paint.span(tone, format!("{sign} "))], paint.tone(Tone::Bare), title, after);
    let CheckState::Settled { report, .. } = state else { return };
    match report.status {
        // While something is amiss, what is not takes one line.
        Status::Passed if guide.is_passed() => facts(rows, &report.facts, told),
        Status::Passed => {}
        Status::Skipped => rows.paragraph(DETAIL, Tone::Dim, report.reason.as_deref().unwrap_or_default()),
        Status::Errored => {
            let (cause, remedy) = (report.cause.as_deref().unwrap_or_default(), report.remedy.as_deref().unwrap_or_default());
            // What keeps several from being looked at is told once.
            if told.insert(format!("{cause}\n{remedy}")) {
                rows.paragraph(DETAIL, Tone::Bare, cause);
                if !remedy.is_empty() {
                    rows.labelled(DETAIL, "fix", LABEL, Tone::Bare, remedy);
                }
            }
            causes(rows, report, told);
        }
        Status::Failed => failed(rows, report, told),
    }
}

fn facts(rows: &mut Rows, facts: &[Fact], told: &mut HashSet<String>) {
    // What several rest on, the trace say, is told with the first.
    let new: Vec<&Fact> = facts.iter().filter(|fact| told.insert(format!("{}\n{}", fact.label, fact.value))).collect();
    let widest = new.iter().map(|fact| fact.label.chars().count() + 2).max().unwrap_or(0).min(WIDEST_FACT);
    for fact in new {
        rows.labelled(DETAIL, &format!("{} ", fact.label), widest, Tone::Bare, &fact.value);
    }
}

fn failed(rows: &mut Rows, report: &CheckReport, told: &mut HashSet<String>) {
    if let Some(mismatch) = &report.mismatch {
        rows.labelled(DETAIL, "expected", LABEL, Tone::Good, &mismatch.expected);
        rows.labelled(DETAIL, "found", LABEL, Tone::Bad, &mismatch.actual);
        if let Some(nearest) = &mismatch.nearest {
            rows.labelled(DETAIL, "nearest", LABEL, Tone::Warn, nearest);
        }
        if let Some(place) = mismatch.place() {
            rows.labelled(DETAIL, "in", LABEL, Tone::Strong, &place.to_string());
        }
    }
    if !report.diagnoses.is_empty() {
        return causes(rows, report, told);
    }
    if let Some(fix) = report.fix.as_deref().filter(|fix| !fix.is_empty()) {
        rows.labelled(DETAIL, "fix", LABEL, Tone::Bare, fix);
    }
}

/// The causes that rules name. One that several checks share is told in full once.
fn causes(rows: &mut Rows, report: &CheckReport, told: &mut HashSet<String>) {
    for (index, diagnosis) in report.diagnoses.iter().enumerate() {
        let label = if index == 0 { "cause" } else { "or" };
        if !told.insert(format!("{}\n{}", diagnosis.cause, diagnosis.fix)) {
            rows.labelled(DETAIL, label, LABEL, Tone::Dim, "the same as above");
            continue;
        }
        rows.labelled(DETAIL, label, LABEL, Tone::Warn, &diagnosis.cause);
        rows.labelled(DETAIL, "fix", LABEL, Tone::Bare, &diagnosis.fix);
    }
}
