//! A learner in their workspace: the course, and how far they are in it.

use std::io::Write;
use std::path::Path;

use super::{Failure, place};
use crate::course::{Course, Lesson, Step};
use crate::progress::{Book, Change, Loaded, Progress};
use crate::service::Manifest;

/// A workspace with its course and its book.
pub struct Learner {
    pub manifest: Manifest,
    pub course: Course,
    pub progress: Progress,
    book: Book,
}

impl Learner {
    /// Opens the workspace at a folder or above it, with its own course or another.
    pub fn open(folder: &Path, course: Option<&str>) -> Result<Self, Failure> {
        let manifest = place::manifest(folder)?;
        let course = place::course(folder, course.unwrap_or(&manifest.course))?;
        let book = Book::of(&manifest.workspace, &course);
        let progress = told(book.load());
        Ok(Self { manifest, course, progress, book })
    }

    /// Notes what happened.
    pub fn note(&mut self, changes: impl IntoIterator<Item = Change>) {
        self.progress = told(self.book.note_all(changes));
    }

    /// The step that was named, or else the one at which the learner is to go on; `None` where nothing is left to do.
    pub fn step(&self, named: Option<&str>) -> Result<Option<(&Lesson, &Step)>, Failure> {
        match named {
            Some(named) => place::step(&self.course, named).map(Some),
            None => Ok(self.progress.here(&self.course)),
        }
    }
}

/// Tells what there is to say about the book's file.
pub fn told(loaded: Loaded) -> Progress {
    let notices: String = loaded.notices.iter().map(|notice| format!("note: {notice}\n")).collect();
    let _ = std::io::stderr().write_all(notices.as_bytes());
    loaded.progress
}

/// A reader who has gone away has seen enough.
pub fn print(text: &str) {
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
