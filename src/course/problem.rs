use std::fmt;
use std::ops::Range;
use std::sync::Arc;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode};

/// A file that an author writes, as problems quote it.
#[derive(Debug, Clone)]
pub(crate) struct Page {
    /// From the source's root: `lessons/week2/3-x-ray.md`.
    pub file: String,
    /// What it holds.
    pub text: Arc<str>,
}

impl Page {
    pub(crate) fn new(file: impl Into<String>, text: impl Into<Arc<str>>) -> Self {
        Self { file: file.into(), text: text.into() }
    }

    /// The line, from 1, in which the byte stands.
    pub(crate) fn line(&self, offset: usize) -> usize {
        line_of(&self.text, offset)
    }

    /// A problem at this place.
    pub(crate) fn problem(&self, span: Range<usize>, message: impl Into<String>, label: impl Into<String>) -> Problem {
        let end = span.end.min(self.text.len());
        let span = span.start.min(end)..end;
        Problem {
            message: message.into(),
            line: self.line(span.start),
            label: LabeledSpan::new(Some(label.into()), span.start, span.len()),
            source: NamedSource::new(&self.file, Arc::clone(&self.text)),
            help: None,
        }
    }
}

fn line_of(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    memchr::memchr_iter(b'\n', before).count() + 1
}

/// One mistake in a lesson, a check file or a solution: what is wrong, where, and what to do.
#[derive(Debug, Clone)]
pub struct Problem {
    message: String,
    line: usize,
    label: LabeledSpan,
    source: NamedSource<Arc<str>>,
    help: Option<String>,
}

impl Problem {
    /// The same, with a remedy.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// The same, with a remedy where there is one.
    pub(crate) fn maybe_help(mut self, help: Option<impl Into<String>>) -> Self {
        self.help = help.map(Into::into);
        self
    }

    /// The file, from the source's root.
    #[must_use]
    pub fn file(&self) -> &str {
        self.source.name()
    }

    /// The line, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.line
    }

    /// The column, from 1, in characters.
    #[must_use]
    pub fn column(&self) -> usize {
        let before = self.source.inner().get(..self.label.offset()).unwrap_or_default();
        before.rsplit('\n').next().unwrap_or_default().chars().count() + 1
    }

    /// What stands at the caret's end.
    #[must_use]
    pub fn label(&self) -> &str {
        self.label.label().unwrap_or_default()
    }

    /// What to do.
    #[must_use]
    pub fn remedy(&self) -> Option<&str> {
        self.help.as_deref()
    }

    /// Where it stands in the file, in bytes.
    #[must_use]
    pub fn span(&self) -> Range<usize> {
        self.label.offset()..self.label.offset() + self.label.len()
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.message)
    }
}

impl std::error::Error for Problem {}

impl Diagnostic for Problem {
    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        Some(&self.source)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        Some(Box::new(std::iter::once(self.label.clone())))
    }
}

/// All that is wrong with a course, by file and line. Each is shown on its own; see [`Problem`].
#[derive(Debug, Clone)]
pub struct Problems {
    course: String,
    problems: Vec<Problem>,
}

impl Problems {
    pub(crate) fn new(course: &str, mut problems: Vec<Problem>) -> Self {
        problems.sort_by(|left, right| (left.file(), left.span().start).cmp(&(right.file(), right.span().start)));
        Self { course: course.to_owned(), problems }
    }

    /// The problems, by file and line; at least one.
    pub fn iter(&self) -> impl Iterator<Item = &Problem> {
        self.problems.iter()
    }
}

impl fmt::Display for Problems {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.problems.len() {
            1 => write!(formatter, "the course `{}` has a problem", self.course),
            count => write!(formatter, "the course `{}` has {count} problems", self.course),
        }
    }
}

impl std::error::Error for Problems {}

impl Diagnostic for Problems {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        Some(Box::new(self.problems.iter().map(|problem| problem as &dyn Diagnostic)))
    }
}
