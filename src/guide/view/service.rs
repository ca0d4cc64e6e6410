//! The service: how it is, and what it or its build printed last.

use ratatui::text::Line;

use super::paint::{Paint, Tone};
use super::rows::Rows;
use super::sgr::{clip, lines};
use crate::guide::{Guide, Phase};
use crate::report::text::{duration, one_line};
use crate::typeset::clean;

/// The service's box, before it is cut to the room that there is.
pub(super) struct Service {
    /// How it is, in one or a few lines.
    pub(super) head: Rows,
    /// What was printed: as many lines as were asked for, or fewer.
    pub(super) printed: Vec<Line<'static>>,
}

impl Service {
    /// The service, with at most so many of the printed lines.
    pub(super) fn of(guide: &Guide, paint: Paint, width: usize, most: usize) -> Self {
        let mut head = Rows::new(paint, width);
        let say = |head: &mut Rows, tone: Tone, sign: &'static str, text: &str| {
            head.hung(vec![paint.span(tone, sign), paint.span(Tone::Bare, " ")], Tone::Bare, text);
        };
        let moving = paint.moving(guide.ticks);
        let service = &guide.service;
        let printed = match &service.phase {
            Phase::Idle => {
                say(&mut head, Tone::Dim, paint.sign("–", "-"), "not started yet");
                Vec::new()
            }
            Phase::Building => {
                say(&mut head, Tone::Accent, moving, "building");
                last(&service.build, most)
            }
            Phase::Starting => {
                say(&mut head, Tone::Accent, moving, "starting");
                last(&service.lines, most)
            }
            Phase::Ready { url, after_ms } => {
                let after = after_ms.map_or_else(String::new, |ms| format!(", after {}", duration(ms)));
                say(&mut head, Tone::Good, paint.sign("●", "*"), &format!("ready at {}{after}", one_line(url)));
                last(&service.lines, most)
            }
            Phase::Unbuilt { cause, remedy } => {
                trouble(&mut head, "does not build", cause, remedy);
                from_first_error(&service.build, most)
            }
            Phase::Unsettled { cause, remedy } => {
                trouble(&mut head, "the settings cannot be read", cause, remedy);
                Vec::new()
            }
            Phase::Crashed { cause, remedy } => {
                trouble(&mut head, "not running", cause, remedy);
                last(&service.lines, most)
            }
        };
        let printed = printed.iter().flat_map(|printed| lines(printed, paint));
        let mut printed: Vec<Line<'static>> = printed.map(|line| clip(line, width, paint)).collect();
        // What was printed as one line may be several.
        match service.phase {
            Phase::Unbuilt { .. } => printed.truncate(most),
            _ => drop(printed.drain(..printed.len().saturating_sub(most))),
        }
        Self { head, printed }
    }

    /// Whether something is wrong, so that it is given more room.
    pub(super) fn is_in_trouble(guide: &Guide) -> bool {
        matches!(guide.service.phase, Phase::Unbuilt { .. } | Phase::Unsettled { .. } | Phase::Crashed { .. })
    }

    /// Its lines, in at most so many: the head first.
    pub(super) fn cut(self, room: usize) -> Rows {
        let mut rows = self.head;
        rows.lines.truncate(room);
        let left = room - rows.lines.len();
        rows.lines.extend(self.printed.into_iter().take(left));
        rows
    }
}

fn trouble(head: &mut Rows, what: &str, cause: &str, remedy: &str) {
    let paint = head.paint;
    let sign = paint.span(Tone::Bad, format!("{} {what}", paint.sign("✗", "x")));
    let (cause, remedy) = (clean(cause), clean(remedy));
    // A cause in its own words says it already.
    head.hung(vec![sign, paint.span(Tone::Bare, ": ")], Tone::Bare, &cause);
    if !remedy.trim().is_empty() {
        head.labelled(2, "fix", 5, Tone::Bare, &remedy);
    }
}

fn last(lines: &[String], most: usize) -> Vec<&str> {
    lines[lines.len().saturating_sub(most)..].iter().map(String::as_str).collect()
}

/// What a compiler says first is what is to be mended first.
fn from_first_error(build: &[String], most: usize) -> Vec<&str> {
    let first = build.iter().position(|line| clean(line).starts_with("error"));
    match first {
        Some(first) => build[first..].iter().take(most).map(String::as_str).collect(),
        None => last(build, most),
    }
}
