use std::collections::BTreeSet;
use std::fs;

use crate::course::Page;

use super::{AuthorError, Subject};

/// Folders of a course's checks in which files are read.
const FOLDERS: [&str; 2] = ["diagnoses/", "mistakes/"];

/// Files of a solution that speak of it, and are part of no state.
const NOTES: [&str; 2] = ["states.toml", "lock.toml"];

impl Subject<'_> {
    /// Files that nobody reads. `targets` are the files that the course's pages lead to.
    pub(super) fn orphans(&mut self, targets: &BTreeSet<String>) -> Result<(), AuthorError> {
        let id = &self.course.id;
        let lessons = format!("lessons/{id}/");
        for file in self.checkout.files(lessons.trim_end_matches('/'))? {
            let name = &file[lessons.len()..];
            let is_page = name.ends_with(".md") && !name.contains('/');
            if !is_page && !targets.contains(&file) {
                self.orphan(&file, "no lesson leads to it", "link to it from a lesson, or remove it");
            }
        }
        let checks = format!("checks/{id}/");
        for file in self.checkout.files(checks.trim_end_matches('/'))? {
            let name = &file[checks.len()..];
            let within = FOLDERS.iter().find_map(|folder| name.strip_prefix(folder)).unwrap_or(name);
            if !within.ends_with(".toml") || within.contains('/') {
                let help = "checks are in `<lesson>.toml` and `probes.toml`, diagnoses in `diagnoses/*.toml`, mistakes in `mistakes/*.toml`";
                self.orphan(&file, "no part of the course is read from it", help);
            }
        }
        let Ok(Some(states)) = self.checkout.states(self.course) else { return Ok(()) };
        let solution = format!("solutions/{id}/");
        for file in self.checkout.files(solution.trim_end_matches('/'))? {
            let name = &file[solution.len()..];
            if !NOTES.contains(&name) && states.finished().get(name).is_none() {
                self.orphan(
                    &file,
                    "it is part of no state",
                    "symbolic links are not followed: put the file itself there, or remove it",
                );
            }
        }
        Ok(())
    }

    fn orphan(&mut self, file: &str, label: &str, help: &str) {
        let text = fs::read_to_string(self.checkout.root().join(file)).unwrap_or_default();
        let first = text.lines().next().unwrap_or_default();
        let page = Page::new(file, first);
        self.problems.push(page.problem(0..first.len().min(1), "nobody reads this file", label).help(help));
    }
}
