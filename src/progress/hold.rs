use std::fs;
use std::io;
use std::path::Path;
use std::time::{Duration, Instant};

/// The lock of a book's file, held until this is dropped, or the process ends.
#[derive(Debug)]
pub(super) struct Hold(Option<fs::File>);

/// A change takes milliseconds. Who has not come to its end by now has been stopped.
const PATIENCE: Duration = Duration::from_secs(3);

impl Hold {
    /// Takes the lock of a file, which is created where it is not there; `None` where another keeps it.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        Self::take_within(path, PATIENCE)
    }

    pub(super) fn take_within(path: &Path, patience: Duration) -> io::Result<Option<Self>> {
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        let deadline = Instant::now() + patience;
        loop {
            match file.try_lock() {
                Ok(()) => return Ok(Some(Self(Some(file)))),
                Err(fs::TryLockError::WouldBlock) if Instant::now() >= deadline => return Ok(None),
                // The other one tells nobody when it has done, and `lock` knows no deadline.
                Err(fs::TryLockError::WouldBlock) => std::thread::park_timeout(Duration::from_millis(5)),
                // Some network folders have no locks. To go on without one is better than to note nothing there.
                Err(fs::TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => return Ok(Some(Self(None))),
                Err(fs::TryLockError::Error(error)) => return Err(error),
            }
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Closing alone is not enough: a child that another thread starts at this moment has the file open, too, until it runs.
        if let Some(file) = &self.0 {
            let _ = file.unlock();
        }
    }
}
