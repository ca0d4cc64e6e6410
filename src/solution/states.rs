use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::sync::Arc;

use serde::Deserialize;
use toml::Spanned;

use crate::check::{Flaw, closest};
use crate::course::{Page, Problem, Problems};

use super::lock::{self, Lock};
use super::markup::{Marked, leader};
use super::stages::Stages;
use super::tree::{Bytes, Tree};

/// Every state of a solution: the starter, the state after each step, and the reference. All are derived when it is read.
#[derive(Debug)]
pub struct States {
    stages: Stages,
    /// By stage. A file that a step leaves alone is shared with the state before.
    trees: Vec<Tree>,
}

/// What a step does to a file. At least one of the two is there, and they differ.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Change {
    /// The file.
    pub path: String,
    /// What it held before the step; absent where the step brings it.
    pub before: Option<Arc<[u8]>>,
    /// What it holds after the step; absent where the step removes it.
    pub after: Option<Arc<[u8]>>,
}

/// Says of files which cannot say it themselves with which step they came.
const STATES: &str = "states.toml";
/// Says of edges of the lock with which step they came.
const EDGES: &str = "lock.toml";
const MANIFEST: &str = "Cargo.toml";
const LOCK: &str = "Cargo.lock";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct StatesFile {
    #[serde(default)]
    files: BTreeMap<Spanned<String>, Spanned<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct EdgesFile {
    #[serde(default)]
    came: Vec<Came>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Came {
    with: Spanned<String>,
    edges: Vec<Spanned<String>>,
}

impl States {
    /// Derives the states from the files of a solution. `steps` are the paths of the course's steps, in order.
    ///
    /// # Errors
    /// All that is wrong with the markers, each with file, line and remedy.
    pub fn parse(course: &str, steps: &[&str], files: &Tree) -> Result<Self, Problems> {
        let stages = Stages::new(course, steps);
        let mut deriving = Deriving { course, stages: &stages, problems: Vec::new() };
        let trees = deriving.trees(files);
        if deriving.problems.is_empty() {
            return Ok(Self { stages, trees });
        }
        Err(Problems::new(course, deriving.problems))
    }

    /// The course's steps, by path, in order.
    pub fn steps(&self) -> impl Iterator<Item = &str> {
        self.stages.steps.iter().map(String::as_str)
    }

    /// What a learner begins with.
    #[must_use]
    pub fn starter(&self) -> &Tree {
        &self.trees[0]
    }

    /// The state before a step, by the step's path; `None` where the course has no such step.
    #[must_use]
    pub fn before(&self, step: &str) -> Option<&Tree> {
        self.trees.get(self.stages.after(step)? - 1)
    }

    /// The state after a step, by the step's path; `None` where the course has no such step.
    #[must_use]
    pub fn after(&self, step: &str) -> Option<&Tree> {
        self.trees.get(self.stages.after(step)?)
    }

    /// The reference: the state after the last step, with what belongs to no learner's state besides.
    #[must_use]
    pub fn finished(&self) -> &Tree {
        &self.trees[self.stages.last()]
    }

    /// What a step does to the files, by path. Empty where its work lies elsewhere, or there is no such step.
    #[must_use]
    pub fn changes(&self, step: &str) -> Vec<Change> {
        let (Some(before), Some(after)) = (self.before(step), self.after(step)) else { return Vec::new() };
        let paths: BTreeSet<&str> = before.paths().chain(after.paths()).collect();
        let differs = |path: &&str| before.get(path) != after.get(path);
        let change = |path: &str| Change {
            path: path.to_owned(),
            before: before.shared(path).cloned(),
            after: after.shared(path).cloned(),
        };
        paths.into_iter().filter(differs).map(change).collect()
    }

    /// The steps that do something to the files.
    pub fn steps_with_changes(&self) -> impl Iterator<Item = &str> {
        self.steps().filter(|step| self.before(step) != self.after(step))
    }
}

struct Deriving<'a> {
    course: &'a str,
    stages: &'a Stages,
    problems: Vec<Problem>,
}

impl Deriving<'_> {
    fn page(&self, path: &str, text: &str) -> Page {
        Page::new(format!("solutions/{}/{path}", self.course), text)
    }

    fn flaws(&mut self, path: &str, text: &str, flaws: Vec<Flaw>) {
        if flaws.is_empty() {
            return;
        }
        let page = self.page(path, text);
        let problems = flaws.into_iter().map(|flaw| page.problem(flaw.span, flaw.message, flaw.label).maybe_help(flaw.help));
        self.problems.extend(problems);
    }

    fn trees(&mut self, files: &Tree) -> Vec<Tree> {
        let told = self.told(files);
        let mut trees = vec![Tree::new(); self.stages.last() + 1];
        for (path, bytes) in files.iter().filter(|(path, _)| ![STATES, EDGES, LOCK].contains(path)) {
            let marked = leader(path).zip(std::str::from_utf8(bytes).ok());
            let marked = marked.map(|(leader, text)| {
                let (marked, flaws) = Marked::parse(text, leader, self.stages);
                if marked.since.is_some() && told.contains_key(path) {
                    let message = format!("`{path}` says itself with which step it came, and `{STATES}` says it too");
                    let page = self.page(path, text);
                    self.problems.push(page.problem(0..0, message, "here").help("remove one of the two"));
                }
                self.flaws(path, text, flaws);
                marked
            });
            let since = told.get(path).copied().or_else(|| marked.as_ref()?.since).unwrap_or(0);
            let changes = marked.as_ref().map(Marked::changes).unwrap_or_default();
            let whole: Bytes = Arc::from(bytes);
            let mut current = Arc::clone(&whole);
            for (stage, tree) in trees.iter_mut().enumerate().skip(since) {
                if let Some(marked) = &marked
                    && (stage == since || changes.contains(&stage))
                {
                    current = Arc::from(marked.at(stage).into_bytes());
                }
                tree.insert(path, Arc::clone(&current));
            }
        }
        if let Some(text) = files.text(LOCK) {
            self.locks(files, text, &mut trees);
        }
        trees
    }

    /// What `states.toml` tells.
    fn told(&mut self, files: &Tree) -> BTreeMap<String, usize> {
        let text = files.text(STATES).unwrap_or_default();
        let parsed: StatesFile = self.toml(STATES, text);
        let mut told = BTreeMap::new();
        let page = self.page(STATES, text);
        for (path, name) in parsed.files {
            if files.get(path.get_ref()).is_none() || [STATES, EDGES, LOCK].contains(&path.get_ref().as_str()) {
                let close = closest(path.get_ref(), files.paths()).map(|close| format!("did you mean `{close}`?"));
                let problem = page.problem(path.span(), format!("the solution has no file `{}`", path.get_ref()), "no such file");
                self.problems.push(problem.help(close.unwrap_or_else(|| String::from("remove the line"))));
            }
            if let Some(stage) = self.stage(&page, &name) {
                told.insert(path.into_inner(), stage);
            }
        }
        told
    }

    fn stage(&mut self, page: &Page, name: &Spanned<String>) -> Option<usize> {
        let stage = self.stages.named(name.get_ref());
        if stage.is_none() {
            let problem = page.problem(name.span(), format!("the course has no step `{}`", name.get_ref()), "no such step");
            self.problems.push(problem.help(self.stages.remedy(name.get_ref())));
        }
        stage
    }

    fn toml<T: serde::de::DeserializeOwned + Default>(&mut self, path: &str, text: &str) -> T {
        toml::from_str(text).unwrap_or_else(|error| {
            let span: Range<usize> = error.span().unwrap_or_default();
            let message = error.message().to_owned();
            self.problems.push(self.page(path, text).problem(span, message, "here"));
            T::default()
        })
    }

    /// The lock of each state.
    fn locks(&mut self, files: &Tree, text: &str, trees: &mut [Tree]) {
        let Some(lock) = Lock::parse(text) else {
            let problem = self.page(LOCK, text).problem(0..0, "this is no lock file of cargo's", "here");
            self.problems.push(problem.help("let cargo write it anew: `cargo generate-lockfile`"));
            return;
        };
        let edges = self.edges(files.text(EDGES).unwrap_or_default());
        let mut last: Option<(Bytes, Bytes)> = None;
        for (stage, tree) in trees.iter_mut().enumerate() {
            let Some(manifest) = tree.shared(MANIFEST).cloned() else { continue };
            let fresh = match &last {
                Some((same, lock)) if *same == manifest => Some(Arc::clone(lock)),
                _ => {
                    let manifest = std::str::from_utf8(&manifest).unwrap_or_default();
                    let absent =
                        |from: &str, to: &str| edges.get(&(from.to_owned(), to.to_owned())).is_some_and(|since| stage < *since);
                    match lock::named(manifest) {
                        Ok((name, named)) => lock.of(&name, &named, &absent).map(|text| Arc::from(text.into_bytes())),
                        Err(error) => {
                            let place = error.span().unwrap_or_default();
                            let page = Page::new(format!("solutions/{}/{MANIFEST} (stage {stage})", self.course), manifest);
                            self.problems.push(page.problem(place, error.message(), "here"));
                            return;
                        }
                    }
                }
            };
            if let Some(fresh) = fresh {
                tree.insert(LOCK, Arc::clone(&fresh));
                last = Some((manifest, fresh));
            }
        }
    }

    /// The edges that came with a step, and the stage of that step.
    fn edges(&mut self, text: &str) -> BTreeMap<(String, String), usize> {
        let parsed: EdgesFile = self.toml(EDGES, text);
        let page = self.page(EDGES, text);
        let mut edges = BTreeMap::new();
        for came in parsed.came {
            let Some(stage) = self.stage(&page, &came.with) else { continue };
            for edge in came.edges {
                match edge.get_ref().split_once(" -> ") {
                    Some((from, to)) => drop(edges.insert((from.to_owned(), to.to_owned()), stage)),
                    None => {
                        let problem = page.problem(edge.span(), format!("`{}` is no edge", edge.get_ref()), "here");
                        self.problems.push(problem.help("write `<package> -> <package>`"));
                    }
                }
            }
        }
        edges
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const STEPS: [&str; 3] = ["demo/one/a", "demo/one/b", "demo/two/c"];

    fn parse(files: &[(&str, &str)]) -> Result<States, Problems> {
        let files: Tree = files.iter().map(|(path, text)| (*path, text.as_bytes())).collect();
        States::parse("demo", &STEPS, &files)
    }

    /// What is wrong, each with its place.
    fn wrong(files: &[(&str, &str)]) -> Vec<String> {
        let problems = parse(files).unwrap_err();
        problems.iter().map(|problem| format!("{}:{}: {problem}", problem.file(), problem.line())).collect()
    }

    #[test]
    fn files_come_change_and_go_by_step() {
        let states = parse(&[
            ("main.rs", "fn main() {}\nuse a; //@ since one/a\n"),
            ("late.rs", "//@ file since two/c\nfn late() {}\n"),
            ("data.json", "{}"),
            ("README.md", "The reference. //@ since"),
            ("states.toml", "[files]\n\"data.json\" = \"one/b\"\n\"README.md\" = \"reference\"\n"),
        ])
        .unwrap();
        let paths = |tree: &Tree| tree.paths().collect::<Vec<_>>().join(" ");
        assert_eq!(paths(states.starter()), "main.rs");
        assert_eq!(states.starter().text("main.rs"), Some("fn main() {}\n"));
        assert_eq!(states.before("demo/one/a"), Some(states.starter()));
        assert_eq!(states.after("demo/one/a").unwrap().text("main.rs"), Some("fn main() {}\nuse a;\n"));
        assert_eq!(paths(states.after("demo/two/c").unwrap()), "data.json late.rs main.rs");
        assert_eq!(paths(states.finished()), "README.md data.json late.rs main.rs");
        assert_eq!(states.steps_with_changes().collect::<Vec<_>>(), STEPS);
        assert_eq!(states.changes("demo/two/c").len(), 1);
        let [change] = &states.changes("demo/one/b")[..] else { panic!("one file comes") };
        assert_eq!((change.path.as_str(), &change.before, change.after.as_deref()), ("data.json", &None, Some(&b"{}"[..])));
        assert!(states.before("demo/one/z").is_none() && states.after("one/a").is_none());
    }

    #[test]
    fn a_file_that_no_step_changes_is_shared() {
        let states = parse(&[("same.rs", "x\n"), ("main.rs", "y //@ since one/b\n")]).unwrap();
        let [first, .., last] = &states.trees[..] else { panic!("there are five stages") };
        assert!(Arc::ptr_eq(first.shared("same.rs").unwrap(), last.shared("same.rs").unwrap()));
    }

    #[test]
    fn a_lock_goes_by_the_manifest_and_by_the_edges_that_came() {
        let lock = "version = 4\n\n[[package]]\nname = \"dep\"\nversion = \"1.0.0\"\nsource = \"r\"\ndependencies = [\n \"sub\",\n]\n\n\
                    [[package]]\nname = \"demo\"\nversion = \"0.1.0\"\ndependencies = [\n \"dep\",\n]\n\n\
                    [[package]]\nname = \"sub\"\nversion = \"1.0.0\"\nsource = \"r\"\n";
        let states = parse(&[
            ("Cargo.toml", "[package]\nname = \"demo\"\n[dependencies]\n#@ since one/b\n#~ dep = \"1\" #@ since one/a\ndep = { version = \"1\", features = [\"sub\"] }\n#@ end\n"),
            ("Cargo.lock", lock),
            ("lock.toml", "[[came]]\nwith = \"one/b\"\nedges = [\"dep -> sub\"]\n"),
        ])
        .unwrap();
        let packages = |tree: &Tree| tree.text("Cargo.lock").unwrap().matches("[[package]]").count();
        assert_eq!(packages(states.starter()), 1);
        assert_eq!(packages(states.after("demo/one/a").unwrap()), 2);
        assert_eq!(states.after("demo/one/b").unwrap().text("Cargo.lock"), Some(lock));
    }

    #[test]
    fn all_mistakes_are_told_together_with_their_places() {
        let told = wrong(&[
            ("main.rs", "//@ file since one/a\nx\n//@ end\n"),
            ("Cargo.lock", "no lock\n[[package]]\n"),
            ("states.toml", "[files]\n\"main.rs\" = \"one/a\"\n\"mian.rs\" = \"one/a\"\n\"Cargo.lock\" = \"two/d\"\n"),
        ]);
        assert_eq!(
            told,
            [
                "solutions/demo/Cargo.lock:1: this is no lock file of cargo's",
                "solutions/demo/main.rs:1: `main.rs` says itself with which step it came, and `states.toml` says it too",
                "solutions/demo/main.rs:3: nothing begins that could end here",
                "solutions/demo/states.toml:3: the solution has no file `mian.rs`",
                "solutions/demo/states.toml:4: the solution has no file `Cargo.lock`",
                "solutions/demo/states.toml:4: the course has no step `two/d`",
            ]
        );
        assert_eq!(wrong(&[("states.toml", "[file]\n")])[0].split(':').next(), Some("solutions/demo/states.toml"));
        let lock = "version = 4\n";
        let edges = "[[came]]\nwith = \"one/a\"\nedges = [\"dep\"]\n";
        assert_eq!(wrong(&[("Cargo.lock", lock), ("lock.toml", edges)]), ["solutions/demo/lock.toml:3: `dep` is no edge"]);
        let broken = wrong(&[("Cargo.lock", lock), ("Cargo.toml", "[package\n")]);
        assert!(broken[0].starts_with("solutions/demo/Cargo.toml"), "{broken:?}");
    }

    proptest! {
        #[test]
        fn any_files_are_read_without_a_panic(
            files in proptest::collection::btree_map(
                prop_oneof![
                    Just("a.rs"), Just("Cargo.toml"), Just("Cargo.lock"), Just("states.toml"), Just("lock.toml"), Just("x.json"),
                ],
                proptest::collection::vec(any::<u8>(), 0..60),
                0..6,
            )
        ) {
            let files: Tree = files.into_iter().collect();
            if let Ok(states) = States::parse("demo", &STEPS, &files) {
                prop_assert!(states.changes("demo/one/a").len() <= files.len());
            }
        }
    }
}
