//@ file since rollbar/an-error
//! Where a panic came from.
//!
//! `catch_unwind` gives what the panic said. Where it happened is known only while it happens, to
//! the panic hook, which runs on the same thread: it leaves its findings for the catcher.

use std::{any::Any, cell::RefCell, panic, path::Path};

use backtrace::Backtrace;
use serde::Serialize;
use tracing::error;

thread_local! {
    static LAST: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// A panic that was caught.
#[derive(Debug)]
pub(super) struct Panic {
    pub(super) message: String,
    /// The place in the source, as the compiler wrote it down.
    location: Option<Frame>,
    /// Bare addresses. To find names and lines is left to those who have the time.
    backtrace: Option<Backtrace>,
}

/// One call, in Rollbar's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(super) struct Frame {
    filename: String,
    lineno: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    method: Option<String>,
}

/// Logs every panic as one line and keeps it for [`Panic::take`].
pub(super) fn install_hook() {
    panic::set_hook(Box::new(|info| {
        let panic = Panic {
            message: message(info.payload()),
            location: info.location().map(|location| Frame {
                filename: location.file().to_owned(),
                lineno: location.line(),
                method: None,
            }),
            backtrace: Some(Backtrace::new_unresolved()),
        };
        let place = info.location().map(ToString::to_string);
        error!("panic at {}: {}", place.unwrap_or_default(), panic.message);
        LAST.set(Some(panic));
    }));
}

impl Panic {
    /// What the item is an instance of. A panic has no type of its own.
    pub(super) const CLASS: &'static str = "panic";

    /// The panic that was just caught on this thread.
    pub(super) fn take(payload: &(dyn Any + Send)) -> Self {
        LAST.take().unwrap_or_else(|| Self {
            message: message(payload),
            location: None,
            backtrace: None,
        })
    }

    /// The calls that led to the panic, the last one last. Only those in this service: the sixty
    /// frames of the runtime beneath are the same in every item.
    pub(super) fn frames(&self) -> Vec<Frame> {
        let mut frames = self.backtrace.clone().map(own_frames).unwrap_or_default();
        frames.reverse();
        if let Some(location) = &self.location
            && frames.last().is_none_or(|last| {
                last.filename != location.filename || last.lineno != location.lineno
            })
        {
            frames.push(location.clone());
        }
        frames
    }
}

/// The frames with a line in this package, the innermost first.
fn own_frames(mut backtrace: Backtrace) -> Vec<Frame> {
    backtrace.resolve();
    let mut frames: Vec<_> = backtrace
        .frames()
        .iter()
        .flat_map(backtrace::BacktraceFrame::symbols)
        .filter_map(|symbol| {
            let filename = in_package(symbol.filename()?)?;
            Some(Frame {
                filename,
                lineno: symbol.lineno()?,
                // The alternate form leaves the hash out.
                method: symbol.name().map(|name| format!("{name:#}")),
            })
        })
        .filter(|frame| !frame.filename.ends_with("telemetry/rollbar/stack.rs"))
        .collect();
    frames.dedup_by(|a, b| a.filename == b.filename && a.lineno == b.lineno);
    frames
}

/// `src/routes/rollbar.rs`, for a file of this package.
fn in_package(path: &Path) -> Option<String> {
    let path = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).ok()?;
    Some(path.to_str()?.to_owned())
}

/// What the panic said.
fn message(payload: &(dyn Any + Send)) -> String {
    payload
        .downcast_ref::<&str>()
        .map(|message| (*message).to_owned())
        .or_else(|| payload.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without a message".to_owned())
}
