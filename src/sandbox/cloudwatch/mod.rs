//! CloudWatch Logs over JSON 1.1: `POST /` with `x-amz-target: Logs_20140328.<Operation>`, as the AWS SDKs speak it
//! (API model 2014-03-28).
//!
//! [`handle`] is pure of any server: a request in, an answer out. Events are kept in *chunks*, one row for a whole batch
//! (`chunk`); small batches of a stream are merged once enough of them have gathered, so that a million single puts do
//! not become a million rows. Reading (`scan`) skips chunks by time and, where a filter pattern demands a literal text,
//! looks for it in all messages of a chunk at once, and
//! only in chunks whose `sketch` does not rule it out.

mod ask;
pub(in crate::sandbox) mod browse;
mod chunk;
mod events;
mod fault;
mod group;
mod insights;
mod pattern;
mod position;
mod put;
mod read;
mod scan;
mod sketch;
mod stream;
mod tag;

#[cfg(test)]
mod tests;

use bytes::Bytes;
use http::{HeaderValue, Method, StatusCode};
use rusqlite::params;
use serde_json::Value;

pub use pattern::{Pattern, PatternError};

use super::store::Tables;
use super::wire::{self, Request, Response};
use super::{Shared, now_ms, rejection};
use crate::facts::Rejection;
use ask::Ask;
use fault::Fault;

/// The account that every ARN names.
const ACCOUNT: &str = "000000000000";

/// Longest body that is looked at, in bytes. AWS counts 1 MiB of messages; JSON may escape each byte as six.
const BODY_LIMIT: usize = 8 << 20;

/// The tables of CloudWatch Logs.
pub const TABLES: Tables = Tables {
    schema: "
        CREATE TABLE IF NOT EXISTS log_group (
            id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE, created_ms INTEGER NOT NULL,
            retention_days INTEGER, class TEXT NOT NULL, kms_key TEXT, guarded INTEGER NOT NULL DEFAULT 0);
        CREATE TABLE IF NOT EXISTS log_tag (
            group_id INTEGER NOT NULL REFERENCES log_group (id) ON DELETE CASCADE,
            key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (group_id, key)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS log_stream (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            group_id INTEGER NOT NULL REFERENCES log_group (id) ON DELETE CASCADE,
            name TEXT NOT NULL, created_ms INTEGER NOT NULL, first_ms INTEGER, last_ms INTEGER, ingested_ms INTEGER,
            bytes INTEGER NOT NULL DEFAULT 0, tail_rows INTEGER NOT NULL DEFAULT 0, tail_bytes INTEGER NOT NULL DEFAULT 0,
            UNIQUE (group_id, name));
        CREATE TABLE IF NOT EXISTS log_chunk (
            id INTEGER PRIMARY KEY AUTOINCREMENT,
            stream_id INTEGER NOT NULL REFERENCES log_stream (id) ON DELETE CASCADE,
            min_ms INTEGER NOT NULL, max_ms INTEGER NOT NULL, ingested_ms INTEGER NOT NULL, tail INTEGER NOT NULL,
            sketch BLOB, body BLOB NOT NULL);
        CREATE INDEX IF NOT EXISTS log_chunk_time ON log_chunk (stream_id, min_ms, max_ms);
        CREATE INDEX IF NOT EXISTS log_chunk_tail ON log_chunk (stream_id) WHERE tail = 1;
        CREATE TABLE IF NOT EXISTS log_query (
            id TEXT PRIMARY KEY, text TEXT NOT NULL, groups TEXT NOT NULL, status TEXT NOT NULL, created_ms INTEGER NOT NULL,
            results TEXT, statistics TEXT) WITHOUT ROWID;
        UPDATE log_query SET status = 'Failed' WHERE status = 'Running';",
    evict: |connection, before_ms| {
        connection.execute("DELETE FROM log_query WHERE created_ms < ?1", [before_ms])?;
        let expired = connection.execute(
            "DELETE FROM log_chunk WHERE EXISTS (SELECT 1 FROM log_stream AS s JOIN log_group AS g ON g.id = s.group_id
             WHERE s.id = log_chunk.stream_id AND g.retention_days IS NOT NULL
             AND log_chunk.max_ms < ?1 - g.retention_days * 86400000)",
            [now_ms()],
        )?;
        let old = connection.execute("DELETE FROM log_chunk WHERE ingested_ms < ?1", params![before_ms])?;
        if expired + old > 0 {
            // What a stream remembers of its tail must agree with the rows that are left.
            connection.execute(
                "UPDATE log_stream SET
                 tail_rows = (SELECT count(*) FROM log_chunk AS c WHERE c.stream_id = log_stream.id AND c.tail = 1),
                 tail_bytes = (SELECT coalesce(sum(length(c.body)), 0) FROM log_chunk AS c
                               WHERE c.stream_id = log_stream.id AND c.tail = 1),
                 bytes = CASE WHEN EXISTS (SELECT 1 FROM log_chunk AS c WHERE c.stream_id = log_stream.id)
                         THEN bytes ELSE 0 END",
                [],
            )?;
        }
        Ok(expired + old)
    },
};

/// Answers one request to CloudWatch Logs. Refused writes and refused callers are kept as rejections.
pub async fn handle(shared: &Shared, request: Request) -> Response {
    let operation = ask::operation(&request).map_or_else(|| format!("{} {}", request.method, request.path), str::to_owned);
    let mut response = match answer(shared, &request).await {
        Ok(Some(body)) => match serde_json::to_vec(&body) {
            Ok(bytes) => wire::answer(StatusCode::OK, ask::CONTENT_TYPE, bytes),
            Err(error) => Fault::unavailable(error).into_response(),
        },
        Ok(None) => wire::answer(StatusCode::OK, ask::CONTENT_TYPE, Bytes::new()),
        Err(fault) => {
            if let Some(reason) = fault.reason {
                let refused = Rejection {
                    at_ms: now_ms(),
                    vendor: String::from("cloudwatch"),
                    request: operation,
                    status: fault.status.as_u16(),
                    reason: reason.to_owned(),
                    detail: fault.told(),
                    service: None,
                };
                rejection::keep(shared, refused).await;
            }
            fault.into_response()
        }
    };
    if let Ok(id) = HeaderValue::from_str(&uuid::Uuid::new_v4().to_string()) {
        response.headers_mut().insert("x-amzn-requestid", id);
    }
    response
}

async fn answer(shared: &Shared, request: &Request) -> Result<Option<Value>, Fault> {
    if request.method != Method::POST {
        let text = format!("`{}` is not a method of CloudWatch Logs; every operation is a POST", request.method);
        return Err(Fault::new("UnknownOperationException", text).status(StatusCode::METHOD_NOT_ALLOWED).keep("wrong-method"));
    }
    let Some(operation) = ask::operation(request) else {
        return Err(Fault::new("UnknownOperationException", "the header `x-amz-target` names no operation of Logs_20140328")
            .keep("unknown-operation"));
    };
    let region = ask::region(request)?;
    if request.body.len() > BODY_LIMIT {
        return Err(Fault::new("RequestEntityTooLarge", "the request's body is too large")
            .status(StatusCode::PAYLOAD_TOO_LARGE)
            .keep("too-large"));
    }
    let ask = Ask { shared, region, body: &request.body };
    match operation {
        "PutLogEvents" => put::put_log_events(&ask).await,
        "CreateLogGroup" => group::create(&ask).await,
        "DeleteLogGroup" => group::delete(&ask).await,
        "DescribeLogGroups" => group::describe(&ask).await,
        "ListLogGroups" => group::list(&ask).await,
        "PutRetentionPolicy" => group::put_retention(&ask).await,
        "DeleteRetentionPolicy" => group::delete_retention(&ask).await,
        "CreateLogStream" => stream::create(&ask).await,
        "DeleteLogStream" => stream::delete(&ask).await,
        "DescribeLogStreams" => stream::describe(&ask).await,
        "GetLogEvents" => read::get_log_events(&ask).await,
        "FilterLogEvents" => read::filter_log_events(&ask).await,
        "GetLogRecord" => read::get_log_record(&ask).await,
        "TagLogGroup" => tag::tag_log_group(&ask).await,
        "UntagLogGroup" => tag::untag_log_group(&ask).await,
        "ListTagsLogGroup" => tag::list_tags_log_group(&ask).await,
        "TagResource" => tag::tag_resource(&ask).await,
        "UntagResource" => tag::untag_resource(&ask).await,
        "ListTagsForResource" => tag::list_tags_for_resource(&ask).await,
        "StartQuery" => insights::start_query(&ask).await,
        "GetQueryResults" => insights::get_query_results(&ask).await,
        "StopQuery" => insights::stop_query(&ask).await,
        "DescribeQueries" => insights::describe_queries(&ask).await,
        other => Err(Fault::new("UnknownOperationException", format!("the sandbox does not know the operation `{other}`"))
            .keep("unknown-operation")),
    }
}
