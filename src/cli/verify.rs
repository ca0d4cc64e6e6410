use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::args::{REFERENCE, VerifyArgs};
use super::learner::told;
use super::{Failure, place, runtime, shell, signals, vendors};
use crate::course::{Action, Course};
use crate::lab::Lab;
use crate::progress::Book;
use crate::report::{ExitStatus, Fold, Format, Look, Progress, Report, Sinks};
use crate::sandbox::store::Place;
use crate::service::{Manifest, Problem, Target, Variables};
use crate::solution::{Solution, States, Tree, Workbench};
use crate::verify::{Event, Pace, Plan, Subject, recording};

/// Verifies a selection of steps.
pub fn run(args: &VerifyArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    if args.solution.is_none() && args.replay.is_none() {
        place::take_back_what_was_interrupted(&folder)?;
    }
    let manifest = if args.solution.is_some() { None } else { Some(workspace_manifest(args, &folder)?) };
    let selection = place::selection(args.selection.as_deref(), args.step.as_deref(), manifest.as_ref())?;
    let course = place::course(&folder, selection.course())?;
    let steps = course.select(&selection).map_err(Failure::usage)?;
    let plan = Plan::new(&course, &steps);
    let sinks = sinks(args);
    sinks.probe().map_err(Failure::usage)?;

    if let Some(file) = &args.replay {
        let evidence = recording::read(file, &course.id).map_err(Failure::usage)?;
        let plan = plan.of(&evidence.target, format!("the evidence in {}", file.display()));
        let watch = Watch::new(true);
        recording::replay(&plan, evidence, &|event| watch.absorb(&event));
        let report = watch.finish();
        return deliver(&report, &sinks);
    }

    // Held until the run is over: the state's folder is this run's alone.
    let mut _bench = None;
    let mut plan = plan;
    // Only what is the learner's own is noted as passed.
    let book = manifest.as_ref().map(|manifest| Book::of(&manifest.workspace, &course));
    let (subject, whose) = match (manifest, args.solution.as_deref()) {
        (Some(manifest), _) => {
            let whose = manifest.workspace.display().to_string();
            (own_subject(manifest).map_err(shown)?, whose)
        }
        (None, None | Some(REFERENCE)) => (reference_subject(&course, &folder)?, String::from("the reference solution")),
        (None, Some(state)) => {
            let states = States::load(&course, &folder).map_err(place::no_states)?;
            let state = State::find(&course, &states, state)?;
            let bench = Workbench::open(&course.id, &folder, &shell()).map_err(place::no_states)?;
            bench.lay(state.tree).map_err(place::no_states)?;
            // What later steps do outside of files is not done yet.
            plan.actions.retain(|action| state.actions.contains(action));
            let subject = solution_subject(bench.folder(), bench.target_dir().to_owned(), &state.name)?;
            _bench = Some(bench);
            (subject, state.name)
        }
    };
    let target = args.target.map_or(subject.manifest.target, Target::from);
    let plan = plan.of(&target, whose);
    runtime()?.block_on(verify(args, &plan, &subject, target, &sinks, book.as_ref()))
}

async fn verify(
    args: &VerifyArgs,
    plan: &Plan,
    subject: &Subject,
    target: Target,
    sinks: &Sinks,
    book: Option<&Book>,
) -> Result<ExitStatus, Failure> {
    let stop = signals::cancelled_by_user();
    let watch = Watch::new(args.quiet);
    let lab = lab(args, subject, target).await?;
    let mut pace = match target {
        Target::Sandbox => Pace::SANDBOX,
        Target::Live => Pace::LIVE,
    };
    if let Some(timeout) = args.timeout {
        pace.deadline = timeout;
    }
    let closing = crate::verify::run(plan, subject, &lab, pace, &stop, &|event| watch.absorb(&event)).await;
    lab.stop().await;
    let recorded = match &args.record {
        Some(file) => recording::write(file, &closing.evidence, &subject.secrets()).map_err(Failure::usage),
        None => Ok(()),
    };
    let report = watch.finish();
    let noted = book.map(|book| book.note_all(report.changes()));
    // A recording that cannot be written must not swallow the report.
    let status = deliver(&report, sinks);
    noted.map(told);
    let status = status?;
    recorded.map(|()| status)
}

fn workspace_manifest(args: &VerifyArgs, folder: &Path) -> Result<Manifest, Failure> {
    if args.replay.is_some() {
        // A recording is judged anywhere; without a workspace, the course is the one that was selected.
        let course = args.selection.as_deref().and_then(|path| path.split('/').next()).unwrap_or(place::DEFAULT_COURSE);
        return Ok(Manifest::find(folder).unwrap_or_else(|_| Manifest::defaults(folder, course)));
    }
    place::manifest(folder)
}

/// A learner's own service.
pub fn own_subject(manifest: Manifest) -> Result<Subject, Problem> {
    let shell = shell();
    let variables = Variables::load(&manifest.compose_folder(), shell.clone())?;
    Ok(Subject {
        manifest,
        variables,
        shell,
        any_port: false,
        target_dir: None,
        program: None,
        colour: Look::of_stderr().colour,
        containers_optional: None,
        acts: false,
    })
}

fn reference_subject(course: &Course, folder: &Path) -> Result<Subject, Failure> {
    let solution = Solution::locate(course, folder, &shell()).map_err(place::no_states)?;
    solution_subject(&solution.folder, solution.target_dir, "the reference")
}

fn shown(problem: Problem) -> Failure {
    Failure::shown(ExitStatus::Usage, problem)
}

/// A subject that is ours: nobody else looks at it, and what its steps do outside of files this program does.
fn solution_subject(folder: &Path, target_dir: PathBuf, name: &str) -> Result<Subject, Failure> {
    let up = format!("docker compose --project-directory {} up -d", super::init::quoted(folder));
    let manifest = Manifest::load(&folder.join(Manifest::FILE)).map_err(shown)?;
    let subject = own_subject(manifest).map_err(shown)?;
    Ok(Subject {
        any_port: true,
        target_dir: Some(target_dir),
        containers_optional: Some(format!("the containers of {name} are not up; start them with `{up}` and verify again")),
        acts: true,
        ..subject
    })
}

/// A state of the course's solution.
struct State<'a> {
    tree: &'a Tree,
    /// `the state after week2/x-ray/a-group`.
    name: String,
    /// What the steps until then do outside of files.
    actions: Vec<Action>,
}

impl<'a> State<'a> {
    /// `starter`, or a step: `week2/x-ray/a-group`, `x-ray/a-group`, `a-group`, `3.9`.
    fn find(course: &Course, states: &'a States, text: &str) -> Result<Self, Failure> {
        if text == "starter" {
            return Ok(Self { tree: states.starter(), name: String::from("the starter"), actions: Vec::new() });
        }
        let (_, step) = place::step(course, text)?;
        let until = course.steps().position(|(_, other)| other.path == step.path).map_or(0, |index| index + 1);
        let actions = course.steps().take(until).flat_map(|(_, step)| step.actions.iter().cloned());
        let tree = states.after(&step.path).ok_or_else(|| Failure::usage(format_args!("there is no state after `{text}`")))?;
        Ok(Self { tree, name: format!("the state after {}", step.path), actions: actions.collect() })
    }
}

async fn lab(args: &VerifyArgs, subject: &Subject, target: Target) -> Result<Lab, Failure> {
    match target {
        Target::Live => Ok(Lab::live(&subject.variables, vendors::engine())),
        // The solution has a sandbox of its own, whatever else runs: its result must not depend on yesterday's.
        Target::Sandbox if args.solution.is_some() => vendors::sandbox(Place::Memory).await,
        Target::Sandbox => vendors::of_workspace(&subject.manifest.workspace, false).await,
    }
}

fn sinks(args: &VerifyArgs) -> Sinks {
    let default = if std::io::stdout().is_terminal() { Format::Pretty } else { Format::Plain };
    let files = [(Format::Json, &args.report_json), (Format::Junit, &args.report_junit), (Format::Tap, &args.report_tap)];
    Sinks {
        format: args.format.unwrap_or(default),
        look: Look::of_stdout(),
        files: files.into_iter().filter_map(|(format, file)| Some((format, file.clone()?))).collect(),
        job_summary: std::env::var_os("GITHUB_STEP_SUMMARY").filter(|path| !path.is_empty()).map(PathBuf::from),
    }
}

/// Progress and the report, fed by the same events.
struct Watch {
    inner: Mutex<(Progress, Fold)>,
}

impl Watch {
    fn new(quiet: bool) -> Self {
        Self { inner: Mutex::new((Progress::of_stderr(quiet), Fold::new())) }
    }

    fn absorb(&self, event: &Event) {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.0.absorb(event);
        inner.1.absorb(event);
    }

    fn finish(self) -> Report {
        let (mut progress, fold) = self.inner.into_inner().unwrap_or_else(PoisonError::into_inner);
        progress.clear();
        fold.finish()
    }
}

fn deliver(report: &Report, sinks: &Sinks) -> Result<ExitStatus, Failure> {
    sinks
        .deliver(report, &mut std::io::stdout())
        .map_err(|error| Failure { status: ExitStatus::Usage, text: format!("error: {error}") })?;
    Ok(report.exit_status())
}
