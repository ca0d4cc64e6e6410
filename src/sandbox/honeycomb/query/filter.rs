use std::cmp::Ordering;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::sandbox::honeycomb::event::Fields;
use crate::sandbox::honeycomb::problem::Detail;

/// A condition on one column of an event.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Filter {
    /// The column.
    #[serde(default)]
    pub column: String,
    /// One of the API's operators: `=`, `exists`, `contains`, ….
    #[serde(default)]
    pub op: String,
    /// What the column is held against; absent for `exists` and `does-not-exist`.
    #[serde(default, skip_serializing_if = "Value::is_null")]
    pub value: Value,
}

/// The operators of the API.
pub const OPERATORS: [&str; 16] = [
    "=",
    "!=",
    ">",
    ">=",
    "<",
    "<=",
    "starts-with",
    "does-not-start-with",
    "ends-with",
    "does-not-end-with",
    "exists",
    "does-not-exist",
    "contains",
    "does-not-contain",
    "in",
    "not-in",
];

impl Filter {
    /// Says what is wrong with it.
    pub fn validate(&self, field: &str, details: &mut Vec<Detail>) {
        if self.column.is_empty() {
            details.push(Detail::invalid(format!("{field}.column"), "column is required"));
        }
        let scalar = matches!(self.value, Value::String(_) | Value::Number(_) | Value::Bool(_));
        let wrong = match self.op.as_str() {
            op if !OPERATORS.contains(&op) => Some(("op", format!("op must be one of {}", OPERATORS.join(", ")))),
            "exists" | "does-not-exist" if !self.value.is_null() => {
                Some(("value", format!("value is not allowed with the op {}", self.op)))
            }
            "in" | "not-in" if self.value.as_array().is_none_or(Vec::is_empty) => {
                Some(("value", format!("value must be an array with the op {}", self.op)))
            }
            "exists" | "does-not-exist" | "in" | "not-in" => None,
            _ if !scalar => Some(("value", format!("value must be a string, a number or a boolean with the op {}", self.op))),
            _ => None,
        };
        if let Some((name, description)) = wrong {
            details.push(Detail::invalid(format!("{field}.{name}"), description));
        }
    }

    /// Whether the event meets it. Where the column is missing, only what denies something is met.
    #[must_use]
    pub fn matches(&self, fields: &Fields) -> bool {
        let Some(field) = fields.get(&self.column).filter(|value| !value.is_null()) else {
            return matches!(
                self.op.as_str(),
                "!=" | "does-not-start-with" | "does-not-end-with" | "does-not-exist" | "does-not-contain" | "not-in"
            );
        };
        let order = || compare(field, &self.value);
        let equals_any = || self.value.as_array().is_some_and(|list| list.iter().any(|value| equal(field, value)));
        let text = |test: fn(&str, &str) -> bool| test(&as_text(field), &as_text(&self.value));
        match self.op.as_str() {
            "=" => equal(field, &self.value),
            "!=" => !equal(field, &self.value),
            ">" => order() == Some(Ordering::Greater),
            ">=" => matches!(order(), Some(Ordering::Greater | Ordering::Equal)),
            "<" => order() == Some(Ordering::Less),
            "<=" => matches!(order(), Some(Ordering::Less | Ordering::Equal)),
            "starts-with" => text(|field, wanted| field.starts_with(wanted)),
            "does-not-start-with" => !text(|field, wanted| field.starts_with(wanted)),
            "ends-with" => text(|field, wanted| field.ends_with(wanted)),
            "does-not-end-with" => !text(|field, wanted| field.ends_with(wanted)),
            "contains" => text(|field, wanted| field.contains(wanted)),
            "does-not-contain" => !text(|field, wanted| field.contains(wanted)),
            "exists" => true,
            "in" => equals_any(),
            "not-in" => !equals_any(),
            _ => false,
        }
    }
}

fn equal(field: &Value, wanted: &Value) -> bool {
    compare(field, wanted) == Some(Ordering::Equal)
}

/// The order of two values. A number and a text are compared as the numbers that they are or name.
#[must_use]
pub fn compare(one: &Value, other: &Value) -> Option<Ordering> {
    match (one, other) {
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64()) {
            (Some(a), Some(b)) => Some(a.cmp(&b)),
            _ => a.as_f64()?.partial_cmp(&b.as_f64()?),
        },
        (Value::String(a), Value::String(b)) => Some(a.cmp(b)),
        (Value::Bool(a), Value::Bool(b)) => Some(a.cmp(b)),
        (Value::Number(a), Value::String(b)) => a.as_f64()?.partial_cmp(&b.trim().parse().ok()?),
        (Value::String(a), Value::Number(b)) => a.trim().parse::<f64>().ok()?.partial_cmp(&b.as_f64()?),
        (Value::Bool(a), Value::String(b)) => Some(a.to_string().as_str().cmp(b)),
        (Value::String(a), Value::Bool(b)) => Some(a.as_str().cmp(&b.to_string())),
        _ => None,
    }
}

fn as_text(value: &Value) -> std::borrow::Cow<'_, str> {
    match value {
        Value::String(text) => text.into(),
        other => other.to_string().into(),
    }
}
