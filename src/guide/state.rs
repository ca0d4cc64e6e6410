use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::{Drawn, Solution};
use crate::check::Points;
use crate::course::{Course, Lesson, Step, StepCheck};
use crate::facts::Source;
use crate::progress::{Progress, Standing};
use crate::report::{CheckReport, Fold, Status, StepReport, Waterfall};
use crate::service::Target;
use crate::verify::Stage;

/// Of a build's and a service's lines, the last so many are kept.
pub(super) const LINES: usize = 400;

/// Of what was told, the last so many.
pub(super) const NOTES: usize = 20;

/// What the guide begins with.
#[derive(Debug, Clone)]
pub struct Setup {
    /// The course, with its checks.
    pub course: Arc<Course>,
    /// What has been passed.
    pub progress: Progress,
    /// Sandbox or live.
    pub target: Target,
    /// Whether what has passed is looked at again first.
    pub recheck: bool,
    /// What there was to tell before: of the progress file, say.
    pub notices: Vec<String>,
}

/// All that the guide knows.
#[derive(Debug)]
pub struct Guide {
    /// The course.
    pub course: Arc<Course>,
    /// What has been passed.
    pub progress: Progress,
    /// Sandbox or live.
    pub target: Target,
    /// The step that is shown: its place among the course's.
    pub at: usize,
    /// The service.
    pub service: ServiceState,
    /// The run that goes on.
    pub run: Option<Run>,
    /// What the last run said of each step, by path.
    pub results: BTreeMap<String, StepReport>,
    /// The request of each step's last run, as the vendors saw it.
    pub waterfalls: BTreeMap<String, Waterfall>,
    /// What lies over the lesson.
    pub overlay: Option<Overlay>,
    /// The line that is marked in the list of steps.
    pub marked: usize,
    /// For each pane, the first line that is seen.
    pub scroll: [usize; Pane::COUNT],
    /// What the keys scroll.
    pub focus: Pane,
    /// What the last frame told.
    pub drawn: Drawn,
    /// What was told to the learner, the newest last.
    pub notes: VecDeque<Note>,
    /// Ticks since the beginning, for what moves.
    pub ticks: u64,
    /// The number of the last run.
    pub(super) runs: u64,
    /// So many changes of the progress are being written. What is told of it meanwhile knows less than this does.
    pub(super) unwritten: usize,
}

/// A part of the screen that scrolls on its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Pane {
    /// The lesson.
    Lesson,
    /// The checks, what was found, and the service.
    Checks,
    /// What lies over both.
    Overlay,
}

impl Pane {
    /// So many there are.
    pub const COUNT: usize = 3;
}

/// What lies over the lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Overlay {
    /// The lessons and steps.
    List,
    /// The keys.
    Help,
    /// What the service and its build printed.
    Output,
    /// What the step's solution would change; absent until it is known.
    Solution(Option<Solution>),
    /// All is done.
    Done,
}

/// The learner's service, as far as the guide knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ServiceState {
    /// How it is.
    pub phase: Phase,
    /// Its last lines.
    pub lines: Vec<String>,
    /// What the last build printed, as it printed it.
    pub build: Vec<String>,
}

/// How the service is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Phase {
    /// Nothing was asked of it yet.
    #[default]
    Idle,
    /// It is built.
    Building,
    /// It was built and has not answered yet.
    Starting,
    /// It answers.
    Ready {
        /// Where.
        url: String,
        /// From its start to its first answer; absent where it ran before.
        after_ms: Option<u64>,
    },
    /// It does not build.
    Unbuilt {
        /// What happened.
        cause: String,
        /// What to do.
        remedy: String,
    },
    /// The workspace's settings cannot be read, so nothing was done about it.
    Unsettled {
        /// What happened.
        cause: String,
        /// What to do.
        remedy: String,
    },
    /// It does not come up, or ended.
    Crashed {
        /// What happened.
        cause: String,
        /// What to do.
        remedy: String,
    },
}

/// A run that goes on.
#[derive(Debug)]
pub struct Run {
    /// Its number.
    pub id: u64,
    /// The steps that it verifies.
    pub steps: Vec<String>,
    /// Whether it is the second look at what the first did not find in time.
    pub second: bool,
    /// What it has told.
    pub fold: Fold,
    /// Where it is.
    pub stage: Option<Stage>,
    /// The files that were saved, where that began it.
    pub saved: BTreeSet<String>,
}

/// Something that was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// How much it matters.
    pub weight: Weight,
    /// What.
    pub text: String,
}

/// How much something matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Weight {
    /// Something went well.
    Good,
    /// To know.
    Plain,
    /// Something is not as it should be.
    Warning,
}

/// How a check of the current step stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum CheckState<'a> {
    /// Nobody has looked yet.
    Unknown,
    /// It is being looked at.
    Looking,
    /// It is settled. `again`: a second look is under way.
    Settled {
        /// How.
        report: &'a CheckReport,
        /// Whether it is looked at once more.
        again: bool,
    },
}

/// How a step stands, for the list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepState {
    /// Not passed, and not looked at.
    Open,
    /// The last look did not find it.
    Failed,
    /// Passed.
    Passed,
    /// Passed once, and broken since.
    Broken,
    /// Passed once; its checks have changed since.
    Changed,
    /// Left out by the learner.
    Skipped,
}

impl Guide {
    /// The guide at the step where the learner was, or at the first that is open.
    #[must_use]
    pub fn new(setup: &Setup) -> Self {
        let Setup { course, progress, target, notices, .. } = setup;
        let here = progress.here(course).map(|(_, step)| step.path.as_str()).or_else(|| progress.current());
        let at = here.and_then(|path| course.steps().position(|(_, step)| step.path == path)).unwrap_or(0);
        let note = |text: &String| Note { weight: Weight::Warning, text: text.clone() };
        Self {
            course: Arc::clone(course),
            progress: progress.clone(),
            target: *target,
            at,
            service: ServiceState::default(),
            run: None,
            results: BTreeMap::new(),
            waterfalls: BTreeMap::new(),
            overlay: None,
            marked: at,
            scroll: [0; Pane::COUNT],
            focus: Pane::Lesson,
            drawn: Drawn::default(),
            notes: notices.iter().map(note).collect(),
            ticks: 0,
            runs: 0,
            unwritten: 0,
        }
    }

    /// The number of the course's steps.
    #[must_use]
    pub fn count(&self) -> usize {
        self.course.steps().count()
    }

    /// The current step, with its lesson; absent in a course without steps.
    #[must_use]
    pub fn step(&self) -> Option<(&Lesson, &Step)> {
        self.course.steps().nth(self.at)
    }

    /// The current step's path; empty in a course without steps.
    #[must_use]
    pub fn path(&self) -> &str {
        self.step().map_or("", |(_, step)| &step.path)
    }

    /// The checks of the current step, each with how it stands.
    #[must_use]
    pub fn checks(&self) -> Vec<(&StepCheck, CheckState<'_>)> {
        let Some((_, step)) = self.step() else { return Vec::new() };
        step.checks.iter().map(|check| (check, self.check_state(step, &check.id))).collect()
    }

    fn check_state(&self, step: &Step, check: &str) -> CheckState<'_> {
        let of = |report: &'_ StepReport| report.checks.iter().position(|listed| listed.id == check);
        let last = self.results.get(&step.path).and_then(|report| Some(&report.checks[of(report)?]));
        let run = self.run.as_ref().filter(|run| run.steps.contains(&step.path));
        let Some(run) = run else {
            return last.map_or(CheckState::Unknown, |report| CheckState::Settled { report, again: false });
        };
        let settled = run.fold.is_settled(check);
        let now = run.fold.report().steps.iter().find(|report| report.id == step.path);
        let now = now.and_then(|report| Some(&report.checks[of(report)?])).filter(|_| settled);
        match (now, last) {
            (Some(report), _) => CheckState::Settled { report, again: false },
            (None, Some(report)) if run.second => CheckState::Settled { report, again: report.status != Status::Passed },
            (None, _) => CheckState::Looking,
        }
    }

    /// What the last look said of the current step, where it has been looked at and nothing newer is under way.
    #[must_use]
    pub fn result(&self) -> Option<&StepReport> {
        let path = self.path();
        let newer = self.run.as_ref().is_some_and(|run| !run.second && run.steps.iter().any(|step| step == path));
        self.results.get(path).filter(|_| !newer)
    }

    /// How a step stands.
    #[must_use]
    pub fn step_state(&self, step: &Step) -> StepState {
        match self.progress.standing(step) {
            Standing::Passed => StepState::Passed,
            Standing::Skipped => StepState::Skipped,
            Standing::Changed => StepState::Changed,
            Standing::Broken => StepState::Broken,
            Standing::Open => match self.results.get(&step.path).map(|report| report.status) {
                Some(Status::Failed) => StepState::Failed,
                _ => StepState::Open,
            },
        }
    }

    /// Whether the current step has passed, now or before.
    #[must_use]
    pub fn is_passed(&self) -> bool {
        self.step().is_some_and(|(_, step)| self.step_state(step) == StepState::Passed)
    }

    /// The rungs of the current step's hints that were asked for.
    #[must_use]
    pub fn hints_shown(&self) -> usize {
        self.step().map_or(0, |(_, step)| self.progress.hints_shown(step).min(step.hints.len()))
    }

    /// The points that were earned: the required ones, and those beyond.
    #[must_use]
    pub fn earned(&self) -> (Points, Points) {
        self.progress.earned(&self.course)
    }

    /// The vendor that the current step is about, else what it looks at.
    #[must_use]
    pub fn source(&self) -> Option<Source> {
        let (_, step) = self.step()?;
        let sources = || step.checks.iter().map(|check| check.check.expect.source());
        let vendor = |source: &Source| matches!(source, Source::Honeycomb | Source::Xray | Source::CloudWatch | Source::Rollbar);
        sources().find(vendor).or_else(|| sources().next())
    }

    /// The newest thing that was told.
    #[must_use]
    pub fn note(&self) -> Option<&Note> {
        self.notes.back()
    }

    /// The pane that the keys scroll.
    #[must_use]
    pub fn scrolled(&self) -> Pane {
        if self.overlay.is_some() { Pane::Overlay } else { self.focus }
    }
}
