use opentelemetry_proto::tonic::common::v1::any_value::Value as Any;
use opentelemetry_proto::tonic::common::v1::{AnyValue, KeyValue};
use serde_json::Value;

use crate::sandbox::honeycomb::event::{ColumnType, FLATTEN_DEPTH};

/// The value of one column.
#[derive(Debug, Clone, Copy)]
pub enum Leaf<'a> {
    /// Text.
    Text(&'a str),
    /// A whole number.
    Integer(i64),
    /// A number with a fraction.
    Float(f64),
    /// True or false.
    Boolean(bool),
    /// What has no column type of its own and becomes JSON text.
    Nested(&'a AnyValue),
}

impl Leaf<'_> {
    /// The type that it gives its column.
    #[must_use]
    pub fn column_type(&self) -> ColumnType {
        match self {
            Self::Text(_) | Self::Nested(_) => ColumnType::String,
            Self::Integer(_) => ColumnType::Integer,
            Self::Float(_) => ColumnType::Float,
            Self::Boolean(_) => ColumnType::Boolean,
        }
    }

    /// The value in a row.
    #[must_use]
    pub fn to_json(self) -> Value {
        match self {
            Self::Text(text) => Value::from(text),
            Self::Integer(number) => Value::from(number),
            Self::Float(number) => Value::from(number),
            Self::Boolean(flag) => Value::from(flag),
            Self::Nested(value) => Value::String(json(value).to_string()),
        }
    }
}

/// Visits the columns that attributes become: nested maps as `outer.inner`, to a depth of five.
pub fn each_leaf<'a>(attributes: &'a [KeyValue], visit: &mut impl FnMut(&str, Leaf<'a>)) {
    for attribute in attributes {
        if let (false, Some(value)) = (attribute.key.is_empty(), &attribute.value) {
            leaf(&attribute.key, value, 1, visit);
        }
    }
}

fn leaf<'a>(key: &str, value: &'a AnyValue, depth: usize, visit: &mut impl FnMut(&str, Leaf<'a>)) {
    match &value.value {
        Some(Any::StringValue(text)) => visit(key, Leaf::Text(text)),
        Some(Any::IntValue(number)) => visit(key, Leaf::Integer(*number)),
        Some(Any::DoubleValue(number)) => visit(key, Leaf::Float(*number)),
        Some(Any::BoolValue(flag)) => visit(key, Leaf::Boolean(*flag)),
        Some(Any::KvlistValue(list)) if depth < FLATTEN_DEPTH => {
            for inner in &list.values {
                if let Some(value) = &inner.value {
                    leaf(&format!("{key}.{}", inner.key), value, depth + 1, visit);
                }
            }
        }
        Some(Any::ArrayValue(_) | Any::BytesValue(_) | Any::KvlistValue(_)) => visit(key, Leaf::Nested(value)),
        _ => {}
    }
}

// As deep as the parsers let values nest.
fn json(value: &AnyValue) -> Value {
    match &value.value {
        Some(Any::StringValue(text)) => Value::from(text.as_str()),
        Some(Any::IntValue(number)) => Value::from(*number),
        Some(Any::DoubleValue(number)) => Value::from(*number),
        Some(Any::BoolValue(flag)) => Value::from(*flag),
        Some(Any::BytesValue(bytes)) => Value::from(base64(bytes)),
        Some(Any::ArrayValue(array)) => Value::Array(array.values.iter().map(json).collect()),
        Some(Any::KvlistValue(list)) => Value::Object(
            list.values.iter().map(|entry| (entry.key.clone(), entry.value.as_ref().map_or(Value::Null, json))).collect(),
        ),
        _ => Value::Null,
    }
}

/// Standard base64 with padding.
#[must_use]
pub fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::with_capacity(bytes.len().div_ceil(3) * 4);
    for chunk in bytes.chunks(3) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let bits = at(0) << 16 | at(1) << 8 | at(2);
        for place in 0..4 {
            if place <= chunk.len() {
                text.push(char::from(LETTERS[(bits >> (18 - 6 * place) & 63) as usize]));
            } else {
                text.push('=');
            }
        }
    }
    text
}

/// Lower-case hexadecimal digits.
#[must_use]
pub fn hex(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        text.push(char::from(DIGITS[usize::from(byte >> 4)]));
        text.push(char::from(DIGITS[usize::from(byte & 15)]));
    }
    text
}

/// The bytes of a trace id that Honeycomb goes by: eight leading zero bytes of sixteen are padding.
#[must_use]
pub fn significant(trace_id: &[u8]) -> &[u8] {
    match trace_id.split_at_checked(8) {
        Some(([0, 0, 0, 0, 0, 0, 0, 0], rest)) if rest.len() == 8 => rest,
        _ => trace_id,
    }
}

/// A trace id as it stands in `trace.trace_id`.
#[must_use]
pub fn trace_text(trace_id: &[u8]) -> String {
    // 24 bytes are a hexadecimal id that something decoded as base64: encoding it again restores its digits.
    if trace_id.len() == 24 { base64(trace_id) } else { hex(significant(trace_id)) }
}

/// A span id as it stands in `trace.span_id`.
#[must_use]
pub fn span_text(span_id: &[u8]) -> String {
    if span_id.len() == 12 { base64(span_id) } else { hex(span_id) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_has_its_padding() {
        for (bytes, text) in [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")] {
            assert_eq!(base64(bytes.as_bytes()), text);
        }
    }

    #[test]
    fn padding_of_a_short_trace_id_is_trimmed() {
        assert_eq!(trace_text(&[0, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 0xff]), "01020304050607ff");
        assert_eq!(trace_text(&[0; 3]), "000000");
        assert_eq!(trace_text(&[1, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]).len(), 32);
    }
}
