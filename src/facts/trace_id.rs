use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// One trace, in both worlds: W3C `4efaaf4d1e87…` (32 hex digits) is X-Ray `1-4efaaf4d-1e87…`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TraceId([u8; 16]);

/// Not a trace id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a trace id: 32 hex digits, or `1-` and 8 hex digits, `-` and 24 more")]
pub struct TraceIdError(String);

impl TraceId {
    /// A fresh id. Its first four bytes are the given second of the epoch, as X-Ray demands; the rest is random.
    #[must_use]
    pub fn fresh(epoch_seconds: u32) -> Self {
        let mut bytes = *uuid::Uuid::new_v4().as_bytes();
        // A UUID's fixed version and variant bits stand in bytes 6 and 8; a second one fills them with chance.
        let more = *uuid::Uuid::new_v4().as_bytes();
        bytes[6] = more[0];
        bytes[8] = more[1];
        bytes[..4].copy_from_slice(&epoch_seconds.to_be_bytes());
        Self(bytes)
    }

    /// 32 lower-case hex digits, as in `traceparent` and in Honeycomb.
    #[must_use]
    pub fn w3c(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// `1-8hex-24hex`, as in `X-Amzn-Trace-Id` and in X-Ray.
    #[must_use]
    pub fn xray(&self) -> String {
        let hex = self.w3c();
        format!("1-{}-{}", &hex[..8], &hex[8..])
    }

    /// The second of the epoch that the id carries.
    #[must_use]
    pub fn epoch_seconds(&self) -> u32 {
        u32::from_be_bytes([self.0[0], self.0[1], self.0[2], self.0[3]])
    }
}

impl FromStr for TraceId {
    type Err = TraceIdError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let wrong = || TraceIdError(text.chars().take(64).collect());
        let hex: String = match text.strip_prefix("1-") {
            Some(rest) => {
                let (time, random) = rest.split_once('-').ok_or_else(wrong)?;
                if time.len() != 8 {
                    return Err(wrong());
                }
                [time, random].concat()
            }
            None => text.to_owned(),
        };
        if hex.len() != 32 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(wrong());
        }
        let mut bytes = [0; 16];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&hex[index * 2..index * 2 + 2], 16).map_err(|_| wrong())?;
        }
        Ok(Self(bytes))
    }
}

impl fmt::Display for TraceId {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.w3c())
    }
}

impl TryFrom<String> for TraceId {
    type Error = TraceIdError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        text.parse()
    }
}

impl From<TraceId> for String {
    fn from(id: TraceId) -> Self {
        id.w3c()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_id_in_both_worlds() {
        let id: TraceId = "4efaaf4d1e8720b39541901950019ee5".parse().unwrap();
        assert_eq!(id.xray(), "1-4efaaf4d-1e8720b39541901950019ee5");
        assert_eq!(id.xray().parse::<TraceId>().unwrap(), id);
        assert_eq!(id.epoch_seconds(), 0x4efa_af4d);
    }

    #[test]
    fn fresh_ids_carry_their_second_and_differ() {
        let (one, two) = (TraceId::fresh(1_700_000_000), TraceId::fresh(1_700_000_000));
        assert_eq!(one.epoch_seconds(), 1_700_000_000);
        assert_ne!(one, two);
    }

    proptest! {
        #[test]
        fn parsing_never_panics(text in "\\PC{0,40}") {
            let _ = text.parse::<TraceId>();
        }

        #[test]
        fn what_is_printed_is_read_back(seconds: u32) {
            let id = TraceId::fresh(seconds);
            prop_assert_eq!(id.w3c().parse::<TraceId>().unwrap(), id);
            prop_assert_eq!(id.xray().parse::<TraceId>().unwrap(), id);
        }
    }
}
