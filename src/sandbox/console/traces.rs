//! The newest traces of Honeycomb and X-Ray, one row a trace.

use std::collections::{BTreeSet, HashMap};

use maud::{Markup, html};
use rusqlite::Connection;

use super::asked::trace_link;
use super::page::{Page, Tab, table};
use super::{ROWS, shown};
use crate::facts::TraceId;
use crate::sandbox::{honeycomb, xray};

/// How many traces of X-Ray are read beyond those that are shown.
const MARGIN: usize = 20;

/// One trace, as either vendor or both have it.
#[derive(Debug, Clone, PartialEq)]
struct Entry {
    /// As the vendor that told of it writes it.
    id: String,
    name: String,
    services: BTreeSet<String>,
    /// `None` where there may be some that were not looked through.
    spans: Option<usize>,
    segments: Option<usize>,
    status: Option<i64>,
    failed: bool,
    start_ms: f64,
    duration_ms: f64,
}

/// The newest traces, and whether those are all.
#[derive(Debug, Default)]
pub(super) struct Listing {
    entries: Vec<Entry>,
    complete: bool,
}

pub(super) fn page(connection: &Connection) -> rusqlite::Result<Page> {
    let listing = newest(connection, ROWS)?;
    let body = html! {
        h1 { "Traces" }
        (listing.table())
        @if !listing.complete { p.note {
                "Older ones are not listed, and – stands for what was not looked through. Their pages are there for who knows their ids."
            } }
    };
    Ok(Page { title: String::from("Traces"), tab: Some(Tab::Traces), live: true, body })
}

/// The newest traces of both vendors, the latest first.
pub(super) fn newest(connection: &Connection, most: usize) -> rusqlite::Result<Listing> {
    // The two do not begin at quite the same moment: a few more, so that the last row has both its sides.
    let (spans, segments) = (honeycomb::browse::recent(connection)?, xray::browse::recent(connection, most + MARGIN)?);
    let mut complete = spans.complete && segments.complete;
    let none = |complete: bool| complete.then_some(0);
    let mut found: HashMap<String, Entry> = HashMap::new();
    for trace in spans.traces {
        #[expect(clippy::cast_precision_loss, reason = "milliseconds of the calendar fit a double exactly")]
        let start_ms = trace.from_ms as f64;
        let entry = Entry {
            id: trace.id,
            name: if trace.rooted { trace.name } else { format!("{} (no root yet)", trace.name) },
            services: trace.datasets,
            spans: Some(trace.spans),
            segments: none(segments.complete),
            status: trace.status,
            failed: trace.failed,
            start_ms,
            duration_ms: trace.until_ms - start_ms,
        };
        found.insert(canonical(&entry.id), entry);
    }
    for trace in segments.traces {
        let key = canonical(&trace.id);
        let entry = found.entry(key).or_insert_with(|| Entry {
            id: trace.id,
            name: if trace.partial { format!("{} (in progress)", trace.name) } else { trace.name },
            services: BTreeSet::new(),
            spans: none(spans.complete),
            segments: None,
            status: trace.status,
            failed: false,
            start_ms: trace.start * 1000.0,
            duration_ms: trace.duration * 1000.0,
        });
        entry.segments = Some(trace.segments);
        entry.services.extend(trace.services);
        entry.failed |= trace.failed;
        entry.status = entry.status.or(trace.status);
    }
    let mut entries: Vec<Entry> = found.into_values().collect();
    entries.sort_by(|left, right| right.start_ms.total_cmp(&left.start_ms).then_with(|| left.id.cmp(&right.id)));
    complete &= entries.len() <= most;
    entries.truncate(most);
    Ok(Listing { entries, complete })
}

/// One id for what is one trace in both worlds.
fn canonical(id: &str) -> String {
    id.parse::<TraceId>().map_or_else(|_| id.to_owned(), |id| id.w3c())
}

impl Listing {
    pub fn table(&self) -> Markup {
        if self.entries.is_empty() {
            return html! { p { "No trace has come in yet. Send your service a request, and its spans and segments appear here." } };
        }
        let rows: Vec<Vec<Markup>> = self.entries.iter().map(Entry::row).collect();
        table(&["Time", "Trace", "Services", "Spans", "Segments", "Duration", "Status"], &[3, 4, 5], &rows)
    }
}

fn counted(number: Option<usize>) -> Markup {
    html! { @match number { Some(number) => (shown::grouped(number)), None => "–" } }
}

impl Entry {
    fn row(&self) -> Vec<Markup> {
        let services = self.services.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
        let name = if self.name.trim().is_empty() { "(no name)" } else { &self.name };
        vec![
            shown::time_s(self.start_ms / 1000.0),
            html! { a href=(trace_link(&self.id)) { (shown::text(name, shown::CELL)) } },
            shown::text(&services, shown::CELL),
            counted(self.spans),
            counted(self.segments),
            html! { (shown::duration(self.duration_ms)) },
            shown::state(self.status, self.failed),
        ]
    }
}
