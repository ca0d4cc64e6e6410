//! Lines of the workspace's files that a rule looks for.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use regex::Regex;

use super::mask;
use crate::check::diagnosis::Search;
use crate::facts::{FoundLine, Secret};

/// What a learner did not write, or what is no text.
const PASSED_OVER: [&str; 5] = ["target", "node_modules", ".git", ".bootcamp", "vendor"];
/// No workspace of a course has more files beneath one folder, and none of them is longer.
const MOST_FILES: usize = 500;
const LONGEST_FILE: u64 = 256 * 1024;
/// A rule needs one line; a person may want to see a few.
const MOST_HITS: usize = 5;
const DEEPEST: usize = 8;

/// The first lines that each search finds. What cannot be read holds no line.
pub fn search(folder: &Path, searches: &BTreeSet<Search>, secrets: &[Secret]) -> BTreeMap<String, Vec<FoundLine>> {
    let mut texts: BTreeMap<PathBuf, String> = BTreeMap::new();
    let mut found = BTreeMap::new();
    for search in searches {
        let Ok(pattern) = Regex::new(&search.line) else { continue };
        let mut files = Vec::new();
        gather(&folder.join(&search.place), 0, &mut files);
        let mut hits = Vec::new();
        'files: for path in files {
            let text = texts.entry(path.clone()).or_insert_with(|| read(&path, secrets));
            for (index, line) in text.lines().enumerate().filter(|(_, line)| pattern.is_match(line)) {
                let file = path.strip_prefix(folder).unwrap_or(&path).display().to_string();
                hits.push(FoundLine { file, line: index + 1, text: line.to_owned() });
                if hits.len() == MOST_HITS {
                    break 'files;
                }
            }
        }
        found.insert(search.key(), hits);
    }
    found
}

fn gather(path: &Path, depth: usize, into: &mut Vec<PathBuf>) {
    // A link may lead out of the workspace, or round in a circle.
    let Ok(metadata) = path.symlink_metadata() else { return };
    if metadata.is_file() && metadata.len() <= LONGEST_FILE {
        if into.len() < MOST_FILES {
            into.push(path.to_owned());
        }
    } else if metadata.is_dir() && depth < DEEPEST {
        let Ok(entries) = fs::read_dir(path) else { return };
        let mut entries: Vec<_> = entries.filter_map(Result::ok).collect();
        entries.sort_by_key(fs::DirEntry::file_name);
        for entry in entries {
            if !entry.file_name().to_str().is_some_and(|name| PASSED_OVER.contains(&name)) {
                gather(&entry.path(), depth + 1, into);
            }
        }
    }
}

fn read(path: &Path, secrets: &[Secret]) -> String {
    let bytes = fs::read(path).unwrap_or_default();
    if bytes.contains(&0) { String::new() } else { mask::text(&String::from_utf8_lossy(&bytes), secrets) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(folder: &Path, place: &str, line: &str) -> Vec<(String, usize)> {
        let search = Search { place: place.to_owned(), line: line.to_owned() };
        let mut found = super::search(folder, &BTreeSet::from([search.clone()]), &[Secret::new("verysecretkey")]);
        found.remove(&search.key()).unwrap_or_default().into_iter().map(|hit| (hit.file, hit.line)).collect()
    }

    #[test]
    fn lines_are_found_in_a_file_and_beneath_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        for (file, text) in [
            ("src/main.rs", "fn main() {\n    span.enter();\n}\n"),
            ("src/deep/er.rs", "// span.enter()\nlet key = \"verysecretkey\";\n"),
            ("target/built.rs", "span.enter()\n"),
            ("Cargo.toml", "[package]\n"),
        ] {
            let path = folder.path().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }
        fs::write(folder.path().join("src/binary"), b"span.enter()\0").unwrap();
        let spans = [("src/deep/er.rs".to_owned(), 1), ("src/main.rs".to_owned(), 2)];
        assert_eq!(places(folder.path(), "src", r"span\.enter\(\)"), spans);
        assert_eq!(places(folder.path(), "", r"span\.enter\(\)"), spans);
        assert_eq!(places(folder.path(), "Cargo.toml", "^.package"), [("Cargo.toml".to_owned(), 1)]);
        assert_eq!(places(folder.path(), "src", "verysecret"), [], "a secret is no evidence");
        assert_eq!(places(folder.path(), "nowhere", "x"), []);
    }
}
