use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::bootcamp::{Report, bootcamp};
use crate::engine::{Engine, printed, shown};

/// A compose project in a folder; in the end it is taken down, with its networks and the images that it built.
pub struct Project<'e> {
    engine: &'e Engine,
    folder: &'e Path,
    name: String,
    env_file: Option<String>,
}

impl<'e> Project<'e> {
    /// The project of the compose file in a folder. Nothing is started yet.
    pub fn new(engine: &'e Engine, folder: &'e Path) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("bootcamptest{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        Self { engine, folder, name, env_file: None }
    }

    /// The same with its variables from a file instead of `.env`.
    pub fn with_env_file(mut self, file: &str) -> Self {
        self.env_file = Some(file.to_owned());
        self
    }

    fn compose(&self, args: &[&str]) -> Command {
        let mut command = self.engine.compose();
        command.current_dir(self.folder).args(["--project-name", &self.name]);
        if let Some(file) = &self.env_file {
            command.args(["--env-file", file]);
        }
        command.args(args);
        command
    }

    /// Starts its containers.
    pub fn up(&self) {
        printed(&mut self.compose(&["up", "-d"]));
    }

    /// Stops the container of a service.
    pub fn stop(&self, service: &str) {
        printed(&mut self.compose(&["stop", "-t", "5", service]));
    }

    /// Removes its containers and networks.
    pub fn down(&self) {
        printed(&mut self.compose(&["down", "-t", "0"]));
    }

    /// The id of a service's container, running or not.
    pub fn container(&self, service: &str) -> String {
        let label = format!("label=com.docker.compose.service={service}");
        let project = format!("label=com.docker.compose.project={}", self.name);
        let id = self.engine.docker(&["ps", "--all", "--quiet", "--no-trunc", "--filter", &label, "--filter", &project]);
        assert!(!id.is_empty() && !id.contains('\n'), "containers of `{service}`: {id}");
        id
    }

    /// Waits until the container of a service has ended by itself.
    pub fn ended(&self, service: &str) {
        self.engine.docker(&["wait", &self.container(service)]);
    }

    /// All that a service has printed.
    pub fn logs(&self, service: &str) -> String {
        self.compose(&["logs", service]).output().map(|output| shown(&output)).unwrap_or_default()
    }

    /// Verifies a selection in its folder.
    pub fn verify(&self, selection: &str) -> Report {
        verify(self.folder, selection)
    }
}

/// Verifies a selection in a folder.
pub fn verify(folder: &Path, selection: &str) -> Report {
    let mut command = bootcamp();
    command.arg("verify").arg(selection).arg("--workspace").arg(folder);
    Report::of(command)
}

impl Drop for Project<'_> {
    fn drop(&mut self) {
        let _ = self.compose(&["down", "-t", "0", "--volumes", "--remove-orphans", "--rmi", "local"]).output();
    }
}
