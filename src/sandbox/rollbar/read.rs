//! Reading items and occurrences, and changing an item.

use http::{HeaderValue, StatusCode, header};
use rusqlite::{Connection, OptionalExtension, Row, params, params_from_iter};
use serde_json::{Value, json};

use super::fault::Fault;
use super::payload::LEVELS;
use super::token::{self, Scope};
use super::{PROJECT, result};
use crate::sandbox::wire::{self, Request, Response};
use crate::sandbox::{Shared, now_ms};

/// Items a page, and occurrences a page.
const ITEMS: i64 = 100;
const INSTANCES: i64 = 20;

const STATUSES: [&str; 4] = ["active", "resolved", "muted", "archived"];

const ITEM: &str = "SELECT id, counter, environment, hash, title, level, status, framework, platform, total, first_at, first_id,
    last_at, last_id, activated_at, activating_id, resolved_at, resolved_in, modified_at FROM rollbar_item";

fn shown(row: &Row<'_>) -> rusqlite::Result<Value> {
    Ok(json!({
        "id": row.get::<_, i64>(0)?,
        "counter": row.get::<_, i64>(1)?,
        "project_id": PROJECT,
        "environment": row.get::<_, String>(2)?,
        "hash": row.get::<_, String>(3)?,
        "title": row.get::<_, String>(4)?,
        "level": row.get::<_, String>(5)?,
        "status": row.get::<_, String>(6)?,
        "framework": row.get::<_, String>(7)?,
        "platform": row.get::<_, String>(8)?,
        "total_occurrences": row.get::<_, i64>(9)?,
        "unique_occurrences": null,
        "first_occurrence_timestamp": row.get::<_, i64>(10)?,
        "first_occurrence_id": row.get::<_, i64>(11)?,
        "last_occurrence_timestamp": row.get::<_, i64>(12)?,
        "last_occurrence_id": row.get::<_, i64>(13)?,
        "last_activated_timestamp": row.get::<_, i64>(14)?,
        "activating_occurrence_id": row.get::<_, i64>(15)?,
        "last_resolved_timestamp": row.get::<_, Option<i64>>(16)?,
        "resolved_in_version": row.get::<_, Option<String>>(17)?,
        "last_modified_timestamp": row.get::<_, i64>(18)?,
        "assigned_user_id": null,
        "group_item_id": null,
        "group_status": 1,
    }))
}

fn occurrence(row: &Row<'_>) -> rusqlite::Result<Value> {
    let data: String = row.get(3)?;
    Ok(json!({
        "id": row.get::<_, i64>(0)?,
        "project_id": PROJECT,
        "item_id": row.get::<_, i64>(1)?,
        "timestamp": row.get::<_, i64>(2)?,
        "version": 2,
        "billable": 1,
        "data": serde_json::from_str::<Value>(&data).unwrap_or_default(),
    }))
}

fn no_item() -> Fault {
    Fault::new(StatusCode::NOT_FOUND, "Item not found")
}

fn find(connection: &Connection, id: i64) -> rusqlite::Result<Option<Value>> {
    connection.prepare_cached(&format!("{ITEM} WHERE id = ?1"))?.query_row([id], shown).optional()
}

pub(super) async fn item(shared: &Shared, id: i64) -> Result<Response, Fault> {
    let item = shared.store.read(move |connection| find(connection, id)).await?;
    item.map(|item| result(&item)).ok_or_else(no_item)
}

/// The item of an occurrence, by the occurrence's uuid.
pub(super) async fn item_of(shared: &Shared, request: &Request) -> Result<Response, Fault> {
    let Some(uuid) = request.parameter("uuid").filter(|uuid| !uuid.is_empty()) else {
        return Err(Fault::new(StatusCode::BAD_REQUEST, "the parameter `uuid` is required"));
    };
    let item = shared
        .store
        .read(move |connection| {
            let text = format!("{ITEM} WHERE id = (SELECT item_id FROM rollbar_occurrence WHERE uuid = ?1)");
            connection.prepare_cached(&text)?.query_row([uuid], shown).optional()
        })
        .await?;
    item.map(|item| result(&item)).ok_or_else(|| Fault::new(StatusCode::NOT_FOUND, "UUID did not match any occurrence"))
}

pub(super) async fn by_counter(shared: &Shared, counter: i64) -> Result<Response, Fault> {
    let id: Option<i64> = shared
        .store
        .read(move |connection| {
            let mut select = connection.prepare_cached("SELECT id FROM rollbar_item WHERE counter = ?1")?;
            select.query_row([counter], |row| row.get(0)).optional()
        })
        .await?;
    let Some(id) = id else { return Err(no_item()) };
    let path = format!("/api/1/item/{id}");
    let body = json!({"err": 0, "result": {"itemId": id, "path": format!("/item/{id}"), "uri": path}});
    let mut response = wire::json(StatusCode::MOVED_PERMANENTLY, &body);
    if let Ok(location) = HeaderValue::from_str(&path) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    Ok(response)
}

/// The page that is asked for, from 1.
fn page(request: &Request) -> Result<i64, Fault> {
    match request.parameter("page") {
        None => Ok(1),
        Some(page) => {
            let page = page.parse().ok().filter(|page: &i64| (1..=1_000_000).contains(page));
            page.ok_or_else(|| Fault::invalid("the parameter `page` must be a number from 1"))
        }
    }
}

/// All values of a parameter: repeated, or parted by commas.
fn values(request: &Request, name: &str) -> Vec<String> {
    url::form_urlencoded::parse(request.query.as_bytes())
        .filter(|(key, _)| key == name)
        .flat_map(|(_, value)| value.split(',').map(|part| part.trim().to_owned()).collect::<Vec<_>>())
        .filter(|value| !value.is_empty())
        .take(100)
        .collect()
}

pub(super) async fn items(shared: &Shared, request: &Request) -> Result<Response, Fault> {
    let page = page(request)?;
    let (mut conditions, mut wanted) = (Vec::new(), Vec::new());
    for (parameter, column) in
        [("status", "status"), ("level", "level"), ("environment", "environment"), ("framework", "framework"), ("ids", "id")]
    {
        let values = values(request, parameter);
        let known: Option<&[&str]> = match parameter {
            "status" => Some(&STATUSES),
            "level" => Some(&LEVELS),
            _ => None,
        };
        if let Some(known) = known
            && let Some(value) = values.iter().find(|value| !known.contains(&value.as_str()))
        {
            return Err(Fault::invalid(format!("`{value}` is no {parameter}; there are {}", known.join(", "))));
        }
        if !values.is_empty() {
            conditions.push(format!("CAST({column} AS TEXT) IN ({})", vec!["?"; values.len()].join(", ")));
            wanted.extend(values);
        }
    }
    if let Some(query) = request.parameter("query").filter(|query| !query.is_empty()) {
        conditions.push(String::from("instr(lower(title), lower(?)) > 0"));
        wanted.push(query);
    }
    let filter = if conditions.is_empty() { String::new() } else { format!(" WHERE {}", conditions.join(" AND ")) };
    let (total, items) = shared
        .store
        .read(move |connection| {
            let count = format!("SELECT count(*) FROM rollbar_item{filter}");
            let total: i64 = connection.query_row(&count, params_from_iter(&wanted), |row| row.get(0))?;
            let offset = (page - 1) * ITEMS;
            let text = format!("{ITEM}{filter} ORDER BY last_at DESC, id DESC LIMIT {ITEMS} OFFSET {offset}");
            let mut select = connection.prepare(&text)?;
            let items: Vec<Value> = select.query_map(params_from_iter(&wanted), shown)?.collect::<rusqlite::Result<_>>()?;
            Ok((total, items))
        })
        .await?;
    Ok(result(&json!({"page": page, "total_count": total, "items": items})))
}

/// Occurrences, the newest first: of one item or of all.
pub(super) async fn instances(shared: &Shared, request: &Request, item: Option<i64>) -> Result<Response, Fault> {
    let page = page(request)?;
    let instances = shared
        .store
        .read(move |connection| {
            if let Some(item) = item
                && find(connection, item)?.is_none()
            {
                return Ok(None);
            }
            let mut select = connection.prepare_cached(
                "SELECT id, item_id, timestamp, data FROM rollbar_occurrence WHERE ?1 IS NULL OR item_id = ?1
                 ORDER BY id DESC LIMIT ?2 OFFSET ?3",
            )?;
            let rows = select.query_map(params![item, INSTANCES, (page - 1) * INSTANCES], occurrence)?;
            rows.collect::<rusqlite::Result<Vec<Value>>>().map(Some)
        })
        .await?;
    let Some(instances) = instances else { return Err(no_item()) };
    Ok(result(&json!({"page": page, "instances": instances})))
}

pub(super) async fn instance(shared: &Shared, id: i64) -> Result<Response, Fault> {
    let found = shared
        .store
        .read(move |connection| {
            connection
                .prepare_cached("SELECT id, item_id, timestamp, data FROM rollbar_occurrence WHERE id = ?1")?
                .query_row([id], occurrence)
                .optional()
        })
        .await?;
    found.map(|found| result(&found)).ok_or_else(|| Fault::new(StatusCode::NOT_FOUND, "Instance not found"))
}

/// Changes an item's status, level or title.
pub(super) async fn change(shared: &Shared, request: &Request, id: i64) -> Result<Response, Fault> {
    let change = serde_json::from_slice::<Value>(&request.body);
    let in_body = change.as_ref().ok().and_then(|change| change["access_token"].as_str());
    token::check(shared, request, in_body, Scope::Write)?;
    let change = change.ok().filter(Value::is_object);
    let Some(change) = change else { return Err(Fault::new(StatusCode::BAD_REQUEST, "Invalid JSON payload")) };
    let word = |member: &str, known: &[&str]| match &change[member] {
        Value::Null => Ok(None),
        Value::String(text) if known.is_empty() && text.chars().count() <= 255 => Ok(Some(text.clone())),
        Value::String(text) if known.contains(&text.as_str()) => Ok(Some(text.clone())),
        _ => Err(Fault::invalid(format!("the value of `{member}` is not one that an item can have"))),
    };
    let (status, level) = (word("status", &STATUSES)?, word("level", &LEVELS)?);
    let (title, version) = (word("title", &[])?, word("resolved_in_version", &[])?);
    let changed = shared
        .store
        .write(move |tx| {
            tx.execute(
                "UPDATE rollbar_item SET status = coalesce(?2, status), level = coalesce(?3, level), title = coalesce(?4, title),
                 resolved_in = CASE WHEN ?2 = 'resolved' THEN ?5 ELSE resolved_in END,
                 resolved_at = CASE WHEN ?2 = 'resolved' THEN ?6 ELSE resolved_at END, modified_at = ?6 WHERE id = ?1",
                params![id, status, level, title, version, now_ms() / 1000],
            )
        })
        .await?;
    if changed == 1 { Ok(result(&json!({}))) } else { Err(no_item()) }
}
