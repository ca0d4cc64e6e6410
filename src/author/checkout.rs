use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use miette::Diagnostic;

use crate::check::closest;
use crate::course::{Course, LoadError, Page, Problems, Source};
use crate::solution::{States, Tree};

/// A folder in which courses are written: it has `lessons/` and `checks/`.
#[derive(Debug, Clone)]
pub struct Checkout {
    root: PathBuf,
}

/// Folders that no author wrote.
const LEFT_BEHIND: [&str; 3] = ["target", ".bootcamp", ".git"];

/// Why an author's command could not do its work.
#[derive(Debug, thiserror::Error)]
pub enum AuthorError {
    /// There is nothing to work on.
    #[error("neither `{}` nor a folder above it has `lessons/` and `checks/`: go to a checkout of the course", .0.display())]
    NoCheckout(PathBuf),
    /// The course cannot be used.
    #[error(transparent)]
    Course(#[from] LoadError),
    /// Its solution cannot be used.
    #[error(transparent)]
    Solution(#[from] Problems),
    /// Something cannot be read.
    #[error("cannot read `{path}`: {cause}")]
    Unreadable {
        /// What.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// Something cannot be written.
    #[error("cannot write `{path}`: {cause}")]
    Unwritable {
        /// What.
        path: String,
        /// Why.
        cause: io::Error,
    },
    /// What was asked for cannot be made: what is wrong, and the remedy.
    #[error("{0}")]
    Refused(String),
}

impl Diagnostic for AuthorError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self {
            Self::Course(error) => error.related(),
            Self::Solution(problems) => problems.related(),
            _ => None,
        }
    }
}

impl Checkout {
    /// The checkout around a folder: the nearest folder above it that has `lessons/` and `checks/`, or itself.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(from: &Path) -> Result<Self, AuthorError> {
        let is_checkout = |folder: &&Path| folder.join("lessons").is_dir() && folder.join("checks").is_dir();
        let root = from.ancestors().find(is_checkout).ok_or_else(|| AuthorError::NoCheckout(from.to_owned()))?;
        Ok(Self { root: root.to_owned() })
    }

    /// Its folder.
    #[must_use]
    pub fn root(&self) -> &Path {
        &self.root
    }

    /// The ids of its courses.
    ///
    /// # Errors
    /// When `lessons/` cannot be read.
    pub fn courses(&self) -> Result<Vec<String>, AuthorError> {
        self.source().courses().map_err(|cause| unreadable("lessons", cause))
    }

    pub(super) fn source(&self) -> Source {
        Source::Folder(self.root.clone())
    }

    /// What the file holds, by its path from the root. `None` where it is not there or is no text.
    pub(super) fn page(&self, path: &str) -> Option<Page> {
        Some(Page::new(path, fs::read_to_string(self.root.join(path)).ok()?))
    }

    /// The files below a folder, as paths from the root, sorted, but for what builds and runs leave behind. A folder that is
    /// not there has none. Symbolic links are files, wherever they lead.
    pub(super) fn files(&self, folder: &str) -> Result<Vec<String>, AuthorError> {
        let mut files = Vec::new();
        let mut open = vec![folder.to_owned()];
        while let Some(within) = open.pop() {
            let entries = match fs::read_dir(self.root.join(&within)) {
                Ok(entries) => entries,
                Err(cause) if cause.kind() == io::ErrorKind::NotFound => continue,
                Err(cause) => return Err(unreadable(&within, cause)),
            };
            for entry in entries {
                let entry = entry.map_err(|cause| unreadable(&within, cause))?;
                let path = format!("{within}/{}", entry.file_name().to_string_lossy());
                let kind = entry.file_type().map_err(|cause| unreadable(&path, cause))?;
                if !kind.is_dir() {
                    files.push(path);
                } else if !LEFT_BEHIND.iter().any(|name| entry.file_name() == *name) {
                    open.push(path);
                }
            }
        }
        files.sort();
        Ok(files)
    }

    /// The states of a course's solution; `None` where the course has none here.
    pub(super) fn states(&self, course: &Course) -> Result<Option<States>, AuthorError> {
        let within = format!("solutions/{}", course.id);
        let folder = self.root.join(&within);
        if !folder.is_dir() {
            return Ok(None);
        }
        let files = Tree::load(&folder).map_err(|cause| unreadable(&within, cause))?;
        let steps: Vec<&str> = course.steps().map(|(_, step)| step.path.as_str()).collect();
        Ok(Some(States::parse(&course.id, &steps, &files)?))
    }

    /// The course of that id.
    pub(super) fn known(&self, id: &str) -> Result<(), AuthorError> {
        let courses = self.courses()?;
        if courses.iter().any(|course| course == id) {
            return Ok(());
        }
        let remedy = match closest(id, courses.iter().map(String::as_str)) {
            Some(close) => format!("did you mean `{close}`?"),
            None => String::from("`lessons/` has no folder of this name with a lesson in it"),
        };
        Err(LoadError::Unknown { id: id.to_owned(), remedy }.into())
    }

    /// Writes a file whole or not at all, with the permissions that it has.
    pub(super) fn replace(&self, path: &str, text: &str) -> Result<(), AuthorError> {
        let place = self.root.join(path);
        let write = || {
            let mut temporary = tempfile::NamedTempFile::new_in(place.parent().unwrap_or(&self.root))?;
            temporary.write_all(text.as_bytes())?;
            fs::set_permissions(temporary.path(), fs::metadata(&place)?.permissions())?;
            temporary.persist(&place).map_err(|error| error.error)
        };
        write().map(drop).map_err(|cause| AuthorError::Unwritable { path: path.to_owned(), cause })
    }

    /// Writes a file that is not there yet.
    pub(super) fn create(&self, path: &str, text: &str) -> Result<(), AuthorError> {
        let place = self.root.join(path);
        let write = || {
            fs::create_dir_all(place.parent().unwrap_or(&self.root))?;
            fs::File::create_new(&place)?.write_all(text.as_bytes())
        };
        write().map_err(|cause| match cause.kind() {
            io::ErrorKind::AlreadyExists => AuthorError::Refused(format!("`{path}` is already there, and stays as it is")),
            _ => AuthorError::Unwritable { path: path.to_owned(), cause },
        })
    }
}

pub(super) fn unreadable(path: &str, cause: io::Error) -> AuthorError {
    AuthorError::Unreadable { path: path.to_owned(), cause }
}
