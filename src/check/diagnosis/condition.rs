use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use crate::check::expect::{Matchers, shorten};
use crate::check::judge::{Scene, hold};
use crate::check::{Check, Expect, Matcher, Outcome, Verdict, Wants};
use crate::facts::{Container, Evidence, Rejection, Segment, Source, Span, Variable};

/// One thing that must be so for a rule to fire.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "a course holds a hundred of them, once")]
pub enum Condition {
    /// The evidence meets this expectation.
    Met(Seen),
    /// The evidence was looked at and does not meet this expectation.
    Unmet(Seen),
    /// The sandbox refused something in this run. The real vendors do not tell.
    Rejected(Rejected),
    /// A span of this run arrived outside of the check's own trace.
    StraySpan(StraySpan),
    /// A segment or subsegment of this run arrived outside of the check's own trace.
    StraySegment(StraySegment),
    /// The service, or its build, printed such a line.
    Printed(Matcher),
    /// The service could not be had, and this is why.
    Trouble(Matcher),
    /// A variable of the shell or of `.env` is in this state.
    Variable(Setting),
    /// A variable is in this state in what compose gives the service.
    Composed(Setting),
    /// Such a line stands in a file of the workspace.
    Found(Search),
    /// Nothing of this run has come from the source, though it was listened to.
    Silent(Source),
    /// Something of this run has come from the source.
    Heard(Source),
    /// The check that is to be explained is not met in this way.
    Failing(Failing),
    /// Another request of this run than the check's own meets an expectation.
    Elsewhere(Elsewhere),
    /// A container is like this, whatever its state.
    Container(Contained),
    /// The run is one against the sandbox, or against the vendors themselves.
    Target(Target),
    /// At least one of these holds.
    Any(Vec<Condition>),
    /// Each of these holds: for use within the other two.
    All(Vec<Condition>),
    /// None of these holds.
    None(Vec<Condition>),
}

/// An expectation, seen from a probe.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Seen {
    /// The probe; without one, that of the check which is to be explained.
    #[serde(default)]
    pub probe: Option<String>,
    /// What must be seen.
    pub expect: Expect,
}

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

impl Condition {
    /// Whether it holds, with a sentence for each thing that shows it; `None` where it does not.
    pub(super) fn holds(&self, check: &Check, outcome: &Outcome, scene: &Scene<'_>) -> Option<Vec<String>> {
        let evidence = scene.evidence;
        let one = |sentence: Option<String>| sentence.map(|sentence| vec![sentence]);
        match self {
            Self::Met(seen) => match seen.verdict(check, evidence) {
                Verdict::Met(facts, _) => {
                    let facts = facts.iter().take(3).map(|fact| format!("{} {}", fact.label, fact.value));
                    let facts = facts.collect::<Vec<_>>().join(", ");
                    Some(if facts.is_empty() { Vec::new() } else { vec![facts] })
                }
                _ => None,
            },
            Self::Unmet(seen) => match seen.verdict(check, evidence) {
                Verdict::NotYet(mismatch) | Verdict::Never(mismatch) => Some(vec![mismatch.actual]),
                Verdict::Met(..) | Verdict::Unseen(_) | Verdict::Skipped(_) => None,
            },
            Self::Rejected(rejected) => {
                one(evidence.rejections.iter().rev().find_map(|refusal| rejected.matches(refusal, scene)))
            }
            Self::StraySpan(stray) => {
                let own = scene.probe().map(|probe| probe.trace_id.w3c());
                let outside = evidence.spans.iter().map(|span| &span.fact).filter(|span| Some(&span.trace_id) != own.as_ref());
                let known = |span: &Span| evidence.probes.values().any(|probe| probe.trace_id.w3c() == span.trace_id);
                one(outside.filter(|span| !known(span)).find_map(|span| stray.matches(span, scene)))
            }
            Self::StraySegment(stray) => {
                let known = |segment: &Segment| evidence.probes.values().any(|probe| probe.trace_id.xray() == segment.trace_id);
                let outside = evidence.segments.iter().map(|segment| &segment.fact).filter(|segment| !known(segment));
                one(outside.flat_map(Segment::walk).find_map(|segment| stray.matches(segment, scene)))
            }
            Self::Printed(matcher) => {
                let mut lines = evidence.output.values().flatten().rev();
                let line = lines.find(|line| matcher.accepts_text(line, &scene.placeholders));
                one(line.map(|line| format!("the service printed `{}`", shorten(line.trim()))))
            }
            Self::Trouble(matcher) => {
                let trouble = evidence.service_trouble.as_ref()?;
                one(matcher.accepts_text(&trouble.cause, &scene.placeholders).then(|| shorten(&trouble.cause)))
            }
            Self::Variable(setting) => {
                evidence.sources.get(&Source::Environment)?;
                one(setting.matches(evidence.variables.get(&setting.name), "the shell and `.env`", scene))
            }
            Self::Composed(setting) => {
                let composed = evidence.composed.as_ref()?;
                one(setting.matches(composed.get(&setting.name), "what compose gives the service", scene))
            }
            Self::Found(search) => {
                let hit = evidence.found.get(&search.key())?.first()?;
                Some(vec![format!("{}:{}: `{}`", hit.file, hit.line, shorten(hit.text.trim()))])
            }
            Self::Silent(source) => {
                let listened = evidence.sources.get(source).is_some_and(|record| record.looked_ms > 0);
                let silent = listened && !heard(*source, evidence);
                one(silent.then(|| format!("nothing of this run has arrived in {}", source.title())))
            }
            Self::Heard(source) => heard(*source, evidence).then(Vec::new),
            Self::Failing(failing) => failing.matches(outcome, scene).then(Vec::new),
            Self::Elsewhere(elsewhere) => {
                let expect = elsewhere.expect.as_ref().unwrap_or(&check.expect);
                let others = evidence.probes.keys().filter(|name| check.probe.as_ref() != Some(*name));
                let mut met = others.filter(|name| matches!(hold(expect, Some(name), evidence), Verdict::Met(..)));
                one(met.next().map(|name| format!("it was seen of the request `{name}`")))
            }
            Self::Container(contained) => {
                one(evidence.containers.iter().find_map(|container| contained.matches(container, scene)))
            }
            Self::Target(target) => {
                let name = if *target == Target::Live { "live" } else { "sandbox" };
                (evidence.target == name).then(Vec::new)
            }
            Self::Any(conditions) => conditions.iter().find_map(|condition| condition.holds(check, outcome, scene)),
            Self::All(conditions) => {
                let held: Option<Vec<_>> = conditions.iter().map(|condition| condition.holds(check, outcome, scene)).collect();
                held.map(|sentences| sentences.into_iter().flatten().collect())
            }
            Self::None(conditions) => {
                conditions.iter().all(|condition| condition.holds(check, outcome, scene).is_none()).then(Vec::new)
            }
        }
    }

    /// Adds what must be looked at so that it can be decided.
    pub(super) fn wants(&self, wants: &mut Wants) {
        match self {
            Self::Met(seen) | Self::Unmet(seen) => {
                let source = seen.expect.source();
                if matches!(source, Source::Files | Source::Environment) || wants.sources.contains(&source) {
                    seen.expect.wants(wants);
                }
            }
            Self::Elsewhere(Elsewhere { expect: Some(expect) }) if wants.sources.contains(&expect.source()) => {
                expect.wants(wants);
            }
            Self::Variable(setting) => {
                wants.variables.insert(setting.name.clone());
                wants.variables.extend(setting.same_as.clone());
            }
            Self::Composed(setting) => {
                wants.composed.insert(setting.name.clone());
                wants.composed.extend(setting.same_as.clone());
            }
            Self::Found(search) => {
                wants.searches.insert(search.clone());
            }
            Self::StraySpan(stray) if wants.sources.contains(&Source::Honeycomb) => {
                wants.columns.extend(stray.attributes.keys().cloned());
            }
            Self::Any(conditions) | Self::All(conditions) | Self::None(conditions) => {
                conditions.iter().for_each(|condition| condition.wants(wants));
            }
            Self::Rejected(_)
            | Self::StraySpan(_)
            | Self::StraySegment(_)
            | Self::Printed(_)
            | Self::Trouble(_)
            | Self::Silent(_)
            | Self::Heard(_)
            | Self::Failing(_)
            | Self::Elsewhere(_)
            | Self::Container(_)
            | Self::Target(_) => {}
        }
    }

    /// The probes that it names.
    pub(super) fn probes(&self) -> Vec<&str> {
        match self {
            Self::Met(seen) | Self::Unmet(seen) => seen.probe.as_deref().into_iter().collect(),
            Self::Any(conditions) | Self::All(conditions) | Self::None(conditions) => {
                conditions.iter().flat_map(Self::probes).collect()
            }
            _ => Vec::new(),
        }
    }
}

impl Seen {
    fn verdict(&self, check: &Check, evidence: &Evidence) -> Verdict {
        let own = check.probe.as_deref().filter(|_| self.expect.needs_probe());
        hold(&self.expect, self.probe.as_deref().or(own), evidence)
    }
}

impl Search {
    /// Under what its hits stand in the evidence.
    #[must_use]
    pub fn key(&self) -> String {
        format!("{}: {}", self.place, self.line)
    }
}

impl Rejected {
    fn matches(&self, refusal: &Rejection, scene: &Scene<'_>) -> Option<String> {
        let accepts = |matcher: &Option<Matcher>, text: &str| {
            matcher.as_ref().is_none_or(|matcher| matcher.accepts_text(text, &scene.placeholders))
        };
        let status = serde_json::Value::from(refusal.status);
        let matches = self.vendor.accepts_text(&refusal.vendor, &scene.placeholders)
            && accepts(&self.reason, &refusal.reason)
            && accepts(&self.request, &refusal.request)
            && accepts(&self.detail, &refusal.detail)
            && self.status.as_ref().is_none_or(|matcher| matcher.accepts(Some(&status), &scene.placeholders));
        matches.then(|| refusal.sentence())
    }
}

impl StraySpan {
    fn matches(&self, span: &Span, scene: &Scene<'_>) -> Option<String> {
        let accepts = |matcher: &Option<Matcher>, text: &str| {
            matcher.as_ref().is_none_or(|matcher| matcher.accepts_text(text, &scene.placeholders))
        };
        let matches = accepts(&self.name, &span.name)
            && accepts(&self.kind, &span.kind)
            && accepts(&self.dataset, &span.dataset)
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
    fn matches(&self, segment: &Segment, scene: &Scene<'_>) -> Option<String> {
        let accepts = |matcher: &Option<Matcher>, text: Option<&str>| {
            matcher.as_ref().is_none_or(|matcher| text.is_some_and(|text| matcher.accepts_text(text, &scene.placeholders)))
        };
        let matches = accepts(&self.name, Some(&segment.name)) && accepts(&self.url, segment.url());
        matches.then(|| format!("`{}` arrived in the trace `{}`", segment.name, segment.trace_id))
    }
}

impl Contained {
    fn matches(&self, container: &Container, scene: &Scene<'_>) -> Option<String> {
        // Other projects on this machine have containers, too.
        if let (Some(workspace), Some(folder)) = (&scene.evidence.workspace, &container.folder)
            && workspace != folder
        {
            return None;
        }
        let accepts = |matcher: &Option<Matcher>, text: &str| {
            matcher.as_ref().is_none_or(|matcher| matcher.accepts_text(text, &scene.placeholders))
        };
        let value = |name: &String| container.environment.get(name).map(|value| serde_json::Value::from(value.as_str()));
        let mut lines = container.last_lines.iter().rev();
        let line = match &self.prints {
            Some(matcher) => Some(lines.find(|line| matcher.accepts_text(line, &scene.placeholders))?),
            None => lines.next(),
        };
        let matches = self.service.accepts_text(container.service.as_deref()?, &scene.placeholders)
            && accepts(&self.image, &container.image)
            && accepts(&self.state, &container.state)
            && self.environment.iter().all(|(name, matcher)| matcher.accepts(value(name).as_ref(), &scene.placeholders));
        let said = line.map_or_else(String::new, |line| format!("; it printed `{}`", shorten(line.trim())));
        matches.then(|| format!("the container `{}` ({}) is {}{said}", container.name, container.image, container.state))
    }
}

impl Setting {
    fn matches(&self, variable: Option<&Variable>, whose: &str, scene: &Scene<'_>) -> Option<String> {
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
    fn matches(&self, outcome: &Outcome, scene: &Scene<'_>) -> bool {
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

/// Whether anything of this run has come from the source.
fn heard(source: Source, evidence: &Evidence) -> bool {
    match source {
        Source::Honeycomb => {
            let written = |last: Option<i64>| last.is_some_and(|last| last >= evidence.started_ms);
            !evidence.spans.is_empty() || evidence.datasets.iter().any(|dataset| written(dataset.last_written_ms))
        }
        Source::Xray => !evidence.segments.is_empty() || !evidence.service_nodes.is_empty(),
        Source::CloudWatch => !evidence.log_events.is_empty(),
        Source::Rollbar => !evidence.error_items.is_empty(),
        Source::Docker => !evidence.containers.is_empty(),
        Source::Output => evidence.output.values().any(|lines| !lines.is_empty()),
        Source::Http => evidence.probes.values().any(|probe| probe.answer.is_ok()),
        Source::Files | Source::Environment => true,
    }
}
