//! The bytes of a chunk: events of one stream, in the order of arrival.
//!
//! ```text
//! u32 batches · u32 events · batches × (i64 number, i64 ingested_ms, u32 count) · events × (i64 timestamp_ms, u32 length) · messages
//! ```
//! Little-endian throughout. The messages lie side by side, so that one search looks at all of them. A batch's number is 0
//! while it lives in the row of its own insertion, whose id is the number; merging writes it down.

use memchr::memmem::Finder;

use super::position::Key;

const HEAD: usize = 8;
const BATCH: usize = 20;
const EVENT: usize = 12;

/// One event, borrowed from its chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Event<'a> {
    pub key: Key,
    pub ingested_ms: i64,
    /// UTF-8, as it was put.
    pub message: &'a [u8],
}

/// The bytes of one batch that has just arrived.
pub(super) fn encode<'a>(ingested_ms: i64, events: impl ExactSizeIterator<Item = (i64, &'a [u8])> + Clone) -> Vec<u8> {
    let text: usize = events.clone().map(|(_, message)| message.len()).sum();
    let mut bytes = Vec::with_capacity(HEAD + BATCH + EVENT * events.len() + text);
    let count = size(events.len());
    bytes.extend(1_u32.to_le_bytes());
    bytes.extend(count.to_le_bytes());
    push_batch(&mut bytes, 0, ingested_ms, count);
    for (timestamp_ms, message) in events.clone() {
        bytes.extend(timestamp_ms.to_le_bytes());
        bytes.extend(size(message.len()).to_le_bytes());
    }
    for (_, message) in events {
        bytes.extend_from_slice(message);
    }
    bytes
}

/// One chunk of several, given with the ids of their rows.
pub(super) fn merge(chunks: &[(i64, Vec<u8>)]) -> Vec<u8> {
    let parts: Vec<Chunk<'_>> = chunks.iter().filter_map(|(row, bytes)| Chunk::parse(*row, bytes)).collect();
    let mut merged = Vec::with_capacity(chunks.iter().map(|(_, bytes)| bytes.len()).sum());
    merged.extend(size(parts.iter().map(|part| part.batches.len() / BATCH).sum()).to_le_bytes());
    merged.extend(size(parts.iter().map(|part| part.events.len() / EVENT).sum()).to_le_bytes());
    for part in &parts {
        for batch in part.batches() {
            push_batch(&mut merged, batch.number, batch.ingested_ms, batch.count);
        }
    }
    for part in &parts {
        merged.extend_from_slice(part.events);
    }
    for part in &parts {
        merged.extend_from_slice(part.messages);
    }
    merged
}

fn push_batch(bytes: &mut Vec<u8>, number: i64, ingested_ms: i64, count: u32) {
    bytes.extend(number.to_le_bytes());
    bytes.extend(ingested_ms.to_le_bytes());
    bytes.extend(count.to_le_bytes());
}

fn size(length: usize) -> u32 {
    u32::try_from(length).unwrap_or(u32::MAX)
}

#[derive(Debug, Clone, Copy)]
struct Batch {
    number: i64,
    ingested_ms: i64,
    count: u32,
}

/// A chunk, as it lies in its row.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chunk<'a> {
    row: i64,
    batches: &'a [u8],
    events: &'a [u8],
    messages: &'a [u8],
}

impl<'a> Chunk<'a> {
    /// Reads the frame; `None` where the bytes are not a chunk.
    pub fn parse(row: i64, bytes: &'a [u8]) -> Option<Self> {
        let (head, rest) = bytes.split_at_checked(HEAD)?;
        let batches = usize::try_from(u32_at(head, 0)).ok()?.checked_mul(BATCH)?;
        let events = usize::try_from(u32_at(head, 4)).ok()?.checked_mul(EVENT)?;
        let (batches, rest) = rest.split_at_checked(batches)?;
        let (events, messages) = rest.split_at_checked(events)?;
        Some(Self { row, batches, events, messages })
    }

    /// All messages, side by side.
    pub fn messages(&self) -> &'a [u8] {
        self.messages
    }

    fn batches(&self) -> impl Iterator<Item = Batch> + 'a {
        let row = self.row;
        self.batches.chunks_exact(BATCH).map(move |bytes| {
            let number = i64_at(bytes, 0);
            Batch { number: if number == 0 { row } else { number }, ingested_ms: i64_at(bytes, 8), count: u32_at(bytes, 16) }
        })
    }

    /// Calls `visit` with every event, or with only those whose message holds the needle.
    pub fn visit(&self, needle: Option<&Finder<'_>>, mut visit: impl FnMut(Event<'a>)) {
        let mut hit = match needle {
            Some(finder) => match finder.find(self.messages) {
                Some(at) => at,
                None => return,
            },
            None => 0,
        };
        let mut batches = self.batches();
        let (mut batch, mut index) = (Batch { number: 0, ingested_ms: 0, count: 0 }, 0);
        let mut start = 0;
        for event in self.events.chunks_exact(EVENT) {
            while index >= batch.count {
                let Some(next) = batches.next() else { return };
                (batch, index) = (next, 0);
            }
            let length = usize::try_from(u32_at(event, 8)).unwrap_or(usize::MAX);
            let Some(message) = self.messages.get(start..).and_then(|rest| rest.get(..length)) else { return };
            let (at, end) = (index, start + length);
            index += 1;
            start = end;
            if let Some(finder) = needle {
                if hit >= end {
                    continue;
                }
                let inside = hit + finder.needle().len() <= end;
                // A hit that reaches into the next message is none; a later one in this message would reach further still.
                let next = finder.find(&self.messages[end..]).map(|offset| end + offset);
                hit = next.unwrap_or(usize::MAX);
                if !inside {
                    continue;
                }
            }
            let key = Key { timestamp_ms: i64_at(event, 0), batch: batch.number, index: at };
            visit(Event { key, ingested_ms: batch.ingested_ms, message });
            if hit == usize::MAX {
                return;
            }
        }
    }
}

fn i64_at(bytes: &[u8], at: usize) -> i64 {
    bytes.get(at..at + 8).and_then(|bytes| bytes.try_into().ok()).map_or(0, i64::from_le_bytes)
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).map_or(0, u32::from_le_bytes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn all(row: i64, bytes: &[u8], needle: Option<&str>) -> Vec<(i64, i64, u32, String)> {
        let finder = needle.map(Finder::new);
        let mut events = Vec::new();
        Chunk::parse(row, bytes).unwrap().visit(finder.as_ref(), |event| {
            let text = String::from_utf8(event.message.to_vec()).unwrap();
            events.push((event.key.timestamp_ms, event.key.batch, event.key.index, text));
        });
        events
    }

    fn bytes_of(ingested_ms: i64, events: &[(i64, String)]) -> Vec<u8> {
        encode(ingested_ms, events.iter().map(|(at, text)| (*at, text.as_bytes())))
    }

    proptest! {
        #[test]
        fn what_went_in_comes_out_merged_or_not(batches in prop::collection::vec(prop::collection::vec((0..100_i64, "[ab]{0,4}"), 1..5), 1..6), needle in "[ab]{1,3}") {
            let rows: Vec<(i64, Vec<u8>)> = batches.iter().zip(7..).map(|(events, row)| (row, bytes_of(row * 10, events))).collect();
            let apart: Vec<_> = rows.iter().flat_map(|(row, bytes)| all(*row, bytes, None)).collect();
            let texts: Vec<&str> = batches.iter().flatten().map(|(_, text)| text.as_str()).collect();
            prop_assert_eq!(apart.iter().map(|event| event.3.as_str()).collect::<Vec<_>>(), texts);
            let merged = merge(&rows);
            prop_assert_eq!(&all(99, &merged, None), &apart);
            // Merging what was merged changes nothing.
            prop_assert_eq!(&merge(&[(99, merged.clone())]), &merged);
            let found: Vec<_> = apart.into_iter().filter(|event| event.3.contains(&needle)).collect();
            prop_assert_eq!(all(99, &merged, Some(&needle)), found);
        }

        #[test]
        fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..200), few in 0..4_u32, more in 0..9_u32) {
            let mut framed = [few.to_le_bytes(), more.to_le_bytes()].concat();
            framed.extend(&bytes);
            for bytes in [&bytes, &framed] {
                if let Some(chunk) = Chunk::parse(1, bytes) {
                    chunk.visit(None, |_| ());
                    chunk.visit(Some(&Finder::new(b"a")), |_| ());
                }
            }
        }
    }
}
