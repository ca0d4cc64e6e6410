//! The lesson: what is read. Set once for a step, a width and so many hints; a frame then only looks at what is in sight.

use std::fmt::Write as _;
use std::ops::Range;

use ratatui::text::{Line, Span};

use super::paint::{Paint, Tone};
use crate::course::{Lesson, Step};
use crate::guide::{Command, Guide, Snippet};
use crate::typeset::{Role, Sheet, typeset};

/// Text is not set wider than this: longer lines are hard to read.
const MEASURE: usize = 100;

/// The set lesson of one step.
#[derive(Debug)]
pub(super) struct Page {
    key: Key,
    pub(super) lines: Vec<Line<'static>>,
    blocks: Vec<Block>,
    /// The lines that can be clicked.
    pub(super) commands: Vec<(usize, Command)>,
}

/// What a page was set for.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Key {
    course: String,
    step: String,
    width: usize,
    hints: usize,
}

/// A block of code in its place.
#[derive(Debug)]
struct Block {
    lines: Range<usize>,
    /// The line above it that names it, and the column behind the name, where there is such a line.
    caption: Option<(usize, usize)>,
    snippet: Snippet,
}

/// The code block that is in sight.
pub(super) struct InSight<'a> {
    pub(super) snippet: &'a Snippet,
    /// The line that names it, and the columns of it that are in use.
    pub(super) caption: Option<(usize, usize)>,
}

impl Page {
    /// The page of the current step: the one that is there, if it is the same still.
    pub(super) fn of(cached: Option<Self>, guide: &Guide, paint: Paint, width: usize) -> Self {
        let width = width.min(MEASURE);
        let key = Key { course: guide.course.id.clone(), step: guide.path().to_owned(), width, hints: guide.hints_shown() };
        match cached {
            Some(page) if page.key == key => page,
            _ => Self::set(key, guide, paint),
        }
    }

    fn set(key: Key, guide: &Guide, paint: Paint) -> Self {
        let mut sheet = Sheet::default();
        let mut add = |markdown: &str| {
            sheet.part();
            sheet.append(typeset(markdown, paint.setting(key.width)));
        };
        let Some((lesson, step)) = guide.step() else {
            add(&format!("# {}\n\nThis course has no steps yet.\n\n{}", guide.course.title, guide.course.intro));
            return Self::painted(key, &sheet, paint);
        };
        add(&text(lesson, step));
        for (index, hint) in step.hints.iter().take(key.hints).enumerate() {
            let summary = hint.summary.split_whitespace().collect::<Vec<_>>().join(" ");
            add(&format!("### Hint {} of {}: {summary}\n\n{}", index + 1, step.hints.len(), hint.text));
        }
        let mut page = Self::painted(key, &sheet, paint);
        page.more_hints(step, paint);
        page
    }

    fn painted(key: Key, sheet: &Sheet, paint: Paint) -> Self {
        let dash = paint.sign("─", "-");
        let caption = |begin: usize| {
            let above = begin.checked_sub(1)?;
            let pieces = sheet.lines.get(above).map(|line| line.pieces.as_slice())?;
            let [.., name, rule] = pieces else { return None };
            let is_rule = rule.face.role == Role::Sign && rule.text.ends_with(dash) && name.face.role == Role::Dim;
            let used = sheet.lines[above].width() - rule.text.chars().count();
            is_rule.then_some((above, used))
        };
        let blocks = sheet.blocks.iter().map(|block| {
            let language = if block.language.is_empty() { "code" } else { block.language.as_str() };
            let name = block.file.clone().unwrap_or_else(|| language.to_owned());
            let snippet = Snippet { code: block.code.clone(), name };
            Block { lines: block.lines.clone(), caption: caption(block.lines.start), snippet }
        });
        let blocks = blocks.collect();
        Self { key, lines: sheet.lines.iter().map(|line| paint.set(line)).collect(), blocks, commands: Vec::new() }
    }

    /// What there is beyond the hints that were shown.
    fn more_hints(&mut self, step: &Step, paint: Paint) {
        let left = step.hints.len() - self.key.hints.min(step.hints.len());
        if step.hints.is_empty() {
            return;
        }
        let (command, key, words) = match (left, self.key.hints) {
            (0, _) => (Command::Solution, "s", String::from("these are all the hints; the solution")),
            (1, 0) => (Command::Hint, "h", String::from("a hint")),
            (1, _) => (Command::Hint, "h", String::from("one more hint")),
            (_, 0) => (Command::Hint, "h", format!("a hint, the first of {left}")),
            _ => (Command::Hint, "h", format!("{left} more hints")),
        };
        self.lines.push(Line::default());
        self.commands.push((self.lines.len(), command));
        let spans: Vec<Span<'static>> = vec![paint.span(Tone::Accent, key), paint.span(Tone::Dim, format!("  {words}"))];
        self.lines.push(Line::from(spans));
    }

    /// The first code block of which something is seen.
    pub(super) fn in_sight(&self, seen: &Range<usize>) -> Option<InSight<'_>> {
        let block = self.blocks.iter().find(|block| block.lines.start < seen.end && seen.start < block.lines.end)?;
        Some(InSight { snippet: &block.snippet, caption: block.caption })
    }
}

/// The Markdown of a step; a lesson's own words stand before its first one.
fn text(lesson: &Lesson, step: &Step) -> String {
    let mut text = String::new();
    if lesson.steps.first().is_some_and(|first| first.path == step.path) {
        let _ = writeln!(text, "# {} {}\n\n{}\n", lesson.number, lesson.title, lesson.intro);
    }
    let _ = writeln!(text, "## {} {}\n\n{}", step.number, step.title, step.body);
    text
}
