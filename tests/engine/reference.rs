//! The reference under compose, against a sandbox on the host: the whole path through the bridge.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};

use bootcamp::facts::Secret;
use bootcamp::vendor::aws::{Account, Keys};
use bootcamp::vendor::xray;
use serde_json::{Value, json};

use crate::bootcamp::{Report, bootcamp};
use crate::engine::{Engine, bounded, skip};
use crate::image::{Image, reference_from_scratch};
use crate::project::{Project, verify};
use crate::repository;

const DAEMON_STEP: &str = "week2/x-ray/the-daemon-in-a-container";
const BACKEND_STEP: &str = "week2/setup/the-backend-in-a-container";

/// What compose publishes on the host, as the lessons have it.
fn ports_are_free() -> bool {
    TcpListener::bind("0.0.0.0:4567").is_ok() && UdpSocket::bind("0.0.0.0:2000").is_ok()
}

/// A checkout with the course as it is, and a copy of the reference that needs no image from elsewhere.
fn checkout(folder: &Path) -> PathBuf {
    for course in ["lessons", "checks"] {
        std::os::unix::fs::symlink(repository().join(course), folder.join(course)).unwrap();
    }
    let solution = folder.join("solutions/week2");
    copy(&repository().join("solutions/week2"), &solution);
    fs::write(solution.join("bootcamp.toml"), "course = \"week2\"\n").unwrap();
    reference_from_scratch(&solution);
    solution
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let (name, path) = (entry.file_name(), entry.path());
        if path.is_dir() {
            if name != "target" && name != ".bootcamp" {
                copy(&path, &to.join(name));
            }
        } else {
            fs::copy(&path, to.join(name)).unwrap();
        }
    }
}

/// `bootcamp sandbox`, as one starts it beside compose.
struct Sandbox {
    process: Child,
    said: String,
}

impl Sandbox {
    fn start(workspace: &Path, env_file: &Path) -> Self {
        let mut command = bootcamp();
        command.args(["sandbox", "--http-port", "0", "--grpc-port", "0", "--workspace"]).arg(workspace);
        command.arg("--env-file").arg(env_file).stdout(Stdio::piped());
        let mut process = command.spawn().unwrap();
        let lines = BufReader::new(process.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut said = String::new();
        for line in lines {
            said.push_str(&line);
            said.push('\n');
            if line == "Ctrl-C ends it." {
                break;
            }
        }
        Self { process, said }
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        // What bounds its time passes the request to end on to it.
        let process = nix::unistd::Pid::from_raw(i32::try_from(self.process.id()).unwrap());
        let _ = nix::sys::signal::kill(process, nix::sys::signal::Signal::SIGTERM);
        let _ = self.process.wait();
    }
}

/// What a learner does with the `aws` command: the group, and the sampling rule of the file.
fn create_group_and_rule(env_file: &str, workspace: &Path) {
    let value = |name: &str| env_file.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('=')).unwrap().to_owned();
    let keys = Keys {
        access_key_id: Secret::new(value("AWS_ACCESS_KEY_ID")),
        secret_access_key: Secret::new(value("AWS_SECRET_ACCESS_KEY")),
        session_token: None,
    };
    let account = Account::new(Some(value("AWS_DEFAULT_REGION")), Some(keys)).with_endpoint(value("AWS_ENDPOINT_URL"));
    let rule: Value = serde_json::from_slice(&fs::read(workspace.join("aws/json/xray.json")).unwrap()).unwrap();
    let group = json!({ "GroupName": "Cruddur", "FilterExpression": "service(\"cruddur-backend\")" });
    let client = xray::Client::new(account);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(client.create_group(&group)).unwrap();
    runtime.block_on(client.create_sampling_rule(&rule)).unwrap();
}

/// Waits until the backend says that it listens.
fn listens(project: &Project<'_>) {
    let container = project.container("backend");
    let mut follow =
        bounded("docker").args(["logs", "--follow", &container]).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap()).lines().map_while(Result::ok);
    let listens = lines.any(|line| line.contains("listening on"));
    let _ = follow.kill();
    let _ = follow.wait();
    assert!(listens, "the backend never listened:\n{}", project.logs("backend"));
}

fn reference(checkout: &Path, step: &str) -> Report {
    let mut command = bootcamp();
    command.args(["verify", step, "--solution", "--workspace"]).arg(checkout);
    Report::of(command)
}

#[test]
fn the_reference_under_compose_is_proved_against_a_sandbox_on_the_host() {
    let Some(engine) = Engine::take() else { return };
    if bootcamp::sandbox::docker_bridge().is_none() {
        return skip("the engine's bridge is not on this machine");
    }
    if !ports_are_free() {
        return skip("the ports 4567/tcp and 2000/udp, which the compose file publishes, are taken");
    }
    let folder = tempfile::tempdir().unwrap();
    let solution = checkout(folder.path());
    let _daemon = Image::stand_in_where_missing(&engine, "amazon/aws-xray-daemon");
    let project = Project::new(&engine, &solution).with_env_file("sandbox.env");

    let env_file = solution.join("sandbox.env");
    let sandbox = Sandbox::start(&solution, &env_file);
    let variables = fs::read_to_string(&env_file).unwrap_or_else(|error| panic!("{error}; the sandbox said:\n{}", sandbox.said));
    assert!(!variables.contains("127.0.0.1"), "loopback is the container's own:\n{variables}");
    create_group_and_rule(&variables, &solution);

    // Not up yet: nobody's duty where it is the reference, a step to be done where it is one's own.
    for (step, check) in [(DAEMON_STEP, "daemon-container"), (BACKEND_STEP, "backend-container")] {
        let report = reference(folder.path(), step);
        assert!(report.skipped(check).contains("are not up; start them with `docker compose"), "{:#}", report.json);
        assert_eq!(report.exit, Some(0));
        verify(&solution, step).failed(check);
    }

    // The daemon's own port is published beside the sandbox.
    project.up();
    listens(&project);
    let report = verify(&solution, "week2");
    let missed: Vec<&Value> =
        report.checks().filter(|check| !matches!(check["status"].as_str(), Some("passed" | "skipped"))).collect();
    assert!(missed.is_empty(), "{missed:#?}\nthe backend printed:\n{}", project.logs("backend"));
    assert_eq!(report.exit, Some(0));
    let skipped: Vec<&str> =
        report.checks().filter(|check| check["status"] == "skipped").map(|check| check["id"].as_str().unwrap()).collect();
    assert_eq!(skipped, ["console-span", "logs-off", "only-errors-silent", "only-errors-heard"]);
    assert!(report.skipped("logs-off").starts_with("the running service cannot be started again with CLOUDWATCH_LOGS=off"));
    assert!(report.passed("daemon-container").contains("2000/udp"));
    assert!(report.passed("backend-container").contains(&project.container("backend")[..12]));
    for check in ["server-span", "home-span", "segment", "mock-data", "service-map", "access-line", "rollbar-error-frame"] {
        report.passed(check);
    }

    // Up, they are judged for real, the reference's too.
    reference(folder.path(), BACKEND_STEP).passed("backend-container");
    reference(folder.path(), DAEMON_STEP).passed("daemon-container");
    project.stop("xray-daemon");
    reference(folder.path(), DAEMON_STEP).failed("daemon-container");

    project.down();
    let report = reference(folder.path(), DAEMON_STEP);
    report.skipped("daemon-container");
    assert_eq!(report.exit, Some(0));
}
