use std::fs;
use std::io;
use std::path::{Component, Path};

use super::disk::{Disk, Real};
use super::journal::{Entry, Journal};
use super::{ApplyError, Hold, JOURNAL, lock};

/// An apply that did not come to its end. While it is looked at, nobody else changes the workspace.
#[derive(Debug)]
pub struct Interrupted {
    pub(super) journal: Journal,
    _hold: Hold,
}

/// What taking it back came to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Restored {
    /// The files that are as they were again.
    pub files: Vec<String>,
    /// Those that somebody has changed since, which are left as they are.
    pub kept: Vec<String>,
    /// Where the former ones are, from the workspace.
    pub backup: String,
}

impl Interrupted {
    /// The workspace at a folder or above it in which an apply has begun and not come to its end.
    #[must_use]
    pub fn workspace(from: &Path) -> Option<&Path> {
        from.ancestors().find(|folder| folder.join(JOURNAL).is_file())
    }

    /// Looks for one in a workspace. Reads one small file at the most.
    ///
    /// # Errors
    /// When there is one and its journal cannot be read, or when it is still under way.
    pub fn find(workspace: &Path) -> Result<Option<Self>, ApplyError> {
        let path = workspace.join(JOURNAL);
        if !path.exists() {
            return Ok(None);
        }
        let hold = lock(workspace)?;
        let bytes = match fs::read(&path) {
            Ok(bytes) => bytes,
            // It came to its end meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(ApplyError::Journal(error.to_string())),
        };
        let journal: Journal = serde_json::from_slice(&bytes).map_err(|error| ApplyError::Journal(error.to_string()))?;
        if journal.schema != Journal::SCHEMA {
            return Err(ApplyError::Journal(format!("it has the form {}, which another version writes", journal.schema)));
        }
        let within = |path: &Path| path.components().all(|part| matches!(part, Component::Normal(_)));
        let paths = journal.files.iter().map(|file| Path::new(&file.path)).chain(journal.folders.iter().map(AsRef::as_ref));
        if let Some(path) = paths.chain([journal.backup.as_path()]).find(|path| !within(path)) {
            return Err(ApplyError::Journal(format!("`{}` leads out of the workspace", path.display())));
        }
        Ok(Some(Self { journal, _hold: hold }))
    }

    /// The step that was being applied.
    #[must_use]
    pub fn step(&self) -> &str {
        &self.journal.step
    }

    /// Gives back the former tree. A file that was changed since the interruption is left as it is.
    ///
    /// # Errors
    /// When something cannot be written; it can be tried again.
    pub fn restore(self, workspace: &Path) -> Result<Restored, ApplyError> {
        put_back(&mut Real { durable: true }, workspace, &self.journal).map_err(|(path, source)| ApplyError::Stuck {
            path,
            source,
            backup: self.journal.backup.display().to_string(),
        })
    }
}

/// Takes back whatever of a journal was done. Done twice, it comes to the same.
pub(super) fn put_back(disk: &mut dyn Disk, workspace: &Path, journal: &Journal) -> Result<Restored, (String, io::Error)> {
    let mut restored = Restored { backup: journal.backup.display().to_string(), ..Restored::default() };
    for file in &journal.files {
        match one(disk, workspace, journal, file) {
            Ok(State::Restored) => restored.files.push(file.path.clone()),
            Ok(State::Kept) => restored.kept.push(file.path.clone()),
            Ok(State::AsItWas) => {}
            Err(error) => return Err((file.path.clone(), error)),
        }
    }
    for folder in journal.folders.iter().rev() {
        // One that holds something by now is somebody's.
        let _ = disk.remove_folder(&workspace.join(folder));
    }
    let place = workspace.join(JOURNAL);
    for path in [Entry::temporary(&place), place] {
        gone(disk, &path).map_err(|error| (path.display().to_string(), error))?;
    }
    Ok(restored)
}

enum State {
    AsItWas,
    Restored,
    Kept,
}

fn one(disk: &mut dyn Disk, workspace: &Path, journal: &Journal, file: &Entry) -> io::Result<State> {
    let place = workspace.join(&file.path);
    gone(disk, &Entry::temporary(&place))?;
    let copies = workspace.join(&journal.backup);
    let copy = copies.join("before").join(&file.path);
    let before = file.before.then(|| fs::read(&copy)).transpose()?;
    let after = file.after.then(|| fs::read(copies.join("after").join(&file.path))).transpose()?;
    let now = match fs::read(&place) {
        Ok(bytes) => Some(bytes),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(error),
    };
    if now == before {
        return Ok(State::AsItWas);
    }
    if now != after {
        return Ok(State::Kept);
    }
    match before {
        Some(bytes) => super::replace(disk, &place, &bytes, Some(&copy))?,
        None => gone(disk, &place)?,
    }
    Ok(State::Restored)
}

fn gone(disk: &mut dyn Disk, path: &Path) -> io::Result<()> {
    if path.symlink_metadata().is_ok() { disk.remove_file(path) } else { Ok(()) }
}
