//! `BatchGetTraces`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::trace::Trace;
use super::{parse_body, read, setting};
use crate::facts::Segment;
use crate::sandbox::Shared;

/// How many traces may be asked for at once.
const MOST: usize = 5;

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
    let (traces, missing) = shared
        .store
        .read(move |connection| {
            let mut traces = Vec::new();
            let mut missing = Vec::new();
            // With Transaction Search on, segments go to CloudWatch Logs, and X-Ray itself finds nothing.
            let elsewhere = setting::destination(connection)?.is_elsewhere();
            for id in ids {
                match read::by_id(connection, &id)? {
                    Some(trace) if !elsewhere => traces.push(trace_json(&trace)),
                    _ => missing.push(id),
                }
            }
            Ok((traces, missing))
        })
        .await?;
    Ok(json!({ "Traces": traces, "UnprocessedTraceIds": missing }))
}

fn trace_json(trace: &Trace) -> Value {
    let segments: Vec<Value> =
        trace.segments.iter().filter_map(|segment| Some(json!({ "Id": segment.id, "Document": document(segment)? }))).collect();
    json!({ "Id": trace.id, "Duration": trace.duration(), "LimitExceeded": trace.limit_exceeded, "Segments": segments })
}

/// The compiled document: what is nested says neither trace, type nor parent.
fn document(segment: &Segment) -> Option<String> {
    let mut whole = segment.clone();
    whole.subsegments.iter_mut().for_each(nest);
    serde_json::to_string(&whole).ok()
}

fn nest(subsegment: &mut Segment) {
    subsegment.trace_id.clear();
    subsegment.parent_id = None;
    subsegment.kind = None;
    subsegment.subsegments.iter_mut().for_each(nest);
}
