use std::time::Duration;

use jiff::SignedDuration;
use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, de};

use super::Expect;
use crate::check::judge::Scene;
use crate::check::{Fact, Mismatch, Probe, Verdict};
use crate::facts::{Level, Source, Trouble};

/// Nothing of the kind arrives within a quiet period.
///
/// Silence proves something only where things are heard: what the same source has shown of other requests in this run is
/// the control, and the slowest of it lengthens the quiet period, so that a service with slow batches is waited for.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Absent {
    /// What must not arrive.
    pub of: Box<Expect>,
    /// How long to listen after the probe's answer, at least: `1s`, `500ms`.
    #[serde(default = "half_a_second", deserialize_with = "duration")]
    #[schemars(with = "String")]
    pub quiet: Duration,
}

/// Enough where everything else of the run comes faster; what comes slower lengthens it.
fn half_a_second() -> Duration {
    Duration::from_millis(500)
}

fn duration<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Duration, D::Error> {
    let text = String::deserialize(deserializer)?;
    let parsed: Result<SignedDuration, _> = text.parse();
    parsed
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| *duration <= Duration::from_secs(60))
        .ok_or_else(|| de::Error::custom(format_args!("`{text}` is not a duration up to a minute, such as `500ms` or `2s`")))
}

impl Absent {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let Some(probe) = scene.probe() else {
            return Verdict::Never(Mismatch::new("silence after the request", "no request was sent"));
        };
        let unwanted = match self.of.judge(scene) {
            Verdict::Met(facts, _) => Some(facts),
            // Something of this very trace did arrive, if not as imagined: that is no silence.
            Verdict::Never(_) if self.of.source() == Source::Honeycomb || self.of.source() == Source::Xray => Some(Vec::new()),
            _ => None,
        };
        let expected = format!("nothing of this request in {}", self.of.source().title());
        if let Some(facts) = unwanted {
            let seen: Vec<_> = facts.iter().take(2).map(|fact| format!("{} `{}`", fact.label, fact.value)).collect();
            let actual = if seen.is_empty() { String::from("it arrived") } else { format!("it arrived: {}", seen.join(", ")) };
            return Verdict::Never(Mismatch::new(expected, actual));
        }
        if scene.looked.level == Level::Fresh {
            return Verdict::Skipped(String::from("this Honeycomb key allows no queries, so silence cannot be told from noise"));
        }
        let Some(slowest_ms) = slowest(scene, self.of.source()) else {
            let actual =
                format!("nothing at all has arrived in {} in this run: silence proves nothing yet", self.of.source().title());
            return Verdict::NotYet(Mismatch::new(format!("{expected}, while other requests are seen"), actual));
        };
        let answered_ms = probe.sent_ms + probe.answer.as_ref().map_or(0, |exchange| exchange.latency_ms.ceil() as i64);
        // Half as long again as the slowest that did come.
        let quiet_ms = i64::try_from(self.quiet.as_millis()).unwrap_or(i64::MAX).max(slowest_ms + slowest_ms / 2);
        let left_ms = answered_ms + quiet_ms - scene.looked.looked_ms;
        if left_ms > 0 {
            // Nobody's fault: a slow vendor must not make a failure of a silence that may well be one.
            return Verdict::Unseen(Trouble {
                cause: format!(
                    "{} was not listened to for long enough: others came within {:.1} s, and silence counts after {:.1} s",
                    self.of.source().title(),
                    slowest_ms as f64 / 1000.0,
                    quiet_ms as f64 / 1000.0
                ),
                remedy: String::from("verify again with a longer --timeout"),
                passing: true,
                retry_after_ms: u64::try_from(left_ms).ok(),
            });
        }
        let heard = format!("{:.1} s (others came within {:.1} s)", quiet_ms as f64 / 1000.0, slowest_ms as f64 / 1000.0);
        Verdict::Met(vec![Fact::new("quiet for", heard)], Level::Exact)
    }
}

/// How long the slowest thing took that the source has shown of the service's default instance in this run; `None` where it
/// has shown nothing.
fn slowest(scene: &Scene<'_>, source: Source) -> Option<i64> {
    let evidence = scene.evidence;
    let probes = || evidence.probes.values().filter(|probe| probe.instance == Probe::DEFAULT_INSTANCE);
    let latencies: Vec<i64> = match source {
        Source::Honeycomb => {
            let of = |span: &str| probes().find(|probe| probe.trace_id.w3c() == span);
            evidence.spans.iter().filter_map(|span| Some(span.seen_ms - of(&span.fact.trace_id)?.sent_ms)).collect()
        }
        Source::Xray => {
            let of = |id: &str| probes().find(|probe| probe.trace_id.xray() == id);
            evidence.segments.iter().filter_map(|tree| Some(tree.seen_ms - of(&tree.fact.trace_id)?.sent_ms)).collect()
        }
        Source::CloudWatch => {
            let of = |line: &str| probes().find(|probe| line.contains(&probe.nonce));
            evidence.log_events.iter().filter_map(|event| Some(event.seen_ms - of(&event.fact.message)?.sent_ms)).collect()
        }
        // Not every item names its request: the first that was sent is the earliest that any can be of.
        Source::Rollbar => {
            let first_ms = probes().map(|probe| probe.sent_ms).min().unwrap_or(evidence.started_ms);
            evidence.error_items.iter().map(|item| item.seen_ms - first_ms).collect()
        }
        _ => vec![0],
    };
    latencies.into_iter().max().map(|latency| latency.max(0))
}
