//! One run, from the build to the last verdict. Whatever happens on the way, each check is judged once and every process
//! that was started is ended.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;
use url::Url;

use super::asking::Asking;
use super::polling::{PlannedCheck, Sink, settle};
use super::probing::{self, Bases};
use super::{Clock, Closing, Event, Pace, Plan, Stage, acting};
use crate::check::Probe;
use crate::facts::{Evidence, Secret, Source, SourceRecord, Trouble};
use crate::lab::Lab;
use crate::service::{self, Build, Compose, Environment, Instance, Launch, Manifest, Output, ServiceError, Start, Variables};

/// How long a service may take from its start to its first answer.
const START: Duration = Duration::from_secs(30);

/// Whose service is verified, and how it is had.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The workspace and its settings.
    pub manifest: Manifest,
    /// The shell's variables and those of `.env`.
    pub variables: Variables,
    /// The shell's variables alone: what a build inherits.
    pub shell: BTreeMap<String, String>,
    /// Whether it listens on a free port, whatever `service.url` says: so for the reference, which nobody else looks at.
    pub any_port: bool,
    /// Where it is built, if not in its own folder.
    pub target_dir: Option<PathBuf>,
    /// Whether cargo may colour what it prints.
    pub colour: bool,
    /// Why checks of containers do not count where none of the project's is up; `None` where they do.
    pub containers_optional: Option<String>,
    /// Whether the steps' actions are performed first: so for the reference, whose learner is this program.
    pub acts: bool,
}

impl Subject {
    /// All values that must not be shown.
    #[must_use]
    pub fn secrets(&self) -> Vec<Secret> {
        let secret = |(name, variable): (&str, &service::Variable)| {
            crate::facts::Variable::is_secret(name).then(|| variable.value.clone())
        };
        self.variables.iter().filter_map(secret).collect()
    }
}

/// Verifies a plan against a service, and tells of everything through the sink. The closing event comes last.
pub async fn run(plan: &Plan, subject: &Subject, lab: &Lab, pace: Pace, stop: &CancellationToken, sink: Sink<'_>) -> Closing {
    let clock = Clock::start();
    sink(Event::Planned(plan.agenda.clone()));
    sink(Event::Stage(Stage::Preparing));
    let evidence = Mutex::new(Evidence {
        schema_version: Evidence::SCHEMA_VERSION,
        course: plan.agenda.course.clone(),
        target: plan.agenda.target.clone(),
        started_ms: clock.started_ms(),
        // A compose file that cannot be read is told of when the service is to be started.
        service: composed(subject).ok().and_then(|environment| telemetry_name(&environment)),
        workspace: Some(subject.manifest.workspace.display().to_string()),
        ..Evidence::default()
    });
    if subject.acts
        && let Err(trouble) = acting::perform(&plan.actions, lab).await
    {
        sink(Event::Notice(format!(
            "what the steps do outside of files could not be done: {}; {}",
            trouble.cause, trouble.remedy
        )));
    }
    let secrets = subject.secrets();
    let run_nonce = probing::fresh_run_nonce();
    let asking = |outputs: BTreeMap<String, Output>| Asking {
        lab,
        wants: &plan.wants,
        folder: subject.manifest.workspace.clone(),
        variables: &subject.variables,
        secrets: &secrets,
        outputs,
        run_nonce: run_nonce.clone(),
        clock,
        containers_optional: subject.containers_optional.clone(),
    };
    // What rests on no probe is settled while the service is built and started.
    let (alone, probed): (Vec<PlannedCheck>, Vec<PlannedCheck>) =
        plan.checks.iter().cloned().partition(|planned| planned.check.probe.is_none());
    let early = asking(BTreeMap::new());
    let mut crew = Crew::default();
    let (_, ()) = tokio::join!(settle(&alone, &early, &evidence, pace, clock, stop, sink), async {
        if !plan.probes.is_empty() {
            crew = start(plan, subject, lab, &secrets, &evidence, stop, sink).await;
        }
    });

    if !probed.is_empty() && !stop.is_cancelled() {
        sink(Event::Stage(Stage::Probing));
        probe(plan, &crew, &evidence, &run_nonce, clock, sink).await;
        sink(Event::Stage(Stage::Collecting));
        let asking = asking(crew.outputs());
        settle(&probed, &asking, &evidence, pace, clock, stop, sink).await;
    }

    sink(Event::Stage(Stage::Stopping));
    crew.stop(sink).await;
    let closing = Closing { evidence: evidence.into_inner(), took_ms: clock.elapsed_ms(), interrupted: stop.is_cancelled() };
    sink(Event::Finished(Box::new(closing.clone())));
    closing
}

/// The running instances of the service, by name.
#[derive(Default)]
struct Crew {
    instances: BTreeMap<String, Result<Instance, String>>,
}

impl Crew {
    fn bases(&self) -> Bases {
        self.instances
            .iter()
            .map(|(name, instance)| {
                let base = instance.as_ref().map(|instance| instance.url().as_str().to_owned()).map_err(Clone::clone);
                (name.clone(), base)
            })
            .collect()
    }

    fn outputs(&self) -> BTreeMap<String, Output> {
        let own = |(name, instance): (&String, &Result<Instance, String>)| {
            let instance = instance.as_ref().ok().filter(|instance| !instance.is_attached())?;
            Some((name.clone(), instance.output()))
        };
        self.instances.iter().filter_map(own).collect()
    }

    async fn stop(self, sink: Sink<'_>) {
        let stopped = self.instances.into_iter().filter_map(|(name, instance)| Some((name, instance.ok()?))).map(
            async |(name, mut instance)| {
                let stopped = instance.stop(Instance::GRACE).await;
                (name, stopped)
            },
        );
        for (name, stopped) in join_all(stopped).await {
            if stopped.hung() {
                sink(Event::Notice(format!(
                    "the service ({name}) did not end within {} s of being asked to, and was killed: telemetry that it still held is lost",
                    Instance::GRACE.as_secs()
                )));
            }
        }
    }
}

/// Builds the service and starts every instance that the probes need, or attaches to one that answers already.
#[allow(clippy::too_many_arguments)]
async fn start(
    plan: &Plan,
    subject: &Subject,
    lab: &Lab,
    secrets: &[Secret],
    evidence: &Mutex<Evidence>,
    stop: &CancellationToken,
    sink: Sink<'_>,
) -> Crew {
    let had = tokio::select! {
        () = stop.cancelled() => return Crew::default(),
        had = have(plan, subject, lab, secrets, evidence, sink) => had,
    };
    match had {
        Ok(crew) => crew,
        Err(error) => {
            let trouble = Trouble::from(&error);
            let cause = error.to_string();
            evidence.lock().await.service_trouble = Some(Trouble { cause: cause.clone(), ..trouble.clone() });
            sink(Event::ServiceFailed { cause, remedy: trouble.remedy, output: error.last_output().to_vec() });
            Crew::default()
        }
    }
}

/// What the service calls itself in its telemetry.
fn telemetry_name(environment: &Environment) -> Option<String> {
    environment.get("OTEL_SERVICE_NAME").map(str::to_owned).filter(|name| !name.trim().is_empty())
}

/// The environment that the compose file gives the service.
fn composed(subject: &Subject) -> Result<Environment, ServiceError> {
    let manifest = &subject.manifest;
    let compose = Compose::load(&manifest.workspace, &manifest.compose_file())?;
    Ok(compose.resolve(&manifest.service.name, &subject.variables)?.into_environment())
}

async fn have(
    plan: &Plan,
    subject: &Subject,
    lab: &Lab,
    secrets: &[Secret],
    evidence: &Mutex<Evidence>,
    sink: Sink<'_>,
) -> Result<Crew, ServiceError> {
    let manifest = &subject.manifest;
    let environment = composed(subject)?;

    if !subject.any_port
        && let Some(instance) = service::attach(&manifest.service.url, &manifest.service.health).await?
    {
        return Ok(attached(plan, instance, evidence, sink).await);
    }

    let (build, start) = manifest.plan()?;
    let executable = match build {
        Some(build) => built(build, subject, sink).await?,
        None => None,
    };
    let (program, args) = match start {
        Start::Command(command) => {
            let mut words = command.into_iter();
            (PathBuf::from(words.next().unwrap_or_default()), words.collect())
        }
        Start::Built => match executable {
            Some(executable) => (executable, Vec::new()),
            None => return Err(ServiceError::NoProgram { folder: manifest.workspace.display().to_string() }),
        },
    };

    sink(Event::Stage(Stage::Starting));
    let variants: BTreeMap<String, BTreeMap<String, String>> = plan
        .probes
        .values()
        .map(|probe| (probe.instance(), probe.environment.clone()))
        .chain([(Probe::DEFAULT_INSTANCE.to_owned(), BTreeMap::new())])
        .collect();
    let mut launches = Vec::new();
    let mut taken = BTreeSet::new();
    for (name, variables) in variants {
        let own_port = !subject.any_port && name == Probe::DEFAULT_INSTANCE;
        let url = if own_port { manifest.service.url.clone() } else { free_url(&mut taken)? };
        let environment = equipped(environment.clone(), lab, &url, variables);
        let mut launch = Launch::new(&program, &manifest.workspace, environment, &subject.shell, url);
        launch.args.clone_from(&args);
        launch.health.clone_from(&manifest.service.health);
        launch.masked = secrets.to_vec();
        launches.push((name, launch));
    }
    let started = join_all(launches.into_iter().map(|(name, launch)| async move {
        let instance = launched(launch, &name, sink).await;
        (name, instance)
    }))
    .await;
    let mut crew = Crew::default();
    let mut trouble = None;
    for (name, instance) in started {
        match instance {
            Ok(instance) => {
                crew.instances.insert(name, Ok(instance));
            }
            // Without its default instance there is no service; a variant's failure is told by its probes.
            Err(error) if name == Probe::DEFAULT_INSTANCE => trouble = Some(error),
            Err(error) => {
                crew.instances.insert(name.clone(), Err(format!("the service did not come up with {name}: {error}")));
            }
        }
    }
    match trouble {
        None => Ok(crew),
        Some(error) => {
            crew.stop(sink).await;
            Err(error)
        }
    }
}

async fn attached(plan: &Plan, instance: Instance, evidence: &Mutex<Evidence>, sink: Sink<'_>) -> Crew {
    sink(Event::ServiceReady { instance: Probe::DEFAULT_INSTANCE.to_owned(), url: instance.url().to_string(), after_ms: None });
    sink(Event::Notice(format!("a service answers at {} already: it is used as it is", instance.url())));
    let mut evidence = evidence.lock().await;
    for (name, probe) in plan.probes.iter().filter(|(_, probe)| !probe.environment.is_empty()) {
        let reason = format!("the running service cannot be started again with {}; stop it and verify again", probe.instance());
        evidence.skipped_probes.insert(name.clone(), reason);
    }
    let skipped = Some(String::from("the service was running already, and its output is not ours to read"));
    evidence.sources.insert(Source::Output, SourceRecord { skipped, ..SourceRecord::default() });
    Crew { instances: BTreeMap::from([(Probe::DEFAULT_INSTANCE.to_owned(), Ok(instance))]) }
}

async fn built(build: Build, subject: &Subject, sink: Sink<'_>) -> Result<Option<PathBuf>, ServiceError> {
    sink(Event::Stage(Stage::Building));
    let build = match &subject.target_dir {
        Some(folder) => build.into_dir(folder),
        None => build,
    };
    let mut on_line = |line: &str| sink(Event::BuildLine(line.to_owned()));
    Ok(build.coloured(subject.colour).run(&subject.shell, &mut on_line).await?.executable)
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

async fn probe(plan: &Plan, crew: &Crew, evidence: &Mutex<Evidence>, run_nonce: &str, clock: Clock, sink: Sink<'_>) {
    let probes: BTreeMap<String, Probe> = {
        let evidence = evidence.lock().await;
        if evidence.service_trouble.is_some() {
            return;
        }
        let skipped = &evidence.skipped_probes;
        plan.probes
            .iter()
            .filter(|(name, _)| !skipped.contains_key(*name))
            .map(|(name, probe)| (name.clone(), probe.clone()))
            .collect()
    };
    let http = match crate::vendor::http_client() {
        Ok(http) => http,
        Err(trouble) => {
            evidence.lock().await.service_trouble = Some(trouble);
            return;
        }
    };
    let records = probing::send(&http, &probes, &crew.bases(), run_nonce, clock).await;
    for (name, record) in &records {
        let (status, latency_ms) = match &record.answer {
            Ok(exchange) => (Some(exchange.status), exchange.latency_ms),
            Err(_) => (None, 0.0),
        };
        sink(Event::Probed { probe: name.clone(), status, latency_ms });
    }
    evidence.lock().await.probes = records;
}
