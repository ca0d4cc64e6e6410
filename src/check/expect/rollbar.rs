use schemars::JsonSchema;
use serde::Deserialize;

use super::closest::{Demands, Miss, closest};
use super::seen_after;
use crate::check::judge::Scene;
use crate::check::{Fact, Matcher, Mismatch, Verdict};
use crate::facts::{ErrorItem, Level, ProbeRecord};

/// An occurrence that came in since the probe was sent.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RollbarItem {
    /// The environment.
    #[serde(default)]
    pub environment: Option<Matcher>,
    /// `critical`, `error`, `warning`, `info`, `debug`.
    #[serde(default)]
    pub level: Option<Matcher>,
    /// The item's title.
    #[serde(default)]
    pub title: Option<Matcher>,
    /// The message, of a message item.
    #[serde(default)]
    pub message: Option<Matcher>,
    /// The exception's class, of a trace item.
    #[serde(default)]
    pub exception_class: Option<Matcher>,
    /// The request's URL.
    #[serde(default)]
    pub url: Option<Matcher>,
    /// The request's method.
    #[serde(default)]
    pub method: Option<Matcher>,
    /// The source file of at least one frame of the stack.
    #[serde(default)]
    pub frame: Option<Matcher>,
}

impl RollbarItem {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let expected = self.describe(scene);
        let Some(probe) = scene.probe() else { return Verdict::Never(Mismatch::new(expected, "no request was sent")) };
        let fresh = scene.evidence.error_items.iter().filter(|item| may_be_of(&item.fact, probe));
        let Some((item, demands)) = closest(fresh, |item| self.hold(&item.fact, probe, scene)) else {
            let nearest = scene.refusal("rollbar");
            return Verdict::NotYet(Mismatch::new(expected, "nothing has come in since the request").nearest(nearest));
        };
        let fact = &item.fact;
        if demands.misses.is_empty() {
            let mut facts = vec![
                Fact::new("item", format!("{} ({})", fact.title, fact.level)),
                Fact::new("environment", fact.environment.clone()),
            ];
            if let Some(frame) = self.frame.as_ref().and_then(|wanted| {
                fact.frames.iter().rev().find(|frame| wanted.accepts_text(&frame.filename, &scene.placeholders))
            }) {
                let line = frame.lineno.map(|line| format!(":{line}")).unwrap_or_default();
                facts.push(Fact::new("frame", format!("{}{line}", frame.filename)));
            }
            facts.extend(seen_after(scene, item.seen_ms));
            return Verdict::Met(facts, Level::Exact);
        }
        let actual = format!("the nearest item is `{}` ({}), but {}", fact.title, fact.level, demands.describe());
        Verdict::NotYet(Mismatch::new(expected, actual).nearest(scene.refusal("rollbar")))
    }

    fn hold<'p>(&self, item: &ErrorItem, probe: &ProbeRecord, scene: &'p Scene<'_>) -> Demands<'p> {
        let mut demands = Demands::new(&scene.placeholders);
        demands.text("its environment", self.environment.as_ref(), Some(&item.environment));
        demands.text("its level", self.level.as_ref(), Some(&item.level));
        demands.text("its title", self.title.as_ref(), Some(&item.title));
        demands.text("its message", self.message.as_ref(), item.message.as_deref());
        demands.text("its exception", self.exception_class.as_ref(), item.exception_class.as_deref());
        demands.text("its request's URL", self.url.as_ref(), item.request_url.as_deref());
        demands.text("its request's method", self.method.as_ref(), item.request_method.as_deref());
        if let Some(wanted) = &self.frame {
            let met = item.frames.iter().any(|frame| wanted.accepts_text(&frame.filename, &scene.placeholders));
            demands.demand(met, || Miss {
                what: String::from("its stack"),
                expected: format!("a frame in a file {}", wanted.describe(&scene.placeholders)),
                actual: match item.frames.as_slice() {
                    [] => String::from("has no frames"),
                    frames => format!("has {} frames, the last in `{}`", frames.len(), frames[frames.len() - 1].filename),
                },
            });
        }
        // Of two that fit, the one that names this very request is the better one.
        if item.mentions(&probe.nonce) {
            demands.met += 1;
        }
        demands
    }

    fn describe(&self, scene: &Scene<'_>) -> String {
        let part = |what: &str, matcher: &Option<Matcher>| {
            matcher.as_ref().map(|matcher| format!("{what} {}", matcher.describe(&scene.placeholders)))
        };
        let parts: Vec<_> = [
            part("level", &self.level),
            part("environment", &self.environment),
            part("title", &self.title),
            part("message", &self.message),
            part("exception", &self.exception_class),
            part("request URL", &self.url),
            part("request method", &self.method),
            part("a frame in a file", &self.frame),
        ]
        .into_iter()
        .flatten()
        .collect();
        format!("a Rollbar occurrence with {}", parts.join(", "))
    }
}

/// Whether the occurrence can belong to the probe: not older, and not naming another request of ours.
fn may_be_of(item: &ErrorItem, probe: &ProbeRecord) -> bool {
    let recent = item.timestamp == 0 || item.timestamp >= probe.sent_ms / 1000;
    let names_one = item.request_url.as_deref().is_some_and(|url| url.contains("bootcamp="));
    recent && (!names_one || item.mentions(&probe.nonce))
}
