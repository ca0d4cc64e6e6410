//! Room for a build, and the right to write.

use std::path::{Path, PathBuf};

use super::{Area, Finding, Setting, State};

const GIB: u64 = 1 << 30;
/// A first build of the service and its tests takes about this much, in bytes.
const COMFORTABLE: u64 = 3 * GIB;
/// With less than this, not even a rebuild goes through, in bytes.
const LEAST: u64 = 500 << 20;

/// What was seen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Disk {
    /// The workspace, and whether a file can be made in it.
    pub(super) workspace: PathBuf,
    pub(super) writable: Result<(), String>,
    pub(super) room: Option<Room>,
    /// Where cargo builds, where that is on another disk.
    pub(super) target: Option<(PathBuf, Option<Room>)>,
}

/// What a disk has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Room {
    /// In bytes, for this user.
    pub(super) bytes: u64,
    /// Whether it can hold no further file, however small.
    pub(super) no_more_files: bool,
}

pub(super) async fn look(setting: &Setting) -> Disk {
    let workspace = setting.place().to_owned();
    let target = setting.shell.get("CARGO_TARGET_DIR").filter(|folder| !folder.trim().is_empty());
    let target = target.map(|folder| workspace.join(folder));
    let fallback = Disk { workspace: workspace.clone(), writable: Ok(()), room: None, target: None };
    // A disk that is far away may take its time.
    let looking = tokio::task::spawn_blocking(move || {
        let target = target.and_then(|folder| {
            let there = existing(&folder)?.to_owned();
            (!same_disk(&there, &workspace)).then(|| (folder, room(&there)))
        });
        Disk { writable: writable(&workspace), room: room(&workspace), target, workspace }
    });
    match tokio::time::timeout(super::DEADLINE, looking).await {
        Ok(Ok(disk)) => disk,
        _ => Disk { writable: Err(String::from("the disk does not answer")), ..fallback },
    }
}

/// A file is made in the folder and is gone again.
fn writable(folder: &Path) -> Result<(), String> {
    let inner = folder.join(".bootcamp");
    let folder = if inner.is_dir() { &inner } else { folder };
    tempfile::Builder::new().prefix(".bootcamp-doctor").tempfile_in(folder).map(drop).map_err(|error| {
        // It names the file that was tried; the kind is enough.
        error.kind().to_string()
    })
}

/// The nearest folder that is there.
fn existing(folder: &Path) -> Option<&Path> {
    folder.ancestors().find(|folder| folder.is_dir())
}

#[cfg(unix)]
fn same_disk(one: &Path, other: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let device = |path: &Path| path.metadata().map(|metadata| metadata.dev()).ok();
    device(one) == device(other)
}

#[cfg(not(unix))]
fn same_disk(_: &Path, _: &Path) -> bool {
    true
}

#[cfg(unix)]
fn room(folder: &Path) -> Option<Room> {
    let found = nix::sys::statvfs::statvfs(folder).ok()?;
    #[allow(clippy::useless_conversion, clippy::unnecessary_cast, reason = "their widths differ between systems")]
    let (blocks, size, files, all) =
        (found.blocks_available() as u64, found.fragment_size() as u64, found.files_available() as u64, found.files() as u64);
    // Some file systems do not count files, and say none.
    Some(Room { bytes: blocks.saturating_mul(size), no_more_files: all > 0 && files == 0 })
}

#[cfg(not(unix))]
fn room(_: &Path) -> Option<Room> {
    None
}

pub(super) fn judge(disk: &Disk) -> Vec<Finding> {
    let folder = disk.workspace.display();
    let writes = |state, told: String| Finding::new(Area::Disk, "writable", "writing", state, told);
    let writing = match &disk.writable {
        Ok(()) => writes(State::Good, format!("files can be written in {folder}")),
        Err(why) => writes(State::Bad, format!("no file can be written in {folder}: {why}"))
            .fix("make the folder yours (`sudo chown -R \"$USER\" .`), or work in one that may be written to"),
    };
    let mut findings = vec![writing, judge_room("workspace", "room", &disk.workspace, disk.room)];
    if let Some((folder, room)) = &disk.target {
        findings.push(judge_room("target", "room for builds", folder, *room));
    }
    findings
}

fn judge_room(id: &str, subject: &str, folder: &Path, room: Option<Room>) -> Finding {
    let finding = |state, told: String| Finding::new(Area::Disk, id, subject, state, told);
    let Some(Room { bytes, no_more_files }) = room else {
        return finding(State::Unknown, String::from("not looked at: this system does not tell how much is left"));
    };
    let (left, folder) = (size(bytes), folder.display());
    let fix = "make room: `cargo clean` in projects that you do not build now, `docker system prune` for unused images; or build on \
               another disk with `CARGO_TARGET_DIR`";
    if no_more_files {
        finding(State::Bad, format!("the disk of {folder} can hold no further file, though it has {left} left")).fix(fix)
    } else if bytes < LEAST {
        finding(State::Bad, format!("only {left} left for {folder}: a build of the service will not go through")).fix(fix)
    } else if bytes < COMFORTABLE {
        finding(State::Warning, format!("{left} left for {folder}: a first build of the service takes up to 3 GB")).fix(fix)
    } else {
        finding(State::Good, format!("{left} left for {folder}"))
    }
}

/// `210 MB`, `3.4 GB`.
fn size(bytes: u64) -> String {
    if bytes < GIB { format!("{} MB", bytes >> 20) } else { format!("{}.{} GB", bytes / GIB, bytes % GIB * 10 / GIB) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn room_is_judged_by_what_a_build_takes() {
        let state = |bytes, no_more_files| judge_room("w", "room", Path::new("/w"), Some(Room { bytes, no_more_files })).state;
        assert_eq!(state(10 * GIB, false), State::Good);
        assert_eq!(state(COMFORTABLE, false), State::Good);
        assert_eq!(state(COMFORTABLE - 1, false), State::Warning);
        assert_eq!(state(LEAST, false), State::Warning);
        assert_eq!(state(LEAST - 1, false), State::Bad);
        assert_eq!(state(10 * GIB, true), State::Bad);
        assert_eq!(judge_room("w", "room", Path::new("/w"), None).state, State::Unknown);
        assert_eq!([0, LEAST, GIB, 3 * GIB + GIB / 2].map(size), ["0 MB", "500 MB", "1.0 GB", "3.5 GB"]);
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_folder_is_looked_at_and_stays_as_it_is() {
        let folder = tempfile::tempdir().unwrap();
        let mut setting = crate::doctor::setting::tests::in_workspace(folder.path());
        setting.shell.insert(String::from("CARGO_TARGET_DIR"), String::from("not/there/yet"));
        let disk = look(&setting).await;
        assert_eq!((disk.writable.clone(), disk.target.clone()), (Ok(()), None));
        assert!(disk.room.is_some_and(|room| room.bytes > 0));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        setting.folder = folder.path().join("gone");
        setting.workspace = crate::doctor::Workspace::Missing;
        let gone = judge(&look(&setting).await);
        assert_eq!(gone[0].state, State::Bad);
    }
}
