//! `POST /api/1/item/`: one occurrence.

use std::io::Read as _;

use bytes::Bytes;
use http::StatusCode;
use rusqlite::{Connection, OptionalExtension, params};
use serde_json::{Value, json};

use super::fault::Fault;
use super::payload::{self, Payload};
use super::token::{self, Scope};
use super::{fingerprint, result};
use crate::sandbox::wire::{Request, Response};
use crate::sandbox::{Shared, now_ms};

/// Largest payload, unpacked, in bytes.
const LIMIT: usize = 1 << 20;

pub(super) async fn item(shared: &Shared, request: &Request) -> Result<Response, Fault> {
    let body = unpacked(request)?;
    let parsed = serde_json::from_slice::<Value>(&body);
    // Whoever may not post learns nothing about the payload.
    let in_body = parsed.as_ref().ok().and_then(|payload| payload["access_token"].as_str());
    token::check(shared, request, in_body, Scope::Post)?;
    let mut payload = parsed.map_err(|error| {
        Fault::new(StatusCode::BAD_REQUEST, "Invalid JSON payload")
            .keep("unparsable")
            .detail(format!("the payload is not JSON: {error}"))
    })?;
    let now = now_ms();
    let mut data = payload.get_mut("data").map(Value::take).unwrap_or_default();
    let parsed = payload::parse(&data, now / 1000).map_err(|fault| fault.keep("invalid-payload"))?;
    let uuid = parsed.uuid.clone().unwrap_or_else(|| uuid::Uuid::new_v4().simple().to_string());
    let hash = fingerprint::of(&data);
    data["uuid"] = uuid.as_str().into();
    let answer = json!({"id": null, "uuid": uuid});
    let data = data.to_string();
    shared.store.write(move |tx| keep(tx, &parsed, &uuid, &hash, &data, now)).await?;
    Ok(result(&answer))
}

/// The body, whatever its content encoding, within the limit.
fn unpacked(request: &Request) -> Result<Bytes, Fault> {
    let too_large = || {
        let text = format!("Request entity too large: the payload exceeds {LIMIT} bytes");
        Fault::new(StatusCode::PAYLOAD_TOO_LARGE, text).keep("too-large")
    };
    let body = match request.header("content-encoding").map(str::trim) {
        None | Some("" | "identity") => request.body.clone(),
        Some(encoding) if encoding.eq_ignore_ascii_case("gzip") => {
            let mut unpacked = Vec::new();
            let limit = u64::try_from(LIMIT).unwrap_or(u64::MAX) + 1;
            flate2::read::GzDecoder::new(request.body.as_ref()).take(limit).read_to_end(&mut unpacked).map_err(|error| {
                Fault::new(StatusCode::BAD_REQUEST, "Invalid gzip payload")
                    .keep("unparsable")
                    .detail(format!("the payload cannot be unpacked: {error}"))
            })?;
            unpacked.into()
        }
        Some(_) => {
            return Err(Fault::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "Unsupported content encoding; gzip is taken, or none")
                .keep("wrong-content-type"));
        }
    };
    if body.len() > LIMIT { Err(too_large()) } else { Ok(body) }
}

/// Keeps an occurrence and brings its item up to date. A uuid that is known already is discarded.
fn keep(tx: &Connection, payload: &Payload, uuid: &str, hash: &str, data: &str, now: i64) -> rusqlite::Result<()> {
    let known = tx.prepare_cached("SELECT 1 FROM rollbar_occurrence WHERE uuid = ?1")?.exists([uuid])?;
    if known {
        return Ok(());
    }
    let item: Option<(i64, String)> = tx
        .prepare_cached("SELECT id, status FROM rollbar_item WHERE environment = ?1 AND hash = ?2")?
        .query_row(params![payload.environment, hash], |row| Ok((row.get(0)?, row.get(1)?)))
        .optional()?;
    let (item, status) = match item {
        Some(item) => item,
        None => {
            tx.prepare_cached(
                "INSERT INTO rollbar_item (counter, environment, hash, title, level, status, framework, platform, total, first_at,
                 first_id, last_at, last_id, activated_at, activating_id, modified_at)
                 VALUES ((SELECT coalesce(max(counter), 0) + 1 FROM rollbar_item), ?1, ?2, ?3, ?4, '', ?5, ?6, 0, ?7, 0, ?7, 0, ?7, 0, ?8)",
            )?
            .execute(params![
                payload.environment,
                hash,
                payload.title,
                payload.level,
                payload.framework,
                payload.platform,
                payload.timestamp,
                now / 1000
            ])?;
            (tx.last_insert_rowid(), String::new())
        }
    };
    tx.prepare_cached(
        "INSERT INTO rollbar_occurrence (item_id, uuid, timestamp, received_ms, data) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?
    .execute(params![item, uuid, payload.timestamp, now, data])?;
    let occurrence = tx.last_insert_rowid();
    // A resolved item comes to life again with its next occurrence; a muted or archived one does not.
    let activates = status.is_empty() || status == "resolved";
    tx.prepare_cached(
        "UPDATE rollbar_item SET total = total + 1, level = ?2, last_at = max(last_at, ?3), last_id = ?4, modified_at = ?5,
         first_at = min(first_at, ?3), first_id = CASE WHEN first_id = 0 THEN ?4 ELSE first_id END,
         status = CASE WHEN ?6 THEN 'active' ELSE status END, activated_at = CASE WHEN ?6 THEN ?3 ELSE activated_at END,
         activating_id = CASE WHEN ?6 THEN ?4 ELSE activating_id END WHERE id = ?1",
    )?
    .execute(params![item, payload.level, payload.timestamp, occurrence, now / 1000, activates])?;
    Ok(())
}
