//! What the console shows of Honeycomb: the newest traces, and one trace whole. Bounded, and read in short looks.

use std::collections::{BTreeSet, HashMap};
use std::ops::ControlFlow;

use rusqlite::{Connection, Statement, params};
use serde_json::Value;

use super::batch::{self, Form};
use super::event::{Event, Fields, Wanted, trace_hash_of_text};
use crate::sandbox::otlp;

/// How many batches are looked through for the newest traces.
const BATCHES: usize = 500;
/// How many bytes of them; one batch is always read.
const BYTES: usize = 4 << 20;
/// How many bytes of batches are looked through for one trace.
const TRACE_BYTES: usize = 32 << 20;
/// How many events of one trace are read.
const TRACE_EVENTS: usize = 5_000;

/// The columns that a summary is made of.
const COLUMNS: [&str; 10] = [
    "trace.trace_id",
    "trace.span_id",
    "trace.parent_id",
    "meta.annotation_type",
    "name",
    "duration_ms",
    "status_code",
    "error",
    "http.response.status_code",
    "http.status_code",
];

/// A trace in a listing.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) struct Summary {
    /// `trace.trace_id`, as it was sent.
    pub id: String,
    /// The root's name; of several the earliest, and where there is none yet the earliest span's.
    pub name: String,
    /// Whether the root was seen.
    pub rooted: bool,
    /// The datasets that have spans of it.
    pub datasets: BTreeSet<String>,
    /// How many spans there are.
    pub spans: usize,
    /// Whether any span is in error.
    pub failed: bool,
    /// The root's HTTP status.
    pub status: Option<i64>,
    /// The first start, in Unix milliseconds.
    pub from_ms: i64,
    /// The last end, in Unix milliseconds.
    pub until_ms: f64,
}

/// The newest traces, the latest first.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Recent {
    /// The traces.
    pub traces: Vec<Summary>,
    /// Whether all batches were looked through.
    pub complete: bool,
}

/// A trace's event with the dataset that has it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) struct Told {
    /// The dataset's name.
    pub dataset: String,
    /// The span, span event or link.
    pub event: Event,
}

/// All that is known of one trace.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Trace {
    /// Its events in the order of their arrival.
    pub events: Vec<Told>,
    /// When its spans began, by span id, in Unix nanoseconds: an event itself knows milliseconds only.
    pub starts: HashMap<String, u64>,
    /// Whether that is all there is.
    pub complete: bool,
}

/// A batch as it lies in the store.
struct Raw {
    dataset: String,
    form: i64,
    body: Vec<u8>,
}

/// How many events there are, of spans and of everything else.
pub(in crate::sandbox) fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(sum(events), 0) FROM hny_batch", [], |row| row.get(0))
}

/// The newest traces of all datasets: those of the batches that came in last.
pub(in crate::sandbox) fn recent(connection: &Connection) -> rusqlite::Result<Recent> {
    let mut select = connection.prepare_cached(
        "SELECT d.name, b.form, b.body FROM hny_batch AS b JOIN hny_dataset AS d ON d.id = b.dataset ORDER BY b.id DESC LIMIT ?1",
    )?;
    let limit = i64::try_from(BATCHES + 1).unwrap_or(i64::MAX);
    let (batches, complete) = gather(&mut select, params![limit], BATCHES, BYTES)?;
    let wanted = Wanted::Only(COLUMNS.iter().map(|column| (*column).to_owned()).collect());
    let mut found: HashMap<String, Summary> = HashMap::new();
    for raw in &batches {
        let _ = batch::expand(raw.form, &raw.body, &wanted, &mut |event| {
            add(&mut found, &raw.dataset, &event);
            ControlFlow::Continue(())
        });
    }
    let mut traces: Vec<Summary> = found.into_values().filter(|trace| trace.spans > 0).collect();
    traces.sort_by(|left, right| (right.from_ms, &right.id).cmp(&(left.from_ms, &left.id)));
    Ok(Recent { traces, complete })
}

/// Everything of one trace, by its id as it stands in `trace.trace_id`.
pub(in crate::sandbox) fn trace(connection: &Connection, id: &str) -> rusqlite::Result<Trace> {
    let mut select = connection.prepare_cached(
        "SELECT d.name, b.form, b.body FROM hny_batch AS b JOIN hny_dataset AS d ON d.id = b.dataset
         WHERE b.id IN (SELECT batch FROM hny_trace WHERE hash = ?1) ORDER BY b.id",
    )?;
    let (batches, complete) = gather(&mut select, params![trace_hash_of_text(id)], usize::MAX, TRACE_BYTES)?;
    let mut trace = Trace { complete, ..Trace::default() };
    for raw in &batches {
        if raw.form == Form::Otlp as i64 {
            trace.starts.extend(otlp::starts(&raw.body, id));
        }
        let _ = batch::expand(raw.form, &raw.body, &Wanted::All, &mut |event| {
            if event.fields.get("trace.trace_id").and_then(Value::as_str) != Some(id) {
                return ControlFlow::Continue(());
            }
            if trace.events.len() == TRACE_EVENTS {
                trace.complete = false;
                return ControlFlow::Break(());
            }
            trace.events.push(Told { dataset: raw.dataset.clone(), event });
            ControlFlow::Continue(())
        });
    }
    Ok(trace)
}

/// Takes batches out of the store, so that they can be read after it has been let go; and says whether those were all.
fn gather(
    select: &mut Statement<'_>,
    wanted: &[&dyn rusqlite::ToSql],
    most: usize,
    bytes: usize,
) -> rusqlite::Result<(Vec<Raw>, bool)> {
    let mut rows = select.query(wanted)?;
    let (mut batches, mut size) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let body = row.get_ref(2)?.as_blob()?;
        size += body.len();
        if batches.len() == most || (size > bytes && !batches.is_empty()) {
            return Ok((batches, false));
        }
        batches.push(Raw { dataset: row.get(0)?, form: row.get(1)?, body: body.to_vec() });
    }
    Ok((batches, true))
}

fn add(found: &mut HashMap<String, Summary>, dataset: &str, event: &Event) {
    let fields = &event.fields;
    let Some(id) = fields.get("trace.trace_id").and_then(Value::as_str).filter(|id| !id.is_empty()) else { return };
    // What hangs on a span is none itself.
    if fields.contains_key("meta.annotation_type") {
        return;
    }
    let trace = found.entry(id.to_owned()).or_insert_with(|| Summary {
        id: id.to_owned(),
        name: String::new(),
        rooted: false,
        datasets: BTreeSet::new(),
        spans: 0,
        failed: false,
        status: None,
        from_ms: i64::MAX,
        until_ms: 0.0,
    });
    let is_root = fields.get("trace.parent_id").and_then(Value::as_str).is_none_or(str::is_empty);
    if trace.spans == 0 || (is_root && !trace.rooted) || (is_root == trace.rooted && event.at_ms < trace.from_ms) {
        trace.name = fields.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        trace.status = status(fields);
        trace.rooted |= is_root;
    }
    trace.spans += 1;
    trace.failed |= is_error(fields);
    trace.from_ms = trace.from_ms.min(event.at_ms);
    trace.until_ms = trace.until_ms.max(milliseconds(event.at_ms) + duration_ms(fields));
    if !trace.datasets.contains(dataset) {
        trace.datasets.insert(dataset.to_owned());
    }
}

/// The HTTP status of a span, under the current or the former semantic conventions.
pub(in crate::sandbox) fn status(fields: &Fields) -> Option<i64> {
    ["http.response.status_code", "http.status_code"].iter().find_map(|key| fields.get(*key)?.as_i64())
}

/// Whether a span says that it failed.
pub(in crate::sandbox) fn is_error(fields: &Fields) -> bool {
    fields.get("error").is_some_and(|error| error == &Value::Bool(true)) || fields.get("status_code") == Some(&Value::from(2))
}

/// How long a span took, in milliseconds; 0 where it does not say.
pub(in crate::sandbox) fn duration_ms(fields: &Fields) -> f64 {
    fields.get("duration_ms").and_then(Value::as_f64).filter(|duration| *duration > 0.0).unwrap_or(0.0)
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds of the calendar fit a double exactly")]
fn milliseconds(ms: i64) -> f64 {
    ms as f64
}
