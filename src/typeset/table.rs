use pulldown_cmark::Alignment;

use super::flow::Measure;
use super::node::{Fragment, Table};
use super::wrap::{extent, wrap};
use super::{Face, Line, Link, Piece, Sheet};

/// The blanks between columns.
const GAP: usize = 2;

/// In a narrower column, text is broken so often that nobody wants to read it.
const NARROWEST: usize = 12;

/// Sets a table in columns; or, where they would be too narrow for what is in them, each row as lines `head: cell`.
pub(super) fn set(table: &Table, measure: Measure<'_>) -> Sheet {
    match fit(table, measure) {
        Some(widths) => set_columns(table, &widths, measure),
        None => set_records(table, measure),
    }
}

/// The columns' widths: what they would like, or a fair share. None where that is too little: a word would have to be cut.
fn fit(table: &Table, measure: Measure<'_>) -> Option<Vec<usize>> {
    let count = table.head.len();
    let room = measure.width.checked_sub(GAP * count.checked_sub(1)?)?;
    let mut least = vec![1; count];
    let mut liked = vec![1; count];
    for row in std::iter::once(&table.head).chain(&table.rows) {
        for (column, cell) in row.iter().take(count).enumerate() {
            let (whole, word) = extent(cell, measure.marks);
            liked[column] = liked[column].max(whole);
            least[column] = least[column].max(word).max(whole.min(NARROWEST));
        }
    }
    if liked.iter().sum::<usize>() <= room {
        return Some(liked);
    }
    if least.iter().sum::<usize>() > room {
        return None;
    }
    // The narrow columns have what they like; the wide ones share what is left, as evenly as it goes.
    let widths = |cap: usize| least.iter().zip(&liked).map(|(least, liked)| (*liked).min(cap).max(*least)).collect::<Vec<_>>();
    let cap = (1..=room).rev().find(|cap| widths(*cap).iter().sum::<usize>() <= room).unwrap_or(0);
    let mut widths = widths(cap);
    let mut left = room - widths.iter().sum::<usize>().min(room);
    for (width, liked) in widths.iter_mut().zip(&liked) {
        if left > 0 && *width < *liked && *width >= cap {
            *width += 1;
            left -= 1;
        }
    }
    Some(widths)
}

fn set_columns(table: &Table, widths: &[usize], measure: Measure<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    if !is_blank(&table.head, measure) {
        sheet.append(set_row(&strong(&table.head), table, widths, measure));
        let dash = if measure.unicode { "─" } else { "-" };
        let rules: Vec<String> = widths.iter().map(|width| dash.repeat(*width)).collect();
        sheet.push(Line::of(Piece::sign(rules.join(&" ".repeat(GAP)))));
    }
    let rows: Vec<Sheet> = table.rows.iter().map(|row| set_row(row, table, widths, measure)).collect();
    // Rows of several lines are told apart by empty ones.
    let airy = rows.iter().any(|row| row.lines.len() > 1);
    for (index, row) in rows.into_iter().enumerate() {
        if airy && index > 0 {
            sheet.part();
        }
        sheet.append(row);
    }
    sheet
}

fn set_row(row: &[Vec<Fragment>], table: &Table, widths: &[usize], measure: Measure<'_>) -> Sheet {
    let cells: Vec<Sheet> =
        row.iter().zip(widths).map(|(cell, width)| wrap(cell, Measure { width: *width, ..measure })).collect();
    let mut sheet = Sheet::default();
    for height in 0..cells.iter().map(|cell| cell.lines.len()).max().unwrap_or(0) {
        let mut line = Line::default();
        let mut left = 0;
        let mut used = 0;
        for (column, (cell, width)) in cells.iter().zip(widths).enumerate() {
            if let Some(text) = cell.lines.get(height) {
                let free = width.saturating_sub(text.width());
                let before = match table.alignments.get(column) {
                    Some(Alignment::Right) => free,
                    Some(Alignment::Center) => free / 2,
                    _ => 0,
                };
                let start = left + before;
                line.push(Piece::new(" ".repeat(start - used), Face::default()));
                sheet.links.extend(cell.links.iter().filter(|link| link.line == height).map(|link| Link {
                    url: link.url.clone(),
                    line: height,
                    columns: link.columns.start + start..link.columns.end + start,
                }));
                for piece in &text.pieces {
                    line.push(piece.clone());
                }
                used = start + text.width();
            }
            left += width + GAP;
        }
        line.trim();
        sheet.push(line);
    }
    sheet
}

fn set_records(table: &Table, measure: Measure<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    let head = strong(&table.head);
    if table.rows.is_empty() {
        for name in &head {
            sheet.append(wrap(name, measure));
        }
    }
    for row in &table.rows {
        sheet.part();
        for (column, cell) in row.iter().enumerate() {
            if extent(cell, measure.marks).0 == 0 {
                continue;
            }
            let mut fragments = head.get(column).filter(|name| extent(name, measure.marks).0 > 0).cloned().unwrap_or_default();
            if !fragments.is_empty() {
                fragments.push(Fragment::text(": ", Face::default().strong()));
            }
            fragments.extend(cell.iter().cloned());
            // What does not fit hangs a little in.
            let inner = measure.beside(2);
            let mut record = wrap(&fragments, inner.unwrap_or(measure));
            if inner.is_some() {
                record.shift(&Piece::sign(""), &Piece::sign("  "));
            }
            sheet.append(record);
        }
    }
    sheet
}

fn strong(row: &[Vec<Fragment>]) -> Vec<Vec<Fragment>> {
    let mut row = row.to_vec();
    for fragment in row.iter_mut().flatten() {
        fragment.face = fragment.face.strong();
    }
    row
}

fn is_blank(row: &[Vec<Fragment>], measure: Measure<'_>) -> bool {
    row.iter().all(|cell| extent(cell, measure.marks).0 == 0)
}
