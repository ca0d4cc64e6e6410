use serde_json::Value;

/// Something that a step has the learner do outside of files: a fenced block of JSON with `action=…` in its info string.
///
/// The block is the operation's input, in the shape that `aws xray … --cli-input-json` takes; the runner can send it through the
/// vendor's client.
#[derive(Debug, Clone, PartialEq)]
pub struct Action {
    /// Which operation.
    pub kind: ActionKind,
    /// Its input.
    pub input: Value,
    /// The line of the opening fence in the lesson's file, from 1.
    pub line: usize,
}

/// An operation that a lesson may declare.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ActionKind {
    /// X-Ray's `CreateGroup`.
    XrayCreateGroup,
    /// X-Ray's `CreateSamplingRule`.
    XrayCreateSamplingRule,
}

impl ActionKind {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::XrayCreateGroup, Self::XrayCreateSamplingRule];

    /// Its name in a lesson.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::XrayCreateGroup => "xray-create-group",
            Self::XrayCreateSamplingRule => "xray-create-sampling-rule",
        }
    }

    /// The operation of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}
