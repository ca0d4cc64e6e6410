//! Expressions over a row.

use std::cell::OnceCell;

use serde_json::Value as Json;

use super::query::{Binary, Expression, Like};
use super::value::Value;

/// The event that a row began as.
#[derive(Debug, Clone)]
pub(super) struct Source {
    pub at_ms: i64,
    pub ingested_ms: i64,
    pub message: String,
    pub stream: String,
    pub log: String,
    pub pointer: String,
    json: OnceCell<Option<Json>>,
}

impl Source {
    pub fn new(at_ms: i64, ingested_ms: i64, message: String, stream: String, log: String, pointer: String) -> Self {
        Self { at_ms, ingested_ms, message, stream, log, pointer, json: OnceCell::new() }
    }

    /// A field that AWS gives every event, or that a JSON message has.
    fn field(&self, name: &str) -> Value {
        match name {
            "@timestamp" => Value::Time(self.at_ms),
            "@ingestionTime" => Value::Time(self.ingested_ms),
            "@message" => Value::Text(self.message.clone()),
            "@logStream" => Value::Text(self.stream.clone()),
            "@log" => Value::Text(self.log.clone()),
            "@ptr" => Value::Text(self.pointer.clone()),
            _ => self.discovered(name),
        }
    }

    fn discovered(&self, name: &str) -> Value {
        let json = self.json.get_or_init(|| {
            // Insights looks for JSON that begins within the message too: a line's head, then an object.
            let start = self.message.find('{')?;
            let mut values = serde_json::Deserializer::from_str(&self.message[start..]).into_iter::<Json>();
            values.next()?.ok()
        });
        let Some(json) = json else { return Value::Null };
        match json.get(name).or_else(|| descend(json, name)) {
            None | Some(Json::Null) => Value::Null,
            Some(Json::Bool(truth)) => Value::truth(*truth),
            Some(Json::String(text)) => Value::Text(text.clone()),
            Some(other) => Value::Text(other.to_string()),
        }
    }
}

/// Follows `a.b.0` into objects and arrays. Keys may hold dots themselves.
fn descend<'j>(json: &'j Json, path: &str) -> Option<&'j Json> {
    let step = |key: &str| match json {
        Json::Array(items) => items.get(key.parse::<usize>().ok()?),
        other => other.get(key),
    };
    if let Some(found) = step(path) {
        return Some(found);
    }
    path.match_indices('.').take(32).find_map(|(at, _)| descend(step(&path[..at])?, &path[at + 1..]))
}

/// One row on its way through the commands.
#[derive(Debug, Clone, Default)]
pub(super) struct Row {
    /// `None` after `stats`.
    pub source: Option<Box<Source>>,
    /// Computed fields: they go before those of the event.
    pub fields: Vec<(String, Value)>,
}

impl Row {
    pub fn get(&self, name: &str) -> Value {
        match self.fields.iter().rev().find(|(key, _)| key == name) {
            Some((_, value)) => value.clone(),
            None => self.source.as_ref().map_or(Value::Null, |source| source.field(name)),
        }
    }

    pub fn set(&mut self, name: &str, value: Value) {
        match self.fields.iter_mut().find(|(key, _)| key == name) {
            Some(field) => field.1 = value,
            None => self.fields.push((name.to_owned(), value)),
        }
    }

    fn at_ms(&self) -> Option<i64> {
        self.source.as_ref().map(|source| source.at_ms)
    }
}

/// Computes an expression. `aggregates` holds the results that a `stats` shows.
pub(super) fn evaluate(expression: &Expression, row: &Row, aggregates: &[Value]) -> Value {
    let of = |expression: &Expression| evaluate(expression, row, aggregates);
    match expression {
        Expression::Field(name) => row.get(name),
        Expression::Constant(value) => value.clone(),
        Expression::Aggregate(index) => aggregates.get(*index).cloned().unwrap_or(Value::Null),
        Expression::Negative(inner) => of(inner).number().map_or(Value::Null, |number| Value::Number(-number)),
        Expression::Not(inner) => Value::truth(!of(inner).is_true()),
        Expression::Binary(Binary::And, left, right) => Value::truth(of(left).is_true() && of(right).is_true()),
        Expression::Binary(Binary::Or, left, right) => Value::truth(of(left).is_true() || of(right).is_true()),
        Expression::Binary(operator, left, right) => binary(*operator, &of(left), &of(right)),
        Expression::Like(left, like) => Value::truth(of(left).text().is_some_and(|text| match like {
            Like::Text(part) => text.contains(part.as_str()),
            Like::Regex(regex) => regex.is_match(&text),
        })),
        Expression::In(left, set) => {
            let left = of(left);
            Value::truth(set.iter().any(|member| left.compare(&of(member)).is_some_and(std::cmp::Ordering::is_eq)))
        }
        Expression::Call(function, arguments) => {
            let arguments: Vec<Value> = arguments.iter().map(of).collect();
            function.call(&arguments, row.at_ms())
        }
    }
}

fn binary(operator: Binary, left: &Value, right: &Value) -> Value {
    let compared = |holds: fn(std::cmp::Ordering) -> bool| Value::truth(left.compare(right).is_some_and(holds));
    let computed = |with: fn(f64, f64) -> f64| match (left.number(), right.number()) {
        (Some(a), Some(b)) if with(a, b).is_finite() => Value::Number(with(a, b)),
        _ => Value::Null,
    };
    match operator {
        Binary::Equal => compared(std::cmp::Ordering::is_eq),
        // What is absent differs from everything but from nothing.
        Binary::Unequal => Value::truth(match left.compare(right) {
            Some(order) => order.is_ne(),
            None => left.is_null() != right.is_null(),
        }),
        Binary::Less => compared(std::cmp::Ordering::is_lt),
        Binary::AtMost => compared(std::cmp::Ordering::is_le),
        Binary::Greater => compared(std::cmp::Ordering::is_gt),
        Binary::AtLeast => compared(std::cmp::Ordering::is_ge),
        Binary::Add => computed(|a, b| a + b),
        Binary::Subtract => computed(|a, b| a - b),
        Binary::Multiply => computed(|a, b| a * b),
        Binary::Divide => computed(|a, b| a / b),
        Binary::Remainder => computed(|a, b| a % b),
        Binary::Power => computed(f64::powf),
        Binary::And | Binary::Or => Value::Null,
    }
}
