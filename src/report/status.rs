//! What `bootcamp status` prints: how far a learner is in a course.

use console::measure_text_width;
use jiff::Timestamp;
use serde::Serialize;

use super::look::Tone;
use super::page::Page;
use super::text::one_line;
use super::words::{earned_of, standing_sign};
use super::{Look, Report};
use crate::check::Points;
use crate::course::{Course, Lesson, Step};
use crate::progress::{Progress, Standing};

/// How far a learner is, as JSON shows it.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// The version of this shape.
    pub schema_version: u32,
    /// The course's id.
    pub course: String,
    /// Its title.
    pub title: String,
    /// What was earned.
    #[serde(flatten)]
    pub score: Score,
    /// The path of the step that the learner is at.
    pub current: Option<String>,
    /// The path of the step at which to go on; absent where nothing is left to do.
    pub next: Option<String>,
    /// The lessons.
    pub lessons: Vec<LessonOverview>,
}

/// Points earned of points possible; bonus points stand apart.
#[derive(Debug, Clone, Copy, Default, Serialize)]
pub struct Score {
    /// The required points that were earned.
    pub earned: Points,
    /// The required points that there are.
    pub points: Points,
    /// The points beyond that were earned.
    pub bonus_earned: Points,
    /// The points beyond that there are.
    pub bonus: Points,
}

/// How far a learner is in a lesson.
#[derive(Debug, Clone, Serialize)]
pub struct LessonOverview {
    /// `x-ray`.
    pub id: String,
    /// `3`.
    pub number: u32,
    /// `AWS X-Ray`.
    pub title: String,
    /// The lesson's file.
    pub file: String,
    /// How many of its steps were passed.
    pub passed: usize,
    /// What was earned.
    #[serde(flatten)]
    pub score: Score,
    /// Its steps.
    pub steps: Vec<StepOverview>,
}

/// How a learner stands with a step.
#[derive(Debug, Clone, Serialize)]
pub struct StepOverview {
    /// `week2/x-ray/subsegment`.
    pub id: String,
    /// `3.8`.
    pub number: String,
    /// The step's heading.
    pub title: String,
    /// `open`, `passed`, `broken`, `changed` or `skipped`.
    pub state: &'static str,
    /// What it has earned.
    pub earned: Points,
    /// What it is worth.
    pub points: Points,
    /// Whether its points count beyond the required ones.
    pub bonus: bool,
    /// When it was passed, in UTC.
    pub passed_at: Option<Timestamp>,
    /// How many of its hints were shown.
    pub hints_shown: usize,
    /// How many hints it has.
    pub hints: usize,
    /// The line of its heading in the lesson's file, from 1.
    pub line: usize,
    #[serde(skip)]
    standing: Option<Standing>,
}

impl Overview {
    /// How far a learner is in a course.
    #[must_use]
    pub fn new(course: &Course, progress: &Progress) -> Self {
        let lessons: Vec<LessonOverview> = course.lessons.iter().map(|lesson| LessonOverview::new(lesson, progress)).collect();
        Self {
            schema_version: Report::SCHEMA_VERSION,
            course: one_line(&course.id),
            title: one_line(&course.title),
            score: lessons.iter().map(|lesson| lesson.score).fold(Score::default(), Score::and),
            current: progress.current().map(str::to_owned),
            next: progress.here(course).map(|(_, step)| step.path.clone()),
            lessons,
        }
    }

    fn step(&self, path: &str) -> Option<(&LessonOverview, &StepOverview)> {
        self.steps().find(|(_, step)| step.id == path)
    }

    fn steps(&self) -> impl Iterator<Item = (&LessonOverview, &StepOverview)> {
        self.lessons.iter().flat_map(|lesson| lesson.steps.iter().map(move |step| (lesson, step)))
    }

    /// The steps of which there is more to say than that they are done or not.
    fn remarkable(&self) -> impl Iterator<Item = (&StepOverview, Standing, &'static str)> {
        self.steps().filter_map(|(_, step)| {
            let standing = step.standing?;
            let remark = match standing {
                Standing::Broken => "was passed, and held no longer when it was last verified",
                Standing::Changed => "was passed, and its checks have changed since: verify it again",
                Standing::Skipped => "is skipped",
                Standing::Open | Standing::Passed => return None,
            };
            Some((step, standing, remark))
        })
    }
}

impl Score {
    fn and(self, other: Self) -> Self {
        Self {
            earned: self.earned + other.earned,
            points: self.points + other.points,
            bonus_earned: self.bonus_earned + other.bonus_earned,
            bonus: self.bonus + other.bonus,
        }
    }

    fn of(step: &StepOverview) -> Self {
        match step.bonus {
            false => Self { earned: step.earned, points: step.points, ..Self::default() },
            true => Self { bonus_earned: step.earned, bonus: step.points, ..Self::default() },
        }
    }

    fn words(self) -> String {
        earned_of(self.earned, self.points, self.bonus_earned, self.bonus)
    }
}

impl LessonOverview {
    fn new(lesson: &Lesson, progress: &Progress) -> Self {
        let steps: Vec<StepOverview> = lesson.steps.iter().map(|step| StepOverview::new(step, progress)).collect();
        Self {
            id: one_line(&lesson.id),
            number: lesson.number,
            title: one_line(&lesson.title),
            file: one_line(&lesson.file),
            passed: steps.iter().filter(|step| step.standing.is_some_and(Standing::earns)).count(),
            score: steps.iter().map(Score::of).fold(Score::default(), Score::and),
            steps,
        }
    }

    /// `3 of 5 steps`.
    fn passed_of(&self) -> String {
        format!("{} of {} {}", self.passed, self.steps.len(), if self.steps.len() == 1 { "step" } else { "steps" })
    }
}

impl StepOverview {
    fn new(step: &Step, progress: &Progress) -> Self {
        let standing = progress.standing(step);
        Self {
            id: one_line(&step.path),
            number: one_line(&step.number),
            title: one_line(&step.title),
            state: standing.name(),
            earned: progress.earned_by(step),
            points: step.points,
            bonus: step.bonus,
            passed_at: progress.passed_at(step),
            hints_shown: progress.hints_shown(step),
            hints: step.hints.len(),
            line: step.line,
            standing: Some(standing),
        }
    }
}

/// The width of a lesson's bar.
const BAR: usize = 10;

/// How far a learner is, as a page.
#[must_use]
pub fn pretty(overview: &Overview, look: &Look) -> String {
    let mut page = Page::new(*look);
    let title = format!("{} {} {}", overview.course, look.sign("·", "-"), overview.title);
    page.row(0, &[(Tone::Strong, &title)], Tone::Strong, &overview.score.words());
    page.blank();
    for lesson in &overview.lessons {
        let number = format!("{:<3}", lesson.number);
        let full = (lesson.passed * BAR).checked_div(lesson.steps.len()).unwrap_or(0);
        let points = lesson.score.words();
        let (done, left) = (look.sign("█", "#").repeat(full), look.sign("░", ".").repeat(BAR - full));
        let parts = [
            (Tone::Strong, number.as_str()),
            (Tone::Good, done.as_str()),
            (Tone::Dim, left.as_str()),
            (Tone::Bare, "  "),
            (Tone::Bare, lesson.title.as_str()),
        ];
        // Where there is no room for both, the bar tells of the steps.
        let both = format!("{}, {}", lesson.passed_of(), lesson.score.words());
        let fits = 3 + BAR + 2 + measure_text_width(&lesson.title) + 2 + both.len() <= look.width;
        page.row(0, &parts, Tone::Dim, if fits { &both } else { &points });
    }
    let mut remarks = overview.remarkable().peekable();
    if remarks.peek().is_some() {
        page.blank();
    }
    for (step, standing, remark) in remarks {
        let (tone, sign) = standing_sign(*look, standing);
        let text = format!("{} {} {remark}", step.number, step.title);
        page.row(0, &[(tone, sign), (Tone::Bare, "  "), (Tone::Bare, &text)], Tone::Bare, "");
    }
    page.blank();
    if let Some(here) = current_beside(overview) {
        page.row(0, &[(Tone::Dim, "At    "), (Tone::Bare, &here)], Tone::Bare, "");
    }
    match next(overview) {
        Some(next) => {
            page.row(0, &[(Tone::Dim, "Next  "), (Tone::Bare, &next)], Tone::Bare, "");
            page.row(0, &[(Tone::Dim, "Type  "), (Tone::Strong, "bootcamp next")], Tone::Bare, "");
        }
        None => page.paragraph(0, Tone::Good, "Nothing is left to do."),
    }
    page.text
}

/// How far a learner is, in lines that each make sense alone.
#[must_use]
pub fn plain(overview: &Overview) -> String {
    let mut lines = vec![format!("Course {}, {}: {}.", overview.course, overview.title, overview.score.words())];
    for lesson in &overview.lessons {
        let (passed, points) = (lesson.passed_of(), lesson.score.words());
        lines.push(format!("Lesson {}, {}: {passed} passed, {points}.", lesson.number, lesson.title));
    }
    for (step, _, remark) in overview.remarkable() {
        lines.push(format!("Step {}, {} ({}), {remark}.", step.number, step.title, step.id));
    }
    lines.extend(current_beside(overview).map(|here| format!("You are at step {here}.")));
    lines.push(match next(overview) {
        Some(next) => format!("Next is step {next}: type `bootcamp next`."),
        None => String::from("Nothing is left to do."),
    });
    lines.push(String::new());
    lines.join("\n")
}

/// How far a learner is, as one JSON document.
///
/// # Panics
/// Never: an overview holds only texts, numbers and lists.
#[must_use]
#[allow(clippy::expect_used)]
pub fn json(overview: &Overview) -> String {
    let mut text = serde_json::to_string_pretty(overview).expect("an overview has only texts as keys, and finite numbers");
    text.push('\n');
    text
}

/// The current step, where it is another than the next one.
fn current_beside(overview: &Overview) -> Option<String> {
    let current = overview.current.as_deref().filter(|current| overview.next.as_deref() != Some(*current))?;
    let (_, step) = overview.step(current)?;
    Some(format!("{} {}, which is {}", step.number, step.title, step.state))
}

/// `2.5 The title (lessons/week2/2-honeycomb.md:120)`.
fn next(overview: &Overview) -> Option<String> {
    let (lesson, step) = overview.step(overview.next.as_deref()?)?;
    Some(format!("{} {} ({}:{})", step.number, step.title, lesson.file, step.line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::Source;
    use crate::progress::{Book, Change};
    use crate::report::step::Shown;
    use crate::report::way;

    fn look(width: usize, unicode: bool) -> Look {
        Look { width, colour: false, unicode }
    }

    /// Week 2, some of it done in each of the ways there are.
    fn begun() -> (Course, Progress) {
        let course = Course::load(&Source::Embedded, "week2").unwrap();
        let folder = tempfile::tempdir().unwrap();
        let steps: Vec<&Step> = course.steps().map(|(_, step)| step).collect();
        let passed = |step: &Step| Change::Passed { step: step.path.clone(), earned: step.points };
        let changes = [
            passed(steps[0]),
            passed(steps[1]),
            Change::Failed { step: steps[1].path.clone() },
            Change::Skipped { step: steps[2].path.clone() },
            Change::At { step: steps[0].path.clone() },
            Change::HintShown { step: steps[3].path.clone(), rung: 1 },
        ];
        let loaded = Book::of(folder.path(), &course).note_all(changes);
        (course, loaded.progress)
    }

    #[test]
    fn no_page_is_too_narrow() {
        let (course, progress) = begun();
        for width in 60..=100 {
            let mut pages = vec![pretty(&Overview::new(&course, &progress), &look(width, true))];
            pages.push(way::nothing_left(&course, &progress, look(width, true)));
            for (lesson, step) in course.steps() {
                pages.push(way::next(Shown { lesson, step }, &progress, look(width, true)));
            }
            for line in pages.iter().flat_map(|page| page.lines()) {
                // A command to type is not broken.
                assert!(measure_text_width(line) <= width || line.contains("  bootcamp "), "{width}: {line}");
            }
        }
    }

    #[test]
    fn what_is_remarkable_is_said_without_colour_and_without_unicode() {
        let (course, progress) = begun();
        let overview = Overview::new(&course, &progress);
        let page = pretty(&overview, &look(100, false));
        assert!(!page.contains(['█', '░', '✗', '–']), "{page}");
        let steps: Vec<&Step> = course.steps().map(|(_, step)| step).collect();
        let line = |start: &str| page.lines().any(|line| line.starts_with(start));
        assert!(line(&format!("x  {} ", steps[1].number)) && line(&format!("-  {} ", steps[2].number)), "{page}");
        assert!(page.contains(&format!("At    {} {}, which is passed", steps[0].number, steps[0].title)), "{page}");
        let plain = plain(&overview);
        assert!(plain.contains(&format!("({}), is skipped.", steps[2].path)), "{plain}");
        assert!(plain.contains(&format!("Next is step {} ", steps[3].number)), "{plain}");
        let value: serde_json::Value = serde_json::from_str(&json(&overview)).unwrap();
        assert_eq!(value["next"], steps[3].path.as_str());
        assert_eq!(value["earned"], serde_json::to_value(steps[0].points + steps[1].points).unwrap());
    }
}
