/// What part of a machine a finding is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Area {
    /// The folder with `bootcamp.toml`.
    Workspace,
    /// Rust, and what builds the service.
    Toolchain,
    /// The Docker engine and compose.
    Docker,
    /// The ports that the week uses.
    Ports,
    /// `.env` and the shell's variables.
    Variables,
    /// Honeycomb, AWS and Rollbar, or the sandbox in their place.
    Vendors,
    /// Room, and the right to write.
    Disk,
    /// The time.
    Clock,
}

impl Area {
    /// Its stable name: `toolchain`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Workspace => "workspace",
            Self::Toolchain => "toolchain",
            Self::Docker => "docker",
            Self::Ports => "ports",
            Self::Variables => "variables",
            Self::Vendors => "vendors",
            Self::Disk => "disk",
            Self::Clock => "clock",
        }
    }
}

/// How a finding is, the worst last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// Not looked at, or of no matter yet; the finding says why.
    Unknown,
    /// As it should be.
    Good,
    /// The week can be done; something will be in the way of a part of it.
    Warning,
    /// Steps will not pass before this is put right.
    Bad,
}

impl State {
    /// Its stable name: `warning`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Good => "good",
            Self::Warning => "warning",
            Self::Bad => "bad",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// A stable name, for programs: `toolchain.cargo`, `vendors.rollbar.allowed`.
    pub id: String,
    /// What part of the machine it is of.
    pub area: Area,
    /// What was looked at, in a word or two: `cargo`.
    pub subject: String,
    /// How it is.
    pub state: State,
    /// What was seen.
    pub told: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl Finding {
    /// A finding without a fix. The id is the area's name with `id` behind it.
    pub(super) fn new(area: Area, id: &str, subject: impl Into<String>, state: State, told: impl Into<String>) -> Self {
        Self { id: format!("{}.{id}", area.name()), area, subject: subject.into(), state, told: told.into(), fix: None }
    }

    /// The same with what to do about it.
    #[must_use]
    pub(super) fn fix(mut self, fix: impl Into<String>) -> Self {
        self.fix = Some(fix.into());
        self
    }
}
