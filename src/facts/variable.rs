use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Secret;

/// A variable of the shell or of `.env`, as far as it may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Variable {
    /// The value; for a secret what may be said of it ("22 characters").
    pub shown: String,
    /// Whether there is nothing in it but whitespace.
    pub blank: bool,
    /// Whether whitespace stands around the value.
    pub padded: bool,
    /// Whether `shown` is a description.
    pub secret: bool,
    /// Where it was set: `the shell`, `.env:3`.
    pub origin: String,
    /// The other variables that were asked about and have the very same value, blank ones aside.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub same_as: Vec<String>,
}

impl Variable {
    /// The variable of that name, its value hidden where the name speaks of a secret.
    #[must_use]
    pub fn new(name: &str, value: &str, origin: impl Into<String>) -> Self {
        let secret = Self::is_secret(name);
        Self {
            shown: if secret { Secret::new(value).describe() } else { value.to_owned() },
            blank: value.trim().is_empty(),
            padded: !value.trim().is_empty() && value.trim() != value,
            secret,
            origin: origin.into(),
            same_as: Vec::new(),
        }
    }

    /// Several variables at once, given as name, value and origin: each also learns which of the others have its value, which
    /// for a secret cannot be told later.
    #[must_use]
    pub fn all<'v>(variables: &[(&'v str, &'v str, String)]) -> BTreeMap<String, Self> {
        let variable = |(name, value, origin): &(&str, &str, String)| {
            let same = |(other, theirs, _): &&(&str, &str, String)| other != name && theirs == value && !value.trim().is_empty();
            let same_as = variables.iter().filter(same).map(|(other, ..)| (*other).to_owned()).collect();
            ((*name).to_owned(), Self { same_as, ..Self::new(name, value, origin.clone()) })
        };
        variables.iter().map(variable).collect()
    }

    /// Whether a name speaks of something that must not be shown.
    #[must_use]
    pub fn is_secret(name: &str) -> bool {
        let name = name.to_ascii_uppercase();
        Self::SECRETIVE.iter().any(|word| name.contains(word))
    }

    /// What a name holds when its value is nobody's business.
    const SECRETIVE: [&str; 8] = ["KEY", "TOKEN", "SECRET", "PASSWORD", "PASSWD", "HEADERS", "CREDENTIAL", "AUTH"];
}

#[cfg(test)]
mod tests {
    use super::Variable;

    #[test]
    fn a_secret_is_told_by_its_name_and_shown_by_its_length() {
        for name in ["HONEYCOMB_API_KEY", "db_passwd", "BASIC_AUTH", "OTEL_EXPORTER_OTLP_HEADERS"] {
            assert_eq!(Variable::new(name, "swordfish", "the shell").shown, "9 characters", "{name}");
        }
        assert_eq!(Variable::new("AWS_DEFAULT_REGION", "ca-central-1", ".env:3").shown, "ca-central-1");
    }
}
