use std::path::PathBuf;

use serde_json::Value;

use super::{Bootcamp, redact};

/// What came of a call.
#[derive(Debug)]
pub struct Run {
    /// The exit code; none where a signal ended it.
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
    /// What was called: its workspace is there as long as this is.
    pub call: Bootcamp,
}

impl Run {
    /// The JSON report on stdout.
    #[track_caller]
    pub fn report(&self) -> Report {
        match serde_json::from_str(&self.stdout) {
            Ok(report) => Report(report),
            Err(error) => panic!("no JSON report: {error}\nstdout:\n{}\nstderr:\n{}", self.stdout, self.stderr),
        }
    }

    /// A file of the workspace.
    pub fn path(&self, path: &str) -> PathBuf {
        self.call.workspace().join(path)
    }

    /// The text of a file of the workspace.
    #[track_caller]
    pub fn read(&self, path: &str) -> String {
        std::fs::read_to_string(self.path(path)).unwrap_or_else(|error| panic!("`{path}`: {error}"))
    }

    /// The names in the workspace's `.bootcamp`, sorted.
    pub fn kept(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.path(".bootcamp")).into_iter().flatten();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    /// stdout without what differs from run to run.
    pub fn shown(&self) -> String {
        redact(&self.stdout, self.call.root())
    }

    /// stderr without what differs from run to run.
    pub fn said(&self) -> String {
        redact(&self.stderr, self.call.root())
    }
}

/// A JSON report.
#[derive(Debug, Clone, PartialEq)]
pub struct Report(pub Value);

impl Report {
    /// All checks, in the course's order.
    pub fn checks(&self) -> Vec<&Value> {
        let steps = self.0["steps"].as_array().unwrap();
        steps.iter().flat_map(|step| step["checks"].as_array().unwrap()).collect()
    }

    /// One check.
    #[track_caller]
    pub fn check(&self, id: &str) -> &Value {
        self.checks().into_iter().find(|check| check["id"] == id).unwrap_or_else(|| panic!("there is no check `{id}`"))
    }

    /// The ids of the checks that ended so.
    pub fn with(&self, status: &str) -> Vec<&str> {
        self.checks().into_iter().filter(|check| check["status"] == status).map(|check| check["id"].as_str().unwrap()).collect()
    }

    /// How each check ended.
    pub fn verdicts(&self) -> Vec<(String, String)> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        self.checks().into_iter().map(|check| (text(&check["id"]), text(&check["status"]))).collect()
    }

    /// All checks passed.
    #[track_caller]
    pub fn all_passed(&self) {
        let others: Vec<_> = self.checks().into_iter().filter(|check| check["status"] != "passed").collect();
        assert!(others.is_empty(), "{others:#?}");
    }
}
