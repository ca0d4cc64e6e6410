use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;
use std::ops::Range;
use std::sync::Arc;

use miette::Diagnostic;

use crate::check::{Catalogue, Check, Demand, Flaw, Points, Probe, Probes, closest};

use super::front_matter::FrontMatter;
use super::markdown::{self, DraftStep};
use super::problem::{Page, Problem};
use super::source::{CourseFile, is_lesson};
use super::{Course, Lesson, Problems, Source, Step, StepCheck};

/// Why there is no course to run.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// No course has this id.
    #[error("there is no course `{id}`: {remedy}")]
    Unknown {
        /// What was asked for.
        id: String,
        /// What there is.
        remedy: String,
    },
    /// A file of it cannot be read.
    #[error("the course `{id}` cannot be read: {cause}")]
    Unreadable {
        /// The course.
        id: String,
        /// Why.
        cause: io::Error,
    },
    /// Its author has something to repair.
    #[error(transparent)]
    Broken(#[from] Problems),
}

impl Course {
    /// Reads a course and joins its lessons with their checks.
    ///
    /// # Errors
    /// When there is no such course, a file cannot be read, or an author got something wrong: then all of that at once.
    pub fn load(source: &Source, id: &str) -> Result<Self, LoadError> {
        let (course, problems) = Self::examine(source, id)?;
        if problems.is_empty() {
            return Ok(course);
        }
        Err(Problems::new(id, problems).into())
    }

    /// The same for those who mend a course: as much of it as can be read, and whatever is wrong beside it.
    ///
    /// # Errors
    /// When there is no such course, or a file cannot be read.
    pub fn examine(source: &Source, id: &str) -> Result<(Self, Vec<Problem>), LoadError> {
        let unreadable = |cause| LoadError::Unreadable { id: id.to_owned(), cause };
        let pages = pages(source, id)?;
        let catalogues = source.files("checks", id, ".toml").map_err(unreadable)?;

        let mut loader = Loader { id, problems: Vec::new() };
        let (title, intro) = loader.readme(&pages);
        let probes = loader.probes(&catalogues);
        let checks = loader.checks(&catalogues, &probes);
        let lessons = loader.lessons(pages, Some(&checks));
        let probes = loader.used_probes(probes, &checks);
        let diagnoses = source.files("checks", &format!("{id}/{DIAGNOSES}"), ".toml").map_err(unreadable)?;
        let rules = loader.rules(diagnoses, &lessons, &probes);
        Ok((Self { id: id.to_owned(), title, intro, lessons, probes, rules }, loader.problems))
    }

    /// Reads the lessons of a course and leaves its checks alone, which takes a quarter of the time: enough to list it, and
    /// not enough to run it. The steps have their points, but no checks, and there are no probes.
    ///
    /// # Errors
    /// As [`Course::load`], as far as the lessons show it.
    pub fn outline(source: &Source, id: &str) -> Result<Self, LoadError> {
        let pages = pages(source, id)?;
        let mut loader = Loader { id, problems: Vec::new() };
        let (title, intro) = loader.readme(&pages);
        let lessons = loader.lessons(pages, None);
        loader.finish(Self { id: id.to_owned(), title, intro, lessons, probes: BTreeMap::new(), rules: Vec::new() })
    }
}

/// The pages of a course that there is.
fn pages(source: &Source, id: &str) -> Result<Vec<CourseFile>, LoadError> {
    let unreadable = |cause| LoadError::Unreadable { id: id.to_owned(), cause };
    let courses = source.courses().map_err(unreadable)?;
    if !courses.iter().any(|course| course == id) {
        let remedy = match closest(id, courses.iter().map(String::as_str)) {
            Some(close) => format!("did you mean `{close}`?"),
            None if courses.is_empty() => String::from("`lessons/` holds none"),
            None => format!("there is {}", courses.iter().map(|id| format!("`{id}`")).collect::<Vec<_>>().join(", ")),
        };
        return Err(LoadError::Unknown { id: id.to_owned(), remedy });
    }
    source.files("lessons", id, ".md").map_err(unreadable)
}

const PROBES: &str = "probes.toml";

/// The folder of a course's checks that holds its rules.
const DIAGNOSES: &str = "diagnoses";

/// A course that is being read.
pub(super) struct Loader<'a> {
    pub(super) id: &'a str,
    pub(super) problems: Vec<Problem>,
}

struct ProbeTable {
    page: Option<Page>,
    probes: BTreeMap<String, DefinedProbe>,
}

/// A probe with its place.
struct DefinedProbe {
    span: Range<usize>,
    demand: Demand,
    probe: Option<Probe>,
}

/// A check with its place.
struct Defined {
    page: Page,
    lesson: String,
    span: Range<usize>,
    implied_span: Option<Range<usize>>,
    /// With that of its probe.
    demand: Demand,
    check: Option<Arc<Check>>,
}

/// The checks of the course: by id, and which lessons have a check file.
struct CheckTable {
    checks: BTreeMap<String, Defined>,
    files: BTreeMap<String, Page>,
}

impl Loader<'_> {
    fn finish(self, course: Course) -> Result<Course, LoadError> {
        if self.problems.is_empty() {
            return Ok(course);
        }
        Err(Problems::new(self.id, self.problems).into())
    }

    pub(super) fn page(&mut self, file: &CourseFile) -> Option<Page> {
        match std::str::from_utf8(&file.bytes) {
            Ok(text) => Some(Page::new(&file.path, text)),
            Err(error) => {
                let sound = String::from_utf8_lossy(&file.bytes[..error.valid_up_to()]).into_owned();
                let at = sound.len();
                let page = Page::new(&file.path, format!("{sound}\u{fffd}"));
                let problem =
                    page.problem(at..at + '\u{fffd}'.len_utf8(), "the file is not UTF-8", "this byte is part of no character");
                self.problems.push(problem.help("save it as UTF-8"));
                None
            }
        }
    }

    /// Title and text of the course.
    fn readme(&mut self, pages: &[CourseFile]) -> (String, String) {
        let Some(page) = pages.iter().find(|file| file.name() == "README.md").and_then(|file| self.page(file)) else {
            return (self.id.to_owned(), String::new());
        };
        let title = page.text.lines().find_map(|line| line.strip_prefix("# ")).map_or(self.id, str::trim);
        (title.to_owned(), page.text.trim().to_owned())
    }

    fn probes(&mut self, catalogues: &[CourseFile]) -> ProbeTable {
        let page = catalogues.iter().find(|file| file.name() == PROBES).and_then(|file| self.page(file));
        let Some(page) = page else { return ProbeTable { page: None, probes: BTreeMap::new() } };
        let parsed = Probes::parse(&page.text);
        self.flaws(&page, parsed.flaws);
        let entries = parsed.entries.into_iter();
        let defined =
            entries.map(|entry| (entry.name, DefinedProbe { span: entry.span, demand: entry.demand, probe: entry.value }));
        ProbeTable { page: Some(page), probes: defined.collect() }
    }

    pub(super) fn flaws(&mut self, page: &Page, flaws: Vec<Flaw>) {
        let problems = flaws.into_iter().map(|flaw| page.problem(flaw.span, flaw.message, flaw.label).maybe_help(flaw.help));
        self.problems.extend(problems);
    }

    fn checks(&mut self, catalogues: &[CourseFile], probes: &ProbeTable) -> CheckTable {
        let mut table = CheckTable { checks: BTreeMap::new(), files: BTreeMap::new() };
        for file in catalogues.iter().filter(|file| file.name() != PROBES) {
            let lesson = file.name().trim_end_matches(".toml").to_owned();
            let Some(page) = self.page(file) else { continue };
            let catalogue = Catalogue::parse(&page.text);
            self.flaws(&page, catalogue.flaws);
            for entry in catalogue.entries {
                let probe = entry.value.as_ref().and_then(|check| check.probe.as_deref());
                if let (Some(name), Some(span)) = (probe, entry.probe_span)
                    && !probes.probes.contains_key(name)
                {
                    let close =
                        closest(name, probes.probes.keys().map(String::as_str)).map(|close| format!("did you mean `{close}`?"));
                    let help = close.unwrap_or_else(|| format!("define `[{name}]` in `checks/{}/{PROBES}`", self.id));
                    let message = format!("the check `{}` rests on the unknown probe `{name}`", entry.name);
                    self.problems.push(page.problem(span, message, "no such probe").help(help));
                }
                let asked = probe.and_then(|name| probes.probes.get(name));
                let demand = match asked {
                    Some(asked) => Demand::of_all([("check", &entry.demand), ("probe", &asked.demand)]),
                    None => entry.demand.clone(),
                };
                if let Some(first) = table.checks.get(&entry.name) {
                    let message = format!("the check `{}` is defined a second time", entry.name);
                    let help =
                        format!("it is already defined in `{}`, line {}", first.page.file, first.page.line(first.span.start));
                    self.problems.push(page.problem(entry.span, message, "ids are unique in a course").help(help));
                    continue;
                }
                let defined = Defined {
                    page: page.clone(),
                    lesson: lesson.clone(),
                    span: entry.span,
                    implied_span: entry.implied_span,
                    demand,
                    check: entry.value,
                };
                table.checks.insert(entry.name, defined);
            }
            table.files.insert(lesson, page);
        }
        table
    }

    fn used_probes(&mut self, table: ProbeTable, checks: &CheckTable) -> BTreeMap<String, Probe> {
        let used: HashSet<&str> = checks.checks.values().filter_map(|defined| defined.check.as_ref()?.probe.as_deref()).collect();
        // A check that could not be read may be the one that uses it.
        let all_read = checks.checks.values().all(|defined| defined.check.is_some());
        let mut probes = BTreeMap::new();
        for (name, DefinedProbe { span, probe, .. }) in table.probes {
            if let (true, false, Some(page)) = (all_read, used.contains(name.as_str()), &table.page) {
                let message = format!("no check rests on the probe `{name}`");
                self.problems.push(page.problem(span, message, "never sent").help("use it in a check, or remove it"));
            }
            if let Some(probe) = probe {
                probes.insert(name, probe);
            }
        }
        probes
    }

    fn lessons(&mut self, files: Vec<CourseFile>, checks: Option<&CheckTable>) -> Vec<Lesson> {
        let mut lessons: Vec<Lesson> = Vec::new();
        let mut listed: HashMap<String, (String, usize)> = HashMap::new();
        for file in files.into_iter().filter(|file| is_lesson(file.name())) {
            let Some(page) = self.page(&file) else { continue };
            let id = lesson_id(file.name()).to_owned();
            let (front, rest) = FrontMatter::parse(&page);
            let (draft, problems) = markdown::parse(&page, rest);
            self.problems.extend(problems);
            let front = match front {
                Ok(front) => front,
                Err(problem) => {
                    self.problems.push(*problem);
                    FrontMatter { title: id.clone(), order: 0, summary: String::new() }
                }
            };
            if draft.steps.is_empty() {
                let problem = page.problem(rest..rest, format!("the lesson `{id}` has no steps"), "nothing to do here");
                self.problems.push(problem.help("a `##` heading begins a step"));
            }
            if let Some(other) = lessons.iter().find(|other| other.id == id || (other.number == front.order && front.order != 0))
            {
                let what = if other.id == id { format!("the name `{id}`") } else { format!("the order {}", front.order) };
                let message = format!("two lessons have {what}");
                let help = format!("the other one is `{}`", other.file);
                self.problems.push(page.problem(0..3, message, "in this file").help(help));
            }
            let steps = self.steps(&page, &id, front.order, draft.steps, checks, &mut listed);
            lessons.push(Lesson {
                id,
                number: front.order,
                title: front.title,
                summary: front.summary,
                file: page.file,
                intro: draft.intro,
                steps,
            });
        }
        lessons.sort_by_key(|lesson| lesson.number);
        if let Some(checks) = checks {
            self.unlisted(checks, &lessons, &listed);
            self.implied(checks, &lessons);
        }
        lessons
    }

    fn steps(
        &mut self,
        page: &Page,
        lesson: &str,
        number: u32,
        drafts: Vec<DraftStep>,
        checks: Option<&CheckTable>,
        listed: &mut HashMap<String, (String, usize)>,
    ) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for (index, draft) in drafts.into_iter().enumerate() {
            if let Some(first) = steps.iter().find(|first| first.id == draft.id && !draft.id.is_empty()) {
                let message = format!("two steps of this lesson have the id `{}`", draft.id);
                let help =
                    format!("the first one is in line {}; name this one: `## {} {{#another-id}}`", first.line, draft.title);
                self.problems.push(page.problem(draft.span.clone(), message, "the second one").help(help));
            }
            let points = draft.verify.map_or(Points::ZERO, |line| line.points);
            let shares = points.shared(draft.listed.len());
            let mut step_checks = Vec::new();
            for (item, points) in draft.listed.into_iter().zip(shares) {
                let line = page.line(item.span.start);
                if let Some((file, line)) = listed.get(&item.id) {
                    let message = format!("the check `{}` is listed a second time", item.id);
                    let help = format!("it is already listed in `{file}`, line {line}; a check belongs to one step");
                    self.problems.push(page.problem(item.span, message, "here again").help(help));
                    continue;
                }
                listed.insert(item.id.clone(), (page.file.clone(), line));
                let Some(checks) = checks else { continue };
                match checks.checks.get(&item.id) {
                    Some(defined) if defined.lesson == lesson => {
                        if let Some(check) = &defined.check {
                            let check = Arc::clone(check);
                            let demand = defined.demand.clone();
                            step_checks.push(StepCheck { id: item.id, title: item.title, points, line, check, demand });
                        }
                    }
                    other => {
                        let problem = self.dangling(page, lesson, &item.id, item.span, other, checks);
                        self.problems.push(problem);
                    }
                }
            }
            steps.push(Step {
                path: format!("{}/{lesson}/{}", self.id, draft.id),
                number: format!("{number}.{}", index + 1),
                line: page.line(draft.span.start),
                id: draft.id,
                title: draft.title,
                bonus: draft.verify.is_some_and(|line| line.bonus),
                points,
                body: draft.body,
                hints: draft.hints,
                code_blocks: draft.code_blocks,
                actions: draft.actions,
                checks: step_checks,
            });
        }
        steps
    }

    /// A step lists what its lesson's check file does not define.
    fn dangling(
        &self,
        page: &Page,
        lesson: &str,
        id: &str,
        span: Range<usize>,
        other: Option<&Defined>,
        table: &CheckTable,
    ) -> Problem {
        let wanted = format!("checks/{}/{lesson}.toml", self.id);
        let message = format!("the check `{id}` is not defined");
        let help = match other {
            Some(other) => format!("`{}` defines it; move it to `{wanted}`", other.page.file),
            None if !table.files.contains_key(lesson) => format!("write `{wanted}` and define `[{id}]` in it"),
            None => {
                let ids = table.checks.iter().filter(|(_, defined)| defined.lesson == lesson).map(|(id, _)| id.as_str());
                closest(id, ids)
                    .map_or_else(|| format!("define `[{id}]` in `{wanted}`"), |close| format!("did you mean `{close}`?"))
            }
        };
        page.problem(span, message, "no such check").help(help)
    }

    /// Checks that no step lists, and check files that belong to no lesson.
    fn unlisted(&mut self, table: &CheckTable, lessons: &[Lesson], listed: &HashMap<String, (String, usize)>) {
        let ids = || lessons.iter().map(|lesson| lesson.id.as_str());
        for (lesson, page) in &table.files {
            if !ids().any(|id| id == lesson) {
                let help = closest(lesson, ids()).map(|close| format!("did you mean `{close}.toml`?"));
                let message = format!("there is no lesson `{lesson}` to which these checks could belong");
                self.problems.push(page.problem(0..0, message, "this file").maybe_help(help));
            }
        }
        for (id, defined) in &table.checks {
            if !listed.contains_key(id) && ids().any(|lesson| lesson == defined.lesson) {
                let message = format!("no step lists the check `{id}`");
                let help = format!("add it to a step of the lesson `{}`: - [ ] `{id}` what must be seen", defined.lesson);
                self.problems.push(defined.page.problem(defined.span.clone(), message, "never judged").help(help));
            }
        }
    }

    /// A check is implied by an earlier step, or by none.
    fn implied(&mut self, table: &CheckTable, lessons: &[Lesson]) {
        let steps: Vec<&Step> = lessons.iter().flat_map(|lesson| &lesson.steps).collect();
        for (index, step) in steps.iter().enumerate() {
            for listed in &step.checks {
                let Some(implying) = &listed.check.implied_by else { continue };
                let path = format!("{}/{implying}", self.id);
                if steps[..index].iter().any(|step| step.path == path) {
                    continue;
                }
                let defined = &table.checks[&listed.id];
                let span = defined.implied_span.clone().unwrap_or_else(|| defined.span.clone());
                let later = steps.iter().any(|step| step.path == path);
                let (message, label, help) = if later {
                    let message = format!("the check `{}` is implied by `{implying}`, which does not come before it", listed.id);
                    (message, "no earlier step", String::from("name the earlier step that makes it hold, or remove the field"))
                } else {
                    let message = format!("the check `{}` is implied by the unknown step `{implying}`", listed.id);
                    let within = |step: &&Step| step.path[self.id.len() + 1..].to_owned();
                    let names: Vec<String> = steps[..index].iter().map(within).collect();
                    let close =
                        closest(implying, names.iter().map(String::as_str)).map(|close| format!("did you mean `{close}`?"));
                    (message, "no such step", close.unwrap_or_else(|| String::from("name an earlier step as `<lesson>/<step>`")))
                };
                self.problems.push(defined.page.problem(span, message, label).help(help));
            }
        }
    }
}

/// `x-ray`, of `3-x-ray.md`.
fn lesson_id(name: &str) -> &str {
    let name = name.trim_end_matches(".md");
    let unnumbered = name.trim_start_matches(|character: char| character.is_ascii_digit());
    unnumbered.strip_prefix('-').filter(|rest| !rest.is_empty() && unnumbered.len() < name.len()).unwrap_or(name)
}

impl Diagnostic for LoadError {
    fn related<'a>(&'a self) -> Option<Box<dyn Iterator<Item = &'a dyn Diagnostic> + 'a>> {
        match self {
            Self::Broken(problems) => problems.related(),
            Self::Unknown { .. } | Self::Unreadable { .. } => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::lesson_id;

    #[test]
    fn a_lesson_is_named_by_its_file() {
        assert_eq!(lesson_id("3-x-ray.md"), "x-ray");
        assert_eq!(lesson_id("x-ray.md"), "x-ray");
        assert_eq!(lesson_id("12.md"), "12");
    }
}
