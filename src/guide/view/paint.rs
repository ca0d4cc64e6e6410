//! What things look like: the terminal's own 16 colours and the modifiers, so that a light terminal and a dark one both do.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};

use crate::highlight::Ink;
use crate::report::Look;
use crate::typeset::{self, Face, Role};

/// What a piece of text is meant to say by its look. No meaning is carried by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tone {
    /// Nothing in particular.
    Bare,
    /// It stands out.
    Strong,
    /// Of lesser weight.
    Dim,
    /// As it should be.
    Good,
    /// Not as it should be.
    Bad,
    /// To be looked at; or nobody could look.
    Warn,
    /// What can be pressed, and what the keys are bound to.
    Accent,
}

/// Turns meanings into styles.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Paint {
    pub(super) look: Look,
}

impl Paint {
    pub(super) fn tone(self, tone: Tone) -> Style {
        match tone {
            Tone::Bare => Style::new(),
            Tone::Strong => Style::new().add_modifier(Modifier::BOLD),
            Tone::Dim => Style::new().add_modifier(Modifier::DIM),
            Tone::Good => self.colour(Color::Green, Modifier::BOLD),
            Tone::Bad => self.colour(Color::Red, Modifier::BOLD),
            Tone::Warn => self.colour(Color::Yellow, Modifier::BOLD),
            Tone::Accent => self.colour(Color::Cyan, Modifier::empty()).add_modifier(Modifier::BOLD),
        }
    }

    /// A colour, or what stands for it where there is none.
    fn colour(self, colour: Color, otherwise: Modifier) -> Style {
        if self.look.colour { Style::new().fg(colour) } else { Style::new().add_modifier(otherwise) }
    }

    pub(super) fn span(self, tone: Tone, text: impl Into<String>) -> Span<'static> {
        Span::styled(text.into(), self.tone(tone))
    }

    pub(super) fn sign(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        self.look.sign(unicode, ascii)
    }

    /// A face of set text. Code keeps its marks where there is no colour: see [`Self::setting`].
    fn face(self, face: Face) -> Style {
        let mut style = match face.role {
            Role::Body => Style::new(),
            Role::Heading(1 | 2) => self.tone(Tone::Accent),
            Role::Heading(_) => self.tone(Tone::Strong),
            Role::Code => self.colour(Color::Cyan, Modifier::empty()),
            Role::Ink(ink) => self.ink(ink),
            Role::Link => self.colour(Color::Blue, Modifier::empty()).add_modifier(Modifier::UNDERLINED),
            Role::Quote => Style::new().add_modifier(Modifier::ITALIC),
            Role::Sign | Role::Dim => self.tone(Tone::Dim),
        };
        for (set, modifier) in
            [(face.strong, Modifier::BOLD), (face.emphasis, Modifier::ITALIC), (face.struck, Modifier::CROSSED_OUT)]
        {
            if set {
                style = style.add_modifier(modifier);
            }
        }
        style
    }

    /// As the reports paint code: green and red are kept for what comes and goes.
    fn ink(self, ink: Ink) -> Style {
        match ink {
            Ink::Plain => Style::new(),
            Ink::Comment => self.tone(Tone::Dim),
            Ink::Keyword => self.colour(Color::Magenta, Modifier::BOLD),
            Ink::Text => self.colour(Color::Yellow, Modifier::empty()),
            Ink::Value => self.colour(Color::Cyan, Modifier::empty()),
            Ink::Name | Ink::Key => self.colour(Color::Blue, Modifier::empty()),
        }
    }

    /// A line of set text.
    pub(super) fn set(self, line: &typeset::Line) -> Line<'static> {
        line.pieces.iter().map(|piece| Span::styled(piece.text.clone(), self.face(piece.face))).collect::<Vec<_>>().into()
    }

    /// How Markdown is set in so many columns.
    pub(super) fn setting(self, width: usize) -> typeset::Setting {
        typeset::Setting { width, unicode: self.look.unicode, marks: !self.look.colour }
    }

    /// What moves while something runs.
    pub(super) fn moving(self, ticks: u64) -> &'static str {
        const DOTS: [&str; 10] = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];
        const BARS: [&str; 4] = ["-", "\\", "|", "/"];
        let frames: &[&str] = if self.look.unicode { &DOTS } else { &BARS };
        usize::try_from(ticks % frames.len() as u64).map_or("", |at| frames[at])
    }
}

/// A title's text without Markdown's marks, in one line.
pub(super) fn plain(markdown: &str) -> String {
    let setting = typeset::Setting { width: 10_000, unicode: true, marks: false };
    let lines = typeset::typeset(markdown, setting).lines;
    lines.iter().map(typeset::Line::text).collect::<Vec<_>>().join(" ").trim().to_owned()
}
