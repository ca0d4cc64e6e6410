//! Honeycomb's API, as its reference describes it: `/1/auth`, `/1/datasets`, `/1/columns`, `/1/queries` and
//! `/1/query_results`.
//!
//! With a key and a plan that allow queries, the very spans of this run are read back ([`Level::Exact`]). Without, the
//! datasets and columns tell when they were last written ([`Level::Fresh`]).

mod access;
mod query;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future;
use http::StatusCode;
use serde::Deserialize;
use tokio::sync::{Mutex, OnceCell};

pub use access::Access;

use super::api::{Api, Reply};
use super::{HONEYCOMB, Rung, Stop, transport};
use crate::facts::{Dataset, Level, Secret, Span, TraceId, Trouble};

/// Where Honeycomb is, unless the team lives in the EU (`https://api.eu1.honeycomb.io`).
pub const ENDPOINT: &str = "https://api.honeycomb.io";

/// Query Data allows 10 results a minute; this leaves room for one more who watches.
const BETWEEN_QUERIES: Duration = Duration::from_millis(6_500);

/// Between looks at datasets and columns.
const BETWEEN_LOOKS: Duration = Duration::from_secs(2);

/// How often a query is asked in one round while columns come.
const MOST_TRIES: u32 = 4;

/// Of how many datasets the columns are looked at: the service's own, then those written last.
const MOST_DATASETS: usize = 5;

/// What one round wants to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The service's telemetry name, which is its dataset's.
    pub service: Option<String>,
    /// The traces that the probes began.
    pub trace_ids: Vec<TraceId>,
    /// What all nonces of the run begin with: finds requests that went on under another trace. Empty for none.
    pub nonce: String,
    /// The attribute columns that checks want.
    pub columns: Vec<String>,
    /// When the run began, in Unix milliseconds.
    pub since_ms: i64,
}

/// What one round saw.
#[derive(Debug, Clone, PartialEq)]
pub struct Sightings {
    /// How strong it is. `spans` are only seen at [`Level::Exact`], `columns` only at [`Level::Fresh`].
    pub level: Level,
    /// The spans of the asked-for traces, and those that mention the nonce.
    pub spans: Vec<Span>,
    /// All datasets of the environment.
    pub datasets: Vec<Dataset>,
    /// By dataset (its name) and column: when it was last written, in Unix milliseconds.
    pub columns: BTreeMap<String, BTreeMap<String, i64>>,
}

/// A client for one environment.
#[derive(Debug)]
pub struct Client {
    api: Api,
    loopback: bool,
    access: OnceCell<Access>,
    /// Set once a query was refused: the plan does not change within a run.
    no_queries: AtomicBool,
    /// The names of the columns that were seen: columns come and stay.
    known: Mutex<BTreeSet<String>>,
    /// The last query's specification and id: asked again, it need not be created again.
    query: Mutex<Option<(serde_json::Value, String)>>,
}

/// A column of a dataset.
#[derive(Debug, Clone)]
struct Column {
    name: String,
    last_written_ms: Option<i64>,
}

#[derive(Deserialize)]
struct DatasetWire {
    name: String,
    slug: String,
    #[serde(default)]
    last_written_at: Option<String>,
}

#[derive(Deserialize)]
struct ColumnWire {
    key_name: String,
    #[serde(default)]
    last_written: Option<String>,
}

impl Client {
    /// A client that reads with a configuration key. Nothing is sent yet.
    #[must_use]
    pub fn new(http: reqwest::Client, endpoint: &str, key: Secret) -> Self {
        Self {
            api: Api::new(HONEYCOMB, http, endpoint, "x-honeycomb-team", key),
            loopback: transport::is_loopback(endpoint),
            access: OnceCell::new(),
            no_queries: AtomicBool::new(false),
            known: Mutex::default(),
            query: Mutex::default(),
        }
    }

    /// The same client with another deadline for each request.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.api.deadline = deadline;
        self
    }

    /// The least time between two rounds that the vendor's limits allow: none for an endpoint on this machine.
    #[must_use]
    pub fn min_interval(&self) -> Duration {
        match (self.loopback, self.level()) {
            (true, _) => Duration::ZERO,
            (false, Level::Exact) => BETWEEN_QUERIES,
            (false, Level::Fresh) => BETWEEN_LOOKS,
        }
    }

    /// How strong the evidence can be, as far as is known: exact until the key or the plan turns out not to allow it.
    #[must_use]
    pub fn level(&self) -> Level {
        let refused = self.no_queries.load(Ordering::Relaxed) || self.access.get().is_some_and(|access| !access.may_query());
        if refused { Level::Fresh } else { Level::Exact }
    }

    /// What the key may do. Asked once.
    ///
    /// # Errors
    /// When the key is refused, or Honeycomb cannot be asked.
    pub async fn access(&self) -> Result<&Access, Trouble> {
        self.access
            .get_or_try_init(|| async {
                let reply = self.api.get(&["1", "auth"], &[]).await?;
                match reply.status {
                    StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Err(access::refused_key(reply.status.as_u16())),
                    _ => Ok(Access::parse(&self.api.read(&reply)?)),
                }
            })
            .await
    }

    /// Lists the datasets and the newest one's columns, as the checks do, to see how far the key gets. Says what came back.
    ///
    /// # Errors
    /// The first rung that the key does not reach, and why.
    pub async fn try_out(&self) -> Result<String, Stop> {
        let access = self.access().await.map_err(Rung::Authenticated.stops())?;
        access.must_read().map_err(Rung::Allowed.stops())?;
        let datasets = self.datasets().await.map_err(Rung::ReadBack.stops())?;
        let Some(newest) = nearby(&datasets, None).first().copied() else {
            return Ok(String::from("no dataset yet: the first span makes one"));
        };
        let columns = self.columns(newest).await.map_err(Rung::ReadBack.stops())?.len();
        Ok(format!("datasets: {}, the newest of them `{}` with {columns} columns", datasets.len(), newest.name))
    }

    /// Looks once, with as few requests as the question allows.
    ///
    /// # Errors
    /// When we could not look.
    pub async fn observe(&self, question: &Question) -> Result<Sightings, Trouble> {
        let access = self.access().await?;
        access.must_read()?;
        let datasets = self.datasets().await?;
        let near = nearby(&datasets, question.service.as_deref());
        if self.level() == Level::Exact {
            let known = self.known(&near, question).await?;
            let scope = if access.is_classic() {
                near.first().map(|dataset| (dataset.slug.as_str(), Some(dataset.name.as_str())))
            } else {
                Some((query::WHOLE_ENVIRONMENT, None))
            };
            match self.whole_spans(question, known, &near, scope).await? {
                Some(spans) => return Ok(Sightings { level: Level::Exact, spans, datasets, columns: BTreeMap::new() }),
                None => self.no_queries.store(true, Ordering::Relaxed),
            }
        }
        let columns = future::try_join_all(near.iter().map(|dataset| self.columns(dataset))).await?;
        let written = |columns: &[Column]| {
            columns.iter().filter_map(|column| Some((column.name.clone(), column.last_written_ms?))).collect::<BTreeMap<_, _>>()
        };
        let columns = near.iter().zip(&columns).map(|(dataset, columns)| (dataset.name.clone(), written(columns))).collect();
        Ok(Sightings { level: Level::Fresh, spans: Vec::new(), datasets, columns })
    }

    /// The spans, with all the columns that they came with; `None` when the key or the plan does not allow queries.
    ///
    /// A batch may arrive between the list of columns and the query, and bring columns that the query does not name. A span of
    /// it would look as if it had no parent, or lacked an attribute that it has: so where columns were missing, the list is read
    /// again after the query, and the query is asked again when a column has come.
    async fn whole_spans(
        &self,
        question: &Question,
        mut known: BTreeSet<String>,
        near: &[&Dataset],
        scope: Option<(&str, Option<&str>)>,
    ) -> Result<Option<Vec<Span>>, Trouble> {
        let mut tries = 0;
        loop {
            let spans = self.spans(question, &known, scope).await?;
            tries += 1;
            if tries == MOST_TRIES || spans.as_ref().is_none_or(Vec::is_empty) || query::is_enough(&known, question) {
                return Ok(spans);
            }
            let grown = self.known(near, question).await?;
            if grown.len() == known.len() {
                return Ok(spans);
            }
            known = grown;
        }
    }

    async fn datasets(&self) -> Result<Vec<Dataset>, Trouble> {
        let reply = self.api.get(&["1", "datasets"], &[]).await?;
        if let Some(trouble) = denied(&reply, "list datasets", "Create Datasets") {
            return Err(trouble);
        }
        let found: Vec<DatasetWire> = self.api.read(&reply)?;
        Ok(found
            .into_iter()
            .map(|dataset| Dataset {
                name: dataset.name,
                slug: dataset.slug,
                last_written_ms: dataset.last_written_at.as_deref().and_then(unix_ms),
            })
            .collect())
    }

    /// The names of the columns that there are. Read again until none is missing that a query would name.
    async fn known(&self, datasets: &[&Dataset], question: &Question) -> Result<BTreeSet<String>, Trouble> {
        let mut known = self.known.lock().await;
        if !query::is_enough(&known, question) {
            let columns = future::try_join_all(datasets.iter().map(|dataset| self.columns(dataset))).await?;
            known.extend(columns.into_iter().flatten().map(|column| column.name));
        }
        Ok(known.clone())
    }

    /// The columns of a dataset.
    async fn columns(&self, dataset: &Dataset) -> Result<Vec<Column>, Trouble> {
        let reply = self.api.get(&["1", "columns", &dataset.slug], &[]).await?;
        if reply.status == StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        if let Some(trouble) = denied(&reply, "list columns", "Manage Queries and Columns") {
            return Err(trouble);
        }
        let found: Vec<ColumnWire> = self.api.read(&reply)?;
        Ok(found
            .into_iter()
            .map(|column| Column { last_written_ms: column.last_written.as_deref().and_then(unix_ms), name: column.key_name })
            .collect())
    }
}

/// A refusal of something for which the key needs a permission.
fn denied(reply: &Reply, what: &str, permission: &str) -> Option<Trouble> {
    matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN)
        .then(|| access::lacks(&format!("{what} ({})", reply.status.as_u16()), permission))
}

/// The datasets whose columns matter: the service's own first, then those that were written last.
fn nearby<'a>(datasets: &'a [Dataset], service: Option<&str>) -> Vec<&'a Dataset> {
    let is_own = |dataset: &Dataset| service.is_some_and(|service| dataset.name == service.trim());
    let mut sorted: Vec<&Dataset> = datasets.iter().collect();
    sorted.sort_by_key(|dataset| (!is_own(dataset), std::cmp::Reverse(dataset.last_written_ms)));
    sorted.truncate(MOST_DATASETS);
    sorted
}

/// A time of the API in Unix milliseconds.
fn unix_ms(text: &str) -> Option<i64> {
    let parsed = text.parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond);
    // Some answers leave the zone out; they mean UTC.
    parsed.or_else(|| Some(format!("{text}Z").parse::<jiff::Timestamp>().ok()?.as_millisecond()))
}
