use schemars::JsonSchema;
use serde::Deserialize;

use super::closest::shorten;
use crate::check::judge::Scene;
use crate::check::{Fact, Matcher, Mismatch, Probe, Verdict};
use crate::facts::Level;

/// A variable, in the shell or in `.env`: there, and not blank.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// What it must be. Of a secret only the description is known, so a matcher makes no sense there.
    #[serde(default)]
    pub value: Option<Matcher>,
}

impl Variable {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let name = &self.name;
        let expected = match &self.value {
            Some(matcher) => format!("`{name}` is {}", matcher.describe(&scene.placeholders)),
            None => format!("`{name}` is set and not blank, in the shell or in `.env`"),
        };
        let Some(variable) = scene.evidence.variables.get(name) else {
            return Verdict::Never(Mismatch::new(expected, format!("`{name}` is not set, neither in the shell nor in `.env`")));
        };
        let origin = &variable.origin;
        if variable.blank {
            return Verdict::Never(Mismatch::new(expected, format!("`{name}` is set in {origin}, but it is blank")));
        }
        if variable.secret && variable.padded {
            let actual = format!("`{name}`, set in {origin}, has whitespace around it ({})", variable.shown);
            return Verdict::Never(Mismatch::new(format!("`{name}` is the key and nothing else"), actual));
        }
        if let Some(matcher) = &self.value
            && !matcher.accepts_text(&variable.shown, &scene.placeholders)
        {
            let actual = format!("`{name}`, set in {origin}, is `{}`", shorten(&variable.shown));
            return Verdict::Never(Mismatch::new(expected, actual));
        }
        Verdict::Met(vec![Fact::new(name.clone(), format!("{} ({origin})", shorten(&variable.shown)))], Level::Exact)
    }
}

/// A line that the service prints once the probe was sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct ServiceOutput {
    /// The line.
    pub line: Matcher,
}

impl ServiceOutput {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let instance = scene.probe().map_or(Probe::DEFAULT_INSTANCE, |probe| probe.instance.as_str());
        let lines = scene.evidence.output.get(instance).map(Vec::as_slice).unwrap_or_default();
        if let Some(line) = lines.iter().find(|line| self.line.accepts_text(line, &scene.placeholders)) {
            return Verdict::Met(vec![Fact::new("printed", shorten(line.trim()))], Level::Exact);
        }
        let expected = format!("the service prints a line {}", self.line.describe(&scene.placeholders));
        let actual = match lines.len() {
            0 => String::from("it has printed nothing"),
            1 => String::from("its one line is another"),
            count => format!("none of its last {count} lines is one"),
        };
        let nearest = lines.iter().rev().find(|line| !line.trim().is_empty());
        Verdict::NotYet(
            Mismatch::new(expected, actual).nearest(nearest.map(|line| format!("the last line: `{}`", shorten(line.trim())))),
        )
    }
}
