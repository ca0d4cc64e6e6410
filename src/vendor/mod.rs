//! One client for each vendor. Endpoint and credentials are handed in, so no client knows whether it talks to the
//! vendor or to the sandbox. Each is asked once a round for everything that any check wants, and answers with facts;
//! whatever keeps it from looking is a [`Trouble`](crate::facts::Trouble), with its cause and its remedy, and never holds a credential.

mod api;
pub mod aws;
pub mod cloudwatch;
pub mod docker;
#[cfg(test)]
mod fake;
pub mod honeycomb;
pub mod rollbar;
mod rung;
mod transport;
mod trouble;
pub mod xray;

use std::time::Duration;

pub use rung::{Answered, Rung, Stop, reach};
pub use transport::http_client;

/// How long a single request may take, the whole answer included.
pub const DEADLINE: Duration = Duration::from_secs(10);

/// Whom a client talks to: for the texts of a [`Trouble`](crate::facts::Trouble).
#[derive(Debug, Clone, Copy)]
struct Vendor {
    /// As a person calls it.
    name: &'static str,
    /// Where it says whether it is well.
    status_page: &'static str,
}

const HONEYCOMB: Vendor = Vendor { name: "Honeycomb", status_page: "https://status.honeycomb.io" };
const XRAY: Vendor = Vendor { name: "AWS X-Ray", status_page: "https://health.aws.amazon.com" };
const CLOUDWATCH: Vendor = Vendor { name: "CloudWatch Logs", status_page: "https://health.aws.amazon.com" };
const ROLLBAR: Vendor = Vendor { name: "Rollbar", status_page: "https://status.rollbar.com" };
