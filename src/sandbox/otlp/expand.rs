use std::collections::HashMap;
use std::ops::ControlFlow;

use opentelemetry_proto::tonic::common::v1::{InstrumentationScope, KeyValue};
use opentelemetry_proto::tonic::trace::v1::span::{Event as SpanEvent, Link, SpanKind};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use prost::Message;
use serde_json::Value;

use super::ExportTraceServiceRequest;
use super::value::{each_leaf, hex, span_text, trace_text};
use crate::sandbox::honeycomb::event::{Event, Fields, Wanted};

/// Makes the events of an export request in protobuf: one a span, one a span event, one a link, until `each` has had
/// enough. Columns as Honeycomb's own translator, husky, makes them.
pub fn expand(body: &[u8], wanted: &Wanted, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> ControlFlow<()> {
    // What was kept has been parsed before; a batch that cannot be read is skipped like one that is not there.
    let request = ExportTraceServiceRequest::decode(body).unwrap_or_default();
    for resource in &request.resource_spans {
        let mut common = Columns { wanted, fields: Fields::new() };
        common.attributes(resource.resource.as_ref().map_or(&[], |resource| &resource.attributes));
        for scope in &resource.scope_spans {
            let mut shared = Columns { wanted, fields: common.fields.clone() };
            if let Some(scope) = &scope.scope {
                shared.scope(scope);
            }
            for span in &scope.spans {
                expand_span(&shared, span, each)?;
            }
        }
    }
    ControlFlow::Continue(())
}

/// When the spans of one trace began, by span id, in Unix nanoseconds: an event knows milliseconds only.
#[must_use]
pub fn starts(body: &[u8], trace_id: &str) -> HashMap<String, u64> {
    let request = ExportTraceServiceRequest::decode(body).unwrap_or_default();
    let scopes = request.resource_spans.iter().flat_map(|resource| &resource.scope_spans);
    scopes
        .flat_map(|scope| &scope.spans)
        .filter(|span| trace_text(&span.trace_id) == trace_id)
        .map(|span| (span_text(&span.span_id), span.start_time_unix_nano))
        .collect()
}

/// Attributes that say how many spans one stands for.
pub(super) const SAMPLE_RATE: [&str; 2] = ["sampleRate", "SampleRate"];

/// The columns of an event in the making.
struct Columns<'w> {
    wanted: &'w Wanted,
    fields: Fields,
}

impl Columns<'_> {
    fn set(&mut self, column: &str, value: impl FnOnce() -> Value) {
        if self.wanted.has(column) || SAMPLE_RATE.contains(&column) {
            self.fields.insert(column.to_owned(), value());
        }
    }

    fn attributes(&mut self, attributes: &[KeyValue]) {
        each_leaf(attributes, &mut |key, leaf| self.set(key, || leaf.to_json()));
    }

    fn scope(&mut self, scope: &InstrumentationScope) {
        if !scope.name.is_empty() {
            self.set("library.name", || Value::from(scope.name.as_str()));
        }
        if !scope.version.is_empty() {
            self.set("library.version", || Value::from(scope.version.as_str()));
        }
        self.attributes(&scope.attributes);
    }

    /// Puts what resource and scope say on top, and then the attributes of the thing itself.
    fn finish(mut self, shared: &Fields, attributes: &[KeyValue]) -> Fields {
        for (name, value) in shared {
            self.fields.insert(name.clone(), value.clone());
        }
        self.attributes(attributes);
        self.fields
    }
}

fn expand_span(shared: &Columns<'_>, span: &Span, each: &mut dyn FnMut(Event) -> ControlFlow<()>) -> ControlFlow<()> {
    let wanted = shared.wanted;
    let (trace_id, span_id) = (trace_text(&span.trace_id), span_text(&span.span_id));
    let kind = kind(span.kind);
    let is_error = is_error(span);
    let mut columns = Columns { wanted, fields: Fields::new() };
    columns.set("trace.trace_id", || Value::from(trace_id.as_str()));
    columns.set("trace.span_id", || Value::from(span_id.as_str()));
    if !span.parent_span_id.is_empty() {
        columns.set("trace.parent_id", || Value::from(span_text(&span.parent_span_id)));
    }
    if !span.trace_state.is_empty() {
        columns.set("trace.trace_state", || Value::from(span.trace_state.as_str()));
    }
    columns.set("type", || Value::from(kind));
    columns.set("span.kind", || Value::from(kind));
    columns.set("name", || Value::from(span.name.as_str()));
    columns.set("meta.signal_type", || Value::from("trace"));
    columns.set("span.num_links", || Value::from(span.links.len()));
    columns.set("span.num_events", || Value::from(span.events.len()));
    let duration_ns = span.end_time_unix_nano.checked_sub(span.start_time_unix_nano);
    columns.set("duration_ms", || Value::from(milliseconds(duration_ns.unwrap_or(0))));
    if duration_ns.is_none() {
        columns.set("meta.invalid_duration", || Value::from(true));
    }
    columns.set("status_code", || Value::from(span.status.as_ref().map_or(0, |status| status.code)));
    if let Some(status) = span.status.as_ref().filter(|status| !status.message.is_empty()) {
        columns.set("status_message", || Value::from(status.message.as_str()));
    }
    if is_error {
        columns.set("error", || Value::from(true));
    }
    let mut fields = columns.finish(&shared.fields, &span.attributes);
    for exception in span.events.iter().filter(|event| event.name == "exception") {
        each_leaf(&exception.attributes, &mut |key, leaf| {
            if key.starts_with("exception.") && wanted.has(key) && !fields.contains_key(key) {
                fields.insert(key.to_owned(), leaf.to_json());
            }
        });
    }
    let sample_rate = take_sample_rate(&mut fields);
    let at_ms = unix_ms(span.start_time_unix_nano);
    each(Event { at_ms, sample_rate, fields })?;

    let annotation = |kind: &'static str| {
        let mut columns = Columns { wanted, fields: Fields::new() };
        columns.set("trace.trace_id", || Value::from(trace_id.as_str()));
        columns.set("trace.parent_id", || Value::from(span_id.as_str()));
        columns.set("parent_name", || Value::from(span.name.as_str()));
        columns.set("meta.annotation_type", || Value::from(kind));
        columns.set("meta.signal_type", || Value::from("trace"));
        if is_error {
            columns.set("error", || Value::from(true));
        }
        columns
    };
    for event in &span.events {
        let mut fields = span_event(annotation("span_event"), event).finish(&shared.fields, &event.attributes);
        take_sample_rate(&mut fields);
        each(Event { at_ms: unix_ms(event.time_unix_nano), sample_rate, fields })?;
    }
    for link in &span.links {
        let mut fields = span_link(annotation("link"), link).finish(&shared.fields, &link.attributes);
        take_sample_rate(&mut fields);
        each(Event { at_ms, sample_rate, fields })?;
    }
    ControlFlow::Continue(())
}

fn span_event<'w>(mut columns: Columns<'w>, event: &SpanEvent) -> Columns<'w> {
    columns.set("name", || Value::from(event.name.as_str()));
    columns
}

fn span_link<'w>(mut columns: Columns<'w>, link: &Link) -> Columns<'w> {
    columns.set("trace.link.trace_id", || Value::from(trace_text(&link.trace_id)));
    columns.set("trace.link.span_id", || Value::from(hex(&link.span_id)));
    columns
}

/// How many spans this one stands for: an attribute `sampleRate` or `SampleRate`, which is no column then.
fn take_sample_rate(fields: &mut Fields) -> u32 {
    let value = SAMPLE_RATE.iter().find_map(|name| fields.remove(*name));
    let rate = match value {
        Some(Value::Number(number)) => number.as_i64(),
        Some(Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    u32::try_from(rate.unwrap_or(1).clamp(1, i64::from(i32::MAX))).unwrap_or(1)
}

/// Whether the span's status is that of an error.
pub(super) fn is_error(span: &Span) -> bool {
    span.status.as_ref().is_some_and(|status| status.code == StatusCode::Error as i32)
}

/// Nanoseconds since the epoch as milliseconds.
pub(super) fn unix_ms(nanoseconds: u64) -> i64 {
    i64::try_from(nanoseconds / 1_000_000).unwrap_or(i64::MAX)
}

#[expect(clippy::cast_precision_loss, reason = "a duration of more than 104 days may lose a nanosecond")]
fn milliseconds(nanoseconds: u64) -> f64 {
    nanoseconds as f64 / 1e6
}

fn kind(kind: i32) -> &'static str {
    match SpanKind::try_from(kind) {
        Ok(SpanKind::Server) => "server",
        Ok(SpanKind::Client) => "client",
        Ok(SpanKind::Internal) => "internal",
        Ok(SpanKind::Producer) => "producer",
        Ok(SpanKind::Consumer) => "consumer",
        _ => "unspecified",
    }
}
