use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// What of this shell's environment the program gets: where tools and the engine are, and none of the vendors' variables.
const INHERITED: [&str; 9] = [
    "PATH",
    "HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "DOCKER_HOST",
    "DOCKER_CONFIG",
    "DOCKER_CONTEXT",
    "XDG_RUNTIME_DIR",
];

/// The program, in an environment of its own.
pub fn bootcamp() -> Command {
    bootcamp_at(Path::new(env!("CARGO_BIN_EXE_bootcamp")))
}

/// A copy of the program.
pub fn bootcamp_at(program: &Path) -> Command {
    let mut command = Command::new("timeout");
    command.args(["--kill-after=5", "120"]).arg(program).env_clear();
    command.envs(INHERITED.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
    command
}

/// One verification.
pub struct Report {
    pub exit: Option<i32>,
    pub json: Value,
}

impl Report {
    /// Verifies, and reads the report.
    pub fn of(mut command: Command) -> Self {
        let output = command.args(["--format", "json", "--quiet"]).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        let json = serde_json::from_slice(&output.stdout)
            .unwrap_or_else(|error| panic!("no report ({error}), exit code {:?}:\n{said}", output.status.code()));
        Self { exit: output.status.code(), json }
    }

    /// All checks.
    pub fn checks(&self) -> impl Iterator<Item = &Value> {
        self.json["steps"].as_array().unwrap().iter().flat_map(|step| step["checks"].as_array().unwrap())
    }

    /// One check, by its id.
    pub fn check(&self, id: &str) -> &Value {
        self.checks().find(|check| check["id"] == id).unwrap_or_else(|| panic!("no check `{id}` in {:#}", self.json))
    }

    /// Demands that a check has passed, and returns what it saw.
    pub fn passed(&self, id: &str) -> String {
        let check = self.check(id);
        assert_eq!(check["status"], "passed", "{check:#}");
        check["facts"].to_string()
    }

    /// Demands that a check has failed, and returns what it found, and the nearest to it.
    pub fn failed(&self, id: &str) -> (String, String) {
        let check = self.check(id);
        assert_eq!(check["status"], "failed", "{check:#}");
        assert_eq!(self.exit, Some(1));
        let text = |name: &str| check["mismatch"][name].as_str().unwrap_or_default().to_owned();
        (text("actual"), text("nearest"))
    }

    /// Demands that a check was skipped, and returns why.
    pub fn skipped(&self, id: &str) -> String {
        let check = self.check(id);
        assert_eq!(check["status"], "skipped", "{check:#}");
        check["reason"].as_str().unwrap().to_owned()
    }
}

/// A workspace with this compose file and nothing else.
pub fn workspace(folder: &Path, compose: &str) -> PathBuf {
    std::fs::write(folder.join("bootcamp.toml"), "course = \"week2\"\n").unwrap();
    std::fs::write(folder.join("docker-compose.yml"), compose).unwrap();
    folder.to_owned()
}
