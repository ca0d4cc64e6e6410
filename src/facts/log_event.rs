use serde::{Deserialize, Serialize};

/// One event of CloudWatch Logs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogEvent {
    /// The log group.
    pub group: String,
    /// The log stream.
    pub stream: String,
    /// When it happened, in Unix milliseconds, as the service said.
    pub timestamp_ms: i64,
    /// When CloudWatch took it in, in Unix milliseconds.
    pub ingestion_ms: i64,
    /// The line.
    pub message: String,
}
