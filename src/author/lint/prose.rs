use std::ops::Range;

use crate::course::{Lesson, Page, Step};

use super::{AuthorError, Subject, heading, line};
use crate::author::PLACEHOLDER;

const SEE_IT: &str = "See it:";

impl Subject<'_> {
    /// Steps that do not say why, or how to see it; hints that say nothing.
    pub(super) fn prose(&mut self) {
        for (lesson, page) in self.pages() {
            for (index, step) in lesson.steps.iter().enumerate() {
                let end = lesson.steps.get(index + 1).map_or(page.text.len(), |next| heading(&page, next).start);
                self.why(&page, step);
                self.see_it(&page, step, heading(&page, step).end..end);
                for hint in step.hints.iter().filter(|hint| hint.text.is_empty()) {
                    let message = format!("the hint “{}” says nothing", hint.summary);
                    let problem = page.problem(line(&page, hint.line), message, "nothing between its summary and its end");
                    self.problems.push(problem.help("write what leads on, with a blank line before and after, or remove it"));
                }
            }
            self.intro(&page, lesson);
        }
    }

    fn intro(&mut self, page: &Page, lesson: &Lesson) {
        if lesson.intro.is_empty() && lesson.steps.first().is_some_and(|step| step.line > 1) {
            let span = heading(page, &lesson.steps[0]);
            let message = format!("the lesson `{}` has no introduction", lesson.id);
            let problem = page.problem(span, message, "the first step comes at once");
            self.problems.push(problem.help("say before the first step what the lesson is about"));
        }
    }

    fn why(&mut self, page: &Page, step: &Step) {
        let first = step.body.lines().next().unwrap_or_default().trim_start();
        let (found, begins) = match first {
            "" => (true, "there is no text"),
            _ if first.starts_with("```") || first.starts_with("~~~") => (true, "it begins with code"),
            _ if first.starts_with(SEE_IT) => (true, "it begins with how to see it"),
            _ => (false, ""),
        };
        if found {
            let problem = page.problem(heading(page, step), format!("the step `{}` does not say why", step.id), begins);
            self.problems.push(problem.help("begin with why it matters, in up to three sentences"));
        }
    }

    /// Looks for the paragraph in what follows the heading.
    fn see_it(&mut self, page: &Page, step: &Step, text: Range<usize>) {
        const HELP: &str = "write a paragraph `See it: …`: how to see the result with one's own eyes, in the vendor's console";
        let mut start = text.start;
        for row in page.text[text].split_inclusive('\n') {
            let at = start;
            start += row.len();
            let in_code = step.code_blocks.iter().any(|code| code.span.contains(&at));
            let Some(rest) = row.strip_prefix(SEE_IT).filter(|_| !in_code) else { continue };
            let next = page.text[start..].lines().next().unwrap_or_default();
            if rest.trim().is_empty() && next.trim().is_empty() {
                let message = format!("the step `{}` does not say how to see it", step.id);
                self.problems.push(page.problem(at..at + SEE_IT.len(), message, "nothing follows").help(HELP));
            }
            return;
        }
        let message = format!("the step `{}` does not say how to see it", step.id);
        self.problems.push(page.problem(heading(page, step), message, "no `See it:` below").help(HELP));
    }

    /// What a scaffold left to its author.
    pub(super) fn placeholders(&mut self) -> Result<(), AuthorError> {
        let id = &self.course.id;
        let mut files = self.checkout.files(&format!("lessons/{id}"))?;
        files.extend(self.checkout.files(&format!("checks/{id}"))?);
        for page in files
            .iter()
            .filter(|file| file.ends_with(".md") || file.ends_with(".toml"))
            .filter_map(|file| self.checkout.page(file))
        {
            let mut from = 0;
            while let Some(start) = page.text[from..].find(PLACEHOLDER.0).map(|at| from + at) {
                let row = page.text[start..].lines().next().unwrap_or_default();
                from = start + PLACEHOLDER.0.len_utf8();
                let Some(length) = row.find(PLACEHOLDER.1) else { continue };
                let wanted = &row[PLACEHOLDER.0.len_utf8()..length];
                let span = start..start + length + PLACEHOLDER.1.len_utf8();
                from = span.end;
                let problem = page.problem(span, format!("{wanted}: this is still to be written"), "a placeholder");
                self.problems.push(problem.help("write it, and take the angle quotes away"));
            }
        }
        Ok(())
    }
}
