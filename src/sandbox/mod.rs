//! The embedded vendors: Honeycomb, AWS X-Ray, CloudWatch Logs and Rollbar over one SQLite store, close enough on
//! the wire that the vendors' own SDKs cannot tell. The sandbox knows facts and the wire, never a check.

mod address;
mod body;
pub mod cloudwatch;
pub mod console;
mod discovery;
mod env_file;
mod eviction;
pub mod honeycomb;
mod listen;
pub mod otlp;
pub mod rejection;
pub mod rollbar;
mod route;
mod server;
mod settings;
mod status;
pub mod store;
pub mod wire;
pub mod xray;

pub use address::{Addresses, docker_bridge};
pub use discovery::{Discovery, DiscoveryError};
pub use env_file::{env_file, variables};
pub use server::{Sandbox, SandboxError};
pub use settings::{Bounds, Patience, Ports, Settings};

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use store::{Store, Tables};

/// The tables of all embedded vendors.
pub const TABLES: [Tables; 5] = [rejection::TABLES, honeycomb::TABLES, xray::TABLES, cloudwatch::TABLES, rollbar::TABLES];

/// What every embedded vendor is handed: cheap to clone.
#[derive(Debug, Clone)]
pub struct Shared {
    /// The one store.
    pub store: Store,
    /// Credentials that the sandbox knows.
    pub keys: Arc<Keys>,
}

/// The credentials that the sandbox recognises. They are published in the documentation and protect nothing.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Keys {
    /// A key that may only send events to Honeycomb.
    pub honeycomb_ingest: String,
    /// A key that may also read.
    pub honeycomb_configuration: String,
    /// Rollbar's `post_server_item` token.
    pub rollbar_post: String,
    /// Rollbar's `read` token.
    pub rollbar_read: String,
}

impl Default for Keys {
    fn default() -> Self {
        Self {
            honeycomb_ingest: String::from("sandboxIngestKey000001"),
            honeycomb_configuration: String::from("sandboxConfigKey000001"),
            rollbar_post: String::from("5a4db0c5a4db0c5a4db0c5a4db0c0001"),
            rollbar_read: String::from("5a4db0c5a4db0c5a4db0c5a4db0c0002"),
        }
    }
}

/// Now, in milliseconds since the Unix epoch.
#[must_use]
pub fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}
