//! The learner's service: what its workspace says about it, the environment that compose gives it, building it,
//! one running instance of it that leaves nothing behind, and the saves that make it out of date.
//!
//! A service is started with exactly the variables that the compose file gives it, so that a variable which is missing
//! there is missing here too. Nothing is read from this process's own environment: the shell's variables are handed in.
//!
//! ```text
//! bootcamp.toml ─► Manifest ─► Build ─► Executable ─┐
//! compose file, .env, shell ─► Resolved ─► Environment ─► Launch ─► Instance: ready, lines, stop
//! ```

mod artifact;
mod builder;
mod compose;
mod dotenv;
mod environment;
mod family;
mod instance;
mod launch;
mod manifest;
mod output;
mod problem;
mod readiness;
mod stray;
#[cfg(test)]
mod tests;
mod variables;
mod watching;

pub use builder::{Build, BuildError, Built, Profile};
pub use compose::{Compose, Reference, Resolved, Unset};
pub use environment::{Environment, inherited};
pub use instance::{How, Instance, Stopped};
pub use launch::{Exit, Launch};
pub use manifest::{Manifest, ServiceSettings, Start, Target};
pub use output::Output;
pub use problem::{Place, Problem};
pub use readiness::{Ready, attach, free_port};
pub use stray::end_what_was_left;
pub use variables::{Origin, Variable, Variables};
pub use watching::Watching;

use std::time::Duration;

use crate::facts::Trouble;

/// Why a service could not be had.
#[derive(Debug, thiserror::Error)]
pub enum ServiceError {
    /// A file of the workspace is not as it should be.
    #[error(transparent)]
    File(#[from] Problem),
    /// It did not build.
    #[error(transparent)]
    Build(#[from] BuildError),
    /// Nothing says how to run it.
    #[error("nothing says how to start the service: `{folder}` has no `Cargo.toml` and `bootcamp.toml` no `service.run`")]
    NoProgram {
        /// The workspace.
        folder: String,
    },
    /// The program could not be started at all.
    #[error("cannot start `{program}`: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// Somebody else answers where the service is to listen.
    #[error("something else already listens at `{url}`")]
    PortTaken {
        /// Where.
        url: String,
    },
    /// It ended before it answered.
    #[error("the service ended before it answered at `{url}`: {exit}")]
    Crashed {
        /// Where it should have answered.
        url: String,
        /// How it ended.
        exit: Exit,
        /// The last lines that it printed.
        lines: Vec<String>,
    },
    /// It runs, and nothing came back in time.
    #[error("the service did not answer at `{url}` within {} s{}", seconds(*.deadline), if *.silent { ": it takes connections and says nothing" } else { "" })]
    NeverAnswered {
        /// Where it should have answered.
        url: String,
        /// How long we waited.
        deadline: Duration,
        /// Whether connections were taken, though nothing was said on them.
        silent: bool,
        /// The last lines that it printed.
        lines: Vec<String>,
    },
    /// What came back is not HTTP.
    #[error("what answers at `{url}` does not speak HTTP: it said `{sample}`")]
    Garbage {
        /// Where.
        url: String,
        /// The first bytes of it, made printable.
        sample: String,
        /// The last lines that the service printed.
        lines: Vec<String>,
    },
    /// The address cannot be asked.
    #[error("`{url}` is not an address that a service can be asked at: {reason}")]
    Address {
        /// The address.
        url: String,
        /// What is wrong with it.
        reason: String,
    },
}

impl ServiceError {
    /// The last lines that the service or the build printed, as they were printed; empty where nothing ran.
    #[must_use]
    pub fn last_output(&self) -> &[String] {
        match self {
            Self::Crashed { lines, .. } | Self::NeverAnswered { lines, .. } | Self::Garbage { lines, .. } => lines,
            Self::Build(error) => error.output(),
            Self::File(_) | Self::NoProgram { .. } | Self::Start { .. } | Self::PortTaken { .. } | Self::Address { .. } => &[],
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::File(problem) => problem.help().unwrap_or("correct the file, then run this again").to_owned(),
            Self::Build(error) => error.remedy(),
            Self::NoProgram { .. } => String::from("say how to start it: `run = [\"…\"]` under `[service]` in `bootcamp.toml`"),
            Self::Start { source, .. } if source.kind() == std::io::ErrorKind::NotFound => {
                String::from("install the program, or correct `service.run` in `bootcamp.toml`")
            }
            Self::Start { .. } => String::from("make the file executable, or correct `service.run` in `bootcamp.toml`"),
            Self::PortTaken { .. } => {
                String::from("stop what listens there, or choose another address as `service.url` in `bootcamp.toml`")
            }
            Self::Crashed { lines, .. } if lines.is_empty() => {
                String::from("it printed nothing; run it by hand with the same variables to see why it ends")
            }
            Self::Crashed { .. } => {
                String::from("its last lines say why; a variable that the compose file lacks is a common cause")
            }
            Self::NeverAnswered { url, .. } => {
                format!("make it listen at `{url}`: the port comes from `PORT`, the address must be reachable from this machine")
            }
            Self::Garbage { .. } => {
                String::from("let the service answer plain HTTP at `service.url`; is another program listening there?")
            }
            Self::Address { .. } => String::from("correct `service.url` in `bootcamp.toml`, for example `http://127.0.0.1:4567`"),
        }
    }
}

impl From<&ServiceError> for Trouble {
    /// The cause, its remedy, and behind the cause the last thing that was printed.
    fn from(error: &ServiceError) -> Self {
        const SHOWN: usize = 20;
        let lines = error.last_output();
        let shown = &lines[lines.len().saturating_sub(SHOWN)..];
        let mut cause = error.to_string();
        if !shown.is_empty() {
            cause.push_str("\nlast output:");
            for line in shown {
                cause.push_str("\n  ");
                cause.push_str(line);
            }
        }
        Self { cause, remedy: error.remedy(), passing: false, retry_after_ms: None }
    }
}

impl From<ServiceError> for Trouble {
    fn from(error: ServiceError) -> Self {
        Self::from(&error)
    }
}

/// A duration in seconds, without needless digits.
fn seconds(duration: Duration) -> String {
    let seconds = duration.as_secs_f64();
    if seconds.fract() == 0.0 { format!("{seconds:.0}") } else { format!("{seconds:.1}") }
}
