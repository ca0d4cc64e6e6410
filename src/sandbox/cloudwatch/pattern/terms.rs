//! Words, phrases and regular expressions anywhere in a message.

use memchr::memmem::Finder;
use regex::Regex;

use super::cursor::Cursor;
use super::{PatternError, operand};

#[derive(Debug, Clone)]
enum Term {
    Text(String, Box<Finder<'static>>),
    Regex(Regex),
}

impl Term {
    fn occurs(&self, message: &str) -> bool {
        match self {
            Self::Text(_, finder) => finder.find(message.as_bytes()).is_some(),
            Self::Regex(regex) => regex.is_match(message),
        }
    }
}

/// What must, may and must not occur.
#[derive(Debug, Clone, Default)]
pub(super) struct Terms {
    all: Vec<Term>,
    any: Vec<Term>,
    none: Vec<Term>,
}

impl Terms {
    pub fn is_empty(&self) -> bool {
        self.all.is_empty() && self.any.is_empty() && self.none.is_empty()
    }

    pub fn matches(&self, message: &str) -> bool {
        self.all.iter().all(|term| term.occurs(message))
            && (self.any.is_empty() || self.any.iter().any(|term| term.occurs(message)))
            && !self.none.iter().any(|term| term.occurs(message))
    }

    pub fn needle(&self) -> Option<&str> {
        let sole = if self.any.len() == 1 { self.any.first() } else { None };
        let texts = self.all.iter().chain(sole).filter_map(|term| match term {
            Term::Text(text, _) => Some(text.as_str()),
            Term::Regex(_) => None,
        });
        texts.max_by_key(|text| text.len())
    }
}

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Terms, PatternError> {
    let mut terms = Terms::default();
    loop {
        cursor.skip_space();
        if cursor.is_done() {
            break;
        }
        let (optional, excluded) = (cursor.eat("?"), cursor.eat("-"));
        let term = match cursor.peek() {
            Some('"') => text(cursor.quoted()?),
            Some('%') => Some(Term::Regex(operand::regex(cursor)?)),
            _ => {
                let word = cursor.take_while(|c| !c.is_whitespace());
                if word.is_empty() {
                    return Err(cursor.fail("a term is missing"));
                }
                if !word.chars().all(|c| c.is_alphanumeric() || c == '_') {
                    return Err(PatternError::Term(word.to_owned()));
                }
                text(word.to_owned())
            }
        };
        if !cursor.peek().is_none_or(char::is_whitespace) {
            return Err(cursor.fail("a space is missing between two terms"));
        }
        // An empty phrase occurs everywhere.
        let Some(term) = term else { continue };
        match (optional, excluded) {
            (_, true) => terms.none.push(term),
            (true, false) => terms.any.push(term),
            (false, false) => terms.all.push(term),
        }
    }
    // Beside other terms, the question mark is documented to be ignored.
    if !terms.all.is_empty() || !terms.none.is_empty() {
        terms.all.append(&mut terms.any);
    }
    Ok(terms)
}

fn text(text: String) -> Option<Term> {
    let finder = Box::new(Finder::new(&text).into_owned());
    (!text.is_empty()).then_some(Term::Text(text, finder))
}
