//! What each step changes, as a diff; and what the starter holds.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;

use bootcamp::solution::{Change, States};
use similar::TextDiff;
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

use crate::{all, repository, week2};

const FOLDER: &str = "tests/snapshots/states";

fn matches(name: &str, actual: &str) {
    let expected = Data::read_from(&repository(FOLDER).join(name), Some(DataFormat::Text)).raw();
    Assert::new().action_env("SNAPSHOTS").eq(Data::text(actual), expected);
}

/// `week2/x-ray/a-group` is in `x-ray.a-group.diff`.
fn snapshot(step: &str) -> String {
    format!("{}.diff", step.split_once('/').unwrap().1.replace('/', "."))
}

#[test]
fn the_starter_is_the_end_of_week_1() {
    let states = week2();
    let files: String = states.starter().paths().map(|path| format!("{path}\n")).collect();
    matches("starter.txt", &files);
    for path in states.starter().paths().filter(|path| *path != "Cargo.lock") {
        let text = states.starter().text(path).unwrap();
        for word in ["telemetry", "tracing::", "opentelemetry", "rollbar", "xray", "cloudwatch", "honeycomb"] {
            assert!(!text.to_lowercase().contains(word), "`{path}` of the starter speaks of {word}");
        }
    }
}

#[test]
fn each_step_changes_what_it_is_about() {
    let states = week2();
    for step in states.steps_with_changes() {
        let diffs: String = states.changes(step).iter().map(diff).collect();
        matches(&snapshot(step), &diffs);
    }
    let names: BTreeSet<String> = states.steps_with_changes().map(snapshot).chain([String::from("starter.txt")]).collect();
    let held = fs::read_dir(repository(FOLDER)).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(held.collect::<BTreeSet<_>>(), names, "{FOLDER} holds other files than there are steps with changes");
}

fn diff(change: &Change) -> String {
    let text = |bytes: &Option<std::sync::Arc<[u8]>>| {
        bytes.as_ref().map(|bytes| String::from_utf8(bytes.to_vec()).unwrap()).unwrap_or_default()
    };
    let (before, after) = (text(&change.before), text(&change.after));
    if change.path == "Cargo.lock" {
        let packages = |text: &str| text.matches("[[package]]").count();
        return format!("Cargo.lock: from {} to {} packages\n", packages(&before), packages(&after));
    }
    let name = |side: &str, there: bool| if there { format!("{side}/{}", change.path) } else { String::from("/dev/null") };
    let (old, new) = (name("a", change.before.is_some()), name("b", change.after.is_some()));
    TextDiff::from_lines(&before, &after).unified_diff().context_radius(2).header(&old, &new).to_string()
}

#[test]
fn no_state_holds_a_marker() {
    let states = week2();
    let mut found = String::new();
    for (name, tree) in all(&states) {
        for (path, bytes) in tree.iter() {
            let text = String::from_utf8_lossy(bytes);
            for (index, line) in text.lines().enumerate() {
                if ["//@", "//~", "#@ ", "#~ "].iter().any(|marker| line.contains(marker)) {
                    writeln!(found, "{name}: {path}:{}: {line}", index + 1).unwrap();
                }
            }
            assert!(!["states.toml", "lock.toml"].contains(&path), "{name} has {path}");
        }
    }
    assert!(found.is_empty(), "{found}");
}

#[test]
fn a_state_is_what_the_one_before_and_the_change_make() {
    let states = week2();
    let mut tree = states.starter().clone();
    for step in states.steps() {
        assert_eq!(&tree, states.before(step).unwrap(), "{step}");
        for change in states.changes(step) {
            assert_ne!(change.before, change.after, "{step}: {}", change.path);
            match change.after {
                Some(bytes) => tree.insert(change.path, bytes),
                None => assert!(tree.remove(&change.path)),
            }
        }
        assert_eq!(&tree, states.after(step).unwrap(), "{step}");
    }
    let own: Vec<_> = states.finished().paths().filter(|path| tree.get(path).is_none()).collect();
    assert_eq!(own, ["README.md", "tests/service/fakes.rs", "tests/service/process.rs", "tests/service/telemetry.rs"]);
}

#[test]
fn steps_whose_work_lies_outside_of_files_change_none() {
    let states: States = week2();
    let idle: Vec<_> = states.steps().filter(|step| states.changes(step).is_empty()).collect();
    assert_eq!(
        idle,
        [
            "week2/setup/the-feeds-answer",
            "week2/honeycomb/a-trace-of-what-is-not-there",
            "week2/x-ray/a-group",
            "week2/x-ray/the-service-map",
            "week2/homework/one-id-two-vendors",
        ]
    );
    assert!(states.after("week2/x-ray/nothing").is_none() && states.changes("week2/x-ray/nothing").is_empty());
}
