use super::node::{Fragment, List, Node};
use super::wrap::wrap;
use super::{Face, Line, Piece, Role, Sheet, code, columns, table};

/// A narrower column is not worth an indentation: what would be indented stands at the edge.
const NARROWEST: usize = 6;

/// What lines are measured by.
#[derive(Debug, Clone, Copy)]
pub(super) struct Measure<'t> {
    /// Columns, at least one.
    pub width: usize,
    pub unicode: bool,
    pub marks: bool,
    /// The tree's links.
    pub urls: &'t [String],
}

/// What nodes stand in.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Within {
    /// How many lists.
    lists: usize,
    /// Whether in a list whose items follow each other without empty lines.
    tight: bool,
}

impl Measure<'_> {
    fn sign(self, unicode: &'static str, ascii: &'static str) -> &'static str {
        if self.unicode { unicode } else { ascii }
    }

    /// What is left beside a sign; nothing where that is not worth it.
    pub(super) fn beside(self, columns: usize) -> Option<Self> {
        let width = self.width.checked_sub(columns).filter(|width| *width >= NARROWEST)?;
        Some(Self { width, ..self })
    }
}

/// Sets blocks beneath each other, with empty lines between them.
pub(super) fn flow(nodes: &[Node], measure: Measure<'_>, within: Within) -> Sheet {
    let mut sheet = Sheet::default();
    let mut apart = false;
    for node in nodes {
        let part = set(node, measure, within);
        if part.lines.is_empty() {
            continue;
        }
        let airy = !within.tight || !matches!(node, Node::Paragraph(_) | Node::List(_));
        if airy || apart {
            sheet.part();
        }
        apart = airy;
        sheet.append(part);
    }
    sheet
}

fn set(node: &Node, measure: Measure<'_>, within: Within) -> Sheet {
    match node {
        Node::Heading(level, fragments) => heading(*level, fragments, measure),
        Node::Paragraph(fragments) => wrap(fragments, measure),
        Node::Code(block) => code::set(block, measure),
        Node::Table(rows) => table::set(rows, measure),
        Node::List(items) => list(items, measure, within),
        Node::Quote(nodes) => {
            let inner = measure.beside(2);
            let mut sheet = flow(nodes, inner.unwrap_or(measure), Within::default());
            for piece in sheet.lines.iter_mut().flat_map(|line| &mut line.pieces) {
                if piece.face.role == Role::Body {
                    piece.face.role = Role::Quote;
                }
            }
            if inner.is_some() {
                let bar = Piece::sign(measure.sign("│ ", "> "));
                sheet.shift(&bar, &bar);
            }
            sheet
        }
        Node::Footnote(name, nodes) => {
            let marker = format!("[{name}] ");
            hang(&marker, measure, |measure| flow(nodes, measure, Within::default()))
        }
        Node::Rule => {
            let mut sheet = Sheet::default();
            sheet.push(Line::of(Piece::sign(measure.sign("─", "-").repeat(measure.width))));
            sheet
        }
    }
}

/// The two highest levels are underlined, so that they stand out without colour, too.
fn heading(level: u8, fragments: &[Fragment], measure: Measure<'_>) -> Sheet {
    let mut sheet = wrap(fragments, measure);
    let rule = match level {
        1 => measure.sign("═", "="),
        2 => measure.sign("─", "-"),
        _ => return sheet,
    };
    let widest = sheet.lines.iter().map(Line::width).max().unwrap_or(0).min(measure.width);
    if widest > 0 {
        sheet.push(Line::of(Piece::sign(rule.repeat(widest))));
    }
    sheet
}

fn list(list: &List, measure: Measure<'_>, within: Within) -> Sheet {
    let bullet = match within.lists % 3 {
        0 => measure.sign("• ", "- "),
        1 => measure.sign("◦ ", "* "),
        _ => measure.sign("▪ ", "+ "),
    };
    let number = |index: usize| list.first.map(|first| format!("{}. ", first.saturating_add(index as u64)));
    let numbers = number(list.items.len().saturating_sub(1)).map_or(0, |last| last.len());
    let inner = Within { lists: within.lists + 1, tight: !list.loose };
    let mut sheet = Sheet::default();
    for (index, item) in list.items.iter().enumerate() {
        let marker = match (number(index), item.task) {
            (Some(number), None) => format!("{number:>numbers$}"),
            (Some(number), Some(done)) => format!("{number:>numbers$}{}", task_box(done, measure)),
            (None, Some(done)) => task_box(done, measure).to_owned(),
            (None, None) => bullet.to_owned(),
        };
        if list.loose {
            sheet.part();
        }
        sheet.append(hang(&marker, measure, |measure| flow(&item.nodes, measure, inner)));
    }
    sheet
}

fn task_box(done: bool, measure: Measure<'_>) -> &'static str {
    if done { measure.sign("☑ ", "[x] ") } else { measure.sign("☐ ", "[ ] ") }
}

/// Sets what hangs beside a marker; beneath it where there is no room.
fn hang(marker: &str, measure: Measure<'_>, content: impl FnOnce(Measure<'_>) -> Sheet) -> Sheet {
    let wide = columns(marker);
    match measure.beside(wide) {
        Some(inner) => {
            let mut sheet = content(inner);
            if sheet.lines.is_empty() {
                sheet.push(Line::default());
            }
            sheet.shift(&Piece::sign(marker), &Piece::sign(" ".repeat(wide)));
            sheet
        }
        None => {
            let mut sheet = wrap(&[Fragment::text(marker, Face::of(Role::Sign))], measure);
            sheet.append(content(measure));
            sheet
        }
    }
}
