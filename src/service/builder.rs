use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::{Duration, Instant};

use process_wrap::tokio::{CommandWrap, KillOnDrop};
use tokio::io::AsyncReadExt;
use tokio::process::Command;
use tokio::time::timeout;

use super::artifact::{self, Artifact};
use super::family::Family;
use super::launch::Exit;
use super::output::{Cutter, LINE_BYTES, Output};

/// How long a build may take: a first one fetches and compiles some hundred crates.
const DEADLINE: Duration = Duration::from_mins(15);

/// The longest message of cargo's that is read, in bytes.
const MESSAGE_BYTES: usize = 1 << 20;

/// Which of cargo's profiles.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Profile {
    /// As `cargo build` does.
    #[default]
    Dev,
    /// As `cargo build --release` does.
    Release,
}

/// How to build a service.
#[derive(Debug, Clone)]
pub struct Build {
    folder: PathBuf,
    command: Vec<String>,
    colour: bool,
    target_dir: Option<PathBuf>,
    deadline: Duration,
    wants_program: bool,
}

/// A build that went well.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Built {
    /// The program that it made, where cargo built it and the manifest does not name another.
    pub executable: Option<PathBuf>,
    /// How long it took.
    pub took: Duration,
}

/// Why a service did not build. Its output is kept as it was printed, colours included.
#[derive(Debug, thiserror::Error)]
pub enum BuildError {
    /// The command cannot be run.
    #[error("cannot run `{program}` to build the service: {source}")]
    Start {
        /// The program.
        program: String,
        /// What the system said.
        source: std::io::Error,
    },
    /// It says that the service does not build.
    #[error("the service does not build: `{command}` ended with {exit}")]
    Failed {
        /// The command.
        command: String,
        /// How it ended.
        exit: Exit,
        /// What it printed.
        output: Vec<String>,
    },
    /// It took too long.
    #[error("`{command}` was still building after {} min", .deadline.as_secs() / 60)]
    Late {
        /// The command.
        command: String,
        /// How long it had.
        deadline: Duration,
        /// What it printed until then.
        output: Vec<String>,
    },
    /// Cargo built no program.
    #[error("`{command}` built no program: the package has libraries only")]
    NoProgram {
        /// The command.
        command: String,
        /// What it printed.
        output: Vec<String>,
    },
    /// Cargo built several programs, and nothing says which is the service.
    #[error("`{command}` built several programs: {}", super::problem::listed(.programs.iter().map(String::as_str)))]
    SeveralPrograms {
        /// The command.
        command: String,
        /// Their names.
        programs: Vec<String>,
    },
}

impl BuildError {
    /// What was printed, as it was printed.
    #[must_use]
    pub fn output(&self) -> &[String] {
        match self {
            Self::Failed { output, .. } | Self::Late { output, .. } | Self::NoProgram { output, .. } => output,
            Self::Start { .. } | Self::SeveralPrograms { .. } => &[],
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn remedy(&self) -> String {
        match self {
            Self::Start { program, .. } if program == "cargo" => {
                String::from("install Rust from https://rustup.rs, and open a new terminal: then `cargo` is found")
            }
            Self::Start { .. } => String::from("install it, or correct `service.build` in `bootcamp.toml`"),
            Self::Failed { output, .. } if output.iter().any(|line| lacks_a_linker(line)) => String::from(
                "install a C compiler: `apt install build-essential`, `xcode-select --install`; `bootcamp doctor` looks again",
            ),
            Self::Failed { command, .. } => {
                format!("correct what the compiler points at; `{command}` in the workspace shows it again")
            }
            Self::Late { command, .. } => format!("run `{command}` in the workspace once by hand; the next build is quicker"),
            Self::NoProgram { .. } => {
                String::from("add a `src/main.rs`, or say how to start the service: `service.run` in `bootcamp.toml`")
            }
            Self::SeveralPrograms { programs, .. } => format!(
                "name one: `default-run = \"{}\"` under `[package]` in `Cargo.toml`",
                programs.first().map_or("", String::as_str)
            ),
        }
    }
}

impl Build {
    /// A build by any command, run in the workspace. One that begins with `cargo build` is asked which program it made.
    #[must_use]
    pub fn new(folder: impl Into<PathBuf>, command: Vec<String>) -> Self {
        Self { folder: folder.into(), command, colour: false, target_dir: None, deadline: DEADLINE, wants_program: true }
    }

    /// A build of the workspace's package by cargo.
    #[must_use]
    pub fn cargo(folder: impl Into<PathBuf>, profile: Profile) -> Self {
        let words: &[&str] = match profile {
            Profile::Dev => &["cargo", "build"],
            Profile::Release => &["cargo", "build", "--release"],
        };
        Self::new(folder, words.iter().map(|word| (*word).to_owned()).collect())
    }

    /// Whether cargo is asked which program it made.
    #[must_use]
    pub fn is_cargo(&self) -> bool {
        matches!(self.command.as_slice(), [program, verb, ..] if program == "cargo" && (verb == "build" || verb == "b"))
    }

    /// Has cargo print in colour, though it does not print to a terminal.
    #[must_use]
    pub fn coloured(mut self, colour: bool) -> Self {
        self.colour = colour;
        self
    }

    /// Where cargo puts what it builds.
    #[must_use]
    pub fn into_dir(mut self, target_dir: impl Into<PathBuf>) -> Self {
        self.target_dir = Some(target_dir.into());
        self
    }

    /// How long it may take: 15 minutes, unless said otherwise.
    #[must_use]
    pub fn within(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// Does not ask cargo which program it made: the manifest says what to run.
    #[must_use]
    pub(super) fn without_program(mut self) -> Self {
        self.wants_program = false;
        self
    }

    /// The command, as one would type it.
    #[must_use]
    pub fn command_line(&self) -> String {
        self.command.join(" ")
    }

    /// Builds, in the shell's environment, as the learner's own command would. `on_line` gets every line that is printed for
    /// people, as it is printed.
    ///
    /// # Errors
    ///
    /// Where the build fails or takes too long, or cargo made no program or several.
    pub async fn run(
        &self,
        shell: &BTreeMap<String, String>,
        on_line: &mut (dyn FnMut(&str) + Send),
    ) -> Result<Built, BuildError> {
        let begun = Instant::now();
        let mut command = CommandWrap::from(self.command(shell));
        command.wrap(KillOnDrop);
        #[cfg(unix)]
        command.wrap(process_wrap::tokio::ProcessGroup::leader());
        let mut child = command
            .spawn()
            .map_err(|source| BuildError::Start { program: self.command.first().cloned().unwrap_or_default(), source })?;
        let group = Group(Arc::new(Family::new(child.id().unwrap_or_default())));
        let output = Output::default();
        let mut artifacts = Vec::new();
        let (mut stdout, mut stderr) = (child.stdout().take(), child.stderr().take());
        let reading = async {
            let mut shown = |line: &[u8], _cut: bool| {
                let line = String::from_utf8_lossy(line).into_owned();
                on_line(&line);
                output.keep(line);
            };
            let mut messages = |line: &[u8], cut: bool| artifacts.extend(Artifact::parse(line).filter(|_| !cut));
            let (mut heard, mut said) =
                (Cutter::new(if self.is_cargo() { MESSAGE_BYTES } else { LINE_BYTES }), Cutter::new(LINE_BYTES));
            let (mut left, mut right) = (vec![0; 16 * 1024], vec![0; 16 * 1024]);
            while stdout.is_some() || stderr.is_some() {
                tokio::select! {
                    count = next(&mut stdout, &mut left) => match count {
                        0 => stdout = None,
                        count if self.is_cargo() => heard.feed(&left[..count], &mut messages),
                        count => heard.feed(&left[..count], &mut shown),
                    },
                    count = next(&mut stderr, &mut right) => match count {
                        0 => stderr = None,
                        count => said.feed(&right[..count], &mut shown),
                    },
                }
            }
            said.end(&mut shown);
            if self.is_cargo() {
                heard.end(&mut messages);
            } else {
                heard.end(&mut shown);
            }
            child.wait().await
        };
        let status = timeout(self.deadline, reading).await;
        let command = self.command_line();
        let Ok(status) = status else {
            drop(group);
            return Err(BuildError::Late { command, deadline: self.deadline, output: output.lines() });
        };
        let status = status.map_err(|source| BuildError::Start { program: command.clone(), source })?;
        if !status.success() {
            return Err(BuildError::Failed { command, exit: Exit::from(status), output: output.lines() });
        }
        let executable = if self.is_cargo() && self.wants_program { Some(self.chosen(artifacts, &output)?) } else { None };
        Ok(Built { executable, took: begun.elapsed() })
    }

    fn command(&self, shell: &BTreeMap<String, String>) -> Command {
        let (program, args) = self.command.split_first().map_or(("", [].as_slice()), |(program, args)| (program.as_str(), args));
        let mut command = Command::new(program);
        if self.is_cargo() {
            let (verb, rest) = args.split_at(1);
            command.args(verb).arg("--message-format=json-render-diagnostics");
            command.arg(if self.colour { "--color=always" } else { "--color=never" }).args(rest);
        } else {
            command.args(args);
        }
        command.env_clear().envs(shell);
        // where this program itself runs under cargo, what cargo told it of its own package must not reach the learner's
        for name in shell.keys().filter(|name| is_of_another_package(name)) {
            command.env_remove(name);
        }
        if let Some(target_dir) = &self.target_dir {
            command.env("CARGO_TARGET_DIR", target_dir);
        }
        command.current_dir(&self.folder).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    fn chosen(&self, artifacts: Vec<Artifact>, output: &Output) -> Result<PathBuf, BuildError> {
        artifact::choose(&self.folder.join("Cargo.toml"), artifacts).map_err(|programs| {
            let command = self.command_line();
            if programs.is_empty() {
                BuildError::NoProgram { command, output: output.lines() }
            } else {
                BuildError::SeveralPrograms { command, programs }
            }
        })
    }
}

/// What rustc says where nothing can link.
fn lacks_a_linker(line: &str) -> bool {
    line.contains("linker `") && line.contains("` not found")
}

/// Ends what is left of a build when it is over, or given up.
struct Group(Arc<Family>);

impl Drop for Group {
    fn drop(&mut self) {
        self.0.end();
    }
}

/// The next bytes of a stream; 0 at its end. Never, where there is none.
async fn next(stream: &mut Option<impl AsyncReadExt + Unpin>, room: &mut [u8]) -> usize {
    match stream {
        Some(stream) => stream.read(room).await.unwrap_or(0),
        None => std::future::pending().await,
    }
}

/// Variables that cargo sets for a program that it runs.
fn is_of_another_package(name: &str) -> bool {
    name.starts_with("CARGO_PKG_")
        || name.starts_with("CARGO_BIN_")
        || matches!(name, "CARGO_MANIFEST_DIR" | "CARGO_MANIFEST_PATH" | "CARGO_PRIMARY_PACKAGE" | "CARGO_CRATE_NAME" | "CARGO")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_tool_is_named_with_how_to_get_it() {
        let missing = BuildError::Start { program: "cargo".into(), source: std::io::ErrorKind::NotFound.into() };
        assert!(missing.remedy().contains("https://rustup.rs"));
        let failed = |line: &str| BuildError::Failed {
            command: "cargo build".into(),
            exit: Exit { code: Some(101), signal: None },
            output: vec![line.to_owned()],
        };
        assert!(failed("error: linker `cc` not found").remedy().contains("build-essential"));
        assert!(failed("error[E0425]: cannot find value").remedy().contains("what the compiler points at"));
    }

    #[test]
    fn only_cargo_is_asked_what_it_made() {
        assert!(Build::cargo(".", Profile::Release).is_cargo());
        assert!(!Build::new(".", vec![String::from("make")]).is_cargo());
        assert_eq!(Build::cargo(".", Profile::Release).command_line(), "cargo build --release");
    }

    #[test]
    fn another_packages_variables_are_kept_from_the_build() {
        assert!(is_of_another_package("CARGO_PKG_NAME") && is_of_another_package("CARGO_MANIFEST_DIR"));
        assert!(!is_of_another_package("CARGO_HOME") && !is_of_another_package("CARGO_BUILD_JOBS"));
    }
}
