//@ file since reference
//! The service as a process of its own.

use std::{
    io::{BufRead, BufReader},
    process::{Child, Command, ExitStatus, Stdio},
    sync::{Arc, Mutex},
    thread,
    time::{Duration, Instant},
};

use reqwest::{Client, Response};
use tokio::time::sleep;

pub struct Service {
    child: Child,
    url: String,
    stdout: Arc<Mutex<Vec<String>>>,
}

/// What every request is sent with, so that all of it can be found again.
pub struct Probe {
    /// 32 hex digits, of which the first 8 are the time, as X-Ray wants.
    pub trace_id: String,
    pub parent: String,
}

impl Probe {
    pub fn new() -> Self {
        let now = chrono::Utc::now().timestamp();
        let random = uuid::Uuid::new_v4().simple().to_string();
        Self {
            trace_id: format!("{now:08x}{}", &random[8..]),
            parent: uuid::Uuid::new_v4().simple().to_string()[..16].to_owned(),
        }
    }

    /// The trace id as X-Ray writes it.
    pub fn root(&self) -> String {
        format!("1-{}-{}", &self.trace_id[..8], &self.trace_id[8..])
    }

    pub async fn get(&self, service: &Service, path: &str) -> Response {
        let Self { trace_id, parent } = self;
        let root = self.root();
        Client::new()
            .get(format!("{}{path}", service.url))
            .header("traceparent", format!("00-{trace_id}-{parent}-01"))
            .header(
                "x-amzn-trace-id",
                format!("Root={root};Parent={parent};Sampled=1"),
            )
            .header("authorization", "Bearer s3cret")
            .send()
            .await
            .unwrap()
    }
}

impl Service {
    /// Starts it with these variables and no others of the vendors, and waits until it listens.
    pub async fn start<K, V>(variables: impl IntoIterator<Item = (K, V)>) -> Self
    where
        K: AsRef<std::ffi::OsStr>,
        V: AsRef<std::ffi::OsStr>,
    {
        let mut child = command(variables)
            .stdout(Stdio::piped())
            .spawn()
            .expect("the service can be started");
        let stdout = Arc::new(Mutex::new(Vec::new()));
        let lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let printed = stdout.clone();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                printed.lock().unwrap().push(line);
            }
        });
        let mut service = Self {
            child,
            url: String::new(),
            stdout,
        };
        let line = service.printed("listening on http://").await;
        service.url.push_str(&line[line.find("http://").unwrap()..]);
        service
    }

    /// The first line with this text, once it is printed.
    pub async fn printed(&self, text: &str) -> String {
        for _ in 0..500 {
            if let Some(line) = self.stdout().into_iter().find(|line| line.contains(text)) {
                return line;
            }
            sleep(Duration::from_millis(10)).await;
        }
        panic!("`{text}` is not in {:#?}", self.stdout());
    }

    pub fn stdout(&self) -> Vec<String> {
        self.stdout.lock().unwrap().clone()
    }

    /// Sends SIGTERM, and says how the process ended and how long that took.
    pub async fn stop(&mut self) -> (ExitStatus, Duration) {
        let asked = Instant::now();
        let pid = self.child.id().to_string();
        let kill = Command::new("kill").args(["-TERM", &pid]).status().unwrap();
        assert!(kill.success());
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, asked.elapsed());
            }
            assert!(
                asked.elapsed() < Duration::from_secs(10),
                "it does not stop"
            );
            sleep(Duration::from_millis(10)).await;
        }
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The service in an environment without the tester's own variables.
pub fn command<K, V>(variables: impl IntoIterator<Item = (K, V)>) -> Command
where
    K: AsRef<std::ffi::OsStr>,
    V: AsRef<std::ffi::OsStr>,
{
    let mut command = Command::new(env!("CARGO_BIN_EXE_cruddur-backend"));
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOST", "127.0.0.1")
        .env("PORT", "0")
        .envs(variables);
    command
}
