use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use super::Matchers;
use super::closest::{Demands, shorten};
use crate::check::judge::Scene;
use crate::check::{Fact, Matcher, Mismatch, Verdict};
use crate::facts::Level;

/// The answer to the probe.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct HttpResponse {
    /// The status.
    #[serde(default)]
    pub status: Option<Matcher>,
    /// Headers, by their names in lower case.
    #[serde(default)]
    pub headers: Matchers,
    /// The whole body, as text.
    #[serde(default)]
    pub body: Option<Matcher>,
    /// Values in the JSON body, by JSON pointer: `"/0/replies"`; `""` is the whole.
    #[serde(default)]
    pub json: Matchers,
}

impl HttpResponse {
    pub(super) fn judge(&self, scene: &Scene<'_>) -> Verdict {
        let Some(Ok(exchange)) = scene.probe().map(|probe| &probe.answer) else {
            return Verdict::Never(Mismatch::new("an answer from the service", "no request was sent"));
        };
        let mut demands = Demands::new(&scene.placeholders);
        demands.number("the status", self.status.as_ref(), Some(i64::from(exchange.status)));
        for (name, matcher) in &self.headers {
            let value = exchange.headers.get(&name.to_ascii_lowercase()).map(String::as_str);
            demands.text(&format!("the header `{name}`"), Some(matcher), value);
        }
        demands.text("the body", self.body.as_ref(), Some(&exchange.body));
        let json: Option<Value> = serde_json::from_str(&exchange.body).ok();
        for (pointer, matcher) in &self.json {
            let what = if pointer.is_empty() { String::from("the JSON body") } else { format!("`{pointer}` in the JSON body") };
            demands.value(&what, Some(matcher), json.as_ref().and_then(|json| json.pointer(pointer)));
        }
        if demands.misses.is_empty() {
            let answer = format!("{} {} → {}", exchange.method, path_of(&exchange.url), exchange.status);
            return Verdict::Met(
                vec![Fact::new("answer", answer), Fact::new("latency", format!("{:.1} ms", exchange.latency_ms))],
                Level::Exact,
            );
        }
        let expected =
            demands.misses.iter().map(|miss| format!("{} {}", miss.what, miss.expected)).collect::<Vec<_>>().join(", ");
        let actual = demands.misses.iter().map(|miss| format!("{} {}", miss.what, miss.actual)).collect::<Vec<_>>().join(", ");
        let nearest = format!(
            "{} {} answered {} with `{}`",
            exchange.method,
            path_of(&exchange.url),
            exchange.status,
            shorten(exchange.body.trim())
        );
        Verdict::Never(Mismatch::new(expected, actual).nearest(Some(nearest)))
    }
}

/// The path of a URL, without the query that only the probe put there.
pub(super) fn path_of(url: &str) -> String {
    url::Url::parse(url).map_or_else(|_| url.to_owned(), |url| url.path().to_owned())
}
