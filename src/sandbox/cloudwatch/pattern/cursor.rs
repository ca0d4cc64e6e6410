//! A place in the text of a pattern.

use super::PatternError;

/// Reads characters from the front.
#[derive(Debug, Clone)]
pub(super) struct Cursor<'a> {
    rest: &'a str,
    at: usize,
    /// How many regular expressions the pattern has so far.
    pub regexes: usize,
}

impl<'a> Cursor<'a> {
    pub fn new(text: &'a str) -> Self {
        Self { rest: text, at: 0, regexes: 0 }
    }

    pub fn peek(&self) -> Option<char> {
        self.rest.chars().next()
    }

    pub fn next(&mut self) -> Option<char> {
        let mut chars = self.rest.chars();
        let next = chars.next()?;
        self.rest = chars.as_str();
        self.at += 1;
        Some(next)
    }

    pub fn skip_space(&mut self) {
        self.take_while(char::is_whitespace);
    }

    /// Steps over the text if it is next.
    pub fn eat(&mut self, text: &str) -> bool {
        let Some(rest) = self.rest.strip_prefix(text) else { return false };
        self.rest = rest;
        self.at += text.chars().count();
        true
    }

    /// Steps over the word if it is next, in any case, and ends there.
    pub fn eat_word(&mut self, word: &str) -> bool {
        let mut ahead = self.clone();
        let found = ahead.take_while(|c| c.is_alphanumeric() || c == '_');
        let same = found.eq_ignore_ascii_case(word);
        if same {
            *self = ahead;
        }
        same
    }

    pub fn take_while(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|c| !wanted(c)).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(end);
        self.rest = rest;
        self.at += taken.chars().count();
        taken
    }

    /// The text between here and a closing quote. Only quotes and backslashes are escaped; other backslashes stay.
    pub fn quoted(&mut self) -> Result<String, PatternError> {
        let quote = self.next();
        let mut text = String::new();
        loop {
            match self.next() {
                None => return Err(self.fail("a quotation mark is missing")),
                Some('\\') => match self.next() {
                    None => return Err(self.fail("a quotation mark is missing")),
                    Some(escaped) => {
                        if Some(escaped) != quote && escaped != '\\' {
                            text.push('\\');
                        }
                        text.push(escaped);
                    }
                },
                end if end == quote => return Ok(text),
                Some(other) => text.push(other),
            }
        }
    }

    pub fn is_done(&self) -> bool {
        self.rest.is_empty()
    }

    pub fn fail(&self, what: &'static str) -> PatternError {
        PatternError::Syntax { what, at: self.at }
    }
}
