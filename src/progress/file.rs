use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::{Map, Value};

use super::Progress;

/// The file, from the workspace.
pub(super) const FILE: &str = ".bootcamp/progress.json";

/// The file whose lock is held by whoever writes it.
pub(super) const LOCK: &str = ".bootcamp/progress.lock";

/// The form that this program writes.
const VERSION: u64 = 1;

/// No learner's progress comes near this size, in bytes.
const LARGEST: u64 = 4 << 20;

/// Why progress could not be read or written. Nothing is lost in any case.
#[derive(Debug, thiserror::Error)]
pub(super) enum ProgressError {
    /// It makes no sense.
    #[error("`{FILE}` cannot be understood: {0}; none of it counts, and it is set aside when something new is noted")]
    Broken(String),
    /// It has a form that this program does not know.
    #[error("`{FILE}` has the version {0}, which a newer `bootcamp` wrote; use that one, or move the file away to begin anew")]
    Newer(u64),
    /// It cannot be read.
    #[error("`{FILE}` cannot be read: {0}")]
    Unreadable(#[source] io::Error),
    /// It cannot be written.
    #[error("`{path}` cannot be written: {source}")]
    Unwritable {
        /// What.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// Another program keeps the lock.
    #[error("another `bootcamp` has `{LOCK}` and does not let go of it; end that one")]
    Busy,
}

/// What the file holds: this course's progress, and whatever else is in it as it is.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct Document {
    whole: Map<String, Value>,
}

impl Document {
    /// Reads the workspace's file. One that is not there is empty.
    pub(super) fn load(workspace: &Path) -> Result<Self, ProgressError> {
        match bytes(workspace) {
            Ok(Some(bytes)) => Self::parse(&bytes),
            Ok(None) => Ok(Self::default()),
            Err(error) => Err(ProgressError::Unreadable(error)),
        }
    }

    /// Reads the bytes of a file.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, ProgressError> {
        let broken = |what: &str| ProgressError::Broken(what.to_owned());
        if bytes.len() as u64 > LARGEST {
            return Err(broken("it is larger than 4 MiB"));
        }
        let value: Value = serde_json::from_slice(bytes).map_err(|error| ProgressError::Broken(error.to_string()))?;
        let Value::Object(whole) = value else { return Err(broken("it is no object")) };
        match whole.get("version").map(Value::as_u64) {
            Some(Some(VERSION)) => {}
            Some(Some(newer)) if newer > VERSION => return Err(ProgressError::Newer(newer)),
            Some(_) => return Err(broken("its `version` is none")),
            None => return Err(broken("it has no `version`")),
        }
        if whole.get("courses").is_some_and(|courses| !courses.is_object()) {
            return Err(broken("its `courses` is no object"));
        }
        Ok(Self { whole })
    }

    /// The progress in one course.
    pub(super) fn course(&self, id: &str) -> Result<Progress, ProgressError> {
        match self.whole.get("courses").and_then(|courses| courses.get(id)) {
            Some(course) => serde_json::from_value(course.clone())
                .map_err(|error| ProgressError::Broken(format!("what it holds of `{id}` is not as it should be: {error}"))),
            None => Ok(Progress::default()),
        }
    }

    /// Puts in the progress of one course, and leaves all others as they are.
    pub(super) fn set_course(&mut self, id: &str, progress: &Progress) {
        self.whole.insert(String::from("version"), Value::from(VERSION));
        let courses = self.whole.entry("courses").or_insert_with(|| Value::Object(Map::new()));
        if let (Value::Object(courses), Ok(progress)) = (courses, serde_json::to_value(progress)) {
            courses.insert(id.to_owned(), progress);
        }
    }

    /// The bytes of the file.
    pub(super) fn json(&self) -> Vec<u8> {
        let mut json = serde_json::to_vec_pretty(&self.whole).unwrap_or_default();
        json.push(b'\n');
        json
    }
}

/// The file's bytes, or a little more than are read; `None` where it is not there.
pub(super) fn bytes(workspace: &Path) -> io::Result<Option<Vec<u8>>> {
    let file = match fs::File::open(workspace.join(FILE)) {
        Ok(file) => file,
        // Where a file stands in the folder's place, writing will say so.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => return Ok(None),
        Err(error) => return Err(error),
    };
    let mut bytes = Vec::new();
    file.take(LARGEST + 1).read_to_end(&mut bytes)?;
    Ok(Some(bytes))
}

/// Where a broken file is set aside, and whether it lies there already: a program that was killed after doing so did not come to
/// write the new one.
pub(super) fn aside(workspace: &Path, bytes: &[u8]) -> (PathBuf, bool) {
    let mut places = (1_u32..).map(|count| PathBuf::from(format!("{FILE}.broken-{count}")));
    let found = places.find_map(|place| {
        let there = workspace.join(&place);
        match fs::symlink_metadata(&there) {
            Err(_) => Some((place, false)),
            Ok(found) if found.len() == bytes.len() as u64 && fs::read(&there).is_ok_and(|kept| kept == bytes) => {
                Some((place, true))
            }
            Ok(_) => None,
        }
    });
    found.unwrap_or_default()
}
