use std::fs;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::{Addresses, Keys, Sandbox};

/// A running sandbox of a workspace, as `.bootcamp/sandbox.json` tells of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Discovery {
    /// Its process.
    pub pid: u32,
    /// Its version of `bootcamp`.
    pub version: String,
    /// When it started, in Unix milliseconds.
    pub started_ms: i64,
    /// Where it listens.
    pub addresses: Addresses,
    /// The credentials that it knows.
    pub keys: Keys,
}

/// The file could not be written.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{path}`: {source}")]
pub struct DiscoveryError {
    path: String,
    source: io::Error,
}

impl Discovery {
    /// What there is to tell of a sandbox of this process.
    #[must_use]
    pub fn of(sandbox: &Sandbox) -> Self {
        Self {
            pid: std::process::id(),
            version: String::from(env!("CARGO_PKG_VERSION")),
            started_ms: sandbox.started_ms(),
            addresses: sandbox.addresses().clone(),
            keys: sandbox.shared().keys.as_ref().clone(),
        }
    }

    /// The file of a workspace.
    #[must_use]
    pub fn path(workspace: &Path) -> PathBuf {
        workspace.join(".bootcamp/sandbox.json")
    }

    /// Writes the workspace's file: whole or not at all, for its owner's eyes.
    ///
    /// # Errors
    /// When the folder or the file cannot be written.
    pub fn write(&self, workspace: &Path) -> Result<(), DiscoveryError> {
        let path = Self::path(workspace);
        let attempt = || -> io::Result<()> {
            let folder = path.parent().unwrap_or(workspace);
            fs::create_dir_all(folder)?;
            // A temporary file has the mode 0600 from the start.
            let mut file = tempfile::Builder::new().prefix("sandbox").suffix(".tmp").tempfile_in(folder)?;
            serde_json::to_writer_pretty(&mut file, self)?;
            file.write_all(b"\n")?;
            file.persist(&path).map_err(|error| error.error)?;
            Ok(())
        };
        attempt().map_err(|source| DiscoveryError { path: path.display().to_string(), source })
    }

    /// Removes the workspace's file, if it still tells of this sandbox and not of a later one.
    pub fn remove(&self, workspace: &Path) {
        if Self::load(workspace).as_ref() == Some(self) {
            let _ = fs::remove_file(Self::path(workspace));
        }
    }

    /// The workspace's running sandbox. A file whose sandbox does not answer, or is another by now, counts for nothing.
    pub async fn find(workspace: &Path) -> Option<Self> {
        let found = Self::load(workspace)?;
        let address = SocketAddr::new(found.addresses.local(), found.addresses.http);
        let status = tokio::time::timeout(Duration::from_secs(2), ask(address)).await.ok()?.ok()?;
        let status: serde_json::Value = serde_json::from_slice(&status).ok()?;
        let same = status["pid"] == found.pid && status["started_ms"] == found.started_ms;
        same.then_some(found)
    }

    fn load(workspace: &Path) -> Option<Self> {
        serde_json::from_slice(&fs::read(Self::path(workspace)).ok()?).ok()
    }
}

/// The body of the sandbox's status.
async fn ask(address: SocketAddr) -> io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(address).await?;
    let request = format!("GET {} HTTP/1.1\r\nhost: {address}\r\nconnection: close\r\n\r\n", super::status::PATH);
    stream.write_all(request.as_bytes()).await?;
    let mut answer = Vec::new();
    stream.take(64 << 10).read_to_end(&mut answer).await?;
    let head = memchr::memmem::find(&answer, b"\r\n\r\n").ok_or(io::ErrorKind::InvalidData)?;
    Ok(answer.split_off(head + 4))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sandbox::{Ports, Settings};

    #[tokio::test]
    async fn a_running_sandbox_is_found_and_a_dead_one_is_not() {
        let workspace = tempfile::tempdir().unwrap();
        assert_eq!(Discovery::find(workspace.path()).await, None);
        let sandbox = Sandbox::bind(Settings { ports: Ports::free(), ..Settings::default() }).await.unwrap();
        let discovery = Discovery::of(&sandbox);
        discovery.write(workspace.path()).unwrap();
        assert_eq!(Discovery::find(workspace.path()).await, Some(discovery.clone()));

        // The same port, another sandbox.
        let mut other = discovery.clone();
        other.started_ms += 1;
        other.write(workspace.path()).unwrap();
        assert_eq!(Discovery::find(workspace.path()).await, None);
        discovery.remove(workspace.path());
        assert!(Discovery::path(workspace.path()).exists(), "the file of another is left alone");

        discovery.write(workspace.path()).unwrap();
        sandbox.stop().await;
        assert_eq!(Discovery::find(workspace.path()).await, None);
        discovery.remove(workspace.path());
        assert!(!Discovery::path(workspace.path()).exists());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn the_file_is_its_owners_alone_and_nothing_stays_beside_it() {
        use std::os::unix::fs::PermissionsExt;
        let workspace = tempfile::tempdir().unwrap();
        let sandbox = Sandbox::bind(Settings { ports: Ports::free(), ..Settings::default() }).await.unwrap();
        Discovery::of(&sandbox).write(workspace.path()).unwrap();
        Discovery::of(&sandbox).write(workspace.path()).unwrap();
        let folder = workspace.path().join(".bootcamp");
        assert_eq!(fs::read_dir(folder).unwrap().count(), 1);
        let mode = fs::metadata(Discovery::path(workspace.path())).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        sandbox.stop().await;
    }
}
