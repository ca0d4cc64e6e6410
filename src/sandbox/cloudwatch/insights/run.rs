//! Running a query: events go through the commands one by one, newest first; what must see all of them gathers within
//! bounds.

use std::collections::{BTreeMap, HashMap, HashSet};

use rusqlite::{Connection, OptionalExtension};
use serde_json::{Value as Json, json};

use super::aggregate::State;
use super::evaluate::{Row, Source, evaluate};
use super::query::{Command, Direction, Expression, Query, Stats};
use super::value::Value;
use crate::sandbox::cloudwatch::pattern::Pattern;
use crate::sandbox::cloudwatch::position::Gap;
use crate::sandbox::cloudwatch::scan::{self, Range};
use crate::sandbox::cloudwatch::{ACCOUNT, group, read};

/// How many events are read at a time.
const PAGE: usize = 5_000;
const PAGE_BYTES: usize = 4 << 20;

/// How many bytes groups, distinct values, samples and sorted rows may take before the query fails.
const HELD: usize = 128 << 20;

/// How many bytes of results are kept; the rest is left out.
const RESULT_BYTES: usize = 16 << 20;

/// A query that has begun.
#[derive(Debug, Clone)]
pub(super) struct Job {
    pub id: String,
    pub groups: Vec<String>,
    /// Unix milliseconds, inclusive on both ends.
    pub from_ms: i64,
    pub until_ms: i64,
    pub limit: usize,
}

/// What a query found, as it is kept.
#[derive(Debug)]
pub(super) struct Rows {
    pub rows: Json,
    pub statistics: Json,
}

impl Default for Rows {
    fn default() -> Self {
        Self { rows: json!([]), statistics: statistics(0, 0, 0, 0) }
    }
}

fn statistics(matched: u64, scanned: u64, bytes: u64, groups: usize) -> Json {
    json!({
        "recordsMatched": matched, "recordsScanned": scanned, "bytesScanned": bytes, "logGroupsScanned": groups,
        "estimatedRecordsSkipped": 0, "estimatedBytesSkipped": 0,
    })
}

/// Runs it. `None` where it would hold more than it may, or was stopped.
pub(super) fn run(connection: &Connection, job: &Job, query: &Query) -> rusqlite::Result<Option<Rows>> {
    let (mut streams, mut logs) = (BTreeMap::new(), HashMap::new());
    for name in &job.groups {
        let Some(id) = group::find(connection, name)? else { continue };
        for (stream, stream_name) in read::streams(connection, id, "")? {
            logs.insert(stream, format!("{ACCOUNT}:{name}"));
            streams.insert(stream, stream_name);
        }
    }
    let ids: Vec<i64> = streams.keys().copied().collect();
    let mut machine = Machine::new(query, job.limit);
    let (mut scanned, mut bytes) = (0_u64, 0);
    let mut before = None;
    'pages: loop {
        let range = Range {
            from_ms: job.from_ms,
            until_ms: job.until_ms,
            after: None,
            before,
            newest_first: true,
            limit: PAGE,
            bytes: PAGE_BYTES,
        };
        let page = scan::page(connection, &ids, &range, &Pattern::ALL)?;
        bytes += page.scanned_bytes;
        before = page.events.last().map(|last| Gap { key: last.key, after: false });
        for event in page.events {
            scanned += 1;
            let pointer = event.key.event_id(event.stream);
            let stream = streams.get(&event.stream).cloned().unwrap_or_default();
            let log = logs.get(&event.stream).cloned().unwrap_or_default();
            let source = Source::new(event.key.timestamp_ms, event.ingested_ms, event.message, stream, log, pointer);
            let more = machine.push(0, Row { source: Some(Box::new(source)), fields: Vec::new() });
            if machine.held > HELD {
                return Ok(None);
            }
            if !more {
                break 'pages;
            }
        }
        if !page.more || before.is_none() || stopped(connection, &job.id)? {
            break;
        }
    }
    let matched = machine.matched;
    let rows = machine.finish();
    Ok(Some(Rows { rows: shown(query, &rows), statistics: statistics(matched, scanned, bytes, job.groups.len()) }))
}

fn stopped(connection: &Connection, id: &str) -> rusqlite::Result<bool> {
    let status: Option<String> =
        connection.prepare_cached("SELECT status FROM log_query WHERE id = ?1")?.query_row([id], |row| row.get(0)).optional()?;
    Ok(status.as_deref() != Some("Running"))
}

fn shown(query: &Query, rows: &[Row]) -> Json {
    let (columns, events) = query.columns();
    let mut bytes = 0;
    let rows = rows.iter().map(|row| {
        let mut cells = Vec::new();
        let pointer = String::from("@ptr");
        for column in columns.iter().chain(events.then_some(&pointer)) {
            if let Some(text) = row.get(column).text() {
                bytes += column.len() + text.len() + 24;
                cells.push(json!({"field": column, "value": text}));
            }
        }
        (bytes, Json::Array(cells))
    });
    rows.take_while(|(bytes, _)| *bytes <= RESULT_BYTES).map(|(_, row)| row).collect()
}

/// One command and what it remembers.
enum Stage<'q> {
    Compute(&'q [super::query::Named]),
    Filter(&'q Expression),
    Parse(&'q super::query::Parse),
    Stats { stats: &'q Stats, groups: HashMap<Vec<Option<String>>, usize>, states: Vec<(Vec<Value>, Vec<State>)> },
    Sort { keys: &'q [(Expression, Direction)], rows: Vec<(Vec<Value>, Row)>, keep: usize },
    Dedup { keys: &'q [Expression], seen: HashSet<Vec<Option<String>>> },
    Limit(usize),
}

struct Machine<'q> {
    stages: Vec<Stage<'q>>,
    results: Vec<Row>,
    limit: usize,
    held: usize,
    /// How many events passed the filters before the first command that gathers.
    matched: u64,
    gathers_at: usize,
}

impl<'q> Machine<'q> {
    fn new(query: &'q Query, limit: usize) -> Self {
        let mut stages: Vec<Stage<'q>> = Vec::new();
        for (index, command) in query.commands.iter().enumerate() {
            stages.push(match command {
                Command::Fields(named) | Command::Display(named) => Stage::Compute(named),
                Command::Filter(condition) => Stage::Filter(condition),
                Command::Parse(parse) => Stage::Parse(parse),
                Command::Stats(stats) => Stage::Stats { stats, groups: HashMap::new(), states: Vec::new() },
                Command::Sort(keys) => {
                    // Only when nothing but showing follows may the sorted rows be cut before the end.
                    let rest = &query.commands[index + 1..];
                    let plain = rest.iter().all(|next| {
                        matches!(next, Command::Limit(_) | Command::Fields(_) | Command::Display(_) | Command::Parse(_))
                    });
                    let limits =
                        rest.iter().filter_map(|next| if let Command::Limit(limit) = next { Some(*limit) } else { None });
                    let keep = if plain { limits.min().unwrap_or(limit).min(limit) } else { usize::MAX };
                    Stage::Sort { keys, rows: Vec::new(), keep }
                }
                Command::Dedup(keys) => Stage::Dedup { keys, seen: HashSet::new() },
                Command::Limit(limit) => Stage::Limit(*limit),
            });
        }
        let gathers = |stage: &Stage<'_>| !matches!(stage, Stage::Compute(_) | Stage::Filter(_) | Stage::Parse(_));
        let gathers_at = stages.iter().position(gathers).unwrap_or(stages.len());
        Self { stages, results: Vec::new(), limit, held: 0, matched: 0, gathers_at }
    }

    /// Sends a row on from the given stage. Whether more rows are of use.
    fn push(&mut self, from: usize, mut row: Row) -> bool {
        for index in from..self.stages.len() {
            if index == self.gathers_at {
                self.matched += 1;
            }
            match &mut self.stages[index] {
                Stage::Compute(named) => compute(named, &mut row),
                Stage::Filter(condition) => {
                    if !evaluate(condition, &row, &[]).is_true() {
                        return true;
                    }
                }
                Stage::Parse(parse) => take_fields(parse, &mut row),
                Stage::Stats { stats, groups, states } => {
                    self.held += gather(stats, groups, states, &row);
                    return true;
                }
                Stage::Sort { keys, rows, keep } => {
                    self.held += size(&row);
                    rows.push((keys.iter().map(|(key, _)| evaluate(key, &row, &[])).collect(), row));
                    if rows.len() >= keep.saturating_mul(2).max(64) {
                        sort(keys, rows);
                        rows.truncate(*keep);
                        self.held = rows.iter().map(|(_, row)| size(row)).sum();
                    }
                    return true;
                }
                Stage::Dedup { keys, seen } => {
                    let key: Vec<Option<String>> = keys.iter().map(|key| evaluate(key, &row, &[]).text()).collect();
                    let bytes: usize = key.iter().flatten().map(|text| text.len() + 48).sum();
                    if !seen.insert(key) {
                        return true;
                    }
                    self.held += bytes;
                }
                Stage::Limit(0) => return false,
                Stage::Limit(left) => *left -= 1,
            }
        }
        if self.gathers_at == self.stages.len() {
            self.matched += 1;
        }
        self.held += size(&row);
        self.results.push(row);
        self.results.len() < self.limit
    }

    /// Lets every stage that gathered send on what it has.
    fn finish(mut self) -> Vec<Row> {
        for index in 0..self.stages.len() {
            let rows = match &mut self.stages[index] {
                Stage::Stats { stats, states, .. } => results(stats, std::mem::take(states)),
                Stage::Sort { keys, rows, .. } => {
                    sort(keys, rows);
                    std::mem::take(rows).into_iter().map(|(_, row)| row).collect()
                }
                _ => continue,
            };
            for row in rows {
                if !self.push(index + 1, row) {
                    break;
                }
            }
        }
        self.results
    }
}

fn size(row: &Row) -> usize {
    let fields: usize = row.fields.iter().map(|(name, value)| name.len() + value.text().map_or(0, |text| text.len()) + 64).sum();
    row.source.as_ref().map_or(0, |source| source.message.len() + 256) + fields
}

/// Computes named expressions; plain fields are there already.
fn compute(named: &[super::query::Named], row: &mut Row) {
    for named in named {
        if !matches!(&named.expression, Expression::Field(field) if *field == named.name) {
            let value = evaluate(&named.expression, row, &[]);
            row.set(&named.name, value);
        }
    }
}

fn take_fields(parse: &super::query::Parse, row: &mut Row) {
    let Some(text) = evaluate(&parse.from, row, &[]).text() else { return };
    let Some(captures) = parse.regex.captures(&text) else { return };
    for (group, name) in &parse.names {
        if let Some(found) = captures.get(*group) {
            row.set(name, Value::Text(found.as_str().to_owned()));
        }
    }
}

fn gather(
    stats: &Stats,
    groups: &mut HashMap<Vec<Option<String>>, usize>,
    members: &mut Vec<(Vec<Value>, Vec<State>)>,
    row: &Row,
) -> usize {
    let values: Vec<Value> = stats.by.iter().map(|named| evaluate(&named.expression, row, &[])).collect();
    let key: Vec<Option<String>> = values.iter().map(Value::text).collect();
    let mut held = 0;
    let index = *groups.entry(key).or_insert_with(|| {
        held += 256;
        members.push((values, stats.aggregates.iter().map(|aggregate| State::new(aggregate.kind)).collect()));
        members.len() - 1
    });
    let at_ms = row.source.as_ref().map_or(0, |source| source.at_ms);
    for (aggregate, state) in stats.aggregates.iter().zip(&mut members[index].1) {
        held += state.add(aggregate.of.as_ref().map(|of| evaluate(of, row, &[])), at_ms);
    }
    held
}

fn results(stats: &Stats, mut members: Vec<(Vec<Value>, Vec<State>)>) -> Vec<Row> {
    if members.is_empty() && stats.by.is_empty() {
        // Without groups there is one row even over nothing.
        members.push((Vec::new(), stats.aggregates.iter().map(|aggregate| State::new(aggregate.kind)).collect()));
    }
    let rows = members.into_iter().map(|(keys, states)| {
        let values: Vec<Value> = states.into_iter().map(State::finish).collect();
        let mut row = Row::default();
        for (named, key) in stats.by.iter().zip(keys) {
            row.set(&named.name, key);
        }
        for named in &stats.shown {
            let value = evaluate(&named.expression, &row, &values);
            row.set(&named.name, value);
        }
        row
    });
    rows.collect()
}

fn sort(keys: &[(Expression, Direction)], rows: &mut [(Vec<Value>, Row)]) {
    rows.sort_by(|(a, _), (b, _)| {
        let orders = a.iter().zip(b).zip(keys).map(|((a, b), (_, direction))| match direction {
            Direction::Ascending => a.order(b),
            Direction::Descending => b.order(a),
        });
        orders.fold(std::cmp::Ordering::Equal, std::cmp::Ordering::then)
    });
}
