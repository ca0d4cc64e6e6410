use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Container, Dataset, ErrorItem, Exchange, ExchangeError, LogEvent, LogGroup, Rejection, SamplingRule, Segment, ServiceNode,
    Span, TraceGroup, TraceId, Variable,
};

/// All that one run saw: enough to judge every check again, on another machine, without a vendor.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Evidence {
    /// The version of this shape.
    pub schema_version: u32,
    /// The course that was verified.
    pub course: String,
    /// `sandbox` or `live`.
    pub target: String,
    /// When the run began, in Unix milliseconds.
    pub started_ms: i64,
    /// The service's telemetry name: what `{service}` stands for in a check.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What the service printed or why it could not be had, where it did not come up.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service_trouble: Option<Trouble>,
    /// The workspace's folder.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub workspace: Option<String>,
    /// The probes that could not be sent for a reason that is nobody's fault, with the reason.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub skipped_probes: BTreeMap<String, String>,
    /// The requests, by the probe's name.
    #[serde(default)]
    pub probes: BTreeMap<String, ProbeRecord>,
    /// What became of asking each source. A source that is missing was not asked.
    #[serde(default)]
    pub sources: BTreeMap<Source, SourceRecord>,
    /// Honeycomb: the spans under the probes' trace ids, and those that mention a probe's nonce.
    #[serde(default)]
    pub spans: Vec<Sighting<Span>>,
    /// Honeycomb: the datasets of the environment.
    #[serde(default)]
    pub datasets: Vec<Dataset>,
    /// Honeycomb, where the key allows no queries: when each column of a dataset was last written, in Unix milliseconds.
    #[serde(default)]
    pub columns: BTreeMap<String, BTreeMap<String, i64>>,
    /// X-Ray: the assembled trees under the probes' trace ids, and those whose URL mentions a probe's nonce.
    #[serde(default)]
    pub segments: Vec<Sighting<Segment>>,
    /// X-Ray: the groups.
    #[serde(default)]
    pub trace_groups: Vec<TraceGroup>,
    /// X-Ray: the sampling rules.
    #[serde(default)]
    pub sampling_rules: Vec<SamplingRule>,
    /// X-Ray: the service graph since the run began.
    #[serde(default)]
    pub service_nodes: Vec<ServiceNode>,
    /// X-Ray: the trace ids (32 hex digits) that each asked-for filter expression found since the run began.
    #[serde(default)]
    pub filtered_traces: BTreeMap<String, Vec<String>>,
    /// CloudWatch Logs: the groups, with their streams.
    #[serde(default)]
    pub log_groups: Vec<LogGroup>,
    /// CloudWatch Logs: what came in since the run began.
    #[serde(default)]
    pub log_events: Vec<Sighting<LogEvent>>,
    /// Rollbar: the occurrences since the run began.
    #[serde(default)]
    pub error_items: Vec<Sighting<ErrorItem>>,
    /// Docker: the containers.
    #[serde(default)]
    pub containers: Vec<Container>,
    /// The workspace's files that a check reads, by path; `null` where there is no such file. Secrets are masked.
    #[serde(default)]
    pub files: BTreeMap<String, Option<String>>,
    /// The variables that a check asks about; absent where unset.
    #[serde(default)]
    pub variables: BTreeMap<String, Variable>,
    /// The variables that compose gives the service and that a rule asks about; absent where the compose file cannot be read.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub composed: Option<BTreeMap<String, Variable>>,
    /// The first lines of the workspace's files that each search of a rule found, by the search.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub found: BTreeMap<String, Vec<FoundLine>>,
    /// What each instance of the service printed, by the instance's name.
    #[serde(default)]
    pub output: BTreeMap<String, Vec<String>>,
    /// What the sandbox refused since the run began.
    #[serde(default)]
    pub rejections: Vec<Rejection>,
}

impl Evidence {
    /// The current version of the shape.
    pub const SCHEMA_VERSION: u32 = 1;
}

/// A fact with the time at which this run first saw it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sighting<T> {
    /// Unix milliseconds.
    pub seen_ms: i64,
    /// The fact.
    pub fact: T,
}

/// One request that was sent to make the service show something.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProbeRecord {
    /// The trace that the request began.
    pub trace_id: TraceId,
    /// The span id that the request named as its parent: 16 hex digits.
    pub parent_id: String,
    /// What stands in the query, so that the request can be found under another trace.
    pub nonce: String,
    /// Which instance of the service was asked; `default` unless the probe names its own environment.
    pub instance: String,
    /// When it was sent, in Unix milliseconds.
    pub sent_ms: i64,
    /// What came back.
    pub answer: Result<Exchange, ExchangeError>,
}

/// A line of a file of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoundLine {
    /// The file, relative to the workspace.
    pub file: String,
    /// The line's number, from 1.
    pub line: usize,
    /// The line. Secrets are masked.
    pub text: String,
}

/// Where facts come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// The workspace's files.
    Files,
    /// The variables of the shell and of `.env`.
    Environment,
    /// The answers to the probes.
    Http,
    /// What the service prints.
    Output,
    /// The Docker engine.
    Docker,
    /// Honeycomb.
    Honeycomb,
    /// AWS X-Ray.
    Xray,
    /// CloudWatch Logs.
    CloudWatch,
    /// Rollbar.
    Rollbar,
}

impl Source {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Files,
        Self::Environment,
        Self::Http,
        Self::Output,
        Self::Docker,
        Self::Honeycomb,
        Self::Xray,
        Self::CloudWatch,
        Self::Rollbar,
    ];

    /// Its name in course files and recordings.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Files => "files",
            Self::Environment => "environment",
            Self::Http => "http",
            Self::Output => "output",
            Self::Docker => "docker",
            Self::Honeycomb => "honeycomb",
            Self::Xray => "xray",
            Self::CloudWatch => "cloudwatch",
            Self::Rollbar => "rollbar",
        }
    }

    /// The name a person knows it by.
    #[must_use]
    pub fn title(self) -> &'static str {
        match self {
            Self::Files => "the workspace's files",
            Self::Environment => "the environment",
            Self::Http => "the service",
            Self::Output => "the service's output",
            Self::Docker => "Docker",
            Self::Honeycomb => "Honeycomb",
            Self::Xray => "AWS X-Ray",
            Self::CloudWatch => "CloudWatch Logs",
            Self::Rollbar => "Rollbar",
        }
    }
}

/// What became of asking a source.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct SourceRecord {
    /// How often it was asked.
    #[serde(default)]
    pub rounds: u32,
    /// When it last answered, in Unix milliseconds; 0 where it never did.
    #[serde(default)]
    pub looked_ms: i64,
    /// How strong its evidence is.
    #[serde(default)]
    pub level: Level,
    /// Why we could not look, where the last attempt failed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub trouble: Option<Trouble>,
    /// Why it was not asked on purpose: no Docker engine, an attached service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skipped: Option<String>,
}

/// How strong a vendor's evidence is, strongest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// This very trace was read back.
    #[default]
    Exact,
    /// The dataset and its columns were written after the probe.
    Fresh,
}

/// Why we could not look, and what to do about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{cause}")]
pub struct Trouble {
    /// The cause, as one would say it: "Honeycomb refused the key (401)".
    pub cause: String,
    /// What to do.
    pub remedy: String,
    /// Whether trying again later in this run may help.
    #[serde(default)]
    pub passing: bool,
    /// How long the vendor asked us to wait, in milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub retry_after_ms: Option<u64>,
}
