use std::collections::HashSet;

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::{Calculation, Filter, MAX_LIMIT};
use crate::sandbox::honeycomb::event::{Event, Wanted, trace_hash_of_text};
use crate::sandbox::honeycomb::problem::Detail;
use crate::sandbox::wire;

/// How far back a query looks when nobody says, in seconds.
const DEFAULT_RANGE: i64 = 7_200;
/// The most calculations, filters, breakdowns, orders and havings, each.
const MAX_PARTS: usize = 100;

/// A query as the API takes it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Spec {
    /// What is computed; `COUNT` where nothing is said.
    #[serde(default, deserialize_with = "or_default")]
    pub calculations: Vec<Calculation>,
    /// The columns by which events are grouped.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub breakdowns: Vec<String>,
    /// Which events count.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub filters: Vec<Filter>,
    /// Whether all filters must be met, or one.
    #[serde(default, deserialize_with = "or_default")]
    pub filter_combination: Combination,
    /// The order of the rows.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub orders: Vec<Order>,
    /// Which groups count.
    #[serde(default, deserialize_with = "or_default", skip_serializing_if = "Vec::is_empty")]
    pub havings: Vec<Having>,
    /// How many rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// From this second of the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start_time: Option<i64>,
    /// To this second of the epoch.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<i64>,
    /// How many seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time_range: Option<i64>,
    /// The width of a series' buckets, in seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub granularity: Option<i64>,
}

/// Whether all filters must be met, or one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Combination {
    /// All.
    #[default]
    #[serde(rename = "AND", alias = "and")]
    And,
    /// One.
    #[serde(rename = "OR", alias = "or")]
    Or,
}

/// One key of the rows' order: a breakdown's column, or a calculation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Order {
    /// The column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The calculation's operation.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub op: Option<String>,
    /// `ascending` or `descending`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub order: Option<String>,
}

impl Order {
    /// The name of the row's value that it goes by.
    #[must_use]
    pub fn key(&self) -> String {
        match (&self.op, &self.column) {
            (Some(op), Some(column)) => format!("{op}({column})"),
            (Some(op), None) => op.clone(),
            (None, column) => column.clone().unwrap_or_default(),
        }
    }

    /// Whether the greatest come first.
    #[must_use]
    pub fn is_descending(&self) -> bool {
        self.order.as_deref() == Some("descending")
    }
}

/// A condition on a group's calculation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Having {
    /// The calculation's operation.
    #[serde(default)]
    pub calculate_op: String,
    /// The calculation's column.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// `=`, `!=`, `>`, `>=`, `<` or `<=`.
    #[serde(default)]
    pub op: String,
    /// A number.
    #[serde(default)]
    pub value: Value,
}

impl Having {
    /// The name of the row's value that it goes by.
    #[must_use]
    pub fn key(&self) -> String {
        Calculation { op: self.calculate_op.clone(), column: self.column.clone() }.name()
    }
}

/// Why a query is not taken.
#[derive(Debug, thiserror::Error)]
pub enum SpecError {
    /// It is not the JSON of a query.
    #[error("the query cannot be read: {0}")]
    Json(#[from] serde_json::Error),
    /// It makes no sense.
    #[error("the query makes no sense: {}", .0.iter().map(|detail| detail.description.as_str()).collect::<Vec<_>>().join("; "))]
    Invalid(Vec<Detail>),
}

/// The time that a query covers, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Window {
    /// Unix milliseconds.
    pub start_ms: i64,
    /// Unix milliseconds.
    pub end_ms: i64,
    /// The width of a series' buckets, in milliseconds.
    pub bucket_ms: i64,
}

/// Reads a query, fills in its defaults and judges it.
///
/// # Errors
/// When it cannot be read or makes no sense.
pub fn parse(body: &[u8]) -> Result<Spec, SpecError> {
    let mut spec: Spec = wire::parse_json(body)?;
    if spec.calculations.is_empty() {
        spec.calculations.push(Calculation { op: String::from("COUNT"), column: None });
    }
    if spec.time_range.is_none() && (spec.start_time.is_none() || spec.end_time.is_none()) {
        spec.time_range = Some(DEFAULT_RANGE);
    }
    let details = spec.problems();
    if details.is_empty() { Ok(spec) } else { Err(SpecError::Invalid(details)) }
}

impl Spec {
    fn problems(&self) -> Vec<Detail> {
        let mut details = Vec::new();
        for (name, length) in [
            ("calculations", self.calculations.len()),
            ("filters", self.filters.len()),
            ("breakdowns", self.breakdowns.len()),
            ("orders", self.orders.len()),
            ("havings", self.havings.len()),
        ] {
            if length > MAX_PARTS {
                return vec![Detail::invalid(name, format!("{name} must have at most {MAX_PARTS} elements"))];
            }
        }
        for (index, calculation) in self.calculations.iter().enumerate() {
            calculation.validate(&format!("calculations[{index}]"), &mut details);
        }
        for (index, filter) in self.filters.iter().enumerate() {
            filter.validate(&format!("filters[{index}]"), &mut details);
        }
        let names: Vec<String> = self.calculations.iter().map(Calculation::name).collect();
        for (index, order) in self.orders.iter().enumerate() {
            let key = order.key();
            if !(names.contains(&key) || order.op.is_none() && self.breakdowns.contains(&key)) {
                let why = format!("`{key}` is neither a calculation nor a breakdown of the query");
                details.push(Detail::invalid(format!("orders[{index}]"), why));
            }
            if !matches!(order.order.as_deref(), None | Some("ascending" | "descending")) {
                details.push(Detail::invalid(format!("orders[{index}].order"), "order must be ascending or descending"));
            }
        }
        for (index, having) in self.havings.iter().enumerate() {
            if !names.contains(&having.key()) {
                let why = format!("`{}` is no calculation of the query", having.key());
                details.push(Detail::invalid(format!("havings[{index}].calculate_op"), why));
            }
            if !matches!(having.op.as_str(), "=" | "!=" | ">" | ">=" | "<" | "<=") {
                details.push(Detail::invalid(format!("havings[{index}].op"), "op must be one of =, !=, >, >=, <, <="));
            }
            if !having.value.is_number() {
                details.push(Detail::invalid(format!("havings[{index}].value"), "value must be a number"));
            }
        }
        if self.limit.is_some_and(|limit| limit == 0 || limit > MAX_LIMIT) {
            details.push(Detail::invalid("limit", format!("limit must be between 1 and {MAX_LIMIT}")));
        }
        self.time_problems(&mut details);
        details
    }

    fn time_problems(&self, details: &mut Vec<Detail>) {
        if self.time_range.is_some_and(|range| range <= 0) {
            details.push(Detail::invalid("time_range", "time_range must be greater than 0"));
        }
        if self.start_time.is_some_and(i64::is_negative) || self.end_time.is_some_and(i64::is_negative) {
            details.push(Detail::invalid("start_time", "times must be seconds since the Unix epoch"));
        }
        if let (Some(start), Some(end)) = (self.start_time, self.end_time) {
            if self.time_range.is_some() {
                let why = "time_range cannot be given together with both start_time and end_time";
                details.push(Detail::invalid("time_range", why));
            }
            if start >= end {
                details.push(Detail::invalid("end_time", "end_time must be later than start_time"));
            }
        }
        if let Some(granularity) = self.granularity.filter(|granularity| *granularity != 0) {
            let window = self.window(0);
            let range = (window.end_ms - window.start_ms) / 1000;
            if granularity < 0 || granularity > range || granularity < range / 1000 {
                let why = "granularity must be at most the time range, and at least a thousandth of it";
                details.push(Detail::invalid("granularity", why));
            }
        }
    }

    /// The time that it covers when it is asked now.
    #[must_use]
    pub fn window(&self, now_ms: i64) -> Window {
        let range = self.time_range.unwrap_or(DEFAULT_RANGE).saturating_mul(1000);
        let ms = |seconds: i64| seconds.saturating_mul(1000);
        let (start_ms, end_ms) = match (self.start_time, self.end_time) {
            (Some(start), Some(end)) => (ms(start), ms(end)),
            (Some(start), None) => (ms(start), ms(start).saturating_add(range)),
            (None, Some(end)) => (ms(end).saturating_sub(range), ms(end)),
            (None, None) => (now_ms.saturating_sub(range), now_ms),
        };
        let bucket_ms = match self.granularity {
            Some(seconds) if seconds > 0 => ms(seconds),
            _ => (end_ms.saturating_sub(start_ms) / 120 / 1000).max(1).saturating_mul(1000),
        };
        Window { start_ms, end_ms, bucket_ms }
    }

    /// Whether an event counts.
    #[must_use]
    pub fn matches(&self, event: &Event) -> bool {
        match self.filter_combination {
            Combination::And => self.filters.iter().all(|filter| filter.matches(&event.fields)),
            Combination::Or => self.filters.is_empty() || self.filters.iter().any(|filter| filter.matches(&event.fields)),
        }
    }

    /// The columns that it looks at.
    #[must_use]
    pub fn columns(&self) -> Wanted {
        let mut columns: HashSet<String> = self.breakdowns.iter().cloned().collect();
        columns.extend(self.filters.iter().map(|filter| filter.column.clone()));
        columns.extend(self.calculations.iter().filter_map(|calculation| calculation.column.clone()));
        if self.calculations.iter().any(|calculation| calculation.op == "CONCURRENCY") {
            columns.insert(String::from("duration_ms"));
        }
        Wanted::Only(columns)
    }

    /// The traces to which its filters confine it, if they do.
    #[must_use]
    pub fn traces(&self) -> Option<Vec<i64>> {
        if self.filter_combination == Combination::Or && self.filters.len() != 1 {
            return None;
        }
        self.filters.iter().filter(|filter| filter.column == "trace.trace_id").find_map(|filter| {
            match (filter.op.as_str(), &filter.value) {
                ("=", Value::String(id)) => Some(vec![trace_hash_of_text(id)]),
                ("in", Value::Array(ids)) => ids.iter().map(|id| id.as_str().map(trace_hash_of_text)).collect(),
                _ => None,
            }
        })
    }
}

/// `null` where a list may be is no list.
fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(deserializer: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
