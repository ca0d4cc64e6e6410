use std::collections::{HashMap, HashSet};
use std::io::Write;

use super::name;
use crate::check::Outcome;
use crate::report::text::{bounded, count, one_line};
use crate::verify::{Event, Stage};

/// Progress in plain lines, each once: stages, probes, verdicts as they settle. Neither the build's lines nor the rounds of asking
/// are shown, so the number of lines is bounded by the number of checks.
pub(super) struct Lines {
    out: Box<dyn Write + Send>,
    stage: Option<Stage>,
    titles: HashMap<String, String>,
    told: HashSet<String>,
}

/// No line is longer than this.
const LONGEST: usize = 300;

impl Lines {
    pub(super) fn new(out: Box<dyn Write + Send>) -> Self {
        Self { out, stage: None, titles: HashMap::new(), told: HashSet::new() }
    }

    /// Text as it is.
    pub(super) fn print(&mut self, text: &str) {
        // Progress that cannot be shown is no reason to end the run.
        let _ = self.out.write_all(text.as_bytes()).and_then(|()| self.out.flush());
    }

    fn line(&mut self, text: &str) {
        self.print(&format!("{}\n", bounded(&one_line(text), LONGEST)));
    }

    pub(super) fn absorb(&mut self, event: &Event) {
        match event {
            Event::Planned(agenda) => {
                let steps = agenda.lessons.iter().flat_map(|lesson| &lesson.steps);
                for (step, check) in steps.clone().flat_map(|step| step.checks.iter().map(move |check| (step, check))) {
                    self.titles.insert(check.id.clone(), format!("{} {}", step.number, check.title));
                }
                let (steps, checks) = (count(steps.count(), "step"), count(self.titles.len(), "check"));
                self.line(&format!("verifying {} of {} ({}): {steps}, {checks}", agenda.subject, agenda.course, agenda.target));
            }
            Event::Stage(stage) if self.stage != Some(*stage) => {
                self.stage = Some(*stage);
                self.line(&name(*stage).to_lowercase());
            }
            Event::ServiceReady { instance, url, after_ms } => {
                let which = if instance == "default" { String::new() } else { format!(" ({instance})") };
                let after = after_ms.map_or(String::new(), |ms| format!(" after {ms} ms"));
                self.line(&format!("the service{which} answers at {url}{after}"));
            }
            Event::ServiceFailed { cause, remedy, .. } => {
                self.line(&format!("the service did not come up: {cause}"));
                self.line(&format!("fix: {remedy}"));
            }
            Event::Probed { probe, status, latency_ms } => {
                let answer = status.map_or("no answer".to_owned(), |status| status.to_string());
                self.line(&format!("probe {probe}: {answer} in {latency_ms:.0} ms"));
            }
            Event::Judged(judgement) => {
                // Each check is judged once; a title stands for its check until then.
                let Some(title) = self.titles.remove(&judgement.check) else { return };
                let why = match &judgement.outcome {
                    Outcome::Passed { .. } => String::new(),
                    Outcome::Failed(mismatch) => format!(": found {}", mismatch.actual),
                    Outcome::Skipped(reason) => format!(": {reason}"),
                    Outcome::Errored(trouble) => format!(": {trouble}"),
                };
                self.line(&format!("{} {title}{why}", judgement.outcome.status()));
            }
            Event::Notice(notice) => {
                if self.told.insert(notice.clone()) {
                    self.line(&format!("note: {notice}"));
                }
            }
            Event::Stage(_)
            | Event::BuildLine(_)
            | Event::ServiceStarted { .. }
            | Event::Polled { .. }
            | Event::Diagnosed(_)
            | Event::Finished(_) => {}
        }
    }
}
