//! What the console shows of CloudWatch Logs: groups, their streams, and events with the newest first.

use std::collections::BTreeMap;

use rusqlite::{Connection, params};

use super::pattern::Pattern;
use super::position::{self, Gap};
use super::scan::{self, Range};
use super::{group, stream};

/// How many bytes of messages a page holds; one event is always shown.
const BYTES: usize = 1 << 20;
/// How many of a group's streams its events are gathered from: those that were written to last.
const STREAMS: usize = 200;

/// A log group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox) struct Group {
    pub name: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    pub retention_days: Option<i64>,
    /// How many streams it has.
    pub streams: i64,
    /// The latest event's time, in Unix milliseconds.
    pub last_ms: Option<i64>,
}

/// A log stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox) struct Stream {
    id: i64,
    pub name: String,
    /// Unix milliseconds.
    pub created_ms: i64,
    /// The first event's time, in Unix milliseconds.
    pub first_ms: Option<i64>,
    /// The latest event's time, in Unix milliseconds.
    pub last_ms: Option<i64>,
}

/// An event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox) struct Line {
    /// Its own time, in Unix milliseconds.
    pub at_ms: i64,
    pub stream: String,
    pub message: String,
}

/// A page of events, the newest first.
#[derive(Debug, Default)]
pub(in crate::sandbox) struct Lines {
    pub lines: Vec<Line>,
    /// Where older ones begin, if there are any.
    pub older: Option<String>,
}

/// How many groups there are.
pub(in crate::sandbox) fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM log_group", [], |row| row.get(0))
}

/// The groups, those with the latest events first.
pub(in crate::sandbox) fn groups(connection: &Connection, most: usize) -> rusqlite::Result<Vec<Group>> {
    let mut select = connection.prepare_cached(
        "SELECT g.name, g.created_ms, g.retention_days, count(s.id), max(s.last_ms) AS last
         FROM log_group AS g LEFT JOIN log_stream AS s ON s.group_id = g.id
         GROUP BY g.id ORDER BY coalesce(last, g.created_ms) DESC, g.name LIMIT ?1",
    )?;
    let rows = select.query_map([i64::try_from(most).unwrap_or(i64::MAX)], |row| {
        Ok(Group {
            name: row.get(0)?,
            created_ms: row.get(1)?,
            retention_days: row.get(2)?,
            streams: row.get(3)?,
            last_ms: row.get(4)?,
        })
    })?;
    rows.collect()
}

/// A group's streams, those with the latest events first; `None` where there is no such group.
pub(in crate::sandbox) fn streams(connection: &Connection, group: &str, most: usize) -> rusqlite::Result<Option<Vec<Stream>>> {
    let Some(group) = group::find(connection, group)? else { return Ok(None) };
    latest(connection, group, most).map(Some)
}

fn latest(connection: &Connection, group: i64, most: usize) -> rusqlite::Result<Vec<Stream>> {
    let mut select = connection.prepare_cached(
        "SELECT id, name, created_ms, first_ms, last_ms FROM log_stream WHERE group_id = ?1
         ORDER BY coalesce(last_ms, 0) DESC, created_ms DESC, name LIMIT ?2",
    )?;
    let rows = select.query_map(params![group, i64::try_from(most).unwrap_or(i64::MAX)], |row| {
        Ok(Stream { id: row.get(0)?, name: row.get(1)?, created_ms: row.get(2)?, first_ms: row.get(3)?, last_ms: row.get(4)? })
    })?;
    rows.collect()
}

/// Events of a group, or of one of its streams, before the given place. `None` where there is no such group, stream or place.
pub(in crate::sandbox) fn lines(
    connection: &Connection,
    group: &str,
    stream: Option<&str>,
    before: Option<&str>,
    most: usize,
) -> rusqlite::Result<Option<Lines>> {
    let before = match before.map(position::parse) {
        Some(None) => return Ok(None),
        Some(place) => place,
        None => None,
    };
    let Some(group) = group::find(connection, group)? else { return Ok(None) };
    let names: BTreeMap<i64, String> = match stream {
        Some(name) => match stream::find(connection, group, name)? {
            Some(id) => BTreeMap::from([(id, name.to_owned())]),
            None => return Ok(None),
        },
        None => latest(connection, group, STREAMS)?.into_iter().map(|stream| (stream.id, stream.name)).collect(),
    };
    let range =
        Range { from_ms: 0, until_ms: i64::MAX, after: None, before, newest_first: true, limit: most.max(1), bytes: BYTES };
    let ids: Vec<i64> = names.keys().copied().collect();
    let page = scan::page(connection, &ids, &range, &Pattern::ALL)?;
    let last = page.events.last().filter(|_| page.more);
    let older = last.map(|event| position::digits(&Gap { key: event.key, after: false }));
    let line = |event: scan::Found| Line {
        at_ms: event.key.timestamp_ms,
        stream: names.get(&event.stream).cloned().unwrap_or_default(),
        message: event.message,
    };
    Ok(Some(Lines { lines: page.events.into_iter().map(line).collect(), older }))
}
