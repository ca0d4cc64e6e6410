//! Watches a workspace for saves.
//!
//! The system's notices only say when to look again; what changed is told by comparing what is there with what was there.
//! So it does not matter how an editor saves, and a notice that was missed is made up for by the next look.

mod remote;
mod snapshot;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use notify::event::{AccessKind, AccessMode, EventKind, ModifyKind};
use notify::{ErrorKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::Notify;
use tokio::task::JoinHandle;
use tokio::time::{Instant, sleep_until};

use snapshot::{Ground, LIMIT, Snapshot};

/// How long nothing must have happened: an editor's save is several steps.
const QUIET: Duration = Duration::from_millis(50);

/// How long a look is put off at the most while things go on happening.
const LONGEST: Duration = Duration::from_millis(500);

/// How often it looks where there are no notices.
const POLL: Duration = Duration::from_millis(500);

/// How often it looks unasked where there are: in case one was missed.
const UNASKED: Duration = Duration::from_secs(3);

/// How many places are remembered at which something appeared or vanished.
const PLACES: usize = 10_000;

/// Watches a workspace, and tells which of its files have another content.
///
/// Left out are `target`, `.git`, `.bootcamp`, `node_modules`, every folder with a `CACHEDIR.TAG`, and the files that editors
/// keep for themselves; links are not followed.
pub struct Watching {
    ground: Arc<Ground>,
    known: Arc<Snapshot>,
    notices: Option<Notices>,
    heard: Arc<Heard>,
    /// When something happened for the first and for the last time since the last look.
    happened: Option<(Instant, Instant)>,
    next_look: Instant,
    /// How often it looks though there are notices.
    unasked: Duration,
    looking: Option<JoinHandle<Snapshot>>,
}

/// The system's notices.
struct Notices {
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
}

/// What the notices leave behind.
#[derive(Default)]
struct Heard {
    something: Notify,
    /// Where something appeared or vanished: a folder that is there again is another one, and not watched yet.
    moved: Mutex<BTreeSet<PathBuf>>,
    /// Whether notices were lost, or could not be had.
    lost: AtomicBool,
}

impl Watching {
    /// Begins to watch a folder, and single files that may lie elsewhere. Nothing that keeps the system from giving notice is an
    /// error: see [`Self::is_polling`].
    #[must_use]
    pub fn begin(folder: &Path, also: &[PathBuf]) -> Self {
        Self::with(folder, also, !remote::is_remote(folder))
    }

    fn with(folder: &Path, also: &[PathBuf], by_notices: bool) -> Self {
        let ground = Arc::new(Ground::new(folder, also));
        let heard = Arc::new(Heard::default());
        let notices = if by_notices { recommended(&ground, &heard) } else { None };
        let known = Arc::new(Snapshot::take(&ground, None));
        let mut watching =
            Self { ground, known, notices, heard, happened: None, next_look: Instant::now(), unasked: UNASKED, looking: None };
        watching.follow();
        watching.next_look = Instant::now() + watching.pause();
        watching
    }

    /// Waits for a save: the paths, relative to the folder and with `/`, of files that appeared, vanished or have another
    /// content. Those outside the folder are called by their whole path.
    ///
    /// All that happens within 50 ms of each other comes together, after half a second at the latest. May be dropped and called
    /// again at any time without missing anything. While a build runs, `Cargo.lock` may be among the paths without anybody having
    /// saved it: see [`Self::accept`].
    pub async fn changed(&mut self) -> BTreeSet<String> {
        loop {
            if self.looking.is_none() {
                self.quiet().await;
                // From here on, whatever happens asks for another look.
                self.happened = None;
                let (ground, known) = (Arc::clone(&self.ground), Arc::clone(&self.known));
                self.looking = Some(tokio::task::spawn_blocking(move || Snapshot::take(&ground, Some(&known))));
            }
            let Some(looking) = &mut self.looking else { continue };
            let seen = looking.await;
            self.looking = None;
            self.next_look = Instant::now() + self.pause();
            let Ok(seen) = seen else { continue };
            let changed = self.known.differences(&seen);
            self.known = Arc::new(seen);
            self.follow();
            if !changed.is_empty() {
                return changed;
            }
        }
    }

    /// Whether the system's notices could not be had (its limit is reached, or the disk is another machine's), so that it looks
    /// twice a second instead.
    #[must_use]
    pub fn is_polling(&self) -> bool {
        self.notices.is_none()
    }

    /// What the learner should know about the watching, if anything.
    #[must_use]
    pub fn notice(&self) -> Option<String> {
        self.known.cut.then(|| {
            format!(
                "`{}` holds more than {LIMIT} files and folders: not all of them are watched for saves; move out what is no part of the service",
                self.ground.folder.display()
            )
        })
    }

    /// Takes a file as it is now: what this program or cargo (`Cargo.lock`) wrote is no save.
    pub fn accept(&mut self, path: &str) {
        let ground = Arc::clone(&self.ground);
        Arc::make_mut(&mut self.known).accept(&ground, path);
        // A look that has begun may have seen it as it was before.
        if self.looking.take().is_some() {
            self.again();
        }
    }

    /// Waits until something has happened and nothing happens any more, or a look is due anyway.
    async fn quiet(&mut self) {
        let heard = Arc::clone(&self.heard);
        loop {
            let due = self.happened.map_or(self.next_look, |(first, last)| (first + LONGEST).min(last + QUIET));
            if due <= Instant::now() {
                return;
            }
            tokio::select! {
                () = heard.something.notified() => self.again(),
                () = sleep_until(due) => return,
            }
        }
    }

    /// Something has happened, so that a look is worth it.
    fn again(&mut self) {
        let now = Instant::now();
        self.happened = Some((self.happened.map_or(now, |(first, _)| first), now));
    }

    fn pause(&self) -> Duration {
        if self.is_polling() { POLL } else { self.unasked }
    }

    /// Has notices of every folder that is there now. Each is watched by itself, so that what is left out costs nothing.
    fn follow(&mut self) {
        let moved = std::mem::take(&mut *self.heard.moved.lock().unwrap_or_else(PoisonError::into_inner));
        let Some(notices) = &mut self.notices else { return };
        if moved.len() >= PLACES {
            notices.watched.clear();
        }
        let wanted: BTreeSet<PathBuf> =
            self.known.folders.iter().map(PathBuf::as_path).chain(self.ground.elsewhere()).map(Path::to_owned).collect();
        let mut all_well = !self.heard.lost.load(Ordering::Relaxed);
        for gone in notices.watched.difference(&wanted) {
            // It is gone, and its watch most likely with it.
            let _ = notices.watcher.unwatch(gone);
        }
        let mut some_new = false;
        for folder in &wanted {
            if notices.watched.contains(folder) && !moved.contains(folder) {
                continue;
            }
            match notices.watcher.watch(folder, RecursiveMode::NonRecursive) {
                Ok(()) => some_new = true,
                // It has vanished since, of which there is a notice.
                Err(error) if is_absence(&error.kind) => {}
                Err(_) => {
                    all_well = false;
                    break;
                }
            }
        }
        notices.watched = wanted;
        if !all_well {
            self.notices = None;
            self.next_look = Instant::now() + POLL;
        }
        // Between the look and the watch, something may have happened there.
        if some_new {
            self.again();
        }
    }
}

impl std::fmt::Debug for Watching {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut shown = formatter.debug_struct("Watching");
        shown.field("folder", &self.ground.folder).field("polling", &self.is_polling()).finish_non_exhaustive()
    }
}

impl Heard {
    fn take_in(&self, ground: &Ground, notice: notify::Result<notify::Event>) {
        let Ok(notice) = notice else {
            self.lost.store(true, Ordering::Relaxed);
            self.something.notify_one();
            return;
        };
        match notice.kind {
            // We read these files ourselves.
            EventKind::Access(kind) if kind != AccessKind::Close(AccessMode::Write) => return,
            EventKind::Create(_) | EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => {
                let mut moved = self.moved.lock().unwrap_or_else(PoisonError::into_inner);
                let room = PLACES.saturating_sub(moved.len());
                moved.extend(notice.paths.iter().take(room).cloned());
            }
            _ => {}
        }
        if notice.need_rescan() || notice.paths.iter().any(|path| ground.concerns(path)) {
            self.something.notify_one();
        }
    }
}

/// The system's own notices, where it gives them.
fn recommended(ground: &Arc<Ground>, heard: &Arc<Heard>) -> Option<Notices> {
    let (ground, heard) = (Arc::clone(ground), Arc::clone(heard));
    let watcher = notify::recommended_watcher(move |notice| heard.take_in(&ground, notice)).ok()?;
    Some(Notices { watcher, watched: BTreeSet::new() })
}

fn is_absence(kind: &ErrorKind) -> bool {
    match kind {
        ErrorKind::PathNotFound => true,
        ErrorKind::Io(error) => error.kind() == std::io::ErrorKind::NotFound,
        _ => false,
    }
}
