use std::collections::VecDeque;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::facts::Secret;

/// How many lines are kept: the last ones.
const LINES: usize = 5_000;

/// How many bytes of a line are kept: the first ones.
pub(super) const LINE_BYTES: usize = 4_096;

/// What stands where a line was cut.
const CUT: &str = " … (line cut)";

/// What stands in the place of a secret.
const MASK: &str = "•••";

/// What a program printed, on both of its streams, in the order of arrival: bounded, readable while it is written, cheap to
/// clone.
///
/// Lines are kept as text: bytes that are not UTF-8 become `�`, terminal escapes and control characters are left out,
/// known secrets are masked, long lines are cut.
#[derive(Debug, Clone, Default)]
pub struct Output {
    ring: Arc<Mutex<Ring>>,
    masked: Arc<[Secret]>,
    /// Lines that this handle does not show, counted from the first that was ever printed.
    left_out: Range<usize>,
}

#[derive(Debug, Default)]
struct Ring {
    lines: VecDeque<String>,
    dropped: usize,
}

impl Output {
    /// An empty output that masks these secrets.
    pub(super) fn masking(secrets: &[Secret]) -> Self {
        // a short value would mask half of what is printed
        let masked = secrets.iter().filter(|secret| secret.expose().trim().len() >= 6).cloned().collect();
        Self { ring: Arc::default(), masked, left_out: 0..0 }
    }

    /// The lines that are kept, oldest first.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        self.lock().shown(&self.left_out).cloned().collect()
    }

    /// The last lines.
    #[must_use]
    pub fn last(&self, count: usize) -> Vec<String> {
        let ring = self.lock();
        let mut last: Vec<String> = ring.shown(&self.left_out).rev().take(count).cloned().collect();
        last.reverse();
        last
    }

    /// How many lines were printed so far, those included that were let go.
    #[must_use]
    pub fn count(&self) -> usize {
        let ring = self.lock();
        ring.dropped + ring.lines.len()
    }

    /// The same output without some of its lines, counted from the first that was ever printed: what belongs to an earlier
    /// run, say.
    #[must_use]
    pub fn without(&self, left_out: Range<usize>) -> Self {
        Self { left_out, ..self.clone() }
    }

    /// How many older lines were let go.
    #[must_use]
    pub fn dropped(&self) -> usize {
        self.lock().dropped
    }

    /// Adds one line, given as it was printed.
    pub(super) fn push(&self, bytes: &[u8], cut: bool) {
        let mut line = plain(&String::from_utf8_lossy(bytes));
        for secret in self.masked.iter() {
            let value = secret.expose().trim();
            if line.contains(value) {
                line = line.replace(value, MASK);
            }
        }
        if cut {
            line.push_str(CUT);
        }
        self.keep(line);
    }

    /// Adds one line, as it is.
    pub(super) fn keep(&self, line: String) {
        let mut ring = self.lock();
        if ring.lines.len() == LINES {
            ring.lines.pop_front();
            ring.dropped += 1;
        }
        ring.lines.push_back(line);
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Ring {
    fn shown(&self, left_out: &Range<usize>) -> impl DoubleEndedIterator<Item = &String> {
        let (dropped, left_out) = (self.dropped, left_out.clone());
        self.lines.iter().enumerate().filter(move |(index, _)| !left_out.contains(&(dropped + index))).map(|(_, line)| line)
    }
}

/// Cuts a stream of bytes into lines, and long lines off.
pub(super) struct Cutter {
    line: Vec<u8>,
    limit: usize,
    cut: bool,
}

impl Cutter {
    pub(super) fn new(limit: usize) -> Self {
        Self { line: Vec::new(), limit, cut: false }
    }

    /// Takes bytes and hands on every line that they end.
    pub(super) fn feed(&mut self, mut bytes: &[u8], take: &mut dyn FnMut(&[u8], bool)) {
        while let Some(end) = memchr::memchr(b'\n', bytes) {
            self.append(&bytes[..end]);
            self.finish(take);
            bytes = &bytes[end + 1..];
        }
        self.append(bytes);
    }

    /// Hands on what is left at the end of the stream.
    pub(super) fn end(&mut self, take: &mut dyn FnMut(&[u8], bool)) {
        if !self.line.is_empty() {
            self.finish(take);
        }
    }

    fn append(&mut self, bytes: &[u8]) {
        let room = self.limit.saturating_sub(self.line.len());
        self.cut |= bytes.len() > room;
        self.line.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn finish(&mut self, take: &mut dyn FnMut(&[u8], bool)) {
        let line = self.line.strip_suffix(b"\r").unwrap_or(&self.line);
        take(line, self.cut);
        self.line.clear();
        self.cut = false;
    }
}

/// A line without terminal escapes (ECMA-48: CSI, OSC and other strings, single characters) and control characters.
pub(super) fn plain(line: &str) -> String {
    let mut text = String::with_capacity(line.len());
    let mut characters = line.chars().peekable();
    while let Some(character) = characters.next() {
        match character {
            '\u{1b}' => match characters.next() {
                Some('[') => drop(characters.by_ref().find(|c| ('@'..='~').contains(c))),
                Some(']' | 'P' | 'X' | '^' | '_') => {
                    // ends with BEL or with ESC \
                    while let Some(within) = characters.next() {
                        if within == '\u{7}' {
                            break;
                        }
                        if within == '\u{1b}' {
                            characters.next();
                            break;
                        }
                    }
                }
                Some(' '..='/') => drop(characters.by_ref().find(|c| ('0'..='~').contains(c))),
                _ => {}
            },
            '\u{9b}' => drop(characters.by_ref().find(|c| ('@'..='~').contains(c))),
            '\t' => text.push('\t'),
            // a carriage return redraws the line: what was there before is gone
            '\r' if characters.peek().is_some() => text.clear(),
            control if control.is_control() => {}
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cut(limit: usize, chunks: &[&[u8]]) -> Vec<(String, bool)> {
        let mut lines = Vec::new();
        let mut take = |line: &[u8], cut: bool| lines.push((String::from_utf8_lossy(line).into_owned(), cut));
        let mut cutter = Cutter::new(limit);
        for chunk in chunks {
            cutter.feed(chunk, &mut take);
        }
        cutter.end(&mut take);
        lines
    }

    #[test]
    fn lines_are_put_together_from_chunks_and_cut() {
        let lines = cut(5, &[b"ab", b"c\r\n\nlong", b"er line\nend"]);
        let expected = [("abc", false), ("", false), ("longe", true), ("end", false)];
        assert_eq!(lines, expected.map(|(line, cut)| (line.to_owned(), cut)));
    }

    #[test]
    fn escapes_and_controls_are_left_out() {
        assert_eq!(plain("\u{1b}[1;31mred\u{1b}[0m \u{1b}]8;;http://x\u{7}link\u{1b}]8;;\u{1b}\\\u{0}."), "red link.");
        assert_eq!(plain("10 %\r100 %"), "100 %");
        assert_eq!(plain("\u{1b}(Bplain\tx"), "plain\tx");
    }

    #[test]
    fn only_the_last_lines_are_kept_and_secrets_are_masked() {
        let output = Output::masking(&[Secret::new("hunter2-key\n"), Secret::new("a")]);
        for index in 0..LINES + 3 {
            output.push(format!("line {index} hunter2-key").as_bytes(), index == LINES + 2);
        }
        assert_eq!((output.lines().len(), output.dropped()), (LINES, 3));
        assert_eq!(output.lines()[0], "line 3 •••");
        assert_eq!(output.last(1), [format!("line {} ••• … (line cut)", LINES + 2)]);
        output.push(b"caf\xe9", false);
        assert_eq!(output.last(1), ["caf\u{fffd}"]);
    }

    #[test]
    fn lines_of_another_run_are_left_out_though_older_ones_are_let_go() {
        let output = Output::default();
        for index in 0..4 {
            output.push(index.to_string().as_bytes(), false);
        }
        let view = output.without(1..output.count());
        output.push(b"new", false);
        assert_eq!(
            (view.lines(), view.last(1), output.count()),
            (vec![String::from("0"), String::from("new")], vec![String::from("new")], 5)
        );
        for _ in 0..LINES - 4 {
            output.push(b"more", false);
        }
        assert_eq!(view.lines()[0], "new", "the first was let go, and the next three stay hidden");
        assert_eq!((view.lines().len(), output.count()), (LINES - 3, LINES + 1));
    }

    proptest! {
        #[test]
        fn any_bytes_become_bounded_plain_lines(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0_usize..300) {
            let (left, right) = bytes.split_at(at.min(bytes.len()));
            let parted = cut(16, &[left, right]);
            prop_assert_eq!(&parted, &cut(16, &[bytes.as_slice()]));
            let output = Output::default();
            Cutter::new(16).feed(&bytes, &mut |line, cut| output.push(line, cut));
            for line in output.lines() {
                prop_assert!(line.chars().all(|c| c == '\t' || !c.is_control()), "{line:?}");
            }
        }
    }
}
