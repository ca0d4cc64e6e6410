mod scalar;
mod source;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use compose_lens::diagnostic::{Diagnostic, Severity};
use compose_lens::interpolation::{InterpolationInput, InterpolationResult, REQUIRED_VARIABLE, SubstitutionOutcome, interpolate};
use compose_lens::loader::{DocumentInput, DocumentOrigin, LoadedProject};
use compose_lens::merge::{MergedProject, MergedValue, MergedValueKind, merge_project};
use compose_lens::model::{BooleanValue, ComposeScalar, EnvironmentFileFormatKind};
use compose_lens::project::{
    ProjectEnvironmentFile, ProjectExtends, ProjectService, ProjectValue, ProjectView, build_project_view,
};
use compose_lens::source::{SourceId, SourceSpan};

use scalar::{number, wish};
use source::{File, overrides};

use super::dotenv::{self, Format};
use super::environment::Environment;
use super::problem::{Place, Problem, listed, nearest};
use super::variables::{Variables, broken, unreadable};

/// How many services may extend one another in a row.
const EXTENDS_LIMIT: usize = 16;

/// A compose file, with the override file that compose itself would lay over it.
pub struct Compose {
    folder: PathBuf,
    files: Vec<File>,
    loaded: LoadedProject,
    merged: MergedProject,
    view: ProjectView,
    findings: Vec<Diagnostic>,
}

/// The environment that compose gives one service.
///
/// Its `Debug` shows names alone: among the values are keys.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Resolved {
    /// The variables with their values.
    pub environment: BTreeMap<String, String>,
    /// Where each of them is set.
    pub places: BTreeMap<String, Place>,
    /// The variables that the service's environment asks for and that nobody sets.
    pub unset: Vec<Unset>,
    /// All services of the compose file, in its order.
    pub services: Vec<String>,
}

impl Resolved {
    /// The environment, ready to have endpoints replaced.
    #[must_use]
    pub fn into_environment(self) -> Environment {
        Environment::from(self.environment)
    }
}

impl fmt::Debug for Resolved {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Resolved")
            .field("environment", &self.environment.keys())
            .field("unset", &self.unset)
            .field("services", &self.services)
            .finish_non_exhaustive()
    }
}

/// A variable that is asked for and not set: compose puts nothing in its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unset {
    /// The variable that is not set.
    pub name: String,
    /// The service's variable whose value asks for it.
    pub within: String,
    /// Where it is asked for.
    pub place: Place,
    /// How it is asked for.
    pub reference: Reference,
}

/// How a variable is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// `${NAME}` within a value: what comes out is empty there.
    Substituted,
    /// A bare `NAME`, or `NAME:` without a value: the service does not get it.
    PassedOn,
}

impl Compose {
    /// Reads a compose file of the workspace, and `….override.yml` beside it where there is one.
    ///
    /// # Errors
    ///
    /// Where it is missing, is not YAML, or is not a compose file: with file, line and caret.
    pub fn load(workspace: &Path, file: &Path) -> Result<Self, Problem> {
        let path = workspace.join(file);
        let mut files = vec![File::load(&path, file)?];
        for overriding in overrides(file) {
            let path = workspace.join(&overriding);
            if path.is_file() {
                files.push(File::load(&path, &overriding)?);
                break;
            }
        }
        let folder = path.parent().unwrap_or(workspace).to_owned();
        Self::build(folder, files)
    }

    /// Parses the text of a compose file. `folder` is where its `env_file`s are looked for.
    ///
    /// # Errors
    ///
    /// As for [`Compose::load`].
    pub fn parse(folder: &Path, name: &str, text: &str) -> Result<Self, Problem> {
        Self::build(folder.to_owned(), vec![File { name: name.to_owned(), text: text.to_owned() }])
    }

    fn build(folder: PathBuf, files: Vec<File>) -> Result<Self, Problem> {
        for file in &files {
            file.check_syntax()?;
        }
        let inputs = files.iter().zip(0_u32..).map(|(file, id)| {
            DocumentInput::new(SourceId::new(id), DocumentOrigin::new(file.name.as_str(), folder.as_path()), file.text.as_str())
        });
        let loaded =
            LoadedProject::load(inputs).map_err(|error| Problem::new(format!("cannot read the compose file: {error}")))?;
        let name = files.first().map_or("", |file| file.name.as_str());
        let empty = || {
            Problem::new(format!("`{name}` has no services"))
                .with_help("a compose file begins with `services:`; each service stands indented below it")
        };
        let merged = merge_project(&loaded, None).project().cloned().ok_or_else(empty)?;
        let (view, findings) = build_project_view(&merged, None).into_parts();
        let view = view.filter(|view| !view.services().is_empty()).ok_or_else(empty)?;
        Ok(Self { folder, files, loaded, merged, view, findings })
    }

    /// The names of its services, in the file's order.
    pub fn services(&self) -> impl Iterator<Item = &str> {
        self.view.services().iter().map(|service| service.name().value())
    }

    /// The environment of one service: its `env_file`s, its `environment` over them, both filled from `variables`.
    ///
    /// # Errors
    ///
    /// Where there is no such service (with the name that was probably meant), where its environment has no form that compose
    /// knows, where a required `${NAME?…}` is not set anywhere in the file, or an `env_file` is missing or broken.
    pub fn resolve(&self, service: &str, variables: &Variables) -> Result<Resolved, Problem> {
        let found = self.view.service(service).ok_or_else(|| self.no_service(service))?;
        self.check_required(variables)?;
        let mut resolved = Resolved { services: self.services().map(str::to_owned).collect(), ..Resolved::default() };
        self.lay(found, variables, &mut resolved)?;
        let Resolved { environment, places, .. } = &mut resolved;
        places.retain(|name, _| environment.contains_key(name));
        Ok(resolved)
    }

    fn no_service(&self, service: &str) -> Problem {
        let file = &self.files[0];
        let names: Vec<&str> = self.services().collect();
        let help = match nearest(service, names.iter().copied()) {
            Some(near) => format!("did you mean `{near}`? Set `name = \"{near}\"` under `[service]` in `bootcamp.toml`"),
            None if names.is_empty() => String::from("add the service below `services:`"),
            None => format!("it has {}; name yours as `service.name` in `bootcamp.toml`", listed(names.iter().copied())),
        };
        Problem::new(format!("`{}` has no service `{service}`", file.name)).with_help(help)
    }

    /// Compose refuses the whole file where a required variable is missing, whichever service asks for it.
    fn check_required(&self, variables: &Variables) -> Result<(), Problem> {
        for document in self.loaded.interpolate(variables).documents() {
            for value in document.values() {
                self.check_value(value)?;
            }
        }
        Ok(())
    }

    /// Refuses a value with a required variable that is not set, or with a `${…}` that is none.
    fn check_value(&self, value: &InterpolationResult) -> Result<(), Problem> {
        let missing = value.substitutions().iter().find(|used| used.outcome() == SubstitutionOutcome::RequiredMissing);
        if let Some(missing) = missing {
            let name = missing.name();
            let wish = wish(value.original(), name).map(|wish| format!(": {wish}")).unwrap_or_default();
            return Err(self
                .pointing(
                    format!("compose requires the variable `{name}`, which is not set{wish}"),
                    value.span(),
                    name,
                    "required here",
                )
                .with_help(format!("set `{name}` in the shell or in `.env`")));
        }
        match value.diagnostics().iter().find(|found| found.severity() == Severity::Error) {
            Some(found) if found.code() != REQUIRED_VARIABLE => Err(self
                .pointing(String::from("compose cannot read this `${…}`"), value.span(), "", "this expression")
                .with_help("write `${NAME}` or `${NAME:-default}`, and `$$` for a dollar sign")),
            _ => Ok(()),
        }
    }

    /// A service after all that it extends, the outermost base first.
    fn chain<'a>(&'a self, service: &'a ProjectService) -> Result<Vec<&'a ProjectService>, Problem> {
        let mut chain = vec![service];
        let mut top = service;
        while let Some(extends) = top.extends() {
            let place = extends.effective_source();
            let refused = |message: String| {
                self.pointing_at(message, place, "this `extends`")
                    .with_help("write the variables into this service's own `environment`")
            };
            let (base, other_file) = match extends.value() {
                ProjectExtends::Short(base) => (Some(base.value().as_str()), false),
                ProjectExtends::Long(long) => (long.service().map(|base| base.value().as_str()), long.file().is_some()),
                _ => (None, false),
            };
            if other_file {
                return Err(refused(String::from("`extends` from another file is not read")));
            }
            if chain.len() > EXTENDS_LIMIT {
                return Err(refused(String::from("services extend one another in a circle")));
            }
            let Some(base) = base else { break };
            top = self.view.service(base).ok_or_else(|| refused(format!("there is no service `{base}` to extend")))?;
            chain.insert(0, top);
        }
        Ok(chain)
    }

    /// Lays the variables of a service: all `env_file`s first, then all `environment`s, those of a base before its own.
    fn lay(&self, service: &ProjectService, variables: &Variables, into: &mut Resolved) -> Result<(), Problem> {
        let chain = self.chain(service)?;
        for service in &chain {
            for file in service.environment_files().map(|files| files.value().as_slice()).unwrap_or_default() {
                self.lay_file(file.value(), file.effective_source(), variables, into)?;
            }
        }
        for service in &chain {
            self.check_form(service)?;
            for entry in service.environment().map(|environment| environment.value().entries()).unwrap_or_default() {
                let name = entry.name().value();
                // a bare `NAME:` has an empty value, at the line's end or beyond it: its name tells the place
                let span =
                    entry.value().effective_source().filter(|span| !span.is_empty()).or_else(|| entry.name().effective_source());
                self.lay_entry(name, entry.value().value(), span.unwrap_or_else(|| self.whole()), variables, into)?;
            }
        }
        Ok(())
    }

    fn lay_entry(
        &self,
        name: &str,
        scalar: &ComposeScalar,
        span: SourceSpan,
        variables: &Variables,
        into: &mut Resolved,
    ) -> Result<(), Problem> {
        let place = self.place(span, name);
        into.unset.retain(|unset| unset.within != name);
        let value = match scalar {
            ComposeScalar::Null => {
                if let Some(value) = variables.value(name) {
                    Some(value.to_owned())
                } else {
                    let (name, within) = (name.to_owned(), name.to_owned());
                    into.unset.push(Unset { name, within, place: place.clone(), reference: Reference::PassedOn });
                    None
                }
            }
            ComposeScalar::Boolean(value) => Some(value.to_string()),
            ComposeScalar::Number(written) => Some(number(written)),
            ComposeScalar::String(template) => {
                let result = interpolate(InterpolationInput::new(template, span).sensitive(), variables);
                self.check_value(&result)?;
                for used in result.substitutions().iter().filter(|used| used.outcome() == SubstitutionOutcome::Missing) {
                    into.unset.push(Unset {
                        name: used.name().to_owned(),
                        within: name.to_owned(),
                        place: self.place(span, used.name()),
                        reference: Reference::Substituted,
                    });
                }
                Some(result.resolved().to_owned())
            }
        };
        match value {
            Some(value) => {
                into.environment.insert(name.to_owned(), value);
                into.places.insert(name.to_owned(), place);
            }
            None => drop(into.environment.remove(name)),
        }
        Ok(())
    }

    fn lay_file(
        &self,
        file: &ProjectEnvironmentFile,
        span: Option<SourceSpan>,
        variables: &Variables,
        into: &mut Resolved,
    ) -> Result<(), Problem> {
        let (written, required, format) = match file {
            ProjectEnvironmentFile::Short(path) => (path.as_str(), true, Format::Compose),
            ProjectEnvironmentFile::Long(long) => {
                let Some(path) = long.path() else { return Ok(()) };
                let required = !matches!(long.required().map(ProjectValue::value), Some(BooleanValue::Literal(false)));
                let raw = long.format().is_some_and(|format| format.value().kind() == EnvironmentFileFormatKind::Raw);
                (path.value().as_str(), required, if raw { Format::Raw } else { Format::Compose })
            }
        };
        let input = InterpolationInput::new(written, span.unwrap_or_else(|| self.whole()));
        let path = interpolate(input, variables).resolved().to_owned();
        let bytes = match std::fs::read(self.folder.join(&path)) {
            Ok(bytes) if bytes.len() <= dotenv::LIMIT => bytes,
            Ok(_) => return Err(unreadable(&path, "it is too large")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound && !required => return Ok(()),
            Err(error) => {
                return Err(self
                    .pointing_at(format!("cannot read the `env_file` `{path}`: {error}"), span, "named here")
                    .with_help(format!("create `{path}` beside the compose file, or take the `env_file` away")));
            }
        };
        let text = String::from_utf8(bytes).map_err(|_| unreadable(&path, "it is not UTF-8"))?;
        let outer = |name: &str| variables.value(name).map(str::to_owned);
        for entry in dotenv::parse(&text, format, &outer).map_err(|fault| broken(&path, &fault))? {
            let place = Place { file: path.clone(), line: entry.line };
            into.unset.retain(|unset| unset.within != entry.name);
            into.unset.extend(entry.unset.into_iter().map(|name| Unset {
                name,
                within: entry.name.clone(),
                place: place.clone(),
                reference: Reference::Substituted,
            }));
            if let Some(value) = entry.value.or_else(|| outer(&entry.name)) {
                into.environment.insert(entry.name.clone(), value);
                into.places.insert(entry.name, place);
            } else {
                into.environment.remove(&entry.name);
                into.unset.push(Unset { name: entry.name.clone(), within: entry.name, place, reference: Reference::PassedOn });
            }
        }
        Ok(())
    }

    /// An `environment` that is neither map nor list of `NAME=value` is refused, as compose refuses it.
    fn check_form(&self, service: &ProjectService) -> Result<(), Problem> {
        let name = service.name().value();
        let Some(environment) = self.merged.value(&["services", name, "environment"]) else { return Ok(()) };
        if matches!(environment.kind(), MergedValueKind::Null(_)) {
            return self.check_empty(name);
        }
        let sources = environment.provenance().sources();
        let inside = |span: SourceSpan| {
            sources.iter().any(|source| {
                source.source_id() == span.source_id() && source.start() <= span.start() && span.start() <= source.end()
            })
        };
        let found = self.findings.iter().filter(|found| found.severity() == Severity::Error).find_map(|found| {
            found.labels().first().map(|label| (found.message(), label.span())).filter(|(_, span)| inside(*span))
        });
        let Some((reason, span)) = found else { return Ok(()) };
        Err(self
            .pointing_at(format!("the environment of `{name}` is not one that compose takes: {reason}"), Some(span), "here")
            .with_help("write `NAME: value`, one a line, indented below `environment:`"))
    }

    /// An empty `environment:` is one without variables, unless they stand beside it instead of below it.
    fn check_empty(&self, name: &str) -> Result<(), Problem> {
        let beside = self.merged.value(&["services", name]).and_then(MergedValue::as_mapping).unwrap_or_default();
        let stray = beside.iter().find(|entry| entry.key().starts_with(|first: char| first.is_ascii_uppercase()));
        let Some(stray) = stray else { return Ok(()) };
        let message = format!("`{}` stands beside the `environment:` of `{name}`, not below it", stray.key());
        Err(self
            .pointing_at(message, stray.key_sources().last().copied(), "indent this further")
            .with_help("indent the variables by two blanks more than `environment:`"))
    }

    /// The start of the first file: where nothing better is known.
    fn whole(&self) -> SourceSpan {
        self.loaded.documents()[0].syntax().source_span()
    }

    fn file(&self, span: SourceSpan) -> &File {
        usize::try_from(span.source_id().get()).ok().and_then(|index| self.files.get(index)).unwrap_or(&self.files[0])
    }

    /// Where a variable is asked for within a value.
    fn spot(&self, span: SourceSpan, name: &str) -> std::ops::Range<usize> {
        let written = self.file(span).text.get(span.range()).unwrap_or_default();
        let ends = |at: usize| !written[at..].starts_with(|next: char| next == '_' || next.is_ascii_alphanumeric());
        let found = [format!("${{{name}"), format!("${name}")].iter().find_map(|form| {
            written.match_indices(form.as_str()).map(|(at, _)| (at, form.len())).find(|(at, length)| ends(at + length))
        });
        match found {
            Some((at, length)) if !name.is_empty() => span.start() + at..span.start() + at + length,
            _ => span.start()..span.start() + written.lines().next().map_or(0, str::len),
        }
    }

    fn place(&self, span: SourceSpan, name: &str) -> Place {
        let file = self.file(span);
        Place::at(&file.name, &file.text, self.spot(span, name).start)
    }

    fn pointing(&self, message: String, span: SourceSpan, name: &str, label: &str) -> Problem {
        let file = self.file(span);
        Problem::new(message).pointing(&file.name, &file.text, self.spot(span, name), label)
    }

    fn pointing_at(&self, message: String, span: Option<SourceSpan>, label: &str) -> Problem {
        self.pointing(message, span.unwrap_or_else(|| self.whole()), "", label)
    }
}
