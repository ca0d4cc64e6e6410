//! What may keep a learner from the first step, looked at before it does: tools, Docker, ports, variables, vendors, disk, clock.
//!
//! Looking and judging are kept apart: each area has a plain record of what was seen, and a pure function from it to
//! [`Finding`]s. All areas are looked at at the same time, and each look has a deadline, so that one that hangs costs seconds and
//! not the rest. No finding holds a variable's value, unless its name speaks of nothing secret.

mod clock;
mod command;
mod disk;
mod docker;
mod finding;
mod ports;
mod setting;
mod toolchain;
mod variables;
mod vendors;

use std::time::Duration;

pub use finding::{Area, Finding, State};
pub use setting::{Needs, Setting, System, Workspace};

use crate::service::{Target, Variables};

/// How long any one look may take: a command, a question to an engine or a vendor.
const DEADLINE: Duration = Duration::from_secs(5);

/// What came of looking at everything.
#[derive(Debug, Clone)]
pub struct Examination {
    /// Where the telemetry goes and is looked for.
    pub target: Target,
    /// The workspace's folder, where there is one.
    pub workspace: Option<String>,
    /// What was found, area by area.
    pub findings: Vec<Finding>,
}

impl Examination {
    /// Whether the vendors themselves were looked at, and not the sandbox.
    #[must_use]
    pub fn is_live(&self) -> bool {
        self.target == Target::Live
    }

    /// The worst of the findings that could be made; `Unknown` where none could.
    #[must_use]
    pub fn state(&self) -> State {
        self.findings.iter().map(|finding| finding.state).max().unwrap_or(State::Unknown)
    }
}

/// Looks at everything, and changes nothing.
pub async fn examine(setting: &Setting) -> Examination {
    let manifest = setting.workspace.manifest();
    let (variables, broken) = match variables::load(setting) {
        Ok(variables) => (variables, None),
        Err(problem) => (Variables::parse("", setting.shell.clone()).unwrap_or_default(), Some(problem)),
    };
    let ((engine, containers), (vendors, clocks), toolchain, file, disk, ports) = tokio::join!(
        docker::look(setting, &variables),
        vendors::look(setting, &variables),
        toolchain::look(setting),
        variables::look(setting),
        disk::look(setting),
        ports::look(setting),
    );
    let mut findings = vec![setting.workspace.finding()];
    findings.extend(toolchain::judge(&toolchain, setting));
    findings.extend(docker::judge(&engine, setting));
    findings.extend(ports::judge(&ports, &containers, &setting.needs));
    if manifest.is_some() {
        findings.extend(variables::judge_file(&file, broken.as_ref(), setting.target));
        findings.extend(variables::judge(&variables, &variables::wanted(setting, &variables), setting.target));
    }
    findings.extend(vendors);
    findings.extend(disk::judge(&disk));
    findings.extend(clock::judge(&clocks, jiff::Timestamp::now(), setting.system));
    variables::mask(&mut findings, &variables);
    Examination { target: setting.target, workspace: manifest.map(|manifest| manifest.workspace.display().to_string()), findings }
}
