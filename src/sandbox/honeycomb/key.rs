//! Keys: which are taken, and what they may do.

use crate::sandbox::Keys;

/// What a key may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Send events, and nothing else.
    Ingest,
    /// Send and read.
    Configuration,
}

/// A key that the sandbox takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Key {
    /// What it may do.
    pub kind: Kind,
    /// Whether it is of the Classic kind, which names its dataset in a header instead of by the service.
    pub classic: bool,
}

/// Why a key is not taken. No variant holds the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// There is no `X-Honeycomb-Team` header.
    #[error("the `X-Honeycomb-Team` header is missing; set `OTEL_EXPORTER_OTLP_HEADERS` to `x-honeycomb-team=<key>`")]
    Missing,
    /// The header is there, with nothing in it.
    #[error("the `X-Honeycomb-Team` header is empty: the variable with the key was not set where the service was started")]
    Blank,
    /// The header holds something that is no key.
    #[error("the key has {length} characters and no form that Honeycomb issues{hint}")]
    Malformed {
        /// How many characters it has.
        length: usize,
        /// What it looks like.
        hint: &'static str,
    },
    /// A management key, which goes into another header.
    #[error("this is a management key, which works with `Authorization: Bearer` on `/2` alone; use an ingest key")]
    Management,
    /// An ingest key where something is to be read.
    #[error("this is an ingest key, which may only send; reading takes a configuration key")]
    SendOnly,
}

impl KeyError {
    /// The stable word for a rejection.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        match self {
            Self::Missing => "missing-key",
            Self::Blank => "blank-key",
            Self::Malformed { .. } => "unknown-key",
            Self::Management | Self::SendOnly => "wrong-kind-of-key",
        }
    }
}

/// Judges the value of the `X-Honeycomb-Team` header. Besides the sandbox's own keys every key of a form that
/// Honeycomb issues is taken, so that a service keeps the key it has.
///
/// # Errors
/// When there is no key, or none that could be one.
pub fn authenticate(keys: &Keys, header: Option<&str>) -> Result<Key, KeyError> {
    let value = header.ok_or(KeyError::Missing)?;
    if value.trim().is_empty() {
        return Err(KeyError::Blank);
    }
    if value == keys.honeycomb_ingest {
        return Ok(Key { kind: Kind::Ingest, classic: false });
    }
    if value == keys.honeycomb_configuration {
        return Ok(Key { kind: Kind::Configuration, classic: false });
    }
    let bytes = value.as_bytes();
    let alphanumeric = bytes.iter().all(u8::is_ascii_alphanumeric);
    if let [b'h', b'c', region, kind @ (b'i' | b'l' | b'm'), form @ (b'k' | b'c'), b'_', rest @ ..] = bytes
        && region.is_ascii_lowercase()
        && rest.iter().all(u8::is_ascii_alphanumeric)
    {
        match (kind, form, bytes.len()) {
            (b'm', ..) => return Err(KeyError::Management),
            (b'i', b'k', 64) => return Ok(Key { kind: Kind::Ingest, classic: false }),
            (b'i', b'c', 64) => return Ok(Key { kind: Kind::Ingest, classic: true }),
            (b'l', b'k', 22..) => return Ok(Key { kind: Kind::Configuration, classic: false }),
            _ => return Err(KeyError::Malformed { length: bytes.len(), hint: "; part of it seems to be missing" }),
        }
    }
    match bytes.len() {
        22 if alphanumeric => Ok(Key { kind: Kind::Configuration, classic: false }),
        32 if bytes.iter().all(u8::is_ascii_hexdigit) => Ok(Key { kind: Kind::Configuration, classic: true }),
        length => Err(KeyError::Malformed { length: value.chars().count(), hint: hint(value, length) }),
    }
}

fn hint(value: &str, length: usize) -> &'static str {
    if value.contains(char::is_whitespace) {
        "; there is whitespace in it"
    } else if value.contains(['"', '\'']) {
        "; there are quotation marks in it"
    } else if value.contains(['$', '{', '}']) {
        "; it looks like a variable that was not replaced"
    } else if value.contains('=') {
        "; it looks like a whole `name=value` pair"
    } else if length < 22 {
        "; it is too short"
    } else {
        ""
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn judge(value: &str) -> Result<Key, KeyError> {
        authenticate(&Keys::default(), Some(value))
    }

    #[test]
    fn the_forms_that_honeycomb_issues_are_taken() {
        let key = |kind, classic| Ok(Key { kind, classic });
        let keys = Keys::default();
        assert_eq!(judge(&keys.honeycomb_ingest), key(Kind::Ingest, false));
        assert_eq!(judge(&keys.honeycomb_configuration), key(Kind::Configuration, false));
        assert_eq!(judge("aZ3456789012345678901X"), key(Kind::Configuration, false));
        assert_eq!(judge("0123456789abcdef0123456789abcdef"), key(Kind::Configuration, true));
        assert_eq!(judge(&format!("hcaik_{}", "0".repeat(58))), key(Kind::Ingest, false));
        assert_eq!(judge(&format!("hcaic_{}", "0".repeat(58))), key(Kind::Ingest, true));
        assert_eq!(judge(&format!("hcxlk_{}", "0".repeat(26))), key(Kind::Configuration, false));
    }

    #[test]
    fn what_is_no_key_is_refused_with_the_reason() {
        assert_eq!(authenticate(&Keys::default(), None), Err(KeyError::Missing));
        for blank in ["", "  "] {
            assert_eq!(judge(blank).unwrap_err().reason(), "blank-key");
        }
        for (wrong, word) in [
            ("${HONEYCOMB_API_KEY}", "variable"),
            ("\"sandboxIngestKey000001\"", "quotation"),
            ("abc", "too short"),
            ("hcaik_123", "missing"),
            ("sandboxIngestKey000001 x", "whitespace"),
        ] {
            let error = judge(wrong).unwrap_err();
            assert_eq!(error.reason(), "unknown-key", "{wrong}");
            assert!(error.to_string().contains(word), "{wrong}: {error}");
            assert!(!error.to_string().contains(wrong));
        }
        assert_eq!(judge("hcamk_0123456789").unwrap_err(), KeyError::Management);
    }

    proptest! {
        #[test]
        fn any_text_is_judged(text in "\\PC{0,80}") {
            let _ = judge(&text);
        }
    }
}
