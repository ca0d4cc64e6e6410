//! One run, from the build to the last verdict. Whatever happens on the way, each check is judged once and every process
//! that was started is ended.

use std::collections::BTreeMap;
use std::path::PathBuf;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::asking::Asking;
use super::crew::{self, Crew};
use super::polling::{PlannedCheck, Settling, Sink};
use super::probing;
use super::{Clock, Closing, Event, Pace, Plan, Stage, acting};
use crate::check::Probe;
use crate::facts::{Evidence, Secret};
use crate::lab::Lab;
use crate::service::{self, Manifest, Output, Variables};

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
        service: crew::composed(subject).ok().and_then(|environment| crew::telemetry_name(&environment)),
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
    let settling = Settling { evidence: &evidence, pace, clock, stop, sink };

    // What rests on no probe is settled while the service is built and started.
    let (alone, probed): (Vec<PlannedCheck>, Vec<PlannedCheck>) =
        plan.checks.iter().cloned().partition(|planned| planned.check.probe.is_none());
    let early = asking(BTreeMap::new());
    let (crew, ()) = tokio::join!(
        async { if plan.probes.is_empty() { Crew::default() } else { muster(plan, subject, lab, &secrets, &settling).await } },
        settling.settle(&alone, &early),
    );

    if !probed.is_empty() && !stop.is_cancelled() {
        sink(Event::Stage(Stage::Probing));
        probe(plan, &crew, &run_nonce, &settling).await;
        sink(Event::Stage(Stage::Collecting));
        settling.settle(&probed, &asking(crew.outputs())).await;
    }

    sink(Event::Stage(Stage::Stopping));
    let evidence = evidence.into_inner();
    let unanswered = evidence.probes.values().filter(|probe| probe.answer.is_err()).map(|probe| probe.instance.clone());
    crew.stop(&unanswered.collect(), sink).await;
    let closing = Closing { evidence, took_ms: clock.elapsed_ms(), interrupted: stop.is_cancelled() };
    sink(Event::Finished(Box::new(closing.clone())));
    closing
}

/// Has the service's instances, or notes why they could not be had: that fails the checks, not the run.
async fn muster(plan: &Plan, subject: &Subject, lab: &Lab, secrets: &[Secret], settling: &Settling<'_>) -> Crew {
    let Settling { evidence, stop, sink, .. } = settling;
    let mustered = tokio::select! {
        () = stop.cancelled() => return Crew::default(),
        mustered = Crew::muster(plan, subject, lab, secrets, *sink) => mustered,
    };
    match mustered {
        Ok(crew) => {
            crew.excuse(plan, &mut *evidence.lock().await);
            crew
        }
        Err(error) => {
            let trouble = crate::facts::Trouble { cause: error.to_string(), remedy: error.remedy(), ..(&error).into() };
            sink(Event::ServiceFailed {
                cause: trouble.cause.clone(),
                remedy: trouble.remedy.clone(),
                output: error.last_output().to_vec(),
            });
            evidence.lock().await.service_trouble = Some(trouble);
            Crew::default()
        }
    }
}

/// Sends every probe once and keeps what came back.
async fn probe(plan: &Plan, crew: &Crew, run_nonce: &str, settling: &Settling<'_>) {
    let Settling { evidence, clock, sink, .. } = settling;
    let probes: BTreeMap<String, Probe> = {
        let evidence = evidence.lock().await;
        if evidence.service_trouble.is_some() {
            return;
        }
        let skipped = &evidence.skipped_probes;
        let wanted = plan.probes.iter().filter(|(name, _)| !skipped.contains_key(*name));
        wanted.map(|(name, probe)| (name.clone(), probe.clone())).collect()
    };
    let http = match crate::vendor::http_client() {
        Ok(http) => http,
        Err(trouble) => {
            evidence.lock().await.service_trouble = Some(trouble);
            return;
        }
    };
    let records = probing::send(&http, &probes, &crew.bases(), run_nonce, *clock).await;
    for (name, record) in &records {
        let (status, latency_ms) = match &record.answer {
            Ok(exchange) => (Some(exchange.status), exchange.latency_ms),
            Err(_) => (None, 0.0),
        };
        sink(Event::Probed { probe: name.clone(), status, latency_ms });
    }
    evidence.lock().await.probes = records;
}
