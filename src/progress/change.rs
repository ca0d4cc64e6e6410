use jiff::Timestamp;

use super::{Entry, Passed, Progress};
use crate::check::{Demand, Points};
use crate::course::{Course, Step};

/// Something that happened to a learner. Steps are named by their paths; of a step that the course does not have, nothing is noted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// A step was passed.
    Passed {
        /// Which.
        step: String,
        /// What its passed checks are worth: less than the step where others were skipped.
        earned: Points,
    },
    /// A step was verified, and is not met. Noted only of one that was passed before.
    Failed {
        /// Which.
        step: String,
    },
    /// A step is passed over. Noted only of one that was not passed.
    Skipped {
        /// Which.
        step: String,
    },
    /// A step is begun anew: whatever was known of it is forgotten.
    Reopened {
        /// Which.
        step: String,
    },
    /// The learner is at a step.
    At {
        /// Which.
        step: String,
    },
    /// A hint was shown.
    HintShown {
        /// Of which step.
        step: String,
        /// Which of its hints, from 1.
        rung: usize,
    },
}

impl Change {
    pub(super) fn step(&self) -> &str {
        match self {
            Self::Passed { step, .. }
            | Self::Failed { step }
            | Self::Skipped { step }
            | Self::Reopened { step }
            | Self::At { step }
            | Self::HintShown { step, .. } => step,
        }
    }
}

/// What a book must know of a course.
#[derive(Debug, Clone)]
pub(super) struct Edition {
    pub course: String,
    pub steps: Vec<EditionStep>,
}

/// What a book must know of a step.
#[derive(Debug, Clone)]
pub(super) struct EditionStep {
    pub path: String,
    pub points: Points,
    /// Sorted.
    pub checks: Vec<String>,
    pub demand: Option<Demand>,
}

impl Edition {
    pub(super) fn of(course: &Course) -> Self {
        Self { course: course.id.clone(), steps: course.steps().map(|(_, step)| EditionStep::of(step)).collect() }
    }

    pub(super) fn step(&self, path: &str) -> Option<&EditionStep> {
        self.steps.iter().find(|step| step.path == path)
    }
}

impl EditionStep {
    fn of(step: &Step) -> Self {
        let mut checks: Vec<String> = step.checks.iter().map(|check| check.id.clone()).collect();
        checks.sort();
        Self { path: step.path.clone(), points: step.points, checks, demand: step.demand() }
    }
}

impl Progress {
    /// Takes in what happened.
    pub(super) fn absorb(&mut self, change: &Change, now: Timestamp, edition: &Edition) {
        let Some(step) = edition.step(change.step()) else { return };
        match change {
            Change::Passed { earned, .. } => {
                let entry = self.entry(step);
                let passed = Passed { at: now, points: *earned, of: step.points, demand: step.demand.clone() };
                entry.passed = Some(match entry.passed.take() {
                    Some(before) if before.demand == passed.demand => before.again(passed),
                    _ => passed,
                });
                (entry.broken, entry.skipped) = (None, None);
            }
            Change::Failed { .. } => {
                let known = self.steps.get_mut(&step.path).filter(|entry| entry.passed.is_some());
                if let Some(entry) = known {
                    entry.broken.get_or_insert(now);
                }
            }
            Change::Skipped { .. } => {
                let entry = self.entry(step);
                if entry.passed.is_none() {
                    entry.skipped.get_or_insert(now);
                }
            }
            Change::Reopened { .. } => drop(self.steps.remove(&step.path)),
            Change::At { .. } => self.current = Some(step.path.clone()),
            Change::HintShown { rung, .. } => {
                let entry = self.entry(step);
                entry.hints = entry.hints.max(*rung);
            }
        }
    }

    fn entry(&mut self, step: &EditionStep) -> &mut Entry {
        let entry = self.steps.entry(step.path.clone()).or_default();
        entry.checks.clone_from(&step.checks);
        entry
    }
}

impl Passed {
    /// Passed once more, with the same demands: the better of the two, at the first one's time.
    fn again(self, now: Self) -> Self {
        // All of what it was worth then is no less than all of what it is worth now.
        let better = now.points >= now.of || (self.points < self.of && now.points > self.points);
        if better { Self { at: self.at, ..now } } else { self }
    }
}
