//! Filter patterns: what FilterLogEvents looks for in a message.
//!
//! Three kinds, told apart by the first character, as AWS documents them under "Filter pattern syntax":
//! - terms: `a b` both, `?a ?b` either, `-a` without, `"an exact phrase"`, `%regex%`;
//! - JSON: `{ $.status >= 500 && $.user.name = "a*" }`;
//! - columns parted by spaces: `[ip, user, ..., status = 4*, bytes]`.
//!
//! All is case-sensitive. A pattern has 1,024 characters at the most; parentheses nest to a depth of [`DEPTH`].

mod columns;
mod cursor;
mod expression;
mod json;
mod operand;
mod terms;

#[cfg(test)]
mod tests;

use columns::Columns;
use cursor::Cursor;
use expression::Expression;
use json::Condition;
use terms::Terms;

/// How many characters a pattern may have.
pub const LENGTH: usize = 1024;

/// How deep parentheses and selectors may go.
pub const DEPTH: usize = 32;

/// A parsed filter pattern.
#[derive(Debug, Clone)]
pub struct Pattern(Kind);

#[derive(Debug, Clone)]
enum Kind {
    All,
    Terms(Terms),
    Json(Expression<Condition>),
    Columns(Columns),
}

/// Why a pattern was refused. Displayed in AWS's manner.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatternError {
    /// A bare term with characters that want quotes.
    #[error("Invalid character(s) in term '{0}'")]
    Term(String),
    /// Anything else.
    #[error("Invalid filter pattern: {what} at position {at}")]
    Syntax {
        /// What is wrong.
        what: &'static str,
        /// Where, in characters from 0.
        at: usize,
    },
}

impl Pattern {
    /// Matches every event.
    pub const ALL: Self = Self(Kind::All);

    /// Parses a filter pattern; blank matches everything.
    ///
    /// # Errors
    /// When the pattern is not one of AWS's, or beyond the bounds.
    pub fn parse(text: &str) -> Result<Self, PatternError> {
        if text.chars().count() > LENGTH {
            return Err(PatternError::Syntax { what: "a pattern has at most 1024 characters, found more", at: LENGTH });
        }
        let mut cursor = Cursor::new(text);
        cursor.skip_space();
        match cursor.peek() {
            None => Ok(Self::ALL),
            Some('{') => json::parse(&mut cursor).map(|condition| Self(Kind::Json(condition))),
            Some('[') => columns::parse(&mut cursor).map(|columns| Self(Kind::Columns(columns))),
            Some(_) => Ok(match terms::parse(&mut cursor)? {
                terms if terms.is_empty() => Self::ALL,
                terms => Self(Kind::Terms(terms)),
            }),
        }
    }

    /// Whether the message matches.
    #[must_use]
    pub fn matches(&self, message: &str) -> bool {
        match &self.0 {
            Kind::All => true,
            Kind::Terms(terms) => terms.matches(message),
            Kind::Json(condition) => json::matches(condition, message),
            Kind::Columns(columns) => columns.matches(message),
        }
    }

    /// A text that every matching message holds, where the pattern demands one: the longest.
    #[must_use]
    pub fn needle(&self) -> Option<&str> {
        match &self.0 {
            Kind::Terms(terms) => terms.needle(),
            Kind::All | Kind::Json(_) | Kind::Columns(_) => None,
        }
    }
}
