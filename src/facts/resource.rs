use serde::{Deserialize, Serialize};

/// A Honeycomb dataset.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Dataset {
    /// Its name: the service's.
    pub name: String,
    /// Its slug in the API's paths.
    pub slug: String,
    /// When an event was last written, in Unix milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_written_ms: Option<i64>,
}

/// An X-Ray group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceGroup {
    /// Its name.
    pub name: String,
    /// Its filter expression.
    #[serde(default)]
    pub filter: String,
}

/// An X-Ray sampling rule.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SamplingRule {
    /// Its name.
    pub name: String,
    /// 1 to 9999; the lowest wins.
    pub priority: i64,
    /// The share of requests beyond the reservoir, 0 to 1.
    pub fixed_rate: f64,
    /// How many requests a second are sampled before the rate applies.
    pub reservoir_size: i64,
    /// The service's name, or `*`.
    pub service_name: String,
    /// The service's type, or `*`.
    pub service_type: String,
    /// The host, or `*`.
    pub host: String,
    /// The HTTP method, or `*`.
    pub http_method: String,
    /// The path, or `*`.
    pub url_path: String,
    /// The resource, or `*`.
    pub resource_arn: String,
    /// The rule format's version.
    pub version: i64,
}

/// A node of X-Ray's service graph.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ServiceNode {
    /// The service's name.
    pub name: String,
    /// `client`, `remote`, `AWS::EC2::Instance`, or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// How many requests it answered in the window.
    pub requests: i64,
    /// The end of the last of them, in Unix milliseconds; absent where the vendor did not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_ms: Option<i64>,
}

/// A log group of CloudWatch Logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogGroup {
    /// Its name.
    pub name: String,
    /// The names of its streams, those with the latest events first.
    #[serde(default)]
    pub streams: Vec<String>,
}
