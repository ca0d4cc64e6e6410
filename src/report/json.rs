//! The report as JSON, by the schema in `docs/report.schema.json`.

use super::Report;

/// One JSON document, indented, with a line break at its end.
///
/// # Panics
/// Never: a report holds only texts, numbers and lists.
#[must_use]
#[allow(clippy::expect_used)]
pub fn render(report: &Report) -> String {
    let mut text = serde_json::to_string_pretty(report).expect("a report has only texts as keys, and finite numbers");
    text.push('\n');
    text
}
