//! `GetServiceGraph` and `GetTraceGraph`: who called whom, how often, how long, how it went.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Value, json};

use super::batch::TraceIds;
use super::failure::Failure;
use super::read::{self, Clock, Cursor};
use super::summary::range;
use super::timestamp::Seconds;
use super::trace::{Trace, account, elapsed, round, service_name, service_type};
use super::{credential::ACCOUNT, filter, group, parse_body};
use crate::facts::Segment;
use crate::sandbox::Shared;

/// How many traces, the latest, a service graph is drawn from.
const MOST: usize = 10_000;

/// How many of them are looked up at once.
const PAGE: usize = 500;

/// How many traces a trace graph may be asked for.
const MOST_IDS: usize = 100;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    start_time: Option<Seconds>,
    end_time: Option<Seconds>,
    group_name: Option<String>,
    #[serde(rename = "GroupARN")]
    group_arn: Option<String>,
}

/// Answers `GetServiceGraph`.
pub(super) async fn get_service_graph(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let range = range(Clock::Event, input.start_time, input.end_time)?;
    let wanted = match (input.group_name, input.group_arn) {
        (None, None) => None,
        (name, arn) => Some(group::named(name, arn)?),
    };
    let services = shared
        .store
        .read(move |connection| {
            let groups = read::groups(connection)?;
            let filter = match &wanted {
                None => None,
                Some(name) => match groups.get(name) {
                    None => return Ok(None),
                    Some(filter) => filter.as_ref(),
                },
            };
            let mut graph = Graph::default();
            let mut after: Option<Cursor> = None;
            let mut seen = 0;
            while seen < MOST {
                let page = read::page(connection, range, after.as_ref(), PAGE)?;
                for stored in &page {
                    let trace = stored.load(connection)?;
                    if filter.is_none_or(|filter| filter::matches(filter, &trace, &groups)) {
                        graph.add(&trace);
                    }
                }
                seen += page.len();
                after = page.last().map(read::Stored::cursor);
                if page.len() < PAGE {
                    break;
                }
            }
            Ok(Some(graph.services()))
        })
        .await?
        .ok_or_else(group::unknown)?;
    Ok(json!({ "StartTime": range.from, "EndTime": range.until, "Services": services, "ContainsOldGroupVersions": false }))
}

/// Answers `GetTraceGraph`.
pub(super) async fn get_trace_graph(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: TraceIds = parse_body(body)?;
    let ids = input.trace_ids.ok_or_else(|| Failure::missing("traceIds"))?;
    if ids.len() > MOST_IDS {
        return Err(Failure::invalid(format!("Exceeding maximum query size: {MOST_IDS}")));
    }
    let services = shared
        .store
        .read(move |connection| {
            let mut graph = Graph::default();
            for id in &ids {
                if let Some(stored) = read::by_id(connection, id)? {
                    graph.add(&stored.load(connection)?);
                }
            }
            Ok(graph.services())
        })
        .await?;
    Ok(json!({ "Services": services }))
}

/// Nodes in the order in which they were met; a node's place is its `ReferenceId`.
#[derive(Debug, Default)]
struct Graph {
    nodes: Vec<Node>,
    places: HashMap<(String, Option<String>), usize>,
}

#[derive(Debug, Default)]
struct Node {
    name: String,
    kind: Option<String>,
    account: Option<String>,
    root: bool,
    sends: bool,
    answers: Measured,
    edges: BTreeMap<usize, Measured>,
}

/// What was measured on a node or an edge.
#[derive(Debug, Default)]
struct Measured {
    start: Option<f64>,
    end: Option<f64>,
    ok: u64,
    throttled: u64,
    erred: u64,
    faulted: u64,
    seconds: f64,
    histogram: BTreeMap<u64, u64>,
}

impl Measured {
    /// Counts one answer, timed by `clock`: the answering segment, or the call as its caller measured it.
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a time in milliseconds, not negative")]
    fn add(&mut self, answer: &Segment, clock: &Segment) {
        self.start = Some(self.start.map_or(clock.start_time, |start| start.min(clock.start_time)));
        let last = clock.end_time.unwrap_or(clock.start_time);
        self.end = Some(self.end.map_or(last, |end| end.max(last)));
        // Only what has ended is counted.
        let Some(seconds) = elapsed(clock) else { return };
        match answer {
            Segment { fault: true, .. } => self.faulted += 1,
            Segment { throttle: true, .. } => self.throttled += 1,
            Segment { error: true, .. } => self.erred += 1,
            _ => self.ok += 1,
        }
        self.seconds += seconds;
        *self.histogram.entry((seconds * 1000.0).round() as u64).or_default() += 1;
    }

    fn statistics(&self) -> Value {
        json!({
            "OkCount": self.ok,
            "ErrorStatistics": {
                "ThrottleCount": self.throttled, "OtherCount": self.erred, "TotalCount": self.throttled + self.erred },
            "FaultStatistics": { "OtherCount": self.faulted, "TotalCount": self.faulted },
            "TotalCount": self.ok + self.throttled + self.erred + self.faulted,
            "TotalResponseTime": round(self.seconds),
        })
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit in 53 bits")]
    fn histogram(&self) -> Vec<Value> {
        self.histogram.iter().map(|(ms, count)| json!({ "Value": *ms as f64 / 1000.0, "Count": count })).collect()
    }
}

impl Graph {
    fn place(&mut self, name: &str, kind: Option<&str>) -> usize {
        let key = (name.to_owned(), kind.map(str::to_owned));
        let next = self.nodes.len();
        let place = *self.places.entry(key).or_insert(next);
        if place == next {
            self.nodes.push(Node { name: name.to_owned(), kind: kind.map(str::to_owned), ..Node::default() });
        }
        place
    }

    fn add(&mut self, trace: &Trace) {
        for call in trace.calls() {
            let clock = call.via.unwrap_or(call.to);
            let from = match call.from {
                Some(from) => self.place(service_name(from), service_type(from)),
                // Whoever asked from outside, one client for each entry point.
                None => self.place(service_name(call.to), Some("client")),
            };
            let to = self.place(service_name(call.to), service_type(call.to));
            if let Some(node) = self.nodes.get_mut(to) {
                node.root |= call.from.is_none();
                node.sends |= !call.to.inferred;
                node.account = account(call.to).or(node.account.as_deref()).map(str::to_owned);
                node.answers.add(call.to, call.to);
            }
            if let Some(node) = self.nodes.get_mut(from) {
                node.edges.entry(to).or_default().add(call.to, clock);
            }
        }
    }

    fn services(&self) -> Vec<Value> {
        self.nodes.iter().enumerate().map(|(place, node)| node.json(place)).collect()
    }
}

impl Node {
    fn json(&self, place: usize) -> Value {
        let edges: Vec<Value> = self
            .edges
            .iter()
            .map(|(to, edge)| {
                json!({
                    "ReferenceId": to, "StartTime": edge.start, "EndTime": edge.end,
                    "SummaryStatistics": edge.statistics(), "ResponseTimeHistogram": edge.histogram(), "Aliases": [],
                })
            })
            .collect();
        let mut node = json!({
            "ReferenceId": place, "Name": self.name, "Names": [self.name],
            "AccountId": self.account.as_deref().unwrap_or(ACCOUNT),
            "State": if self.sends { "active" } else { "unknown" }, "Edges": edges,
        });
        if let Some(kind) = &self.kind {
            node["Type"] = json!(kind);
        }
        if self.root {
            node["Root"] = json!(true);
        }
        // A client answers nothing: its times are those of what it asked.
        let asked = |read: fn(&Measured) -> Option<f64>| self.edges.values().filter_map(read);
        let start = self.answers.start.or_else(|| asked(|edge| edge.start).reduce(f64::min));
        let end = self.answers.end.or_else(|| asked(|edge| edge.end).reduce(f64::max));
        node["StartTime"] = json!(start);
        node["EndTime"] = json!(end);
        if self.answers.start.is_some() {
            node["SummaryStatistics"] = self.answers.statistics();
            node["DurationHistogram"] = json!(self.answers.histogram());
            node["ResponseTimeHistogram"] = json!(self.answers.histogram());
        }
        node
    }
}
