use console::{Color, Style};

use super::Look;
use crate::typeset::{Face, Role, Setting, Sheet};

impl Look {
    /// What Markdown is set for on such a page. Without colour there are no other faces either, so Markdown's own marks stay.
    #[must_use]
    pub fn setting(self) -> Setting {
        Setting { width: self.width, unicode: self.unicode, marks: !self.colour }
    }

    /// A piece of set text in its face: one of the terminal's own colours, so that it suits a light one and a dark one.
    fn face(self, face: Face, text: &str) -> String {
        let style = match face.role {
            Role::Body | Role::Quote | Role::Heading(_) => Style::new(),
            Role::Code => Style::new().fg(Color::Cyan),
            Role::Link => Style::new().fg(Color::Blue).underlined(),
            Role::Sign | Role::Dim => Style::new().dim(),
            Role::Ink(ink) => return self.ink(ink, text),
        };
        let faced = |style: Style, is: bool, with: fn(Style) -> Style| if is { with(style) } else { style };
        let style = faced(style, face.strong, Style::bold);
        let style = faced(style, face.emphasis, Style::italic);
        let style = faced(style, face.struck, Style::strikethrough);
        if self.colour && style != Style::new() { style.force_styling(true).apply_to(text).to_string() } else { text.to_owned() }
    }
}

/// A sheet as it is printed: each line with a line feed, in colour where the look has it.
#[must_use]
pub fn sheet(sheet: &Sheet, look: Look) -> String {
    let mut text = String::new();
    for line in &sheet.lines {
        for piece in &line.pieces {
            text.push_str(&look.face(piece.face, &piece.text));
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::typeset::typeset;

    const TEXT: &str =
        "# A `b`\n\n*em* **strong** ~~struck~~ [l](x.md)\n\n> quote\n\n- one\n\n```rust file=src/x.rs\nlet a = \"1\";\n```\n";

    #[test]
    fn colour_adds_nothing_but_colour() {
        let coloured = Look { width: 60, ..Look::BARE }.coloured(true);
        let set = typeset(TEXT, coloured.setting());
        let printed = sheet(&set, coloured);
        assert_eq!(console::strip_ansi_codes(&printed), set.text());
        assert_eq!(sheet(&set, coloured.coloured(false)), set.text());
        for painted in [
            "\u{1b}[3mem\u{1b}[0m",
            "\u{1b}[1mstrong\u{1b}[0m",
            "\u{1b}[9mstruck\u{1b}[0m",
            "\u{1b}[2m• \u{1b}[0mone",
            "\u{1b}[33m\"1\"\u{1b}[0m",
        ] {
            assert!(printed.contains(painted), "{painted:?} is not in {printed:?}");
        }
    }

    #[test]
    fn without_colour_the_marks_stay() {
        let set = typeset("`code` and *em*, **strong**", Look::BARE.setting());
        assert_eq!(sheet(&set, Look::BARE), "`code` and *em*, **strong**\n");
    }
}
