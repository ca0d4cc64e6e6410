//! Where a command works: the workspace, and the course with its selection.

use std::io::Write;
use std::path::{Path, PathBuf};

use super::Failure;
use crate::course::{Course, Lesson, LoadError, Selection, SelectionError, Source, Step};
use crate::report::ExitStatus;
use crate::service::Manifest;
use crate::solution::{ApplyError, Interrupted, SolutionError, States};

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

/// The course that is meant: the one that was selected, else the workspace's.
pub fn course_of(given: Option<&str>, manifest: Option<&Manifest>) -> String {
    let named = given.and_then(|given| given.split('/').next()).filter(|course| !course.is_empty());
    named.or(manifest.map(|manifest| manifest.course.as_str())).unwrap_or(DEFAULT_COURSE).to_owned()
}

/// One step: `week2/x-ray/group`, `week2/group` where one lesson alone has such a step, `--step 3.4`.
pub fn one_step<'a>(course: &'a Course, given: Option<&str>, step: Option<&str>) -> Result<(&'a Lesson, &'a Step), Failure> {
    let path = given.unwrap_or(&course.id);
    let selection = Selection::parse(path, step).map_err(Failure::usage)?;
    let found = course.select(&selection);
    let found = match (&found, path.trim_end_matches('/').split_once('/')) {
        // What is no lesson may be a step.
        (Err(SelectionError::Lesson { .. }), Some((id, name))) if step.is_none() && !name.contains('/') => {
            let by_step = Selection::parse(id, Some(name)).and_then(|selection| course.select(&selection));
            by_step.or_else(|error| if matches!(error, SelectionError::Ambiguous { .. }) { Err(error) } else { found })
        }
        _ => found,
    };
    match found.map_err(Failure::usage)?[..] {
        [one] => Ok(one),
        ref several => {
            let example = several.first().map_or("", |(_, step)| step.path.as_str());
            Err(Failure::usage(format_args!(
                "`{path}` has {} steps; name one of them, `{example}` say: `bootcamp list {}` shows them all",
                several.len(),
                course.id
            )))
        }
    }
}

/// The step to begin with: the named one, or the first of a named lesson.
pub fn first_step<'a>(course: &'a Course, given: Option<&str>, step: Option<&str>) -> Result<(&'a Lesson, &'a Step), Failure> {
    let path = given.unwrap_or(&course.id);
    if step.is_none() {
        let selection = Selection::parse(path, None).map_err(Failure::usage)?;
        if let Ok(steps) = course.select(&selection)
            && let Some(first) = steps.first()
        {
            return Ok(*first);
        }
    }
    one_step(course, given, step)
}

/// The states of a course's solution, for a command that shows or writes them.
pub fn states(course: &Course, folder: &Path) -> Result<States, Failure> {
    States::load(course, folder).map_err(|error| match error {
        SolutionError::None(course) => Failure::usage(format_args!(
            "the course `{course}` has no solution, and so neither a starter nor steps that could be shown; `bootcamp list {course}` shows what it asks for"
        )),
        other => no_states(other),
    })
}

/// Why there are no states of a course's solution.
pub fn no_states(error: SolutionError) -> Failure {
    match error {
        SolutionError::Broken(problems) => Failure::shown(ExitStatus::CourseBroken, problems),
        other => Failure::usage(other),
    }
}

/// An apply that was interrupted in the workspace around a folder is taken back, and told of.
pub fn take_back_what_was_interrupted(folder: &Path) -> Result<(), Failure> {
    let Some(workspace) = Interrupted::workspace(folder) else { return Ok(()) };
    let refused = |error: ApplyError| Failure::usage(error);
    let Some(interrupted) = Interrupted::find(workspace).map_err(refused)? else { return Ok(()) };
    let step = interrupted.step().to_owned();
    let restored = interrupted.restore(workspace).map_err(refused)?;
    let mut text = format!(
        "note: `bootcamp solution {step} --apply` was interrupted here; it was taken back, and your files are as they were before it\n"
    );
    for path in &restored.kept {
        text.push_str(&format!(
            "note: `{path}` was changed since, and is left as it is; what it held before is in {}/before/{path}\n",
            restored.backup
        ));
    }
    let _ = std::io::stderr().write_all(text.as_bytes());
    Ok(())
}
