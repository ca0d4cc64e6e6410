use std::ops::Range;

use crate::check::closest;

use super::ActionKind;

/// What follows the opening fence of a code block: `rust file=src/main.rs`, `json action=xray-create-group`,
/// `rust file=src/main.rs sync=step`.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct InfoString {
    pub language: String,
    pub file: Option<String>,
    pub action: Option<ActionKind>,
    pub follows_step: bool,
}

/// Something wrong with it, and where in it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct InfoFlaw {
    pub message: String,
    pub span: Range<usize>,
    pub help: Option<String>,
}

impl InfoString {
    /// Reads the text. What is wrong is left out and told.
    pub(super) fn parse(text: &str) -> (Self, Vec<InfoFlaw>) {
        let mut info = Self::default();
        let mut flaws = Vec::new();
        for (start, word) in words(text) {
            let span = start..start + word.len();
            match word.split_once('=') {
                None if info.language.is_empty() => word.clone_into(&mut info.language),
                None => flaws.push(InfoFlaw {
                    message: format!("`{word}` stands where a code block's file or action is expected"),
                    span,
                    help: Some(format!("write `file={word}`, if it is the file's name")),
                }),
                Some(("file", path)) if is_inside(path) => info.file = Some(path.to_owned()),
                Some(("file", path)) => flaws.push(InfoFlaw {
                    message: format!("`{path}` is no file of the workspace"),
                    span,
                    help: Some(String::from("write the path from the workspace's folder, with `/` and without `..`")),
                }),
                Some(("action", name)) => match ActionKind::named(name) {
                    Some(action) => info.action = Some(action),
                    None => flaws.push(InfoFlaw {
                        message: format!("`{name}` is no action that the runner can perform"),
                        span,
                        help: Some(did_you_mean(name, &ActionKind::ALL.map(ActionKind::name))),
                    }),
                },
                Some(("sync", "step")) => info.follows_step = true,
                Some(("sync", other)) => flaws.push(InfoFlaw {
                    message: format!("`sync` cannot be `{other}`"),
                    span,
                    help: Some(String::from(
                        "write `sync=step`, for all that the step does to the file, or leave it out and show parts",
                    )),
                }),
                Some((name, _)) => flaws.push(InfoFlaw {
                    message: format!("a code block has no attribute `{name}`"),
                    span,
                    help: Some(did_you_mean(name, &["file", "action", "sync"])),
                }),
            }
        }
        if info.follows_step && info.file.is_none() {
            flaws.push(InfoFlaw {
                message: String::from("`sync=step` names no file"),
                span: 0..text.len(),
                help: Some(String::from("say which file of the step is shown: `file=… sync=step`")),
            });
        }
        (info, flaws)
    }
}

fn did_you_mean(given: &str, names: &[&str]) -> String {
    match closest(given, names.iter().copied()) {
        Some(close) => format!("did you mean `{close}`?"),
        None => format!("there are {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(" and ")),
    }
}

fn is_inside(path: &str) -> bool {
    !path.is_empty() && !path.contains('\\') && path.split('/').all(|part| !matches!(part, "" | "." | ".."))
}

/// The words, each with its offset.
fn words(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let begin = text.as_ptr() as usize;
    text.split_whitespace().map(move |word| (word.as_ptr() as usize - begin, word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn language_file_and_action() {
        let (info, flaws) = InfoString::parse("json file=aws/json/xray.json action=xray-create-sampling-rule");
        assert_eq!(flaws, []);
        assert_eq!(info.language, "json");
        assert_eq!(info.file.as_deref(), Some("aws/json/xray.json"));
        assert_eq!(info.action, Some(ActionKind::XrayCreateSamplingRule));
        assert!(!info.follows_step);
        let (info, flaws) = InfoString::parse("rust file=src/x.rs sync=step");
        assert!(info.follows_step && flaws.is_empty());
        assert_eq!(InfoString::parse(""), (InfoString::default(), vec![]));
    }

    #[test]
    fn mistakes_are_told() {
        let told = |text| InfoString::parse(text).1.remove(0);
        assert_eq!(told("rust fiel=src/x.rs").help.as_deref(), Some("did you mean `file`?"));
        assert_eq!(told("rust fiel=src/x.rs").span, 5..18);
        assert_eq!(told("rust sync=step").message, "`sync=step` names no file");
        assert_eq!(told("rust file=x sync=file").message, "`sync` cannot be `file`");
        assert_eq!(told("rust file=../x.rs").message, "`../x.rs` is no file of the workspace");
        assert_eq!(told("json action=xray-create-grup").help.as_deref(), Some("did you mean `xray-create-group`?"));
        assert_eq!(told("rust src/x.rs").help.as_deref(), Some("write `file=src/x.rs`, if it is the file's name"));
    }
}
