//! The head and the foot of the screen: where the learner is, what was told last, and the keys.

use ratatui::layout::Rect;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::Hit;
use super::paint::{Paint, Tone, plain};
use super::pen::{Pen, shortened};
use super::rows::{Rows, width};
use crate::check::Points;
use crate::guide::{Binding, Command, Guide, Weight, bindings};
use crate::report::text::one_line;
use crate::service::Target;

/// The columns of the bar that shows how much of the course is done.
const BAR: usize = 12;

/// The line at the top: course, lesson and step, points, and to whom the service reports.
pub(super) fn head(pen: &mut Pen<'_>, guide: &Guide, area: Rect) {
    let paint = pen.paint;
    let room = usize::from(area.width).saturating_sub(2);
    let lefts = place(guide, paint);
    let rights = standing(guide, paint, room);
    let fits = |left: &Vec<Span<'static>>, right: &Vec<Span<'static>>| width(left) + 3 + width(right) <= room;
    // What can be left out is left out in this order.
    let pairs = [(0, 0), (1, 0), (1, 1), (2, 1), (2, 2)];
    let fitting = pairs.into_iter().find(|(left, right)| fits(&lefts[*left], &rights[*right]));
    let (left, right) = fitting.unwrap_or((2, 2));
    let [_, _, step] = &lefts;
    let right = rights[right].clone();
    let start = Rect { x: area.x + 1, width: area.width.saturating_sub(2), ..area };
    if fitting.is_some() {
        pen.line(start, &Line::from(lefts[left].clone()));
    } else {
        let text: String = step.iter().map(|span| span.content.as_ref()).collect();
        let text = shortened(paint, Tone::Strong, &text, room.saturating_sub(width(&right) + 2));
        pen.line(start, &Line::from(text));
    }
    let columns = u16::try_from(width(&right)).unwrap_or(u16::MAX).min(start.width);
    pen.line(Rect { x: start.right() - columns, width: columns, ..start }, &Line::from(right));
    pen.hit(area, Hit::Command(Command::List));
}

/// Where the learner is, from the fullest form to the shortest.
fn place(guide: &Guide, paint: Paint) -> [Vec<Span<'static>>; 3] {
    let course = paint.span(Tone::Dim, plain(&guide.course.title));
    let Some((lesson, step)) = guide.step() else { return [vec![course.clone()], vec![course.clone()], vec![course]] };
    let between = paint.span(Tone::Dim, paint.sign(" › ", " > "));
    let lesson = paint.span(Tone::Bare, format!("{} {}", lesson.number, plain(&lesson.title)));
    let step = paint.span(Tone::Strong, format!("{} {}", step.number, plain(&step.title)));
    [
        vec![course, between.clone(), lesson.clone(), between.clone(), step.clone()],
        vec![lesson, between, step.clone()],
        vec![step],
    ]
}

/// Points and target, from the fullest form to the shortest.
fn standing(guide: &Guide, paint: Paint, room: usize) -> [Vec<Span<'static>>; 3] {
    let (earned, bonus) = guide.earned();
    let (points, bonus_points) = (guide.course.points(), guide.course.bonus_points());
    let dot = paint.span(Tone::Dim, paint.sign(" · ", " - "));
    let target = paint.span(if guide.target == Target::Live { Tone::Warn } else { Tone::Dim }, guide.target.to_string());
    let mut full = Vec::new();
    if room >= 118 {
        full.extend(bar(paint, earned, points, BAR));
        full.push(Span::raw("  "));
    }
    full.extend([paint.span(Tone::Strong, earned.to_string()), paint.span(Tone::Dim, format!(" of {points} points"))]);
    if bonus_points > Points::ZERO {
        full.push(dot.clone());
        full.extend([paint.span(Tone::Strong, bonus.to_string()), paint.span(Tone::Dim, format!(" of {bonus_points} bonus"))]);
    }
    full.extend([dot.clone(), target.clone()]);
    let mut short = vec![paint.span(Tone::Strong, format!("{earned}/{points}"))];
    if bonus > Points::ZERO {
        short.push(paint.span(Tone::Dim, format!(" +{bonus}")));
    }
    let mut medium = short.clone();
    medium.extend([dot, target]);
    [full, medium, short]
}

/// How much of something is done.
pub(super) fn bar(paint: Paint, done: Points, of: Points, columns: usize) -> [Span<'static>; 2] {
    let (done, of) = (done.as_hundredths() as usize, of.as_hundredths() as usize);
    let full = (done * columns).checked_div(of).unwrap_or(0).min(columns);
    // Something is something.
    let full = if done > 0 { full.max(1) } else { full };
    [
        paint.span(Tone::Good, paint.sign("━", "#").repeat(full)),
        paint.span(Tone::Dim, paint.sign("─", ".").repeat(columns - full)),
    ]
}

/// What was told last, in at most so many lines.
pub(super) fn note(guide: &Guide, paint: Paint, columns: usize, most: usize) -> Vec<Line<'static>> {
    let Some(note) = guide.note() else { return Vec::new() };
    let (tone, sign) = match note.weight {
        Weight::Good => (Tone::Good, paint.sign("✓", "+")),
        Weight::Plain => (Tone::Dim, paint.sign("›", ">")),
        Weight::Warning => (Tone::Warn, "!"),
    };
    let body = if note.weight == Weight::Plain { Tone::Bare } else { tone };
    let mut rows = Rows::new(paint, columns);
    let text = one_line(&note.text);
    rows.hung(vec![paint.span(tone, format!("{sign} "))], body, &text);
    if rows.lines.len() > most {
        let room = columns.saturating_sub(2);
        let kept: Vec<Line<'static>> = rows.lines.drain(..most.saturating_sub(1)).collect();
        // The last line that there is room for holds the rest, as far as it goes.
        let rest: Vec<String> = rows.lines.iter().map(|line| line.to_string().trim().to_owned()).collect();
        let rest = rest.join(" ");
        let rest = if kept.is_empty() { text } else { rest };
        let lead = if kept.is_empty() { paint.span(tone, format!("{sign} ")) } else { Span::raw("  ") };
        let last = Line::from(vec![lead, shortened(paint, body, &rest, room)]);
        rows.lines = kept.into_iter().chain([last]).collect();
    }
    rows.lines
}

/// The keys, as many as fit; those that help and end are always there.
pub(super) fn keys(pen: &mut Pen<'_>, guide: &Guide, area: Rect) {
    let paint = pen.paint;
    let all = bindings(guide);
    let room = usize::from(area.width).saturating_sub(2);
    let gap = if area.width < 60 { 2 } else { 3 };
    let takes = |binding: &Binding| binding.key.width() + 1 + binding.word.width() + gap;
    let always = |binding: &Binding| matches!(binding.command, Command::Help | Command::Quit | Command::Close);
    let mut left = room.saturating_sub(all.iter().filter(|binding| always(binding)).map(takes).sum());
    let mut fits = |binding: &Binding| {
        let fits = takes(binding) <= left;
        left = left.saturating_sub(takes(binding));
        fits
    };
    let (last, others): (Vec<&Binding>, Vec<&Binding>) = all.iter().partition(|binding| always(binding));
    let shown = others.into_iter().take_while(|binding| fits(binding)).chain(last);
    let mut column = area.x + 1;
    for binding in shown {
        let calls = binding.command == Command::Next && guide.overlay.is_none() && guide.is_passed();
        let word = if calls { Tone::Good } else { Tone::Dim };
        let spans = vec![paint.span(Tone::Accent, binding.key), paint.span(word, format!(" {}", binding.word))];
        let columns = u16::try_from(width(&spans)).unwrap_or(u16::MAX);
        let place = Rect { x: column, width: columns, ..area }.intersection(area);
        pen.line(place, &Line::from(spans));
        pen.hit(place, Hit::Command(binding.command));
        column = column.saturating_add(columns).saturating_add(u16::try_from(gap).unwrap_or(0));
    }
}
