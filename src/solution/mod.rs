//! The reference solutions: one complete service a course, in the checkout or in the program itself.

mod apply;
mod diff;
mod merge;
mod proposal;

pub use apply::{ApplyError, Edit, Interrupted, Restored, apply};
pub use diff::{FileDiff, Hunk, Line, Mark, Status};
pub use merge::{Merged, merge};
pub use proposal::{Left, Mine, Outcome, Proposal};

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use rust_embed::RustEmbed;

#[derive(RustEmbed)]
#[folder = "solutions/"]
#[exclude = "*/target/*"]
#[exclude = "*/.bootcamp/*"]
struct Embedded;

/// A course's reference solution on disk.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// Its folder: a workspace like a learner's.
    pub folder: PathBuf,
    /// Where it is built, apart from its sources.
    pub target_dir: PathBuf,
}

/// Why there is no solution to verify.
#[derive(Debug, thiserror::Error)]
pub enum SolutionError {
    /// The course has none.
    #[error("the course `{0}` has no reference solution; leave `--solution` out to verify your own service")]
    None(String),
    /// It could not be unpacked.
    #[error(
        "cannot unpack the reference solution to `{folder}`: {source}; set `XDG_CACHE_HOME` to a folder that you may write to"
    )]
    Unpack {
        /// Where to.
        folder: String,
        /// Why.
        source: io::Error,
    },
}

impl Solution {
    /// The course's solution: the checkout's own where the given folder is in one, else the one that the program was built
    /// with, unpacked into the user's cache.
    ///
    /// # Errors
    /// When the course has none, or it cannot be unpacked.
    pub fn locate(course: &str, from: &Path, shell: &BTreeMap<String, String>) -> Result<Self, SolutionError> {
        let checkout = from.ancestors().find(|folder| {
            folder.join("lessons").join(course).is_dir() && folder.join("solutions").join(course).join("Cargo.toml").is_file()
        });
        if let Some(root) = checkout {
            return Ok(Self {
                folder: root.join("solutions").join(course),
                target_dir: root.join("target/solutions").join(course),
            });
        }
        let prefix = format!("{course}/");
        let files: Vec<(String, Vec<u8>)> = Embedded::iter()
            .filter_map(|path| {
                let within = path.strip_prefix(&prefix)?.to_owned();
                Some((within, Embedded::get(&path)?.data.into_owned()))
            })
            .collect();
        if files.is_empty() {
            return Err(SolutionError::None(course.to_owned()));
        }
        let cache = cache(shell).join("bootcamp");
        let folder = cache.join("solutions").join(format!("{course}-{}", env!("CARGO_PKG_VERSION")));
        unpack(&folder, &files).map_err(|source| SolutionError::Unpack { folder: folder.display().to_string(), source })?;
        Ok(Self { folder, target_dir: cache.join("target").join(course) })
    }
}

fn cache(shell: &BTreeMap<String, String>) -> PathBuf {
    let set = |name: &str| shell.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache"))).unwrap_or_else(std::env::temp_dir)
}

/// Writes what is missing or differs: cargo rebuilds only what has changed.
fn unpack(folder: &Path, files: &[(String, Vec<u8>)]) -> io::Result<()> {
    for (within, bytes) in files {
        let path = folder.join(within);
        if std::fs::read(&path).is_ok_and(|present| present == *bytes) {
            continue;
        }
        let parent = path.parent().unwrap_or(folder);
        std::fs::create_dir_all(parent)?;
        let mut temporary = tempfile::NamedTempFile::new_in(parent)?;
        io::Write::write_all(&mut temporary, bytes)?;
        temporary.persist(&path).map_err(|error| error.error)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_checkout_wins_and_elsewhere_the_embedded_one_is_unpacked() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let own = Solution::locate("week2", &root.join("src"), &BTreeMap::new()).unwrap();
        assert_eq!(own.folder, root.join("solutions/week2"));

        let elsewhere = tempfile::tempdir().unwrap();
        let shell = BTreeMap::from([(String::from("XDG_CACHE_HOME"), elsewhere.path().display().to_string())]);
        let unpacked = Solution::locate("week2", elsewhere.path(), &shell).unwrap();
        for file in ["Cargo.toml", "Cargo.lock", "src/main.rs", "docker-compose.yml", ".env", "aws/json/xray.json"] {
            let (there, here) = (unpacked.folder.join(file), own.folder.join(file));
            assert_eq!(std::fs::read(there).unwrap(), std::fs::read(here).unwrap(), "{file}");
        }
        assert!(!unpacked.folder.join("target").exists());
    }

    #[test]
    fn a_course_without_one_is_said_so() {
        let nowhere = tempfile::tempdir().unwrap();
        let error = Solution::locate("week9", nowhere.path(), &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("`week9`"), "{error}");
    }
}
