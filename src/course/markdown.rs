use std::ops::Range;

use pulldown_cmark::{CodeBlockKind, Event, HeadingLevel, Options, Parser, Tag, TagEnd};

use super::info_string::InfoString;
use super::problem::{Page, Problem};
use super::slug::slug;
use super::verify_line::{VERIFY, VerifyLine};
use super::{Action, CodeBlock, Hint};

/// A lesson's page, taken apart; its checks are still names.
#[derive(Debug, Default)]
pub(super) struct Draft {
    pub intro: String,
    pub steps: Vec<DraftStep>,
}

/// A step of a page.
#[derive(Debug)]
pub(super) struct DraftStep {
    pub id: String,
    pub title: String,
    /// The heading.
    pub span: Range<usize>,
    pub verify: Option<VerifyLine>,
    pub listed: Vec<Listed>,
    pub body: String,
    pub hints: Vec<Hint>,
    pub code_blocks: Vec<CodeBlock>,
    pub actions: Vec<Action>,
}

/// A check that a step lists.
#[derive(Debug)]
pub(super) struct Listed {
    pub id: String,
    pub title: String,
    /// The id, with its backticks.
    pub span: Range<usize>,
}

/// Takes the page apart, from the given byte on. What is wrong is told and left out.
pub(super) fn parse(page: &Page, start: usize) -> (Draft, Vec<Problem>) {
    let mut reader = Reader {
        page,
        draft: Draft::default(),
        problems: Vec::new(),
        open: None,
        depth: 0,
        in_block: Block::None,
        details: None,
    };
    let rest = &page.text[start..];
    let mut intro_end = page.text.len();
    for (event, range) in
        Parser::new_ext(rest, Options::ENABLE_TASKLISTS | Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES)
            .into_offset_iter()
    {
        let range = range.start + start..range.end + start;
        if reader.depth == 0 && reader.draft.steps.is_empty() && reader.open.is_none() && is_step(&event) {
            intro_end = range.start;
        }
        reader.take(event, range);
    }
    reader.close(page.text.len());
    page.text[start..intro_end].trim().clone_into(&mut reader.draft.intro);
    (reader.draft, reader.problems)
}

fn is_step(event: &Event<'_>) -> bool {
    matches!(event, Event::Start(Tag::Heading { level: HeadingLevel::H2, .. }))
}

struct Reader<'a> {
    page: &'a Page,
    draft: Draft,
    problems: Vec<Problem>,
    /// The step that is being read.
    open: Option<OpenStep>,
    /// How many blocks are open: a heading in a quote or a list is no step.
    depth: usize,
    in_block: Block,
    /// The `<details>` that is being read.
    details: Option<OpenDetails>,
}

/// The block whose inside is being read.
enum Block {
    None,
    Heading {
        id: Option<String>,
        range: Range<usize>,
    },
    Code {
        info: InfoString,
        range: Range<usize>,
        text: String,
        text_start: Option<usize>,
    },
    /// The list after a verify line; how deep lists are nested, and the item at its top.
    VerifyList {
        nested: usize,
        item: Option<Item>,
    },
}

struct Item {
    range: Range<usize>,
    task: bool,
    id: Option<(String, Range<usize>)>,
    /// Something other than the marker and the id has been seen.
    begun: bool,
}

struct OpenStep {
    step: DraftStep,
    body_start: usize,
    /// What is not part of the body: hints, the verify line and its list.
    cut: Vec<Range<usize>>,
    /// The verify line, while its list has not come.
    awaits_list: bool,
    verify_seen: Option<Range<usize>>,
}

struct OpenDetails {
    start: usize,
    nested: usize,
    summary_start: Option<usize>,
    summary: Option<String>,
    body_start: usize,
}

impl Reader<'_> {
    fn text(&self, range: Range<usize>) -> &str {
        self.page.text.get(range).unwrap_or_default()
    }

    fn wrong(&mut self, span: Range<usize>, message: impl Into<String>, label: impl Into<String>, help: impl Into<String>) {
        self.problems.push(self.page.problem(span, message, label).help(help));
    }

    fn take(&mut self, event: Event<'_>, range: Range<usize>) {
        match &mut self.in_block {
            Block::Heading { .. } => {
                if let Event::End(TagEnd::Heading(_)) = event {
                    self.depth -= 1;
                    self.begin_step();
                }
                return;
            }
            Block::Code { text, text_start, .. } => {
                match event {
                    Event::Text(part) => {
                        text_start.get_or_insert(range.start);
                        text.push_str(&part);
                    }
                    Event::End(TagEnd::CodeBlock) => {
                        self.depth -= 1;
                        self.end_code();
                    }
                    _ => {}
                }
                return;
            }
            Block::VerifyList { .. } => {
                self.take_in_list(&event, range);
                return;
            }
            Block::None => {}
        }
        match event {
            Event::Start(tag) => {
                self.start(tag, range);
                self.depth += 1;
            }
            Event::End(_) => self.depth -= 1,
            Event::Html(html) | Event::InlineHtml(html) => self.html(&html, range.start),
            _ => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Heading { level: HeadingLevel::H2, id, .. } if self.depth == 0 => {
                self.close(range.start);
                self.in_block = Block::Heading { id: id.map(|id| id.to_string()), range };
            }
            Tag::CodeBlock(CodeBlockKind::Fenced(info)) => {
                let (info, flaws) = InfoString::parse(&info);
                let fence = self.first_line(&range);
                for flaw in flaws {
                    let info_start = fence.start + self.text(fence.clone()).find(|c| c != '`' && c != '~').unwrap_or(0);
                    let lead = self.text(info_start..fence.end);
                    let lead = lead.len() - lead.trim_start().len();
                    let span = info_start + lead + flaw.span.start..info_start + lead + flaw.span.end;
                    self.problems.push(self.page.problem(span, flaw.message, "here").maybe_help(flaw.help));
                }
                self.in_block = Block::Code { info, range, text: String::new(), text_start: None };
            }
            Tag::Paragraph if self.depth == 0 && self.text(range.clone()).starts_with(VERIFY) => self.verify(range),
            Tag::List(_) if self.depth == 0 => {
                if let Some(open) = self.open.as_mut().filter(|open| open.awaits_list) {
                    open.awaits_list = false;
                    open.cut.push(range);
                    self.in_block = Block::VerifyList { nested: 0, item: None };
                }
            }
            _ => {}
        }
    }

    fn first_line(&self, range: &Range<usize>) -> Range<usize> {
        let length = self.text(range.clone()).lines().next().map_or(0, |line| line.trim_end().len());
        range.start..range.start + length
    }

    fn begin_step(&mut self) {
        let Block::Heading { id, range } = std::mem::replace(&mut self.in_block, Block::None) else { return };
        let line = self.first_line(&range);
        // The heading's own Markdown, without marks and attributes.
        let mut title = self.text(line.clone()).trim_start_matches('#').trim();
        if id.is_some() {
            title = title.rsplit_once('{').map_or(title, |(title, _)| title.trim_end());
        }
        let title = title.trim_end_matches('#').trim_end().to_owned();
        let id = id.unwrap_or_else(|| slug(&title));
        if id.is_empty() || id.contains(['/', ' ']) {
            self.wrong(
                line.clone(),
                "this step's heading makes no id",
                "the id is the heading in lower case, its words joined by `-`",
                "use letters in the heading, or name the id: `## … {#id}`",
            );
        }
        self.open = Some(OpenStep {
            step: DraftStep {
                id,
                title,
                span: line,
                verify: None,
                listed: Vec::new(),
                body: String::new(),
                hints: Vec::new(),
                code_blocks: Vec::new(),
                actions: Vec::new(),
            },
            body_start: range.end,
            cut: Vec::new(),
            awaits_list: false,
            verify_seen: None,
        });
    }

    /// Ends the step that is open, at this byte.
    fn close(&mut self, end: usize) {
        if let Some(details) = self.details.take() {
            let span = self.first_line(&(details.start..end));
            self.wrong(span, "this hint does not end", "opened here", "close it with a line `</details>`, within the step");
        }
        let Some(mut open) = self.open.take() else { return };
        if open.awaits_list {
            let span = open.verify_seen.clone().unwrap_or_default();
            self.wrong(
                span,
                "no list of checks follows",
                "this line stands alone",
                "list the checks: - [ ] `id` what must be seen",
            );
        } else if open.verify_seen.is_none() {
            let message = format!("the step `{}` has no checks", open.step.id);
            let help = "end the step with `**Verify** · 4 points` and a list: - [ ] `id` what must be seen";
            self.wrong(open.step.span.clone(), message, "nothing can fail here", help);
        }
        open.cut.sort_by_key(|range| range.start);
        let mut from = open.body_start.min(end);
        for range in open.cut.iter().chain([&(end..end)]) {
            if range.start >= from {
                let kept = self.page.text.get(from..range.start.min(end)).unwrap_or_default().trim();
                if !kept.is_empty() {
                    if !open.step.body.is_empty() {
                        open.step.body.push_str("\n\n");
                    }
                    open.step.body.push_str(kept);
                }
            }
            from = from.max(range.end);
        }
        self.draft.steps.push(open.step);
    }

    fn end_code(&mut self) {
        let Block::Code { info, range, text, text_start } = std::mem::replace(&mut self.in_block, Block::None) else { return };
        let line = self.page.line(range.start);
        let fence = self.first_line(&range);
        if let Some(kind) = info.action {
            match serde_json::from_str(&text) {
                Ok(input) => {
                    if let Some(open) = &mut self.open {
                        open.step.actions.push(Action { kind, input, line });
                    }
                }
                Err(error) => {
                    let before: usize = text.split_inclusive('\n').take(error.line().saturating_sub(1)).map(str::len).sum();
                    let at = text_start.unwrap_or(fence.end) + before + error.column().saturating_sub(1);
                    let message = format!("the input of `{}` is not JSON: {error}", kind.name());
                    self.problems.push(self.page.problem(at..at + 1, message, "here"));
                }
            }
        }
        if let Some(open) = &mut self.open {
            let InfoString { language, file, follows_step, .. } = info;
            open.step.code_blocks.push(CodeBlock { language, file, text, follows_step, line, span: range });
        } else if let Some(file) = &info.file {
            let message = format!("a code block of `{file}` stands before the first step");
            let help = "move it into a step, whose state it shows, or leave `file=` out";
            self.wrong(fence, message, "of no step's state", help);
        }
    }

    fn verify(&mut self, range: Range<usize>) {
        let line = self.first_line(&range);
        let parsed = VerifyLine::parse(self.text(range.clone()));
        if parsed.is_none() {
            let help = "write `**Verify** · 4 points` or `**Verify** · 2 bonus points`, alone in its paragraph";
            self.wrong(line.clone(), "this step does not say what it is worth", "no points can be read here", help);
        }
        let Some(open) = &mut self.open else {
            let help = "put it at the end of a step, which begins with a `##` heading";
            self.wrong(line, "a verify line stands outside of any step", "here", help);
            return;
        };
        if open.verify_seen.is_some() {
            self.wrong(
                line,
                "this step says twice what it is worth",
                "the second time",
                "put all checks of the step into one list",
            );
            return;
        }
        open.step.verify = parsed;
        open.verify_seen = Some(line);
        open.awaits_list = true;
        open.cut.push(range);
    }

    fn take_in_list(&mut self, event: &Event<'_>, range: Range<usize>) {
        let Block::VerifyList { nested, item } = &mut self.in_block else { return };
        match event {
            Event::Start(Tag::Item) if *nested == 0 => *item = Some(Item { range, task: false, id: None, begun: false }),
            Event::Start(Tag::List(_)) => *nested += 1,
            Event::End(TagEnd::List(_)) if *nested > 0 => *nested -= 1,
            Event::End(TagEnd::List(_)) => {
                self.in_block = Block::None;
                self.depth -= 1;
            }
            Event::End(TagEnd::Item) if *nested == 0 => {
                if let Some(item) = item.take() {
                    self.end_item(item);
                }
            }
            Event::TaskListMarker(_) => {
                if let Some(item) = item.as_mut().filter(|item| !item.begun) {
                    item.task = true;
                }
            }
            Event::Code(id) => {
                if let Some(item) = item.as_mut().filter(|item| !item.begun) {
                    item.id = Some((id.to_string(), range));
                    item.begun = true;
                }
            }
            Event::Start(Tag::Paragraph) => {}
            _ => {
                if let Some(item) = item {
                    item.begun = true;
                }
            }
        }
        // The list's own start was counted when it was entered.
    }

    fn end_item(&mut self, item: Item) {
        let line = self.first_line(&item.range);
        let help = "write: - [ ] `id` what must be seen";
        let Some((id, span)) = item.id else {
            self.wrong(line, "this item names no check", "an item begins with the check's id in backticks", help);
            return;
        };
        if !item.task {
            self.wrong(line, format!("the check `{id}` is no task"), "a box is missing", help);
        }
        let title: Vec<&str> = self.text(span.end..item.range.end).split_whitespace().collect();
        let title = title.join(" ");
        if title.is_empty() {
            self.wrong(span.clone(), format!("the check `{id}` does not say what must be seen"), "nothing follows", help);
        }
        if let Some(open) = &mut self.open {
            open.step.listed.push(Listed { id, title, span });
        }
    }

    /// Looks for hints in a piece of HTML that begins at this byte.
    fn html(&mut self, html: &str, start: usize) {
        const TAGS: [&str; 4] = ["<details", "</details>", "<summary>", "</summary>"];
        let mut from = 0;
        while let Some((at, tag)) =
            TAGS.iter().filter_map(|tag| Some((from + html.get(from..)?.find(tag)?, *tag))).min_by_key(|(at, _)| *at)
        {
            from = at + tag.len();
            let (begin, end) = (start + at, start + from);
            match (tag, &mut self.details) {
                ("<details", Some(details)) => details.nested += 1,
                ("<details", none) => {
                    let body_start = html[from..].find('>').map_or(end, |close| end + close + 1);
                    *none = Some(OpenDetails { start: begin, nested: 0, summary_start: None, summary: None, body_start });
                }
                ("<summary>", Some(details)) if details.nested == 0 => details.summary_start = Some(end),
                ("</summary>", Some(details)) if details.nested == 0 => {
                    if let Some(summary_start) = details.summary_start.take() {
                        let summary = self.page.text.get(summary_start..begin).unwrap_or_default();
                        details.summary = Some(summary.trim().to_owned());
                        details.body_start = end;
                    }
                }
                ("</details>", Some(details)) if details.nested > 0 => details.nested -= 1,
                ("</details>", Some(_)) => self.end_details(begin, end),
                _ => {}
            }
        }
    }

    fn end_details(&mut self, begin: usize, end: usize) {
        let (Some(details), Some(open)) = (self.details.take(), &mut self.open) else { return };
        open.cut.push(details.start..end);
        open.step.hints.push(Hint {
            summary: details.summary.filter(|summary| !summary.is_empty()).unwrap_or_else(|| String::from("Hint")),
            text: self.page.text.get(details.body_start..begin).unwrap_or_default().trim().to_owned(),
            line: self.page.line(details.start),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const PAGE: &str = "Intro.\n\n## A span of its own\nWhy.\n\n```rust file=src/x.rs\nfn x() {}\n```\n\n<details><summary>Where it goes</summary>\n\nInto `x`.\n\n</details>\n\n**Verify** · 4 points\n- [ ] `home-span` a span `x`\n  is there\n- [ ] `home-length` it carries 3\n\n## Next {#second}\n\n> ## no step\n\n```json action=xray-create-group\n{ \"GroupName\": \"Cruddur\" }\n```\n**Verify** · 1 bonus point\n- [ ] `next` b\n";

    fn draft(text: &str) -> (Draft, Vec<String>) {
        let (draft, problems) = parse(&Page::new("x.md", text), 0);
        (draft, problems.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn a_page_is_taken_apart() {
        let (draft, problems) = draft(PAGE);
        assert_eq!(problems, [""; 0]);
        assert_eq!(draft.intro, "Intro.");
        let [first, second] = &draft.steps[..] else { panic!("{draft:?}") };
        assert_eq!((first.id.as_str(), first.title.as_str()), ("a-span-of-its-own", "A span of its own"));
        assert_eq!(first.body, "Why.\n\n```rust file=src/x.rs\nfn x() {}\n```");
        assert_eq!(first.hints, [Hint { summary: "Where it goes".into(), text: "Into `x`.".into(), line: 10 }]);
        let [code] = &first.code_blocks[..] else { panic!("{first:?}") };
        assert_eq!((code.language.as_str(), code.file.as_deref(), code.line), ("rust", Some("src/x.rs"), 6));
        assert_eq!(code.text, "fn x() {}\n");
        assert_eq!(&PAGE[code.span.clone()], "```rust file=src/x.rs\nfn x() {}\n```");
        let listed: Vec<_> = first.listed.iter().map(|listed| (listed.id.as_str(), listed.title.as_str())).collect();
        assert_eq!(listed, [("home-span", "a span `x` is there"), ("home-length", "it carries 3")]);
        assert_eq!((second.id.as_str(), second.title.as_str()), ("second", "Next"));
        assert!(second.verify.unwrap().bonus);
        assert_eq!(second.actions[0].input["GroupName"], "Cruddur");
        assert!(second.body.contains("> ## no step"));
    }

    #[test]
    fn mistakes_are_told() {
        let told = |text: &str| draft(text).1;
        assert_eq!(told("## A\ntext\n"), ["the step `a` has no checks"]);
        assert_eq!(told("## A\n**Verify** · 4 points\n"), ["no list of checks follows"]);
        assert_eq!(told("## A\n**Verify** · x points\n- [ ] `a` b\n"), ["this step does not say what it is worth"]);
        assert_eq!(told("## A\n**Verify** · 4 points\n- [ ] a `b`\n"), ["this item names no check"]);
        assert_eq!(told("## A\n**Verify** · 4 points\n- `a` b\n"), ["the check `a` is no task"]);
        assert_eq!(told("## A\n**Verify** · 4 points\n- [ ] `a`\n"), ["the check `a` does not say what must be seen"]);
        assert_eq!(told("**Verify** · 4 points\n"), ["a verify line stands outside of any step"]);
        assert_eq!(told("## A\n<details>\n\n**Verify** · 4 points\n- [ ] `a` b\n"), ["this hint does not end"]);
        assert_eq!(told("## !\n**Verify** · 4 points\n- [ ] `a` b\n"), ["this step's heading makes no id"]);
        assert_eq!(
            told("```rust file=x\n```\n## A\n**Verify** · 4 points\n- [ ] `a` b\n"),
            ["a code block of `x` stands before the first step"]
        );
        let json = "## A\n```json action=xray-create-group\n{ x }\n```\n**Verify** · 4 points\n- [ ] `a` b\n";
        assert_eq!(told(json), ["the input of `xray-create-group` is not JSON: key must be a string at line 1 column 3"]);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,200}") {
            let _ = draft(&text);
        }

        #[test]
        fn nor_does_any_mixture_of_what_lessons_are_made_of(
            parts in proptest::collection::vec(
                proptest::sample::select(vec![
                    "## A\n", "### B\n", "**Verify** · 4 points\n", "**Verify", "- [ ] `a` b\n", "- x\n", "  - [ ] `n`\n", "\n", "```rust file=x\n",
                    "```\n", "<details><summary>", "</summary>", "</details>\n", "<details>", "> ", "`", "é🦀", "text", "~~~json action=x\n", "{#id}", "\t", "1. ",
                ]),
                0..40,
            )
        ) {
            let text = parts.concat();
            let (page, problems) = parse(&Page::new("x.md", text.as_str()), 0);
            for listed in page.steps.iter().flat_map(|step| &step.listed) {
                prop_assert_eq!(text[listed.span.clone()].trim_matches('`').trim(), listed.id.trim());
            }
            for problem in problems {
                prop_assert!(text.get(problem.span()).is_some(), "{:?}", problem);
            }
        }
    }
}
