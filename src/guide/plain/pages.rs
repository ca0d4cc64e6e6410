//! What is told as a whole: a lesson's beginning, a step, the list, the words, a step that is passed.

use super::super::{Command, Guide, Solution, StepState, all_bindings};
use super::lines::Lines;
use crate::check::Points;
use crate::report::plain::points;
use crate::report::text::{count, one_line};
use crate::report::words::point;
use crate::report::{Look, Score, Status, Tone, Tree, took};
use crate::typeset::typeset;

/// Of what shows that a step is done, so many lines.
const FACTS: usize = 12;

/// Of what was printed, the last so many lines.
const OUTPUT_LINES: usize = 60;

pub(super) fn welcome(guide: &Guide, lines: &mut Lines) {
    let course = &guide.course;
    let title =
        format!("{}: {}, {}.", one_line(&course.title), count(course.lessons.len(), "lesson"), count(guide.count(), "step"));
    lines.label(0, Tone::Strong, "The course", &title);
    lines.say(&format!("You have {}. `help` has the words that you can type.", score(guide)));
}

pub(super) fn lesson(guide: &Guide, lines: &mut Lines) {
    let Some((lesson, step)) = guide.step() else { return };
    lines.head(&format!("Lesson {}: {}", lesson.number, one_line(&lesson.title)));
    // Who comes from elsewhere has read it, or wants the step.
    if lesson.steps.first().is_some_and(|first| first.path == step.path) {
        lines.markdown(&lesson.intro);
    } else {
        lines.say(&one_line(&lesson.summary));
    }
}

pub(super) fn step(guide: &Guide, lines: &mut Lines) {
    let Some((_, step)) = guide.step() else { return };
    let bonus = if step.bonus { "bonus " } else { "" };
    let worth = format!("{} {bonus}{}", step.points, point(step.points));
    lines.head(&format!("Step {}: {}, {worth}", step.number, one_line(&step.title)));
    lines.markdown(&step.body);
    if !step.checks.is_empty() {
        lines.part();
        lines.say("It is done when:");
        for check in &step.checks {
            lines.item(0, &format!("- {}", one_line(&check.title)));
        }
    }
    lines.part();
    match guide.step_state(step) {
        StepState::Passed => lines.say("You have passed this step; `next` goes on."),
        StepState::Broken => lines.say("You had passed this step, and it does not hold any more."),
        StepState::Changed => lines.say("You had passed this step; its checks have changed since, so it is offered again."),
        StepState::Skipped => lines.say("You have left this step out; it can be done at any time."),
        StepState::Open | StepState::Failed => {}
    }
}

/// The hints that were asked for, those left out that were told.
pub(super) fn hints(guide: &Guide, told: usize, lines: &mut Lines) {
    let Some((_, step)) = guide.step() else { return };
    for (index, hint) in step.hints.iter().enumerate().take(guide.hints_shown()).skip(told) {
        lines.head(&format!("Hint {} of {}: {}", index + 1, step.hints.len(), one_line(&hint.summary)));
        lines.markdown(&hint.text);
        lines.part();
    }
}

/// The blocks of code that the learner has before him.
pub(super) fn blocks(guide: &Guide, lines: &mut Lines) {
    let Some((_, step)) = guide.step() else { return };
    let hints = step.hints.iter().take(guide.hints_shown()).map(|hint| hint.text.as_str());
    let setting = lines.look.setting();
    let blocks: Vec<_> =
        std::iter::once(step.body.as_str()).chain(hints).flat_map(|text| typeset(text, setting).blocks).collect();
    if blocks.is_empty() {
        return lines.say("There is no block of code in this step.");
    }
    for block in blocks {
        let name = block.file.filter(|file| !file.is_empty()).unwrap_or(block.language);
        lines.head(&if name.is_empty() { String::from("Code:") } else { format!("{}:", one_line(&name)) });
        block.code.lines().for_each(|line| lines.exact(line));
    }
    lines.part();
}

/// The step is passed: what shows it, and the way on.
pub(super) fn passed(guide: &Guide, lines: &mut Lines) {
    let Some((_, step)) = guide.step() else { return };
    let earned = guide.progress.earned_by(step);
    let told = format!("{earned} {}. You have {}.", point(earned), score(guide));
    lines.label(0, Tone::Good, &format!("Step {} is passed", step.number), &told);
    if let Some(report) = guide.results.get(&step.path) {
        let mut facts: Vec<(&str, &str)> = Vec::new();
        for fact in report.checks.iter().filter(|check| check.status == Status::Passed).flat_map(|check| &check.facts) {
            let fact = (fact.label.as_str(), fact.value.as_str());
            if !facts.contains(&fact) {
                facts.push(fact);
            }
        }
        if !facts.is_empty() {
            lines.say("What was seen:");
        }
        for (label, value) in facts.iter().take(FACTS) {
            lines.label(2, Tone::Bare, label, value);
        }
        if facts.len() > FACTS {
            lines.item(2, &format!("and {} more", facts.len() - FACTS));
        }
    }
    if let Some(waterfall) = guide.waterfalls.get(&step.path) {
        waterfall.trees.iter().for_each(|tree| self::tree(tree, lines));
    }
    if guide.at + 1 < guide.count() {
        lines.say("Type `next` to go on.");
    } else {
        lines.say("This is the last step; type `next` to see whether all is done.");
    }
}

/// The request as a vendor has it, what belongs to something beneath it.
fn tree(tree: &Tree, lines: &mut Lines) {
    lines.say(&format!("The request in {}, {}:", tree.vendor, took(tree.span_ms)));
    for row in &tree.rows {
        let failed = if row.failed { ", failed" } else { "" };
        // Deep down there must be room for a name.
        let indent = (2 + 2 * row.depth).min(lines.look.width / 2);
        lines.item(indent, &format!("{}, {}, {}{failed}", row.name, row.kind, took(row.duration_ms)));
    }
    if tree.left_out > 0 {
        lines.item(2, &format!("and {} more", tree.left_out));
    }
}

pub(super) fn list(guide: &Guide, lines: &mut Lines) {
    for lesson in &guide.course.lessons {
        lines.head(&format!("Lesson {}: {}", lesson.number, one_line(&lesson.title)));
        for step in &lesson.steps {
            let state = match guide.step_state(step) {
                StepState::Open => "open",
                StepState::Failed => "not done yet",
                StepState::Passed => "passed",
                StepState::Broken => "passed before, and does not hold any more",
                StepState::Changed => "passed before its checks changed",
                StepState::Skipped => "left out",
            };
            let here = if step.path == guide.path() { "; you are here" } else { "" };
            let bonus = if step.bonus { " bonus" } else { "" };
            let worth = format!("{}{bonus} {}", step.points, point(step.points));
            lines.item(2, &format!("{} {}: {state}, {worth}{here}", step.number, one_line(&step.title)));
        }
    }
    lines.part();
    lines.say(&format!("You have {}. Type a step's number to go there.", score(guide)));
}

pub(super) fn help(lines: &mut Lines) {
    lines.head("Type a word, or its letter:");
    for binding in all_bindings() {
        let (word, what) = match binding.command {
            // There is nothing to scroll.
            Command::Focus => continue,
            Command::Help => ("help", "these words"),
            Command::Copy => ("copy", "the step's blocks of code exactly as they are, to be copied"),
            _ => (binding.word, binding.what),
        };
        lines.label(2, Tone::Strong, &format!("{word}, {}", binding.key), what);
        match binding.command {
            Command::Solution => lines.label(2, Tone::Strong, "apply, a", "make the changes that the solution showed"),
            Command::List => lines.label(2, Tone::Strong, "2.3", "to this step; its name does it, too"),
            Command::Help => lines.label(2, Tone::Strong, "show", "the step's text once more"),
            _ => {}
        }
    }
    lines.part();
}

pub(super) fn output(guide: &Guide, lines: &mut Lines) {
    let service = &guide.service;
    let mut some = false;
    for (who, printed) in [("build", &service.build), ("service", &service.lines)] {
        if !printed.is_empty() {
            some = true;
            lines.head(&format!("Your {who} printed:"));
            printed[printed.len().saturating_sub(OUTPUT_LINES)..].iter().for_each(|line| lines.quote(2, line));
        }
    }
    if some {
        lines.part();
    } else {
        lines.say("Neither the build nor the service has printed anything.");
    }
}

pub(super) fn solution(solution: &Solution, lines: &mut Lines) {
    lines.part();
    for line in solution.text.lines() {
        // How it is done from a shell is not what one does here.
        if line.contains("`bootcamp solution ") {
            lines.say("Type `apply` to make these changes; your files are kept as they were.");
        } else {
            lines.quote(0, line);
        }
    }
}

pub(super) fn done(guide: &Guide, lines: &mut Lines) {
    lines.part();
    lines.say(&format!("This is the end. You have {}.", score(guide)));
    not_passed(guide, lines);
    lines.say(&format!("`bootcamp verify {}` proves the whole of it once more.", guide.course.id));
}

/// The steps that were left out, or do not hold any more.
fn not_passed(guide: &Guide, lines: &mut Lines) {
    let open = guide.course.steps().filter(|(_, step)| guide.step_state(step) != StepState::Passed);
    let open: Vec<&str> = open.map(|(_, step)| step.number.as_str()).collect();
    lines.say(&match open[..] {
        [] => String::from("You have passed every step."),
        [number] => format!("Not passed: step {number}."),
        _ => format!("Not passed: the steps {}.", open.join(", ")),
    });
}

/// How far the learner is when the guide ends, and how to go on: the last lines.
#[must_use]
pub fn farewell(guide: &Guide, look: Look) -> String {
    let mut lines = Lines::new(look);
    lines.say(&format!("You have {}.", score(guide)));
    match guide.progress.here(&guide.course) {
        Some((_, step)) => lines.say(&format!("`bootcamp` goes on with step {}, {}.", step.number, one_line(&step.title))),
        None => not_passed(guide, &mut lines),
    }
    lines.text
}

/// `4 of 20 points and 0 of 1 bonus point`.
fn score(guide: &Guide) -> String {
    let (earned, bonus) = guide.earned();
    let (possible, bonus_possible) = (guide.course.points(), guide.course.bonus_points());
    // Of a course without points there is something to say, too.
    if possible == Points::ZERO && bonus_possible == Points::ZERO {
        return String::from("no points, for there are none");
    }
    points(&Score { earned, possible, bonus, bonus_possible })
}
