use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::closest::{Demands, closest, shorten};
use super::{Matchers, seen_after};
use crate::check::judge::Scene;
use crate::check::{Fact, Matcher, Mismatch, Verdict};
use crate::facts::{Level, ProbeRecord, Segment, Sighting};

/// A segment of the probe's trace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct XraySegment {
    /// Its name: the service's.
    #[serde(default)]
    pub name: Option<Matcher>,
    /// `http.request.method`.
    #[serde(default)]
    pub method: Option<Matcher>,
    /// `http.request.url`.
    #[serde(default)]
    pub url: Option<Matcher>,
    /// `http.response.status`.
    #[serde(default)]
    pub status: Option<Matcher>,
    /// Its annotations.
    #[serde(default)]
    pub annotations: Matchers,
    /// Its metadata, flat or within a namespace.
    #[serde(default)]
    pub metadata: Matchers,
}

/// A subsegment of the probe's trace, however deep.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct XraySubsegment {
    /// Its name.
    pub name: Matcher,
    /// Its annotations.
    #[serde(default)]
    pub annotations: Matchers,
    /// Its metadata, flat or within a namespace.
    #[serde(default)]
    pub metadata: Matchers,
}

/// A group.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct XrayGroup {
    /// Its name.
    pub name: String,
    /// Its filter expression.
    #[serde(default)]
    pub filter: Option<Matcher>,
}

/// A sampling rule.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct XraySamplingRule {
    /// Its name.
    pub name: String,
    /// 1 to 9999.
    #[serde(default)]
    pub priority: Option<Matcher>,
    /// 0 to 1.
    #[serde(default)]
    pub fixed_rate: Option<Matcher>,
    /// Requests a second.
    #[serde(default)]
    pub reservoir_size: Option<Matcher>,
    /// The service's name.
    #[serde(default)]
    pub service_name: Option<Matcher>,
    /// The service's type.
    #[serde(default)]
    pub service_type: Option<Matcher>,
    /// The host.
    #[serde(default)]
    pub host: Option<Matcher>,
    /// The method.
    #[serde(default)]
    pub http_method: Option<Matcher>,
    /// The path.
    #[serde(default)]
    pub url_path: Option<Matcher>,
    /// The resource.
    #[serde(default)]
    pub resource_arn: Option<Matcher>,
    /// The rule format's version.
    #[serde(default)]
    pub version: Option<Matcher>,
}

/// A node of the service graph.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct XrayServiceNode {
    /// The service's name.
    pub name: Matcher,
}

/// A filter expression that finds the probe's trace.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct XrayTraceFilter {
    /// The expression. It is asked as it stands: no placeholders.
    pub expression: String,
}

/// The trees that belong to the probe's trace; without those that X-Ray inferred from the call of a service that sent nothing.
fn ours<'e>(scene: &Scene<'e>, probe: &ProbeRecord) -> Vec<&'e Sighting<Segment>> {
    let trace_id = probe.trace_id.xray();
    scene.evidence.segments.iter().filter(|tree| tree.fact.trace_id == trace_id && !tree.fact.inferred).collect()
}

impl XraySegment {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let expected = self.describe(scene);
        let Some(probe) = scene.probe() else { return Verdict::Never(Mismatch::new(expected, "no request was sent")) };
        let trees = ours(scene, probe);
        let segments = trees.iter().copied().filter(|tree| !tree.fact.is_subsegment());
        let Some((segment, demands)) = closest(segments, |tree| self.hold(&tree.fact, scene)) else {
            let actual = match trees.first() {
                Some(orphan) => format!("only the subsegment `{}` came, without the segment around it", orphan.fact.name),
                None => String::from("no segment of this trace has arrived"),
            };
            return Verdict::NotYet(Mismatch::new(expected, actual).nearest(stray(scene, probe)));
        };
        let fact = &segment.fact;
        if fact.in_progress {
            return Verdict::NotYet(Mismatch::new(expected, format!("the segment `{}` is still in progress", fact.name)));
        }
        if demands.misses.is_empty() {
            let mut facts = vec![Fact::new("trace", fact.trace_id.clone()), Fact::new("segment", fact.name.clone())];
            if let (Some(method), Some(url), Some(status)) = (fact.method(), fact.url(), fact.status()) {
                facts.push(Fact::new("http", format!("{method} {} → {status}", shorten(url))));
            }
            facts.extend(values(fact, &self.annotations, &self.metadata));
            facts.extend(seen_after(scene, segment.seen_ms));
            return Verdict::Met(facts, Level::Exact);
        }
        Verdict::Never(Mismatch::new(expected, format!("the segment `{}` is there, but {}", fact.name, demands.describe())))
    }

    fn hold<'p>(&self, segment: &Segment, scene: &'p Scene<'_>) -> Demands<'p> {
        let mut demands = Demands::new(&scene.placeholders);
        demands.text("its name", self.name.as_ref(), Some(&segment.name));
        demands.text("its method", self.method.as_ref(), segment.method());
        demands.text("its URL", self.url.as_ref(), segment.url());
        demands.number("its status", self.status.as_ref(), segment.status());
        hold_values(&mut demands, segment, &self.annotations, &self.metadata);
        demands
    }

    fn describe(&self, scene: &Scene<'_>) -> String {
        let named = |what: &str, matcher: &Option<Matcher>| {
            matcher.as_ref().map(|matcher| format!("{what} {}", matcher.describe(&scene.placeholders)))
        };
        let mut parts: Vec<_> =
            [named("named", &self.name), named("method", &self.method), named("URL", &self.url), named("status", &self.status)]
                .into_iter()
                .flatten()
                .collect();
        parts.extend(describe_values(scene, &self.annotations, &self.metadata));
        let tail = if parts.is_empty() { String::new() } else { format!(" {}", parts.join(", ")) };
        format!("a segment{tail} in the request's trace")
    }
}

impl XraySubsegment {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let mut parts = vec![format!("a subsegment {}", self.name.describe(&scene.placeholders))];
        parts.extend(describe_values(scene, &self.annotations, &self.metadata));
        let expected = format!("{} in the request's trace", parts.join(", "));
        let Some(probe) = scene.probe() else { return Verdict::Never(Mismatch::new(expected, "no request was sent")) };
        let trees = ours(scene, probe);
        let all = trees.iter().flat_map(|tree| tree.fact.walk().map(|segment| (segment, tree.seen_ms)));
        let subsegments: Vec<_> = all.filter(|(segment, _)| segment.is_subsegment()).collect();
        let named = subsegments.iter().copied().filter(|(segment, _)| self.name.accepts_text(&segment.name, &scene.placeholders));
        let Some(((subsegment, seen_ms), demands)) = closest(named, |(segment, _)| {
            let mut demands = Demands::new(&scene.placeholders);
            hold_values(&mut demands, segment, &self.annotations, &self.metadata);
            demands
        }) else {
            let actual = if trees.is_empty() {
                String::from("no segment of this trace has arrived")
            } else if subsegments.is_empty() {
                String::from("the trace has no subsegments")
            } else {
                let names: Vec<_> = subsegments.iter().take(6).map(|(segment, _)| format!("`{}`", segment.name)).collect();
                format!("the trace's subsegments are {}", names.join(", "))
            };
            return Verdict::NotYet(Mismatch::new(expected, actual).nearest(stray(scene, probe)));
        };
        if subsegment.in_progress {
            return Verdict::NotYet(Mismatch::new(
                expected,
                format!("the subsegment `{}` is still in progress", subsegment.name),
            ));
        }
        if !demands.misses.is_empty() {
            let actual = format!("the subsegment `{}` is there, but {}", subsegment.name, demands.describe());
            return Verdict::Never(Mismatch::new(expected, actual));
        }
        let mut facts = vec![Fact::new("trace", probe.trace_id.xray()), Fact::new("subsegment", subsegment.name.clone())];
        facts.extend(values(subsegment, &self.annotations, &self.metadata));
        facts.extend(seen_after(scene, seen_ms));
        Verdict::Met(facts, Level::Exact)
    }
}

impl XrayGroup {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let filter = self.filter.as_ref().map(|filter| format!(" with the filter {}", filter.describe(&scene.placeholders)));
        let expected = format!("an X-Ray group `{}`{}", self.name, filter.unwrap_or_default());
        let groups = &scene.evidence.trace_groups;
        let Some(group) = groups.iter().find(|group| group.name == self.name) else {
            let names: Vec<_> = groups.iter().take(8).map(|group| format!("`{}`", group.name)).collect();
            let nearest = (!names.is_empty()).then(|| format!("the groups that are there: {}", names.join(", ")));
            return Verdict::Never(Mismatch::new(expected, "there is no such group").nearest(nearest));
        };
        let mut demands = Demands::new(&scene.placeholders);
        demands.text("its filter expression", self.filter.as_ref(), Some(&group.filter));
        if demands.misses.is_empty() {
            return Verdict::Met(
                vec![Fact::new("group", &group.name), Fact::new("filter", shorten(&group.filter))],
                Level::Exact,
            );
        }
        Verdict::Never(Mismatch::new(expected, format!("the group is there, but {}", demands.describe())))
    }
}

impl XraySamplingRule {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let expected = format!("an X-Ray sampling rule `{}` as the lesson gives it", self.name);
        let rules = &scene.evidence.sampling_rules;
        let Some(rule) = rules.iter().find(|rule| rule.name == self.name) else {
            let names: Vec<_> = rules.iter().take(8).map(|rule| format!("`{}`", rule.name)).collect();
            let nearest = (!names.is_empty()).then(|| format!("the rules that are there: {}", names.join(", ")));
            return Verdict::Never(Mismatch::new(expected, "there is no such rule").nearest(nearest));
        };
        let mut demands = Demands::new(&scene.placeholders);
        demands.number("its priority", self.priority.as_ref(), Some(rule.priority));
        demands.value("its fixed rate", self.fixed_rate.as_ref(), Some(&Value::from(rule.fixed_rate)));
        demands.number("its reservoir size", self.reservoir_size.as_ref(), Some(rule.reservoir_size));
        demands.text("its service name", self.service_name.as_ref(), Some(&rule.service_name));
        demands.text("its service type", self.service_type.as_ref(), Some(&rule.service_type));
        demands.text("its host", self.host.as_ref(), Some(&rule.host));
        demands.text("its HTTP method", self.http_method.as_ref(), Some(&rule.http_method));
        demands.text("its URL path", self.url_path.as_ref(), Some(&rule.url_path));
        demands.text("its resource ARN", self.resource_arn.as_ref(), Some(&rule.resource_arn));
        demands.number("its version", self.version.as_ref(), Some(rule.version));
        if demands.misses.is_empty() {
            let rate = format!("{} a second, then {} %", rule.reservoir_size, rule.fixed_rate * 100.0);
            return Verdict::Met(vec![Fact::new("rule", &rule.name), Fact::new("samples", rate)], Level::Exact);
        }
        Verdict::Never(Mismatch::new(expected, format!("the rule is there, but {}", demands.describe())))
    }
}

impl XrayServiceNode {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let expected = format!("a service {} in X-Ray's service graph", self.name.describe(&scene.placeholders));
        // The graph is asked for in whole seconds: what an earlier run has left in this one does not count.
        let since = scene.probe().map_or(scene.evidence.started_ms, |probe| probe.sent_ms);
        let nodes = || {
            let services = scene.evidence.service_nodes.iter().filter(|node| node.kind.as_deref() != Some("client"));
            services.filter(|node| node.last_ms.is_none_or(|last| last >= since))
        };
        if let Some(node) = nodes().find(|node| self.name.accepts_text(&node.name, &scene.placeholders)) {
            let facts = vec![Fact::new("service", &node.name), Fact::new("requests", node.requests.to_string())];
            return Verdict::Met(facts, Level::Exact);
        }
        let names: Vec<_> = nodes().take(8).map(|node| format!("`{}`", node.name)).collect();
        let actual =
            if names.is_empty() { String::from("the graph is empty") } else { format!("the graph has {}", names.join(", ")) };
        Verdict::NotYet(Mismatch::new(expected, actual).nearest(scene.refusal("xray")))
    }
}

impl XrayTraceFilter {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let expected = format!("the filter `{}` finds the request's trace", self.expression);
        let Some(probe) = scene.probe() else { return Verdict::Never(Mismatch::new(expected, "no request was sent")) };
        let found = scene.evidence.filtered_traces.get(&self.expression).map(Vec::as_slice).unwrap_or_default();
        if found.contains(&probe.trace_id.w3c()) {
            return Verdict::Met(
                vec![Fact::new("trace", probe.trace_id.xray()), Fact::new("filter", &self.expression)],
                Level::Exact,
            );
        }
        let actual = match found.len() {
            0 => String::from("it finds no trace"),
            1 => String::from("it finds one trace, another"),
            count => format!("it finds {count} traces, but not this one"),
        };
        let annotations: Vec<_> = ours(scene, probe)
            .iter()
            .flat_map(|tree| tree.fact.walk())
            .flat_map(|segment| segment.annotations.keys())
            .map(|name| format!("`{name}`"))
            .collect();
        let nearest = if annotations.is_empty() {
            stray(scene, probe)
        } else {
            Some(format!("the trace's annotations: {}", annotations.join(", ")))
        };
        Verdict::NotYet(Mismatch::new(expected, actual).nearest(nearest))
    }
}

fn hold_values(demands: &mut Demands<'_>, segment: &Segment, annotations: &Matchers, metadata: &Matchers) {
    for (name, matcher) in annotations {
        demands.value(&format!("its annotation `{name}`"), Some(matcher), segment.annotations.get(name));
    }
    for (name, matcher) in metadata {
        demands.value(&format!("its metadata `{name}`"), Some(matcher), segment.metadata(name));
    }
}

fn describe_values(scene: &Scene<'_>, annotations: &Matchers, metadata: &Matchers) -> Vec<String> {
    let describe = |what: &str, matchers: &Matchers| {
        matchers
            .iter()
            .map(|(name, matcher)| format!("{what} `{name}` {}", matcher.describe(&scene.placeholders)))
            .collect::<Vec<_>>()
    };
    [describe("annotation", annotations), describe("metadata", metadata)].concat()
}

fn values(segment: &Segment, annotations: &Matchers, metadata: &Matchers) -> Vec<Fact> {
    let annotated = annotations.keys().filter_map(|name| Some((name, segment.annotations.get(name)?)));
    let described = metadata.keys().filter_map(|name| Some((name, segment.metadata(name)?)));
    annotated
        .chain(described)
        .map(|(name, value)| Fact::new(name, shorten(&value.as_str().map_or_else(|| value.to_string(), str::to_owned))))
        .collect()
}

/// The nearest thing when the trace is empty: the same request under another trace, or a refusal.
fn stray(scene: &Scene<'_>, probe: &ProbeRecord) -> Option<String> {
    let trace_id = probe.trace_id.xray();
    let elsewhere = scene.evidence.segments.iter().find(|tree| {
        tree.fact.trace_id != trace_id
            && tree.fact.walk().any(|segment| segment.url().is_some_and(|url| url.contains(&probe.nonce)))
    });
    match elsewhere {
        Some(tree) => Some(format!(
            "the request arrived as segment `{}` in a trace of its own (`{}`): the incoming trace header is not continued",
            tree.fact.name, tree.fact.trace_id
        )),
        None => scene.refusal("xray"),
    }
}
