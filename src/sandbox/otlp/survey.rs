use std::collections::HashMap;

use bytes::Bytes;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value as Any};
use opentelemetry_proto::tonic::resource::v1::Resource;
use opentelemetry_proto::tonic::trace::v1::{ResourceSpans, Span};
use prost::Message;

use super::ExportTraceServiceRequest;
use super::expand::{SAMPLE_RATE, is_error, unix_ms};
use super::value::{each_leaf, significant, trace_text};
use crate::sandbox::honeycomb::batch::{Batch, Form};
use crate::sandbox::honeycomb::event::{ColumnType, trace_hash};

/// The batches of a request, one for each dataset, without making a single event. `protobuf` is the request as it
/// came, where it came as protobuf; it is kept as it is when all of it goes to one dataset. A Classic key names the
/// dataset itself, otherwise it is the service's name.
#[must_use]
pub fn batches(request: ExportTraceServiceRequest, protobuf: Option<Bytes>, classic_dataset: Option<&str>) -> Vec<Batch> {
    let mut datasets: Vec<(String, Vec<ResourceSpans>)> = Vec::new();
    for resource in request.resource_spans {
        let name = classic_dataset.map_or_else(|| dataset(resource.resource.as_ref()), str::to_owned);
        match datasets.iter_mut().find(|(known, _)| *known == name) {
            Some((_, list)) => list.push(resource),
            None => datasets.push((name, vec![resource])),
        }
    }
    let mut whole = if datasets.len() == 1 { protobuf } else { None };
    datasets
        .into_iter()
        .filter_map(|(name, resource_spans)| {
            let mut batch = Batch {
                dataset: name,
                form: Form::Otlp,
                body: Bytes::new(),
                events: 0,
                from_ms: i64::MAX,
                to_ms: i64::MIN,
                traces: Vec::new(),
                columns: HashMap::with_capacity(64),
            };
            for resource in &resource_spans {
                survey(&mut batch, resource);
            }
            if batch.events == 0 {
                return None;
            }
            batch.traces.sort_unstable();
            batch.traces.dedup();
            batch.body = whole.take().unwrap_or_else(|| ExportTraceServiceRequest { resource_spans }.encode_to_vec().into());
            Some(batch)
        })
        .collect()
}

/// The name of the dataset into which a service's spans go.
fn dataset(resource: Option<&Resource>) -> String {
    match resource.and_then(service_name).map(str::trim) {
        Some(name) if !name.is_empty() && !name.starts_with("unknown_service") => name.to_owned(),
        _ => String::from("unknown_service"),
    }
}

/// `service.name`, as the resource has it.
fn service_name(resource: &Resource) -> Option<&str> {
    let attribute = resource.attributes.iter().find(|attribute| attribute.key == "service.name")?;
    match &attribute.value.as_ref()?.value {
        Some(Any::StringValue(name)) => Some(name),
        _ => None,
    }
}

/// The service that a request comes from, where it says so.
pub(super) fn service(request: &ExportTraceServiceRequest) -> Option<String> {
    request.resource_spans.iter().find_map(|resource| service_name(resource.resource.as_ref()?)).map(str::to_owned)
}

fn survey(batch: &mut Batch, resource: &ResourceSpans) {
    let spans: usize = resource.scope_spans.iter().map(|scope| scope.spans.len()).sum();
    if spans == 0 {
        return;
    }
    if let Some(resource) = &resource.resource {
        note_attributes(batch, &resource.attributes);
    }
    for scope in resource.scope_spans.iter().filter(|scope| !scope.spans.is_empty()) {
        if let Some(scope) = &scope.scope {
            for (column, text) in [("library.name", &scope.name), ("library.version", &scope.version)] {
                if !text.is_empty() {
                    note(batch, column, ColumnType::String);
                }
            }
            note_attributes(batch, &scope.attributes);
        }
        let mut last_trace: &[u8] = &[];
        for span in &scope.spans {
            survey_span(batch, span);
            // Spans of one trace tend to stand together.
            if span.trace_id != last_trace || last_trace.is_empty() {
                last_trace = &span.trace_id;
                batch.traces.push(hash(&span.trace_id));
            }
        }
    }
    for column in ["trace.trace_id", "trace.span_id", "type", "span.kind", "name", "meta.signal_type"] {
        note(batch, column, ColumnType::String);
    }
    for column in ["status_code", "span.num_links", "span.num_events"] {
        note(batch, column, ColumnType::Integer);
    }
    note(batch, "duration_ms", ColumnType::Float);
}

fn survey_span(batch: &mut Batch, span: &Span) {
    let at_ms = unix_ms(span.start_time_unix_nano);
    reach(batch, at_ms);
    note_attributes(batch, &span.attributes);
    if !span.parent_span_id.is_empty() {
        note(batch, "trace.parent_id", ColumnType::String);
    }
    if !span.trace_state.is_empty() {
        note(batch, "trace.trace_state", ColumnType::String);
    }
    if span.status.as_ref().is_some_and(|status| !status.message.is_empty()) {
        note(batch, "status_message", ColumnType::String);
    }
    if is_error(span) {
        note(batch, "error", ColumnType::Boolean);
    }
    if span.end_time_unix_nano < span.start_time_unix_nano {
        note(batch, "meta.invalid_duration", ColumnType::Boolean);
    }
    if !(span.events.is_empty() && span.links.is_empty()) {
        for column in ["trace.parent_id", "parent_name", "meta.annotation_type"] {
            note(batch, column, ColumnType::String);
        }
    }
    for event in &span.events {
        reach(batch, unix_ms(event.time_unix_nano));
        note_attributes(batch, &event.attributes);
    }
    for link in &span.links {
        reach(batch, at_ms);
        note(batch, "trace.link.trace_id", ColumnType::String);
        note(batch, "trace.link.span_id", ColumnType::String);
        note_attributes(batch, &link.attributes);
    }
}

/// Counts an event in, with its time.
fn reach(batch: &mut Batch, at_ms: i64) {
    batch.events = batch.events.saturating_add(1);
    batch.from_ms = batch.from_ms.min(at_ms);
    batch.to_ms = batch.to_ms.max(at_ms);
}

fn note_attributes(batch: &mut Batch, attributes: &[KeyValue]) {
    each_leaf(attributes, &mut |key, leaf| {
        if !SAMPLE_RATE.contains(&key) {
            note(batch, key, leaf.column_type());
        }
    });
}

fn note(batch: &mut Batch, column: &str, kind: ColumnType) {
    if !batch.columns.contains_key(column) {
        batch.columns.insert(column.to_owned(), kind);
    }
}

fn hash(trace_id: &[u8]) -> i64 {
    match trace_id.len() {
        8 | 16 => trace_hash(significant(trace_id)),
        _ => crate::sandbox::honeycomb::event::trace_hash_of_text(&trace_text(trace_id)),
    }
}
