use std::ops::Range;

use crate::course::{CodeBlock, Page};

/// Where the lines of a code block stand on its page.
#[derive(Debug)]
pub(super) struct Block {
    /// The opening fence's line, from its first backtick.
    pub fence: Range<usize>,
    /// What stands between the fences, line breaks and all.
    pub inside: Range<usize>,
    /// The lines: the code alone, without what a quote or a list puts before it.
    pub lines: Vec<Range<usize>>,
    /// What a quote or a list puts before a line.
    lead: String,
    /// The page's line break.
    ending: &'static str,
    /// The fence: so many of this character.
    mark: (char, usize),
}

impl Block {
    /// Finds the lines. `None` where the block has no closing fence, or its lines are not those that a reader of the page sees.
    pub(super) fn of(page: &Page, code: &CodeBlock) -> Option<Self> {
        let text: &str = &page.text;
        let opening = text[..code.span.start].rfind('\n').map_or(0, |at| at + 1);
        let first = text[opening..].split_inclusive('\n').next()?;
        let at = opening + first.find(['`', '~'])?;
        let character = text[at..].chars().next()?;
        let mark = (character, text[at..].chars().take_while(|other| *other == character).count());
        let ending = if first.ends_with("\r\n") { "\r\n" } else { "\n" };
        // A list's own mark stands only before its first line.
        let lead = text[opening..at].chars().map(|c| if c == '>' || c.is_whitespace() { c } else { ' ' }).collect();

        let start = opening + first.len();
        let (mut from, mut lines) = (start, Vec::new());
        for code in code.text.lines() {
            let whole = text.get(from..)?.split_inclusive('\n').next()?;
            let line = whole.trim_end_matches('\n').trim_end_matches('\r');
            if !line.ends_with(code) {
                return None;
            }
            lines.push(from + line.len() - code.len()..from + line.len());
            from += whole.len();
        }
        let closing = text.get(from..)?.split_inclusive('\n').next()?;
        let bare = closing.trim_start_matches([' ', '\t', '>']).trim_end();
        let closes = bare.chars().all(|c| c == mark.0) && bare.len() >= mark.1;
        (closes && from < code.span.end).then(|| Self {
            fence: at..opening + first.trim_end().len(),
            inside: start..from,
            lines,
            lead,
            ending,
            mark,
        })
    }

    /// The code, line by line.
    pub(super) fn shown<'p>(&self, page: &'p Page) -> Vec<&'p str> {
        self.lines.iter().map(|line| &page.text[line.clone()]).collect()
    }

    /// The line as it stands on the page, with all that is before and behind it.
    pub(super) fn whole<'p>(&self, page: &'p Page, line: usize) -> &'p str {
        let start = line.checked_sub(1).map_or(self.inside.start, |before| self.end(page, before));
        &page.text[start..self.end(page, line)]
    }

    fn end(&self, page: &Page, line: usize) -> usize {
        let end = self.lines[line].end;
        end + page.text[end..].split_inclusive('\n').next().map_or(0, str::len)
    }

    /// A line of code as it would stand on the page.
    pub(super) fn row(&self, code: &str) -> String {
        let line = format!("{}{code}", self.lead);
        let line = if code.is_empty() { line.trim_end() } else { &line };
        format!("{line}{}", self.ending)
    }

    /// Whether a line of code would be taken for the closing fence.
    pub(super) fn would_close(&self, code: &str) -> bool {
        let bare = code.trim();
        bare.chars().all(|c| c == self.mark.0) && bare.chars().count() >= self.mark.1
    }

    /// The fence that could hold such a line.
    pub(super) fn longer_fence(&self, code: &str) -> String {
        self.mark.0.to_string().repeat(code.trim().chars().count() + 1)
    }

    /// The place of `file=…` in the opening fence, or the fence.
    pub(super) fn file_span(&self, page: &Page) -> Range<usize> {
        let fence = &page.text[self.fence.clone()];
        let Some(at) = fence.find("file=") else { return self.fence.clone() };
        let start = self.fence.start + at;
        start..start + fence[at..].split_whitespace().next().map_or(0, str::len)
    }
}
