//! `&&`, `||` and parentheses over conditions of any kind.

use super::cursor::Cursor;
use super::{DEPTH, PatternError};

/// Conditions put together.
#[derive(Debug, Clone)]
pub(super) enum Expression<T> {
    Any(Vec<Expression<T>>),
    All(Vec<Expression<T>>),
    One(T),
}

impl<T> Expression<T> {
    pub fn holds(&self, judge: &impl Fn(&T) -> bool) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(judge)),
            Self::All(parts) => parts.iter().all(|part| part.holds(judge)),
            Self::One(condition) => judge(condition),
        }
    }
}

/// How one condition is read.
pub(super) type Leaf<'l, T> = &'l dyn Fn(&mut Cursor<'_>) -> Result<T, PatternError>;

/// Reads conditions; `&&` binds tighter than `||`.
pub(super) fn parse<T>(cursor: &mut Cursor<'_>, leaf: Leaf<'_, T>, depth: usize) -> Result<Expression<T>, PatternError> {
    let mut parts = vec![conjunction(cursor, leaf, depth)?];
    loop {
        cursor.skip_space();
        if !cursor.eat("||") {
            break;
        }
        parts.push(conjunction(cursor, leaf, depth)?);
    }
    Ok(one_or(parts, Expression::Any))
}

fn conjunction<T>(cursor: &mut Cursor<'_>, leaf: Leaf<'_, T>, depth: usize) -> Result<Expression<T>, PatternError> {
    let mut parts = vec![single(cursor, leaf, depth)?];
    loop {
        cursor.skip_space();
        if !cursor.eat("&&") {
            break;
        }
        parts.push(single(cursor, leaf, depth)?);
    }
    Ok(one_or(parts, Expression::All))
}

fn single<T>(cursor: &mut Cursor<'_>, leaf: Leaf<'_, T>, depth: usize) -> Result<Expression<T>, PatternError> {
    cursor.skip_space();
    if !cursor.eat("(") {
        return leaf(cursor).map(Expression::One);
    }
    if depth == DEPTH {
        return Err(cursor.fail("the parentheses nest too deep"));
    }
    let inner = parse(cursor, leaf, depth + 1)?;
    cursor.skip_space();
    if cursor.eat(")") { Ok(inner) } else { Err(cursor.fail("a closing parenthesis is missing")) }
}

fn one_or<T>(mut parts: Vec<Expression<T>>, many: fn(Vec<Expression<T>>) -> Expression<T>) -> Expression<T> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}
