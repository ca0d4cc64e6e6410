//! What `bootcamp solution` prints: what a step changes, and what became of a learner's files.
//!
//! Without colour, what it prints is a patch that `git apply` and `patch -p1` take: they pass over the head and the notes.

use super::Look;
use super::look::Tone;
use super::text::{clean, one_line};
use crate::course::{Action, Lesson, Step};
use crate::highlight::{Span, highlight};
use crate::solution::{FileDiff, Left, Mark, Outcome, Proposal, Status};

/// A step, and what it is held against.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The lesson.
    pub lesson: &'a Lesson,
    /// The step.
    pub step: &'a Step,
    /// Whose files change.
    pub against: Against,
}

/// Whose files change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Against {
    /// Those of the reference before the step.
    Reference,
    /// The learner's.
    Mine,
}

/// What a step changes: the head, the files, and what is done outside of files.
#[must_use]
pub fn difference(shown: Shown<'_>, files: &[FileDiff], left: &[(&str, Left)], look: Look) -> String {
    let mut text = head(shown, look);
    let rows: Vec<Row> = files.iter().map(Row::of).chain(left.iter().map(|(path, left)| Row::left(path, *left))).collect();
    let whose = match shown.against {
        Against::Reference => "against the state before the step",
        Against::Mine => "in your files",
    };
    match files {
        [] if shown.against == Against::Mine && left.is_empty() && shown.step.actions.is_empty() => {
            text.push_str("\nYour files are as the step wants them.\n");
        }
        [] if left.is_empty() && shown.step.actions.is_empty() => {
            text.push_str("\nThis step changes no file: its text says what to do.\n");
        }
        [] if left.is_empty() => {}
        _ => {
            text.push_str(&format!("\n{}, {whose}:\n", counted(files)));
            text.push_str(&table(&rows, look));
        }
    }
    for file in files {
        text.push('\n');
        text.push_str(&patch(file, look));
    }
    text.push_str(&actions(&shown.step.actions, look));
    let path = &shown.step.path;
    let hint = match (shown.against, files, shown.step.actions.as_slice()) {
        (_, [], []) => None,
        (Against::Mine, ..) => {
            Some(format!("`bootcamp solution {path} --apply` makes these changes, and keeps your files as they were."))
        }
        (Against::Reference, [], _) => Some(format!("`bootcamp solution {path} --apply` does it through the same API.")),
        (Against::Reference, ..) => Some(format!(
            "`bootcamp solution {path} --mine` shows what would change in your own files; `--apply` makes the changes."
        )),
    };
    if let Some(hint) = hint {
        text.push_str(&format!("\n{}\n", look.paint(Tone::Dim, &hint)));
    }
    text
}

/// What became of a learner's files. `backup` is where they are as they were; absent where nothing was changed.
#[must_use]
pub fn applied(shown: Shown<'_>, proposals: &[Proposal], backup: Option<&str>, look: Look) -> String {
    let mut text = head(shown, look);
    let rows: Vec<Row> = proposals.iter().filter_map(Row::proposed).collect();
    if !rows.is_empty() {
        text.push('\n');
        text.push_str(&table(&rows, look));
    }
    let conflicts: usize = proposals.iter().map(Proposal::conflicts).sum();
    let step = &shown.step.path;
    if conflicts > 0 {
        text.push_str(&format!(
            "\nIn {} both you and the step changed the same lines, and both are kept:\n\
             from `<<<<<<< yours` to `=======` stands what you had, from there to `>>>>>>> {step}` the step's.\n\
             Keep what is right of each, remove the markers, and build. If you have not done the steps before this\n\
             one yet, apply those first: `bootcamp verify` shows which they are.\n",
            places(conflicts)
        ));
    }
    match backup {
        Some(backup) => text.push_str(&format!("\nYour files as they were: {backup}/before\n")),
        None if rows.is_empty() && !proposals.is_empty() => {
            text.push_str("\nYour files are as the step wants them: nothing was changed.\n");
        }
        None => {}
    }
    text
}

/// `1 place`, `2 places`.
fn places(count: usize) -> String {
    if count == 1 { String::from("one place") } else { format!("{count} places") }
}

fn head(shown: Shown<'_>, look: Look) -> String {
    let Shown { lesson, step, .. } = shown;
    let title = format!("{} · {} {}", step.path, step.number, one_line(&step.title));
    let place = format!("{}:{}", lesson.file, step.line);
    format!("{}\n{}\n", look.paint(Tone::Strong, &title), look.paint(Tone::Dim, &place))
}

/// `2 files, +14 -3`.
fn counted(files: &[FileDiff]) -> String {
    let (added, removed) = files.iter().fold((0, 0), |(added, removed), file| (added + file.added(), removed + file.removed()));
    let noun = if files.len() == 1 { "file" } else { "files" };
    format!("{} {noun}, +{added} -{removed}", files.len())
}

/// A file in the list.
struct Row {
    path: String,
    added: usize,
    removed: usize,
    note: String,
    tone: Tone,
}

impl Row {
    fn of(file: &FileDiff) -> Self {
        let note = match file.status {
            Status::Added => "new",
            Status::Removed => "removed",
            Status::Binary => "not text",
            Status::Changed => "",
        };
        let (path, note) = (file.path.clone(), note.to_owned());
        Self { path, added: file.added(), removed: file.removed(), note, tone: Tone::Dim }
    }

    fn left(path: &str, left: Left) -> Self {
        Self { path: path.to_owned(), added: 0, removed: 0, note: format!("left alone: {left}"), tone: Tone::Warn }
    }

    fn proposed(proposal: &Proposal) -> Option<Self> {
        match proposal.outcome {
            Outcome::Left(left) => Some(Self::left(&proposal.path, left)),
            Outcome::Done => None,
            Outcome::Write { .. } | Outcome::Remove => {
                let row = Self::of(&proposal.diff()?);
                match proposal.conflicts() {
                    0 => Some(row),
                    count => Some(Self { note: format!("conflict in {}", places(count)), tone: Tone::Bad, ..row }),
                }
            }
        }
    }
}

fn table(rows: &[Row], look: Look) -> String {
    let widest = |width: fn(&Row) -> usize| rows.iter().map(width).max().unwrap_or(0);
    let (paths, added, removed) = (
        widest(|row| row.path.chars().count()),
        widest(|row| number('+', row.added).len()),
        widest(|row| number('-', row.removed).len()),
    );
    let row = |row: &Row| {
        let plus = look.paint(Tone::Good, &format!("{:>added$}", number('+', row.added)));
        let minus = look.paint(Tone::Bad, &format!("{:>removed$}", number('-', row.removed)));
        let line = format!("  {:<paths$}  {plus} {minus}  {}", row.path, look.paint(row.tone, &row.note));
        format!("{}\n", line.trim_end())
    };
    rows.iter().map(row).collect()
}

fn number(sign: char, count: usize) -> String {
    if count == 0 { String::new() } else { format!("{sign}{count}") }
}

/// A file's changes in the unified form; with colour where the look has it.
fn patch(file: &FileDiff, look: Look) -> String {
    if !look.colour {
        return file.to_string();
    }
    let unified = file.to_string();
    let [old, new] = [&file.before, &file.after].map(|code| highlight(code, &file.path));
    let mut text = String::new();
    let heads = if file.status == Status::Binary { 1 } else { 2 };
    for line in unified.lines().take(heads) {
        text.push_str(&format!("{}\n", look.paint(Tone::Strong, &clean(line))));
    }
    for hunk in &file.hunks {
        text.push_str(&format!("{}\n", look.paint(Tone::Dim, &hunk.to_string())));
        for line in &hunk.lines {
            let inks = if line.mark == Mark::Removed { &old } else { &new };
            let painted = match line.mark {
                Mark::Removed => look.paint(Tone::Bad, &format!("-{}", clean(&line.text))),
                Mark::Added => {
                    format!("{}{}", look.paint(Tone::Good, "+"), code(&line.text, inks.get(line.number - 1), look))
                }
                Mark::Same => format!(" {}", code(&line.text, inks.get(line.number - 1), look)),
            };
            text.push_str(painted.trim_end_matches('\n'));
            text.push('\n');
            if !line.ended {
                text.push_str(&format!("{}\n", look.paint(Tone::Dim, "\\ No newline at end of file")));
            }
        }
    }
    text
}

/// A line of code in its colours.
fn code(line: &str, spans: Option<&Vec<Span>>, look: Look) -> String {
    let pieces = spans.into_iter().flatten().filter_map(|span| Some((span.ink, line.get(span.range.clone())?)));
    pieces.map(|(ink, piece)| look.ink(ink, &clean(piece))).collect()
}

/// What the step has one do outside of files.
fn actions(actions: &[Action], look: Look) -> String {
    let one = |action: &Action| {
        let command = action.command();
        let spans = if look.colour { highlight(&command, "sh") } else { Vec::new() };
        let lines = command.lines().enumerate().map(|(index, line)| match spans.get(index) {
            Some(spans) => format!("{}\n", code(line, Some(spans), look)),
            None => format!("{line}\n"),
        });
        format!("\nOutside of files, the step makes {}:\n\n{}", action.object(), lines.collect::<String>())
    };
    actions.iter().map(one).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colour_changes_no_text() {
        let before = "fn main() {\n    let x = \"1\";\n}\n";
        let after = "fn main() {\n\tlet x = \"2\"; // why\n}";
        let diff = FileDiff::between("src/main.rs", Some(before.as_bytes()), Some(after.as_bytes())).unwrap();
        let coloured = patch(&diff, Look::BARE.coloured(true));
        assert!(coloured.contains("\u{1b}[32m+"), "{coloured}");
        assert_eq!(console::strip_ansi_codes(&coloured).replace("    let x = \"2\"", "\tlet x = \"2\""), diff.to_string());
        assert_eq!(patch(&diff, Look::BARE), diff.to_string());
    }

    #[test]
    fn a_list_is_a_table() {
        let file = |path: &str, before: Option<&str>, after: Option<&str>| {
            FileDiff::between(path, before.map(str::as_bytes), after.map(str::as_bytes)).unwrap()
        };
        let files =
            [file("a.rs", None, Some("1\n2\n")), file("long/name.rs", Some("1\n"), Some("2\n")), file("b", Some("1\n"), None)];
        assert_eq!(counted(&files), "3 files, +3 -2");
        let rows: Vec<Row> = files.iter().map(Row::of).collect();
        assert_eq!(
            table(&rows, Look::BARE),
            "  a.rs          +2     new\n  long/name.rs  +1 -1\n  b                -1  removed\n"
        );
    }
}
