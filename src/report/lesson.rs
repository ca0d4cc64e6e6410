//! What `bootcamp show` prints: a step, a lesson or a course to read.

use super::Look;
use super::sheet::sheet;
use super::text::{count, one_line, wrap};
use super::words::point;
use crate::check::Points;
use crate::course::{Course, Lesson, Step};
use crate::typeset::{Face, Line, Piece, Role, Sheet, typeset};

/// A step: its heading, what it says, its checks, and the commands that go with it.
#[must_use]
pub fn step(lesson: &Lesson, step: &Step, look: Look) -> String {
    sheet(&step_sheet(lesson, step, look), look)
}

/// A lesson: what introduces it, and all its steps.
#[must_use]
pub fn lesson(course: &Course, lesson: &Lesson, look: Look) -> String {
    let mut page = typeset(&format!("# {} {}", lesson.number, one_line(&lesson.title)), look.setting());
    let worth = worth(lesson.points(), lesson.bonus_points());
    dim(&mut page, &[&course.id, &count(lesson.steps.len(), "step"), &worth], look);
    below(&mut page, typeset(&lesson.intro, look.setting()));
    for step in &lesson.steps {
        // A step's heading is seen from afar.
        page.part();
        page.push(Line::default());
        page.append(step_sheet(lesson, step, look));
    }
    sheet(&page, look)
}

/// A course: what introduces it, and its lessons.
#[must_use]
pub fn course(course: &Course, look: Look) -> String {
    let mut page = typeset(&course.intro, look.setting());
    let title = typeset("## The lessons", look.setting());
    below(&mut page, title);
    for lesson in &course.lessons {
        below(&mut page, typeset(&format!("### {} {}", lesson.number, one_line(&lesson.title)), look.setting()));
        page.append(typeset(&one_line(&lesson.summary), look.setting()));
        let command = format!("bootcamp show {}/{}", course.id, lesson.id);
        dim(&mut page, &[&worth(lesson.points(), lesson.bonus_points()), &command], look);
    }
    sheet(&page, look)
}

fn step_sheet(lesson: &Lesson, step: &Step, look: Look) -> Sheet {
    let setting = look.setting();
    let mut page = typeset(&format!("## {} {}", step.number, one_line(&step.title)), setting);
    let points = if step.bonus { worth(Points::ZERO, step.points) } else { worth(step.points, Points::ZERO) };
    dim(&mut page, &[&one_line(&lesson.title), &points, &step.path], look);
    below(&mut page, typeset(&step.body, setting));
    if !step.checks.is_empty() {
        below(&mut page, typeset("### What is checked", setting));
        let titles: String = step.checks.iter().map(|check| format!("- [ ] {}\n", one_line(&check.title))).collect();
        below(&mut page, typeset(&titles, setting));
    }
    page.part();
    let mut commands = vec![(format!("bootcamp verify {}", step.path), String::from("shows whether it is done"))];
    match step.hints.len() {
        0 => {}
        1 => commands.push((format!("bootcamp hint {}", step.path), String::from("there is one hint"))),
        hints => commands.push((format!("bootcamp hint {}", step.path), format!("the first of {hints} hints"))),
    }
    say(&mut page, &commands, look);
    page
}

/// Commands, and beside them what they are for; beneath them where that is too wide.
fn say(page: &mut Sheet, commands: &[(String, String)], look: Look) {
    let code = commands.iter().map(|(command, _)| command.chars().count()).max().unwrap_or(0);
    let note = commands.iter().map(|(_, note)| note.chars().count()).max().unwrap_or(0);
    let beside = code + 3 + note <= look.width;
    for (command, note) in commands {
        let mut line = Line::of(Piece::new(command, Face::of(Role::Code)));
        if beside {
            line.push(Piece::new(" ".repeat(code - command.chars().count() + 3), Face::default()));
        } else {
            page.push(std::mem::take(&mut line));
            line.push(Piece::new("  ", Face::default()));
        }
        line.push(Piece::new(note, Face::of(Role::Dim)));
        page.push(line);
    }
}

/// A line of lesser weight, right beneath what is there.
fn dim(page: &mut Sheet, parts: &[&str], look: Look) {
    let text = parts.join(look.sign(" · ", " - "));
    for line in wrap(&one_line(&text), look.width) {
        page.push(Line::of(Piece::new(line, Face::of(Role::Dim))));
    }
}

fn below(page: &mut Sheet, other: Sheet) {
    page.part();
    page.append(other);
}

/// `4 points`, `2 bonus points`, `4 points, 2 bonus`.
fn worth(points: Points, bonus: Points) -> String {
    match (points == Points::ZERO, bonus == Points::ZERO) {
        (_, true) => format!("{points} {}", point(points)),
        (true, false) => format!("{bonus} bonus {}", point(bonus)),
        (false, false) => format!("{points} {}, {bonus} bonus", point(points)),
    }
}
