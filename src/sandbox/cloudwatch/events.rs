//! The events of a PutLogEvents, read from JSON straight into the columns that a chunk is made of: a put of thousands of
//! events makes three allocations, not thousands.

use std::fmt;
use std::ops::Range;

use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

use super::chunk;

/// How many events a batch may have. Further ones are counted, and not kept.
pub(super) const MOST: usize = 10_000;

/// The times of events, and their messages side by side.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// Unix milliseconds.
    pub times: Vec<i64>,
    ends: Vec<usize>,
    text: Vec<u8>,
    /// How many there were, whatever they are like.
    pub count: usize,
    /// The first that lacks something. It and those behind it are not kept.
    pub faulty: Option<Faulty>,
}

/// What an event that cannot be kept has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Faulty {
    /// Its place, from 0.
    pub index: usize,
    pub timestamp: Option<i64>,
    /// How many bytes its message has.
    pub length: Option<usize>,
}

impl Events {
    /// The bytes of all messages.
    pub fn bytes(&self) -> usize {
        self.text.len()
    }

    /// The bytes of the longest message.
    pub fn longest(&self) -> usize {
        (0..self.ends.len()).map(|index| self.message(index).len()).max().unwrap_or(0)
    }

    /// A chunk of some of them.
    pub fn encode(&self, ingested_ms: i64, range: Range<usize>) -> Vec<u8> {
        chunk::encode(ingested_ms, range.map(|index| (self.times[index], self.message(index))))
    }

    fn message(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[start..self.ends[index]]
    }

    fn take(&mut self, timestamp: Option<i64>, length: Option<usize>) {
        let index = self.count;
        self.count += 1;
        let kept = self.ends.last().copied().unwrap_or(0);
        if self.faulty.is_none() && index < MOST {
            match (timestamp, length) {
                (Some(time), Some(length)) if time >= 0 && length > 0 => {
                    self.times.push(time);
                    self.ends.push(self.text.len());
                    return;
                }
                _ => self.faulty = Some(Faulty { index, timestamp, length }),
            }
        }
        self.text.truncate(kept);
    }
}

impl<'de> Deserialize<'de> for Events {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(List)
    }
}

struct List;

impl<'de> Visitor<'de> for List {
    type Value = Events;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a list of log events")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Events, A::Error> {
        let mut events = Events::default();
        while list.next_element_seed(Event(&mut events))?.is_some() {}
        Ok(events)
    }
}

#[derive(Deserialize)]
#[serde(field_identifier, rename_all = "lowercase")]
enum Member {
    Timestamp,
    Message,
    #[serde(other)]
    Other,
}

/// One event.
struct Event<'a>(&'a mut Events);

impl<'de> DeserializeSeed<'de> for Event<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Event<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a log event")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        let (mut timestamp, mut length) = (None, None);
        while let Some(member) = members.next_key()? {
            match member {
                Member::Timestamp if timestamp.is_some() => return Err(A::Error::duplicate_field("timestamp")),
                Member::Timestamp => timestamp = Some(members.next_value()?),
                Member::Message if length.is_some() => return Err(A::Error::duplicate_field("message")),
                Member::Message => length = Some(members.next_value_seed(Message(&mut self.0.text))?),
                Member::Other => drop(members.next_value::<IgnoredAny>()?),
            }
        }
        self.0.take(timestamp.flatten(), length.flatten());
        Ok(())
    }
}

/// A message, which goes to the end of the others. Gives its length; `None` for `null`.
struct Message<'a>(&'a mut Vec<u8>);

impl<'de> DeserializeSeed<'de> for Message<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_option(self)
    }
}

impl<'de> Visitor<'de> for Message<'_> {
    type Value = Option<usize>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a string")
    }

    fn visit_none<E: Error>(self) -> Result<Option<usize>, E> {
        Ok(None)
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<usize>, D::Error> {
        deserializer.deserialize_str(self)
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Option<usize>, E> {
        self.0.extend_from_slice(text.as_bytes());
        Ok(Some(text.len()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn read(text: &str) -> Result<Events, serde_json::Error> {
        serde_json::from_str(text)
    }

    fn pairs(events: &Events) -> Vec<(i64, String)> {
        let text = |index| String::from_utf8(events.message(index).to_vec()).unwrap();
        (0..events.times.len()).map(|index| (events.times[index], text(index))).collect()
    }

    #[test]
    fn members_may_stand_in_any_order_and_others_beside_them() {
        let events = read(r#"[{"message":"a\"\u00e4","timestamp":1},{"x":{"message":[]},"timestamp":2,"message":"b"}]"#).unwrap();
        assert_eq!(pairs(&events), [(1, String::from("a\"ä")), (2, String::from("b"))]);
        assert_eq!((events.count, events.faulty, events.bytes(), events.longest()), (2, None, 5, 4));
    }

    #[test]
    fn the_first_faulty_event_ends_what_is_kept() {
        for (faulty, timestamp, length) in [
            (json!({"message": "x"}), None, Some(1)),
            (json!({"timestamp": 7}), Some(7), None),
            (json!({"timestamp": null, "message": null}), None, None),
            (json!({"timestamp": 7, "message": ""}), Some(7), Some(0)),
            (json!({"timestamp": -1, "message": "x"}), Some(-1), Some(1)),
        ] {
            let good = json!({"timestamp": 1, "message": "good"});
            let events = read(&json!([good, faulty, good, faulty]).to_string()).unwrap();
            assert_eq!(pairs(&events), [(1, String::from("good"))]);
            assert_eq!((events.count, events.bytes()), (4, 4));
            assert_eq!(events.faulty, Some(Faulty { index: 1, timestamp, length }));
        }
    }

    #[test]
    fn what_is_no_list_of_events_is_refused() {
        for wrong in [
            "{}",
            "[1]",
            "[null]",
            "[[1,\"x\"]]",
            r#"[{"message":1}]"#,
            r#"[{"timestamp":"1"}]"#,
            r#"[{"timestamp":1.5}]"#,
            r#"[{"message":"a","message":"b"}]"#,
            r#"[{"timestamp":1,"timestamp":1}]"#,
            r#"[{"message":"\ud800"}]"#,
        ] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn events_beyond_the_most_are_counted_alone() {
        let many = vec![json!({"timestamp": 1, "message": "x"}); MOST + 3];
        let events = read(&Value::from(many).to_string()).unwrap();
        assert_eq!((events.count, events.times.len(), events.bytes(), events.faulty), (MOST + 3, MOST, MOST, None));
    }

    proptest! {
        #[test]
        fn events_come_out_as_they_went_in(list in prop::collection::vec((0..i64::MAX, "\\PC{1,12}|[\\x00-\\x1f\"\\\\]{1,4}"), 0..20)) {
            let wire: Vec<Value> = list.iter().map(|(time, text)| json!({"timestamp": time, "message": text})).collect();
            prop_assert_eq!(pairs(&read(&Value::from(wire).to_string()).unwrap()), list);
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC{0,40}|\\[(\\{(\"(message|timestamp)\":(null|1|-1|\"x?\"),?){0,3}\\},?){0,3}\\]") {
            if let Ok(events) = read(&text) {
                prop_assert!(events.times.len() <= events.count);
            }
        }
    }
}
