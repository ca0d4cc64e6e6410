use std::collections::BTreeMap;

use futures_util::future::join_all;

use super::bench::{Job, Seen};
use super::{Bench, BenchError, Tell, is_fine, plan, status};
use crate::check::Outcome;
use crate::course::{Course, Lesson, Step};
use crate::solution::States;

/// What was shown of one step.
#[derive(Debug, Clone)]
pub struct StepProof {
    /// `3.4`.
    pub number: String,
    /// `week2/x-ray/a-group`.
    pub path: String,
    /// How many checks it has.
    pub checks: usize,
    /// How many of them fail on the state before.
    pub fail_before: usize,
    /// How many an earlier step implies.
    pub implied: usize,
    /// How many pass on the state after.
    pub pass_after: usize,
    /// How many checks of earlier steps there are, and still pass.
    pub still_pass: (usize, usize),
    /// What is not as it should be, each as a sentence.
    pub problems: Vec<String>,
}

/// Shows for each of the chosen steps: its checks fail on the state before, unless an earlier step implies them; they pass on
/// the state after; no check of an earlier step breaks; and no diagnosis blames what is done already.
///
/// # Errors
/// When a state could not be verified at all.
pub async fn prove_steps(
    course: &Course,
    states: &States,
    chosen: &[String],
    bench: &Bench,
    tell: Tell<'_>,
) -> Result<Vec<StepProof>, BenchError> {
    let steps: Vec<(&Lesson, &Step)> = course.steps().collect();
    let wanted = |index: usize| chosen.is_empty() || steps.get(index).is_some_and(|(_, step)| chosen.contains(&step.path));
    // The state with so many steps done shows the end of one step, and the beginning of the next.
    let jobs: Vec<(usize, Job)> = (0..=steps.len())
        .filter(|done| wanted(*done) || done.checked_sub(1).is_some_and(wanted))
        .map(|done| {
            let (id, tree) = match done.checked_sub(1).map(|last| &steps[last].1.path) {
                None => (String::from("starter"), states.starter()),
                Some(path) => (
                    path.split_once('/').map_or(path.as_str(), |(_, rest)| rest).replace('/', "-"),
                    states.after(path).unwrap_or(states.finished()),
                ),
            };
            (done, Job { id, tree: tree.clone(), ..Job::default() })
        })
        .collect();
    bench.announce(jobs.iter().map(|(_, job)| job));
    let seen = join_all(jobs.iter().map(async |(done, job)| {
        let seen = bench.verify(job, &plan(course, *done), &|what| tell(&job.id, what)).await?;
        let not_met =
            course.steps().flat_map(|(_, step)| &step.checks).filter(|check| !is_fine(&seen.outcomes, &check.id)).count();
        tell(&job.id, &format!("{not_met} checks are not met"));
        Ok::<_, BenchError>((*done, seen))
    }))
    .await;
    let seen: BTreeMap<usize, Seen> = seen.into_iter().collect::<Result<_, _>>()?;
    let proofs = steps.iter().enumerate().filter(|(index, _)| wanted(*index));
    Ok(proofs.filter_map(|(index, _)| Some(proof(course, &steps, index, seen.get(&index)?, seen.get(&(index + 1))?))).collect())
}

fn proof(course: &Course, steps: &[(&Lesson, &Step)], index: usize, before: &Seen, after: &Seen) -> StepProof {
    let (_, step) = steps[index];
    let mut problems = Vec::new();
    let (mut fail_before, mut implied, mut pass_after) = (0, 0, 0);
    for check in &step.checks {
        let id = &check.id;
        let was = status(&before.outcomes, id);
        match (&check.check.implied_by, was) {
            (None, "failed") => fail_before += 1,
            (Some(_), "passed") => implied += 1,
            (None, "passed") => problems.push(format!(
                "`{id}` passes before the step: say with `implied-by` which earlier step makes it hold, or demand something that is new"
            )),
            (Some(earlier), _) => problems.push(format!("`{id}` is said to be implied by `{earlier}`, and is {was} before the step")),
            (None, _) => problems.push(format!("`{id}` is {was} before the step, and should fail")),
        }
        match status(&after.outcomes, id) {
            "passed" => pass_after += 1,
            other => problems.push(format!("`{id}` is {other} after the step: {}", why(after, id))),
        }
    }
    let earlier: Vec<&str> = steps[..index].iter().flat_map(|(_, step)| &step.checks).map(|check| check.id.as_str()).collect();
    let still = earlier.iter().filter(|id| is_fine(&after.outcomes, id)).count();
    for id in earlier.iter().filter(|id| !is_fine(&after.outcomes, id)) {
        problems.push(format!("`{id}` of an earlier step is {} after this one: {}", status(&after.outcomes, id), why(after, id)));
    }
    problems.extend(blamed(course, steps, index + 1, after));
    StepProof {
        number: step.number.clone(),
        path: step.path.clone(),
        checks: step.checks.len(),
        fail_before,
        implied,
        pass_after,
        still_pass: (still, earlier.len()),
        problems,
    }
}

/// Diagnoses that lead to a step which is done, and done right: on a state of the solution all of those are false.
fn blamed(course: &Course, steps: &[(&Lesson, &Step)], done: usize, seen: &Seen) -> Vec<String> {
    let is_done = |id: &str| {
        let rule = course.rules.iter().find(|rule| rule.id == id)?;
        steps[..done].iter().find(|(lesson, step)| format!("{}/{}", lesson.id, step.id) == rule.rule.lesson)
    };
    let mut found: Vec<String> = Vec::new();
    for (check, ids) in &seen.diagnoses {
        for id in ids {
            if let Some((_, step)) = is_done(id) {
                let sentence = format!("the diagnosis `{id}` blames `{}`, which is done, for `{check}`", step.path);
                found.push(sentence);
            }
        }
    }
    found
}

/// Why a check is not met, in short.
pub(super) fn why(seen: &Seen, check: &str) -> String {
    match seen.outcomes.get(check) {
        Some(Outcome::Failed(mismatch)) => mismatch.actual.clone(),
        Some(Outcome::Errored(trouble)) => trouble.cause.clone(),
        Some(Outcome::Skipped(reason)) => reason.clone(),
        Some(Outcome::Passed { .. }) | None => String::from("it was not judged"),
    }
}
