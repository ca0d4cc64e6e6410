//! The lines of a pane, before they are drawn.

use ratatui::style::Style;
use ratatui::text::{Line, Span};

use super::paint::{Paint, Tone};
use crate::guide::Command;
use crate::report::text::{bounded, shorten, wrap};
use crate::typeset::typeset;

/// No single value takes more of a pane than so many characters: the reports have all of it.
const LONGEST_VALUE: usize = 400;

/// Lines that grow from the top, of one width.
#[derive(Debug, Clone)]
pub(super) struct Rows {
    pub(super) paint: Paint,
    pub(super) width: usize,
    pub(super) lines: Vec<Line<'static>>,
    /// The lines that can be clicked.
    pub(super) commands: Vec<(usize, Command)>,
}

impl Rows {
    pub(super) fn new(paint: Paint, width: usize) -> Self {
        Self { paint, width, lines: Vec::new(), commands: Vec::new() }
    }

    /// An empty line, unless there is one already.
    pub(super) fn part(&mut self) {
        if self.lines.last().is_some_and(|line| !line.spans.is_empty()) {
            self.lines.push(Line::default());
        }
    }

    /// An empty line.
    pub(super) fn part_always(&mut self) {
        self.lines.push(Line::default());
    }

    /// One line, as it is.
    pub(super) fn line(&mut self, spans: Vec<Span<'static>>) {
        self.lines.push(Line::from(spans));
    }

    /// The line that comes next does this where it is clicked.
    pub(super) fn on_click(&mut self, command: Command) {
        self.commands.push((self.lines.len(), command));
    }

    /// Text that is wrapped beneath itself, behind what leads it.
    pub(super) fn hung(&mut self, lead: Vec<Span<'static>>, tone: Tone, text: &str) {
        let start = width(&lead);
        let style = self.paint.tone(tone);
        let lines = wrap(text, self.width.saturating_sub(start));
        self.beneath(lead, start, lines.into_iter().map(|line| Line::from(Span::styled(line, style))));
    }

    /// The same for Markdown; `after` is said behind it.
    pub(super) fn hung_markdown(&mut self, lead: Vec<Span<'static>>, style: Style, markdown: &str, after: Option<Span<'static>>) {
        let start = width(&lead);
        let room = self.width.saturating_sub(start);
        let sheet = typeset(markdown, self.paint.setting(room));
        let mut lines: Vec<Line<'static>> = sheet.lines.iter().map(|line| self.paint.set(line).patch_style(style)).collect();
        if let Some(after) = after {
            match lines.last_mut().filter(|line| line.width() + 1 + after.width() < room) {
                Some(last) => last.spans.extend([Span::raw("  "), after]),
                None => lines.push(Line::from(after)),
            }
        }
        self.beneath(lead, start, lines.into_iter());
    }

    fn beneath(&mut self, lead: Vec<Span<'static>>, start: usize, lines: impl Iterator<Item = Line<'static>>) {
        let mut lead = Some(lead);
        for line in lines {
            let mut spans = lead.take().unwrap_or_else(|| vec![Span::raw(" ".repeat(start))]);
            spans.extend(line.spans.into_iter().map(|span| span.patch_style(line.style)));
            self.lines.push(Line::from(spans));
        }
        if let Some(lead) = lead {
            self.lines.push(Line::from(lead));
        }
    }

    /// Text in as many lines as it takes.
    pub(super) fn paragraph(&mut self, indent: usize, tone: Tone, text: &str) {
        self.hung(vec![Span::raw(" ".repeat(indent))], tone, text);
    }

    /// A value behind its label: `expected  a span …`.
    pub(super) fn labelled(&mut self, indent: usize, label: &str, wide: usize, tone: Tone, value: &str) {
        let value = bounded(value, LONGEST_VALUE);
        let value = if value.trim().is_empty() { "(nothing)" } else { value.as_str() };
        // Where a label would leave no room, the value stands beneath it.
        if indent + wide + 12 > self.width {
            self.paragraph(indent, Tone::Dim, label);
            self.paragraph(indent + 1, tone, value);
        } else {
            self.hung(vec![Span::raw(" ".repeat(indent)), self.paint.span(Tone::Dim, format!("{label:wide$}"))], tone, value);
        }
    }

    /// Text in one line, with an ellipsis where something is left out.
    pub(super) fn clipped(&mut self, indent: usize, tone: Tone, text: &str) {
        let text = shorten(text, self.width.saturating_sub(indent), self.paint.sign("…", "..."));
        self.line(vec![Span::raw(" ".repeat(indent)), self.paint.span(tone, text)]);
    }

    /// Leaves the empty lines out: room is short.
    pub(super) fn tighten(&mut self) {
        let mut kept = 0;
        let places: Vec<usize> = self.lines.iter().map(|line| (kept, kept += usize::from(!line.spans.is_empty())).0).collect();
        for (line, _) in &mut self.commands {
            *line = places.get(*line).copied().unwrap_or(*line);
        }
        self.lines.retain(|line| !line.spans.is_empty());
    }

    /// All of another's lines.
    pub(super) fn append(&mut self, other: Self) {
        let above = self.lines.len();
        self.commands.extend(other.commands.into_iter().map(|(line, command)| (line + above, command)));
        self.lines.extend(other.lines);
    }
}

/// The columns of some spans.
pub(super) fn width(spans: &[Span<'_>]) -> usize {
    spans.iter().map(Span::width).sum()
}
