//! The sandbox's browsable console: traces, log lines and error items as pages for a person, as the vendors would show them.
//!
//! The pages are written by the server, need no script and fetch nothing: one stylesheet stands in each of them. What they
//! show was sent by anybody, so it is text and nothing else (maud escapes what is inserted), the policy that comes with each
//! page forbids everything but that stylesheet, and `mask` hides what looks like a credential. Every page is bounded, and
//! reads the store on a thread of its own, in looks that are short.

mod asked;
mod items;
mod logs;
mod mask;
mod overview;
mod page;
mod shown;
mod trace;
mod traces;
mod values;
mod waterfall;

#[cfg(test)]
mod tests;

use http::{HeaderValue, StatusCode, header};
use maud::html;
use rusqlite::Connection;

use asked::Asked;
use page::Page;

use super::status::Identity;
use super::{Shared, wire};
use crate::facts::TraceId;

/// The path of the first page; all others are beneath it.
pub const PATH: &str = "/_bootcamp/console";

/// The most rows of any page.
const ROWS: usize = 200;

/// The path of the page of one trace, whether or not anything of it has come in.
#[must_use]
pub fn trace_path(id: &TraceId) -> String {
    format!("{PATH}/trace/{id}")
}

/// Whether a path is one of the console's.
pub(super) fn is_own(path: &str) -> bool {
    path.strip_prefix(PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers with a page. The caller has seen to it that the request only reads.
pub(super) async fn handle(shared: &Shared, identity: &Identity, request: &wire::Request) -> wire::Response {
    let asked = Asked::of(request);
    let overview = overview::Facts {
        addresses: identity.addresses.clone(),
        started_ms: identity.started_ms,
        // The first page alone tells it.
        bytes: if asked.parts.is_empty() { shared.store.bytes().await.unwrap_or(0) } else { 0 },
    };
    let keys = shared.keys.clone();
    let written = shared.store.read(move |connection| {
        let (status, page) = match find(connection, &asked, &overview)? {
            Some(page) => (StatusCode::OK, page),
            None => (StatusCode::NOT_FOUND, nowhere()),
        };
        Ok((status, mask::keys(page.write(&asked), &keys)))
    });
    match written.await {
        Ok((status, text)) => secured(wire::answer(status, "text/html; charset=utf-8", text)),
        Err(error) => secured(wire::answer(StatusCode::SERVICE_UNAVAILABLE, "text/plain; charset=utf-8", format!("{error}\n"))),
    }
}

fn find(connection: &Connection, asked: &Asked, overview: &overview::Facts) -> rusqlite::Result<Option<Page>> {
    let parts: Vec<&str> = asked.parts.iter().map(String::as_str).collect();
    match parts[..] {
        [] => overview::page(connection, overview).map(Some),
        ["traces"] => traces::page(connection).map(Some),
        ["trace", id] => trace::page(connection, id),
        ["trace"] => asked.parameter("id").map_or(Ok(None), |id| trace::page(connection, id)),
        ["logs"] => match asked.parameter("group") {
            Some(group) => logs::group_page(connection, group),
            None => logs::page(connection).map(Some),
        },
        ["logs", "events"] => logs::events_page(connection, asked),
        ["items"] => items::page(connection).map(Some),
        ["item", number] => number.parse().map_or(Ok(None), |number| items::item_page(connection, number)),
        _ => Ok(None),
    }
}

fn nowhere() -> Page {
    let body = html! {
        h1 { "There is nothing here" }
        p { "No trace, log group, item or page of this name is known. It may have been too old and gone, or it has not come in yet." }
        p { a href=(PATH) { "Back to the overview" } }
    };
    Page { title: String::from("Not found"), tab: None, live: false, body }
}

/// Nothing may be loaded, run, framed or kept, and no other page learns where the reader came from.
fn secured(mut answer: wire::Response) -> wire::Response {
    let headers = answer.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(page::policy()) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    answer
}
