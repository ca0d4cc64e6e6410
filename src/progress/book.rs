use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;

use super::change::Edition;
use super::disk::{Disk, Real, replace};
use super::file::{self, Document, FILE, LOCK, ProgressError};
use super::hold::Hold;
use super::{Change, Progress};
use crate::course::Course;

/// The file that keeps a workspace's progress, as far as one course is concerned.
#[derive(Debug)]
pub struct Book {
    workspace: PathBuf,
    edition: Edition,
    memory: Mutex<Memory>,
}

/// What this program remembers beside the file.
#[derive(Debug, Default)]
struct Memory {
    /// What could not be written yet.
    pending: Vec<(Change, Timestamp)>,
    /// What was told already: nobody wants to read it at every step.
    told: BTreeSet<String>,
}

/// How far the learner is, and what there is to say about the file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Loaded {
    /// The progress: what could not be written is in it, too.
    pub progress: Progress,
    /// What a learner should know, in sentences without a full stop. Each is told once in a book's life.
    pub notices: Vec<String>,
}

impl Book {
    /// The book of a workspace. Take a course with its checks ([`Course::load`]): with an outline, steps that were renamed or whose
    /// checks changed are not recognised.
    #[must_use]
    pub fn of(workspace: &Path, course: &Course) -> Self {
        Self { workspace: workspace.to_owned(), edition: Edition::of(course), memory: Mutex::default() }
    }

    /// Whether the workspace has a book at all: where it has none, every step of every course is open.
    #[must_use]
    pub fn exists(workspace: &Path) -> bool {
        workspace.join(FILE).exists()
    }

    /// Reads how far the learner is. Writes nothing.
    #[must_use]
    pub fn load(&self) -> Loaded {
        let mut memory = self.memory();
        self.recalled(&mut memory, Vec::new())
    }

    /// Notes what happened, and says how far the learner is then. What cannot be written counts all the same, for as long as this
    /// book lives, and is written with the next change that can be. Waits for another program that notes something at the same
    /// time, for three seconds at the most.
    #[must_use = "the notices are to be shown"]
    pub fn note(&self, change: Change) -> Loaded {
        self.note_all([change])
    }

    /// The same for several changes, written together.
    #[must_use = "the notices are to be shown"]
    pub fn note_all(&self, changes: impl IntoIterator<Item = Change>) -> Loaded {
        self.note_on(&mut Real, changes, Timestamp::now())
    }

    pub(super) fn note_on(&self, disk: &mut dyn Disk, changes: impl IntoIterator<Item = Change>, now: Timestamp) -> Loaded {
        let mut memory = self.memory();
        memory.pending.extend(changes.into_iter().map(|change| (change, now)));
        match self.write(disk, &memory.pending) {
            Ok(Written { progress, aside }) => {
                memory.pending.clear();
                let notice = aside.map(|place| format!("`{FILE}` could not be understood; it is kept as `{}`", place.display()));
                Loaded { progress, notices: memory.untold(notice) }
            }
            Err(error) => {
                let notice = format!("{error}; until that is mended, what is passed counts for this run of `bootcamp` alone");
                // The same in other words.
                memory.told.insert(error.to_string());
                self.recalled(&mut memory, vec![notice])
            }
        }
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the file holds, with what could not be written to it.
    fn recalled(&self, memory: &mut Memory, mut notices: Vec<String>) -> Loaded {
        let found = Document::load(&self.workspace).and_then(|document| document.course(&self.edition.course));
        let mut progress = found.unwrap_or_else(|error| {
            notices.push(error.to_string());
            Progress::default()
        });
        self.absorb(&mut progress, &memory.pending);
        Loaded { progress, notices: memory.untold(notices) }
    }

    fn absorb(&self, progress: &mut Progress, changes: &[(Change, Timestamp)]) {
        progress.reconcile(&self.edition);
        changes.iter().for_each(|(change, when)| progress.absorb(change, *when, &self.edition));
    }

    /// Reads the file, changes it and writes it, while nobody else does.
    fn write(&self, disk: &mut dyn Disk, changes: &[(Change, Timestamp)]) -> Result<Written, ProgressError> {
        // What changes nothing needs no lock and no folder that can be written to.
        if let Ok(before) = Document::load(&self.workspace).and_then(|document| document.course(&self.edition.course)) {
            let mut progress = before.clone();
            self.absorb(&mut progress, changes);
            if progress == before {
                return Ok(Written { progress, aside: None });
            }
        }
        let (path, lock) = (self.workspace.join(FILE), self.workspace.join(LOCK));
        let refused = |path: &Path| {
            let path = path.display().to_string();
            |source| ProgressError::Unwritable { path, source }
        };
        if let Some(folder) = path.parent().filter(|folder| !folder.is_dir()) {
            disk.create_folder(folder).map_err(refused(folder))?;
        }
        let _hold = Hold::take(&lock).map_err(refused(&path))?.ok_or(ProgressError::Busy)?;
        let bytes = file::bytes(&self.workspace).map_err(ProgressError::Unreadable)?;
        let mut document = match bytes.as_deref().map(Document::parse) {
            None => Document::default(),
            Some(Ok(document)) => document,
            Some(Err(ProgressError::Broken(_))) => Document::default(),
            Some(Err(other)) => return Err(other),
        };
        let found = document.course(&self.edition.course);
        let broken = found.is_err() || (document == Document::default() && bytes.is_some());
        let mut aside = None;
        if let (true, Some(bytes)) = (broken, &bytes) {
            // A copy: the other courses' entries may be sound, and stay where they are.
            let (place, kept) = file::aside(&self.workspace, bytes);
            if !kept {
                let full = self.workspace.join(&place);
                replace(disk, &full, bytes).map_err(refused(&full))?;
            }
            aside = Some(place);
        }
        let mut progress = found.unwrap_or_default();
        self.absorb(&mut progress, changes);
        document.set_course(&self.edition.course, &progress);
        replace(disk, &path, &document.json()).map_err(refused(&path))?;
        Ok(Written { progress, aside })
    }
}

/// What a successful change came to.
struct Written {
    progress: Progress,
    /// Where a broken file was set aside.
    aside: Option<PathBuf>,
}

impl Memory {
    /// What was not told yet.
    fn untold(&mut self, notices: impl IntoIterator<Item = String>) -> Vec<String> {
        notices.into_iter().filter(|notice| self.told.insert(notice.clone())).collect()
    }
}
