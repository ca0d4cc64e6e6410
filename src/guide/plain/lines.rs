use console::{measure_text_width, strip_ansi_codes};

use crate::report::text::{clean, keep_colour, one_line, wrap};
use crate::report::{Look, Tone, sheet};
use crate::typeset::{Face, Line, Piece, Role, Setting, Sheet, typeset};

/// The rest of a line that is too long is indented by so much more.
const HANGING: usize = 2;

/// Lines that are being written: none wider than the look.
pub(super) struct Lines {
    pub look: Look,
    pub text: String,
}

impl Lines {
    pub fn new(look: Look) -> Self {
        Self { look, text: String::new() }
    }

    /// An empty line, unless one was written just before.
    pub fn part(&mut self) {
        if !self.text.ends_with("\n\n") && self.text != "\n" {
            self.text.push('\n');
        }
    }

    /// A paragraph.
    pub fn say(&mut self, text: &str) {
        self.paragraph(0, 0, Tone::Bare, text);
    }

    /// A heading, after an empty line.
    pub fn head(&mut self, text: &str) {
        self.part();
        self.paragraph(0, 0, Tone::Strong, text);
    }

    /// `Label: text`, what is too long for a line indented beneath it. The label alone has the tone.
    pub fn label(&mut self, indent: usize, tone: Tone, label: &str, text: &str) {
        let label = self.look.paint(tone, label);
        self.paragraph(indent, HANGING, Tone::Bare, &format!("{label}: {}", one_line(text)));
    }

    /// An item of a list.
    pub fn item(&mut self, indent: usize, text: &str) {
        self.paragraph(indent, HANGING, Tone::Bare, &one_line(text));
    }

    fn paragraph(&mut self, indent: usize, hanging: usize, tone: Tone, text: &str) {
        for (index, line) in wrap(text, self.look.width.saturating_sub(indent + hanging)).into_iter().enumerate() {
            let indent = if index == 0 { indent } else { indent + hanging };
            self.push(indent, &self.look.paint(tone, &line));
        }
    }

    /// A line as it was printed by a program, with its indentation, and with its colours where the look has any. One that is too
    /// long goes on in the next line.
    pub fn quote(&mut self, indent: usize, line: &str) {
        let fits = |line: &str| measure_text_width(line) + indent <= self.look.width;
        let bare = clean(line);
        let line = if self.look.colour { keep_colour(line) } else { bare.clone() };
        if fits(&line) && !line.contains('\n') {
            return self.push(indent, line.trim_end());
        }
        for line in bare.lines() {
            let room = self.look.width.saturating_sub(indent).max(1);
            let mut piece = String::new();
            for next in strip_ansi_codes(line).chars() {
                piece.push(next);
                if measure_text_width(&piece) > room {
                    piece.pop();
                    self.push(indent, piece.trim_end());
                    piece = next.to_string();
                }
            }
            self.push(indent, piece.trim_end());
        }
    }

    /// A line that is to be copied: exactly as it is, but for what would move the cursor.
    pub fn exact(&mut self, line: &str) {
        self.push(0, &clean(line));
    }

    /// Markdown.
    pub fn markdown(&mut self, text: &str) {
        // Rules and boxes are read aloud sign by sign: what is left is ASCII, and `spoken` takes the rules out.
        let setting = Setting { unicode: false, ..self.look.setting() };
        let page = spoken(typeset(text, setting));
        if !page.lines.is_empty() {
            self.part();
        }
        self.text.push_str(&sheet(&page, self.look));
    }

    fn push(&mut self, indent: usize, line: &str) {
        if !line.is_empty() {
            self.text.extend(std::iter::repeat_n(' ', indent));
        }
        self.text.push_str(line);
        self.text.push('\n');
    }
}

/// A sheet without its rules: a line that is nothing else goes, and what stood in one stands alone. The caption of a block of code
/// is told as such.
fn spoken(sheet: Sheet) -> Sheet {
    let is_rule = |piece: &Piece| {
        let text = piece.text.trim();
        // A single dash is a bullet.
        let rules = !text.is_empty() && text != "-" && text.chars().all(|sign| matches!(sign, '-' | '=' | ' '));
        piece.face.role == Role::Sign && rules
    };
    let mut left = Sheet::default();
    for line in sheet.lines {
        let had = line.pieces.len();
        let mut pieces: Vec<Piece> = line.pieces.into_iter().filter(|piece| !is_rule(piece)).collect();
        if pieces.is_empty() && had > 0 {
            continue;
        }
        if pieces.len() < had && pieces.iter().all(|piece| piece.face.role == Role::Dim) {
            pieces.push(Piece::new(":", Face::of(Role::Dim)));
        }
        if pieces.is_empty() { left.part() } else { left.push(Line { pieces }) }
    }
    while left.lines.last().is_some_and(|line| line.pieces.is_empty()) {
        left.lines.pop();
    }
    left
}
