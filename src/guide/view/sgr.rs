//! What programs printed, with its colours.

use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::paint::Paint;
use crate::typeset::{clean, keep_colour};

/// Lines as a program printed them: of its terminal escapes only colours are heeded, and those not where the guide has none.
pub(super) fn lines(printed: &str, paint: Paint) -> Vec<Line<'static>> {
    if !paint.look.colour {
        return clean(printed).lines().map(|line| Line::from(line.to_owned())).collect();
    }
    let mut style = Style::new();
    keep_colour(printed).lines().map(|line| read(line, &mut style)).collect()
}

/// A line in which each escape is a colour's: `ESC [ … m`.
fn read(line: &str, style: &mut Style) -> Line<'static> {
    let mut spans = Vec::new();
    for (index, part) in line.split('\u{1b}').enumerate() {
        let text = match part.strip_prefix('[').and_then(|rest| rest.split_once('m')) {
            Some((codes, text)) if index > 0 => {
                *style = paint(*style, codes);
                text
            }
            _ => part,
        };
        if !text.is_empty() {
            spans.push(Span::styled(text.to_owned(), *style));
        }
    }
    Line::from(spans)
}

/// The style after a colour's escape (ECMA-48, 8.3.117).
fn paint(mut style: Style, codes: &str) -> Style {
    if codes.contains(':') {
        // With colons come kinds of underlining, and colours that are none of the 16 (ITU-T T.416).
        return match codes.strip_prefix("4:") {
            Some("0") => style.remove_modifier(Modifier::UNDERLINED),
            Some(_) => style.add_modifier(Modifier::UNDERLINED),
            None => style,
        };
    }
    let mut numbers = codes.split(';').map(|code| code.parse::<u16>().unwrap_or(0));
    while let Some(code) = numbers.next() {
        style = match code {
            0 => Style::new(),
            1 => style.add_modifier(Modifier::BOLD),
            2 => style.add_modifier(Modifier::DIM),
            3 => style.add_modifier(Modifier::ITALIC),
            4 => style.add_modifier(Modifier::UNDERLINED),
            7 => style.add_modifier(Modifier::REVERSED),
            9 => style.add_modifier(Modifier::CROSSED_OUT),
            22 => style.remove_modifier(Modifier::BOLD | Modifier::DIM),
            23 => style.remove_modifier(Modifier::ITALIC),
            24 => style.remove_modifier(Modifier::UNDERLINED),
            27 => style.remove_modifier(Modifier::REVERSED),
            29 => style.remove_modifier(Modifier::CROSSED_OUT),
            30..=37 => style.fg(own(code - 30)),
            90..=97 => style.fg(own(code - 90 + 8)),
            39 => style.fg(Color::Reset),
            40..=47 => style.bg(own(code - 40)),
            100..=107 => style.bg(own(code - 100 + 8)),
            49 => style.bg(Color::Reset),
            // One of the terminal's 16 is taken; other colours may not be readable on its ground.
            38 | 48 => match (numbers.next(), numbers.next()) {
                (Some(5), Some(index @ 0..16)) if code == 38 => style.fg(own(index)),
                (Some(5), Some(index @ 0..16)) => style.bg(own(index)),
                (Some(2), _) => {
                    numbers.nth(1);
                    style
                }
                _ => style,
            },
            _ => style,
        };
    }
    style
}

/// The terminal's own colours, by their numbers.
fn own(index: u16) -> Color {
    const COLOURS: [Color; 16] = [
        Color::Black,
        Color::Red,
        Color::Green,
        Color::Yellow,
        Color::Blue,
        Color::Magenta,
        Color::Cyan,
        Color::Gray,
        Color::DarkGray,
        Color::LightRed,
        Color::LightGreen,
        Color::LightYellow,
        Color::LightBlue,
        Color::LightMagenta,
        Color::LightCyan,
        Color::White,
    ];
    COLOURS.get(usize::from(index)).copied().unwrap_or(Color::Reset)
}

/// A line in as many as it takes, each at most so wide.
pub(super) fn fold(line: Line<'static>, width: usize) -> Vec<Line<'static>> {
    if line.width() <= width || width == 0 {
        return vec![line];
    }
    let mut lines = vec![Line::default()];
    let mut used = 0;
    for span in line.spans {
        let mut text = String::new();
        for grapheme in span.content.graphemes(true) {
            let wide = grapheme.width();
            if used + wide > width && used > 0 {
                push(&mut lines, std::mem::take(&mut text), span.style);
                lines.push(Line::default());
                used = 0;
            }
            used += wide;
            text.push_str(grapheme);
        }
        push(&mut lines, text, span.style);
    }
    lines
}

fn push(lines: &mut [Line<'static>], text: String, style: Style) {
    if let Some(line) = lines.last_mut().filter(|_| !text.is_empty()) {
        line.spans.push(Span::styled(text, style));
    }
}

/// A line at most so wide, with an ellipsis where something is left out.
pub(super) fn clip(line: Line<'static>, width: usize, paint: Paint) -> Line<'static> {
    if line.width() <= width {
        return line;
    }
    let ellipsis = paint.sign("…", "...");
    let mut kept = fold(line, width.saturating_sub(ellipsis.width())).swap_remove(0);
    kept.spans.push(Span::raw(ellipsis));
    kept
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::report::Look;

    const PAINT: Paint = Paint { look: Look { width: 80, colour: true, unicode: true } };

    #[test]
    fn colours_become_styles_and_all_else_is_gone() {
        let line = &lines("\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m: no\u{1b}[2J \u{1b}]0;t\u{7}way\u{1b}[38;5;200;4mx", PAINT)[0];
        let spans: Vec<_> = line.spans.iter().map(|span| (span.content.as_ref(), span.style)).collect();
        let bold = Style::new().add_modifier(Modifier::BOLD).fg(Color::LightRed);
        assert_eq!(spans, [("error", bold), (": no way", Style::new()), ("x", Style::new().add_modifier(Modifier::UNDERLINED))]);
        assert_eq!(lines("\u{1b}[38;2;1;2;3;32mgreen", PAINT)[0].spans[0].style, Style::new().fg(Color::Green));
    }

    #[test]
    fn without_colour_only_the_text_stays() {
        let bare = Paint { look: Look::BARE };
        assert_eq!(lines("\u{1b}[31mred\u{1b}[0m\rnext", bare), [Line::from("red"), Line::from("next")]);
    }

    #[test]
    fn long_lines_are_folded_and_clipped() {
        let line = || Line::from(vec![Span::raw("abc"), Span::raw("日本")]);
        let texts = |lines: Vec<Line<'_>>| lines.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(texts(fold(line(), 4)), ["abc", "日本"]);
        assert_eq!(texts(fold(line(), 1)), ["a", "b", "c", "日", "本"]);
        assert_eq!(clip(line(), 6, PAINT).to_string(), "abc日…");
        assert_eq!(clip(line(), 7, PAINT).to_string(), "abc日本");
    }

    proptest! {
        #[test]
        fn any_print_is_read(text in "(\u{1b}|\\[|[0-9;:]|m|a|日|\n|\u{9b}|38;5;|48;2;){0,60}", width in 0_usize..9) {
            let read = lines(&text, PAINT);
            let bare: String = clean(&text);
            let printed: String = read.iter().map(|line| format!("{line}\n")).collect();
            let lines: String = bare.lines().map(|line| format!("{line}\n")).collect();
            prop_assert_eq!(printed.trim_end(), lines.trim_end());
            for line in read {
                let folded: String = fold(line.clone(), width).iter().map(ToString::to_string).collect();
                prop_assert_eq!(folded, line.to_string());
                prop_assert!(clip(line, width.max(3), PAINT).width() <= width.max(3));
            }
        }
    }
}
