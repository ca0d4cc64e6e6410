//! The first page: what came in lately, and what was refused.

use maud::{Markup, html};
use rusqlite::Connection;

use super::page::{Page, Tab, table};
use super::{PATH, items, logs, shown, traces};
use crate::facts::Rejection;
use crate::sandbox::{Addresses, cloudwatch, honeycomb, rejection, rollbar, xray};

/// How many of each kind.
const FEW: usize = 10;
/// How many refusals.
const REFUSED: usize = 20;

/// What the store does not know.
#[derive(Debug, Clone)]
pub(super) struct Facts {
    /// Where the sandbox listens.
    pub addresses: Addresses,
    /// Since when, in Unix milliseconds.
    pub started_ms: i64,
    /// How large the store is.
    pub bytes: u64,
}

pub(super) fn page(connection: &Connection, facts: &Facts) -> rusqlite::Result<Page> {
    let counts = [
        ("Honeycomb events", honeycomb::browse::count(connection)?),
        ("X-Ray traces", xray::browse::count(connection)?),
        ("log groups", cloudwatch::browse::count(connection)?),
        ("Rollbar items", rollbar::browse::count(connection)?),
        ("refused requests", rejection::count(connection)?),
    ];
    let refused = rejection::latest(connection, REFUSED)?;
    let body = html! {
        h1 { "Overview" }
        p { "This sandbox stands in for Honeycomb, AWS X-Ray, CloudWatch Logs and Rollbar." }
        dl {
            dt { "All vendors over HTTP" } dd { code { (facts.addresses.http_url()) } }
            dt { "OTLP over gRPC" } dd { code { (facts.addresses.grpc_url()) } }
            dt { "X-Ray daemon" } dd { code { (facts.addresses.daemon_address().to_string()) } " (UDP, TCP)" }
            dt { "Running since" } dd { (shown::time(facts.started_ms)) }
            dt { "Kept" }
            dd { @for (name, count) in counts { (shown::grouped(count)) " " (name) ", " } (shown::size(facts.bytes)) }
        }
        @if !refused.is_empty() { h2 { "Refused lately" } (refusals(&refused)) }
        h2 { "Newest traces" }
        (traces::newest(connection, FEW)?.table())
        p { a href=(format!("{PATH}/traces")) { "All traces" } }
        h2 { "Log groups" }
        (logs::groups(&cloudwatch::browse::groups(connection, FEW)?))
        p { a href=(format!("{PATH}/logs")) { "All log groups" } }
        h2 { "Errors in Rollbar" }
        (items::table_of(&rollbar::browse::items(connection, FEW)?))
        p { a href=(format!("{PATH}/items")) { "All errors" } }
    };
    Ok(Page { title: String::from("Overview"), tab: Some(Tab::Overview), live: true, body })
}

fn refusals(refused: &[Rejection]) -> Markup {
    let row = |one: &Rejection| {
        vec![
            shown::time(one.at_ms),
            shown::text(&one.vendor, shown::CELL),
            shown::text(&one.request, shown::CELL),
            html! { @if one.status > 0 { (one.status) } },
            shown::text(&one.reason, shown::CELL),
            shown::text(&one.detail, shown::CELL),
        ]
    };
    let rows: Vec<Vec<Markup>> = refused.iter().map(row).collect();
    table(&["Time", "Vendor", "Request", "Status", "Reason", "What was wrong"], &[], &rows)
}
