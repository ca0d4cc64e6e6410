use std::ops::Range;
use std::sync::Arc;

use crate::check::{Check, Demand, Points};

use super::Action;

/// One page of the course.
#[derive(Debug, Clone)]
pub struct Lesson {
    /// The file's name without its number: `x-ray`.
    pub id: String,
    /// Its place in the course, from 1: the front matter's `order`.
    pub number: u32,
    /// The front matter's `title`.
    pub title: String,
    /// The front matter's `summary`: one line.
    pub summary: String,
    /// The file, from the source's root: `lessons/week2/3-x-ray.md`.
    pub file: String,
    /// What comes before the first step, as Markdown.
    pub intro: String,
    /// The steps, in order.
    pub steps: Vec<Step>,
}

/// One thing to do, and the checks that show it is done.
#[derive(Debug, Clone)]
pub struct Step {
    /// The slug of the heading, as code hosts make it: the page's anchor. Unique in its lesson.
    pub id: String,
    /// `week2/x-ray/group`: unique everywhere, and what `bootcamp verify` takes.
    pub path: String,
    /// `3.4`: the fourth step of lesson 3.
    pub number: String,
    /// The heading, as Markdown.
    pub title: String,
    /// Whether its points come on top of those that are required.
    pub bonus: bool,
    /// What it is worth.
    pub points: Points,
    /// The step's Markdown without heading, hints and the verify list.
    pub body: String,
    /// The hints, in order.
    pub hints: Vec<Hint>,
    /// The fenced code blocks, in order, those in hints included.
    pub code_blocks: Vec<CodeBlock>,
    /// What is to be done outside of files, in a form that the runner can perform.
    pub actions: Vec<Action>,
    /// What must be seen, in order.
    pub checks: Vec<StepCheck>,
    /// The heading's line in the lesson's file, from 1.
    pub line: usize,
}

/// A check in its place: in a step, with a share of its points.
#[derive(Debug, Clone)]
pub struct StepCheck {
    /// Unique in the course.
    pub id: String,
    /// What the lesson says of it, as Markdown.
    pub title: String,
    /// Its share of the step's points; the shares of a step add up to it exactly.
    pub points: Points,
    /// Its line in the lesson's file, from 1.
    pub line: usize,
    /// What it demands.
    pub check: Arc<Check>,
    /// The same with its probe's request, as a hash: it changes when a service that passed may pass no longer.
    pub demand: Demand,
}

/// A `<details>` of a lesson: shown on request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hint {
    /// What stands in its `<summary>`; `Hint` where there is none.
    pub summary: String,
    /// What it says, as Markdown.
    pub text: String,
    /// Its line in the lesson's file, from 1.
    pub line: usize,
}

/// A fenced code block.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CodeBlock {
    /// `rust`, `yaml`, …; empty where none is named.
    pub language: String,
    /// The file of the learner's service that it belongs to (`file=…`), relative to the workspace.
    pub file: Option<String>,
    /// The code.
    pub text: String,
    /// Whether it shows all that its step does to that file (`sync=step`), and not parts that its author chose.
    pub follows_step: bool,
    /// The line of the opening fence in the lesson's file, from 1.
    pub line: usize,
    /// Where it stands in the lesson's file, in bytes: from the opening fence to the closing one, both included.
    pub span: Range<usize>,
}

impl Step {
    /// What all of its checks demand, as a hash; `None` where the checks were not read.
    #[must_use]
    pub fn demand(&self) -> Option<Demand> {
        let all = self.checks.iter().map(|check| (check.id.as_str(), &check.demand));
        (!self.checks.is_empty()).then(|| Demand::of_all(all))
    }
}

impl Lesson {
    /// The points of the steps that are required.
    #[must_use]
    pub fn points(&self) -> Points {
        self.steps.iter().filter(|step| !step.bonus).map(|step| step.points).sum()
    }

    /// The points of the others.
    #[must_use]
    pub fn bonus_points(&self) -> Points {
        self.steps.iter().filter(|step| step.bonus).map(|step| step.points).sum()
    }
}
