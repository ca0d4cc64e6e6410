use std::collections::HashMap;

use bytes::Bytes;
use http::StatusCode;
use serde_json::{Map, Value, json};

use super::batch::{Batch, Form, Kept, keep};
use super::event::{ColumnType, flatten, trace_hash_of_text};
use super::{problem, unavailable};
use crate::sandbox::store::StoreError;
use crate::sandbox::{Shared, now_ms, otlp, wire};

/// The largest body of a single event.
pub const MAX_EVENT: usize = 1 << 20;
/// The largest body of a batch.
pub const MAX_BATCH: usize = 5 << 20;

/// `POST /1/events/{dataset}`: one event, its time and sample rate in headers.
pub async fn event(shared: &Shared, dataset: &str, request: &wire::Request) -> wire::Response {
    let body = match decoded(request, MAX_EVENT) {
        Ok(body) => body,
        Err(refused) => return *refused,
    };
    let Ok(Value::Object(data)) = wire::parse_json::<Value>(&body) else {
        return problem::plain(StatusCode::BAD_REQUEST, "unable to parse JSON body");
    };
    if data.is_empty() {
        return problem::plain(StatusCode::BAD_REQUEST, "empty event data");
    }
    let now = now_ms();
    let at_ms = match request.header("x-honeycomb-event-time") {
        None => now,
        Some(text) => match time(&Value::from(text), now) {
            Some(time) => time,
            None => return problem::plain(StatusCode::BAD_REQUEST, "unable to parse X-Honeycomb-Event-Time"),
        },
    };
    let sample_rate = match request.header("x-honeycomb-samplerate").map(str::trim) {
        None | Some("") => 1,
        Some(text) => match text.parse::<u32>() {
            Ok(rate) => rate.max(1),
            Err(_) => return problem::plain(StatusCode::BAD_REQUEST, "unable to parse X-Honeycomb-Samplerate"),
        },
    };
    let kept = vec![Kept { at_ms, sample_rate, fields: flatten(data) }];
    match keep(shared, vec![gather(dataset, &kept)]).await {
        Ok(()) => wire::answer(StatusCode::OK, "text/plain", Bytes::new()),
        Err(error) => refused(&error),
    }
}

/// `POST /1/batch/{dataset}`: many events, each with an answer of its own.
pub async fn batch(shared: &Shared, dataset: &str, request: &wire::Request) -> wire::Response {
    let body = match decoded(request, MAX_BATCH) {
        Ok(body) => body,
        Err(refused) => return *refused,
    };
    let Ok(Value::Array(events)) = wire::parse_json::<Value>(&body) else {
        return problem::plain(StatusCode::BAD_REQUEST, "unable to parse JSON body: expected an array of events");
    };
    let (now, mut kept, mut answers) = (now_ms(), Vec::with_capacity(events.len()), Vec::with_capacity(events.len()));
    for event in events {
        match read(event, now) {
            Ok(event) => {
                kept.push(event);
                answers.push(json!({ "status": 202 }));
            }
            Err(why) => answers.push(json!({ "status": 400, "error": why })),
        }
    }
    let batches = if kept.is_empty() { Vec::new() } else { vec![gather(dataset, &kept)] };
    match keep(shared, batches).await {
        Ok(()) => wire::json(StatusCode::OK, &answers),
        Err(error) => refused(&error),
    }
}

fn refused(error: &StoreError) -> wire::Response {
    match error {
        StoreError::Sqlite(rusqlite::Error::InvalidParameterName(why)) if why == super::ledger::FULL => {
            problem::plain(StatusCode::TOO_MANY_REQUESTS, why)
        }
        _ => unavailable(error),
    }
}

fn decoded(request: &wire::Request, limit: usize) -> Result<Bytes, Box<wire::Response>> {
    match otlp::decode(request.header("content-encoding"), &request.body) {
        Ok(body) if body.len() <= limit => Ok(body),
        Ok(_) | Err(otlp::EncodingError::TooLarge) => {
            Err(Box::new(problem::plain(StatusCode::PAYLOAD_TOO_LARGE, "request body too large")))
        }
        Err(error) => Err(Box::new(problem::plain(StatusCode::BAD_REQUEST, &error.to_string()))),
    }
}

/// One element of a batch.
fn read(event: Value, now: i64) -> Result<Kept, &'static str> {
    let Value::Object(mut event) = event else { return Err("expected an object") };
    let data = match event.remove("data") {
        Some(Value::Object(data)) if !data.is_empty() => data,
        Some(Value::Object(_)) | None => return Err("empty event data"),
        Some(_) => return Err("expected `data` to be an object"),
    };
    let at_ms = match event.get("time") {
        None | Some(Value::Null) => now,
        Some(value) => time(value, now).ok_or("unable to parse `time`")?,
    };
    let sample_rate = match event.get("samplerate") {
        None | Some(Value::Null) => 1,
        Some(rate) => u32::try_from(rate.as_u64().ok_or("unable to parse `samplerate`")?.max(1)).unwrap_or(u32::MAX),
    };
    Ok(Kept { at_ms, sample_rate, fields: flatten(data) })
}

/// A time in RFC 3339, or as a Unix time in seconds, milliseconds, microseconds or nanoseconds.
fn time(value: &Value, now: i64) -> Option<i64> {
    let number = match value {
        Value::String(text) if text.trim().is_empty() => return Some(now),
        Value::String(text) => match text.trim().parse::<f64>() {
            Ok(number) => number,
            Err(_) => return text.trim().parse::<jiff::Timestamp>().ok().map(jiff::Timestamp::as_millisecond),
        },
        Value::Number(number) => number.as_f64()?,
        _ => return None,
    };
    if !number.is_finite() || number < 0.0 {
        return None;
    }
    // Each unit by its magnitude: seconds reach 1e11 only in the year 5138.
    let ms = match number {
        n if n < 1e11 => n * 1e3,
        n if n < 1e14 => n,
        n if n < 1e17 => n / 1e3,
        n => n / 1e6,
    };
    #[expect(clippy::cast_possible_truncation, reason = "a saturated time is far outside of any query")]
    Some(ms.round() as i64)
}

fn gather(dataset: &str, kept: &[Kept]) -> Batch {
    let mut columns: HashMap<String, ColumnType> = HashMap::new();
    let mut traces = Vec::new();
    for event in kept {
        for (name, value) in &event.fields {
            if let (false, Some(kind)) = (columns.contains_key(name), ColumnType::of(value)) {
                columns.insert(name.clone(), kind);
            }
        }
        traces.extend(trace_id(&event.fields).map(trace_hash_of_text));
    }
    traces.sort_unstable();
    traces.dedup();
    Batch {
        dataset: dataset.trim().to_owned(),
        form: Form::Json,
        body: serde_json::to_vec(kept).unwrap_or_default().into(),
        events: u32::try_from(kept.len()).unwrap_or(u32::MAX),
        from_ms: kept.iter().map(|event| event.at_ms).min().unwrap_or(0),
        to_ms: kept.iter().map(|event| event.at_ms).max().unwrap_or(0),
        traces,
        columns,
    }
}

fn trace_id(fields: &Map<String, Value>) -> Option<&str> {
    fields.get("trace.trace_id").and_then(Value::as_str)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn times_come_in_many_units() {
        let second = 1_700_000_000_i64;
        for (value, ms) in [
            (json!(second), second * 1000),
            (json!(1_700_000_000.25), second * 1000 + 250),
            (json!(second * 1000 + 7), second * 1000 + 7),
            (json!((second * 1000 + 7) * 1_000_000), second * 1000 + 7),
            (json!("1700000000"), second * 1000),
            (json!("2023-11-14T22:13:20.5Z"), second * 1000 + 500),
            (json!(""), 5),
        ] {
            assert_eq!(time(&value, 5), Some(ms), "{value}");
        }
        assert_eq!(time(&json!("yesterday"), 5), None);
        assert_eq!(time(&json!(true), 5), None);
    }

    #[test]
    fn the_first_value_gives_a_column_its_type() {
        let read = |data| read(json!({ "data": data, "samplerate": 4, "time": 1 }), 0).unwrap();
        let kept = [read(json!({"a": null, "b": 1})), read(json!({"a": true, "b": "x", "trace.trace_id": "t"}))];
        let batch = gather("d", &kept);
        assert_eq!(batch.columns["a"], ColumnType::Boolean);
        assert_eq!(batch.columns["b"], ColumnType::Integer);
        assert_eq!((batch.events, batch.from_ms, batch.traces.len()), (2, 1000, 1));
        assert_eq!(kept[0].sample_rate, 4);
    }

    proptest! {
        #[test]
        fn any_event_is_survived(text in "\\PC{0,60}", number: f64) {
            let _ = time(&Value::from(text.as_str()), 0);
            let _ = time(&Value::from(number), 0);
            let _ = read(json!({ "time": text, "data": { "a": number } }), 0);
            let _ = serde_json::from_str::<Value>(&text).map(|value| read(value, 0));
        }
    }
}
