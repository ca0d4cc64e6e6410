//! AWS X-Ray, through AWS's own SDK: traces by id, groups, sampling rules, the service graph, filter expressions.

mod create;
mod read;
#[cfg(test)]
mod tests;

pub use create::Put;

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use aws_sdk_xray::operation::get_trace_summaries::GetTraceSummariesError;
use aws_sdk_xray::primitives::DateTime;
use aws_sdk_xray::types::{TimeRangeType, TraceSegmentDestination};
use futures_util::future::OptionFuture;
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use super::aws::Account;
use super::{Rung, Stop, XRAY, trouble};
use crate::facts::{SamplingRule, Segment, ServiceNode, TraceGroup, TraceId, Trouble};

/// `BatchGetTraces` takes this many ids.
const MOST_IDS: usize = 5;
/// How many requests of one kind are under way at once.
const AT_ONCE: usize = 4;
/// How many pages of an answer are read at the most.
const MOST_PAGES: usize = 20;

/// What one round wants to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "each is one call, made or not")]
pub struct Question {
    /// The traces that the probes began.
    pub trace_ids: Vec<TraceId>,
    /// What all nonces of the run begin with: finds requests that went on under another trace. Empty for none.
    pub nonce: String,
    /// When the run began, in Unix milliseconds.
    pub since_ms: i64,
    /// Whether to read the traces.
    pub traces: bool,
    /// Whether to list the groups.
    pub groups: bool,
    /// Whether to list the sampling rules.
    pub rules: bool,
    /// Whether to read the service graph since the run began.
    pub graph: bool,
    /// Filter expressions, each of which is asked for the traces that it finds since the run began.
    pub filters: Vec<String>,
}

/// What one round saw.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sightings {
    /// The trees of the asked-for traces, then those that mention the nonce.
    pub segments: Vec<Segment>,
    /// The groups.
    pub groups: Vec<TraceGroup>,
    /// The sampling rules.
    pub rules: Vec<SamplingRule>,
    /// The service graph.
    pub nodes: Vec<ServiceNode>,
    /// By filter expression, the trace ids (32 hex digits) that it found.
    pub filtered: BTreeMap<String, Vec<String>>,
}

/// A client for one account and region.
#[derive(Debug)]
pub struct Client {
    account: Account,
    sdk: OnceCell<aws_sdk_xray::Client>,
    /// Set once the destination was seen to be X-Ray's own store.
    destination: OnceCell<()>,
}

impl Client {
    /// A client. Nothing is looked up or sent yet.
    #[must_use]
    pub fn new(account: Account) -> Self {
        Self { account, sdk: OnceCell::new(), destination: OnceCell::new() }
    }

    /// The least time between two rounds: none for an endpoint on this machine.
    #[must_use]
    pub fn min_interval(&self) -> Duration {
        if self.account.is_loopback() { Duration::ZERO } else { Duration::from_secs(2) }
    }

    /// Reads groups, sampling rules and a trace that nobody has sent, as the checks do, to see how far the key gets. Says what
    /// came back.
    ///
    /// # Errors
    /// The first rung that the key does not reach, and why.
    pub async fn try_out(&self) -> Result<String, Stop> {
        let sdk = self.sdk().await.map_err(Rung::Authenticated.stops())?;
        let account = &self.account;
        let groups = sdk.get_groups().send().await.map_err(|error| account.stop(XRAY, "xray:GetGroups", &error))?;
        let rules = sdk.get_sampling_rules().send();
        let rules = rules.await.map_err(|error| account.stop(XRAY, "xray:GetSamplingRules", &error))?;
        let now = u32::try_from(jiff::Timestamp::now().as_second()).unwrap_or(u32::MAX);
        let traces = sdk.batch_get_traces().trace_ids(TraceId::fresh(now).xray()).send();
        traces.await.map_err(|error| account.stop(XRAY, "xray:BatchGetTraces", &error))?;
        self.check_destination(sdk).await.map_err(Rung::ReadBack.stops())?;
        Ok(format!("groups: {}, sampling rules: {}", groups.groups().len(), rules.sampling_rule_records().len()))
    }

    /// Looks once; what does not depend on each other is asked at the same time.
    ///
    /// # Errors
    /// When we could not look.
    pub async fn observe(&self, question: &Question) -> Result<Sightings, Trouble> {
        let sdk = self.sdk().await?;
        if question.traces || question.graph || !question.filters.is_empty() {
            self.destination.get_or_try_init(|| Box::pin(self.check_destination(sdk))).await?;
        }
        let (segments, groups, rules, nodes, filtered) = tokio::try_join!(
            optional(question.traces.then(|| self.segments(sdk, question))),
            optional(question.groups.then(|| self.groups(sdk))),
            optional(question.rules.then(|| self.rules(sdk))),
            optional(question.graph.then(|| self.nodes(sdk, question.since_ms))),
            Box::pin(self.filtered(sdk, question)),
        )?;
        Ok(Sightings { segments, groups, rules, nodes, filtered })
    }

    async fn sdk(&self) -> Result<&aws_sdk_xray::Client, Trouble> {
        self.sdk.get_or_try_init(|| async { Ok(aws_sdk_xray::Client::new(self.account.session().await?)) }).await
    }

    /// With Transaction Search on, spans go to CloudWatch Logs and the trace API stays empty: better said than waited for.
    async fn check_destination(&self, sdk: &aws_sdk_xray::Client) -> Result<(), Trouble> {
        let answer = match sdk.get_trace_segment_destination().send().await {
            Ok(answer) => answer,
            Err(error) => {
                // A key without this permission can still read traces; so can one in a region without this operation.
                let code = error.as_service_error().and_then(|error| error.meta().code()).unwrap_or_default();
                if code.contains("AccessDenied") || code.contains("UnknownOperation") {
                    return Ok(());
                }
                return Err(self.account.trouble(XRAY, "xray:GetTraceSegmentDestination", &error));
            }
        };
        if answer.destination() == Some(&TraceSegmentDestination::CloudWatchLogs) {
            return Err(trouble::lasting(
                "X-Ray's Transaction Search is on in this account and region: traces go to CloudWatch Logs, and X-Ray's API finds none",
                "turn it off for the workshop (`aws xray update-trace-segment-destination --destination XRay`), or use another region",
            ));
        }
        Ok(())
    }

    async fn segments(&self, sdk: &aws_sdk_xray::Client, question: &Question) -> Result<Vec<Segment>, Trouble> {
        let ids: Vec<String> = question.trace_ids.iter().map(TraceId::xray).collect();
        let mut segments = self.traces(sdk, &ids).await?;
        let found: BTreeSet<String> = segments.iter().map(|segment| segment.trace_id.clone()).collect();
        // Only when a probe's own trace is missing is it worth looking for where the request went instead.
        if question.nonce.is_empty() || ids.iter().all(|id| found.contains(id)) {
            return Ok(segments);
        }
        let expression = format!("http.url CONTAINS \"{}\"", question.nonce.replace(['"', '\\'], ""));
        let mut strays = self.summaries(sdk, &expression, question.since_ms).await?;
        strays.retain(|id| !ids.contains(id));
        strays.truncate(MOST_IDS);
        segments.extend(self.traces(sdk, &strays).await?);
        Ok(segments)
    }

    async fn traces(&self, sdk: &aws_sdk_xray::Client, ids: &[String]) -> Result<Vec<Segment>, Trouble> {
        let batches: Vec<Vec<String>> = ids.chunks(MOST_IDS).map(<[String]>::to_vec).collect();
        let trees: Vec<Vec<Segment>> =
            stream::iter(batches).map(|ids| self.batch(sdk, ids)).buffered(AT_ONCE).try_collect().await?;
        Ok(trees.into_iter().flatten().collect())
    }

    async fn batch(&self, sdk: &aws_sdk_xray::Client, ids: Vec<String>) -> Result<Vec<Segment>, Trouble> {
        // A trace's documents can be spread over pages.
        let mut documents: BTreeMap<String, Vec<Segment>> = BTreeMap::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let answer = sdk.batch_get_traces().set_trace_ids(Some(ids.clone())).set_next_token(token).send().await;
            let answer = answer.map_err(|error| self.account.trouble(XRAY, "xray:BatchGetTraces", &error))?;
            for trace in answer.traces() {
                let id = trace.id().unwrap_or_default();
                let read = trace.segments().iter().filter_map(|segment| read::document(segment.document()?, id));
                documents.entry(id.to_owned()).or_default().extend(read);
            }
            token = next(answer.next_token);
            if token.is_none() {
                break;
            }
        }
        Ok(documents.into_values().flat_map(Segment::assemble).collect())
    }

    async fn filtered(&self, sdk: &aws_sdk_xray::Client, question: &Question) -> Result<BTreeMap<String, Vec<String>>, Trouble> {
        let expressions: BTreeSet<String> = question.filters.iter().cloned().collect();
        stream::iter(expressions)
            .map(|expression| async move {
                let ids = self.summaries(sdk, &expression, question.since_ms).await?;
                let ids = ids.iter().filter_map(|id| Some(id.parse::<TraceId>().ok()?.w3c())).collect();
                Ok((expression, ids))
            })
            .buffer_unordered(AT_ONCE)
            .try_collect()
            .await
    }

    /// The ids, as X-Ray writes them, of the traces since the run began that an expression finds.
    async fn summaries(&self, sdk: &aws_sdk_xray::Client, expression: &str, since_ms: i64) -> Result<Vec<String>, Trouble> {
        let (start, end) = window(since_ms);
        let mut ids = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let answer = sdk
                .get_trace_summaries()
                .start_time(start)
                .end_time(end)
                // By when it happened: the id's own timestamp is whole seconds, and other tracers fill it with chance.
                .time_range_type(TimeRangeType::Event)
                .filter_expression(expression)
                .set_next_token(token)
                .send()
                .await
                .map_err(|error| match error.as_service_error() {
                    Some(GetTraceSummariesError::InvalidRequestException(refusal)) => trouble::lasting(
                        format!(
                            "X-Ray does not take the filter expression `{expression}`: {}",
                            refusal.message().unwrap_or_default()
                        ),
                        "correct the expression in the check; the X-Ray guide explains the grammar under filter expressions",
                    ),
                    _ => self.account.trouble(XRAY, "xray:GetTraceSummaries", &error),
                })?;
            ids.extend(answer.trace_summaries().iter().filter_map(|summary| summary.id().map(str::to_owned)));
            token = next(answer.next_token);
            if token.is_none() {
                break;
            }
        }
        Ok(ids)
    }

    async fn groups(&self, sdk: &aws_sdk_xray::Client) -> Result<Vec<TraceGroup>, Trouble> {
        let mut groups = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let answer = sdk.get_groups().set_next_token(token).send().await;
            let answer = answer.map_err(|error| self.account.trouble(XRAY, "xray:GetGroups", &error))?;
            groups.extend(answer.groups().iter().map(read::group));
            token = next(answer.next_token);
            if token.is_none() {
                break;
            }
        }
        Ok(groups)
    }

    async fn rules(&self, sdk: &aws_sdk_xray::Client) -> Result<Vec<SamplingRule>, Trouble> {
        let mut rules = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let answer = sdk.get_sampling_rules().set_next_token(token).send().await;
            let answer = answer.map_err(|error| self.account.trouble(XRAY, "xray:GetSamplingRules", &error))?;
            rules.extend(answer.sampling_rule_records().iter().filter_map(|record| Some(read::rule(record.sampling_rule()?))));
            token = next(answer.next_token);
            if token.is_none() {
                break;
            }
        }
        Ok(rules)
    }

    async fn nodes(&self, sdk: &aws_sdk_xray::Client, since_ms: i64) -> Result<Vec<ServiceNode>, Trouble> {
        let (start, end) = window(since_ms);
        let mut nodes = Vec::new();
        let mut token = None;
        for _ in 0..MOST_PAGES {
            let answer = sdk.get_service_graph().start_time(start).end_time(end).set_next_token(token).send().await;
            let answer = answer.map_err(|error| self.account.trouble(XRAY, "xray:GetServiceGraph", &error))?;
            nodes.extend(answer.services().iter().map(read::node));
            token = next(answer.next_token);
            if token.is_none() {
                break;
            }
        }
        Ok(nodes)
    }
}

/// Nothing was asked: nothing was seen.
async fn optional<T: Default>(question: Option<impl Future<Output = Result<T, Trouble>>>) -> Result<T, Trouble> {
    OptionFuture::from(question.map(Box::pin)).await.unwrap_or_else(|| Ok(T::default()))
}

/// From just before the run began until now.
fn window(since_ms: i64) -> (DateTime, DateTime) {
    let now = jiff::Timestamp::now().as_millisecond();
    let start = since_ms.div_euclid(1000) - 1;
    (DateTime::from_secs(start), DateTime::from_millis(now.max(start * 1000 + 1)))
}

fn next(token: Option<String>) -> Option<String> {
    token.filter(|token| !token.is_empty())
}
