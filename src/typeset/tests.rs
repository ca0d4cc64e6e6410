use std::fs;
use std::path::Path;

use proptest::prelude::*;
use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use super::*;

const WIDE: Setting = Setting { width: 40, unicode: true, marks: false };

fn set(markdown: &str) -> Vec<String> {
    lines(markdown, WIDE)
}

fn lines(markdown: &str, setting: Setting) -> Vec<String> {
    typeset(markdown, setting).lines.iter().map(Line::text).collect()
}

fn at(width: usize) -> Setting {
    Setting { width, ..WIDE }
}

const ASCII: Setting = Setting { unicode: false, ..WIDE };

/// The pieces, but for plain text, as `text=Role` with what else is in their faces.
fn faces(markdown: &str) -> Vec<String> {
    let sheet = typeset(markdown, WIDE);
    let pieces = sheet.lines.iter().flat_map(|line| &line.pieces).filter(|piece| piece.face != Face::default());
    pieces
        .map(|Piece { text, face }| {
            let also = [(face.strong, "+strong"), (face.emphasis, "+emphasis"), (face.struck, "+struck")];
            let also: String = also.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
            format!("{text}={:?}{also}", face.role)
        })
        .collect()
}

#[test]
fn paragraphs_are_wrapped_at_blanks() {
    assert_eq!(lines("one two\nthree   four\n\nfive", at(9)), ["one two", "three", "four", "", "five"]);
    assert_eq!(lines("one  \ntwo\\\nthree", WIDE), ["one", "two", "three"]);
    assert_eq!(lines("0123456789abc de", at(8)), ["01234567", "89abc de"]);
    assert!(set("").is_empty() && set("\n \n").is_empty() && set("<!-- -->").is_empty());
}

#[test]
fn columns_count_and_graphemes_stay_whole() {
    assert_eq!(lines("日本語日本語", at(5)), ["日本", "語日", "本語"]);
    assert_eq!(lines("👩‍👩‍👧👩‍👩‍👧 e\u{301}e\u{301}e\u{301}", at(3)), ["👩‍👩‍👧", "👩‍👩‍👧", "e\u{301}e\u{301}e\u{301}"]);
    assert_eq!(lines("日", at(1)), ["日"], "wider than the line, and not to be cut");
}

#[test]
fn headings_of_two_levels_are_underlined() {
    assert_eq!(set("# One\n## Two `x` {#two}\n### Three\ntext"), ["One", "═══", "", "Two x", "─────", "", "Three", "", "text"]);
    assert_eq!(lines("# One\n\n## Two", ASCII), ["One", "===", "", "Two", "---"]);
    assert_eq!(faces("### Three `x`"), ["Three =Heading(3)+strong", "x=Code+strong"]);
}

#[test]
fn faces_of_running_text() {
    assert_eq!(
        faces("a **b *c*** ~~d~~ `e  f` ***g***"),
        ["b =Body+strong", "c=Body+strong+emphasis", "d=Body+struck", "e  f=Code", "g=Body+strong+emphasis"]
    );
    let marked = Setting { marks: true, ..WIDE };
    assert_eq!(lines("a **b** *c* ~~d~~ `e` x", marked), ["a **b** *c* ~~d~~ `e` x"]);
    assert_eq!(lines("*aaaaaa* b", Setting { width: 8, ..marked }), ["*aaaaaa*", "b"], "marks stay with their word");
}

#[test]
fn lists_hang() {
    assert_eq!(set("- one\n- two\n  - three\n    - four\n"), ["• one", "• two", "  ◦ three", "    ▪ four"]);
    assert_eq!(lines("- one\n- two\n  - three\n", ASCII), ["- one", "- two", "  * three"]);
    assert_eq!(lines("- one two three", at(9)), ["• one two", "  three"]);
    assert_eq!(set("9. nine\n10. ten\n\n    more"), [" 9. nine", "", "10. ten", "", "    more"]);
    assert_eq!(set("- [ ] open\n- [x] done"), ["☐ open", "☑ done"]);
    assert_eq!(lines("- [ ] open\n- [x] done", ASCII), ["[ ] open", "[x] done"]);
    assert_eq!(set("- a\n\n  ```\n  x\n  ```\n- b"), ["• a", "", "    x", "", "• b"]);
    assert_eq!(set("-\n- b"), ["•", "• b"]);
    // Too narrow for an indentation.
    assert_eq!(lines("1. one two", at(7)), ["1.", "one two"]);
    assert_eq!(faces("- a"), ["• =Sign"]);
}

#[test]
fn quotes_have_a_bar() {
    assert_eq!(set("> one\n> two\n>\n> - three\n\nfour"), ["│ one two", "│", "│ • three", "", "four"]);
    assert_eq!(lines("> one\n>> two", ASCII), ["> one", ">", "> > two"]);
    assert_eq!(faces("> one *two*"), ["│ =Sign", "one =Quote", "two=Quote+emphasis"]);
    assert_eq!(set("> [!NOTE]\n> one"), ["│ Note", "│", "│ one"]);
}

#[test]
fn a_rule_goes_across() {
    assert_eq!(lines("a\n\n---\n\nb", at(5)), ["a", "", "─────", "", "b"]);
    assert_eq!(lines("***", Setting { width: 3, ..ASCII }), ["---"]);
}

const TABLE: &str =
    "| name | what it is | n |\n|---|:---:|--:|\n| `one` | x | 1 |\n| two | a much longer text than fits | 22 |\n";

#[test]
fn tables_are_fitted() {
    let expected = [
        "name           what it is            n",
        "────  ────────────────────────────  ──",
        "one                x                 1",
        "two   a much longer text than fits  22",
    ];
    assert_eq!(lines(TABLE, at(40)), expected);
}

#[test]
fn cells_are_wrapped_and_rows_then_apart() {
    let expected = [
        "name    what it is      n",
        "----  ---------------  --",
        "one          x          1",
        "",
        "two    a much longer   22",
        "      text than fits",
    ];
    assert_eq!(lines(TABLE, Setting { width: 25, ..ASCII }), expected);
}

#[test]
fn a_table_without_room_becomes_records() {
    let expected = [
        "name: one",
        "what it is: x",
        "n: 1",
        "",
        "name: two",
        "what it is: a",
        "  much longer",
        "  text than",
        "  fits",
        "n: 22",
    ];
    assert_eq!(lines(TABLE, at(15)), expected);
    assert_eq!(set("| | |\n|---|---|\n| a | b |\n"), ["a  b"], "a head without text is none");
    assert_eq!(lines("| head | no rows |\n|---|---|\n", at(6)), ["head", "no", "rows"]);
}

#[test]
fn code_stands_in_and_keeps_its_text() {
    let text = "Text:\n\n```rust file=src/x.rs sync=step\nlet a = 1;\n\n\tb();\n```\n";
    let sheet = typeset(text, WIDE);
    let shown: Vec<String> = sheet.lines.iter().map(Line::text).collect();
    assert_eq!(shown, ["Text:", "", "── src/x.rs ────────────────────────────", "  let a = 1;", "", "      b();"]);
    let block = Block {
        lines: 3..6,
        code: String::from("let a = 1;\n\n\tb();\n"),
        language: String::from("rust"),
        file: Some(String::from("src/x.rs")),
    };
    assert_eq!(sheet.blocks, [block]);
    assert!(faces(text).contains(&String::from("let=Ink(Keyword)")), "{:?}", faces(text));
    assert_eq!(set("    indented\n"), ["  indented"]);
    let named = typeset("- one\n- two\n\n  ```\n  x\n  ```\n", WIDE);
    assert_eq!(named.blocks[0].lines, 4..5);
    assert_eq!(named.lines[4].text(), "    x");
}

#[test]
fn the_file_above_a_block_is_said_once() {
    let of = |above: &str| set(&format!("{above}\n\n```sh file=.env\nA=1\n```"));
    assert_eq!(of("`.env` (new)"), ["── .env (new) ──────────────────────────", "  A=1"]);
    assert_eq!(of("`.env`"), ["── .env ────────────────────────────────", "  A=1"]);
    assert_eq!(of("`.env` is new:")[..2], ["`.env` is new:".replace('`', ""), String::new()]);
    assert_eq!(of("`.env.example`")[0], ".env.example");
    assert_eq!(lines("```sh file=a/long/name.rs\nx\n```", at(12)), ["a/long/name.", "rs", "x"]);
}

#[test]
fn long_code_goes_on_behind_a_sign() {
    let code = "```\n    let value = call(first, second, third);\n```";
    assert_eq!(lines(code, at(30)), ["      let value = call(first,", "      ↪ second, third);"]);
    assert_eq!(lines(code, Setting { width: 30, ..ASCII })[1], "      \\ second, third);");
    assert_eq!(lines("```\n0123456789\n```", at(8)), ["01234567", "↪ 89"]);
    assert_eq!(lines("```\n0123456789\n```", at(4)), ["0123", "4567", "89"]);
}

#[test]
fn links_say_where_they_lead() {
    let sheet = typeset("See [the docs](https://x.io/a) and [this](3-x-ray.md), <https://y.io/>.", at(30));
    let shown: Vec<String> = sheet.lines.iter().map(Line::text).collect();
    assert_eq!(shown, ["See the docs (https://x.io/a)", "and this, https://y.io/."]);
    let link = |url: &str, line, columns| Link { url: url.to_owned(), line, columns };
    assert_eq!(sheet.links, [link("https://x.io/a", 0, 4..12), link("3-x-ray.md", 1, 4..8), link("https://y.io/", 1, 10..23)]);
    assert_eq!(set("[a@b.org](mailto:a@b.org) [a](mailto:b@b.org)"), ["a@b.org a (mailto:b@b.org)"]);
    assert_eq!(set("[*x*][r]\n\n[r]: https://r.io"), ["x (https://r.io)"]);
    // In a list and over two lines; in a table.
    assert_eq!(typeset("- [one two](a.md)", at(8)).links, [link("a.md", 0, 2..5), link("a.md", 1, 2..5)]);
    assert_eq!(typeset("| a | b |\n|---|---|\n| x | [y](z.md) |\n", WIDE).links, [link("z.md", 2, 3..4)]);
}

#[test]
fn of_images_html_and_footnotes_the_text_stays() {
    assert_eq!(set("An ![old *cat*](cat.png \"title\")."), ["An old cat."]);
    assert_eq!(set("a <b>bold</b><!-- no --> &amp; <br/>c"), ["a bold &", "c"]);
    assert_eq!(set("<details><summary>Title</summary>\n\ntext\n\n</details>"), ["Title", "", "text"]);
    assert_eq!(set("<!-- one\n\ntwo -->\n\n<p\nclass=x>three <b>four</b></p>"), ["three four"]);
    assert_eq!(
        set("Text[^1].\n\n[^1]: A note of some length that is wrapped.\n"),
        ["Text[1].", "", "[1] A note of some length that is", "    wrapped."]
    );
}

#[test]
fn nothing_controls_the_terminal() {
    let text = "a\u{1b}[31mb&#27;c\u{202e}d `\u{1b}]0;x\u{7}e`\n\n```\n\u{9b}2Jf\u{8}\n```\n\n[g](https://h\u{7}.io)\n\n| \u{1b}c |\n|---|\n";
    let sheet = typeset(text, WIDE);
    assert!(!sheet.text().replace('\n', "").chars().any(|next| next.is_control() || next == '\u{202e}'), "{:?}", sheet.text());
    assert!(sheet.text().starts_with("abcd e\n"), "{:?}", sheet.text());
}

#[test]
fn depth_is_bounded_and_nothing_lost() {
    let deep = format!("{}end", "> ".repeat(5000));
    let shown = typeset(&deep, at(60));
    assert_eq!(shown.lines.len(), 1);
    assert!(shown.lines[0].text().ends_with("│ end"));
    let list: String = (0..200).map(|depth| format!("{}- item{depth}\n", "  ".repeat(depth))).collect();
    let shown = letters(&typeset(&list, at(60)));
    assert_eq!(shown, (0..200).map(|depth| format!("item{depth}")).collect::<String>());
}

/// All text that is no sign, without blanks.
fn letters(sheet: &Sheet) -> String {
    let pieces = sheet.lines.iter().flat_map(|line| &line.pieces).filter(|piece| piece.face.role != Role::Sign);
    pieces.flat_map(|piece| piece.text.chars()).filter(|next| !next.is_whitespace()).collect()
}

/// The lessons of the course, and whatever else is written for learners.
fn lessons() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut pages: Vec<_> = fs::read_dir(root.join("lessons/week2")).unwrap().map(|entry| entry.unwrap().path()).collect();
    pages.extend(["README.md", "lessons/README.md"].map(|page| root.join(page)));
    pages.iter().map(|page| (page.display().to_string(), fs::read_to_string(page).unwrap())).collect()
}

/// The page without its tables, and the tables.
fn without_tables(markdown: &str) -> (String, Vec<String>) {
    let options = Options::ENABLE_TABLES;
    let mut rest = String::new();
    let mut tables = Vec::new();
    let mut at = 0;
    for (event, range) in Parser::new_ext(markdown, options).into_offset_iter() {
        if matches!(event, Event::Start(Tag::Table(_))) {
            rest.push_str(&markdown[at..range.start]);
            tables.push(markdown[range.clone()].to_owned());
            at = range.end;
        }
    }
    rest.push_str(&markdown[at..]);
    (rest, tables)
}

/// What the parser takes for text, without blanks: what must be seen.
fn said(markdown: &str) -> String {
    let options = Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS | Options::ENABLE_STRIKETHROUGH;
    let tags = regex::Regex::new("<[^>]*>").unwrap();
    let mut said = String::new();
    let mut links = Vec::new();
    for event in Parser::new_ext(markdown, options) {
        match event {
            Event::Text(text) | Event::Code(text) => said.push_str(&text),
            Event::Html(html) if !html.contains("<!--") => {
                said.push_str(&tags.replace_all(&html, ""));
            }
            Event::Start(Tag::Link { dest_url, .. }) => links.push((dest_url, said.len())),
            Event::End(TagEnd::Link) => {
                let (url, begun) = links.pop().unwrap();
                let differs = said[begun..].trim_end_matches('/') != url.trim_end_matches('/');
                if url.contains("://") && differs {
                    said.push_str(&format!("({url})"));
                }
            }
            _ => {}
        }
    }
    said.retain(|next| !next.is_whitespace());
    said
}

#[test]
fn real_lessons_fit_and_lose_nothing() {
    let languages = regex::Regex::new("(?m)^(\\s*```+)[a-z]+").unwrap();
    for (name, text) in lessons() {
        // Colours take their time, and change nothing about the lines: once is enough.
        let plain = languages.replace_all(&text, "${1}text").into_owned();
        let [coloured, bare] = [&text, &plain].map(|page| typeset(page, at(76)).text());
        // A page may show fences, too.
        let same = languages.replace_all(&coloured, "${1}text") == languages.replace_all(&bare, "${1}text");
        assert!(same, "{name}:\n{coloured}\n{bare}");
        let (rest, tables) = without_tables(&plain);
        for (width, unicode, marks) in
            [(40, true, false), (40, false, true), (76, true, false), (76, false, false), (120, true, true)]
        {
            let setting = Setting { width, unicode, marks };
            let sheet = typeset(&plain, setting);
            let wide: Vec<String> = sheet.lines.iter().filter(|line| line.width() > width).map(Line::text).collect();
            assert!(wide.is_empty(), "{name} at {width}: {wide:?}");
            assert!(
                unicode || !sheet.text().contains(['─', '•', '│', '↪', '☐']) || plain.contains(['─', '•', '│', '↪', '☐']),
                "{name}"
            );
            for block in &sheet.blocks {
                let shown = sheet.lines[block.lines.clone()].first().map(Line::text).unwrap_or_default();
                let first = block.code.lines().next().unwrap_or("").trim();
                assert!(first.starts_with(shown.trim()), "{name} at {width}: {first} and {shown:?}");
            }
            let mut sheet = typeset(&rest, Setting { marks: false, ..setting });
            // Where the page names no file above a block, its fence does.
            without_own_captions(&mut sheet, &rest);
            assert_eq!(letters(&sheet), said(&rest), "{name} at {width}");
            for table in &tables {
                let mut shown = letters(&typeset(table, at(width)));
                for next in said(table).chars() {
                    let found = shown.find(next).unwrap_or_else(|| panic!("`{next}` of {table} is lost at {width}"));
                    shown.remove(found);
                }
            }
        }
    }
}

/// Takes away the captions that stand only after a fence.
fn without_own_captions(sheet: &mut Sheet, markdown: &str) {
    let lines: Vec<&str> = markdown.lines().collect();
    let fences = lines.iter().enumerate().filter(|(_, line)| line.trim_start().starts_with("```") && line.contains("file="));
    let mut named: Vec<(String, bool)> = Vec::new();
    for (index, line) in fences {
        let file = line.split("file=").nth(1).unwrap().split_whitespace().next().unwrap();
        let above = lines[..index].iter().rev().find(|line| !line.trim().is_empty()).copied().unwrap_or("");
        named.push((file.to_owned(), above.trim_start().starts_with(&format!("`{file}`"))));
    }
    let blocks: Vec<_> = sheet.blocks.iter().filter(|block| block.file.is_some()).cloned().collect();
    for block in blocks {
        let at = named.iter().position(|(file, _)| Some(file) == block.file.as_ref());
        if at.is_some_and(|at| !named.remove(at).1) {
            let mut line = block.lines.start;
            while line > 0 && sheet.lines[line - 1].pieces.iter().any(|piece| piece.face.role == Role::Dim) {
                line -= 1;
                sheet.lines[line].pieces.clear();
            }
        }
    }
}

fn markdownish() -> impl Strategy<Value = String> {
    let part = prop_oneof![
        3 => "[a-zé日👩 ]{1,12}",
        1 => any::<String>(),
        2 => prop::sample::select(vec![
            "\n", "\n\n", "# ", "### ", "> ", "- ", "  - ", "    ", "1. ", "10) ", "- [x] ", "```", "```rust file=a.rs\n", "`", "``", "*", "**",
            "~~", "[", "](", ")", "](https://x.io/a)", "![", "|", " | ", "|---|:-:|\n", "| a | b |\n|---|--:|\n", "---\n", "<b>", "<!--", "-->",
            "<br>", "<details>", "[^1]", "[^1]: ", "&amp;", "&#27;", "\u{1b}[31m", "\t", "\\", "\u{fe0f}", "\u{200d}", "\u{301}", "🇦", "{#x}",
            "> [!TIP]\n", "  \n", "https://example.org/a/very/long/address",
        ])
        .prop_map(str::to_owned),
    ];
    prop::collection::vec(part, 0..40).prop_map(|parts| parts.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn no_line_is_too_wide(text in markdownish(), width in 1_usize..=120, unicode: bool, marks: bool) {
        let sheet = typeset(&text, Setting { width, unicode, marks });
        for line in &sheet.lines {
            let text = line.text();
            let alone = text.graphemes(true).filter(|grapheme| grapheme.width() > 0).count() <= 1;
            prop_assert!(line.width() <= width || alone, "{text:?} at {width}");
            prop_assert!(!text.chars().any(char::is_control), "{text:?}");
            prop_assert_ne!(text.graphemes(true).next_back(), Some(" "), "{:?}", text);
        }
        for block in &sheet.blocks {
            prop_assert!(block.lines.start <= block.lines.end && block.lines.end <= sheet.lines.len());
        }
        for link in &sheet.links {
            prop_assert!(link.line < sheet.lines.len());
            prop_assert!(link.columns.end <= sheet.lines[link.line].width().max(1), "{link:?} in {:?}", sheet.lines[link.line].text());
        }
    }

    #[test]
    fn no_word_is_lost(text in "([a-z]{1,9}|[*`>#-]| |\n){0,60}", width in 1_usize..=40) {
        let sheet = typeset(&text, at(width));
        prop_assert_eq!(letters(&sheet), said(&text));
    }
}
