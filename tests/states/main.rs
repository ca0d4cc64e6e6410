//! The states of the solutions: what a learner begins with, and what each step changes.
//!
//! `SNAPSHOTS=overwrite cargo test --test states` writes the snapshots in `tests/snapshots/states` anew.
//!
//! Two tests ask cargo, and run only when they are named (`-- --ignored`), because they take minutes and need the solution's
//! dependencies: `build` proves that every state builds, is formatted, passes clippy with warnings denied, and answers on all
//! endpoints; `locks` proves that each state's `Cargo.lock` is the one that cargo would write, and with
//! `SNAPSHOTS=overwrite` writes down in `lock.toml` what it takes to derive it.

#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "cargo is waited for, and ends by itself")]

mod build;
mod locks;
mod snapshots;

use std::path::{Path, PathBuf};

use bootcamp::course::{Course, Source};
use bootcamp::solution::{SolutionError, States, Tree};

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

fn week2() -> States {
    let course = Course::load(&Source::Folder(repository("")), "week2").unwrap();
    match States::load(&course, &repository("")) {
        Ok(states) => states,
        Err(SolutionError::Broken(problems)) => {
            let lines = problems.iter().map(|problem| format!("{}:{}: {problem}", problem.file(), problem.line()));
            panic!("{}", lines.collect::<Vec<_>>().join("\n"));
        }
        Err(error) => panic!("{error}"),
    }
}

/// Every state with its name, in order: the starter, one for each step, the reference.
fn all(states: &States) -> Vec<(&str, &Tree)> {
    let after = states.steps().map(|step| (step, states.after(step).unwrap()));
    std::iter::once(("the starter", states.starter())).chain(after).chain([("reference", states.finished())]).collect()
}

/// Makes the folder hold this tree and nothing else, but for what does not differ.
fn lay_out(tree: &Tree, folder: &Path) {
    std::fs::create_dir_all(folder).unwrap();
    for path in Tree::load(folder).unwrap().paths() {
        if tree.get(path).is_none() {
            std::fs::remove_file(folder.join(path)).unwrap();
        }
    }
    tree.write_to(folder).unwrap();
}
