//! All checks of the course against evidence with thousands of facts, most of which belong to somebody else.

use std::collections::BTreeMap;

use bootcamp::check::judge;
use bootcamp::facts::{
    Attributes, Evidence, Exchange, LogEvent, ProbeRecord, Segment, Sighting, Source, SourceRecord, Span, TraceId,
};
use bootcamp::verify::Plan;
use divan::counter::ItemsCount;
use serde_json::{Value, json};

use super::course;

const NOW_MS: i64 = 1_760_000_000_000;

#[divan::bench(args = [10, 1_000, 10_000])]
fn all_checks(bencher: divan::Bencher, facts: usize) {
    let plan = course::plan(&course::week2());
    let evidence = evidence(&plan, facts);
    bencher
        .counter(ItemsCount::new(plan.checks.len()))
        .bench(|| plan.checks.iter().map(|planned| judge(&planned.check, &evidence)).collect::<Vec<_>>());
}

/// Every probe answered, every source asked, and as many spans, segments and lines each; every tenth under a probe's trace.
fn evidence(plan: &Plan, facts: usize) -> Evidence {
    let probes: BTreeMap<String, ProbeRecord> = plan
        .probes
        .iter()
        .enumerate()
        .map(|(index, (name, probe))| {
            let answer = Exchange {
                method: probe.method.clone(),
                url: format!("http://127.0.0.1:4567{}?bootcamp=0123456789ab-{index:02}", probe.path),
                status: 200,
                headers: BTreeMap::new(),
                body: String::from("[]"),
                latency_ms: 1.5,
            };
            let record = ProbeRecord {
                trace_id: TraceId::fresh(1_760_000_000),
                parent_id: format!("{index:016x}"),
                nonce: format!("0123456789ab-{index:02}"),
                instance: probe.instance(),
                sent_ms: NOW_MS,
                answer: Ok(answer),
            };
            (name.clone(), record)
        })
        .collect();
    let own: Vec<TraceId> = probes.values().map(|probe| probe.trace_id).collect();
    let trace = |index: usize| if index.is_multiple_of(10) { own[index / 10 % own.len()] } else { TraceId::fresh(1_760_000_000) };
    let all = [
        Source::Files,
        Source::Environment,
        Source::Http,
        Source::Output,
        Source::Docker,
        Source::Honeycomb,
        Source::Xray,
        Source::CloudWatch,
        Source::Rollbar,
    ];
    let looked = SourceRecord { rounds: 1, looked_ms: NOW_MS + 1_000, ..SourceRecord::default() };
    Evidence {
        schema_version: Evidence::SCHEMA_VERSION,
        course: String::from("week2"),
        target: String::from("sandbox"),
        started_ms: NOW_MS - 1_000,
        service: Some(String::from("backend-rust")),
        sources: all.into_iter().map(|source| (source, looked.clone())).collect(),
        spans: (0..facts).map(|index| seen(span(trace(index), index))).collect(),
        segments: (0..facts).map(|index| seen(segment(trace(index), index))).collect(),
        log_events: (0..facts).map(|index| seen(line(index))).collect(),
        probes,
        ..Evidence::default()
    }
}

fn seen<T>(fact: T) -> Sighting<T> {
    Sighting { seen_ms: NOW_MS + 500, fact }
}

fn span(trace: TraceId, index: usize) -> Span {
    let attributes: Attributes = [
        ("http.request.method", json!("GET")),
        ("url.path", json!("/api/activities/home")),
        ("http.response.status_code", json!(200)),
        ("service.name", json!("backend-rust")),
    ]
    .into_iter()
    .map(|(name, value): (&str, Value)| (name.to_owned(), value))
    .collect();
    Span {
        trace_id: trace.w3c(),
        span_id: format!("{index:016x}"),
        parent_id: None,
        name: String::from("GET /api/activities/home"),
        kind: String::from("server"),
        dataset: String::from("backend-rust"),
        start_ms: NOW_MS,
        duration_ms: 1.5,
        status_code: 0,
        attributes,
    }
}

fn segment(trace: TraceId, index: usize) -> Segment {
    let subsegment = Segment {
        id: format!("{:016x}", index + 1),
        name: String::from("mock-data"),
        start_time: 1.76e9,
        end_time: Some(1.76e9),
        ..Segment::default()
    };
    Segment {
        trace_id: trace.xray(),
        id: format!("{index:016x}"),
        name: String::from("backend-rust"),
        start_time: 1.76e9,
        end_time: Some(1.76e9),
        http: Some(json!({ "request": { "method": "GET", "url": "http://127.0.0.1:4567/" }, "response": { "status": 200 } })),
        subsegments: vec![subsegment],
        ..Segment::default()
    }
}

fn line(index: usize) -> LogEvent {
    LogEvent {
        group: String::from("cruddur"),
        stream: String::from("backend"),
        timestamp_ms: NOW_MS,
        ingestion_ms: NOW_MS,
        message: format!("127.0.0.1 GET /api/activities/home?bootcamp=somebody-{index} 200"),
    }
}
