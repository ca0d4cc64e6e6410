//! Filter expressions: a pure lexer, parser and evaluator for the grammar of the X-Ray developer guide, "Using filter
//! expressions".
//!
//! Keywords, `AND`, `OR`, `NOT` and the word operators are read without regard to case; values and annotation keys are
//! compared exactly. Two terms side by side are joined by `AND`, which binds tighter than `OR`.

mod eval;
mod expression;
mod lex;
mod parse;

pub(super) use eval::{Groups, matches};
pub(super) use expression::{CauseKind, Element, Expression, Flag, GroupBy, Literal, Measure, Operand, Operator, Target, Text};
pub(super) use parse::parse;

#[cfg(test)]
mod tests;

/// The longest expression, in characters.
const LONGEST: usize = 10_000;

/// How deep parentheses, negations and braces may nest.
const DEEPEST: usize = 50;

/// Why a text is no filter expression.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{message} at position {position}")]
pub(super) struct FilterError {
    /// The character at which reading stopped, from 1.
    pub position: usize,
    /// What was found and what was expected.
    pub message: String,
}
