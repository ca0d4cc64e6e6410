use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// The few things that are done to a disk, one at a time: a test can have any of them be the last.
pub(super) trait Disk {
    /// Creates a folder and those above it.
    fn create_folders(&mut self, path: &Path) -> io::Result<()>;

    /// Writes a new file, with the permissions of another where one is given.
    fn write(&mut self, path: &Path, bytes: &[u8], like: Option<&Path>) -> io::Result<()>;

    /// Gives a file another name, over whatever has it.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove_file(&mut self, path: &Path) -> io::Result<()>;

    /// Removes an empty folder.
    fn remove_folder(&mut self, path: &Path) -> io::Result<()>;
}

/// The machine's own disk.
pub(super) struct Real {
    /// Whether what is written is on the disk before anything else is done.
    pub durable: bool,
}

impl Disk for Real {
    fn create_folders(&mut self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn write(&mut self, path: &Path, bytes: &[u8], like: Option<&Path>) -> io::Result<()> {
        let mut file = fs::File::create(path)?;
        file.write_all(bytes)?;
        if let Some(permissions) = like.and_then(|like| fs::metadata(like).ok()).map(|found| found.permissions()) {
            file.set_permissions(permissions)?;
        }
        if self.durable { file.sync_all() } else { Ok(()) }
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        fs::remove_dir(path)
    }
}
