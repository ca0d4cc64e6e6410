use std::process::ExitCode;

use super::{Report, RunStatus};

/// What the process says of itself when it ends. The codes are part of the command line's contract.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ExitStatus {
    /// 0: every required check that could be looked at is met.
    Passed = 0,
    /// 1: at least one required check is not met.
    NotPassed = 1,
    /// 2: the command line or the workspace's settings are wrong.
    Usage = 2,
    /// 3: nothing is known to be wrong, but something could not be looked at, or nothing could.
    Unverified = 3,
    /// 4: the course itself is broken.
    CourseBroken = 4,
    /// 130: the user broke the run off.
    Interrupted = 130,
}

impl ExitStatus {
    /// The number that the shell sees.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<ExitStatus> for ExitCode {
    fn from(status: ExitStatus) -> Self {
        Self::from(status.code())
    }
}

impl From<RunStatus> for ExitStatus {
    fn from(status: RunStatus) -> Self {
        match status {
            RunStatus::Passed => Self::Passed,
            RunStatus::Failed => Self::NotPassed,
            RunStatus::Errored => Self::Unverified,
            RunStatus::Interrupted => Self::Interrupted,
        }
    }
}

impl Report {
    /// How the process should end after this run.
    #[must_use]
    pub fn exit_status(&self) -> ExitStatus {
        self.status.into()
    }
}
