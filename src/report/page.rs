use std::collections::HashSet;

use console::measure_text_width;

use super::Look;
use super::look::Tone;
use super::text::wrap;

/// A page that is being written, line by line.
pub(super) struct Page {
    pub(super) look: Look,
    pub(super) text: String,
    /// What has been told already: causes with their remedies. One that many checks share is told in full once.
    pub(super) told: HashSet<(String, Option<String>)>,
}

impl Page {
    /// A column of text is never narrower.
    const NARROWEST: usize = 8;

    pub(super) fn new(look: Look) -> Self {
        Self { look, text: String::new(), told: HashSet::new() }
    }

    pub(super) fn blank(&mut self) {
        self.text.push('\n');
    }

    /// One line of painted text, which must fit.
    pub(super) fn line(&mut self, indent: usize, tone: Tone, text: &str) {
        self.text.extend(std::iter::repeat_n(' ', indent));
        self.text.push_str(&self.look.paint(tone, text));
        self.text.push('\n');
    }

    /// Text in as many lines as it takes.
    pub(super) fn paragraph(&mut self, indent: usize, tone: Tone, text: &str) {
        for line in wrap(text, self.look.width - indent) {
            self.line(indent, tone, &line);
        }
    }

    /// A row: the last of its parts is wrapped, what stands at the right is flush with the edge of the first line.
    pub(super) fn row(&mut self, indent: usize, parts: &[(Tone, &str)], right_tone: Tone, right: &str) {
        let Some((&(tone, body), lead)) = parts.split_last() else { return };
        let lead_width: usize = lead.iter().map(|(_, text)| measure_text_width(text)).sum();
        let start = indent + lead_width;
        let right_width = measure_text_width(right);
        // A page that is too narrow for all of it is written over its edge.
        let room = self.look.width.saturating_sub(start + right_width + 2).max(Self::NARROWEST);
        let lines = wrap(body, room);
        self.text.extend(std::iter::repeat_n(' ', indent));
        for (tone, text) in lead {
            self.text.push_str(&self.look.paint(*tone, text));
        }
        let first = lines.first().map_or("", String::as_str);
        self.text.push_str(&self.look.paint(tone, first));
        if !right.is_empty() {
            let gap = self.look.width.saturating_sub(start + measure_text_width(first) + right_width).max(2);
            self.text.extend(std::iter::repeat_n(' ', gap));
            self.text.push_str(&self.look.paint(right_tone, right));
        }
        self.text.push('\n');
        for line in lines.iter().skip(1) {
            self.line(start, tone, line);
        }
    }
}
