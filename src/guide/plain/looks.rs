//! What is said of a look at a step, from its beginning to its end.

use std::collections::BTreeSet;

use super::super::{CheckState, Guide, Phase, StepState};
use super::lines::Lines;
use super::{Telling, pages};
use crate::report::plain::values;
use crate::report::text::{clean, one_line};
use crate::report::{CheckReport, Status, Tone};

/// A run that was spoken of.
#[derive(Debug)]
pub(super) struct Looking {
    /// Its number.
    run: u64,
    /// Whether it looks at the step where the learner is.
    here: bool,
    /// The other steps that it looks at, where that was asked for.
    others: Vec<String>,
    /// Whether it is the second look.
    second: bool,
    /// So many of the step's checks were spoken of.
    spoken: usize,
    /// Whether anything was new.
    news: bool,
    /// The causes that were told.
    causes: BTreeSet<String>,
}

impl Telling {
    /// Whether a look has ended, and another has begun.
    pub(super) fn tell_looks(&mut self, guide: &Guide, lines: &mut Lines) {
        let now = guide.run.as_ref().map(|run| run.id);
        if self.looking.as_ref().map(|looking| looking.run) == now {
            return;
        }
        if let Some(looking) = self.looking.take() {
            // Where another run but a second look has taken its place, it was broken off.
            let ended = guide.run.as_ref().is_none_or(|run| run.second);
            if ended {
                self.conclude(looking, guide, lines);
            }
        }
        let (Some(run), Some((_, step))) = (&guide.run, guide.step()) else { return };
        let here = run.steps.contains(&step.path);
        let mut others: Vec<String> = run.steps.iter().filter(|path| **path != step.path).cloned().collect();
        if run.second {
            if here {
                lines.say("Looking once more, for it may only be late.");
            }
        } else if !run.saved.is_empty() {
            lines.say(&format!("Saved {}: looking again.", saved(&run.saved)));
        } else if here || !others.is_empty() {
            let also = match others.len() {
                0 => String::new(),
                1 => String::from(" and at one other"),
                count => format!(" and at {count} others"),
            };
            lines.say(&format!("Looking at step {}{also}.", step.number));
        }
        if run.second || !run.saved.is_empty() {
            others.clear();
        }
        let (run, second) = (run.id, run.second);
        self.looking = Some(Looking { run, here, others, second, spoken: 0, news: false, causes: BTreeSet::new() });
    }

    /// What has been settled since.
    pub(super) fn tell_checks(&mut self, guide: &Guide, lines: &mut Lines) {
        if let Some(mut looking) = self.looking.take() {
            self.tell_settled(&mut looking, guide, false, lines);
            self.looking = Some(looking);
        }
    }

    /// The checks of this step that are settled, up to the first that has to wait: one that is not met, for its cause.
    fn tell_settled(&mut self, looking: &mut Looking, guide: &Guide, ended: bool, lines: &mut Lines) {
        if !looking.here {
            return;
        }
        for (_, state) in guide.checks().into_iter().skip(looking.spoken) {
            let CheckState::Settled { report, again } = state else { return };
            let met = matches!(report.status, Status::Passed | Status::Skipped);
            if !ended && (again || !met) {
                return;
            }
            looking.spoken += 1;
            self.tell_check(looking, report, guide, lines);
        }
    }

    fn tell_check(&mut self, looking: &mut Looking, check: &CheckReport, guide: &Guide, lines: &mut Lines) {
        let values = values(check);
        let print = fingerprint(check, &values);
        let known = self.checks.insert(check.id.clone(), print.clone()) == Some(print);
        if known && (looking.second || matches!(check.status, Status::Passed | Status::Skipped)) {
            return;
        }
        looking.news = true;
        let (tone, word, still) = match check.status {
            Status::Passed => (Tone::Good, "Passed", "Passed"),
            Status::Failed => (Tone::Bad, "Not yet", "Still not"),
            Status::Errored => (Tone::Warn, "Could not look", "Still could not look"),
            Status::Skipped => (Tone::Dim, "Skipped", "Skipped"),
        };
        lines.label(0, tone, if known { still } else { word }, &check.title);
        if known || check.status == Status::Passed {
            return;
        }
        if needs_the_service(check, guide) {
            return lines.item(2, "It needs your service, which is not up.");
        }
        let cause = check.diagnoses.first().map(|diagnosis| diagnosis.cause.clone());
        let told = cause.as_ref().is_some_and(|cause| !looking.causes.insert(cause.clone()));
        for (label, value) in values {
            if told && !["Expected", "Found", "In"].contains(&label.as_str()) {
                continue;
            }
            lines.label(2, Tone::Bare, &label, &value);
        }
        if told {
            lines.label(2, Tone::Bare, "Cause", "the same as above");
        }
    }

    /// A look has ended.
    fn conclude(&mut self, mut looking: Looking, guide: &Guide, lines: &mut Lines) {
        self.tell_settled(&mut looking, guide, true, lines);
        self.tell_others(&looking, guide, lines);
        // Where a second look goes on, it has the last word.
        let goes_on = guide.run.as_ref().is_some_and(|run| run.steps.iter().any(|step| step == guide.path()));
        if !looking.here || goes_on {
            return;
        }
        if guide.is_passed() {
            if self.passed {
                lines.say("This step is passed, as before.");
            } else {
                pages::passed(guide, lines);
            }
            self.passed = true;
            return;
        }
        let Some(result) = guide.result() else { return };
        self.passed = false;
        if looking.second && !looking.news {
            lines.say("Nothing has changed.");
        }
        let met = result.checks.iter().filter(|check| check.status == Status::Passed).count();
        let all = result.checks.len();
        lines.say(&match result.status {
            Status::Skipped => format!("Step {} cannot be looked at here, which holds nobody up: `next` goes on.", result.number),
            Status::Errored => format!("Step {} could not be looked at: {met} of {all} checks are met.", result.number),
            Status::Failed | Status::Passed => format!("Step {} is not done yet: {met} of {all} checks are met.", result.number),
        });
        if !std::mem::replace(&mut self.advised, true) && result.status != Status::Skipped {
            lines.say(
                "Save a file, and it is looked at again; or type `verify`, `hint`, `solution` or `skip`. `help` has all words.",
            );
        }
    }

    fn tell_others(&self, looking: &Looking, guide: &Guide, lines: &mut Lines) {
        let others = &looking.others;
        if others.is_empty() {
            return;
        }
        let holds = |path: &String| {
            let step = guide.course.steps().find(|(_, step)| step.path == *path);
            step.is_some_and(|(_, step)| guide.step_state(step) == StepState::Passed)
        };
        let count = others.iter().filter(|path| holds(path)).count();
        lines.say(&match (count, others.len()) {
            (1, 1) => String::from("The other one holds."),
            (count, all) if count == all => format!("The {all} others hold."),
            (count, all) => format!("Of the {all} others, {count} hold; `list` shows which."),
        });
    }
}

/// Whether all that is missing is the service.
fn needs_the_service(check: &CheckReport, guide: &Guide) -> bool {
    let (Phase::Unbuilt { cause, .. } | Phase::Crashed { cause, .. }) = &guide.service.phase else { return false };
    check.mismatch.as_ref().is_some_and(|mismatch| mismatch.actual == clean(cause))
}

/// What is said of a check, without what differs from one request to the next: ids, ports, times, and the order of what was seen.
fn fingerprint(check: &CheckReport, values: &[(String, String)]) -> String {
    let mut words = vec![check.status.name()];
    if check.status != Status::Passed {
        let digits = |word: &&str| !word.contains(|sign: char| sign.is_ascii_digit());
        let said = values.iter().flat_map(|(_, value)| value.split(|sign: char| !sign.is_alphanumeric()));
        words.extend(said.filter(digits).filter(|word| !word.is_empty()));
    }
    words[1..].sort_unstable();
    words.join(" ")
}

/// `src/main.rs`, `src/main.rs and Cargo.toml`, `src/main.rs and 3 more`.
fn saved(paths: &BTreeSet<String>) -> String {
    let mut paths = paths.iter().map(|path| one_line(path));
    match (paths.next(), paths.next(), paths.count()) {
        (Some(one), None, _) => one,
        (Some(one), Some(other), 0) => format!("{one} and {other}"),
        (Some(one), Some(_), more) => format!("{one} and {} more", more + 1),
        (None, ..) => String::from("files"),
    }
}
