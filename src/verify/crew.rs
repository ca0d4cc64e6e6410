//! The running instances of the service that a plan needs: one as compose gives it, and one for each switch that is tried.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use url::Url;

use super::polling::Sink;
use super::probing::Bases;
use super::standing::{Held, LAST_LINES, Standing, tell_end, tell_hung};
use super::{Event, Plan, Stage, Subject, mask};
use crate::check::Probe;
use crate::facts::{Evidence, Secret, Source, SourceRecord};
use crate::lab::Lab;
use crate::service::{self, Build, Built, Compose, Environment, How, Instance, Launch, Output, ServiceError};

/// How long a service may take from its start to its first answer.
const START: Duration = Duration::from_secs(30);

/// How long a service that left a request unanswered is given to turn out to be ending.
const LAST_BREATH: Duration = Duration::from_millis(200);

/// A program with its arguments.
type Program = (PathBuf, Vec<String>);

/// What sets an instance apart, by its name.
type Settings = BTreeMap<String, BTreeMap<String, String>>;

/// Whose service it is, and what it is started with.
#[derive(Clone, Copy)]
pub struct Means<'r> {
    /// What the run needs of it.
    pub plan: &'r Plan,
    /// Whose it is.
    pub subject: &'r Subject,
    /// Where it sends its telemetry.
    pub lab: &'r Lab,
    /// What must not be shown.
    pub secrets: &'r [Secret],
    /// Who is told.
    pub sink: Sink<'r>,
}

/// The instances, by name; for one that did not come up, why.
#[derive(Default)]
pub struct Crew {
    default: Option<Held>,
    variants: BTreeMap<String, Result<Instance, String>>,
    /// Lines of the default instance's output that belong to earlier runs.
    earlier: Range<usize>,
}

/// The environment that the compose file gives the service.
pub fn composed(subject: &Subject) -> Result<Environment, ServiceError> {
    let manifest = &subject.manifest;
    let compose = Compose::load(&manifest.workspace, &manifest.compose_file())?;
    Ok(compose.resolve(&manifest.service.name, &subject.variables)?.into_environment())
}

/// What the service calls itself in its telemetry.
pub fn telemetry_name(environment: &Environment) -> Option<String> {
    environment.get("OTEL_SERVICE_NAME").map(str::to_owned).filter(|name| !name.trim().is_empty())
}

/// What was had before anything was started.
enum Had {
    /// A service answers already.
    Running(Box<Instance>),
    /// The service's program, and what compose gives it.
    Made(Environment, Program),
}

impl Crew {
    /// Builds the service and starts every instance that the probes need, or attaches to one that answers already. The process
    /// of an earlier run is ended meanwhile.
    pub async fn muster(means: Means<'_>, old: Option<Held>) -> Result<Self, ServiceError> {
        let Means { subject, sink, .. } = means;
        let settings = &subject.manifest.service;
        // What answers there is ours, and about to end.
        let is_ours = old.as_ref().is_some_and(|old| old.is_up() && *old.instance.url() == settings.url);
        // On Windows a program cannot be replaced while it runs. And what a process that has ended left behind must not be
        // taken for a service that answers already.
        let first_things_first = cfg!(windows) || !old.as_ref().is_some_and(Held::is_up);
        let ending = async {
            if let Some(old) = old {
                old.end(sink).await;
            }
        };
        let having = async {
            let environment = composed(subject)?;
            if !subject.any_port && !is_ours {
                let workspace = subject.manifest.workspace.clone();
                let left = tokio::task::spawn_blocking(move || service::end_what_was_left(&workspace)).await;
                if left.unwrap_or_default() {
                    sink(Event::Notice(String::from("a service that a killed `bootcamp` had left running was ended")));
                }
            }
            if !subject.any_port
                && !is_ours
                && let Some(instance) = service::attach(&settings.url, &settings.health).await?
            {
                return Ok(Had::Running(Box::new(instance)));
            }
            Ok(Had::Made(environment, built(subject, sink).await?))
        };
        let had: Result<Had, ServiceError> = if first_things_first {
            ending.await;
            having.await
        } else {
            tokio::join!(ending, having).1
        };
        match had? {
            Had::Running(instance) => {
                let url = instance.url().to_string();
                sink(Event::Notice(format!("a service answers at {url} already: it is used as it is")));
                sink(Event::ServiceReady { instance: Probe::DEFAULT_INSTANCE.to_owned(), url, after_ms: None });
                let held = Held { instance: *instance, program: None, lines_at_start: 0, is_end_told: false };
                Ok(Self { default: Some(held), ..Self::default() })
            }
            Had::Made(environment, program) => {
                let started = start(means, &environment, &program, all_instances(means.plan)).await?;
                Self::of(started, program, sink).await
            }
        }
    }

    /// Starts what the probes need beside the instance that is kept.
    pub async fn muster_variants(means: Means<'_>, kept: &Held) -> BTreeMap<String, Result<Instance, String>> {
        let mut wanted = all_instances(means.plan);
        wanted.remove(Probe::DEFAULT_INSTANCE);
        let Some(program) = kept.program.as_ref().filter(|_| !wanted.is_empty()) else { return BTreeMap::new() };
        let names: Vec<String> = wanted.keys().cloned().collect();
        let started = async { start(means, &composed(means.subject)?, program, wanted).await };
        match started.await {
            Ok(started) => {
                started.into_iter().map(|(name, started)| variant(name, started.map(|(instance, _)| instance))).collect()
            }
            Err(error) => names.into_iter().map(|name| (name.clone(), Err(absence(&name, &error)))).collect(),
        }
    }

    /// The instance that is kept, with those beside it. Of its output, what it printed since it came up belongs to earlier runs.
    pub fn around(kept: Option<Held>, variants: BTreeMap<String, Result<Instance, String>>) -> Self {
        let earlier = kept.as_ref().map_or(0..0, |held| held.lines_at_start..held.instance.output().count());
        Self { default: kept, variants, earlier }
    }

    /// Without its default instance there is no service; that a variant did not come up is told by its probes.
    async fn of(started: Vec<Started>, program: Program, sink: Sink<'_>) -> Result<Self, ServiceError> {
        let mut crew = Self::default();
        let mut trouble = None;
        for (name, started) in started {
            match started {
                Err(error) if name == Probe::DEFAULT_INSTANCE => trouble = Some(error),
                Ok((instance, lines_at_start)) if name == Probe::DEFAULT_INSTANCE => {
                    let program = Some(program.clone());
                    crew.default = Some(Held { instance, program, lines_at_start, is_end_told: false });
                }
                other => crew.variants.extend([variant(name, other.map(|(instance, _)| instance))]),
            }
        }
        match trouble {
            None => Ok(crew),
            Some(error) => {
                crew.stop(&BTreeSet::new(), None, sink).await;
                Err(error)
            }
        }
    }

    /// Notes what cannot be looked at with a service that was running already.
    pub fn excuse(&self, plan: &Plan, evidence: &mut Evidence) {
        if !self.default.as_ref().is_some_and(|held| held.instance.is_attached()) {
            return;
        }
        for (name, probe) in plan.probes.iter().filter(|(_, probe)| !probe.environment.is_empty()) {
            let reason =
                format!("the running service cannot be started again with {}; stop it and verify again", probe.instance());
            evidence.skipped_probes.insert(name.clone(), reason);
        }
        let skipped = Some(String::from("the service was running already, and its output is not ours to read"));
        evidence.sources.insert(Source::Output, SourceRecord { skipped, ..SourceRecord::default() });
    }

    /// Where each instance answers, or why it does not.
    pub fn bases(&self) -> Bases {
        let base = |instance: &Instance| instance.url().as_str().to_owned();
        let default = self.default.iter().map(|held| (Probe::DEFAULT_INSTANCE.to_owned(), Ok(base(&held.instance))));
        let variants =
            self.variants.iter().map(|(name, instance)| (name.clone(), instance.as_ref().map(base).map_err(Clone::clone)));
        default.chain(variants).collect()
    }

    /// What each instance prints in this run, of those that were started here.
    pub fn outputs(&self) -> BTreeMap<String, Output> {
        let own = self.default.as_ref().filter(|held| !held.instance.is_attached());
        let default = own.map(|held| (Probe::DEFAULT_INSTANCE.to_owned(), held.instance.output().without(self.earlier.clone())));
        let variants = self.variants.iter().filter_map(|(name, instance)| Some((name.clone(), instance.as_ref().ok()?.output())));
        default.into_iter().chain(variants).collect()
    }

    /// Whether all there is stays when the default instance does.
    pub fn is_alone(&self) -> bool {
        self.variants.is_empty()
    }

    /// Ends all instances at the same time, but for the default one where it is to go on standing. Of those that left a request
    /// unanswered it is told if they had ended by themselves.
    pub async fn stop(self, unanswered: &BTreeSet<String>, stays: Option<&mut Standing>, sink: Sink<'_>) {
        const WHEN: &str = "while it was verified";
        let mut leaving: Vec<(String, Instance)> =
            self.variants.into_iter().filter_map(|(name, instance)| Some((name, instance.ok()?))).collect();
        let breath = async |name: &str, instance: &Instance| {
            if unanswered.contains(name) {
                // A process that ends closes its connections a moment before it is gone.
                let _ = tokio::time::timeout(LAST_BREATH, instance.wait_exit()).await;
            }
        };
        let staying = match stays {
            Some(standing) => {
                standing.put(self.default);
                Some(standing)
            }
            None => {
                leaving.extend(self.default.map(|held| (Probe::DEFAULT_INSTANCE.to_owned(), held.instance)));
                None
            }
        };
        let stopping = join_all(leaving.into_iter().map(async |(name, mut instance)| {
            breath(&name, &instance).await;
            let stopped = instance.stop(Instance::GRACE).await;
            (name, stopped, instance.output().last(LAST_LINES))
        }));
        let standing = async {
            if let Some(standing) = staying {
                if let Some(held) = standing.up() {
                    breath(Probe::DEFAULT_INSTANCE, &held.instance).await;
                }
                standing.tell_end(WHEN, sink);
            }
        };
        let (stopped, ()) = tokio::join!(stopping, standing);
        for (name, stopped, last) in stopped.iter().filter(|(_, stopped, _)| stopped.how == How::AlreadyEnded) {
            tell_end(name, stopped.exit, last, WHEN, sink);
        }
        for (name, ..) in stopped.iter().filter(|(_, stopped, _)| stopped.hung()) {
            tell_hung(name, sink);
        }
    }

    /// Ends what does not stay at once, unasked: nobody waits for it any more.
    pub async fn abandon(self, standing: &mut Standing) {
        standing.put(self.default);
        let variants = self.variants;
        let _ = tokio::task::spawn_blocking(move || drop(variants)).await;
    }
}

/// An instance by its name, or why it could not be had; with how many lines it had printed when it answered.
type Started = (String, Result<(Instance, usize), ServiceError>);

fn variant(name: String, started: Result<Instance, ServiceError>) -> (String, Result<Instance, String>) {
    let started = started.map_err(|error| absence(&name, &error));
    (name, started)
}

fn absence(name: &str, error: &ServiceError) -> String {
    format!("the service did not come up with {name}: {error}")
}

/// The instances that the probes ask, with the variables that set each apart.
fn all_instances(plan: &Plan) -> Settings {
    let default = (Probe::DEFAULT_INSTANCE.to_owned(), BTreeMap::new());
    plan.probes.values().map(|probe| (probe.instance(), probe.environment.clone())).chain([default]).collect()
}

/// Builds the service, and says which program to start with which arguments.
async fn built(subject: &Subject, sink: Sink<'_>) -> Result<Program, ServiceError> {
    if let Some(program) = &subject.program {
        return Ok((program.clone(), Vec::new()));
    }
    let (build, start) = subject.manifest.plan()?;
    let built: Option<Built> = match build {
        Some(build) => {
            sink(Event::Stage(Stage::Building));
            let build = match &subject.target_dir {
                Some(folder) => build.into_dir(folder),
                None => build,
            };
            let build: Build = build.coloured(subject.colour);
            // A compiler quotes the line that it speaks of, with the key that stands there.
            let secrets = subject.secrets();
            let mut told = |line: &str| sink(Event::BuildLine(mask::known(line.to_owned(), &secrets)));
            Some(build.run(&subject.shell, &mut told).await?)
        }
        None => None,
    };
    start
        .program(built.as_ref())
        .ok_or_else(|| ServiceError::NoProgram { folder: subject.manifest.workspace.display().to_string() })
}

/// Starts instances at the same time, and waits until each answers.
async fn start(
    means: Means<'_>,
    environment: &Environment,
    program: &Program,
    wanted: Settings,
) -> Result<Vec<Started>, ServiceError> {
    let Means { subject, lab, sink, .. } = means;
    sink(Event::Stage(Stage::Starting));
    let settings = &subject.manifest.service;
    let mut launches = Vec::new();
    let mut taken = BTreeSet::new();
    for (name, variables) in wanted {
        // The learner's own address is the default instance's; what else there is takes any.
        let own_address = !subject.any_port && name == Probe::DEFAULT_INSTANCE;
        let url = if own_address { settings.url.clone() } else { free_url(&mut taken)? };
        let environment = equipped(environment.clone(), lab, &url, variables);
        let mut launch = Launch::new(&program.0, &subject.manifest.workspace, environment, &subject.shell, url);
        launch.args.clone_from(&program.1);
        launch.health.clone_from(&settings.health);
        launch.masked = means.secrets.to_vec();
        launch.is_named = own_address;
        launches.push((name, launch));
    }
    let started = launches.into_iter().map(async |(name, launch)| {
        let instance = launched(launch, &name, sink).await;
        (name, instance)
    });
    Ok(join_all(started).await)
}

async fn launched(launch: Launch, name: &str, sink: Sink<'_>) -> Result<(Instance, usize), ServiceError> {
    let instance = Instance::start(launch).await?;
    sink(Event::ServiceStarted { instance: name.to_owned(), output: instance.output() });
    let ready = instance.ready(START).await?;
    let lines = instance.output().count();
    sink(Event::ServiceReady {
        instance: name.to_owned(),
        url: instance.url().to_string(),
        after_ms: Some(u64::try_from(ready.after.as_millis()).unwrap_or(u64::MAX)),
    });
    Ok((instance, lines))
}

/// The variables of one instance: compose's, with the lab's endpoints, its own address, and what sets it apart.
fn equipped(mut environment: Environment, lab: &Lab, url: &Url, variables: BTreeMap<String, String>) -> Environment {
    lab.equip(&mut environment);
    environment.set("PORT", url.port_or_known_default().unwrap_or(80).to_string());
    environment.replace("BACKEND_URL", url.as_str().trim_end_matches('/'));
    for (name, value) in variables {
        environment.set(name, value);
    }
    environment
}

fn free_url(taken: &mut BTreeSet<u16>) -> Result<Url, ServiceError> {
    let failed = |reason: String| ServiceError::Address { url: String::from("http://127.0.0.1"), reason };
    for _ in 0..32 {
        let port = service::free_port().map_err(|error| failed(error.to_string()))?;
        if taken.insert(port) {
            return Url::parse(&format!("http://127.0.0.1:{port}")).map_err(|error| failed(error.to_string()));
        }
    }
    Err(failed(String::from("no free port was found")))
}
