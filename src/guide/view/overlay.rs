//! What lies over the lesson: the list, the keys, what was printed, the solution, the end.

use ratatui::style::Modifier;
use ratatui::text::{Line, Span};
use unicode_width::UnicodeWidthStr;

use super::edges::bar;
use super::paint::{Paint, Tone, plain};
use super::rows::{Rows, width};
use super::sgr::{fold, lines};
use crate::check::Points;
use crate::course::{Lesson, Step};
use crate::guide::{Guide, Overlay, Phase, StepState, all_bindings};
use crate::report::text::{count, shorten};

/// An overlay's content.
pub(super) struct Sheet {
    pub(super) title: &'static str,
    pub(super) rows: Rows,
    /// In the list: the line of each step, by its place in the course.
    pub(super) steps: Vec<usize>,
}

/// The widest an overlay is: what is read is narrower than what was printed.
pub(super) const fn widest(overlay: &Overlay) -> u16 {
    match overlay {
        Overlay::List | Overlay::Help => 92,
        Overlay::Done => 76,
        Overlay::Output | Overlay::Solution(_) => 140,
    }
}

/// What lies over the lesson, in so many columns.
pub(super) fn sheet(overlay: &Overlay, guide: &Guide, paint: Paint, width: usize) -> Sheet {
    let mut rows = Rows::new(paint, width);
    let mut steps = Vec::new();
    let title = match overlay {
        Overlay::List => {
            steps = list(&mut rows, guide);
            "Lessons and steps"
        }
        Overlay::Help => {
            help(&mut rows);
            "Keys and signs"
        }
        Overlay::Output => {
            output(&mut rows, guide);
            "Build and service"
        }
        Overlay::Solution(solution) => {
            match solution {
                Some(solution) => printed(&mut rows, &solution.text),
                None => rows.paragraph(0, Tone::Dim, paint.sign("working it out…", "working it out...")),
            }
            "The step's solution"
        }
        Overlay::Done => {
            done(&mut rows, guide);
            "The end of the course"
        }
    };
    Sheet { title, rows, steps }
}

/// A step's sign, and its state in words.
fn state(paint: Paint, state: StepState) -> (Tone, &'static str, &'static str) {
    match state {
        StepState::Open => (Tone::Dim, paint.sign("○", "."), ""),
        StepState::Failed => (Tone::Bad, paint.sign("✗", "x"), "not met"),
        StepState::Passed => (Tone::Good, paint.sign("✓", "+"), "passed"),
        StepState::Broken => (Tone::Warn, "!", "broken since"),
        StepState::Changed => (Tone::Warn, paint.sign("↻", "~"), "checks changed"),
        StepState::Skipped => (Tone::Dim, paint.sign("–", "-"), "skipped"),
    }
}

/// The points of a lesson that are earned, and all of it: the required ones, and those beyond.
fn points(guide: &Guide, lesson: &Lesson) -> [(Points, Points); 2] {
    [false, true].map(|bonus| {
        let steps = || lesson.steps.iter().filter(|step| step.bonus == bonus);
        (steps().map(|step| guide.progress.earned_by(step)).sum(), steps().map(|step| step.points).sum())
    })
}

/// `6 of 8`, `6 of 8, 1 of 2 bonus`.
fn in_words([required, bonus]: [(Points, Points); 2]) -> String {
    let parts = [(required, ""), (bonus, " bonus")].into_iter().filter(|((_, of), _)| *of > Points::ZERO);
    let parts: Vec<String> = parts.map(|((earned, of), word)| format!("{earned} of {of}{word}")).collect();
    parts.join(", ")
}

/// Text at the left, and at the right edge; the left gives way.
fn spread(rows: &mut Rows, left: Vec<Span<'static>>, text: (Tone, &str), right: Vec<Span<'static>>) {
    let room = rows.width.saturating_sub(width(&left) + width(&right) + 2);
    let text = rows.paint.span(text.0, shorten(text.1, room, rows.paint.sign("…", "...")));
    let gap = rows.width.saturating_sub(width(&left) + text.width() + width(&right));
    rows.line(left.into_iter().chain([text, Span::raw(" ".repeat(gap))]).chain(right).collect());
}

fn list(rows: &mut Rows, guide: &Guide) -> Vec<usize> {
    let mut places = Vec::new();
    for lesson in &guide.course.lessons {
        rows.part();
        let earned = rows.paint.span(Tone::Dim, in_words(points(guide, lesson)));
        let title = plain(&lesson.title);
        let number = rows.paint.span(Tone::Strong, format!("{}  ", lesson.number));
        spread(rows, vec![number], (Tone::Strong, &title), vec![earned]);
        for step in &lesson.steps {
            places.push(rows.lines.len());
            list_step(rows, guide, step, places.len() - 1);
        }
    }
    if places.is_empty() {
        rows.paragraph(0, Tone::Dim, "This course has no steps yet.");
    }
    places
}

fn list_step(rows: &mut Rows, guide: &Guide, step: &Step, at: usize) {
    let paint = rows.paint;
    let (tone, sign, word) = state(paint, guide.step_state(step));
    let marked = at == guide.marked;
    let mark = if marked { paint.sign("▸ ", "> ") } else { "  " };
    let here = if at == guide.at { "you are here" } else { "" };
    let between = if here.is_empty() || word.is_empty() { "" } else { paint.sign(" · ", " - ") };
    let bonus = if step.bonus { "+" } else { "" };
    let right = vec![
        paint.span(Tone::Accent, here),
        paint.span(Tone::Dim, between),
        paint.span(tone, word),
        paint.span(Tone::Dim, format!("{:>5}", format!("{bonus}{}", step.points))),
    ];
    let left =
        vec![paint.span(Tone::Accent, mark), paint.span(tone, sign), paint.span(Tone::Dim, format!("  {:<5}", step.number))];
    let title = plain(&step.title);
    spread(rows, left, (if at == guide.at { Tone::Strong } else { Tone::Bare }, &title), right);
    if marked && let Some(line) = rows.lines.last_mut() {
        line.style = line.style.add_modifier(Modifier::REVERSED);
        for span in &mut line.spans {
            span.style = span.style.add_modifier(Modifier::REVERSED).remove_modifier(Modifier::DIM);
        }
    }
}

fn help(rows: &mut Rows) {
    let paint = rows.paint;
    let widest = 12;
    let arrows = paint.sign("↑ ↓", "Up Down");
    let sideways = paint.sign("← →", "Left Right");
    let own = all_bindings().iter().map(|binding| (binding.key, binding.what));
    let more = [
        (arrows, "a line up or down; `PgUp`, `PgDn` and `Space` a page; `Home` and `End` all the way"),
        (sideways, "to the step before, and on to the next one"),
        ("mouse", "the wheel scrolls what it points at; keys, panes and steps can be clicked"),
    ];
    for (key, what) in own.chain(more) {
        let lead = vec![Span::raw("  "), paint.span(Tone::Accent, format!("{key:widest$}"))];
        rows.hung(lead, Tone::Bare, what);
    }
    rows.part();
    rows.line(vec![paint.span(Tone::Strong, "Signs")]);
    let signs = [
        (Tone::Good, paint.sign("✓", "+"), "met, passed"),
        (Tone::Bad, paint.sign("✗", "x"), "not met, or broken"),
        (Tone::Warn, "!", "could not be looked at; or passed before, and does not hold now"),
        (Tone::Accent, paint.moving(0), "being looked at"),
        (Tone::Dim, "?", "not looked at yet"),
        (Tone::Dim, paint.sign("○", "."), "a step that is open"),
        (Tone::Dim, paint.sign("–", "-"), "skipped"),
        (Tone::Warn, paint.sign("↻", "~"), "passed, and its checks have changed since"),
        (Tone::Good, paint.sign("●", "*"), "the service answers"),
    ];
    for (tone, sign, what) in signs {
        rows.hung(vec![Span::raw("  "), paint.span(tone, format!("{sign:widest$}"))], Tone::Bare, what);
    }
    rows.part();
    rows.paragraph(0, Tone::Dim, "Saving a file builds, starts and looks again: no key is needed for it.");
}

fn output(rows: &mut Rows, guide: &Guide) {
    let service = &guide.service;
    let unbuilt = matches!(service.phase, Phase::Unbuilt { .. });
    // What was there before a build that failed explains nothing.
    let parts = [("The last build", &service.build, true), ("The service", &service.lines, !unbuilt)];
    for (title, printed_lines, wanted) in parts {
        if printed_lines.is_empty() || !wanted {
            continue;
        }
        rows.part();
        rows.line(vec![rows.paint.span(Tone::Strong, title)]);
        rows.part_always();
        for line in printed_lines {
            printed(rows, line);
        }
    }
    if rows.lines.is_empty() {
        rows.paragraph(0, Tone::Dim, "Nothing was printed yet.");
    }
}

fn printed(rows: &mut Rows, text: &str) {
    let folded = lines(text, rows.paint).into_iter().flat_map(|line| fold(line, rows.width));
    let folded: Vec<Line<'static>> = folded.collect();
    if folded.is_empty() {
        rows.part_always();
    }
    rows.lines.extend(folded);
}

fn done(rows: &mut Rows, guide: &Guide) {
    let paint = rows.paint;
    let (earned, bonus) = guide.earned();
    let (points_of, bonus_of) = (guide.course.points(), guide.course.bonus_points());
    let left: Vec<(&Lesson, &Step)> =
        guide.course.steps().filter(|(_, step)| guide.step_state(step) != StepState::Passed).collect();
    let title = plain(&guide.course.title);
    if left.is_empty() {
        rows.hung(vec![paint.span(Tone::Good, paint.sign("✓  ", "+  "))], Tone::Strong, &format!("{title}: all of it is done."));
    } else {
        rows.hung(
            vec![paint.span(Tone::Good, paint.sign("✓  ", "+  "))],
            Tone::Strong,
            &format!("{title}: that was the last step."),
        );
    }
    rows.part();
    rows.paragraph(
        3,
        Tone::Bare,
        "Well done. Nobody took your word for it: each of these points stands for something that your own service sent, and that was read back.",
    );
    rows.part();
    let mut sum = vec![paint.span(Tone::Strong, earned.to_string()), paint.span(Tone::Bare, format!(" of {points_of} points"))];
    if bonus_of > Points::ZERO {
        sum.extend([paint.span(Tone::Strong, format!(", {bonus}")), paint.span(Tone::Bare, format!(" of {bonus_of} bonus"))]);
    }
    rows.line([Span::raw("   ")].into_iter().chain(sum).collect());
    rows.part();
    let widest = guide.course.lessons.iter().map(|lesson| plain(&lesson.title).width()).max().unwrap_or(0);
    let widest = widest.min(rows.width.saturating_sub(36).max(8));
    for lesson in &guide.course.lessons {
        let all = points(guide, lesson);
        let (earned, of) = (all[0].0 + all[1].0, all[0].1 + all[1].1);
        let title = shorten(&plain(&lesson.title), widest, paint.sign("…", "..."));
        let gap = widest.saturating_sub(title.width());
        let lead = vec![paint.span(Tone::Dim, format!("   {}  ", lesson.number)), paint.span(Tone::Bare, title)];
        let bar = bar(paint, earned, of, 12);
        let words = paint.span(Tone::Dim, format!("  {}", in_words(all)));
        rows.line(lead.into_iter().chain([Span::raw(" ".repeat(gap + 2))]).chain(bar).chain([words]).collect());
    }
    rows.part();
    if left.is_empty() {
        rows.paragraph(3, Tone::Bare, "Nothing is left open. The service is yours to go on with.");
        return;
    }
    rows.paragraph(3, Tone::Bare, &format!("{} left, to be done whenever you like:", left_in_words(left.len())));
    for (_, step) in &left {
        let (tone, sign, word) = state(paint, guide.step_state(step));
        let lead = vec![Span::raw("   "), paint.span(tone, sign), paint.span(Tone::Dim, format!("  {:<5}", step.number))];
        spread(rows, lead, (Tone::Bare, &plain(&step.title)), vec![paint.span(Tone::Dim, word)]);
    }
    rows.part();
    rows.paragraph(3, Tone::Dim, "Esc closes this; `l` then lists all steps, and Enter leads to one.");
}

fn left_in_words(left: usize) -> String {
    format!("{} {}", count(left, "step"), if left == 1 { "is" } else { "are" })
}
