//! `.env` and the shell's variables: set, empty, whitespace, quoted, swapped. A value is never told; of a secret its length is.

mod file;
mod judge;
mod kind;
#[cfg(test)]
mod tests;

pub(super) use file::{judge as judge_file, look};
pub(super) use judge::judge;

use super::{Finding, Setting};
use crate::facts::Variable as Shown;
use crate::service::{Compose, Problem, Reference, Target, Variables};
use kind::{KNOWN, Kind};

/// A variable that something asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) name: String,
    pub(super) by: Asker,
}

/// Who asks for a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asker {
    /// A step's check: its number.
    Step(String),
    /// A place in the compose file, which puts nothing there now.
    Compose(String),
    /// The checks, when they look at the vendors themselves.
    Live,
}

/// The variables of the workspace, or those of the shell alone.
pub(super) fn load(setting: &Setting) -> Result<Variables, Problem> {
    match setting.workspace.manifest() {
        Some(manifest) => Variables::load(&manifest.compose_folder(), setting.shell.clone()),
        None => Variables::parse("", setting.shell.clone()),
    }
}

/// What the course's checks demand, what compose lacks, and what live checks read; each once.
pub(super) fn wanted(setting: &Setting, variables: &Variables) -> Vec<Wanted> {
    let mut wanted: Vec<Wanted> = Vec::new();
    let mut add = |name: &str, by: Asker| {
        if !wanted.iter().any(|known| known.name == name) {
            wanted.push(Wanted { name: name.to_owned(), by });
        }
    };
    for (name, step) in &setting.needs.variables {
        add(name, Asker::Step(step.clone()));
    }
    if setting.target == Target::Live {
        for name in ["HONEYCOMB_CONFIGURATION_KEY", "ROLLBAR_READ_TOKEN", "AWS_DEFAULT_REGION"] {
            // Either name of the region will do.
            if name != "AWS_DEFAULT_REGION" || variables.value("AWS_REGION").is_none() {
                add(name, Asker::Live);
            }
        }
    }
    if let Some(manifest) = setting.workspace.manifest()
        && let Ok(compose) = Compose::load(&manifest.workspace, &manifest.service.compose)
        && let Ok(resolved) = compose.resolve(&manifest.service.name, variables)
    {
        // A bare name passes on what there is; only what is put into a text leaves a hole there.
        for unset in resolved.unset.iter().filter(|unset| unset.reference == Reference::Substituted) {
            add(&unset.name, Asker::Compose(unset.place.to_string()));
        }
    }
    let place = |wanted: &Wanted| KNOWN.iter().position(|(name, _)| *name == wanted.name).unwrap_or(usize::MAX);
    wanted.sort_by_key(place);
    wanted
}

/// Takes out of the findings what may be a secret, whoever has told it: a vendor that repeats a key, an endpoint that is one.
pub(super) fn mask(findings: &mut [Finding], variables: &Variables) {
    /// Shorter values are not looked for: they would blot out ordinary words.
    const SHORTEST: usize = 6;
    let is_secret = |name: &str, value: &str| {
        let is_odd = || url::Url::parse(value).map_or(true, |url| !url.username().is_empty() || url.password().is_some());
        Shown::is_secret(name) || (Kind::of(name) == Kind::Endpoint && is_odd())
    };
    let all = variables.iter().map(|(name, variable)| (name, variable.value.expose().trim()));
    let hidden = variables.iter().filter_map(|(name, _)| Some((name, variables.shadowed(name)?.value.expose().trim())));
    let mut secrets: Vec<&str> = all
        .chain(hidden)
        .filter(|(name, value)| value.len() >= SHORTEST && is_secret(name, value))
        .map(|(_, value)| value)
        .collect();
    // The longest first: one may be a part of another.
    secrets.sort_unstable_by_key(|secret| std::cmp::Reverse(secret.len()));
    for finding in findings {
        for secret in &secrets {
            for text in [Some(&mut finding.told), finding.fix.as_mut()].into_iter().flatten() {
                if text.contains(secret) {
                    *text = text.replace(secret, "…");
                }
            }
        }
    }
}
