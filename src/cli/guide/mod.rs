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
use crate::report::{ExitStatus, Look};
use crate::service::{Manifest, Target, Variables};
use coach::{Coach, Ground};

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
    let shown = if full {
        screen::show(&mut guide, first, &mut coach, &mut told, look, &stop).await
    } else {
        plain::walk(&mut guide, first, &mut coach, &mut told, look, &stop).await
    };
    coach.end().await;
    if let Some(discovered) = discovered {
        discovered.remove(&workspace);
    }
    if full {
        plain::farewell(&guide, look);
    }
    match shown {
        Ok(()) if stop.is_cancelled() => Ok(ExitStatus::Interrupted),
        Ok(()) => Ok(ExitStatus::Passed),
        Err(error) => Err(Failure::usage(format_args!("the terminal cannot be used: {error}; `--plain` needs none"))),
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
