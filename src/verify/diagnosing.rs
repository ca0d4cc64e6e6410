//! Why checks are not met: the last look at what costs nothing to look at, and then the rules.

use std::sync::{Mutex, PoisonError};

use super::polling::{Ask, PlannedCheck, Sink};
use super::{Clock, Diagnosed, Event, Judgement, Plan};
use crate::check::{Outcome, diagnose};
use crate::facts::{Evidence, Source};

/// Passes events on, and keeps the judgements that ask for an explanation.
#[derive(Default)]
pub struct Unmet {
    judgements: Mutex<Vec<Judgement>>,
}

impl Unmet {
    /// Keeps the event, if it tells of a check that is not met.
    pub fn absorb(&self, event: &Event) {
        if let Event::Judged(judgement) = event
            && matches!(judgement.outcome, Outcome::Failed(_) | Outcome::Errored(_))
        {
            self.judgements.lock().unwrap_or_else(PoisonError::into_inner).push(judgement.clone());
        }
    }

    /// The judgements so far.
    fn take(&self) -> Vec<Judgement> {
        std::mem::take(&mut self.judgements.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// What a rule may ask about and what no check may have asked for: the workspace, the variables, the service's last words.
const NEARBY: [Source; 3] = [Source::Files, Source::Environment, Source::Output];

/// Looks once more at what is near, where there is something to explain.
pub async fn look(unmet: &Unmet, asker: &impl Ask, evidence: &tokio::sync::Mutex<Evidence>, clock: Clock) {
    if unmet.judgements.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
        return;
    }
    for source in NEARBY {
        let answer = asker.ask(source, evidence).await;
        let mut evidence = evidence.lock().await;
        let record = evidence.sources.entry(source).or_default();
        if answer.is_ok() {
            record.looked_ms = clock.now_ms();
        }
    }
}

/// Applies the rules to all that is not met, and tells of it.
pub fn explain(plan: &Plan, unmet: &Unmet, evidence: &Evidence, sink: Sink<'_>) {
    let explained: Vec<Diagnosed> = unmet
        .take()
        .into_iter()
        .filter_map(|judgement| {
            let PlannedCheck { check, .. } = plan.checks.iter().find(|planned| planned.id == judgement.check)?;
            let diagnoses = diagnose(&plan.rules, check, &judgement.outcome, evidence);
            (!diagnoses.is_empty()).then_some(Diagnosed { check: judgement.check, diagnoses })
        })
        .collect();
    if !explained.is_empty() {
        sink(Event::Diagnosed(explained));
    }
}
