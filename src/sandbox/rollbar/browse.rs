//! What the console shows of Rollbar: items, and one item with its latest occurrences.

use rusqlite::{Connection, OptionalExtension, Row};
use serde_json::Value;

/// How many occurrences of an item are shown.
const OCCURRENCES: i64 = 20;
/// How many bytes of them are read; one is always.
const BYTES: usize = 2 << 20;

const ITEM: &str = "SELECT id, counter, title, level, status, environment, framework, total, first_at, last_at FROM rollbar_item";

/// An item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox) struct Item {
    id: i64,
    /// The number in Rollbar's own addresses.
    pub counter: i64,
    pub title: String,
    pub level: String,
    /// `active`, `resolved`, `muted` or `archived`.
    pub status: String,
    pub environment: String,
    pub framework: String,
    /// How many occurrences there have been.
    pub total: i64,
    /// Unix seconds.
    pub first_at: i64,
    /// Unix seconds.
    pub last_at: i64,
}

/// One occurrence.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox) struct Occurrence {
    pub uuid: String,
    /// Unix seconds.
    pub timestamp: i64,
    /// The payload's `data`, as it came.
    pub data: Value,
}

/// How many items there are.
pub(in crate::sandbox) fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM rollbar_item", [], |row| row.get(0))
}

/// The items, the latest first.
pub(in crate::sandbox) fn items(connection: &Connection, most: usize) -> rusqlite::Result<Vec<Item>> {
    let mut select = connection.prepare_cached(&format!("{ITEM} ORDER BY last_at DESC, id DESC LIMIT ?1"))?;
    select.query_map([i64::try_from(most).unwrap_or(i64::MAX)], item_of)?.collect()
}

/// The item of that number with its latest occurrences, the newest first.
pub(in crate::sandbox) fn item(connection: &Connection, counter: i64) -> rusqlite::Result<Option<(Item, Vec<Occurrence>)>> {
    let found = connection.prepare_cached(&format!("{ITEM} WHERE counter = ?1"))?.query_row([counter], item_of).optional()?;
    let Some(item) = found else { return Ok(None) };
    let mut select = connection
        .prepare_cached("SELECT uuid, timestamp, data FROM rollbar_occurrence WHERE item_id = ?1 ORDER BY id DESC LIMIT ?2")?;
    let mut rows = select.query([item.id, OCCURRENCES])?;
    let (mut occurrences, mut size) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        let data = row.get_ref(2)?.as_str()?;
        size += data.len();
        if size > BYTES && !occurrences.is_empty() {
            break;
        }
        let data = serde_json::from_str(data).unwrap_or_default();
        occurrences.push(Occurrence { uuid: row.get(0)?, timestamp: row.get(1)?, data });
    }
    Ok(Some((item, occurrences)))
}

fn item_of(row: &Row<'_>) -> rusqlite::Result<Item> {
    Ok(Item {
        id: row.get(0)?,
        counter: row.get(1)?,
        title: row.get(2)?,
        level: row.get(3)?,
        status: row.get(4)?,
        environment: row.get(5)?,
        framework: row.get(6)?,
        total: row.get(7)?,
        first_at: row.get(8)?,
        last_at: row.get(9)?,
    })
}
