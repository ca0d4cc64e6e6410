use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::process::Command;
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use url::Url;

use super::ServiceError;
use super::environment::{Environment, inherited};
use super::family::{Call, Family};
use super::output::{Cutter, LINE_BYTES, Output};
use super::readiness::{Door, Knock, Ready};
use crate::facts::Secret;

/// How many lines an error shows.
const LAST_LINES: usize = 40;

/// How long the rest of what an ended process printed may take to come in: a descendant may hold the pipe open.
const DRAIN: Duration = Duration::from_millis(200);

/// How often new descendants are looked for.
const LOOK: Duration = Duration::from_millis(100);

/// How long to wait before knocking again.
const PAUSE: Duration = Duration::from_millis(15);

/// How to start a service.
#[derive(Debug, Clone)]
pub struct Launch {
    /// The program: a path, relative to the folder where it has several parts, or a name to be found in `PATH`.
    pub program: PathBuf,
    /// Its arguments.
    pub args: Vec<String>,
    /// The folder it runs in.
    pub folder: PathBuf,
    /// The variables that it gets.
    pub environment: Environment,
    /// The few variables without which it would not run: see [`inherited`]. Those of `environment` win.
    pub inherited: BTreeMap<String, String>,
    /// Where it will answer.
    pub url: Url,
    /// The path that is asked to see whether it is up.
    pub health: String,
    /// What is masked in its output.
    pub masked: Vec<Secret>,
}

impl Launch {
    /// A launch without arguments, asked at `/api/health`, that inherits the few variables it needs from the shell's.
    #[must_use]
    pub fn new(
        program: impl Into<PathBuf>,
        folder: impl Into<PathBuf>,
        environment: Environment,
        shell: &BTreeMap<String, String>,
        url: Url,
    ) -> Self {
        Self {
            program: program.into(),
            args: Vec::new(),
            folder: folder.into(),
            environment,
            inherited: inherited(shell),
            url,
            health: String::from("/api/health"),
            masked: Vec::new(),
        }
    }

    /// All variables that the process will have.
    fn variables(&self) -> BTreeMap<&str, &str> {
        let mut variables: BTreeMap<&str, &str> =
            self.inherited.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        variables.extend(self.environment.iter());
        variables
    }

    fn command(&self) -> Command {
        let relative = self.program.is_relative() && self.program.components().count() > 1;
        let program = if relative { self.folder.join(&self.program) } else { self.program.clone() };
        let mut command = Command::new(program);
        command
            .args(&self.args)
            .current_dir(&self.folder)
            .env_clear()
            .envs(self.variables())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Exit {
    /// Its exit code, where it ended by itself.
    pub code: Option<i32>,
    /// The signal that ended it, where one did.
    pub signal: Option<i32>,
}

impl From<ExitStatus> for Exit {
    fn from(status: ExitStatus) -> Self {
        #[cfg(unix)]
        let signal = std::os::unix::process::ExitStatusExt::signal(&status);
        #[cfg(not(unix))]
        let signal = None;
        Self { code: status.code(), signal }
    }
}

impl fmt::Display for Exit {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.code, self.signal) {
            (Some(code), _) => write!(formatter, "exit code {code}"),
            (None, Some(signal)) => {
                write!(formatter, "signal {signal}")?;
                #[cfg(unix)]
                if let Ok(signal) = nix::sys::signal::Signal::try_from(signal) {
                    write!(formatter, " ({signal})")?;
                }
                Ok(())
            }
            (None, None) => formatter.write_str("for a reason that the system does not tell"),
        }
    }
}

/// How a stop went.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// It was not started here, so it was left alone.
    NotOurs,
    /// It had ended before it was asked to.
    AlreadyEnded,
    /// It ended when it was asked to.
    Asked,
    /// It was asked to end, did not within the grace, and was killed.
    Killed,
}

/// What became of a stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped {
    /// How it went.
    pub how: How,
    /// How the process ended.
    pub exit: Option<Exit>,
    /// How many descendants still lived then and were ended too.
    pub left_behind: usize,
    /// How long it took.
    pub took: Duration,
}

impl Stopped {
    /// Whether the service hung when it was asked to end.
    #[must_use]
    pub fn hung(&self) -> bool {
        self.how == How::Killed
    }
}

/// One running service. Dropped, it is ended at once with all its descendants; [`Instance::stop`] asks it first.
#[derive(Debug)]
pub struct Instance {
    url: Url,
    output: Output,
    process: Option<Process>,
}

#[derive(Debug)]
struct Process {
    family: Arc<Family>,
    door: Door,
    started: Instant,
    exit: watch::Receiver<Option<Exit>>,
    /// Closed once both streams have been read to their ends.
    drained: watch::Receiver<()>,
    kill: Arc<Notify>,
    ended: bool,
}

impl Instance {
    /// The grace that a service is usually given to end.
    pub const GRACE: Duration = Duration::from_secs(2);

    /// Starts a service with exactly the variables of its launch, in a process group of its own.
    ///
    /// Must be called within a tokio runtime.
    ///
    /// # Errors
    ///
    /// Where something already listens at its address, or the program cannot be started.
    pub async fn start(launch: Launch) -> Result<Self, ServiceError> {
        let door = Door::new(&launch.url, &launch.health)?;
        if door.is_open(Duration::from_millis(200)).await {
            return Err(ServiceError::PortTaken { url: launch.url.to_string() });
        }
        let mut command = CommandWrap::from(launch.command());
        command.wrap(KillOnDrop);
        #[cfg(unix)]
        command.wrap(process_wrap::tokio::ProcessGroup::leader());
        let started = Instant::now();
        let mut child =
            command.spawn().map_err(|source| ServiceError::Start { program: launch.program.display().to_string(), source })?;
        let family = Arc::new(Family::new(child.id().unwrap_or_default()));
        let output = Output::masking(&launch.masked);
        let (drain, drained) = watch::channel(());
        let (stdout, stderr) = (child.stdout().take(), child.stderr().take());
        #[cfg(target_os = "linux")]
        family.recognise(pipes(stdout.as_ref(), stderr.as_ref()), marks(&launch));
        if let Some(stream) = stdout {
            tokio::spawn(read(stream, output.clone(), drain.clone()));
        }
        if let Some(stream) = stderr {
            tokio::spawn(read(stream, output.clone(), drain));
        }
        let (exited, exit) = watch::channel(None);
        let kill = Arc::new(Notify::new());
        tokio::spawn(attend(child, Arc::clone(&family), exited, Arc::clone(&kill)));
        let process = Process { family, door, started, exit, drained, kill, ended: false };
        Ok(Self { url: launch.url, output, process: Some(process) })
    }

    /// A service that was not started here.
    pub(super) fn attached(url: Url) -> Self {
        Self { url, output: Output::default(), process: None }
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether it was found running rather than started: then nothing of its output is seen, and it is never stopped.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.process.is_none()
    }

    /// Its process id, where it was started here.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process.as_ref().map(|process| process.family.leader())
    }

    /// What it printed: the last lines, bounded.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.output.lines()
    }

    /// A handle to its output that outlives it.
    #[must_use]
    pub fn output(&self) -> Output {
        self.output.clone()
    }

    /// How it ended, if it has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.process.as_ref().and_then(|process| *process.exit.borrow())
    }

    /// Waits until it answers any HTTP at all.
    ///
    /// # Errors
    ///
    /// Where it ends before, answers something else, or does not answer within the deadline: each with its last lines.
    pub async fn ready(&self, deadline: Duration) -> Result<Ready, ServiceError> {
        let Some(process) = &self.process else { return Ok(Ready { after: Duration::ZERO, status: 200 }) };
        let mut exit = process.exit.clone();
        let mut silent = false;
        let polling = async {
            loop {
                match process.door.knock(Duration::from_secs(1)).await {
                    Knock::Closed => {}
                    Knock::Silent => silent = true,
                    answer @ (Knock::Answered(_) | Knock::Garbage(_)) => return answer,
                }
                sleep(PAUSE).await;
            }
        };
        // an exit outranks an answer: what answers while ours has ended is somebody else
        let answer = tokio::select! {
            biased;
            _ = exit.wait_for(Option::is_some) => None,
            answer = timeout(deadline, polling) => Some(answer),
        };
        let url = self.url.to_string();
        match answer {
            None => {
                process.drain().await;
                let exit = self.exit().unwrap_or(Exit { code: None, signal: None });
                Err(ServiceError::Crashed { url, exit, lines: self.output.last(LAST_LINES) })
            }
            Some(Ok(Knock::Answered(status))) => Ok(Ready { after: process.started.elapsed(), status }),
            Some(Ok(Knock::Garbage(sample))) => Err(ServiceError::Garbage { url, sample, lines: self.output.last(LAST_LINES) }),
            Some(_) => Err(ServiceError::NeverAnswered { url, deadline, silent, lines: self.output.last(LAST_LINES) }),
        }
    }

    /// Waits until it ends by itself. `None` where it was not started here, so that its end cannot be seen.
    pub async fn wait_exit(&self) -> Option<Exit> {
        let mut exit = self.process.as_ref()?.exit.clone();
        exit.wait_for(Option::is_some).await.ok().and_then(|exit| *exit)
    }

    /// Asks it to end, waits out the grace, then ends what is left of it and of all its descendants. A second stop does
    /// nothing. What it printed while it ended is in its output afterwards.
    pub async fn stop(&mut self, grace: Duration) -> Stopped {
        let asked = Instant::now();
        let Some(process) = &mut self.process else {
            return Stopped { how: How::NotOurs, exit: None, left_behind: 0, took: Duration::ZERO };
        };
        let mut exit = process.exit.clone();
        let how = if exit.borrow().is_some() {
            How::AlreadyEnded
        } else {
            process.family.look();
            process.family.call_group(Call::Terminate);
            match timeout(grace, exit.wait_for(Option::is_some)).await {
                Ok(_) => How::Asked,
                Err(_) => How::Killed,
            }
        };
        if how == How::Killed {
            process.kill.notify_one();
        }
        let family = Arc::clone(&process.family);
        let left_behind = tokio::task::spawn_blocking(move || family.end()).await.unwrap_or_default();
        let exit = timeout(Duration::from_secs(1), exit.wait_for(Option::is_some))
            .await
            .ok()
            .and_then(|ended| ended.ok().and_then(|exit| *exit));
        process.drain().await;
        process.ended = true;
        Stopped { how, exit, left_behind, took: asked.elapsed() }
    }
}

impl Process {
    /// Waits until all that was printed has been read, for a moment at the most.
    async fn drain(&self) {
        let mut drained = self.drained.clone();
        let _ = timeout(DRAIN, async { while drained.changed().await.is_ok() {} }).await;
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if !self.ended {
            self.kill.notify_one();
            self.family.end();
        }
    }
}

/// Waits for a process, fetches it when it ends, and looks for its descendants meanwhile.
async fn attend(mut child: Box<dyn ChildWrapper>, family: Arc<Family>, exited: watch::Sender<Option<Exit>>, kill: Arc<Notify>) {
    let mut looks = interval(LOOK);
    looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let status = loop {
        let killed = tokio::select! {
            status = child.wait() => break status,
            _ = looks.tick() => false,
            () = kill.notified() => true,
        };
        if killed {
            let _ = child.start_kill();
        } else {
            family.look();
        }
    };
    let exit = status.map_or(Exit { code: None, signal: None }, Exit::from);
    exited.send_replace(Some(exit));
}

/// Reads a stream to its end. Whoever waits for the end sees `_drain` dropped.
async fn read(mut stream: impl AsyncRead + Unpin, output: Output, _drain: watch::Sender<()>) {
    let mut room = vec![0; 16 * 1024];
    let mut cutter = Cutter::new(LINE_BYTES);
    let mut take = |line: &[u8], cut: bool| output.push(line, cut);
    while let Ok(count) = stream.read(&mut room).await {
        if count == 0 {
            break;
        }
        cutter.feed(&room[..count], &mut take);
    }
    cutter.end(&mut take);
}

/// What a holder of these pipes shows in `/proc`.
#[cfg(target_os = "linux")]
fn pipes(stdout: Option<&tokio::process::ChildStdout>, stderr: Option<&tokio::process::ChildStderr>) -> Vec<String> {
    use std::os::fd::AsRawFd;
    let ends = [stdout.map(AsRawFd::as_raw_fd), stderr.map(AsRawFd::as_raw_fd)];
    ends.into_iter()
        .flatten()
        .filter_map(|end| std::fs::read_link(format!("/proc/self/fd/{end}")).ok()?.into_os_string().into_string().ok())
        .filter(|target| target.starts_with("pipe:"))
        .collect()
}

/// The pairs by which a descendant is known that has left everything else behind. They tell it from a stranger only where a
/// port of its own is among them.
#[cfg(target_os = "linux")]
fn marks(launch: &Launch) -> Vec<Vec<u8>> {
    if launch.environment.get("PORT").is_none() {
        return Vec::new();
    }
    launch.variables().iter().map(|(name, value)| format!("{name}={value}").into_bytes()).collect()
}
