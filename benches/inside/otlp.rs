//! OTLP: what it costs to take spans in, beside the bare decoding of the same bytes, which any receiver has to do.

use std::ops::ControlFlow;

use bootcamp::sandbox::honeycomb::event::Wanted;
use bootcamp::sandbox::otlp::{self, ContentType, ExportTraceServiceRequest, batches};
use bytes::Bytes;
use divan::counter::ItemsCount;
use prost::Message;

use super::house::{House, post};

#[path = "../spans.rs"]
mod spans;

const COUNTS: [usize; 2] = [100, 512];

const HEADERS: [(&str, &str); 2] = [("content-type", "application/x-protobuf"), ("x-honeycomb-team", "sandboxIngestKey000001")];

fn body(count: usize) -> Bytes {
    spans::export(count).encode_to_vec().into()
}

#[divan::bench(args = COUNTS)]
fn bare_prost_decode(bencher: divan::Bencher, count: usize) {
    let body = body(count);
    bencher.counter(ItemsCount::new(count)).bench(|| ExportTraceServiceRequest::decode(&body[..]));
}

/// Decoded, with its columns and traces noted: what goes into the store.
#[divan::bench(args = COUNTS)]
fn decode_and_survey(bencher: divan::Bencher, count: usize) {
    let body = body(count);
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let parsed = otlp::parse(ContentType::Protobuf, &body).expect("a sound export request");
        batches(parsed, Some(body.clone()), None)
    });
}

/// The whole request, without the network: decoded, surveyed, committed.
#[divan::bench(args = COUNTS)]
fn ingest(bencher: divan::Bencher, count: usize) {
    let (house, body) = (House::open(), body(count));
    bencher.counter(ItemsCount::new(count)).bench(|| house.ask(otlp::http::handle, post("/v1/traces", &HEADERS, body.clone())));
}

/// What a query pays: every column of every span.
#[divan::bench(args = COUNTS)]
fn expand_all_columns(bencher: divan::Bencher, count: usize) {
    let body = body(count);
    bencher.counter(ItemsCount::new(count)).bench(|| {
        let mut events = 0;
        let _ = otlp::expand(&body, &Wanted::All, &mut |event| {
            events += divan::black_box(event).fields.len();
            ControlFlow::Continue(())
        });
        events
    });
}
