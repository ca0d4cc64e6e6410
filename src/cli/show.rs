use std::io::IsTerminal;

use console::Term;

use super::args::ShowArgs;
use super::{Failure, learner, pager, place, solution};
use crate::course::{Course, Lesson, Selection, SelectionError, Step};
use crate::progress::{Book, Progress};
use crate::report::{ExitStatus, Look, lesson};

/// Formatted Rust has lines of up to 100 columns, and code stands two columns in.
const WIDEST: u16 = 102;

/// Shows a step, a lesson or a course to read.
pub fn run(args: &ShowArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    // A lesson can be read anywhere; where there is a workspace, its course is meant.
    let manifest = place::manifest_if_any(&folder)?;
    let mine = manifest.as_ref().map_or(place::DEFAULT_COURSE, |manifest| manifest.course.as_str());
    // A word alone is a course, or a step of one's own.
    let named = args.selection.as_deref();
    let step = args.step.as_deref().or_else(|| named.filter(|name| !name.contains('/') && !place::knows(&folder, name)));
    let named = named.filter(|_| step.is_none() || args.step.is_some());
    let course = place::course(&folder, &place::course_of(named, manifest.as_ref()))?;
    let look = look(args);
    let book = manifest.as_ref().filter(|_| course.id == mine).map(|manifest| Book::of(&manifest.workspace, &course));
    let here = || book.as_ref().map(|book| learner::told(book.load()));
    let text = match shown(&course, named, step, here)? {
        Shown::Course => lesson::course(&course, look),
        Shown::Lesson(shown) => lesson::lesson(&course, shown, look),
        Shown::Step(of, step) => lesson::step(of, step, look),
    };
    pager::print(&text, !args.no_pager);
    Ok(ExitStatus::Passed)
}

enum Shown<'a> {
    Course,
    Lesson(&'a Lesson),
    Step(&'a Lesson, &'a Step),
}

fn shown<'a>(
    course: &'a Course,
    given: Option<&str>,
    step: Option<&str>,
    progress: impl FnOnce() -> Option<Progress>,
) -> Result<Shown<'a>, Failure> {
    match (given.map(|path| path.trim_end_matches('/')), step) {
        (None, None) => match progress().unwrap_or_default().here(course).or_else(|| course.steps().last()) {
            Some((lesson, step)) => Ok(Shown::Step(lesson, step)),
            None => Ok(Shown::Course),
        },
        (Some(path), None) if !path.contains('/') => Ok(Shown::Course),
        (Some(path), None) if path.matches('/').count() == 1 => {
            let selection = Selection::parse(path, None).map_err(Failure::usage)?;
            match course.select(&selection).as_deref() {
                Ok([(lesson, _), ..]) => Ok(Shown::Lesson(lesson)),
                Err(SelectionError::Lesson { .. }) | Ok([]) => one(course, given, None),
                Err(error) => Err(Failure::usage(error)),
            }
        }
        _ => one(course, given, step),
    }
}

fn one<'a>(course: &'a Course, given: Option<&str>, step: Option<&str>) -> Result<Shown<'a>, Failure> {
    place::one_step(course, given, step).map(|(lesson, step)| Shown::Step(lesson, step))
}

/// Lessons can be set for any terminal; other pages have a least width.
fn look(args: &ShowArgs) -> Look {
    let terminal = if std::io::stdout().is_terminal() { Term::stdout().size_checked() } else { None };
    let columns = terminal.map_or(WIDEST, |(_, columns)| columns.min(WIDEST));
    Look { width: usize::from(args.width.unwrap_or(columns)), ..solution::look(args.color) }
}
