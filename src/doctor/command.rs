use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use tokio::io::{AsyncRead, AsyncReadExt};

/// How much of what a command prints is read, in bytes.
const LONGEST: u64 = 64 * 1024;

/// What became of a command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ran {
    /// No such program is on the `PATH`.
    Missing,
    /// It could not be started, or did not end in time.
    Failed(String),
    /// It ended.
    Ended {
        /// Whether it says that it went well.
        well: bool,
        /// What it printed.
        stdout: String,
        /// What it complained of.
        stderr: String,
    },
}

impl Ran {
    /// What it printed when it went well, without the spaces around it.
    pub(super) fn said(&self) -> Option<&str> {
        match self {
            Self::Ended { well: true, stdout, .. } => Some(stdout.trim()),
            _ => None,
        }
    }
}

/// The file that a shell with this `PATH` would run.
pub(super) fn find(program: &str, folder: &Path, shell: &BTreeMap<String, String>) -> Option<PathBuf> {
    let runnable = |path: &Path| path.is_file() && is_executable(path);
    if Path::new(program).components().count() > 1 {
        let path = folder.join(program);
        return runnable(&path).then_some(path);
    }
    let name = if cfg!(windows) && !program.ends_with(".exe") { format!("{program}.exe") } else { program.to_owned() };
    let path = shell.get("PATH").or_else(|| shell.get("Path"))?;
    std::env::split_paths(path).map(|place| folder.join(place).join(&name)).find(|path| runnable(path))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    use std::os::unix::fs::PermissionsExt;
    path.metadata().is_ok_and(|metadata| metadata.permissions().mode() & 0o111 != 0)
}

#[cfg(not(unix))]
fn is_executable(_: &Path) -> bool {
    true
}

/// Runs a program of the shell's `PATH` in a folder and waits for its end. What outstays its time is killed with all that it started.
pub(super) async fn run(
    program: &str,
    args: &[&str],
    folder: &Path,
    shell: &BTreeMap<String, String>,
    deadline: Duration,
) -> Ran {
    let Some(path) = find(program, folder, shell) else { return Ran::Missing };
    let mut command = tokio::process::Command::new(path);
    command.args(args).env_clear().envs(shell).current_dir(folder);
    // What only looks must not begin to download a toolchain; and words are told apart in English.
    command.env("RUSTUP_AUTO_INSTALL", "0").env("LC_ALL", "C");
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut command = CommandWrap::from(command);
    command.wrap(KillOnDrop);
    #[cfg(unix)]
    command.wrap(process_wrap::tokio::ProcessGroup::leader());
    let child = match command.spawn() {
        Ok(child) => child,
        Err(error) => return Ran::Failed(format!("`{program}` cannot be started: {error}")),
    };
    let mut group = Group { child, over: false };
    let (stdout, stderr) = (group.child.stdout().take(), group.child.stderr().take());
    let reading = async {
        let (stdout, stderr) = tokio::join!(read(stdout), read(stderr));
        (stdout, stderr, group.child.wait().await)
    };
    match tokio::time::timeout(deadline, reading).await {
        Ok((stdout, stderr, Ok(status))) => {
            group.over = true;
            Ran::Ended { well: status.success(), stdout, stderr }
        }
        Ok((_, _, Err(error))) => Ran::Failed(format!("`{program}` cannot be waited for: {error}")),
        Err(_) => Ran::Failed(format!("`{program} {}` did not end within {} s", args.join(" "), deadline.as_secs_f32())),
    }
}

async fn read(stream: Option<impl AsyncRead + Unpin>) -> String {
    let mut bytes = Vec::new();
    if let Some(mut stream) = stream {
        let _ = (&mut stream).take(LONGEST).read_to_end(&mut bytes).await;
        // One that prints more is let print to its end.
        let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// A started command; dropped before it is over, it is killed with its children.
struct Group {
    child: Box<dyn ChildWrapper>,
    over: bool,
}

impl Drop for Group {
    fn drop(&mut self) {
        if !self.over {
            let _ = self.child.start_kill();
        }
    }
}

/// The first version number in a text, `1.95` or `1.95.0`, as three numbers.
pub(super) fn version(text: &str) -> Option<[u64; 3]> {
    text.split(|next: char| !(next.is_ascii_digit() || next == '.')).find_map(|word| {
        let mut numbers = word.split('.').map(str::parse::<u64>);
        let first = numbers.next()?.ok()?;
        let second = numbers.next()?.ok()?;
        Some([first, second, numbers.next().and_then(Result::ok).unwrap_or(0)])
    })
}

#[cfg(unix)]
#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use proptest::prelude::*;

    use super::*;

    fn folder_with(script: &str) -> (tempfile::TempDir, BTreeMap<String, String>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tool");
        std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
        let path = format!("{}:/usr/bin:/bin", folder.path().display());
        (folder, BTreeMap::from([(String::from("PATH"), path)]))
    }

    #[tokio::test]
    async fn what_it_says_is_heard_and_what_it_lacks_is_told() {
        let (folder, shell) = folder_with("echo \"tool 1.2.3 $RUSTUP_AUTO_INSTALL\"; echo oh >&2; exit $1");
        let run = async |args: &'static [&'static str]| run("tool", args, folder.path(), &shell, Duration::from_secs(5)).await;
        assert_eq!(run(&["0"]).await.said(), Some("tool 1.2.3 0"));
        let ended = Ran::Ended { well: false, stdout: String::from("tool 1.2.3 0\n"), stderr: String::from("oh\n") };
        assert_eq!(run(&["3"]).await, ended);
        let nowhere = BTreeMap::from([(String::from("PATH"), String::from("/nowhere"))]);
        assert_eq!(super::run("tool", &[], folder.path(), &nowhere, Duration::from_secs(5)).await, Ran::Missing);
        assert_eq!(find("tool", folder.path(), &BTreeMap::new()), None);
        assert!(find("./tool", folder.path(), &BTreeMap::new()).is_some());
    }

    #[tokio::test]
    async fn what_hangs_is_killed_with_its_children() {
        let (folder, shell) = folder_with("sleep 60 & echo $! > child; wait");
        let ran = run("tool", &["--version"], folder.path(), &shell, Duration::from_secs(1)).await;
        assert_eq!(ran, Ran::Failed(String::from("`tool --version` did not end within 1 s")));
        let child = std::fs::read_to_string(folder.path().join("child")).unwrap();
        let child = nix::unistd::Pid::from_raw(child.trim().parse().unwrap());
        let gone = async {
            // Killed, it may wait to be fetched by whoever adopted it: then it has no command line any more.
            let line = || std::fs::read(format!("/proc/{child}/cmdline")).unwrap_or_default();
            while nix::sys::signal::kill(child, None).is_ok() && !line().is_empty() {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(Duration::from_secs(10), gone).await.unwrap();
    }

    #[test]
    fn versions_are_read_from_what_tools_say() {
        assert_eq!(version("cargo 1.95.0 (abc 2026-03-01)"), Some([1, 95, 0]));
        assert_eq!(version("rustc 1.97.0-nightly"), Some([1, 97, 0]));
        assert_eq!(version("Docker Compose version v2.27.1"), Some([2, 27, 1]));
        assert_eq!(version("1.85"), Some([1, 85, 0]));
        assert_eq!(version("no version 7"), None);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9. v-]{0,40}") {
            let _ = version(&text);
        }
    }
}
