//! The guide in lines: for screen readers, recordings, and terminals that cannot be drawn on.
//!
//! A [`Telling`] holds what was said already against what the guide knows now, and says the rest: each thing once, each line whole,
//! nothing that moves. [`asked`] reads what a learner types.
//!
//! What a look at a step says comes in the lesson's order and not in that of its settling, so that one hears the checks as one
//! has read them. A check that is not met waits for the look's end: its cause is known only then.

mod lines;
mod looks;
mod pages;
mod service;
#[cfg(test)]
mod tests;
mod words;

use std::collections::{BTreeMap, VecDeque};

use super::{Guide, Note, Overlay, Phase, Weight};
use crate::report::{Look, Tone};
use lines::Lines;
use looks::Looking;

pub use pages::farewell;
pub use words::{Asked, asked};

/// What was said so far.
#[derive(Debug)]
pub struct Telling {
    look: Look,
    /// Whether anything was said.
    begun: bool,
    /// The step that was told: its place in the course.
    at: Option<usize>,
    /// The lesson of that step.
    lesson: String,
    /// How the service was when it was spoken of.
    phase: Phase,
    /// What the last build said that failed.
    build: Vec<String>,
    /// Whether it was said that a build takes a while.
    patience_asked: bool,
    /// Whether a service that is not up any more was quoted.
    quoted: bool,
    /// The run that was spoken of and goes on.
    looking: Option<Looking>,
    /// What was said of the checks of this step, by their ids: without what differs from one request to the next.
    checks: BTreeMap<String, String>,
    /// Whether it was said that the step is passed.
    passed: bool,
    /// Whether it was said what a learner can do who is not done.
    advised: bool,
    /// The hints of this step that were told.
    hints: usize,
    overlay: Option<Overlay>,
    notes: VecDeque<Note>,
}

impl Telling {
    /// Nothing was said yet.
    #[must_use]
    pub fn new(look: Look) -> Self {
        Self {
            look,
            begun: false,
            at: None,
            lesson: String::new(),
            phase: Phase::Idle,
            build: Vec::new(),
            patience_asked: false,
            quoted: false,
            looking: None,
            checks: BTreeMap::new(),
            passed: false,
            advised: false,
            hints: 0,
            overlay: None,
            notes: VecDeque::new(),
        }
    }

    /// What there is to say since the last call: whole lines, none wider than the look. Empty where nothing is new. To be called
    /// after each message, so that what happened is told in its order.
    #[must_use]
    pub fn tell(&mut self, guide: &Guide) -> String {
        let mut lines = Lines::new(self.look);
        if !self.begun {
            self.begun = true;
            pages::welcome(guide, &mut lines);
        }
        if self.at != Some(guide.at) {
            self.enter(guide, &mut lines);
        }
        self.tell_looks(guide, &mut lines);
        self.tell_service(guide, &mut lines);
        self.tell_checks(guide, &mut lines);
        self.tell_hints(guide, &mut lines);
        self.tell_notes(guide, &mut lines);
        self.tell_overlay(guide, &mut lines);
        lines.text
    }

    /// The newest note once more: for one who asks the same again and is given the same answer.
    #[must_use]
    pub fn again(&self, guide: &Guide) -> String {
        let mut lines = Lines::new(self.look);
        if let Some(note) = guide.note() {
            say(note, &mut lines);
        }
        lines.text
    }

    /// The step's text once more, with the hints that were asked for.
    #[must_use]
    pub fn show(&self, guide: &Guide) -> String {
        let mut lines = Lines::new(self.look);
        pages::step(guide, &mut lines);
        pages::hints(guide, 0, &mut lines);
        lines.text
    }

    /// The step's blocks of code exactly as they are, to be copied.
    #[must_use]
    pub fn blocks(&self, guide: &Guide) -> String {
        let mut lines = Lines::new(self.look);
        pages::blocks(guide, &mut lines);
        lines.text
    }

    /// An answer beyond what the guide tells: a sentence without a full stop.
    #[must_use]
    pub fn sentence(&self, text: &str) -> String {
        let mut lines = Lines::new(self.look);
        lines.label(0, Tone::Dim, "Note", text);
        lines.text
    }

    /// The learner has come to a step.
    fn enter(&mut self, guide: &Guide, lines: &mut Lines) {
        self.at = Some(guide.at);
        let Some((lesson, _)) = guide.step() else { return };
        if self.lesson != lesson.id {
            self.lesson.clone_from(&lesson.id);
            pages::lesson(guide, lines);
        }
        pages::step(guide, lines);
        // What was said belongs to the step that was left; of the service it still holds.
        self.looking = None;
        self.checks.clear();
        self.passed = guide.is_passed();
        (self.advised, self.hints) = (false, 0);
        self.notes.clear();
    }

    fn tell_hints(&mut self, guide: &Guide, lines: &mut Lines) {
        let shown = guide.hints_shown();
        // Never fewer than before: what is kept may come back a moment late.
        if shown > self.hints {
            pages::hints(guide, self.hints, lines);
            self.hints = shown;
        }
    }

    fn tell_notes(&mut self, guide: &Guide, lines: &mut Lines) {
        let (before, now) = (&self.notes, &guide.notes);
        let kept = (0..=before.len().min(now.len())).rev();
        let kept = kept.into_iter().find(|kept| before.iter().skip(before.len() - kept).eq(now.iter().take(*kept)));
        for note in now.iter().skip(kept.unwrap_or(0)) {
            say(note, lines);
        }
        self.notes.clone_from(now);
    }

    fn tell_overlay(&mut self, guide: &Guide, lines: &mut Lines) {
        if self.overlay == guide.overlay {
            return;
        }
        self.overlay.clone_from(&guide.overlay);
        match &guide.overlay {
            Some(Overlay::List) => pages::list(guide, lines),
            Some(Overlay::Help) => pages::help(lines),
            Some(Overlay::Output) => pages::output(guide, lines),
            Some(Overlay::Solution(Some(solution))) => pages::solution(solution, lines),
            Some(Overlay::Done) => pages::done(guide, lines),
            Some(Overlay::Solution(None)) | None => {}
        }
    }
}

fn say(note: &Note, lines: &mut Lines) {
    match note.weight {
        Weight::Good => lines.label(0, Tone::Good, "Good", &note.text),
        Weight::Plain => lines.label(0, Tone::Dim, "Note", &note.text),
        Weight::Warning => lines.label(0, Tone::Warn, "Warning", &note.text),
    }
}
