//! The writing connection, and who may use it.
//!
//! A write that finds the connection free and nobody waiting is done at once. All others queue up, and are done by the
//! writer's thread: each job after the first in a savepoint of its own, so that a burst costs one commit.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, TryLockError, mpsc};
use std::{io, thread};

use rusqlite::Connection;
use tokio::sync::oneshot;

use super::StoreError;

/// How many queued writes share one transaction at the most.
const GROUP: usize = 512;

/// How many pages the write-ahead log may have before they are brought to the file: 16 MiB. Pages that are written again
/// and again reach the file once in as much, and the disk is waited for as seldom.
const LOG_PAGES: i32 = 4096;

/// A queued write. It is told whether it is the first of its transaction, or that there is no transaction.
type Job = Box<dyn FnOnce(&mut Connection, Begun) -> Done + Send>;

/// How a job finds the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Begun {
    /// Others have written within it: what this job writes needs a savepoint.
    Shared,
    /// It is this job's own so far.
    Fresh,
    /// It could not be begun.
    Not,
}

/// What came of a job.
struct Done {
    /// Whether nothing of it may stay and the transaction has to be rolled back for it.
    spoilt: bool,
    /// Whether what a memo remembers may be wrong.
    panicked: bool,
    acknowledge: Acknowledge,
}

/// Tells whoever waits whether the transaction was committed.
type Acknowledge = Box<dyn FnOnce(bool) + Send>;

/// The way to the writing connection.
pub(super) struct Writer {
    desk: Arc<Desk>,
    /// `None` once the store refuses.
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    thread: Mutex<Option<thread::JoinHandle<()>>>,
}

/// What the writer's thread shares with those who write at once.
struct Desk {
    /// `None` once the store is closed.
    connection: Mutex<Option<Connection>>,
    /// How many jobs are queued or under way. While there are any, nobody jumps the queue.
    waiting: AtomicUsize,
    losses: AtomicU64,
    /// Whether the write-ahead log wants to be folded in.
    long: Arc<AtomicBool>,
}

impl Writer {
    /// Takes over the connection, and starts the thread.
    pub fn start(mut connection: Connection) -> io::Result<Self> {
        let long = Arc::new(AtomicBool::new(false));
        let grown = Arc::clone(&long);
        // It replaces SQLite's own, which would fold the log in within the commit.
        let hooked = connection.wal_hook(Some(move |_: &mut rusqlite::hooks::Wal, pages| {
            if pages >= LOG_PAGES {
                grown.store(true, Ordering::Relaxed);
            }
            Ok(())
        }));
        hooked.map_err(io::Error::other)?;
        let desk = Arc::new(Desk {
            connection: Mutex::new(Some(connection)),
            waiting: AtomicUsize::new(0),
            losses: AtomicU64::new(0),
            long,
        });
        let (jobs, queue) = mpsc::channel();
        let shared = Arc::clone(&desk);
        let thread = thread::Builder::new().name(String::from("sandbox-store")).spawn(move || shared.work(&queue))?;
        Ok(Self { desk, jobs: Mutex::new(Some(jobs)), thread: Mutex::new(Some(thread)) })
    }

    /// How often a transaction was lost with what others may remember of it.
    pub fn losses(&self) -> u64 {
        self.desk.losses.load(Ordering::Acquire)
    }

    /// Whether writes are still taken.
    pub fn is_open(&self) -> bool {
        self.jobs().is_some()
    }

    /// Takes no further writes.
    pub fn refuse(&self) {
        self.jobs().take();
    }

    /// Waits for the writes under way, and closes the connection, which folds the write-ahead log in.
    pub fn close(&self) {
        self.refuse();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        let _ = thread.map(thread::JoinHandle::join);
        drop(self.desk.lock().take());
    }

    /// Does the work here and now, in a transaction of its own; gives it back where others write.
    pub fn at_once<T, F>(&self, work: F) -> Result<Result<T, StoreError>, F>
    where
        F: FnOnce(&Connection) -> rusqlite::Result<T>,
    {
        if !self.is_open() {
            return Ok(Err(StoreError::Closed));
        }
        if self.desk.waiting.load(Ordering::Acquire) > 0 {
            return Err(work);
        }
        let mut held = match self.desk.connection.try_lock() {
            Ok(held) => held,
            Err(TryLockError::Poisoned(poisoned)) => poisoned.into_inner(),
            Err(TryLockError::WouldBlock) => return Err(work),
        };
        let result = match held.as_mut() {
            Some(connection) => self.desk.alone(connection, work),
            None => Err(StoreError::Closed),
        };
        drop(held);
        if self.desk.long.load(Ordering::Relaxed) {
            // Whatever wakes the thread has it look at the log.
            self.send(Box::new(|_, _| Done { spoilt: false, panicked: false, acknowledge: Box::new(|_| ()) }));
        }
        Ok(result)
    }

    /// Has the thread do the work, in a transaction shared with whatever else waits.
    pub async fn queue<T, F>(&self, work: F) -> Result<T, StoreError>
    where
        T: Send + 'static,
        F: FnOnce(&Connection) -> rusqlite::Result<T> + Send + 'static,
    {
        let (done, outcome) = oneshot::channel();
        let job: Job = Box::new(move |connection, begun| {
            // A savepoint copies every page that it changes. The first job needs none: what it undoes is the transaction.
            let result = match begun {
                Begun::Fresh => guarded(|| work(connection)),
                Begun::Shared => guarded(|| in_savepoint(connection, work)),
                Begun::Not => Err(StoreError::Closed),
            };
            let spoilt = begun == Begun::Fresh && result.is_err();
            let panicked = matches!(result, Err(StoreError::Panicked));
            let acknowledge = Box::new(move |committed: bool| {
                // The asker may have gone away; the write stands all the same.
                let _ = done.send(if committed { result } else { result.and(Err(StoreError::Closed)) });
            });
            Done { spoilt, panicked, acknowledge }
        });
        if !self.send(job) {
            return Err(StoreError::Closed);
        }
        outcome.await.map_err(|_| StoreError::Closed)?
    }

    fn send(&self, job: Job) -> bool {
        let jobs = self.jobs();
        let Some(sender) = jobs.as_ref() else { return false };
        self.desk.waiting.fetch_add(1, Ordering::AcqRel);
        sender.send(job).is_ok()
    }

    fn jobs(&self) -> MutexGuard<'_, Option<mpsc::Sender<Job>>> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desk {
    fn lock(&self) -> MutexGuard<'_, Option<Connection>> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Does one job in a transaction of its own.
    fn alone<T>(&self, connection: &Connection, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        run(connection, "BEGIN IMMEDIATE")?;
        let worked = guarded(|| work(connection));
        let refused = matches!(worked, Err(StoreError::Sqlite(_)));
        let result = worked.and_then(|value| Ok(run(connection, "COMMIT").map(|()| value)?));
        if result.is_err() {
            let _ = run(connection, "ROLLBACK");
            // A job that reports its own failure has seen to its own memory.
            if !refused {
                self.losses.fetch_add(1, Ordering::Release);
            }
        }
        result
    }

    /// The thread: does what is queued until nobody can queue any more.
    fn work(&self, queue: &mpsc::Receiver<Job>) {
        while let Ok(first) = queue.recv() {
            let mut held = self.lock();
            let Some(connection) = held.as_mut() else { return };
            let (committed, acknowledgements) = self.group(connection, first, queue);
            // The log is folded in while the connection is held, but nobody waits for it who need not.
            let fold = self.long.swap(false, Ordering::Relaxed).then_some(held);
            self.waiting.fetch_sub(acknowledgements.len(), Ordering::AcqRel);
            for acknowledge in acknowledgements {
                acknowledge(committed);
            }
            if let Some(connection) = fold.as_ref().and_then(|held| held.as_ref()) {
                // What readers still need stays in the log until the next time.
                let _ = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            }
        }
    }

    /// Does the job, and those that have gathered behind it, in one transaction. Returns whether it was committed.
    fn group(&self, connection: &mut Connection, first: Job, queue: &mpsc::Receiver<Job>) -> (bool, Vec<Acknowledge>) {
        let begun = run(connection, "BEGIN IMMEDIATE").is_ok();
        let (mut next, mut acknowledgements, mut panicked) = (first, Vec::new(), false);
        let spoilt = loop {
            let done = next(
                connection,
                match (begun, acknowledgements.is_empty()) {
                    (false, _) => Begun::Not,
                    (true, true) => Begun::Fresh,
                    (true, false) => Begun::Shared,
                },
            );
            panicked |= done.panicked;
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
        let committed = begun && !spoilt && run(connection, "COMMIT").is_ok();
        if begun && !committed {
            let _ = run(connection, "ROLLBACK");
        }
        if panicked || (!committed && !spoilt) {
            self.losses.fetch_add(1, Ordering::Release);
        }
        (committed, acknowledgements)
    }
}

fn run(connection: &Connection, command: &str) -> rusqlite::Result<()> {
    connection.prepare_cached(command)?.execute([]).map(drop)
}

/// Does the work; a panic in it stays the work's own.
fn guarded<T>(work: impl FnOnce() -> rusqlite::Result<T>) -> Result<T, StoreError> {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(result) => result.map_err(StoreError::from),
        Err(_) => Err(StoreError::Panicked),
    }
}

fn in_savepoint<T>(connection: &mut Connection, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> rusqlite::Result<T> {
    let savepoint = connection.savepoint()?;
    // Dropped without a commit, it rolls back.
    let value = work(&savepoint)?;
    savepoint.commit()?;
    Ok(value)
}
