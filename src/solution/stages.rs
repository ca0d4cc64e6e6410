use std::collections::HashMap;

use crate::check::closest;

/// The word for what belongs to the reference alone, and to no learner's state.
pub(super) const REFERENCE: &str = "reference";

/// The stages of a solution: 0 is the starter, `n` is the state after the `n`-th step, and the last is the reference.
#[derive(Debug)]
pub(super) struct Stages {
    /// The steps' paths: `week2/x-ray/a-group`.
    pub steps: Vec<String>,
    /// Stages by what markers say: `x-ray/a-group`, `reference`.
    named: HashMap<String, usize>,
}

impl Stages {
    /// Of a course with these steps, in this order.
    pub(super) fn new(course: &str, steps: &[&str]) -> Self {
        let within = |step: &&str| step.strip_prefix(course).and_then(|rest| rest.strip_prefix('/')).unwrap_or(step).to_owned();
        let mut named: HashMap<String, usize> = steps.iter().enumerate().map(|(index, step)| (within(step), index + 1)).collect();
        named.insert(REFERENCE.to_owned(), steps.len() + 1);
        Self { steps: steps.iter().map(|step| (*step).to_owned()).collect(), named }
    }

    /// The stage of the reference.
    pub(super) fn last(&self) -> usize {
        self.steps.len() + 1
    }

    /// The stage that begins with what a marker names.
    pub(super) fn named(&self, name: &str) -> Option<usize> {
        self.named.get(name).copied()
    }

    /// The stage after a step, by the step's path.
    pub(super) fn after(&self, step: &str) -> Option<usize> {
        self.steps.iter().position(|path| path == step).map(|index| index + 1)
    }

    /// What to write instead of a name that is none.
    pub(super) fn remedy(&self, name: &str) -> String {
        match closest(name, self.named.keys().map(String::as_str)) {
            Some(close) => format!("did you mean `{close}`?"),
            None => format!("name a step as `<lesson>/<step>`, or `{REFERENCE}`"),
        }
    }
}
