use std::collections::BTreeMap;

use super::Lesson;
use super::load::Loader;
use super::source::CourseFile;
use crate::check::{LessonPlace, NamedRule, Probe, Rules, closest};

impl Loader<'_> {
    /// The rules of all files, in the files' order: an earlier one is the likelier candidate.
    pub(super) fn rules(
        &mut self,
        files: Vec<CourseFile>,
        lessons: &[Lesson],
        probes: &BTreeMap<String, Probe>,
    ) -> Vec<NamedRule> {
        let mut rules: Vec<NamedRule> = Vec::new();
        for file in files {
            let Some(page) = self.page(&file) else { continue };
            let parsed = Rules::parse(&page.text);
            self.flaws(&page, parsed.flaws);
            for entry in parsed.entries {
                let Some(rule) = entry.value else { continue };
                if rules.iter().any(|known| known.id == entry.name) {
                    let message = format!("the diagnosis `{}` is defined a second time", entry.name);
                    self.problems
                        .push(page.problem(entry.span, message, "ids are unique in a course").help("rename one of the two"));
                    continue;
                }
                for name in rule.probes().into_iter().filter(|name| !probes.contains_key(*name)) {
                    let message = format!("the diagnosis `{}` looks at the unknown probe `{name}`", entry.name);
                    let help = closest(name, probes.keys().map(String::as_str)).map(|close| format!("did you mean `{close}`?"));
                    self.problems.push(page.problem(entry.span.clone(), message, "no such probe").maybe_help(help));
                }
                let place = lessons.iter().find_map(|lesson| {
                    let step = rule.lesson.strip_prefix(&lesson.id)?.strip_prefix('/')?;
                    let step = lesson.steps.iter().find(|known| known.id == step)?;
                    Some(LessonPlace { file: lesson.file.clone(), line: step.line })
                });
                let Some(place) = place else {
                    let names =
                        lessons.iter().flat_map(|lesson| lesson.steps.iter().map(|step| format!("{}/{}", lesson.id, step.id)));
                    let names: Vec<String> = names.collect();
                    let help =
                        closest(&rule.lesson, names.iter().map(String::as_str)).map(|close| format!("did you mean `{close}`?"));
                    let message = format!("the diagnosis `{}` leads to the unknown step `{}`", entry.name, rule.lesson);
                    let help = help.unwrap_or_else(|| String::from("name a step as `<lesson>/<step>`"));
                    self.problems.push(page.problem(entry.span, message, "leads nowhere").help(help));
                    continue;
                };
                rules.push(NamedRule { id: entry.name, rule, place });
            }
        }
        rules
    }
}
