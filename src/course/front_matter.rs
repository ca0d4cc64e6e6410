use std::ops::Range;

use serde::Deserialize;

use crate::check::closest;

use super::problem::{Page, Problem};

/// The block between two lines `---` at the top of a lesson.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FrontMatter {
    pub title: String,
    pub order: u32,
    pub summary: String,
}

const FENCE: &str = "---";

impl FrontMatter {
    /// Reads the top of the page, and says where the rest begins.
    pub(super) fn parse(page: &Page) -> (Result<Self, Box<Problem>>, usize) {
        let text: &str = &page.text;
        let mut lines = text.split_inclusive('\n');
        let first = lines.next().unwrap_or_default();
        if first.trim_end() != FENCE {
            let problem = page
                .problem(0..first.trim_end().len(), "the lesson has no front matter", "the first line must be `---`")
                .help("begin with:\n---\ntitle: …\norder: 1\nsummary: …\n---");
            return (Err(Box::new(problem)), 0);
        }
        let start = first.len();
        let mut end = start;
        for line in lines {
            if line.trim_end() == FENCE {
                let rest = end + line.len();
                return (Self::read(page, start..end), rest);
            }
            end += line.len();
        }
        let problem =
            page.problem(0..FENCE.len(), "the front matter does not end", "opened here").help("close it with a line `---`");
        (Err(Box::new(problem)), text.len())
    }

    fn read(page: &Page, span: Range<usize>) -> Result<Self, Box<Problem>> {
        let yaml = &page.text[span.clone()];
        let front: Self = serde_saphyr::from_str(yaml).map_err(|error| Box::new(wrong(page, &span, &error)))?;
        let blank = [("title", &front.title), ("summary", &front.summary)].into_iter().find(|(_, value)| value.trim().is_empty());
        if let Some((field, _)) = blank {
            let message = format!("the front matter's `{field}` is blank");
            return Err(Box::new(page.problem(line_at(page, &span, field), message, "here")));
        }
        if front.order == 0 {
            let problem = page.problem(line_at(page, &span, "order"), "the front matter's `order` is 0", "lessons count from 1");
            return Err(Box::new(problem));
        }
        Ok(front)
    }
}

fn wrong(page: &Page, block: &Range<usize>, error: &serde_saphyr::Error) -> Problem {
    let yaml = &page.text[block.clone()];
    let said = error.without_snippet().to_string();
    let quoted: Vec<&str> = said.split('`').skip(1).step_by(2).collect();
    let location = error.location().and_then(|location| {
        let line = usize::try_from(location.line()).ok()?.checked_sub(1)?;
        let start = block.start + yaml.split_inclusive('\n').take(line).map(str::len).sum::<usize>();
        let length = page.text.get(start..block.end)?.lines().next().map_or(0, |line| line.trim_end().len());
        Some(start..start + length)
    });
    let span = location.unwrap_or(0..FENCE.len());
    let (Some(first), true) = (quoted.first(), said.contains("unknown field") || said.contains("missing field")) else {
        let cause = said.lines().next().unwrap_or_default();
        return page.problem(span, format!("the front matter cannot be read: {cause}"), "here");
    };
    if said.contains("missing field") {
        return page
            .problem(0..FENCE.len(), format!("the front matter lacks `{first}`"), "in this block")
            .help(format!("add a line `{first}: …`"));
    }
    page.problem(span, format!("the front matter has the unknown field `{first}`"), "no such field").maybe_help(
        closest(first, ["title", "order", "summary"])
            .map_or(Some(String::from("the fields are `title`, `order` and `summary`")), |close| {
                Some(format!("did you mean `{close}`?"))
            }),
    )
}

/// The line that begins with the field's name, or the opening fence.
fn line_at(page: &Page, block: &Range<usize>, field: &str) -> Range<usize> {
    let mut start = block.start;
    for line in page.text[block.clone()].split_inclusive('\n') {
        if line.starts_with(field) {
            return start..start + line.trim_end().len();
        }
        start += line.len();
    }
    0..FENCE.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use miette::Diagnostic;
    use proptest::prelude::*;

    fn read(text: &str) -> Result<FrontMatter, (String, usize, Option<String>)> {
        FrontMatter::parse(&Page::new("x.md", text))
            .0
            .map_err(|problem| (problem.to_string(), problem.line(), Diagnostic::help(&*problem).map(|help| help.to_string())))
    }

    #[test]
    fn three_fields_and_then_the_text() {
        let text = "---\ntitle: X-Ray\norder: 3\nsummary: Traces.\n---\nText";
        let (front, rest) = FrontMatter::parse(&Page::new("x.md", text));
        assert_eq!(front.unwrap(), FrontMatter { title: "X-Ray".into(), order: 3, summary: "Traces.".into() });
        assert_eq!(&text[rest..], "Text");
        assert!(read("---\r\ntitle: X-Ray\r\norder: 3\r\nsummary: Traces.\r\n---\r\nText").is_ok());
    }

    #[test]
    fn mistakes_have_a_line_and_a_remedy() {
        let (message, line, help) = read("---\ntitle: X\nordr: 3\nsummary: T\n---\n").unwrap_err();
        assert_eq!((message.as_str(), line), ("the front matter has the unknown field `ordr`", 3));
        assert_eq!(help.as_deref(), Some("did you mean `order`?"));
        let (message, ..) = read("---\ntitle: X\norder: 3\n---\n").unwrap_err();
        assert_eq!(message, "the front matter lacks `summary`");
        let (message, line, _) = read("---\ntitle: X\norder: third\nsummary: T\n---\n").unwrap_err();
        assert!(message.starts_with("the front matter cannot be read: "), "{message}");
        assert_eq!(line, 3);
        assert_eq!(read("---\ntitle: X\n").unwrap_err().0, "the front matter does not end");
        assert_eq!(read("# Title\n").unwrap_err().0, "the lesson has no front matter");
        assert_eq!(read("---\ntitle: X\norder: 0\nsummary: T\n---\n").unwrap_err().1, 3);
        assert_eq!(read("---\ntitle: ' '\norder: 1\nsummary: T\n---\n").unwrap_err().1, 2);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s).{0,120}", fenced: bool) {
            let text = if fenced { format!("---\n{text}\n---\n") } else { text };
            let (_, rest) = FrontMatter::parse(&Page::new("x.md", text.as_str()));
            prop_assert!(text.get(rest..).is_some());
        }
    }
}
