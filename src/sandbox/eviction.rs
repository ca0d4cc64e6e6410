use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::store::{Store, StoreError, Tables};
use super::{Bounds, now_ms};

/// How often the store is looked at.
const EVERY: Duration = Duration::from_mins(5);
/// How many free pages are given back at a time.
const PAGES: u32 = 4_096;
/// What is younger stays, however large the store is.
const SPARED_MS: i64 = 60_000;

/// Evicts at once and then every few minutes, until the sandbox stops.
pub async fn run(store: Store, tables: &'static [Tables], bounds: Bounds, shutdown: CancellationToken) {
    loop {
        // A store that refuses now may be back the next time.
        let _ = evict(&store, tables, bounds, now_ms()).await;
        tokio::select! {
            () = tokio::time::sleep(EVERY) => {}
            () = shutdown.cancelled() => return,
        }
    }
}

/// Deletes what is too old, and then ever younger rows until the store is within its bounds. Returns how many went.
///
/// # Errors
/// When the store refuses.
pub async fn evict(store: &Store, tables: &'static [Tables], bounds: Bounds, now: i64) -> Result<usize, StoreError> {
    let mut age = i64::try_from(bounds.max_age.as_millis()).unwrap_or(i64::MAX);
    let mut gone = delete(store, tables, now.saturating_sub(age)).await?;
    while store.bytes().await? > bounds.max_bytes && age > SPARED_MS {
        age = (age / 4 * 3).max(SPARED_MS);
        gone += delete(store, tables, now.saturating_sub(age)).await?;
    }
    if gone > 0 {
        store.shrink(PAGES).await?;
    }
    Ok(gone)
}

async fn delete(store: &Store, tables: &'static [Tables], before_ms: i64) -> Result<usize, StoreError> {
    let mut gone = 0;
    for table in tables {
        // One write a vendor: what comes in meanwhile waits for one of them, not for all.
        gone += store.write_aside(move |tx| (table.evict)(tx, before_ms)).await?;
    }
    Ok(gone)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::store::Place;

    static TABLES: [Tables; 1] = [Tables {
        schema: "CREATE TABLE IF NOT EXISTS thing (at_ms INTEGER NOT NULL, body BLOB NOT NULL)",
        evict: |connection, before_ms| connection.execute("DELETE FROM thing WHERE at_ms < ?1", [before_ms]),
    }];

    async fn store(ages_ms: impl IntoIterator<Item = i64>, now: i64) -> Store {
        let store = Store::open(&Place::Memory, &TABLES).unwrap();
        for age in ages_ms {
            store.write(move |tx| tx.execute("INSERT INTO thing VALUES (?1, zeroblob(100000))", [now - age])).await.unwrap();
        }
        store
    }

    async fn ages(store: &Store, now: i64) -> Vec<i64> {
        store
            .read(move |connection| {
                let mut statement = connection.prepare("SELECT ?1 - at_ms FROM thing ORDER BY at_ms DESC")?;
                statement.query_map([now], |row| row.get(0))?.collect()
            })
            .await
            .unwrap()
    }

    #[tokio::test]
    async fn what_is_too_old_goes() {
        let now = 10_000_000;
        let store = store([0, 999, 1001, 5000], now).await;
        let bounds = Bounds { max_age: Duration::from_secs(1), max_bytes: u64::MAX };
        assert_eq!(evict(&store, &TABLES, bounds, now).await.unwrap(), 2);
        assert_eq!(ages(&store, now).await, [0, 999]);
    }

    #[tokio::test]
    async fn when_it_is_too_much_the_oldest_goes_first() {
        let (now, hour) = (1_000_000_000_000, 3_600_000);
        let store = store((0..20).map(|hours| hours * hour), now).await;
        let bounds = Bounds { max_age: Duration::from_secs(30 * 86_400), max_bytes: 1_000_000 };
        evict(&store, &TABLES, bounds, now).await.unwrap();
        let left = ages(&store, now).await;
        assert!(store.bytes().await.unwrap() <= 1_000_000);
        assert!(!left.is_empty() && left.len() < 10, "{left:?}");
        assert_eq!(left, (0..).map(|hours| hours * hour).take(left.len()).collect::<Vec<_>>());
    }

    #[tokio::test]
    async fn the_last_minute_stays_however_much_it_is() {
        let now = 10_000_000;
        let store = store([10, 20, 30], now).await;
        let bounds = Bounds { max_age: Duration::from_secs(86_400), max_bytes: 10 };
        evict(&store, &TABLES, bounds, now).await.unwrap();
        assert_eq!(ages(&store, now).await.len(), 3);
    }
}
