//! The daemon's container, as it should be and wrong in each way.

use std::path::Path;

use crate::bootcamp::{Report, workspace};
use crate::engine::Engine;
use crate::image::Image;
use crate::project::{Project, verify};

/// The daemon's name, with a version that nobody else has.
const DAEMON: &str = "amazon/aws-xray-daemon:bootcamp-test";
const STEP: &str = "week2/x-ray/the-daemon-in-a-container";
const CHECK: &str = "daemon-container";

/// A compose file with the daemon; any port of the host will do.
fn compose(image: &str, region: &str, rest: &str) -> String {
    format!(
        "version: \"3.8\"\nservices:\n  xray-daemon:\n    image: \"{image}\"\n    environment:\n      AWS_REGION: \"{region}\"\n{rest}"
    )
}

const RUNS: &str = "    command: [\"-o\"]\n    ports:\n      - \"127.0.0.1::2000/udp\"\n";

/// What becomes of the check when a project with this compose file has been started, and its daemon's container has settled.
fn proved(engine: &Engine, compose: &str, ends: bool) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let project = Project::new(engine, folder.path());
    workspace(folder.path(), compose);
    project.up();
    if ends {
        project.ended("xray-daemon");
    }
    project.verify(STEP)
}

#[test]
fn a_running_daemon_passes_and_one_that_is_not_up_does_not() {
    let Some(engine) = Engine::take() else { return };
    let _image = Image::stand_in(&engine, DAEMON);
    let folder = tempfile::tempdir().unwrap();
    let project = Project::new(&engine, folder.path());
    workspace(folder.path(), &compose(DAEMON, "ca-central-1", RUNS));

    let (found, _) = project.verify(STEP).failed(CHECK);
    assert_eq!(found, "no container of the compose service `xray-daemon`");

    project.up();
    let report = project.verify(STEP);
    let seen = report.passed(CHECK);
    for fact in [DAEMON, "2000/udp", &project.container("xray-daemon")[..12]] {
        assert!(seen.contains(fact), "`{fact}` in {seen}");
    }
    assert_eq!(report.exit, Some(0), "{:#}", report.json);

    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("by-another-path");
    std::os::unix::fs::symlink(folder.path(), &link).unwrap();
    verify(&link, STEP).passed(CHECK);

    project.stop("xray-daemon");
    let (found, _) = project.verify(STEP).failed(CHECK);
    assert!(found.contains("its state is `exited`"), "{found}");
}

#[test]
fn a_daemon_that_ended_is_told_with_its_last_line() {
    let Some(engine) = Engine::take() else { return };
    let _image = Image::stand_in(&engine, DAEMON);
    let rest = "    command: [\"--fail\", \"cannot tell the region\"]\n    ports:\n      - \"127.0.0.1::2000/udp\"\n";
    let (found, nearest) = proved(&engine, &compose(DAEMON, "ca-central-1", rest), true).failed(CHECK);
    assert!(found.contains("its state is `exited`"), "{found}");
    assert_eq!(nearest, "its last line: `cannot tell the region`");
}

#[test]
fn a_region_that_does_not_exist_is_found() {
    let Some(engine) = Engine::take() else { return };
    let _image = Image::stand_in(&engine, DAEMON);
    let (found, _) = proved(&engine, &compose(DAEMON, "can-central-1", RUNS), false).failed(CHECK);
    assert!(found.contains("its variable `AWS_REGION` is `can-central-1`"), "{found}");
}

#[test]
fn a_port_that_is_not_published_is_found() {
    let Some(engine) = Engine::take() else { return };
    let _image = Image::stand_in(&engine, DAEMON);
    let rest = "    command: [\"-o\"]\n    expose:\n      - \"2000/udp\"\n";
    let (found, _) = proved(&engine, &compose(DAEMON, "ca-central-1", rest), false).failed(CHECK);
    assert!(found.contains("port 2000/udp is not published"), "{found}");
    // The same number, another protocol.
    let rest = "    command: [\"-o\"]\n    ports:\n      - \"127.0.0.1::2000/tcp\"\n";
    let (found, _) = proved(&engine, &compose(DAEMON, "ca-central-1", rest), false).failed(CHECK);
    assert!(found.contains("port 2000/udp is not published"), "{found}");
}

#[test]
fn another_image_is_found() {
    let Some(engine) = Engine::take() else { return };
    let other = "bootcamp-test/another-daemon";
    let _image = Image::stand_in(&engine, other);
    let (found, _) = proved(&engine, &compose(other, "ca-central-1", RUNS), false).failed(CHECK);
    assert!(found.contains(&format!("its image is `{other}`")), "{found}");
}

#[test]
fn the_daemon_of_another_project_does_not_count() {
    let Some(engine) = Engine::take() else { return };
    let _image = Image::stand_in(&engine, DAEMON);
    let (ours, theirs) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    let text = compose(DAEMON, "ca-central-1", RUNS);
    let folders: [&Path; 2] = [ours.path(), theirs.path()];
    for folder in folders {
        workspace(folder, &text);
    }
    let project = Project::new(&engine, theirs.path());
    project.up();
    let (found, _) = verify(ours.path(), STEP).failed(CHECK);
    assert!(found.contains(&format!("its compose project is that of `{}`", theirs.path().display())), "{found}");
}
