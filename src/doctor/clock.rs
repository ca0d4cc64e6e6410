//! The time, held against the vendors' where they were asked.

use jiff::Timestamp;

use super::{Area, Finding, State, System};
use crate::vendor::Answered;

/// No clock that goes right shows an earlier time: this program is younger.
const BEFORE: &str = "2026-01-01T00:00:00Z";

/// From this on the order of what was seen gets confused, in seconds.
const NOTICEABLE: i64 = 60;

/// From this on AWS takes no signature, in seconds.
const TOO_FAR: i64 = 5 * 60;

/// A vendor's name, and what it answered.
pub(super) type Clock = (&'static str, Answered);

/// With several vendors the middle one is believed: one may answer from a cache.
pub(super) fn judge(clocks: &[Clock], now: Timestamp, system: System) -> Vec<Finding> {
    let mut skews: Vec<(i64, &str)> = clocks
        .iter()
        .filter_map(|(vendor, answered)| {
            let there = answered.date?.as_second();
            Some((answered.here.as_second().saturating_sub(there), *vendor))
        })
        .collect();
    skews.sort_unstable();
    let finding = |state, told: String| Finding::new(Area::Clock, "time", "clock", state, told);
    let fix = match system {
        System::Linux => "`sudo timedatectl set-ntp true`; in WSL, `sudo hwclock -s` or `wsl --shutdown` from Windows",
        System::Mac => "System Settings, General, Date & Time: set it automatically (or `sudo sntp -sS time.apple.com`)",
        System::Windows => "Settings, Time & language: set the time automatically, and synchronise now",
        System::Other => "set the clock by the network's time",
    };
    let middle = [skews.get(skews.len().saturating_sub(1) / 2), skews.get(skews.len() / 2)];
    let found = match middle.into_iter().flatten().min_by_key(|(skew, _)| skew.abs()) {
        Some(&(skew, vendor)) => {
            let way = if skew < 0 { "behind" } else { "ahead of" };
            let told = format!("{} {way} the time that {vendor} tells", span(skew.abs()));
            match skew.abs() {
                off if off > TOO_FAR => finding(
                    State::Bad,
                    format!("{told}: AWS refuses what is signed at another time, and spans land where nobody looks"),
                )
                .fix(fix),
                off if off > NOTICEABLE => {
                    finding(State::Warning, format!("{told}: what you send seems older or newer than it is")).fix(fix)
                }
                _ => finding(State::Good, format!("it agrees with {vendor}'s")),
            }
        }
        None if BEFORE.parse().is_ok_and(|before: Timestamp| now < before) => {
            finding(State::Bad, format!("it shows {}, which is before this program was written", now.strftime("%Y-%m-%d")))
                .fix(fix)
        }
        None => finding(State::Good, format!("it shows {} UTC; no vendor's was asked", now.strftime("%Y-%m-%d %H:%M"))),
    };
    vec![found]
}

/// `70 s`, `12 min`, `3 h`.
fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn clocks(skews: &[i64]) -> Vec<Clock> {
        let here: Timestamp = "2026-03-01T12:00:00Z".parse().unwrap();
        let there = |skew: &i64| Timestamp::from_second(here.as_second() - skew).unwrap();
        skews.iter().map(|skew| ("Honeycomb", Answered { date: Some(there(skew)), here })).collect()
    }

    fn found(skews: &[i64]) -> Finding {
        judge(&clocks(skews), "2026-03-01T12:00:00Z".parse().unwrap(), System::Linux).remove(0)
    }

    #[test]
    fn the_vendors_time_is_held_against_ours() {
        assert_eq!(found(&[0]).state, State::Good);
        assert_eq!((found(&[60]).state, found(&[61]).state, found(&[-61]).state), (State::Good, State::Warning, State::Warning));
        assert_eq!((found(&[300]).state, found(&[301]).state, found(&[-86_400]).state), (State::Warning, State::Bad, State::Bad));
        assert!(found(&[-7200]).told.starts_with("2 h behind the time that Honeycomb tells"), "{}", found(&[-7200]).told);
        assert!(found(&[400]).fix.unwrap().contains("timedatectl"));
        // One that answers from a cache is outvoted.
        assert_eq!(found(&[4000, 1, 0]).state, State::Good);
        assert_eq!((found(&[4000, 0]).state, found(&[-4000, 0]).state), (State::Good, State::Good));
    }

    #[test]
    fn without_a_vendor_only_the_impossible_is_told() {
        let judge = |now: &str| judge(&[], now.parse().unwrap(), System::Linux).remove(0);
        assert_eq!(judge("2027-01-01T00:00:00Z").state, State::Good);
        let past = judge("1970-01-02T00:00:00Z");
        assert!(past.state == State::Bad && past.told.contains("1970-01-02"), "{past:?}");
    }
}
