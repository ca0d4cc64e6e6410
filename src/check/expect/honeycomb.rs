use schemars::JsonSchema;
use serde::Deserialize;

use super::closest::{Demands, Miss, closest, shorten};
use super::{Matchers, seen_after};
use crate::check::judge::Scene;
use crate::check::{Fact, Matcher, Mismatch, Verdict};
use crate::facts::{Level, ProbeRecord, Sighting, Span};

/// A dataset of the environment.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HoneycombDataset {
    /// Its name.
    pub name: Matcher,
}

impl HoneycombDataset {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let expected = format!("a dataset whose name is {}", self.name.describe(&scene.placeholders));
        let datasets = &scene.evidence.datasets;
        let written = |last: Option<i64>| last.is_none_or(|last| last >= scene.evidence.started_ms);
        let named = datasets.iter().find(|dataset| self.name.accepts_text(&dataset.name, &scene.placeholders));
        match named {
            Some(dataset) if written(dataset.last_written_ms) => {
                Verdict::Met(vec![Fact::new("dataset", dataset.name.clone())], scene.looked.level)
            }
            Some(_) => Verdict::NotYet(
                Mismatch::new(expected, "it is there, but nothing has been written to it in this run")
                    .nearest(scene.refusal("honeycomb")),
            ),
            None if datasets.is_empty() => {
                Verdict::NotYet(Mismatch::new(expected, "the environment has no dataset").nearest(scene.refusal("honeycomb")))
            }
            None => {
                let names: Vec<_> = datasets.iter().take(8).map(|dataset| format!("`{}`", dataset.name)).collect();
                Verdict::NotYet(
                    Mismatch::new(expected, format!("its datasets are {}", names.join(", "))).nearest(scene.refusal("honeycomb")),
                )
            }
        }
    }
}

/// A span of the probe's own trace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HoneycombSpan {
    /// Its name.
    #[serde(default)]
    pub name: Option<Matcher>,
    /// Its kind: `server`, `client`, `internal`, `producer`, `consumer`.
    #[serde(default)]
    pub kind: Option<Matcher>,
    /// The HTTP status that it carries, under the current or the former semantic conventions.
    #[serde(default)]
    pub http_status: Option<Matcher>,
    /// OpenTelemetry's status code: 0 unset, 1 ok, 2 error.
    #[serde(default)]
    pub status_code: Option<Matcher>,
    /// Its parent, a span of the same trace.
    #[serde(default)]
    pub parent: Option<SpanSelector>,
    /// A span of the same trace that it runs within, however many lie between.
    #[serde(default)]
    pub within: Option<SpanSelector>,
    /// Its attributes, the resource's among them.
    #[serde(default)]
    pub attributes: Matchers,
}

/// Which span is meant.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SpanSelector {
    /// Its name.
    #[serde(default)]
    pub name: Option<Matcher>,
    /// Its kind.
    #[serde(default)]
    pub kind: Option<Matcher>,
}

/// How Honeycomb's users know the columns that both conventions use for the status.
const STATUS_COLUMNS: [&str; 2] = ["http.response.status_code", "http.status_code"];

impl HoneycombSpan {
    /// The columns that must be asked for.
    pub(super) fn columns(&self) -> impl Iterator<Item = String> {
        self.attributes.keys().cloned().chain(STATUS_COLUMNS.map(String::from))
    }

    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let expected = self.describe(scene);
        let Some(probe) = scene.probe() else { return Verdict::Never(Mismatch::new(expected, "no request was sent")) };
        if scene.looked.level == Level::Fresh {
            return self.judge_fresh(scene, probe, &expected);
        }
        let trace_id = probe.trace_id.w3c();
        let ours: Vec<_> = scene.evidence.spans.iter().filter(|span| span.fact.trace_id == trace_id).collect();
        let Some((span, demands)) = closest(ours.iter().copied(), |span| self.hold(&span.fact, &ours, scene)) else {
            return Verdict::NotYet(Mismatch::new(expected, "no span of this trace has arrived").nearest(stray(scene, probe)));
        };
        if demands.misses.is_empty() {
            return Verdict::Met(self.facts(scene, span), Level::Exact);
        }
        if !self.selects(&span.fact, scene) {
            let names: Vec<_> = ours.iter().take(6).map(|span| format!("`{}` ({})", span.fact.name, span.fact.kind)).collect();
            let actual = format!("no such span among the {} of this trace: {}", ours.len(), names.join(", "));
            return Verdict::NotYet(Mismatch::new(expected, actual).nearest(stray(scene, probe)));
        }
        let actual = format!("the span `{}` is there, but {}", span.fact.name, demands.describe());
        // A span never changes once it is sent, but its parent may be in the next batch.
        let settled = (self.parent.is_none() && self.within.is_none()) || span.fact.parent_id.is_none();
        let mismatch = Mismatch::new(expected, actual);
        if settled { Verdict::Never(mismatch) } else { Verdict::NotYet(mismatch) }
    }

    /// Whether the span is the one that is meant, whatever its attributes.
    fn selects(&self, span: &Span, scene: &Scene<'_>) -> bool {
        scene.accepts(self.name.as_ref(), &span.name) && scene.accepts(self.kind.as_ref(), &span.kind)
    }

    fn hold<'p>(&self, span: &Span, trace: &[&Sighting<Span>], scene: &'p Scene<'_>) -> Demands<'p> {
        let mut demands = Demands::new(&scene.placeholders);
        // Being the span that is meant weighs more than any of its attributes.
        for _ in 0..if self.selects(span, scene) { 0 } else { self.attributes.len() + 4 } {
            demands.demand(false, || Miss { what: String::new(), expected: String::new(), actual: String::new() });
        }
        demands.text("its name", self.name.as_ref(), Some(&span.name));
        demands.text("its kind", self.kind.as_ref(), Some(&span.kind));
        demands.number("its HTTP status", self.http_status.as_ref(), span.http_status());
        demands.number("its status code", self.status_code.as_ref(), Some(span.status_code));
        if let Some(wanted) = &self.parent {
            let parent = span.parent_id.as_ref().and_then(|id| trace.iter().find(|other| other.fact.span_id == *id));
            let named = |span: &Span| format!("is `{}` ({})", span.name, span.kind);
            demands.demand(parent.is_some_and(|parent| wanted.accepts(&parent.fact, scene)), || Miss {
                what: String::from("its parent"),
                expected: wanted.describe(scene),
                actual: match (parent, &span.parent_id) {
                    (Some(parent), _) => named(&parent.fact),
                    (None, Some(id)) => format!("`{id}` has not arrived"),
                    (None, None) => String::from("is missing: it is a root"),
                },
            });
        }
        if let Some(wanted) = &self.within {
            let above = ancestors(span, trace);
            demands.demand(above.iter().any(|ancestor| wanted.accepts(ancestor, scene)), || Miss {
                what: String::from("what it runs within"),
                expected: wanted.describe(scene),
                actual: match (above.last(), &span.parent_id) {
                    (_, None) => String::from("is nothing: it is a root"),
                    (None, Some(id)) => format!("is a span that has not arrived (`{id}`)"),
                    (Some(top), _) => format!("is `{}` ({})", top.name, top.kind),
                },
            });
        }
        for (name, matcher) in &self.attributes {
            demands.value(&format!("`{name}`"), Some(matcher), span.attributes.get(name));
        }
        demands
    }

    fn facts(&self, scene: &Scene<'_>, span: &Sighting<Span>) -> Vec<Fact> {
        let fact = &span.fact;
        let mut facts = vec![
            Fact::new("trace", fact.trace_id.clone()),
            Fact::new("span", format!("{} ({}, {:.1} ms)", fact.name, fact.kind, fact.duration_ms)),
        ];
        for name in self.attributes.keys() {
            if let Some(value) = fact.attributes.get(name) {
                facts.push(Fact::new(name, shorten(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))));
            }
        }
        facts.extend(seen_after(scene, span.seen_ms));
        facts
    }

    /// Without the right to query, what can be shown is that the dataset and the wanted columns were written after the probe.
    fn judge_fresh(&self, scene: &Scene<'_>, probe: &ProbeRecord, expected: &str) -> Verdict {
        let expected =
            format!("{expected} (this key allows no queries: that its columns were written since is what can be shown)");
        let fresh =
            scene.evidence.datasets.iter().find(|dataset| dataset.last_written_ms.is_some_and(|last| last >= probe.sent_ms));
        let Some(dataset) = fresh else {
            return Verdict::NotYet(Mismatch::new(expected, "no dataset was written to since the request"));
        };
        let columns = scene.evidence.columns.get(&dataset.slug);
        let written = |name: &str| columns.and_then(|columns| columns.get(name)).is_some_and(|last| *last >= probe.sent_ms);
        match self.attributes.keys().find(|name| !written(name)) {
            Some(name) => {
                Verdict::NotYet(Mismatch::new(expected, format!("the column `{name}` was not written since the request")))
            }
            None => {
                Verdict::Met(vec![Fact::new("dataset", format!("{} (written since the request)", dataset.name))], Level::Fresh)
            }
        }
    }

    fn describe(&self, scene: &Scene<'_>) -> String {
        let show = |matcher: &Matcher| matcher.describe(&scene.placeholders);
        let mut parts = Vec::new();
        if let Some(kind) = &self.kind {
            parts.push(format!("of kind {}", show(kind)));
        }
        if let Some(status) = &self.http_status {
            parts.push(format!("with the HTTP status {}", show(status)));
        }
        if let Some(code) = &self.status_code {
            parts.push(format!("with the status code {}", show(code)));
        }
        if let Some(parent) = &self.parent {
            parts.push(format!("beneath {}", parent.describe(scene)));
        }
        if let Some(within) = &self.within {
            parts.push(format!("within {}", within.describe(scene)));
        }
        for (name, matcher) in &self.attributes {
            parts.push(format!("with `{name}` {}", show(matcher)));
        }
        let name = self.name.as_ref().map_or_else(|| String::from("a span"), |name| format!("a span {}", show(name)));
        let tail = if parts.is_empty() { String::new() } else { format!(" {}", parts.join(", ")) };
        format!("{name}{tail} in the request's trace")
    }
}

impl SpanSelector {
    fn accepts(&self, span: &Span, scene: &Scene<'_>) -> bool {
        scene.accepts(self.name.as_ref(), &span.name) && scene.accepts(self.kind.as_ref(), &span.kind)
    }

    fn describe(&self, scene: &Scene<'_>) -> String {
        let name = self.name.as_ref().map(|name| name.describe(&scene.placeholders));
        let kind = self.kind.as_ref().map(|kind| format!("of kind {}", kind.describe(&scene.placeholders)));
        let words: Vec<_> = [name, kind].into_iter().flatten().collect();
        format!("a span {}", words.join(" "))
    }
}

/// The spans above this one, the nearest first, as far as they have arrived.
fn ancestors<'e>(span: &Span, trace: &[&'e Sighting<Span>]) -> Vec<&'e Span> {
    let mut above: Vec<&Span> = Vec::new();
    let mut id = span.parent_id.as_ref();
    // Spans that name each other as parents must not keep us here.
    while let Some(parent) = id.and_then(|id| trace.iter().find(|other| other.fact.span_id == *id))
        && above.len() < trace.len()
    {
        above.push(&parent.fact);
        id = parent.fact.parent_id.as_ref();
    }
    above
}

/// The nearest thing when the trace is empty or incomplete: the same request under another trace, another dataset, a refusal.
fn stray(scene: &Scene<'_>, probe: &ProbeRecord) -> Option<String> {
    let trace_id = probe.trace_id.w3c();
    let elsewhere = scene.evidence.spans.iter().find(|span| span.fact.trace_id != trace_id && span.fact.mentions(&probe.nonce));
    if let Some(span) = elsewhere {
        let fact = &span.fact;
        return Some(format!(
            "the request arrived as `{}` in a trace of its own (`{}`, dataset `{}`): the incoming context is not continued",
            fact.name, fact.trace_id, fact.dataset
        ));
    }
    let refused = scene.refusal("honeycomb");
    if refused.is_some() {
        return refused;
    }
    let others = scene.evidence.datasets.iter().find(|dataset| dataset.last_written_ms.is_some_and(|last| last >= probe.sent_ms));
    others.map(|dataset| format!("the dataset `{}` was written to since the request", dataset.name))
}
