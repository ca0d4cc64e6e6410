use std::collections::BTreeMap;
use std::path::Path;

use super::*;

/// A disk that does so many things and then no more: what a killed process or a full disk comes to. The last write is cut in half.
struct Failing {
    left: usize,
}

impl Failing {
    fn may(&mut self) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::from(io::ErrorKind::StorageFull))?;
        Ok(())
    }
}

impl Disk for Failing {
    fn create_folders(&mut self, path: &Path) -> io::Result<()> {
        self.may()?;
        quick().create_folders(path)
    }

    fn write(&mut self, path: &Path, bytes: &[u8], like: Option<&Path>) -> io::Result<()> {
        if let Err(full) = self.may() {
            // What a full disk took of it.
            let _ = fs::write(path, &bytes[..bytes.len() / 2]);
            return Err(full);
        }
        quick().write(path, bytes, like)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.may()?;
        quick().rename(from, to)
    }

    fn remove_file(&mut self, path: &Path) -> io::Result<()> {
        self.may()?;
        quick().remove_file(path)
    }

    fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
        self.may()?;
        quick().remove_folder(path)
    }
}

/// Everything but the runner's own room: folders with `None`, files with their bytes and permissions.
fn tree(workspace: &Path) -> BTreeMap<PathBuf, Option<(Vec<u8>, fs::Permissions)>> {
    fn walk(folder: &Path, root: &Path, found: &mut BTreeMap<PathBuf, Option<(Vec<u8>, fs::Permissions)>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let within = path.strip_prefix(root).unwrap().to_owned();
            if within == Path::new(ROOM) {
                continue;
            }
            if path.is_dir() {
                found.insert(within, None);
                walk(&path, root, found);
            } else {
                let permissions = fs::metadata(&path).unwrap().permissions();
                found.insert(within, Some((fs::read(&path).unwrap(), permissions)));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(workspace, workspace, &mut found);
    found
}

fn workspace() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("src")).unwrap();
    fs::write(folder.path().join("src/main.rs"), "fn main() {}\n").unwrap();
    fs::write(folder.path().join("old.txt"), "old\n").unwrap();
    fs::write(folder.path().join("run.sh"), "#!/bin/sh\n").unwrap();
    #[cfg(unix)]
    fs::set_permissions(folder.path().join("run.sh"), std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    folder
}

/// One of each: changed, removed, new in folders that are not there, new in one that is.
fn edits() -> Vec<Edit> {
    let edit = |path: &str, before: Option<&str>, after: Option<&str>| Edit {
        path: path.to_owned(),
        before: before.map(|text| text.as_bytes().to_vec()),
        after: after.map(|text| text.as_bytes().to_vec()),
    };
    vec![
        edit("src/main.rs", Some("fn main() {}\n"), Some("mod telemetry;\nfn main() {}\n")),
        edit("old.txt", Some("old\n"), None),
        edit("run.sh", Some("#!/bin/sh\n"), Some("#!/bin/sh\nset -e\n")),
        edit("src/telemetry/deep/mod.rs", None, Some("// new\n")),
        edit("new.txt", None, Some("new\n")),
    ]
}

fn now() -> jiff::Timestamp {
    "2026-01-02T03:04:05Z".parse().unwrap()
}

/// Nobody pulls the plug in a test.
fn quick() -> Real {
    Real { durable: false }
}

const STEP: &str = "tiny/folder/notes";

#[test]
fn all_of_it_is_done_and_what_was_there_is_kept() {
    let folder = workspace();
    let before = tree(folder.path());
    let backup = apply_on(&mut quick(), folder.path(), STEP, &edits(), now()).unwrap();
    assert_eq!(backup, Path::new(".bootcamp/backups/2026-01-02T03-04-05Z-tiny-folder-notes"));
    let after = tree(folder.path());
    for edit in edits() {
        let held = after.get(Path::new(&edit.path)).map(|file| file.clone().unwrap().0);
        assert_eq!(held, edit.after, "{}", edit.path);
    }
    // Permissions stay with the file.
    assert_eq!(after[Path::new("run.sh")].clone().unwrap().1, before[Path::new("run.sh")].clone().unwrap().1);
    assert_eq!(fs::read(folder.path().join(&backup).join("before/old.txt")).unwrap(), b"old\n");
    assert!(!folder.path().join(&backup).join("before/new.txt").exists());
    let manifest: Journal =
        serde_json::from_slice(&fs::read(folder.path().join(&backup).join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest.files.iter().filter(|file| file.before).count(), 3);
    assert_eq!(manifest.folders, [Path::new("src/telemetry"), Path::new("src/telemetry/deep")]);
    assert!(Interrupted::find(folder.path()).unwrap().is_none());
    // Another at the same second has a folder of its own.
    let again = [Edit { path: String::from("new.txt"), before: Some(b"new\n".to_vec()), after: None }];
    assert_eq!(
        apply_on(&mut quick(), folder.path(), STEP, &again, now()).unwrap(),
        Path::new(&format!("{}-2", backup.display()))
    );
}

/// Carries an apply out until the disk fails, and leaves all as it is then, as a killed process does.
fn interrupted_after(operations: usize, folder: &Path) -> bool {
    let mut disk = Failing { left: operations };
    let journal = Journal::new(folder, STEP, now(), free_folder(folder, STEP, now()), &edits());
    let kept = keep(&mut disk, folder, &journal, &edits());
    kept.is_err() || carry_out(&mut disk, folder, &journal, &edits()).is_err()
}

#[test]
fn after_an_interruption_anywhere_the_former_tree_comes_back() {
    let mut journals = 0;
    for operations in 0.. {
        assert!(operations < 100, "it never comes to its end");
        let folder = workspace();
        let before = tree(folder.path());
        if !interrupted_after(operations, folder.path()) {
            assert!(journals > 10, "{operations} operations, {journals} of them behind the journal");
            break;
        }
        if let Some(interrupted) = Interrupted::find(folder.path()).unwrap() {
            journals += 1;
            assert_eq!(interrupted.step(), STEP);
            let refused = apply_on(&mut quick(), folder.path(), STEP, &edits(), now());
            assert!(matches!(refused, Err(ApplyError::Unfinished)));
            assert!(matches!(apply(folder.path(), STEP, &edits()), Err(ApplyError::Busy)));
            let restored = interrupted.restore(folder.path()).unwrap();
            assert_eq!(restored.kept, Vec::<String>::new());
        }
        assert_eq!(tree(folder.path()), before, "after {operations} operations");
        assert!(Interrupted::find(folder.path()).unwrap().is_none());
        apply(folder.path(), STEP, &edits()).unwrap();
    }
}

#[test]
fn a_restore_that_is_interrupted_itself_is_taken_up_again() {
    for operations in 0.. {
        assert!(operations < 100, "it never comes to its end");
        let folder = workspace();
        let before = tree(folder.path());
        // All but the journal's going.
        let all = (0..).find(|&operations| !interrupted_after(operations, workspace().path())).unwrap();
        assert!(interrupted_after(all - 1, folder.path()));
        let journal = Interrupted::find(folder.path()).unwrap().unwrap().journal;
        let whole = put_back_after(operations, folder.path(), &journal);
        if let Some(interrupted) = Interrupted::find(folder.path()).unwrap() {
            interrupted.restore(folder.path()).unwrap();
        }
        assert_eq!(tree(folder.path()), before, "after {operations} operations");
        if whole {
            break;
        }
    }
}

fn put_back_after(operations: usize, folder: &Path, journal: &Journal) -> bool {
    let mut disk = Failing { left: operations };
    restore::put_back(&mut disk, folder, journal).is_ok() && disk.left > 0
}

#[test]
fn a_disk_that_is_full_for_a_moment_costs_nothing() {
    /// Fails once, at its so-many-th operation.
    struct Once(Option<usize>);
    impl Once {
        fn may(&mut self) -> io::Result<()> {
            match self.0 {
                Some(0) => {
                    self.0 = None;
                    Err(io::ErrorKind::StorageFull.into())
                }
                Some(left) => {
                    self.0 = Some(left - 1);
                    Ok(())
                }
                None => Ok(()),
            }
        }
    }
    impl Disk for Once {
        fn create_folders(&mut self, path: &Path) -> io::Result<()> {
            self.may().and_then(|()| quick().create_folders(path))
        }
        fn write(&mut self, path: &Path, bytes: &[u8], like: Option<&Path>) -> io::Result<()> {
            self.may().and_then(|()| quick().write(path, bytes, like))
        }
        fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
            self.may().and_then(|()| quick().rename(from, to))
        }
        fn remove_file(&mut self, path: &Path) -> io::Result<()> {
            self.may().and_then(|()| quick().remove_file(path))
        }
        fn remove_folder(&mut self, path: &Path) -> io::Result<()> {
            self.may().and_then(|()| quick().remove_folder(path))
        }
    }
    for operations in 0.. {
        let folder = workspace();
        let before = tree(folder.path());
        match apply_on(&mut Once(Some(operations)), folder.path(), STEP, &edits(), now()) {
            Ok(_) => break,
            Err(ApplyError::TakenBack { .. }) => assert_eq!(tree(folder.path()), before, "after {operations} operations"),
            Err(other) => panic!("{other}"),
        }
        assert!(Interrupted::find(folder.path()).unwrap().is_none());
    }
}

#[test]
fn what_was_edited_since_is_left_and_the_former_text_is_kept() {
    let folder = workspace();
    let all = (0..).find(|&operations| !interrupted_after(operations, workspace().path())).unwrap();
    assert!(interrupted_after(all - 1, folder.path()));
    fs::write(folder.path().join("src/main.rs"), "edited since\n").unwrap();
    let restored = Interrupted::find(folder.path()).unwrap().unwrap().restore(folder.path()).unwrap();
    assert_eq!(restored.kept, ["src/main.rs"]);
    assert_eq!(fs::read(folder.path().join("src/main.rs")).unwrap(), b"edited since\n");
    assert_eq!(fs::read(folder.path().join(&restored.backup).join("before/src/main.rs")).unwrap(), b"fn main() {}\n");
    assert!(folder.path().join("old.txt").exists() && !folder.path().join("src/telemetry").exists());
}

#[test]
fn a_file_that_was_saved_meanwhile_stops_it() {
    let folder = workspace();
    fs::write(folder.path().join("run.sh"), "saved\n").unwrap();
    let before = tree(folder.path());
    let error = apply(folder.path(), STEP, &edits()).unwrap_err();
    assert!(error.to_string().contains("`run.sh`"), "{error}");
    assert_eq!(tree(folder.path()), before);
}

#[test]
fn two_do_not_work_at_once() {
    let folder = workspace();
    let held = lock(folder.path()).unwrap();
    assert!(matches!(apply(folder.path(), STEP, &edits()), Err(ApplyError::Busy)));
    drop(held);
    apply(folder.path(), STEP, &edits()).unwrap();
}

#[test]
fn a_journal_that_leads_elsewhere_is_not_followed() {
    let folder = workspace();
    fs::create_dir(folder.path().join(ROOM)).unwrap();
    let mut journal = Journal::new(folder.path(), STEP, now(), PathBuf::from(".bootcamp/backups/x"), &edits());
    journal.files[0].path = String::from("../outside");
    for bytes in [journal.json(), b"{".to_vec()] {
        fs::write(folder.path().join(JOURNAL), bytes).unwrap();
        assert!(matches!(Interrupted::find(folder.path()), Err(ApplyError::Journal(_))));
    }
}
