//! The Docker engine, through its API: what runs, what it publishes, and the last words of what stopped.

mod host;
mod read;
#[cfg(test)]
mod tests;

use std::time::Duration;

use bollard::errors::Error as DockerError;
use bollard::models::ContainerSummary;
use bollard::query_parameters::{ListContainersOptionsBuilder, LogsOptionsBuilder};
use bollard::{API_DEFAULT_VERSION, Docker};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use super::transport::Failure;
use super::{DEADLINE, trouble};
use crate::facts::{Container, Trouble};

pub use host::Host;

/// How many containers are looked into, the running ones and those of a compose project first.
const MOST_CONTAINERS: usize = 64;
/// Of how many stopped containers the last lines are read.
const MOST_LAST_WORDS: usize = 8;
/// How many lines.
const LAST_LINES: usize = 20;
/// How many requests are under way at once.
const AT_ONCE: usize = 6;

/// Whether there is an engine. That there is none is no trouble: container checks are skipped then.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Engine {
    /// It answers.
    Present,
    /// None does, and the reason as one would say it.
    Absent(String),
}

/// A client for the engine of this machine, or the one that `DOCKER_HOST` names.
#[derive(Debug)]
pub struct Client {
    host: Host,
    deadline: Duration,
    docker: OnceCell<Docker>,
}

/// Why there is no connection.
enum Unreached {
    Absent(String),
    Trouble(Trouble),
}

impl Unreached {
    /// For a question to an engine that was there when the question was planned.
    fn into_trouble(self) -> Trouble {
        match self {
            Self::Absent(reason) => trouble::passing(reason, "start Docker"),
            Self::Trouble(trouble) => trouble,
        }
    }
}

impl Client {
    /// A client for an engine. Nothing is sent yet.
    #[must_use]
    pub fn new(host: Host) -> Self {
        Self { host, deadline: DEADLINE, docker: OnceCell::new() }
    }

    /// The same client with another deadline for each request.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self
    }

    /// The least time between two rounds.
    #[must_use]
    pub fn min_interval(&self) -> Duration {
        Duration::from_millis(200)
    }

    /// Whether an engine answers.
    ///
    /// # Errors
    /// When there is one that we may not or cannot ask.
    pub async fn engine(&self) -> Result<Engine, Trouble> {
        match self.connect().await {
            Ok(_) => Ok(Engine::Present),
            Err(Unreached::Absent(reason)) => Ok(Engine::Absent(reason)),
            Err(Unreached::Trouble(trouble)) => Err(trouble),
        }
    }

    /// The engine's version, where it says one.
    ///
    /// # Errors
    /// When it cannot be asked.
    pub async fn version(&self) -> Result<Option<String>, Trouble> {
        let docker = self.connect().await.map_err(Unreached::into_trouble)?;
        let version = self.within(docker.version()).await.map_err(|failed| self.trouble(failed))?;
        Ok(version.version)
    }

    /// Looks once at all containers, the stopped ones too.
    ///
    /// # Errors
    /// When we could not look; an absent engine is an error here, since it was there when the checks were planned.
    pub async fn observe(&self) -> Result<Vec<Container>, Trouble> {
        let docker = self.connect().await.map_err(Unreached::into_trouble)?;
        let options = ListContainersOptionsBuilder::default().all(true).build();
        let mut listed = self.within(docker.list_containers(Some(options))).await.map_err(|failed| self.trouble(failed))?;
        listed.sort_by_key(|summary| {
            let running = summary.state.as_ref().is_some_and(|state| state.to_string() == "running");
            (!running, !read::is_composed(summary), std::cmp::Reverse(summary.created))
        });
        listed.truncate(MOST_CONTAINERS);
        let mut stopped = 0;
        let looks: Vec<(ContainerSummary, bool)> = listed
            .into_iter()
            .map(|summary| {
                let last_words = read::has_stopped(&summary) && stopped < MOST_LAST_WORDS;
                stopped += usize::from(last_words);
                (summary, last_words)
            })
            .collect();
        let containers: Vec<Option<Container>> = stream::iter(looks)
            .map(|(summary, last_words)| self.look(docker, summary, last_words))
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        Ok(containers.into_iter().flatten().collect())
    }

    /// One container; `None` when it has been removed since it was listed.
    async fn look(&self, docker: &Docker, summary: ContainerSummary, last_words: bool) -> Result<Option<Container>, Trouble> {
        let Some(id) = summary.id.clone() else { return Ok(None) };
        let inspected = match self.within(docker.inspect_container(&id, None)).await {
            Ok(inspected) => inspected,
            Err(Failed::Docker(DockerError::DockerResponseServerError { status_code: 404 | 409, .. })) => return Ok(None),
            Err(failed) => return Err(self.trouble(failed)),
        };
        let lines = if last_words { self.last_lines(docker, &id).await } else { Vec::new() };
        Ok(Some(read::container(&summary, &inspected, lines)))
    }

    /// The last lines, as far as they can be had: some log drivers keep none.
    async fn last_lines(&self, docker: &Docker, id: &str) -> Vec<String> {
        let options = LogsOptionsBuilder::default().stdout(true).stderr(true).tail(&LAST_LINES.to_string()).build();
        let read = async {
            let mut text = Vec::new();
            let mut log = std::pin::pin!(docker.logs(id, Some(options)));
            while let Some(Ok(piece)) = log.next().await {
                text.extend_from_slice(&piece.into_bytes());
                if text.len() > read::LONGEST_LOG {
                    break;
                }
            }
            text
        };
        let text = tokio::time::timeout(self.deadline, read).await.unwrap_or_default();
        read::lines(&text, LAST_LINES)
    }

    async fn connect(&self) -> Result<&Docker, Unreached> {
        self.docker.get_or_try_init(|| self.negotiate()).await
    }

    /// Connects, and settles on a version of the API that both know.
    async fn negotiate(&self) -> Result<Docker, Unreached> {
        let docker = self.open()?;
        self.within(docker.negotiate_version()).await.map_err(|failed| self.unreached(failed))
    }

    fn open(&self) -> Result<Docker, Unreached> {
        let address = self.host.address();
        let seconds = self.deadline.as_secs().max(1);
        let opened = match address.split_once("://") {
            #[cfg(unix)]
            Some(("unix", _)) => Docker::connect_with_unix(address, seconds, API_DEFAULT_VERSION),
            #[cfg(windows)]
            Some(("npipe", _)) => Docker::connect_with_named_pipe(address, seconds, API_DEFAULT_VERSION),
            Some(("tcp" | "http", _)) if !self.host.wants_tls() => {
                Docker::connect_with_http(address, seconds, API_DEFAULT_VERSION)
            }
            _ => {
                return Err(Unreached::Trouble(trouble::lasting(
                    format!("{} is not an address that this program can reach", self.host),
                    "set `DOCKER_HOST` to a socket (`unix:///var/run/docker.sock`) or to `tcp://host:port` without TLS; for an engine behind \
                     SSH or TLS, forward its socket (`ssh -L /tmp/docker.sock:/var/run/docker.sock host`)",
                )));
            }
        };
        opened.map_err(|error| self.unreached(Failed::Docker(error)))
    }

    async fn within<T>(&self, request: impl Future<Output = Result<T, DockerError>>) -> Result<T, Failed> {
        match tokio::time::timeout(self.deadline, request).await {
            Ok(answer) => answer.map_err(Failed::Docker),
            Err(_) => Err(Failed::Late),
        }
    }

    fn unreached(&self, failed: Failed) -> Unreached {
        match failed.failure() {
            Failure::Refused | Failure::Missing | Failure::Unresolved => {
                Unreached::Absent(format!("no Docker engine answers at {}", self.host))
            }
            _ => Unreached::Trouble(self.trouble(failed)),
        }
    }

    fn trouble(&self, failed: Failed) -> Trouble {
        let host = &self.host;
        match failed.failure() {
            Failure::Denied => trouble::lasting(
                format!("this user may not talk to the Docker engine at {host}"),
                "add yourself to the group that owns it (`sudo usermod -aG docker $USER`) and sign in again",
            ),
            Failure::Late => trouble::passing(
                format!("the Docker engine at {host} did not answer within {:?}", self.deadline),
                "restart Docker if it stays so",
            ),
            Failure::Refused | Failure::Missing | Failure::Unresolved => {
                trouble::passing(format!("no Docker engine answers at {host}"), "start Docker")
            }
            Failure::Broken => {
                trouble::passing(format!("the Docker engine at {host} broke off its answer"), "restart Docker if it stays so")
            }
            Failure::Tls(reason) | Failure::Other(reason) => match failed {
                Failed::Docker(DockerError::DockerResponseServerError { status_code, message }) => {
                    let cause =
                        format!("the Docker engine refused the request ({status_code}): {}", trouble::quote(&message, &[]));
                    if status_code >= 500 {
                        trouble::passing(cause, "see `docker info`; restart Docker if it stays so")
                    } else {
                        trouble::lasting(cause, "see whether `docker ps` works, and update Docker if it is years old")
                    }
                }
                Failed::Docker(DockerError::APIVersionParseError {}) => {
                    trouble::lasting(format!("what answers at {host} is no Docker engine"), "correct `DOCKER_HOST`, or unset it")
                }
                _ => trouble::lasting(
                    format!("the answer of the Docker engine at {host} cannot be read: {reason}"),
                    "see whether `docker ps` works; correct `DOCKER_HOST`, or unset it",
                ),
            },
        }
    }
}

/// Why a request had no answer.
enum Failed {
    Late,
    Docker(DockerError),
}

impl Failed {
    fn failure(&self) -> Failure {
        match self {
            Self::Late | Self::Docker(DockerError::RequestTimeoutError) => Failure::Late,
            Self::Docker(DockerError::SocketNotFoundError(_)) => Failure::Missing,
            // What the engine says about a request says nothing about the connection.
            Self::Docker(DockerError::DockerResponseServerError { message, .. }) => Failure::Other(message.clone()),
            // It passes for the error that it wraps, which `Failure::of` then cannot see.
            Self::Docker(DockerError::IOError { err }) => Failure::of(err),
            Self::Docker(error) => Failure::of(error),
        }
    }
}
