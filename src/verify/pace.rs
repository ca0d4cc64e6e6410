use std::time::Duration;

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
}
