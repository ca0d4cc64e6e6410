//! `BatchGetTraces`.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::trace::Trace;
use super::{parse_body, read, setting};
use crate::facts::Segment;
use crate::sandbox::Shared;

/// How many traces may be asked for at once.
const MOST: usize = 5;

/// How many bytes of documents are read and compiled at once, on the thread that answers.
const SHORT: i64 = 64 << 10;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct TraceIds {
    pub trace_ids: Option<Vec<String>>,
}

/// Answers `BatchGetTraces`.
pub(super) async fn batch_get_traces(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: TraceIds = parse_body(body)?;
    let ids = input.trace_ids.ok_or_else(|| Failure::missing("traceIds"))?;
    if ids.len() > MOST {
        return Err(Failure::invalid(format!("Exceeding maximum query size: {MOST}")));
    }
    // What most callers ask for is read faster than another thread is woken.
    let found = match shared.store.look(|connection| gather(connection, &ids, SHORT))? {
        Some(found) => found,
        None => shared.store.read(move |connection| gather(connection, &ids, i64::MAX)).await?.unwrap_or_default(),
    };
    Ok(json!({ "Traces": found.traces, "UnprocessedTraceIds": found.missing }))
}

#[derive(Default)]
struct Found {
    traces: Vec<Value>,
    missing: Vec<String>,
}

/// Reads the traces; `None` where their documents are larger than `most` bytes together.
fn gather(connection: &Connection, ids: &[String], most: i64) -> rusqlite::Result<Option<Found>> {
    // All of them as of one moment, and the file is locked once.
    let tx = connection.unchecked_transaction()?;
    let (mut stored, mut missing, mut size) = (Vec::new(), Vec::new(), 0);
    // With Transaction Search on, segments go to CloudWatch Logs, and X-Ray itself finds nothing.
    let elsewhere = setting::destination(&tx)?.is_elsewhere();
    for id in ids {
        match read::by_id(&tx, id)? {
            Some(trace) if !elsewhere => {
                size += trace.bytes();
                stored.push(trace);
            }
            _ => missing.push(id.clone()),
        }
    }
    if size > most {
        return Ok(None);
    }
    let traces = stored.iter().map(|stored| stored.load(&tx).map(trace_json)).collect::<Result<_, _>>()?;
    Ok(Some(Found { traces, missing }))
}

fn trace_json(trace: Trace) -> Value {
    let (duration, limit_exceeded) = (trace.duration(), trace.limit_exceeded);
    let segments: Vec<Value> = trace
        .segments
        .into_iter()
        .filter_map(|segment| Some(json!({ "Id": segment.id.clone(), "Document": document(segment)? })))
        .collect();
    json!({ "Id": trace.id, "Duration": duration, "LimitExceeded": limit_exceeded, "Segments": segments })
}

/// The compiled document: what is nested says neither trace, type nor parent.
fn document(mut segment: Segment) -> Option<String> {
    segment.subsegments.iter_mut().for_each(nest);
    serde_json::to_string(&segment).ok()
}

fn nest(subsegment: &mut Segment) {
    subsegment.trace_id.clear();
    subsegment.parent_id = None;
    subsegment.kind = None;
    subsegment.subsegments.iter_mut().for_each(nest);
}
