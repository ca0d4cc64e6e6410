//! What a rule compares that no check does: refusals, strays, the state of variables, lines in files.

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use crate::check::expect::{Matchers, shorten};
use crate::check::judge::Scene;
use crate::check::{Expect, Matcher, Outcome};
use crate::facts::{Container, Rejection, Segment, Span, Variable};

/// Something that the sandbox refused.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Rejected {
    /// `honeycomb`, `xray`, `cloudwatch`, `rollbar`, or `unknown`.
    pub vendor: Matcher,
    /// The stable word for the reason.
    #[serde(default)]
    pub reason: Option<Matcher>,
    /// What was asked: `POST /v1/traces`, `PutLogEvents`.
    #[serde(default)]
    pub request: Option<Matcher>,
    /// The HTTP status that was answered.
    #[serde(default)]
    pub status: Option<Matcher>,
    /// The sentence for a person.
    #[serde(default)]
    pub detail: Option<Matcher>,
}

/// A span outside of the check's trace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StraySpan {
    /// Its name.
    #[serde(default)]
    pub name: Option<Matcher>,
    /// Its kind.
    #[serde(default)]
    pub kind: Option<Matcher>,
    /// The dataset that it landed in.
    #[serde(default)]
    pub dataset: Option<Matcher>,
    /// Whether it has no parent.
    #[serde(default)]
    pub root: Option<bool>,
    /// Its attributes.
    #[serde(default)]
    pub attributes: Matchers,
}

/// A segment or subsegment outside of the check's trace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct StraySegment {
    /// Its name.
    #[serde(default)]
    pub name: Option<Matcher>,
    /// The URL that it names.
    #[serde(default)]
    pub url: Option<Matcher>,
}

/// What another request shows.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Elsewhere {
    /// What is seen of it; without this, what the check expects of its own.
    #[serde(default)]
    pub expect: Option<Expect>,
}

/// A container, as the engine tells of it.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contained {
    /// The compose service.
    pub service: Matcher,
    /// Its image.
    #[serde(default)]
    pub image: Option<Matcher>,
    /// Its state: `running`, `exited`, `created`, `restarting`, `paused`, `dead`.
    #[serde(default)]
    pub state: Option<Matcher>,
    /// Variables of its environment.
    #[serde(default)]
    pub environment: Matchers,
    /// One of the last lines that it printed.
    #[serde(default)]
    pub prints: Option<Matcher>,
}

/// Who answers in place of the vendors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Target {
    /// The sandbox.
    Sandbox,
    /// The vendors themselves.
    Live,
}

/// The state of a variable.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// What state it is in.
    #[serde(default)]
    pub is: Option<State>,
    /// Its value, where that is no secret.
    #[serde(default)]
    pub value: Option<Matcher>,
    /// Another variable with the very same value.
    #[serde(default)]
    pub same_as: Option<String>,
}

/// What may be said of a variable without its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum State {
    /// There, and not blank.
    Set,
    /// Not there.
    Unset,
    /// There, with nothing but whitespace in it.
    Blank,
    /// Not there, or blank.
    Missing,
    /// With whitespace around its value.
    Padded,
}

/// A line in the workspace's files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Search {
    /// The file, or the folder with all that is beneath it.
    #[serde(rename = "in")]
    pub place: String,
    /// The regular expression that finds something in the line.
    #[serde(deserialize_with = "sound_pattern")]
    pub line: String,
}

fn sound_pattern<'de, D: Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    let text = String::deserialize(deserializer)?;
    match regex_syntax::parse(&text) {
        Ok(_) => Ok(text),
        Err(error) => Err(de::Error::custom(format_args!("`{text}` is not a regular expression: {error}"))),
    }
}

/// How the check that is to be explained is not met.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Failing {
    /// What was expected.
    #[serde(default)]
    pub expected: Option<Matcher>,
    /// What was found instead; of a check that could not be looked at, the cause.
    #[serde(default)]
    pub actual: Option<Matcher>,
    /// The nearest thing that was seen.
    #[serde(default)]
    pub nearest: Option<Matcher>,
}

impl Search {
    /// Under what its hits stand in the evidence.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}: {}", self.place, self.line)
    }
}

impl Rejected {
    pub(super) fn matches(&self, refusal: &Rejection, scene: &Scene<'_>) -> Option<String> {
        let status = serde_json::Value::from(refusal.status);
        let matches = self.vendor.accepts_text(&refusal.vendor, &scene.placeholders)
            && scene.accepts(self.reason.as_ref(), &refusal.reason)
            && scene.accepts(self.request.as_ref(), &refusal.request)
            && scene.accepts(self.detail.as_ref(), &refusal.detail)
            && self.status.as_ref().is_none_or(|matcher| matcher.accepts(Some(&status), &scene.placeholders));
        matches.then(|| refusal.sentence())
    }
}

impl StraySpan {
    pub(super) fn matches(&self, span: &Span, scene: &Scene<'_>) -> Option<String> {
        let matches = scene.accepts(self.name.as_ref(), &span.name)
            && scene.accepts(self.kind.as_ref(), &span.kind)
            && scene.accepts(self.dataset.as_ref(), &span.dataset)
            && self.root.is_none_or(|root| root == span.parent_id.is_none())
            && self.attributes.iter().all(|(name, matcher)| matcher.accepts(span.attributes.get(name), &scene.placeholders));
        matches.then(|| {
            format!(
                "the span `{}` ({}) arrived in the trace `{}`, dataset `{}`",
                span.name, span.kind, span.trace_id, span.dataset
            )
        })
    }
}

impl StraySegment {
    pub(super) fn matches(&self, segment: &Segment, scene: &Scene<'_>) -> Option<String> {
        let accepts = |matcher: &Option<Matcher>, text: Option<&str>| {
            matcher.as_ref().is_none_or(|matcher| text.is_some_and(|text| matcher.accepts_text(text, &scene.placeholders)))
        };
        let matches = accepts(&self.name, Some(&segment.name)) && accepts(&self.url, segment.url());
        matches.then(|| format!("`{}` arrived in the trace `{}`", segment.name, segment.trace_id))
    }
}

impl Contained {
    pub(super) fn matches(&self, container: &Container, scene: &Scene<'_>) -> Option<String> {
        // Other projects on this machine have containers, too.
        if let (Some(workspace), Some(folder)) = (&scene.evidence.workspace, &container.folder)
            && workspace != folder
        {
            return None;
        }
        let value = |name: &String| container.environment.get(name).map(|value| serde_json::Value::from(value.as_str()));
        let mut lines = container.last_lines.iter().rev();
        let line = match &self.prints {
            Some(matcher) => Some(lines.find(|line| matcher.accepts_text(line, &scene.placeholders))?),
            None => lines.next(),
        };
        let matches = self.service.accepts_text(container.service.as_deref()?, &scene.placeholders)
            && scene.accepts(self.image.as_ref(), &container.image)
            && scene.accepts(self.state.as_ref(), &container.state)
            && self.environment.iter().all(|(name, matcher)| matcher.accepts(value(name).as_ref(), &scene.placeholders));
        let said = line.map_or_else(String::new, |line| format!("; it printed `{}`", shorten(line.trim())));
        matches.then(|| format!("the container `{}` ({}) is {}{said}", container.name, container.image, container.state))
    }
}

impl Setting {
    pub(super) fn matches(&self, variable: Option<&Variable>, whose: &str, scene: &Scene<'_>) -> Option<String> {
        let name = &self.name;
        let state = self.is.is_none_or(|state| match (state, variable) {
            (State::Unset | State::Missing, None) => true,
            (State::Set | State::Blank | State::Padded, None) | (State::Unset, Some(_)) => false,
            (State::Set, Some(variable)) => !variable.blank,
            (State::Blank | State::Missing, Some(variable)) => variable.blank,
            (State::Padded, Some(variable)) => variable.padded,
        });
        let value = self.value.as_ref().is_none_or(|matcher| {
            let value = variable.map(|variable| serde_json::Value::from(variable.shown.as_str()));
            matcher.accepts(value.as_ref(), &scene.placeholders)
        });
        let same = self.same_as.as_ref().is_none_or(|other| variable.is_some_and(|variable| variable.same_as.contains(other)));
        (state && value && same).then(|| match variable {
            None => format!("`{name}` is not set in {whose}"),
            Some(variable) if variable.blank => format!("`{name}` is blank ({})", variable.origin),
            Some(variable) => match &self.same_as {
                Some(other) => format!("`{name}` and `{other}` have the same value ({})", variable.origin),
                None => format!("`{name}` is `{}` ({})", shorten(&variable.shown), variable.origin),
            },
        })
    }
}

impl Failing {
    pub(super) fn matches(&self, outcome: &Outcome, scene: &Scene<'_>) -> bool {
        let accepts = |matcher: &Option<Matcher>, text: Option<&str>| {
            matcher
                .as_ref()
                .is_none_or(|matcher| matcher.accepts(text.map(serde_json::Value::from).as_ref(), &scene.placeholders))
        };
        match outcome {
            Outcome::Failed(mismatch) => {
                accepts(&self.expected, Some(&mismatch.expected))
                    && accepts(&self.actual, Some(&mismatch.actual))
                    && accepts(&self.nearest, mismatch.nearest.as_deref())
            }
            Outcome::Errored(trouble) => {
                self.expected.is_none() && self.nearest.is_none() && accepts(&self.actual, Some(&trouble.cause))
            }
            Outcome::Passed { .. } | Outcome::Skipped(_) => false,
        }
    }
}
