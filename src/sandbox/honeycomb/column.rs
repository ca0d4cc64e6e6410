use http::{HeaderValue, StatusCode};
use serde::Deserialize;
use serde_json::{Value, json};

use super::event::{ColumnType, slug};
use super::ledger::{Column, Ledger};
use super::{dataset, iso, problem, unavailable};
use crate::sandbox::{Shared, now_ms, wire};

/// An array of all columns, or with `?key_name=` that one column.
pub async fn list(shared: &Shared, slug: &str, request: &wire::Request) -> wire::Response {
    let dataset = match dataset::find(shared, slug).await {
        Ok(Some(dataset)) => dataset,
        Ok(None) => return problem::not_found("Dataset not found"),
        Err(error) => return unavailable(&error),
    };
    if let Some(name) = request.parameter("key_name") {
        return match dataset.columns.get(&name) {
            Some(column) => wire::json(StatusCode::OK, &shape(&name, column)),
            None => problem::not_found("Column not found"),
        };
    }
    let mut columns: Vec<_> = dataset.columns.iter().collect();
    columns.sort_by(|one, other| one.0.cmp(other.0));
    wire::json(StatusCode::OK, &columns.into_iter().map(|(name, column)| shape(name, column)).collect::<Vec<_>>())
}

pub async fn get(shared: &Shared, slug: &str, id: &str) -> wire::Response {
    match dataset::find(shared, slug).await {
        Ok(Some(dataset)) => match dataset.columns.iter().find(|(_, column)| public_id(column.id) == id) {
            Some((name, column)) => wire::json(StatusCode::OK, &shape(name, column)),
            None => problem::not_found("Column not found"),
        },
        Ok(None) => problem::not_found("Dataset not found"),
        Err(error) => unavailable(&error),
    }
}

#[derive(Deserialize)]
struct Create {
    #[serde(default)]
    key_name: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    description: String,
    #[serde(default)]
    hidden: bool,
}

pub async fn create(shared: &Shared, dataset: &str, request: &wire::Request) -> wire::Response {
    let wish: Create = match wire::parse_json(&request.body) {
        Ok(wish) => wish,
        Err(error) => return problem::unparseable(&error.to_string()),
    };
    let mut details = Vec::new();
    if wish.key_name.is_empty() {
        details.push(problem::Detail::invalid("key_name", "key_name is required"));
    }
    let kind = ColumnType::parse(wish.kind.as_deref().unwrap_or("string"));
    if kind.is_none() {
        details.push(problem::Detail::invalid("type", "type must be one of string, float, integer, boolean"));
    }
    let Some(kind) = kind.filter(|_| details.is_empty()) else { return problem::validation_failed(&details) };
    let (ledger, losses) = (shared.store.memo::<Ledger>(), shared.store.losses());
    let (slug, name) = (slug(dataset), wish.key_name.clone());
    let made = shared
        .store
        .write(move |tx| {
            ledger.change(tx, losses, |state| {
                let Some(dataset) = state.datasets.get_mut(&slug) else { return Ok(None) };
                if dataset.columns.contains_key(&wish.key_name) {
                    return Ok(Some(None));
                }
                dataset.add_column(tx, &wish.key_name, kind, &wish.description, wish.hidden, None, now_ms())?;
                Ok(Some(dataset.columns.get(&wish.key_name).cloned()))
            })
        })
        .await;
    match made {
        Ok(Some(Some(column))) => {
            let mut answer = wire::json(StatusCode::CREATED, &shape(&name, &column));
            if let Ok(location) = HeaderValue::from_str(&format!("/1/columns/{dataset}/{}", public_id(column.id))) {
                answer.headers_mut().insert(http::header::LOCATION, location);
            }
            answer
        }
        Ok(Some(None)) => problem::plain(StatusCode::CONFLICT, "Column already exists"),
        Ok(None) => problem::not_found("Dataset not found"),
        Err(error) => unavailable(&error),
    }
}

fn public_id(id: i64) -> String {
    format!("c{id:010x}")
}

fn shape(name: &str, column: &Column) -> Value {
    json!({
        "id": public_id(column.id),
        "key_name": name,
        "type": column.kind.as_str(),
        "description": column.description,
        "hidden": column.hidden,
        "last_written": iso(column.last_written_ms),
        "created_at": iso(Some(column.created_ms)),
        "updated_at": iso(Some(column.last_written_ms.unwrap_or(column.created_ms))),
    })
}
