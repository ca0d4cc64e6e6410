use std::collections::BTreeMap;
use std::fmt;

/// What a program needs to run at all, whatever compose says: where programs and temporary files are, the language of
/// messages, the certificates of the machine; on Windows also where the system is.
#[cfg(not(windows))]
const INHERITED: &[&str] = &["PATH", "HOME", "TMPDIR", "LANG", "SSL_CERT_FILE", "SSL_CERT_DIR"];
#[cfg(windows)]
const INHERITED: &[&str] = &["PATH", "PATHEXT", "SYSTEMROOT", "SYSTEMDRIVE", "COMSPEC", "USERPROFILE", "TEMP", "TMP"];

/// An AWS SDK reads keys and a region from the home folder, which a container does not have: there, a variable that the
/// compose file lacks would not be noticed. These lead it to an empty file, unless compose says otherwise.
const SHIELDED: &[&str] = &["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"];

#[cfg(not(windows))]
const EMPTY_FILE: &str = "/dev/null";
#[cfg(windows)]
const EMPTY_FILE: &str = "NUL";

/// The few variables that a service gets beside those of its compose file, from the shell's: `PATH`, `HOME`, `TMPDIR`, `LANG`,
/// `SSL_CERT_FILE` and `SSL_CERT_DIR` as far as they are set, and `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`
/// leading to an empty file.
#[must_use]
pub fn inherited(shell: &BTreeMap<String, String>) -> BTreeMap<String, String> {
    let mut variables: BTreeMap<String, String> =
        INHERITED.iter().filter_map(|name| shell.get(*name).map(|value| ((*name).to_owned(), value.clone()))).collect();
    variables.extend(SHIELDED.iter().map(|name| ((*name).to_owned(), EMPTY_FILE.to_owned())));
    variables
}

/// The variables of one service: what compose gives it, with endpoints replaced and a port set.
///
/// Its `Debug` shows names alone: among the values are keys.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Environment {
    variables: BTreeMap<String, String>,
}

impl Environment {
    /// Replaces a variable where compose sets it, and only there, so that what the compose file lacks stays missing.
    /// Says whether it was there.
    pub fn replace(&mut self, name: &str, value: impl Into<String>) -> bool {
        self.variables.get_mut(name).map(|slot| *slot = value.into()).is_some()
    }

    /// Sets a variable, whether compose knows it or not: `PORT`, say.
    pub fn set(&mut self, name: impl Into<String>, value: impl Into<String>) {
        self.variables.insert(name.into(), value.into());
    }

    /// Takes a variable away.
    pub fn remove(&mut self, name: &str) -> Option<String> {
        self.variables.remove(name)
    }

    /// The value of a variable.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// All names with their values, in the order of the names.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        self.variables.iter().map(|(name, value)| (name.as_str(), value.as_str()))
    }
}

impl From<BTreeMap<String, String>> for Environment {
    fn from(variables: BTreeMap<String, String>) -> Self {
        Self { variables }
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.variables.keys()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_variable_is_not_replaced() {
        let mut environment = Environment::from(BTreeMap::from([(String::from("A"), String::from("old"))]));
        assert!(environment.replace("A", "new"));
        assert!(!environment.replace("B", "new"));
        environment.set("PORT", "4567");
        assert_eq!(environment.iter().collect::<Vec<_>>(), [("A", "new"), ("PORT", "4567")]);
        assert!(!format!("{environment:?}").contains("new"));
    }

    #[test]
    fn little_of_the_shell_is_inherited() {
        let shell = BTreeMap::from([("PATH", "/bin"), ("AWS_ACCESS_KEY_ID", "x")].map(|(a, b)| (a.to_owned(), b.to_owned())));
        let variables = inherited(&shell);
        assert_eq!(variables.get("PATH").map(String::as_str), Some("/bin"));
        assert!(!variables.contains_key("AWS_ACCESS_KEY_ID") && !variables.contains_key("HOME"));
        assert!(variables.contains_key("AWS_SHARED_CREDENTIALS_FILE"));
    }
}
