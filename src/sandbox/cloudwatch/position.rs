//! Where an event stands in the order of its group, and the tokens made of it.

/// An event's place: by its own time, then by the order of arrival.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    /// Unix milliseconds, never negative.
    pub timestamp_ms: i64,
    /// The number of its batch: grows with every PutLogEvents.
    pub batch: i64,
    /// Its index in the batch.
    pub index: u32,
}

/// A place between events: just before or just after one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Gap {
    pub key: Key,
    pub after: bool,
}

impl Gap {
    /// Before everything.
    pub const START: Self = Self { key: Key { timestamp_ms: 0, batch: 0, index: 0 }, after: false };

    /// Whether the event comes after this place.
    pub fn precedes(&self, key: &Key) -> bool {
        if self.after { *key > self.key } else { *key >= self.key }
    }
}

impl Key {
    /// 56 digits, unique within the store and stable: what AWS calls `eventId`.
    pub fn event_id(&self, stream: i64) -> String {
        format!("3{:014}{:012}{:019}{:09}0", self.timestamp_ms, stream, self.batch, self.index)
    }

    /// The key and the stream that an event's id names.
    pub fn parse(id: &str) -> Option<(Self, i64)> {
        let (gap, stream) = parse_digits(id)?;
        (!gap.after).then_some((gap.key, stream))
    }
}

/// A token of 56 digits for a place.
pub(super) fn digits(gap: &Gap) -> String {
    let mut digits = gap.key.event_id(0);
    if gap.after {
        digits.pop();
        digits.push('1');
    }
    digits
}

/// What [`digits`] made; `None` for anything else.
pub(super) fn parse(digits: &str) -> Option<Gap> {
    parse_digits(digits).map(|(gap, _)| gap)
}

fn parse_digits(digits: &str) -> Option<(Gap, i64)> {
    if digits.len() != 56 || !digits.bytes().all(|byte| byte.is_ascii_digit()) || !digits.starts_with('3') {
        return None;
    }
    let after = match digits.as_bytes()[55] {
        b'0' => false,
        b'1' => true,
        _ => return None,
    };
    let key = Key {
        timestamp_ms: digits[1..15].parse().ok()?,
        batch: digits[27..46].parse().ok()?,
        index: digits[46..55].parse().ok()?,
    };
    Some((Gap { key, after }, digits[15..27].parse().ok()?))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_place_survives_its_token(timestamp_ms in 0..99_999_999_999_999_i64, batch in 0..i64::MAX, index in 0..10_000_u32, after: bool) {
            let gap = Gap { key: Key { timestamp_ms, batch, index }, after };
            prop_assert_eq!(parse(&digits(&gap)), Some(gap));
        }

        #[test]
        fn any_text_is_parsed_or_refused(text in "\\PC{0,60}|[0-9]{56}|3[0-9]{54}[01]") {
            if let Some(gap) = parse(&text) {
                prop_assert_eq!(parse(&digits(&gap)), Some(gap));
            }
        }
    }
}
