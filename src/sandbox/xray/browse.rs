//! What the console shows of X-Ray: the newest traces, and one trace whole.

use std::collections::BTreeSet;

use rusqlite::Connection;

use super::read::{self, Clock, Range};
use super::setting;
use super::trace::Trace;
use crate::facts::Segment;

/// How many bytes of documents are read for a listing; one trace is always read.
const BYTES: i64 = 4 << 20;

/// A trace in a listing.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) struct Summary {
    /// `1-8hex-24hex`.
    pub id: String,
    /// What was asked of the entry point, else its name.
    pub name: String,
    /// The names of its services.
    pub services: BTreeSet<String>,
    /// How many segments, without inferred ones.
    pub segments: usize,
    /// The entry point's HTTP status.
    pub status: Option<i64>,
    /// Whether anything in it is in fault, in error or throttled.
    pub failed: bool,
    /// Whether something has not ended yet.
    pub partial: bool,
    /// The first start, in Unix seconds.
    pub start: f64,
    /// From the first start to the last end, in seconds.
    pub duration: f64,
}

/// The newest traces, the latest first.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Recent {
    /// The traces.
    pub traces: Vec<Summary>,
    /// Whether that is all there is.
    pub complete: bool,
}

/// One trace.
#[derive(Debug)]
pub(in crate::sandbox) struct Found {
    /// Segments, inferred ones, and subsegments whose parent has not come, by their start.
    pub segments: Vec<Segment>,
    /// Whether documents were dropped because the trace was too large.
    pub limit_exceeded: bool,
}

/// How many traces there are.
pub(in crate::sandbox) fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM xray_trace", [], |row| row.get(0))
}

/// Whether Transaction Search is on, so that X-Ray's own API finds nothing.
pub(in crate::sandbox) fn is_elsewhere(connection: &Connection) -> rusqlite::Result<bool> {
    Ok(setting::destination(connection)?.is_elsewhere())
}

/// The newest traces.
pub(in crate::sandbox) fn recent(connection: &Connection, most: usize) -> rusqlite::Result<Recent> {
    let range = Range { clock: Clock::TraceId, from: 0.0, until: f64::from(u32::MAX) + 1.0 };
    let page = read::page(connection, range, None, most + 1)?;
    let (mut recent, mut size) = (Recent { traces: Vec::new(), complete: page.len() <= most }, 0_i64);
    for stored in page.iter().take(most) {
        size = size.saturating_add(stored.bytes());
        if size > BYTES && !recent.traces.is_empty() {
            recent.complete = false;
            break;
        }
        recent.traces.push(summary(&stored.load(connection)?));
    }
    Ok(recent)
}

/// The trace of this id, written `1-8hex-24hex`.
pub(in crate::sandbox) fn trace(connection: &Connection, id: &str) -> rusqlite::Result<Option<Found>> {
    let Some(stored) = read::by_id(connection, id)? else { return Ok(None) };
    let trace = stored.load(connection)?;
    Ok(Some(Found { segments: trace.segments, limit_exceeded: trace.limit_exceeded }))
}

fn summary(trace: &Trace) -> Summary {
    let root = trace.root().or(trace.segments.first());
    let path =
        root.and_then(Segment::url).map(|url| url::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.path().to_owned()));
    let name = match (root, root.and_then(Segment::method), path) {
        (_, Some(method), Some(path)) => format!("{method} {path}"),
        (Some(root), ..) => root.name.clone(),
        _ => String::new(),
    };
    Summary {
        id: trace.id.clone(),
        name,
        services: trace.services().filter(|segment| !segment.inferred).map(|segment| segment.name.clone()).collect(),
        segments: trace.services().filter(|segment| !segment.inferred).count(),
        status: root.and_then(Segment::status),
        failed: trace.entities().any(|entity| entity.fault || entity.error || entity.throttle),
        partial: trace.is_partial(),
        start: trace.start(),
        duration: trace.duration(),
    }
}
