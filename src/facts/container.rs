use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// A container, as the Docker API describes it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Container {
    /// The short id.
    pub id: String,
    /// The name, without the leading slash.
    pub name: String,
    /// The image, as it was asked for.
    pub image: String,
    /// `running`, `exited`, `restarting`, …
    pub state: String,
    /// `Up 3 seconds`, `Exited (1) 2 minutes ago`.
    #[serde(default)]
    pub status: String,
    /// The compose service (`com.docker.compose.service`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// The compose project's folder (`com.docker.compose.project.working_dir`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub folder: Option<String>,
    /// What it publishes.
    #[serde(default)]
    pub ports: Vec<PublishedPort>,
    /// Its environment. Values whose names speak of a key, a token or a secret are replaced by their length.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// The last lines it printed, for one that has stopped.
    #[serde(default)]
    pub last_lines: Vec<String>,
}

/// A port that a container publishes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PublishedPort {
    /// Inside the container.
    pub private: u16,
    /// On the host; absent where it is only exposed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub public: Option<u16>,
    /// `tcp` or `udp`.
    pub protocol: String,
}
