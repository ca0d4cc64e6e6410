//! Ctrl-C, at any moment: 130, a report of what was known, and no process left behind.

use std::path::PathBuf;

use crate::support::{Bootcamp, Run, has, lives, wait_until};
use crate::tiny;

/// A folder in which the stand-in, each instance and its child, notes its process.
fn noted(call: Bootcamp) -> (Bootcamp, PathBuf) {
    let folder = call.root().join("processes");
    std::fs::create_dir(&folder).unwrap();
    (call.env("PROCESSES", folder.display().to_string()), folder)
}

fn processes(folder: &PathBuf) -> Vec<u32> {
    let names = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter_map(|name| name.parse().ok()).collect()
}

/// Breaks a run off once so many processes have been noted.
fn interrupted(call: Bootcamp, folder: &PathBuf, count: usize) -> Run {
    let running = call.args("verify --format json").start();
    wait_until("the service's processes", || processes(folder).len() >= count);
    let alive = processes(folder).into_iter().filter(|id| lives(*id)).count();
    assert_eq!(alive, count, "they must be alive to be left behind");
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{}", run.stderr);
    let left: Vec<u32> = processes(folder).into_iter().filter(|id| lives(*id)).collect();
    assert!(left.is_empty(), "left behind: {left:?}\n{}", run.stderr);
    run
}

#[test]
fn while_waiting_for_telemetry() {
    // Two instances with a child each; the segment never comes, so the run waits.
    let (call, folder) = noted(tiny::workspace().env("BREAK", "child,no-segment"));
    let run = interrupted(call, &folder, 4);
    let report = run.report();
    assert_eq!(report.0["status"], "interrupted");
    assert!(report.with("failed").iter().all(|id| *id == "group" || *id == "rule"), "{:?}", report.with("failed"));
    assert!(!report.with("errored").is_empty(), "what was not seen is no failure");
}

#[test]
fn while_the_service_starts() {
    let (call, folder) = noted(tiny::workspace().env("BREAK", "child,mute"));
    let run = interrupted(call, &folder, 4);
    assert_eq!(run.report().0["status"], "interrupted");
}

#[test]
fn while_the_service_is_built() {
    let (call, folder) = noted(tiny::workspace());
    let script = r#"sleep 60 & touch "$PROCESSES/$$" "$PROCESSES/$!"; wait"#;
    let call = call.edit("bootcamp.toml", "[service]\n", &format!("[service]\nbuild = [\"sh\", \"-c\", '{script}']\n"));
    let run = interrupted(call, &folder, 2);
    assert_eq!(run.report().0["status"], "interrupted");
}

#[test]
fn a_request_to_end_is_heard_like_a_key() {
    let (call, folder) = noted(tiny::workspace().env("BREAK", "child,no-segment"));
    let running = call.args("verify").start();
    wait_until("the service's processes", || processes(&folder).len() == 4);
    running.signal(nix::sys::signal::Signal::SIGTERM);
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{}", run.stderr);
    assert!(processes(&folder).into_iter().all(|id| !lives(id)));
    has(&run.stdout, &["interrupted"]);
}

#[test]
fn nothing_is_left_when_all_goes_well_either() {
    let (call, folder) = noted(tiny::workspace().env("BREAK", "child"));
    let _run = call.args("verify tiny/vendors/the-answer").passes();
    assert_eq!(processes(&folder).len(), 2, "one instance, and its child");
    assert!(processes(&folder).into_iter().all(|id| !lives(id)));
}
