mod reader;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::{Path, PathBuf};

use url::Url;

use super::builder::{Built, Profile};
use super::problem::Problem;
use super::{Build, ServiceError};

/// The largest manifest that is read, in bytes.
const LIMIT: usize = 1 << 20;

/// What `bootcamp.toml` says: the file that makes a folder a workspace.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Manifest {
    /// The folder in which it stands.
    pub workspace: PathBuf,
    /// The course that is worked on, `week2` say.
    pub course: String,
    /// Where the telemetry goes.
    pub target: Target,
    /// How to have the service.
    pub service: ServiceSettings,
}

/// Where the telemetry goes and is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Target {
    /// To the vendors that are part of this program.
    #[default]
    Sandbox,
    /// To the vendors themselves.
    Live,
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(match self {
            Self::Sandbox => "sandbox",
            Self::Live => "live",
        })
    }
}

/// The manifest's `[service]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServiceSettings {
    /// Where the service answers.
    pub url: Url,
    /// The compose file, relative to the workspace.
    pub compose: PathBuf,
    /// The service's name in the compose file.
    pub name: String,
    /// The command that builds it; where there is none, a cargo package is built by cargo.
    pub build: Option<Vec<String>>,
    /// The command that runs it; where there is none, what cargo built.
    pub run: Option<Vec<String>>,
    /// The path that is asked to see whether it is up.
    pub health: String,
}

impl Default for ServiceSettings {
    fn default() -> Self {
        Self {
            url: Url::parse("http://127.0.0.1:4567").unwrap_or_else(|_| unreachable!("a constant address")),
            compose: PathBuf::from("docker-compose.yml"),
            name: String::from("backend"),
            build: None,
            run: None,
            health: String::from("/api/health"),
        }
    }
}

/// What starts the service once it is built.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Start {
    /// A program with its arguments.
    Command(Vec<String>),
    /// The program that the build made.
    Built,
}

impl Start {
    /// The program and its arguments, once the build is done. `None` where the build should have made it and did not.
    #[must_use]
    pub fn program(&self, built: Option<&Built>) -> Option<(PathBuf, Vec<String>)> {
        match self {
            Self::Command(words) => words.split_first().map(|(program, args)| (PathBuf::from(program), args.to_vec())),
            Self::Built => built?.executable.clone().map(|program| (program, Vec::new())),
        }
    }
}

impl Manifest {
    /// The file's name.
    pub const FILE: &'static str = "bootcamp.toml";

    /// A workspace without a manifest, all at its defaults.
    #[must_use]
    pub fn defaults(workspace: impl Into<PathBuf>, course: impl Into<String>) -> Self {
        Self {
            workspace: workspace.into(),
            course: course.into(),
            target: Target::default(),
            service: ServiceSettings::default(),
        }
    }

    /// Loads the manifest of a folder or of the nearest folder above it that has one.
    ///
    /// # Errors
    ///
    /// Where none has one, or that one is not as it should be.
    pub fn find(start: &Path) -> Result<Self, Problem> {
        let absolute = std::path::absolute(start).unwrap_or_else(|_| start.to_owned());
        let found = absolute.ancestors().map(|folder| folder.join(Self::FILE)).find(|file| file.is_file());
        match found {
            Some(file) => Self::load(&file),
            None => Err(Problem::new(format!("neither `{}` nor a folder above it has a `{}`", absolute.display(), Self::FILE))
                .with_help(format!(
                    "change into your workspace, or create a `{}` there with the line `course = \"week2\"`",
                    Self::FILE
                ))),
        }
    }

    /// Loads a manifest.
    ///
    /// # Errors
    ///
    /// Where it cannot be read or is not as it should be: with line, caret and what to do.
    pub fn load(file: &Path) -> Result<Self, Problem> {
        let refused = |reason: &str| {
            Problem::new(format!("cannot read `{}`: {reason}", file.display()))
                .with_help("it must be a readable text file; the least that it holds is `course = \"week2\"`")
        };
        let bytes = std::fs::read(file).map_err(|error| refused(&error.to_string()))?;
        if bytes.len() > LIMIT {
            return Err(refused("it is too large"));
        }
        let text = String::from_utf8(bytes).map_err(|error| {
            let sound = error.utf8_error().valid_up_to();
            let lossy = String::from_utf8_lossy(error.as_bytes()).into_owned();
            Problem::new(format!("`{}` is not UTF-8", Self::FILE))
                .pointing(Self::FILE, &lossy, sound..sound + 1, "this byte is part of no character")
                .with_help("save it as UTF-8")
        })?;
        Self::parse(file.parent().unwrap_or(Path::new(".")), &text)
    }

    /// Parses a manifest. All problems of the text are reported together.
    ///
    /// # Errors
    ///
    /// As for [`Manifest::load`].
    pub fn parse(workspace: &Path, text: &str) -> Result<Self, Problem> {
        let (manifest, problems) = reader::read(workspace, text);
        let mut problems = problems.into_iter();
        match problems.next() {
            Some(first) => Err(first.with_related(problems.collect())),
            None => Ok(manifest),
        }
    }

    /// The compose file.
    #[must_use]
    pub fn compose_file(&self) -> PathBuf {
        self.workspace.join(&self.service.compose)
    }

    /// The folder of the compose file, in which compose looks for `.env`.
    #[must_use]
    pub fn compose_folder(&self) -> PathBuf {
        self.compose_file().parent().map_or_else(|| self.workspace.clone(), Path::to_owned)
    }

    /// How to build the service, and how to start it then: by what the manifest says, else by cargo.
    ///
    /// # Errors
    ///
    /// Where the manifest says nothing and there is no cargo package.
    pub fn plan(&self) -> Result<(Option<Build>, Start), ServiceError> {
        let cargo = self.workspace.join("Cargo.toml").is_file();
        let build = match &self.service.build {
            Some(command) => Some(Build::new(&self.workspace, command.clone())),
            None if cargo => Some(Build::cargo(&self.workspace, Profile::Dev)),
            None => None,
        };
        match &self.service.run {
            Some(command) => Ok((build.map(Build::without_program), Start::Command(command.clone()))),
            None if build.as_ref().is_some_and(Build::is_cargo) => Ok((build, Start::Built)),
            None => Err(ServiceError::NoProgram { folder: self.workspace.display().to_string() }),
        }
    }
}
