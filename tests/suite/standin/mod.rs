//! A service that is no reference: standard library only, its telemetry written by hand, in the vendors' own formats.
//!
//! It is this very test binary, started again by `service.run`. `BREAK` in its environment names what it does wrong, each
//! word one thing.

mod server;
mod telemetry;

use std::collections::BTreeSet;
use std::env;

/// What starts the stand-in, as `service.run` takes it.
pub fn command() -> Vec<String> {
    let program = env::current_exe().unwrap().display().to_string();
    let words = ["standin::serve", "--exact", "--ignored", "--nocapture", "--test-threads=1"];
    std::iter::once(program).chain(words.map(String::from)).collect()
}

/// Not a test: the service itself, which other tests start.
#[test]
#[ignore = "the stand-in service itself, which other tests start"]
fn serve() {
    if env::var_os("STANDIN").is_some() {
        server::run(&Settings::from_environment());
    }
}

/// What its environment tells the stand-in.
#[derive(Debug, Clone)]
struct Settings {
    broken: BTreeSet<String>,
    /// The name under which it reports.
    service: String,
    /// Whether no access line is written.
    quiet: bool,
}

impl Settings {
    fn from_environment() -> Self {
        let broken = env::var("BREAK").unwrap_or_default();
        Self {
            broken: broken.split(',').filter(|word| !word.is_empty()).map(str::to_owned).collect(),
            service: env::var("OTEL_SERVICE_NAME").unwrap_or_else(|_| String::from("unknown_service")),
            quiet: env::var("QUIET").as_deref() == Ok("on"),
        }
    }

    /// Whether this one thing is done wrong.
    fn breaks(&self, what: &str) -> bool {
        self.broken.contains(what)
    }
}
