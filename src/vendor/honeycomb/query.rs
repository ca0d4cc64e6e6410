use std::collections::BTreeSet;
use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Client, Question};
use crate::facts::{Span, Trouble};
use crate::vendor::api::Reply;
use crate::vendor::trouble;

/// The name under which all datasets of an environment are queried at once.
pub(super) const WHOLE_ENVIRONMENT: &str = "__all__";

/// Columns that become fields of a [`Span`].
const FIELDS: [&str; 8] =
    ["trace.trace_id", "trace.span_id", "trace.parent_id", "name", "span.kind", "duration_ms", "status_code", "service.name"];

/// Where a request's URL stands, under the current and the former semantic conventions.
const URLS: [&str; 4] = ["url.query", "http.target", "url.full", "http.url"];

/// Columns that a diagnosis wants, whether or not a check asked.
const ALWAYS: [&str; 5] = ["error", "status_message", "http.route", "http.response.status_code", "http.status_code"];

/// The API's limits.
const MOST_BREAKDOWNS: usize = 100;
const MOST_ROWS_OF_A_QUERY: usize = 1_000;
const MOST_ROWS_OF_A_RESULT: usize = 10_000;

#[derive(Deserialize)]
struct Created {
    id: String,
}

#[derive(Deserialize)]
struct QueryResult {
    id: String,
    #[serde(default)]
    complete: bool,
    #[serde(default)]
    data: Option<ResultData>,
}

#[derive(Deserialize)]
struct ResultData {
    #[serde(default)]
    results: Option<Vec<Row>>,
}

#[derive(Deserialize)]
struct Row {
    data: Map<String, Value>,
}

impl Client {
    /// Reads the spans; `None` when the key or the plan does not allow queries.
    pub(super) async fn spans(
        &self,
        question: &Question,
        known: &BTreeSet<String>,
        scope: Option<(&str, Option<&str>)>,
    ) -> Result<Option<Vec<Span>>, Trouble> {
        // Nothing was ever written there: asking would be refused, since the columns do not exist.
        let (Some((slug, dataset)), true) = (scope, known.contains("trace.trace_id") && known.contains("trace.span_id")) else {
            return Ok(Some(Vec::new()));
        };
        let Some(specification) = specification(question, known, jiff::Timestamp::now().as_second()) else {
            return Ok(Some(Vec::new()));
        };
        let mut query = self.query.lock().await;
        let id = match &*query {
            Some((known, id)) if *known == specification => id.clone(),
            _ => {
                let reply = self.api.post(&["1", "queries", slug], &specification).await?;
                if refused(&reply) {
                    return Ok(None);
                }
                let created: Created = self.api.read(&reply)?;
                *query = Some((specification, created.id.clone()));
                created.id
            }
        };
        drop(query);
        let order = json!({ "query_id": id, "disable_series": true, "limit": MOST_ROWS_OF_A_RESULT });
        let reply = self.api.post(&["1", "query_results", slug], &order).await?;
        if refused(&reply) {
            return Ok(None);
        }
        let mut result: QueryResult = self.api.read(&reply)?;
        let mut wait = if self.loopback { Duration::from_millis(5) } else { Duration::from_millis(250) };
        let deadline = tokio::time::Instant::now() + self.api.deadline;
        while !result.complete || result.data.is_none() {
            if tokio::time::Instant::now() + wait > deadline {
                return Err(trouble::passing(
                    format!("Honeycomb did not finish the query within {:?}", self.api.deadline),
                    "try again in a minute; https://status.honeycomb.io says how Honeycomb is",
                ));
            }
            tokio::time::sleep(wait).await;
            wait = (wait * 2).min(Duration::from_secs(1));
            result = self.api.read(&self.api.get(&["1", "query_results", slug, &result.id], &[]).await?)?;
        }
        let rows = result.data.and_then(|data| data.results).unwrap_or_default();
        Ok(Some(rows.into_iter().filter_map(|row| span(row.data, dataset)).collect()))
    }
}

/// Whether every column is known that a query would name: a span's own, those that checks want, one with the URL.
pub(super) fn is_enough(known: &BTreeSet<String>, question: &Question) -> bool {
    let mut needed = FIELDS.into_iter().chain(question.columns.iter().map(String::as_str));
    needed.all(|column| known.contains(column)) && URLS.iter().any(|column| known.contains(*column))
}

fn refused(reply: &Reply) -> bool {
    matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::PAYMENT_REQUIRED | StatusCode::FORBIDDEN)
}

/// The query for all spans of the traces, and for those whose URL holds the nonce. Only columns that exist are named:
/// the API refuses others. `None` when there is nothing to look for.
fn specification(question: &Question, known: &BTreeSet<String>, now_seconds: i64) -> Option<Value> {
    let exists = |column: &&str| known.contains(*column);
    let mut breakdowns: Vec<&str> = Vec::new();
    let wanted = question.columns.iter().map(String::as_str);
    for column in FIELDS.into_iter().chain(URLS).chain(ALWAYS).chain(wanted).filter(exists) {
        if !breakdowns.contains(&column) && breakdowns.len() < MOST_BREAKDOWNS {
            breakdowns.push(column);
        }
    }
    let mut filters = Vec::new();
    if !question.trace_ids.is_empty() {
        let ids: Vec<String> = question.trace_ids.iter().map(crate::facts::TraceId::w3c).collect();
        filters.push(json!({ "column": "trace.trace_id", "op": "in", "value": ids }));
    }
    if !question.nonce.is_empty() {
        for column in URLS.iter().filter(|column| exists(column)) {
            filters.push(json!({ "column": column, "op": "contains", "value": question.nonce }));
        }
    }
    if filters.is_empty() {
        return None;
    }
    // An absolute range that ends in the future: a relative one is cut to the minute and hides what has just come in.
    // The end moves by whole hours, so that the query stays the same and need not be created for every round.
    let start = question.since_ms.div_euclid(1000) - 60;
    let end = (now_seconds.max(start).div_euclid(3600) + 2) * 3600;
    Some(json!({
        "calculations": [{ "op": "COUNT" }],
        "breakdowns": breakdowns,
        "filters": filters,
        "filter_combination": "OR",
        "start_time": start,
        "end_time": end,
        "limit": MOST_ROWS_OF_A_QUERY,
    }))
}

/// A row as a span; `None` for span events and links, which have no span id of their own.
fn span(mut row: Map<String, Value>, dataset: Option<&str>) -> Option<Span> {
    let mut text = |column: &str| match row.remove(column) {
        Some(Value::String(text)) if !text.is_empty() => Some(text),
        Some(Value::Number(number)) => Some(number.to_string()),
        _ => None,
    };
    let (trace_id, span_id) = (text("trace.trace_id")?, text("trace.span_id")?);
    let (parent_id, name, kind) = (text("trace.parent_id"), text("name"), text("span.kind"));
    let service = row.get("service.name").and_then(Value::as_str).map(str::trim).filter(|name| !name.is_empty());
    let dataset = match (dataset, service) {
        (Some(dataset), _) => dataset,
        (None, Some(service)) if !service.starts_with("unknown_service") => service,
        // Where Honeycomb puts what does not name its service.
        _ => "unknown_service",
    };
    let dataset = dataset.to_owned();
    let mut number = |column: &str| match row.remove(column) {
        Some(Value::Number(number)) => number.as_f64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let (duration_ms, status_code) = (number("duration_ms"), number("status_code"));
    row.remove("COUNT");
    row.retain(|_, value| !value.is_null());
    Some(Span {
        trace_id,
        span_id,
        parent_id,
        name: name.unwrap_or_default(),
        kind: kind.unwrap_or_else(|| String::from("unspecified")),
        dataset,
        // A breakdown cannot name the event's own time.
        start_ms: 0,
        duration_ms: duration_ms.unwrap_or(0.0),
        #[expect(clippy::cast_possible_truncation, reason = "the codes are 0, 1 and 2")]
        status_code: status_code.unwrap_or(0.0) as i64,
        attributes: row.into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn question() -> Question {
        Question {
            trace_ids: vec!["4efaaf4d1e8720b39541901950019ee5".parse().unwrap()],
            nonce: String::from("bc-1"),
            columns: vec![String::from("app.result_length"), String::from("app.absent"), String::from("name")],
            since_ms: 1_700_000_000_500,
            ..Question::default()
        }
    }

    fn names<const N: usize>(names: [&str; N]) -> BTreeSet<String> {
        names.map(str::to_owned).into()
    }

    #[test]
    fn only_columns_that_exist_are_named_and_each_once() {
        let known = names(["trace.trace_id", "trace.span_id", "name", "url.query", "app.result_length"]);
        let query = specification(&question(), &known, 1_700_000_001).unwrap();
        assert_eq!(query["breakdowns"], json!(["trace.trace_id", "trace.span_id", "name", "url.query", "app.result_length"]));
        assert_eq!(query["filters"].as_array().unwrap().len(), 2);
        assert_eq!(query["filters"][1], json!({ "column": "url.query", "op": "contains", "value": "bc-1" }));
        assert_eq!(query["filter_combination"], "OR");
        assert_eq!(query["start_time"], 1_699_999_940);
        assert!(query["end_time"].as_i64().unwrap() > 1_700_000_001 + 3600);
        assert_eq!(query, specification(&question(), &known, 1_700_000_031).unwrap(), "the next round asks the same");
    }

    #[test]
    fn the_number_of_breakdowns_is_bounded() {
        let columns: Vec<String> = (0..300).map(|index| format!("app.{index}")).collect();
        let known = columns.iter().cloned().chain(names(["trace.trace_id", "trace.span_id"])).collect();
        let query = specification(&Question { columns, ..question() }, &known, 0).unwrap();
        assert_eq!(query["breakdowns"].as_array().unwrap().len(), MOST_BREAKDOWNS);
    }

    #[test]
    fn with_nothing_to_look_for_there_is_no_query() {
        assert_eq!(specification(&Question::default(), &names(["trace.trace_id"]), 0), None);
    }

    fn json_value() -> impl Strategy<Value = Value> {
        prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,8}".prop_map(Value::from)
        ]
    }

    proptest! {
        #[test]
        fn no_row_makes_it_panic(values in proptest::collection::vec(json_value(), FIELDS.len() + 1)) {
            let row = FIELDS.into_iter().chain(["app.x"]).map(str::to_owned).zip(values.clone()).collect();
            if let Some(span) = span(row, None) {
                prop_assert_eq!(span.attributes.get("app.x").cloned().unwrap_or_default(), values[FIELDS.len()].clone());
            }
        }
    }
}
