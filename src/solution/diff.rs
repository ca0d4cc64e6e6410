use std::fmt;

use diffy::DiffOptions;

/// How one file differs from another: what a step does to it, or what a merge would.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileDiff {
    /// The file, from the workspace, with `/`.
    pub path: String,
    /// What becomes of it.
    pub status: Status,
    /// Its text before; empty where it was not there or is no text.
    pub before: String,
    /// Its text after; empty where it is gone or is no text.
    pub after: String,
    /// Where the two differ, with three lines around. None where one of them is no text.
    pub hunks: Vec<Hunk>,
}

/// What becomes of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Status {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// Its text differs.
    Changed,
    /// It differs, and is no text.
    Binary,
}

/// A stretch of lines in which something differs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Its first line before, from 1, and how many.
    pub before: (usize, usize),
    /// Its first line after, from 1, and how many.
    pub after: (usize, usize),
    /// The lines.
    pub lines: Vec<Line>,
}

/// A line of a [`Hunk`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// What becomes of it.
    pub mark: Mark,
    /// Its number, from 1, in the text that it is part of: the one before for a removed line, else the one after.
    pub number: usize,
    /// Without its line feed.
    pub text: String,
    /// Whether it ends with a line feed.
    pub ended: bool,
}

/// What becomes of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// It stays.
    Same,
    /// It is new.
    Added,
    /// It is gone.
    Removed,
}

impl Mark {
    /// Its sign in a diff.
    #[must_use]
    pub const fn sign(self) -> char {
        match self {
            Self::Same => ' ',
            Self::Added => '+',
            Self::Removed => '-',
        }
    }
}

impl FileDiff {
    /// Lines around a difference.
    const CONTEXT: usize = 3;

    /// How a file differs. `None` stands for a file that is not there; nothing comes of two that are the same.
    #[must_use]
    pub fn between(path: &str, before: Option<&[u8]>, after: Option<&[u8]>) -> Option<Self> {
        if before == after {
            return None;
        }
        let (Some(old), Some(new)) = (text(before.unwrap_or_default()), text(after.unwrap_or_default())) else {
            let (before, after, hunks) = (String::new(), String::new(), Vec::new());
            return Some(Self { path: path.to_owned(), status: Status::Binary, before, after, hunks });
        };
        let status = match (before, after) {
            (None, _) => Status::Added,
            (_, None) => Status::Removed,
            _ => Status::Changed,
        };
        let hunks = hunks(old, new, Self::CONTEXT);
        Some(Self { path: path.to_owned(), status, before: old.to_owned(), after: new.to_owned(), hunks })
    }

    /// The same without its texts: that the file changes, and not how.
    #[must_use]
    pub fn without_lines(&self) -> Self {
        let (before, after, hunks) = (String::new(), String::new(), Vec::new());
        Self { path: self.path.clone(), status: Status::Binary, before, after, hunks }
    }

    /// How many lines are new.
    #[must_use]
    pub fn added(&self) -> usize {
        self.count(Mark::Added)
    }

    /// How many lines are gone.
    #[must_use]
    pub fn removed(&self) -> usize {
        self.count(Mark::Removed)
    }

    fn count(&self, mark: Mark) -> usize {
        self.hunks.iter().flat_map(|hunk| &hunk.lines).filter(|line| line.mark == mark).count()
    }
}

/// A file's bytes as text; `None` where they are none.
pub(super) fn text(bytes: &[u8]) -> Option<&str> {
    std::str::from_utf8(bytes).ok().filter(|text| !text.contains('\0'))
}

/// The stretches in which two texts differ, with so many lines around.
pub(super) fn hunks(old: &str, new: &str, context: usize) -> Vec<Hunk> {
    let mut options = DiffOptions::new();
    options.set_context_len(context);
    let patch = options.create_patch(old, new);
    let hunks = patch.hunks().iter().map(|hunk| {
        let (before, after) = (hunk.old_range(), hunk.new_range());
        let (mut old_number, mut new_number) = (before.start(), after.start());
        let lines = hunk.lines().iter().map(|line| {
            let (mark, number, text) = match line {
                diffy::Line::Context(text) => (Mark::Same, new_number, *text),
                diffy::Line::Delete(text) => (Mark::Removed, old_number, *text),
                diffy::Line::Insert(text) => (Mark::Added, new_number, *text),
            };
            old_number += usize::from(mark != Mark::Added);
            new_number += usize::from(mark != Mark::Removed);
            let bare = text.strip_suffix('\n');
            Line { mark, number, text: bare.unwrap_or(text).to_owned(), ended: bare.is_some() }
        });
        Hunk { before: (before.start(), before.len()), after: (after.start(), after.len()), lines: lines.collect() }
    });
    hunks.collect()
}

/// The head of a stretch: `@@ -1,3 +1,4 @@`.
impl fmt::Display for Hunk {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let range = |(start, count): (usize, usize)| if count == 1 { start.to_string() } else { format!("{start},{count}") };
        write!(formatter, "@@ -{} +{} @@", range(self.before), range(self.after))
    }
}

/// The unified form, which `patch -p1` and `git apply` take.
impl fmt::Display for FileDiff {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let path = &self.path;
        if self.status == Status::Binary {
            return writeln!(formatter, "Binary file {path} differs");
        }
        match self.status {
            Status::Added => writeln!(formatter, "--- /dev/null")?,
            _ => writeln!(formatter, "--- a/{path}")?,
        }
        match self.status {
            Status::Removed => writeln!(formatter, "+++ /dev/null")?,
            _ => writeln!(formatter, "+++ b/{path}")?,
        }
        for hunk in &self.hunks {
            writeln!(formatter, "{hunk}")?;
            for line in &hunk.lines {
                writeln!(formatter, "{}{}", line.mark.sign(), line.text)?;
                if !line.ended {
                    writeln!(formatter, "\\ No newline at end of file")?;
                }
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn between(before: &str, after: &str) -> FileDiff {
        FileDiff::between("src/main.rs", Some(before.as_bytes()), Some(after.as_bytes())).unwrap()
    }

    #[test]
    fn the_unified_form() {
        let diff = between("a\nb\nc\nd\ne\nf\ng\nh\n", "a\nb\nc\nd\nE\nf\ng\nh\ni");
        assert_eq!((diff.added(), diff.removed(), diff.status), (2, 1, Status::Changed));
        assert_eq!(
            diff.to_string(),
            "--- a/src/main.rs\n+++ b/src/main.rs\n@@ -2,7 +2,8 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n+i\n\\ No newline at end of file\n"
        );
        let numbers: Vec<_> = diff.hunks[0].lines.iter().filter(|line| line.mark != Mark::Same).map(|line| line.number).collect();
        assert_eq!(numbers, [5, 5, 9]);
    }

    #[test]
    fn files_come_and_go() {
        assert_eq!(FileDiff::between("x", Some(b"same"), Some(b"same")), None);
        assert_eq!(FileDiff::between("x", None, None), None);
        let added = FileDiff::between("x", None, Some(b"one\n")).unwrap();
        assert_eq!(added.to_string(), "--- /dev/null\n+++ b/x\n@@ -0,0 +1 @@\n+one\n");
        let removed = FileDiff::between("x", Some(b"one\n"), None).unwrap();
        assert_eq!(removed.to_string(), "--- a/x\n+++ /dev/null\n@@ -1 +0,0 @@\n-one\n");
        let binary = FileDiff::between("x", Some(b"\xff\0"), Some(b"one\n")).unwrap();
        assert_eq!((binary.to_string().as_str(), binary.added()), ("Binary file x differs\n", 0));
    }

    proptest! {
        #[test]
        fn the_lines_add_up(before in "([a-c]?\n){0,12}[a-c]?", after in "([a-c]?\n){0,12}[a-c]?") {
            let Some(diff) = FileDiff::between("x", Some(before.as_bytes()), Some(after.as_bytes())) else {
                prop_assert_eq!(before, after);
                return Ok(());
            };
            let (old, new) = (before.split_inclusive('\n').count(), after.split_inclusive('\n').count());
            prop_assert_eq!(old + diff.added(), new + diff.removed());
            // Each line stands where its number says.
            for line in diff.hunks.iter().flat_map(|hunk| &hunk.lines) {
                let whole = if line.mark == Mark::Removed { &before } else { &after };
                prop_assert_eq!(whole.split('\n').nth(line.number - 1), Some(line.text.as_str()));
            }
        }

        #[test]
        fn no_bytes_make_it_panic(before in proptest::collection::vec(any::<u8>(), 0..60), after in proptest::collection::vec(any::<u8>(), 0..60)) {
            let _ = FileDiff::between("x", Some(&before), Some(&after)).map(|diff| diff.to_string());
        }
    }
}
