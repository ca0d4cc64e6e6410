use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::Edit;

/// What an apply sets out to do: enough to take it back. The same text is the manifest of the backup.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Journal {
    /// The form's version.
    pub schema: u32,
    /// The step that is applied: `week2/x-ray/group`.
    pub step: String,
    /// When it began, in UTC.
    pub started: jiff::Timestamp,
    /// The folder with the copies, from the workspace: `before/` and `after/`.
    pub backup: PathBuf,
    /// The files.
    pub files: Vec<Entry>,
    /// The folders that are made for them, from the workspace, the outer ones first.
    pub folders: Vec<PathBuf>,
}

/// A file of a [`Journal`].
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Entry {
    /// The file, from the workspace, with `/`.
    pub path: String,
    /// Whether it was there.
    pub before: bool,
    /// Whether it is to be there.
    pub after: bool,
}

impl Entry {
    /// Where a file is written before it takes its place.
    pub(super) fn temporary(place: &Path) -> PathBuf {
        let name = place.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
        place.with_file_name(format!(".{name}.bootcamp-new"))
    }
}

impl Journal {
    /// The form that this program writes.
    pub(super) const SCHEMA: u32 = 1;

    pub(super) fn new(workspace: &Path, step: &str, now: jiff::Timestamp, backup: PathBuf, edits: &[Edit]) -> Self {
        let entry = |edit: &Edit| Entry { path: edit.path.clone(), before: edit.before.is_some(), after: edit.after.is_some() };
        let above = |edit: &Edit| {
            let folders = Path::new(&edit.path).ancestors().skip(1);
            let missing = folders.filter(|folder| !folder.as_os_str().is_empty() && !workspace.join(folder).exists());
            missing.map(Path::to_owned).collect::<Vec<_>>()
        };
        let folders: BTreeSet<PathBuf> = edits.iter().filter(|edit| edit.after.is_some()).flat_map(above).collect();
        Self {
            schema: Self::SCHEMA,
            step: step.to_owned(),
            started: now,
            backup,
            files: edits.iter().map(entry).collect(),
            folders: folders.into_iter().collect(),
        }
    }

    pub(super) fn json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(self).unwrap_or_default();
        json.push(b'\n');
        json
    }
}
