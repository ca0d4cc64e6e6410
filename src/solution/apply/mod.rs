//! Changes to a learner's files, all of them or none.
//!
//! What a change touches is copied first, to `.bootcamp/backups/<time>-<step>/before`. Then a journal is written, then each file is
//! put in its place by renaming, then the journal goes. Whoever finds a journal while nobody holds the lock knows that an apply
//! was interrupted, and [`Interrupted::restore`] gives back the former tree.

mod disk;
mod journal;
mod restore;
#[cfg(test)]
mod tests;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use disk::{Disk, Real};
use journal::{Entry, Journal};

use super::hold::Hold;

pub use restore::{Interrupted, Restored};

/// Where a workspace keeps what is the runner's own.
const ROOM: &str = ".bootcamp";

/// The file that stands while an apply is under way.
const JOURNAL: &str = ".bootcamp/apply.json";

/// The file whose lock is held by whoever changes the workspace.
const LOCK: &str = ".bootcamp/apply.lock";

/// A change to one file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edit {
    /// The file, from the workspace, with `/`.
    pub path: String,
    /// What it held when the change was made out; `None` where it was not there.
    pub before: Option<Vec<u8>>,
    /// What it is to hold; `None` where it is to go.
    pub after: Option<Vec<u8>>,
}

/// Why a change was not made. Nothing is lost in any case.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// Another process changes the workspace.
    #[error("another `bootcamp` changes this workspace at the moment; wait until it has ended")]
    Busy,
    /// An earlier one was interrupted, and its remains are there.
    #[error("an earlier apply was interrupted, and is to be taken back first")]
    Unfinished,
    /// A file changed meanwhile.
    #[error("`{0}` was changed while the step was applied; nothing was changed: save what you edit, and apply again")]
    Changed(String),
    /// Something could not be written, and all is as it was.
    #[error("cannot write `{path}`: {source}; nothing was changed")]
    TakenBack {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Something could not be written, nor taken back.
    #[error(
        "cannot write `{path}`: {source}; and what was changed before that could not be taken back: your files as they were are in `{backup}`, and the next run of `bootcamp` in this workspace puts them back"
    )]
    Stuck {
        /// The file.
        path: String,
        /// Why.
        source: io::Error,
        /// Where the former files are.
        backup: String,
    },
    /// The journal of an earlier one makes no sense.
    #[error(
        "`{JOURNAL}` cannot be read: {0}; compare your files with the newest folder in `.bootcamp/backups`, then remove that file"
    )]
    Journal(String),
}

/// Makes the changes, all or none. What was there before is in the folder that comes back, from the workspace.
///
/// # Errors
/// Why nothing was changed; or, at the very worst, where the former files are.
pub fn apply(workspace: &Path, step: &str, edits: &[Edit]) -> Result<PathBuf, ApplyError> {
    let _lock = lock(workspace)?;
    apply_on(&mut Real { durable: true }, workspace, step, edits, jiff::Timestamp::now())
}

fn apply_on(
    disk: &mut dyn Disk,
    workspace: &Path,
    step: &str,
    edits: &[Edit],
    now: jiff::Timestamp,
) -> Result<PathBuf, ApplyError> {
    if workspace.join(JOURNAL).exists() {
        return Err(ApplyError::Unfinished);
    }
    for edit in edits {
        if fs::read(workspace.join(&edit.path)).ok() != edit.before {
            return Err(ApplyError::Changed(edit.path.clone()));
        }
    }
    let backup = free_folder(workspace, step, now);
    let journal = Journal::new(workspace, step, now, backup.clone(), edits);
    let unchanged = |(path, source): (String, io::Error)| ApplyError::TakenBack { path, source };
    keep(disk, workspace, &journal, edits).map_err(unchanged)?;
    let Err((path, source)) = carry_out(disk, workspace, &journal, edits) else { return Ok(backup) };
    match restore::put_back(disk, workspace, &journal) {
        Ok(_) => Err(ApplyError::TakenBack { path, source }),
        Err(_) => Err(ApplyError::Stuck { path, source, backup: backup.display().to_string() }),
    }
}

/// Takes the workspace's lock.
fn lock(workspace: &Path) -> Result<Hold, ApplyError> {
    let refused = |source| ApplyError::TakenBack { path: LOCK.to_owned(), source };
    fs::create_dir_all(workspace.join(ROOM)).map_err(refused)?;
    Hold::take(&workspace.join(LOCK)).map_err(refused)?.ok_or(ApplyError::Busy)
}

/// A folder for the backups that is not there yet.
fn free_folder(workspace: &Path, step: &str, now: jiff::Timestamp) -> PathBuf {
    let name = format!("{}-{}", now.strftime("%Y-%m-%dT%H-%M-%SZ"), step.replace('/', "-"));
    let names = std::iter::once(name.clone()).chain((2..).map(|count| format!("{name}-{count}")));
    let mut folders = names.map(|name| Path::new(ROOM).join("backups").join(name));
    folders.find(|folder| !workspace.join(folder).exists()).unwrap_or_default()
}

/// What could not be written, and why.
type Written = Result<(), (String, io::Error)>;

/// Copies what is there, and what is to be, to the backup's folder. The learner's files are not touched.
fn keep(disk: &mut dyn Disk, workspace: &Path, journal: &Journal, edits: &[Edit]) -> Written {
    for edit in edits {
        let place = workspace.join(&edit.path);
        for (side, bytes) in [("before", &edit.before), ("after", &edit.after)] {
            let Some(bytes) = bytes else { continue };
            let copy = workspace.join(&journal.backup).join(side).join(&edit.path);
            named(&copy, folder_of(&copy).map_or(Ok(()), |folder| disk.create_folders(folder)))?;
            named(&copy, disk.write(&copy, bytes, Some(&place)))?;
        }
    }
    let manifest = workspace.join(&journal.backup).join("manifest.json");
    named(&manifest, folder_of(&manifest).map_or(Ok(()), |folder| disk.create_folders(folder)))?;
    named(&manifest, disk.write(&manifest, &journal.json(), None))
}

/// Makes the changes, between the journal's coming and going.
fn carry_out(disk: &mut dyn Disk, workspace: &Path, journal: &Journal, edits: &[Edit]) -> Written {
    let place = workspace.join(JOURNAL);
    named(&place, replace(disk, &place, &journal.json(), None))?;
    for edit in edits {
        let place = workspace.join(&edit.path);
        let done = match &edit.after {
            Some(bytes) => {
                named(&place, folder_of(&place).map_or(Ok(()), |folder| disk.create_folders(folder)))?;
                replace(disk, &place, bytes, Some(&place))
            }
            None => disk.remove_file(&place),
        };
        named(&place, done)?;
    }
    named(&place, disk.remove_file(&place))
}

/// Puts a file in its place, whole or not at all.
fn replace(disk: &mut dyn Disk, place: &Path, bytes: &[u8], like: Option<&Path>) -> io::Result<()> {
    let temporary = Entry::temporary(place);
    disk.write(&temporary, bytes, like)?;
    disk.rename(&temporary, place)
}

fn named(path: &Path, done: io::Result<()>) -> Written {
    done.map_err(|error| (path.display().to_string(), error))
}

fn folder_of(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.is_dir())
}
