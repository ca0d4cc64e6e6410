//! Named values, as a table.

use maud::{Markup, html};
use serde_json::Value;

use super::{mask, shown};

/// The most rows of one table of values.
const ROWS: usize = 100;
/// How deep nested values are taken apart; what lies deeper is shown as JSON.
const DEEPEST: usize = 8;
/// A value of at most so many characters.
const VALUE: usize = 2_000;

/// Values by name, in the order in which they are shown.
#[derive(Debug, Default)]
pub(super) struct Values {
    rows: Vec<(String, String)>,
    /// Further ones, which are not shown.
    more: usize,
}

impl Values {
    /// A value with its name; objects and arrays are taken apart, to `outer.inner` and `outer[0]`.
    pub fn add(&mut self, name: &str, value: &Value) {
        self.spread(name, value, 0);
    }

    /// All members of an object, or a lone value under the given name.
    pub fn of(name: &str, value: &Value) -> Self {
        let mut values = Self::default();
        match value {
            Value::Object(members) => members.iter().for_each(|(member, value)| values.add(member, value)),
            other => values.add(name, other),
        }
        values
    }

    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The values as a table; nothing where there are none.
    pub fn table(&self, caption: &str) -> Markup {
        html! {
            @if !self.is_empty() {
                div.scroll {
                    table {
                        caption { (caption) }
                        thead { tr { th scope="col" { "Name" } th scope="col" { "Value" } } }
                        tbody {
                            @for (name, value) in &self.rows {
                                tr { th scope="row" { (shown::text(name, shown::CELL)) } td.line { (shown::text(value, VALUE)) } }
                            }
                        }
                    }
                }
                @if self.more > 0 { p.note { (shown::count(self.more, "more value is", "more values are")) " not shown." } }
            }
        }
    }

    fn spread(&mut self, name: &str, value: &Value, depth: usize) {
        let last = name.rsplit(['.', '[']).next().unwrap_or(name);
        if mask::is_secret(name) || mask::is_secret(last) {
            return self.push(name, || mask::MASK.to_owned());
        }
        match value {
            Value::Object(members) if depth < DEEPEST && !members.is_empty() => {
                for (member, value) in members {
                    self.spread(&format!("{name}.{member}"), value, depth + 1);
                }
            }
            Value::Array(all) if depth < DEEPEST && !all.is_empty() => {
                for (index, value) in all.iter().enumerate() {
                    self.spread(&format!("{name}[{index}]"), value, depth + 1);
                }
            }
            Value::String(text) => self.push(name, || text.clone()),
            other => self.push(name, || other.to_string()),
        }
    }

    fn push(&mut self, name: &str, value: impl FnOnce() -> String) {
        if self.rows.len() < ROWS {
            self.rows.push((name.to_owned(), value()));
        } else {
            self.more += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn nested_values_are_taken_apart_and_credentials_are_hidden() {
        let request = json!({"method": "GET", "headers": {"Authorization": "Bearer x", "Accept": ["a", "b"], "Cookie": {"id": 1}}, "n": null});
        let rows = Values::of("request", &request).rows;
        let rows: Vec<(&str, &str)> = rows.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(
            rows,
            [
                ("method", "GET"),
                ("headers.Authorization", "‹hidden›"),
                ("headers.Accept[0]", "a"),
                ("headers.Accept[1]", "b"),
                ("headers.Cookie", "‹hidden›"),
                ("n", "null"),
            ]
        );
    }

    #[test]
    fn a_table_has_an_end() {
        let many: Value =
            (0..ROWS + 7).map(|index| (format!("k{index}"), json!(index))).collect::<serde_json::Map<_, _>>().into();
        let table = Values::of("x", &many).table("all").into_string();
        assert_eq!(table.matches("<tr>").count(), ROWS + 1);
        assert!(table.contains("7 more values are not shown."), "{table}");
    }

    proptest! {
        #[test]
        fn deep_values_are_shown(depth in 0_usize..100) {
            let value: Value = serde_json::from_str(&format!("{}1{}", "[".repeat(depth), "]".repeat(depth))).unwrap();
            prop_assert_eq!(Values::of("deep", &value).rows.len(), 1);
        }
    }
}
