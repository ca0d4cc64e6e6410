use http::{HeaderValue, StatusCode};
use rusqlite::{OptionalExtension, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::batch::{self, Range};
use super::event::slug;
use super::query::{self, Spec, Table};
use super::{dataset, fresh_id, problem, unavailable};
use crate::sandbox::store::StoreError;
use crate::sandbox::{Shared, now_ms, wire};

/// The scope of a query over all datasets.
const ALL: &str = "__all__";

/// `POST /1/queries/{dataset}`: answers the query with its defaults filled in and an id.
pub async fn create_query(shared: &Shared, scope: &str, request: &wire::Request) -> wire::Response {
    if let Err(refused) = known_scope(shared, scope).await {
        return refused;
    }
    let spec = match query::parse(&request.body) {
        Ok(spec) => spec,
        Err(query::SpecError::Json(error)) => return problem::unparseable(&error.to_string()),
        Err(query::SpecError::Invalid(details)) => return problem::validation_failed(&details),
    };
    let id = fresh_id();
    let mut answer = match serde_json::to_value(&spec) {
        Ok(answer) => answer,
        Err(error) => return problem::unparseable(&error.to_string()),
    };
    let (row, scope, text) = (id.clone(), slug(scope), answer.to_string());
    let kept =
        shared
            .store
            .write(move |tx| {
                tx.prepare_cached("INSERT INTO hny_query (id, scope, spec, created_ms) VALUES (?1, ?2, ?3, ?4)")?
                    .execute(params![row, scope, text, now_ms()])
            })
            .await;
    if let Err(error) = kept {
        return unavailable(&error);
    }
    answer["id"] = Value::from(id);
    wire::json(StatusCode::OK, &answer)
}

/// `GET /1/queries/{dataset}/{id}`.
pub async fn get_query(shared: &Shared, scope: &str, id: &str) -> wire::Response {
    match find_query(shared, scope, id).await {
        Ok(Some(mut spec)) => {
            spec["id"] = Value::from(id);
            wire::json(StatusCode::OK, &spec)
        }
        Ok(None) => problem::not_found("Query not found"),
        Err(error) => unavailable(&error),
    }
}

/// What is asked of a result, beside the query itself.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Ask {
    query_id: String,
    #[serde(default)]
    disable_series: bool,
    #[serde(default)]
    limit: Option<usize>,
}

/// `POST /1/query_results/{dataset}`: 201 with a `Location`; the result itself is for the next `GET`, as with the vendor.
pub async fn create_result(shared: &Shared, scope: &str, request: &wire::Request) -> wire::Response {
    let ask: Ask = match wire::parse_json(&request.body) {
        Ok(ask) => ask,
        Err(error) => return problem::unparseable(&error.to_string()),
    };
    if let Some(limit) = ask.limit {
        let most = if ask.disable_series { query::MAX_LIMIT_WITHOUT_SERIES } else { query::MAX_LIMIT };
        if limit == 0 || limit > most {
            let detail = problem::Detail::invalid("limit", format!("limit must be between 1 and {most}"));
            return problem::validation_failed(&[detail]);
        }
    }
    let spec = match find_query(shared, scope, &ask.query_id).await {
        Ok(Some(spec)) => spec,
        Ok(None) => return problem::not_found("Query not found"),
        Err(error) => return unavailable(&error),
    };
    let id = fresh_id();
    let (row, stored_scope, wish) = (id.clone(), slug(scope), serde_json::to_string(&ask).unwrap_or_default());
    let query = ask.query_id.clone();
    let kept = shared
        .store
        .write(move |tx| {
            tx.prepare_cached("INSERT INTO hny_result (id, scope, query, request, created_ms) VALUES (?1, ?2, ?3, ?4, ?5)")?
                .execute(params![row, stored_scope, query, wish, now_ms()])
        })
        .await;
    if let Err(error) = kept {
        return unavailable(&error);
    }
    let body = json!({ "query": spec, "query_id": ask.query_id, "id": id, "complete": false, "links": links(scope, &id) });
    let mut answer = wire::json(StatusCode::CREATED, &body);
    if let Ok(location) = HeaderValue::from_str(&format!("/1/query_results/{}/{id}", slug(scope))) {
        answer.headers_mut().insert(http::header::LOCATION, location);
    }
    answer
}

/// `GET /1/query_results/{dataset}/{id}`: runs the query the first time, and repeats that answer from then on.
pub async fn get_result(shared: &Shared, scope: &str, id: &str) -> wire::Response {
    let (row, stored_scope) = (id.to_owned(), slug(scope));
    let found = shared
        .store
        .read(move |connection| {
            connection
                .prepare_cached("SELECT query, request, body FROM hny_result WHERE id = ?1 AND scope = ?2")?
                .query_row(params![row, stored_scope], |row| {
                    Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?, row.get::<_, Option<String>>(2)?))
                })
                .optional()
        })
        .await;
    let (query_id, wish) = match found {
        Ok(Some((_, _, Some(body)))) => return wire::answer(StatusCode::OK, "application/json", body),
        Ok(Some((query_id, wish, None))) => (query_id, wish),
        Ok(None) => return problem::not_found("Query result not found"),
        Err(error) => return unavailable(&error),
    };
    let (spec, ask) = match find_query(shared, scope, &query_id).await {
        Ok(Some(spec)) => (spec, serde_json::from_str::<Ask>(&wish).ok()),
        Ok(None) => return problem::not_found("Query not found"),
        Err(error) => return unavailable(&error),
    };
    let (Ok(parsed), Some(ask)) = (serde_json::from_value::<Spec>(spec.clone()), ask) else {
        return problem::not_found("Query not found");
    };
    let data = match run(shared, scope, &parsed, &ask).await {
        Ok(data) => data,
        Err(error) => return unavailable(&error),
    };
    let body = json!({
        "query": spec, "query_id": query_id, "id": id, "complete": true, "data": data, "links": links(scope, id),
    })
    .to_string();
    let (row, kept) = (id.to_owned(), body.clone());
    let update = move |tx: &rusqlite::Connection| {
        tx.prepare_cached("UPDATE hny_result SET body = ?2 WHERE id = ?1")?.execute(params![row, kept])
    };
    match shared.store.write(update).await {
        Ok(_) => wire::answer(StatusCode::OK, "application/json", body),
        Err(error) => unavailable(&error),
    }
}

async fn run(shared: &Shared, scope: &str, spec: &Spec, ask: &Ask) -> Result<Value, StoreError> {
    let dataset = if scope == ALL {
        None
    } else {
        // A dataset is never deleted; one that is missing has no events.
        Some(dataset::find(shared, scope).await?.map_or(-1, |dataset| dataset.id))
    };
    let window = spec.window(now_ms());
    let range = Range { dataset, from_ms: window.start_ms, to_ms: window.end_ms, traces: spec.traces(), wanted: spec.columns() };
    let limit = ask.limit.unwrap_or_else(|| spec.limit.unwrap_or(query::DEFAULT_LIMIT));
    let spec = spec.clone();
    let series = !ask.disable_series;
    shared
        .store
        .read(move |connection| {
            let mut table = Table::new(&spec, window, series);
            batch::read(connection, &range, |event| table.add(&event))?;
            Ok(table.finish(limit))
        })
        .await
}

async fn known_scope(shared: &Shared, scope: &str) -> Result<(), wire::Response> {
    if scope == ALL {
        return Ok(());
    }
    match dataset::find(shared, scope).await {
        Ok(Some(_)) => Ok(()),
        Ok(None) => Err(problem::not_found("Dataset not found")),
        Err(error) => Err(unavailable(&error)),
    }
}

async fn find_query(shared: &Shared, scope: &str, id: &str) -> Result<Option<Value>, StoreError> {
    let (id, scope) = (id.to_owned(), slug(scope));
    let text: Option<String> = shared
        .store
        .read(move |connection| {
            connection
                .prepare_cached("SELECT spec FROM hny_query WHERE id = ?1 AND scope = ?2")?
                .query_row(params![id, scope], |row| row.get(0))
                .optional()
        })
        .await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}

fn links(scope: &str, id: &str) -> Value {
    json!({
        "query_url": format!("https://ui.honeycomb.io/bootcamp/environments/sandbox/datasets/{}/result/{id}", slug(scope)),
        "graph_image_url": format!("https://ui.honeycomb.io/bootcamp/environments/sandbox/datasets/{}/result/{id}/snapshot", slug(scope)),
    })
}
