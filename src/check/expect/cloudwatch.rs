use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::closest::shorten;
use super::seen_after;
use crate::check::judge::Scene;
use crate::check::{Fact, Matcher, Mismatch, Verdict};
use crate::facts::{Level, LogEvent, Sighting};

/// A log group, with its streams.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CloudwatchLogGroup {
    /// Its name.
    pub name: String,
    /// How many streams it has.
    #[serde(default)]
    pub streams: Option<Matcher>,
}

/// A log event that came in since the probe was sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct CloudwatchLog {
    /// The log group.
    pub group: String,
    /// The line.
    pub message: Matcher,
}

impl CloudwatchLogGroup {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let streams =
            self.streams.as_ref().map(|streams| format!(" with log streams: {}", streams.describe(&scene.placeholders)));
        let expected = format!("a log group `{}`{}", self.name, streams.unwrap_or_default());
        let groups = &scene.evidence.log_groups;
        let Some(group) = groups.iter().find(|group| group.name == self.name) else {
            let names: Vec<_> = groups.iter().take(8).map(|group| format!("`{}`", group.name)).collect();
            let nearest = (!names.is_empty()).then(|| format!("the groups that are there: {}", names.join(", ")));
            let nearest = scene.refusal("cloudwatch").or(nearest);
            return Verdict::NotYet(Mismatch::new(expected, "there is no such group").nearest(nearest));
        };
        let count = group.streams.len();
        if self.streams.as_ref().is_some_and(|wanted| !wanted.accepts(Some(&Value::from(count)), &scene.placeholders)) {
            let actual = format!("the group is there, with {count} streams");
            return Verdict::NotYet(Mismatch::new(expected, actual).nearest(scene.refusal("cloudwatch")));
        }
        let mut facts = vec![Fact::new("group", &group.name)];
        facts.extend(group.streams.first().map(|stream| Fact::new("latest stream", stream)));
        Verdict::Met(facts, Level::Exact)
    }
}

impl CloudwatchLog {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let expected = format!("a log event in `{}` {}", self.group, self.message.describe(&scene.placeholders));
        let Some(probe) = scene.probe() else { return Verdict::Never(Mismatch::new(expected, "no request was sent")) };
        let fresh = |event: &&Sighting<LogEvent>| event.fact.ingestion_ms >= probe.sent_ms;
        let events: Vec<_> = scene.evidence.log_events.iter().filter(fresh).collect();
        let accepted =
            |event: &&&Sighting<LogEvent>| self.message.accepts_text(event.fact.message.trim_end(), &scene.placeholders);
        if let Some(event) = events.iter().filter(|event| event.fact.group == self.group).find(accepted) {
            let mut facts =
                vec![Fact::new("line", shorten(event.fact.message.trim_end())), Fact::new("stream", event.fact.stream.clone())];
            facts.extend(seen_after(scene, event.seen_ms));
            return Verdict::Met(facts, Level::Exact);
        }
        let elsewhere = events.iter().find(accepted).map(|event| format!("it came in another group, `{}`", event.fact.group));
        let own = events.iter().filter(|event| event.fact.group == self.group).collect::<Vec<_>>();
        let same = own.iter().find(|event| event.fact.message.contains(&probe.nonce));
        let nearest = elsewhere
            .or_else(|| same.map(|event| format!("a line about this request: `{}`", shorten(event.fact.message.trim_end()))))
            .or_else(|| scene.refusal("cloudwatch"))
            .or_else(|| {
                own.last().map(|event| format!("the last line since the request: `{}`", shorten(event.fact.message.trim_end())))
            });
        let known = scene.evidence.log_groups.iter().any(|group| group.name == self.group);
        let actual = match (known, own.len()) {
            (false, _) => String::from("there is no such group"),
            (true, 0) => String::from("nothing has come in since the request"),
            (true, count) => format!("none of the {count} that have come in since the request"),
        };
        Verdict::NotYet(Mismatch::new(expected, actual).nearest(nearest))
    }
}
