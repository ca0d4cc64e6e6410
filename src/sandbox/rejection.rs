//! Traffic that the sandbox refused, kept as evidence: it is how most mistakes are explained.

use rusqlite::{Connection, params};

use super::Shared;
use super::store::{StoreError, Tables};
use crate::facts::Rejection;

/// The table of refused traffic.
pub const TABLES: Tables = Tables {
    schema: "CREATE TABLE IF NOT EXISTS rejection (
        id INTEGER PRIMARY KEY, at_ms INTEGER NOT NULL, body TEXT NOT NULL);
        CREATE INDEX IF NOT EXISTS rejection_at ON rejection (at_ms);",
    evict: |connection, before_ms| connection.execute("DELETE FROM rejection WHERE at_ms < ?1", [before_ms]),
};

/// Keeps a refusal. A failure to do so is dropped: it must not turn one refusal into two.
pub async fn keep(shared: &Shared, rejection: Rejection) {
    let Ok(body) = serde_json::to_string(&rejection) else { return };
    let _ = shared
        .store
        .write(move |tx| tx.execute("INSERT INTO rejection (at_ms, body) VALUES (?1, ?2)", params![rejection.at_ms, body]))
        .await;
}

/// The refusals since the given time, oldest first; of more than 1,000 the latest.
///
/// # Errors
/// When the store cannot be read.
pub async fn since(shared: &Shared, from_ms: i64) -> Result<Vec<Rejection>, StoreError> {
    shared.store.read(move |connection| select(connection, from_ms)).await
}

fn select(connection: &Connection, from_ms: i64) -> rusqlite::Result<Vec<Rejection>> {
    let mut statement = connection.prepare_cached(
        "SELECT body FROM (SELECT id, body FROM rejection WHERE at_ms >= ?1 ORDER BY id DESC LIMIT 1000) ORDER BY id",
    )?;
    let rows = statement.query_map([from_ms], |row| row.get::<_, String>(0))?;
    Ok(rows.filter_map(Result::ok).filter_map(|body| serde_json::from_str(&body).ok()).collect())
}
