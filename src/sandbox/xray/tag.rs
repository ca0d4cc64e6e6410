//! Tags of groups and sampling rules.

use http::StatusCode;
use rusqlite::{Connection, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::failure::Failure;
use super::{Change, group, parse_body, rule};
use crate::sandbox::Shared;

/// How many tags a resource may have.
const MOST: usize = 50;

/// A tag.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Tag {
    key: String,
    value: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    #[serde(rename = "ResourceARN")]
    resource_arn: Option<String>,
    tags: Option<Vec<Tag>>,
    tag_keys: Option<Vec<String>>,
}

/// Tags within the model's limits.
pub(super) fn checked(tags: Vec<Tag>) -> Result<Vec<Tag>, Failure> {
    for tag in &tags {
        if !(1..=128).contains(&tag.key.chars().count()) {
            return Err(Failure::constraint(&tag.key, "tags.key", "have length between 1 and 128"));
        }
        if tag.value.chars().count() > 256 {
            return Err(Failure::constraint(&tag.value, "tags.value", "have length less than or equal to 256"));
        }
        if tag.key.to_ascii_lowercase().starts_with("aws:") {
            return Err(Failure::invalid("Tag keys beginning with `aws:` are reserved"));
        }
    }
    if tags.len() > MOST {
        return Err(too_many());
    }
    Ok(tags)
}

fn too_many() -> Failure {
    Failure::new(StatusCode::BAD_REQUEST, "TooManyTagsException", format!("A resource can have {MOST} tags at the most"))
}

fn not_found(arn: &str) -> Failure {
    let arn: String = arn.chars().take(200).collect();
    Failure::new(StatusCode::NOT_FOUND, "ResourceNotFoundException", format!("Resource {arn} not found"))
}

/// Adds or replaces tags.
pub(super) fn add(connection: &Connection, resource: &str, tags: &[Tag]) -> rusqlite::Result<()> {
    tags.iter().try_for_each(|tag| {
        connection
            .execute(
                "INSERT INTO xray_tag VALUES (?1, ?2, ?3) ON CONFLICT (resource, key) DO UPDATE SET value = ?3",
                params![resource, tag.key, tag.value],
            )
            .map(drop)
    })
}

/// Removes all tags of a resource.
pub(super) fn forget(connection: &Connection, resource: &str) -> rusqlite::Result<()> {
    connection.execute("DELETE FROM xray_tag WHERE resource = ?1", [resource]).map(drop)
}

fn list(connection: &Connection, resource: &str) -> rusqlite::Result<Vec<Tag>> {
    let mut statement = connection.prepare_cached("SELECT key, value FROM xray_tag WHERE resource = ?1 ORDER BY key")?;
    statement.query_map([resource], |row| Ok(Tag { key: row.get(0)?, value: row.get(1)? }))?.collect()
}

/// The resource that an ARN means, where there is one.
fn resource(connection: &Connection, arn: &str) -> rusqlite::Result<Option<String>> {
    let (table, name, resource) = if let Ok(name) = group::named(None, Some(arn.to_owned())) {
        ("xray_group", name.clone(), group::resource(&name))
    } else if let Ok(name) = rule::named(None, Some(arn)) {
        ("xray_rule", name.clone(), rule::resource(&name))
    } else {
        return Ok(None);
    };
    let there: bool =
        connection.query_row(&format!("SELECT EXISTS (SELECT 1 FROM {table} WHERE name = ?1)"), [&name], |row| row.get(0))?;
    Ok(there.then_some(resource))
}

/// Answers `ListTagsForResource`.
pub(super) async fn list_tags_for_resource(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let arn = input.resource_arn.ok_or_else(|| Failure::missing("resourceARN"))?;
    let missing = not_found(&arn);
    let tags = shared
        .store
        .read(move |connection| resource(connection, &arn)?.map(|resource| list(connection, &resource)).transpose())
        .await?
        .ok_or(missing)?;
    Ok(json!({ "Tags": tags }))
}

/// Answers `TagResource`.
pub(super) async fn tag_resource(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let arn = input.resource_arn.ok_or_else(|| Failure::missing("resourceARN"))?;
    let tags = checked(input.tags.ok_or_else(|| Failure::missing("tags"))?)?;
    shared
        .store
        .write(move |connection| {
            let Some(resource) = resource(connection, &arn)? else { return Ok(Change::Refused(not_found(&arn))) };
            let mut keys: Vec<String> = list(connection, &resource)?.into_iter().map(|tag| tag.key).collect();
            keys.extend(tags.iter().map(|tag| tag.key.clone()));
            keys.sort_unstable();
            keys.dedup();
            if keys.len() > MOST {
                return Ok(Change::Refused(too_many()));
            }
            add(connection, &resource, &tags)?;
            Ok(Change::Made(()))
        })
        .await?
        .into_result()?;
    Ok(json!({}))
}

/// Answers `UntagResource`.
pub(super) async fn untag_resource(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let arn = input.resource_arn.ok_or_else(|| Failure::missing("resourceARN"))?;
    let keys = input.tag_keys.ok_or_else(|| Failure::missing("tagKeys"))?;
    shared
        .store
        .write(move |connection| {
            let Some(resource) = resource(connection, &arn)? else { return Ok(Change::Refused(not_found(&arn))) };
            for key in &keys {
                connection.execute("DELETE FROM xray_tag WHERE resource = ?1 AND key = ?2", params![resource, key])?;
            }
            Ok(Change::Made(()))
        })
        .await?
        .into_result()?;
    Ok(json!({}))
}
