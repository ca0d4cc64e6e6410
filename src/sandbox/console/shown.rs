//! Small things as a page shows them: texts, times, durations, marks.

use maud::{Markup, html};

use super::mask;

/// A text for a cell of a table.
pub(super) const CELL: usize = 300;
/// A text that one came to read.
pub(super) const LONG: usize = 4_000;

/// A text of at most so many characters, without credentials; a longer one says that it goes on.
pub(super) fn text(text: &str, most: usize) -> Markup {
    let (kept, all) = cut(text, most);
    html! {
        (kept)
        @if let Some(all) = all { span.note { "… (cut; " (grouped(all)) " characters in all)" } }
    }
}

/// The same as plain text, for a title.
pub(super) fn plain(text: &str, most: usize) -> String {
    let (kept, all) = cut(text, most);
    if all.is_some() { format!("{kept}…") } else { kept }
}

/// The beginning of a text without credentials, and how long it is in all where that is more.
fn cut(text: &str, most: usize) -> (String, Option<usize>) {
    // Hidden first and cut then, or half a key would be left at the end; what is far beyond the end need not be looked at.
    let near = text.floor_char_boundary(most.saturating_mul(8).saturating_add(4096));
    let masked = mask::text(&text[..near]);
    match masked.char_indices().nth(most) {
        Some((end, _)) => (masked[..end].to_owned(), Some(text.chars().count())),
        None if near < text.len() => (masked.into_owned(), Some(text.chars().count())),
        None => (masked.into_owned(), None),
    }
}

/// `12,345`.
pub(super) fn grouped(number: impl TryInto<i128>) -> String {
    let number: i128 = number.try_into().unwrap_or(i128::MAX);
    let digits = number.unsigned_abs().to_string();
    let mut text = String::from(if number < 0 { "-" } else { "" });
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 span`, `2 spans`.
pub(super) fn count(number: impl TryInto<i128>, one: &str, many: &str) -> String {
    let number = number.try_into().unwrap_or(i128::MAX);
    format!("{} {}", grouped(number), if number == 1 { one } else { many })
}

/// A moment, given in Unix milliseconds, in universal time.
pub(super) fn time(ms: i64) -> Markup {
    match jiff::Timestamp::from_millisecond(ms) {
        Ok(at) => html! { time datetime=(at.to_string()) { (at.strftime("%Y-%m-%d %H:%M:%S%.3f").to_string()) } },
        Err(_) => html! { span.note { "outside the calendar" } },
    }
}

/// A moment, given in Unix seconds.
#[expect(
    clippy::cast_possible_truncation,
    reason = "a cast of floats saturates, and what is outside the calendar is told as such"
)]
pub(super) fn time_s(seconds: f64) -> Markup {
    time((seconds * 1000.0).round() as i64)
}

/// A duration, given in milliseconds.
pub(super) fn duration(ms: f64) -> String {
    match ms {
        ms if !ms.is_finite() => String::from("unknown"),
        ms if ms < 1.0 => format!("{ms:.3} ms"),
        ms if ms < 10.0 => format!("{ms:.2} ms"),
        ms if ms < 1_000.0 => format!("{ms:.1} ms"),
        ms => format!("{:.2} s", ms / 1000.0),
    }
}

/// `1.5 MiB`.
pub(super) fn size(bytes: u64) -> String {
    let tenths = |unit: u64| format!("{}.{}", bytes / unit, bytes % unit * 10 / unit);
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KiB", tenths(1024)),
        _ => format!("{} MiB", tenths(1 << 20)),
    }
}

/// An HTTP status and whether something failed, in words and not by colour alone.
pub(super) fn state(status: Option<i64>, failed: bool) -> Markup {
    html! {
        @if let Some(status) = status { (status) " " }
        @if failed || status.is_some_and(|status| status >= 500) { span.bad { "error" } }
        @else if status.is_none() { span.note { "ok" } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn numbers_are_read_at_a_glance() {
        assert_eq!(
            ["0", "999", "1,000", "-12,345"],
            [grouped(0), grouped(999), grouped(1000), grouped(-12_345)].map(|text| text)
        );
        assert_eq!((count(1, "span", "spans"), count(2, "span", "spans")), (String::from("1 span"), String::from("2 spans")));
        let durations = [0.0421, 1.5, 12.34, 1234.5, f64::NAN].map(duration);
        assert_eq!(durations, ["0.042 ms", "1.50 ms", "12.3 ms", "1.23 s", "unknown"]);
        assert_eq!([size(7), size(1536), size(3 << 20)], ["7 B", "1.5 KiB", "3.0 MiB"]);
        assert!(time(1_700_000_000_123).into_string().ends_with(">2023-11-14 22:13:20.123</time>"));
        assert!(time(i64::MAX).into_string().contains("calendar"));
    }

    #[test]
    fn a_long_text_is_cut_and_says_so() {
        assert_eq!(text("äöü", 3).into_string(), "äöü");
        assert_eq!(text("äöüß", 3).into_string(), "äöü<span class=\"note\">… (cut; 4 characters in all)</span>");
        let long = "x".repeat(100_000);
        assert_eq!(plain(&long, 5), "xxxxx…");
    }

    #[test]
    fn a_credential_across_the_cut_is_hidden_whole() {
        assert_eq!(plain("see hcaik_0123456789abcdefghij", 20), "see ‹hidden›");
    }

    proptest! {
        #[test]
        fn any_text_is_shown_escaped(any in "[<>&\"'a-z\\PC]{0,60}", most in 0_usize..40) {
            let shown = text(&any, most).into_string().replace("<span class=\"note\">", "").replace("</span>", "");
            prop_assert!(!shown.contains(['<', '>', '"']));
        }

        #[test]
        fn any_number_is_shown(ms: i64, seconds: f64, bytes: u64) {
            let _ = (time(ms), time_s(seconds), duration(seconds), size(bytes), grouped(ms));
        }
    }
}
