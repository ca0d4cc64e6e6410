use serde::{Deserialize, Serialize};

use crate::facts::{Level, Trouble};

/// What the evidence says of one check.
#[derive(Debug, Clone, PartialEq)]
pub enum Verdict {
    /// It was seen: these are the facts that show it.
    Met(Vec<Fact>, Level),
    /// It was not seen, and may yet come: telemetry travels in batches.
    NotYet(Mismatch),
    /// It was not seen, and waiting will not bring it.
    Never(Mismatch),
    /// We could not look.
    Unseen(Trouble),
    /// It cannot be looked at here, and for a reason that is nobody's fault.
    Skipped(String),
}

/// How one check ended.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// You are done.
    Passed {
        /// What shows it.
        facts: Vec<Fact>,
        /// How strong the evidence is.
        level: Level,
    },
    /// You are not done.
    Failed(Mismatch),
    /// It does not count here.
    Skipped(String),
    /// We could not look.
    Errored(Trouble),
}

impl From<Verdict> for Outcome {
    /// At the end of a run, what has not come counts as not there.
    fn from(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Met(facts, level) => Self::Passed { facts, level },
            Verdict::NotYet(mismatch) | Verdict::Never(mismatch) => Self::Failed(mismatch),
            Verdict::Unseen(trouble) => Self::Errored(trouble),
            Verdict::Skipped(reason) => Self::Skipped(reason),
        }
    }
}

impl Outcome {
    /// `passed`, `failed`, `skipped` or `errored`.
    #[must_use]
    pub fn status(&self) -> &'static str {
        match self {
            Self::Passed { .. } => "passed",
            Self::Failed(_) => "failed",
            Self::Skipped(_) => "skipped",
            Self::Errored(_) => "errored",
        }
    }
}

/// One thing that was seen: `trace` `4efaaf4d…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    /// What it is.
    pub label: String,
    /// Its value, as a person reads it.
    pub value: String,
}

impl Fact {
    /// A fact.
    #[must_use]
    pub fn new(label: impl Into<String>, value: impl Into<String>) -> Self {
        Self { label: label.into(), value: value.into() }
    }
}

/// Why a check is not met.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Mismatch {
    /// What was expected, as a phrase: "a span `home-activities-mock-data` in the probe's trace".
    pub expected: String,
    /// What was found instead, as a phrase: "no such span; the trace has 1 span: `GET /api/activities/home`".
    pub actual: String,
    /// The nearest thing seen: under another trace, dataset or service, or refused by the sandbox.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
    /// The file of the learner that it is about, relative to the workspace.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    /// The line in that file, from 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<usize>,
}

impl Mismatch {
    /// A mismatch with no nearest thing.
    #[must_use]
    pub fn new(expected: impl Into<String>, actual: impl Into<String>) -> Self {
        Self { expected: expected.into(), actual: actual.into(), ..Self::default() }
    }

    /// The same, with the nearest thing seen.
    #[must_use]
    pub fn nearest(mut self, nearest: Option<String>) -> Self {
        self.nearest = nearest;
        self
    }

    /// The same, about a place in a file of the learner's.
    #[must_use]
    pub fn at(mut self, file: impl Into<String>, line: Option<usize>) -> Self {
        self.file = Some(file.into());
        self.line = line;
        self
    }
}
