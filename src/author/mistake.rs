//! A mistake that learners make: a small change to a state of the solution, what it breaks, and what must be said of it.

use std::collections::BTreeMap;
use std::ops::Range;

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::course::{Action, ActionKind, Course, LoadError, Page, Problem, Problems, Source};
use crate::solution::{States, Tree};

/// One file of `checks/<course>/mistakes/`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Mistake {
    /// What the learner did, as a heading.
    pub title: String,
    /// The state in which it is made: `finished`, `starter`, or that after a step (`<lesson>/<step>`). Only checks of steps
    /// that are done in it are looked at.
    #[serde(default = "finished")]
    pub on: String,
    /// What changes in the workspace.
    #[serde(default)]
    pub change: Vec<FileChange>,
    /// The variables of the shell that the service is started from. They win over those of `.env`.
    #[serde(default)]
    pub shell: BTreeMap<String, String>,
    /// What differs in the containers, by compose service, from what the compose file says.
    #[serde(default)]
    pub containers: BTreeMap<String, Contained>,
    /// What the learner does outside of files instead of what the lessons say, by the action's name: the inputs. An empty list
    /// means that it is not done; actions that are not named here are done as in the lessons.
    #[serde(default)]
    pub actions: BTreeMap<String, Vec<Value>>,
    /// The checks that must not be met: their ids, `<lesson>/<step>` or `<lesson>`. All others must be.
    #[serde(default)]
    pub fails: Vec<String>,
    /// The checks that cannot be looked at.
    #[serde(default)]
    pub errors: Vec<String>,
    /// Checks of the above that are met all the same.
    #[serde(default)]
    pub except: Vec<String>,
    /// What must be said of them: the rule's id; where two cannot be told apart, both, the likeliest first.
    pub diagnosis: Diagnoses,
}

/// One rule, or several that cannot be told apart.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum Diagnoses {
    /// One.
    One(String),
    /// Several, the likeliest first.
    Several(Vec<String>),
}

impl Diagnoses {
    /// The rules' ids, the likeliest first.
    pub fn ids(&self) -> &[String] {
        match self {
            Self::One(id) => std::slice::from_ref(id),
            Self::Several(ids) => ids,
        }
    }
}

/// A change to one file: `find` with `replace`, or `write`, or `remove`.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FileChange {
    /// The file.
    pub file: String,
    /// A text that stands in it once.
    #[serde(default)]
    pub find: Option<String>,
    /// What stands there instead.
    #[serde(default)]
    pub replace: Option<String>,
    /// What the whole file holds from now on.
    #[serde(default)]
    pub write: Option<String>,
    /// Whether the file goes.
    #[serde(default)]
    pub remove: bool,
}

/// What differs in a container.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Contained {
    /// `running` unless said otherwise; `absent` where it was never made.
    #[serde(default)]
    pub state: Option<String>,
    /// Another image.
    #[serde(default)]
    pub image: Option<String>,
    /// Another folder that its compose project was started in.
    #[serde(default)]
    pub folder: Option<String>,
    /// Other variables of its environment.
    #[serde(default)]
    pub environment: BTreeMap<String, String>,
    /// What it printed last.
    #[serde(default)]
    pub prints: Vec<String>,
}

fn finished() -> String {
    String::from("finished")
}

/// The JSON Schema of a mistake, by which editors complete and underline; committed as `checks/mistakes.schema.json`.
#[must_use]
pub fn schema() -> serde_json::Value {
    schemars::schema_for!(Mistake).to_value()
}

/// A mistake with its name and its place.
#[derive(Debug, Clone)]
pub struct NamedMistake {
    /// The file's name without its ending.
    pub id: String,
    /// What it says.
    pub mistake: Mistake,
    /// The checks that must fail, as ids.
    pub fails: Vec<String>,
    /// The checks that cannot be looked at, as ids.
    pub errors: Vec<String>,
    /// How many of the course's steps are done in its state.
    pub steps_done: usize,
    /// What is done outside of files.
    pub actions: Vec<Action>,
    /// The workspace with the mistake in it.
    pub tree: Tree,
}

impl NamedMistake {
    /// Reads all mistakes of a course, and makes them.
    ///
    /// # Errors
    /// When a file cannot be read, or one says something that is not so: all of that at once.
    pub fn load_all(source: &Source, course: &Course, states: &States) -> Result<Vec<Self>, LoadError> {
        let unreadable = |cause| LoadError::Unreadable { id: course.id.clone(), cause };
        let files = source.files("checks", &format!("{}/mistakes", course.id), ".toml").map_err(unreadable)?;
        let mut mistakes = Vec::new();
        let mut problems = Vec::new();
        for file in files {
            let page = Page::new(&file.path, String::from_utf8_lossy(&file.bytes).into_owned());
            let id = file.name().trim_end_matches(".toml").to_owned();
            match toml::from_str::<Mistake>(&page.text) {
                Ok(mistake) => match Self::made(id, mistake, course, states, &page) {
                    Ok(made) => mistakes.push(made),
                    Err(found) => problems.extend(found),
                },
                Err(error) => {
                    let problem = page.problem(error.span().unwrap_or_default(), error.message().to_owned(), "here");
                    problems.push(problem.help("see `checks/mistakes.schema.json`"));
                }
            }
        }
        if problems.is_empty() { Ok(mistakes) } else { Err(Problems::new(&course.id, problems).into()) }
    }

    fn made(id: String, mistake: Mistake, course: &Course, states: &States, page: &Page) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let mut wrong = |at: &str, message: String, help: &str| {
            problems.push(page.problem(place_of(page, at), message, "here").help(help));
        };
        let steps: Vec<&str> = states.steps().collect();
        let (mut tree, steps_done) = match mistake.on.as_str() {
            "finished" => (states.finished().clone(), steps.len()),
            "starter" => (states.starter().clone(), 0),
            step => {
                let path = format!("{}/{step}", course.id);
                match (states.after(&path), steps.iter().position(|known| *known == path)) {
                    (Some(tree), Some(index)) => (tree.clone(), index + 1),
                    _ => {
                        wrong(
                            step,
                            format!("the course has no step `{step}`"),
                            "write `<lesson>/<step>`, `starter` or `finished`",
                        );
                        (states.finished().clone(), steps.len())
                    }
                }
            }
        };
        for change in &mistake.change {
            if let Err((at, message)) = change.apply(&mut tree) {
                wrong(&at, message, "the solution may have changed: bring the mistake up to date");
            }
        }
        let mut actions: Vec<Action> =
            course.steps().take(steps_done).flat_map(|(_, step)| step.actions.iter().cloned()).collect();
        for (name, inputs) in &mistake.actions {
            let Some(kind) = ActionKind::named(name) else {
                let known = ActionKind::ALL.map(ActionKind::name).join("`, `");
                wrong(name, format!("there is no action `{name}`"), &format!("write one of `{known}`"));
                continue;
            };
            actions.retain(|action| action.kind != kind);
            actions.extend(inputs.iter().map(|input| Action { kind, input: input.clone(), line: 0 }));
        }
        let mut ids = |names: &[String]| -> Vec<String> {
            let mut ids = Vec::new();
            for name in names {
                let found = checks_named(course, name, steps_done);
                if found.is_empty() {
                    wrong(
                        name,
                        format!("no check of a step that is done is called `{name}`"),
                        "name a check, a step or a lesson",
                    );
                }
                ids.extend(found);
            }
            ids
        };
        let except = ids(&mistake.except);
        let mut fails = ids(&mistake.fails);
        let mut errors = ids(&mistake.errors);
        fails.retain(|id| !except.contains(id));
        errors.retain(|id| !except.contains(id));
        for id in mistake.diagnosis.ids() {
            if !course.rules.iter().any(|rule| rule.id == *id) {
                wrong(id, format!("the course has no diagnosis `{id}`"), "define it in `diagnoses/`");
            }
        }
        if fails.is_empty() && errors.is_empty() {
            wrong("title", String::from("a mistake that breaks nothing is none"), "say in `fails` which checks it breaks");
        }
        if problems.is_empty() {
            return Ok(Self { id, mistake, fails, errors, steps_done, actions, tree });
        }
        Err(problems)
    }
}

impl FileChange {
    /// Makes the change, or says at which text and why it cannot be made.
    fn apply(&self, tree: &mut Tree) -> Result<(), (String, String)> {
        let file = &self.file;
        match (&self.find, &self.replace, &self.write, self.remove) {
            (Some(find), Some(replace), None, false) => {
                let Some(text) = tree.text(file) else {
                    return Err((file.clone(), format!("this state has no text file `{file}`")));
                };
                // An author writes the text on lines of its own; the line breaks around it are not part of it.
                let (find, replace) = (find.trim_matches('\n'), replace.trim_matches('\n'));
                match text.matches(find).count() {
                    1 => {
                        let changed = text.replacen(find, replace, 1);
                        tree.insert(file, changed.into_bytes());
                        Ok(())
                    }
                    count => {
                        let first = find.lines().next().unwrap_or_default().to_owned();
                        Err((first, format!("this text stands {count} times in `{file}`, and must stand once")))
                    }
                }
            }
            (None, None, Some(text), false) => {
                tree.insert(file, text.clone().into_bytes());
                Ok(())
            }
            (None, None, None, true) => {
                if tree.remove(file) {
                    Ok(())
                } else {
                    Err((file.clone(), format!("this state has no file `{file}`")))
                }
            }
            _ => Err((file.clone(), String::from("a change has `find` and `replace`, or `write`, or `remove = true`"))),
        }
    }
}

/// The ids of the checks that a name stands for, among the steps that are done.
fn checks_named(course: &Course, name: &str, steps_done: usize) -> Vec<String> {
    let path = format!("{}/{name}", course.id);
    let done = course.steps().take(steps_done);
    let all = |checks: &[crate::course::StepCheck]| checks.iter().map(|check| check.id.clone()).collect::<Vec<_>>();
    done.flat_map(|(lesson, step)| {
        if step.path == path || lesson.id == name {
            all(&step.checks)
        } else {
            all(&step.checks).into_iter().filter(|id| id == name).collect()
        }
    })
    .collect()
}

/// Where a text stands in the file, for the caret.
fn place_of(page: &Page, text: &str) -> Range<usize> {
    match page.text.find(text) {
        Some(start) if !text.is_empty() => start..start + text.len(),
        _ => 0..page.text.lines().next().map_or(0, str::len),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn change(toml: &str) -> FileChange {
        toml::from_str(toml).unwrap()
    }

    fn tree() -> Tree {
        [("a.rs", "one\ntwo\ntwo\n".as_bytes())].into_iter().collect()
    }

    #[test]
    fn a_change_is_made_where_its_text_stands_once() {
        let mut changed = tree();
        change("file = 'a.rs'\nfind = '''\none\n'''\nreplace = '''\nthree\n'''").apply(&mut changed).unwrap();
        assert_eq!(changed.text("a.rs"), Some("three\ntwo\ntwo\n"));
        let (at, message) = change("file = 'a.rs'\nfind = 'two'\nreplace = ''").apply(&mut tree()).unwrap_err();
        assert_eq!((at.as_str(), message.as_str()), ("two", "this text stands 2 times in `a.rs`, and must stand once"));
        assert!(change("file = 'b.rs'\nfind = 'two'\nreplace = ''").apply(&mut tree()).is_err());
    }

    #[test]
    fn what_is_done_outside_of_files_is_told_by_the_actions_name() {
        let text = "title = ''\ndiagnosis = ''\n[[actions.xray-create-group]]\nGroupName = 'cruddur'\n";
        let mistake: Mistake = toml::from_str(text).unwrap();
        assert_eq!(mistake.actions["xray-create-group"][0]["GroupName"], "cruddur");
        let undone: Mistake = toml::from_str("title = ''\ndiagnosis = ''\nactions = { xray-create-group = [] }").unwrap();
        assert_eq!(undone.actions["xray-create-group"], [Value::Null; 0]);
    }

    #[test]
    fn a_file_is_written_or_removed_and_nothing_else_is_a_change() {
        let mut changed = tree();
        change("file = 'b.rs'\nwrite = 'new'").apply(&mut changed).unwrap();
        change("file = 'a.rs'\nremove = true").apply(&mut changed).unwrap();
        assert_eq!(changed.paths().collect::<Vec<_>>(), ["b.rs"]);
        assert!(change("file = 'a.rs'\nremove = true").apply(&mut changed).is_err());
        for text in ["file = 'b.rs'", "file = 'b.rs'\nfind = 'x'", "file = 'b.rs'\nwrite = 'x'\nremove = true"] {
            assert!(change(text).apply(&mut changed).is_err(), "{text}");
        }
    }
}
