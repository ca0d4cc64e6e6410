//! Sampling rules.

use std::collections::BTreeMap;

use http::StatusCode;
use rusqlite::{Connection, OptionalExtension as _, params};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::credential::Caller;
use super::failure::Failure;
use super::tag::{self, Tag};
use super::timestamp::Seconds;
use super::{Change, parse_body, tables};
use crate::sandbox::{Shared, now_ms};

/// The rule that every account has: one request a second, and 5 % of the rest.
const DEFAULT: &str = "Default";

/// How many rules one may make.
const MOST: i64 = 25;

/// A sampling rule. Members are optional, because an update names only what it changes.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub(super) struct Rule {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rule_name: Option<String>,
    #[serde(rename = "RuleARN", skip_serializing_if = "Option::is_none")]
    pub rule_arn: Option<String>,
    #[serde(rename = "ResourceARN", skip_serializing_if = "Option::is_none")]
    pub resource_arn: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub priority: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fixed_rate: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reservoir_size: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_name: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_type: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    #[serde(rename = "HTTPMethod", skip_serializing_if = "Option::is_none")]
    pub http_method: Option<String>,
    #[serde(rename = "URLPath", skip_serializing_if = "Option::is_none")]
    pub url_path: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<i64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attributes: Option<BTreeMap<String, String>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sampling_rate_boost: Option<Value>,
}

/// A rule with its times.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub rule: Rule,
    pub created_ms: i64,
    pub modified_ms: i64,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Create {
    sampling_rule: Option<Rule>,
    tags: Option<Vec<Tag>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Update {
    sampling_rule_update: Option<Rule>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Delete {
    rule_name: Option<String>,
    #[serde(rename = "RuleARN")]
    rule_arn: Option<String>,
}

impl Rule {
    fn check_limits(&self) -> Result<(), Failure> {
        let texts = [
            ("ruleName", &self.rule_name, 1, 32),
            ("serviceName", &self.service_name, 0, 64),
            ("serviceType", &self.service_type, 0, 64),
            ("host", &self.host, 0, 64),
            ("HTTPMethod", &self.http_method, 0, 10),
            ("URLPath", &self.url_path, 0, 128),
            ("resourceARN", &self.resource_arn, 0, 500),
        ];
        for (member, value, least, most) in texts {
            if let Some(value) = value {
                let length = value.chars().count();
                if length < least || length > most {
                    let member = format!("samplingRule.{member}");
                    let bound = if length > most {
                        format!("less than or equal to {most}")
                    } else {
                        format!("greater than or equal to {least}")
                    };
                    return Err(Failure::constraint(value, &member, &format!("have length {bound}")));
                }
            }
        }
        let out = |value: String, member: &str, bound: &str| {
            Err(Failure::constraint(&value, &format!("samplingRule.{member}"), &format!("have value {bound}")))
        };
        match self {
            Self { priority: Some(value @ ..1), .. } => out(value.to_string(), "priority", "greater than or equal to 1"),
            Self { priority: Some(value @ 10_000..), .. } => out(value.to_string(), "priority", "less than or equal to 9999"),
            Self { fixed_rate: Some(value), .. } if *value < 0.0 => {
                out(value.to_string(), "fixedRate", "greater than or equal to 0")
            }
            Self { fixed_rate: Some(value), .. } if *value > 1.0 => {
                out(value.to_string(), "fixedRate", "less than or equal to 1")
            }
            Self { reservoir_size: Some(value @ ..0), .. } => {
                out(value.to_string(), "reservoirSize", "greater than or equal to 0")
            }
            Self { version: Some(value @ ..1), .. } => out(value.to_string(), "version", "greater than or equal to 1"),
            Self { attributes: Some(attributes), .. } => check_attributes(attributes),
            _ => Ok(()),
        }
    }

    fn check_complete(&self) -> Result<(), Failure> {
        let members = [
            ("resourceARN", self.resource_arn.is_some()),
            ("priority", self.priority.is_some()),
            ("fixedRate", self.fixed_rate.is_some()),
            ("reservoirSize", self.reservoir_size.is_some()),
            ("serviceName", self.service_name.is_some()),
            ("serviceType", self.service_type.is_some()),
            ("host", self.host.is_some()),
            ("HTTPMethod", self.http_method.is_some()),
            ("URLPath", self.url_path.is_some()),
            ("version", self.version.is_some()),
        ];
        match members.iter().find(|(_, there)| !there) {
            Some((member, _)) => Err(Failure::missing(&format!("samplingRule.{member}"))),
            None => Ok(()),
        }
    }

    fn apply(&mut self, update: Self) {
        fn change<T>(place: &mut Option<T>, value: Option<T>) {
            if value.is_some() {
                *place = value;
            }
        }
        change(&mut self.resource_arn, update.resource_arn);
        change(&mut self.priority, update.priority);
        change(&mut self.fixed_rate, update.fixed_rate);
        change(&mut self.reservoir_size, update.reservoir_size);
        change(&mut self.service_name, update.service_name);
        change(&mut self.service_type, update.service_type);
        change(&mut self.host, update.host);
        change(&mut self.http_method, update.http_method);
        change(&mut self.url_path, update.url_path);
        change(&mut self.attributes, update.attributes);
        change(&mut self.sampling_rate_boost, update.sampling_rate_boost);
    }

    /// Whether an update touches what the default rule does not let go of.
    fn is_more_than_rates(&self) -> bool {
        let rates = Self {
            rule_name: self.rule_name.clone(),
            rule_arn: self.rule_arn.clone(),
            fixed_rate: self.fixed_rate,
            reservoir_size: self.reservoir_size,
            ..Self::default()
        };
        *self != rates
    }
}

fn check_attributes(attributes: &BTreeMap<String, String>) -> Result<(), Failure> {
    let fits = |text: &str| (1..=32).contains(&text.chars().count());
    if attributes.len() > 5 {
        return Err(Failure::constraint(&attributes.len().to_string(), "samplingRule.attributes", "have at most 5 entries"));
    }
    match attributes.iter().find(|(key, value)| !fits(key) || !fits(value)) {
        Some((key, _)) => Err(Failure::constraint(key, "samplingRule.attributes", "have keys and values of length 1 to 32")),
        None => Ok(()),
    }
}

impl Record {
    fn json(&self, caller: &Caller) -> Value {
        let mut rule = self.rule.clone();
        rule.rule_arn = rule.rule_name.as_deref().map(|name| caller.arn(&resource(name)));
        json!({
            "SamplingRule": rule,
            "CreatedAt": Seconds::from_ms(self.created_ms),
            "ModifiedAt": Seconds::from_ms(self.modified_ms),
        })
    }

    fn save(&self, connection: &Connection) -> rusqlite::Result<()> {
        let body = serde_json::to_string(&self.rule).map_err(|error| rusqlite::Error::ToSqlConversionFailure(error.into()))?;
        connection.execute(
            "INSERT INTO xray_rule VALUES (?1, ?2, ?3, ?4) ON CONFLICT (name) DO UPDATE SET body = ?2, modified_ms = ?4",
            params![self.rule.rule_name, body, self.created_ms, self.modified_ms],
        )?;
        tables::set(connection, MODIFIED, &self.modified_ms.to_string())
    }
}

/// The setting that holds the time of the last change to any rule, in Unix milliseconds.
const MODIFIED: &str = "last-rule-modification";

/// The part of a rule's ARN after the account.
pub(super) fn resource(name: &str) -> String {
    format!("sampling-rule/{name}")
}

/// The name of a rule that was given by name or by ARN.
pub(super) fn named(name: Option<&str>, arn: Option<&str>) -> Result<String, Failure> {
    match (name.filter(|name| !name.is_empty()), arn) {
        (Some(_), Some(_)) => Err(Failure::invalid("Specify a rule by either name or ARN, but not both")),
        (Some(name), None) => Ok(name.to_owned()),
        (None, Some(arn)) => {
            let name = arn.split_once(":sampling-rule/").map(|(_, name)| name.to_owned());
            name.ok_or_else(|| Failure::invalid("Invalid sampling rule ARN"))
        }
        (None, None) => Err(Failure::invalid("Either RuleName or RuleARN is required")),
    }
}

fn unknown() -> Failure {
    Failure::invalid("Sampling rule does not exist")
}

/// The rule of this name.
pub(super) fn find(connection: &Connection, name: &str) -> rusqlite::Result<Option<Record>> {
    connection
        .prepare_cached("SELECT body, created_ms, modified_ms FROM xray_rule WHERE name = ?1")?
        .query_row([name], from_row)
        .optional()
}

fn from_row(row: &rusqlite::Row<'_>) -> rusqlite::Result<Record> {
    let body: String = row.get(0)?;
    let rule = serde_json::from_str(&body)
        .map_err(|error| rusqlite::Error::FromSqlConversionFailure(0, rusqlite::types::Type::Text, error.into()))?;
    Ok(Record { rule, created_ms: row.get(1)?, modified_ms: row.get(2)? })
}

/// When any rule was last changed, in Unix milliseconds.
pub(super) fn last_modified(connection: &Connection) -> rusqlite::Result<i64> {
    Ok(tables::setting(connection, MODIFIED)?.and_then(|value| value.parse().ok()).unwrap_or_default())
}

/// Answers `CreateSamplingRule`.
pub(super) async fn create_sampling_rule(shared: &Shared, caller: &Caller, body: &[u8]) -> Result<Value, Failure> {
    let input: Create = parse_body(body)?;
    let mut rule = input.sampling_rule.ok_or_else(|| Failure::missing("samplingRule"))?;
    rule.check_complete()?;
    rule.check_limits()?;
    let name = named(rule.rule_name.as_deref(), rule.rule_arn.as_deref())?;
    if rule.version != Some(1) {
        return Err(Failure::invalid("Version of a sampling rule must be 1"));
    }
    let tags = tag::checked(input.tags.unwrap_or_default())?;
    rule.rule_name = Some(name.clone());
    rule.rule_arn = None;
    rule.attributes.get_or_insert_default();
    let now = now_ms();
    let record = Record { rule, created_ms: now, modified_ms: now };
    let answer = json!({ "SamplingRuleRecord": record.json(caller) });
    shared
        .store
        .write(move |connection| {
            if find(connection, &name)?.is_some() {
                return Ok(Change::Refused(Failure::invalid(format!("Sampling rule {name} already exists"))));
            }
            let count: i64 = connection.query_row("SELECT count(*) FROM xray_rule", [], |row| row.get(0))?;
            if count > MOST {
                let message = format!("The limit of {MOST} sampling rules is exceeded");
                return Ok(Change::Refused(Failure::new(StatusCode::BAD_REQUEST, "RuleLimitExceededException", message)));
            }
            record.save(connection)?;
            tag::add(connection, &resource(&name), &tags)?;
            Ok(Change::Made(()))
        })
        .await?
        .into_result()?;
    Ok(answer)
}

/// Answers `UpdateSamplingRule`.
pub(super) async fn update_sampling_rule(shared: &Shared, caller: &Caller, body: &[u8]) -> Result<Value, Failure> {
    let input: Update = parse_body(body)?;
    let update = input.sampling_rule_update.ok_or_else(|| Failure::missing("samplingRuleUpdate"))?;
    update.check_limits()?;
    let name = named(update.rule_name.as_deref(), update.rule_arn.as_deref())?;
    if name == DEFAULT && update.is_more_than_rates() {
        return Err(Failure::invalid("Only the fixed rate and the reservoir size of the Default rule can be changed"));
    }
    let now = now_ms();
    let record = shared
        .store
        .write(move |connection| {
            let Some(mut record) = find(connection, &name)? else { return Ok(Change::Refused(unknown())) };
            record.rule.apply(update);
            record.modified_ms = now;
            record.save(connection)?;
            Ok(Change::Made(record))
        })
        .await?
        .into_result()?;
    Ok(json!({ "SamplingRuleRecord": record.json(caller) }))
}

/// Answers `DeleteSamplingRule`.
pub(super) async fn delete_sampling_rule(shared: &Shared, caller: &Caller, body: &[u8]) -> Result<Value, Failure> {
    let input: Delete = parse_body(body)?;
    let name = named(input.rule_name.as_deref(), input.rule_arn.as_deref())?;
    if name == DEFAULT {
        return Err(Failure::invalid("The Default rule cannot be deleted"));
    }
    let now = now_ms();
    let record = shared
        .store
        .write(move |connection| {
            let Some(record) = find(connection, &name)? else { return Ok(Change::Refused(unknown())) };
            connection.execute("DELETE FROM xray_rule WHERE name = ?1", [&name])?;
            tag::forget(connection, &resource(&name))?;
            tables::set(connection, MODIFIED, &now.to_string())?;
            Ok(Change::Made(record))
        })
        .await?
        .into_result()?;
    Ok(json!({ "SamplingRuleRecord": record.json(caller) }))
}

/// Answers `GetSamplingRules`.
pub(super) async fn get_sampling_rules(shared: &Shared, caller: &Caller) -> Result<Value, Failure> {
    let records: Vec<Record> = shared
        .store
        .read(|connection| {
            let mut statement = connection.prepare_cached("SELECT body, created_ms, modified_ms FROM xray_rule ORDER BY name")?;
            statement.query_map([], from_row)?.collect()
        })
        .await?;
    let records: Vec<Value> = records.iter().map(|record| record.json(caller)).collect();
    Ok(json!({ "SamplingRuleRecords": records }))
}
