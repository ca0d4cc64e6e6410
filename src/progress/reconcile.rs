use std::collections::BTreeMap;

use super::change::{Edition, EditionStep};
use super::{Entry, Progress};

impl Progress {
    /// Finds the entries of another edition's steps again. A step with the same checks under another path is the same step; one
    /// whose path stayed while its checks changed is the same, too. What belongs to no step is kept: it may come back.
    pub(super) fn reconcile(&mut self, edition: &Edition) {
        let mut moved: BTreeMap<String, String> = BTreeMap::new();
        let mut pool = std::mem::take(&mut self.steps);
        let same = |step: &EditionStep, entry: &Entry| !step.checks.is_empty() && step.checks == entry.checks;
        // First those that stayed as they were, so that no other step takes them.
        let mut found: BTreeMap<String, Entry> = BTreeMap::new();
        for step in &edition.steps {
            if pool.get(&step.path).is_some_and(|entry| same(step, entry)) {
                found.extend(pool.remove_entry(&step.path));
            }
        }
        for step in edition.steps.iter().filter(|step| !step.checks.is_empty()) {
            let renamed = |(path, entry): (&String, &Entry)| same(step, entry).then(|| path.clone());
            if found.contains_key(&step.path) {
                continue;
            }
            let Some(former) = pool.iter().find_map(renamed) else { continue };
            if let Some(entry) = pool.remove(&former) {
                found.insert(step.path.clone(), entry);
                moved.insert(former, step.path.clone());
            }
        }
        for (path, entry) in pool {
            let mut free = path;
            while found.contains_key(&free) {
                // Another step has taken the path: the entry waits under a name that no step has.
                free.push('~');
            }
            found.insert(free, entry);
        }
        self.steps = found;
        self.current = self.current.take().map(|path| moved.remove(&path).unwrap_or(path));
        if self.current.as_deref().is_some_and(|path| edition.step(path).is_none()) {
            self.current = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::check::Points;

    fn edition(steps: &[(&str, &[&str])]) -> Edition {
        let step = |(path, checks): &(&str, &[&str])| EditionStep {
            path: format!("demo/{path}"),
            points: Points::whole(1),
            checks: checks.iter().map(|id| (*id).to_owned()).collect(),
            demand: None,
        };
        Edition { course: String::from("demo"), steps: steps.iter().map(step).collect() }
    }

    /// Entries that can be told apart by their hints.
    fn progress(entries: &[(&str, &[&str])], current: Option<&str>) -> Progress {
        let entry = |(index, (path, checks)): (usize, &(&str, &[&str]))| {
            let checks = checks.iter().map(|id| (*id).to_owned()).collect();
            (format!("demo/{path}"), Entry { checks, hints: index + 1, ..Entry::default() })
        };
        Progress { current: current.map(|path| format!("demo/{path}")), steps: entries.iter().enumerate().map(entry).collect() }
    }

    fn found(mut progress: Progress, edition: &Edition) -> (Vec<(String, usize)>, Option<String>) {
        progress.reconcile(edition);
        let steps = progress.steps.iter().map(|(path, entry)| (path.trim_start_matches("demo/").to_owned(), entry.hints));
        (steps.collect(), progress.current.clone())
    }

    fn named(steps: &[(&str, usize)]) -> Vec<(String, usize)> {
        steps.iter().map(|(path, hints)| ((*path).to_owned(), *hints)).collect()
    }

    #[test]
    fn a_renamed_step_keeps_its_entry_and_stays_the_current_one() {
        let now = edition(&[("a", &["x", "y"]), ("new", &["z"])]);
        let before = progress(&[("a", &["x", "y"]), ("old", &["z"])], Some("old"));
        assert_eq!(found(before, &now), (named(&[("a", 1), ("new", 2)]), Some(String::from("demo/new"))));
    }

    #[test]
    fn a_removed_step_keeps_its_entry_and_is_current_no_longer() {
        let now = edition(&[("a", &["x"])]);
        let before = progress(&[("a", &["x"]), ("gone", &["z"])], Some("gone"));
        assert_eq!(found(before, &now), (named(&[("a", 1), ("gone", 2)]), None));
    }

    #[test]
    fn a_step_whose_checks_became_others_is_the_same_step() {
        let now = edition(&[("a", &["x", "new"])]);
        assert_eq!(found(progress(&[("a", &["x"])], None), &now).0, named(&[("a", 1)]));
    }

    #[test]
    fn steps_that_change_places_are_told_by_their_checks() {
        let now = edition(&[("a", &["y"]), ("b", &["x"])]);
        let before = progress(&[("a", &["x"]), ("b", &["y"])], Some("a"));
        assert_eq!(found(before, &now), (named(&[("a", 2), ("b", 1)]), Some(String::from("demo/b"))));
        // One that has lost its path to another is kept beside it.
        let now = edition(&[("a", &["y"])]);
        assert_eq!(found(progress(&[("a", &["x"]), ("b", &["y"])], None), &now).0, named(&[("a", 2), ("a~", 1)]));
    }

    #[test]
    fn a_course_without_its_checks_moves_nothing() {
        let now = edition(&[("a", &[]), ("b", &[])]);
        let before = progress(&[("a", &["x"]), ("c", &[])], Some("a"));
        assert_eq!(found(before, &now), (named(&[("a", 1), ("c", 2)]), Some(String::from("demo/a"))));
    }

    proptest! {
        #[test]
        fn nothing_is_ever_lost_and_a_second_look_finds_nothing_to_do(
            entries in proptest::collection::btree_map("[a-d]", proptest::collection::btree_set("[x-z]", 0..3), 0..5),
            steps in proptest::collection::btree_map("[a-d]", proptest::collection::btree_set("[x-z]", 0..3), 0..5),
        ) {
            let entry = |(index, (path, checks)): (usize, (String, std::collections::BTreeSet<String>))| {
                (format!("demo/{path}"), Entry { checks: checks.into_iter().collect(), hints: index + 1, ..Entry::default() })
            };
            let mut progress = Progress { current: None, steps: entries.into_iter().enumerate().map(entry).collect() };
            let all = |progress: &Progress| {
                let mut hints: Vec<usize> = progress.steps.values().map(|entry| entry.hints).collect();
                hints.sort_unstable();
                hints
            };
            let before = all(&progress);
            let step = |(path, checks): (String, std::collections::BTreeSet<String>)| EditionStep {
                path: format!("demo/{path}"),
                points: Points::whole(1),
                checks: checks.into_iter().collect(),
                demand: None,
            };
            let edition = Edition { course: String::from("demo"), steps: steps.into_iter().map(step).collect() };
            progress.reconcile(&edition);
            prop_assert_eq!(all(&progress), before);
            let once = progress.clone();
            progress.reconcile(&edition);
            prop_assert_eq!(progress, once);
        }
    }
}
