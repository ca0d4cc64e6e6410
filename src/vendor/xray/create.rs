use std::error::Error;
use std::fmt;

use aws_sdk_xray::config::http::HttpResponse;
use aws_sdk_xray::error::{ProvideErrorMetadata, SdkError};
use aws_sdk_xray::types::SamplingRule;
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

impl Client {
    /// Creates a group. One that is there already is left as it is.
    ///
    /// # Errors
    /// When the input is none, or X-Ray did not take it.
    pub async fn create_group(&self, input: &Value) -> Result<(), Trouble> {
        let input: GroupInput = read(input)?;
        let request = self.sdk().await?.create_group().group_name(input.group_name);
        let answer = request.set_filter_expression(input.filter_expression).send().await;
        self.settled("xray:CreateGroup", answer)
    }

    /// Creates a sampling rule. One that is there already is left as it is.
    ///
    /// # Errors
    /// When the input is none, or X-Ray did not take it.
    pub async fn create_sampling_rule(&self, input: &Value) -> Result<(), Trouble> {
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

    fn settled<T, E>(&self, action: &str, answer: Result<T, SdkError<E, HttpResponse>>) -> Result<(), Trouble>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let Err(error) = answer else { return Ok(()) };
        // X-Ray has no error of its own for this.
        let there =
            error.as_service_error().and_then(|error| error.meta().message()).is_some_and(|said| said.contains("already exists"));
        if there { Ok(()) } else { Err(self.account.trouble(XRAY, action, &error)) }
    }
}

fn read<T: DeserializeOwned>(input: &Value) -> Result<T, Trouble> {
    T::deserialize(input).map_err(|error| wrong_input(&error))
}

fn wrong_input(error: &impl fmt::Display) -> Trouble {
    trouble::lasting(format!("the lesson's action is not one that X-Ray takes: {error}"), "correct the lesson's JSON block")
}
