//! Proof that each step is worth its points, and that each mistake is named right: on the real sandbox, with the real service.

mod bench;
mod engine;
mod mistakes;
mod steps;

pub use bench::{Bench, BenchError};
pub use mistakes::{Confusion, MistakeProof, prove_mistakes};
pub use steps::{StepProof, prove_steps};

use std::collections::BTreeMap;

use crate::check::Outcome;
use crate::course::Course;
use crate::verify::Plan;

/// Who hears what is going on: the state, and what becomes of it.
pub type Tell<'t> = &'t (dyn Fn(&str, &str) + Send + Sync);

/// The plan of the whole course, with what is done outside of files in the first steps alone.
fn plan(course: &Course, steps_done: usize) -> Plan {
    let steps: Vec<_> = course.steps().collect();
    let mut plan = Plan::new(course, &steps).of(&"sandbox", "a state of the solution");
    plan.actions = steps.iter().take(steps_done).flat_map(|(_, step)| step.actions.iter().cloned()).collect();
    plan
}

/// `passed`, or how else the check ended; `missing` where it was not judged.
fn status(outcomes: &BTreeMap<String, Outcome>, check: &str) -> &'static str {
    outcomes.get(check).map_or("missing", Outcome::status)
}

/// Whether the check is met, or does not count here.
fn is_fine(outcomes: &BTreeMap<String, Outcome>, check: &str) -> bool {
    matches!(status(outcomes, check), "passed" | "skipped")
}
