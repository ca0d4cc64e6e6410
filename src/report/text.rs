//! Text that others wrote, made fit to print.

use console::measure_text_width;

pub use crate::typeset::{clean, keep_colour};

/// The text made fit to print, in one line: line breaks, and the spaces about them, become one space.
pub fn one_line(text: &str) -> String {
    let text = clean(text);
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    let Some(first) = lines.next() else { return String::new() };
    lines.fold(first.to_owned(), |mut all, line| {
        all.push(' ');
        all.push_str(line);
        all
    })
}

/// The text in lines that are at most so many columns wide, broken at spaces where there are any.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let width = width.max(8);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_whitespace() {
            for piece in pieces(word, width) {
                let wide = measure_text_width(&piece);
                if used > 0 && used + 1 + wide > width {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                if used > 0 {
                    line.push(' ');
                    used += 1;
                }
                line.push_str(&piece);
                used += wide;
            }
        }
        if used > 0 {
            lines.push(line);
        }
    }
    lines
}

/// A word in pieces that fit: one, but for words that are wider than a line.
fn pieces(word: &str, width: usize) -> Vec<String> {
    if measure_text_width(word) <= width {
        return vec![word.to_owned()];
    }
    let mut pieces = vec![String::new()];
    let mut used = 0;
    for next in word.chars() {
        let wide = measure_text_width(next.encode_utf8(&mut [0; 4]));
        if used + wide > width {
            pieces.push(String::new());
            used = 0;
        }
        used += wide;
        if let Some(piece) = pieces.last_mut() {
            piece.push(next);
        }
    }
    pieces
}

/// The text in at most so many columns, with an ellipsis where something is left out.
pub fn shorten(text: &str, width: usize, ellipsis: &str) -> String {
    console::truncate_str(text, width, ellipsis).into_owned()
}

/// At most so many characters, with a note of how many more there are.
pub fn bounded(text: &str, limit: usize) -> String {
    match text.char_indices().nth(limit) {
        Some((end, _)) => format!("{} [and {} more characters]", &text[..end], text[end..].chars().count()),
        None => text.to_owned(),
    }
}

/// `830 ms`, `4.2 s`, `1 min 12 s`.
pub fn duration(ms: u64) -> String {
    match ms {
        0..1_000 => format!("{ms} ms"),
        1_000..60_000 => format!("{}.{} s", ms / 1_000, ms % 1_000 / 100),
        _ => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1_000),
    }
}

/// `1 check`, `3 checks`.
pub fn count(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_become_one() {
        assert_eq!(one_line("  {\n    \"a\": 1\n\n  }\n"), "{ \"a\": 1 }");
        assert_eq!(one_line("\n"), "");
    }

    #[test]
    fn words_wider_than_a_line_are_cut() {
        assert_eq!(wrap("a bb 0123456789abc", 8), ["a bb", "01234567", "89abc"]);
        assert_eq!(wrap("one\n\ntwo", 20), ["one", "two"]);
    }

    #[test]
    fn durations_read_as_one_says_them() {
        assert_eq!([7, 999, 4_239, 60_000, 72_500].map(duration), ["7 ms", "999 ms", "4.2 s", "1 min 0 s", "1 min 12 s"]);
    }

    proptest! {
        #[test]
        fn a_line_stays_one(text in any::<String>()) {
            prop_assert!(!one_line(&text).contains('\n'));
        }

        #[test]
        fn no_wrapped_line_is_too_wide(text in any::<String>(), width in 8_usize..100) {
            for line in wrap(&clean(&text), width) {
                prop_assert!(measure_text_width(&line) <= width, "{:?}", line);
            }
        }
    }
}
