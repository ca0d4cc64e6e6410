use http::{HeaderValue, StatusCode};
use rusqlite::params;
use serde::Deserialize;
use serde_json::{Value, json};

use super::event::slug;
use super::ledger::{Dataset, FULL, Ledger};
use super::{iso, problem, unavailable};
use crate::sandbox::store::StoreError;
use crate::sandbox::{Shared, now_ms, wire};

/// The dataset that a path names, by its slug or its name.
pub async fn find(shared: &Shared, name: &str) -> Result<Option<Dataset>, StoreError> {
    let (ledger, losses) = (shared.store.memo::<Ledger>(), shared.store.losses());
    let slug = slug(name);
    shared.store.read(move |connection| ledger.look(connection, losses, |state| state.datasets.get(&slug).cloned())).await
}

pub async fn list(shared: &Shared) -> wire::Response {
    let (ledger, losses) = (shared.store.memo::<Ledger>(), shared.store.losses());
    let listed = shared
        .store
        .read(move |connection| {
            ledger.look(connection, losses, |state| {
                let mut datasets: Vec<(String, Value)> =
                    state.datasets.values().map(|dataset| (dataset.slug.clone(), shape(dataset))).collect();
                datasets.sort_by(|one, other| one.0.cmp(&other.0));
                datasets.into_iter().map(|(_, dataset)| dataset).collect::<Vec<_>>()
            })
        })
        .await;
    match listed {
        Ok(datasets) => wire::json(StatusCode::OK, &datasets),
        Err(error) => unavailable(&error),
    }
}

pub async fn get(shared: &Shared, slug: &str) -> wire::Response {
    match find(shared, slug).await {
        Ok(Some(dataset)) => wire::json(StatusCode::OK, &shape(&dataset)),
        Ok(None) => problem::not_found("Dataset not found"),
        Err(error) => unavailable(&error),
    }
}

#[derive(Deserialize)]
struct Create {
    #[serde(default)]
    name: String,
    #[serde(default)]
    description: String,
}

/// Answers 201 for a new dataset and 200 for one that is there already.
pub async fn create(shared: &Shared, request: &wire::Request) -> wire::Response {
    let wish: Create = match wire::parse_json(&request.body) {
        Ok(wish) => wish,
        Err(error) => return problem::unparseable(&error.to_string()),
    };
    if wish.name.trim().is_empty() || wish.name.chars().count() > 255 {
        return problem::validation_failed(&[problem::Detail::invalid("name", "name must have 1 to 255 characters")]);
    }
    let (ledger, losses) = (shared.store.memo::<Ledger>(), shared.store.losses());
    let made = shared
        .store
        .write(move |tx| {
            ledger.change(tx, losses, |state| {
                let there = state.datasets.contains_key(&slug(&wish.name));
                let dataset = state.dataset(tx, wish.name.trim(), now_ms())?;
                if !there && !wish.description.is_empty() {
                    tx.execute("UPDATE hny_dataset SET description = ?2 WHERE id = ?1", params![dataset.id, wish.description])?;
                    dataset.description.clone_from(&wish.description);
                }
                Ok((there, dataset.clone()))
            })
        })
        .await;
    match made {
        Ok((true, dataset)) => wire::json(StatusCode::OK, &shape(&dataset)),
        Ok((false, dataset)) => {
            let mut answer = wire::json(StatusCode::CREATED, &shape(&dataset));
            if let Ok(location) = HeaderValue::from_str(&format!("/1/datasets/{}", dataset.slug)) {
                answer.headers_mut().insert(http::header::LOCATION, location);
            }
            answer
        }
        Err(StoreError::Sqlite(rusqlite::Error::InvalidParameterName(why))) if why == FULL => {
            problem::plain(StatusCode::TOO_MANY_REQUESTS, FULL)
        }
        Err(error) => unavailable(&error),
    }
}

fn shape(dataset: &Dataset) -> Value {
    json!({
        "name": dataset.name,
        "slug": dataset.slug,
        "description": dataset.description,
        "created_at": iso(Some(dataset.created_ms)),
        "last_written_at": iso(dataset.last_written_ms),
        "regular_columns_count": dataset.columns.len(),
        "expand_json_depth": 0,
        "settings": { "delete_protected": false },
    })
}
