//! The one SQLite store beneath all the embedded vendors.
//!
//! One thread owns the writing connection and commits whatever has queued up as one transaction
//! (each job in a savepoint of its own), so that a burst of small writes costs one commit and a write is
//! acknowledged only after it is durable against the death of the process. Readers have connections of
//! their own, on the blocking pool.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Savepoint};
use tokio::sync::oneshot;

/// Raised when the layout of a table changes in a way that older files cannot be read any more.
const LAYOUT: i64 = 1;

/// How many queued writes share one transaction at the most.
const GROUP: usize = 512;

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

type Job = Box<dyn FnOnce(&mut Connection) -> Box<dyn FnOnce(bool) + Send> + Send>;

/// A handle to the store: cheap to clone, shared by all vendors.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    jobs: Mutex<mpsc::Sender<Job>>,
    idle: Mutex<Vec<Connection>>,
    address: String,
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
        let connection = connect(&address)?;
        if matches!(place, Place::File(_)) {
            connection.pragma_update(None, "journal_mode", "wal")?;
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
        thread::Builder::new()
            .name(String::from("sandbox-store"))
            .spawn(move || write_all(connection, &queue))
            .map_err(|source| StoreError::Folder { path: String::from("a thread"), source })?;
        Ok(Self { inner: Arc::new(Inner { jobs: Mutex::new(jobs), idle: Mutex::new(Vec::new()), address }) })
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
        let job: Job = Box::new(move |connection| {
            let result = in_savepoint(connection, work);
            Box::new(move |committed| {
                let result = if committed { result.map_err(StoreError::from) } else { Err(StoreError::Closed) };
                // The asker may have gone away; the write stands all the same.
                let _ = done.send(result);
            })
        });
        self.inner.jobs.lock().unwrap_or_else(PoisonError::into_inner).send(job).map_err(|_| StoreError::Closed)?;
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
            let idle = inner.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
            let connection = match idle {
                Some(connection) => connection,
                None => connect(&inner.address)?,
            };
            let result = work(&connection);
            inner.idle.lock().unwrap_or_else(PoisonError::into_inner).push(connection);
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
    Ok(connection)
}

fn in_savepoint<T>(connection: &mut Connection, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let savepoint: Savepoint<'_> = connection.savepoint()?;
    // Dropped without a commit, it rolls back.
    let value = work(&savepoint)?;
    savepoint.commit()?;
    Ok(value)
}

fn write_all(mut connection: Connection, queue: &mpsc::Receiver<Job>) {
    while let Ok(first) = queue.recv() {
        let begun = connection.execute_batch("BEGIN IMMEDIATE").is_ok();
        let mut acknowledgements = vec![first(&mut connection)];
        while acknowledgements.len() < GROUP {
            let Ok(next) = queue.try_recv() else { break };
            acknowledgements.push(next(&mut connection));
        }
        let committed = begun && connection.execute_batch("COMMIT").is_ok();
        if begun && !committed {
            let _ = connection.execute_batch("ROLLBACK");
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
    async fn a_file_of_another_layout_is_refused_and_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("store.db");
        Connection::open(&path).unwrap().pragma_update(None, "user_version", 99).unwrap();
        let refused = Store::open(&Place::File(path), &[TABLES]).unwrap_err();
        assert!(refused.to_string().contains("layout 99"), "{refused}");
    }
}
