use std::io::Write;
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// There is one engine, and the ports of its host are there once.
static TURN: Mutex<()> = Mutex::new(());

/// The engine, while it is one's turn.
pub struct Engine {
    compose: &'static [&'static str],
    _turn: MutexGuard<'static, ()>,
}

impl Engine {
    /// The engine that answers here. Without one the test is skipped, out loud; with `BOOTCAMP_TEST_DOCKER=required` it fails.
    pub fn take() -> Option<Self> {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        match compose_of_an_engine_that_answers() {
            Ok(compose) => Some(Self { compose, _turn: turn }),
            Err(reason) => {
                skip(&reason);
                None
            }
        }
    }

    /// Runs `docker`, and returns what it printed.
    pub fn docker(&self, args: &[&str]) -> String {
        printed(bounded("docker").args(args))
    }

    /// Runs `docker`, whatever comes of it.
    pub fn try_docker(&self, args: &[&str]) -> bool {
        succeeds(bounded("docker").args(args))
    }

    /// A command of compose, to be added to.
    pub fn compose(&self) -> Command {
        let mut command = bounded(self.compose[0]);
        command.args(&self.compose[1..]);
        command
    }
}

/// Says that the running test is skipped, or fails it where that must not be.
pub fn skip(reason: &str) {
    assert!(
        std::env::var_os("BOOTCAMP_TEST_DOCKER").is_none_or(|wanted| wanted != "required"),
        "BOOTCAMP_TEST_DOCKER=required, but {reason}"
    );
    let thread = std::thread::current();
    let test = thread.name().unwrap_or_default();
    // Straight to the stream: what the macros print is kept from view when a test passes.
    let _ = writeln!(std::io::stderr(), "skipped {test}: {reason}");
}

fn compose_of_an_engine_that_answers() -> Result<&'static [&'static str], String> {
    let engine = bounded("docker").args(["version", "--format", "{{.Server.Version}}"]).output();
    match engine {
        Ok(output) if output.status.success() => {}
        Ok(output) => return Err(format!("no Docker engine answers: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => return Err(format!("`docker` cannot be run: {error}")),
    }
    let known: [&[&str]; 2] = [&["docker", "compose"], &["docker-compose"]];
    known
        .into_iter()
        .find(|words| succeeds(bounded(words[0]).args(&words[1..]).arg("version")))
        .ok_or_else(|| String::from("there is neither `docker compose` nor `docker-compose`"))
}

/// A command that is ended when it hangs.
pub fn bounded(program: &str) -> Command {
    let mut command = Command::new("timeout");
    // Images are built as every engine can, with or without its newer builder.
    command.args(["--kill-after=5", "120", program]).env("DOCKER_BUILDKIT", "0").env("COMPOSE_DOCKER_CLI_BUILD", "0");
    command
}

/// What a command printed; it must succeed.
pub fn printed(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{command:?} failed:\n{}", shown(&output));
    String::from_utf8_lossy(&output.stdout).trim().to_owned()
}

/// Whether a command succeeds.
pub fn succeeds(command: &mut Command) -> bool {
    command.output().is_ok_and(|output| output.status.success())
}

/// All that a command printed.
pub fn shown(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}
