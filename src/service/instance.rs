use std::sync::Arc;
use std::time::{Duration, Instant};

use process_wrap::tokio::{ChildWrapper, CommandWrap, KillOnDrop};
use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::sync::{Notify, watch};
use tokio::time::{MissedTickBehavior, interval, sleep, timeout};
use url::Url;

use super::ServiceError;
use super::family::{Call, Family};
use super::launch::{Exit, Launch};
use super::output::{Cutter, LINE_BYTES, Output};
use super::readiness::{Door, Knock, Ready};
use super::stray::Named;

/// How many lines an error shows.
const LAST_LINES: usize = 40;

/// How long the rest of what an ended process printed may take to come in: a descendant may hold the pipe open.
const DRAIN: Duration = Duration::from_millis(200);

/// How often new descendants are looked for.
const LOOK: Duration = Duration::from_millis(100);

/// How long to wait before knocking again.
const PAUSE: Duration = Duration::from_millis(15);

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
    holding: Holding,
}

#[derive(Debug)]
enum Holding {
    /// It was started here.
    Process(Box<Process>),
    /// It was found running, and answered with this status.
    Found(u16),
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
    named: Option<Named>,
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
        if !launch.folder.is_dir() {
            // else the system says of the program that there is none
            let source = std::io::Error::new(
                std::io::ErrorKind::NotADirectory,
                format!("there is no folder `{}`", launch.folder.display()),
            );
            return Err(ServiceError::Start { program: launch.program.display().to_string(), source });
        }
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
        let named = if launch.is_named { Named::leave(&launch.folder, family.leader()) } else { None };
        let output = Output::masking(&launch.masked);
        let (drain, drained) = watch::channel(());
        let (stdout, stderr) = (child.stdout().take(), child.stderr().take());
        #[cfg(target_os = "linux")]
        family.recognise(pipes(stdout.as_ref(), stderr.as_ref()), launch.marks());
        if let Some(stream) = stdout {
            tokio::spawn(read(stream, output.clone(), drain.clone()));
        }
        if let Some(stream) = stderr {
            tokio::spawn(read(stream, output.clone(), drain));
        }
        let (exited, exit) = watch::channel(None);
        let kill = Arc::new(Notify::new());
        tokio::spawn(attend(child, Arc::clone(&family), exited, Arc::clone(&kill)));
        let process = Process { family, door, started, exit, drained, kill, ended: false, named };
        Ok(Self { url: launch.url, output, holding: Holding::Process(Box::new(process)) })
    }

    /// A service that was not started here.
    pub(super) fn attached(url: Url, status: u16) -> Self {
        Self { url, output: Output::default(), holding: Holding::Found(status) }
    }

    fn process(&self) -> Option<&Process> {
        match &self.holding {
            Holding::Process(process) => Some(process),
            Holding::Found(_) => None,
        }
    }

    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// Whether it was found running rather than started: then nothing of its output is seen, and it is never stopped.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        matches!(self.holding, Holding::Found(_))
    }

    /// Its process id, where it was started here.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.process().map(|process| process.family.leader())
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
        self.process().and_then(|process| *process.exit.borrow())
    }

    /// Waits until it answers any HTTP at all.
    ///
    /// # Errors
    ///
    /// Where it ends before, answers something else, or does not answer within the deadline: each with its last lines.
    pub async fn ready(&self, deadline: Duration) -> Result<Ready, ServiceError> {
        let process = match &self.holding {
            Holding::Process(process) => process,
            Holding::Found(status) => return Ok(Ready { after: Duration::ZERO, status: *status }),
        };
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
        let mut exit = self.process()?.exit.clone();
        exit.wait_for(Option::is_some).await.ok().and_then(|exit| *exit)
    }

    /// Asks it to end, waits out the grace, then ends what is left of it and of all its descendants. A second stop does
    /// nothing. What it printed while it ended is in its output afterwards.
    pub async fn stop(&mut self, grace: Duration) -> Stopped {
        let asked = Instant::now();
        let Holding::Process(process) = &mut self.holding else {
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
        process.named = None;
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
