use schemars::Schema;
use schemars::generate::SchemaSettings;

use super::Report;

/// The JSON Schema (2020-12) of the JSON report, as `docs/report.schema.json` holds it.
#[must_use]
pub fn schema() -> Schema {
    let mut schema = SchemaSettings::draft2020_12().for_serialize().into_generator().into_root_schema_for::<Report>();
    schema.insert("title".to_owned(), "A report of `bootcamp verify`".into());
    schema
}
