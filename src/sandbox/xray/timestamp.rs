//! Times on the wire: Rust sends fractions, boto integers, people ISO 8601.

use serde::de::{Deserializer, Error, Unexpected, Visitor};
use serde::{Deserialize, Serialize};

/// Unix seconds, finite and within the years that a calendar knows.
#[derive(Debug, Clone, Copy, PartialEq, PartialOrd, Serialize)]
#[serde(transparent)]
pub(super) struct Seconds(pub f64);

/// 31 December 9999: later times overflow what clients can show.
const LATEST: f64 = 253_402_300_799.0;

impl Seconds {
    /// From the sandbox's clock.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit in 53 bits")]
    pub fn from_ms(ms: i64) -> Self {
        Self(ms as f64 / 1000.0)
    }

    fn bounded(value: f64) -> Option<Self> {
        (0.0..=LATEST).contains(&value).then_some(Self(value))
    }

    #[expect(clippy::cast_precision_loss, reason = "milliseconds of this era fit in 53 bits")]
    fn read(text: &str) -> Option<Self> {
        let seconds = match text.parse::<f64>() {
            Ok(seconds) => seconds,
            Err(_) => text.parse::<jiff::Timestamp>().ok()?.as_millisecond() as f64 / 1000.0,
        };
        Self::bounded(seconds)
    }
}

impl<'de> Deserialize<'de> for Seconds {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;
        impl Visitor<'_> for Reader {
            type Value = Seconds;

            fn expecting(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                formatter.write_str("a time in Unix seconds or in ISO 8601")
            }

            fn visit_f64<E: Error>(self, value: f64) -> Result<Seconds, E> {
                Seconds::bounded(value).ok_or_else(|| E::invalid_value(Unexpected::Float(value), &self))
            }

            #[expect(clippy::cast_precision_loss, reason = "what is out of range is refused")]
            fn visit_u64<E: Error>(self, value: u64) -> Result<Seconds, E> {
                self.visit_f64(value as f64)
            }

            #[expect(clippy::cast_precision_loss, reason = "what is out of range is refused")]
            fn visit_i64<E: Error>(self, value: i64) -> Result<Seconds, E> {
                self.visit_f64(value as f64)
            }

            fn visit_str<E: Error>(self, text: &str) -> Result<Seconds, E> {
                Seconds::read(text).ok_or_else(|| E::invalid_value(Unexpected::Str(text), &self))
            }
        }
        deserializer.deserialize_any(Reader)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_iso_are_read_and_nonsense_is_not() {
        let read = |text: &str| serde_json::from_str::<Seconds>(text).ok().map(|seconds| seconds.0);
        assert_eq!(read("1700000000"), Some(1_700_000_000.0));
        assert_eq!(read("1700000000.25"), Some(1_700_000_000.25));
        assert_eq!(read("\"2023-11-14T22:13:20Z\""), Some(1_700_000_000.0));
        assert_eq!(read("\"1700000000\""), Some(1_700_000_000.0));
        for nonsense in ["-1", "1e300", "\"soon\"", "null", "\"NaN\"", "[]"] {
            assert_eq!(read(nonsense), None, "{nonsense}");
        }
    }
}
