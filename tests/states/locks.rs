//! Each state's `Cargo.lock` is the one that cargo would write for it.

use std::fs;
use std::process::Command;

use bootcamp::solution::edges_that_came;

use crate::{all, lay_out, repository, week2};

#[test]
#[ignore = "asks cargo, which needs the index of the solution's dependencies"]
fn locks() {
    let states = week2();
    let whole = fs::read_to_string(repository("solutions/week2/Cargo.lock")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let mut asked: Vec<(&str, String, String)> = Vec::new();
    for (name, tree) in all(&states) {
        let manifest = tree.text("Cargo.toml").unwrap();
        if asked.last().is_some_and(|(_, same, _)| same == manifest) {
            continue;
        }
        let mut tree = tree.clone();
        tree.insert("Cargo.lock", whole.as_bytes());
        lay_out(&tree, folder.path());
        // Cargo keeps the versions of the lock that it finds, and drops what this state does not lead to.
        let output = Command::new(env!("CARGO"))
            .args(["metadata", "--offline", "--quiet", "--format-version=1"])
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let lock = fs::read_to_string(folder.path().join("Cargo.lock")).unwrap();
        asked.push((name.split_once('/').map_or(name, |(_, step)| step), manifest.to_owned(), lock));
    }
    let locks: Vec<(&str, &str)> = asked.iter().map(|(name, _, lock)| (*name, lock.as_str())).collect();
    assert!(locks.len() > 5, "only {} states differ in their dependencies", locks.len());
    assert_eq!(locks.last().unwrap().1, whole, "the reference's own lock is not up to date");

    let path = repository("solutions/week2/lock.toml");
    let edges = edges_that_came(&whole, &locks);
    if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
        fs::write(&path, &edges).unwrap();
    }
    let remedy = "run `SNAPSHOTS=overwrite cargo test --test states -- --ignored locks`";
    assert!(fs::read_to_string(&path).unwrap_or_default() == edges, "`lock.toml` is out of date: {remedy}");

    let states = week2();
    for (name, tree) in all(&states) {
        let (_, _, lock) = asked.iter().find(|(_, manifest, _)| tree.text("Cargo.toml") == Some(manifest)).unwrap();
        assert!(tree.text("Cargo.lock") == Some(lock), "the lock of {name} is not what cargo makes");
    }
}
