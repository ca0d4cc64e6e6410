//! Markdown as lines of styled text for a terminal.
//!
//! [`typeset`] is pure: a text and a [`Setting`] make a [`Sheet`] of [`Line`]s, each cut into [`Piece`]s that say what they are
//! ([`Face`]), not how they look. What prints them chooses the colours. It reads the Markdown of code hosts: tables, task lists,
//! struck text and footnotes included; of HTML only the text stays.
//!
//! Three stages, a file each: `tree` (a parser's events become `node`s, nested no deeper than a bound), `flow` with `table` and `code`
//! (nodes become lines), `wrap` (a paragraph's text is broken at a width). No line is wider than the setting's width, unless a
//! single grapheme is; and no text is left out.

mod clean;
mod code;
mod flow;
mod html;
mod node;
mod table;
mod tree;
mod wrap;

#[cfg(test)]
mod tests;

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use crate::highlight::Ink;

pub use clean::{clean, keep_colour};

/// What a text is set for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// Columns; none counts as one.
    pub width: usize,
    /// Whether bullets, rules and bars are Unicode; else they are ASCII.
    pub unicode: bool,
    /// Whether code, emphasis and struck text keep Markdown's own marks (`` ` ``, `*`, `~~`): for where neither colour nor another
    /// face can tell them.
    pub marks: bool,
}

/// A text, set.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sheet {
    /// Its lines, from the top.
    pub lines: Vec<Line>,
    /// Its code blocks, in order.
    pub blocks: Vec<Block>,
    /// Where its links stand, in order; one that goes over two lines is there twice.
    pub links: Vec<Link>,
}

/// A line. An empty one has no pieces.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Line {
    /// From the left. None is empty.
    pub pieces: Vec<Piece>,
}

/// A stretch of a line in one face.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// Without line breaks, tabs, control characters and terminal escapes.
    pub text: String,
    /// What it is.
    pub face: Face,
}

/// What a stretch of text is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub struct Face {
    /// Its part in the page.
    pub role: Role,
    /// `**strong**`; headings and a table's head are so, too.
    pub strong: bool,
    /// `*emphasis*`.
    pub emphasis: bool,
    /// `~~struck~~`.
    pub struck: bool,
}

/// The part that a stretch of text has in the page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Role {
    /// Running text.
    #[default]
    Body,
    /// A heading, and its level from 1 to 6.
    Heading(u8),
    /// Code in running text.
    Code,
    /// Code in a block.
    Ink(Ink),
    /// The text of a link.
    Link,
    /// Running text that is quoted.
    Quote,
    /// Not text, but its arrangement: bullets, numbers, rules, bars, the sign before the rest of a long line of code.
    Sign,
    /// Text of lesser weight: the name above a block of code, the address behind a link.
    Dim,
}

/// A block of code.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Where its code stands in the sheet, without its caption.
    pub lines: Range<usize>,
    /// The code as it was written, with its last line feed.
    pub code: String,
    /// The first word after the fence: `rust`, `sh`; empty where there is none.
    pub language: String,
    /// What follows `file=` after the fence.
    pub file: Option<String>,
}

/// A place that leads somewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where to, as it was written: `https://…`, `3-x-ray.md`, `#a-key`.
    pub url: String,
    /// The line in the sheet.
    pub line: usize,
    /// The columns of its text in that line.
    pub columns: Range<usize>,
}

/// Sets a text of Markdown in lines.
#[must_use]
pub fn typeset(markdown: &str, setting: Setting) -> Sheet {
    let tree = tree::grow(markdown);
    let measure = flow::Measure { width: setting.width.max(1), unicode: setting.unicode, marks: setting.marks, urls: &tree.urls };
    flow::flow(&tree.nodes, measure, flow::Within::default())
}

impl Face {
    /// A face with nothing but its role.
    #[must_use]
    pub const fn of(role: Role) -> Self {
        Self { role, strong: false, emphasis: false, struck: false }
    }

    /// The same, strong.
    #[must_use]
    pub const fn strong(self) -> Self {
        Self { strong: true, ..self }
    }
}

impl Piece {
    /// A piece of text in a face.
    #[must_use]
    pub fn new(text: impl Into<String>, face: Face) -> Self {
        Self { text: text.into(), face }
    }

    fn sign(text: impl Into<String>) -> Self {
        Self::new(text, Face::of(Role::Sign))
    }
}

impl Line {
    /// A line of one piece.
    #[must_use]
    pub fn of(piece: Piece) -> Self {
        let mut line = Self::default();
        line.push(piece);
        line
    }

    /// Its text.
    #[must_use]
    pub fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// The columns that it takes.
    #[must_use]
    pub fn width(&self) -> usize {
        columns(&self.text())
    }

    /// Adds a piece at its end.
    pub fn push(&mut self, piece: Piece) {
        if piece.text.is_empty() {
            return;
        }
        match self.pieces.last_mut() {
            Some(last) if last.face == piece.face => last.text.push_str(&piece.text),
            _ => self.pieces.push(piece),
        }
    }

    /// Takes the blanks off its end.
    fn trim(&mut self) {
        while let Some(last) = self.pieces.last_mut() {
            last.text.truncate(last.text.trim_end_matches(' ').len());
            if !last.text.is_empty() {
                return;
            }
            self.pieces.pop();
        }
    }
}

impl Sheet {
    /// Its text, each line with a line feed.
    #[must_use]
    pub fn text(&self) -> String {
        self.lines.iter().flat_map(|line| [line.text(), String::from("\n")]).collect()
    }

    /// Adds a line.
    pub fn push(&mut self, line: Line) {
        self.lines.push(line);
    }

    /// Adds an empty line, unless the sheet is empty or ends with one.
    pub fn part(&mut self) {
        if self.lines.last().is_some_and(|line| !line.pieces.is_empty()) {
            self.lines.push(Line::default());
        }
    }

    /// Adds the lines of another beneath its own.
    pub fn append(&mut self, other: Self) {
        let above = self.lines.len();
        self.lines.extend(other.lines);
        self.blocks.extend(
            other.blocks.into_iter().map(|block| Block { lines: block.lines.start + above..block.lines.end + above, ..block }),
        );
        self.links.extend(other.links.into_iter().map(|link| Link { line: link.line + above, ..link }));
    }

    /// Puts a piece before its first line, and one before each other line.
    fn shift(&mut self, first: &Piece, rest: &Piece) {
        for (index, line) in self.lines.iter_mut().enumerate() {
            let mut whole = Line::of(if index == 0 { first.clone() } else { rest.clone() });
            for piece in line.pieces.drain(..) {
                whole.push(piece);
            }
            whole.trim();
            *line = whole;
        }
        for link in &mut self.links {
            let by = columns(if link.line == 0 { &first.text } else { &rest.text });
            link.columns = link.columns.start + by..link.columns.end + by;
        }
    }
}

/// The columns that a text takes: its graphemes are what a terminal advances by.
fn columns(text: &str) -> usize {
    text.graphemes(true).map(UnicodeWidthStr::width).sum()
}
