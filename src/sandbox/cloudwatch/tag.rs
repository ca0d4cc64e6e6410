//! Tags of log groups, by the older operations (by name) and the newer ones (by ARN).

use std::collections::BTreeMap;

use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Constraints, group_of};
use super::fault::Fault;
use super::group;

type Tags = BTreeMap<String, String>;

/// How many tags a group may have.
const LIMIT: i64 = 50;

/// A map of tags within the API model: 1 to 50 of them, keys of 1 to 128, values of up to 256.
pub(super) fn constrain(constraints: &mut Constraints, tags: Option<&Tags>) {
    let Some(tags) = tags else { return };
    constraints.length("tags", &format!("{tags:?}"), tags.len(), 1, 50);
    for (key, value) in tags {
        constraints.length("tags", key, key.chars().count(), 1, 128);
        constraints.length("tags", value, value.chars().count(), 0, 256);
    }
}

/// Adds or replaces tags.
pub(super) fn add(connection: &Connection, group: i64, tags: &Tags) -> rusqlite::Result<()> {
    let mut insert = connection.prepare_cached("INSERT OR REPLACE INTO log_tag (group_id, key, value) VALUES (?1, ?2, ?3)")?;
    tags.iter().try_for_each(|(key, value)| insert.execute(params![group, key, value]).map(drop))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TagGroup {
    log_group_name: Option<String>,
    tags: Option<Tags>,
}

pub(super) async fn tag_log_group(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: TagGroup = ask.input()?;
    put(ask, input.log_group_name, "logGroupName", input.tags, "InvalidParameterException").await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct TagArn {
    resource_arn: Option<String>,
    tags: Option<Tags>,
}

pub(super) async fn tag_resource(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: TagArn = ask.input()?;
    put(ask, name_in(input.resource_arn)?, "resourceArn", input.tags, "TooManyTagsException").await
}

/// The group's name in a resource's ARN.
fn name_in(arn: Option<String>) -> Result<Option<String>, Fault> {
    match arn {
        None => Ok(None),
        Some(arn) if arn.starts_with("arn:") && arn.contains(":log-group:") => Ok(Some(group_of(&arn).to_owned())),
        Some(_) => Err(Fault::invalid("The specified resource ARN is invalid; it must be the ARN of a log group.")),
    }
}

async fn put(
    ask: &Ask<'_>,
    name: Option<String>,
    member: &str,
    tags: Option<Tags>,
    too_many: &'static str,
) -> Result<Option<Value>, Fault> {
    let mut constraints = Constraints::default();
    constraints.required(member, name.is_some());
    constraints.required("tags", tags.is_some());
    constrain(&mut constraints, tags.as_ref());
    constraints.check()?;
    let (name, tags) = (name.unwrap_or_default(), tags.unwrap_or_default());
    ask.shared
        .store
        .write(move |tx| {
            let Some(group) = group::find(tx, &name)? else { return Ok(Err(Fault::no_group())) };
            let others: Vec<String> = tx
                .prepare_cached("SELECT key FROM log_tag WHERE group_id = ?1")?
                .query_map([group], |row| row.get(0))?
                .collect::<rusqlite::Result<_>>()?;
            let kept = others.iter().filter(|key| !tags.contains_key(*key)).count();
            if i64::try_from(kept + tags.len()).unwrap_or(i64::MAX) > LIMIT {
                return Ok(Err(Fault::new(too_many, "The resource already has the maximum number of tags, 50.")));
            }
            add(tx, group, &tags)?;
            Ok(Ok(None))
        })
        .await?
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UntagGroup {
    log_group_name: Option<String>,
    tags: Option<Vec<String>>,
}

pub(super) async fn untag_log_group(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: UntagGroup = ask.input()?;
    remove(ask, input.log_group_name, "logGroupName", input.tags, "tags").await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct UntagArn {
    resource_arn: Option<String>,
    tag_keys: Option<Vec<String>>,
}

pub(super) async fn untag_resource(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: UntagArn = ask.input()?;
    remove(ask, name_in(input.resource_arn)?, "resourceArn", input.tag_keys, "tagKeys").await
}

async fn remove(
    ask: &Ask<'_>,
    name: Option<String>,
    member: &str,
    keys: Option<Vec<String>>,
    keys_member: &str,
) -> Result<Option<Value>, Fault> {
    let mut constraints = Constraints::default();
    constraints.required(member, name.is_some());
    constraints.required(keys_member, keys.is_some());
    constraints.check()?;
    let (name, keys) = (name.unwrap_or_default(), keys.unwrap_or_default());
    ask.shared
        .store
        .write(move |tx| {
            let Some(group) = group::find(tx, &name)? else { return Ok(Err(Fault::no_group())) };
            for key in keys {
                tx.execute("DELETE FROM log_tag WHERE group_id = ?1 AND key = ?2", params![group, key])?;
            }
            Ok(Ok(None))
        })
        .await?
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListGroup {
    log_group_name: Option<String>,
}

pub(super) async fn list_tags_log_group(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: ListGroup = ask.input()?;
    list(ask, input.log_group_name, "logGroupName").await
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListArn {
    resource_arn: Option<String>,
}

pub(super) async fn list_tags_for_resource(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: ListArn = ask.input()?;
    list(ask, name_in(input.resource_arn)?, "resourceArn").await
}

async fn list(ask: &Ask<'_>, name: Option<String>, member: &str) -> Result<Option<Value>, Fault> {
    let mut constraints = Constraints::default();
    constraints.required(member, name.is_some());
    constraints.check()?;
    let name = name.unwrap_or_default();
    let tags = ask
        .shared
        .store
        .read(move |connection| {
            let Some(group) = group::find(connection, &name)? else { return Ok(None) };
            let mut select = connection.prepare_cached("SELECT key, value FROM log_tag WHERE group_id = ?1")?;
            let rows = select.query_map([group], |row| Ok((row.get(0)?, row.get(1)?)))?;
            rows.collect::<rusqlite::Result<Tags>>().map(Some)
        })
        .await?;
    tags.map(|tags| Some(json!({ "tags": tags }))).ok_or_else(Fault::no_group)
}
