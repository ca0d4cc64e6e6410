use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::check::Points;
use crate::facts::Level;

/// One run of `bootcamp verify`: what was verified, how it ended, and why.
///
/// This is the shape of the JSON report; `docs/report.schema.json` is generated from it. Fields may be added without a new
/// `schema_version`; a field that is renamed, removed or changes its meaning raises it.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// The version of this shape.
    pub schema_version: u32,
    /// The course's id: `week2`.
    pub course: String,
    /// The course's title.
    pub title: String,
    /// Whom the service reported to: `sandbox` or `live`.
    pub target: String,
    /// What was verified: `the reference solution`, or the workspace's folder.
    pub subject: String,
    /// When the run began, in UTC.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<String>", extend("format" = "date-time"))]
    pub started_at: Option<Timestamp>,
    /// From the run's start to its end, in milliseconds.
    pub duration_ms: u64,
    /// How the run ended.
    pub status: RunStatus,
    /// The points of all steps.
    pub score: Score,
    /// The service that was verified.
    pub service: ServiceReport,
    /// Things worth knowing that are no verdict.
    #[serde(default)]
    pub notices: Vec<String>,
    /// The lessons, with the sums of their steps.
    pub lessons: Vec<LessonReport>,
    /// The steps, in the course's order.
    pub steps: Vec<StepReport>,
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Every required check that could be looked at is met.
    Passed,
    /// At least one required check is not met.
    Failed,
    /// No required check is known to be unmet, but some could not be looked at, or all were skipped.
    #[default]
    Errored,
    /// The user broke the run off.
    Interrupted,
}

/// How a check or a step ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Status {
    /// Met. A step: all of its checks that count here.
    Passed,
    /// Not met. A step: at least one of its checks.
    Failed,
    /// It does not count here. A step: all of its checks.
    Skipped,
    /// We could not look. A step: at least one of its checks, and none failed.
    Errored,
}

impl Status {
    /// `passed`, `failed`, `skipped` or `errored`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::Errored => "errored",
        }
    }
}

/// Points earned of points possible; bonus points stand apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct Score {
    /// The points of the required checks that passed.
    pub earned: Points,
    /// The points of the required checks that count: those of skipped ones are left out.
    pub possible: Points,
    /// The points of the bonus checks that passed.
    pub bonus: Points,
    /// The points of the bonus checks that count.
    pub bonus_possible: Points,
}

/// The service that was verified.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize, JsonSchema)]
pub struct ServiceReport {
    /// Where it answered.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
    /// From its start to its first answer, in milliseconds; absent for one that was running already.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ready_after_ms: Option<u64>,
    /// Why it could not be had.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<ServiceTrouble>,
    /// Where it could not be had: its last lines, or the build's output.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub output: Vec<String>,
}

/// Why a service could not be had, and what to do.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ServiceTrouble {
    /// What happened.
    pub cause: String,
    /// What to do.
    pub remedy: String,
    /// Whether it happened while the service was built.
    pub while_building: bool,
}

/// One lesson, with the sums of its steps.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct LessonReport {
    /// `x-ray`.
    pub id: String,
    /// `3`.
    pub number: u32,
    /// `AWS X-Ray`.
    pub title: String,
    /// The lesson's file.
    pub file: String,
    /// The points of its steps.
    pub score: Score,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct StepReport {
    /// `week2/x-ray/subsegment`.
    pub id: String,
    /// `3.8`.
    pub number: String,
    /// The id of its lesson.
    pub lesson: String,
    /// The step's heading.
    pub title: String,
    /// What it is worth.
    pub points: Points,
    /// What it is worth without its skipped checks.
    pub possible: Points,
    /// What its passed checks are worth.
    pub earned: Points,
    /// Whether its points count beyond the required ones.
    pub bonus: bool,
    /// How it ended.
    pub status: Status,
    /// The lesson's file.
    pub file: String,
    /// The line of its heading, from 1.
    pub line: usize,
    /// Its checks.
    pub checks: Vec<CheckReport>,
}

/// One check.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckReport {
    /// Unique in the course.
    pub id: String,
    /// What must be so, as the lesson says it.
    pub title: String,
    /// What is looked at: `xray-subsegment`.
    pub kind: String,
    /// How it ended.
    pub status: Status,
    /// Its share of the step's points.
    pub points: Points,
    /// What shows that it is met.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub facts: Vec<Fact>,
    /// Why it is not met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mismatch: Option<Mismatch>,
    /// What to do, where it is not met.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fix: Option<String>,
    /// Why it is not met, or could not be looked at, as far as a rule tells: the likeliest cause first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub diagnoses: Vec<Diagnosis>,
    /// Why we could not look.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<String>,
    /// What to do so that we can.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// Why it was skipped.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Where it passed: `exact` if this run's own trace was read back, `fresh` if the data was merely written after the probe.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(with = "Option<EvidenceLevel>")]
    pub evidence_level: Option<Level>,
    /// Where the lesson asks for it.
    pub lesson: Place,
    /// From the run's first probe to the verdict, in milliseconds.
    pub duration_ms: u64,
}

// Stands for `facts::Level`, which knows nothing of schemas.
/// How strong the evidence of a passed check is.
#[derive(JsonSchema)]
#[serde(rename_all = "lowercase")]
#[allow(dead_code)]
enum EvidenceLevel {
    /// This run's own trace was read back.
    Exact,
    /// The data was written after the probe.
    Fresh,
}

/// A line of a file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Place {
    /// The file.
    pub file: String,
    /// The line, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl std::fmt::Display for Place {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(formatter, "{}:{line}", self.file),
            None => formatter.write_str(&self.file),
        }
    }
}

/// One thing that was seen.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Fact {
    /// What it is: `trace`.
    pub label: String,
    /// Its value.
    pub value: String,
}

/// Why a check is not met.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Mismatch {
    /// What was expected.
    pub expected: String,
    /// What was found instead.
    pub actual: String,
    /// The nearest thing seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// The learner's file that it is about, relative to the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in that file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl Mismatch {
    /// The place in the learner's files, where there is one.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        self.file.as_ref().map(|file| Place { file: file.clone(), line: self.line })
    }
}

/// A cause that a rule of the course names.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Diagnosis {
    /// The rule's id, the same in every run.
    pub id: String,
    /// What is wrong, in one sentence.
    pub cause: String,
    /// What to do, in one sentence.
    pub fix: String,
    /// Where the lesson speaks of it.
    pub lesson: Place,
    /// What it rests on.
    pub evidence: Vec<String>,
}

/// How many checks ended how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// Met.
    pub passed: usize,
    /// Required and not met.
    pub failed: usize,
    /// Beyond what is required, and not met.
    pub bonus_failed: usize,
    /// Skipped.
    pub skipped: usize,
    /// The points that skipped checks leave out, bonus and all.
    pub left_out: Points,
    /// Not looked at, bonus and all.
    pub errored: usize,
    /// Passed on evidence that is fresh, not exact.
    pub fresh: usize,
}

impl Tally {
    /// All checks.
    #[must_use]
    pub const fn checks(&self) -> usize {
        self.passed + self.failed + self.bonus_failed + self.skipped + self.errored
    }
}

impl Report {
    /// The current version of the shape.
    pub const SCHEMA_VERSION: u32 = 1;

    /// The steps of a lesson.
    pub fn steps_of<'a>(&'a self, lesson: &'a str) -> impl Iterator<Item = &'a StepReport> {
        self.steps.iter().filter(move |step| step.lesson == lesson)
    }

    /// Whether a step's checks decide how the run ended: all required ones do, and bonus ones where nothing else was selected.
    #[must_use]
    pub fn decides(&self, step: &StepReport) -> bool {
        !step.bonus || self.steps.iter().all(|step| step.bonus)
    }

    /// How many checks ended how.
    #[must_use]
    pub fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for step in &self.steps {
            let decides = self.decides(step);
            for check in &step.checks {
                match check.status {
                    Status::Passed => tally.passed += 1,
                    Status::Failed if decides => tally.failed += 1,
                    Status::Failed => tally.bonus_failed += 1,
                    Status::Errored => tally.errored += 1,
                    Status::Skipped => {
                        tally.skipped += 1;
                        tally.left_out += check.points;
                    }
                }
                tally.fresh += usize::from(check.evidence_level == Some(Level::Fresh));
            }
        }
        tally
    }
}

impl CheckReport {
    /// Where to look first: the learner's own line where the mismatch has one, else the lesson's.
    #[must_use]
    pub fn place(&self) -> Place {
        self.mismatch.as_ref().and_then(Mismatch::place).unwrap_or_else(|| self.lesson.clone())
    }
}
