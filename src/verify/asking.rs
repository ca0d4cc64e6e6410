//! The sources of a run: what each is asked for, and how its answer becomes evidence.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use tokio::sync::Mutex;

use super::polling::Ask;
use super::{Clock, mask, searching};
use crate::check::Wants;
use crate::facts::{Container, Evidence, Secret, Sighting, Source, TraceId, Trouble, Variable};
use crate::lab::Lab;
use crate::service::{Output, Variables};
use crate::vendor::docker::Engine;
use crate::vendor::{cloudwatch, honeycomb, rollbar, xray};

/// No file of a workspace that a check reads is longer.
const LONGEST_FILE: u64 = 1024 * 1024;

/// Everything that the run's sources need to be asked.
pub struct Asking<'r> {
    /// The vendors' clients.
    pub lab: &'r Lab,
    /// What the checks want.
    pub wants: &'r Wants,
    /// The workspace.
    pub folder: PathBuf,
    /// The shell's variables and those of `.env`.
    pub variables: &'r Variables,
    /// What must not be shown.
    pub secrets: &'r [Secret],
    /// What each instance of the service prints; empty for one that was running already.
    pub outputs: BTreeMap<String, Output>,
    /// What all nonces of the run begin with.
    pub run_nonce: String,
    /// The run's clock.
    pub clock: Clock,
    /// Set where the project's containers are nobody's duty: why their checks do not count.
    pub containers_optional: Option<String>,
}

impl Ask for Asking<'_> {
    async fn ask(&self, source: Source, evidence: &Mutex<Evidence>) -> Result<(), Trouble> {
        match source {
            Source::Files => self.files(evidence).await,
            Source::Environment => self.environment(evidence).await,
            // The answers are in the evidence already: the probes put them there.
            Source::Http => Ok(()),
            Source::Output => self.output(evidence).await,
            Source::Docker => self.docker(evidence).await,
            Source::Honeycomb => self.honeycomb(evidence).await,
            Source::Xray => self.xray(evidence).await,
            Source::CloudWatch => self.cloudwatch(evidence).await,
            Source::Rollbar => self.rollbar(evidence).await,
        }
    }

    fn interval(&self, source: Source) -> Duration {
        self.lab.interval(source)
    }
}

impl Asking<'_> {
    async fn files(&self, evidence: &Mutex<Evidence>) -> Result<(), Trouble> {
        let mut files = BTreeMap::new();
        for name in &self.wants.files {
            let path = self.folder.join(name);
            let text = match tokio::fs::metadata(&path).await {
                Ok(found) if found.len() > LONGEST_FILE => {
                    return Err(unreadable(name, &format!("it is longer than {} KiB", LONGEST_FILE / 1024)));
                }
                Ok(_) => match tokio::fs::read(&path).await {
                    Ok(bytes) => Some(mask::text(&String::from_utf8_lossy(&bytes), self.secrets)),
                    Err(error) => return Err(unreadable(name, &error.to_string())),
                },
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
                Err(error) => return Err(unreadable(name, &error.to_string())),
            };
            files.insert(name.clone(), text);
        }
        let (folder, searches, secrets) = (self.folder.clone(), self.wants.searches.clone(), self.secrets.to_vec());
        let found = tokio::task::spawn_blocking(move || searching::search(&folder, &searches, &secrets)).await;
        let mut evidence = evidence.lock().await;
        evidence.files = files;
        evidence.found = found.unwrap_or_default();
        Ok(())
    }

    async fn environment(&self, evidence: &Mutex<Evidence>) -> Result<(), Trouble> {
        let found = self.wants.variables.iter().filter_map(|name| {
            let variable = self.variables.get(name)?;
            Some((name.as_str(), variable.value.expose(), variable.origin.to_string()))
        });
        let found = Variable::all(&found.collect::<Vec<_>>());
        evidence.lock().await.variables = found;
        Ok(())
    }

    async fn output(&self, evidence: &Mutex<Evidence>) -> Result<(), Trouble> {
        // Over what is there: of a service that did not build, or ended at once, it is all that was seen.
        let lines = self.outputs.iter().map(|(instance, output)| (instance.clone(), output.lines()));
        evidence.lock().await.output.extend(lines);
        Ok(())
    }

    async fn docker(&self, evidence: &Mutex<Evidence>) -> Result<(), Trouble> {
        let docker = self.lab.docker();
        let found = match docker.engine().await? {
            Engine::Absent(reason) => Err(reason),
            Engine::Present => Ok(docker.observe().await?),
        };
        let mut evidence = evidence.lock().await;
        let workspace = evidence.workspace.clone();
        let record = evidence.sources.entry(Source::Docker).or_default();
        match found {
            Err(reason) => record.skipped = Some(reason),
            Ok(mut containers) => {
                if let Some(workspace) = &workspace {
                    containers.iter_mut().for_each(|container| recognise(container, workspace));
                }
                let ours = containers.iter().any(|container| container.folder.is_some() && container.folder == workspace);
                if !ours {
                    record.skipped.clone_from(&self.containers_optional);
                }
                evidence.containers = containers;
            }
        }
        Ok(())
    }

    async fn honeycomb(&self, evidence: &Mutex<Evidence>) -> Result<(), Trouble> {
        let (trace_ids, service, since_ms) = self.context(evidence).await;
        let question = honeycomb::Question {
            service,
            trace_ids,
            nonce: self.run_nonce.clone(),
            columns: self.wants.columns.iter().cloned().collect(),
            since_ms,
        };
        let seen = self.lab.honeycomb()?.observe(&question).await;
        let rejections = self.lab.rejections(since_ms).await;
        let seen_ms = self.clock.now_ms();
        let mut evidence = evidence.lock().await;
        evidence.rejections = rejections;
        let seen = seen?;
        evidence.sources.entry(Source::Honeycomb).or_default().level = seen.level;
        evidence.datasets = seen.datasets;
        evidence.columns = seen.columns;
        sight(&mut evidence.spans, seen.spans, seen_ms, |span| (span.trace_id.clone(), span.span_id.clone()));
        Ok(())
    }

    async fn xray(&self, evidence: &Mutex<Evidence>) -> Result<(), Trouble> {
        let (trace_ids, _, since_ms) = self.context(evidence).await;
        let question = xray::Question {
            trace_ids,
            nonce: self.run_nonce.clone(),
            since_ms,
            traces: self.wants.traces,
            groups: self.wants.trace_groups,
            rules: self.wants.sampling_rules,
            graph: self.wants.service_graph,
            filters: self.wants.filters.iter().cloned().collect(),
        };
        let seen = self.lab.xray()?.observe(&question).await;
        let rejections = self.lab.rejections(since_ms).await;
        let seen_ms = self.clock.now_ms();
        let mut evidence = evidence.lock().await;
        evidence.rejections = rejections;
        let seen = seen?;
        sight(&mut evidence.segments, seen.segments, seen_ms, |segment| (segment.trace_id.clone(), segment.id.clone()));
        evidence.trace_groups = seen.groups;
        evidence.sampling_rules = seen.rules;
        evidence.service_nodes = seen.nodes;
        evidence.filtered_traces = seen.filtered;
        Ok(())
    }

    async fn cloudwatch(&self, evidence: &Mutex<Evidence>) -> Result<(), Trouble> {
        let (_, _, since_ms) = self.context(evidence).await;
        let groups = self.wants.log_groups.iter().cloned().collect();
        let question = cloudwatch::Question { groups, since_ms, nonce: self.run_nonce.clone() };
        let seen = self.lab.cloudwatch()?.observe(&question).await;
        let rejections = self.lab.rejections(since_ms).await;
        let seen_ms = self.clock.now_ms();
        let mut evidence = evidence.lock().await;
        evidence.rejections = rejections;
        let seen = seen?;
        evidence.log_groups = seen.groups;
        sight(&mut evidence.log_events, seen.events, seen_ms, |event| {
            (event.stream.clone(), event.timestamp_ms, event.ingestion_ms, event.message.clone())
        });
        Ok(())
    }

    async fn rollbar(&self, evidence: &Mutex<Evidence>) -> Result<(), Trouble> {
        let (_, _, since_ms) = self.context(evidence).await;
        let seen = self.lab.rollbar()?.observe(&rollbar::Question { since_ms }).await;
        let rejections = self.lab.rejections(since_ms).await;
        let seen_ms = self.clock.now_ms();
        let mut evidence = evidence.lock().await;
        evidence.rejections = rejections;
        sight(&mut evidence.error_items, seen?.items, seen_ms, |item| item.occurrence_id);
        Ok(())
    }

    async fn context(&self, evidence: &Mutex<Evidence>) -> (Vec<TraceId>, Option<String>, i64) {
        let evidence = evidence.lock().await;
        let mut trace_ids: Vec<TraceId> = evidence.probes.values().map(|probe| probe.trace_id).collect();
        trace_ids.sort_unstable();
        trace_ids.dedup();
        (trace_ids, evidence.service.clone(), evidence.started_ms)
    }
}

/// Compose and we may have come to the workspace by different paths, a symbolic link say; it is one folder all the same.
fn recognise(container: &mut Container, workspace: &str) {
    let Some(folder) = &mut container.folder else { return };
    if folder != workspace
        && let (Ok(theirs), Ok(ours)) = (std::fs::canonicalize(&folder), std::fs::canonicalize(workspace))
        && theirs == ours
    {
        *folder = workspace.to_owned();
    }
}

fn unreadable(name: &str, cause: &str) -> Trouble {
    Trouble {
        cause: format!("`{name}` cannot be read: {cause}"),
        remedy: String::from("make it a plain file that you may read"),
        passing: false,
        retry_after_ms: None,
    }
}

/// Adds what is new, and brings up to date what has changed; each thing keeps the time of its last change.
fn sight<T: PartialEq, K: PartialEq>(known: &mut Vec<Sighting<T>>, seen: Vec<T>, seen_ms: i64, key: impl Fn(&T) -> K) {
    for fact in seen {
        match known.iter_mut().find(|sighting| key(&sighting.fact) == key(&fact)) {
            Some(sighting) if sighting.fact != fact => *sighting = Sighting { seen_ms, fact },
            Some(_) => {}
            None => known.push(Sighting { seen_ms, fact }),
        }
    }
}
