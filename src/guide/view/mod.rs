//! The guide on a whole terminal: what it knows, drawn.
//!
//! ```text
//! edges (head) ──────────────────────────────
//!  lesson (the page,      │ checks + waterfall
//!  set once, scrolled)    │ service
//! edges (note, keys) ────────────────────────
//! ```
//!
//! From 100 columns on the lesson and the checks stand side by side, below that one above the other, and where there are few rows
//! only the one that the keys scroll. An overlay lies over both. [`Canvas::draw`] only reads the guide; what the view alone knows,
//! how many lines there are, goes back as [`Drawn`].

mod checks;
mod edges;
mod lesson;
mod overlay;
mod paint;
mod pen;
mod rows;
mod service;
mod sgr;
#[cfg(test)]
mod tests;
mod waterfall;

use ratatui::Frame;
use ratatui::buffer::Cell;
use ratatui::layout::{Position, Rect};
use ratatui::text::Line;

use super::{Command, Drawn, Guide, Overlay, Pane};
use crate::report::Look;
use lesson::Page;
use paint::{Paint, Tone};
use pen::{Pen, Title, more};
use rows::Rows;
use service::Service;

/// From so many columns on, lesson and checks stand side by side.
const WIDE: u16 = 100;

/// With fewer rows, and less than [`WIDE`], only one of them is shown.
const LOW: u16 = 16;

/// A screen smaller than this is not drawn.
const SMALLEST: (u16, u16) = (40, 10);

/// What stands where it was clicked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hit {
    /// Something that does what a key does.
    Command(Command),
    /// A step of the list, by its place in the course.
    Step(usize),
    /// A part that scrolls.
    Pane(Pane),
}

/// Draws the guide, frame by frame.
#[derive(Debug)]
pub struct Canvas {
    paint: Paint,
    /// The lesson as it was set last.
    page: Option<Page>,
    /// What stood where in the last frame; what was drawn later lies over what was drawn before.
    hits: Vec<(Rect, Hit)>,
}

/// A frame's places.
#[derive(Debug, Clone, Copy)]
struct Places {
    head: Rect,
    /// Between the head and the foot, with the rule at its top.
    body: Rect,
    /// The rule above the foot; of no height where there is no room for one.
    rule: Rect,
    note: Rect,
    keys: Rect,
}

impl Canvas {
    /// A canvas on which nothing was drawn yet.
    #[must_use]
    pub fn new(look: Look) -> Self {
        Self { paint: Paint { look }, page: None, hits: Vec::new() }
    }

    /// Draws the guide as it stands, and tells what only the view knows.
    pub fn draw(&mut self, guide: &Guide, frame: &mut Frame<'_>) -> Drawn {
        self.hits.clear();
        let area = frame.area();
        let mut hits = std::mem::take(&mut self.hits);
        let mut pen = Pen { buffer: frame.buffer_mut(), paint: self.paint, hits: &mut hits };
        let mut drawn = Drawn { page: 1, ..Drawn::default() };
        if area.width < SMALLEST.0 || area.height < SMALLEST.1 {
            too_small(&mut pen, area);
        } else {
            self.draw_in(&mut pen, guide, area, &mut drawn);
        }
        if !self.paint.look.unicode {
            frame.buffer_mut().content.iter_mut().for_each(in_ascii);
        }
        self.hits = hits;
        drawn
    }

    /// What was drawn at this place in the last frame.
    #[must_use]
    pub fn hit(&self, column: u16, row: u16) -> Option<Hit> {
        let at = Position::new(column, row);
        self.hits.iter().rev().find(|(area, _)| area.contains(at)).map(|(_, hit)| *hit)
    }

    fn draw_in(&mut self, pen: &mut Pen<'_>, guide: &Guide, area: Rect, drawn: &mut Drawn) {
        let columns = usize::from(area.width).saturating_sub(2);
        let note = edges::note(guide, pen.paint, columns, if area.height < LOW { 1 } else { 2 });
        let places = Places::of(area, note.len());
        edges::head(pen, guide, places.head);
        if !places.rule.is_empty() {
            pen.rule(places.rule, Title::default(), "");
        }
        let body = places.body;
        if area.width >= WIDE {
            self.side_by_side(pen, guide, places, drawn);
        } else if area.height >= LOW {
            self.stacked(pen, guide, places, drawn);
        } else {
            self.one_of_both(pen, guide, body, drawn);
        }
        pen.lines(inset(places.note, 1, 1), &note, 0);
        if let Some(overlay) = &guide.overlay {
            draw_overlay(pen, guide, overlay, places, drawn);
        }
        edges::keys(pen, guide, places.keys);
    }

    fn side_by_side(&mut self, pen: &mut Pen<'_>, guide: &Guide, places: Places, drawn: &mut Drawn) {
        let paint = pen.paint;
        let mut body = places.body;
        let trouble = Service::is_in_trouble(guide);
        if trouble {
            // What a compiler prints is wide: it is given all the columns.
            let columns = usize::from(body.width).saturating_sub(4);
            let most = usize::from(body.height).saturating_sub(1) * 11 / 20;
            let rows = Service::of(guide, paint, columns, most).cut(most);
            let height = u16::try_from(rows.lines.len() + 1).unwrap_or(0);
            let (above, below) = split(body, body.height.saturating_sub(height));
            draw_service(pen, below, &rows);
            body = above;
        }
        let (left, rest) = beside(body, share_of(body.width, 58, 100));
        let (upright, right) = beside(rest, 1);
        self.draw_lesson(pen, guide, left, drawn);
        let checks = if trouble { right } else { self.service_beneath(pen, guide, right) };
        draw_checks(pen, guide, checks, drawn);
        pen.upright(upright);
        pen.cell(upright.x, body.y, paint.sign("┬", "+"));
        if body.bottom() < places.rule.bottom() {
            pen.cell(upright.x, body.bottom(), paint.sign("┴", "+"));
        }
        if checks.bottom() < right.bottom() {
            pen.cell(upright.x, checks.bottom(), paint.sign("├", "+"));
        }
    }

    /// Draws the service at the foot of an area, and hands back what is left for the checks.
    fn service_beneath(&self, pen: &mut Pen<'_>, guide: &Guide, area: Rect) -> Rect {
        let columns = usize::from(area.width).saturating_sub(3);
        let room = usize::from(area.height).saturating_sub(2);
        let wanted = checks::rows(guide, pen.paint, columns).lines.len();
        // The checks come first; but how the service is, and a line or two of it, is always seen.
        let most = room.saturating_sub(wanted + 1).max(room / 3);
        let rows = Service::of(guide, pen.paint, columns, most).cut(most);
        let height = u16::try_from(rows.lines.len() + 1).unwrap_or(0);
        let (checks, service) = split(area, area.height.saturating_sub(height));
        draw_service(pen, service, &rows);
        checks
    }

    fn stacked(&mut self, pen: &mut Pen<'_>, guide: &Guide, places: Places, drawn: &mut Drawn) {
        let body = places.body;
        let trouble = Service::is_in_trouble(guide);
        // In twentieths; what the keys scroll is given more.
        let share = match guide.focus {
            _ if trouble => 9,
            Pane::Checks => 8,
            Pane::Lesson | Pane::Overlay => 12,
        };
        let (above, below) = split(body, share_of(body.height, share, 20));
        self.draw_lesson(pen, guide, above, drawn);
        let columns = usize::from(below.width).saturating_sub(4);
        let room = usize::from(below.height).saturating_sub(1);
        let checks = checks::rows(guide, pen.paint, columns).lines.len();
        let most = if trouble { room * 7 / 10 } else { room.saturating_sub(checks + 1).clamp(1, 6) };
        let service = Service::of(guide, pen.paint, columns, most).cut(most);
        let height = u16::try_from(service.lines.len()).unwrap_or(0);
        let ruled = u16::from(height > 1);
        let (checks, foot) = split(below, below.height.saturating_sub(height + ruled));
        draw_checks(pen, guide, checks, drawn);
        if ruled > 0 {
            draw_service(pen, foot, &service);
        } else {
            let mut line = service.lines.into_iter().next().unwrap_or_default();
            line.spans.insert(0, pen.paint.span(Tone::Dim, "Service  "));
            pen.line(inset(foot, 2, 1), &line);
            pen.hit(foot, Hit::Command(Command::Output));
        }
    }

    /// Only what the keys scroll; the rule above it names both.
    fn one_of_both(&mut self, pen: &mut Pen<'_>, guide: &Guide, body: Rect, drawn: &mut Drawn) {
        let paint = pen.paint;
        let columns = usize::from(body.width).saturating_sub(2);
        let on_lesson = guide.focus != Pane::Checks;
        let other = if on_lesson { Pane::Checks } else { Pane::Lesson };
        let mut checks = Rows::new(paint, columns);
        let service = Service::of(guide, paint, columns, 20).cut(20);
        let own = checks::rows(guide, paint, columns);
        // What is wrong with the service comes before all else.
        let (first, second) = if Service::is_in_trouble(guide) { (service, own) } else { (own, service) };
        checks.append(first);
        checks.part();
        checks.append(second);
        if on_lesson {
            self.draw_lesson(pen, guide, body, drawn);
            drawn.furthest[Pane::Checks as usize] = checks.lines.len().saturating_sub(usize::from(body.height) - 1);
        } else {
            draw_rows(pen, guide, body, Pane::Checks, "Checks and service", &checks, drawn);
            let page = self.page_for(guide, body);
            drawn.furthest[Pane::Lesson as usize] = page.lines.len().saturating_sub(usize::from(body.height) - 1);
        }
        let pane = guide.focus as usize;
        let left = drawn.furthest[pane].saturating_sub(guide.scroll[pane].min(drawn.furthest[pane]));
        let (title, word) = if on_lesson { ("Lesson", "Tab: checks and service") } else { ("Checks and service", "Tab: lesson") };
        let has_focus = guide.overlay.is_none();
        let remark = match left {
            0 => word.to_owned(),
            left => format!("{left} more{}{}{word}", paint.sign(" ↓", ""), paint.sign(" · ", " - ")),
        };
        let (rule, _) = split(body, 1);
        pen.rule(rule, Title { text: title, has_focus }, &remark);
        pen.hit(rule, Hit::Pane(other));
    }

    fn page_for(&mut self, guide: &Guide, area: Rect) -> &Page {
        let width = usize::from(inset(area, left_margin(area), 2).width);
        let page = Page::of(self.page.take(), guide, self.paint, width.max(1));
        self.page.insert(page)
    }

    fn draw_lesson(&mut self, pen: &mut Pen<'_>, guide: &Guide, area: Rect, drawn: &mut Drawn) {
        let focus = guide.scrolled() == Pane::Lesson;
        let page = self.page_for(guide, area);
        let (rule, below) = split(area, 1);
        let seen = inset(below, left_margin(area), 2);
        let height = usize::from(seen.height);
        let furthest = page.lines.len().saturating_sub(height);
        let first = guide.scroll[Pane::Lesson as usize].min(furthest);
        drawn.furthest[Pane::Lesson as usize] = furthest;
        if focus {
            drawn.page = height.max(1);
        }
        pen.rule(rule, Title { text: "Lesson", has_focus: focus }, &more(page.lines.len(), first, height, pen.paint));
        pen.hit(area, Hit::Pane(Pane::Lesson));
        pen.lines(seen, &page.lines, first);
        pen.commands(seen, &page.commands, first);
        if let Some(block) = page.in_sight(&(first..first + height)) {
            drawn.snippet = Some(block.snippet.clone());
            let wide = block.caption.and_then(|(line, _)| page.lines.get(line)).map_or(0, Line::width);
            copy_mark(pen, Rect { width: seen.width.min(u16::try_from(wide).unwrap_or(u16::MAX)), ..seen }, block.caption, first);
        }
    }
}

/// The line that names the code block in sight says how to copy it, and does so when it is clicked.
fn copy_mark(pen: &mut Pen<'_>, seen: Rect, caption: Option<(usize, usize)>, first: usize) {
    const WORDS: &str = " c copies ";
    let Some((line, used)) = caption else { return };
    let Some(row) = line.checked_sub(first).and_then(|row| seen.rows().nth(row)) else { return };
    pen.hit(row, Hit::Command(Command::Copy));
    let wide = u16::try_from(WORDS.len()).unwrap_or(0);
    let begin = row.right().saturating_sub(wide + 2);
    if usize::from(begin.saturating_sub(row.x)) > used + 2 {
        let spans = vec![pen.paint.span(Tone::Accent, " c"), pen.paint.span(Tone::Dim, " copies ")];
        pen.line(Rect { x: begin, width: wide, ..row }, &Line::from(spans));
    }
}

fn draw_checks(pen: &mut Pen<'_>, guide: &Guide, area: Rect, drawn: &mut Drawn) {
    let width = usize::from(inset(area, left_margin(area), 1).width);
    let mut rows = checks::rows(guide, pen.paint, width.max(1));
    if rows.lines.len() >= usize::from(area.height) {
        rows.tighten();
    }
    draw_rows(pen, guide, area, Pane::Checks, "Checks", &rows, drawn);
}

/// A pane of rows beneath its rule.
fn draw_rows(pen: &mut Pen<'_>, guide: &Guide, area: Rect, pane: Pane, title: &str, rows: &Rows, drawn: &mut Drawn) {
    let has_focus = guide.scrolled() == pane;
    let (rule, below) = split(area, 1);
    let seen = inset(below, left_margin(area), 1);
    let height = usize::from(seen.height);
    let furthest = rows.lines.len().saturating_sub(height);
    let first = guide.scroll[pane as usize].min(furthest);
    drawn.furthest[pane as usize] = furthest;
    if has_focus {
        drawn.page = height.max(1);
    }
    pen.rule(rule, Title { text: title, has_focus }, &more(rows.lines.len(), first, height, pen.paint));
    pen.hit(area, Hit::Pane(pane));
    pen.rows(seen, rows, first);
}

fn draw_service(pen: &mut Pen<'_>, area: Rect, rows: &Rows) {
    let (rule, below) = split(area, 1);
    pen.rule(rule, Title { text: "Service", has_focus: false }, "");
    pen.hit(area, Hit::Command(Command::Output));
    pen.lines(inset(below, left_margin(area), 1), &rows.lines, 0);
}

/// So many of the columns or rows; a terminal may have more than two bytes can hold a multiple of.
fn share_of(all: u16, parts: u16, of: u16) -> u16 {
    u16::try_from(u32::from(all) * u32::from(parts) / u32::from(of)).unwrap_or(all)
}

/// Signs of the lessons and of what was seen, for a terminal that has few. Letters stay: they are somebody's words.
fn in_ascii(cell: &mut Cell) {
    let instead = match cell.symbol() {
        "→" | "›" | "▸" | "»" => ">",
        "←" | "‹" | "«" => "<",
        "…" => ".",
        "“" | "”" | "„" => "\"",
        "‘" | "’" => "'",
        "–" | "—" | "‑" | "−" => "-",
        "·" => "-",
        "•" => "*",
        "×" => "x",
        "↪" => "\\",
        "\u{a0}" => " ",
        other if !other.is_ascii() && !other.chars().any(char::is_alphanumeric) => "?",
        _ => return,
    };
    cell.set_symbol(instead);
}

fn draw_overlay(pen: &mut Pen<'_>, guide: &Guide, overlay: &Overlay, places: Places, drawn: &mut Drawn) {
    let under = Rect { height: places.keys.y.saturating_sub(places.body.y), ..places.body };
    pen.hit(under, Hit::Pane(Pane::Overlay));
    let boxed = under.width >= 60 && under.height >= 12;
    let wide = overlay::widest(overlay).min(under.width.saturating_sub(if boxed { 4 } else { 0 }));
    let inner = usize::from(wide.saturating_sub(if boxed { 6 } else { 2 }));
    let overlay::Sheet { title, rows, steps } = overlay::sheet(overlay, guide, pen.paint, inner);
    let area = if boxed {
        pen.fade(under);
        let lines = u16::try_from(rows.lines.len().saturating_add(4)).unwrap_or(u16::MAX);
        let height = lines.min(under.height);
        Rect::new(under.x + (under.width - wide) / 2, under.y + (under.height - height) / 2, wide, height)
    } else {
        under
    };
    pen.clear(area);
    let (rule, seen) = if boxed {
        pen.boxed(area);
        (
            inset(Rect { height: 1, ..area }, 1, 1),
            inset(Rect { y: area.y + 2, height: area.height.saturating_sub(4), ..area }, 3, 3),
        )
    } else {
        let (rule, below) = split(area, 1);
        (rule, inset(below, 1, 1))
    };
    let height = usize::from(seen.height);
    let furthest = rows.lines.len().saturating_sub(height);
    let first = match steps.get(guide.marked) {
        // The marked step stays in the middle.
        Some(line) => line.saturating_sub(height / 2).min(furthest),
        None => guide.scroll[Pane::Overlay as usize].min(furthest),
    };
    drawn.furthest[Pane::Overlay as usize] = furthest;
    drawn.page = height.max(1);
    drawn.snippet = None;
    pen.rule(rule, Title { text: title, has_focus: true }, &more(rows.lines.len(), first, height, pen.paint));
    pen.rows(seen, &rows, first);
    for (at, line) in steps.iter().enumerate() {
        if let Some(row) = line.checked_sub(first).and_then(|row| seen.rows().nth(row)) {
            pen.hit(row, Hit::Step(at));
        }
    }
}

/// One readable line, broken where it must be.
fn too_small(pen: &mut Pen<'_>, area: Rect) {
    let (columns, rows) = SMALLEST;
    let text =
        format!("The guide needs {columns} columns and {rows} rows; this is {} by {}. `q` ends it.", area.width, area.height);
    let mut lines = Rows::new(pen.paint, usize::from(area.width));
    lines.paragraph(0, Tone::Bare, &text);
    pen.lines(area, &lines.lines, 0);
}

impl Places {
    fn of(area: Rect, note: usize) -> Self {
        let note = u16::try_from(note).unwrap_or(1);
        let low = area.height < LOW;
        let head = Rect { height: 1, ..area };
        let keys = Rect { y: area.bottom() - 1, height: 1, ..area };
        // On a screen with room, a line is kept for what is told, so that nothing jumps.
        let note_height = if low { note } else { note.max(1) };
        let note = Rect { y: keys.y - note_height, height: note_height, ..area };
        let rule_height = u16::from(!low);
        let rule = Rect { y: note.y - rule_height, height: rule_height, ..area };
        let body = Rect { y: head.bottom(), height: rule.y - head.bottom(), ..area };
        Self { head, body, rule, note, keys }
    }
}

/// Room at the left of text.
const fn left_margin(area: Rect) -> u16 {
    if area.width < 60 { 1 } else { 2 }
}

fn inset(area: Rect, left: u16, right: u16) -> Rect {
    let left = left.min(area.width);
    Rect { x: area.x + left, width: area.width.saturating_sub(left + right), ..area }
}

/// The first rows of an area, and the others.
fn split(area: Rect, rows: u16) -> (Rect, Rect) {
    let rows = rows.min(area.height);
    (Rect { height: rows, ..area }, Rect { y: area.y + rows, height: area.height - rows, ..area })
}

/// The first columns of an area, and the others.
fn beside(area: Rect, columns: u16) -> (Rect, Rect) {
    let columns = columns.min(area.width);
    (Rect { width: columns, ..area }, Rect { x: area.x + columns, width: area.width - columns, ..area })
}
