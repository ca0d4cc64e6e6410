use std::time::Duration;

use crate::service::Environment;

/// What the OpenTelemetry SDK takes where nothing is set.
const BATCHING: Duration = Duration::from_secs(5);

/// No learner waits longer for a batch.
const LONGEST_BATCHING: Duration = Duration::from_secs(30);

/// How often a source is asked, and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// The pause after the first round.
    pub first: Duration,
    /// The longest pause.
    pub longest: Duration,
    /// When waiting ends, from the probes' answers on.
    pub deadline: Duration,
}

impl Pace {
    /// For the sandbox, where a question costs nothing: quick, and 10 s in all.
    pub const SANDBOX: Self =
        Self { first: Duration::from_millis(30), longest: Duration::from_millis(100), deadline: Duration::from_secs(10) };

    /// For the vendors themselves, who show things late and count requests: 120 s in all.
    pub const LIVE: Self =
        Self { first: Duration::from_secs(2), longest: Duration::from_secs(10), deadline: Duration::from_secs(120) };

    /// For somebody who has just saved and waits for the verdict, in the sandbox: a second beyond what the service's exporter
    /// holds back.
    #[must_use]
    pub fn guided(batching: Duration) -> Self {
        Self { deadline: batching + Duration::from_secs(1), ..Self::SANDBOX }
    }

    /// How long a service with this environment holds its spans back: `OTEL_BSP_SCHEDULE_DELAY` in milliseconds, read as the
    /// OpenTelemetry SDK reads it, 5 s where it is not set or no number. More than 30 s count as 30.
    #[must_use]
    pub fn batching(environment: &Environment) -> Duration {
        let set = environment.get("OTEL_BSP_SCHEDULE_DELAY").and_then(|delay| delay.parse().ok());
        set.map_or(BATCHING, Duration::from_millis).min(LONGEST_BATCHING)
    }

    /// The pause after the given round (from 1): half as long again each time, with a fifth of jitter, and never less than
    /// the vendor asked for.
    #[must_use]
    pub fn pause(&self, round: u32, at_least: Duration) -> Duration {
        let grown = self.first.mul_f64(1.5_f64.powi(i32::try_from(round.saturating_sub(1).min(64)).unwrap_or(64)));
        let jitter = 0.8 + fastrand::f64() * 0.4;
        grown.min(self.longest).mul_f64(jitter).max(at_least)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_to_a_bound_and_respect_the_vendor() {
        let pace = Pace::LIVE;
        for round in 1..200 {
            let pause = pace.pause(round, Duration::ZERO);
            assert!(pause >= Duration::from_millis(1600) && pause <= Duration::from_secs(12), "{pause:?}");
        }
        assert!(pace.pause(1, Duration::ZERO) < pace.pause(20, Duration::ZERO));
        assert_eq!(pace.pause(1, Duration::from_secs(30)), Duration::from_secs(30));
    }

    #[test]
    fn a_learner_waits_for_the_batch_and_a_second() {
        let batching = |delay: Option<&str>| {
            let mut environment = Environment::default();
            if let Some(delay) = delay {
                environment.set("OTEL_BSP_SCHEDULE_DELAY", delay);
            }
            Pace::batching(&environment)
        };
        assert_eq!(batching(Some("300")), Duration::from_millis(300));
        assert_eq!(batching(Some("86400000")), LONGEST_BATCHING);
        // What is no number to the SDK leaves it at its default.
        for garbage in [None, Some(""), Some(" 300"), Some("300ms"), Some("-1"), Some("0.3"), Some("99999999999999999999999")] {
            assert_eq!(batching(garbage), BATCHING, "{garbage:?}");
        }
        let pace = Pace::guided(batching(Some("300")));
        assert_eq!((pace.deadline, pace.first), (Duration::from_millis(1300), Pace::SANDBOX.first));
    }
}
