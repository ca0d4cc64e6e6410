use super::args::ResetArgs;
use super::learner::{Learner, print};
use super::solution::not_applied;
use super::{Failure, place};
use crate::course::Step;
use crate::progress::{Change, Progress, Standing};
use crate::report::step::{FileChange, PutBack, Shown, put_back};
use crate::report::{ExitStatus, Look};
use crate::solution::{self, Edit, FileDiff, Left, Mine, States, apply};

/// Puts the files of a step back to what they are before it, and opens the step again.
pub fn run(args: &ResetArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    place::take_back_what_was_interrupted(&folder)?;
    let mut learner = Learner::open(&folder, None)?;
    let named = match args.step.as_deref() {
        Some(named) => Some(place::step(&learner.course, named)?),
        None => learner.progress.current().and_then(|path| learner.course.steps().find(|(_, step)| step.path == path)),
    };
    let Some((lesson, step)) = named else {
        return Err(Failure::usage("you are at no step yet; name one, `bootcamp reset 1.1` say, or begin with `bootcamp next`"));
    };
    let path = step.path.clone();
    let states = place::states(&learner.course, &folder)?;
    let workspace = &learner.manifest.workspace;
    let changes = states.changes(&path);
    let (edits, files) = edits(workspace, &changes)?;
    let open = learner.progress.standing(step) == Standing::Open;
    if edits.is_empty() && open {
        return Err(Failure::usage(refusal(step, &changes, &files)));
    }
    let backup = if edits.is_empty() {
        None
    } else {
        let label = format!("{}{path}", place::RESET);
        Some(apply(workspace, &label, &edits).map_err(not_applied)?)
    };
    let touched = edits.iter().any(|edit| edit.before.is_some());
    let later = later(&learner, &states, step, &edits);
    let done = PutBack {
        files: &files,
        backup: backup.filter(|_| touched).map(|folder| folder.display().to_string()),
        later: &later,
        actions: &step.actions,
    };
    print(&put_back(Shown { lesson, step }, &done, Look::of_stdout()));
    learner.note([Change::Reopened { step: path.clone() }, Change::At { step: path }]);
    Ok(ExitStatus::Passed)
}

/// What is to be done to each file, and what there is to say of it.
fn edits(workspace: &std::path::Path, changes: &[solution::Change]) -> Result<(Vec<Edit>, Vec<FileChange>), Failure> {
    let (mut edits, mut files) = (Vec::new(), Vec::new());
    for change in changes {
        let (path, after) = (change.path.clone(), change.before.as_deref().map(<[u8]>::to_vec));
        let mine = Mine::load(workspace, &path)
            .map_err(|error| Failure::usage(format_args!("cannot read `{}`: {error}", workspace.join(&path).display())))?;
        let before = match mine {
            Mine::Other(what) => {
                files.push(FileChange { path, diff: None, conflicts: 0, left: Some(Left::NotAFile(what)) });
                continue;
            }
            Mine::Absent => None,
            Mine::File(bytes) => Some(bytes),
        };
        if before == after {
            continue;
        }
        let diff = FileDiff::between(&path, before.as_deref(), after.as_deref());
        files.push(FileChange { path: path.clone(), diff, conflicts: 0, left: None });
        edits.push(Edit { path, before, after });
    }
    Ok((edits, files))
}

/// Why there is nothing to do.
fn refusal(step: &Step, changes: &[solution::Change], files: &[FileChange]) -> String {
    let path = &step.path;
    match files {
        _ if changes.is_empty() => format!("`{path}` changes no file, so there is nothing to put back"),
        [] => format!(
            "your files are already as they are before `{path}`, so there is nothing to put back; `bootcamp solution {path} --mine` shows what the step would change in them"
        ),
        [first, ..] => format!("`{}` is not a file that could be put back; move it away and try again", first.path),
    }
}

/// Later steps that were passed and did something to the same files, as `2.3 The title`.
fn later(learner: &Learner, states: &States, step: &Step, edits: &[Edit]) -> Vec<String> {
    let touches =
        |other: &Step| states.changes(&other.path).iter().any(|change| edits.iter().any(|edit| edit.path == change.path));
    let behind = learner.course.steps().skip_while(|(_, other)| other.path != step.path).skip(1);
    let done = |progress: &Progress, step: &Step| progress.standing(step).earns();
    let steps = behind.filter(|(_, other)| done(&learner.progress, other) && touches(other));
    steps.map(|(_, other)| format!("{} {}", other.number, other.title)).collect()
}
