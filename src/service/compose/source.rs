use std::path::{Path, PathBuf};

use crate::service::problem::Problem;

/// The largest compose file that is read, in bytes.
const LIMIT: usize = 1 << 20;

/// A compose file's text.
pub(super) struct File {
    /// Its path, as the learner knows it.
    pub(super) name: String,
    pub(super) text: String,
}

impl File {
    /// Reads a file; `file` is its path as the learner knows it.
    pub(super) fn load(path: &Path, file: &Path) -> Result<Self, Problem> {
        let name = file.display().to_string();
        let refused = |reason: &str| {
            Problem::new(format!("cannot read the compose file `{name}`: {reason}"))
                .with_help("create it in the workspace, or name yours as `service.compose` in `bootcamp.toml`")
        };
        let bytes = std::fs::read(path).map_err(|error| match error.kind() {
            std::io::ErrorKind::NotFound => refused("there is no such file"),
            _ => refused(&error.to_string()),
        })?;
        if bytes.len() > LIMIT {
            return Err(refused("it is too large"));
        }
        let text = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8"))?;
        Ok(Self { name, text })
    }

    /// Compose's own reader is strict where the source-aware one is lenient: a strict, bounded reader looks first.
    pub(super) fn check_syntax(&self) -> Result<(), Problem> {
        let Err(error) = serde_saphyr::from_str::<serde::de::IgnoredAny>(&self.text) else { return Ok(()) };
        let error = error.without_snippet();
        let (line, column) = error
            .location()
            .map_or((1, 1), |place| (usize::try_from(place.line()).unwrap_or(1), usize::try_from(place.column()).unwrap_or(1)));
        let said = error.to_string();
        let reason = said.split(" at line ").next().unwrap_or(&said).split(", set DuplicateKeyPolicy").next().unwrap_or(&said);
        let start = offset(&self.text, line, column);
        let rest = &self.text[start..];
        let length = rest.chars().next().filter(|first| *first != '\n').map_or(0, char::len_utf8);
        Err(Problem::new(format!("`{}` is not valid YAML: {reason}", self.name))
            .pointing(&self.name, &self.text, start..start + length, reason)
            .with_help("indent with blanks, the same number for all lines of one block; put a value with `: ` or `#` in quotes"))
    }
}

/// The override files that compose would look for beside a compose file.
pub(super) fn overrides(file: &Path) -> Vec<PathBuf> {
    let Some(stem) = file.file_stem().and_then(|stem| stem.to_str()) else { return Vec::new() };
    ["yml", "yaml"].iter().map(|extension| file.with_file_name(format!("{stem}.override.{extension}"))).collect()
}

/// The byte offset of a line and column, both from 1, the column in characters.
fn offset(text: &str, line: usize, column: usize) -> usize {
    let mut start = 0;
    for _ in 1..line {
        match text[start..].find('\n') {
            Some(end) => start += end + 1,
            None => return text.len(),
        }
    }
    let within = text[start..].split('\n').next().unwrap_or_default();
    start + within.char_indices().nth(column.saturating_sub(1)).map_or(within.len(), |(index, _)| index)
}
