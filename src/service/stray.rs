//! A service that nobody ended, because the program that had started it was killed.
//!
//! While a service of a workspace runs, `.bootcamp/service.json` names it and the program that keeps it. The next program that
//! finds the file, and the keeper gone, ends what was left: it would be taken for a service of the learner's own otherwise, and
//! never be built anew. Processes are known by their ids and times of start together (`/proc`, so on Linux alone).

use std::fs;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::family::Family;

/// From the workspace.
const FILE: &str = ".bootcamp/service.json";

/// Who runs what.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Record {
    service: Process,
    keeper: Process,
}

/// A process that is not taken for another one that was given its id later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Process {
    id: u32,
    /// In clock ticks since the machine was started.
    started: u64,
}

impl Process {
    fn of(id: u32) -> Option<Self> {
        Some(Self { id, started: Family::started(id)? })
    }

    fn lives(self) -> bool {
        Self::of(self.id) == Some(self)
    }
}

impl Record {
    fn load(file: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(file).ok()?).ok()
    }
}

/// The file that names a running service. Dropped, it is removed.
#[derive(Debug)]
pub(super) struct Named {
    file: PathBuf,
    record: Record,
}

impl Named {
    /// Names a service that was just started for a workspace; nothing where it cannot be written.
    pub(super) fn leave(workspace: &Path, service: u32) -> Option<Self> {
        let record = Record { service: Process::of(service)?, keeper: Process::of(std::process::id())? };
        let file = workspace.join(FILE);
        let folder = file.parent()?;
        fs::create_dir_all(folder).ok()?;
        let mut written = tempfile::Builder::new().prefix("service").suffix(".tmp").tempfile_in(folder).ok()?;
        serde_json::to_writer(&mut written, &record).ok()?;
        written.persist(&file).ok()?;
        Some(Self { file, record })
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        // By now it may name another one.
        if Record::load(&self.file) == Some(self.record) {
            let _ = fs::remove_file(&self.file);
        }
    }
}

/// Ends the service that a program left which was killed; says whether there was one.
#[must_use]
pub fn end_what_was_left(workspace: &Path) -> bool {
    let file = workspace.join(FILE);
    let Some(record) = Record::load(&file) else { return false };
    if record.keeper.lives() {
        return false;
    }
    let left = record.service.lives();
    if left {
        Family::new(record.service.id).end();
    }
    let _ = fs::remove_file(file);
    left
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::os::unix::process::CommandExt;
    use std::process::Command;

    use super::*;

    /// A process that leads a group of its own, as services do.
    #[allow(clippy::disallowed_methods, reason = "it is ended and fetched below")]
    fn sleeper() -> std::process::Child {
        Command::new("sleep").arg("60").process_group(0).spawn().expect("`sleep` is everywhere")
    }

    #[test]
    fn what_a_killed_program_left_is_ended() {
        let workspace = tempfile::tempdir().unwrap();
        let mut service = sleeper();
        let named = Named::leave(workspace.path(), service.id()).unwrap();
        assert!(!end_what_was_left(workspace.path()), "its keeper lives");
        // As if this program had been another, which is gone.
        let file = workspace.path().join(FILE);
        let mut record = named.record;
        record.keeper.started += 1;
        fs::write(&file, serde_json::to_vec(&record).unwrap()).unwrap();
        assert!(end_what_was_left(workspace.path()));
        assert!(!service.wait().unwrap().success() && !file.exists());
        assert!(!end_what_was_left(workspace.path()));
    }

    #[test]
    fn a_process_that_was_given_the_id_later_is_let_live() {
        let workspace = tempfile::tempdir().unwrap();
        let mut other = sleeper();
        let named = Named::leave(workspace.path(), other.id()).unwrap();
        let mut record = named.record;
        record.keeper.started += 1;
        record.service.started += 1;
        fs::write(workspace.path().join(FILE), serde_json::to_vec(&record).unwrap()).unwrap();
        assert!(!end_what_was_left(workspace.path()));
        assert!(other.try_wait().unwrap().is_none());
        other.kill().unwrap();
        other.wait().unwrap();
    }

    #[test]
    fn the_file_goes_with_its_service_and_rubbish_does_no_harm() {
        let workspace = tempfile::tempdir().unwrap();
        let file = workspace.path().join(FILE);
        let mut service = sleeper();
        drop(Named::leave(workspace.path(), service.id()).unwrap());
        assert!(!file.exists());
        service.kill().unwrap();
        service.wait().unwrap();
        fs::write(&file, "{ \"service\": 1").unwrap();
        assert!(!end_what_was_left(workspace.path()));
    }
}
