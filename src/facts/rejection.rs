use serde::{Deserialize, Serialize};

/// Traffic that the sandbox refused, and why. Holds no credential: of a key only its length and kind are said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rejection {
    /// When, in Unix milliseconds.
    pub at_ms: i64,
    /// `honeycomb`, `xray`, `cloudwatch`, `rollbar`, or `unknown`.
    pub vendor: String,
    /// What was asked: `POST /v1/traces`, `udp datagram`, `PutLogEvents`.
    pub request: String,
    /// The HTTP status that was answered; 0 where the protocol has none.
    #[serde(default)]
    pub status: u16,
    /// A stable word for the reason, for rules: `missing-key`, `blank-key`, `unknown-key`, `wrong-kind-of-key`, `wrong-path`,
    /// `wrong-method`, `wrong-content-type`, `unparsable`, `too-large`, `no-such-group`, `no-such-stream`, `invalid-segment`, `no-credentials`, ….
    pub reason: String,
    /// One sentence for a person, credentials left out.
    pub detail: String,
    /// The service it came from, where the payload told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
}

impl Rejection {
    /// As one sentence without a full stop: "`POST /v1/traces` was refused with 401: the key is blank".
    #[must_use]
    pub fn sentence(&self) -> String {
        let status = if self.status == 0 { String::new() } else { format!(" with {}", self.status) };
        format!("{} was refused{status}: {}", self.request, self.detail)
    }
}
