use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};

use tokio::process::Command;
use url::Url;

use super::environment::{Environment, inherited};
use crate::facts::Secret;

/// How to start a service.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program: a path, relative to the folder where it has several parts, or a name to be found in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// The folder it runs in.
    pub folder: PathBuf,
    /// The variables that it gets.
    pub environment: Environment,
    /// The few variables without which it would not run: see [`inherited`]. Those of `environment` win.
    pub inherited: BTreeMap<String, String>,
    /// Where it will answer.
    pub url: Url,
    /// The path that is asked to see whether it is up.
    pub health: String,
    /// What is masked in its output.
    pub masked: Vec<Secret>,
    /// Whether it is the workspace's own service: then its folder says that it runs, for the case that this program is killed.
    pub is_named: bool,
}

impl Launch {
    /// A launch without arguments, asked at `/api/health`, that inherits the few variables it needs from the shell's.
    #[must_use]
    pub fn new(
        program: impl Into<PathBuf>,
        folder: impl Into<PathBuf>,
        environment: Environment,
        shell: &BTreeMap<String, String>,
        url: Url,
    ) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            folder: folder.into(),
            environment,
            inherited: inherited(shell),
            url,
            health: String::from("/api/health"),
            masked: Vec::new(),
            is_named: false,
        }
    }

    /// All variables that the process will have.
    fn variables(&self) -> BTreeMap<&str, &str> {
        let mut variables: BTreeMap<&str, &str> =
            self.inherited.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        variables.extend(self.environment.iter());
        variables
    }

    /// The pairs by which a descendant is known that has left everything else behind. They tell it from a stranger only
    /// where a port of its own is among them.
    #[cfg(target_os = "linux")]
    pub(super) fn marks(&self) -> Vec<Vec<u8>> {
        if self.environment.get("PORT").is_none() {
            return Vec::new();
        }
        self.variables().iter().map(|(name, value)| format!("{name}={value}").into_bytes()).collect()
    }

    pub(super) fn command(&self) -> Command {
        let relative = self.program.is_relative() && self.program.components().count() > 1;
        let program = if relative { self.folder.join(&self.program) } else { self.program.clone() };
        let mut command = Command::new(program);
        command
            .args(&self.args)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.variables())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, where it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it, where one did.
    pub signal: Option<i32>,
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal = None;
        Self { code: status.code(), signal }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(formatter, "exit code {code}"),
            (None, Some(signal)) => {
                write!(formatter, "signal {signal}")?;
                #[cfg(unix)]
                if let Ok(signal) = nix::sys::signal::Signal::try_from(signal) {
                    write!(formatter, " ({signal})")?;
                }
                Ok(())
            }
            (None, None) => formatter.write_str("for a reason that the system does not tell"),
        }
    }
}
