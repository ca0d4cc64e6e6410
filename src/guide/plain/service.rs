//! What is said of the service.

use console::strip_ansi_codes;

use super::super::{Guide, Phase};
use super::Telling;
use super::lines::Lines;
use crate::report::Tone;
use crate::report::text::{clean, duration};

/// Of what a build says that fails, so many lines are told.
const BUILD_LINES: usize = 60;

/// A build that has said so many lines and goes on builds more than the service itself.
const LONG_BUILD: usize = 20;

/// Of what a service prints that is not up any more, the last so many.
const LAST_LINES: usize = 12;

impl Telling {
    pub(super) fn tell_service(&mut self, guide: &Guide, lines: &mut Lines) {
        let service = &guide.service;
        if service.phase != self.phase {
            let before = std::mem::replace(&mut self.phase, service.phase.clone());
            match &service.phase {
                // It is only a moment until it answers, or does not.
                Phase::Idle | Phase::Starting => {}
                Phase::Building => lines.say("Building your service."),
                Phase::Ready { url, after_ms } => {
                    let known = matches!(&before, Phase::Ready { url: before, .. } if before == url);
                    match after_ms {
                        _ if known => {}
                        Some(after) => lines.say(&format!("Your service is ready at {url} after {}.", duration(*after))),
                        None => lines.say(&format!("Your service answers at {url}.")),
                    }
                }
                Phase::Unbuilt { cause, remedy } => {
                    let cause = cause.strip_prefix("the service does not build: ").unwrap_or(cause);
                    lines.label(0, Tone::Bad, "Your service does not build", cause);
                    if service.build == self.build && !self.build.is_empty() {
                        lines.item(2, "For the same reason as before.");
                    } else {
                        said_by_build(&service.build, lines);
                        self.build.clone_from(&service.build);
                    }
                    fix(remedy, lines);
                }
                Phase::Unsettled { cause, remedy } => {
                    lines.label(0, Tone::Bad, "Your settings cannot be read", cause);
                    fix(remedy, lines);
                }
                Phase::Crashed { cause, remedy } => {
                    self.quoted = false;
                    lines.label(0, Tone::Bad, "Your service is not up", cause);
                    fix(remedy, lines);
                }
            }
            if matches!(service.phase, Phase::Ready { .. }) {
                self.build.clear();
            }
        }
        // Minutes without a word would be heard as an end.
        if service.phase == Phase::Building
            && service.build.len() >= LONG_BUILD
            && !std::mem::replace(&mut self.patience_asked, true)
        {
            lines.say("What it depends on is built, too: the first time, this takes a while.");
        }
        // The lines of one that ended may come a moment after the word of its end.
        if matches!(service.phase, Phase::Crashed { .. }) && !self.quoted && !service.lines.is_empty() {
            self.quoted = true;
            lines.say("It printed last:");
            let mut last: Vec<&String> =
                service.lines.iter().rev().filter(|line| !line.trim().is_empty()).take(LAST_LINES).collect();
            last.reverse();
            last.into_iter().for_each(|line| lines.quote(2, line));
        }
    }
}

fn fix(remedy: &str, lines: &mut Lines) {
    let remedy = remedy.strip_prefix("help: ").unwrap_or(remedy);
    if !remedy.trim().is_empty() {
        lines.label(2, Tone::Strong, "Fix", remedy);
    }
}

/// What a build says, from its first error on.
fn said_by_build(output: &[String], lines: &mut Lines) {
    let first = output.iter().position(|line| strip_ansi_codes(&clean(line)).starts_with("error"));
    let told = &output[first.unwrap_or_else(|| output.len().saturating_sub(BUILD_LINES))..];
    for line in told.iter().take(BUILD_LINES) {
        lines.quote(2, line);
    }
    if told.len() > BUILD_LINES {
        lines.item(2, &format!("And {} more lines: `output` shows all of them.", told.len() - BUILD_LINES));
    }
}
