//! A small witness of a chunk's texts: it says for sure when a text does not occur, so that most chunks need not be read.
//!
//! It is a Bloom filter over *minimizers*: of every [`WINDOW`] neighbouring runs of [`GRAM`] bytes the one with the least
//! hash. A text that occurs brings its windows along, and so its minimizers. Log lines repeat themselves, which makes the
//! filter a twentieth of the lines or less.

const GRAM: usize = 5;
const WINDOW: usize = 4;

/// How many windows are looked at at a time.
const BLOCK: usize = 512;

/// The smallest filter, in bytes. A larger one has from an eighth to a quarter of its bits set: with two probes, at most six
/// in a hundred pass that should not, for one minimizer alone.
const SMALLEST: usize = 8;

/// How many recent minimizers are remembered while a filter is made.
const SLOTS: u32 = 4096;

/// The shortest text of which the filter can say anything, in bytes.
pub(super) const SHORTEST: usize = GRAM + WINDOW - 1;

/// The filter of a chunk's messages.
pub(super) fn sketch(messages: &[u8]) -> Vec<u8> {
    // Lines repeat themselves: what was seen last in its slot need not be sorted again. A slot begins with a value of another.
    let mut slots: Vec<u32> = (0..SLOTS).map(|slot| slot ^ 1).collect();
    let mut found = Vec::new();
    let mut count = 0;
    minimizers(messages, |hashes| {
        found.resize(count + hashes.len(), 0);
        for &hash in hashes {
            let slot = &mut slots[(hash % SLOTS) as usize];
            // Written in any case, and kept if it is new: there is no telling beforehand, which makes a jump dear.
            found[count] = hash;
            count += usize::from(*slot != hash);
            *slot = hash;
        }
    });
    found.truncate(count);
    let mut filter = vec![0; found.len().next_power_of_two().max(SMALLEST)];
    for hash in found {
        for bit in probes(hash, filter.len()) {
            filter[bit / 8] |= 1 << (bit % 8);
        }
    }
    // What came again has set the same bits again. A filter with room to spare is laid upon itself: as its size is a power
    // of two, each half answers for the other.
    let mut set: usize = filter.iter().map(|byte: &u8| byte.count_ones() as usize).sum();
    while set < filter.len() && filter.len() > SMALLEST {
        let upper = filter.split_off(filter.len() / 2);
        for (byte, other) in filter.iter_mut().zip(upper) {
            *byte |= other;
        }
        set = filter.iter().map(|byte| byte.count_ones() as usize).sum();
    }
    filter
}

/// Whether the text may occur in what the filter was made of.
pub(super) fn may_hold(filter: &[u8], text: &[u8]) -> bool {
    if !filter.len().is_power_of_two() || text.len() < SHORTEST {
        return true;
    }
    let mut all = true;
    let is_set = |bit: usize| filter[bit / 8] & (1 << (bit % 8)) != 0;
    minimizers(text, |hashes| all &= hashes.iter().all(|hash| probes(*hash, filter.len()).into_iter().all(is_set)));
    all
}

/// Two places in a filter of that many bytes, a power of two.
fn probes(hash: u32, bytes: usize) -> [usize; 2] {
    let mask = bytes * 8 - 1;
    let second = hash.rotate_left(16).wrapping_mul(0x85eb_ca6b);
    [hash, second ^ (second >> 15)].map(|hash| usize::try_from(hash).unwrap_or(0) & mask)
}

/// Calls `each` with all minimizers, some at a time; the same one may come again, though not at once.
///
/// Every byte that is ever put goes through here. Hashes and minima are made a block at a time and without any state from
/// one to the next, which the compiler turns into vector instructions; the rest does without a jump.
fn minimizers(text: &[u8], mut each: impl FnMut(&[u32])) {
    const HASHES: usize = BLOCK + WINDOW - 1;
    let (mut hashes, mut least, mut picked) = ([0; HASHES], [0; BLOCK], [0; BLOCK]);
    let (mut last, mut rest) = (None, text);
    while rest.len() >= SHORTEST {
        let windows = (rest.len() + 1 - SHORTEST).min(BLOCK);
        for (hash, gram) in hashes.iter_mut().zip(rest.windows(GRAM)) {
            *hash = hash_of(gram);
        }
        for (least, window) in least.iter_mut().zip(hashes.windows(WINDOW)) {
            *least = window[0].min(window[1]).min(window[2].min(window[3]));
        }
        let least = &least[..windows];
        // What came last must not come again; anything else will do for what came before the first.
        let (mut before, mut count) = (last.unwrap_or(!least[0]), 0);
        for &hash in least {
            picked[count % BLOCK] = hash;
            count += usize::from(hash != before);
            before = hash;
        }
        each(&picked[..count]);
        last = Some(before);
        // The next block begins with the first window that is not done.
        rest = &rest[windows..];
    }
}

fn hash_of(gram: &[u8]) -> u32 {
    let head = u32::from_le_bytes([gram[0], gram[1], gram[2], gram[3]]);
    let mixed = head.wrapping_mul(0x9e37_79b1) ^ u32::from(gram[4]).wrapping_mul(0x85eb_ca77);
    (mixed ^ (mixed >> 15)).wrapping_mul(0x2c1b_3c6d)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The minimizers by their definition, each run of the same one once.
    fn plainly(text: &[u8]) -> Vec<u32> {
        let hashes: Vec<u32> = text.windows(GRAM).map(hash_of).collect();
        let mut least: Vec<u32> = hashes.windows(WINDOW).filter_map(|window| window.iter().min().copied()).collect();
        least.dedup();
        least
    }

    proptest! {
        #[test]
        fn minimizers_are_what_they_are_by_definition(text in prop::collection::vec(0..4_u8, 0..(3 * BLOCK))) {
            let mut found = Vec::new();
            minimizers(&text, |hashes| found.extend_from_slice(hashes));
            prop_assert_eq!(found, plainly(&text));
        }

        #[test]
        fn what_occurs_is_never_denied(text in prop::collection::vec(any::<u8>(), 0..300), start in 0..300_usize, length in 0..60_usize) {
            let filter = sketch(&text);
            let start = start.min(text.len());
            prop_assert!(may_hold(&filter, &text[start..text.len().min(start + length)]));
        }

        #[test]
        fn a_long_text_is_looked_at_block_by_block(head in 0..(3 * BLOCK), length in SHORTEST..(2 * BLOCK)) {
            let text: Vec<u8> = (0..6 * BLOCK).flat_map(usize::to_le_bytes).collect();
            prop_assert!(may_hold(&sketch(&text), &text[head..head + length]));
        }

        #[test]
        fn any_filter_is_asked_without_panic(filter in prop::collection::vec(any::<u8>(), 0..20), text in prop::collection::vec(any::<u8>(), 0..30)) {
            let _ = may_hold(&filter, &text);
        }
    }

    #[test]
    fn what_does_not_occur_is_mostly_denied() {
        let line = |n: u64| {
            format!("127.0.0.1 - GET /api/activities/home?bootcamp={:08x} HTTP/1.1 200", n * 2_654_435_761 % (1_u64 << 32))
        };
        let text: String = (0..2000_u64).map(line).collect();
        let filter = sketch(text.as_bytes());
        assert!(filter.len() * 5 < text.len(), "{} of {}", filter.len(), text.len());
        let wrong = (2000..3000_u64)
            .filter(|n| may_hold(&filter, format!("bootcamp={:08x}", n * 2_654_435_761 % (1_u64 << 32)).as_bytes()))
            .count();
        assert!(wrong < 100, "{wrong} of 1000");
    }
}
