//! What `bootcamp solution` and `bootcamp reset` print: what a step changes, and what became of a learner's files.
//!
//! Without colour, what it prints is a patch that `git apply` and `patch -p1` take: they pass over the head and the notes.

use super::Look;
use super::look::Tone;
use super::text::{clean, one_line};
use crate::course::{Action, Lesson, Step};
use crate::highlight::{Span, highlight};
use crate::solution::{FileDiff, Left, Mark, Outcome, Proposal, Status};

/// A step of a lesson.
#[derive(Debug, Clone, Copy)]
pub struct Shown<'a> {
    /// The lesson.
    pub lesson: &'a Lesson,
    /// The step.
    pub step: &'a Step,
}

/// Whose files change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whose {
    /// Those of the reference before the step.
    Reference,
    /// The learner's.
    Mine,
}

/// What becomes of one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileChange {
    /// The file, from the workspace.
    pub path: String,
    /// How it changes; absent where it does not.
    pub diff: Option<FileDiff>,
    /// In so many places both sides stand between markers.
    pub conflicts: usize,
    /// Why it is left alone, where it is.
    pub left: Option<Left>,
}

impl FileChange {
    /// A change without conflict.
    #[must_use]
    pub fn clean(diff: FileDiff) -> Self {
        Self { path: diff.path.clone(), diff: Some(diff), conflicts: 0, left: None }
    }

    /// What is proposed for a learner's file, with the difference as it may be shown.
    #[must_use]
    pub fn proposed(proposal: &Proposal, diff: Option<FileDiff>) -> Self {
        let left = match proposal.outcome {
            Outcome::Left(left) => Some(left),
            _ => None,
        };
        Self { path: proposal.path.clone(), diff, conflicts: proposal.conflicts(), left }
    }

    fn changes(&self) -> bool {
        self.diff.is_some() || self.left.is_some()
    }
}

/// What a step changes: the head, the files, and what is done outside of files.
#[must_use]
pub fn difference(shown: Shown<'_>, whose: Whose, files: &[FileChange], look: Look) -> String {
    let mut text = head(shown, look);
    let (path, actions) = (&shown.step.path, shown.step.actions.as_slice());
    let changes = files.iter().any(FileChange::changes);
    if changes {
        let whose = match whose {
            Whose::Reference => "against the state before the step",
            Whose::Mine => "in your files",
        };
        text.push_str(&format!("\n{}, {whose}:\n{}", counted(files), table(files, look)));
    } else if !files.is_empty() {
        text.push_str("\nYour files are as the step wants them.\n");
    } else if actions.is_empty() {
        text.push_str("\nThis step changes no file: its text says what to do.\n");
    }
    for diff in files.iter().filter_map(|file| file.diff.as_ref()) {
        text.push('\n');
        text.push_str(&patch(diff, look));
    }
    text.push_str(&outside(actions, look));
    let hint = match whose {
        _ if !changes && actions.is_empty() => return text,
        Whose::Mine => format!("`bootcamp solution {path} --apply` makes these changes, and keeps your files as they were."),
        Whose::Reference if !changes => format!("`bootcamp solution {path} --apply` does it through the same API."),
        Whose::Reference => {
            format!("`bootcamp solution {path} --mine` shows what would change in your own files; `--apply` makes the changes.")
        }
    };
    text.push_str(&format!("\n{}\n", look.paint(Tone::Dim, &hint)));
    text
}

/// What became of a learner's files. `backup` is where those are as they were that the step found; absent where it changed none.
#[must_use]
pub fn applied(shown: Shown<'_>, files: &[FileChange], backup: Option<&str>, look: Look) -> String {
    let mut text = head(shown, look);
    if files.iter().any(FileChange::changes) {
        text.push_str(&format!("\n{}", table(files, look)));
    } else if !files.is_empty() {
        text.push_str("\nYour files are as the step wants them: nothing was changed.\n");
    }
    let conflicts: usize = files.iter().map(|file| file.conflicts).sum();
    let step = &shown.step.path;
    if conflicts > 0 {
        text.push_str(&format!(
            "\nIn {} both you and the step changed the same lines, and both are kept:\n\
             from `<<<<<<< yours` to `=======` stands what you had, from there to `>>>>>>> {step}`\n\
             what the step has. Keep what is right of each, remove the markers, and build.\n\
             Have you done the steps before this one? If not, apply those first; `bootcamp verify`\n\
             shows which they are.\n",
            places(conflicts)
        ));
    }
    if let Some(backup) = backup {
        text.push_str(&format!("\nYour files as they were: {backup}/before\n"));
    }
    text
}

/// What became of the files that a step changes, when they were put back to what they are before it.
#[derive(Debug, Clone)]
pub struct PutBack<'a> {
    /// The files that were put back, or could not be.
    pub files: &'a [FileChange],
    /// Where those are as they were; absent where none was there.
    pub backup: Option<String>,
    /// Later steps that were passed and changed the same files.
    pub later: &'a [String],
    /// What the step does outside of files, which stays.
    pub actions: &'a [Action],
}

/// What became of a learner's files, when a step was begun anew.
#[must_use]
pub fn put_back(shown: Shown<'_>, done: &PutBack<'_>, look: Look) -> String {
    let mut text = head(shown, look);
    if done.files.is_empty() {
        text.push_str("\nYour files are already as they are before the step.\n");
    } else {
        text.push_str(&format!("\nPut back to what they are before the step:\n{}", table(done.files, look)));
    }
    if let Some(backup) = &done.backup {
        text.push_str(&format!("\nYour files as they were: {backup}/before\n"));
        if done.files.iter().any(|file| file.path.rsplit('/').next() == Some(".env")) {
            text.push_str("Keys of your own that stood in `.env` are there, too: copy them back if you still need them.\n");
        }
    }
    if !done.later.is_empty() {
        let steps: String = done.later.iter().map(|step| format!("  {}\n", one_line(step))).collect();
        text.push_str(&format!("\nSteps after it that you passed changed the same files, and are undone there, too:\n{steps}"));
    }
    if !done.actions.is_empty() {
        let objects: Vec<String> = done.actions.iter().map(Action::object).collect();
        text.push_str(&format!("\nOutside of files, nothing was taken back: {} stays.\n", objects.join(", ")));
    }
    let path = &shown.step.path;
    text.push_str(&format!("\nThe step is open again. Next: bootcamp verify {path}\n"));
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
fn counted(files: &[FileChange]) -> String {
    let diffs = files.iter().filter_map(|file| file.diff.as_ref());
    let (count, added, removed) =
        diffs.fold((0, 0, 0), |(count, added, removed), diff| (count + 1, added + diff.added(), removed + diff.removed()));
    format!("{count} {}, +{added} -{removed}", if count == 1 { "file" } else { "files" })
}

/// What there is to say of a file beyond its counts.
fn note(file: &FileChange) -> (Tone, String) {
    match (&file.left, file.conflicts, file.diff.as_ref().map(|diff| diff.status)) {
        (Some(left), ..) => (Tone::Warn, format!("left alone: {left}")),
        (_, 1.., _) => (Tone::Bad, format!("conflict in {}", places(file.conflicts))),
        (_, _, Some(Status::Added)) => (Tone::Dim, String::from("new")),
        (_, _, Some(Status::Removed)) => (Tone::Dim, String::from("removed")),
        (_, _, Some(Status::Binary)) => (Tone::Dim, String::from("not text")),
        (_, _, Some(Status::Changed) | None) => (Tone::Dim, String::new()),
    }
}

/// The files that change or are left alone, one a line.
fn table(files: &[FileChange], look: Look) -> String {
    let counts = |file: &FileChange| {
        let count = |of: fn(&FileDiff) -> usize| file.diff.as_ref().map_or(0, of);
        [number('+', count(FileDiff::added)), number('-', count(FileDiff::removed))]
    };
    let rows: Vec<&FileChange> = files.iter().filter(|file| file.changes()).collect();
    let widest = |width: &dyn Fn(&FileChange) -> usize| rows.iter().map(|file| width(file)).max().unwrap_or(0);
    let paths = widest(&|file| file.path.chars().count());
    let [added, removed] = [0, 1].map(|side| widest(&|file| counts(file)[side].len()));
    let row = |file: &&FileChange| {
        let ([plus, minus], (tone, note)) = (counts(file), note(file));
        let plus = look.paint(Tone::Good, &format!("{plus:>added$}"));
        let minus = look.paint(Tone::Bad, &format!("{minus:>removed$}"));
        let line = format!("  {:<paths$}  {plus} {minus}  {}", file.path, look.paint(tone, &note));
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
fn outside(actions: &[Action], look: Look) -> String {
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
        let mut files: Vec<FileChange> = files.into_iter().map(FileChange::clean).collect();
        files.push(FileChange { path: String::from("x"), diff: None, conflicts: 0, left: Some(Left::NotAFile("a folder")) });
        files.push(FileChange { path: String::from("done"), diff: None, conflicts: 0, left: None });
        files[1].conflicts = 2;
        assert_eq!(counted(&files), "3 files, +3 -2");
        let expected = "  a.rs          +2     new\n  long/name.rs  +1 -1  conflict in 2 places\n  b                -1  removed\n  x                    left alone: it is a folder\n";
        assert_eq!(table(&files, Look::BARE), expected);
    }
}
