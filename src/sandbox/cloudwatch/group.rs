//! Log groups and their retention.

use std::collections::BTreeMap;

use rusqlite::{Connection, OptionalExtension, Row, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::ask::{Ask, Constraints, group_of, text_of, token_of};
use super::fault::Fault;
use super::{ACCOUNT, tag};
use crate::sandbox::now_ms;

const CLASSES: [&str; 3] = ["STANDARD", "INFREQUENT_ACCESS", "DELIVERY"];

/// The days that a retention policy may have.
const RETENTIONS: [i64; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// A group's row.
struct Group {
    name: String,
    created_ms: i64,
    retention_days: Option<i64>,
    class: String,
    kms_key: Option<String>,
    guarded: bool,
    bytes: i64,
}

/// The group's id; `None` where there is no such group.
pub(super) fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    connection.prepare_cached("SELECT id FROM log_group WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Create {
    log_group_name: Option<String>,
    kms_key_id: Option<String>,
    tags: Option<BTreeMap<String, String>>,
    log_group_class: Option<String>,
    deletion_protection_enabled: Option<bool>,
}

pub(super) async fn create(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: Create = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.required("logGroupName", input.log_group_name.is_some());
    constraints.group_name("logGroupName", input.log_group_name.as_deref());
    constraints.one_of("logGroupClass", input.log_group_class.as_deref(), &CLASSES);
    if let Some(key) = &input.kms_key_id {
        constraints.length("kmsKeyId", key, key.chars().count(), 0, 256);
    }
    tag::constrain(&mut constraints, input.tags.as_ref());
    constraints.check()?;
    let name = input.log_group_name.unwrap_or_default();
    if name.starts_with("aws/") {
        return Err(Fault::invalid("Log groups starting with AWS/ are reserved for AWS."));
    }
    let created = ask
        .shared
        .store
        .write(move |tx| {
            let class = input.log_group_class.as_deref().unwrap_or("STANDARD");
            let added = tx
                .prepare_cached(
                    "INSERT INTO log_group (name, created_ms, class, kms_key, guarded) VALUES (?1, ?2, ?3, ?4, ?5)
                     ON CONFLICT (name) DO NOTHING",
                )?
                .execute(params![
                    name,
                    now_ms(),
                    class,
                    input.kms_key_id,
                    input.deletion_protection_enabled.unwrap_or_default()
                ])?;
            if added == 1 {
                tag::add(tx, tx.last_insert_rowid(), &input.tags.unwrap_or_default())?;
            }
            Ok(added == 1)
        })
        .await?;
    if created { Ok(None) } else { Err(Fault::new("ResourceAlreadyExistsException", "The specified log group already exists")) }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Named {
    log_group_name: Option<String>,
}

fn named(ask: &Ask<'_>) -> Result<String, Fault> {
    let input: Named = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.required("logGroupName", input.log_group_name.is_some());
    constraints.group_name("logGroupName", input.log_group_name.as_deref());
    constraints.check()?;
    Ok(input.log_group_name.unwrap_or_default())
}

pub(super) async fn delete(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let name = named(ask)?;
    ask.shared
        .store
        .write_aside(move |tx| {
            let guarded: Option<bool> = tx
                .prepare_cached("SELECT guarded FROM log_group WHERE name = ?1")?
                .query_row([&name], |row| row.get(0))
                .optional()?;
            match guarded {
                None => Ok(Err(Fault::no_group())),
                Some(true) => {
                    let text = "The specified log group has deletion protection enabled and cannot be deleted";
                    Ok(Err(Fault::new("ValidationException", text)))
                }
                Some(false) => tx.execute("DELETE FROM log_group WHERE name = ?1", [&name]).map(|_| Ok(None)),
            }
        })
        .await?
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Describe {
    log_group_name_prefix: Option<String>,
    log_group_name_pattern: Option<String>,
    next_token: Option<String>,
    limit: Option<i64>,
    log_group_class: Option<String>,
    log_group_identifiers: Option<Vec<String>>,
}

pub(super) async fn describe(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: Describe = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.group_name("logGroupNamePrefix", input.log_group_name_prefix.as_deref());
    if let Some(pattern) = input.log_group_name_pattern.as_deref().filter(|pattern| !pattern.is_empty()) {
        constraints.group_name("logGroupNamePattern", Some(pattern));
    }
    constraints.range("limit", input.limit, 1, 50);
    constraints.one_of("logGroupClass", input.log_group_class.as_deref(), &CLASSES);
    if let Some(identifiers) = &input.log_group_identifiers {
        constraints.length("logGroupIdentifiers", &format!("{identifiers:?}"), identifiers.len(), 1, 50);
    }
    constraints.check()?;
    if input.log_group_name_prefix.is_some() && input.log_group_name_pattern.is_some() {
        return Err(Fault::invalid("LogGroup name prefix and LogGroup name pattern are mutually exclusive parameters."));
    }
    let identifiers = input.log_group_identifiers.map(|all| all.iter().map(|id| group_of(id).to_owned()).collect::<Vec<_>>());
    let wanted = move |group: &Group| {
        input.log_group_name_prefix.as_ref().is_none_or(|prefix| group.name.starts_with(prefix))
            && input.log_group_name_pattern.as_ref().is_none_or(|pattern| group.name.contains(pattern))
            && input.log_group_class.as_ref().is_none_or(|class| group.class == *class)
            && identifiers.as_ref().is_none_or(|all| all.contains(&group.name))
    };
    let (groups, next) = listed(ask, input.next_token, input.limit.unwrap_or(50), wanted).await?;
    let groups: Vec<Value> = groups.iter().map(|group| described(ask, group)).collect();
    Ok(Some(paged("logGroups", groups, next)))
}

fn described(ask: &Ask<'_>, group: &Group) -> Value {
    let arn = ask.group_arn(&group.name);
    let mut shown = json!({
        "logGroupName": group.name, "creationTime": group.created_ms, "metricFilterCount": 0, "arn": format!("{arn}:*"),
        "storedBytes": group.bytes, "logGroupClass": group.class, "logGroupArn": arn,
        "deletionProtectionEnabled": group.guarded,
    });
    if let Some(days) = group.retention_days {
        shown["retentionInDays"] = days.into();
    }
    if let Some(key) = &group.kms_key {
        shown["kmsKeyId"] = key.as_str().into();
    }
    shown
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct List {
    log_group_name_pattern: Option<String>,
    log_group_class: Option<String>,
    account_identifiers: Option<Vec<String>>,
    next_token: Option<String>,
    limit: Option<i64>,
}

/// The newer, shorter listing. Its pattern is one of up to five texts parted by `|`, each perhaps anchored by `^`.
pub(super) async fn list(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: List = ask.input()?;
    let mut constraints = Constraints::default();
    if let Some(pattern) = &input.log_group_name_pattern {
        constraints.length("logGroupNamePattern", pattern, pattern.chars().count(), 3, 129);
    }
    constraints.one_of("logGroupClass", input.log_group_class.as_deref(), &CLASSES);
    constraints.range("limit", input.limit, 1, 1000);
    constraints.check()?;
    let wanted = move |group: &Group| {
        let named = input.log_group_name_pattern.as_ref().is_none_or(|pattern| {
            pattern.split('|').any(|part| match part.strip_prefix('^') {
                Some(start) => group.name.starts_with(start),
                None => group.name.contains(part),
            })
        });
        let ours = input.account_identifiers.as_ref().is_none_or(|all| all.is_empty() || all.iter().any(|id| id == ACCOUNT));
        named && ours && input.log_group_class.as_ref().is_none_or(|class| group.class == *class)
    };
    let (groups, next) = listed(ask, input.next_token, input.limit.unwrap_or(50), wanted).await?;
    let shown = |group: &Group| json!({"logGroupName": group.name, "logGroupArn": ask.group_arn(&group.name), "logGroupClass": group.class});
    Ok(Some(paged("logGroups", groups.iter().map(shown).collect(), next)))
}

/// One page of groups by name, and the token of the next.
async fn listed(
    ask: &Ask<'_>,
    token: Option<String>,
    limit: i64,
    wanted: impl Fn(&Group) -> bool + Send + 'static,
) -> Result<(Vec<Group>, Option<String>), Fault> {
    let after = token.as_deref().map(text_of).transpose()?.unwrap_or_default();
    let limit = usize::try_from(limit).unwrap_or(1);
    let mut groups = ask
        .shared
        .store
        .read(move |connection| {
            let mut select = connection.prepare_cached(
                "SELECT name, created_ms, retention_days, class, kms_key, guarded,
                 (SELECT coalesce(sum(bytes), 0) FROM log_stream AS s WHERE s.group_id = g.id)
                 FROM log_group AS g WHERE name > ?1 ORDER BY name",
            )?;
            let rows = select.query_map([after], group)?;
            rows.filter(|row| row.as_ref().map_or(true, &wanted)).take(limit + 1).collect::<rusqlite::Result<Vec<_>>>()
        })
        .await?;
    let more = groups.len() > limit;
    groups.truncate(limit);
    let next = groups.last().filter(|_| more).map(|group| token_of(&group.name));
    Ok((groups, next))
}

fn group(row: &Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        name: row.get(0)?,
        created_ms: row.get(1)?,
        retention_days: row.get(2)?,
        class: row.get(3)?,
        kms_key: row.get(4)?,
        guarded: row.get(5)?,
        bytes: row.get(6)?,
    })
}

/// A listing with its token.
pub(super) fn paged(member: &str, values: Vec<Value>, next: Option<String>) -> Value {
    let mut page = serde_json::Map::from_iter([(member.to_owned(), Value::Array(values))]);
    if let Some(next) = next {
        page.insert(String::from("nextToken"), next.into());
    }
    Value::Object(page)
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Retention {
    log_group_name: Option<String>,
    retention_in_days: Option<i64>,
}

pub(super) async fn put_retention(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let input: Retention = ask.input()?;
    let mut constraints = Constraints::default();
    constraints.required("logGroupName", input.log_group_name.is_some());
    constraints.required("retentionInDays", input.retention_in_days.is_some());
    constraints.group_name("logGroupName", input.log_group_name.as_deref());
    if let Some(days) = input.retention_in_days {
        let allowed: Vec<String> = RETENTIONS.iter().map(i64::to_string).collect();
        let allowed: Vec<&str> = allowed.iter().map(String::as_str).collect();
        constraints.one_of("retentionInDays", Some(&days.to_string()), &allowed);
    }
    constraints.check()?;
    retain(ask, input.log_group_name.unwrap_or_default(), input.retention_in_days).await
}

pub(super) async fn delete_retention(ask: &Ask<'_>) -> Result<Option<Value>, Fault> {
    let name = named(ask)?;
    retain(ask, name, None).await
}

async fn retain(ask: &Ask<'_>, name: String, days: Option<i64>) -> Result<Option<Value>, Fault> {
    let changed = ask
        .shared
        .store
        .write(move |tx| tx.execute("UPDATE log_group SET retention_days = ?2 WHERE name = ?1", params![name, days]))
        .await?;
    if changed == 1 { Ok(None) } else { Err(Fault::no_group()) }
}
