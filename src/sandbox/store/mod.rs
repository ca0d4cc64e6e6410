//! The one SQLite store beneath all the embedded vendors.
//!
//! There is one writing connection (`writer`). Who finds it free writes at once, on the thread that asks: to cross to
//! another one and back takes longer than a small write does. Who does not queues up, and a thread of its own commits
//! whatever has gathered as one transaction. Either way a write is acknowledged only after it is durable against the death
//! of the process. Readers have connections of their own.

mod writer;

use std::any::{Any, TypeId};
use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use writer::Writer;

/// Raised when the layout of a table changes in a way that older files cannot be read any more.
const LAYOUT: i64 = 1;

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
    /// The sandbox is stopping, or the transaction that the write shared with others was not committed.
    #[error("the sandbox's store is closed")]
    Closed,
    /// The write itself broke off. Nothing of it was kept, and the store goes on.
    #[error("a write to the sandbox's store broke off; nothing of it was kept")]
    Panicked,
}

/// A handle to the store: cheap to clone, shared by all vendors.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    writer: Writer,
    idle: Mutex<Vec<Connection>>,
    memos: Mutex<HashMap<TypeId, Arc<dyn Any + Send + Sync>>>,
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
            // The writer's own thread does it: to wait for the disk is not for those who write at once.
            connection.pragma_update(None, "wal_autocheckpoint", 0)?;
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
        let writer = Writer::start(connection).map_err(|source| StoreError::Folder { path: String::from("a thread"), source })?;
        let inner = Inner { writer, idle: Mutex::new(Vec::new()), memos: Mutex::new(HashMap::new()), address, on_disk };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// What a vendor remembers of this store between requests: made at the first call, one of each type.
    #[must_use]
    pub fn memo<T: Any + Default + Send + Sync>(&self) -> Arc<T> {
        let mut memos = self.inner.memos.lock().unwrap_or_else(PoisonError::into_inner);
        let memo = memos.entry(TypeId::of::<T>()).or_insert_with(|| Arc::new(T::default()));
        Arc::clone(memo).downcast().unwrap_or_default()
    }

    /// How often a whole transaction was lost because its commit failed or a write panicked. What a memo holds is stale once
    /// this moved.
    #[must_use]
    pub fn losses(&self) -> u64 {
        self.inner.writer.losses()
    }

    /// Waits for all writes that were asked for, and folds the write-ahead log into the file.
    /// Later writes and reads fail with [`StoreError::Closed`].
    pub async fn close(&self) {
        let inner = Arc::clone(&self.inner);
        let _ = tokio::task::spawn_blocking(move || {
            inner.writer.refuse();
            // The last connection to close folds the log, so the readers go first.
            inner.idle.lock().unwrap_or_else(PoisonError::into_inner).clear();
            inner.writer.close();
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
        self.write_aside(move |tx| {
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
    /// The work is done on the calling thread where nobody else writes at the moment: for what takes longer than a few
    /// milliseconds there is [`write_aside`](Self::write_aside).
    ///
    /// # Errors
    /// Whatever `work` returned, or the commit's own failure.
    pub async fn write<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        match self.inner.writer.at_once(work) {
            Ok(result) => result,
            Err(work) => self.inner.writer.queue(work).await,
        }
    }

    /// Like [`write`](Self::write), but always off the async threads: for what may take long.
    ///
    /// # Errors
    /// Whatever `work` returned, or the commit's own failure.
    pub async fn write_aside<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        self.inner.writer.queue(work).await
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
        tokio::task::spawn_blocking(move || inner.read(work)).await.map_err(|_| StoreError::Closed)?
    }

    /// Runs `work` on a reading connection and on the calling thread: for a look that is short however much there is.
    ///
    /// # Errors
    /// Whatever `work` returned, or that no connection could be opened.
    pub fn look<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        self.inner.read(work)
    }
}

impl Inner {
    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        if !self.writer.is_open() {
            return Err(StoreError::Closed);
        }
        let idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner).pop();
        let connection = match idle {
            Some(connection) => connection,
            None => connect(&self.address)?,
        };
        let result = work(&connection);
        let mut idle = self.idle.lock().unwrap_or_else(PoisonError::into_inner);
        // After closing, a connection that is kept would keep the log from being folded in.
        if idle.len() < IDLE && self.writer.is_open() {
            idle.push(connection);
        }
        drop(idle);
        Ok(result?)
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
    // Those of all vendors: to prepare a statement takes longer than most of them do.
    connection.set_prepared_statement_cache_capacity(64);
    connection.busy_timeout(Duration::from_secs(10))?;
    // 2 MiB of cache a connection keeps an idle sandbox small.
    connection.pragma_update(None, "cache_size", -2048)?;
    connection.pragma_update(None, "foreign_keys", true)?;
    // What a savepoint or a sort puts aside is small, and not worth a file.
    connection.pragma_update(None, "temp_store", "memory")?;
    Ok(connection)
}

#[cfg(test)]
mod tests;
