use std::collections::BTreeMap;
use std::fmt;
use std::path::Path;

use compose_lens::interpolation::{EnvironmentProvider, EnvironmentValue};

use super::dotenv::{self, Format};
use super::problem::{Place, Problem};
use crate::facts::Secret;

/// The file that compose reads beside the compose file.
const FILE: &str = ".env";

/// Where a variable comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// The shell in which the runner was started.
    Shell,
    /// A line of `.env`.
    File(Place),
}

impl fmt::Display for Origin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Shell => formatter.write_str("the shell"),
            Self::File(place) => place.fmt(formatter),
        }
    }
}

/// A variable that compose puts into `${…}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variable {
    /// Its value, stray whitespace included: that it is there may be the finding.
    pub value: Secret,
    /// Where it was set.
    pub origin: Origin,
}

/// The variables with which compose fills a compose file: the shell's over those of `.env`.
#[derive(Debug, Clone, Default)]
pub struct Variables {
    effective: BTreeMap<String, Variable>,
    shadowed: BTreeMap<String, Variable>,
    unset: Vec<(String, Place)>,
}

impl Variables {
    /// Reads `.env` in the folder of the compose file, if there is one, and lays the shell's variables over it.
    ///
    /// # Errors
    ///
    /// Where `.env` cannot be read or parsed. The problem names the line and shows nothing of it.
    pub fn load(folder: &Path, shell: BTreeMap<String, String>) -> Result<Self, Problem> {
        let bytes = match std::fs::read(folder.join(FILE)) {
            Ok(bytes) => bytes,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Self::parse("", shell),
            Err(error) => return Err(unreadable(FILE, &error.to_string())),
        };
        let text = String::from_utf8(bytes).map_err(|_| unreadable(FILE, "it is not UTF-8"))?;
        Self::parse(&text, shell)
    }

    /// Parses the text of a `.env` and lays the shell's variables over it.
    ///
    /// # Errors
    ///
    /// Where the text is not as compose would have it.
    pub fn parse(text: &str, shell: BTreeMap<String, String>) -> Result<Self, Problem> {
        let entries =
            dotenv::parse(text, Format::Compose, &|name| shell.get(name).cloned()).map_err(|fault| broken(FILE, &fault))?;
        let mut variables = Self::default();
        for (name, value) in shell {
            variables.effective.insert(name, Variable { value: Secret::new(value), origin: Origin::Shell });
        }
        for entry in entries {
            let place = Place { file: FILE.to_owned(), line: entry.line };
            variables.unset.extend(entry.unset.into_iter().map(|name| (name, place.clone())));
            let Some(value) = entry.value else { continue };
            let variable = Variable { value: Secret::new(value), origin: Origin::File(place) };
            let of_shell = variables.effective.get(&entry.name).is_some_and(|known| known.origin == Origin::Shell);
            let layer = if of_shell { &mut variables.shadowed } else { &mut variables.effective };
            layer.insert(entry.name, variable);
        }
        Ok(variables)
    }

    /// The variable that compose would use.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Variable> {
        self.effective.get(name)
    }

    /// The value that compose would use.
    #[must_use]
    pub fn value(&self, name: &str) -> Option<&str> {
        self.effective.get(name).map(|variable| variable.value.expose())
    }

    /// What `.env` says of a variable that the shell sets to something of its own.
    #[must_use]
    pub fn shadowed(&self, name: &str) -> Option<&Variable> {
        self.shadowed.get(name)
    }

    /// All variables that compose would use, in the order of their names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Variable)> {
        self.effective.iter().map(|(name, variable)| (name.as_str(), variable))
    }

    /// The variables that `.env` itself asks for and that nobody sets, with the line that asks.
    #[must_use]
    pub fn unset(&self) -> &[(String, Place)] {
        &self.unset
    }
}

impl EnvironmentProvider for Variables {
    fn get(&self, name: &str) -> Option<EnvironmentValue> {
        self.value(name).map(EnvironmentValue::sensitive)
    }
}

/// A file that compose would read cannot be read.
pub(super) fn unreadable(file: &str, reason: &str) -> Problem {
    Problem::new(format!("cannot read `{file}`: {reason}")).with_help(format!("make `{file}` a readable text file, or delete it"))
}

/// A line of a file with variables is not as it should be.
pub(super) fn broken(file: &str, fault: &dotenv::Fault) -> Problem {
    Problem::new(format!("`{file}` line {}: {}", fault.line, fault.message))
        .with_help("write one `NAME=value` a line; put a value with blanks in quotes")
        .at_line(file, fault.line)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shell(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn the_shell_wins_and_the_file_is_remembered() -> Result<(), Problem> {
        let variables = Variables::parse("# keys\nKEY=file\nONLY=here\nASKS=${NOBODY}\n", shell(&[("KEY", "shell\n")]))?;
        assert_eq!(variables.value("KEY"), Some("shell\n"));
        assert_eq!(variables.get("KEY").map(|variable| variable.origin.to_string()).as_deref(), Some("the shell"));
        assert_eq!(variables.shadowed("KEY").map(|variable| variable.origin.to_string()).as_deref(), Some(".env:2"));
        assert_eq!(variables.get("ONLY").map(|variable| variable.origin.to_string()).as_deref(), Some(".env:3"));
        assert_eq!(variables.unset(), [(String::from("NOBODY"), Place { file: String::from(".env"), line: 4 })]);
        assert!(!format!("{variables:?}").contains("here"));
        Ok(())
    }

    #[test]
    fn a_later_line_wins_and_a_broken_one_is_named_without_its_content() -> Result<(), Problem> {
        assert_eq!(Variables::parse("A=1\nA=2", BTreeMap::new())?.value("A"), Some("2"));
        let problem = Variables::parse("A=1\nB=\"abc", BTreeMap::new()).err().map(|problem| problem.to_string());
        assert_eq!(problem.as_deref(), Some("`.env` line 2: the closing `\"` of the value is missing"));
        Ok(())
    }

    #[test]
    fn a_folder_without_env_has_the_shell_alone() -> Result<(), Box<dyn std::error::Error>> {
        let folder = tempfile::tempdir()?;
        assert_eq!(Variables::load(folder.path(), shell(&[("A", "b")]))?.iter().count(), 1);
        std::fs::write(folder.path().join(".env"), b"A=\xff")?;
        assert!(Variables::load(folder.path(), BTreeMap::new()).is_err());
        Ok(())
    }
}
