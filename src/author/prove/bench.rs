//! Where states of a service are built, one after another, and verified, several at a time.
//!
//! All states are built in one working folder, which is rewritten for each: cargo then compiles what has changed, and two
//! packages of one name never meet in a target folder. The program is set aside at once, so that the next build may begin while
//! this one is verified. States with the same sources share a program.

use std::collections::{BTreeMap, HashMap};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Mutex, Semaphore};
use tokio_util::sync::CancellationToken;

use super::engine::Engine;
use crate::author::mistake::Contained;
use crate::check::Outcome;
use crate::facts::Evidence;
use crate::lab::Lab;
use crate::sandbox::store::Place;
use crate::sandbox::{Ports, Sandbox, Settings};
use crate::service::{Build, BuildError, Manifest, Profile, Variables};
use crate::solution::Tree;
use crate::vendor::docker;
use crate::verify::{Diagnosed, Event, Pace, Plan, Subject};

/// How many verifications run at a time: they mostly wait.
const AT_ONCE: usize = 5;

/// One state to be verified.
#[derive(Debug, Clone, Default)]
pub struct Job {
    /// Names its folder.
    pub id: String,
    /// The workspace.
    pub tree: Tree,
    /// Variables of the shell that the service is started from.
    pub shell: BTreeMap<String, String>,
    /// What differs in the containers from the compose file.
    pub containers: BTreeMap<String, Contained>,
}

/// What came of it.
#[derive(Debug, Clone, Default)]
pub struct Seen {
    /// How each check ended, by id.
    pub outcomes: BTreeMap<String, Outcome>,
    /// The rules that were named for a check that is not met, the likeliest first.
    pub diagnoses: BTreeMap<String, Vec<String>>,
    /// What was seen.
    pub evidence: Evidence,
}

/// Why a state could not be verified at all.
#[derive(Debug, thiserror::Error)]
pub enum BenchError {
    /// A folder or a file.
    #[error("cannot write beneath `{folder}`: {source}; free some space, or make it writable")]
    Folder {
        /// The folder.
        folder: String,
        /// Why.
        source: std::io::Error,
    },
    /// The workspace's manifest or variables.
    #[error("the state `{state}` is no workspace: {problem}")]
    Workspace {
        /// Which.
        state: String,
        /// Why.
        problem: String,
    },
    /// The sandbox or the stand-in for Docker.
    #[error("nothing can be listened on: {0}")]
    Listen(String),
}

/// A program that was set aside. It is removed when nobody needs it any more.
struct Program(PathBuf);

impl Drop for Program {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

/// A program that further jobs will want.
#[derive(Default)]
struct Kept {
    program: Option<Arc<Program>>,
    wanted: usize,
}

/// Builds and verifies.
pub struct Bench {
    root: PathBuf,
    /// The author's own shell, without what the course's services could read from it.
    shell: BTreeMap<String, String>,
    pace: Pace,
    stop: CancellationToken,
    building: Mutex<()>,
    programs: StdMutex<HashMap<u64, Kept>>,
    verifying: Semaphore,
}

impl Bench {
    /// A workbench in this folder, which is made. Every source is waited for as long as `patience` says.
    #[must_use]
    pub fn new(root: PathBuf, shell: &BTreeMap<String, String>, patience: Duration, stop: CancellationToken) -> Self {
        let tools = shell.iter().filter(|(name, _)| is_a_tools(name)).map(|(name, value)| (name.clone(), value.clone()));
        // A hundred builds of one crate, each a little different: whatever CI says, here it pays to keep what was compiled.
        let shell = tools.chain([(String::from("CARGO_INCREMENTAL"), String::from("1"))]).collect();
        Self {
            root,
            shell,
            pace: Pace { deadline: patience, ..Pace::SANDBOX },
            stop,
            building: Mutex::new(()),
            programs: StdMutex::new(HashMap::new()),
            verifying: Semaphore::new(AT_ONCE),
        }
    }

    /// Tells which jobs will come, so that a program is kept for those that share it, and no longer.
    pub fn announce<'j>(&self, jobs: impl IntoIterator<Item = &'j Job>) {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        for job in jobs {
            programs.entry(fingerprint(&job.tree)).or_default().wanted += 1;
        }
    }

    /// The program for a job, if it is there.
    fn known(&self, sources: u64) -> Option<Arc<Program>> {
        let mut programs = self.programs.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = programs.get_mut(&sources)?;
        let program = kept.program.clone()?;
        kept.wanted = kept.wanted.saturating_sub(1);
        if kept.wanted == 0 {
            kept.program = None;
        }
        Some(program)
    }

    /// Builds a state, and verifies it against a sandbox of its own. `tell` hears what is going on.
    ///
    /// # Errors
    /// When it could not be verified; that a service does not build or start is what a verification tells.
    pub async fn verify(&self, job: &Job, plan: &Plan, tell: &(dyn Fn(&str) + Send + Sync)) -> Result<Seen, BenchError> {
        let folder = self.root.join("workspaces").join(&job.id);
        job.tree.lay_in(&folder).map_err(failed(&folder))?;
        let built = self.program(job, tell).await?;
        let _turn = self.verifying.acquire().await;
        tell("verifying");
        let seen = match &built {
            Ok(program) => self.run(job, &folder, Some(&program.0), plan).await,
            // What cargo says of it is shown and explained as a learner would have it.
            Err(work) => {
                let _alone = self.building.lock().await;
                job.tree.lay_in(work).map_err(failed(work))?;
                self.run(job, work, None, plan).await
            }
        };
        let _ = std::fs::remove_dir_all(&folder);
        seen
    }

    /// The program of a state, built where no state with the same sources has one; or the folder in which it does not build.
    async fn program(&self, job: &Job, tell: &(dyn Fn(&str) + Send + Sync)) -> Result<Result<Arc<Program>, PathBuf>, BenchError> {
        let sources = fingerprint(&job.tree);
        let work = self.root.join("work");
        let _alone = self.building.lock().await;
        if let Some(program) = self.known(sources) {
            return Ok(Ok(program));
        }
        tell("building");
        job.tree.lay_in(&work).map_err(failed(&work))?;
        if !work.join("Cargo.toml").is_file() {
            return Ok(Err(work));
        }
        let build = Build::cargo(&work, Profile::Dev).into_dir(self.target());
        let mut unheard = |_: &str| {};
        let built = tokio::select! {
            () = self.stop.cancelled() => return Ok(Err(work)),
            built = build.run(&self.shell, &mut unheard) => built,
        };
        let executable = match built {
            Ok(built) => built.executable,
            Err(BuildError::Start { source, .. }) => return Err(failed(&work)(source)),
            Err(_) => None,
        };
        let Some(executable) = executable else { return Ok(Err(work)) };
        let aside = self.root.join("programs");
        std::fs::create_dir_all(&aside).map_err(failed(&aside))?;
        let path = aside.join(format!("{sources:016x}"));
        std::fs::copy(&executable, &path).map_err(failed(&path))?;
        let program = Arc::new(Program(path));
        self.programs.lock().unwrap_or_else(PoisonError::into_inner).entry(sources).or_default().program =
            Some(Arc::clone(&program));
        let _ = self.known(sources);
        Ok(Ok(program))
    }

    fn target(&self) -> PathBuf {
        self.root.join("target")
    }

    async fn run(&self, job: &Job, folder: &Path, program: Option<&Path>, plan: &Plan) -> Result<Seen, BenchError> {
        let none = |problem: String| BenchError::Workspace { state: job.id.clone(), problem };
        let manifest = Manifest::load(&folder.join(Manifest::FILE)).map_err(|problem| none(problem.to_string()))?;
        let mut shell = self.shell.clone();
        shell.extend(job.shell.clone());
        let variables =
            Variables::load(&manifest.compose_folder(), shell.clone()).map_err(|problem| none(problem.to_string()))?;
        let engine =
            Engine::bind(&manifest, &variables, &job.containers).await.map_err(|error| BenchError::Listen(error.to_string()))?;
        let settings = Settings { place: Place::Memory, ports: Ports::free(), ..Settings::default() };
        let sandbox = Sandbox::bind(settings).await.map_err(|error| BenchError::Listen(error.to_string()))?;
        let lab = Lab::own(sandbox, docker::Client::new(engine.host()));
        let subject = Subject {
            manifest,
            variables,
            shell,
            any_port: true,
            target_dir: Some(self.target()),
            program: program.map(Path::to_owned),
            colour: false,
            containers_optional: None,
            acts: true,
        };
        let heard = StdMutex::new(Seen::default());
        let listen = |event: Event| {
            let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
            match event {
                Event::Judged(judgement) => drop(heard.outcomes.insert(judgement.check, judgement.outcome)),
                Event::Diagnosed(all) => heard.diagnoses.extend(all.into_iter().map(|Diagnosed { check, diagnoses }| {
                    (check, diagnoses.into_iter().map(|diagnosis| diagnosis.id).collect())
                })),
                _ => {}
            }
        };
        let closing = crate::verify::run(plan, &subject, &lab, self.pace, &self.stop, &listen).await;
        lab.stop().await;
        let heard = heard.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(Seen { evidence: closing.evidence, ..heard })
    }
}

/// Whether a variable of the author's shell is there for tools, and no setting of a service.
fn is_a_tools(name: &str) -> bool {
    const TOOLS: [&str; 12] = [
        "PATH",
        "HOME",
        "USER",
        "TMPDIR",
        "TEMP",
        "TMP",
        "LANG",
        "TERM",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "HTTPS_PROXY",
        "https_proxy",
    ];
    TOOLS.contains(&name) || name.starts_with("CARGO") || name.starts_with("RUST")
}

/// What a program is made of: two states with the same build to the same program.
fn fingerprint(tree: &Tree) -> u64 {
    let mut hasher = DefaultHasher::new();
    let goes_in = |path: &str| {
        path.starts_with("src/") || path.starts_with(".cargo/") || ["Cargo.toml", "Cargo.lock", "build.rs"].contains(&path)
    };
    tree.iter().filter(|(path, _)| goes_in(path)).for_each(|file| file.hash(&mut hasher));
    hasher.finish()
}

fn failed(folder: &Path) -> impl FnOnce(std::io::Error) -> BenchError {
    let folder = folder.display().to_string();
    move |source| BenchError::Folder { folder, source }
}
