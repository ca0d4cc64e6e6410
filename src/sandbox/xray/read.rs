//! Traces out of the store: by id, and by time, the latest first.

use rusqlite::{Connection, OptionalExtension as _, Row, params};

use super::filter::{self, Groups};
use super::ingest::LARGEST_TRACE;
use super::trace::Trace;

/// By which of its times a trace is looked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Clock {
    /// The second in the trace id.
    TraceId,
    /// Any moment between its first start and its last end.
    Event,
    /// Its last end.
    Service,
}

/// A span of time, from the first moment to before the last, in Unix seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Range {
    /// The clock.
    pub clock: Clock,
    /// The first moment.
    pub from: f64,
    /// The moment after the last.
    pub until: f64,
}

/// Where a page ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Cursor {
    /// The time that the last trace was sorted by.
    pub at: f64,
    /// The last trace's number: of two traces of the same time, the one that came later is listed first.
    pub number: i64,
}

/// A trace in the store, its documents not yet read.
#[derive(Debug, Clone)]
pub(super) struct Stored {
    number: i64,
    trace_id: String,
    revision: i64,
    size: i64,
    at: f64,
}

impl Stored {
    /// Where the page ends if this trace is its last.
    pub fn cursor(&self) -> Cursor {
        Cursor { at: self.at, number: self.number }
    }

    /// How many bytes of documents have come in; not all may have been kept.
    pub fn bytes(&self) -> i64 {
        self.size
    }

    /// Reads and compiles the documents.
    pub fn load(&self, connection: &Connection) -> rusqlite::Result<Trace> {
        let mut statement = connection.prepare_cached("SELECT document FROM xray_document WHERE trace = ?1 ORDER BY number")?;
        let documents: Vec<String> = statement.query_map([self.number], |row| row.get(0))?.collect::<Result<_, _>>()?;
        let mut trace = Trace::compile(self.trace_id.as_str(), documents.iter().map(String::as_str));
        trace.revision = self.revision;
        trace.limit_exceeded = self.size > LARGEST_TRACE;
        Ok(trace)
    }

    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { number: row.get(0)?, trace_id: row.get(1)?, revision: row.get(2)?, size: row.get(3)?, at: row.get(4)? })
    }
}

/// The trace of this id.
pub(super) fn by_id(connection: &Connection, trace_id: &str) -> rusqlite::Result<Option<Stored>> {
    connection
        .prepare_cached("SELECT id, trace_id, revision, size, started FROM xray_trace WHERE trace_id = ?1")?
        .query_row([trace_id.to_ascii_lowercase()], Stored::from_row)
        .optional()
}

/// The traces of a time, the latest first, after the cursor.
pub(super) fn page(connection: &Connection, range: Range, after: Option<&Cursor>, limit: usize) -> rusqlite::Result<Vec<Stored>> {
    let sql = match range.clock {
        Clock::TraceId => {
            "SELECT id, trace_id, revision, size, CAST(epoch_s AS REAL) FROM xray_trace
             WHERE epoch_s >= ?1 AND epoch_s < ?2 AND (epoch_s, id) < (?3, ?4)
             ORDER BY epoch_s DESC, id DESC LIMIT ?5"
        }
        Clock::Event => {
            "SELECT id, trace_id, revision, size, started FROM xray_trace
             WHERE ended >= ?1 AND started < ?2 AND (started, id) < (?3, ?4)
             ORDER BY started DESC, id DESC LIMIT ?5"
        }
        Clock::Service => {
            "SELECT id, trace_id, revision, size, ended FROM xray_trace
             WHERE ended >= ?1 AND ended < ?2 AND (ended, id) < (?3, ?4)
             ORDER BY ended DESC, id DESC LIMIT ?5"
        }
    };
    // An id knows whole seconds only: the window is widened to them, so that "since now" finds what began a moment later.
    let (from, until) = match range.clock {
        Clock::TraceId => (range.from.floor(), range.until.ceil()),
        Clock::Event | Clock::Service => (range.from, range.until),
    };
    let (at, number) = after.map_or((f64::MAX, 0), |cursor| (cursor.at, cursor.number));
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    let mut statement = connection.prepare_cached(sql)?;
    statement.query_map(params![from, until, at, number, limit], Stored::from_row)?.collect()
}

/// The filters of all groups.
pub(super) fn groups(connection: &Connection) -> rusqlite::Result<Groups> {
    let mut statement = connection.prepare_cached("SELECT name, filter FROM xray_group")?;
    let rows = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)))?;
    rows.map(|row| row.map(|(name, text)| (name, filter::parse(&text).ok()))).collect()
}
