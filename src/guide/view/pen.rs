//! Draws lines into a frame, within bounds, and remembers what stands where.

use ratatui::buffer::Buffer;
use ratatui::layout::Rect;
use ratatui::style::Modifier;
use ratatui::text::{Line, Span};

use super::Hit;
use super::paint::{Paint, Tone};
use super::rows::{Rows, width};
use crate::report::text::shorten;

/// A frame that is being drawn.
pub(super) struct Pen<'a> {
    pub(super) buffer: &'a mut Buffer,
    pub(super) paint: Paint,
    pub(super) hits: &'a mut Vec<(Rect, Hit)>,
}

/// A title on a rule.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Title<'t> {
    pub(super) text: &'t str,
    /// Whether the keys scroll what stands beneath it.
    pub(super) has_focus: bool,
}

impl Pen<'_> {
    /// A line at the top of an area.
    pub(super) fn line(&mut self, area: Rect, line: &Line<'_>) {
        let area = area.intersection(self.buffer.area);
        if !area.is_empty() {
            self.buffer.set_line(area.x, area.y, line, area.width);
        }
    }

    /// Lines from the given one on, as many as there is room for.
    pub(super) fn lines(&mut self, area: Rect, lines: &[Line<'_>], first: usize) {
        for (row, line) in area.rows().zip(lines.iter().skip(first)) {
            self.line(row, line);
        }
    }

    /// A pane's rows from the given one on; what can be clicked of them can be clicked here.
    pub(super) fn rows(&mut self, area: Rect, rows: &Rows, first: usize) {
        self.lines(area, &rows.lines, first);
        self.commands(area, &rows.commands, first);
    }

    /// Makes lines clickable that are in sight.
    pub(super) fn commands(&mut self, area: Rect, commands: &[(usize, crate::guide::Command)], first: usize) {
        for (line, command) in commands {
            if let Some(row) = line.checked_sub(first).and_then(|row| area.rows().nth(row)) {
                self.hits.push((row, Hit::Command(*command)));
            }
        }
    }

    pub(super) fn hit(&mut self, area: Rect, hit: Hit) {
        self.hits.push((area, hit));
    }

    /// A rule over the top of an area, with a title at its left and a remark at its right.
    pub(super) fn rule(&mut self, area: Rect, title: Title<'_>, remark: &str) {
        let Title { text: title, has_focus } = title;
        let dash = self.paint.sign("─", "-");
        let columns = usize::from(area.width);
        let mut spans = Vec::new();
        if !title.is_empty() {
            spans.push(self.paint.span(Tone::Dim, dash.repeat(2)));
            let mark = if has_focus { self.paint.sign("▸ ", "> ") } else { "" };
            let tone = if has_focus { Tone::Accent } else { Tone::Dim };
            spans.push(self.paint.span(tone, format!(" {mark}{title} ")));
        }
        let tail = if remark.is_empty() { String::new() } else { format!(" {remark} ") };
        let used = width(&spans);
        let tail = if used + tail.chars().count() + 4 > columns { String::new() } else { tail };
        let dashes = columns.saturating_sub(used + tail.chars().count() + if tail.is_empty() { 0 } else { 2 });
        spans.push(self.paint.span(Tone::Dim, dash.repeat(dashes)));
        if !tail.is_empty() {
            spans.push(self.paint.span(Tone::Dim, format!("{tail}{}", dash.repeat(2))));
        }
        self.line(area, &Line::from(spans));
    }

    /// One sign in one cell.
    pub(super) fn cell(&mut self, column: u16, row: u16, sign: &'static str) {
        self.line(Rect::new(column, row, 1, 1), &Line::from(self.paint.span(Tone::Dim, sign)));
    }

    /// A line that goes down through an area's first column.
    pub(super) fn upright(&mut self, area: Rect) {
        for row in area.rows() {
            self.cell(row.x, row.y, self.paint.sign("│", "|"));
        }
    }

    /// Everything in an area of lesser weight: something lies over it.
    pub(super) fn fade(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                let modifier = cell.modifier.difference(Modifier::BOLD | Modifier::REVERSED);
                cell.modifier = modifier.union(Modifier::DIM);
            }
        }
    }

    pub(super) fn clear(&mut self, area: Rect) {
        let area = area.intersection(self.buffer.area);
        for position in area.positions() {
            if let Some(cell) = self.buffer.cell_mut(position) {
                cell.reset();
            }
        }
    }

    /// A frame around an area.
    pub(super) fn boxed(&mut self, area: Rect) {
        let sign = |unicode, ascii| self.paint.sign(unicode, ascii);
        let across = sign("─", "-").repeat(usize::from(area.width.saturating_sub(2)));
        let top = format!("{}{across}{}", sign("╭", "+"), sign("╮", "+"));
        let bottom = format!("{}{across}{}", sign("╰", "+"), sign("╯", "+"));
        let side = sign("│", "|");
        let (last, right) = (area.bottom().saturating_sub(1), area.right().saturating_sub(1));
        for row in area.rows() {
            if row.y == area.y || row.y == last {
                let text = if row.y == area.y { &top } else { &bottom };
                self.line(row, &Line::from(self.paint.span(Tone::Dim, text.clone())));
            } else {
                self.cell(row.x, row.y, side);
                self.cell(right, row.y, side);
            }
        }
    }
}

/// Text in at most so many columns.
pub(super) fn shortened(paint: Paint, tone: Tone, text: &str, columns: usize) -> Span<'static> {
    paint.span(tone, shorten(text, columns, paint.sign("…", "...")))
}

/// How much more there is below what is seen.
pub(super) fn more(lines: usize, first: usize, page: usize, paint: Paint) -> String {
    match lines.saturating_sub(first + page) {
        0 => String::new(),
        left => format!("{left} more {}{}", if left == 1 { "line" } else { "lines" }, paint.sign(" ↓", "")),
    }
}
