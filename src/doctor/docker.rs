//! The Docker engine, compose, and the compose file.

use super::command::{self, Ran};
use super::{Area, DEADLINE, Finding, Setting, State, System};
use crate::facts::{Container, Trouble};
use crate::service::{Compose, Problem, Variables};
use crate::vendor::docker::{Client, Engine};

/// What was seen of Docker.
#[derive(Debug, Clone)]
pub(super) struct Docker {
    pub(super) engine: Result<Found, Trouble>,
    /// `docker compose version --short`.
    pub(super) plugin: Ran,
    /// `docker-compose version --short`.
    pub(super) standalone: Ran,
    pub(super) file: File,
}

/// Whether there is an engine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Found {
    /// Its version, where it says one.
    Engine(Option<String>),
    /// There is none, and the reason as one would say it.
    None(String),
}

/// The workspace's compose file.
#[derive(Debug, Clone)]
pub(super) enum File {
    /// There is no workspace.
    NotAsked,
    /// There is none yet.
    Absent(String),
    /// It can be read, and has these services.
    Read(String, Vec<String>),
    /// It is not as it should be.
    Broken(String, Problem),
}

/// Looks; also tells of the containers, as far as they can be seen.
pub(super) async fn look(setting: &Setting, variables: &Variables) -> (Docker, Vec<Container>) {
    let client = Client::new(setting.engine.clone()).with_deadline(DEADLINE);
    let engine = async {
        match client.engine().await {
            Ok(Engine::Absent(reason)) => (Ok(Found::None(reason)), Vec::new()),
            Err(trouble) => (Err(trouble), Vec::new()),
            Ok(Engine::Present) => {
                let (version, containers) = tokio::join!(client.version(), client.observe());
                (version.map(Found::Engine), containers.unwrap_or_default())
            }
        }
    };
    let run = |program: &'static str, args: &'static [&'static str]| {
        command::run(program, args, setting.place(), &setting.shell, DEADLINE)
    };
    let ((engine, containers), plugin, standalone) =
        tokio::join!(engine, run("docker", &["compose", "version", "--short"]), run("docker-compose", &["version", "--short"]),);
    (Docker { engine, plugin, standalone, file: file(setting, variables) }, containers)
}

fn file(setting: &Setting, variables: &Variables) -> File {
    let Some(manifest) = setting.workspace.manifest() else { return File::NotAsked };
    let name = manifest.service.compose.display().to_string();
    if !manifest.compose_file().exists() {
        return File::Absent(name);
    }
    let compose = match Compose::load(&manifest.workspace, &manifest.service.compose) {
        Ok(compose) => compose,
        Err(problem) => return File::Broken(name, problem),
    };
    match compose.resolve(&manifest.service.name, variables) {
        Ok(resolved) => File::Read(name, resolved.services),
        Err(problem) => File::Broken(name, problem),
    }
}

pub(super) fn judge(docker: &Docker, setting: &Setting) -> Vec<Finding> {
    let mut findings = vec![engine(&docker.engine, setting), compose(docker, setting)];
    findings.extend(compose_file(&docker.file));
    findings
}

fn engine(engine: &Result<Found, Trouble>, setting: &Setting) -> Finding {
    let finding = |state, told: String| Finding::new(Area::Docker, "engine", "engine", state, told);
    match engine {
        Ok(Found::Engine(version)) => {
            let version = version.as_deref().map(|version| format!("version {version} ")).unwrap_or_default();
            finding(State::Good, format!("{version}answers at {}", setting.engine))
        }
        Ok(Found::None(reason)) => {
            let (rest, state) = match setting.needs.container_steps() {
                Some(steps) => {
                    (format!("only {steps} look at containers; they are skipped, and all the rest goes without"), State::Warning)
                }
                None => (String::from("nothing of the course needs one"), State::Unknown),
            };
            finding(state, format!("{reason}: {rest}")).fix(how_to_get_docker(setting.system))
        }
        // There is one, and a check that asks it would end in an error.
        Err(trouble) => finding(State::Bad, trouble.cause.clone()).fix(trouble.remedy.clone()),
    }
}

fn compose(docker: &Docker, setting: &Setting) -> Finding {
    let finding = |state, told: String| Finding::new(Area::Docker, "compose", "compose", state, told);
    if let Some(version) = docker.plugin.said() {
        return finding(State::Good, format!("`docker compose`, version {}", version.trim_start_matches('v')));
    }
    if let Some(version) = docker.standalone.said() {
        let told =
            format!("`docker-compose`, version {}: where a lesson says `docker compose`, write it with the hyphen", version);
        return finding(State::Good, told);
    }
    if matches!(docker.engine, Ok(Found::None(_))) {
        return finding(State::Unknown, String::from("not looked for further: without an engine it has nothing to do"));
    }
    let told = match &docker.plugin {
        Ran::Missing => String::from("neither `docker` nor `docker-compose` is on your PATH"),
        Ran::Failed(why) => why.clone(),
        Ran::Ended { .. } => String::from("`docker` is there, and its plugin `compose` is not"),
    };
    finding(State::Warning, told).fix(match setting.system {
        System::Linux => {
            "install the plugin: `sudo apt install docker-compose-plugin` from Docker's packages, `docker-compose-v2` from Ubuntu's; \
             https://docs.docker.com/compose/install has the others"
        }
        System::Mac | System::Windows | System::Other => {
            "Docker Desktop has it: https://docs.docker.com/compose/install says how to get it without"
        }
    })
}

fn compose_file(file: &File) -> Option<Finding> {
    let finding = |name: &str, state, told: String| Finding::new(Area::Docker, "compose-file", name, state, told);
    Some(match file {
        File::NotAsked => return None,
        File::Absent(name) => finding(name, State::Unknown, String::from("not there yet: the lessons begin it")),
        File::Read(name, services) => finding(name, State::Good, format!("can be read; its services: {}", services.join(", "))),
        File::Broken(name, problem) => {
            let place = problem.place().map(|place| format!("{place}: ")).unwrap_or_default();
            let broken = finding(name, State::Bad, format!("{place}{problem}"));
            broken
                .fix(problem.help().unwrap_or("correct the file; `docker compose config` shows how compose reads it").to_owned())
        }
    })
}

fn how_to_get_docker(system: System) -> &'static str {
    match system {
        System::Linux => {
            "for those steps: start it (`sudo systemctl start docker`), or install Docker Engine: https://docs.docker.com/engine/install"
        }
        System::Mac | System::Windows | System::Other => {
            "for those steps: start Docker Desktop, or install it: https://docs.docker.com/get-started/get-docker"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::doctor::setting::tests::setting;

    fn docker(engine: Result<Found, Trouble>) -> Docker {
        Docker { engine, plugin: Ran::Missing, standalone: Ran::Missing, file: File::NotAsked }
    }

    fn said(text: &str) -> Ran {
        Ran::Ended { well: true, stdout: format!("{text}\n"), stderr: String::new() }
    }

    #[test]
    fn without_an_engine_only_what_looks_at_containers_is_lost() {
        let mut setting = setting();
        setting.needs.containers = vec![String::from("1.6"), String::from("3.4")];
        let findings = judge(&docker(Ok(Found::None(String::from("no Docker engine answers at /x")))), &setting);
        assert_eq!(findings[0].state, State::Warning);
        assert!(findings[0].told.contains("only steps 1.6 and 3.4 look at containers"), "{}", findings[0].told);
        assert!(findings[0].fix.as_ref().unwrap().contains("docs.docker.com"));
        assert_eq!(findings[1].state, State::Unknown);
        setting.needs.containers.clear();
        assert_eq!(engine(&Ok(Found::None(String::new())), &setting).state, State::Unknown);
    }

    #[test]
    fn an_engine_that_may_not_be_asked_is_bad_and_keeps_its_remedy() {
        let trouble = Trouble {
            cause: String::from("this user may not talk to the Docker engine"),
            remedy: String::from("`sudo usermod -aG docker $USER`"),
            passing: false,
            retry_after_ms: None,
        };
        let finding = engine(&Err(trouble.clone()), &setting());
        assert_eq!((finding.state, finding.fix), (State::Bad, Some(trouble.remedy)));
    }

    #[test]
    fn compose_comes_as_a_plugin_or_as_a_program() {
        let present = || docker(Ok(Found::Engine(Some(String::from("27.0")))));
        let compose = |docker: &Docker| super::compose(docker, &setting());
        assert_eq!(compose(&present()).state, State::Warning);
        let plugin = compose(&Docker { plugin: said("v2.27.1"), ..present() });
        assert_eq!((plugin.state, plugin.told.as_str()), (State::Good, "`docker compose`, version 2.27.1"));
        let program = compose(&Docker { standalone: said("1.29.2"), ..present() });
        assert!(program.state == State::Good && program.told.contains("hyphen"), "{program:?}");
        let no_plugin =
            Ran::Ended { well: false, stdout: String::new(), stderr: String::from("'compose' is not a docker command") };
        let finding = compose(&Docker { plugin: no_plugin, ..present() });
        assert!(finding.state == State::Warning && finding.told.contains("plugin"), "{finding:?}");
    }

    #[test]
    fn a_compose_file_is_read_as_the_service_would_have_it() {
        let folder = tempfile::tempdir().unwrap();
        let setting = crate::doctor::setting::tests::in_workspace(folder.path());
        let look = || compose_file(&super::file(&setting, &Variables::default())).unwrap();
        assert_eq!(look().state, State::Unknown);
        std::fs::write(folder.path().join("docker-compose.yml"), "services:\n  backend:\n    image: x\n  db:\n    image: y\n")
            .unwrap();
        assert_eq!((look().state, look().told.as_str()), (State::Good, "can be read; its services: backend, db"));
        std::fs::write(folder.path().join("docker-compose.yml"), "services:\n  backnd:\n    image: x\n").unwrap();
        let wrong = look();
        assert!(wrong.state == State::Bad && wrong.fix.as_ref().unwrap().contains("did you mean `backnd`"), "{wrong:?}");
        std::fs::write(folder.path().join("docker-compose.yml"), "services:\n  backend: [\n").unwrap();
        assert_eq!(look().state, State::Bad);
    }
}
