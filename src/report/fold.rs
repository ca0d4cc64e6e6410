use std::collections::{HashMap, HashSet};

use jiff::Timestamp;

use super::text::{bounded, clean, one_line};
use super::{
    CheckReport, Diagnosis, Fact, LessonReport, Mismatch, Place, Report, RunStatus, Score, ServiceReport, ServiceTrouble, Status,
    StepReport,
};
use crate::check::{self, Outcome, Points};
use crate::verify::{Agenda, AgendaCheck, AgendaLesson, AgendaStep, Closing, Diagnosed, Event, Judgement, Stage};

/// Of a service's output, the last so many lines are kept.
const OUTPUT_LINES: usize = 1_000;
/// And of any text that is not the course's, so many characters: a report is read by people, evidence is recorded elsewhere.
const LONGEST: usize = 10_000;

/// A text that is not ours, fit to keep.
fn text(text: &str) -> String {
    bounded(&clean(text), LONGEST)
}

/// The same, in one line: for names.
fn line(text: &str) -> String {
    bounded(&one_line(text), 300)
}

/// Folds a run's events into its report.
///
/// Texts that came from the service, the vendors or the learner's files lose their terminal escapes and control characters here,
/// once, so that no format has to think of it.
#[derive(Debug, Default)]
pub struct Fold {
    report: Report,
    /// Where each check stands: the step's index and its own.
    places: HashMap<String, (usize, usize)>,
    settled: HashSet<(usize, usize)>,
    stage: Option<Stage>,
}

impl Fold {
    /// Nothing has happened yet.
    #[must_use]
    pub fn new() -> Self {
        Self { report: Report { schema_version: Report::SCHEMA_VERSION, ..Report::default() }, ..Self::default() }
    }

    /// Takes in the next event.
    pub fn absorb(&mut self, event: &Event) {
        match event {
            Event::Planned(agenda) => self.plan(agenda),
            Event::Stage(stage) => self.stage = Some(*stage),
            Event::ServiceReady { instance, url, after_ms } => {
                let service = &mut self.report.service;
                // The probes may want instances with settings of their own; the report names the plain one.
                if instance == "default" || service.url.is_none() {
                    service.url = Some(one_line(url));
                    service.ready_after_ms = *after_ms;
                }
            }
            Event::ServiceFailed { cause, remedy, output } => {
                let while_building = self.stage == Some(Stage::Building);
                let trouble = ServiceTrouble { cause: text(cause), remedy: text(remedy), while_building };
                let output = output[output.len().saturating_sub(OUTPUT_LINES)..].iter();
                let output = output.flat_map(|line| text(line).lines().map(str::to_owned).collect::<Vec<_>>()).collect();
                let service = std::mem::take(&mut self.report.service);
                self.report.service = ServiceReport { trouble: Some(trouble), output, ..service };
            }
            Event::Judged(judgement) => self.settle(judgement),
            Event::Diagnosed(explained) => explained.iter().for_each(|diagnosed| self.explain(diagnosed)),
            Event::Notice(notice) => {
                let notice = text(notice);
                if !self.report.notices.contains(&notice) {
                    self.report.notices.push(notice);
                }
            }
            Event::Finished(closing) => self.close(closing),
            Event::ServiceStarted { .. } | Event::BuildLine(_) | Event::Probed { .. } | Event::Polled { .. } => {}
        }
    }

    /// The report so far. Until the run is finished, a check that is not settled stands there as errored.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// Whether a check has its verdict.
    #[must_use]
    pub fn is_settled(&self, check: &str) -> bool {
        self.places.get(check).is_some_and(|place| self.settled.contains(place))
    }

    /// The report.
    #[must_use]
    pub fn finish(self) -> Report {
        self.report
    }

    fn plan(&mut self, agenda: &Agenda) {
        let report = &mut self.report;
        report.course = one_line(&agenda.course);
        report.title = one_line(&agenda.title);
        report.target = one_line(&agenda.target);
        report.subject = one_line(&agenda.subject);
        for lesson in &agenda.lessons {
            report.lessons.push(lesson_report(lesson));
            for step in &lesson.steps {
                for (index, check) in step.checks.iter().enumerate() {
                    self.places.insert(check.id.clone(), (report.steps.len(), index));
                }
                report.steps.push(step_report(lesson, step));
            }
        }
        sum(report);
    }

    fn settle(&mut self, judgement: &Judgement) {
        let Some(&place) = self.places.get(&judgement.check) else { return };
        let check = &mut self.report.steps[place.0].checks[place.1];
        check.duration_ms = judgement.after_ms;
        (check.cause, check.remedy) = (None, None);
        match &judgement.outcome {
            Outcome::Passed { facts, level } => {
                check.status = Status::Passed;
                check.facts = facts.iter().map(Fact::from).collect();
                check.evidence_level = Some(*level);
                check.fix = None;
            }
            Outcome::Failed(mismatch) => {
                check.status = Status::Failed;
                check.mismatch = Some(mismatch.into());
            }
            Outcome::Skipped(reason) => {
                check.status = Status::Skipped;
                check.reason = Some(text(reason));
                check.fix = None;
            }
            Outcome::Errored(trouble) => {
                check.status = Status::Errored;
                check.cause = Some(text(&trouble.cause));
                check.remedy = Some(text(&trouble.remedy));
                check.fix = None;
            }
        }
        self.settled.insert(place);
        sum(&mut self.report);
    }

    fn explain(&mut self, diagnosed: &Diagnosed) {
        let Some(&(step, check)) = self.places.get(&diagnosed.check) else { return };
        self.report.steps[step].checks[check].diagnoses = diagnosed.diagnoses.iter().map(Diagnosis::from).collect();
    }

    fn close(&mut self, closing: &Closing) {
        let cause = if closing.interrupted {
            "the run was interrupted before this was settled"
        } else {
            "the run ended before this was settled"
        };
        for place in self.places.values().filter(|place| !self.settled.contains(place)) {
            let check = &mut self.report.steps[place.0].checks[place.1];
            check.fix = None;
            check.cause = Some(cause.to_owned());
            check.remedy = Some("run it again, and let it finish".to_owned());
        }
        self.report.duration_ms = closing.took_ms;
        self.report.started_at = match closing.evidence.started_ms {
            0 => None,
            started => Timestamp::from_millisecond(started).ok(),
        };
        sum(&mut self.report);
        if closing.interrupted {
            self.report.status = RunStatus::Interrupted;
        }
    }
}

/// Works out again all that follows from the checks: the steps' status and points, the scores, the run's status.
fn sum(report: &mut Report) {
    for step in &mut report.steps {
        step.earned = points(step, |status| status == Status::Passed);
        step.possible = points(step, |status| status != Status::Skipped);
        step.status = step_status(step);
    }
    let mut total = Score::default();
    for lesson in &mut report.lessons {
        let mut score = Score::default();
        for step in report.steps.iter().filter(|step| step.lesson == lesson.id) {
            if step.bonus {
                score.bonus += step.earned;
                score.bonus_possible += step.possible;
            } else {
                score.earned += step.earned;
                score.possible += step.possible;
            }
        }
        lesson.score = score;
        total.earned += score.earned;
        total.possible += score.possible;
        total.bonus += score.bonus;
        total.bonus_possible += score.bonus_possible;
    }
    report.score = total;
    report.status = run_status(report);
}

fn points(step: &StepReport, counts: impl Fn(Status) -> bool) -> Points {
    step.checks.iter().filter(|check| counts(check.status)).map(|check| check.points).sum()
}

fn step_status(step: &StepReport) -> Status {
    let any = |status| step.checks.iter().any(|check| check.status == status);
    [Status::Failed, Status::Errored, Status::Passed].into_iter().find(|status| any(*status)).unwrap_or(Status::Skipped)
}

fn run_status(report: &Report) -> RunStatus {
    let any = |status| report.steps.iter().filter(|step| report.decides(step)).any(|step| step.status == status);
    if any(Status::Failed) {
        RunStatus::Failed
    } else if any(Status::Errored) || !any(Status::Passed) {
        // Where all was skipped nothing was proved, and a run that proved nothing must not open a gate.
        RunStatus::Errored
    } else {
        RunStatus::Passed
    }
}

fn lesson_report(lesson: &AgendaLesson) -> LessonReport {
    LessonReport {
        id: one_line(&lesson.id),
        number: lesson.number,
        title: one_line(&lesson.title),
        file: one_line(&lesson.file),
        score: Score::default(),
    }
}

fn step_report(lesson: &AgendaLesson, step: &AgendaStep) -> StepReport {
    StepReport {
        id: one_line(&step.id),
        number: one_line(&step.number),
        lesson: one_line(&lesson.id),
        title: one_line(&step.title),
        points: step.points,
        possible: step.points,
        earned: Points::ZERO,
        bonus: step.bonus,
        status: Status::Errored,
        file: one_line(&lesson.file),
        line: step.line,
        checks: step.checks.iter().map(|check| check_report(lesson, check)).collect(),
    }
}

fn check_report(lesson: &AgendaLesson, check: &AgendaCheck) -> CheckReport {
    CheckReport {
        id: one_line(&check.id),
        title: one_line(&check.title),
        kind: one_line(&check.kind),
        status: Status::Errored,
        points: check.points,
        facts: Vec::new(),
        mismatch: None,
        fix: Some(text(&check.fix)),
        diagnoses: Vec::new(),
        cause: None,
        remedy: None,
        reason: None,
        evidence_level: None,
        lesson: Place { file: one_line(&lesson.file), line: Some(check.line) },
        duration_ms: 0,
    }
}

impl From<&check::Fact> for Fact {
    fn from(fact: &check::Fact) -> Self {
        Self { label: line(&fact.label), value: text(&fact.value) }
    }
}

impl From<&check::Diagnosis> for Diagnosis {
    fn from(diagnosis: &check::Diagnosis) -> Self {
        Self {
            id: line(&diagnosis.id),
            cause: text(&diagnosis.cause),
            fix: text(&diagnosis.fix),
            lesson: Place { file: line(&diagnosis.lesson.file), line: Some(diagnosis.lesson.line) },
            evidence: diagnosis.evidence.iter().map(|sentence| text(sentence)).collect(),
        }
    }
}

impl From<&check::Mismatch> for Mismatch {
    fn from(mismatch: &check::Mismatch) -> Self {
        Self {
            expected: text(&mismatch.expected),
            actual: text(&mismatch.actual),
            nearest: mismatch.nearest.as_deref().map(text),
            file: mismatch.file.as_deref().map(line),
            line: mismatch.line,
        }
    }
}
