//! Logs Insights: StartQuery, GetQueryResults, StopQuery, DescribeQueries.
//!
//! A query is parsed at once (a mistake is a `MalformedQueryException` with its place), runs on the blocking pool, newest
//! events first, and leaves its rows in the store. Known are `fields`, `display`, `filter`, `parse`, `stats`, `sort`,
//! `limit` and `dedup`.

mod aggregate;
mod evaluate;
mod function;
mod lexer;
mod parser;
mod query;
mod run;
mod value;

#[cfg(test)]
mod tests;

use rusqlite::{OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Constraints, group_of, text_of, token_of};
use super::fault::Fault;
use super::{ACCOUNT, group};
use crate::sandbox::{Shared, now_ms};
use run::{Job, Rows};

/// How many queries may run at a time.
const CONCURRENT: i64 = 30;

/// How many finished queries are kept.
const KEPT: i64 = 100;

const STATUSES: [&str; 7] = ["Scheduled", "Running", "Complete", "Failed", "Cancelled", "Timeout", "Unknown"];

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Start {
    query_language: Option<String>,
    log_group_name: Option<String>,
    log_group_names: Option<Vec<String>>,
    log_group_identifiers: Option<Vec<String>>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    query_string: Option<String>,
    limit: Option<i64>,
}

pub(super) async fn start_query(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: Start = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.required("queryString", input.query_string.is_some());
    constraints.required("startTime", input.start_time.is_some());
    constraints.required("endTime", input.end_time.is_some());
    constraints.range("startTime", input.start_time, 0, i64::MAX);
    constraints.range("endTime", input.end_time, 0, i64::MAX);
    constraints.range("limit", input.limit, 1, 100_000);
    constraints.one_of("queryLanguage", input.query_language.as_deref(), &["CWLI", "SQL", "PPL"]);
    if let Some(text) = &input.query_string {
        constraints.length("queryString", text, text.chars().count(), 0, 10_000);
    }
    constraints.check()?;
    if input.query_language.as_deref().is_some_and(|language| language != "CWLI") {
        return Err(Fault::invalid("The sandbox runs queries in CWLI, the Logs Insights language, only."));
    }
    let given = [input.log_group_name.map(|name| vec![name]), input.log_group_names, input.log_group_identifiers];
    let mut given = given.into_iter().flatten();
    let groups: Vec<String> = given.next().unwrap_or_default().iter().map(|name| group_of(name).to_owned()).collect();
    if groups.is_empty() || given.next().is_some() {
        let text = "Exactly one of logGroupName, logGroupNames and logGroupIdentifiers must be given, with a log group in it.";
        return Err(Fault::invalid(text));
    }
    if groups.len() > 50 {
        return Err(Fault::invalid("A query can name at most 50 log groups."));
    }
    let text = input.query_string.unwrap_or_default();
    let (start, end) = (milliseconds(input.start_time), milliseconds(input.end_time));
    if end < start {
        return Err(Fault::invalid("The end time must not be before the start time."));
    }
    let query = parser::parse(&text).map_err(|error| {
        let location = json!({"startCharOffset": error.start, "endCharOffset": error.end});
        let compile = json!({"location": location, "message": error.what});
        Fault::new("MalformedQueryException", error.to_string()).with("queryCompileError", compile)
    })?;
    let id = uuid::Uuid::new_v4().to_string();
    let (key, names) = (id.clone(), groups.clone());
    let listed = serde_json::to_string(&groups).unwrap_or_default();
    ask.shared
        .store
        .write(move |tx| {
            for name in &names {
                if group::find(tx, name)?.is_none() {
                    let text = format!("Log group '{name}' does not exist for account ID '{ACCOUNT}'");
                    return Ok(Err(Fault::new("ResourceNotFoundException", text)));
                }
            }
            let running: i64 = tx.query_row("SELECT count(*) FROM log_query WHERE status = 'Running'", [], |row| row.get(0))?;
            if running >= CONCURRENT {
                let text = format!("Account maximum query concurrency limit of [{CONCURRENT}] reached.");
                return Ok(Err(Fault::new("LimitExceededException", text)));
            }
            tx.execute(
                "DELETE FROM log_query WHERE status <> 'Running' AND id NOT IN
                 (SELECT id FROM log_query ORDER BY created_ms DESC LIMIT ?1)",
                [KEPT],
            )?;
            tx.execute(
                "INSERT INTO log_query (id, text, groups, status, created_ms) VALUES (?1, ?2, ?3, 'Running', ?4)",
                params![key, text, listed, now_ms()],
            )?;
            Ok(Ok(()))
        })
        .await??;
    let limit = usize::try_from(input.limit.unwrap_or(10_000)).unwrap_or(10_000);
    let job = Job { id: id.clone(), groups, from_ms: start, until_ms: end, limit };
    tokio::spawn(finish(ask.shared.clone(), job, query));
    Ok(Some(json!({ "queryId": id })))
}

/// AWS takes seconds; values that can only be milliseconds are taken as such, as AWS does. The end is inclusive.
fn milliseconds(time: Option<i64>) -> i64 {
    match time.unwrap_or(0) {
        seconds if seconds < 100_000_000_000 => seconds * 1000,
        milliseconds => milliseconds,
    }
}

/// Runs the query, and writes down what came of it unless it was stopped meanwhile.
async fn finish(shared: Shared, job: Job, query: query::Query) {
    let id = job.id.clone();
    let rows = shared.store.read(move |connection| run::run(connection, &job, &query)).await;
    let (status, rows) = match rows {
        Ok(Some(rows)) => ("Complete", rows),
        Ok(None) | Err(_) => ("Failed", Rows::default()),
    };
    // When the store is gone there is nobody left to tell.
    let _ = shared
        .store
        .write(move |tx| {
            tx.execute(
                "UPDATE log_query SET status = ?2, results = ?3, statistics = ?4 WHERE id = ?1 AND status = 'Running'",
                params![id, status, rows.rows.to_string(), rows.statistics.to_string()],
            )
        })
        .await;
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ById {
    query_id: Option<String>,
    next_token: Option<String>,
    max_items: Option<i64>,
}

fn by_id(ask: &Ask<'_>) -> Result<(String, ById), Fault> {
    let mut input: ById = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.required("queryId", input.query_id.is_some());
    if let Some(id) = &input.query_id {
        constraints.length("queryId", id, id.len(), 1, 256);
    }
    constraints.range("maxItems", input.max_items, 0, 10_000);
    constraints.check()?;
    Ok((input.query_id.take().unwrap_or_default(), input))
}

fn no_query() -> Fault {
    Fault::new("ResourceNotFoundException", "The specified query does not exist.")
}

pub(super) async fn get_query_results(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let (id, input) = by_id(ask)?;
    let found = ask
        .shared
        .store
        .read(move |connection| {
            connection
                .prepare_cached("SELECT status, results, statistics FROM log_query WHERE id = ?1")?
                .query_row([id], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, Option<String>>(1)?, row.get::<_, Option<String>>(2)?))
                })
                .optional()
        })
        .await?;
    let Some((status, results, statistics)) = found else { return Err(no_query()) };
    let parsed = |text: Option<String>| text.and_then(|text| serde_json::from_str::<Value>(&text).ok());
    let mut rows = match parsed(results) {
        Some(Value::Array(rows)) => rows,
        _ => Vec::new(),
    };
    let from = match &input.next_token {
        Some(token) => text_of(token)?.parse::<usize>().map_err(|_| Fault::bad_token())?,
        None => 0,
    };
    let most = input.max_items.and_then(|most| usize::try_from(most).ok()).filter(|most| *most > 0).unwrap_or(10_000);
    let total = rows.len();
    rows.drain(..from.min(total));
    rows.truncate(most);
    let next = from.saturating_add(most);
    let mut answer = json!({
        "queryLanguage": "CWLI", "results": rows, "status": status,
        "statistics": parsed(statistics).unwrap_or_else(|| Rows::default().statistics),
    });
    if next < total {
        answer["nextToken"] = token_of(&next.to_string()).into();
    }
    Ok(Some(answer))
}

pub(super) async fn stop_query(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let (id, _) = by_id(ask)?;
    ask.shared
        .store
        .write(move |tx| {
            let stopped = tx.execute("UPDATE log_query SET status = 'Cancelled' WHERE id = ?1 AND status = 'Running'", [&id])?;
            if stopped == 1 {
                return Ok(Ok(Some(json!({ "success": true }))));
            }
            let known = tx.query_row("SELECT 1 FROM log_query WHERE id = ?1", [&id], |_| Ok(())).optional()?.is_some();
            let ended = || Fault::invalid(format!("Query {id} is not running: it has ended or was cancelled."));
            Ok(Err(if known { ended() } else { no_query() }))
        })
        .await?
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name: Option<String>,
    status: Option<String>,
    max_results: Option<i64>,
    next_token: Option<String>,
}

pub(super) async fn describe_queries(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: Describe = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.group_name("logGroupName", input.log_group_name.as_deref());
    constraints.one_of("status", input.status.as_deref(), &STATUSES);
    constraints.range("maxResults", input.max_results, 1, 1000);
    constraints.check()?;
    let skip = match &input.next_token {
        Some(token) => text_of(token)?.parse::<usize>().map_err(|_| Fault::bad_token())?,
        None => 0,
    };
    let most = usize::try_from(input.max_results.unwrap_or(1000)).unwrap_or(1000);
    let (wanted, status) = (input.log_group_name, input.status);
    let queries = ask
        .shared
        .store
        .read(move |connection| {
            if let Some(name) = &wanted
                && group::find(connection, name)?.is_none()
            {
                return Ok(Err(Fault::no_group()));
            }
            let mut select = connection
                .prepare_cached("SELECT id, text, groups, status, created_ms FROM log_query ORDER BY created_ms DESC, id")?;
            let mut rows = select.query([])?;
            let mut queries = Vec::new();
            while let Some(row) = rows.next()? {
                let groups: Vec<String> = serde_json::from_str(&row.get::<_, String>(2)?).unwrap_or_default();
                let (id, text, found): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(3)?);
                let named = wanted.as_ref().is_none_or(|name| groups.contains(name));
                if named && status.as_ref().is_none_or(|status| *status == found) {
                    queries.push(json!({
                        "queryLanguage": "CWLI", "queryId": id, "queryString": text, "status": found,
                        "createTime": row.get::<_, i64>(4)?, "logGroupName": groups.first(),
                    }));
                }
            }
            Ok(Ok(queries))
        })
        .await??;
    let next = skip.saturating_add(most);
    let token = (next < queries.len()).then(|| token_of(&next.to_string()));
    Ok(Some(group::paged("queries", queries.into_iter().skip(skip).take(most).collect(), token)))
}
