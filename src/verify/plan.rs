use std::collections::BTreeMap;

use super::polling::PlannedCheck;
use super::{Agenda, AgendaCheck, AgendaLesson, AgendaStep};
use crate::check::{Check, Expect, NamedRule, Probe, Wants};
use crate::course::{Action, Course, Lesson, Step};

/// What a selection of steps needs: which probes, which sources, and what of each.
#[derive(Debug, Clone, Default)]
pub struct Plan {
    /// What will be verified, for those who watch.
    pub agenda: Agenda,
    /// The checks, in the course's order.
    pub checks: Vec<PlannedCheck>,
    /// The probes that they rest on.
    pub probes: BTreeMap<String, Probe>,
    /// All that must be asked, each thing once.
    pub wants: Wants,
    /// What the steps have the learner do outside of files.
    pub actions: Vec<Action>,
    /// Why a check may not be met.
    pub rules: Vec<NamedRule>,
}

impl Plan {
    /// The plan for the chosen steps of a course.
    #[must_use]
    pub fn new(course: &Course, steps: &[(&Lesson, &Step)]) -> Self {
        let mut plan = Self {
            agenda: Agenda { course: course.id.clone(), title: course.title.clone(), ..Agenda::default() },
            ..Self::default()
        };
        for (lesson, step) in steps {
            if plan.agenda.lessons.last().is_none_or(|last| last.id != lesson.id) {
                plan.agenda.lessons.push(agenda_lesson(lesson));
            }
            let agenda_step = agenda_step(step);
            if let Some(lesson) = plan.agenda.lessons.last_mut() {
                lesson.steps.push(agenda_step);
            }
            for check in &step.checks {
                check.check.wants(&mut plan.wants);
                plan.checks.push(PlannedCheck { id: check.id.clone(), check: check.check.clone() });
            }
            plan.actions.extend(step.actions.iter().cloned());
        }
        let heard: Vec<String> = plan.checks.iter().filter_map(|planned| companion(&planned.check, &plan, course)).collect();
        plan.wants.probes.extend(heard);
        course.rules.iter().for_each(|named| named.rule.wants(&mut plan.wants));
        plan.rules.clone_from(&course.rules);
        let wanted = plan.wants.probes.iter().filter_map(|name| Some((name.clone(), course.probes.get(name)?.clone())));
        plan.probes = wanted.collect();
        plan
    }

    /// Says for whom it is: `sandbox` or `live`, and whose service.
    #[must_use]
    pub fn of(mut self, target: &impl ToString, subject: impl Into<String>) -> Self {
        self.agenda.target = target.to_string();
        self.agenda.subject = subject.into();
        self
    }
}

/// The request that shows that a source is heard, for a check of a silence that has none beside it: silence alone proves nothing.
/// It is one on which a check of the same source rests, in whichever step.
fn companion(check: &Check, plan: &Plan, course: &Course) -> Option<String> {
    let Expect::Absent(absent) = &check.expect else { return None };
    let source = absent.of.source();
    let speaks = |check: &Check| {
        let probe = check.probe.as_ref()?;
        let plain = course.probes.get(probe)?.environment.is_empty();
        let heard = check.expect.source() == source && !matches!(check.expect, Expect::Absent(_));
        (plain && heard).then(|| probe.clone())
    };
    if plan.checks.iter().any(|planned| speaks(&planned.check).is_some()) {
        return None;
    }
    course.steps().flat_map(|(_, step)| &step.checks).find_map(|listed| speaks(&listed.check))
}

fn agenda_lesson(lesson: &Lesson) -> AgendaLesson {
    AgendaLesson {
        id: lesson.id.clone(),
        number: lesson.number,
        title: lesson.title.clone(),
        file: lesson.file.clone(),
        steps: Vec::new(),
    }
}

fn agenda_step(step: &Step) -> AgendaStep {
    let checks = step.checks.iter().map(|check| AgendaCheck {
        id: check.id.clone(),
        title: check.title.clone(),
        kind: check.check.expect.kind().to_owned(),
        points: check.points,
        fix: check.check.fix.clone(),
        line: check.line,
    });
    AgendaStep {
        id: step.path.clone(),
        number: step.number.clone(),
        title: step.title.clone(),
        points: step.points,
        bonus: step.bonus,
        line: step.line,
        checks: checks.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::{Selection, Source};

    fn probes(path: &str) -> Vec<String> {
        let course = Course::load(&Source::Embedded, "week2").unwrap();
        let steps = course.select(&Selection::parse(path, None).unwrap()).unwrap();
        Plan::new(&course, &steps).probes.into_keys().collect()
    }

    #[test]
    fn a_silence_is_not_verified_alone() {
        assert_eq!(probes("week2/homework/leave-the-health-checks-out"), ["health", "home"]);
        let switch = probes("week2/cloudwatch-logs/the-switch");
        assert!(switch.contains(&String::from("home-logs-off")) && switch.contains(&String::from("home")), "{switch:?}");
        // Where something is heard anyway, nothing is sent besides.
        assert_eq!(probes("week2/honeycomb/the-mock-data"), ["home"]);
    }
}
