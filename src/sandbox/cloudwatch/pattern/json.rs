//! `{ $.a.b[0] = "x*" && $.n > 3 }`: conditions on a message that is a JSON object or array.

use serde_json::Value;

use super::cursor::Cursor;
use super::expression::{self, Expression};
use super::operand::{Operand, Operator};
use super::{DEPTH, PatternError};

#[derive(Debug, Clone)]
enum Step {
    Key(String),
    Index(usize),
    /// `[*]`: any element.
    Each,
}

#[derive(Debug, Clone)]
enum Test {
    Compare(Operator, Operand),
    IsTrue,
    IsFalse,
    IsNull,
    Exists,
    NotExists,
}

/// A selector and what is asked of it.
#[derive(Debug, Clone)]
pub(super) struct Condition {
    path: Vec<Step>,
    test: Test,
}

pub(super) fn parse(cursor: &mut Cursor<'_>) -> Result<Expression<Condition>, PatternError> {
    cursor.eat("{");
    let expression = expression::parse(cursor, &condition, 0)?;
    cursor.skip_space();
    if !cursor.eat("}") {
        return Err(cursor.fail("a closing brace is missing"));
    }
    cursor.skip_space();
    if cursor.is_done() { Ok(expression) } else { Err(cursor.fail("there is more after the closing brace")) }
}

fn condition(cursor: &mut Cursor<'_>) -> Result<Condition, PatternError> {
    let path = path(cursor)?;
    cursor.skip_space();
    if let Some(operator) = Operator::parse(cursor) {
        let operand = Operand::parse(cursor, operator, "}{[],;")?;
        return Ok(Condition { path, test: Test::Compare(operator, operand) });
    }
    let test = if cursor.eat_word("IS") {
        cursor.skip_space();
        let all = [("TRUE", Test::IsTrue), ("FALSE", Test::IsFalse), ("NULL", Test::IsNull)];
        all.into_iter().find(|(word, _)| cursor.eat_word(word)).map(|(_, test)| test)
    } else if cursor.eat_word("NOT") {
        cursor.skip_space();
        cursor.eat_word("EXISTS").then_some(Test::NotExists)
    } else {
        cursor.eat_word("EXISTS").then_some(Test::Exists)
    };
    test.map(|test| Condition { path, test }).ok_or_else(|| cursor.fail("a comparison is missing"))
}

fn path(cursor: &mut Cursor<'_>) -> Result<Vec<Step>, PatternError> {
    if !cursor.eat("$") {
        return Err(cursor.fail("a selector begins with `$.`; it is missing"));
    }
    let mut path = Vec::new();
    loop {
        if path.len() > DEPTH {
            return Err(cursor.fail("the selector goes too deep"));
        }
        if cursor.eat("[") {
            path.push(bracket(cursor)?);
        } else if cursor.eat(".") {
            if cursor.eat("[") {
                path.push(bracket(cursor)?);
                continue;
            }
            let key = cursor.take_while(|c| c.is_alphanumeric() || "_-@".contains(c));
            if key.is_empty() {
                return Err(cursor.fail("a key is missing"));
            }
            path.push(Step::Key(key.to_owned()));
        } else if path.is_empty() {
            return Err(cursor.fail("a key is missing"));
        } else {
            return Ok(path);
        }
    }
}

/// What stands between brackets: an index, `*`, or a key in quotes.
fn bracket(cursor: &mut Cursor<'_>) -> Result<Step, PatternError> {
    cursor.skip_space();
    let step = match cursor.peek() {
        Some('"' | '\'') => Step::Key(cursor.quoted()?),
        Some('*') => {
            cursor.next();
            Step::Each
        }
        _ => {
            let index = cursor.take_while(|c| c.is_ascii_digit()).parse();
            Step::Index(index.map_err(|_| cursor.fail("an index is missing"))?)
        }
    };
    cursor.skip_space();
    if cursor.eat("]") { Ok(step) } else { Err(cursor.fail("a closing bracket is missing")) }
}

pub(super) fn matches(expression: &Expression<Condition>, message: &str) -> bool {
    if !message.trim_start().starts_with(['{', '[']) {
        return false;
    }
    let Ok(value) = serde_json::from_str::<Value>(message) else { return false };
    expression.holds(&|condition: &Condition| condition.holds(&value))
}

impl Condition {
    fn holds(&self, root: &Value) -> bool {
        let mut found = Vec::new();
        select(root, &self.path, &mut found);
        match &self.test {
            Test::NotExists => found.is_empty(),
            Test::Exists => !found.is_empty(),
            test => found.iter().any(|value| test.holds(value)),
        }
    }
}

fn select<'v>(value: &'v Value, path: &[Step], found: &mut Vec<&'v Value>) {
    let Some((step, rest)) = path.split_first() else {
        found.push(value);
        return;
    };
    match step {
        Step::Key(key) => {
            if let Some(value) = value.get(key) {
                select(value, rest, found);
            }
        }
        Step::Index(index) => {
            if let Some(value) = value.get(index) {
                select(value, rest, found);
            }
        }
        Step::Each => value.as_array().into_iter().flatten().for_each(|value| select(value, rest, found)),
    }
}

impl Test {
    fn holds(&self, value: &Value) -> bool {
        match self {
            Self::IsTrue => *value == Value::Bool(true),
            Self::IsFalse => *value == Value::Bool(false),
            Self::IsNull => value.is_null(),
            Self::Compare(operator, operand) => compare(*operator, operand, value),
            Self::Exists | Self::NotExists => false,
        }
    }
}

fn compare(operator: Operator, operand: &Operand, value: &Value) -> bool {
    let equal = match (operand, value) {
        (Operand::Number(number, _), Value::Number(value)) => {
            return value.as_f64().is_some_and(|value| operator.compare(value, *number));
        }
        _ if operator.orders() => return false,
        (Operand::Number(_, written), Value::String(text)) => written == text,
        (Operand::Word(_, wild) | Operand::Text(wild), Value::String(text)) => wild.matches(text),
        (Operand::Word(word, _), Value::Bool(value)) => word == if *value { "true" } else { "false" },
        (Operand::Word(word, _), Value::Null) => word == "null",
        (Operand::Word(_, wild), Value::Number(number)) => wild.matches(&number.to_string()),
        (Operand::Regex(regex), Value::String(text)) => regex.is_match(text),
        (Operand::Regex(regex), Value::Number(number)) => regex.is_match(&number.to_string()),
        _ => false,
    };
    equal == (operator == Operator::Equal)
}
