use std::fmt;

use miette::{LabeledSpan, NamedSource, SourceCode};

/// A place in a file of the workspace.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    /// The file, as the learner knows it: relative to the workspace.
    pub file: String,
    /// The line, from 1.
    pub line: usize,
}

impl Place {
    /// The place of a byte offset in a text.
    pub(super) fn at(file: &str, text: &str, offset: usize) -> Self {
        let end = offset.min(text.len());
        let line = memchr::memchr_iter(b'\n', &text.as_bytes()[..end]).count() + 1;
        Self { file: file.to_owned(), line }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}:{}", self.file, self.line)
    }
}

/// Something wrong with a file of the workspace: what, where, and what to do about it.
///
/// Shown by `miette` with the source and a caret, except for files that hold keys (`.env`): of those only the line's
/// number is told.
#[derive(Debug, Clone, thiserror::Error)]
#[error("{}", .0.message)]
pub struct Problem(Box<Details>);

#[derive(Debug, Clone)]
struct Details {
    message: String,
    help: Option<String>,
    place: Option<Place>,
    source_text: Option<NamedSource<String>>,
    label: Option<LabeledSpan>,
    related: Vec<Problem>,
}

impl Problem {
    /// A problem with a file as a whole.
    pub(super) fn new(message: impl Into<String>) -> Self {
        Self(Box::new(Details {
            message: message.into(),
            help: None,
            place: None,
            source_text: None,
            label: None,
            related: Vec::new(),
        }))
    }

    /// Says what to do about it.
    pub(super) fn with_help(mut self, help: impl Into<String>) -> Self {
        self.0.help = Some(help.into());
        self
    }

    /// Points into the source: it is shown, with a caret and a label.
    pub(super) fn pointing(mut self, file: &str, text: &str, span: std::ops::Range<usize>, label: impl Into<String>) -> Self {
        let start = floor_char(text, span.start);
        let end = floor_char(text, span.end).max(start);
        self.0.place = Some(Place::at(file, text, start));
        self.0.source_text = Some(NamedSource::new(file, text.to_owned()));
        self.0.label = Some(LabeledSpan::new(Some(label.into()), start, end - start));
        self
    }

    /// Names a line without showing it: for files that hold keys.
    pub(super) fn at_line(mut self, file: &str, line: usize) -> Self {
        self.0.place = Some(Place { file: file.to_owned(), line });
        self
    }

    /// Adds further problems of the same file.
    pub(super) fn with_related(mut self, related: Vec<Problem>) -> Self {
        self.0.related = related;
        self
    }

    /// What to do about it.
    #[must_use]
    pub fn help(&self) -> Option<&str> {
        self.0.help.as_deref()
    }

    /// Where it is, if it is at one place.
    #[must_use]
    pub fn place(&self) -> Option<&Place> {
        self.0.place.as_ref()
    }

    /// The words at the caret.
    #[must_use]
    pub fn label(&self) -> Option<&str> {
        self.0.label.as_ref().and_then(LabeledSpan::label)
    }
}

impl miette::Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.0.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.0.source_text.as_ref().map(|source| source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        self.0.label.clone().map(|label| Box::new(std::iter::once(label)) as Box<dyn Iterator<Item = LabeledSpan>>)
    }

    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn miette::Diagnostic> + 'a>> {
        if self.0.related.is_empty() {
            return None;
        }
        Some(Box::new(self.0.related.iter().map(|problem| problem as &dyn miette::Diagnostic)))
    }
}

/// The nearest of the known words, if one is near enough to be what was meant.
pub(super) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let near = |candidate: &str| {
        let slips = strsim::damerau_levenshtein(word, candidate);
        (slips <= 1 + candidate.len() / 4 || strsim::jaro_winkler(word, candidate) >= 0.85).then_some(slips)
    };
    known.into_iter().filter_map(|candidate| Some((near(candidate)?, candidate))).min().map(|(_, candidate)| candidate)
}

/// Words as a sentence lists them: `a`, `b` and `c`.
pub(super) fn listed<'a>(words: impl IntoIterator<Item = &'a str>) -> String {
    let words: Vec<String> = words.into_iter().map(|word| format!("`{word}`")).collect();
    match words.as_slice() {
        [] => String::from("nothing"),
        [only] => only.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

/// The last character boundary at or before an offset.
fn floor_char(text: &str, offset: usize) -> usize {
    let mut offset = offset.min(text.len());
    while !text.is_char_boundary(offset) {
        offset -= 1;
    }
    offset
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_counted_from_one_and_bounded() {
        assert_eq!(Place::at("a", "x\ny\n", 2).to_string(), "a:2");
        assert_eq!(Place::at("a", "é", 1).line, 1);
        assert_eq!(Place::at("a", "x\n", 99).line, 2);
    }

    #[test]
    fn a_near_word_is_found_and_a_far_one_is_not() {
        assert_eq!(nearest("backnd", ["frontend", "backend"]), Some("backend"));
        assert_eq!(nearest("zzz", ["frontend", "backend"]), None);
        assert_eq!(listed(["a", "b", "c"]), "`a`, `b` and `c`");
    }
}
