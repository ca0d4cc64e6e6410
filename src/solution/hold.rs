use std::fs;
use std::io;
use std::path::Path;

/// A file's lock, held until this is dropped, or the process ends.
#[derive(Debug)]
pub(super) struct Hold(fs::File);

impl Hold {
    /// Takes the lock of a file, which is created where it is not there; `None` where another has it.
    pub(super) fn take(path: &Path) -> io::Result<Option<Self>> {
        let file = fs::OpenOptions::new().create(true).truncate(false).write(true).open(path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self(file))),
            Err(fs::TryLockError::WouldBlock) => Ok(None),
            Err(fs::TryLockError::Error(error)) => Err(error),
        }
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        // Closing alone is not enough: a child that another thread starts at this moment has the file open, too, until it runs.
        let _ = self.0.unlock();
    }
}
