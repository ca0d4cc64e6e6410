use std::ops::Range;

use diffy::DiffOptions;

use crate::check::closest;
use crate::course::{CodeBlock, Page, Problem, Step};
use crate::solution::{States, Tree, leader};

use super::block::Block;
use super::fit::{Misfit, Row, fit, nearest};

/// How a code block stands to the state after its step.
#[derive(Debug)]
pub(super) enum Tie {
    /// It shows what the state has.
    Stands,
    /// The state has moved on.
    Drifted(Drift),
    /// Nothing says what it should show.
    Loose(Problem),
}

/// What a block should say instead.
#[derive(Debug)]
pub(super) struct Drift {
    /// What to replace: the inside of the block, in bytes of the page.
    pub inside: Range<usize>,
    /// What with.
    pub text: String,
    /// Lines that come in, and lines that go.
    pub added: usize,
    pub removed: usize,
    /// The first line that differs.
    pub problem: Problem,
}

/// Holds a block with `file=` against the state after its step. `None` where it has no file.
pub(super) fn tie(page: &Page, step: &Step, code: &CodeBlock, states: &States) -> Option<Tie> {
    let file = code.file.as_deref()?;
    let Some(block) = Block::of(page, code) else {
        let end = page.text[code.span.clone()].lines().next().map_or(0, |line| line.trim_end().len());
        let problem = page.problem(code.span.start..code.span.start + end, "the lines of this code block cannot be told", "here");
        return Some(Tie::Loose(
            problem.help("close it with a fence of its own, indented like the first, and use no tabs before it"),
        ));
    };
    let Some(after) = states.after(&step.path) else { return Some(Tie::Stands) };
    let Some(text) = after.text(file) else {
        return Some(Tie::Loose(unknown(page, &block, file, step, states, after)));
    };
    let tying = Tying { page, step, block, file };
    Some(if code.follows_step { tying.step(states, text) } else { tying.parts(text) })
}

/// No such file in the state.
fn unknown(page: &Page, block: &Block, file: &str, step: &Step, states: &States, after: &Tree) -> Problem {
    let span = block.file_span(page);
    if after.get(file).is_some() {
        return page.problem(span, format!("`{file}` is no text"), "cannot be shown").help("leave `file=` out");
    }
    if let Some(other) = states.steps().find(|other| states.after(other).is_some_and(|tree| tree.get(file).is_some())) {
        let message = format!("`{file}` is not there after the step `{}`", step.path);
        return page.problem(span, message, "not in this state").help(format!("the state after `{other}` has it"));
    }
    let close = closest(file, after.paths()).map(|close| format!("did you mean `{close}`?"));
    let help = close.unwrap_or_else(|| String::from("name a file of the solution, or leave `file=` out"));
    page.problem(span, format!("no state of the solution has a file `{file}`"), "no such file").help(help)
}

struct Tying<'a> {
    page: &'a Page,
    step: &'a Step,
    block: Block,
    file: &'a str,
}

impl Tying<'_> {
    fn problem(&self, line: usize, message: String, label: &str) -> Problem {
        let span = self.block.lines.get(line).cloned().unwrap_or_else(|| self.block.fence.clone());
        let code = &self.page.text[span.clone()];
        let start = span.start + code.len() - code.trim_start().len();
        // A blank line has nothing to point at but itself.
        self.page.problem(start.min(span.end)..span.end, message, label)
    }

    /// A block that shows parts of the file.
    fn parts(&self, text: &str) -> Tie {
        let shown = self.block.shown(self.page);
        let stands: Vec<&str> = text.lines().collect();
        let rows = match fit(&shown, &stands) {
            Ok(rows) => rows,
            Err(misfit) => return Tie::Loose(self.misfit(misfit, &stands)),
        };
        let first = rows.iter().position(|row| match *row {
            Row::Same(line, other) => shown[line] != stands[other],
            Row::Gone(_) | Row::Missing(_) => true,
            Row::Own(_) => false,
        });
        let Some(first) = first else { return Tie::Stands };
        let (mut written, mut added, mut removed) = (String::new(), 0, 0);
        for row in &rows {
            match *row {
                Row::Own(line) => written.push_str(self.block.whole(self.page, line)),
                Row::Same(line, other) if shown[line] == stands[other] => written.push_str(self.block.whole(self.page, line)),
                Row::Gone(_) => removed += 1,
                Row::Same(_, other) | Row::Missing(other) => {
                    if self.block.would_close(stands[other]) {
                        return Tie::Loose(self.fence_too_short(stands[other]));
                    }
                    written.push_str(&self.block.row(stands[other]));
                    added += 1;
                    removed += usize::from(matches!(row, Row::Same(..)));
                }
            }
        }
        let problem = self.differs(&rows, first, &shown, &stands);
        Tie::Drifted(Drift { inside: self.block.inside.clone(), text: written, added, removed, problem })
    }

    /// What is told of the first row that differs.
    fn differs(&self, rows: &[Row], first: usize, shown: &[&str], stands: &[&str]) -> Problem {
        let (file, after) = (self.file, &self.step.path);
        let at = |other: usize| format!("line {} of the state after `{after}` is `{}`", other + 1, stands[other].trim());
        if let Row::Same(line, _) = rows[first] {
            let message = format!("`{file}` has this line with another indentation");
            return self.problem(line, message, "indented otherwise").help(WRITES);
        }
        let stretch = || rows[first..].iter().take_while(|row| matches!(row, Row::Gone(_) | Row::Missing(_)));
        let gone = stretch().find_map(|row| if let Row::Gone(line) = row { Some(*line) } else { None });
        let missing: Vec<usize> =
            stretch().filter_map(|row| if let Row::Missing(other) = row { Some(*other) } else { None }).collect();
        match (gone, missing.first()) {
            (Some(line), Some(other)) => {
                let near = missing.iter().copied().find(|other| closest(shown[line].trim(), [stands[*other].trim()]).is_some());
                let help = format!("{}; {WRITES}", at(near.unwrap_or(*other)));
                self.problem(line, format!("`{file}` has another line here"), "not the state's").help(help)
            }
            (Some(line), None) => {
                let near = nearest(shown[line], stands).map_or_else(|| String::from("it has nothing like it"), at);
                let message = format!("`{file}` does not have this line, or not here");
                self.problem(line, message, "not the state's").help(format!("{near}; {WRITES}"))
            }
            (None, other) => {
                let next = rows[first..].iter().find_map(|row| match row {
                    Row::Same(line, _) | Row::Gone(line) | Row::Own(line) => Some(*line),
                    Row::Missing(_) => None,
                });
                let lines = if missing.len() == 1 { "a line".to_owned() } else { format!("{} lines", missing.len()) };
                let message = format!("`{file}` has {lines} before this one, and the block does not say so");
                let near = other.copied().map(at).unwrap_or_default();
                let help = format!("{near}; {WRITES}, or say with a line `{}` that something is left out", ellipsis(file));
                self.problem(next.unwrap_or(0), message, "something is missing").help(help)
            }
        }
    }

    fn misfit(&self, misfit: Misfit, stands: &[&str]) -> Problem {
        let (file, after) = (self.file, &self.step.path);
        match misfit {
            Misfit::Adrift { shown, nearest } => {
                let near = nearest
                    .map(|other| format!("line {} of the state after `{after}` is `{}`; ", other + 1, stands[other].trim()));
                let message = format!("`{file}` does not have this line, or not here");
                let help = format!(
                    "{}write the first and the last line of each part as they stand in the state after `{after}`",
                    near.unwrap_or_default()
                );
                self.problem(shown, message, "a part begins or ends with it").help(help)
            }
            Misfit::Empty => {
                let help = format!("write the first and the last line of what it should show of `{file}`, or `sync=step`");
                let span = self.block.fence.clone();
                self.page.problem(span, format!("this code block shows nothing of `{file}`"), "no line of code").help(help)
            }
            Misfit::TooLarge => {
                let message = format!("block and `{file}` are too long to be compared");
                let help = format!("show less of it, with lines `{}`", ellipsis(file));
                self.page.problem(self.block.fence.clone(), message, "here").help(help)
            }
        }
    }

    fn fence_too_short(&self, line: &str) -> Problem {
        let message = format!("a line `` {} `` of `{}` would end this code block", line.trim(), self.file);
        let help = format!("open and close the block with `` {} ``", self.block.longer_fence(line));
        self.page.problem(self.block.fence.clone(), message, "this fence is too short").help(help)
    }

    /// A block that shows all that the step does to the file.
    fn step(&self, states: &States, text: &str) -> Tie {
        let before = states.before(&self.step.path).and_then(|tree| tree.text(self.file)).unwrap_or_default();
        let wanted = came(before, text, ellipsis(self.file));
        if wanted.is_empty() {
            let message = format!("the step `{}` brings no line of `{}`", self.step.path, self.file);
            let span = self.block.file_span(self.page);
            return Tie::Loose(self.page.problem(span, message, "nothing to show").help("leave `sync=step` out, and show parts"));
        }
        if let Some(line) = wanted.iter().find(|line| self.block.would_close(line)) {
            return Tie::Loose(self.fence_too_short(line));
        }
        let shown = self.block.shown(self.page);
        if shown == wanted {
            return Tie::Stands;
        }
        let text: String = wanted.iter().map(|line| self.block.row(line)).collect();
        let first = shown.iter().zip(&wanted).take_while(|(line, other)| line == other).count();
        let help = wanted.get(first).map_or_else(
            || format!("the step brings nothing more; {WRITES}"),
            |line| format!("the step brings `{}`; {WRITES}", line.trim()),
        );
        let message = format!("this is not what the step does to `{}`", self.file);
        let problem = self.problem(first.min(shown.len().saturating_sub(1)), message, "differs from here on").help(help);
        // What is the same at the end, and not counted at the beginning already.
        let rest = shown[first..].iter().rev().zip(wanted[first..].iter().rev());
        let same = first + rest.take_while(|(line, other)| line == other).count();
        let (added, removed) = (wanted.len() - same, shown.len() - same);
        Tie::Drifted(Drift { inside: self.block.inside.clone(), text, added, removed, problem })
    }
}

const WRITES: &str = "`bootcamp author sync` writes what the state has";

/// The line that says, in a file of this name, that something is left out.
fn ellipsis(file: &str) -> &'static str {
    match leader(file) {
        Some("//") => "// …",
        Some("#") => "# …",
        _ => "…",
    }
}

/// The lines that came, those that stood together together, and a line between them that says so.
fn came<'a>(before: &'a str, after: &'a str, between: &'a str) -> Vec<&'a str> {
    let mut options = DiffOptions::new();
    options.set_context_len(0);
    let patch = options.create_patch(before, after);
    let mut lines = Vec::new();
    for hunk in patch.hunks() {
        let start = hunk.new_range().start().saturating_sub(1);
        let fresh: Vec<&str> = after.lines().skip(start).take(hunk.new_range().len()).collect();
        let blank = |line: &&str| line.trim().is_empty();
        let Some(first) = fresh.iter().position(|line| !blank(line)) else { continue };
        let last = fresh.iter().rposition(|line| !blank(line)).unwrap_or(first);
        if !lines.is_empty() {
            lines.push(between);
        }
        lines.extend(&fresh[first..=last]);
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_with_a_step_is_shown_in_its_places() {
        let before = "use a;\n\nfn main() {\n    a();\n}\n";
        let after = "use a;\nuse b;\n\nfn main() {\n    a();\n    b();\n}\n\nfn b() {}\n";
        assert_eq!(came(before, after, "// …"), ["use b;", "// …", "    b();", "// …", "fn b() {}"]);
        assert_eq!(came("", before, "// …"), before.lines().collect::<Vec<_>>());
        assert_eq!(came(after, before, "// …"), [""; 0]);
    }
}
