use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use super::tree::Tree;

/// Why no workspace was made. Whatever was written until then is gone again.
#[derive(Debug, thiserror::Error)]
pub enum WorkspaceError {
    /// Something is in the way.
    #[error("`{folder}` has {} already, and nothing is written over what is there:{}", files(.paths), listed(.paths))]
    InTheWay {
        /// The folder.
        folder: String,
        /// What is in the way, from the folder.
        paths: Vec<String>,
    },
    /// It is a file.
    #[error("`{0}` is a file")]
    File(String),
    /// It could not be written.
    #[error("cannot write `{path}`: {source}; nothing was left behind")]
    Write {
        /// What.
        path: String,
        /// Why.
        source: io::Error,
    },
}

fn files(paths: &[String]) -> String {
    if paths.len() == 1 { String::from("a file of the workspace") } else { format!("{} files of the workspace", paths.len()) }
}

fn listed(paths: &[String]) -> String {
    const MOST: usize = 20;
    let mut text: String = paths.iter().take(MOST).map(|path| format!("\n  {path}")).collect();
    if paths.len() > MOST {
        text.push_str(&format!("\n  … and {} more", paths.len() - MOST));
    }
    text
}

/// Writes a tree to a folder that is not there, or in which nothing is in its way: all of it or nothing.
///
/// # Errors
/// When something is in the way, or cannot be written.
pub fn create_workspace(folder: &Path, tree: &Tree) -> Result<(), WorkspaceError> {
    match fs::symlink_metadata(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => anew(folder, tree).map_err(|source| refused(folder, source)),
        Err(source) => Err(refused(folder, source)),
        Ok(_) if folder.is_dir() => among(folder, tree),
        Ok(_) => Err(WorkspaceError::File(folder.display().to_string())),
    }
}

fn refused(path: &Path, source: io::Error) -> WorkspaceError {
    WorkspaceError::Write { path: path.display().to_string(), source }
}

/// Writes the tree beside the folder's place, and gives it its name at the end.
fn anew(folder: &Path, tree: &Tree) -> io::Result<()> {
    let above = folder.parent().filter(|above| !above.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut made = Made::default();
    made.folders(above)?;
    let mut builder = tempfile::Builder::new();
    builder.prefix(".bootcamp-init-");
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o777));
    let temporary = builder.tempdir_in(above)?;
    tree.write_to(temporary.path())?;
    fs::rename(temporary.path(), folder)?;
    let _ = temporary.keep();
    made.keep();
    Ok(())
}

/// Writes the tree among what the folder holds.
fn among(folder: &Path, tree: &Tree) -> Result<(), WorkspaceError> {
    let mut paths: Vec<String> = tree.paths().filter_map(|path| in_the_way(folder, path)).collect();
    paths.dedup();
    if !paths.is_empty() {
        return Err(WorkspaceError::InTheWay { folder: folder.display().to_string(), paths });
    }
    let mut made = Made::default();
    for (path, bytes) in tree.iter() {
        let place = folder.join(path);
        made.file(&place, bytes).map_err(|source| refused(&place, source))?;
    }
    made.keep();
    Ok(())
}

/// What stands where a file of the tree would: itself, or a file where it needs a folder.
fn in_the_way(folder: &Path, path: &str) -> Option<String> {
    let mut within = PathBuf::new();
    let last = Path::new(path).components().count();
    for (index, part) in Path::new(path).components().enumerate() {
        within.push(part);
        let found = fs::symlink_metadata(folder.join(&within)).ok()?;
        if index + 1 == last || !found.is_dir() {
            return Some(within.display().to_string());
        }
    }
    None
}

/// What was made so far: gone again unless it is kept.
#[derive(Default)]
struct Made {
    files: Vec<PathBuf>,
    folders: Vec<PathBuf>,
}

impl Made {
    fn folders(&mut self, folder: &Path) -> io::Result<()> {
        let missing: Vec<&Path> =
            folder.ancestors().take_while(|above| !above.as_os_str().is_empty() && !above.exists()).collect();
        for folder in missing.into_iter().rev() {
            fs::create_dir(folder)?;
            self.folders.push(folder.to_owned());
        }
        Ok(())
    }

    fn file(&mut self, place: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Some(folder) = place.parent() {
            self.folders(folder)?;
        }
        // Whatever came to stand here meanwhile stays.
        let mut file = fs::OpenOptions::new().write(true).create_new(true).open(place)?;
        self.files.push(place.to_owned());
        file.write_all(bytes)
    }

    fn keep(mut self) {
        self.files.clear();
        self.folders.clear();
    }
}

impl Drop for Made {
    fn drop(&mut self) {
        for file in &self.files {
            let _ = fs::remove_file(file);
        }
        for folder in self.folders.iter().rev() {
            let _ = fs::remove_dir(folder);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        files.iter().map(|(path, text)| (*path, text.as_bytes())).collect()
    }

    fn starter() -> Tree {
        tree(&[("Cargo.toml", "[package]\n"), ("src/main.rs", "fn main() {}\n"), (".gitignore", "/target\n")])
    }

    #[test]
    fn a_new_folder_is_there_at_once() {
        let room = tempfile::tempdir().unwrap();
        let folder = room.path().join("deep/cruddur");
        create_workspace(&folder, &starter()).unwrap();
        assert_eq!(Tree::load(&folder).unwrap(), starter());
        assert_eq!(fs::read_dir(room.path().join("deep")).unwrap().count(), 1, "nothing else is left");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
            assert_eq!(mode(&folder), mode(&room.path().join("deep")), "as any folder that one makes");
        }
    }

    #[test]
    fn a_folder_with_other_things_keeps_them() {
        let room = tempfile::tempdir().unwrap();
        fs::create_dir_all(room.path().join(".git")).unwrap();
        fs::create_dir_all(room.path().join("src")).unwrap();
        fs::write(room.path().join("LICENSE"), "mine").unwrap();
        create_workspace(room.path(), &starter()).unwrap();
        assert_eq!(fs::read(room.path().join("LICENSE")).unwrap(), b"mine");
        assert_eq!(fs::read(room.path().join("src/main.rs")).unwrap(), b"fn main() {}\n");
    }

    #[test]
    fn all_that_is_in_the_way_is_told_and_nothing_is_written() {
        let room = tempfile::tempdir().unwrap();
        fs::write(room.path().join("Cargo.toml"), "mine").unwrap();
        fs::write(room.path().join("src"), "a file").unwrap();
        let error = create_workspace(room.path(), &starter()).unwrap_err();
        let WorkspaceError::InTheWay { paths, .. } = &error else { panic!("{error}") };
        assert_eq!(paths, &["Cargo.toml", "src"]);
        assert!(
            error.to_string().ends_with(
                "has 2 files of the workspace already, and nothing is written over what is there:\n  Cargo.toml\n  src"
            ),
            "{error}"
        );
        assert_eq!(Tree::load(room.path()).unwrap().len(), 2);
        let file = room.path().join("Cargo.toml");
        assert!(matches!(create_workspace(&file, &starter()), Err(WorkspaceError::File(_))));
    }

    #[test]
    fn what_fails_leaves_nothing() {
        let room = tempfile::tempdir().unwrap();
        fs::write(room.path().join("LICENSE"), "mine").unwrap();
        // Sorted, the path that leads outside comes last.
        let broken = tree(&[("a", "1"), ("b/c", "2"), ("z/z\0z", "3")]);
        assert!(matches!(create_workspace(room.path(), &broken), Err(WorkspaceError::Write { .. })));
        assert_eq!(fs::read_dir(room.path()).unwrap().count(), 1);
        assert!(create_workspace(&room.path().join("new/one"), &broken).is_err());
        assert_eq!(fs::read_dir(room.path()).unwrap().count(), 1);
    }
}
