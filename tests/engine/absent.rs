//! No engine, or one that we may not ask. Neither needs one.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::os::unix::process::CommandExt;

use crate::bootcamp::{Report, bootcamp, bootcamp_at, workspace};

const STEP: &str = "week2/x-ray/the-daemon-in-a-container";
const COMPOSE: &str = "services:
  xray-daemon:
    image: \"amazon/aws-xray-daemon\"
    environment:
      AWS_REGION: \"ca-central-1\"
    ports:
      - \"2000:2000/udp\"
";

#[test]
fn without_an_engine_the_check_is_skipped_and_does_not_count() {
    let folder = tempfile::tempdir().unwrap();
    workspace(folder.path(), COMPOSE);
    // One socket that was never there, and one that nobody listens on any more.
    let (never, dead) = (folder.path().join("never.sock"), folder.path().join("dead.sock"));
    drop(UnixListener::bind(&dead).unwrap());
    for socket in [never, dead] {
        let mut command = bootcamp();
        command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
        command.args(["verify", STEP, "--workspace"]).arg(folder.path());
        let report = Report::of(command);
        assert_eq!(report.skipped("daemon-container"), format!("no Docker engine answers at {}", socket.display()));
        assert_eq!(report.exit, Some(0), "{:#}", report.json);
        let score = &report.json["score"];
        assert_eq!((&score["earned"], &score["possible"]), (&2.into(), &2.into()), "half of the step's 4 points: {score}");
    }
}

#[test]
fn an_engine_that_we_may_not_ask_is_an_error_and_no_failure() {
    const ROOT: u32 = 0;
    const NOBODY: u32 = 65534;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
    workspace(folder.path(), COMPOSE);
    let socket = folder.path().join("docker.sock");
    let _listener = UnixListener::bind(&socket).unwrap();
    fs::set_permissions(&socket, Permissions::from_mode(0o000)).unwrap();
    // The administrator may do everything, and nobody may not look into every folder in which the program may lie.
    let program = folder.path().join("bootcamp");
    fs::copy(env!("CARGO_BIN_EXE_bootcamp"), &program).unwrap();
    let mut command = bootcamp_at(&program);
    if fs::metadata(folder.path()).unwrap().uid() == ROOT {
        command.uid(NOBODY).gid(NOBODY).env("HOME", folder.path());
    }
    command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    command.args(["verify", STEP, "--workspace"]).arg(folder.path());
    let report = Report::of(command);
    let check = report.check("daemon-container");
    assert_eq!(check["status"], "errored", "{check:#}");
    let cause = check["cause"].as_str().unwrap();
    assert_eq!(cause, format!("this user may not talk to the Docker engine at {}", socket.display()));
    assert!(check["remedy"].as_str().unwrap().contains("usermod"), "{check:#}");
    assert_eq!(report.exit, Some(3));
}
