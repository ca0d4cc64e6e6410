use std::io::IsTerminal;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use super::args::VerifyArgs;
use super::sandbox::SANDBOX_FILE;
use super::{Failure, place, runtime, shell, signals};
use crate::course::Course;
use crate::lab::Lab;
use crate::report::{ExitStatus, Fold, Format, Look, Progress, Report, Sinks};
use crate::sandbox::store::Place;
use crate::sandbox::{Discovery, Ports, Sandbox, Settings};
use crate::service::{Manifest, Target, Variables};
use crate::solution::{Solution, SolutionError};
use crate::vendor::docker;
use crate::verify::{Event, Pace, Plan, Subject, recording};

/// Verifies a selection of steps.
pub fn run(args: &VerifyArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    let manifest = if args.solution { None } else { Some(workspace_manifest(args, &folder)?) };
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
        return deliver(watch, &sinks);
    }

    let subject = match manifest {
        Some(manifest) => own_subject(manifest)?,
        None => reference_subject(&course, &folder)?,
    };
    let target = args.target.map_or(subject.manifest.target, Target::from);
    let whose =
        if args.solution { String::from("the reference solution") } else { subject.manifest.workspace.display().to_string() };
    let plan = plan.of(&target, whose);
    runtime()?.block_on(verify(args, &plan, &subject, target, &sinks))
}

async fn verify(args: &VerifyArgs, plan: &Plan, subject: &Subject, target: Target, sinks: &Sinks) -> Result<ExitStatus, Failure> {
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
    // A recording that cannot be written must not swallow the report.
    let status = deliver(watch, sinks)?;
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

fn own_subject(manifest: Manifest) -> Result<Subject, Failure> {
    let shell = shell();
    let variables = Variables::load(&manifest.compose_folder(), shell.clone())
        .map_err(|problem| Failure::shown(ExitStatus::Usage, problem))?;
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
    let shell = shell();
    let solution = Solution::locate(course, folder, &shell).map_err(|error| match error {
        SolutionError::Broken(problems) => Failure::shown(ExitStatus::CourseBroken, problems),
        other => Failure::usage(other),
    })?;
    let up = format!("docker compose --project-directory {} up -d", solution.folder.display());
    let manifest =
        Manifest::load(&solution.folder.join(Manifest::FILE)).map_err(|problem| Failure::shown(ExitStatus::Usage, problem))?;
    let subject = own_subject(manifest)?;
    Ok(Subject {
        any_port: true,
        target_dir: Some(solution.target_dir),
        containers_optional: Some(format!("the reference's containers are not up; start them with `{up}` and verify again")),
        acts: true,
        ..subject
    })
}

async fn lab(args: &VerifyArgs, subject: &Subject, target: Target) -> Result<Lab, Failure> {
    let docker = docker::Client::new(docker::Host::from_environment());
    if target == Target::Live {
        return Ok(Lab::live(&subject.variables, docker));
    }
    // The reference has a sandbox of its own, whatever else runs: its result must not depend on yesterday's.
    if !args.solution
        && let Some(found) = Discovery::find(&subject.manifest.workspace).await
    {
        return Ok(Lab::running(found, docker));
    }
    // A learner's groups and rules were made in a sandbox that has ended since: its file still has them.
    let file = subject.manifest.workspace.join(SANDBOX_FILE);
    let place = if !args.solution && file.is_file() { Place::File(file) } else { Place::Memory };
    let sandbox = Sandbox::bind(Settings { place, ports: Ports::free(), ..Settings::default() })
        .await
        .map_err(|error| Failure { status: ExitStatus::Unverified, text: format!("error: {error}") })?;
    Ok(Lab::own(sandbox, docker))
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

fn deliver(watch: Watch, sinks: &Sinks) -> Result<ExitStatus, Failure> {
    let report = watch.finish();
    sinks
        .deliver(&report, &mut std::io::stdout())
        .map_err(|error| Failure { status: ExitStatus::Usage, text: format!("error: {error}") })?;
    Ok(report.exit_status())
}
