//! Groups: a name for a filter expression.

use rusqlite::{Connection, OptionalExtension as _, Row, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::credential::Caller;
use super::failure::Failure;
use super::tag::{self, Tag};
use super::{Change, parse_body, summary};
use crate::sandbox::Shared;

/// The group that every account has, and that holds every trace.
const DEFAULT: &str = "Default";

/// How many groups one may make.
const MOST: i64 = 25;

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "PascalCase")]
struct Input {
    group_name: Option<String>,
    #[serde(rename = "GroupARN")]
    group_arn: Option<String>,
    filter_expression: Option<String>,
    insights_configuration: Option<Insights>,
    tags: Option<Vec<Tag>>,
}

#[derive(Debug, Deserialize, Clone, Copy, Default)]
#[serde(rename_all = "PascalCase")]
struct Insights {
    insights_enabled: Option<bool>,
    notifications_enabled: Option<bool>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Group {
    name: String,
    filter: String,
    insights: bool,
    notifications: bool,
}

impl Group {
    fn from_row(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Self { name: row.get(0)?, filter: row.get(1)?, insights: row.get(2)?, notifications: row.get(3)? })
    }

    fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<Self>> {
        connection
            .prepare_cached("SELECT name, filter, insights, notifications FROM xray_group WHERE name = ?1")?
            .query_row([name], Self::from_row)
            .optional()
    }

    fn save(&self, connection: &Connection) -> rusqlite::Result<()> {
        connection
            .execute(
                "INSERT INTO xray_group VALUES (?1, ?2, ?3, ?4)
                 ON CONFLICT (name) DO UPDATE SET filter = ?2, insights = ?3, notifications = ?4",
                params![self.name, self.filter, self.insights, self.notifications],
            )
            .map(drop)
    }

    fn set(&mut self, insights: Insights) -> Result<(), Failure> {
        self.insights = insights.insights_enabled.unwrap_or(self.insights);
        self.notifications = insights.notifications_enabled.unwrap_or(self.notifications && self.insights);
        if self.notifications && !self.insights {
            return Err(Failure::invalid("Notifications can only be enabled on a group with insights enabled"));
        }
        Ok(())
    }

    fn json(&self, caller: &Caller) -> Value {
        let mut group = json!({
            "GroupName": self.name,
            "GroupARN": caller.arn(&resource(&self.name)),
            "InsightsConfiguration": { "InsightsEnabled": self.insights, "NotificationsEnabled": self.notifications },
        });
        if self.name != DEFAULT {
            group["FilterExpression"] = json!(self.filter);
        }
        group
    }
}

/// The part of a group's ARN after the account.
pub(super) fn resource(name: &str) -> String {
    if name == DEFAULT {
        return String::from("group/Default");
    }
    // AWS ends the ARN with a token of its own making; here it follows from the name.
    let token = uuid::Uuid::from_u64_pair(hash(name, 0x9e37_79b9), hash(name, 0x85eb_ca6b)).simple().to_string();
    format!("group/{name}/{}", token.to_ascii_uppercase())
}

fn hash(text: &str, seed: u64) -> u64 {
    text.bytes().fold(0xcbf2_9ce4_8422_2325 ^ seed, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// There is no such group.
pub(super) fn unknown() -> Failure {
    Failure::invalid("Group not found")
}

/// The name of a group that was given by name or by ARN.
pub(super) fn named(name: Option<String>, arn: Option<String>) -> Result<String, Failure> {
    match (name, arn) {
        (Some(name), _) if !name.is_empty() => Ok(name),
        (_, Some(arn)) => {
            let rest = arn.split_once(":group/").map(|(_, rest)| rest).ok_or_else(|| Failure::invalid("Invalid group ARN"))?;
            let name = rest.split('/').next().unwrap_or_default();
            // The token belongs to the name: another one means a group that was made anew.
            if format!("group/{rest}") == resource(name) { Ok(name.to_owned()) } else { Err(unknown()) }
        }
        _ => Err(Failure::invalid("Either GroupName or GroupARN is required")),
    }
}

/// Answers `CreateGroup`.
pub(super) async fn create_group(shared: &Shared, caller: &Caller, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let name = input.group_name.ok_or_else(|| Failure::missing("groupName"))?;
    let length = name.chars().count();
    if !(1..=32).contains(&length) {
        return Err(Failure::constraint(
            &name,
            "groupName",
            "have length greater than or equal to 1 and less than or equal to 32",
        ));
    }
    if name.trim() != name || name.contains(['/', ':']) || name.chars().any(char::is_control) {
        return Err(Failure::constraint(&name, "groupName", "contain no `/`, `:`, control characters or outer spaces"));
    }
    if name == DEFAULT {
        return Err(Failure::invalid("Default is a reserved group name"));
    }
    let filter = input.filter_expression.unwrap_or_default();
    summary::expression(Some(&filter))?;
    let mut group = Group { name, filter, insights: false, notifications: false };
    group.set(input.insights_configuration.unwrap_or_default())?;
    let tags = tag::checked(input.tags.unwrap_or_default())?;
    let answer = json!({ "Group": group.json(caller) });
    shared
        .store
        .write(move |connection| {
            if Group::find(connection, &group.name)?.is_some() {
                return Ok(Change::Refused(Failure::invalid(format!("Group {} already exists", group.name))));
            }
            let count: i64 = connection.query_row("SELECT count(*) FROM xray_group", [], |row| row.get(0))?;
            if count > MOST {
                return Ok(Change::Refused(Failure::invalid(format!("The limit of {MOST} groups is exceeded"))));
            }
            group.save(connection)?;
            tag::add(connection, &resource(&group.name), &tags)?;
            Ok(Change::Made(()))
        })
        .await?
        .into_result()?;
    Ok(answer)
}

/// Answers `UpdateGroup`.
pub(super) async fn update_group(shared: &Shared, caller: &Caller, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let name = named(input.group_name, input.group_arn)?;
    summary::expression(input.filter_expression.as_deref())?;
    if name == DEFAULT && input.filter_expression.is_some() {
        return Err(Failure::invalid("The filter expression of the Default group cannot be changed"));
    }
    let group = shared
        .store
        .write(move |connection| {
            let Some(mut group) = Group::find(connection, &name)? else { return Ok(Change::Refused(unknown())) };
            if let Some(filter) = input.filter_expression {
                group.filter = filter;
            }
            if let Err(failure) = group.set(input.insights_configuration.unwrap_or_default()) {
                return Ok(Change::Refused(failure));
            }
            group.save(connection)?;
            Ok(Change::Made(group))
        })
        .await?
        .into_result()?;
    Ok(json!({ "Group": group.json(caller) }))
}

/// Answers `DeleteGroup`.
pub(super) async fn delete_group(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let name = named(input.group_name, input.group_arn)?;
    if name == DEFAULT {
        return Err(Failure::invalid("The Default group cannot be deleted"));
    }
    let deleted = shared
        .store
        .write(move |connection| {
            tag::forget(connection, &resource(&name))?;
            connection.execute("DELETE FROM xray_group WHERE name = ?1", [&name])
        })
        .await?;
    if deleted == 0 { Err(unknown()) } else { Ok(json!({})) }
}

/// Answers `GetGroup`.
pub(super) async fn get_group(shared: &Shared, caller: &Caller, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let name = named(input.group_name, input.group_arn)?;
    let group = shared.store.read(move |connection| Group::find(connection, &name)).await?.ok_or_else(unknown)?;
    Ok(json!({ "Group": group.json(caller) }))
}

/// Answers `GetGroups`.
pub(super) async fn get_groups(shared: &Shared, caller: &Caller) -> Result<Value, Failure> {
    let groups: Vec<Group> = shared
        .store
        .read(|connection| {
            let mut statement =
                connection.prepare_cached("SELECT name, filter, insights, notifications FROM xray_group ORDER BY name")?;
            statement.query_map([], Group::from_row)?.collect()
        })
        .await?;
    let groups: Vec<Value> = groups.iter().map(|group| group.json(caller)).collect();
    Ok(json!({ "Groups": groups }))
}
