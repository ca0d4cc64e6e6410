//! Reading events in order, a bounded page at a time.

use std::cmp::Ordering;

use memchr::memmem::Finder;
use rusqlite::{Connection, params};

use super::chunk::Chunk;
use super::pattern::Pattern;
use super::position::{Gap, Key};
use super::sketch;

/// Which events are wanted.
#[derive(Debug, Clone, Copy)]
pub(super) struct Range {
    /// Unix milliseconds, inclusive.
    pub from_ms: i64,
    /// Unix milliseconds, inclusive.
    pub until_ms: i64,
    /// Only what comes after this place.
    pub after: Option<Gap>,
    /// Only what comes before this place.
    pub before: Option<Gap>,
    /// Begin with the newest.
    pub newest_first: bool,
    /// How many events at the most.
    pub limit: usize,
    /// How many bytes of messages at the most; one event is always taken.
    pub bytes: usize,
}

/// One event that was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Found {
    pub key: Key,
    pub stream: i64,
    pub ingested_ms: i64,
    pub message: String,
}

/// A page of events, in the range's order.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub events: Vec<Found>,
    /// Whether there may be more.
    pub more: bool,
    /// How many events were looked at.
    pub scanned: u64,
    /// How many bytes of chunks were looked at.
    pub scanned_bytes: u64,
}

struct Place {
    row: i64,
    stream: i64,
    min_ms: i64,
    max_ms: i64,
}

/// Finds the first events of the range that match.
pub(super) fn page(connection: &Connection, streams: &[i64], range: &Range, pattern: &Pattern) -> rusqlite::Result<Page> {
    let from_ms = range.after.map_or(range.from_ms, |gap| gap.key.timestamp_ms.max(range.from_ms));
    let until_ms = range.before.map_or(range.until_ms, |gap| gap.key.timestamp_ms.min(range.until_ms));
    let mut places = places(connection, streams, from_ms, until_ms)?;
    if range.newest_first {
        places.sort_unstable_by_key(|place| (-place.max_ms, -place.row));
    } else {
        places.sort_unstable_by_key(|place| (place.min_ms, place.row));
    }
    let finder = pattern.needle().map(|needle| Finder::new(needle).into_owned());
    let mut page = Page::default();
    let mut bytes = 0;
    let mut last: Option<Key> = None;
    // SQLite reads a row no further than the columns that are asked for: the sketch lies before the body.
    let mut sketch = connection.prepare_cached("SELECT sketch FROM log_chunk WHERE id = ?1")?;
    let mut select = connection.prepare_cached("SELECT body FROM log_chunk WHERE id = ?1")?;
    for place in places {
        if last.is_some_and(|last| beyond(&place, last, range.newest_first)) {
            page.more = true;
            break;
        }
        if let Some(needle) = pattern.needle().filter(|needle| needle.len() >= sketch::SHORTEST) {
            let mut rows = sketch.query([place.row])?;
            let Some(row) = rows.next()? else { continue };
            if row.get_ref(0)?.as_blob_or_null()?.is_some_and(|sketch| !sketch::may_hold(sketch, needle.as_bytes())) {
                continue;
            }
        }
        let mut rows = select.query([place.row])?;
        let Some(row) = rows.next()? else { continue };
        let body = row.get_ref(0)?.as_blob()?;
        let Some(chunk) = Chunk::parse(place.row, body) else { continue };
        page.scanned_bytes += body.len() as u64;
        chunk.visit(finder.as_ref(), |event| {
            page.scanned += 1;
            let key = event.key;
            let inside = (range.from_ms..=range.until_ms).contains(&key.timestamp_ms)
                && range.after.is_none_or(|gap| gap.precedes(&key))
                && range.before.is_none_or(|gap| !gap.precedes(&key));
            if !inside {
                return;
            }
            let text = String::from_utf8_lossy(event.message);
            if !pattern.matches(&text) {
                return;
            }
            if last.is_some_and(|last| order(&key, &last, range.newest_first) == Ordering::Greater) {
                page.more = true;
                return;
            }
            bytes += text.len();
            let message = text.into_owned();
            page.events.push(Found { key, stream: place.stream, ingested_ms: event.ingested_ms, message });
        });
        if page.events.len() >= range.limit || bytes > range.bytes {
            bytes = cut(&mut page, range);
            last = page.events.last().map(|event| event.key);
        }
    }
    cut(&mut page, range);
    Ok(page)
}

/// Every chunk of the streams that may hold events of the time.
fn places(connection: &Connection, streams: &[i64], from_ms: i64, until_ms: i64) -> rusqlite::Result<Vec<Place>> {
    let mut select = connection
        .prepare_cached("SELECT id, min_ms, max_ms FROM log_chunk WHERE stream_id = ?1 AND min_ms <= ?2 AND max_ms >= ?3")?;
    let mut places = Vec::new();
    for stream in streams {
        let mut rows = select.query(params![stream, until_ms, from_ms])?;
        while let Some(row) = rows.next()? {
            places.push(Place { row: row.get(0)?, stream: *stream, min_ms: row.get(1)?, max_ms: row.get(2)? });
        }
    }
    Ok(places)
}

/// Whether all events of the chunk come later than the last one that is still wanted.
fn beyond(place: &Place, last: Key, newest_first: bool) -> bool {
    if newest_first { place.max_ms < last.timestamp_ms } else { place.min_ms > last.timestamp_ms }
}

fn order(a: &Key, b: &Key, newest_first: bool) -> Ordering {
    if newest_first { b.cmp(a) } else { a.cmp(b) }
}

/// Sorts, and drops what goes beyond the page. Returns the bytes that are left.
fn cut(page: &mut Page, range: &Range) -> usize {
    page.events.sort_by(|a, b| order(&a.key, &b.key, range.newest_first));
    let mut bytes = 0;
    let fitting = page.events.iter().take(range.limit).take_while(|event| {
        let first = bytes == 0;
        bytes += event.message.len();
        first || bytes <= range.bytes
    });
    let fitting = fitting.count().max(1);
    page.more |= page.events.len() > fitting;
    page.events.truncate(fitting);
    page.events.iter().map(|event| event.message.len()).sum()
}
