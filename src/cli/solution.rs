use std::io::Write;
use std::path::Path;

use super::args::{ColourArg, SolutionArgs};
use super::{Failure, place, runtime, shell, signals, vendors};
use crate::course::{Action, Step};
use crate::facts::{Secret, Variable};
use crate::lab::Lab;
use crate::report::step::{FileChange, Shown, Whose, applied, difference};
use crate::report::{ExitStatus, Look};
use crate::service::{Manifest, Target, Variables};
use crate::solution::{ApplyError, Edit, FileDiff, Left, Mine, Outcome, Proposal, States, Status, apply};
use crate::verify::{acting, mask};

/// Shows what a step changes, or makes the changes.
pub fn run(args: &SolutionArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    place::take_back_what_was_interrupted(&folder)?;
    // The reference's own difference can be looked at anywhere.
    let manifest = if args.mine || args.apply { Some(place::manifest(&folder)?) } else { place::manifest_if_any(&folder)? };
    let course_id = place::course_of(args.selection.as_deref(), manifest.as_ref());
    let course = place::outline(&folder, &course_id)?;
    let (lesson, step) = place::one_step(&course, args.selection.as_deref(), args.step.as_deref())?;
    let states = place::states(&course, &folder)?;
    let look = look(args.color);
    let shown = Shown { lesson, step };
    match manifest {
        Some(manifest) if args.apply => put_in(args, &manifest, &states, shown, look),
        Some(manifest) if args.mine => {
            print(&mine(&manifest, &states, shown, look)?);
            Ok(ExitStatus::Passed)
        }
        _ => {
            let changes = states.changes(&step.path);
            let diffs = changes
                .iter()
                .filter_map(|change| FileDiff::between(&change.path, change.before.as_deref(), change.after.as_deref()));
            let files: Vec<FileChange> = diffs.map(FileChange::clean).collect();
            print(&difference(shown, Whose::Reference, &files, look));
            Ok(ExitStatus::Passed)
        }
    }
}

/// What the step would change in the learner's files, as it may be shown.
pub fn mine(manifest: &Manifest, states: &States, shown: Shown<'_>, look: Look) -> Result<String, Failure> {
    let proposals = proposals(&manifest.workspace, states, shown.step)?;
    let secrets = secrets(manifest)?;
    let files: Vec<FileChange> = proposals
        .iter()
        .map(|proposal| FileChange::proposed(proposal, proposal.diff().map(|diff| masked(&diff, &secrets))))
        .collect();
    Ok(difference(shown, Whose::Mine, &files, look))
}

/// The values of the workspace's secrets.
fn secrets(manifest: &Manifest) -> Result<Vec<Secret>, Failure> {
    let variables = variables(manifest)?;
    Ok(variables.iter().filter(|(name, _)| Variable::is_secret(name)).map(|(_, variable)| variable.value.clone()).collect())
}

fn variables(manifest: &Manifest) -> Result<Variables, Failure> {
    Variables::load(&manifest.compose_folder(), shell()).map_err(|problem| Failure::shown(ExitStatus::Usage, problem))
}

/// The difference as it may be shown: a learner's files hold keys.
fn masked(diff: &FileDiff, secrets: &[Secret]) -> FileDiff {
    if diff.status == Status::Binary {
        return diff.clone();
    }
    // In code, `token: String` sets nothing.
    let code = diff.path.ends_with(".rs") || diff.path.ends_with(".md");
    let mask = |text: &str| {
        let text = if code { mask::known(text.to_owned(), secrets) } else { mask::text(text, secrets) };
        text.into_bytes()
    };
    let before = (diff.status != Status::Added).then(|| mask(&diff.before));
    let after = (diff.status != Status::Removed).then(|| mask(&diff.after));
    FileDiff::between(&diff.path, before.as_deref(), after.as_deref()).unwrap_or_else(|| diff.without_lines())
}

/// Makes the changes in the learner's files, and does what is done outside of them.
fn put_in(
    args: &SolutionArgs,
    manifest: &Manifest,
    states: &States,
    shown: Shown<'_>,
    look: Look,
) -> Result<ExitStatus, Failure> {
    let Shown { lesson, step } = shown;
    let done = merge_into(manifest, states, step)?;
    print(&applied(shown, &done.files(), done.backup.as_deref(), look));
    if !step.actions.is_empty() {
        let target = args.target.map_or(manifest.target, Target::from);
        print("\n");
        runtime()?.block_on(perform(&step.actions, manifest, target))?;
    }
    if done.proposals.is_empty() && step.actions.is_empty() {
        print(&format!("\nThis step changes no file: {}:{} says what to do.\n", lesson.file, step.line));
    }
    if done.wants_attention() {
        return Ok(ExitStatus::NotPassed);
    }
    print(&format!("\nNext: bootcamp verify {}\n", step.path));
    Ok(ExitStatus::Passed)
}

/// What became of a learner's files.
pub struct Merged {
    /// What the step had for each of them.
    proposals: Vec<Proposal>,
    /// Where those are as they were that were changed.
    backup: Option<String>,
}

impl Merged {
    fn files(&self) -> Vec<FileChange> {
        self.proposals.iter().map(|proposal| FileChange::proposed(proposal, proposal.diff())).collect()
    }

    /// Whether something is left for the learner to decide.
    fn wants_attention(&self) -> bool {
        self.proposals.iter().any(|proposal| proposal.conflicts() > 0 || proposal.outcome == Outcome::Left(Left::Missing))
    }

    /// The files that were written, as they are now; nothing for those that were removed.
    pub fn written(&self) -> impl Iterator<Item = (&str, Option<&[u8]>)> {
        self.proposals.iter().filter_map(|proposal| match &proposal.outcome {
            Outcome::Write { bytes, .. } => Some((proposal.path.as_str(), Some(bytes.as_slice()))),
            Outcome::Remove => Some((proposal.path.as_str(), None)),
            Outcome::Done | Outcome::Left(_) => None,
        })
    }

    /// What became of them, in a line.
    pub fn told(&self) -> String {
        let wrote = |proposal: &&Proposal| matches!(proposal.outcome, Outcome::Write { .. } | Outcome::Remove);
        let changed: Vec<&str> = self.proposals.iter().filter(wrote).map(|proposal| proposal.path.as_str()).collect();
        let mut told = if changed.is_empty() {
            String::from("your files are as the step wants them")
        } else {
            format!("changed {}", changed.join(", "))
        };
        if let Some(backup) = &self.backup {
            told.push_str(&format!("; they are as they were in {backup}"));
        }
        let conflicts: Vec<&str> =
            self.proposals.iter().filter(|proposal| proposal.conflicts() > 0).map(|proposal| proposal.path.as_str()).collect();
        if !conflicts.is_empty() {
            told.push_str(&format!(
                "; you changed the same lines in {}: keep what is right between the markers",
                conflicts.join(", ")
            ));
        }
        told
    }
}

/// Merges the step's changes into the learner's files.
pub fn merge_into(manifest: &Manifest, states: &States, step: &Step) -> Result<Merged, Failure> {
    let workspace = &manifest.workspace;
    let proposals = proposals(workspace, states, step)?;
    let unsettled: Vec<String> = proposals
        .iter()
        .filter(|proposal| matches!(proposal.outcome, Outcome::Write { .. } | Outcome::Remove))
        .filter_map(|proposal| Some(format!("\n  {}:{}", proposal.path, proposal.unsettled()?)))
        .collect();
    if !unsettled.is_empty() {
        return Err(Failure::usage(format_args!(
            "conflicts of an earlier step are not settled yet; keep what is right of each, remove the markers, and apply again:{}",
            unsettled.concat()
        )));
    }
    let edits: Vec<Edit> = proposals.iter().filter_map(edit).collect();
    let backup = if edits.is_empty() { None } else { Some(apply(workspace, &step.path, &edits).map_err(not_applied)?) };
    let touched = edits.iter().any(|edit| edit.before.is_some());
    Ok(Merged { proposals, backup: backup.filter(|_| touched).map(|folder| folder.display().to_string()) })
}

/// What the step would do to each file.
fn proposals(workspace: &Path, states: &States, step: &Step) -> Result<Vec<Proposal>, Failure> {
    let trees = std::iter::once(states.starter())
        .chain(states.steps().filter_map(|step| states.after(step)))
        .chain(std::iter::once(states.finished()));
    let trees: Vec<_> = trees.collect();
    let propose = |change: &crate::solution::Change| {
        let mine = Mine::load(workspace, &change.path)
            .map_err(|error| Failure::usage(format_args!("cannot read `{}`: {error}", workspace.join(&change.path).display())))?;
        let earlier: Vec<&[u8]> = trees.iter().filter_map(|tree| tree.get(&change.path)).collect();
        Ok(Proposal::new(&change.path, change.before.as_deref(), change.after.as_deref(), mine, &earlier, &step.path))
    };
    states.changes(&step.path).iter().map(propose).collect()
}

fn edit(proposal: &Proposal) -> Option<Edit> {
    let after = match &proposal.outcome {
        Outcome::Write { bytes, .. } => Some(bytes.clone()),
        Outcome::Remove => None,
        Outcome::Done | Outcome::Left(_) => return None,
    };
    Some(Edit { path: proposal.path.clone(), before: proposal.mine.clone(), after })
}

/// Why nothing was changed in the learner's files.
pub fn not_applied(error: ApplyError) -> Failure {
    match error {
        // Nothing that the user wrote is wrong.
        ApplyError::TakenBack { .. } | ApplyError::Stuck { .. } => {
            Failure { status: ExitStatus::Unverified, text: format!("error: {error}") }
        }
        _ => Failure::usage(error),
    }
}

/// Does what the step has one do outside of files, at the vendors that the workspace uses.
async fn perform(actions: &[Action], manifest: &Manifest, target: Target) -> Result<(), Failure> {
    // Asked to end while a vendor thinks: then nothing more is asked of it.
    let stop = signals::cancelled_by_user();
    let lab = match target {
        Target::Sandbox => vendors::of_workspace(&manifest.workspace, true).await?,
        Target::Live => Lab::live(&variables(manifest)?, vendors::engine()),
    };
    let done = tokio::select! {
        () = stop.cancelled() => Err(Failure { status: ExitStatus::Interrupted, text: String::from("interrupted") }),
        done = all(actions, &lab, target) => done,
    };
    lab.stop().await;
    done
}

async fn all(actions: &[Action], lab: &Lab, target: Target) -> Result<(), Failure> {
    let place = match target {
        Target::Sandbox => "in the sandbox",
        Target::Live => "in your AWS account",
    };
    for action in actions {
        let object = action.object();
        match acting::put(action, lab).await {
            Ok(acting::Put::Created) => print(&format!("Created {object} {place}.\n")),
            Ok(acting::Put::Updated) => {
                print(&format!("Changed {object} {place} to what the step wants: it was there, and was otherwise.\n"));
            }
            Ok(acting::Put::AsItWas) => print(&format!("There is {object} {place} already, as the step wants it.\n")),
            Err(trouble) => {
                let text = format!("error: {object} could not be made {place}: {}\nhelp: {}", trouble.cause, trouble.remedy);
                return Err(Failure { status: ExitStatus::Unverified, text });
            }
        }
    }
    Ok(())
}

/// How stdout looks, in colour when it is asked for.
pub(super) fn look(when: ColourArg) -> Look {
    let look = Look::of_stdout();
    match when {
        ColourArg::Auto => look,
        ColourArg::Always => look.coloured(true),
        ColourArg::Never => look.coloured(false),
    }
}

/// A reader who has gone away has seen enough.
fn print(text: &str) {
    let mut stdout = std::io::stdout();
    let _ = stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush());
}
