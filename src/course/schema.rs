use std::collections::BTreeMap;

use serde_json::Value;

use crate::check::{Check, Probe, Rule};

/// The JSON Schema of a check file, by which editors complete and underline; committed as `checks/schema.json`.
#[must_use]
pub fn check_schema() -> Value {
    titled(
        schemars::schema_for!(BTreeMap<String, Check>),
        "Checks",
        "The checks of one lesson: a table for each, named by its id. A first line `#:schema ../schema.json` leads an editor here.",
    )
}

/// The JSON Schema of `probes.toml`; committed as `checks/probes.schema.json`.
#[must_use]
pub fn probe_schema() -> Value {
    titled(
        schemars::schema_for!(BTreeMap<String, Probe>),
        "Probes",
        "The requests that make the service show what the checks look for: a table for each, named as checks name it.",
    )
}

/// The JSON Schema of a file of diagnoses; committed as `checks/diagnoses.schema.json`.
#[must_use]
pub fn diagnosis_schema() -> Value {
    titled(
        schemars::schema_for!(BTreeMap<String, Rule>),
        "Diagnoses",
        "Why a check may not be met: a table for each cause, the likeliest first.",
    )
}

fn titled(schema: schemars::Schema, title: &str, description: &str) -> Value {
    let mut schema = schema.to_value();
    if let Some(fields) = schema.as_object_mut() {
        fields.insert(String::from("title"), Value::from(title));
        fields.insert(String::from("description"), Value::from(description));
    }
    schema
}
