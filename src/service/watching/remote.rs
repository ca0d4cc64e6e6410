use std::path::{Path, PathBuf};

/// File systems whose changes the system is not told of where another machine, or the host of this one, makes them.
const REMOTE: [&str; 16] = [
    "9p",
    "afs",
    "ceph",
    "cifs",
    "davfs",
    "drvfs",
    "fuse",
    "fuseblk",
    "glusterfs",
    "nfs",
    "nfs4",
    "prl_fs",
    "smb3",
    "smbfs",
    "vboxsf",
    "virtiofs",
];

/// Whether notices of a folder cannot be relied on, as far as the system tells.
pub(super) fn is_remote(folder: &Path) -> bool {
    let folder = std::fs::canonicalize(folder).unwrap_or_else(|_| folder.to_owned());
    std::fs::read_to_string("/proc/self/mountinfo").is_ok_and(|mounts| lies_remote(&mounts, &folder))
}

/// The same by the text of `/proc/self/mountinfo` (`proc_pid_mountinfo(5)`): the last mount on the longest path counts.
fn lies_remote(mounts: &str, folder: &Path) -> bool {
    let mounts = mounts.lines().filter_map(|line| {
        let (before, after) = line.split_once(" - ")?;
        let point = unescaped(before.split(' ').nth(4)?);
        Some((point, after.split(' ').next()?))
    });
    let nearest = mounts.filter(|(point, _)| folder.starts_with(point)).max_by_key(|(point, _)| point.components().count());
    nearest.is_some_and(|(_, kind)| REMOTE.contains(&kind) || kind.starts_with("fuse."))
}

/// Blanks and the like stand there as `\040`.
fn unescaped(text: &str) -> PathBuf {
    let mut parts = text.split('\\');
    let mut path = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..3).and_then(|digits| u8::from_str_radix(digits, 8).ok()).filter(u8::is_ascii);
        match code {
            Some(code) => {
                path.push(char::from(code));
                path.push_str(&part[3..]);
            }
            None => {
                path.push('\\');
                path.push_str(part);
            }
        }
    }
    PathBuf::from(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MOUNTS: &str = "22 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n\
        40 22 0:35 / /mnt/my\\040share rw - nfs4 server:/share rw\n\
        41 40 8:2 / /mnt/my\\040share/local rw shared:7 - ext4 /dev/sdb1 rw\n\
        42 22 0:36 / /mnt/c rw - 9p C: rw\n";

    #[test]
    fn a_network_disk_is_known_by_its_mount() {
        let remote = |folder: &str| lies_remote(MOUNTS, Path::new(folder));
        assert!(remote("/mnt/my share/week2") && remote("/mnt/c/Users/me"));
        assert!(!remote("/home/me") && !remote("/mnt/my share/local/week2") && !remote("/mnt/cc"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_a_panic(text in "([0-9a-z/\\\\é -]|\\n| - ){0,120}") {
            let _ = lies_remote(&text, Path::new("/mnt/c"));
        }
    }
}
