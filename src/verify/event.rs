use crate::check::{Diagnosis, Outcome, Points};
use crate::facts::{Evidence, Source};
use crate::service::Output;

/// What happens in a run, in order: the one thing that reports, progress bars and later the guide listen to.
#[derive(Debug, Clone)]
pub enum Event {
    /// First: what will be verified.
    Planned(Agenda),
    /// A stage has begun.
    Stage(Stage),
    /// The build printed a line, as cargo shows it (it may hold colour).
    BuildLine(String),
    /// The service was started, and does not answer yet.
    ServiceStarted {
        /// `default`, or the variables that set this instance apart.
        instance: String,
        /// What it prints, from its start to its end: readable at any time, also when the run is over.
        output: Output,
    },
    /// The service answers.
    ServiceReady {
        /// `default`, or the variables that set this instance apart.
        instance: String,
        /// Where it answers.
        url: String,
        /// From the process's start to its first answer; absent for one that was running already.
        after_ms: Option<u64>,
    },
    /// The service could not be had: it does not build, crashed, never answered.
    ServiceFailed {
        /// What happened.
        cause: String,
        /// What to do.
        remedy: String,
        /// Its last lines, or the build's output as cargo shows it.
        output: Vec<String>,
    },
    /// A probe was answered (or not).
    Probed {
        /// The probe's name.
        probe: String,
        /// The answer's status; absent where none came.
        status: Option<u16>,
        /// How long it took.
        latency_ms: f64,
    },
    /// A source was asked once more; so many checks still wait for it.
    Polled {
        /// Which.
        source: Source,
        /// From 1.
        round: u32,
        /// Checks that are not settled yet.
        waiting: usize,
    },
    /// A check is settled. Each check of the agenda is judged exactly once.
    Judged(Judgement),
    /// Why checks are not met, as far as a rule tells. Comes once, after the last judgement.
    Diagnosed(Vec<Diagnosed>),
    /// Something the user should know, that is no verdict.
    Notice(String),
    /// Last.
    Finished(Box<Closing>),
}

/// The stages of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The sandbox starts, or the vendors' credentials are gathered.
    Preparing,
    /// The service is built.
    Building,
    /// The service starts.
    Starting,
    /// The probes are sent.
    Probing,
    /// The sources are asked until all is settled or time is up.
    Collecting,
    /// Processes are ended.
    Stopping,
}

/// What a run will verify, in the course's order.
#[derive(Debug, Clone, Default)]
pub struct Agenda {
    /// The course's id: `week2`.
    pub course: String,
    /// Its title.
    pub title: String,
    /// `sandbox` or `live`.
    pub target: String,
    /// What is verified: `the reference solution`, or the workspace's folder.
    pub subject: String,
    /// The lessons, with the chosen steps only.
    pub lessons: Vec<AgendaLesson>,
}

/// One lesson of an agenda.
#[derive(Debug, Clone, Default)]
pub struct AgendaLesson {
    /// `x-ray`.
    pub id: String,
    /// `3`.
    pub number: u32,
    /// `AWS X-Ray`.
    pub title: String,
    /// The lesson's file: `lessons/week2/3-x-ray.md`.
    pub file: String,
    /// Its steps.
    pub steps: Vec<AgendaStep>,
}

/// One step of an agenda.
#[derive(Debug, Clone, Default)]
pub struct AgendaStep {
    /// `week2/x-ray/subsegment`.
    pub id: String,
    /// `3.8`.
    pub number: String,
    /// The step's heading.
    pub title: String,
    /// What it is worth.
    pub points: Points,
    /// Whether it counts beyond the required points.
    pub bonus: bool,
    /// The heading's line in the lesson, from 1.
    pub line: usize,
    /// Its checks.
    pub checks: Vec<AgendaCheck>,
}

/// One check of an agenda.
#[derive(Debug, Clone, Default)]
pub struct AgendaCheck {
    /// Unique in the course: `mock-data-subsegment`.
    pub id: String,
    /// The sentence of the lesson's task list.
    pub title: String,
    /// `xray-subsegment`.
    pub kind: String,
    /// Its share of the step's points.
    pub points: Points,
    /// What to do when it is not met.
    pub fix: String,
    /// The task's line in the lesson, from 1.
    pub line: usize,
}

/// A check that is settled.
#[derive(Debug, Clone)]
pub struct Judgement {
    /// The check's id.
    pub check: String,
    /// How it ended.
    pub outcome: Outcome,
    /// From the run's first probe (or the run's start, for a check without one) to the verdict.
    pub after_ms: u64,
}

/// Why one check is not met.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosed {
    /// The check's id.
    pub check: String,
    /// The candidates, the likeliest first; at least one.
    pub diagnoses: Vec<Diagnosis>,
}

/// How a run ended.
#[derive(Debug, Clone, Default)]
pub struct Closing {
    /// The evidence, for `--record`.
    pub evidence: Evidence,
    /// From the run's start to its end.
    pub took_ms: u64,
    /// Whether the user broke it off.
    pub interrupted: bool,
}
