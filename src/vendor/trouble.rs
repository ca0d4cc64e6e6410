//! The wording of what goes wrong alike with every vendor.

use http::HeaderMap;
use jiff::Timestamp;

use super::Vendor;
use crate::facts::Trouble;

/// Longer waits than this are not believed: no run lasts that long.
const LONGEST_WAIT_MS: u64 = 60 * 60 * 1000;

/// How much of a vendor's own message is passed on, in characters.
const LONGEST_MESSAGE: usize = 240;

/// Shorter secrets are not looked for in messages: no vendor's key is that short, and ordinary words would be blotted out.
const SHORTEST_SECRET: usize = 6;

/// A trouble that asking again will not cure.
pub(super) fn lasting(cause: impl Into<String>, remedy: impl Into<String>) -> Trouble {
    Trouble { cause: cause.into(), remedy: remedy.into(), passing: false, retry_after_ms: None }
}

/// A trouble that may be gone at the next look.
pub(super) fn passing(cause: impl Into<String>, remedy: impl Into<String>) -> Trouble {
    Trouble { cause: cause.into(), remedy: remedy.into(), passing: true, retry_after_ms: None }
}

/// Asked too often.
pub(super) fn throttled(vendor: Vendor, retry_after_ms: Option<u64>) -> Trouble {
    Trouble {
        cause: format!("{} asks for fewer requests (429)", vendor.name),
        remedy: String::from("wait a minute and run again; others who share the account or the key count too"),
        passing: true,
        retry_after_ms,
    }
}

/// The vendor itself is not well.
pub(super) fn down(vendor: Vendor, status: u16, retry_after_ms: Option<u64>) -> Trouble {
    Trouble {
        cause: format!("{} is not well: it answered {status}", vendor.name),
        remedy: format!("try again in a few minutes; {} says how it is", vendor.status_page),
        passing: true,
        retry_after_ms,
    }
}

/// Something answered that is not the vendor's API.
pub(super) fn garbage(vendor: Vendor, request: &str, endpoint: &str) -> Trouble {
    lasting(
        format!("what answered `{request}` is not {}: the answer cannot be read", vendor.name),
        format!("check the endpoint `{endpoint}`: a proxy, a login page or another program may answer there"),
    )
}

/// How long the answer asks us to wait: `Retry-After` in seconds or as a date, else what Honeycomb's `RateLimit` and
/// Rollbar's `X-Rate-Limit-Remaining-Seconds` say of the window.
pub(super) fn retry_after_ms(headers: &HeaderMap, now: Timestamp) -> Option<u64> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let bounded = |ms: u64| ms.min(LONGEST_WAIT_MS);
    let seconds = |value: &str| value.parse::<u64>().ok().map(|seconds| bounded(seconds.saturating_mul(1000)));
    if let Some(value) = text("retry-after") {
        if let Some(wait) = seconds(value) {
            return Some(wait);
        }
        if let Ok(date) = jiff::fmt::rfc2822::parse(value) {
            let ms = date.timestamp().as_millisecond().saturating_sub(now.as_millisecond());
            return Some(bounded(u64::try_from(ms).unwrap_or(0)));
        }
    }
    let window = text("ratelimit").and_then(|value| value.split([',', ';']).find_map(|part| part.trim().strip_prefix("reset=")));
    window.or_else(|| text("x-rate-limit-remaining-seconds")).and_then(seconds)
}

/// A vendor's message on one line, cut to a length that can be shown, with the given secrets taken out: vendors echo
/// the keys that they refuse.
pub(super) fn quote(message: &str, secrets: &[&str]) -> String {
    let mut text = message.split_whitespace().collect::<Vec<_>>().join(" ");
    for secret in secrets.iter().map(|secret| secret.trim()).filter(|secret| secret.len() >= SHORTEST_SECRET) {
        text = text.replace(secret, "…");
    }
    if text.chars().count() > LONGEST_MESSAGE {
        text = text.chars().take(LONGEST_MESSAGE).chain(['…']).collect();
    }
    text
}

#[cfg(test)]
mod tests {
    use http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn wait(name: &'static str, value: &str) -> Option<u64> {
        let mut headers = HeaderMap::new();
        headers.insert(name, HeaderValue::from_str(value).unwrap());
        retry_after_ms(&headers, "2026-03-01T12:00:00Z".parse().unwrap())
    }

    #[test]
    fn waits_are_read_in_every_form() {
        assert_eq!(wait("retry-after", "7"), Some(7_000));
        assert_eq!(wait("retry-after", "Sun, 01 Mar 2026 12:00:30 GMT"), Some(30_000));
        assert_eq!(wait("retry-after", "Sun, 01 Mar 2026 11:00:00 GMT"), Some(0));
        assert_eq!(wait("retry-after", "99999999999"), Some(LONGEST_WAIT_MS));
        assert_eq!(wait("retry-after", "soon"), None);
        assert_eq!(wait("ratelimit", "limit=100, remaining=0, reset=12"), Some(12_000));
        assert_eq!(wait("x-rate-limit-remaining-seconds", "41"), Some(41_000));
    }

    #[test]
    fn a_quoted_message_has_neither_the_secret_nor_line_breaks() {
        assert_eq!(quote("access token not found:\n  abc123", &["abc123", ""]), "access token not found: …");
        assert_eq!(quote("a bad key", &["a"]), "a bad key");
        assert_eq!(quote(&"x".repeat(1000), &[]).chars().count(), LONGEST_MESSAGE + 1);
    }

    proptest! {
        #[test]
        fn no_header_makes_it_panic(value in "[ -~]{0,60}") {
            for name in ["retry-after", "ratelimit", "x-rate-limit-remaining-seconds"] {
                if let Some(ms) = wait(name, &value) {
                    prop_assert!(ms <= LONGEST_WAIT_MS);
                }
            }
        }
    }
}
