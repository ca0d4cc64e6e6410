use std::time::Duration;

use tokio::time::Instant;

/// The run's clock: wall time at the start, the runtime's own time from there, so that tests can pause it.
#[derive(Debug, Clone, Copy)]
pub struct Clock {
    base_ms: i64,
    start: Instant,
}

impl Clock {
    /// A clock that starts now.
    #[must_use]
    pub fn start() -> Self {
        Self { base_ms: jiff::Timestamp::now().as_millisecond(), start: Instant::now() }
    }

    /// Now, in Unix milliseconds.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        self.base_ms + i64::try_from(self.start.elapsed().as_millis()).unwrap_or(i64::MAX)
    }

    /// When the clock was started, in Unix milliseconds.
    #[must_use]
    pub fn started_ms(&self) -> i64 {
        self.base_ms
    }

    /// How long it has run.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.start.elapsed()
    }

    /// How long it has run, in milliseconds.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        u64::try_from(self.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}
