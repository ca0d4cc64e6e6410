use std::borrow::Cow;
use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Where lessons and checks come from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Source {
    /// Those that the program was built with.
    Embedded,
    /// The folders `lessons/` and `checks/` in this one.
    Folder(PathBuf),
}

/// A file of the course.
pub(crate) struct CourseFile {
    /// From the source's root, with `/`.
    pub path: String,
    /// What it holds, as bytes: it may not be text.
    pub bytes: Cow<'static, [u8]>,
}

impl CourseFile {
    /// The path's last part.
    pub(crate) fn name(&self) -> &str {
        self.path.rsplit('/').next().unwrap_or(&self.path)
    }
}

macro_rules! embed {
    ($($path:literal)*) => { &[$(($path, include_str!(concat!("../../", $path)))),*] };
}

/// What the program is built with. A test holds it against the folders.
const EMBEDDED: &[(&str, &str)] = embed![
    "lessons/week2/README.md"
    "lessons/week2/1-setup.md"
    "lessons/week2/2-honeycomb.md"
    "lessons/week2/3-x-ray.md"
    "lessons/week2/4-cloudwatch-logs.md"
    "lessons/week2/5-rollbar.md"
    "lessons/week2/6-homework.md"
    "checks/week2/probes.toml"
    "checks/week2/setup.toml"
    "checks/week2/honeycomb.toml"
    "checks/week2/x-ray.toml"
    "checks/week2/cloudwatch-logs.toml"
    "checks/week2/rollbar.toml"
    "checks/week2/homework.toml"
    "checks/week2/diagnoses/1-setup.toml"
    "checks/week2/diagnoses/2-honeycomb.toml"
    "checks/week2/diagnoses/3-x-ray.toml"
    "checks/week2/diagnoses/4-cloudwatch-logs.toml"
    "checks/week2/diagnoses/5-rollbar.toml"
];

/// No file of a course comes near this size; of a larger one, this much is read.
const LARGEST: u64 = 1 << 20;

impl Source {
    /// The folder, where it has lessons and checks of its own; else what the program was built with.
    #[must_use]
    pub fn of(folder: &Path) -> Self {
        if folder.join("lessons").is_dir() && folder.join("checks").is_dir() {
            return Self::Folder(folder.to_owned());
        }
        Self::Embedded
    }

    /// The ids of the courses: the folders in `lessons/` that hold a lesson.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn courses(&self) -> io::Result<Vec<String>> {
        match self {
            Self::Embedded => {
                let ids: BTreeSet<&str> = EMBEDDED
                    .iter()
                    .filter_map(|(path, _)| path.strip_prefix("lessons/")?.split_once('/'))
                    .filter(|(_, name)| is_lesson(name))
                    .map(|(id, _)| id)
                    .collect();
                Ok(ids.into_iter().map(str::to_owned).collect())
            }
            Self::Folder(folder) => {
                let mut ids = Vec::new();
                for entry in fs::read_dir(folder.join("lessons"))? {
                    let entry = entry?;
                    let Ok(id) = entry.file_name().into_string() else { continue };
                    if entry.path().is_dir() && names(&entry.path())?.iter().any(|name| is_lesson(name)) {
                        ids.push(id);
                    }
                }
                ids.sort();
                Ok(ids)
            }
        }
    }

    /// A course's pages, each by its path from the root: what a learner reads.
    ///
    /// # Errors
    /// When one cannot be read.
    pub fn pages(&self, course: &str) -> io::Result<Vec<(String, Vec<u8>)>> {
        let files = self.files("lessons", course, ".md")?;
        Ok(files.into_iter().map(|file| (file.path, file.bytes.into_owned())).collect())
    }

    /// The files of a course in `lessons/` or `checks/` that end so, by path.
    pub(crate) fn files(&self, room: &str, course: &str, ending: &str) -> io::Result<Vec<CourseFile>> {
        let prefix = format!("{room}/{course}/");
        match self {
            Self::Embedded => Ok(EMBEDDED
                .iter()
                .filter(|(path, _)| path.strip_prefix(&prefix).is_some_and(|name| name.ends_with(ending) && !name.contains('/')))
                .map(|(path, text)| CourseFile { path: (*path).to_owned(), bytes: Cow::Borrowed(text.as_bytes()) })
                .collect()),
            Self::Folder(folder) => {
                let place = folder.join(room).join(course);
                let mut files = Vec::new();
                for name in names(&place)?.into_iter().filter(|name| name.ends_with(ending)) {
                    let mut bytes = Vec::new();
                    fs::File::open(place.join(&name))?.take(LARGEST + 1).read_to_end(&mut bytes)?;
                    files.push(CourseFile { path: format!("{prefix}{name}"), bytes: Cow::Owned(bytes) });
                }
                Ok(files)
            }
        }
    }
}

pub(super) fn is_lesson(name: &str) -> bool {
    name.ends_with(".md") && name != "README.md"
}

/// The names of the files in a folder, sorted. A folder that is not there has none.
fn names(folder: &Path) -> io::Result<Vec<String>> {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        Err(error) => return Err(error),
    };
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry?;
        if let (true, Ok(name)) = (entry.path().is_file(), entry.file_name().into_string()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_built_with_all_that_the_folders_hold() {
        let folder = Source::Folder(PathBuf::from(env!("CARGO_MANIFEST_DIR")));
        let courses = folder.courses().unwrap();
        assert_eq!(Source::Embedded.courses().unwrap(), courses);
        for course in courses {
            let rules = format!("{course}/diagnoses");
            for (room, course, ending) in [("lessons", &course, ".md"), ("checks", &course, ".toml"), ("checks", &rules, ".toml")]
            {
                let list = |source: &Source| {
                    let mut files = source.files(room, course, ending).unwrap();
                    files.sort_by(|left, right| left.path.cmp(&right.path));
                    files.into_iter().map(|file| (file.path, file.bytes.into_owned())).collect::<Vec<_>>()
                };
                assert!(list(&Source::Embedded) == list(&folder), "`EMBEDDED` does not list what `{room}/{course}` holds");
            }
        }
    }

    #[test]
    fn a_folder_without_lessons_leaves_those_that_are_built_in() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(Source::of(folder.path()), Source::Embedded);
        fs::create_dir_all(folder.path().join("lessons/week9")).unwrap();
        fs::create_dir_all(folder.path().join("checks/week9")).unwrap();
        let source = Source::of(folder.path());
        assert_eq!(source, Source::Folder(folder.path().to_owned()));
        assert_eq!(source.courses().unwrap(), [""; 0]);
        fs::write(folder.path().join("lessons/week9/1-x.md"), "").unwrap();
        assert_eq!(source.courses().unwrap(), ["week9"]);
    }
}
