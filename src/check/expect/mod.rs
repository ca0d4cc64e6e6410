//! The kinds of expectation: a closed set, one struct and one file a family. Each file also holds how its kind is judged.

mod absent;
mod closest;
mod cloudwatch;
mod container;
mod files;
mod honeycomb;
mod http;
mod rollbar;
mod settings;
mod xray;

pub(super) use closest::shorten;

pub use absent::Absent;
pub use cloudwatch::{CloudwatchLog, CloudwatchLogGroup};
pub use container::DockerContainer;
pub use files::{ConfigFile, File};
pub use honeycomb::{HoneycombDataset, HoneycombSpan, SpanSelector};
pub use http::HttpResponse;
pub use rollbar::RollbarItem;
pub use settings::{ServiceOutput, Variable};
pub use xray::{XrayGroup, XraySamplingRule, XraySegment, XrayServiceNode, XraySubsegment, XrayTraceFilter};

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use super::judge::Scene;
use super::{Fact, Matcher, Verdict, Wants};
use crate::facts::Source;

/// Named values and what each must be.
pub type Matchers = BTreeMap<String, Matcher>;

/// What must be seen. Externally tagged, so that a typo is reported at its own line.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
#[allow(clippy::large_enum_variant, reason = "a course holds a hundred of them, once")]
pub enum Expect {
    /// The answer to the probe.
    HttpResponse(HttpResponse),
    /// A file of the workspace, as text.
    File(File),
    /// Values in a TOML file.
    TomlFile(ConfigFile),
    /// Values in a YAML file; a list of `KEY=VALUE` counts as a table.
    YamlFile(ConfigFile),
    /// Values in a JSON file.
    JsonFile(ConfigFile),
    /// Values in a dotenv file.
    DotenvFile(ConfigFile),
    /// A variable, in the shell or in `.env`.
    Variable(Variable),
    /// A line that the service prints.
    ServiceOutput(ServiceOutput),
    /// A container of the compose project.
    DockerContainer(DockerContainer),
    /// A Honeycomb dataset.
    HoneycombDataset(HoneycombDataset),
    /// A span of the probe's trace, in Honeycomb.
    HoneycombSpan(HoneycombSpan),
    /// A segment of the probe's trace, in X-Ray.
    XraySegment(XraySegment),
    /// A subsegment of the probe's trace, in X-Ray.
    XraySubsegment(XraySubsegment),
    /// An X-Ray group.
    XrayGroup(XrayGroup),
    /// An X-Ray sampling rule.
    XraySamplingRule(XraySamplingRule),
    /// A node of X-Ray's service graph.
    XrayServiceNode(XrayServiceNode),
    /// An X-Ray filter expression that finds the probe's trace.
    XrayTraceFilter(XrayTraceFilter),
    /// A log group, with its streams.
    CloudwatchLogGroup(CloudwatchLogGroup),
    /// A log event that came in after the probe was sent.
    CloudwatchLog(CloudwatchLog),
    /// An occurrence in Rollbar that came in after the probe was sent.
    RollbarItem(RollbarItem),
    /// Nothing of the kind arrives within a quiet period.
    Absent(Absent),
}

impl Expect {
    /// The names of all kinds.
    pub const KINDS: [&str; 21] = [
        "http-response",
        "file",
        "toml-file",
        "yaml-file",
        "json-file",
        "dotenv-file",
        "variable",
        "service-output",
        "docker-container",
        "honeycomb-dataset",
        "honeycomb-span",
        "xray-segment",
        "xray-subsegment",
        "xray-group",
        "xray-sampling-rule",
        "xray-service-node",
        "xray-trace-filter",
        "cloudwatch-log-group",
        "cloudwatch-log",
        "rollbar-item",
        "absent",
    ];

    /// Its name in check files and reports.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::HttpResponse(_) => "http-response",
            Self::File(_) => "file",
            Self::TomlFile(_) => "toml-file",
            Self::YamlFile(_) => "yaml-file",
            Self::JsonFile(_) => "json-file",
            Self::DotenvFile(_) => "dotenv-file",
            Self::Variable(_) => "variable",
            Self::ServiceOutput(_) => "service-output",
            Self::DockerContainer(_) => "docker-container",
            Self::HoneycombDataset(_) => "honeycomb-dataset",
            Self::HoneycombSpan(_) => "honeycomb-span",
            Self::XraySegment(_) => "xray-segment",
            Self::XraySubsegment(_) => "xray-subsegment",
            Self::XrayGroup(_) => "xray-group",
            Self::XraySamplingRule(_) => "xray-sampling-rule",
            Self::XrayServiceNode(_) => "xray-service-node",
            Self::XrayTraceFilter(_) => "xray-trace-filter",
            Self::CloudwatchLogGroup(_) => "cloudwatch-log-group",
            Self::CloudwatchLog(_) => "cloudwatch-log",
            Self::RollbarItem(_) => "rollbar-item",
            Self::Absent(_) => "absent",
        }
    }

    /// Where the facts come from.
    #[must_use]
    pub fn source(&self) -> Source {
        match self {
            Self::HttpResponse(_) => Source::Http,
            Self::File(_) | Self::TomlFile(_) | Self::YamlFile(_) | Self::JsonFile(_) | Self::DotenvFile(_) => Source::Files,
            Self::Variable(_) => Source::Environment,
            Self::ServiceOutput(_) => Source::Output,
            Self::DockerContainer(_) => Source::Docker,
            Self::HoneycombDataset(_) | Self::HoneycombSpan(_) => Source::Honeycomb,
            Self::XraySegment(_)
            | Self::XraySubsegment(_)
            | Self::XrayGroup(_)
            | Self::XraySamplingRule(_)
            | Self::XrayServiceNode(_)
            | Self::XrayTraceFilter(_) => Source::Xray,
            Self::CloudwatchLogGroup(_) | Self::CloudwatchLog(_) => Source::CloudWatch,
            Self::RollbarItem(_) => Source::Rollbar,
            Self::Absent(absent) => absent.of.source(),
        }
    }

    /// Whether it can only be judged by what a probe brings about.
    #[must_use]
    pub fn needs_probe(&self) -> bool {
        match self {
            Self::HttpResponse(_)
            | Self::ServiceOutput(_)
            | Self::HoneycombSpan(_)
            | Self::XraySegment(_)
            | Self::XraySubsegment(_)
            | Self::XrayTraceFilter(_)
            | Self::CloudwatchLog(_)
            | Self::RollbarItem(_)
            | Self::Absent(_) => true,
            // A dataset, a group's stream and a node of the graph exist once the service has been asked anything at all.
            Self::HoneycombDataset(_) | Self::CloudwatchLogGroup(_) | Self::XrayServiceNode(_) => true,
            Self::File(_)
            | Self::TomlFile(_)
            | Self::YamlFile(_)
            | Self::JsonFile(_)
            | Self::DotenvFile(_)
            | Self::Variable(_)
            | Self::DockerContainer(_)
            | Self::XrayGroup(_)
            | Self::XraySamplingRule(_) => false,
        }
    }

    /// Adds what must be asked on behalf of this expectation.
    pub fn wants(&self, wants: &mut Wants) {
        match self {
            Self::File(file) => {
                wants.files.insert(file.path.clone());
            }
            Self::TomlFile(file) | Self::YamlFile(file) | Self::JsonFile(file) | Self::DotenvFile(file) => {
                wants.files.insert(file.path.clone());
            }
            Self::Variable(variable) => {
                wants.variables.insert(variable.name.clone());
            }
            Self::HoneycombSpan(span) => wants.columns.extend(span.columns()),
            Self::XraySegment(_) | Self::XraySubsegment(_) => wants.traces = true,
            Self::XrayGroup(_) => wants.trace_groups = true,
            Self::XraySamplingRule(_) => wants.sampling_rules = true,
            Self::XrayServiceNode(_) => wants.service_graph = true,
            Self::XrayTraceFilter(filter) => {
                wants.filters.insert(filter.expression.clone());
                wants.traces = true;
            }
            Self::CloudwatchLogGroup(group) => {
                wants.log_groups.insert(group.name.clone());
            }
            Self::CloudwatchLog(log) => {
                wants.log_groups.insert(log.group.clone());
            }
            Self::Absent(absent) => absent.of.wants(wants),
            Self::HttpResponse(_)
            | Self::ServiceOutput(_)
            | Self::DockerContainer(_)
            | Self::HoneycombDataset(_)
            | Self::RollbarItem(_) => {}
        }
    }

    /// Judges it, the source having been looked at.
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        match self {
            Self::HttpResponse(kind) => kind.judge(scene),
            Self::File(kind) => kind.judge(scene),
            Self::TomlFile(kind) => kind.judge(scene, files::Format::Toml),
            Self::YamlFile(kind) => kind.judge(scene, files::Format::Yaml),
            Self::JsonFile(kind) => kind.judge(scene, files::Format::Json),
            Self::DotenvFile(kind) => kind.judge(scene, files::Format::Dotenv),
            Self::Variable(kind) => kind.judge(scene),
            Self::ServiceOutput(kind) => kind.judge(scene),
            Self::DockerContainer(kind) => kind.judge(scene),
            Self::HoneycombDataset(kind) => kind.judge(scene),
            Self::HoneycombSpan(kind) => kind.judge(scene),
            Self::XraySegment(kind) => kind.judge(scene),
            Self::XraySubsegment(kind) => kind.judge(scene),
            Self::XrayGroup(kind) => kind.judge(scene),
            Self::XraySamplingRule(kind) => kind.judge(scene),
            Self::XrayServiceNode(kind) => kind.judge(scene),
            Self::XrayTraceFilter(kind) => kind.judge(scene),
            Self::CloudwatchLogGroup(kind) => kind.judge(scene),
            Self::CloudwatchLog(kind) => kind.judge(scene),
            Self::RollbarItem(kind) => kind.judge(scene),
            Self::Absent(kind) => kind.judge(scene),
        }
    }
}

/// A fact about a latency, from the probe's sending to the sighting.
fn seen_after(scene: &Scene<'_>, seen_ms: i64) -> Option<Fact> {
    let probe = scene.probe?;
    Some(Fact::new("seen after", format!("{:.1} s", (seen_ms - probe.sent_ms).max(0) as f64 / 1000.0)))
}
