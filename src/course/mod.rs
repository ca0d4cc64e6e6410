//! The course: lessons and steps from Markdown, with the checks that prove them.
//!
//! A lesson is a page that reads well on a code host (`lessons/<course>/<number>-<lesson>.md`); what its steps demand is in
//! `checks/<course>/<lesson>.toml`. [`Course::load`] reads both, joins them, and reports whatever an author got wrong as
//! [`Problems`]: each with its file, its line and a remedy, all of them at once. The format is described in `lessons/README.md`.

mod action;
mod front_matter;
mod info_string;
mod lesson;
mod load;
mod markdown;
mod problem;
mod schema;
mod selection;
mod slug;
mod source;
mod verify_line;

pub use action::{Action, ActionKind};
pub use lesson::{CodeBlock, Hint, Lesson, Step, StepCheck};
pub use load::LoadError;
pub(crate) use problem::Page;
pub use problem::{Problem, Problems};
pub use schema::{check_schema, diagnosis_schema, probe_schema};
pub use selection::{Selection, SelectionError};
pub(crate) use slug::slug;
pub use source::Source;
pub(crate) use verify_line::Total;

use std::collections::BTreeMap;

use crate::check::{NamedRule, Points, Probe};

/// A course: what `lessons/<id>/` and `checks/<id>/` hold.
#[derive(Debug, Clone)]
pub struct Course {
    /// The folder's name: `week2`.
    pub id: String,
    /// The first heading of its `README.md`.
    pub title: String,
    /// The text of its `README.md`, as Markdown.
    pub intro: String,
    /// The lessons, in order.
    pub lessons: Vec<Lesson>,
    /// The probes that its checks rest on, by name.
    pub probes: BTreeMap<String, Probe>,
    /// Why a check may not be met, the likeliest first.
    pub rules: Vec<NamedRule>,
}

impl Course {
    /// All steps, in order, each with its lesson.
    pub fn steps(&self) -> impl Iterator<Item = (&Lesson, &Step)> {
        self.lessons.iter().flat_map(|lesson| lesson.steps.iter().map(move |step| (lesson, step)))
    }

    /// The points that are required.
    #[must_use]
    pub fn points(&self) -> Points {
        self.lessons.iter().map(Lesson::points).sum()
    }

    /// The points beyond those.
    #[must_use]
    pub fn bonus_points(&self) -> Points {
        self.lessons.iter().map(Lesson::bonus_points).sum()
    }
}
