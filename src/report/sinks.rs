use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::{Look, Report, github, json, junit, plain, pretty, tap};

/// The forms that a report takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum)]
pub enum Format {
    /// A page for people: colour, signs, a bar
    Pretty,
    /// Lines that each make sense alone: for screen readers and logs
    Plain,
    /// JSON, by the schema in docs/report.schema.json
    Json,
    /// JUnit XML: a suite is a lesson, a case is a check
    Junit,
    /// TAP, version 14
    Tap,
    /// Annotations and a job summary for GitHub Actions
    Github,
}

impl Format {
    /// The report in this form.
    #[must_use]
    pub fn render(self, report: &Report, look: &Look) -> String {
        match self {
            Self::Pretty => pretty::render(report, look),
            Self::Plain => plain::render(report),
            Self::Json => json::render(report),
            Self::Junit => junit::render(report),
            Self::Tap => tap::render(report),
            Self::Github => github::render(report),
        }
    }
}

/// Where one run's reports go: one form to stdout, any others to files.
#[derive(Debug, Clone)]
pub struct Sinks {
    /// What stdout gets.
    pub format: Format,
    /// How a page on stdout looks.
    pub look: Look,
    /// What files get. A file appears whole or not at all, and replaces what was there.
    pub files: Vec<(Format, PathBuf)>,
    /// With [`Format::Github`]: the file to which the job summary is appended (`GITHUB_STEP_SUMMARY`).
    pub job_summary: Option<PathBuf>,
}

/// A report that could not be delivered.
#[derive(Debug, thiserror::Error)]
pub enum SinkError {
    /// A file.
    #[error("cannot write the report `{}`: {error}; name a file in a folder that exists and that you may write to", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Stdout.
    #[error("cannot write the report to stdout: {0}")]
    Stdout(#[source] io::Error),
}

impl Sinks {
    /// One form to stdout, and nothing else.
    #[must_use]
    pub const fn new(format: Format, look: Look) -> Self {
        Self { format, look, files: Vec::new(), job_summary: None }
    }

    /// Whether the files can be written, asked before a long run rather than after it. Writes nothing that stays.
    ///
    /// # Errors
    /// The first file that cannot be written.
    pub fn probe(&self) -> Result<(), SinkError> {
        self.files.iter().try_for_each(|(_, path)| {
            let probed = Destination::of(path).and_then(|destination| match destination {
                Destination::Replace { folder, .. } => temporary(&folder).map(drop),
                Destination::Stream => Ok(()),
            });
            probed.map_err(|error| SinkError::File { path: path.clone(), error })
        })
    }

    /// Writes the report everywhere. One sink that fails keeps no other from its report.
    ///
    /// # Errors
    /// The first sink that failed. A reader of stdout who has gone away (`| head`) is no failure.
    pub fn deliver(&self, report: &Report, stdout: &mut dyn Write) -> Result<(), SinkError> {
        let mut outcomes = Vec::new();
        for (format, path) in &self.files {
            let text = format.render(report, &Look::BARE);
            outcomes.push(write_whole(path, &text).map_err(|error| SinkError::File { path: path.clone(), error }));
        }
        if let (Format::Github, Some(path)) = (self.format, &self.job_summary) {
            let appended = OpenOptions::new().create(true).append(true).open(path);
            let outcome = appended.and_then(|mut file| file.write_all(github::summary(report).as_bytes()));
            outcomes.push(outcome.map_err(|error| SinkError::File { path: path.clone(), error }));
        }
        let text = self.format.render(report, &self.look);
        outcomes.push(match stdout.write_all(text.as_bytes()).and_then(|()| stdout.flush()) {
            Err(error) if error.kind() != io::ErrorKind::BrokenPipe => Err(SinkError::Stdout(error)),
            _ => Ok(()),
        });
        outcomes.into_iter().collect()
    }
}

/// What there is at a path.
enum Destination {
    /// A file, or nothing yet: it is replaced in one move.
    Replace { folder: PathBuf, path: PathBuf },
    /// A pipe, a device: it is written to as it is.
    Stream,
}

impl Destination {
    fn of(path: &Path) -> io::Result<Self> {
        // A link is followed, so that its target is replaced and the link stays.
        let path = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        match path.metadata() {
            Ok(there) if there.is_dir() => Err(io::Error::new(io::ErrorKind::IsADirectory, "it is a folder")),
            Ok(there) if !there.is_file() => Ok(Self::Stream),
            _ => {
                let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
                Ok(Self::Replace { folder: folder.to_owned(), path })
            }
        }
    }
}

fn write_whole(path: &Path, text: &str) -> io::Result<()> {
    match Destination::of(path)? {
        Destination::Stream => OpenOptions::new().write(true).open(path)?.write_all(text.as_bytes()),
        Destination::Replace { folder, path } => {
            let mut file = temporary(&folder)?;
            file.write_all(text.as_bytes())?;
            file.as_file().sync_all()?;
            file.persist(path).map(drop).map_err(|failed| failed.error)
        }
    }
}

/// A file beside the report's place, for whom the umask allows: a report is no secret.
fn temporary(folder: &Path) -> io::Result<tempfile::NamedTempFile<File>> {
    let mut builder = tempfile::Builder::new();
    builder.prefix(".report-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    builder.tempfile_in(folder)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sinks(path: &Path) -> Sinks {
        Sinks { files: vec![(Format::Json, path.to_owned())], ..Sinks::new(Format::Plain, Look::BARE) }
    }

    #[test]
    fn a_file_is_replaced_and_nothing_is_left_beside_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("report.json");
        std::fs::write(&path, "old").unwrap();
        let mut stdout = Vec::new();
        sinks(&path).probe().unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "old", "probing changes nothing");
        sinks(&path).deliver(&Report::default(), &mut stdout).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), json::render(&Report::default()));
        assert_eq!(String::from_utf8(stdout).unwrap(), plain::render(&Report::default()));
        assert_eq!(folder.path().read_dir().unwrap().count(), 1);
    }

    #[test]
    fn a_file_that_cannot_be_written_is_named_and_stdout_still_gets_its_report() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("missing").join("report.json");
        let mut stdout = Vec::new();
        let error = sinks(&path).deliver(&Report::default(), &mut stdout).unwrap_err().to_string();
        assert!(error.starts_with(&format!("cannot write the report `{}`: ", path.display())), "{error}");
        assert!(!stdout.is_empty());
        assert!(sinks(&path).probe().is_err());
        assert!(sinks(folder.path()).probe().unwrap_err().to_string().contains("it is a folder"));
    }

    #[cfg(unix)]
    #[test]
    fn a_link_stays_a_link() {
        let folder = tempfile::tempdir().unwrap();
        let (target, link) = (folder.path().join("target.json"), folder.path().join("link.json"));
        std::fs::write(&target, "old").unwrap();
        std::os::unix::fs::symlink(&target, &link).unwrap();
        sinks(&link).deliver(&Report::default(), &mut Vec::new()).unwrap();
        assert!(link.symlink_metadata().unwrap().is_symlink());
        assert_ne!(std::fs::read_to_string(&target).unwrap(), "old");
        sinks(Path::new("/dev/null")).deliver(&Report::default(), &mut Vec::new()).unwrap();
    }

    #[test]
    fn the_job_summary_is_appended() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("summary.md");
        std::fs::write(&path, "before\n").unwrap();
        let sinks = Sinks { job_summary: Some(path.clone()), ..Sinks::new(Format::Github, Look::BARE) };
        sinks.deliver(&Report::default(), &mut Vec::new()).unwrap();
        assert_eq!(std::fs::read_to_string(&path).unwrap(), format!("before\n{}", github::summary(&Report::default())));
    }

    #[test]
    fn a_reader_who_has_gone_is_no_failure() {
        struct Gone;
        impl Write for Gone {
            fn write(&mut self, _: &[u8]) -> io::Result<usize> {
                Err(io::ErrorKind::BrokenPipe.into())
            }
            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        Sinks::new(Format::Plain, Look::BARE).deliver(&Report::default(), &mut Gone).unwrap();
    }
}
