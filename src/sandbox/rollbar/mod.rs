//! Rollbar's API, version 1: occurrences in, items and occurrences out.
//!
//! [`handle`] is pure of any server: a request in, an answer out. An occurrence belongs to an *item*, the group of all
//! occurrences of one environment with one fingerprint; items are numbered by a counter, as in Rollbar's own addresses.
//! There is one project.

pub(in crate::sandbox) mod browse;
mod fault;
mod fingerprint;
mod payload;
mod post;
mod read;
mod token;

#[cfg(test)]
mod tests;

use http::{HeaderName, HeaderValue, Method, StatusCode};
use serde_json::{Value, json};

use super::store::Tables;
use super::wire::{self, Request, Response};
use super::{Shared, now_ms, rejection};
use crate::facts::Rejection;
use fault::Fault;
use token::Scope;

/// The only project's id.
const PROJECT: i64 = 1;

/// Calls a minute that the headers promise. The sandbox itself does not count.
const RATE: i64 = 5000;

/// The tables of Rollbar.
pub const TABLES: Tables = Tables {
    schema: "
        CREATE TABLE IF NOT EXISTS rollbar_item (
            id INTEGER PRIMARY KEY AUTOINCREMENT, counter INTEGER NOT NULL UNIQUE, environment TEXT NOT NULL, hash TEXT NOT NULL,
            title TEXT NOT NULL, level TEXT NOT NULL, status TEXT NOT NULL, framework TEXT NOT NULL, platform TEXT NOT NULL,
            total INTEGER NOT NULL, first_at INTEGER NOT NULL, first_id INTEGER NOT NULL, last_at INTEGER NOT NULL,
            last_id INTEGER NOT NULL, activated_at INTEGER NOT NULL, activating_id INTEGER NOT NULL, resolved_at INTEGER,
            resolved_in TEXT, modified_at INTEGER NOT NULL, UNIQUE (environment, hash));
        CREATE INDEX IF NOT EXISTS rollbar_item_last ON rollbar_item (last_at, id);
        CREATE TABLE IF NOT EXISTS rollbar_occurrence (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            item_id INTEGER NOT NULL REFERENCES rollbar_item (id) ON DELETE CASCADE,
            uuid TEXT NOT NULL UNIQUE, timestamp INTEGER NOT NULL, received_ms INTEGER NOT NULL, data TEXT NOT NULL);
        CREATE INDEX IF NOT EXISTS rollbar_occurrence_item ON rollbar_occurrence (item_id);",
    evict: |connection, before_ms| {
        let gone = connection.execute("DELETE FROM rollbar_occurrence WHERE received_ms < ?1", [before_ms])?;
        if gone > 0 {
            connection.execute(
                "DELETE FROM rollbar_item WHERE NOT EXISTS
                 (SELECT 1 FROM rollbar_occurrence AS o WHERE o.item_id = rollbar_item.id)",
                [],
            )?;
        }
        Ok(gone)
    },
};

/// Answers one request to Rollbar. Refused occurrences and refused tokens are kept as rejections.
pub async fn handle(shared: &Shared, request: Request) -> Response {
    let mut response = match answer(shared, &request).await {
        Ok(response) => response,
        Err(fault) => {
            if let Some(reason) = fault.reason {
                let refused = Rejection {
                    at_ms: now_ms(),
                    vendor: String::from("rollbar"),
                    request: format!("{} {}", request.method, request.path.chars().take(200).collect::<String>()),
                    status: fault.status.as_u16(),
                    reason: reason.to_owned(),
                    detail: fault.detail.clone().unwrap_or_else(|| fault.message.clone()),
                    service: None,
                };
                rejection::keep(shared, refused).await;
            }
            fault.into_response()
        }
    };
    let left = 60 - (now_ms() / 1000) % 60;
    let rates = [
        ("x-rate-limit-limit", RATE),
        ("x-rate-limit-remaining", RATE - 1),
        ("x-rate-limit-reset", now_ms() / 1000 + left),
        ("x-rate-limit-remaining-seconds", left),
    ];
    for (name, value) in rates {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from(value));
    }
    response
}

/// What a path means.
enum Route {
    /// `/item/`: takes occurrences, and finds the item of one.
    Item,
    ItemById(i64),
    ItemByCounter(i64),
    ItemInstances(i64),
    Items,
    Instances,
    Instance(i64),
    Ping,
}

fn route(path: &str) -> Option<Route> {
    let rest = path.strip_prefix("/api/1/")?;
    let parts: Vec<&str> = rest.trim_end_matches('/').split('/').collect();
    // More digits than an id has name nothing that exists.
    let id = |text: &str| {
        let number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        number.then(|| text.parse().unwrap_or(i64::MAX))
    };
    match parts.as_slice() {
        ["item"] => Some(Route::Item),
        ["item", item] => id(item).map(Route::ItemById),
        ["item", item, "instances"] => id(item).map(Route::ItemInstances),
        ["item_by_counter", counter] => id(counter).map(Route::ItemByCounter),
        ["items"] => Some(Route::Items),
        ["instances"] => Some(Route::Instances),
        ["instance", instance] => id(instance).map(Route::Instance),
        ["status", "ping"] => Some(Route::Ping),
        _ => None,
    }
}

async fn answer(shared: &Shared, request: &Request) -> Result<Response, Fault> {
    let Some(route) = route(&request.path) else {
        return Err(Fault::new(StatusCode::NOT_FOUND, "Not found").keep("wrong-path").detail(format!(
            "Rollbar has no `{}`; occurrences go to `/api/1/item/`",
            request.path.chars().take(200).collect::<String>()
        )));
    };
    let method = &request.method;
    match (&route, method) {
        (Route::Item, &Method::POST) => return post::item(shared, request).await,
        (Route::Ping, &Method::GET | &Method::HEAD) => return Ok(wire::answer(StatusCode::OK, "text/plain", "pong")),
        (Route::ItemById(id), &Method::PATCH) => return read::change(shared, request, *id).await,
        (Route::Ping, _) => return Err(wrong_method(request, "GET")),
        (_, &Method::GET) => {}
        (Route::Item, _) => return Err(wrong_method(request, "GET, POST")),
        (Route::ItemById(_), _) => return Err(wrong_method(request, "GET, PATCH")),
        _ => return Err(wrong_method(request, "GET")),
    }
    token::check(shared, request, None, Scope::Read)?;
    match route {
        Route::Item => read::item_of(shared, request).await,
        Route::ItemById(id) => read::item(shared, id).await,
        Route::ItemByCounter(counter) => read::by_counter(shared, counter).await,
        Route::ItemInstances(id) => read::instances(shared, request, Some(id)).await,
        Route::Items => read::items(shared, request).await,
        Route::Instances => read::instances(shared, request, None).await,
        Route::Instance(id) => read::instance(shared, id).await,
        Route::Ping => Ok(wire::answer(StatusCode::OK, "text/plain", "pong")),
    }
}

fn wrong_method(request: &Request, allowed: &'static str) -> Fault {
    let fault = Fault::new(StatusCode::METHOD_NOT_ALLOWED, "Method not allowed").allow(allowed).keep("wrong-method");
    fault.detail(format!("`{}` does not take {}; it takes {allowed}", request.path, request.method))
}

/// An answer that went well.
fn result(result: &Value) -> Response {
    wire::json(StatusCode::OK, &json!({"err": 0, "result": result}))
}
