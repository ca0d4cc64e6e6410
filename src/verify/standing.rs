use std::path::PathBuf;

use super::Event;
use super::polling::Sink;
use crate::check::Probe;
use crate::service::{Exit, Instance, Output};

/// What a run does about the service that the run before it left standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// It is ended while the service is built, and a fresh process takes its place.
    Rebuild,
    /// It is probed as it is: nothing is built. Where none stands any more, as [`Self::Rebuild`].
    Keep,
}

/// The service that goes on running between runs: its default instance. Dropped, it is ended at once with all its
/// descendants; [`Self::stop`] asks it first.
#[derive(Debug, Default)]
pub struct Standing {
    held: Option<Held>,
}

/// An instance, with what the next run must know of it.
#[derive(Debug)]
pub(super) struct Held {
    pub(super) instance: Instance,
    /// What it was started from, with its arguments; `None` where it was running already.
    pub(super) program: Option<(PathBuf, Vec<String>)>,
    /// How many lines it had printed when it answered for the first time.
    pub(super) lines_at_start: usize,
    /// Whether it was told that it ended by itself.
    pub(super) is_end_told: bool,
}

impl Standing {
    /// Where it answers.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.held.as_ref().map(|held| held.instance.url().to_string())
    }

    /// What it prints, where it was started here.
    #[must_use]
    pub fn output(&self) -> Option<Output> {
        self.own().map(Instance::output)
    }

    /// Its process id, where it was started here.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.own().and_then(Instance::id)
    }

    /// How it ended by itself, if it has.
    #[must_use]
    pub fn exit(&self) -> Option<Exit> {
        self.own().and_then(Instance::exit)
    }

    /// Waits until it ends by itself; at once where it has ended already, and never where none stands or its end cannot be
    /// seen. May be dropped and called again at any time.
    pub async fn ended(&self) -> Option<Exit> {
        match self.own() {
            Some(instance) => instance.wait_exit().await,
            None => std::future::pending().await,
        }
    }

    /// Whether it was found running rather than started: then it is never stopped.
    #[must_use]
    pub fn is_attached(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.instance.is_attached())
    }

    /// Ends it, if it was started here, and forgets it.
    pub async fn stop(&mut self, sink: Sink<'_>) {
        if let Some(held) = self.held.take() {
            held.end(sink).await;
        }
    }

    fn own(&self) -> Option<&Instance> {
        self.held.as_ref().map(|held| &held.instance).filter(|instance| !instance.is_attached())
    }

    /// It, if it was started here and has not ended.
    pub(super) fn up(&self) -> Option<&Held> {
        self.held.as_ref().filter(|held| held.is_up())
    }

    pub(super) fn take(&mut self) -> Option<Held> {
        self.held.take()
    }

    /// Leaves standing what a run has had; where it has had nothing, what stood there before.
    pub(super) fn put(&mut self, held: Option<Held>) {
        if held.is_some() {
            self.held = held;
        }
    }

    /// Tells of it where it has ended by itself, once.
    pub(super) fn tell_end(&mut self, when: &str, sink: Sink<'_>) {
        if let Some(held) = &mut self.held
            && let Some(exit) = held.instance.exit()
            && !std::mem::replace(&mut held.is_end_told, true)
        {
            tell_end(Probe::DEFAULT_INSTANCE, Some(exit), &held.instance.output().last(LAST_LINES), when, sink);
        }
    }
}

impl Held {
    /// Whether it was started here and has not ended.
    pub(super) fn is_up(&self) -> bool {
        !self.instance.is_attached() && self.instance.exit().is_none()
    }

    pub(super) async fn end(mut self, sink: Sink<'_>) {
        if self.instance.stop(Instance::GRACE).await.hung() {
            tell_hung(Probe::DEFAULT_INSTANCE, sink);
        }
    }
}

/// How many of its lines are told of a service that ended by itself.
pub(super) const LAST_LINES: usize = 4;

/// Tells that an instance ended by itself, and when: `while it was verified`.
pub(super) fn tell_end(name: &str, exit: Option<Exit>, last: &[String], when: &str, sink: Sink<'_>) {
    let exit = exit.map_or_else(String::new, |exit| format!(" with {exit}"));
    let lines: Vec<_> = last.iter().map(|line| line.trim()).filter(|line| !line.is_empty()).collect();
    let last = if lines.is_empty() { String::new() } else { format!("; it printed last: `{}`", lines.join("`, `")) };
    sink(Event::Notice(format!("the service ({name}) ended by itself{exit} {when}{last}")));
}

/// Tells that an instance had to be killed.
pub(super) fn tell_hung(name: &str, sink: Sink<'_>) {
    sink(Event::Notice(format!(
        "the service ({name}) did not end within {} s of being asked to, and was killed: telemetry that it still held is lost",
        Instance::GRACE.as_secs()
    )));
}
