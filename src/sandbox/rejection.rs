//! Traffic that the sandbox refused, kept as evidence: it is how most mistakes are explained.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

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

/// How many refusals of one vendor for one reason are kept in a while: a client that tries again and again must not
/// bury what is refused for other reasons.
const KEPT: u32 = 50;
/// That while, in milliseconds.
const WHILE_MS: i64 = 10_000;

/// What was refused lately, by vendor and reason: since when, and how often.
#[derive(Debug, Default)]
struct Lately {
    counts: Mutex<HashMap<(String, String), (i64, u32)>>,
}

impl Lately {
    /// Counts a refusal, and says whether there is still room for it.
    fn has_room(&self, rejection: &Rejection) -> bool {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts.retain(|_, (since_ms, _)| (rejection.at_ms - *since_ms).abs() < WHILE_MS);
        let (_, count) = counts.entry((rejection.vendor.clone(), rejection.reason.clone())).or_insert((rejection.at_ms, 0));
        *count += 1;
        *count <= KEPT
    }
}

/// Keeps a refusal, unless there have just been many like it. A failure to do so is dropped: it must not turn one
/// refusal into two.
pub async fn keep(shared: &Shared, rejection: Rejection) {
    if !shared.store.memo::<Lately>().has_room(&rejection) {
        return;
    }
    let Ok(body) = serde_json::to_string(&rejection) else { return };
    let _ = shared
        .store
        .write(move |tx| {
            tx.prepare_cached("INSERT INTO rejection (at_ms, body) VALUES (?1, ?2)")?.execute(params![rejection.at_ms, body])
        })
        .await;
}

/// The refusals since the given time, oldest first; of more than 1,000 the latest.
///
/// # Errors
/// When the store cannot be read.
pub async fn since(shared: &Shared, from_ms: i64) -> Result<Vec<Rejection>, StoreError> {
    shared.store.read(move |connection| select(connection, from_ms)).await
}

/// The latest refusals, the newest first.
pub(super) fn latest(connection: &Connection, most: usize) -> rusqlite::Result<Vec<Rejection>> {
    let mut statement = connection.prepare_cached("SELECT body FROM rejection ORDER BY id DESC LIMIT ?1")?;
    let rows = statement.query_map([i64::try_from(most).unwrap_or(i64::MAX)], |row| row.get::<_, String>(0))?;
    Ok(rows.filter_map(Result::ok).filter_map(|body| serde_json::from_str(&body).ok()).collect())
}

/// How many refusals there are.
pub(super) fn count(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT count(*) FROM rejection", [], |row| row.get(0))
}

fn select(connection: &Connection, from_ms: i64) -> rusqlite::Result<Vec<Rejection>> {
    let mut statement = connection.prepare_cached(
        "SELECT body FROM (SELECT id, body FROM rejection WHERE at_ms >= ?1 ORDER BY id DESC LIMIT 1000) ORDER BY id",
    )?;
    let rows = statement.query_map([from_ms], |row| row.get::<_, String>(0))?;
    Ok(rows.filter_map(Result::ok).filter_map(|body| serde_json::from_str(&body).ok()).collect())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::sandbox::Keys;
    use crate::sandbox::store::{Place, Store};

    fn refused(at_ms: i64, reason: &str) -> Rejection {
        Rejection {
            at_ms,
            vendor: String::from("honeycomb"),
            request: String::from("POST /v1/traces"),
            status: 401,
            reason: reason.to_owned(),
            detail: String::from("no"),
            service: None,
        }
    }

    #[tokio::test]
    async fn a_flood_of_one_kind_does_not_bury_another() {
        let shared = Shared { store: Store::open(&Place::Memory, &[TABLES]).unwrap(), keys: Arc::new(Keys::default()) };
        for at_ms in 0..200 {
            keep(&shared, refused(1_000 + at_ms, "blank-key")).await;
        }
        keep(&shared, refused(1_200, "unparsable")).await;
        assert_eq!(since(&shared, 0).await.unwrap().len(), 51);
        // Later there is room again.
        keep(&shared, refused(1_000 + WHILE_MS, "blank-key")).await;
        let kept = since(&shared, 1_200).await.unwrap();
        assert_eq!(kept.iter().map(|kept| kept.reason.as_str()).collect::<Vec<_>>(), ["unparsable", "blank-key"]);
    }

    #[tokio::test]
    async fn of_too_many_the_latest_are_told_oldest_first() {
        let shared = Shared { store: Store::open(&Place::Memory, &[TABLES]).unwrap(), keys: Arc::new(Keys::default()) };
        let all = (0..1_100).map(|number| keep(&shared, refused(number, &format!("reason-{number}"))));
        futures_util::future::join_all(all).await;
        let kept = since(&shared, 0).await.unwrap();
        assert_eq!((kept.len(), kept[0].at_ms, kept[999].at_ms), (1_000, 100, 1_099));
    }
}
