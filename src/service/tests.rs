//! Services that crash, hang, flood and leave children behind. They are `sh` scripts; where one must speak HTTP, this very
//! test program is started again as the service.
#![cfg(unix)]

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::time::{Duration, Instant};

use url::Url;

use super::*;
use crate::facts;

type Failure = Box<dyn std::error::Error>;

const PATIENCE: Duration = Duration::from_secs(20);

fn shell() -> BTreeMap<String, String> {
    std::env::vars().collect()
}

fn url(port: u16) -> Result<Url, Failure> {
    Ok(Url::parse(&format!("http://127.0.0.1:{port}"))?)
}

/// A service that is a script.
fn script(folder: &Path, text: &str) -> Result<Launch, Failure> {
    let port = free_port()?;
    let mut environment = Environment::default();
    environment.set("PORT", port.to_string());
    let mut launch = Launch::new("sh", folder, environment, &shell(), url(port)?);
    launch.args = vec![String::from("-c"), text.to_owned()];
    Ok(launch)
}

/// A service that is this program: see [`stub`].
fn stubbed(folder: &Path, kind: &str) -> Result<Launch, Failure> {
    let mut launch = script(folder, "")?;
    launch.program = std::env::current_exe()?;
    launch.args = ["service::tests::stub", "--exact", "--nocapture", "--test-threads=1"].map(str::to_owned).to_vec();
    launch.environment.set("STUB", kind);
    Ok(launch)
}

/// Not a test: the service itself, where this program is started with `STUB` set.
#[test]
fn stub() {
    let (Ok(kind), Ok(port)) = (std::env::var("STUB"), std::env::var("PORT")) else { return };
    let Ok(listener) = TcpListener::bind(format!("127.0.0.1:{port}")) else { return };
    println!("\u{1b}[32mlistening\u{1b}[0m with key-0123456789");
    let mut held = Vec::new();
    while let Ok((mut stream, _)) = listener.accept() {
        let mut request = [0; 1024];
        let _ = stream.read(&mut request);
        let _ = match kind.as_str() {
            "http" => stream.write_all(b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"),
            "garbage" => stream.write_all(b"+OK ready\r\n"),
            _ => Ok(()),
        };
        if kind == "silent" {
            held.push(stream);
        }
    }
}

/// Whether a process is there and has not ended.
fn lives(id: &str) -> bool {
    let Ok(stat) = std::fs::read_to_string(format!("/proc/{}/stat", id.trim())) else { return false };
    !stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('Z'))
}

/// Waits for a line of a service's output.
async fn line(instance: &Instance, wanted: impl Fn(&str) -> bool) -> Result<String, Failure> {
    let begun = Instant::now();
    while begun.elapsed() < PATIENCE {
        if let Some(line) = instance.lines().into_iter().find(|line| wanted(line)) {
            return Ok(line);
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    Err(format!("the line did not come: {:?}", instance.lines()).into())
}

#[tokio::test]
async fn a_service_answers_and_is_stopped() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut launch = stubbed(folder.path(), "http")?;
    launch.masked = vec![facts::Secret::new("key-0123456789")];
    let url = launch.url.clone();
    assert!(attach(&url, "/api/health").await?.is_none());
    let mut instance = Instance::start(launch.clone()).await?;
    assert_eq!(instance.ready(PATIENCE).await?.status, 404);
    line(&instance, |line| line.contains("listening with •••")).await?;

    let mut attached = attach(&url, "/api/health").await?.ok_or("nothing answers")?;
    assert!(attached.is_attached() && attached.lines().is_empty());
    assert_eq!(attached.ready(PATIENCE).await?.status, 404);
    assert_eq!(attached.stop(Instance::GRACE).await.how, How::NotOurs);
    assert!(matches!(Instance::start(launch).await, Err(ServiceError::PortTaken { .. })));

    let stopped = instance.stop(Instance::GRACE).await;
    assert_eq!((stopped.how, stopped.hung(), stopped.exit.and_then(|exit| exit.signal)), (How::Asked, false, Some(15)));
    assert!(attach(&url, "/api/health").await?.is_none());
    assert_eq!(instance.stop(Instance::GRACE).await.how, How::AlreadyEnded);
    Ok(())
}

#[tokio::test]
async fn a_crash_is_told_with_its_last_output() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let launch = script(folder.path(), "echo starting; printf '\\033[31mno region\\033[0m' >&2; exit 101")?;
    let instance = Instance::start(launch).await?;
    let error = instance.ready(PATIENCE).await.err().ok_or("it came up")?;
    assert!(error.to_string().ends_with(": exit code 101"), "{error}");
    let mut lines = error.last_output().to_vec();
    lines.sort();
    assert_eq!(lines, ["no region", "starting"]);
    let trouble = facts::Trouble::from(&error);
    assert!(trouble.cause.contains("\n  no region") && !trouble.remedy.is_empty());
    Ok(())
}

#[tokio::test]
async fn one_that_never_answers_is_given_up() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut quiet = Instance::start(script(folder.path(), "echo waiting for the database; exec sleep 1000")?).await?;
    line(&quiet, |line| line.starts_with("waiting")).await?;
    let error = quiet.ready(Duration::from_millis(100)).await.err().ok_or("it came up")?;
    assert!(
        matches!(&error, ServiceError::NeverAnswered { silent: false, lines, .. } if lines == &["waiting for the database"]),
        "{error:?}"
    );
    assert!(error.to_string().ends_with("within 0.1 s"), "{error}");
    quiet.stop(Instance::GRACE).await;

    let silent = Instance::start(stubbed(folder.path(), "silent")?).await?;
    line(&silent, |line| line.contains("listening")).await?;
    let error = silent.ready(Duration::from_millis(1_500)).await.err().ok_or("it came up")?;
    assert!(matches!(&error, ServiceError::NeverAnswered { silent: true, .. }), "{error:?}");
    Ok(())
}

#[tokio::test]
async fn garbage_is_told_from_an_answer() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let launch = stubbed(folder.path(), "garbage")?;
    let url = launch.url.clone();
    let instance = Instance::start(launch).await?;
    let error = instance.ready(PATIENCE).await.err().ok_or("it came up")?;
    assert!(matches!(&error, ServiceError::Garbage { sample, .. } if sample == "+OK ready\\r\\n"), "{error:?}");
    assert!(matches!(attach(&url, "/").await, Err(ServiceError::Garbage { .. })));
    Ok(())
}

#[tokio::test]
async fn one_that_hangs_at_stop_is_killed() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut instance = Instance::start(script(folder.path(), "trap '' TERM; echo deaf; while :; do sleep 0.05; done")?).await?;
    line(&instance, |line| line == "deaf").await?;
    let stopped = instance.stop(Duration::from_millis(100)).await;
    assert!(stopped.hung() && stopped.exit.and_then(|exit| exit.signal) == Some(9), "{stopped:?}");
    Ok(())
}

#[tokio::test]
async fn what_it_says_at_its_end_is_kept() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let text = "trap 'echo flushed 3 spans; exit 0' TERM; echo up; while :; do sleep 0.02; done";
    let mut instance = Instance::start(script(folder.path(), text)?).await?;
    line(&instance, |line| line == "up").await?;
    let stopped = instance.stop(PATIENCE).await;
    assert_eq!((stopped.how, stopped.exit.and_then(|exit| exit.code)), (How::Asked, Some(0)));
    assert!(instance.lines().contains(&String::from("flushed 3 spans")));
    Ok(())
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn children_are_gone_afterwards_wherever_they_went() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    // one in the group, one deaf, and where there is `setsid`: one in a session of its own, one whose parent has ended
    // and that prints to us, and one that has neither a parent nor our pipes
    let text = "sleep 1000 & echo child $!
        sh -c 'trap \"\" TERM; while :; do sleep 0.05; done' & echo child $!
        if command -v setsid >/dev/null; then
            setsid sleep 1000 & echo child $!
            sh -c 'setsid sh -c \"echo child \\$\\$; exec sleep 1000\" &'
            sh -c 'setsid sh -c \"echo \\$\\$ > daemon; exec sleep 1000\" >/dev/null 2>&1 &'
        else echo \"child $!\"; echo \"child $!\"; echo $! > daemon; fi
        while ! [ -s daemon ]; do sleep 0.01; done
        echo child $(cat daemon)
        wait";
    for by_drop in [false, true] {
        let _ = std::fs::remove_file(folder.path().join("daemon"));
        let mut instance = Instance::start(script(folder.path(), text)?).await?;
        let begun = Instant::now();
        let children = loop {
            let lines = instance.lines();
            let children: Vec<String> = lines.iter().filter_map(|line| line.strip_prefix("child ").map(str::to_owned)).collect();
            if children.len() == 5 {
                break children;
            }
            assert!(begun.elapsed() < PATIENCE, "{lines:?}");
            tokio::time::sleep(Duration::from_millis(5)).await;
        };
        assert!(children.iter().all(|child| lives(child)), "{children:?}");
        if by_drop {
            drop(instance);
        } else {
            let stopped = instance.stop(Instance::GRACE).await;
            assert!(stopped.left_behind >= 1, "{stopped:?}");
        }
        let left: Vec<_> = children.iter().filter(|child| lives(child)).collect();
        assert!(left.is_empty(), "dropped: {by_drop}, left: {left:?} of {children:?}");
    }
    Ok(())
}

#[tokio::test]
async fn the_environment_is_exactly_as_composed() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let text = "services:\n  backend:\n    environment:\n      OTEL_SERVICE_NAME: backend\n      HEADERS: 'x-honeycomb-team=${KEY}'\n      ENDPOINT: https://api.honeycomb.io\n      TWO_LINES: \"a\\nb\"\n      NOT_SET:\n";
    let variables = Variables::parse("KEY=k # mine\n", BTreeMap::from([(String::from("LEAK"), String::from("shell"))]))?;
    let resolved = Compose::parse(folder.path(), "docker-compose.yml", text)?.resolve("backend", &variables)?;
    let mut environment = resolved.into_environment();
    assert!(environment.replace("ENDPOINT", "http://127.0.0.1:4318"));
    assert!(!environment.replace("AWS_XRAY_URL", "x"));
    environment.set("PORT", "4567");
    let mut shell = shell();
    shell.insert(String::from("LEAK"), String::from("shell"));
    let mut launch = Launch::new("env", folder.path(), environment, &shell, url(free_port()?)?);
    launch.inherited.retain(|name, _| name == "PATH" || name.starts_with("AWS"));
    let instance = Instance::start(launch).await?;
    assert_eq!(instance.wait_exit().await.and_then(|exit| exit.code), Some(0));
    line(&instance, |line| line == "b").await?;
    let _ = instance.ready(PATIENCE).await;
    let mut lines = instance.lines();
    lines.retain(|line| !line.starts_with("PATH="));
    lines.sort();
    assert_eq!(
        lines,
        [
            "AWS_CONFIG_FILE=/dev/null",
            "AWS_SHARED_CREDENTIALS_FILE=/dev/null",
            "ENDPOINT=http://127.0.0.1:4318",
            "HEADERS=x-honeycomb-team=k",
            "OTEL_SERVICE_NAME=backend",
            "PORT=4567",
            "TWO_LINES=a",
            "b"
        ]
    );
    Ok(())
}

#[tokio::test]
async fn floods_and_broken_text_are_bounded() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let text = "i=0; while [ $i -lt 300 ]; do echo 'twenty\nlines\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n.'; i=$((i+1)); done; head -c 3000000 /dev/zero | tr '\\0' x; printf '\\ncaf\\351\\n'";
    let instance = Instance::start(script(folder.path(), text)?).await?;
    assert_eq!(instance.wait_exit().await.and_then(|exit| exit.code), Some(0));
    line(&instance, |line| line == "caf\u{fffd}").await?;
    let lines = instance.lines();
    assert_eq!(lines.len(), 5_000);
    assert_eq!(instance.output().dropped(), 300 * 20 + 2 - 5_000);
    assert!(lines.iter().all(|line| line.len() < 5_000));
    assert!(lines[4_998].ends_with("(line cut)"));
    Ok(())
}

#[tokio::test]
async fn a_program_that_is_not_there_is_named() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let mut launch = script(folder.path(), "")?;
    launch.program = "./no-such-service".into();
    let error = Instance::start(launch).await.err().ok_or("it started")?;
    assert!(error.to_string().starts_with("cannot start `./no-such-service`: "), "{error}");
    assert!(error.remedy().contains("service.run"));
    Ok(())
}

#[tokio::test]
async fn a_package_is_built_and_its_program_found() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    std::fs::create_dir(folder.path().join("src"))?;
    std::fs::write(folder.path().join("Cargo.toml"), "[package]\nname = \"tiny\"\nedition = \"2021\"\n[workspace]\n")?;
    let source = folder.path().join("src/main.rs");
    std::fs::write(&source, "fn main() { println!(\"up\"); }\n")?;
    let build = Build::cargo(folder.path(), Profile::Dev).into_dir(folder.path().join("out"));
    let mut seen = Vec::new();
    let made = build.run(&shell(), &mut |line| seen.push(line.to_owned())).await?;
    let program = made.executable.ok_or("no program")?;
    assert!(program.starts_with(folder.path().join("out")) && program.is_file(), "{}", program.display());
    assert!(seen.iter().any(|line| line.contains("Compiling tiny")), "{seen:?}");

    std::fs::write(&source, "fn main() { let x: u8 = \"up\"; }\n")?;
    let error = build.clone().coloured(true).run(&shell(), &mut |_| ()).await.err().ok_or("it built")?;
    let shown = error.output().join("\n");
    assert!(shown.contains("\u{1b}[") && shown.contains("src/main.rs"), "{shown}");
    let error = build.run(&shell(), &mut |_| ()).await.err().ok_or("it built")?;
    let shown = error.output().join("\n");
    assert!(shown.contains("error[E0308]: mismatched types") && shown.contains(" --> src/main.rs:1:25"), "{shown}");
    assert!(error.to_string().contains("`cargo build` ended with exit code 101"), "{error}");
    Ok(())
}

#[tokio::test]
async fn other_builds_are_run_shown_and_given_up() -> Result<(), Failure> {
    let folder = tempfile::tempdir()?;
    let words = |text: &str| vec![String::from("sh"), String::from("-c"), text.to_owned()];
    let mut seen = Vec::new();
    let built = Build::new(folder.path(), words("echo one; echo done > made"))
        .run(&shell(), &mut |line| seen.push(line.to_owned()))
        .await?;
    assert_eq!((seen, built.executable), (vec![String::from("one")], None));
    assert!(folder.path().join("made").is_file());

    let slow = Build::new(folder.path(), words("sleep 1000 & echo $!; wait")).within(Duration::from_millis(400));
    let mut child = String::new();
    let error = slow.run(&shell(), &mut |line| child = line.to_owned()).await.err().ok_or("it ended")?;
    assert!(matches!(error, BuildError::Late { .. }), "{error:?}");
    assert!(child.is_empty() || !lives(&child), "{child}");

    let error =
        Build::new(folder.path(), vec![String::from("no-such-tool")]).run(&shell(), &mut |_| ()).await.err().ok_or("it ran")?;
    assert!(error.to_string().starts_with("cannot run `no-such-tool`"), "{error}");
    Ok(())
}
