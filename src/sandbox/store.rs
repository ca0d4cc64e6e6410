//! The one SQLite store beneath all the embedded vendors.
//!
//! One thread owns the writing connection and commits whatever has queued up as one transaction
//! (each job after the first in a savepoint of its own), so that a burst of small writes costs one commit and a write is
//! acknowledged only after it is durable against the death of the process. Readers have connections of
//! their own, on the blocking pool.

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Savepoint};
use tokio::sync::oneshot;

/// Raised when the layout of a table changes in a way that older files cannot be read any more.
const LAYOUT: i64 = 1;

/// How many queued writes share one transaction at the most.
const GROUP: usize = 512;

/// How many reading connections are kept for later; a burst may open more.
const IDLE: usize = 8;

/// Where the store lives.
#[derive(Debug, Clone)]
pub enum Place {
    /// Gone with the process: for one-shot runs.
    Memory,
    /// A file, kept with its write-ahead log beside it.
    File(PathBuf),
}

/// The tables of one embedded vendor.
#[derive(Debug, Clone, Copy)]
pub struct Tables {
    /// `CREATE TABLE IF NOT EXISTS …` statements, safe to run on every start.
    pub schema: &'static str,
    /// Deletes what is older than the given time (Unix milliseconds), and says how many rows went.
    pub evict: fn(&Connection, before_ms: i64) -> rusqlite::Result<usize>,
}

/// What can go wrong in the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// SQLite refused.
    #[error("the sandbox's store failed: {0}")]
    Sqlite(#[from] rusqlite::Error),
    /// The file is of another version of `bootcamp`.
    #[error(
        "`{path}` was written by another version of bootcamp (layout {found}, this one reads {LAYOUT}); delete it to start afresh"
    )]
    Layout {
        /// The file.
        path: String,
        /// Its layout number.
        found: i64,
    },
    /// The folder of the file could not be made.
    #[error("cannot create `{path}`: {source}")]
    Folder {
        /// The folder.
        path: String,
        /// Why.
        source: std::io::Error,
    },
    /// The writing thread is gone: the sandbox is stopping.
    #[error("the sandbox's store is closed")]
    Closed,
}

/// Work of one writer. It is told whether it is the first of its transaction.
type Job = Box<dyn FnOnce(&mut Connection, bool) -> Done + Send>;

/// What came of a job.
struct Done {
    /// Whether nothing of it may stay and the transaction has to be rolled back for it.
    spoilt: bool,
    /// Tells whoever waits whether the transaction was committed.
    acknowledge: Box<dyn FnOnce(bool) + Send>,
}

/// A handle to the store: cheap to clone, shared by all vendors.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    writer: Mutex<Option<thread::JoinHandle<()>>>,
    idle: Mutex<Vec<Connection>>,
    memos: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
    losses: Arc<AtomicU64>,
    address: String,
    on_disk: bool,
}

impl fmt::Debug for Inner {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Inner").field("address", &self.address).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens (and where needed creates) the store with the tables of all vendors.
    ///
    /// # Errors
    /// When the file cannot be opened, or is of another layout.
    pub fn open(place: &Place, tables: &[Tables]) -> Result<Self, StoreError> {
        let address = match place {
            // A named database of the `memdb` VFS is shared by all connections of this process.
            Place::Memory => format!("file:/bootcamp-{}?vfs=memdb", uuid::Uuid::new_v4().simple()),
            Place::File(path) => {
                if let Some(folder) = path.parent() {
                    std::fs::create_dir_all(folder)
                        .map_err(|source| StoreError::Folder { path: folder.display().to_string(), source })?;
                }
                file_uri(path)
            }
        };
        let on_disk = matches!(place, Place::File(_));
        let connection = connect(&address)?;
        // Only a database without tables takes this; it lets eviction give pages back.
        connection.pragma_update(None, "auto_vacuum", "incremental")?;
        if on_disk {
            connection.pragma_update(None, "journal_mode", "wal")?;
            // Pages that are written again and again reach the file once in 16 MiB of log, and the disk is waited for as seldom.
            connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
            // After a burst the log shrinks again at the next checkpoint.
            connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        }
        // With a write-ahead log, `normal` survives the death of the process; only a power cut may cost the last commits.
        connection.pragma_update(None, "synchronous", "normal")?;
        let found: i64 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if found != 0 && found != LAYOUT {
            let path = match place {
                Place::File(path) => path.display().to_string(),
                Place::Memory => String::from("memory"),
            };
            return Err(StoreError::Layout { path, found });
        }
        connection.pragma_update(None, "user_version", LAYOUT)?;
        for table in tables {
            connection.execute_batch(table.schema)?;
        }
        let (jobs, queue) = mpsc::channel::<Job>();
        let losses = Arc::new(AtomicU64::new(0));
        let counted = Arc::clone(&losses);
        let writer = thread::Builder::new()
            .name(String::from("sandbox-store"))
            .spawn(move || write_all(connection, &queue, &counted))
            .map_err(|source| StoreError::Folder { path: String::from("a thread"), source })?;
        let inner = Inner {
            jobs: Mutex::new(Some(jobs)),
            writer: Mutex::new(Some(writer)),
            idle: Mutex::new(Vec::new()),
            memos: Mutex::new(HashMap::new()),
            losses,
            address,
            on_disk,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What a vendor remembers of this store between requests: made at the first call, one of each type.
    #[must_use]
    pub fn memo<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut memos = self.inner.memos.lock().unwrap_or_else(PoisonError::into_inner);
        let memo = memos.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::clone(memo).downcast().unwrap_or_default()
    }

    /// How often a whole group of writes was lost because its commit failed. What a memo holds is stale once this moved.
    #[must_use]
    pub fn losses(&self) -> u64 {
        self.inner.losses.load(Ordering::Acquire)
    }

    /// Ends the writing thread once all queued writes are done, and folds the write-ahead log into the file.
    /// Later writes and reads fail with [`StoreError::Closed`].
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        let _ = tokio::task::spawn_blocking(move || {
            drop(inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).take());
            // The last connection to close folds the log, so the readers go first.
            inner.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
            let writer = inner.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
            writer.map(thread::JoinHandle::join)
        })
        .await;
    }

    /// The bytes of all pages that hold something.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub async fn bytes(&self) -> Result<u64, StoreError> {
        self.read(|connection| {
            let ask = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, i64>(0));
            let used = (ask("page_count")? - ask("freelist_count")?) * ask("page_size")?;
            Ok(used.max(0).unsigned_abs())
        })
        .await
    }

    /// Gives up to `pages` free pages back to the file system.
    ///
    /// # Errors
    /// When the store cannot be written.
    pub async fn shrink(&self, pages: u32) -> Result<(), StoreError> {
        self.write(move |tx| {
            let mut statement = tx.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
            let mut rows = statement.query([])?;
            while rows.next()?.is_some() {}
            Ok(())
        })
        .await?;
        if self.inner.on_disk {
            // Outside of any transaction; busy readers merely postpone it.
            self.read(|connection| connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))).await?;
        }
        Ok(())
    }

    /// Runs `work` in a transaction and returns once it is committed. An error rolls back this work alone.
    ///
    /// # Errors
    /// Whatever `work` returned, or the commit's own failure.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (done, outcome) = oneshot::channel();
        let job: Job = Box::new(move |connection, first| {
            // A savepoint copies every page that it changes. The first job needs none: what it undoes is the transaction.
            let result = if first { work(connection) } else { in_savepoint(connection, work) };
            let spoilt = first && result.is_err();
            let acknowledge = Box::new(move |committed: bool| {
                let result = match result {
                    Ok(_) if !committed => Err(StoreError::Closed),
                    result => result.map_err(StoreError::from),
                };
                // The asker may have gone away; the write stands all the same.
                let _ = done.send(result);
            });
            Done { spoilt, acknowledge }
        });
        match self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).as_ref() {
            Some(jobs) => jobs.send(job).map_err(|_| StoreError::Closed)?,
            None => return Err(StoreError::Closed),
        }
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `work` on a reading connection, off the async threads.
    ///
    /// # Errors
    /// Whatever `work` returned, or that no connection could be opened.
    pub async fn read<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || {
            if inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).is_none() {
                return Err(StoreError::Closed);
            }
            let idle = inner.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match idle {
                Some(connection) => connection,
                None => connect(&inner.address)?,
            };
            let result = work(&connection);
            let mut idle = inner.idle.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE {
                idle.push(connection);
            }
            drop(idle);
            Ok(result?)
        })
        .await
        .map_err(|_| StoreError::Closed)?
    }
}

fn file_uri(path: &Path) -> String {
    let mut uri = url::Url::from_file_path(std::path::absolute(path).unwrap_or_else(|_| path.to_path_buf()))
        .map_or_else(|()| format!("file:{}", path.display()), String::from);
    uri.push_str("?mode=rwc");
    uri
}

fn connect(address: &str) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE
        | OpenFlags::SQLITE_OPEN_CREATE
        | OpenFlags::SQLITE_OPEN_URI
        | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(address, flags)?;
    connection.busy_timeout(Duration::from_secs(10))?;
    // 2 MiB of cache a connection keeps an idle sandbox small.
    connection.pragma_update(None, "cache_size", -2048)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What a savepoint or a sort puts aside is small, and not worth a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

fn in_savepoint<T>(connection: &mut Connection, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let savepoint: Savepoint<'_> = connection.savepoint()?;
    // Dropped without a commit, it rolls back.
    let value = work(&savepoint)?;
    savepoint.commit()?;
    Ok(value)
}

fn write_all(mut connection: Connection, queue: &mpsc::Receiver<Job>, losses: &AtomicU64) {
    while let Ok(mut next) = queue.recv() {
        let begun = connection.execute_batch("BEGIN IMMEDIATE").is_ok();
        let mut acknowledgements = Vec::new();
        let spoilt = loop {
            let done = next(&mut connection, begun && acknowledgements.is_empty());
            acknowledgements.push(done.acknowledge);
            if done.spoilt || acknowledgements.len() >= GROUP {
                break done.spoilt;
            }
            match queue.try_recv() {
                Ok(job) => next = job,
                Err(_) => break false,
            }
        };
        // A spoilt job was alone in its transaction, and keeps its own error.
        let committed = begun && !spoilt && connection.execute_batch("COMMIT").is_ok();
        if begun && !committed {
            let _ = connection.execute_batch("ROLLBACK");
        }
        if !committed && !spoilt {
            losses.fetch_add(1, Ordering::Release);
        }
        for acknowledge in acknowledgements {
            acknowledge(committed);
        }
    }
    // Closing folds the write-ahead log back into the file.
    drop(connection);
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLES: Tables = Tables { schema: "CREATE TABLE IF NOT EXISTS word (text TEXT NOT NULL UNIQUE)", evict: |_, _| Ok(0) };

    async fn count(store: &Store) -> i64 {
        store.read(|connection| connection.query_row("SELECT count(*) FROM word", [], |row| row.get(0))).await.unwrap()
    }

    #[tokio::test]
    async fn a_failed_write_takes_nothing_else_with_it() {
        let store = Store::open(&Place::Memory, &[TABLES]).unwrap();
        let add = |word: &'static str| store.write(move |tx| tx.execute("INSERT INTO word VALUES (?1)", [word]));
        let (a, b, c) = tokio::join!(add("one"), add("one"), add("two"));
        assert!(a.is_ok() && b.is_err() && c.is_ok());
        assert_eq!(count(&store).await, 2);

        // Alone in its transaction, it keeps its own error, and nothing of what it had done before.
        let half = store.write(|tx| {
            tx.execute("INSERT INTO word VALUES ('three')", []).and(tx.execute("INSERT INTO word VALUES ('one')", []))
        });
        assert!(matches!(half.await, Err(StoreError::Sqlite(_))));
        assert_eq!((count(&store).await, store.losses()), (2, 0));
    }

    #[tokio::test(flavor = "multi_thread", worker_threads = 4)]
    async fn readers_and_writers_do_not_fail_each_other() {
        let folder = tempfile::tempdir().unwrap();
        for place in [Place::Memory, Place::File(folder.path().join("store.db"))] {
            let store = Store::open(&place, &[TABLES]).unwrap();
            let tasks = (0..200).map(|number| {
                let store = store.clone();
                tokio::spawn(async move {
                    store.write(move |tx| tx.execute("INSERT INTO word VALUES (?1)", [number])).await.unwrap();
                    // Whoever wrote sees it at once, whatever the others do.
                    let seen = store.read(move |connection| {
                        connection.query_row("SELECT count(*) FROM word WHERE text = ?1", [number.to_string()], |row| {
                            row.get::<_, i64>(0)
                        })
                    });
                    assert_eq!(seen.await.unwrap(), 1);
                })
            });
            for task in tasks.collect::<Vec<_>>() {
                task.await.unwrap();
            }
            assert_eq!(count(&store).await, 200);
        }
    }

    #[tokio::test]
    async fn a_file_keeps_what_was_written() {
        let folder = tempfile::tempdir().unwrap();
        let place = Place::File(folder.path().join("deep/store ü#?.db"));
        let store = Store::open(&place, &[TABLES]).unwrap();
        store.write(|tx| tx.execute("INSERT INTO word VALUES ('kept')", [])).await.unwrap();
        drop(store);
        let again = Store::open(&place, &[TABLES]).unwrap();
        assert_eq!(count(&again).await, 1);
    }

    #[tokio::test]
    async fn closing_waits_for_the_writes_and_refuses_later_ones() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        let store = Store::open(&Place::File(path.clone()), &[TABLES]).unwrap();
        store.write(|tx| tx.execute("INSERT INTO word VALUES ('kept')", [])).await.unwrap();
        assert_eq!(count(&store).await, 1);
        store.close().await;
        assert!(!folder.path().join("store.db-wal").exists(), "the log is folded in");
        let late = store.write(|tx| tx.execute("INSERT INTO word VALUES ('late')", [])).await;
        assert!(matches!(late, Err(StoreError::Closed)));
    }

    #[tokio::test]
    async fn freed_pages_are_given_back() {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::open(&Place::File(folder.path().join("store.db")), &[TABLES]).unwrap();
        store.write(|tx| tx.execute("INSERT INTO word VALUES (hex(randomblob(1000000)))", [])).await.unwrap();
        let full = store.bytes().await.unwrap();
        store.write(|tx| tx.execute("DELETE FROM word", [])).await.unwrap();
        store.shrink(10_000).await.unwrap();
        let pages: i64 =
            store.read(|connection| connection.pragma_query_value(None, "page_count", |row| row.get(0))).await.unwrap();
        assert!(full > 2_000_000 && pages < 20, "{full} bytes, then {pages} pages");
    }

    #[tokio::test]
    async fn a_memo_is_one_per_type_and_store() {
        let store = Store::open(&Place::Memory, &[TABLES]).unwrap();
        store.memo::<AtomicU64>().store(7, Ordering::Relaxed);
        assert_eq!(store.memo::<AtomicU64>().load(Ordering::Relaxed), 7);
        let other = Store::open(&Place::Memory, &[TABLES]).unwrap();
        assert_eq!(other.memo::<AtomicU64>().load(Ordering::Relaxed), 0);
    }

    #[tokio::test]
    async fn a_file_of_another_layout_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let refused = Store::open(&Place::File(path), &[TABLES]).unwrap_err();
        assert!(refused.to_string().contains("layout 99"), "{refused}");
    }
}
