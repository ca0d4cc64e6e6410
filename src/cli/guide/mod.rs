//! `bootcamp guide`, and bare `bootcamp` in a workspace: the guide's state is `guide`'s; what it wants done is done here.

mod coach;
mod plain;
mod screen;

use std::io::IsTerminal;
use std::path::Path;
use std::sync::Arc;

use super::args::GuideArgs;
use super::{Failure, place, runtime, shell, signals, vendors};
use crate::course::Course;
use crate::guide::{Guide, Setup};
use crate::lab::Lab;
use crate::progress::Book;
use crate::report::{ExitStatus, Look, Status};
use crate::service::{Manifest, Target, Variables};
use coach::{Coach, Ground};
use plain::Ended;

/// Takes a learner through a course.
pub fn run(args: &GuideArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    place::take_back_what_was_interrupted(&folder)?;
    let manifest = place::manifest(&folder)?;
    let course_id = place::course_of(args.selection.as_deref(), Some(&manifest));
    let course = Arc::new(place::course(&folder, &course_id)?);
    let at = step(args, &course)?;
    let book = Book::of(&manifest.workspace, &course);
    let loaded = book.load();
    let target = args.target.map_or(manifest.target, Target::from);
    let look = Look::of_stdout();
    let setup =
        Setup { course: Arc::clone(&course), progress: loaded.progress, target, recheck: args.recheck, notices: loaded.notices };
    let mut guide = Guide::new(&setup);
    if let Some(at) = at {
        guide.at = at;
    }
    let ground = Ground { folder, manifest, course, book, target, look };
    runtime()?.block_on(walk(args, guide, &setup, ground))
}

async fn walk(args: &GuideArgs, mut guide: Guide, setup: &Setup, ground: Ground) -> Result<ExitStatus, Failure> {
    let stop = signals::cancelled_by_user();
    let (lab, discovered) = match ground.target {
        Target::Live => (Lab::live(&variables(&ground.manifest)?, vendors::engine()), None),
        Target::Sandbox => vendors::for_others_too(&ground.manifest.workspace).await?,
    };
    let (look, workspace) = (ground.look, ground.manifest.workspace.clone());
    let first = guide.begin(setup);
    let (mut coach, mut told) = Coach::begin(ground, lab);
    let full = !args.plain && suits_a_screen();
    let ended = if full {
        let shown = screen::show(&mut guide, first, &mut coach, &mut told, look, &stop).await;
        shown.map(|()| Ended::Quit).map_err(|error| format!("the terminal cannot be used: {error}; `--plain` needs none"))
    } else {
        let walked = plain::walk(&mut guide, first, &mut coach, &mut told, look, &stop).await;
        walked.map_err(|error| format!("what the guide says cannot be written: {error}"))
    };
    coach.end().await;
    if let Some(discovered) = discovered {
        discovered.remove(&workspace);
    }
    if full {
        plain::farewell(&guide, look);
    }
    match ended {
        // A terminal that was closed cannot be used any more, which is no mistake of anybody's.
        _ if stop.is_cancelled() => Ok(ExitStatus::Interrupted),
        Ok(Ended::Quit) => Ok(ExitStatus::Passed),
        Ok(Ended::InputEnded) => Ok(standing(&guide)),
        Err(text) => Err(Failure::usage(text)),
    }
}

/// How the step stands at which the input ended. Nobody was there to read what was said, so the exit code says it, in the words of
/// `bootcamp verify` for this step: 0 passed, 1 not passed, 3 could not be looked at. Who ends the guide by a word or a key has seen
/// it, and nothing has failed.
fn standing(guide: &Guide) -> ExitStatus {
    if guide.is_passed() {
        return ExitStatus::Passed;
    }
    match guide.result().map(|result| result.status) {
        Some(Status::Failed) => ExitStatus::NotPassed,
        _ => ExitStatus::Unverified,
    }
}

/// The step to begin with, where one is named.
fn step(args: &GuideArgs, course: &Course) -> Result<Option<usize>, Failure> {
    let names_a_step =
        args.step.is_some() || args.selection.as_deref().is_some_and(|path| path.trim_end_matches('/').contains('/'));
    if !names_a_step {
        return Ok(None);
    }
    let (_, step) = place::first_step(course, args.selection.as_deref(), args.step.as_deref())?;
    Ok(course.steps().position(|(_, other)| other.path == step.path))
}

/// Whether there is a terminal that can be drawn on.
fn suits_a_screen() -> bool {
    let dumb = std::env::var("TERM").map_or(cfg!(unix), |term| term.is_empty() || term == "dumb");
    std::io::stdout().is_terminal() && std::io::stdin().is_terminal() && !dumb
}

fn variables(manifest: &Manifest) -> Result<Variables, Failure> {
    Variables::load(&manifest.compose_folder(), shell()).map_err(|problem| Failure::shown(ExitStatus::Usage, problem))
}

/// Whether the folder, or one above it, is a workspace: then `bootcamp` alone means the guide.
pub fn is_wanted(folder: &Path) -> bool {
    folder.ancestors().any(|folder| folder.join(Manifest::FILE).is_file())
}
