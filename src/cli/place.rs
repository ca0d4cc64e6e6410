//! Where a command works: the workspace, and the course with its selection.

use std::path::{Path, PathBuf};

use super::Failure;
use crate::course::{Course, LoadError, Selection, Source};
use crate::report::ExitStatus;
use crate::service::Manifest;

/// The course that is meant where nothing says which.
pub const DEFAULT_COURSE: &str = "week2";

/// The folder that a command starts from.
pub fn folder(given: Option<&Path>) -> Result<PathBuf, Failure> {
    let folder = match given {
        Some(given) if !given.is_dir() => {
            return Err(Failure::usage(format_args!("`{}` is no folder; give --workspace one that exists", given.display())));
        }
        Some(given) => std::path::absolute(given),
        None => std::env::current_dir(),
    };
    folder.map_err(|error| Failure::usage(format_args!("the current folder cannot be used: {error}")))
}

/// The workspace's manifest: in the folder, or the nearest above it.
pub fn manifest(folder: &Path) -> Result<Manifest, Failure> {
    Manifest::find(folder).map_err(|problem| Failure::shown(ExitStatus::Usage, problem))
}

/// The workspace's manifest, for a command that needs no workspace. One that is there and broken is not passed over: what
/// would follow is another course, or another folder's data.
pub fn manifest_if_any(folder: &Path) -> Result<Option<Manifest>, Failure> {
    if folder.ancestors().any(|folder| folder.join(Manifest::FILE).is_file()) { manifest(folder).map(Some) } else { Ok(None) }
}

/// The course with its checks, from the checkout or workspace around the folder, else the one that the program was built with.
pub fn course(folder: &Path, id: &str) -> Result<Course, Failure> {
    read(folder, id, Course::load)
}

/// The same course without its checks: lessons, steps and points, in a fraction of the time.
pub fn outline(folder: &Path, id: &str) -> Result<Course, Failure> {
    read(folder, id, Course::outline)
}

fn read(folder: &Path, id: &str, how: impl Fn(&Source, &str) -> Result<Course, LoadError>) -> Result<Course, Failure> {
    let with = |id: &str| {
        folder.ancestors().find(|folder| folder.join("lessons").join(id).is_dir() && folder.join("checks").join(id).is_dir())
    };
    let embedded = || Source::Embedded.courses().is_ok_and(|courses| courses.iter().any(|course| course == id));
    let source = match with(id) {
        Some(root) => Source::of(root),
        None if embedded() => Source::Embedded,
        // Not there at all: what was meant is more likely to lie around here than in the program.
        None => with("").map_or(Source::Embedded, Source::of),
    };
    how(&source, id).map_err(|error| match error {
        LoadError::Broken(problems) => Failure::shown(ExitStatus::CourseBroken, problems),
        LoadError::Unknown { .. } => Failure::usage(error),
        LoadError::Unreadable { .. } => Failure { status: ExitStatus::CourseBroken, text: format!("error: {error}") },
    })
}

/// What was selected, by default the whole of the workspace's course.
pub fn selection(given: Option<&str>, step: Option<&str>, manifest: Option<&Manifest>) -> Result<Selection, Failure> {
    let path = given.or(manifest.map(|manifest| manifest.course.as_str())).unwrap_or(DEFAULT_COURSE);
    Selection::parse(path, step).map_err(Failure::usage)
}
