use std::error::Error;
use std::fmt;

use aws_sdk_xray::config::http::HttpResponse;
use aws_sdk_xray::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_xray::types::{SamplingRule, SamplingRuleUpdate};
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::{Client, XRAY, trouble};
use crate::facts::Trouble;

/// The input of `CreateGroup`, as `aws xray create-group --cli-input-json` takes it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct GroupInput {
    group_name: String,
    filter_expression: Option<String>,
}

/// The input of `CreateSamplingRule`.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleInput {
    sampling_rule: RuleFields,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RuleFields {
    rule_name: String,
    #[serde(rename = "ResourceARN")]
    resource_arn: String,
    priority: i32,
    fixed_rate: f64,
    reservoir_size: i32,
    service_name: String,
    service_type: String,
    host: String,
    #[serde(rename = "HTTPMethod")]
    http_method: String,
    #[serde(rename = "URLPath")]
    url_path: String,
    version: i32,
}

impl RuleFields {
    /// Whether a rule is as asked for.
    fn is(&self, rule: &crate::facts::SamplingRule) -> bool {
        let numbers = (i64::from(self.priority), i64::from(self.reservoir_size), self.fixed_rate.to_bits());
        let theirs = (rule.priority, rule.reservoir_size, rule.fixed_rate.to_bits());
        let texts = [&self.resource_arn, &self.service_name, &self.service_type, &self.host, &self.http_method, &self.url_path];
        numbers == theirs
            && texts
                == [&rule.resource_arn, &rule.service_name, &rule.service_type, &rule.host, &rule.http_method, &rule.url_path]
    }
}

/// What came of asking for something that may be there already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Put {
    /// It was not there, and is now.
    Created,
    /// It was there, and was otherwise than asked for.
    Updated,
    /// It was there, as asked for.
    AsItWas,
}

impl Client {
    /// Creates a group, or changes one of that name to what is asked for.
    ///
    /// # Errors
    /// When the input is none, or X-Ray did not take it.
    pub async fn put_group(&self, input: &Value) -> Result<Put, Trouble> {
        let wanted: GroupInput = read(input)?;
        if self.create_group(input).await? {
            return Ok(Put::Created);
        }
        let sdk = self.sdk().await?;
        let there = self.groups(sdk).await?.into_iter().find(|group| group.name == wanted.group_name);
        let filter = wanted.filter_expression.unwrap_or_default();
        if there.is_some_and(|there| there.filter == filter) {
            return Ok(Put::AsItWas);
        }
        let answer = sdk.update_group().group_name(wanted.group_name).filter_expression(filter).send().await;
        answer.map_err(|error| self.account.trouble(XRAY, "xray:UpdateGroup", &error))?;
        Ok(Put::Updated)
    }

    /// Creates a sampling rule, or changes one of that name to what is asked for.
    ///
    /// # Errors
    /// When the input is none, or X-Ray did not take it.
    pub async fn put_sampling_rule(&self, input: &Value) -> Result<Put, Trouble> {
        let RuleInput { sampling_rule: wanted } = read(input)?;
        if self.create_sampling_rule(input).await? {
            return Ok(Put::Created);
        }
        let sdk = self.sdk().await?;
        let there = self.rules(sdk).await?.into_iter().find(|rule| rule.name == wanted.rule_name);
        if there.is_some_and(|there| wanted.is(&there)) {
            return Ok(Put::AsItWas);
        }
        let update = SamplingRuleUpdate::builder()
            .rule_name(wanted.rule_name)
            .resource_arn(wanted.resource_arn)
            .priority(wanted.priority)
            .fixed_rate(wanted.fixed_rate)
            .reservoir_size(wanted.reservoir_size)
            .service_name(wanted.service_name)
            .service_type(wanted.service_type)
            .host(wanted.host)
            .http_method(wanted.http_method)
            .url_path(wanted.url_path)
            .build();
        let answer = sdk.update_sampling_rule().sampling_rule_update(update).send().await;
        answer.map_err(|error| self.account.trouble(XRAY, "xray:UpdateSamplingRule", &error))?;
        Ok(Put::Updated)
    }

    /// Creates a group, and says whether it did: one that is there already is left as it is.
    ///
    /// # Errors
    /// When the input is none, or X-Ray did not take it.
    pub async fn create_group(&self, input: &Value) -> Result<bool, Trouble> {
        let input: GroupInput = read(input)?;
        let request = self.sdk().await?.create_group().group_name(input.group_name);
        let answer = request.set_filter_expression(input.filter_expression).send().await;
        self.settled("xray:CreateGroup", answer)
    }

    /// Creates a sampling rule, and says whether it did: one that is there already is left as it is.
    ///
    /// # Errors
    /// When the input is none, or X-Ray did not take it.
    pub async fn create_sampling_rule(&self, input: &Value) -> Result<bool, Trouble> {
        let RuleInput { sampling_rule: fields } = read(input)?;
        let rule = SamplingRule::builder()
            .rule_name(fields.rule_name)
            .resource_arn(fields.resource_arn)
            .priority(fields.priority)
            .fixed_rate(fields.fixed_rate)
            .reservoir_size(fields.reservoir_size)
            .service_name(fields.service_name)
            .service_type(fields.service_type)
            .host(fields.host)
            .http_method(fields.http_method)
            .url_path(fields.url_path)
            .version(fields.version)
            .build()
            .map_err(|error| wrong_input(&error))?;
        let answer = self.sdk().await?.create_sampling_rule().sampling_rule(rule).send().await;
        self.settled("xray:CreateSamplingRule", answer)
    }

    fn settled<T, E>(&self, action: &str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<bool, Trouble>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Err(error) = answer else { return Ok(true) };
        // X-Ray has no error of its own for this.
        let there =
            error.as_service_error().and_then(|error| error.meta().message()).is_some_and(|said| said.contains("already exists"));
        if there { Ok(false) } else { Err(self.account.trouble(XRAY, action, &error)) }
    }
}

fn read<T: DeserializeOwned>(input: &Value) -> Result<T, Trouble> {
    T::deserialize(input).map_err(|error| wrong_input(&error))
}

fn wrong_input(error: &impl fmt::Display) -> Trouble {
    trouble::lasting(format!("the lesson's action is not one that X-Ray takes: {error}"), "correct the lesson's JSON block")
}
