//! One request as the vendors show it: a line for each span, beneath its parent, with a bar for when and how long.

use ratatui::text::Span;
use unicode_width::UnicodeWidthStr;

use super::paint::Tone;
use super::rows::Rows;
use crate::report::text::shorten;
use crate::report::{Row, Tree, Waterfall, took};

/// The columns of a duration.
const TOOK: usize = 9;

/// Adds what the vendors have of a request.
pub(super) fn add(rows: &mut Rows, waterfall: &Waterfall) {
    let paint = rows.paint;
    for tree in &waterfall.trees {
        rows.part();
        rows.line(vec![paint.span(Tone::Strong, tree.vendor), paint.span(Tone::Dim, format!("  {}", took(tree.span_ms)))]);
        let (names, bars) = columns(rows.width, tree);
        for row in &tree.rows {
            add_row(rows, row, tree.span_ms, names, bars);
        }
        if tree.left_out > 0 {
            rows.clipped(2, Tone::Dim, &format!("and {} more", tree.left_out));
        }
    }
    rows.part();
    rows.clipped(0, Tone::Dim, &format!("trace {}", waterfall.trace_id));
}

/// The columns of the names and of the bars.
fn columns(width: usize, tree: &Tree) -> (usize, usize) {
    let widest = tree.rows.iter().map(|row| indent(row) + row.name.width() + 2).max().unwrap_or(0);
    let room = width.saturating_sub(TOOK + 1);
    let names = widest.min(room * 3 / 5).max(room.min(8));
    let bars = room.saturating_sub(names + 1).min(40);
    if bars < 6 { (room, 0) } else { (names, bars) }
}

fn add_row(rows: &mut Rows, row: &Row, span_ms: f64, names: usize, bars: usize) {
    let paint = rows.paint;
    let failed = if row.failed { paint.sign("✗ ", "x ") } else { "" };
    let indent = indent(row).min(names / 2);
    let name = shorten(&row.name, names.saturating_sub(indent + failed.width()), paint.sign("…", "..."));
    let gap = names.saturating_sub(indent + failed.width() + name.width());
    let tone = if row.failed { Tone::Bad } else { Tone::Accent };
    let (begin, length) = row.bar(span_ms, bars);
    rows.line(vec![
        Span::raw(" ".repeat(indent)),
        paint.span(Tone::Bad, failed),
        paint.span(Tone::Bare, name),
        Span::raw(" ".repeat(gap + 1 + begin)),
        paint.span(tone, paint.sign("━", "=").repeat(length)),
        Span::raw(" ".repeat(bars.saturating_sub(begin + length))),
        paint.span(Tone::Dim, format!("{:>TOOK$}", took(row.duration_ms))),
    ]);
}

fn indent(row: &Row) -> usize {
    1 + row.depth * 2
}
