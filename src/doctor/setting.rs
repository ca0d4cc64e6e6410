use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Area, Finding, State};
use crate::check::Expect;
use crate::course::Course;
use crate::facts::Source;
use crate::service::{Manifest, Problem, Target};
use crate::vendor::docker;

/// What is looked at, and from where. Nothing is read from this process's own environment: the shell's variables are handed in.
#[derive(Debug, Clone)]
pub struct Setting {
    /// The folder that was started from.
    pub folder: PathBuf,
    /// The workspace around it.
    pub workspace: Workspace,
    /// Where the telemetry goes and is looked for.
    pub target: Target,
    /// The shell's variables.
    pub shell: BTreeMap<String, String>,
    /// What the course's steps rest on.
    pub needs: Needs,
    /// Where the Docker engine is.
    pub engine: docker::Host,
    /// Whose words the fixes are in.
    pub system: System,
}

impl Setting {
    /// The folder that matters: the workspace's, else the one that was started from.
    pub(super) fn place(&self) -> &Path {
        self.workspace.manifest().map_or(&self.folder, |manifest| &manifest.workspace)
    }
}

/// The workspace around a folder.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "there is one")]
pub enum Workspace {
    /// Its manifest.
    Found(Manifest),
    /// There is none.
    Missing,
    /// Its manifest is not as it should be.
    Broken(Problem),
}

impl Workspace {
    /// The manifest, where it can be read.
    #[must_use]
    pub fn manifest(&self) -> Option<&Manifest> {
        match self {
            Self::Found(manifest) => Some(manifest),
            Self::Missing | Self::Broken(_) => None,
        }
    }

    pub(super) fn finding(&self) -> Finding {
        let finding = |state, told: String| Finding::new(Area::Workspace, "manifest", Manifest::FILE, state, told);
        match self {
            Self::Found(manifest) => {
                let (course, target, folder) = (&manifest.course, manifest.target, manifest.workspace.display());
                finding(State::Good, format!("course `{course}`, target {target}, in {folder}"))
            }
            Self::Missing => {
                let told = "this folder is no workspace, nor is one above it: files, variables and vendors are not looked at";
                finding(State::Warning, told.to_owned()).fix("`bootcamp init cruddur` makes one; then `cd cruddur` and ask again")
            }
            Self::Broken(problem) => {
                let place = problem.place().map(|place| format!("{place}: ")).unwrap_or_default();
                let label = problem.label().map(|label| format!(" ({label})")).unwrap_or_default();
                let broken = finding(State::Bad, format!("{place}{problem}{label}"));
                broken.fix(problem.help().unwrap_or("correct the file; `bootcamp verify` shows the place").to_owned())
            }
        }
    }
}

/// What the steps of a course rest on, beside the service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Needs {
    /// The variables that checks demand, in the course's order, each with the number of the first step that does.
    pub variables: Vec<(String, String)>,
    /// The numbers of the steps that look at containers.
    pub containers: Vec<String>,
}

impl Needs {
    /// What a course needs.
    #[must_use]
    pub fn of(course: &Course) -> Self {
        let mut needs = Self::default();
        let mut known = BTreeSet::new();
        for (_, step) in course.steps() {
            for check in &step.checks {
                if let Expect::Variable(variable) = &check.check.expect
                    && known.insert(variable.name.clone())
                {
                    needs.variables.push((variable.name.clone(), step.number.clone()));
                }
                if check.check.expect.source() == Source::Docker && needs.containers.last() != Some(&step.number) {
                    needs.containers.push(step.number.clone());
                }
            }
        }
        needs
    }

    /// `steps 1.6 and 3.4`, as far as any needs containers.
    pub(super) fn container_steps(&self) -> Option<String> {
        let numbers = self.containers.as_slice();
        Some(match numbers {
            [] => return None,
            [only] => format!("step {only}"),
            [first @ .., last] => format!("steps {} and {last}", first.join(", ")),
        })
    }
}

/// The operating system, as far as advice differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum System {
    /// Any Linux.
    Linux,
    /// macOS.
    Mac,
    /// Windows.
    Windows,
    /// Another.
    Other,
}

impl System {
    /// The one that this program runs on.
    #[must_use]
    pub fn here() -> Self {
        match std::env::consts::OS {
            "linux" => Self::Linux,
            "macos" => Self::Mac,
            "windows" => Self::Windows,
            _ => Self::Other,
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A setting without a workspace, in which nothing is found.
    pub(in crate::doctor) fn setting() -> Setting {
        Setting {
            folder: PathBuf::from("/nowhere"),
            workspace: Workspace::Missing,
            target: Target::Sandbox,
            shell: BTreeMap::from([(String::from("PATH"), String::from("/nowhere"))]),
            needs: Needs::default(),
            engine: docker::Host::at("unix:///nowhere/docker.sock"),
            system: System::Linux,
        }
    }

    /// The same in a workspace with all at its defaults.
    pub(in crate::doctor) fn in_workspace(folder: &Path) -> Setting {
        Setting { folder: folder.to_owned(), workspace: Workspace::Found(Manifest::defaults(folder, "week2")), ..setting() }
    }

    #[test]
    fn a_missing_and_a_broken_workspace_say_what_to_do() {
        let missing = Workspace::Missing.finding();
        assert!(missing.state == State::Warning && missing.fix.unwrap().contains("bootcamp init"));
        let problem = Manifest::parse(Path::new("/w"), "course = \"week2\"\ntarget = \"moon\"\n").unwrap_err();
        let broken = Workspace::Broken(problem).finding();
        assert!(broken.state == State::Bad && broken.told.contains("bootcamp.toml:2") && broken.fix.is_some(), "{broken:?}");
    }

    #[test]
    fn the_course_says_what_it_rests_on() {
        let course = Course::load(&crate::course::Source::Embedded, "week2").unwrap();
        let needs = Needs::of(&course);
        let names: Vec<&str> = needs.variables.iter().map(|(name, _)| name.as_str()).collect();
        assert!(names.contains(&"HONEYCOMB_API_KEY") && names.contains(&"ROLLBAR_ACCESS_TOKEN"), "{names:?}");
        assert!(needs.container_steps().unwrap().starts_with("step"), "{needs:?}");
    }
}
