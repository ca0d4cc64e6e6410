//! Log streams.

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Constraints, one_group, text_of, token_of};
use super::fault::Fault;
use super::group;
use crate::sandbox::now_ms;

/// What PutLogEvents answers and DescribeLogStreams shows. AWS ignores it since 2023; so does the sandbox.
pub(super) fn sequence_token(stream: i64, batch: i64) -> String {
    format!("4961{stream:018}{batch:034}")
}

/// The stream's id in a group; `None` where there is no such stream.
pub(super) fn find(connection: &Connection, group: i64, name: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM log_stream WHERE group_id = ?1 AND name = ?2")?
        .query_row(params![group, name], |row| row.get(0))
        .optional()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: Option<String>,
    log_stream_name: Option<String>,
}

fn named(ask: &Ask<'_>) -> Result<(String, String), Fault> {
    let input: Named = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.required("logGroupName", input.log_group_name.is_some());
    constraints.required("logStreamName", input.log_stream_name.is_some());
    constraints.group_name("logGroupName", input.log_group_name.as_deref());
    constraints.stream_name("logStreamName", input.log_stream_name.as_deref());
    constraints.check()?;
    Ok((input.log_group_name.unwrap_or_default(), input.log_stream_name.unwrap_or_default()))
}

pub(super) async fn create(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let (group, stream) = named(ask)?;
    ask.shared
        .store
        .write(move |tx| {
            let Some(id) = group::find(tx, &group)? else {
                let detail = format!("CreateLogStream names the log group `{group}`, which does not exist");
                return Ok(Err(Fault::no_group().keep("no-such-group").detail(detail)));
            };
            let added = tx
                .prepare_cached(
                    "INSERT INTO log_stream (group_id, name, created_ms) VALUES (?1, ?2, ?3) ON CONFLICT (group_id, name) DO NOTHING",
                )?
                .execute(params![id, stream, now_ms()])?;
            let exists = || Fault::new("ResourceAlreadyExistsException", "The specified log stream already exists");
            Ok(if added == 1 { Ok(None) } else { Err(exists()) })
        })
        .await?
}

pub(super) async fn delete(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let (group, stream) = named(ask)?;
    ask.shared
        .store
        .write_aside(move |tx| {
            let Some(group) = group::find(tx, &group)? else { return Ok(Err(Fault::no_group())) };
            let gone = tx.execute("DELETE FROM log_stream WHERE group_id = ?1 AND name = ?2", params![group, stream])?;
            Ok(if gone == 1 { Ok(None) } else { Err(Fault::no_stream()) })
        })
        .await?
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name: Option<String>,
    log_group_identifier: Option<String>,
    log_stream_name_prefix: Option<String>,
    order_by: Option<String>,
    descending: Option<bool>,
    next_token: Option<String>,
    limit: Option<i64>,
}

struct Stream {
    id: i64,
    name: String,
    created_ms: i64,
    first_ms: Option<i64>,
    last_ms: Option<i64>,
    ingested_ms: Option<i64>,
}

pub(super) async fn describe(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: Describe = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.stream_name("logStreamNamePrefix", input.log_stream_name_prefix.as_deref());
    constraints.one_of("orderBy", input.order_by.as_deref(), &["LogStreamName", "LastEventTime"]);
    constraints.range("limit", input.limit, 1, 50);
    constraints.check()?;
    let group = one_group(input.log_group_name.as_deref(), input.log_group_identifier.as_deref())?;
    let by_time = input.order_by.as_deref() == Some("LastEventTime");
    if by_time && input.log_stream_name_prefix.is_some() {
        return Err(Fault::invalid("Cannot order by LastEventTime with a logStreamNamePrefix."));
    }
    let after = input.next_token.as_deref().map(place_of).transpose()?;
    let limit = usize::try_from(input.limit.unwrap_or(50)).unwrap_or(1);
    let (descending, prefix) = (input.descending.unwrap_or_default(), input.log_stream_name_prefix.unwrap_or_default());
    let name = group.clone();
    let streams = ask
        .shared
        .store
        .read(move |connection| {
            let Some(group) = group::find(connection, &name)? else { return Ok(None) };
            let mut select = connection.prepare_cached(
                "SELECT id, name, created_ms, first_ms, last_ms, ingested_ms FROM log_stream WHERE group_id = ?1 ORDER BY name",
            )?;
            let rows = select.query_map([group], stream)?;
            let wanted = rows.filter(|row| row.as_ref().map_or(true, |stream| stream.name.starts_with(&prefix)));
            let mut streams = wanted.collect::<rusqlite::Result<Vec<_>>>()?;
            if by_time {
                streams.sort_by_cached_key(|stream| place(stream, true));
            }
            if descending {
                streams.reverse();
            }
            if let Some(after) = after {
                streams.retain(|stream| {
                    let place = place(stream, by_time);
                    if descending { place < after } else { place > after }
                });
            }
            streams.truncate(limit + 1);
            Ok(Some(streams))
        })
        .await?;
    let Some(mut streams) = streams else { return Err(Fault::no_group()) };
    let more = streams.len() > limit;
    streams.truncate(limit);
    let next = streams.last().filter(|_| more).map(|last| {
        let (at, name) = place(last, by_time);
        token_of(&format!("{at}:{name}"))
    });
    let arn = ask.group_arn(&group);
    let shown = streams.iter().map(|stream| shown(stream, &arn)).collect();
    Ok(Some(group::paged("logStreams", shown, next)))
}

/// Where a stream stands in the listing: by time, then by name.
fn place(stream: &Stream, by_time: bool) -> (i64, String) {
    (if by_time { stream.last_ms.unwrap_or(0) } else { 0 }, stream.name.clone())
}

fn place_of(token: &str) -> Result<(i64, String), Fault> {
    let text = text_of(token)?;
    let (at, name) = text.split_once(':').ok_or_else(Fault::bad_token)?;
    Ok((at.parse().map_err(|_| Fault::bad_token())?, name.to_owned()))
}

fn shown(stream: &Stream, group_arn: &str) -> Value {
    let mut shown = json!({
        "logStreamName": stream.name, "creationTime": stream.created_ms, "storedBytes": 0,
        "arn": format!("{group_arn}:log-stream:{}", stream.name),
        "uploadSequenceToken": sequence_token(stream.id, stream.ingested_ms.unwrap_or(stream.created_ms)),
    });
    let times = [
        ("firstEventTimestamp", stream.first_ms),
        ("lastEventTimestamp", stream.last_ms),
        ("lastIngestionTime", stream.ingested_ms),
    ];
    for (member, time) in times {
        if let Some(time) = time {
            shown[member] = time.into();
        }
    }
    shown
}

fn stream(row: &Row<'_>) -> rusqlite::Result<Stream> {
    Ok(Stream {
        id: row.get(0)?,
        name: row.get(1)?,
        created_ms: row.get(2)?,
        first_ms: row.get(3)?,
        last_ms: row.get(4)?,
        ingested_ms: row.get(5)?,
    })
}
