//! Events that came in together, kept as they came and read back as rows.

use std::collections::HashMap;
use std::ops::ControlFlow;

use bytes::Bytes;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};

use super::event::{ColumnType, Event, Fields, Wanted};
use super::ledger::Ledger;
use crate::sandbox::store::StoreError;
use crate::sandbox::{Shared, now_ms, otlp};

/// How the events of a batch are written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// An `ExportTraceServiceRequest` in protobuf, as it came.
    Otlp = 0,
    /// A JSON array of [`Kept`].
    Json = 1,
}

/// Events for one dataset that came in together. They are kept as they came and become rows only when a query wants
/// them: a service sends thousands of spans for each one that is ever looked at.
#[derive(Debug)]
pub struct Batch {
    /// The dataset's name.
    pub dataset: String,
    /// How `body` is written.
    pub form: Form,
    /// The events.
    pub body: Bytes,
    /// How many they are.
    pub events: u32,
    /// The earliest event's time, in Unix milliseconds.
    pub from_ms: i64,
    /// The latest event's time, in Unix milliseconds.
    pub to_ms: i64,
    /// [`trace_hash`](super::event::trace_hash) of every trace in it, sorted, each once.
    pub traces: Vec<i64>,
    /// The columns that have a value, with the type of the first.
    pub columns: HashMap<String, ColumnType>,
}

/// An event of the events and batch endpoints, as it is kept.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Kept {
    /// Unix milliseconds.
    #[serde(rename = "t")]
    pub at_ms: i64,
    /// How many events it stands for.
    #[serde(rename = "s")]
    pub sample_rate: u32,
    /// The columns, flattened.
    #[serde(rename = "d")]
    pub fields: Fields,
}

/// Keeps batches, all or none. They can be read as soon as this returns.
///
/// # Errors
/// When the store refuses.
pub async fn keep(shared: &Shared, batches: Vec<Batch>) -> Result<(), StoreError> {
    if batches.is_empty() {
        return Ok(());
    }
    let (ledger, losses) = (shared.store.memo::<Ledger>(), shared.store.losses());
    shared
        .store
        .write(move |tx| {
            ledger.change(tx, losses, |state| {
                let now = now_ms();
                for batch in &batches {
                    let dataset = state.dataset(tx, &batch.dataset, now)?;
                    let columns = batch.columns.iter().map(|(name, kind)| (name.as_str(), *kind));
                    dataset.note(tx, columns, now)?;
                    insert(tx, dataset.id, batch, now)?;
                }
                Ok(())
            })
        })
        .await
}

fn insert(tx: &Connection, dataset: i64, batch: &Batch, now: i64) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "INSERT INTO hny_batch (dataset, form, received_ms, from_ms, to_ms, events, body) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
    )?
    .execute(params![dataset, batch.form as i64, now, batch.from_ms, batch.to_ms, batch.events, &batch.body[..]])?;
    let id = tx.last_insert_rowid();
    let mut statement = tx.prepare_cached("INSERT OR IGNORE INTO hny_trace (hash, batch) VALUES (?1, ?2)")?;
    for hash in &batch.traces {
        statement.execute([*hash, id])?;
    }
    Ok(())
}

/// Which events to read.
#[derive(Debug)]
pub struct Range {
    /// The dataset's row; `None` for all.
    pub dataset: Option<i64>,
    /// From this time, in Unix milliseconds.
    pub from_ms: i64,
    /// Up to and with this time, in Unix milliseconds.
    pub to_ms: i64,
    /// Only batches with one of these traces, where given. Other events of such a batch are read as well.
    pub traces: Option<Vec<i64>>,
    /// The columns to make.
    pub wanted: Wanted,
}

/// Reads events, batch by batch in the order of their arrival, until `each` has had enough.
///
/// # Errors
/// When the store cannot be read.
pub fn read(connection: &Connection, range: &Range, mut each: impl FnMut(Event) -> ControlFlow<()>) -> rusqlite::Result<()> {
    let visit = |row: &rusqlite::Row<'_>| -> rusqlite::Result<ControlFlow<()>> {
        let form: i64 = row.get(0)?;
        let body = row.get_ref(1)?.as_blob()?;
        let mut within = |event: Event| {
            if event.at_ms >= range.from_ms && event.at_ms <= range.to_ms { each(event) } else { ControlFlow::Continue(()) }
        };
        Ok(expand(form, body, &range.wanted, &mut within))
    };
    let scope = (range.dataset, range.from_ms, range.to_ms);
    if let Some(hashes) = &range.traces {
        let mut statement = connection.prepare_cached(
            "SELECT form, body FROM hny_batch
             WHERE id IN (SELECT batch FROM hny_trace WHERE hash IN (SELECT value FROM json_each(?4)))
             AND (?1 IS NULL OR dataset = ?1) AND to_ms >= ?2 AND from_ms <= ?3 ORDER BY id",
        )?;
        let hashes = serde_json::to_string(hashes).unwrap_or_default();
        walk(statement.query(params![scope.0, scope.1, scope.2, hashes])?, visit)
    } else {
        let mut statement = connection.prepare_cached(
            "SELECT form, body FROM hny_batch WHERE (?1 IS NULL OR dataset = ?1) AND to_ms >= ?2 AND from_ms <= ?3 ORDER BY id",
        )?;
        walk(statement.query(params![scope.0, scope.1, scope.2])?, visit)
    }
}

fn walk(
    mut rows: rusqlite::Rows<'_>,
    mut visit: impl FnMut(&rusqlite::Row<'_>) -> rusqlite::Result<ControlFlow<()>>,
) -> rusqlite::Result<()> {
    while let Some(row) = rows.next()? {
        if visit(row)?.is_break() {
            break;
        }
    }
    Ok(())
}

/// Visits the events of a batch as it lies in the store.
pub(super) fn expand(form: i64, body: &[u8], wanted: &Wanted, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> ControlFlow<()> {
    if form == Form::Otlp as i64 {
        return otlp::expand(body, wanted, each);
    }
    // What was kept was written by this program; a batch that cannot be read is skipped like one that is not there.
    for kept in serde_json::from_slice::<Vec<Kept>>(body).unwrap_or_default() {
        let fields = match wanted {
            Wanted::All => kept.fields,
            Wanted::Only(_) => kept.fields.into_iter().filter(|(name, _)| wanted.has(name)).collect(),
        };
        each(Event { at_ms: kept.at_ms, sample_rate: kept.sample_rate, fields })?;
    }
    ControlFlow::Continue(())
}
