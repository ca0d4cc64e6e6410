//! GetLogEvents, FilterLogEvents and GetLogRecord.

use std::collections::BTreeMap;

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Constraints, one_group};
use super::fault::Fault;
use super::pattern::Pattern;
use super::position::{self, Gap, Key};
use super::scan::{self, Range};
use super::{ACCOUNT, group, stream};

/// How many bytes of messages a page holds.
const PAGE_BYTES: usize = 1 << 20;

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Get {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    next_token: Option<String>,
    limit: Option<i64>,
    start_from_head: Option<bool>,
}

pub(super) async fn get_log_events(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: Get = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.required("logStreamName", input.log_stream_name.is_some());
    constraints.stream_name("logStreamName", input.log_stream_name.as_deref());
    times(&mut constraints, input.start_time, input.end_time, input.limit);
    constraints.check()?;
    let group = one_group(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let token = input.next_token.as_deref().map(parse_token).transpose()?;
    let (after, before) = match token {
        Some((true, gap)) => (Some(gap), None),
        Some((false, gap)) => (None, Some(gap)),
        None => (None, None),
    };
    let range = Range {
        from_ms: input.start_time.unwrap_or(0),
        // Here the end is exclusive; in FilterLogEvents it is not.
        until_ms: input.end_time.map_or(i64::MAX, |end| end.saturating_sub(1)),
        after,
        before,
        newest_first: token.map_or(!input.start_from_head.unwrap_or_default(), |(forward, _)| !forward),
        limit: usize::try_from(input.limit.unwrap_or(10_000)).unwrap_or(1),
        bytes: PAGE_BYTES,
    };
    let name = input.log_stream_name.unwrap_or_default();
    let mut events = ask
        .shared
        .store
        .read(move |connection| {
            let Some(group) = group::find(connection, &group)? else { return Ok(Err(Fault::no_group())) };
            let Some(stream) = stream::find(connection, group, &name)? else { return Ok(Err(Fault::no_stream())) };
            scan::page(connection, &[stream], &range, &Pattern::ALL).map(|page| Ok(page.events))
        })
        .await??;
    if range.newest_first {
        events.reverse();
    }
    // At either end of the stream the token that came is the token that goes: so a reader knows that it is through.
    let here = token.map_or(Gap::START, |(_, gap)| gap);
    let forward = events.last().map_or(here, |event| Gap { key: event.key, after: true });
    let backward = events.first().map_or(here, |event| Gap { key: event.key, after: false });
    let events: Vec<Value> = events
        .into_iter()
        .map(|event| json!({"timestamp": event.key.timestamp_ms, "message": event.message, "ingestionTime": event.ingested_ms}))
        .collect();
    Ok(Some(json!({
        "events": events,
        "nextForwardToken": format!("f/{}/s", position::digits(&forward)),
        "nextBackwardToken": format!("b/{}/s", position::digits(&backward)),
    })))
}

fn times(constraints: &mut Constraints, start: Option<i64>, end: Option<i64>, limit: Option<i64>) {
    constraints.range("startTime", start, 0, i64::MAX);
    constraints.range("endTime", end, 0, i64::MAX);
    constraints.range("limit", limit, 1, 10_000);
}

/// Whether a token of GetLogEvents reads forward, and from where.
fn parse_token(token: &str) -> Result<(bool, Gap), Fault> {
    let (direction, rest) = token.split_once('/').ok_or_else(Fault::bad_token)?;
    let gap = position::parse(rest.strip_suffix("/s").unwrap_or(rest)).ok_or_else(Fault::bad_token)?;
    match direction {
        "f" => Ok((true, gap)),
        "b" => Ok((false, gap)),
        _ => Err(Fault::bad_token()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Filter {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_names: Option<Vec<String>>,
    log_stream_name_prefix: Option<String>,
    start_time: Option<i64>,
    end_time: Option<i64>,
    filter_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
}

pub(super) async fn filter_log_events(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: Filter = ask.input()?;
    let mut constraints = Constraints::default();
    if let Some(names) = &input.log_stream_names {
        constraints.length("logStreamNames", &format!("{names:?}"), names.len(), 1, 100);
        for name in names {
            constraints.stream_name("logStreamNames", Some(name));
        }
    }
    constraints.stream_name("logStreamNamePrefix", input.log_stream_name_prefix.as_deref());
    if let Some(pattern) = &input.filter_pattern {
        constraints.length("filterPattern", pattern, pattern.chars().count(), 0, 1024);
    }
    times(&mut constraints, input.start_time, input.end_time, input.limit);
    constraints.check()?;
    let group = one_group(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    if input.log_stream_names.is_some() && input.log_stream_name_prefix.is_some() {
        return Err(Fault::invalid("logStreamNames and logStreamNamePrefix cannot be provided together."));
    }
    let pattern =
        Pattern::parse(input.filter_pattern.as_deref().unwrap_or_default()).map_err(|error| Fault::invalid(error.to_string()))?;
    let after = match &input.next_token {
        Some(token) => Some(position::parse(token).ok_or_else(Fault::bad_token)?),
        None => None,
    };
    let range = Range {
        from_ms: input.start_time.unwrap_or(0),
        until_ms: input.end_time.unwrap_or(i64::MAX),
        after,
        before: None,
        newest_first: false,
        limit: usize::try_from(input.limit.unwrap_or(10_000)).unwrap_or(1),
        bytes: PAGE_BYTES,
    };
    let (names, prefix) = (input.log_stream_names, input.log_stream_name_prefix.unwrap_or_default());
    let (page, streams) = ask
        .shared
        .store
        .read(move |connection| {
            let Some(group) = group::find(connection, &group)? else { return Ok(Err(Fault::no_group())) };
            let streams = match &names {
                Some(names) => {
                    let mut streams = BTreeMap::new();
                    for name in names {
                        let Some(id) = stream::find(connection, group, name)? else { return Ok(Err(Fault::no_stream())) };
                        streams.insert(id, name.clone());
                    }
                    streams
                }
                None => streams(connection, group, &prefix)?,
            };
            let ids: Vec<i64> = streams.keys().copied().collect();
            scan::page(connection, &ids, &range, &pattern).map(|page| Ok((page, streams)))
        })
        .await??;
    let next = page.events.last().filter(|_| page.more).map(|last| position::digits(&Gap { key: last.key, after: true }));
    let events: Vec<Value> = page
        .events
        .into_iter()
        .map(|event| {
            json!({
                "logStreamName": streams.get(&event.stream), "timestamp": event.key.timestamp_ms, "message": event.message,
                "ingestionTime": event.ingested_ms, "eventId": event.key.event_id(event.stream),
            })
        })
        .collect();
    let mut answer = group::paged("events", events, next);
    // AWS lists no streams here any more, but the member stays.
    answer["searchedLogStreams"] = json!([]);
    Ok(Some(answer))
}

/// The streams of a group, by id.
pub(super) fn streams(connection: &Connection, group: i64, prefix: &str) -> rusqlite::Result<BTreeMap<i64, String>> {
    let mut select = connection.prepare_cached("SELECT id, name FROM log_stream WHERE group_id = ?1")?;
    let rows = select.query_map([group], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)))?;
    rows.filter(|row| row.as_ref().map_or(true, |(_, name)| name.starts_with(prefix))).collect()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Record {
    log_record_pointer: Option<String>,
}

/// One event by the `@ptr` of an Insights result.
pub(super) async fn get_log_record(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: Record = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.required("logRecordPointer", input.log_record_pointer.is_some());
    constraints.check()?;
    let pointer = input.log_record_pointer.unwrap_or_default();
    let Some((key, stream)) = Key::parse(&pointer) else { return Err(Fault::invalid("The log record pointer is invalid.")) };
    let range = Range {
        from_ms: key.timestamp_ms,
        until_ms: key.timestamp_ms,
        after: Some(Gap { key, after: false }),
        before: Some(Gap { key, after: true }),
        newest_first: false,
        limit: 1,
        bytes: PAGE_BYTES,
    };
    let found = ask
        .shared
        .store
        .read(move |connection| {
            let Some(event) = scan::page(connection, &[stream], &range, &Pattern::ALL)?.events.pop() else { return Ok(None) };
            let (stream, group) = connection.query_row(
                "SELECT s.name, g.name FROM log_stream AS s JOIN log_group AS g ON g.id = s.group_id WHERE s.id = ?1",
                [stream],
                |row| Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?)),
            )?;
            Ok(Some((event, stream, group)))
        })
        .await?;
    let Some((event, stream, group)) = found else {
        return Err(Fault::new("ResourceNotFoundException", "The specified log record does not exist."));
    };
    Ok(Some(json!({"logRecord": {
        "@timestamp": event.key.timestamp_ms.to_string(), "@ingestionTime": event.ingested_ms.to_string(),
        "@message": event.message, "@logStream": stream, "@log": format!("{ACCOUNT}:{group}"), "@ptr": pointer,
    }})))
}
