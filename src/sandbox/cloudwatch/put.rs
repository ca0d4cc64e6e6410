//! PutLogEvents: the one write that must be fast.

use std::ops::Range;

use rusqlite::{Connection, OptionalExtension, params};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::ask::{Ask, Constraints};
use super::chunk::{self, Chunk};
use super::events::{self, Events};
use super::fault::Fault;
use super::sketch;
use super::stream::sequence_token;
use crate::facts::Rejection;
use crate::sandbox::{now_ms, rejection};

const DAY_MS: i64 = 86_400_000;
const TOO_OLD_MS: i64 = 14 * DAY_MS;
const TOO_NEW_MS: i64 = 2 * 3_600_000;

/// How large a batch may be, and an event: bytes of UTF-8 and 26 an event.
const LIMIT: usize = 1_048_576;
const OVERHEAD: usize = 26;

/// A chunk of fewer bytes is small: to write it once more, when it is merged, costs less than to keep and to search many.
const SMALL: i64 = 16 << 10;

/// A stream's small chunks are merged once there are this many of them, or this many bytes.
const TAIL_ROWS: i64 = 256;
const TAIL_BYTES: i64 = 64 << 10;

const INSERT: &str = "INSERT INTO log_chunk (stream_id, min_ms, max_ms, ingested_ms, tail, sketch, body)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)";

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
    log_events: Option<Events>,
}

/// What came of a put.
enum Outcome {
    NoGroup,
    NoStream,
    Taken { token: String, expired: usize },
}

pub(super) async fn put_log_events(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: Input = ask.input()?;
    validate(&input).map_err(|fault| fault.keep("invalid-request"))?;
    let events = input.log_events.unwrap_or_default();
    let (group, stream) = (input.log_group_name.unwrap_or_default(), input.log_stream_name.unwrap_or_default());
    let now = now_ms();
    // The order is checked, so what is out of bounds lies at the two ends.
    let too_old = events.times.partition_point(|time| *time < now - TOO_OLD_MS);
    let too_new = events.times.partition_point(|time| *time <= now + TOO_NEW_MS);
    let total = events.times.len();
    let (g, s) = (group.clone(), stream.clone());
    let outcome = ask.shared.store.write(move |tx| append(tx, &g, &s, &events, too_old..too_new, now)).await?;
    match outcome {
        Outcome::NoGroup => {
            let detail = format!("the log group `{group}` does not exist; create it before the first event is put");
            Err(Fault::no_group().keep("no-such-group").detail(detail))
        }
        Outcome::NoStream => {
            let detail =
                format!("the log stream `{stream}` does not exist in `{group}`; create it before the first event is put");
            Err(Fault::no_stream().keep("no-such-stream").detail(detail))
        }
        Outcome::Taken { token, expired } => {
            let mut answer = json!({ "nextSequenceToken": token });
            let mut info = Map::new();
            for (member, end) in [("tooOldLogEventEndIndex", too_old), ("expiredLogEventEndIndex", expired)] {
                if end > 0 {
                    info.insert(member.to_owned(), end.into());
                }
            }
            if too_new < total {
                info.insert(String::from("tooNewLogEventStartIndex"), too_new.into());
            }
            if !info.is_empty() {
                let lost = total - too_new + too_old.max(expired).min(too_new);
                let info = Value::Object(info);
                let detail = format!("{lost} of {total} events are too old, expired or too new for `{group}`: {info}");
                answer["rejectedLogEventsInfo"] = info;
                let refused = Rejection {
                    at_ms: now,
                    vendor: String::from("cloudwatch"),
                    request: String::from("PutLogEvents"),
                    status: 200,
                    reason: String::from("rejected-events"),
                    detail,
                    service: None,
                };
                rejection::keep(ask.shared, refused).await;
            }
            Ok(Some(answer))
        }
    }
}

fn validate(input: &Input) -> Result<(), Fault> {
    let mut constraints = Constraints::default();
    constraints.required("logGroupName", input.log_group_name.is_some());
    constraints.required("logStreamName", input.log_stream_name.is_some());
    constraints.required("logEvents", input.log_events.is_some());
    constraints.group_name("logGroupName", input.log_group_name.as_deref());
    constraints.stream_name("logStreamName", input.log_stream_name.as_deref());
    let Some(events) = &input.log_events else { return constraints.check() };
    constraints.length("logEvents", "[…]", events.count, 1, events::MOST);
    // One faulty event is enough to say so.
    if let Some(faulty) = events.faulty {
        // AWS counts members from 1.
        let member = |name: &str| format!("logEvents.{}.member.{name}", faulty.index + 1);
        constraints.required(&member("timestamp"), faulty.timestamp.is_some());
        constraints.range(&member("timestamp"), faulty.timestamp, 0, i64::MAX);
        constraints.required(&member("message"), faulty.length.is_some());
        if let Some(length @ 0) = faulty.length {
            constraints.length(&member("message"), "", length, 1, usize::MAX);
        }
    }
    constraints.check()?;
    let largest = events.longest() + OVERHEAD;
    if largest > LIMIT {
        return Err(Fault::invalid(format!("Log event too large: {largest} bytes exceeds limit of {LIMIT}")));
    }
    let size = events.bytes() + OVERHEAD * events.count;
    if size > LIMIT {
        return Err(Fault::invalid(format!("Upload too large: {size} bytes exceeds limit of {LIMIT}")));
    }
    if !events.times.is_sorted() {
        return Err(Fault::invalid("Log events in a single PutLogEvents request must be in chronological order."));
    }
    if let (Some(first), Some(last)) = (events.times.first(), events.times.last())
        && last - first > DAY_MS
    {
        return Err(Fault::invalid("The batch of log events in a single PutLogEvents request cannot span more than 24 hours."));
    }
    Ok(())
}

fn append(
    tx: &Connection,
    group: &str,
    stream: &str,
    events: &Events,
    mut fresh: Range<usize>,
    now: i64,
) -> rusqlite::Result<Outcome> {
    let found = tx
        .prepare_cached(
            "SELECT s.id, s.tail_rows, s.tail_bytes, g.retention_days FROM log_group AS g
             LEFT JOIN log_stream AS s ON s.group_id = g.id AND s.name = ?2 WHERE g.name = ?1",
        )?
        .query_row(params![group, stream], |row| {
            Ok((
                row.get::<_, Option<i64>>(0)?,
                row.get::<_, Option<i64>>(1)?.unwrap_or(0),
                row.get::<_, Option<i64>>(2)?.unwrap_or(0),
                row.get::<_, Option<i64>>(3)?,
            ))
        })
        .optional()?;
    let Some((id, rows, bytes, retention)) = found else { return Ok(Outcome::NoGroup) };
    let Some(id) = id else { return Ok(Outcome::NoStream) };
    let expired = retention.map_or(0, |days| events.times.partition_point(|time| *time < now - days * DAY_MS));
    fresh.start = fresh.start.max(expired).min(fresh.end);
    if fresh.is_empty() {
        return Ok(Outcome::Taken { token: sequence_token(id, now), expired });
    }
    let (first, last) = (events.times[fresh.start], events.times[fresh.end - 1]);
    let body = events.encode(now, fresh);
    let size = i64::try_from(body.len()).unwrap_or(i64::MAX);
    let small = size < SMALL;
    // A small chunk will be merged soon, and is read faster than ruled out.
    let sketch = (!small).then(|| sketched(&body));
    tx.prepare_cached(INSERT)?.execute(params![id, first, last, now, small, sketch, body])?;
    let batch = tx.last_insert_rowid();
    let (mut rows, mut bytes) = if small { (rows + 1, bytes + size) } else { (rows, bytes) };
    if rows >= TAIL_ROWS || bytes >= TAIL_BYTES {
        merge_tail(tx, id)?;
        (rows, bytes) = (0, 0);
    }
    tx.prepare_cached(
        "UPDATE log_stream SET first_ms = min(coalesce(first_ms, ?2), ?2), last_ms = max(coalesce(last_ms, ?3), ?3),
         ingested_ms = ?4, bytes = bytes + ?5, tail_rows = ?6, tail_bytes = ?7 WHERE id = ?1",
    )?
    .execute(params![id, first, last, now, size, rows, bytes])?;
    Ok(Outcome::Taken { token: sequence_token(id, batch), expired })
}

/// Makes one chunk of the stream's small ones.
fn merge_tail(tx: &Connection, stream: i64) -> rusqlite::Result<()> {
    let (mut parts, mut min_ms, mut max_ms, mut ingested_ms) = (Vec::new(), i64::MAX, i64::MIN, i64::MIN);
    let mut select = tx.prepare_cached(
        "SELECT id, body, min_ms, max_ms, ingested_ms FROM log_chunk WHERE stream_id = ?1 AND tail = 1 ORDER BY id",
    )?;
    let mut rows = select.query([stream])?;
    while let Some(row) = rows.next()? {
        parts.push((row.get(0)?, row.get::<_, Vec<u8>>(1)?));
        min_ms = min_ms.min(row.get(2)?);
        max_ms = max_ms.max(row.get(3)?);
        ingested_ms = ingested_ms.max(row.get(4)?);
    }
    drop(rows);
    if parts.is_empty() {
        return Ok(());
    }
    tx.prepare_cached("DELETE FROM log_chunk WHERE stream_id = ?1 AND tail = 1")?.execute([stream])?;
    let merged = chunk::merge(&parts);
    let sketch = sketched(&merged);
    tx.prepare_cached(INSERT)?.execute(params![stream, min_ms, max_ms, ingested_ms, false, sketch, merged])?;
    Ok(())
}

fn sketched(body: &[u8]) -> Option<Vec<u8>> {
    Chunk::parse(0, body).map(|chunk| sketch::sketch(chunk.messages()))
}
