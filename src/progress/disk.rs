use std::fs;
use std::io::{self, Write};
use std::path::Path;

/// The few things that are done to a disk, one at a time: a test can have any of them be the last.
pub(super) trait Disk {
    /// Creates a folder.
    fn create_folder(&mut self, path: &Path) -> io::Result<()>;

    /// Writes a file, until it is on the disk.
    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()>;

    /// Gives a file another name, over whatever has it.
    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()>;
}

/// The machine's own disk.
pub(super) struct Real;

impl Disk for Real {
    fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        fs::create_dir_all(path)
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = fs::File::create(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }
}

/// Puts a file in its place, whole or not at all. Whoever does so holds the lock: the name beside it is used by one at a time.
pub(super) fn replace(disk: &mut dyn Disk, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.new"));
    disk.write(&beside, bytes)?;
    disk.rename(&beside, path)
}
