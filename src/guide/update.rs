//! The one place where the guide changes.

use std::collections::BTreeSet;

use super::state::{LINES, NOTES};
use super::{Command, Drawn, Effect, Guide, Message, Note, Overlay, Pane, Phase, Run, Setup, StepState, Towards, Weight};
use crate::check::Probe;
use crate::facts::Source;
use crate::progress::{Change, Standing};
use crate::report::{Fold, Status, Waterfall};
use crate::service::Target;
use crate::verify::{Closing, Event, Renewal, Stage};

impl Guide {
    /// What is to be done first: the service is built and started, and the current step looked at unless it has passed.
    pub fn begin(&mut self, setup: &Setup) -> Vec<Effect> {
        let mut steps = if self.is_passed() { BTreeSet::new() } else { BTreeSet::from([self.path().to_owned()]) };
        if setup.recheck {
            steps.extend(self.passed());
        }
        self.note_place().into_iter().chain([self.verify(&steps, Renewal::Rebuild)]).collect()
    }

    /// Takes in what happened, and says what is to be done.
    pub fn update(&mut self, message: Message) -> Vec<Effect> {
        match message {
            Message::Command(command) => self.obey(command),
            Message::Chosen(at) => self.go(at),
            Message::Focused(pane) => {
                if pane != Pane::Overlay {
                    self.focus = pane;
                }
                Vec::new()
            }
            Message::Drawn(drawn) => {
                self.draw(drawn);
                Vec::new()
            }
            Message::Saved(paths) => self.save(paths),
            Message::Run { run, event } => {
                if self.run.as_ref().is_some_and(|current| current.id == run) {
                    self.hear(event)
                } else {
                    Vec::new()
                }
            }
            Message::Refused { run, text } => {
                if self.run.as_ref().is_some_and(|current| current.id == run) {
                    self.run = None;
                    let (cause, remedy) = text.split_once('\n').unwrap_or((&text, ""));
                    self.service.phase = Phase::Unsettled { cause: cause.to_owned(), remedy: remedy.trim().to_owned() };
                }
                Vec::new()
            }
            Message::ServicePrinted(lines) => {
                self.service.lines = last(lines);
                Vec::new()
            }
            Message::ServiceEnded(cause) => {
                // While a run goes on, it tells of its own service itself.
                if self.run.is_none() && matches!(self.service.phase, Phase::Ready { .. }) {
                    let remedy = String::from("its last lines say why; `r` starts it anew, and so does a save");
                    self.service.phase = Phase::Crashed { cause, remedy };
                }
                Vec::new()
            }
            Message::Noted(loaded) => {
                self.unwritten = self.unwritten.saturating_sub(1);
                if self.unwritten == 0 {
                    self.progress = loaded.progress;
                }
                loaded.notices.into_iter().for_each(|notice| self.tell(Weight::Warning, notice));
                Vec::new()
            }
            Message::Solution(answer) => {
                if !matches!(self.overlay, Some(Overlay::Solution(_))) {
                    return Vec::new();
                }
                match answer {
                    Ok(solution) if solution.step == self.path() => self.overlay = Some(Overlay::Solution(Some(solution))),
                    Ok(_) => {}
                    Err(why) => {
                        self.overlay = None;
                        self.tell(Weight::Warning, why);
                    }
                }
                Vec::new()
            }
            Message::Applied(answer) => {
                match answer {
                    Ok(told) => self.tell(Weight::Good, told),
                    Err(why) => {
                        self.tell(Weight::Warning, why);
                        return Vec::new();
                    }
                }
                // What it wrote is a save like any other; what it did outside of files no watcher sees.
                self.save(BTreeSet::new())
            }
            Message::Told(text) => {
                self.tell(Weight::Plain, text);
                Vec::new()
            }
            Message::Warned(text) => {
                self.tell(Weight::Warning, text);
                Vec::new()
            }
            Message::Tick => {
                self.ticks = self.ticks.wrapping_add(1);
                Vec::new()
            }
        }
    }

    fn obey(&mut self, command: Command) -> Vec<Effect> {
        match command {
            Command::Verify => vec![self.look(Renewal::Keep)],
            Command::Restart => vec![self.look(Renewal::Rebuild)],
            Command::Recheck => {
                let mut steps = self.passed();
                steps.insert(self.path().to_owned());
                vec![self.verify(&steps, Renewal::Keep)]
            }
            Command::Next => self.next(),
            Command::Back => match self.at.checked_sub(1) {
                Some(before) => self.go(before),
                None => {
                    self.tell(Weight::Plain, "this is the first step");
                    Vec::new()
                }
            },
            Command::List => {
                self.marked = self.at;
                self.open(Overlay::List)
            }
            Command::Help => self.open(Overlay::Help),
            Command::Output => {
                let effects = self.open(Overlay::Output);
                // What was printed last is wanted first.
                self.scroll[Pane::Overlay as usize] = usize::MAX;
                effects
            }
            Command::Hint => self.hint(),
            Command::Solution => {
                let step = self.path().to_owned();
                if step.is_empty() {
                    return Vec::new();
                }
                self.open(Overlay::Solution(None));
                vec![Effect::Solution { step }]
            }
            Command::Apply => match self.overlay.take() {
                Some(Overlay::Solution(Some(solution))) => vec![Effect::Apply { step: solution.step }],
                other => {
                    self.overlay = other;
                    Vec::new()
                }
            },
            Command::Open => {
                let trace = self.waterfalls.get(self.path()).map(|waterfall| waterfall.trace_id.clone());
                vec![Effect::Open { trace, source: self.source().unwrap_or(Source::Honeycomb) }]
            }
            Command::Copy => match self.drawn.snippet.clone() {
                Some(snippet) => vec![Effect::Copy(snippet)],
                None => {
                    self.tell(Weight::Plain, "no code block is in sight: scroll to one first");
                    Vec::new()
                }
            },
            Command::Skip => self.skip(),
            Command::Close => {
                self.overlay = None;
                Vec::new()
            }
            Command::Choose => {
                let marked = self.marked;
                self.go(marked)
            }
            Command::Scroll(towards) => {
                self.scroll_by(towards);
                Vec::new()
            }
            Command::Focus => {
                self.focus = if self.focus == Pane::Lesson { Pane::Checks } else { Pane::Lesson };
                Vec::new()
            }
            Command::Quit => vec![Effect::Quit],
        }
    }

    fn open(&mut self, overlay: Overlay) -> Vec<Effect> {
        self.overlay = Some(overlay);
        self.scroll[Pane::Overlay as usize] = 0;
        Vec::new()
    }

    // Going about

    /// To the step in this place. What has not passed is looked at.
    fn go(&mut self, at: usize) -> Vec<Effect> {
        let at = at.min(self.count().saturating_sub(1));
        self.overlay = None;
        self.marked = at;
        if at == self.at {
            return Vec::new();
        }
        self.at = at;
        self.scroll = [0; Pane::COUNT];
        self.focus = Pane::Lesson;
        // What was told belongs to the step that was left.
        self.notes.clear();
        let mut effects: Vec<Effect> = self.note_place().into_iter().collect();
        if !self.is_passed() {
            effects.push(self.look(Renewal::Keep));
        }
        effects
    }

    fn next(&mut self) -> Vec<Effect> {
        let Some((_, step)) = self.step() else { return Vec::new() };
        match self.step_state(step) {
            StepState::Passed | StepState::Skipped => self.advance(),
            // What cannot be looked at on this machine holds nobody up.
            _ if self.results.get(&step.path).is_some_and(|report| report.status == Status::Skipped) => self.skip(),
            _ => {
                let how = "this step is not done yet: save a file and it is looked at; `h` has a hint, `x` goes on without it";
                self.tell(Weight::Plain, how);
                Vec::new()
            }
        }
    }

    /// To the next step; behind the last one to the first that waits.
    fn advance(&mut self) -> Vec<Effect> {
        if self.at + 1 < self.count() {
            return self.go(self.at + 1);
        }
        let open = self.progress.next_open(&self.course, None).map(|(_, step)| step.path.clone());
        match open.and_then(|path| self.course.steps().position(|(_, step)| step.path == path)) {
            Some(open) if open != self.at => self.go(open),
            _ => self.open(Overlay::Done),
        }
    }

    /// Goes on without this step. One that has passed once keeps its points.
    fn skip(&mut self) -> Vec<Effect> {
        let Some((_, step)) = self.step() else { return Vec::new() };
        let mut effects = match self.step_state(step) {
            StepState::Open | StepState::Failed => self.keep(Change::Skipped { step: step.path.clone() }),
            _ => Vec::new(),
        };
        effects.extend(self.advance());
        effects
    }

    fn hint(&mut self) -> Vec<Effect> {
        let shown = self.hints_shown();
        let Some((_, step)) = self.step() else { return Vec::new() };
        if step.hints.is_empty() {
            self.tell(Weight::Plain, "this step has no hints; `s` shows its solution");
            return Vec::new();
        }
        if shown == step.hints.len() {
            self.tell(Weight::Plain, "these are all the hints there are; `s` shows the solution");
            return Vec::new();
        }
        let change = Change::HintShown { step: step.path.clone(), rung: shown + 1 };
        // The hints stand at the end of the lesson.
        self.focus = Pane::Lesson;
        self.scroll[Pane::Lesson as usize] = usize::MAX;
        self.keep(change)
    }

    /// Notes where the learner is.
    fn note_place(&mut self) -> Option<Effect> {
        let (_, step) = self.step()?;
        let change = Change::At { step: step.path.clone() };
        self.keep(change).pop()
    }

    /// Takes a change into the progress, and has it written.
    fn keep(&mut self, change: Change) -> Vec<Effect> {
        self.progress.apply(&change, &self.course);
        self.unwritten += 1;
        vec![Effect::Note(change)]
    }

    // Scrolling

    fn draw(&mut self, drawn: Drawn) {
        let overlay = Pane::Overlay as usize;
        // Whoever reads the end of what is printed goes on doing so as more comes.
        if self.overlay == Some(Overlay::Output) && self.scroll[overlay] >= self.drawn.furthest[overlay] {
            self.scroll[overlay] = drawn.furthest[overlay];
        }
        for (at, furthest) in self.scroll.iter_mut().zip(&drawn.furthest) {
            *at = (*at).min(*furthest);
        }
        self.drawn = drawn;
    }

    fn scroll_by(&mut self, towards: Towards) {
        let page = self.drawn.page.max(2) - 1;
        if self.overlay == Some(Overlay::List) {
            let last = self.count().saturating_sub(1);
            self.marked = moved(self.marked, towards, page, last);
            return;
        }
        let pane = self.scrolled() as usize;
        self.scroll[pane] = moved(self.scroll[pane].min(self.drawn.furthest[pane]), towards, page, self.drawn.furthest[pane]);
    }

    // Looking

    /// The steps that have passed, the broken ones among them.
    fn passed(&self) -> BTreeSet<String> {
        let holds = |step| matches!(self.progress.standing(step), Standing::Passed | Standing::Broken);
        let passed = self.course.steps().filter(|(_, step)| holds(step));
        passed.map(|(_, step)| step.path.clone()).collect()
    }

    /// Looks at the current step.
    fn look(&mut self, renewal: Renewal) -> Effect {
        let steps = BTreeSet::from([self.path().to_owned()]);
        self.verify(&steps, renewal)
    }

    /// After a save: the current step, and whether one that had passed is broken by it.
    fn save(&mut self, paths: BTreeSet<String>) -> Vec<Effect> {
        let mut steps = self.passed();
        steps.insert(self.path().to_owned());
        let effect = self.verify(&steps, Renewal::Rebuild);
        if let Some(run) = &mut self.run {
            run.saved = paths;
        }
        vec![effect]
    }

    fn verify(&mut self, steps: &BTreeSet<String>, renewal: Renewal) -> Effect {
        self.verify_with(steps, renewal, false)
    }

    fn verify_with(&mut self, steps: &BTreeSet<String>, renewal: Renewal, second: bool) -> Effect {
        self.runs += 1;
        let steps: BTreeSet<String> = steps.iter().cloned().chain(self.in_doubt()).collect();
        // A service that is not there cannot be kept: whoever has a run kept by it builds it then.
        let ordered = self.course.steps().filter(|(_, step)| steps.contains(&step.path));
        let steps: Vec<String> = ordered.map(|(_, step)| step.path.clone()).collect();
        self.run =
            Some(Run { id: self.runs, steps: steps.clone(), second, fold: Fold::new(), stage: None, saved: BTreeSet::new() });
        Effect::Verify { run: self.runs, steps, renewal, patient: second }
    }

    /// The steps that had passed, and of which the run that goes on has yet to say that they still do: whatever takes its place
    /// looks at them, too.
    fn in_doubt(&self) -> Vec<String> {
        let Some(run) = &self.run else { return Vec::new() };
        let holds = |path: &String| {
            let report = run.fold.report().steps.iter().find(|report| report.id == **path);
            report.is_some_and(|report| {
                report.status != Status::Failed && report.checks.iter().all(|check| run.fold.is_settled(&check.id))
            })
        };
        let passed = self.passed();
        run.steps.iter().filter(|path| passed.contains(*path) && !holds(path)).cloned().collect()
    }

    fn hear(&mut self, event: Event) -> Vec<Effect> {
        let Some(run) = &mut self.run else { return Vec::new() };
        run.fold.absorb(&event);
        match event {
            Event::Stage(stage) => {
                run.stage = Some(stage);
                match stage {
                    Stage::Building => {
                        self.service.build.clear();
                        self.service.phase = Phase::Building;
                    }
                    Stage::Starting => self.service.phase = Phase::Starting,
                    Stage::Preparing | Stage::Probing | Stage::Collecting | Stage::Stopping => {}
                }
                Vec::new()
            }
            Event::BuildLine(line) => {
                self.service.build.push(line);
                if self.service.build.len() > LINES {
                    self.service.build.remove(0);
                }
                Vec::new()
            }
            Event::ServiceReady { instance, url, after_ms } => {
                if instance == Probe::DEFAULT_INSTANCE {
                    self.service.phase = Phase::Ready { url, after_ms };
                }
                Vec::new()
            }
            Event::ServiceFailed { cause, remedy, output } => {
                if run.stage == Some(Stage::Building) {
                    self.service.build = last(output);
                    self.service.phase = Phase::Unbuilt { cause, remedy };
                } else {
                    self.service.lines = last(output);
                    self.service.phase = Phase::Crashed { cause, remedy };
                }
                Vec::new()
            }
            Event::Judged(judgement) => self.settle(&judgement.check),
            Event::Notice(text) => {
                self.tell(Weight::Plain, text);
                Vec::new()
            }
            Event::Finished(closing) => self.finish(&closing),
            _ => Vec::new(),
        }
    }

    /// A check is settled: where it was the last of its step, so is the step.
    fn settle(&mut self, check: &str) -> Vec<Effect> {
        let Some(run) = &self.run else { return Vec::new() };
        let has = |check: &str| run.fold.report().steps.iter().find(|step| step.checks.iter().any(|other| other.id == check));
        let Some(report) = has(check).filter(|step| step.checks.iter().all(|check| run.fold.is_settled(&check.id))) else {
            return Vec::new();
        };
        // The first look's words stand until the second has said its last.
        if run.second && report.status != Status::Passed {
            return Vec::new();
        }
        let report = report.clone();
        let Some((_, step)) = self.course.steps().find(|(_, step)| step.path == report.id) else { return Vec::new() };
        let (path, before) = (report.id.clone(), self.progress.standing(step));
        let told = format!("{} {} holds again", step.number, step.title);
        let (status, earned) = (report.status, report.earned);
        self.results.insert(path.clone(), report);
        if status != Status::Passed || before == Standing::Passed {
            return Vec::new();
        }
        if before == Standing::Broken {
            self.tell(Weight::Good, told);
        }
        self.keep(Change::Passed { step: path, earned })
    }

    fn finish(&mut self, closing: &Closing) -> Vec<Effect> {
        let Some(run) = self.run.take() else { return Vec::new() };
        if closing.interrupted {
            return Vec::new();
        }
        let (steps, second) = (run.steps, run.second);
        // Causes come last.
        for report in run.fold.finish().steps {
            self.results.insert(report.id.clone(), report);
        }
        for (_, step) in self.course.steps().filter(|(_, step)| steps.contains(&step.path)) {
            let trace = step.checks.iter().find_map(|check| closing.evidence.probes.get(check.check.probe.as_ref()?));
            if let Some(waterfall) = trace.and_then(|record| Waterfall::of(&closing.evidence, &record.trace_id)) {
                self.waterfalls.insert(step.path.clone(), waterfall);
            }
        }
        // What was not there yet may only be late: on a busy machine, or from a service that sends seldom.
        let again = !second && self.target == Target::Sandbox && matches!(self.service.phase, Phase::Ready { .. });
        let late: BTreeSet<String> = steps.iter().filter(|path| again && self.may_be_late(path)).cloned().collect();
        // Without a service nothing was asked for, and nothing that held is known to be broken.
        let asked = matches!(self.service.phase, Phase::Ready { .. });
        let settled: Vec<String> = steps.into_iter().filter(|path| asked && !late.contains(path)).collect();
        let mut effects: Vec<Effect> = settled.iter().flat_map(|path| self.notice_if_broken(path)).collect();
        if !late.is_empty() {
            effects.push(self.verify_with(&late, Renewal::Keep, true));
        }
        effects
    }

    /// Tells of a step that had passed and does not any more.
    fn notice_if_broken(&mut self, path: &str) -> Vec<Effect> {
        if self.results.get(path).is_none_or(|report| report.status != Status::Failed) {
            return Vec::new();
        }
        let Some((_, step)) = self.course.steps().find(|(_, step)| step.path == path) else { return Vec::new() };
        if self.progress.standing(step) != Standing::Passed {
            return Vec::new();
        }
        let told = format!("{} {} held before, and does not any more", step.number, step.title);
        self.tell(Weight::Warning, told);
        self.keep(Change::Failed { step: path.to_owned() })
    }

    /// Whether the step failed for want of something that a request makes.
    fn may_be_late(&self, path: &str) -> bool {
        let Some(report) = self.results.get(path).filter(|report| report.status == Status::Failed) else { return false };
        let Some((_, step)) = self.course.steps().find(|(_, step)| step.path == path) else { return false };
        let failed = report.checks.iter().filter(|check| check.status == Status::Failed);
        failed
            .filter_map(|report| step.checks.iter().find(|check| check.id == report.id))
            .any(|check| check.check.probe.is_some())
    }

    // Telling

    fn tell(&mut self, weight: Weight, text: impl Into<String>) {
        let note = Note { weight, text: text.into() };
        if self.notes.back() == Some(&note) {
            return;
        }
        self.notes.push_back(note);
        if self.notes.len() > NOTES {
            self.notes.pop_front();
        }
    }
}

/// The last lines of many.
fn last(mut lines: Vec<String>) -> Vec<String> {
    let surplus = lines.len().saturating_sub(LINES);
    lines.drain(..surplus);
    lines
}

fn moved(at: usize, towards: Towards, page: usize, furthest: usize) -> usize {
    let to = match towards {
        Towards::Up => at.saturating_sub(1),
        Towards::Down => at.saturating_add(1),
        Towards::PageUp => at.saturating_sub(page),
        Towards::PageDown => at.saturating_add(page),
        Towards::Top => 0,
        Towards::Bottom => furthest,
    };
    to.min(furthest)
}
