use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::hold::Hold;
use super::tree::Tree;
use super::{SolutionError, cache, checkout};

/// A folder in which one state of a course's solution after another is laid out and built.
///
/// It is one folder for all of them, because cargo tells packages apart by their place: two folders with the same package and one
/// target folder take each other's program for their own, and two target folders compile all dependencies twice. It belongs to one
/// process at a time.
#[derive(Debug)]
pub struct Workbench {
    folder: PathBuf,
    target_dir: PathBuf,
    _hold: Hold,
}

impl Workbench {
    /// The course's workbench: beneath the checkout's `target/` where the folder is in one, else in the user's cache.
    ///
    /// # Errors
    /// When another process works at it, or it cannot be made.
    pub fn open(course: &str, from: &Path, shell: &BTreeMap<String, String>) -> Result<Self, SolutionError> {
        let room = match checkout(course, from) {
            Some(root) => root.join("target/solutions").join(format!("{course}-states")),
            None => cache(shell).join("bootcamp/states").join(course),
        };
        let refused = |source| SolutionError::Unpack { folder: room.display().to_string(), source };
        fs::create_dir_all(&room).map_err(refused)?;
        let Some(hold) = Hold::take(&room.join("lock")).map_err(refused)? else {
            return Err(SolutionError::Busy { course: course.to_owned() });
        };
        Ok(Self { folder: room.join("workspace"), target_dir: room.join("target"), _hold: hold })
    }

    /// The folder: a workspace, once a state is laid out in it.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Where it is built.
    #[must_use]
    pub fn target_dir(&self) -> &Path {
        &self.target_dir
    }

    /// Lays a state out: writes what is missing or differs, and removes what the state does not have. What is the same is not
    /// touched, so that cargo builds only what differs.
    ///
    /// # Errors
    /// When something cannot be written or removed.
    pub fn lay(&self, tree: &Tree) -> Result<(), SolutionError> {
        let refused = |source| SolutionError::Unpack { folder: self.folder.display().to_string(), source };
        tree.lay_in(&self.folder).map_err(refused)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| (*path, text.as_bytes())).collect()
    }

    #[test]
    fn one_state_after_another() {
        let room = tempfile::tempdir().unwrap();
        let shell = BTreeMap::from([(String::from("XDG_CACHE_HOME"), room.path().display().to_string())]);
        let bench = Workbench::open("tiny", room.path(), &shell).unwrap();
        let first = tree(&[("a", "1"), ("src/deep/b", "2"), ("same", "3")]);
        bench.lay(&first).unwrap();
        assert_eq!(Tree::load(bench.folder()).unwrap(), first);
        let modified = || fs::metadata(bench.folder().join("same")).unwrap().modified().unwrap();
        let before = modified();

        // A file where a folder was, and a folder where a file was.
        let second = tree(&[("a/c", "1"), ("src", "2"), ("same", "3")]);
        bench.lay(&second).unwrap();
        assert_eq!(Tree::load(bench.folder()).unwrap(), second);
        assert_eq!(modified(), before, "what is the same is not written again");

        let error = Workbench::open("tiny", room.path(), &shell).unwrap_err();
        assert!(matches!(error, SolutionError::Busy { .. }), "{error}");
        drop(bench);
        Workbench::open("tiny", room.path(), &shell).unwrap();
    }
}
