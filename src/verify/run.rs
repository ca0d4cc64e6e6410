//! One run, from the build to the last verdict. Whatever happens on the way, each check is judged once and every process
//! that was started is ended, but for the one that is to go on standing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::asking::Asking;
use super::crew::{self, Crew, Means};
use super::diagnosing::{self, Unmet};
use super::polling::{PlannedCheck, Settling, Sink};
use super::probing;
use super::standing::{Renewal, Standing};
use super::{Clock, Closing, Event, Pace, Plan, Stage, acting, mask};
use crate::check::{Probe, Wants};
use crate::facts::{Evidence, Secret, Variable};
use crate::lab::Lab;
use crate::service::{self, Environment, Manifest, Output, Variables};

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
    /// The program, where it is built already.
    pub program: Option<PathBuf>,
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
    let tenure = Tenure { standing: &mut Standing::default(), renewal: Renewal::Rebuild, stays: false };
    conduct(tenure, plan, subject, lab, pace, stop, sink).await
}

/// Verifies a plan as [`run`] does, and leaves the service's default instance standing; the plan may be without probes. The
/// process that stood there before is kept or replaced, as `renewal` says; one that was not started here is never ended.
///
/// Cancelled, it returns at once: a build is ended with all its processes, a service that did not answer yet too, and one that
/// did goes on standing. Dropped, nothing is left.
#[allow(clippy::too_many_arguments)]
pub async fn run_on(
    standing: &mut Standing,
    renewal: Renewal,
    plan: &Plan,
    subject: &Subject,
    lab: &Lab,
    pace: Pace,
    stop: &CancellationToken,
    sink: Sink<'_>,
) -> Closing {
    conduct(Tenure { standing, renewal, stays: true }, plan, subject, lab, pace, stop, sink).await
}

/// What becomes of the service's default instance.
struct Tenure<'s> {
    standing: &'s mut Standing,
    renewal: Renewal,
    /// Whether it goes on running when the run is over.
    stays: bool,
}

async fn conduct(
    mut tenure: Tenure<'_>,
    plan: &Plan,
    subject: &Subject,
    lab: &Lab,
    pace: Pace,
    stop: &CancellationToken,
    sink: Sink<'_>,
) -> Closing {
    let clock = Clock::start();
    let unmet = Unmet::default();
    let told = |event: Event| {
        unmet.absorb(&event);
        sink(event);
    };
    let (outer, sink): (Sink<'_>, Sink<'_>) = (sink, &told);
    sink(Event::Planned(plan.agenda.clone()));
    sink(Event::Stage(Stage::Preparing));
    // A compose file that cannot be read is told of when the service is to be started.
    let composed = crew::composed(subject).ok();
    let evidence = Mutex::new(Evidence {
        schema_version: Evidence::SCHEMA_VERSION,
        course: plan.agenda.course.clone(),
        target: plan.agenda.target.clone(),
        started_ms: clock.started_ms(),
        service: composed.as_ref().and_then(crew::telemetry_name),
        composed: composed.as_ref().map(|environment| composed_variables(&plan.wants, environment, &subject.manifest)),
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

    // What rests on no probe is settled while the service is built, started and probed.
    let (alone, probed): (Vec<PlannedCheck>, Vec<PlannedCheck>) =
        plan.checks.iter().cloned().partition(|planned| planned.check.probe.is_none());
    let early = asking(BTreeMap::new());
    let means = Means { plan, subject, lab, secrets: &secrets, sink };
    let with_service = async {
        // For checks alone a service is not worth its while, unless somebody wants to see it.
        let crew =
            if plan.probes.is_empty() && !tenure.stays { Crew::default() } else { muster(means, &mut tenure, &settling).await };
        let last = asking(crew.outputs());
        if !probed.is_empty() && !stop.is_cancelled() {
            sink(Event::Stage(Stage::Probing));
            probe(plan, &crew, &run_nonce, &settling).await;
        }
        if !probed.is_empty() && !stop.is_cancelled() {
            sink(Event::Stage(Stage::Collecting));
            settling.settle(&probed, &last).await;
        }
        (crew, last)
    };
    let ((crew, last), ()) = tokio::join!(with_service, settling.settle(&alone, &early));

    if !tenure.stays || !crew.is_alone() {
        sink(Event::Stage(Stage::Stopping));
    }
    let unanswered: BTreeSet<String> = {
        let evidence = evidence.lock().await;
        let silent = evidence.probes.values().filter(|probe| probe.answer.is_err());
        silent.map(|probe| probe.instance.clone()).collect()
    };
    match tenure {
        Tenure { standing, stays: true, .. } if stop.is_cancelled() => crew.abandon(standing).await,
        Tenure { standing, stays, .. } => crew.stop(&unanswered, stays.then_some(standing), sink).await,
    }
    if !stop.is_cancelled() {
        diagnosing::look(&unmet, &last, &evidence, clock).await;
    }
    let evidence = evidence.into_inner();
    if !stop.is_cancelled() {
        diagnosing::explain(plan, &unmet, &evidence, outer);
    }
    let closing = Closing { evidence, took_ms: clock.elapsed_ms(), interrupted: stop.is_cancelled() };
    sink(Event::Finished(Box::new(closing.clone())));
    closing
}

/// What compose gives the service, as far as a rule asks about it.
fn composed_variables(wants: &Wants, environment: &Environment, manifest: &Manifest) -> BTreeMap<String, Variable> {
    let origin = manifest.service.compose.display().to_string();
    let asked = environment.iter().filter(|(name, _)| wants.composed.contains(*name));
    Variable::all(&asked.map(|(name, value)| (name, value, origin.clone())).collect::<Vec<_>>())
}

/// Has the service's instances, or notes why they could not be had: that fails the checks, not the run.
async fn muster(means: Means<'_>, tenure: &mut Tenure<'_>, settling: &Settling<'_>) -> Crew {
    let Settling { evidence, stop, sink, .. } = settling;
    let Means { plan, secrets, .. } = means;
    let standing = &mut *tenure.standing;
    if tenure.renewal == Renewal::Keep {
        standing.tell_end("since it was verified", *sink);
    }
    let mustered = match standing.up() {
        Some(kept) if tenure.renewal == Renewal::Keep => {
            let variants = tokio::select! {
                () = stop.cancelled() => return Crew::default(),
                variants = Crew::muster_variants(means, kept) => variants,
            };
            let url = kept.instance.url().to_string();
            sink(Event::ServiceReady { instance: Probe::DEFAULT_INSTANCE.to_owned(), url, after_ms: None });
            Ok(Crew::around(standing.take(), variants))
        }
        _ => {
            let old = standing.take();
            tokio::select! {
                () = stop.cancelled() => return Crew::default(),
                mustered = Crew::muster(means, old) => mustered,
            }
        }
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
                output: error.last_output().iter().map(|line| mask::known(line.clone(), secrets)).collect(),
            });
            let mut evidence = evidence.lock().await;
            evidence.service_trouble = Some(trouble);
            let lines = error.last_output().iter().map(|line| mask::text(line, secrets)).collect();
            evidence.output.insert(Probe::DEFAULT_INSTANCE.to_owned(), lines);
            Crew::default()
        }
    }
}

/// Sends every probe once and keeps what came back.
async fn probe(plan: &Plan, crew: &Crew, run_nonce: &str, settling: &Settling<'_>) {
    let Settling { evidence, clock, sink, stop, .. } = settling;
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
    let bases = crew.bases();
    let records = tokio::select! {
        () = stop.cancelled() => return,
        records = probing::send(&http, &probes, &bases, run_nonce, *clock) => records,
    };
    for (name, record) in &records {
        let (status, latency_ms) = match &record.answer {
            Ok(exchange) => (Some(exchange.status), exchange.latency_ms),
            Err(_) => (None, 0.0),
        };
        sink(Event::Probed { probe: name.clone(), status, latency_ms });
    }
    evidence.lock().await.probes = records;
}
