use std::collections::{BTreeMap, BTreeSet};

use futures_util::future::join_all;

use super::bench::{Job, Seen};
use super::steps::why;
use super::{Bench, BenchError, Tell, plan, status};
use crate::author::mistake::NamedMistake;
use crate::course::Course;
use crate::verify::Plan;

/// What was shown of one mistake.
#[derive(Debug, Clone)]
pub struct MistakeProof {
    /// The mistake's name.
    pub id: String,
    /// What it is.
    pub title: String,
    /// The rules that must be named, the likeliest first.
    pub wanted: Vec<String>,
    /// How many of the checks that it breaks have the wanted rule first.
    pub named: usize,
    /// How many checks it breaks.
    pub broken: usize,
    /// For how many checks each rule was named.
    pub rules: BTreeMap<String, usize>,
    /// What is not as it should be, each as a sentence.
    pub problems: Vec<String>,
}

/// All mistakes, and the rules that none of them has shown to work.
#[derive(Debug, Clone, Default)]
pub struct Confusion {
    /// The mistakes, by name.
    pub mistakes: Vec<MistakeProof>,
    /// Rules that no mistake expects. Left empty where only some mistakes were made.
    pub unproved: Vec<String>,
}

/// Makes each mistake and shows: what it must break is broken, all else is met, and it is named right.
///
/// # Errors
/// When a state could not be verified at all.
pub async fn prove_mistakes(
    course: &Course,
    mistakes: &[NamedMistake],
    chosen: &[String],
    bench: &Bench,
    tell: Tell<'_>,
) -> Result<Confusion, BenchError> {
    let chosen: Vec<&NamedMistake> =
        mistakes.iter().filter(|mistake| chosen.is_empty() || chosen.contains(&mistake.id)).collect();
    let jobs: Vec<Job> = chosen
        .iter()
        .map(|named| Job {
            id: named.id.clone(),
            tree: named.tree.clone(),
            shell: named.mistake.shell.clone(),
            containers: named.mistake.containers.clone(),
        })
        .collect();
    bench.announce(&jobs);
    let proofs = join_all(chosen.iter().zip(&jobs).map(async |(named, job)| {
        let plan = Plan { actions: named.actions.clone(), ..plan(course, named.steps_done) };
        let seen = bench.verify(job, &plan, &|what| tell(&job.id, what)).await?;
        let proof = proof(course, named, &seen);
        tell(&job.id, if proof.problems.is_empty() { "named right" } else { "not as it should be" });
        Ok::<_, BenchError>(proof)
    }))
    .await;
    let proofs = proofs.into_iter().collect::<Result<Vec<_>, _>>()?;
    let expected: BTreeSet<&String> = proofs.iter().flat_map(|proof| &proof.wanted).collect();
    let unproved = if chosen.len() == mistakes.len() {
        course.rules.iter().map(|rule| rule.id.clone()).filter(|id| !expected.contains(id)).collect()
    } else {
        Vec::new()
    };
    Ok(Confusion { mistakes: proofs, unproved })
}

fn proof(course: &Course, named: &NamedMistake, seen: &Seen) -> MistakeProof {
    let wanted = named.mistake.diagnosis.ids();
    let mut problems = Vec::new();
    let (mut hits, mut broken) = (0, 0);
    let mut rules: BTreeMap<String, usize> = BTreeMap::new();
    let done = course.steps().take(named.steps_done).flat_map(|(_, step)| &step.checks);
    for check in done {
        let id = &check.id;
        let should = if named.fails.contains(id) {
            "failed"
        } else if named.errors.contains(id) {
            "errored"
        } else {
            "passed"
        };
        let was = status(&seen.outcomes, id);
        if was != should {
            problems.push(format!("`{id}` should be {should}, and is {was}: {}", why(seen, id)));
        }
        if !matches!(was, "failed" | "errored") {
            continue;
        }
        broken += 1;
        let said = seen.diagnoses.get(id).map_or(&[][..], Vec::as_slice);
        said.iter().for_each(|rule| *rules.entry(rule.clone()).or_default() += 1);
        if said == wanted {
            hits += 1;
        } else if said.is_empty() {
            problems.push(format!("nothing explains `{id}`: {}", why(seen, id)));
        } else {
            problems.push(format!("`{id}` is explained by {}, not by {}", said.join(", "), wanted.join(", ")));
        }
    }
    MistakeProof {
        id: named.id.clone(),
        title: named.mistake.title.clone(),
        wanted: wanted.to_vec(),
        named: hits,
        broken,
        rules,
        problems,
    }
}
