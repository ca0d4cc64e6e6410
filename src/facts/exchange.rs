use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A request to the learner's service and its answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exchange {
    /// The method.
    pub method: String,
    /// The whole URL, with the nonce.
    pub url: String,
    /// The answer's status.
    pub status: u16,
    /// The answer's headers, names in lower case, repeated ones joined with `, `.
    #[serde(default)]
    pub headers: BTreeMap<String, String>,
    /// The answer's body as text, cut at 64 KiB.
    #[serde(default)]
    pub body: String,
    /// From the request's first byte to the answer's last, in milliseconds.
    pub latency_ms: f64,
}

/// A request that got no answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{method} {url}: {reason}")]
pub struct ExchangeError {
    /// The method.
    pub method: String,
    /// The whole URL.
    pub url: String,
    /// What happened, as one would say it: "the connection was refused".
    pub reason: String,
}
