//! `[ip, user, ..., status = 4*, bytes]`: conditions on the columns of a message, which spaces part. What stands between
//! double quotes or brackets is one column.

use super::PatternError;
use super::cursor::Cursor;
use super::expression::{self, Expression};
use super::operand::{Operand, Operator, number};

type Condition = (Operator, Operand);

/// A named column, perhaps with a condition.
#[derive(Debug, Clone)]
struct Column {
    condition: Option<Expression<Condition>>,
}

/// The columns before and after the ellipsis; without one, all come before.
#[derive(Debug, Clone)]
pub(super) struct Columns {
    before: Vec<Column>,
    /// `None` where the message must have just as many columns.
    after: Option<Vec<Column>>,
}

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Columns, PatternError> {
    cursor.eat("[");
    let mut columns = Columns { before: Vec::new(), after: None };
    loop {
        cursor.skip_space();
        if cursor.eat("...") || cursor.eat("…") {
            if columns.after.is_some() {
                return Err(cursor.fail("a pattern has one ellipsis, a second is"));
            }
            columns.after = Some(Vec::new());
        } else {
            let column = column(cursor)?;
            columns.after.as_mut().unwrap_or(&mut columns.before).push(column);
        }
        cursor.skip_space();
        if cursor.eat("]") {
            break;
        }
        if !cursor.eat(",") {
            return Err(cursor.fail("a comma or a closing bracket is missing"));
        }
    }
    cursor.skip_space();
    if cursor.is_done() { Ok(columns) } else { Err(cursor.fail("there is more after the closing bracket")) }
}

fn column(cursor: &mut Cursor<'_>) -> Result<Column, PatternError> {
    let start = cursor.clone();
    let name = self::name(cursor);
    cursor.skip_space();
    if !name.is_empty() && cursor.peek().is_none_or(|c| c == ',' || c == ']') {
        return Ok(Column { condition: None });
    }
    *cursor = start;
    // The name that all of the column's conditions must have.
    let agreed = std::cell::RefCell::new(None::<String>);
    let leaf = |cursor: &mut Cursor<'_>| {
        cursor.skip_space();
        let name = self::name(cursor);
        if name.is_empty() {
            return Err(cursor.fail("a column's name is missing"));
        }
        if agreed.borrow_mut().get_or_insert_with(|| name.to_owned()) != name {
            return Err(cursor.fail("the conditions of one column must have the same name; another is"));
        }
        cursor.skip_space();
        let operator = Operator::parse(cursor).ok_or_else(|| cursor.fail("a comparison is missing"))?;
        Ok((operator, Operand::parse(cursor, operator, ",]")?))
    };
    let condition = expression::parse(cursor, &leaf, 0)?;
    Ok(Column { condition: Some(condition) })
}

fn name<'a>(cursor: &mut Cursor<'a>) -> &'a str {
    cursor.take_while(|c| c.is_alphanumeric() || "_-@$".contains(c))
}

impl Columns {
    pub fn matches(&self, message: &str) -> bool {
        let most = self.before.len() + self.after.as_ref().map_or(0, Vec::len);
        let texts = split(message);
        match &self.after {
            None => texts.len() == most && holds(&self.before, &texts),
            Some(after) => {
                texts.len() >= most && holds(&self.before, &texts) && holds(after, &texts[texts.len() - after.len()..])
            }
        }
    }
}

fn holds(columns: &[Column], texts: &[&str]) -> bool {
    columns.iter().zip(texts).all(|(column, text)| {
        column
            .condition
            .as_ref()
            .is_none_or(|condition| condition.holds(&|(operator, operand)| compare(*operator, operand, text)))
    })
}

fn compare(operator: Operator, operand: &Operand, text: &str) -> bool {
    let equal = match operand {
        Operand::Number(value, written) => match number(text) {
            Some(found) => return operator.compare(found, *value),
            None if operator.orders() => return false,
            None => written == text,
        },
        Operand::Word(_, wild) | Operand::Text(wild) => wild.matches(text),
        Operand::Regex(regex) => regex.is_match(text),
    };
    equal == (operator == Operator::Equal)
}

/// The columns of a message.
fn split(message: &str) -> Vec<&str> {
    let (mut columns, mut rest) = (Vec::new(), message.trim_start());
    while let Some(first) = rest.chars().next() {
        let close = match first {
            '"' => Some('"'),
            '[' => Some(']'),
            _ => None,
        };
        let enclosed = close.and_then(|close| {
            let end = rest[1..].find(close)? + 1;
            // A closing mark in the middle of a word closes nothing.
            rest[end + 1..].chars().next().is_none_or(char::is_whitespace).then_some(end)
        });
        let (column, after) = match enclosed {
            Some(end) => (&rest[1..end], &rest[end + 1..]),
            None => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        columns.push(column);
        rest = after.trim_start();
    }
    columns
}
