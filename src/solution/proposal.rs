use std::fs;
use std::io;
use std::path::{Component, Path};

use super::diff::{FileDiff, text};
use super::merge::merge;

/// The largest file of a learner's that is merged, in bytes.
const LARGEST: u64 = 4 << 20;

/// The byte order mark that some editors begin a file with.
const BOM: &str = "\u{feff}";

/// What a learner has at a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mine {
    /// Nothing.
    Absent,
    /// A file that holds this.
    File(Vec<u8>),
    /// Something that is not ours to change, in words: `a folder`.
    Other(&'static str),
}

impl Mine {
    /// Looks at a path of a workspace.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn load(workspace: &Path, path: &str) -> io::Result<Self> {
        let mut place = workspace.to_owned();
        let parts: Vec<Component> = Path::new(path).components().collect();
        for (index, part) in parts.iter().enumerate() {
            let Component::Normal(name) = part else { return Ok(Self::Other("a path out of the workspace")) };
            place.push(name);
            let found = match fs::symlink_metadata(&place) {
                Ok(found) => found,
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::Absent),
                Err(error) => return Err(error),
            };
            if found.is_symlink() {
                // What lies behind it is likely somebody else's, too.
                return Ok(Self::Other("behind a symbolic link"));
            }
            if index + 1 < parts.len() {
                if !found.is_dir() {
                    return Ok(Self::Other("beneath a file"));
                }
                continue;
            }
            if !found.is_file() {
                return Ok(Self::Other("a folder"));
            }
            if found.len() > LARGEST {
                return Ok(Self::Other("larger than 4 MiB"));
            }
        }
        Ok(Self::File(fs::read(&place)?))
    }
}

/// What a step would do to one file of a learner's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The file, from the workspace, with `/`.
    pub path: String,
    /// What it holds now; `None` where it is not there, or is not to be read.
    pub mine: Option<Vec<u8>>,
    /// What would become of it.
    pub outcome: Outcome,
}

/// What would become of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It is as the step wants it.
    Done,
    /// It would hold this.
    Write {
        /// The bytes.
        bytes: Vec<u8>,
        /// In so many places both sides would stand between markers.
        conflicts: usize,
    },
    /// It would go: the step removes it, and the learner has not changed it.
    Remove,
    /// It is left alone.
    Left(Left),
}

/// Why a file is left alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Left {
    /// The step changes it, and the learner has none.
    #[error("the step changes it, and you have none; an earlier step adds it, or you moved it")]
    Missing,
    /// The step removes it, and the learner has changed it.
    #[error("the step removes it, and you have changed it; remove it yourself when you need it no longer")]
    Edited,
    /// It is no text, or the step's is none.
    #[error("it is not UTF-8 text, and differs from what the step starts from")]
    NotText,
    /// A lock file that cargo has changed for the learner.
    #[error("it is your own by now; cargo adds what is missing at the next build")]
    OwnLock,
    /// Not a file that could be written.
    #[error("it is {0}")]
    NotAFile(&'static str),
}

impl Proposal {
    /// What a step that leads from one text to another would do to the learner's.
    ///
    /// `locks` are the lock files of all states of the course: a learner's that is among them is still ours to replace. The label
    /// stands at the step's side of a conflict.
    #[must_use]
    pub fn new(path: &str, before: Option<&[u8]>, after: Option<&[u8]>, mine: Mine, locks: &[&[u8]], label: &str) -> Self {
        let (mine, outcome) = match mine {
            Mine::Other(what) => (None, Outcome::Left(Left::NotAFile(what))),
            Mine::Absent => (None, absent(before, after)),
            Mine::File(bytes) => {
                let outcome = if is_lock(path) { lock(&bytes, after, locks) } else { present(&bytes, before, after, label) };
                (Some(bytes), outcome)
            }
        };
        Self { path: path.to_owned(), mine, outcome }
    }

    /// What the learner would see change.
    #[must_use]
    pub fn diff(&self) -> Option<FileDiff> {
        match &self.outcome {
            Outcome::Write { bytes, .. } => FileDiff::between(&self.path, self.mine.as_deref(), Some(bytes)),
            Outcome::Remove => FileDiff::between(&self.path, self.mine.as_deref(), None),
            Outcome::Done | Outcome::Left(_) => None,
        }
    }

    /// In how many places both sides would stand.
    #[must_use]
    pub fn conflicts(&self) -> usize {
        match self.outcome {
            Outcome::Write { conflicts, .. } => conflicts,
            _ => 0,
        }
    }

    /// The learner's text has a conflict that was not settled: the number of its line.
    #[must_use]
    pub fn unsettled(&self) -> Option<usize> {
        super::merge::unsettled(text(self.mine.as_deref()?)?)
    }
}

/// Whether it is a lock file of cargo's.
fn is_lock(path: &str) -> bool {
    path.rsplit('/').next() == Some("Cargo.lock")
}

fn absent(before: Option<&[u8]>, after: Option<&[u8]>) -> Outcome {
    match (before, after) {
        (None, Some(after)) => Outcome::Write { bytes: after.to_vec(), conflicts: 0 },
        (_, None) => Outcome::Done,
        (Some(_), Some(_)) => Outcome::Left(Left::Missing),
    }
}

fn lock(mine: &[u8], after: Option<&[u8]>, locks: &[&[u8]]) -> Outcome {
    match after {
        Some(after) if after == mine => Outcome::Done,
        Some(after) if locks.iter().any(|lock| same_lines(lock, mine)) => Outcome::Write { bytes: after.to_vec(), conflicts: 0 },
        _ => Outcome::Left(Left::OwnLock),
    }
}

fn present(mine: &[u8], before: Option<&[u8]>, after: Option<&[u8]>, label: &str) -> Outcome {
    let Some(after) = after else {
        let untouched = before.is_some_and(|before| same_lines(before, mine));
        return if untouched { Outcome::Remove } else { Outcome::Left(Left::Edited) };
    };
    if mine == after {
        return Outcome::Done;
    }
    if before == Some(mine) {
        return Outcome::Write { bytes: after.to_vec(), conflicts: 0 };
    }
    let (Some(ours), Some(base), Some(theirs)) = (text(mine), text(before.unwrap_or_default()), text(after)) else {
        return Outcome::Left(Left::NotText);
    };
    let (mark, ours) = ours.strip_prefix(BOM).map_or(("", ours), |rest| (BOM, rest));
    let ends = LineEnds::of(ours);
    let merged = merge(base, &ends.fed(ours), theirs, label);
    let bytes = format!("{mark}{}", ends.of_text(merged.text)).into_bytes();
    if bytes == mine { Outcome::Done } else { Outcome::Write { bytes, conflicts: merged.conflicts } }
}

/// How a text ends its lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum LineEnds {
    /// With a line feed; or now so, now so, in which case they stay as they are.
    Feed,
    /// With a carriage return and a line feed, all of them.
    ReturnFeed,
}

impl LineEnds {
    fn of(text: &str) -> Self {
        let (feeds, returns) = (text.matches('\n').count(), text.matches("\r\n").count());
        if feeds > 0 && feeds == returns { Self::ReturnFeed } else { Self::Feed }
    }

    /// The text with line feeds.
    fn fed(self, text: &str) -> String {
        if self == Self::ReturnFeed { text.replace("\r\n", "\n") } else { text.to_owned() }
    }

    /// A text with line feeds, with these ends.
    fn of_text(self, text: String) -> String {
        if self == Self::ReturnFeed { text.replace('\n', "\r\n") } else { text }
    }
}

/// Whether two files hold the same, however they end their lines.
fn same_lines(one: &[u8], other: &[u8]) -> bool {
    let fed = |bytes: &[u8]| text(bytes).map(|text| LineEnds::of(text).fed(text));
    one == other || fed(one).zip(fed(other)).is_some_and(|(one, other)| one == other)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LABEL: &str = "tiny/folder/notes";

    fn of(path: &str, before: Option<&str>, after: Option<&str>, mine: Option<&str>) -> Outcome {
        let mine = mine.map_or(Mine::Absent, |mine| Mine::File(mine.as_bytes().to_vec()));
        let locks: [&[u8]; 2] = [b"lock 1\n", b"lock 2\n"];
        Proposal::new(path, before.map(str::as_bytes), after.map(str::as_bytes), mine, &locks, LABEL).outcome
    }

    fn write(text: &str) -> Outcome {
        Outcome::Write { bytes: text.as_bytes().to_vec(), conflicts: 0 }
    }

    #[test]
    fn a_file_that_the_step_adds() {
        assert_eq!(of("x", None, Some("new\n"), None), write("new\n"));
        assert_eq!(of("x", None, Some("new\n"), Some("new\n")), Outcome::Done);
        let Outcome::Write { bytes, conflicts } = of("x", None, Some("new\n"), Some("mine\n")) else { panic!("a merge") };
        assert_eq!(conflicts, 1);
        assert_eq!(String::from_utf8(bytes).unwrap(), "<<<<<<< yours\nmine\n=======\nnew\n>>>>>>> tiny/folder/notes\n");
    }

    #[test]
    fn a_file_that_the_step_removes() {
        assert_eq!(of("x", Some("old\n"), None, Some("old\n")), Outcome::Remove);
        assert_eq!(of("x", Some("old\n"), None, Some("old\r\n")), Outcome::Remove);
        assert_eq!(of("x", Some("old\n"), None, Some("mine\n")), Outcome::Left(Left::Edited));
        assert_eq!(of("x", Some("old\n"), None, None), Outcome::Done);
    }

    #[test]
    fn a_file_that_the_step_changes() {
        assert_eq!(of("x", Some("a\n"), Some("a\nb\n"), Some("a\n")), write("a\nb\n"));
        assert_eq!(of("x", Some("a\n"), Some("a\nb\n"), None), Outcome::Left(Left::Missing));
        assert_eq!(of("x", Some("a\nc\nd\n"), Some("a\nb\nc\nd\n"), Some("a\nc\nd\nmine\n")), write("a\nb\nc\nd\nmine\n"));
    }

    #[test]
    fn carriage_returns_and_byte_order_marks_stay() {
        let mine = "\u{feff}a\r\nc\r\nd\r\nmine\r\n";
        let expected = write("\u{feff}a\r\nb\r\nc\r\nd\r\nmine\r\n");
        assert_eq!(of("x", Some("a\nc\nd\n"), Some("a\nb\nc\nd\n"), Some(mine)), expected);
        assert_eq!(of("x", Some("a\nc\n"), Some("a\nb\nc\n"), Some("a\r\nb\r\nc\r\n")), Outcome::Done);
        // Where the ends are mixed, those of the lines that nobody changed stay.
        assert_eq!(of("x", Some("a\nc\nd\n"), Some("a\nc\nd\ne\n"), Some("a\r\nc\nd\n")), write("a\r\nc\nd\ne\n"));
    }

    #[test]
    fn what_is_no_text_is_replaced_or_left() {
        let of = |mine: &[u8]| {
            let mine = Mine::File(mine.to_vec());
            Proposal::new("x.png", Some(b"\xff1"), Some(b"\xff2"), mine, &[], LABEL).outcome
        };
        assert_eq!(of(b"\xff1"), Outcome::Write { bytes: b"\xff2".to_vec(), conflicts: 0 });
        assert_eq!(of(b"\xff2"), Outcome::Done);
        assert_eq!(of(b"\xff3"), Outcome::Left(Left::NotText));
    }

    #[test]
    fn a_lock_is_ours_or_left() {
        assert_eq!(of("Cargo.lock", Some("lock 1\n"), Some("lock 2\n"), Some("lock 1\n")), write("lock 2\n"));
        assert_eq!(of("Cargo.lock", Some("lock 1\n"), Some("lock 3\n"), Some("lock 2\r\n")), write("lock 3\n"));
        assert_eq!(of("Cargo.lock", Some("lock 1\n"), Some("lock 2\n"), Some("my lock\n")), Outcome::Left(Left::OwnLock));
        assert_eq!(of("Cargo.lock", Some("lock 1\n"), Some("lock 2\n"), Some("lock 2\n")), Outcome::Done);
    }

    #[test]
    fn what_is_no_file_is_not_touched() {
        let folder = tempfile::tempdir().unwrap();
        let load = |path: &str| Mine::load(folder.path(), path).unwrap();
        fs::create_dir(folder.path().join("src")).unwrap();
        fs::write(folder.path().join("src/a"), "a").unwrap();
        assert_eq!(load("src/a"), Mine::File(b"a".to_vec()));
        assert_eq!(load("src/b/c"), Mine::Absent);
        assert_eq!(load("src"), Mine::Other("a folder"));
        assert_eq!(load("src/a/b"), Mine::Other("beneath a file"));
        assert_eq!(load("../x"), Mine::Other("a path out of the workspace"));
        #[cfg(unix)]
        {
            std::os::unix::fs::symlink(folder.path().join("src"), folder.path().join("link")).unwrap();
            assert_eq!(load("link/a"), Mine::Other("behind a symbolic link"));
        }
        let left = Proposal::new("src", None, Some(b"x"), load("src"), &[], LABEL);
        assert_eq!((left.diff(), left.outcome), (None, Outcome::Left(Left::NotAFile("a folder"))));
    }
}
