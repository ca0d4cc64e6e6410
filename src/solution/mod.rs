//! The solution of a course, written once: one complete service, in the checkout or in the program itself.
//!
//! Markers in comments say which lines came with which step, and what they replaced ([`States`]). From them are derived what a
//! learner begins with, the state after every step, and what each step changes. `solutions/README.md` tells authors how.

mod apply;
mod diff;
mod hold;
mod lock;
mod markup;
mod merge;
mod proposal;
mod stages;
mod states;
mod tree;
mod workbench;
mod workspace;

pub use apply::{ApplyError, Edit, Interrupted, Restored, apply};
pub use diff::{FileDiff, Hunk, Line, Mark, Status};
pub use lock::edges_that_came;
pub(crate) use markup::leader;
pub use merge::{Merged, merge};
pub use proposal::{Left, Mine, Outcome, Proposal};
pub use states::{Change, States};
pub use tree::Tree;
pub use workbench::Workbench;
pub use workspace::{WorkspaceError, create_workspace};

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use miette::Diagnostic;
use rust_embed::RustEmbed;

use crate::course::{Course, Problems};

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
    /// It cannot be read.
    #[error("cannot read the reference solution in `{folder}`: {source}")]
    Unreadable {
        /// Where it is.
        folder: String,
        /// Why.
        source: io::Error,
    },
    /// Its author has something to repair.
    #[error(transparent)]
    Broken(#[from] Problems),
    /// Another process is at the workbench.
    #[error("another `bootcamp` builds a state of `{course}` at the moment; wait until it has ended")]
    Busy {
        /// The course.
        course: String,
    },
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

impl Diagnostic for SolutionError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self {
            Self::Broken(problems) => problems.related(),
            Self::None(_) | Self::Unreadable { .. } | Self::Busy { .. } | Self::Unpack { .. } => None,
        }
    }
}

impl States {
    /// The states of a course's solution: the checkout's own where the given folder is in one, else the one that the program
    /// was built with.
    ///
    /// # Errors
    /// When the course has none, it cannot be read, or its markers are wrong: then all of that at once.
    pub fn load(course: &Course, from: &Path) -> Result<Self, SolutionError> {
        let files = match checkout(&course.id, from) {
            Some(root) => {
                let folder = root.join("solutions").join(&course.id);
                Tree::load(&folder)
                    .map_err(|source| SolutionError::Unreadable { folder: folder.display().to_string(), source })?
            }
            None => embedded(&course.id).ok_or_else(|| SolutionError::None(course.id.clone()))?,
        };
        let steps: Vec<&str> = course.steps().map(|(_, step)| step.path.as_str()).collect();
        Ok(Self::parse(&course.id, &steps, &files)?)
    }
}

impl Solution {
    /// The course's solution: the checkout's own where the given folder is in one, markers and all; else the one that the
    /// program was built with, unpacked into the user's cache without them.
    ///
    /// # Errors
    /// When the course has none, its markers are wrong, or it cannot be unpacked.
    pub fn locate(course: &Course, from: &Path, shell: &BTreeMap<String, String>) -> Result<Self, SolutionError> {
        if let Some(root) = checkout(&course.id, from) {
            return Ok(Self {
                folder: root.join("solutions").join(&course.id),
                target_dir: root.join("target/solutions").join(&course.id),
            });
        }
        let states = States::load(course, from)?;
        let cache = cache(shell).join("bootcamp");
        let folder = cache.join("solutions").join(format!("{}-{}", course.id, env!("CARGO_PKG_VERSION")));
        let unpacked = states.finished().write_to(&folder);
        unpacked.map_err(|source| SolutionError::Unpack { folder: folder.display().to_string(), source })?;
        Ok(Self { folder, target_dir: cache.join("target").join(&course.id) })
    }
}

/// The checkout around a folder that has a solution of its own for the course.
fn checkout<'a>(course: &str, from: &'a Path) -> Option<&'a Path> {
    from.ancestors().find(|folder| {
        folder.join("lessons").join(course).is_dir() && folder.join("solutions").join(course).join("Cargo.toml").is_file()
    })
}

/// The files of a solution that the program was built with.
fn embedded(course: &str) -> Option<Tree> {
    let prefix = format!("{course}/");
    let within = |path: &str| path.strip_prefix(&prefix).map(str::to_owned);
    let files: Tree =
        Embedded::iter().filter_map(|path| Some((within(&path)?, Embedded::get(&path)?.data.into_owned()))).collect();
    (!files.is_empty()).then_some(files)
}

fn cache(shell: &BTreeMap<String, String>) -> PathBuf {
    let set = |name: &str| shell.get(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    set("XDG_CACHE_HOME").or_else(|| Some(set("HOME")?.join(".cache"))).unwrap_or_else(std::env::temp_dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::course::Source;

    fn week2() -> Course {
        Course::outline(&Source::Embedded, "week2").unwrap()
    }

    #[test]
    fn a_checkout_wins_and_elsewhere_the_embedded_one_is_unpacked_without_markers() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let own = Solution::locate(&week2(), &root.join("src"), &BTreeMap::new()).unwrap();
        assert_eq!(own.folder, root.join("solutions/week2"));

        let elsewhere = tempfile::tempdir().unwrap();
        let shell = BTreeMap::from([(String::from("XDG_CACHE_HOME"), elsewhere.path().display().to_string())]);
        let unpacked = Solution::locate(&week2(), elsewhere.path(), &shell).unwrap();
        let states = States::load(&week2(), root).unwrap();
        assert_eq!(Tree::load(&unpacked.folder).unwrap(), *states.finished());
        assert!(!unpacked.folder.join("target").exists());
    }

    #[test]
    fn a_course_without_one_is_said_so() {
        let nowhere = tempfile::tempdir().unwrap();
        let course = Course { id: String::from("week9"), ..week2() };
        let error = Solution::locate(&course, nowhere.path(), &BTreeMap::new()).unwrap_err();
        assert!(error.to_string().contains("`week9`"), "{error}");
    }
}
