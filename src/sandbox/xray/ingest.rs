//! `PutTraceSegments`: documents are checked one by one; what is wrong comes back, the rest is kept.

use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::document::{Accepted, Refused, check};
use super::failure::Failure;
use super::parse_body;
use crate::facts::Rejection;
use crate::sandbox::store::StoreError;
use crate::sandbox::{Shared, now_ms, rejection};

/// How much of one trace is kept, in bytes of documents. What comes later is counted, and `LimitExceeded` says so.
pub(super) const LARGEST_TRACE: i64 = 500 * 1024;

/// How far a trace id's time may lie from its segments', in seconds, to be taken for one. Ids from generators that know
/// nothing of X-Ray have chance there.
const PLAUSIBLE: f64 = 30.0 * 86_400.0;

/// How many refusals of one request are kept as evidence.
const KEPT: usize = 20;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    trace_segment_documents: Option<Vec<String>>,
}

/// Answers `PutTraceSegments`.
pub(super) async fn put_trace_segments(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let documents = input.trace_segment_documents.ok_or_else(|| Failure::missing("traceSegmentDocuments"))?;
    let refused = put(shared, documents).await?;
    for one in refused.iter().take(KEPT) {
        reject(shared, "PutTraceSegments", one).await;
    }
    let entries: Vec<Value> = refused.iter().map(Refused::entry).collect();
    Ok(json!({ "UnprocessedTraceSegments": entries }))
}

/// Keeps what is acceptable in one transaction, and returns what is not.
pub(super) async fn put(shared: &Shared, documents: Vec<String>) -> Result<Vec<Refused>, StoreError> {
    let mut accepted = Vec::with_capacity(documents.len());
    let mut refused = Vec::new();
    for document in documents {
        match check(document) {
            Ok(document) => accepted.push(document),
            Err(error) => refused.push(error),
        }
    }
    if !accepted.is_empty() {
        let now = now_ms();
        shared.store.write(move |connection| insert(connection, &accepted, now)).await?;
    }
    Ok(refused)
}

/// Keeps a refused document as evidence.
pub(super) async fn reject(shared: &Shared, request: &str, refused: &Refused) {
    let rejection = Rejection {
        at_ms: now_ms(),
        vendor: String::from("xray"),
        request: request.to_owned(),
        status: if request.starts_with("udp") { 0 } else { 200 },
        reason: String::from("invalid-segment"),
        detail: refused.to_string(),
        service: refused.name.clone(),
    };
    rejection::keep(shared, rejection).await;
}

fn insert(connection: &Connection, documents: &[Accepted], now: i64) -> rusqlite::Result<()> {
    let mut begin = connection.prepare_cached(
        "INSERT OR IGNORE INTO xray_trace (trace_id, epoch_s, started, ended, updated_ms, revision, size)
         VALUES (?1, ?2, ?3, ?4, ?5, 1, ?6)",
    )?;
    let mut keep = connection.prepare_cached("INSERT INTO xray_document (trace, number, document) VALUES (?1, ?2, ?3)")?;
    for document in documents {
        let size = i64::try_from(document.text.len()).unwrap_or(i64::MAX);
        // Most documents are the first of their trace.
        let new = begin.execute(params![document.trace_id, epoch_s(document), document.started, document.ended, now, size])? == 1;
        let (trace, number, total) =
            if new { (connection.last_insert_rowid(), 1, size) } else { add(connection, document, now, size)? };
        if total <= LARGEST_TRACE {
            keep.execute(params![trace, number, document.text])?;
        }
    }
    Ok(())
}

/// Adds a document to what is known of its trace. Returns the trace's row, how many documents it has now, and their size.
fn add(connection: &Connection, document: &Accepted, now: i64, size: i64) -> rusqlite::Result<(i64, i64, i64)> {
    connection
        .prepare_cached(
            "UPDATE xray_trace SET started = min(started, ?2), ended = max(ended, ?3), updated_ms = ?4,
             revision = revision + 1, size = size + ?5 WHERE trace_id = ?1 RETURNING id, revision, size",
        )?
        .query_row(params![document.trace_id, document.started, document.ended, now, size], |row| {
            Ok((row.get(0)?, row.get(1)?, row.get(2)?))
        })
}

/// The second by which a trace is found.
#[expect(clippy::cast_possible_truncation, reason = "a checked time is within the calendar")]
fn epoch_s(document: &Accepted) -> i64 {
    let named = f64::from(document.epoch_s);
    (if (named - document.started).abs() < PLAUSIBLE { named } else { document.started.floor() }) as i64
}
