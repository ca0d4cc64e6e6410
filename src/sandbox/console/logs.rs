//! CloudWatch Logs: groups, their streams, and their events.

use maud::{Markup, html};
use rusqlite::Connection;

use super::asked::{Asked, link};
use super::page::{Page, Tab, table};
use super::{PATH, ROWS, shown};
use crate::sandbox::cloudwatch::browse::{self, Group};

pub(super) fn page(connection: &Connection) -> rusqlite::Result<Page> {
    let found = browse::groups(connection, ROWS)?;
    let body = html! {
        h1 { "Log groups" }
        (groups(&found))
        @if found.len() == ROWS { p.note { "Only the " (ROWS) " with the latest events are listed." } }
    };
    Ok(Page { title: String::from("Log groups"), tab: Some(Tab::Logs), live: true, body })
}

/// Groups as a table.
pub(super) fn groups(groups: &[Group]) -> Markup {
    if groups.is_empty() {
        return html! { p { "There is no log group yet. A service makes its own when it first writes to CloudWatch Logs." } };
    }
    let row = |group: &Group| {
        vec![
            html! { a href=(group_link(&group.name)) { (shown::text(&group.name, shown::CELL)) } },
            html! { (shown::grouped(group.streams)) },
            html! { @match group.last_ms { Some(ms) => (shown::time(ms)), None => "none yet" } },
            html! { @match group.retention_days { Some(days) => (shown::count(days, "day", "days")), None => "for ever" } },
            shown::time(group.created_ms),
        ]
    };
    let rows: Vec<Vec<Markup>> = groups.iter().map(row).collect();
    table(&["Group", "Streams", "Latest event", "Kept", "Created"], &[1], &rows)
}

/// A group's streams; `None` where there is no such group.
pub(super) fn group_page(connection: &Connection, group: &str) -> rusqlite::Result<Option<Page>> {
    let Some(streams) = browse::streams(connection, group, ROWS)? else { return Ok(None) };
    let when = |ms: Option<i64>| html! { @match ms { Some(ms) => (shown::time(ms)), None => "none yet" } };
    let rows: Vec<Vec<Markup>> = streams
        .iter()
        .map(|stream| {
            vec![
                html! { a href=(events_link(group, Some(&stream.name), None)) { (shown::text(&stream.name, shown::CELL)) } },
                when(stream.last_ms),
                when(stream.first_ms),
                shown::time(stream.created_ms),
            ]
        })
        .collect();
    let body = html! {
        h1 { "Log group " (shown::text(group, shown::CELL)) }
        p { a href=(format!("{PATH}/logs")) { "All log groups" } " · " a href=(events_link(group, None, None)) { "Events of all streams" } }
        @if rows.is_empty() { p { "It has no stream yet." } }
        @else { (table(&["Stream", "Latest event", "First event", "Created"], &[], &rows)) }
        @if rows.len() == ROWS { p.note { "Only the " (ROWS) " with the latest events are listed." } }
    };
    Ok(Some(Page { title: shown::plain(group, 60), tab: Some(Tab::Logs), live: true, body }))
}

/// Events of a group or a stream, a page at a time; `None` where there is no such thing.
pub(super) fn events_page(connection: &Connection, asked: &Asked) -> rusqlite::Result<Option<Page>> {
    let Some(group) = asked.parameter("group") else { return Ok(None) };
    let (stream, before) = (asked.parameter("stream"), asked.parameter("before"));
    let Some(found) = browse::lines(connection, group, stream, before, ROWS)? else { return Ok(None) };
    let rows: Vec<Vec<Markup>> = found
        .lines
        .iter()
        .map(|line| {
            let mut row = vec![shown::time(line.at_ms), html! { div.line { (shown::text(&line.message, shown::LONG)) } }];
            if stream.is_none() {
                let name = shown::text(&line.stream, shown::CELL);
                row.push(html! { a href=(events_link(group, Some(&line.stream), None)) { (name) } });
            }
            row
        })
        .collect();
    let headings: &[&str] = if stream.is_none() { &["Time", "Message", "Stream"] } else { &["Time", "Message"] };
    let name = stream.unwrap_or("all streams");
    let body = html! {
        h1 { "Events of " (shown::text(name, shown::CELL)) }
        p {
            "In the log group " a href=(group_link(group)) { (shown::text(group, shown::CELL)) } ", the newest first."
            @if before.is_some() { " " a href=(events_link(group, stream, None)) { "To the newest" } }
        }
        @if rows.is_empty() { p { "There are no events here." } }
        @else { (table(headings, &[], &rows)) }
        @if let Some(older) = &found.older { p { a href=(events_link(group, stream, Some(older))) rel="next" { "Older events" } } }
    };
    Ok(Some(Page { title: shown::plain(name, 60), tab: Some(Tab::Logs), live: before.is_none(), body }))
}

fn group_link(group: &str) -> String {
    link(&format!("{PATH}/logs"), &[("group", group)])
}

fn events_link(group: &str, stream: Option<&str>, before: Option<&str>) -> String {
    let parameters = [("group", Some(group)), ("stream", stream), ("before", before)];
    let given: Vec<(&str, &str)> = parameters.into_iter().filter_map(|(name, value)| Some((name, value?))).collect();
    link(&format!("{PATH}/logs/events"), &given)
}
