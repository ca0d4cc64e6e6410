use std::path::Path;
use std::time::Duration;

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use super::process::{finish, signal, wait_until};
use super::wire::{self, Answer};
use super::{Bootcamp, Run, Running};

/// A running `bootcamp sandbox`. Dropped, it is asked to end.
#[derive(Debug)]
pub struct Sandboxed {
    running: Option<Running>,
    id: u32,
    /// What `.bootcamp/sandbox.json` tells of it.
    pub told: Value,
}

impl Sandboxed {
    /// Starts it, and waits until it has told of itself.
    #[track_caller]
    pub fn start(call: Bootcamp) -> Self {
        let workspace = call.workspace();
        Self::start_at(call, &workspace)
    }

    /// The same for a workspace in another folder.
    #[track_caller]
    pub fn start_at(call: Bootcamp, workspace: &Path) -> Self {
        let file = workspace.join(".bootcamp/sandbox.json");
        let mut running = call.start();
        let id = running.child.id();
        let mut told = Value::Null;
        let mut ended = None;
        wait_until("the sandbox", || {
            told = std::fs::read(&file).ok().and_then(|bytes| serde_json::from_slice(&bytes).ok()).unwrap_or_default();
            ended = running.child.try_wait().unwrap();
            told["pid"] == id || ended.is_some()
        });
        if ended.is_some() {
            let run = running.finish();
            panic!("the sandbox ended at once:\n{}{}", run.stdout, run.stderr);
        }
        Self { running: Some(running), id, told }
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Where all vendors answer over HTTP.
    pub fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.told["addresses"]["http"])
    }

    /// Where the X-Ray daemon listens.
    pub fn daemon(&self) -> String {
        format!("127.0.0.1:{}", self.told["addresses"]["daemon"])
    }

    /// Calls an operation of X-Ray.
    #[track_caller]
    pub fn xray(&self, operation: &str, input: &Value) -> Answer {
        wire::xray(&self.url(), operation, input).unwrap()
    }

    /// Calls an operation of CloudWatch Logs.
    #[track_caller]
    pub fn logs(&self, operation: &str, input: &Value) -> Answer {
        wire::logs(&self.url(), operation, input).unwrap()
    }

    /// Creates a group.
    #[track_caller]
    pub fn with_group(self, name: &str, filter: &str) -> Self {
        self.xray("CreateGroup", &json!({ "GroupName": name, "FilterExpression": filter })).ok();
        self
    }

    /// Creates a sampling rule.
    #[track_caller]
    pub fn with_rule(self, name: &str, priority: i64) -> Self {
        let rule = json!({
            "RuleName": name, "ResourceARN": "*", "Priority": priority, "FixedRate": 0.5, "ReservoirSize": 1, "ServiceName": "tiny",
            "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1,
        });
        self.xray("CreateSamplingRule", &json!({ "SamplingRule": rule })).ok();
        self
    }

    /// Asks it to end, and waits for that.
    #[track_caller]
    pub fn stop(self) -> Run {
        self.end(Signal::SIGTERM)
    }

    /// Sends it a signal, and waits for its end.
    #[track_caller]
    pub fn end(mut self, with: Signal) -> Run {
        let running = self.running.take().unwrap();
        running.signal(with);
        running.finish()
    }
}

impl Drop for Sandboxed {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            signal(self.id, if std::thread::panicking() { Signal::SIGKILL } else { Signal::SIGTERM });
            if !std::thread::panicking() {
                finish(running.child, Duration::from_secs(10));
            }
        }
    }
}
