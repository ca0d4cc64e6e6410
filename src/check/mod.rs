//! What a step demands, and the verdict on it.
//!
//! A [`Check`] names an expectation and the probe that makes the service show it. [`judge`] holds it against the
//! [`Evidence`](crate::facts::Evidence) and does no I/O: the same evidence gives the same verdict, today and in an appeal.

mod catalogue;
mod demand;
pub mod diagnosis;
pub mod expect;
mod judge;
mod matcher;
mod placeholders;
mod points;
mod probe;
mod spelling;
mod verdict;
mod wants;

pub use catalogue::{Catalogue, Entry, Flaw, Probes, Rules};
pub use demand::Demand;
pub use diagnosis::{Diagnosis, LessonPlace, NamedRule, Rule, diagnose};
pub use expect::Expect;
pub use judge::judge;
pub use matcher::{Kind, Matcher};
pub use placeholders::Placeholders;
pub use points::Points;
pub use probe::Probe;
pub use spelling::closest;
pub use verdict::{Fact, Mismatch, Outcome, Verdict};
pub use wants::Wants;

use schemars::JsonSchema;
use serde::Deserialize;

/// One check, as a table of `checks/<course>/<lesson>.toml` defines it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Check {
    /// The probe, from `probes.toml`, that makes the service show it. Checks of files and settings need none.
    #[serde(default)]
    pub probe: Option<String>,
    /// What to do when it is not met: one or two sentences.
    pub fix: String,
    /// The step, as `<lesson>/<step>`, that makes it hold already, before the step that lists it. Every other check must fail
    /// on the state before its step.
    #[serde(default)]
    pub implied_by: Option<String>,
    /// What must be seen.
    pub expect: Expect,
}

impl Check {
    /// Adds all that the engine must ask for on behalf of this check.
    pub fn wants(&self, wants: &mut Wants) {
        wants.sources.insert(self.expect.source());
        if let Some(probe) = &self.probe {
            wants.probes.insert(probe.clone());
        }
        self.expect.wants(wants);
    }
}
