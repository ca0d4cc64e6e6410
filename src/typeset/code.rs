use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::flow::Measure;
use super::node::Code;
use super::{Block, Face, Line, Piece, Role, Sheet, clean, columns};
use crate::highlight::{Ink, highlight};

/// Sets a block of code: its caption, and its lines beneath, those that are too long in several.
pub(super) fn set(code: &Code, measure: Measure<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    let indent = if measure.width >= 24 { 2 } else { 0 };
    if let Some(caption) = &code.caption {
        set_caption(caption, measure, &mut sheet);
    }
    let begin = sheet.lines.len();
    let text = clean(&code.text);
    let inks = highlight(&text, if code.language.is_empty() { code.file.as_deref().unwrap_or("") } else { &code.language });
    for (index, line) in text.lines().enumerate() {
        let mut spans = inks.get(index).map(Vec::as_slice).unwrap_or_default().iter().peekable();
        let cells = line.grapheme_indices(true).map(|(at, text)| {
            while spans.next_if(|span| span.range.end <= at).is_some() {}
            Cell { text, width: text.width(), ink: spans.peek().map_or(Ink::Plain, |span| span.ink) }
        });
        set_line(&cells.collect::<Vec<_>>(), indent, measure, &mut sheet);
    }
    sheet.blocks.push(Block {
        lines: begin..sheet.lines.len(),
        code: code.text.clone(),
        language: code.language.clone(),
        file: code.file.clone(),
    });
    sheet
}

/// The caption in a rule, where there is room for one.
fn set_caption(caption: &str, measure: Measure<'_>, sheet: &mut Sheet) {
    let wide = columns(caption);
    let dash = if measure.unicode { "─" } else { "-" };
    if wide + 6 > measure.width {
        let mut line = Line::default();
        let mut used = 0;
        for grapheme in caption.graphemes(true) {
            if used > 0 && used + grapheme.width() > measure.width {
                sheet.push(std::mem::take(&mut line));
                used = 0;
            }
            used += grapheme.width();
            line.push(Piece::new(grapheme, Face::of(Role::Dim)));
        }
        sheet.push(line);
        return;
    }
    let mut line = Line::of(Piece::sign(format!("{dash}{dash} ")));
    line.push(Piece::new(caption, Face::of(Role::Dim)));
    line.push(Piece::sign(format!(" {}", dash.repeat(measure.width - wide - 4))));
    sheet.push(line);
}

struct Cell<'t> {
    text: &'t str,
    width: usize,
    ink: Ink,
}

/// One line of code. The rest of a long one stands beneath it, indented, behind a sign.
fn set_line(cells: &[Cell<'_>], indent: usize, measure: Measure<'_>, sheet: &mut Sheet) {
    let room = measure.width - indent;
    let lead = cells.iter().take_while(|cell| cell.text == " ").count();
    // Where the indentation would leave no room, the rest begins at the edge; where there is no room at all, there is no sign.
    let lead = if lead + 2 > room / 2 { 0 } else { lead };
    let sign = if room >= 8 { Some(if measure.unicode { "↪ " } else { "\\ " }) } else { None };
    let mut rest = cells;
    let mut first = true;
    loop {
        let mut line = Line::of(Piece::new(" ".repeat(indent), Face::of(Role::Ink(Ink::Plain))));
        let mut room = room;
        if !first && let Some(sign) = sign {
            line.push(Piece::new(" ".repeat(lead), Face::of(Role::Ink(Ink::Plain))));
            line.push(Piece::sign(sign));
            room -= lead + 2;
        }
        let end = fitting(rest, room);
        for cell in &rest[..end] {
            line.push(Piece::new(cell.text, Face::of(Role::Ink(cell.ink))));
        }
        line.trim();
        sheet.push(line);
        rest = &rest[end..];
        if rest.iter().all(|cell| cell.text == " ") {
            return;
        }
        first = false;
    }
}

/// How many of the cells fit: all, or as many as end after a blank, or as many as there is room for; one at least.
fn fitting(cells: &[Cell<'_>], room: usize) -> usize {
    let mut used = 0;
    let Some(end) = cells.iter().position(|cell| {
        used += cell.width;
        used > room
    }) else {
        return cells.len();
    };
    let blank = cells[..end].iter().rposition(|cell| cell.text == " ").map(|at| at + 1);
    blank.filter(|at| *at > end / 2).unwrap_or(end).max(1)
}
