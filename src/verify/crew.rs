//! The running instances of the service that a plan needs: one as compose gives it, and one for each switch that is tried.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use url::Url;

use super::polling::Sink;
use super::probing::Bases;
use super::{Event, Plan, Stage, Subject};
use crate::check::Probe;
use crate::facts::{Evidence, Secret, Source, SourceRecord};
use crate::lab::Lab;
use crate::service::{self, Build, Built, Compose, Environment, How, Instance, Launch, Output, ServiceError};

/// How long a service may take from its start to its first answer.
const START: Duration = Duration::from_secs(30);

/// How long a service that left a request unanswered is given to turn out to be ending.
const LAST_BREATH: Duration = Duration::from_millis(200);

/// The instances, by name; for one that did not come up, why.
#[derive(Default)]
pub struct Crew {
    instances: BTreeMap<String, Result<Instance, String>>,
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

impl Crew {
    /// Builds the service and starts every instance that the probes need, or attaches to one that answers already.
    pub async fn muster(
        plan: &Plan,
        subject: &Subject,
        lab: &Lab,
        secrets: &[Secret],
        sink: Sink<'_>,
    ) -> Result<Self, ServiceError> {
        let environment = composed(subject)?;
        let settings = &subject.manifest.service;
        if !subject.any_port
            && let Some(instance) = service::attach(&settings.url, &settings.health).await?
        {
            let url = instance.url().to_string();
            sink(Event::Notice(format!("a service answers at {url} already: it is used as it is")));
            sink(Event::ServiceReady { instance: Probe::DEFAULT_INSTANCE.to_owned(), url, after_ms: None });
            return Ok(Self { instances: BTreeMap::from([(Probe::DEFAULT_INSTANCE.to_owned(), Ok(instance))]) });
        }
        let (program, args) = built(subject, sink).await?;
        sink(Event::Stage(Stage::Starting));
        let mut launches = Vec::new();
        let mut taken = BTreeSet::new();
        for (name, variables) in variants(plan) {
            // The learner's own address is the default instance's; what else there is takes any.
            let own_address = !subject.any_port && name == Probe::DEFAULT_INSTANCE;
            let url = if own_address { settings.url.clone() } else { free_url(&mut taken)? };
            let environment = equipped(environment.clone(), lab, &url, variables);
            let mut launch = Launch::new(&program, &subject.manifest.workspace, environment, &subject.shell, url);
            launch.args.clone_from(&args);
            launch.health.clone_from(&settings.health);
            launch.masked = secrets.to_vec();
            launches.push((name, launch));
        }
        let started = join_all(launches.into_iter().map(async |(name, launch)| {
            let instance = launched(launch, &name, sink).await;
            (name, instance)
        }))
        .await;
        Self::of(started, sink).await
    }

    /// Without its default instance there is no service; that a variant did not come up is told by its probes.
    async fn of(started: Vec<(String, Result<Instance, ServiceError>)>, sink: Sink<'_>) -> Result<Self, ServiceError> {
        let mut crew = Self::default();
        let mut trouble = None;
        for (name, instance) in started {
            match instance {
                Err(error) if name == Probe::DEFAULT_INSTANCE => trouble = Some(error),
                Err(error) => {
                    let reason = format!("the service did not come up with {name}: {error}");
                    crew.instances.insert(name, Err(reason));
                }
                Ok(instance) => {
                    crew.instances.insert(name, Ok(instance));
                }
            }
        }
        match trouble {
            None => Ok(crew),
            Some(error) => {
                crew.stop(&BTreeSet::new(), sink).await;
                Err(error)
            }
        }
    }

    /// Notes what cannot be looked at with a service that was running already.
    pub fn excuse(&self, plan: &Plan, evidence: &mut Evidence) {
        let attached = |instance: &Result<Instance, String>| instance.as_ref().is_ok_and(Instance::is_attached);
        if !self.instances.values().any(attached) {
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
        self.instances
            .iter()
            .map(|(name, instance)| {
                let base = instance.as_ref().map(|instance| instance.url().as_str().to_owned()).map_err(Clone::clone);
                (name.clone(), base)
            })
            .collect()
    }

    /// What each instance prints, of those that were started here.
    pub fn outputs(&self) -> BTreeMap<String, Output> {
        let own = |(name, instance): (&String, &Result<Instance, String>)| {
            let instance = instance.as_ref().ok().filter(|instance| !instance.is_attached())?;
            Some((name.clone(), instance.output()))
        };
        self.instances.iter().filter_map(own).collect()
    }

    /// Ends all instances at the same time. Of those that left a request unanswered it is told if they had ended by themselves.
    pub async fn stop(self, unanswered: &BTreeSet<String>, sink: Sink<'_>) {
        let running = self.instances.into_iter().filter_map(|(name, instance)| Some((name, instance.ok()?)));
        let stopped = join_all(running.map(async |(name, mut instance)| {
            if unanswered.contains(&name) {
                // A process that ends closes its connections a moment before it is gone.
                let _ = tokio::time::timeout(LAST_BREATH, instance.wait_exit()).await;
            }
            let stopped = instance.stop(Instance::GRACE).await;
            (name, stopped, instance.output().last(4))
        }))
        .await;
        for (name, stopped, last) in stopped.iter().filter(|(_, stopped, _)| stopped.how == How::AlreadyEnded) {
            let exit = stopped.exit.map_or_else(String::new, |exit| format!(" with {exit}"));
            let lines: Vec<_> = last.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
            let last = if lines.is_empty() { String::new() } else { format!("; it printed last: `{}`", lines.join("`, `")) };
            sink(Event::Notice(format!("the service ({name}) ended by itself{exit} while it was verified{last}")));
        }
        for (name, ..) in stopped.iter().filter(|(_, stopped, _)| stopped.hung()) {
            sink(Event::Notice(format!(
                "the service ({name}) did not end within {} s of being asked to, and was killed: telemetry that it still held is lost",
                Instance::GRACE.as_secs()
            )));
        }
    }
}

/// The instances that the probes ask, with the variables that set each apart.
fn variants(plan: &Plan) -> BTreeMap<String, BTreeMap<String, String>> {
    let default = (Probe::DEFAULT_INSTANCE.to_owned(), BTreeMap::new());
    plan.probes.values().map(|probe| (probe.instance(), probe.environment.clone())).chain([default]).collect()
}

/// Builds the service, and says which program to start with which arguments.
async fn built(subject: &Subject, sink: Sink<'_>) -> Result<(PathBuf, Vec<String>), ServiceError> {
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
            Some(build.run(&subject.shell, &mut |line| sink(Event::BuildLine(line.to_owned()))).await?)
        }
        None => None,
    };
    start
        .program(built.as_ref())
        .ok_or_else(|| ServiceError::NoProgram { folder: subject.manifest.workspace.display().to_string() })
}

async fn launched(launch: Launch, name: &str, sink: Sink<'_>) -> Result<Instance, ServiceError> {
    let instance = Instance::start(launch).await?;
    let ready = instance.ready(START).await?;
    sink(Event::ServiceReady {
        instance: name.to_owned(),
        url: instance.url().to_string(),
        after_ms: Some(u64::try_from(ready.after.as_millis()).unwrap_or(u64::MAX)),
    });
    Ok(instance)
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
