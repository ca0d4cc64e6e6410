use diffy::DiffOptions;

use crate::course::{Course, Problem};

use super::tie::{Tie, tie};
use super::{AuthorError, Checkout};

/// What the solution's states have to say to the lessons of a course.
#[derive(Debug)]
pub struct Synced {
    /// The lessons that would say something else.
    pub rewritten: Vec<Rewritten>,
    /// The code blocks that are tied to no state: they stay as they are.
    pub loose: Vec<Problem>,
    /// How many code blocks are tied to a state.
    pub tied: usize,
}

/// A lesson whose code blocks moved on with the solution.
#[derive(Debug)]
pub struct Rewritten {
    /// The lesson, from the checkout's root.
    pub file: String,
    /// Its text, as it stands.
    pub before: String,
    /// Its text, as it should be.
    pub after: String,
    /// What is written anew: the code block's line in the text that stands, from 1; the file it shows; lines that come; lines
    /// that go.
    pub blocks: Vec<(usize, String, usize, usize)>,
}

impl Rewritten {
    /// What would change, as a unified diff.
    #[must_use]
    pub fn diff(&self) -> String {
        let mut options = DiffOptions::new();
        options.set_original_filename(format!("a/{}", self.file)).set_modified_filename(format!("b/{}", self.file));
        options.create_patch(&self.before, &self.after).to_string()
    }

    /// Writes the lesson, whole or not at all.
    ///
    /// # Errors
    /// When it cannot be written, or says something else by now.
    pub fn write(&self, checkout: &Checkout) -> Result<(), AuthorError> {
        if checkout.page(&self.file).is_none_or(|page| *page.text != *self.before) {
            return Err(AuthorError::Refused(format!("`{}` has changed meanwhile: run the command again", self.file)));
        }
        checkout.replace(&self.file, &self.after)
    }
}

/// Holds the code blocks of a course's lessons against the states after their steps. Nothing is written.
///
/// # Errors
/// When the lessons or the solution's markers cannot be read. A course without a solution has nothing to say.
pub fn sync(checkout: &Checkout, course: &str) -> Result<Synced, AuthorError> {
    checkout.known(course)?;
    let course = Course::outline(&checkout.source(), course)?;
    let mut synced = Synced { rewritten: Vec::new(), loose: Vec::new(), tied: 0 };
    let Some(states) = checkout.states(&course)? else { return Ok(synced) };
    for lesson in &course.lessons {
        let Some(page) = checkout.page(&lesson.file) else { continue };
        let mut rewritten =
            Rewritten { file: lesson.file.clone(), before: page.text.to_string(), after: String::new(), blocks: Vec::new() };
        let mut from = 0;
        for (step, code) in lesson.steps.iter().flat_map(|step| step.code_blocks.iter().map(move |code| (step, code))) {
            // The page may have been written since the course was read.
            if page.text.get(code.span.clone()).is_none() {
                continue;
            }
            match tie(&page, step, code, &states) {
                None => {}
                Some(Tie::Stands) => synced.tied += 1,
                Some(Tie::Loose(problem)) => synced.loose.push(problem),
                Some(Tie::Drifted(drift)) => {
                    synced.tied += 1;
                    rewritten.after.push_str(&page.text[from..drift.inside.start]);
                    rewritten.after.push_str(&drift.text);
                    from = drift.inside.end;
                    let file = code.file.clone().unwrap_or_default();
                    rewritten.blocks.push((code.line, file, drift.added, drift.removed));
                }
            }
        }
        if !rewritten.blocks.is_empty() {
            rewritten.after.push_str(&page.text[from..]);
            synced.rewritten.push(rewritten);
        }
    }
    Ok(synced)
}

#[cfg(test)]
mod tests;
