//! Rollbar: items, and one item with its latest occurrences.

use maud::{Markup, html};
use rusqlite::Connection;
use serde_json::Value;

use super::page::{Page, Tab, table};
use super::values::Values;
use super::{PATH, ROWS, shown};
use crate::sandbox::rollbar::browse::{self, Item, Occurrence};

/// The most frames of one trace, and traces of one chain.
const FRAMES: usize = 60;
const CHAIN: usize = 10;

pub(super) fn page(connection: &Connection) -> rusqlite::Result<Page> {
    let items = browse::items(connection, ROWS)?;
    let body = html! {
        h1 { "Errors in Rollbar" }
        (table_of(&items))
        @if items.len() == ROWS { p.note { "Only the latest " (ROWS) " are listed." } }
    };
    Ok(Page { title: String::from("Errors"), tab: Some(Tab::Items), live: true, body })
}

/// Items as a table.
pub(super) fn table_of(items: &[Item]) -> Markup {
    if items.is_empty() {
        return html! { p { "There is no item yet. Rollbar makes one of the first error or message that a service sends." } };
    }
    let row = |item: &Item| {
        vec![
            html! { "#" (item.counter) },
            html! { a href=(format!("{PATH}/item/{}", item.counter)) { (shown::text(&item.title, shown::CELL)) } },
            level(&item.level),
            html! { (shown::grouped(item.total)) },
            shown::text(&item.environment, shown::CELL),
            shown::text(&item.status, shown::CELL),
            shown::time(item.last_at.saturating_mul(1000)),
        ]
    };
    let rows: Vec<Vec<Markup>> = items.iter().map(row).collect();
    table(&["Item", "Title", "Level", "Occurrences", "Environment", "Status", "Latest"], &[3], &rows)
}

fn level(level: &str) -> Markup {
    html! { span class=[matches!(level, "error" | "critical").then_some("bad")] { (shown::text(level, shown::CELL)) } }
}

/// One item by its number; `None` where there is none.
pub(super) fn item_page(connection: &Connection, counter: i64) -> rusqlite::Result<Option<Page>> {
    let Some((item, occurrences)) = browse::item(connection, counter)? else { return Ok(None) };
    let body = html! {
        h1 { "#" (item.counter) " " (shown::text(&item.title, shown::CELL)) }
        p { a href=(format!("{PATH}/items")) { "All errors" } }
        dl {
            dt { "Level" } dd { (level(&item.level)) }
            dt { "Status" } dd { (shown::text(&item.status, shown::CELL)) }
            dt { "Environment" } dd { (shown::text(&item.environment, shown::CELL)) }
            dt { "Framework" } dd { (shown::text(&item.framework, shown::CELL)) }
            dt { "Occurrences" } dd { (shown::grouped(item.total)) }
            dt { "First" } dd { (shown::time(item.first_at.saturating_mul(1000))) }
            dt { "Latest" } dd { (shown::time(item.last_at.saturating_mul(1000))) }
        }
        @for one in &occurrences { (occurrence(one)) }
        @if item.total > i64::try_from(occurrences.len()).unwrap_or(i64::MAX) {
            p.note { "Only the latest " (occurrences.len()) " are shown." }
        }
    };
    let title = shown::plain(&format!("#{} {}", item.counter, item.title), 60);
    Ok(Some(Page { title, tab: Some(Tab::Items), live: false, body }))
}

fn occurrence(one: &Occurrence) -> Markup {
    let data = &one.data;
    let (body, chain) = (&data["body"], data["body"]["trace_chain"].as_array());
    let traces = chain.into_iter().flatten().chain(body.get("trace")).take(CHAIN);
    let mut rest = Values::default();
    for (name, value) in data.as_object().into_iter().flatten().filter(|(name, _)| !matches!(name.as_str(), "body" | "request")) {
        rest.add(name, value);
    }
    html! {
        h2 { "Occurrence of " (shown::time(one.timestamp.saturating_mul(1000))) }
        p.note { "uuid " code { (shown::text(&one.uuid, shown::CELL)) } }
        @for told in traces { (trace(told)) }
        @if let Some(text) = body["message"]["body"].as_str() { h3 { "Message" } pre { (shown::text(text, shown::LONG)) } }
        @if let Some(text) = body["crash_report"]["raw"].as_str() { h3 { "Crash report" } pre { (shown::text(text, shown::LONG)) } }
        @if data["request"].is_object() { h3 { "Request" } (Values::of("request", &data["request"]).table("What was asked when it happened")) }
        details { summary { "Everything else" } (rest.table("Of the payload")) }
    }
}

fn trace(told: &Value) -> Markup {
    let text = |value: &Value| shown::text(value.as_str().unwrap_or_default(), shown::CELL);
    let frames: &[Value] = told["frames"].as_array().map_or(&[], Vec::as_slice);
    let row = |frame: &Value| {
        vec![
            text(&frame["filename"]),
            html! { @match frame["lineno"].as_i64() { Some(line) => (line), None => "" } },
            text(&frame["method"]),
            html! { code { (text(&frame["code"])) } },
        ]
    };
    // The frame that failed comes last in a payload, and first for a reader.
    let rows: Vec<Vec<Markup>> = frames.iter().rev().take(FRAMES).map(row).collect();
    html! {
        h3 { (text(&told["exception"]["class"])) }
        @if let Some(message) = told["exception"]["message"].as_str() { pre { (shown::text(message, shown::LONG)) } }
        @if !rows.is_empty() { (table(&["File", "Line", "Method", "Code"], &[1], &rows)) }
        @if frames.len() > FRAMES { p.note { (frames.len() - FRAMES) " more frames are not shown." } }
    }
}
