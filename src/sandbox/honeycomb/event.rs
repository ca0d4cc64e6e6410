//! One event, its columns and their types, and how it is found by its trace.

use std::collections::HashSet;

use serde_json::{Map, Value};

/// The columns of one event, with the types in which they arrived.
pub type Fields = Map<String, Value>;

/// One event of a dataset.
#[derive(Debug, Clone, PartialEq)]
pub struct Event {
    /// Its time, in Unix milliseconds: a span's start.
    pub at_ms: i64,
    /// How many events it stands for.
    pub sample_rate: u32,
    /// Its columns.
    pub fields: Fields,
}

/// Which columns of an event are worth the work of making them.
#[derive(Debug, Clone)]
pub enum Wanted {
    /// All.
    All,
    /// These alone.
    Only(HashSet<String>),
}

impl Wanted {
    /// Whether this column is wanted.
    #[must_use]
    pub fn has(&self, column: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(columns) => columns.contains(column),
        }
    }
}

/// The type of a column: that of its first value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ColumnType {
    /// Text.
    String,
    /// A number with a fraction.
    Float,
    /// A whole number.
    Integer,
    /// True or false.
    Boolean,
}

impl ColumnType {
    /// The API's name of it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::String => "string",
            Self::Float => "float",
            Self::Integer => "integer",
            Self::Boolean => "boolean",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::String, Self::Float, Self::Integer, Self::Boolean].into_iter().find(|kind| kind.as_str() == name)
    }

    /// The type that a value gives its column; `null` gives none.
    #[must_use]
    pub fn of(value: &Value) -> Option<Self> {
        match value {
            Value::Null => None,
            Value::Bool(_) => Some(Self::Boolean),
            Value::Number(number) if number.is_f64() => Some(Self::Float),
            Value::Number(_) => Some(Self::Integer),
            Value::String(_) | Value::Array(_) | Value::Object(_) => Some(Self::String),
        }
    }
}

/// How deep nested maps become columns of their own; deeper ones stay JSON text.
pub const FLATTEN_DEPTH: usize = 5;

/// Flattens the JSON of an event into columns: maps to `outer.inner`, arrays to JSON text.
#[must_use]
pub fn flatten(data: Map<String, Value>) -> Fields {
    let mut fields = Fields::new();
    for (key, value) in data {
        spread(key, value, 1, &mut fields);
    }
    fields
}

fn spread(key: String, value: Value, depth: usize, fields: &mut Fields) {
    match value {
        Value::Object(inner) if depth < FLATTEN_DEPTH => {
            for (name, value) in inner {
                spread(format!("{key}.{name}"), value, depth + 1, fields);
            }
        }
        Value::Object(_) | Value::Array(_) => {
            fields.insert(key, Value::String(value.to_string()));
        }
        other => {
            fields.insert(key, other);
        }
    }
}

/// The slug of a dataset's name in the API's paths.
#[must_use]
pub fn slug(name: &str) -> String {
    name.trim()
        .chars()
        .flat_map(char::to_lowercase)
        .map(|letter| if letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-') { letter } else { '-' })
        .collect()
}

/// The number under which the batches of a trace are found. It is stored, so it must never change.
#[must_use]
pub fn trace_hash(id: &[u8]) -> i64 {
    // FNV-1a, 64 bits.
    let hash = id.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3));
    hash.cast_signed()
}

/// [`trace_hash`] of an id as it stands in `trace.trace_id`: hexadecimal ids count as the bytes they name.
#[must_use]
pub fn trace_hash_of_text(id: &str) -> i64 {
    let nibble = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    if matches!(id.len(), 16 | 32) {
        let bytes: Option<Vec<u8>> =
            id.as_bytes().chunks(2).map(|pair| Some(nibble(pair[0])? << 4 | nibble(*pair.get(1)?)?)).collect();
        if let Some(bytes) = bytes {
            return trace_hash(&bytes);
        }
    }
    trace_hash(id.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn slugs_follow_the_vendors_examples() {
        assert_eq!(slug("MyDataset!"), "mydataset-");
        assert_eq!(slug("my dataset!"), "my-dataset-");
        assert_eq!(slug(" unknown_service "), "unknown_service");
    }

    #[test]
    fn maps_become_columns_and_arrays_text() {
        let Value::Object(data) = json!({"a": {"b": 1, "c": {"d": {"e": {"f": {"g": 1}}}}}, "l": [1, "x"], "s": "3"}) else {
            unreachable!()
        };
        let fields = flatten(data);
        assert_eq!(fields["a.b"], json!(1));
        assert_eq!(fields["l"], json!("[1,\"x\"]"));
        assert_eq!(fields["s"], json!("3"));
        assert_eq!(fields["a.c.d.e.f"], json!("{\"g\":1}"));
    }

    #[test]
    fn a_trace_is_found_by_its_bytes_or_its_text() {
        assert_eq!(trace_hash_of_text("4efaaf4d1e8720b3"), trace_hash(&[0x4e, 0xfa, 0xaf, 0x4d, 0x1e, 0x87, 0x20, 0xb3]));
        assert_eq!(trace_hash_of_text("my-trace"), trace_hash(b"my-trace"));
        // A trace's id may have any bytes; this text has the length of a hexadecimal one.
        assert_eq!(trace_hash_of_text("zzzzzzzzzzzzzzzz"), trace_hash(b"zzzzzzzzzzzzzzzz"));
        assert_ne!(trace_hash_of_text("4EFAAF4D1E8720B3"), trace_hash_of_text("4efaaf4d1e8720b3"));
    }
}
