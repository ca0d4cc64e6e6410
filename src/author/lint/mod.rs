//! What is wrong with a course, all of it at once.

mod embedded;
mod links;
mod orphans;
mod points;
mod prose;

use std::collections::BTreeSet;

use crate::course::{Course, Lesson, Page, Problem, Problems, Step};

use super::tie::{Tie, tie};
use super::{AuthorError, Checkout};

/// What was looked at, and what is wrong with it.
#[derive(Debug)]
pub struct Linted {
    /// The course.
    pub course: String,
    /// How much there is of it.
    pub tally: Tally,
    /// What is wrong, by file and line; absent where nothing is.
    pub problems: Option<Problems>,
}

/// How much there is of a course.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Its lessons.
    pub lessons: usize,
    /// Their steps.
    pub steps: usize,
    /// The steps' checks.
    pub checks: usize,
    /// The code blocks that show a file of a state.
    pub code_blocks: usize,
}

/// A course under examination.
struct Subject<'a> {
    checkout: &'a Checkout,
    course: &'a Course,
    problems: Vec<Problem>,
}

/// Looks for whatever is wrong with a course: what [`Course::load`] tells, and what only its author can know.
///
/// # Errors
/// When there is no such course, or its files cannot be read.
pub fn lint(checkout: &Checkout, id: &str) -> Result<Linted, AuthorError> {
    checkout.known(id)?;
    let (course, problems) = Course::examine(&checkout.source(), id)?;
    let mut subject = Subject { checkout, course: &course, problems };
    subject.code()?;
    let targets = subject.links()?;
    subject.points();
    subject.prose();
    subject.placeholders()?;
    subject.orphans(&targets)?;
    subject.embedded()?;
    let problems = subject.problems;
    let blocks = course.steps().flat_map(|(_, step)| &step.code_blocks);
    let tally = Tally {
        lessons: course.lessons.len(),
        steps: course.steps().count(),
        checks: course.steps().map(|(_, step)| step.checks.len()).sum(),
        code_blocks: blocks.filter(|block| block.file.is_some()).count(),
    };
    let problems = (!problems.is_empty()).then(|| Problems::new(id, problems));
    Ok(Linted { course: id.to_owned(), tally, problems })
}

impl<'a> Subject<'a> {
    /// The lessons whose text can be read, each with it.
    fn pages(&self) -> impl Iterator<Item = (&'a Lesson, Page)> + use<'a> {
        let checkout = self.checkout;
        self.course.lessons.iter().filter_map(move |lesson| Some((lesson, checkout.page(&lesson.file)?)))
    }

    /// Code blocks that are not what the state after their step has, and what is wrong with the solution's markers.
    fn code(&mut self) -> Result<(), AuthorError> {
        let states = match self.checkout.states(self.course) {
            Ok(Some(states)) => states,
            Ok(None) => return Ok(()),
            Err(AuthorError::Solution(problems)) => {
                self.problems.extend(problems.iter().cloned());
                return Ok(());
            }
            Err(error) => return Err(error),
        };
        for (lesson, page) in self.pages() {
            // Two steps of one name have one state: that is told already.
            let mut seen = BTreeSet::new();
            for step in lesson.steps.iter().filter(|step| seen.insert(&step.id)) {
                for code in step.code_blocks.iter().filter(|code| page.text.get(code.span.clone()).is_some()) {
                    match tie(&page, step, code, &states) {
                        Some(Tie::Loose(problem)) => self.problems.push(problem),
                        Some(Tie::Drifted(drift)) => self.problems.push(drift.problem),
                        Some(Tie::Stands) | None => {}
                    }
                }
            }
        }
        Ok(())
    }
}

/// The bytes of a step's heading, on its lesson's page.
fn heading(page: &Page, step: &Step) -> std::ops::Range<usize> {
    line(page, step.line)
}

/// The bytes of a line, by its number from 1.
fn line(page: &Page, number: usize) -> std::ops::Range<usize> {
    let start: usize = page.text.split_inclusive('\n').take(number.saturating_sub(1)).map(str::len).sum();
    let length = page.text[start..].lines().next().map_or(0, |line| line.trim_end().len());
    start..start + length
}
