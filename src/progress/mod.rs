//! What the learner has passed, per workspace: `.bootcamp/progress.json`.
//!
//! A [`Book`] is that file, as far as one course is concerned. It is read with [`Book::load`], which never fails: what cannot be
//! read is told in a notice. [`Book::note`] adds a [`Change`]: under a lock it reads the file anew, makes the change, and puts the
//! whole file in its place by renaming, so that two programs lose nothing of each other's, and one that is killed leaves the file
//! as it was or as it was to be. Where it cannot be written, the book goes on in memory, and says so.
//!
//! Entries belong to steps by their paths (`week2/x-ray/a-group`). Each knows the ids of the step's checks and a hash of what they
//! demanded ([`Demand`]), so that a new edition of the course finds them again: see [`Standing::Changed`], and `reconcile` for
//! steps that were renamed or removed. Nothing in the file is bound to the workspace's place.

mod book;
mod change;
mod disk;
mod file;
mod hold;
mod reconcile;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::check::{Demand, Points};
use crate::course::{Course, Lesson, Step};

pub use book::{Book, Loaded};
pub use change::Change;
use change::Edition;

/// What is known of a learner's way through one course.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Progress {
    /// The path of the step that the learner is at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    current: Option<String>,
    /// By the paths of steps, those included that this edition of the course does not have.
    #[serde(default)]
    steps: BTreeMap<String, Entry>,
}

/// What is known of one step.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Entry {
    /// The ids of the step's checks when this was last written, sorted: by them a renamed step is found again.
    #[serde(default)]
    checks: Vec<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    passed: Option<Passed>,
    /// Since when what was passed does not hold any more.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    broken: Option<Timestamp>,
    /// When the learner passed over it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    skipped: Option<Timestamp>,
    /// How many of its hints were shown.
    #[serde(default, skip_serializing_if = "is_zero")]
    hints: usize,
}

/// How a step was passed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Passed {
    /// When, in UTC: the first time with these demands.
    at: Timestamp,
    /// What was earned.
    points: Points,
    /// What could be earned: more than that where checks were skipped.
    of: Points,
    /// What the checks demanded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    demand: Option<Demand>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
const fn is_zero(count: &usize) -> bool {
    *count == 0
}

/// How a learner stands with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Not passed yet.
    Open,
    /// Passed.
    Passed,
    /// Passed, and when it was last verified, it held no longer. Its points are kept.
    Broken,
    /// Passed, and its checks demand something else since: it is offered again. Its points are kept.
    Changed,
    /// Passed over.
    Skipped,
}

impl Standing {
    /// `open`, `passed`, `broken`, `changed` or `skipped`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Passed => "passed",
            Self::Broken => "broken",
            Self::Changed => "changed",
            Self::Skipped => "skipped",
        }
    }

    /// Whether it was passed once: then its points count.
    #[must_use]
    pub const fn earns(self) -> bool {
        matches!(self, Self::Passed | Self::Broken | Self::Changed)
    }

    /// Whether it waits to be done: open, or to be done again because its checks changed.
    #[must_use]
    pub const fn waits(self) -> bool {
        matches!(self, Self::Open | Self::Changed)
    }
}

impl Progress {
    /// How the learner stands with a step. Of a course that was read without its checks ([`Course::outline`]), no step has changed.
    #[must_use]
    pub fn standing(&self, step: &Step) -> Standing {
        let Some(entry) = self.steps.get(&step.path) else { return Standing::Open };
        match &entry.passed {
            Some(passed) => match (&passed.demand, step.demand()) {
                (Some(then), Some(now)) if *then != now => Standing::Changed,
                _ if entry.broken.is_some() => Standing::Broken,
                _ => Standing::Passed,
            },
            None if entry.skipped.is_some() => Standing::Skipped,
            None => Standing::Open,
        }
    }

    /// The path of the step that the learner is at: one of the course's. `None` before the first, or where it was removed.
    #[must_use]
    pub fn current(&self) -> Option<&str> {
        self.current.as_deref()
    }

    /// How many of a step's hints were shown: never more than it has.
    #[must_use]
    pub fn hints_shown(&self, step: &Step) -> usize {
        self.steps.get(&step.path).map_or(0, |entry| entry.hints).min(step.hints.len())
    }

    /// When a step was passed, in UTC: the first time with the demands that it was passed with.
    #[must_use]
    pub fn passed_at(&self, step: &Step) -> Option<Timestamp> {
        Some(self.steps.get(&step.path)?.passed.as_ref()?.at)
    }

    /// What a step has earned: all it is worth, or less where some of its checks did not count.
    #[must_use]
    pub fn earned_by(&self, step: &Step) -> Points {
        match self.steps.get(&step.path).and_then(|entry| entry.passed.as_ref()) {
            // What it is worth may have changed since.
            Some(passed) if passed.points >= passed.of => step.points,
            Some(passed) => passed.points.min(step.points),
            None => Points::ZERO,
        }
    }

    /// What was earned in a course: the required points, and those beyond.
    #[must_use]
    pub fn earned(&self, course: &Course) -> (Points, Points) {
        let of = |bonus| course.steps().filter(|(_, step)| step.bonus == bonus).map(|(_, step)| self.earned_by(step)).sum();
        (of(false), of(true))
    }

    /// The next step that waits to be done: the first one behind a step, then those before it. Where none waits, the first that
    /// broke; `None` where all is done or passed over.
    #[must_use]
    pub fn next_open<'c>(&self, course: &'c Course, after: Option<&str>) -> Option<(&'c Lesson, &'c Step)> {
        let steps: Vec<(&Lesson, &Step)> = course.steps().collect();
        let start = after.and_then(|path| steps.iter().position(|(_, step)| step.path == path)).map_or(0, |index| index + 1);
        let (before, behind) = steps.split_at(start);
        let mut ordered = behind.iter().chain(before);
        let waiting = ordered.clone().find(|(_, step)| self.standing(step).waits());
        waiting.or_else(|| ordered.find(|(_, step)| self.standing(step) == Standing::Broken)).copied()
    }

    /// Where the learner is to go on: the current step while it waits to be done, else the next one that does.
    #[must_use]
    pub fn here<'c>(&self, course: &'c Course) -> Option<(&'c Lesson, &'c Step)> {
        let current = self.current().and_then(|path| course.steps().find(|(_, step)| step.path == path));
        current.filter(|(_, step)| self.standing(step).waits()).or_else(|| self.next_open(course, self.current()))
    }

    /// Takes in a change of this moment, for one who goes on before the [`Book`] has it.
    pub fn apply(&mut self, change: &Change, course: &Course) {
        self.absorb(change, Timestamp::now(), &Edition::of(course));
    }

    /// Whether nothing is known.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.current.is_none() && self.steps.is_empty()
    }
}
