//! Text that others wrote, made fit to print.

use std::iter::Peekable;
use std::str::Chars;

/// The text without terminal escapes, control characters and marks that turn the direction of writing. Lines stay lines; a tab
/// becomes four spaces.
///
/// What a service prints and what vendors hand back is not ours: it must not move the cursor, set the window's title or hide a line.
pub fn clean(text: &str) -> String {
    scan(text, false)
}

/// The text with its colours (and bold, dim, underlined) but without any other escape, and with the colours ended.
pub fn keep_colour(text: &str) -> String {
    let mut text = scan(text, true);
    if text.contains('\u{1b}') {
        text.push_str("\u{1b}[0m");
    }
    text
}

fn scan(text: &str, colours: bool) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text.chars().peekable();
    while let Some(next) = rest.next() {
        match next {
            '\u{1b}' => escape(&mut rest, colours.then_some(&mut out)),
            '\u{9b}' => control_sequence(&mut rest, colours.then_some(&mut out)),
            '\u{90}' | '\u{98}' | '\u{9d}'..='\u{9f}' => control_string(&mut rest),
            '\r' if rest.peek() == Some(&'\n') => {}
            '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}' => out.push('\n'),
            '\t' => out.push_str("    "),
            unprintable if unprintable.is_control() || is_invisible(unprintable) => {}
            printable => out.push(printable),
        }
    }
    out
}

/// After an escape character.
fn escape(rest: &mut Peekable<Chars<'_>>, colours: Option<&mut String>) {
    match rest.peek() {
        Some('[') => {
            rest.next();
            control_sequence(rest, colours);
        }
        Some(']' | 'P' | 'X' | '^' | '_') => {
            rest.next();
            control_string(rest);
        }
        Some(' '..='~') => {
            while rest.next_if(|next| (' '..='/').contains(next)).is_some() {}
            rest.next_if(|next| ('0'..='~').contains(next));
        }
        _ => {}
    }
}

/// Parameters, then one final character (ECMA-48, 5.4).
fn control_sequence(rest: &mut Peekable<Chars<'_>>, colours: Option<&mut String>) {
    let mut parameters = String::new();
    while let Some(next) = rest.next_if(|next| (' '..='?').contains(next)) {
        parameters.push(next);
    }
    let last = rest.next_if(|next| ('@'..='~').contains(next));
    if let (Some('m'), Some(out)) = (last, colours)
        && parameters.chars().all(|next| next.is_ascii_digit() || matches!(next, ';' | ':'))
    {
        out.push_str("\u{1b}[");
        out.push_str(&parameters);
        out.push('m');
    }
}

/// Up to the terminator, or to the line's end: one that is never ended must not swallow all that follows.
fn control_string(rest: &mut Peekable<Chars<'_>>) {
    while let Some(next) = rest.next_if(|next| *next != '\n') {
        match next {
            '\u{7}' | '\u{9c}' => return,
            '\u{1b}' if rest.peek() == Some(&'\\') => {
                rest.next();
                return;
            }
            _ => {}
        }
    }
}

/// Characters that turn the direction of writing, tags, byte order marks, and code points that are no characters (which XML forbids).
fn is_invisible(next: char) -> bool {
    matches!(next,
        '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
        | '\u{fdd0}'..='\u{fdef}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
        || u32::from(next) & 0xfffe == 0xfffe
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_are_gone_and_words_stay() {
        assert_eq!(clean("a\u{1b}[2J\u{1b}[31mred\u{1b}[0m\tb"), "ared    b");
        assert_eq!(clean("\u{1b}]0;owned\u{7}title"), "title");
        assert_eq!(clean("\u{1b}]8;;http://x\u{1b}\\link\u{1b}]8;;\u{1b}\\"), "link");
        assert_eq!(clean("\u{9b}2Kc1 \u{1b}(Bcharset \u{1b}c reset"), "c1 charset  reset");
        assert_eq!(clean("never ended \u{1b}]0;swallows\nthe next line stays"), "never ended \nthe next line stays");
        assert_eq!(clean("one\r\ntwo\rthree\u{2028}four"), "one\ntwo\nthree\nfour");
        assert_eq!(clean("abc\u{202e}cba\u{0}\u{ffff}"), "abccba");
    }

    #[test]
    fn colours_alone_are_kept() {
        assert_eq!(keep_colour("\u{1b}[1;31merror\u{1b}[0m\u{1b}[2K\u{1b}]0;t\u{7}!"), "\u{1b}[1;31merror\u{1b}[0m!\u{1b}[0m");
        assert_eq!(keep_colour("plain"), "plain");
        assert_eq!(keep_colour("\u{1b}[>4;2m"), "");
    }

    proptest! {
        #[test]
        fn nothing_that_controls_a_terminal_is_left(text in any::<String>()) {
            prop_assert!(clean(&text).chars().all(|next| next == '\n' || !next.is_control()));
            prop_assert_eq!(clean(&clean(&text)), clean(&text));
        }

        #[test]
        fn the_only_escapes_left_are_colours(text in "(\u{1b}|\\[|\\]|[0-9;:?]|m|H|\u{7}|\\\\|a|\n|\u{9b}){0,40}") {
            let kept = keep_colour(&text);
            for after in kept.split('\u{1b}').skip(1) {
                let end = after.find('m');
                prop_assert!(after.starts_with('[') && end.is_some());
                prop_assert!(after[1..end.unwrap_or(1)].chars().all(|next| next.is_ascii_digit() || matches!(next, ';' | ':')));
            }
        }
    }
}
