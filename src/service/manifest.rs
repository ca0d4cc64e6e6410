use std::fmt;
use std::ops::Range;
use std::path::{Component, Path, PathBuf};

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use super::builder::Profile;
use super::problem::{Problem, listed, nearest};
use super::{Build, ServiceError};

/// The largest manifest that is read, in bytes.
const LIMIT: usize = 1 << 20;

const KEYS: &[&str] = &["course", "target", "service"];
const SERVICE_KEYS: &[&str] = &["url", "compose", "name", "build", "run", "health"];

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
        let text = String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8"))?;
        Self::parse(file.parent().unwrap_or(Path::new(".")), &text)
    }

    /// Parses a manifest. All problems of the text are reported together.
    ///
    /// # Errors
    ///
    /// As for [`Manifest::load`].
    pub fn parse(workspace: &Path, text: &str) -> Result<Self, Problem> {
        let mut reader = Reader { text, problems: Vec::new() };
        let manifest = reader.read(workspace);
        let mut problems = reader.problems.into_iter();
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
            None if cargo && self.service.run.is_none() => Some(Build::cargo(&self.workspace, Profile::Dev)),
            None => None,
        };
        let start = match &self.service.run {
            Some(command) => Start::Command(command.clone()),
            None if build.as_ref().is_some_and(Build::is_cargo) => Start::Built,
            None => return Err(ServiceError::NoProgram { folder: self.workspace.display().to_string() }),
        };
        Ok((build, start))
    }
}

/// Walks the parsed text and gathers what is wrong with it.
struct Reader<'a> {
    text: &'a str,
    problems: Vec<Problem>,
}

type Value<'a> = Spanned<DeValue<'a>>;

impl<'a> Reader<'a> {
    fn read(&mut self, workspace: &Path) -> Manifest {
        let mut manifest = Manifest::defaults(workspace, "");
        let table = match DeTable::parse(self.text) {
            Ok(table) => table,
            Err(error) => {
                let span = error.span().unwrap_or(0..0);
                let label = error.message().lines().next().unwrap_or("here").to_owned();
                self.refuse(
                    format!("`{}` is not valid TOML: {label}", Manifest::FILE),
                    span,
                    &label,
                    "correct the line; text stands in quotes: `course = \"week2\"`",
                );
                return manifest;
            }
        };
        let table = table.get_ref();
        self.unknown(table, KEYS, "the manifest");
        match table.get("course") {
            Some(value) => self.text(value, "course", |reader, course, span| {
                let sound = !course.is_empty() && course.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'));
                if sound {
                    manifest.course = course.to_owned();
                } else {
                    reader.refuse(
                        format!("`{course}` is not the name of a course"),
                        span,
                        "a course's name",
                        "name it as `bootcamp list` does: `course = \"week2\"`",
                    );
                }
            }),
            None => self.refuse(
                format!("`{}` has no `course`", Manifest::FILE),
                0..0,
                "missing here",
                "add `course = \"week2\"` at its top",
            ),
        }
        if let Some(value) = table.get("target") {
            self.text(value, "target", |reader, target, span| match target {
                "sandbox" => manifest.target = Target::Sandbox,
                "live" => manifest.target = Target::Live,
                other => reader.refuse(
                    format!("`{other}` is no target"),
                    span,
                    "neither `sandbox` nor `live`",
                    "write `target = \"sandbox\"` or `target = \"live\"`",
                ),
            });
        }
        if let Some(value) = table.get("service") {
            match value.get_ref().as_table() {
                Some(service) => self.service(service, &mut manifest.service),
                None => self.refuse(
                    String::from("`service` is not a table"),
                    value.span(),
                    "a table is needed",
                    "write `[service]` on a line of its own, and its keys below",
                ),
            }
        }
        manifest
    }

    fn service(&mut self, table: &DeTable<'a>, service: &mut ServiceSettings) {
        self.unknown(table, SERVICE_KEYS, "`[service]`");
        if let Some(value) = table.get("url") {
            self.text(value, "service.url", |reader, url, span| match address(url) {
                Ok(url) => service.url = url,
                Err(reason) => reader.refuse(
                    format!("`service.url` is not an address: {reason}"),
                    span,
                    "this address",
                    "write it as `url = \"http://127.0.0.1:4567\"`",
                ),
            });
        }
        if let Some(value) = table.get("compose") {
            self.text(value, "service.compose", |reader, file, span| match relative(file) {
                Ok(path) => service.compose = path,
                Err(reason) => reader.refuse(
                    format!("`service.compose` {reason}"),
                    span,
                    "this path",
                    "name a file of the workspace: `compose = \"docker-compose.yml\"`",
                ),
            });
        }
        if let Some(value) = table.get("name") {
            self.text(value, "service.name", |reader, name, span| {
                if name.trim().is_empty() {
                    reader.refuse(
                        String::from("`service.name` is empty"),
                        span,
                        "a name is needed",
                        "name the service as the compose file does: `name = \"backend\"`",
                    );
                } else {
                    service.name = name.to_owned();
                }
            });
        }
        if let Some(value) = table.get("health") {
            self.text(value, "service.health", |reader, path, span| {
                if path.starts_with('/') && path.chars().all(|c| c.is_ascii_graphic()) {
                    service.health = path.to_owned();
                } else {
                    reader.refuse(
                        String::from("`service.health` is not the path of a URL"),
                        span,
                        "this path",
                        "it begins with a slash: `health = \"/api/health\"`",
                    );
                }
            });
        }
        service.build = table.get("build").and_then(|value| self.command(value, "build"));
        service.run = table.get("run").and_then(|value| self.command(value, "run"));
    }

    /// A command: a list of words, or the one word of a program.
    fn command(&mut self, value: &Value<'a>, key: &str) -> Option<Vec<String>> {
        let words: Option<Vec<String>> = match value.get_ref() {
            DeValue::String(program) => Some(vec![program.to_string()]),
            DeValue::Array(words) => words.iter().map(|word| word.get_ref().as_str().map(str::to_owned)).collect(),
            _ => None,
        };
        let words = words.filter(|words| words.first().is_some_and(|program| !program.trim().is_empty()));
        if words.is_none() {
            let example = if key == "build" { "[\"cargo\", \"build\"]" } else { "[\"./serve\", \"--quiet\"]" };
            self.refuse(
                format!("`service.{key}` is not a command"),
                value.span(),
                "a program and its arguments are needed",
                &format!("write the words one by one: `{key} = {example}`"),
            );
        }
        words
    }

    fn text(&mut self, value: &Value<'a>, key: &str, take: impl FnOnce(&mut Self, &str, Range<usize>)) {
        match value.get_ref().as_str() {
            Some(text) => take(self, text, value.span()),
            None => {
                let kind = value.get_ref().type_str();
                self.refuse(
                    format!("`{key}` must be text, it is of the type {kind}"),
                    value.span(),
                    "put this in quotes",
                    &format!("write `{} = \"…\"`", key.rsplit('.').next().unwrap_or(key)),
                );
            }
        }
    }

    fn unknown(&mut self, table: &DeTable<'a>, known: &[&str], of: &str) {
        let mut unknown: Vec<_> = table.keys().filter(|key| !known.contains(&key.get_ref().as_ref())).collect();
        unknown.sort_by_key(|key| key.span().start);
        for key in unknown {
            let help = match nearest(key.get_ref(), known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("{of} knows {}", listed(known.iter().copied())),
            };
            self.refuse(format!("{of} has an unknown key `{}`", key.get_ref()), key.span(), "unknown key", &help);
        }
    }

    fn refuse(&mut self, message: String, span: Range<usize>, label: &str, help: &str) {
        self.problems.push(Problem::new(message).pointing(Manifest::FILE, self.text, span, label).with_help(help));
    }
}

/// An address at which a service can be asked.
fn address(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| error.to_string())?;
    match url.scheme() {
        "http" | "https" if url.host().is_some() => {}
        "http" | "https" => return Err(String::from("it names no host")),
        scheme => return Err(format!("`{scheme}` is neither `http` nor `https`")),
    }
    if url.query().is_some() || url.fragment().is_some() || !url.username().is_empty() || url.password().is_some() {
        return Err(String::from("it may have scheme, host, port and path only"));
    }
    Ok(url)
}

/// A path that stays within the workspace.
fn relative(text: &str) -> Result<PathBuf, &'static str> {
    let path = PathBuf::from(text);
    if text.trim().is_empty() {
        return Err("is empty");
    }
    let mut depth = 0_i32;
    for component in path.components() {
        depth += match component {
            Component::Normal(_) => 1,
            Component::CurDir => 0,
            Component::ParentDir => -1,
            Component::RootDir | Component::Prefix(_) => return Err("is not relative to the workspace"),
        };
        if depth < 0 {
            return Err("leads out of the workspace");
        }
    }
    Ok(path)
}

#[cfg(test)]
#[path = "manifest_tests.rs"]
mod tests;
