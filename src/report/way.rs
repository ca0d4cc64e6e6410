//! What `bootcamp next` and `bootcamp hint` print: where a learner is to go on, and help on the way.

use std::ops::Range;

use super::Look;
use super::look::Tone;
use super::page::Page;
use super::sheet::sheet;
use super::step::Shown;
use super::text::{count, one_line};
use super::words::{earned_of, point};
use crate::course::{Course, Hint};
use crate::progress::{Progress, Standing};
use crate::typeset::typeset;

/// The step at which a learner is to go on: what it is, when it is done, and what to type.
#[must_use]
pub fn next(shown: Shown<'_>, progress: &Progress, look: Look) -> String {
    let Shown { lesson, step } = shown;
    let mut page = Page::new(look);
    let dot = look.sign("·", "-");
    let bonus = if step.bonus { "bonus " } else { "" };
    let worth = format!("{} {bonus}{}", step.points, point(step.points));
    let number = format!("{}  ", step.number);
    page.row(0, &[(Tone::Strong, &number), (Tone::Strong, &one_line(&step.title))], Tone::Strong, &worth);
    let indent = number.len();
    let place = format!("{} {dot} {}:{}", one_line(&lesson.title), lesson.file, step.line);
    page.paragraph(indent, Tone::Dim, &place);
    let again = match progress.standing(step) {
        Standing::Changed => "You passed this step, and its checks have changed since: it is to be verified again.",
        Standing::Broken => "You passed this step, and it held no longer when it was last verified.",
        Standing::Open | Standing::Passed | Standing::Skipped => "",
    };
    if !again.is_empty() {
        page.blank();
        page.paragraph(0, Tone::Warn, again);
    }
    page.blank();
    page.line(0, Tone::Bare, "It is done when");
    for check in &step.checks {
        page.row(2, &[(Tone::Dim, dot), (Tone::Bare, " "), (Tone::Bare, &one_line(&check.title))], Tone::Bare, "");
    }
    page.blank();
    page.line(0, Tone::Bare, "Type");
    let hints = match (step.hints.len(), progress.hints_shown(step)) {
        (0, _) => None,
        (all, shown) if shown < all => Some(format!("when you are stuck: hint {} of {all}", shown + 1)),
        (all, _) => {
            Some(format!("you have seen {}", if all == 1 { String::from("the hint") } else { format!("all {all} hints") }))
        }
    };
    let path = &step.path;
    let mut commands = vec![
        (format!("bootcamp show {path}"), String::from("to read what to do")),
        (format!("bootcamp verify {path}"), String::from("when you have done it")),
    ];
    commands.extend(hints.map(|hints| (String::from("bootcamp hint"), hints)));
    commands.push((format!("bootcamp solution {path}"), String::from("to see what the step changes")));
    page.commands(&commands);
    page.text
}

/// All is done, or passed over.
#[must_use]
pub fn nothing_left(course: &Course, progress: &Progress, look: Look) -> String {
    let mut page = Page::new(look);
    let skipped: Vec<_> = course.steps().filter(|(_, step)| progress.standing(step) == Standing::Skipped).collect();
    let (earned, bonus) = progress.earned(course);
    let points = earned_of(earned, course.points(), bonus, course.bonus_points());
    let title = one_line(&course.title);
    if skipped.is_empty() {
        page.paragraph(0, Tone::Good, &format!("All steps of “{title}” are done: {points}."));
    } else {
        let steps = count(skipped.len(), "step");
        let are = if skipped.len() == 1 { "is" } else { "are" };
        page.paragraph(0, Tone::Good, &format!("“{title}” is done but for {steps} that {are} skipped: {points}."));
        page.blank();
        page.line(0, Tone::Bare, "To take one up after all, type");
        let command = |(_, step): &(_, &crate::course::Step)| {
            (format!("bootcamp verify {}", step.path), format!("{} {}", step.number, one_line(&step.title)))
        };
        page.commands(&skipped.iter().map(command).collect::<Vec<_>>());
    }
    page.text
}

/// Some of a step's hints, by their indices: those that are shown now. An empty range says why there are none.
#[must_use]
pub fn hints(shown: Shown<'_>, rungs: Range<usize>, look: Look) -> String {
    let step = shown.step;
    let (path, all) = (&step.path, step.hints.len());
    let mut page = Page::new(look);
    let title = format!("{} {}", step.number, one_line(&step.title));
    let way_out = (format!("bootcamp solution {path}"), String::from("what the step changes"));
    if all == 0 {
        page.paragraph(0, Tone::Bare, &format!("{title} has no hints."));
        page.commands(&[way_out]);
        return page.text;
    }
    if rungs.is_empty() {
        let (said, again) = match (rungs.start, all) {
            (0, _) => {
                (format!("No hint of {title} was shown yet."), (format!("bootcamp hint {path}"), format!("hint 1 of {all}")))
            }
            (_, 1) => (
                format!("The only hint of {title} was shown."),
                (format!("bootcamp hint {path} --all"), String::from("to read it again")),
            ),
            _ => (
                format!("All {all} hints of {title} were shown."),
                (format!("bootcamp hint {path} --all"), String::from("to read them again")),
            ),
        };
        page.paragraph(0, Tone::Bare, &said);
        page.commands(&[again, way_out]);
        return page.text;
    }
    page.paragraph(0, Tone::Strong, &title);
    for rung in rungs.clone() {
        let Some(hint) = step.hints.get(rung) else { continue };
        page.blank();
        page.hint(hint, rung + 1, all);
    }
    page.blank();
    match all - rungs.end.min(all) {
        0 => page.commands(&[way_out]),
        left => {
            let more = if left == 1 { String::from("the last hint") } else { format!("the next of {left} more hints") };
            page.commands(&[(format!("bootcamp hint {path}"), more)]);
        }
    }
    page.text
}

impl Page {
    /// Commands to type, each with what it is for.
    fn commands(&mut self, commands: &[(String, String)]) {
        let widest = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
        for (command, what) in commands {
            let padded = format!("{command:<widest$}  ");
            if widest + what.chars().count() + 4 > self.look.width {
                // Side by side there is no room for them.
                self.line(2, Tone::Strong, command);
                self.paragraph(6, Tone::Dim, what);
            } else {
                self.row(2, &[(Tone::Strong, &padded), (Tone::Dim, what)], Tone::Bare, "");
            }
        }
    }

    fn hint(&mut self, hint: &Hint, number: usize, all: usize) {
        let summary = one_line(&hint.summary);
        let head =
            if summary == "Hint" { format!("Hint {number} of {all}") } else { format!("Hint {number} of {all}: {summary}") };
        self.paragraph(0, Tone::Bare, &head);
        self.blank();
        let look = Look { width: self.look.width - 2, ..self.look };
        for line in sheet(&typeset(&hint.text, look.setting()), look).lines() {
            self.line(if line.is_empty() { 0 } else { 2 }, Tone::Bare, line);
        }
    }
}
