//! Honeycomb: events and batches in; auth, datasets, columns and the Query Data API out.

pub mod batch;
pub(in crate::sandbox) mod browse;
mod column;
mod dataset;
pub mod event;
mod ingest;
pub mod key;
pub mod ledger;
pub mod problem;
pub mod query;
mod results;

use http::{HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use key::{Key, KeyError, Kind};

use super::store::Tables;
use super::{Shared, now_ms, rejection, wire};
use crate::facts::Rejection;

/// The tables of datasets, columns, events, queries and their results.
pub const TABLES: Tables = Tables {
    schema: "
        CREATE TABLE IF NOT EXISTS hny_dataset (
            id INTEGER PRIMARY KEY, name TEXT NOT NULL, slug TEXT NOT NULL UNIQUE, description TEXT NOT NULL,
            created_ms INTEGER NOT NULL, last_written_ms INTEGER);
        CREATE TABLE IF NOT EXISTS hny_column (
            id INTEGER PRIMARY KEY, dataset INTEGER NOT NULL REFERENCES hny_dataset (id), key_name TEXT NOT NULL,
            type TEXT NOT NULL, hidden INTEGER NOT NULL, description TEXT NOT NULL, created_ms INTEGER NOT NULL,
            last_written_ms INTEGER, UNIQUE (dataset, key_name));
        CREATE TABLE IF NOT EXISTS hny_batch (
            id INTEGER PRIMARY KEY AUTOINCREMENT, dataset INTEGER NOT NULL, form INTEGER NOT NULL, received_ms INTEGER NOT NULL,
            from_ms INTEGER NOT NULL, to_ms INTEGER NOT NULL, events INTEGER NOT NULL, body BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS hny_batch_to ON hny_batch (to_ms);
        CREATE INDEX IF NOT EXISTS hny_batch_received ON hny_batch (received_ms, events);
        CREATE TABLE IF NOT EXISTS hny_trace (hash INTEGER NOT NULL, batch INTEGER NOT NULL, PRIMARY KEY (hash, batch)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS hny_query (
            id TEXT PRIMARY KEY, scope TEXT NOT NULL, spec TEXT NOT NULL, created_ms INTEGER NOT NULL) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS hny_result (
            id TEXT PRIMARY KEY, scope TEXT NOT NULL, query TEXT NOT NULL, request TEXT NOT NULL, created_ms INTEGER NOT NULL,
            body TEXT);
        CREATE INDEX IF NOT EXISTS hny_result_created ON hny_result (created_ms);",
    evict: |connection, before_ms| {
        let gone = connection.execute("DELETE FROM hny_batch WHERE received_ms < ?1", [before_ms])?;
        if gone > 0 {
            connection.execute("DELETE FROM hny_trace WHERE batch NOT IN (SELECT id FROM hny_batch)", [])?;
        }
        let results = connection.execute("DELETE FROM hny_result WHERE created_ms < ?1", [before_ms])?;
        let queries = connection.execute("DELETE FROM hny_query WHERE created_ms < ?1", [before_ms])?;
        Ok(gone + results + queries)
    },
};

/// How many events there are.
///
/// # Errors
/// When the store cannot be read.
pub async fn count(shared: &Shared) -> Result<i64, super::store::StoreError> {
    shared
        .store
        .read(|connection| connection.query_row("SELECT coalesce(sum(events), 0) FROM hny_batch", [], |row| row.get(0)))
        .await
}

/// Answers the API below `/1/`.
pub async fn handle(shared: &Shared, request: wire::Request) -> wire::Response {
    let path = request.path.clone();
    let mut parts: Vec<String> = path.split('/').skip(2).map(decode_segment).collect();
    // A slash at the end names the same thing.
    if parts.len() > 1 && parts.last().is_some_and(String::is_empty) {
        parts.pop();
    }
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    let sends = matches!(parts[..], ["events" | "batch", _]);
    let key = match key::authenticate(&shared.keys, request.header("x-honeycomb-team")) {
        Ok(key) => key,
        Err(error) => return refuse_key(shared, &request, error).await,
    };
    if !sends && parts != ["auth"] && key.kind == Kind::Ingest {
        return refuse_key(shared, &request, KeyError::SendOnly).await;
    }
    let answer = match (&request.method, &parts[..]) {
        (&Method::POST, ["events", dataset]) => ingest::event(shared, dataset, &request).await,
        (&Method::POST, ["batch", dataset]) => ingest::batch(shared, dataset, &request).await,
        (&Method::GET, ["auth"]) => auth(key),
        (&Method::GET, ["datasets"]) => dataset::list(shared).await,
        (&Method::POST, ["datasets"]) => dataset::create(shared, &request).await,
        (&Method::GET, ["datasets", slug]) => dataset::get(shared, slug).await,
        (&Method::GET, ["columns", slug]) => column::list(shared, slug, &request).await,
        (&Method::POST, ["columns", slug]) => column::create(shared, slug, &request).await,
        (&Method::GET, ["columns", slug, id]) => column::get(shared, slug, id).await,
        (&Method::POST, ["queries", scope]) => results::create_query(shared, scope, &request).await,
        (&Method::GET, ["queries", scope, id]) => results::get_query(shared, scope, id).await,
        (&Method::POST, ["query_results", scope]) => results::create_result(shared, scope, &request).await,
        (&Method::GET, ["query_results", scope, id]) => results::get_result(shared, scope, id).await,
        (
            _,
            ["auth" | "datasets"]
            | ["events" | "batch" | "datasets" | "columns" | "queries" | "query_results", _]
            | ["columns" | "queries" | "query_results", _, _],
        ) => problem::plain(StatusCode::METHOD_NOT_ALLOWED, "method not allowed"),
        _ => problem::not_found("there is no such resource"),
    };
    if matches!(answer.status(), status if status.is_client_error() || status.is_server_error()) {
        keep_refusal(shared, &request, &answer).await;
    }
    if sends { answer } else { with_rate_limit(answer) }
}

fn decode_segment(segment: &str) -> String {
    // What has a meaning in a form has none in a path.
    let kept = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(kept.as_bytes()).next().map(|(name, _)| name.into_owned()).unwrap_or_default()
}

fn auth(key: Key) -> wire::Response {
    let all = key.kind == Kind::Configuration;
    let access = ["queries", "columns", "triggers", "boards", "slos", "recipients", "markers", "privateBoards"]
        .into_iter()
        .map(|name| (name.to_owned(), Value::Bool(all)))
        .chain([(String::from("events"), Value::Bool(true)), (String::from("createDatasets"), Value::Bool(true))])
        .collect::<serde_json::Map<_, _>>();
    let (kind, id) =
        if all { ("configuration", "hcxlk_00000000000000000000sandbx") } else { ("ingest", "hcxik_00000000000000000000sandbx") };
    let environment =
        if key.classic { json!({ "name": "", "slug": "" }) } else { json!({ "name": "sandbox", "slug": "sandbox" }) };
    let body = json!({
        "id": id,
        "type": kind,
        "api_key_access": access,
        "environment": environment,
        "team": { "name": "bootcamp", "slug": "bootcamp" },
    });
    wire::json(StatusCode::OK, &body)
}

async fn refuse_key(shared: &Shared, request: &wire::Request, error: KeyError) -> wire::Response {
    let answer = match error {
        KeyError::SendOnly => problem::plain(
            StatusCode::FORBIDDEN,
            "denied - you do not have permission to perform this action: an ingest key may only send",
        ),
        _ => problem::plain(StatusCode::UNAUTHORIZED, "unknown API key - check your credentials"),
    };
    keep(shared, request, answer.status(), error.reason(), error.to_string()).await;
    answer
}

/// Keeps what a service sent in vain. Questions that find nothing are no mistakes of a service.
async fn keep_refusal(shared: &Shared, request: &wire::Request, answer: &wire::Response) {
    if request.method == Method::GET {
        return;
    }
    let reason = match answer.status() {
        StatusCode::NOT_FOUND => "wrong-path",
        StatusCode::METHOD_NOT_ALLOWED => "wrong-method",
        StatusCode::PAYLOAD_TOO_LARGE => "too-large",
        StatusCode::UNPROCESSABLE_ENTITY => "invalid",
        status if status.is_server_error() => "store",
        _ => "unparsable",
    };
    let said = serde_json::from_slice::<Value>(answer.body()).ok();
    let detail = said.as_ref().and_then(|said| said["error"].as_str()).unwrap_or("refused").to_owned();
    keep(shared, request, answer.status(), reason, detail).await;
}

async fn keep(shared: &Shared, request: &wire::Request, status: StatusCode, reason: &str, detail: String) {
    let rejection = Rejection {
        at_ms: now_ms(),
        vendor: String::from("honeycomb"),
        request: format!("{} {}", request.method, request.path),
        status: status.as_u16(),
        reason: reason.to_owned(),
        detail,
        service: None,
    };
    rejection::keep(shared, rejection).await;
}

fn with_rate_limit(mut answer: wire::Response) -> wire::Response {
    let headers = answer.headers_mut();
    headers.insert("ratelimit", HeaderValue::from_static("limit=100, remaining=99, reset=60"));
    headers.insert("ratelimitpolicy", HeaderValue::from_static("100;w=60"));
    answer
}

/// What to answer when the store fails.
fn unavailable(error: &super::store::StoreError) -> wire::Response {
    problem::plain(StatusCode::SERVICE_UNAVAILABLE, &error.to_string())
}

/// A time as the API writes it; `null` where there is none.
fn iso(ms: Option<i64>) -> Value {
    let time = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    time.map_or(Value::Null, |time| Value::String(time.to_string()))
}

/// A fresh identifier as the API hands them out: eleven letters and digits.
fn fresh_id() -> String {
    std::iter::repeat_with(fastrand::alphanumeric).take(11).collect()
}

#[cfg(test)]
mod tests;
