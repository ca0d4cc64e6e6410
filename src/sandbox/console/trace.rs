//! One trace: its spans as Honeycomb has them, and its segments as X-Ray has them.

use std::collections::{BTreeSet, HashMap};

use maud::{Markup, html};
use rusqlite::Connection;
use serde_json::Value;

use super::page::{Page, Tab};
use super::values::Values;
use super::waterfall::{Work, waterfall};
use super::{PATH, shown};
use crate::facts::{Segment, TraceId};
use crate::sandbox::honeycomb::browse::{self as spans, Told};
use crate::sandbox::{honeycomb, xray};

/// The most span events and links that are shown of one span.
const HANGING: usize = 20;

/// The page of a trace, whichever way its id is written; `None` where neither vendor has it.
pub(super) fn page(connection: &Connection, id: &str) -> rusqlite::Result<Option<Page>> {
    let parsed = id.parse::<TraceId>().ok();
    let mut told = spans::Trace { complete: true, ..spans::Trace::default() };
    for candidate in candidates(id, parsed) {
        told = honeycomb::browse::trace(connection, &candidate)?;
        if !told.events.is_empty() {
            break;
        }
    }
    let segments = match parsed {
        Some(id) => xray::browse::trace(connection, &id.xray())?,
        None => None,
    };
    if told.events.is_empty() && segments.is_none() {
        return Ok(None);
    }
    let elsewhere = segments.is_some() && xray::browse::is_elsewhere(connection)?;
    let body = html! {
        h1 { "Trace " code { (shown::text(&parsed.map_or_else(|| id.to_owned(), |id| id.w3c()), shown::CELL)) } }
        @if let Some(id) = parsed { dl { dt { "in X-Ray" } dd { code { (id.xray()) } } } }
        p { a href=(format!("{PATH}/traces")) { "All traces" } }
        h2 { "Honeycomb" }
        (honeycomb_side(&told))
        h2 { "AWS X-Ray" }
        @match &segments {
            Some(found) => {
                @if elsewhere {
                    p.note { "Transaction Search is on: X-Ray's own API finds nothing of this, for segments go to CloudWatch Logs." }
                }
                @if found.limit_exceeded { p.note { "The trace is larger than X-Ray keeps: some of its documents were dropped." } }
                (xray_side(&found.segments))
            }
            None => p { "X-Ray has no segment of this trace." }
        }
    };
    Ok(Some(Page { title: shown::plain(&format!("Trace {id}"), 60), tab: Some(Tab::Traces), live: false, body }))
}

/// How Honeycomb may know the trace: as it was asked for, in lower case, and without eight leading bytes of padding.
fn candidates(id: &str, parsed: Option<TraceId>) -> BTreeSet<String> {
    let w3c = parsed.map(|id| id.w3c());
    let short = w3c.as_ref().and_then(|id| id.strip_prefix("0000000000000000")).map(str::to_owned);
    [Some(id.to_owned()), w3c, short].into_iter().flatten().collect()
}

fn field<'e>(told: &'e Told, name: &str) -> &'e str {
    told.event.fields.get(name).and_then(Value::as_str).unwrap_or_default()
}

fn honeycomb_side(trace: &spans::Trace) -> Markup {
    let (hanging, spans): (Vec<&Told>, Vec<&Told>) =
        trace.events.iter().partition(|told| told.event.fields.contains_key("meta.annotation_type"));
    if spans.is_empty() && hanging.is_empty() {
        return html! { p { "Honeycomb has no span of this trace." } };
    }
    let mut below: HashMap<&str, Vec<&Told>> = HashMap::new();
    for told in &hanging {
        below.entry(field(told, "trace.parent_id")).or_default().push(told);
    }
    let works: Vec<Work> = spans.iter().map(|told| span(told, &trace.starts)).collect();
    let datasets: BTreeSet<&str> = trace.events.iter().map(|told| told.dataset.as_str()).collect();
    html! {
        p {
            (shown::count(spans.len(), "span", "spans"))
            @if !hanging.is_empty() { ", " (shown::count(hanging.len(), "span event or link", "span events and links")) }
            " in " (shown::text(&datasets.into_iter().collect::<Vec<_>>().join(", "), shown::CELL)) ". "
            span.note { "Open a row for its attributes." }
        }
        (waterfall(&works, |index| attributes(spans[index], below.get(works[index].id.as_str()).map_or(&[], Vec::as_slice))))
        @if !trace.complete { p.note { "There is more of this trace than one page reads." } }
    }
}

#[expect(clippy::cast_precision_loss, reason = "a microsecond is lost over the whole epoch, and none within a trace's sight")]
fn span(told: &Told, starts: &HashMap<String, u64>) -> Work {
    let fields = &told.event.fields;
    let id = field(told, "trace.span_id").to_owned();
    let kind = field(told, "span.kind");
    let name = Some(field(told, "name")).filter(|name| !name.trim().is_empty()).unwrap_or("(no name)");
    Work {
        parent: field(told, "trace.parent_id").to_owned(),
        name: name.to_owned(),
        by: if kind.is_empty() { told.dataset.clone() } else { format!("{} · {kind}", told.dataset) },
        start_ms: starts.get(&id).map_or(told.event.at_ms as f64, |nanoseconds| *nanoseconds as f64 / 1e6),
        duration_ms: Some(spans::duration_ms(fields)),
        failed: spans::is_error(fields) || spans::status(fields).is_some_and(|status| status >= 500),
        inner: !matches!(kind, "server" | "consumer"),
        id,
    }
}

fn attributes(told: &Told, hanging: &[&Told]) -> Markup {
    html! {
        (columns(told, |_| true).table("Columns"))
        @for told in hanging.iter().take(HANGING) {
            @let kind = if field(told, "meta.annotation_type") == "link" { "Link" } else { "Span event" };
            h3 { (kind) " " (shown::text(field(told, "name"), shown::CELL)) " at " (shown::time(told.event.at_ms)) }
            // What it shares with its span stands there already.
            (columns(told, |name| !name.starts_with("trace.") || name.starts_with("trace.link.")).table("Columns"))
        }
        @if hanging.len() > HANGING { p.note { (hanging.len() - HANGING) " more span events and links are not shown." } }
    }
}

/// The columns of an event by their names, as Honeycomb lists them.
fn columns(told: &Told, wanted: impl Fn(&str) -> bool) -> Values {
    let mut fields: Vec<(&String, &Value)> = told.event.fields.iter().filter(|(name, _)| wanted(name)).collect();
    fields.sort_by_key(|(name, _)| *name);
    let mut values = Values::default();
    for (name, value) in fields {
        values.add(name, value);
    }
    values
}

fn xray_side(segments: &[Segment]) -> Markup {
    let all: Vec<&Segment> = segments.iter().flat_map(Segment::walk).collect();
    let works: Vec<Work> = all.iter().map(|segment| entity(segment)).collect();
    let own = all.iter().filter(|segment| !segment.is_subsegment()).count();
    html! {
        p {
            (shown::count(own, "segment", "segments")) " and " (shown::count(all.len() - own, "subsegment", "subsegments")) ". "
            span.note { "Open a row for its annotations and metadata." }
        }
        (waterfall(&works, |index| parts(all[index])))
    }
}

fn entity(segment: &Segment) -> Work {
    let mut by = vec![match (segment.is_subsegment(), segment.inferred) {
        (true, _) => "subsegment",
        (false, true) => "inferred segment",
        (false, false) => "segment",
    }];
    by.extend(segment.namespace.as_deref());
    by.extend(segment.origin.as_deref());
    for (flag, word) in [(segment.fault, "fault"), (segment.error, "client error"), (segment.throttle, "throttled")] {
        if flag {
            by.push(word);
        }
    }
    Work {
        id: segment.id.clone(),
        parent: segment.parent_id.clone().unwrap_or_default(),
        name: segment.name.clone(),
        by: by.join(" · "),
        start_ms: segment.start_time * 1000.0,
        duration_ms: segment.end_time.map(|end| ((end - segment.start_time) * 1000.0).max(0.0)),
        failed: segment.fault || segment.error || segment.throttle,
        inner: segment.is_subsegment(),
    }
}

fn parts(segment: &Segment) -> Markup {
    let mut about = Values::default();
    about.add("id", &Value::from(segment.id.as_str()));
    let texts = [("parent_id", &segment.parent_id), ("user", &segment.user), ("resource_arn", &segment.resource_arn)];
    for (name, text) in texts {
        if let Some(text) = text {
            about.add(name, &Value::from(text.as_str()));
        }
    }
    for (name, value) in [
        ("service", &segment.service),
        ("aws", &segment.aws),
        ("sql", &segment.sql),
        ("cause", &segment.cause),
        ("links", &segment.links),
    ] {
        if let Some(value) = value {
            about.add(name, value);
        }
    }
    let mut annotations = Values::default();
    for (name, value) in &segment.annotations {
        annotations.add(name, value);
    }
    html! {
        @if let Some(http) = &segment.http { (Values::of("http", http).table("HTTP")) }
        (annotations.table("Annotations (indexed: filter expressions find them)"))
        @if let Some(metadata) = &segment.metadata { (Values::of("metadata", metadata).table("Metadata (not indexed)")) }
        (about.table("The rest of the document"))
    }
}
