//! A service that goes on standing between runs, as the guide has it: kept, replaced, crashed, broken off, and gone in the end.

use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use bootcamp::course::{Course, Selection, Source};
use bootcamp::lab::Lab;
use bootcamp::sandbox::{Ports, Sandbox, Settings};
use bootcamp::service::{Environment, Manifest, Variables};
use bootcamp::vendor::docker;
use bootcamp::verify::{Closing, Event, Pace, Plan, Renewal, Stage, Standing, Subject, run_on};
use nix::sys::signal::Signal;
use tokio_util::sync::CancellationToken;

use crate::support::{Bootcamp, has, lives, signal, wait_until, wire};
use crate::tiny;

/// However slow the machine is: nothing that is waited for takes as long.
const PATIENCE: Duration = Duration::from_secs(30);

/// A run that is broken off returns at once; the bound leaves room for a busy machine and is far below what it would wait for.
const AT_ONCE: Duration = Duration::from_secs(1);

/// The tiny workspace, and one guide's worth of runs in it.
struct Guided {
    call: Bootcamp,
    lab: Lab,
    course: Course,
    subject: Subject,
    standing: Standing,
    processes: PathBuf,
}

/// What a run told.
#[derive(Default)]
struct Told {
    notices: Vec<String>,
    /// The checks that passed, and those that did not.
    passed: Vec<String>,
    others: Vec<String>,
    stages: Vec<Stage>,
    /// The instances that were started, and those that answered.
    started: Vec<String>,
    ready: Vec<String>,
    failed: Option<String>,
}

impl Guided {
    async fn new(call: Bootcamp) -> Self {
        let processes = call.root().join("processes");
        std::fs::create_dir_all(&processes).unwrap();
        let call = call.env("PROCESSES", processes.display().to_string());
        let sandbox = Sandbox::bind(Settings { ports: Ports::free(), ..Settings::default() }).await.unwrap();
        let lab = Lab::own(sandbox, docker::Client::new(docker::Host::at("unix:///nowhere/docker.sock")));
        let course = Course::load(&Source::Folder(call.workspace()), "tiny").unwrap();
        let subject = subject(&call);
        Self { call, lab, course, subject, standing: Standing::default(), processes }
    }

    async fn run(&mut self, renewal: Renewal, path: &str) -> (Closing, Told) {
        self.run_watched(renewal, path, &CancellationToken::new(), |_| ()).await
    }

    async fn run_watched(
        &mut self,
        renewal: Renewal,
        path: &str,
        stop: &CancellationToken,
        watch: impl Fn(&Event) + Send + Sync,
    ) -> (Closing, Told) {
        let plan = match path {
            "" => Plan::default(),
            path => Plan::new(&self.course, &self.course.select(&Selection::parse(path, None).unwrap()).unwrap()),
        };
        let told = Mutex::new(Told::default());
        let sink = |event: Event| {
            watch(&event);
            told.lock().unwrap().absorb(event);
        };
        let pace = Pace::guided(Duration::from_secs(1));
        let run = spawnable(run_on(&mut self.standing, renewal, &plan, &self.subject, &self.lab, pace, stop, &sink));
        let closing = tokio::time::timeout(PATIENCE, run).await.unwrap();
        (closing, told.into_inner().unwrap())
    }

    /// All processes of the service that ever were.
    fn processes(&self) -> Vec<u32> {
        let names = std::fs::read_dir(&self.processes).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.filter_map(|name| name.parse().ok()).collect()
    }

    fn alive(&self) -> Vec<u32> {
        self.processes().into_iter().filter(|id| lives(*id)).collect()
    }

    fn answers(&self) -> bool {
        let url = format!("{}/up", self.standing.url().unwrap().trim_end_matches('/'));
        wire::send("GET", &url, &[], "").is_ok_and(|answer| answer.status == 200)
    }

    async fn end(mut self) {
        self.standing.stop(&|_| ()).await;
        assert_eq!(self.alive(), Vec::<u32>::new(), "nothing is left");
        self.lab.stop().await;
    }
}

/// Whoever holds a standing service may run it in a task of its own.
fn spawnable<F: Future + Send>(run: F) -> F {
    run
}

fn subject(call: &Bootcamp) -> Subject {
    let manifest = Manifest::load(&call.workspace().join(Manifest::FILE)).unwrap();
    let shell = call.variables().clone();
    let variables = Variables::load(&manifest.compose_folder(), shell.clone()).unwrap();
    Subject {
        manifest,
        variables,
        shell,
        any_port: false,
        target_dir: None,
        program: None,
        colour: false,
        containers_optional: None,
        acts: false,
    }
}

impl Told {
    fn absorb(&mut self, event: Event) {
        match event {
            Event::Notice(notice) => self.notices.push(notice),
            Event::Stage(stage) => self.stages.push(stage),
            Event::ServiceStarted { instance, .. } => self.started.push(instance),
            Event::ServiceReady { instance, .. } => self.ready.push(instance),
            Event::ServiceFailed { cause, .. } => self.failed = Some(cause),
            Event::Judged(judgement) if judgement.outcome.status() == "passed" => self.passed.push(judgement.check),
            Event::Judged(judgement) => self.others.push(judgement.check),
            _ => {}
        }
    }
}

/// The trace of a run's request for the things.
fn trace(closing: &Closing) -> String {
    closing.evidence.probes["things"].trace_id.w3c()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_survives_a_run_is_kept_and_is_replaced() {
    let mut guided = Guided::new(tiny::workspace().env("BREAK", "child")).await;
    assert!(guided.standing.url().is_none() && guided.standing.output().is_none() && guided.standing.id().is_none());

    let (first, told) = guided.run(Renewal::Keep, "tiny/vendors/the-answer").await;
    assert_eq!((told.passed.len(), told.others.len()), (2, 0), "where none stands, one is started: {:?}", told.others);
    assert_eq!((told.started, told.ready), (vec!["default".to_owned()], vec!["default".to_owned()]));
    assert!(!told.stages.contains(&Stage::Stopping), "nothing was ended");
    let id = guided.standing.id().unwrap();
    assert!(lives(id) && guided.answers() && guided.standing.exit().is_none() && !guided.standing.is_attached());

    let (second, told) = guided.run(Renewal::Keep, "tiny/vendors/the-answer").await;
    assert_eq!((told.passed.len(), told.started.len(), told.ready.len()), (2, 0, 1));
    assert!(!told.stages.contains(&Stage::Building) && !told.stages.contains(&Stage::Starting), "{:?}", told.stages);
    assert_eq!(guided.standing.id(), Some(id));
    // What the first run left in the output is there to be seen, and is no evidence of the second.
    let (before, now) = (trace(&first), trace(&second));
    let prints = |lines: &[String], trace: &str| lines.iter().any(|line| line.contains(trace));
    let shown = guided.standing.output().unwrap().lines();
    assert!(prints(&shown, &before) && prints(&shown, &now), "{shown:?}");
    let evidence = &second.evidence.output["default"];
    assert!(prints(evidence, &now) && !prints(evidence, &before), "{evidence:?}");

    let (_, told) = guided.run(Renewal::Rebuild, "tiny/vendors/the-answer").await;
    assert_eq!((told.passed.len(), told.started.len()), (2, 1));
    let renewed = guided.standing.id().unwrap();
    assert!(renewed != id && lives(renewed) && !lives(id) && guided.answers());
    assert_eq!(guided.alive().len(), 2, "it and its child");
    guided.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_instances_end_with_the_run() {
    let mut guided = Guided::new(tiny::workspace()).await;
    for renewal in [Renewal::Rebuild, Renewal::Keep] {
        let (_, told) = guided.run(renewal, "tiny/vendors/lines").await;
        assert_eq!(told.others, Vec::<String>::new());
        assert!(told.started.contains(&String::from("QUIET=on")), "{:?}", told.started);
        assert!(told.stages.contains(&Stage::Stopping));
        assert_eq!(guided.alive(), [guided.standing.id().unwrap()]);
    }
    assert_eq!(guided.processes().len(), 3, "the second run started the other instance alone");
    guided.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_old_process_ends_while_the_new_one_is_built() {
    let mut guided = Guided::new(tiny::workspace()).await;
    // The build is done once the old process is gone: after each other, they would wait for good.
    let wait = "cd \"$PROCESSES\"; for old in $(ls); do while [ -d /proc/$old ]; do sleep 0.02; done; done";
    let build = format!("[service]\nbuild = [\"sh\", \"-c\", '{wait}']\n");
    guided.call = guided.call.edit("bootcamp.toml", "[service]\n", &build);
    guided.subject = subject(&guided.call);
    guided.run(Renewal::Rebuild, "tiny/vendors/the-answer").await;
    let id = guided.standing.id().unwrap();
    let (_, told) = guided.run(Renewal::Rebuild, "tiny/vendors/the-answer").await;
    assert_eq!((told.passed.len(), told.failed), (2, None));
    assert!(!lives(id) && guided.answers());
    guided.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_probes_it_is_started_and_what_needs_none_does_not_wait() {
    let mut guided = Guided::new(tiny::workspace()).await;
    // The build goes on until a check is settled.
    let wait = "cd \"$PROCESSES\"; until [ -e go ]; do sleep 0.02; done";
    let build = format!("[service]\nbuild = [\"sh\", \"-c\", '{wait}']\n");
    guided.call = guided.call.edit("bootcamp.toml", "[service]\n", &build);
    guided.subject = subject(&guided.call);
    let go = guided.processes.join("go");
    let watch = |event: &Event| {
        if matches!(event, Event::Judged(_)) {
            std::fs::write(&go, "").unwrap();
        }
    };
    let (_, told) = guided.run_watched(Renewal::Rebuild, "tiny/folder", &CancellationToken::new(), watch).await;
    assert_eq!((told.others, told.ready.len()), (Vec::new(), 1));
    assert!(guided.answers() && !told.stages.contains(&Stage::Probing));
    // Nor does it take any check.
    let id = guided.standing.id();
    let (_, told) = guided.run(Renewal::Rebuild, "").await;
    assert_eq!(told.ready.len(), 1);
    assert!(guided.answers() && guided.standing.id() != id);
    guided.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crash_is_noticed() {
    let mut guided = Guided::new(tiny::workspace().env("BREAK", "die")).await;
    let (_, told) = guided.run(Renewal::Rebuild, "tiny/vendors/items").await;
    has(
        &told.notices.join("\n"),
        &["the service (default) ended by itself with exit code 8 while it was verified", "the heap is gone"],
    );
    let exit = guided.standing.exit().unwrap();
    assert_eq!(exit.code, Some(8));
    assert_eq!(tokio::time::timeout(PATIENCE, guided.standing.ended()).await.unwrap(), Some(exit));
    has(&guided.standing.output().unwrap().lines().join("\n"), &["the heap is gone"]);

    // It was told once; another takes its place, though nothing was saved.
    let (_, told) = guided.run(Renewal::Keep, "tiny/vendors/the-answer").await;
    assert_eq!((told.notices, told.passed.len(), told.started.len()), (Vec::new(), 2, 1));

    // Between two runs.
    let id = guided.standing.id().unwrap();
    signal(id, Signal::SIGKILL);
    let exit = tokio::time::timeout(PATIENCE, guided.standing.ended()).await.unwrap().unwrap();
    assert_eq!(exit.signal, Some(9));
    let (_, told) = guided.run(Renewal::Keep, "tiny/vendors/the-answer").await;
    has(&told.notices.join("\n"), &["the service (default) ended by itself with signal 9", "since it was verified"]);
    assert_eq!((told.passed.len(), told.started.len()), (2, 1));
    assert!(guided.standing.id() != Some(id) && guided.answers());
    guided.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_does_not_build_is_told_and_the_next_does() {
    let mut guided = Guided::new(tiny::workspace()).await;
    guided.run(Renewal::Rebuild, "tiny/vendors/the-answer").await;
    guided.call = guided.call.edit("bootcamp.toml", "[service]\n", "[service]\nbuild = [\"false\"]\n");
    guided.subject = subject(&guided.call);
    let (closing, told) = guided.run(Renewal::Rebuild, "tiny/vendors/the-answer").await;
    has(&told.failed.unwrap(), &["the service does not build"]);
    assert!(closing.evidence.service_trouble.is_some() && told.passed.is_empty());
    assert!(guided.standing.url().is_none() && guided.alive().is_empty());
    guided.call = guided.call.edit("bootcamp.toml", "\"false\"", "\"true\"");
    guided.subject = subject(&guided.call);
    let (_, told) = guided.run(Renewal::Rebuild, "tiny/vendors/the-answer").await;
    assert_eq!(told.passed.len(), 2);
    guided.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_build_that_is_broken_off_ends_with_all_its_processes() {
    let call = tiny::workspace();
    let port = tiny::port(&call);
    // Cargo waits for a script that waits for a child.
    let script = r#"fn main() {
    let folder = std::env::var("PROCESSES").unwrap();
    let mut child = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    for id in [std::process::id(), child.id()] {
        std::fs::write(format!("{folder}/{id}"), "").unwrap();
    }
    child.wait().unwrap();
}
"#;
    let call = call
        .toolchain()
        .write(
            "bootcamp.toml",
            format!("course = \"tiny\"\n[service]\nurl = \"http://127.0.0.1:{port}\"\nname = \"app\"\nhealth = \"/up\"\n"),
        )
        .write("Cargo.toml", "[package]\nname = \"learner\"\nversion = \"0.1.0\"\nedition = \"2021\"\n\n[workspace]\n")
        .write("build.rs", script)
        .write("src/main.rs", "fn main() {}\n");
    let mut guided = Guided::new(call).await;
    guided.subject = subject(&guided.call);
    let (stop, processes) = (CancellationToken::new(), guided.processes.clone());
    let breaking_off = {
        let stop = stop.clone();
        std::thread::spawn(move || {
            wait_until("the build's processes", || std::fs::read_dir(&processes).unwrap().count() == 2);
            let begun = Instant::now();
            stop.cancel();
            begun
        })
    };
    let (closing, told) = guided.run_watched(Renewal::Rebuild, "tiny/vendors/the-answer", &stop, |_| ()).await;
    let took = breaking_off.join().unwrap().elapsed();
    assert!(closing.interrupted && told.passed.is_empty() && told.failed.is_none());
    assert!(took < AT_ONCE, "{took:?}");
    assert_eq!((guided.processes().len(), guided.alive()), (2, Vec::new()));
    // Cargo, too, lets go of what it had locked, as soon as the last of its threads is gone.
    let lock = std::fs::File::open(guided.call.workspace().join("target/debug/.cargo-lock")).unwrap();
    wait_until("cargo's end", || lock.try_lock().is_ok());
    guided.end().await;
}

/// Breaks a run off at the moment that is told, and says how long it took to return.
async fn broken_off(guided: &mut Guided, path: &str, at: Stage) -> Duration {
    let (stop, begun) = (CancellationToken::new(), Mutex::new(None));
    let watch = |event: &Event| {
        if matches!(event, Event::Stage(stage) if *stage == at) {
            *begun.lock().unwrap() = Some(Instant::now());
            // Not within the event itself: what comes after it has begun to wait by then.
            let stop = stop.clone();
            tokio::spawn(async move { stop.cancel() });
        }
    };
    let (closing, _) = guided.run_watched(Renewal::Keep, path, &stop, watch).await;
    assert!(closing.interrupted);
    let begun = begun.lock().unwrap().unwrap();
    begun.elapsed()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_is_broken_off_returns_at_once_and_leaves_it_standing() {
    let mut guided = Guided::new(tiny::workspace().env("BREAK", "stall,no-item,child")).await;
    guided.run(Renewal::Rebuild, "").await;
    let id = guided.standing.id();
    for (path, stage) in [
        // The answer never comes, and another instance runs beside it.
        ("tiny/vendors/lines", Stage::Probing),
        // The item never comes.
        ("tiny/vendors/items", Stage::Collecting),
        // The other instance has only just been started.
        ("tiny/vendors/lines", Stage::Starting),
    ] {
        let took = broken_off(&mut guided, path, stage).await;
        assert!(took < AT_ONCE, "{stage:?}: {took:?}");
        assert_eq!((guided.standing.id(), guided.alive().len()), (id, 2), "{stage:?}: it and its child");
        assert!(guided.answers());
    }
    guided.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn dropped_it_is_ended() {
    let mut guided = Guided::new(tiny::workspace().env("BREAK", "child")).await;
    guided.run(Renewal::Rebuild, "").await;
    assert_eq!(guided.alive().len(), 2);
    guided.standing = Standing::default();
    assert_eq!(guided.alive(), Vec::<u32>::new());
    guided.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_that_runs_already_is_left_alone() {
    let call = tiny::workspace();
    let (port, own) = (tiny::port(&call), tiny::workspace());
    // One guide's service is the other's found one.
    let manifest = std::fs::read_to_string(call.workspace().join("bootcamp.toml")).unwrap();
    let mut other = Guided::new(own.write("bootcamp.toml", manifest)).await;
    other.run(Renewal::Rebuild, "").await;

    let mut guided = Guided::new(call).await;
    for renewal in [Renewal::Rebuild, Renewal::Keep, Renewal::Rebuild] {
        let (_, told) = guided.run(renewal, "tiny/vendors/the-answer").await;
        has(&told.notices.join("\n"), &["already: it is used as it is"]);
        assert_eq!((told.passed, told.started), (vec![String::from("answer")], Vec::new()));
        assert!(guided.standing.is_attached() && guided.standing.output().is_none() && guided.standing.id().is_none());
        assert_eq!(guided.standing.url().unwrap(), format!("http://127.0.0.1:{port}/"));
    }
    guided.standing.stop(&|_| ()).await;
    assert!(guided.standing.url().is_none() && other.answers(), "it was not ours to end");

    // When it is gone, the service is ours to start.
    guided.run(Renewal::Rebuild, "").await;
    other.end().await;
    let (_, told) = guided.run(Renewal::Keep, "tiny/vendors/the-answer").await;
    assert_eq!((told.passed.len(), told.started.len()), (2, 1));
    assert!(!guided.standing.is_attached());
    guided.end().await;
}

#[test]
fn the_batching_is_what_compose_gives() {
    let mut environment = Environment::default();
    environment.set("OTEL_BSP_SCHEDULE_DELAY", "300");
    assert_eq!(Pace::guided(Pace::batching(&environment)).deadline, Duration::from_millis(1300));
}
