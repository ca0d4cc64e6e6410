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

impl Action {
    /// What it makes, in words: ``the X-Ray group `Cruddur` ``.
    #[must_use]
    pub fn object(&self) -> String {
        let (what, name) = match self.kind {
            ActionKind::XrayCreateGroup => ("X-Ray group", self.input.get("GroupName")),
            ActionKind::XrayCreateSamplingRule => ("X-Ray sampling rule", self.input.pointer("/SamplingRule/RuleName")),
        };
        format!("the {what} `{}`", name.and_then(Value::as_str).unwrap_or_default())
    }

    /// The command of AWS's own that does the same, for a POSIX shell.
    #[must_use]
    pub fn command(&self) -> String {
        let json = serde_json::to_string_pretty(&self.input).unwrap_or_default().replace('\'', r"'\''");
        format!("aws xray {} --cli-input-json '{json}'", self.kind.operation())
    }
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

    /// Its name in the AWS CLI's `xray`.
    #[must_use]
    pub const fn operation(self) -> &'static str {
        match self {
            Self::XrayCreateGroup => "create-group",
            Self::XrayCreateSamplingRule => "create-sampling-rule",
        }
    }

    /// The operation of that name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_a_command_that_a_shell_takes() {
        let input = serde_json::json!({ "GroupName": "it's", "FilterExpression": "service(\"tiny\")" });
        let action = Action { kind: ActionKind::XrayCreateGroup, input, line: 1 };
        assert_eq!(action.object(), "the X-Ray group `it's`");
        let command = action.command();
        assert!(command.starts_with("aws xray create-group --cli-input-json '{\n"), "{command}");
        assert!(command.contains(r#""it'\''s""#), "{command}");
    }
}
