//@ file since rollbar/a-message
//@ since rollbar/an-error
//~ //! Rollbar: messages.
//! Rollbar: errors with their stacks, and messages.
//@ end
//!
//! Rollbar has no maintained crate for Rust, but one small HTTP request is all that it takes. Items
//! go through a bounded queue to a task of their own: a request never waits for Rollbar, and when
//! Rollbar is away the oldest news is kept and the rest dropped.

mod item;
mod panics; //@ since rollbar/an-error
mod stack; //@ since rollbar/an-error

use std::time::Duration;

use serde_json::{Value, json};
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};
use tracing::warn;

use item::{Body, Item};
pub use item::{Level, RequestInfo};
pub use panics::report_panics; //@ since rollbar/an-error

use crate::{
    config::var,
    telemetry::{Warnings, causes},
};

const QUEUE: usize = 64;
const TIMEOUT: Duration = Duration::from_secs(3);

/// Reports to Rollbar, or to nobody when there is no token. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Rollbar {
    queue: Option<mpsc::Sender<Item>>,
}

/// Sends what is in the queue when it is shut down.
pub struct Guard {
    stop: oneshot::Sender<()>,
    worker: JoinHandle<()>,
}

/// Starts the reporter for the project that `ROLLBAR_ACCESS_TOKEN` belongs to.
pub fn start(warnings: &mut Warnings) -> (Rollbar, Option<Guard>) {
    stack::install_hook(); //@ since rollbar/an-error
    let Some(token) = var("ROLLBAR_ACCESS_TOKEN") else {
        warnings.add("ROLLBAR_ACCESS_TOKEN", "no errors are reported to Rollbar");
        return (Rollbar::default(), None);
    };
    let endpoint =
        var("ROLLBAR_ENDPOINT").unwrap_or_else(|| "https://api.rollbar.com/api/1/".to_owned());
    let sender = match Sender::new(&endpoint, token) {
        Ok(sender) => sender,
        Err(error) => {
            warnings.add_error("Rollbar", &error);
            return (Rollbar::default(), None);
        }
    };
    let (queue, items) = mpsc::channel(QUEUE);
    let (stop, stopped) = oneshot::channel();
    let worker = tokio::spawn(work(sender, items, stopped));
    (Rollbar { queue: Some(queue) }, Some(Guard { stop, worker }))
}

impl Guard {
    pub async fn shutdown(self) {
        let _ = self.stop.send(());
        let _ = self.worker.await;
    }
}

impl Rollbar {
    /// Reports a message in the context of a request.
    pub fn report_message(&self, level: Level, message: &str, request: RequestInfo) {
        self.enqueue(Item::new(level, Body::Message(message.to_owned()), request));
    }

    fn enqueue(&self, item: Item) {
        if let Some(queue) = &self.queue
            && queue.try_send(item).is_err()
        {
            warn!("Rollbar: the queue is full, an item is dropped");
        }
    }
}

/// Sends items until it is told to stop, then those that are left.
async fn work(sender: Sender, mut items: mpsc::Receiver<Item>, mut stopped: oneshot::Receiver<()>) {
    loop {
        tokio::select! {
            item = items.recv() => match item {
                Some(item) => sender.send(item).await,
                None => return,
            },
            _ = &mut stopped => break,
        }
    }
    items.close();
    while let Some(item) = items.recv().await {
        sender.send(item).await;
    }
}

/// Rollbar's API, as far as we need it.
struct Sender {
    http: reqwest::Client,
    url: String,
    token: String,
}

impl Sender {
    fn new(endpoint: &str, token: String) -> reqwest::Result<Self> {
        let http = reqwest::Client::builder().timeout(TIMEOUT).build()?;
        let url = format!("{}/item/", endpoint.trim_end_matches('/'));
        Ok(Self { http, url, token })
    }

    async fn send(&self, item: Item) {
        // Finding names and lines for a stack takes a while the first time.
        let Ok(data) = tokio::task::spawn_blocking(move || item.into_data()).await else {
            return;
        };
        let request = self
            .http
            .post(&self.url)
            .header("x-rollbar-access-token", &self.token)
            .json(&json!({ "access_token": self.token, "data": data }));
        match request.send().await {
            Ok(response) if response.status().is_success() => {}
            Ok(response) => {
                let status = response.status();
                let answer: Value = response.json().await.unwrap_or_default();
                warn!("Rollbar refuses an item: {status} {}", answer["message"]);
            }
            Err(error) => warn!("Rollbar cannot be reached: {}", causes(&error)),
        }
    }
}
