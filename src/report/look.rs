use std::io::IsTerminal;

use console::{Color, Style, Term};

use crate::highlight::Ink;

/// How a page for people looks: its width, whether it has colour, and whether its signs are Unicode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Look {
    /// Columns, from 60 to 100.
    pub width: usize,
    /// Whether text is coloured.
    pub colour: bool,
    /// Whether ticks, bars and rules are Unicode; else they are ASCII.
    pub unicode: bool,
}

/// What a piece of text is meant to say by its colour. No meaning is carried by colour alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    /// Met.
    Good,
    /// Not met.
    Bad,
    /// We could not look.
    Warn,
    /// Of lesser weight.
    Dim,
    /// A heading.
    Strong,
    /// Nothing in particular.
    Bare,
}

impl Look {
    /// The narrowest and the widest page.
    const WIDTHS: (usize, usize) = (60, 100);

    /// A page without colour, of the full width: for files and tests.
    pub const BARE: Self = Self { width: Self::WIDTHS.1, colour: false, unicode: true };

    /// The look that suits this process's stdout.
    #[must_use]
    pub fn of_stdout() -> Self {
        Self::detect(&std::io::stdout(), &Term::stdout())
    }

    /// The look that suits this process's stderr.
    #[must_use]
    pub fn of_stderr() -> Self {
        Self::detect(&std::io::stderr(), &Term::stderr())
    }

    fn detect(stream: &impl IsTerminal, term: &Term) -> Self {
        let columns = term.size_checked().map(|(_, columns)| usize::from(columns));
        Self::from_variables(|name| std::env::var(name).ok(), stream.is_terminal(), columns)
    }

    /// The look by the variables `NO_COLOR`, `CLICOLOR_FORCE`, `CLICOLOR`, `TERM`, `LC_ALL`, `LC_CTYPE` and `LANG`, for a stream that
    /// is a terminal or not, and is so many columns wide if that is known.
    #[must_use]
    pub fn from_variables(variable: impl Fn(&str) -> Option<String>, terminal: bool, columns: Option<usize>) -> Self {
        let set = |name: &str| variable(name).filter(|value| !value.is_empty());
        let term = set("TERM");
        let colour = if set("NO_COLOR").is_some() {
            false
        } else if set("CLICOLOR_FORCE").is_some_and(|value| value != "0") {
            true
        } else {
            terminal && set("CLICOLOR").is_none_or(|value| value != "0") && term.as_deref() != Some("dumb")
        };
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).map(|value| value.to_lowercase());
        // Without a locale the page most likely goes to a log, and those are UTF-8 today. The Linux console has few signs.
        let unicode = locale.is_none_or(|locale| locale.contains("utf-8") || locale.contains("utf8"))
            && !matches!(term.as_deref(), Some("linux" | "dumb"));
        // A terminal that does not know its size is most likely 80 columns wide.
        let width = columns.unwrap_or(if terminal { 80 } else { Self::WIDTHS.1 }).clamp(Self::WIDTHS.0, Self::WIDTHS.1);
        Self { width, colour, unicode }
    }

    /// The same look with colour or without, whatever the stream.
    #[must_use]
    pub fn coloured(self, colour: bool) -> Self {
        Self { colour, ..self }
    }

    /// A piece of code in its colour: one of the terminal's own, so that it suits a light one and a dark one. Green and red are
    /// kept for what comes and goes.
    pub(super) fn ink(self, ink: Ink, text: &str) -> String {
        let style = match ink {
            Ink::Plain => return text.to_owned(),
            Ink::Comment => Style::new().dim(),
            Ink::Keyword => Style::new().fg(Color::Magenta),
            Ink::Text => Style::new().fg(Color::Yellow),
            Ink::Value => Style::new().fg(Color::Cyan),
            Ink::Name | Ink::Key => Style::new().fg(Color::Blue),
        };
        style.force_styling(self.colour).apply_to(text).to_string()
    }

    /// The text in its colour.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        let style = match tone {
            Tone::Good => Style::new().fg(Color::Green),
            Tone::Bad => Style::new().fg(Color::Red),
            Tone::Warn => Style::new().fg(Color::Yellow),
            Tone::Dim => Style::new().dim(),
            Tone::Strong => Style::new().bold(),
            Tone::Bare => return text.to_owned(),
        };
        if text.is_empty() { String::new() } else { style.force_styling(self.colour).apply_to(text).to_string() }
    }

    /// The sign in Unicode, or its stand-in.
    pub const fn sign(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn look(variables: &[(&str, &str)], terminal: bool) -> Look {
        let find = |name: &str| variables.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned());
        Look::from_variables(find, terminal, None)
    }

    #[test]
    fn colour_obeys_the_conventions() {
        assert!(look(&[], true).colour);
        assert!(!look(&[], false).colour);
        assert!(!look(&[("NO_COLOR", "1")], true).colour);
        assert!(!look(&[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], true).colour);
        assert!(look(&[("NO_COLOR", "")], true).colour, "an empty NO_COLOR counts as unset");
        assert!(!look(&[("CLICOLOR", "0")], true).colour);
        assert!(look(&[("CLICOLOR_FORCE", "1")], false).colour);
        assert!(!look(&[("TERM", "dumb")], true).colour);
    }

    #[test]
    fn signs_follow_the_locale() {
        assert!(look(&[("LANG", "de_DE.UTF-8")], false).unicode);
        assert!(!look(&[("LANG", "C.UTF-8"), ("LC_ALL", "C")], false).unicode);
        assert!(look(&[], false).unicode);
        assert!(!look(&[("TERM", "linux"), ("LANG", "en_GB.utf8")], true).unicode);
    }

    #[test]
    fn the_width_has_bounds() {
        let widths = [Some(20), Some(80), Some(300), None].map(|columns| Look::from_variables(|_| None, false, columns).width);
        assert_eq!(widths, [60, 80, 100, 100]);
        assert_eq!(Look::from_variables(|_| None, true, None).width, 80);
    }
}
