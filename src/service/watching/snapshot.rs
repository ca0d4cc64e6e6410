use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hasher};
use std::io::Read;
use std::path::{Component, Path, PathBuf};
use std::time::{Duration, SystemTime};

/// The most files and folders that are looked at.
pub(super) const LIMIT: usize = 20_000;

/// How deep folders may lie in one another.
const DEPTH: usize = 64;

/// From this length on, a file's content is not read: its length and time tell.
const READ_BYTES: u64 = 1 << 20;

/// A file that was written so shortly before it was looked at may be written again without a newer time.
const RACY: Duration = Duration::from_secs(2);

/// What marks a folder that can be made anew at any time, cargo's among them: <https://bford.info/cachedir/>.
const CACHE_TAG: &str = "CACHEDIR.TAG";

/// What is watched: a folder, and single files wherever they are.
#[derive(Debug)]
pub(super) struct Ground {
    pub(super) folder: PathBuf,
    /// By what they are called in an answer.
    pub(super) also: BTreeMap<String, PathBuf>,
}

impl Ground {
    pub(super) fn new(folder: &Path, also: &[PathBuf]) -> Self {
        let folder = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
        let named = also.iter().map(|file| {
            let file = std::path::absolute(file).unwrap_or_else(|_| file.clone());
            let name = file.strip_prefix(&folder).map_or_else(|_| file.display().to_string(), name_of);
            (name, file)
        });
        let also = named.collect();
        Self { folder, also }
    }

    /// The path that is called so.
    pub(super) fn locate(&self, name: &str) -> PathBuf {
        self.also.get(name).cloned().unwrap_or_else(|| self.folder.join(name))
    }

    /// Whether a notice of this path is worth a look.
    pub(super) fn concerns(&self, path: &Path) -> bool {
        if self.also.values().any(|file| file == path) || path == self.folder {
            return true;
        }
        let Ok(within) = path.strip_prefix(&self.folder) else { return false };
        let mut names = within.components().map(Component::as_os_str);
        let Some(last) = names.next_back() else { return true };
        let left_out = names.enumerate().any(|(depth, name)| is_left_out(name, depth == 0));
        !left_out && !is_of_an_editor(last) && !is_of_a_service(last) && !is_left_out(last, within.components().count() == 1)
    }

    /// The folders of the single files: outside of the watched one, or in what is left out of it.
    pub(super) fn elsewhere(&self) -> impl Iterator<Item = &Path> {
        self.also.values().filter_map(|file| file.parent())
    }
}

/// What was there at one moment.
#[derive(Debug, Clone)]
pub(super) struct Snapshot {
    /// By path, relative to the folder, with `/` between its parts.
    files: BTreeMap<String, Print>,
    /// The folders that were looked into.
    pub(super) folders: BTreeSet<PathBuf>,
    /// Whether there was more than is looked at.
    pub(super) cut: bool,
    taken: SystemTime,
}

/// What a file is known by.
#[derive(Debug, Clone, Copy)]
struct Print {
    stamp: Stamp,
    content: Content,
}

/// What the system says of a file: where all of it is as it was, so is the content.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stamp {
    length: u64,
    modified: Option<SystemTime>,
    /// Its number and the time of its last change of any kind.
    #[cfg(unix)]
    node: (u64, i64, i64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Content {
    /// A file that was read.
    Hash(u64),
    /// One that is too long, or must not be read.
    Unread { length: u64, modified: Option<SystemTime> },
}

impl Snapshot {
    /// Looks at everything. What has not been touched since the snapshot before is not read again.
    pub(super) fn take(ground: &Ground, before: Option<&Self>) -> Self {
        let mut snapshot = Self {
            files: BTreeMap::new(),
            folders: BTreeSet::new(),
            cut: false,
            // Taken first: what is written while we look counts as written shortly before.
            taken: SystemTime::now(),
        };
        snapshot.walk(&ground.folder, "", 0, before);
        for (name, path) in &ground.also {
            // These were named, so that a link is followed.
            if let Ok(found) = std::fs::metadata(path)
                && found.is_file()
            {
                snapshot.keep(name.clone(), path, &found, before);
            } else {
                snapshot.files.remove(name);
            }
        }
        snapshot
    }

    fn walk(&mut self, folder: &Path, prefix: &str, depth: usize, before: Option<&Self>) {
        let Ok(entries) = std::fs::read_dir(folder) else { return };
        let mut entries: Vec<_> = entries.filter_map(Result::ok).take(LIMIT).collect();
        if depth > 0 && entries.iter().any(|entry| entry.file_name() == CACHE_TAG) {
            return;
        }
        self.folders.insert(folder.to_owned());
        // Sorted, so that the same files are looked at each time where there are too many.
        entries.sort_by_key(std::fs::DirEntry::file_name);
        for entry in entries {
            if self.files.len() + self.folders.len() >= LIMIT || depth >= DEPTH {
                self.cut = true;
                return;
            }
            let file_name = entry.file_name();
            // On the entry: a link is not followed.
            let Ok(found) = entry.metadata() else { continue };
            let name = format!("{prefix}{}", file_name.to_string_lossy());
            if found.is_dir() {
                if !is_left_out(&file_name, depth == 0) {
                    self.walk(&entry.path(), &format!("{name}/"), depth + 1, before);
                }
            } else if !is_of_an_editor(&file_name) && !is_of_a_service(&file_name) && (found.is_file() || found.is_symlink()) {
                self.keep(name, &entry.path(), &found, before);
            }
        }
    }

    fn keep(&mut self, name: String, path: &Path, found: &std::fs::Metadata, before: Option<&Self>) {
        let known = before.and_then(|before| before.reusable(&name));
        self.files.insert(name, Print::of(path, found, known));
    }

    /// What is known of a file, unless it may have changed without a trace.
    fn reusable(&self, name: &str) -> Option<&Print> {
        let print = self.files.get(name)?;
        let settled = print.stamp.modified?.checked_add(RACY)? < self.taken;
        settled.then_some(print)
    }

    /// Looks at one file anew.
    pub(super) fn accept(&mut self, ground: &Ground, name: &str) {
        let path = ground.locate(name);
        let found = if ground.also.contains_key(name) { std::fs::metadata(&path) } else { std::fs::symlink_metadata(&path) };
        match found {
            Ok(found) if !found.is_dir() => {
                self.files.insert(name.to_owned(), Print::of(&path, &found, None));
            }
            _ => {
                self.files.remove(name);
            }
        }
    }

    /// The paths of what appeared, vanished, or has another content.
    pub(super) fn differences(&self, other: &Self) -> BTreeSet<String> {
        let content = |files: &BTreeMap<String, Print>, name: &String| files.get(name).map(|print| print.content);
        let changed = |name: &&String| content(&self.files, name) != content(&other.files, name);
        self.files.keys().chain(other.files.keys()).filter(changed).cloned().collect()
    }
}

impl Print {
    fn of(path: &Path, found: &std::fs::Metadata, known: Option<&Self>) -> Self {
        let stamp = Stamp::of(found);
        match known {
            Some(known) if known.stamp == stamp => *known,
            _ => Self { stamp, content: Content::load(path, found) },
        }
    }
}

impl Stamp {
    fn of(found: &std::fs::Metadata) -> Self {
        #[cfg(unix)]
        use std::os::unix::fs::MetadataExt;
        Self {
            length: found.len(),
            modified: found.modified().ok(),
            #[cfg(unix)]
            node: (found.ino(), found.ctime(), found.ctime_nsec()),
        }
    }
}

impl Content {
    fn load(path: &Path, found: &std::fs::Metadata) -> Self {
        let unread = Self::Unread { length: found.len(), modified: found.modified().ok() };
        let mut hasher = DefaultHasher::new();
        if found.is_symlink() {
            let Ok(target) = std::fs::read_link(path) else { return unread };
            hasher.write(target.as_os_str().as_encoded_bytes());
            return Self::Hash(hasher.finish());
        }
        if found.len() >= READ_BYTES {
            return unread;
        }
        let mut bytes = Vec::new();
        match std::fs::File::open(path).and_then(|file| file.take(READ_BYTES).read_to_end(&mut bytes)) {
            Ok(_) => {
                hasher.write(&bytes);
                Self::Hash(hasher.finish())
            }
            Err(_) => unread,
        }
    }
}

/// A path as it is called in an answer: with `/` between its parts, on every system.
fn name_of(path: &Path) -> String {
    path.components().map(|part| part.as_os_str().to_string_lossy()).collect::<Vec<_>>().join("/")
}

/// Folders in which nothing is written by hand. A `target` that is not at the top may be a module like any other: there
/// cargo's is known by its tag.
fn is_left_out(name: &OsStr, at_the_top: bool) -> bool {
    name == ".git" || name == ".bootcamp" || name == "node_modules" || (at_the_top && name == "target")
}

/// What a service writes while it runs: a log, a database with what belongs to it. A save it is not, and to build anew would only
/// have it written once more.
fn is_of_a_service(name: &OsStr) -> bool {
    let endings = [".log", ".pid", ".sock", ".db", ".sqlite", ".sqlite3", "-wal", "-shm", "-journal"];
    name.to_str().is_some_and(|name| endings.iter().any(|ending| name.ends_with(ending)))
}

/// Files that editors keep for themselves: Vim's and Emacs's swap, backup and lock files, and the temporary ones of others.
fn is_of_an_editor(name: &OsStr) -> bool {
    let Some(name) = name.to_str() else { return false };
    let swap =
        |extension: &str| extension == "swp" || (name.starts_with('.') && extension.len() == 3 && extension.starts_with("sw"));
    name.ends_with('~')
        || name.starts_with(".#")
        || (name.len() > 1 && name.starts_with('#') && name.ends_with('#'))
        || name.rsplit_once('.').is_some_and(|(_, extension)| swap(extension) || extension == "kate-swp")
        || name.ends_with("___jb_tmp___")
        || name.ends_with("___jb_old___")
        || matches!(name, "4913" | ".DS_Store")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_editors_keep_for_themselves_is_known() {
        let theirs = ["main.rs~", ".#main.rs", "#main.rs#", ".main.rs.swp", ".main.rs.swx", "main.rs.swp", "4913", ".a.kate-swp"];
        let ours = ["main.rs", ".env", "#", "swp", ".gitignore", "a.swift", "notes.swo", "Cargo.lock", "é"];
        assert_eq!(theirs.iter().filter(|name| !is_of_an_editor(OsStr::new(name))).count(), 0);
        assert!(["a.log", "data.sqlite-wal", "x.db"].iter().all(|name| is_of_a_service(OsStr::new(name))));
        assert!(!ours.iter().any(|name| is_of_a_service(OsStr::new(name))));
        assert_eq!(ours.iter().filter(|name| is_of_an_editor(OsStr::new(name))).collect::<Vec<_>>(), Vec::<&&str>::new());
    }

    #[test]
    fn notices_of_what_is_left_out_concern_nobody() {
        let ground = Ground::new(Path::new("/work"), &[PathBuf::from("/else/.env"), PathBuf::from("/work/target/named")]);
        let concerns = |path: &str| ground.concerns(Path::new(path));
        assert!(
            ["/work", "/work/src/a.rs", "/else/.env", "/work/target/named", "/work/src/target/a.rs"].into_iter().all(concerns)
        );
        let others =
            ["/work/target", "/work/target/debug/x", "/work/a/node_modules/x", "/work/.git/HEAD", "/work/a~", "/else/b", "/"];
        assert!(!others.into_iter().any(concerns));
        assert_eq!(ground.also.keys().collect::<Vec<_>>(), ["/else/.env", "target/named"]);
        assert_eq!(ground.elsewhere().collect::<Vec<_>>(), [Path::new("/else"), Path::new("/work/target")]);
    }
}
