use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// A request that makes the service show something, as a table of `checks/<course>/probes.toml` defines it.
///
/// It is sent once per run, whatever the number of checks that rest on it, with a fresh trace id and a nonce in the query.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Probe {
    /// The method; `GET` unless said otherwise.
    #[serde(default = "get")]
    pub method: String,
    /// The path, from the slash on, with or without a query.
    pub path: String,
    /// Headers beyond those of the trace.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// A JSON body.
    #[serde(default)]
    pub json: Option<serde_json::Value>,
    /// Variables with which an instance of the service of its own is started for this probe: how a switch is tried.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
}

fn get() -> String {
    String::from("GET")
}

impl Probe {
    /// The name of the service's instance that this probe asks: `default`, or one name for each distinct environment.
    #[must_use]
    pub fn instance(&self) -> String {
        if self.environment.is_empty() {
            return String::from(Self::DEFAULT_INSTANCE);
        }
        self.environment.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
    }

    /// The instance that runs with the compose file's environment and nothing else.
    pub const DEFAULT_INSTANCE: &str = "default";
}
