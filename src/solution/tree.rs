use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;

/// What a file holds, shared between the trees that have it.
pub(super) type Bytes = Arc<[u8]>;

/// The files of a workspace: relative paths with `/`, and what each holds. Cheap to clone, because the bytes are shared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tree {
    files: BTreeMap<String, Bytes>,
}

/// Folders that a build or a run leaves behind. No tree holds them.
const LEFT_BEHIND: [&str; 3] = ["target", ".bootcamp", ".git"];

impl Tree {
    /// A tree without files.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// All files of a folder, but for what a build or a run leaves in it. Symbolic links are passed over.
    ///
    /// # Errors
    /// When something in it cannot be read, or has a name that is not Unicode.
    pub fn load(folder: &Path) -> io::Result<Self> {
        let mut tree = Self::new();
        let mut open = vec![PathBuf::new()];
        while let Some(within) = open.pop() {
            for entry in fs::read_dir(folder.join(&within))? {
                let entry = entry?;
                let kind = entry.file_type()?;
                let path = within.join(entry.file_name());
                if kind.is_dir() && !LEFT_BEHIND.iter().any(|name| entry.file_name() == *name) {
                    open.push(path);
                } else if kind.is_file() {
                    let name = slashed(&path).ok_or_else(|| unusable(&path.display().to_string()))?;
                    tree.insert(name, fs::read(entry.path())?);
                }
            }
        }
        Ok(tree)
    }

    /// What the file holds.
    #[must_use]
    pub fn get(&self, path: &str) -> Option<&[u8]> {
        self.files.get(path).map(AsRef::as_ref)
    }

    /// What the file holds, where that is text.
    #[must_use]
    pub fn text(&self, path: &str) -> Option<&str> {
        std::str::from_utf8(self.get(path)?).ok()
    }

    /// The file's bytes, to share.
    pub(super) fn shared(&self, path: &str) -> Option<&Bytes> {
        self.files.get(path)
    }

    /// Adds a file, or replaces it.
    pub fn insert(&mut self, path: impl Into<String>, bytes: impl Into<Arc<[u8]>>) {
        self.files.insert(path.into(), bytes.into());
    }

    /// Takes a file out, and says whether it was there.
    pub fn remove(&mut self, path: &str) -> bool {
        self.files.remove(path).is_some()
    }

    /// The files, by path.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.files.iter().map(|(path, bytes)| (path.as_str(), bytes.as_ref()))
    }

    /// The files' paths, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.files.keys().map(String::as_str)
    }

    /// How many files there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.files.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.files.is_empty()
    }

    /// Writes what is missing in the folder or differs there, each file whole or not at all, and removes nothing: a build
    /// tool sees a change only where there is one.
    ///
    /// # Errors
    /// When a file cannot be written, or a path leads out of the folder.
    pub fn write_to(&self, folder: &Path) -> io::Result<()> {
        for (within, bytes) in self.iter() {
            let path = folder.join(inside(within)?);
            if fs::read(&path).is_ok_and(|present| present == bytes) {
                continue;
            }
            let parent = path.parent().unwrap_or(folder);
            fs::create_dir_all(parent)?;
            let mut temporary = temporary(parent)?;
            temporary.write_all(bytes)?;
            temporary.persist(&path).map_err(|error| error.error)?;
        }
        Ok(())
    }

    /// Makes the folder hold this tree and nothing else, but for what a build or a run leaves in it: writes what is missing or
    /// differs, and removes what the tree does not have.
    ///
    /// # Errors
    /// As for [`Tree::write_to`], or when something cannot be removed.
    pub fn lay_in(&self, folder: &Path) -> io::Result<()> {
        fs::create_dir_all(folder)?;
        self.clear(folder)?;
        self.write_to(folder)
    }

    /// Removes the files that the tree does not have, with the folders that are empty then.
    fn clear(&self, folder: &Path) -> io::Result<()> {
        let present = Self::load(folder)?;
        for path in present.paths().filter(|path| self.get(path).is_none()) {
            fs::remove_file(folder.join(path))?;
            let above = Path::new(path).ancestors().skip(1).filter(|within| !within.as_os_str().is_empty());
            for within in above {
                // One that still holds something stays, and so do those above it.
                if fs::remove_dir(folder.join(within)).is_err() {
                    break;
                }
            }
        }
        Ok(())
    }
}

impl<P: Into<String>, B: Into<Arc<[u8]>>> FromIterator<(P, B)> for Tree {
    fn from_iter<I: IntoIterator<Item = (P, B)>>(files: I) -> Self {
        Self { files: files.into_iter().map(|(path, bytes)| (path.into(), bytes.into())).collect() }
    }
}

/// `src/main.rs`, whatever the system puts between folders.
fn slashed(path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path.components().map(|part| part.as_os_str().to_str()).collect();
    Some(parts?.join("/"))
}

fn inside(path: &str) -> io::Result<&Path> {
    let relative = Path::new(path);
    let sound = !path.is_empty() && relative.components().all(|part| matches!(part, Component::Normal(_)));
    if sound { Ok(relative) } else { Err(unusable(path)) }
}

fn unusable(path: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, format!("`{path}` is no path inside of a folder; rename the file"))
}

/// A file that the owner's other programs may read, as with any that an editor writes.
fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| (*path, text.as_bytes())).collect()
    }

    #[test]
    fn what_is_written_is_read_back() {
        let folder = tempfile::tempdir().unwrap();
        let written = tree(&[("a", "1"), ("src/deep/b.rs", "2"), (".env", "3")]);
        written.write_to(folder.path()).unwrap();
        fs::create_dir_all(folder.path().join("target/debug")).unwrap();
        fs::write(folder.path().join("target/debug/x"), "").unwrap();
        assert_eq!(Tree::load(folder.path()).unwrap(), written);
    }

    #[test]
    fn only_what_differs_is_written_and_nothing_is_removed() {
        let folder = tempfile::tempdir().unwrap();
        tree(&[("same", "1"), ("other", "1")]).write_to(folder.path()).unwrap();
        fs::write(folder.path().join("own"), "mine").unwrap();
        let modified = |name: &str| fs::metadata(folder.path().join(name)).unwrap().modified().unwrap();
        let before = modified("same");
        tree(&[("same", "1"), ("other", "2")]).write_to(folder.path()).unwrap();
        assert_eq!(modified("same"), before);
        assert_eq!(fs::read_to_string(folder.path().join("other")).unwrap(), "2");
        assert_eq!(fs::read_to_string(folder.path().join("own")).unwrap(), "mine");
    }

    #[test]
    fn no_file_is_written_outside_of_the_folder() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("inner");
        fs::create_dir(&inner).unwrap();
        for path in ["../out", "/out", "", "a/../../out", "."] {
            assert!(tree(&[(path, "x")]).write_to(&inner).is_err(), "{path}");
        }
        assert!(!folder.path().join("out").exists());
    }

    #[cfg(unix)]
    #[test]
    fn others_may_read_what_is_written() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("by-hand"), "").unwrap();
        tree(&[("written", "1")]).write_to(folder.path()).unwrap();
        let mode = |name: &str| fs::metadata(folder.path().join(name)).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode("written"), mode("by-hand"));
    }
}
