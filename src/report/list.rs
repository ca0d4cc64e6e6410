//! What `bootcamp list` prints: the lessons and steps of a course with their points, before anything has run.

use schemars::JsonSchema;
use serde::Serialize;

use super::look::Tone;
use super::page::Page;
use super::text::one_line;
use super::words::{point, standing_sign};
use super::{Look, Report};
use crate::check::Points;
use crate::course::Course;
use crate::progress::{Progress, Standing};
use crate::verify::{Agenda, AgendaLesson, AgendaStep};

/// The lessons and steps of a course, as JSON shows them.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Listing {
    /// The version of this shape.
    pub schema_version: u32,
    /// The course's id.
    pub course: String,
    /// Its title.
    pub title: String,
    /// The required points.
    pub points: Points,
    /// The points beyond.
    pub bonus: Points,
    /// The lessons.
    pub lessons: Vec<ListedLesson>,
}

/// One lesson of a listing.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ListedLesson {
    /// `x-ray`.
    pub id: String,
    /// `3`.
    pub number: u32,
    /// `AWS X-Ray`.
    pub title: String,
    /// The lesson's file.
    pub file: String,
    /// The required points.
    pub points: Points,
    /// The points beyond.
    pub bonus: Points,
    /// Its steps.
    pub steps: Vec<ListedStep>,
}

/// One step of a listing.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ListedStep {
    /// `week2/x-ray/subsegment`.
    pub id: String,
    /// `3.8`.
    pub number: String,
    /// The step's heading.
    pub title: String,
    /// What it is worth.
    pub points: Points,
    /// Whether its points count beyond the required ones.
    pub bonus: bool,
    /// The line of its heading in the lesson's file, from 1.
    pub line: usize,
    /// Its checks' ids.
    pub checks: Vec<String>,
    /// In a workspace: `open`, `passed`, `broken`, `changed` or `skipped`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<&'static str>,
    #[serde(skip)]
    standing: Option<Standing>,
}

impl Listing {
    /// The same, with how a learner stands with each step.
    #[must_use]
    pub fn with(mut self, course: &Course, progress: &Progress) -> Self {
        for listed in self.lessons.iter_mut().flat_map(|lesson| &mut lesson.steps) {
            let step = course.steps().find(|(_, step)| step.path == listed.id);
            listed.standing = step.map(|(_, step)| progress.standing(step));
            listed.state = listed.standing.map(Standing::name);
        }
        self
    }
}

impl From<&Agenda> for Listing {
    fn from(agenda: &Agenda) -> Self {
        let lessons: Vec<ListedLesson> = agenda.lessons.iter().map(ListedLesson::from).collect();
        Self {
            schema_version: Report::SCHEMA_VERSION,
            course: one_line(&agenda.course),
            title: one_line(&agenda.title),
            points: lessons.iter().map(|lesson| lesson.points).sum(),
            bonus: lessons.iter().map(|lesson| lesson.bonus).sum(),
            lessons,
        }
    }
}

impl From<&AgendaLesson> for ListedLesson {
    fn from(lesson: &AgendaLesson) -> Self {
        let points = |bonus| lesson.steps.iter().filter(|step| step.bonus == bonus).map(|step| step.points).sum();
        Self {
            id: one_line(&lesson.id),
            number: lesson.number,
            title: one_line(&lesson.title),
            file: one_line(&lesson.file),
            points: points(false),
            bonus: points(true),
            steps: lesson.steps.iter().map(ListedStep::from).collect(),
        }
    }
}

impl From<&AgendaStep> for ListedStep {
    fn from(step: &AgendaStep) -> Self {
        Self {
            id: one_line(&step.id),
            number: one_line(&step.number),
            title: one_line(&step.title),
            points: step.points,
            bonus: step.bonus,
            line: step.line,
            checks: step.checks.iter().map(|check| one_line(&check.id)).collect(),
            state: None,
            standing: None,
        }
    }
}

/// The listing as a page.
#[must_use]
pub fn pretty(listing: &Listing, look: &Look) -> String {
    let mut page = Page::new(*look);
    let title = format!("{} {} {}", listing.course, look.sign("·", "-"), listing.title);
    page.row(0, &[(Tone::Strong, &title)], Tone::Strong, &worth(listing.points, listing.bonus));
    for lesson in &listing.lessons {
        page.blank();
        let number = format!("{}  ", lesson.number);
        page.row(0, &[(Tone::Strong, &number), (Tone::Strong, &lesson.title)], Tone::Strong, &worth(lesson.points, lesson.bonus));
        for step in &lesson.steps {
            let number = format!("{:<5}", step.number);
            let points = if step.bonus { format!("{} bonus", step.points) } else { step.points.to_string() };
            let (tone, sign) = step.standing.map_or((Tone::Bare, " "), |standing| standing_sign(*look, standing));
            let parts = [(tone, sign), (Tone::Bare, " "), (Tone::Dim, &number), (Tone::Bare, &step.title)];
            page.row(1, &parts, Tone::Dim, &points);
            page.paragraph(8, Tone::Dim, &step.id);
        }
    }
    page.text
}

/// The listing in lines that each make sense alone.
#[must_use]
pub fn plain(listing: &Listing) -> String {
    let mut lines = vec![format!("Course {}, {}: {}.", listing.course, listing.title, worth(listing.points, listing.bonus))];
    for lesson in &listing.lessons {
        lines.push(format!("Lesson {}, {}: {}.", lesson.number, lesson.title, worth(lesson.points, lesson.bonus)));
        for step in &lesson.steps {
            let bonus = if step.bonus { " bonus" } else { "" };
            let points = point(step.points);
            let state = step.state.map_or_else(String::new, |state| format!(", {state}"));
            lines.push(format!("Step {}, {} ({}): {}{bonus} {points}{state}.", step.number, step.title, step.id, step.points));
        }
    }
    lines.push(String::new());
    lines.join("\n")
}

/// The listing as one JSON document.
///
/// # Panics
/// Never: a listing holds only texts, numbers and lists.
#[must_use]
#[allow(clippy::expect_used)]
pub fn json(listing: &Listing) -> String {
    let mut text = serde_json::to_string_pretty(listing).expect("a listing has only texts as keys, and finite numbers");
    text.push('\n');
    text
}

/// `24 points`, `24 points, 4 bonus`.
fn worth(points: Points, bonus: Points) -> String {
    match (points == Points::ZERO, bonus == Points::ZERO) {
        (_, true) => format!("{points} {}", point(points)),
        (true, false) => format!("{bonus} bonus"),
        (false, false) => format!("{points} {}, {bonus} bonus", point(points)),
    }
}
