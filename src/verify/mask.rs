//! Hides secrets in what is shown or kept.

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::facts::{Evidence, Secret, Variable};

/// Stands where a secret stood.
const MASK: &str = "‹hidden›";

/// `NAME: value`, `NAME=value`, `"NAME": "value"`, `- NAME=value`: a setting in any of the files that a workspace has.
static SETTING: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(r#"(?m)^([ \t]*(?:-[ \t]*)?(?:export[ \t]+)?["']?([A-Za-z_][A-Za-z0-9_.-]*)["']?[ \t]*[:=][ \t]*)(\S.*)$"#).ok()
});

/// `x-honeycomb-team=value`, wherever it stands.
static TEAM: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r#"(?i)(x-honeycomb-team\s*[=:]\s*)([^\s"',$]+)"#).ok());

/// A file's text with every literal secret hidden. What refers to a variable (`${NAME}`) shows no secret, and stays.
#[must_use]
pub fn text(text: &str, secrets: &[Secret]) -> String {
    let mut masked = known(text.to_owned(), secrets);
    if let Some(setting) = SETTING.as_ref() {
        masked = setting
            .replace_all(&masked, |found: &Captures<'_>| {
                let (head, name, value) = (&found[1], &found[2], &found[3]);
                if Variable::is_secret(name)
                    && !name.eq_ignore_ascii_case("keywords")
                    && !value.contains('$')
                    && !value.starts_with(['{', '[', '|'])
                {
                    // A header's name is worth keeping: a typo in it is a finding.
                    if value.contains("x-honeycomb") { found[0].to_owned() } else { format!("{head}{MASK}") }
                } else {
                    found[0].to_owned()
                }
            })
            .into_owned();
    }
    match TEAM.as_ref() {
        Some(team) => team.replace_all(&masked, format!("${{1}}{MASK}")).into_owned(),
        None => masked,
    }
}

/// The evidence with every known secret hidden, wherever it turned up: in a line of the service's output, a header, a URL.
///
/// # Errors
/// When the masked evidence is no evidence any more, because a secret is part of its very shape.
pub fn evidence(evidence: &Evidence, secrets: &[Secret]) -> Result<Evidence, serde_json::Error> {
    let text = serde_json::to_string(evidence)?;
    // In JSON a secret with quotes or backslashes stands escaped.
    let escaped: Vec<Secret> = secrets
        .iter()
        .filter_map(|secret| serde_json::to_string(secret.expose().trim()).ok())
        .map(|quoted| Secret::new(quoted.trim_matches('"')))
        .collect();
    serde_json::from_str(&known(text, &escaped))
}

/// Shorter values would hide half the text, and are no secrets.
const SHORTEST: usize = 8;

/// A text with the known secrets hidden, wherever they stand.
#[must_use]
pub fn known(mut text: String, secrets: &[Secret]) -> String {
    for secret in secrets {
        let value = secret.expose().trim();
        if value.len() >= SHORTEST && text.contains(value) {
            text = text.replace(value, MASK);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn literal_secrets_are_hidden_and_references_stay() {
        let file = "services:\n  backend:\n    environment:\n      HONEYCOMB_API_KEY: abc123\n      OTEL_EXPORTER_OTLP_HEADERS: \"x-honeycomb-team=verysecret\"\n      ROLLBAR_ACCESS_TOKEN: \"${ROLLBAR_ACCESS_TOKEN}\"\n      AWS_REGION: us-east-1\n";
        let masked = text(file, &[]);
        assert!(!masked.contains("abc123") && !masked.contains("verysecret"), "{masked}");
        assert!(
            masked.contains("\"${ROLLBAR_ACCESS_TOKEN}\"")
                && masked.contains("us-east-1")
                && masked.contains("x-honeycomb-team=")
        );
        assert_eq!(masked.lines().count(), file.lines().count());
    }

    #[test]
    fn known_values_are_hidden_anywhere() {
        let secrets = [Secret::new("topsecret\"value\n")];
        assert_eq!(text("log: topsecret\"value!", &secrets), format!("log: {MASK}!"));
        let mut seen = Evidence::default();
        seen.output.insert(String::from("default"), vec![String::from("key topsecret\"value in a line")]);
        let masked = evidence(&seen, &secrets).unwrap();
        assert_eq!(masked.output["default"][0], format!("key {MASK} in a line"));
    }
}
