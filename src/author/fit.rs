//! How the lines of a code block lie in a file. Pure: lines in, an account of each out.

use crate::check::closest;

/// What becomes of a line, of the block or of the file, in the order in which the block would show them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Row {
    /// This line of the block is none of the file's: it says that something is left out, or is blank beside such a line.
    Own(usize),
    /// This line of the block is that line of the file; they may differ in their indentation.
    Same(usize, usize),
    /// This line of the block is not in the file, or not there.
    Gone(usize),
    /// This line of the file is not in the block, although those around it are.
    Missing(usize),
}

/// Why a block cannot be tied to a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Misfit {
    /// A part begins or ends with this line of the block, and the file does not have it there.
    Adrift {
        /// The line of the block.
        shown: usize,
        /// The line of the file that is the same but stands elsewhere, or that resembles it most.
        nearest: Option<usize>,
    },
    /// Nothing in the block is a line of code.
    Empty,
    /// Block and file are so long that nobody waits for the answer.
    TooLarge,
}

/// A line of code in the block.
struct Element {
    line: usize,
    /// Whether a part begins, or ends, with it. Such a line must be in the file.
    first: bool,
    last: bool,
}

/// Cells of the table: four mebibytes of costs.
const LARGEST: usize = 1 << 20;

const REINDENTED: u32 = 1;
const CHANGED: u32 = 2;
const NEVER: u32 = u32::MAX;

/// Whether the line says that something was left out.
pub(super) fn is_ellipsis(line: &str) -> bool {
    matches!(line.trim(), "…" | "// …" | "# …")
}

/// Ties the parts of a block to a file, in order, such that as few lines as possible differ.
pub(super) fn fit(shown: &[&str], stands: &[&str]) -> Result<Vec<Row>, Misfit> {
    let elements = elements(shown);
    if elements.is_empty() {
        return Err(Misfit::Empty);
    }
    let (rows, columns) = (elements.len() + 1, stands.len() + 1);
    if rows.saturating_mul(columns) > LARGEST {
        return Err(Misfit::TooLarge);
    }
    let table = Table { shown, stands, elements, columns };
    let costs = table.fill();
    if costs[rows * columns - 1] == NEVER {
        let reached = (0..rows).rev().find(|row| costs[row * columns..(row + 1) * columns].iter().any(|cost| *cost != NEVER));
        let line = table.elements[reached.unwrap_or(0).min(rows - 2)].line;
        return Err(Misfit::Adrift { shown: line, nearest: nearest(shown[line], stands) });
    }
    Ok(table.trace(&costs))
}

fn elements(shown: &[&str]) -> Vec<Element> {
    let mut elements: Vec<Element> = Vec::new();
    for part in (0..shown.len()).collect::<Vec<_>>().split(|line| is_ellipsis(shown[*line])) {
        let Some(first) = part.iter().position(|line| !shown[*line].trim().is_empty()) else { continue };
        let last = part.iter().rposition(|line| !shown[*line].trim().is_empty()).unwrap_or(first);
        let lines = part[first..=last].iter();
        elements.extend(lines.map(|line| Element { line: *line, first: *line == part[first], last: *line == part[last] }));
    }
    elements
}

/// The line of the file that is the same, or else resembles it most.
pub(super) fn nearest(line: &str, stands: &[&str]) -> Option<usize> {
    let wanted = line.trim();
    let same = stands.iter().position(|other| other.trim() == wanted);
    same.or_else(|| {
        let close = closest(wanted, stands.iter().map(|other| other.trim()))?;
        stands.iter().position(|other| other.trim() == close)
    })
}

struct Table<'a> {
    shown: &'a [&'a str],
    stands: &'a [&'a str],
    elements: Vec<Element>,
    columns: usize,
}

impl Table<'_> {
    /// What it costs to take an element for a line of the file.
    fn same(&self, element: usize, line: usize) -> Option<u32> {
        let (shown, stands) = (self.shown[self.elements[element].line], self.stands[line]);
        if shown == stands {
            return Some(0);
        }
        (shown.trim() == stands.trim()).then_some(REINDENTED)
    }

    /// Whether lines of the file may be passed over before this element at no cost: a part begins with it, or all are done.
    fn is_between_parts(&self, element: usize) -> bool {
        self.elements.get(element).is_none_or(|element| element.first)
    }

    fn may_go(&self, element: usize) -> bool {
        !self.elements[element].first && !self.elements[element].last
    }

    /// The least cost of having dealt with so many elements and so many lines of the file.
    fn fill(&self) -> Vec<u32> {
        let mut costs = vec![NEVER; (self.elements.len() + 1) * self.columns];
        costs[0] = 0;
        for row in 0..=self.elements.len() {
            for column in 0..self.columns {
                let at = row * self.columns + column;
                let cost = costs[at];
                if cost == NEVER {
                    continue;
                }
                let mut reach = |cell: usize, more: u32| costs[cell] = costs[cell].min(cost + more);
                if column + 1 < self.columns {
                    reach(at + 1, if self.is_between_parts(row) { 0 } else { CHANGED });
                }
                if row < self.elements.len() {
                    if let Some(more) = (column + 1 < self.columns).then(|| self.same(row, column)).flatten() {
                        reach(at + self.columns + 1, more);
                    }
                    if self.may_go(row) {
                        reach(at + self.columns, CHANGED);
                    }
                }
            }
        }
        costs
    }

    /// The way back through the table, told forwards.
    fn trace(&self, costs: &[u32]) -> Vec<Row> {
        let (mut row, mut column) = (self.elements.len(), self.columns - 1);
        let mut back = Vec::new();
        while row > 0 || column > 0 {
            let at = row * self.columns + column;
            let came = |from: usize, more: u32| costs[from] != NEVER && costs[from] + more == costs[at];
            if column > 0 && self.is_between_parts(row) && came(at - 1, 0) {
                column -= 1;
                continue;
            }
            if row > 0 && column > 0 {
                let same = self.same(row - 1, column - 1);
                if same.is_some_and(|more| came(at - self.columns - 1, more)) {
                    (row, column) = (row - 1, column - 1);
                    back.push(Row::Same(self.elements[row].line, column));
                    continue;
                }
            }
            if row > 0 && self.may_go(row - 1) && came(at - self.columns, CHANGED) {
                row -= 1;
                back.push(Row::Gone(self.elements[row].line));
            } else if column > 0 {
                column -= 1;
                back.push(Row::Missing(column));
            } else {
                break;
            }
        }
        back.reverse();
        self.with_own_lines(back)
    }

    /// Puts the lines back in that are the block's own.
    fn with_own_lines(&self, rows: Vec<Row>) -> Vec<Row> {
        let mut all = Vec::new();
        let mut next = 0;
        for row in rows {
            if let Row::Same(line, _) | Row::Gone(line) = row {
                all.extend((next..line).map(Row::Own));
                next = line + 1;
            }
            all.push(row);
        }
        all.extend((next..self.shown.len()).map(Row::Own));
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn written(shown: &[&str], stands: &[&str]) -> Result<Vec<String>, Misfit> {
        let row = |row: Row| match row {
            Row::Own(line) => Some(shown[line].to_owned()),
            Row::Same(_, line) | Row::Missing(line) => Some(stands[line].to_owned()),
            Row::Gone(_) => None,
        };
        Ok(fit(shown, stands)?.into_iter().filter_map(row).collect())
    }

    const FILE: [&str; 9] = ["use a;", "use b;", "", "fn one() {", "    a();", "}", "fn two() {", "    b();", "}"];

    #[test]
    fn a_part_is_written_between_its_first_line_and_its_last() {
        let shown = ["fn one() {", "    old();", "    older();", "}"];
        assert_eq!(written(&shown, &FILE).unwrap(), ["fn one() {", "    a();", "}"]);
        let shown = ["use a;", "// …", "", "fn two() {", "}"];
        assert_eq!(written(&shown, &FILE).unwrap(), ["use a;", "// …", "", "fn two() {", "    b();", "}"]);
        // The nearest end is meant, not the last one.
        assert_eq!(written(&["fn one() {", "}"], &FILE).unwrap(), ["fn one() {", "    a();", "}"]);
        assert_eq!(written(&["  a();"], &FILE).unwrap(), ["    a();"]);
    }

    #[test]
    fn what_is_not_there_is_named_with_what_resembles_it() {
        assert_eq!(fit(&["fn three() {", "}"], &FILE), Err(Misfit::Adrift { shown: 0, nearest: Some(3) }));
        assert_eq!(fit(&["fn two() {", "// …", "fn one() {"], &FILE), Err(Misfit::Adrift { shown: 2, nearest: Some(3) }));
        assert_eq!(fit(&["use a;", "struct Nothing;"], &FILE), Err(Misfit::Adrift { shown: 1, nearest: None }));
        assert_eq!(fit(&["# …", " "], &FILE), Err(Misfit::Empty));
        assert_eq!(fit(&["x"; 2000], &["x"; 2000]), Err(Misfit::TooLarge));
    }

    #[test]
    fn a_line_left_out_or_too_many_is_told_where_it_is() {
        let rows = fit(&["use a;", "", "fn one() {", "    z();", "    a();"], &FILE).unwrap();
        let expected = [Row::Same(0, 0), Row::Missing(1), Row::Same(1, 2), Row::Same(2, 3), Row::Gone(3), Row::Same(4, 4)];
        assert_eq!(rows, expected);
    }

    proptest! {
        #[test]
        fn what_is_written_fits_and_is_not_written_again(
            shown in proptest::collection::vec(proptest::sample::select(vec!["a", " a", "b", "}", "", "// …", "c"]), 0..12),
            stands in proptest::collection::vec(proptest::sample::select(vec!["a", "b", "}", "", "  }", "c"]), 0..20),
        ) {
            if let Ok(once) = written(&shown, &stands) {
                let again: Vec<&str> = once.iter().map(String::as_str).collect();
                let own = |lines: &[&str]| lines.iter().filter(|line| is_ellipsis(line)).count();
                prop_assert_eq!(own(&again), own(&shown));
                prop_assert_eq!(written(&again, &stands).unwrap(), once);
            }
        }

        #[test]
        fn each_line_of_the_block_has_one_row_in_order(
            shown in proptest::collection::vec("[ab}/… ]{0,3}", 0..10),
            stands in proptest::collection::vec("[ab} ]{0,3}", 0..10),
        ) {
            let shown: Vec<&str> = shown.iter().map(String::as_str).collect();
            let stands: Vec<&str> = stands.iter().map(String::as_str).collect();
            if let Ok(rows) = fit(&shown, &stands) {
                let lines: Vec<usize> = rows.iter().filter_map(|row| match row {
                    Row::Own(line) | Row::Gone(line) | Row::Same(line, _) => Some(*line),
                    Row::Missing(_) => None,
                }).collect();
                prop_assert_eq!(lines, (0..shown.len()).collect::<Vec<_>>());
            }
        }
    }
}
