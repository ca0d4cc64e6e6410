//! Why a check is not met: rules over the evidence, each with a cause and a fix.
//!
//! A [`Rule`] is a table of `checks/<course>/diagnoses/*.toml`. It names the kinds of check that it can explain and the
//! conditions under which it does: what was refused and why, what arrived elsewhere, what the service printed, what the files
//! and the variables say. It knows no check by name, and like [`judge`](super::judge) it is pure: a recording is diagnosed as
//! the run was.

mod condition;

pub use condition::{Condition, Contained, Failing, Rejected, Search, Seen, Setting, State, StraySegment, StraySpan, Target};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::judge::Scene;
use super::{Check, Expect, Outcome, Placeholders, Wants, closest};
use crate::facts::{Evidence, Source, SourceRecord};

/// One cause that checks may have in common.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rule {
    /// Which checks it can explain: their kinds (`honeycomb-span`), all kinds of a source (`honeycomb`, `xray`, `cloudwatch`,
    /// `rollbar`, `docker`, `files`, `environment`, `http`, `output`), or `any`.
    pub explains: Vec<Scope>,
    /// What is wrong, in one sentence. It may hold the placeholders of checks.
    pub cause: String,
    /// What to do, in one sentence.
    pub fix: String,
    /// The step of the course that speaks of it: `honeycomb/a-key`.
    pub lesson: String,
    /// Whether it is a candidate only where no other rule explains the check.
    #[serde(default)]
    pub fallback: bool,
    /// Whether it lies beneath whatever else could be said: where it explains a check, only such rules are candidates. A service
    /// that does not compile sends nothing to any vendor, and a `.env` that nobody reads leaves every key blank.
    #[serde(default)]
    pub decisive: bool,
    /// All that must hold.
    pub when: Vec<Condition>,
}

/// Which checks a rule can explain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Whatever is not met.
    Any,
    /// All kinds of a source.
    Source(Source),
    /// One kind.
    Kind(&'static str),
}

/// A rule that fired for a check.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnosis {
    /// The rule's id.
    pub id: String,
    /// What is wrong.
    pub cause: String,
    /// What to do.
    pub fix: String,
    /// Where the lesson speaks of it.
    pub lesson: LessonPlace,
    /// What it rests on: a sentence for each condition that was seen to hold.
    pub evidence: Vec<String>,
}

/// A step's heading in a lesson's file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LessonPlace {
    /// The lesson's file.
    pub file: String,
    /// The heading's line, from 1.
    pub line: usize,
}

/// A rule with its id and its place in the course.
#[derive(Debug, Clone)]
pub struct NamedRule {
    /// Unique in the course.
    pub id: String,
    /// The rule.
    pub rule: Rule,
    /// Where its lesson speaks of it.
    pub place: LessonPlace,
}

/// Which rules are asked before which.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rank {
    Decisive,
    Usual,
    Fallback,
}

impl Rank {
    const ALL: [Self; 3] = [Self::Decisive, Self::Usual, Self::Fallback];
}

/// More candidates than this help nobody.
const MOST: usize = 3;

/// The rules that explain why a check is not met, the likeliest first: that is the order in which the course has them.
/// A check that is met, or that does not count, needs none.
#[must_use]
pub fn diagnose(rules: &[NamedRule], check: &Check, outcome: &Outcome, evidence: &Evidence) -> Vec<Diagnosis> {
    if !matches!(outcome, Outcome::Failed(_) | Outcome::Errored(_)) {
        return Vec::new();
    }
    let looked = SourceRecord::default();
    let probe = check.probe.as_deref().and_then(|name| evidence.probes.get(name));
    let scene = Scene { evidence, probe, placeholders: Placeholders::of(evidence, probe), looked: &looked };
    let fired = |rank: Rank| -> Vec<Diagnosis> {
        let candidates = rules.iter().filter(|named| named.rule.rank() == rank && named.rule.covers(&check.expect));
        candidates.filter_map(|named| named.fires(check, outcome, &scene)).take(MOST).collect()
    };
    Rank::ALL.into_iter().map(fired).find(|fired| !fired.is_empty()).unwrap_or_default()
}

impl NamedRule {
    fn fires(&self, check: &Check, outcome: &Outcome, scene: &Scene<'_>) -> Option<Diagnosis> {
        let mut seen = Vec::new();
        for condition in &self.rule.when {
            seen.extend(condition.holds(check, outcome, scene)?);
        }
        seen.dedup();
        Some(Diagnosis {
            id: self.id.clone(),
            cause: scene.placeholders.fill(&self.rule.cause),
            fix: scene.placeholders.fill(&self.rule.fix),
            lesson: self.place.clone(),
            evidence: seen,
        })
    }
}

impl Rule {
    /// A last resort stays one, whatever else is said of it.
    fn rank(&self) -> Rank {
        match (self.fallback, self.decisive) {
            (true, _) => Rank::Fallback,
            (false, true) => Rank::Decisive,
            (false, false) => Rank::Usual,
        }
    }

    fn covers(&self, expect: &Expect) -> bool {
        self.explains.iter().any(|scope| match scope {
            Scope::Any => true,
            Scope::Source(source) => *source == expect.source(),
            Scope::Kind(kind) => *kind == expect.kind(),
        })
    }

    /// Adds what must be looked at so that it can be decided. Vendors are asked nothing that no check asks of them anyway:
    /// of a vendor outside of the plan, nothing is wanted.
    pub fn wants(&self, wants: &mut Wants) {
        self.when.iter().for_each(|condition| condition.wants(wants));
    }

    /// The probes that its conditions name.
    pub fn probes(&self) -> Vec<&str> {
        self.when.iter().flat_map(Condition::probes).collect()
    }
}

impl<'de> Deserialize<'de> for Scope {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text == "any" {
            return Ok(Self::Any);
        }
        if let Some(kind) = Expect::KINDS.into_iter().find(|kind| *kind == text) {
            return Ok(Self::Kind(kind));
        }
        if let Some(source) = Source::ALL.into_iter().find(|source| source.name() == text) {
            return Ok(Self::Source(source));
        }
        let known = Source::ALL.into_iter().map(Source::name).chain(Expect::KINDS);
        let hint = closest(&text, known).map_or_else(String::new, |close| format!("; did you mean `{close}`?"));
        Err(de::Error::custom(format_args!("`{text}` is neither a kind of check nor a source{hint}")))
    }
}

impl JsonSchema for Scope {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Scope".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let names: Vec<&str> =
            ["any"].into_iter().chain(Source::ALL.into_iter().map(Source::name)).chain(Expect::KINDS).collect();
        schemars::json_schema!({ "description": "A kind of check, a source, or `any`.", "enum": names })
    }
}

#[cfg(test)]
mod tests;
