use serde_json::Value;

use crate::facts::Trouble;
use crate::vendor::trouble;

/// What a key may do, as `GET /1/auth` tells. What it does not tell is tried.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Access {
    /// `ingest` or `configuration`.
    pub kind: Option<String>,
    /// The environment's slug; empty for a Classic key.
    pub environment: Option<String>,
    /// The team's slug.
    pub team: Option<String>,
    /// May send events.
    pub events: Option<bool>,
    /// May list and create datasets.
    pub create_datasets: Option<bool>,
    /// May list columns and create queries.
    pub columns: Option<bool>,
    /// May run queries.
    pub queries: Option<bool>,
}

impl Access {
    pub(super) fn parse(answer: &Value) -> Self {
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
        let may = |names: &[&str]| names.iter().find_map(|name| answer.get("api_key_access")?.get(name)?.as_bool());
        Self {
            kind: text("/type"),
            environment: text("/environment/slug"),
            team: text("/team/slug"),
            events: may(&["events"]),
            create_datasets: may(&["createDatasets", "create_datasets"]),
            columns: may(&["columns"]),
            queries: may(&["queries"]),
        }
    }

    /// Whether nothing speaks against reading the very spans.
    #[must_use]
    pub fn may_query(&self) -> bool {
        self.queries != Some(false)
    }

    /// Whether the key is of a team without environments, where a query names its dataset.
    #[must_use]
    pub fn is_classic(&self) -> bool {
        self.environment.as_deref() == Some("")
    }

    pub(super) fn must_read(&self) -> Result<(), Trouble> {
        if self.kind.as_deref() == Some("ingest") {
            return Err(trouble::lasting(
                "the Honeycomb key for the checks is an ingest key: it can only send, never read",
                "make a configuration key with `Create Datasets`, `Manage Queries and Columns` and `Run Queries` (in Honeycomb under \
                 Environment settings, API Keys, Configuration) and hand it to the checks; the service keeps its ingest key",
            ));
        }
        if self.create_datasets == Some(false) {
            return Err(lacks("list datasets", "Create Datasets"));
        }
        if self.columns == Some(false) {
            return Err(lacks("list columns", "Manage Queries and Columns"));
        }
        Ok(())
    }
}

/// The key lacks a permission.
pub(super) fn lacks(what: &str, permission: &str) -> Trouble {
    trouble::lasting(
        format!("the Honeycomb key may not {what}"),
        format!("give the configuration key the permission `{permission}`: in Honeycomb under Environment settings, API Keys"),
    )
}

/// The key itself is not taken.
pub(super) fn refused_key(status: u16) -> Trouble {
    trouble::lasting(
        format!("Honeycomb refused the key ({status})"),
        "copy the configuration key of the right environment again (in Honeycomb under Environment settings, API Keys); a team in the \
         EU also needs the endpoint `https://api.eu1.honeycomb.io`",
    )
}
