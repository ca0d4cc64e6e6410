//! Asks the sources, each once per round for everything that any check wants of it, until all is settled or time is up.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::sync::Mutex;
use tokio_util::sync::CancellationToken;

use super::{Clock, Event, Judgement, Pace};
use crate::check::{Check, Expect, Outcome, Verdict, judge};
use crate::facts::{Evidence, Source, SourceRecord, Trouble};

/// A check with its id.
#[derive(Debug, Clone)]
pub struct PlannedCheck {
    /// Unique in the course.
    pub id: String,
    /// What it demands.
    pub check: Arc<Check>,
}

/// Asks one source once, and writes what it learns into the evidence.
///
/// The lock is not held while the source is asked: an implementation asks first and takes it to write.
pub trait Ask: Sync {
    /// Asks the source. `Err` when we could not look.
    fn ask(&self, source: Source, evidence: &Mutex<Evidence>) -> impl Future<Output = Result<(), Trouble>> + Send;

    /// The shortest time between two questions that the source allows.
    fn interval(&self, source: Source) -> Duration;
}

/// How a run is observed.
pub type Sink<'s> = &'s (dyn Fn(Event) + Send + Sync);

/// What all sources of a run share while they are polled.
pub struct Settling<'s> {
    /// What has been seen; grows.
    pub evidence: &'s Mutex<Evidence>,
    /// How often to ask, and for how long.
    pub pace: Pace,
    /// The run's clock.
    pub clock: Clock,
    /// Cancelled when the user has had enough.
    pub stop: &'s CancellationToken,
    /// Who is told.
    pub sink: Sink<'s>,
}

impl Settling<'_> {
    /// Polls all the sources of the checks at the same time. Each check is judged in the end, exactly once, unless the user
    /// breaks it off.
    pub async fn settle<A: Ask>(&self, checks: &[PlannedCheck], asker: &A) {
        let sources: BTreeSet<Source> = checks.iter().map(|check| check.check.expect.source()).collect();
        let deadline = self.clock.elapsed() + self.pace.deadline;
        join_all(sources.into_iter().map(|source| {
            let own: Vec<&PlannedCheck> = checks.iter().filter(|check| check.check.expect.source() == source).collect();
            self.settle_source(source, own, asker, deadline)
        }))
        .await;
    }

    async fn settle_source<A: Ask>(&self, source: Source, mut waiting: Vec<&PlannedCheck>, asker: &A, deadline: Duration) {
        let latest = deadline + self.pace.deadline;
        let mut deadline = deadline;
        let mut round = 0;
        loop {
            round += 1;
            let left = deadline.saturating_sub(self.clock.elapsed());
            let asked = tokio::select! {
                () = self.stop.cancelled() => break,
                // The first round is never cut short: a source that is slow to answer once must still be heard.
                answer = tokio::time::timeout(left.max(Duration::from_secs(2)), asker.ask(source, self.evidence)) => {
                    answer.unwrap_or_else(|_| Err(too_slow(source)))
                }
            };
            let trouble = asked.err();
            let retry_after = trouble.as_ref().and_then(|trouble| trouble.retry_after_ms).map(Duration::from_millis);
            let hopeless = trouble.as_ref().is_some_and(|trouble| !trouble.passing);
            // What the source asks for is never undercut: where it does not fit in, this was the last look.
            let floor = asker.interval(source).max(retry_after.unwrap_or_default());
            let left;
            {
                let mut evidence = self.evidence.lock().await;
                note(&mut evidence, source, round, trouble, self.clock);
                // A quiet period that has begun is heard to its end, though not for longer than anything else was waited for.
                if let Some(quiet) = waiting.iter().filter_map(|planned| quiet_left(planned, &evidence)).max() {
                    deadline = deadline.max((self.clock.elapsed() + quiet).min(latest));
                }
                left = deadline.saturating_sub(self.clock.elapsed());
                let last = hopeless || left.is_zero() || floor > left;
                waiting.retain(|planned| !self.settled(planned, &evidence, last));
            }
            (self.sink)(Event::Polled { source, round, waiting: waiting.len() });
            if waiting.is_empty() {
                return;
            }
            // A last look at the deadline itself, rather than a pause that ends beyond it.
            let pause = self.pace.pause(round, floor).min(left);
            tokio::select! {
                () = self.stop.cancelled() => break,
                () = tokio::time::sleep(pause) => {}
            }
        }
    }

    /// Judges one check, and tells of it where it is settled. On the last look, everything is.
    fn settled(&self, planned: &PlannedCheck, evidence: &Evidence, last: bool) -> bool {
        let verdict = judge(&planned.check, evidence);
        let open = match &verdict {
            Verdict::NotYet(_) => true,
            Verdict::Unseen(trouble) => trouble.passing,
            Verdict::Met(..) | Verdict::Never(_) | Verdict::Skipped(_) => false,
        };
        if open && !last {
            return false;
        }
        let judgement =
            Judgement { check: planned.id.clone(), outcome: Outcome::from(verdict), after_ms: self.clock.elapsed_ms() };
        (self.sink)(Event::Judged(judgement));
        true
    }
}

fn too_slow(source: Source) -> Trouble {
    Trouble {
        cause: format!("{} did not answer in time", source.title()),
        remedy: String::from("look at the network and at the vendor's status page, and verify again with a longer --timeout"),
        passing: true,
        retry_after_ms: None,
    }
}

/// How long a check of an absence must still be listened for; `None` where the source is not heard, or the check is another.
fn quiet_left(planned: &PlannedCheck, evidence: &Evidence) -> Option<Duration> {
    let heard = evidence.sources.get(&planned.check.expect.source()).is_some_and(|record| record.trouble.is_none());
    if !heard || !matches!(planned.check.expect, Expect::Absent(_)) {
        return None;
    }
    match judge(&planned.check, evidence) {
        Verdict::Unseen(trouble) => trouble.retry_after_ms.map(Duration::from_millis),
        _ => None,
    }
}

fn note(evidence: &mut Evidence, source: Source, round: u32, trouble: Option<Trouble>, clock: Clock) {
    let record: &mut SourceRecord = evidence.sources.entry(source).or_default();
    record.rounds = round;
    if trouble.is_none() {
        record.looked_ms = clock.now_ms();
    }
    record.trouble = trouble;
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex as StdMutex;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::facts::{Exchange, LogEvent, LogGroup, ProbeRecord, Sighting, TraceGroup, TraceId};

    /// Answers each round from a script: `Ok` with what to write, or trouble.
    struct Script<F> {
        rounds: AtomicU32,
        answer: F,
    }

    impl<F: Fn(u32, &mut Evidence) -> Result<(), Trouble> + Sync> Ask for Script<F> {
        async fn ask(&self, _: Source, evidence: &Mutex<Evidence>) -> Result<(), Trouble> {
            let round = self.rounds.fetch_add(1, Ordering::Relaxed) + 1;
            (self.answer)(round, &mut *evidence.lock().await)
        }

        fn interval(&self, _: Source) -> Duration {
            Duration::ZERO
        }
    }

    fn check(id: &str, toml: &str) -> PlannedCheck {
        PlannedCheck { id: id.to_owned(), check: Arc::new(toml::from_str(toml).unwrap()) }
    }

    fn group(name: &str) -> PlannedCheck {
        check(name, &format!("fix = ''\n[expect.xray-group]\nname = '{name}'"))
    }

    fn log_group(name: &str) -> PlannedCheck {
        check(name, &format!("fix = ''\n[expect.cloudwatch-log-group]\nname = '{name}'"))
    }

    fn trouble(passing: bool, retry_after_ms: Option<u64>) -> Trouble {
        Trouble { cause: String::from("throttled"), remedy: String::from("wait"), passing, retry_after_ms }
    }

    async fn run<F>(checks: &[PlannedCheck], answer: F) -> (Vec<(String, Outcome)>, u32, Duration)
    where
        F: Fn(u32, &mut Evidence) -> Result<(), Trouble> + Sync,
    {
        let script = Script { rounds: AtomicU32::new(0), answer };
        let judged = StdMutex::new(Vec::new());
        let clock = Clock::start();
        let sink = |event: Event| {
            if let Event::Judged(judgement) = event {
                judged.lock().unwrap().push((judgement.check, judgement.outcome));
            }
        };
        let evidence = Mutex::new(Evidence::default());
        let stop = CancellationToken::new();
        Settling { evidence: &evidence, pace: Pace::LIVE, clock, stop: &stop, sink: &sink }.settle(checks, &script).await;
        (judged.into_inner().unwrap(), script.rounds.into_inner(), clock.elapsed())
    }

    #[tokio::test(start_paused = true)]
    async fn it_stops_as_soon_as_all_are_met_and_asks_once_a_round_for_all() {
        let checks = [log_group("a"), log_group("b")];
        let (judged, rounds, took) = run(&checks, |round, evidence| {
            let names: &[&str] = if round < 3 { &["a"] } else { &["a", "b"] };
            evidence.log_groups = names.iter().map(|name| LogGroup { name: (*name).to_owned(), streams: Vec::new() }).collect();
            Ok(())
        })
        .await;
        assert_eq!(
            judged.iter().map(|(id, outcome)| (id.as_str(), outcome.status())).collect::<Vec<_>>(),
            [("a", "passed"), ("b", "passed")]
        );
        assert_eq!(rounds, 3);
        assert!(took < Duration::from_secs(10), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_never_comes_fails_at_the_deadline() {
        let (judged, rounds, took) = run(&[log_group("a")], |_, _| Ok(())).await;
        assert_eq!(judged[0].1.status(), "failed");
        assert!(took >= Pace::LIVE.deadline && took < Pace::LIVE.deadline + Duration::from_secs(1), "{took:?}");
        assert!((10..40).contains(&rounds), "{rounds}");
    }

    /// A request of this moment that was answered at once, and its line, seen so long after it.
    fn answered(evidence: &mut Evidence, line_after_ms: i64) {
        let sent_ms = jiff::Timestamp::now().as_millisecond();
        let record = |nonce: &str, instance: &str| ProbeRecord {
            trace_id: TraceId::fresh(1_790_000_000),
            parent_id: String::from("0123456789abcdef"),
            nonce: nonce.to_owned(),
            instance: instance.to_owned(),
            sent_ms,
            answer: Ok(Exchange {
                method: String::from("GET"),
                url: String::from("http://127.0.0.1/"),
                status: 200,
                headers: std::collections::BTreeMap::new(),
                body: String::new(),
                latency_ms: 0.0,
            }),
        };
        evidence.probes = [("loud", record("loud-00", "default")), ("quiet", record("quiet-01", "SWITCH=off"))]
            .map(|(name, record)| (name.to_owned(), record))
            .into();
        let event = LogEvent {
            group: String::from("a"),
            stream: String::from("s"),
            timestamp_ms: sent_ms,
            ingestion_ms: sent_ms,
            message: String::from("loud-00"),
        };
        evidence.log_events = vec![Sighting { seen_ms: sent_ms + line_after_ms, fact: event }];
    }

    fn absent_line() -> PlannedCheck {
        check(
            "quiet",
            "probe = 'quiet'\nfix = ''\n[expect.absent.of.cloudwatch-log]\ngroup = 'a'\nmessage = { contains = '{nonce}' }",
        )
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_period_is_heard_to_its_end() {
        let (judged, _, took) = run(&[absent_line()], |round, evidence| {
            if round == 1 {
                answered(evidence, 90_000);
            }
            Ok(())
        })
        .await;
        assert_eq!(judged[0].1.status(), "passed", "{judged:?}");
        assert!(took > Duration::from_secs(134) && took < Duration::from_secs(150), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_quiet_period_beyond_all_patience_is_an_error_never_a_failure() {
        let (judged, _, took) = run(&[absent_line()], |round, evidence| {
            if round == 1 {
                answered(evidence, 200_000);
            }
            Ok(())
        })
        .await;
        let Outcome::Errored(trouble) = &judged[0].1 else { panic!("{judged:?}") };
        assert!(trouble.cause.contains("silence counts after 300.0 s") && trouble.remedy.contains("--timeout"), "{trouble:?}");
        assert!(took < Pace::LIVE.deadline * 2 + Duration::from_secs(1), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn what_waiting_cannot_heal_fails_at_once() {
        let (judged, rounds, _) = run(&[group("Cruddur")], |_, evidence| {
            evidence.trace_groups = vec![TraceGroup { name: String::from("Other"), filter: String::new() }];
            Ok(())
        })
        .await;
        assert_eq!((judged[0].1.status(), rounds), ("failed", 1));
    }

    #[tokio::test(start_paused = true)]
    async fn a_wrong_key_is_an_error_at_once_and_throttling_is_waited_out() {
        let (judged, rounds, _) = run(&[log_group("a")], |_, _| Err(trouble(false, None))).await;
        assert_eq!((judged[0].1.status(), rounds), ("errored", 1));

        let (judged, rounds, took) = run(&[log_group("a")], |round, evidence| {
            if round == 1 {
                return Err(trouble(true, Some(30_000)));
            }
            evidence.log_groups = vec![LogGroup { name: String::from("a"), streams: Vec::new() }];
            Ok(())
        })
        .await;
        assert_eq!((judged[0].1.status(), rounds), ("passed", 2));
        assert!(took >= Duration::from_secs(30), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_vendor_that_wants_more_time_than_there_is_is_not_asked_again() {
        let longer = u64::try_from(Pace::LIVE.deadline.as_millis()).unwrap() + 1;
        let (judged, rounds, took) = run(&[log_group("a")], |_, _| Err(trouble(true, Some(longer)))).await;
        assert_eq!((judged[0].1.status(), rounds), ("errored", 1));
        assert!(took < Duration::from_secs(1), "{took:?}");
    }

    #[tokio::test(start_paused = true)]
    async fn a_vendor_that_stays_down_is_an_error_never_a_failure() {
        let (judged, _, _) = run(&[log_group("a")], |round, _| if round == 1 { Ok(()) } else { Err(trouble(true, None)) }).await;
        assert_eq!(judged[0].1.status(), "errored");
    }
}
