//! What the AWS clients share: the account they speak for, and the meaning of AWS's errors.

mod refusal;

use std::sync::Arc;
use std::time::Duration;

use aws_config::default_provider::credentials::DefaultCredentialsChain;
use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::imds;
use aws_config::meta::region::RegionProviderChain;
use aws_config::profile::ProfileFileRegionProvider;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_xray::config::retry::RetryConfig;
use aws_sdk_xray::config::timeout::TimeoutConfig;
use aws_sdk_xray::config::{
    Credentials, ProvideCredentials, SharedCredentialsProvider, SharedHttpClient, StalledStreamProtectionConfig,
};
use aws_smithy_http_client::tls::{self, rustls_provider::CryptoMode};
use tokio::sync::OnceCell;

use super::{DEADLINE, transport, trouble};
use crate::facts::{Secret, Trouble};

/// Where a machine's own credentials are looked for, at the most this long: not every machine is in EC2.
const METADATA_DEADLINE: Duration = Duration::from_millis(500);

/// An account, region and endpoint: what a client is made from. Cheap to clone; the clones share one session, and
/// nothing is looked up before the first request.
#[derive(Debug, Clone)]
pub struct Account {
    region: Option<String>,
    endpoint: Option<String>,
    keys: Option<Keys>,
    deadline: Duration,
    session: Arc<OnceCell<SdkConfig>>,
}

/// An access key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Keys {
    /// `AWS_ACCESS_KEY_ID`.
    pub access_key_id: Secret,
    /// `AWS_SECRET_ACCESS_KEY`.
    pub secret_access_key: Secret,
    /// `AWS_SESSION_TOKEN`, of a temporary key.
    pub session_token: Option<Secret>,
}

impl Account {
    /// The account that the keys belong to; without keys, the one that the environment, the AWS profile, the container or
    /// the machine gives (the SDK's default chain). Without a region, the environment's or the profile's.
    #[must_use]
    pub fn new(region: Option<String>, keys: Option<Keys>) -> Self {
        Self { region, endpoint: None, keys, deadline: DEADLINE, session: Arc::default() }
    }

    /// The same account at another endpoint than AWS's own.
    #[must_use]
    pub fn with_endpoint(mut self, endpoint: impl Into<String>) -> Self {
        self.endpoint = Some(endpoint.into());
        self.session = Arc::default();
        self
    }

    /// The same account with another deadline for each request.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.deadline = deadline;
        self.session = Arc::default();
        self
    }

    /// Whether the endpoint is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.endpoint.as_deref().is_some_and(transport::is_loopback)
    }

    /// Where one of AWS's services is in the account's region, `xray` or `logs` say.
    ///
    /// # Errors
    /// When no region is set, or none that there could be.
    pub async fn address_of(&self, service: &str) -> Result<String, Trouble> {
        if let Some(endpoint) = &self.endpoint {
            return Ok(endpoint.clone());
        }
        let region = self.region().await?;
        // Two of AWS's partitions have domains of their own.
        let domain = match region.as_ref() {
            region if region.starts_with("cn-") => "amazonaws.com.cn",
            region if region.starts_with("eusc-") => "amazonaws.eu",
            _ => "amazonaws.com",
        };
        Ok(format!("https://{service}.{region}.{domain}"))
    }

    /// The SDK's configuration; found out once.
    pub(super) async fn session(&self) -> Result<&SdkConfig, Trouble> {
        self.session.get_or_try_init(|| Box::pin(self.open())).await
    }

    async fn open(&self) -> Result<SdkConfig, Trouble> {
        let region = self.region().await?;
        let timeouts = TimeoutConfig::builder()
            .connect_timeout(self.deadline.min(Duration::from_secs(5)))
            .operation_timeout(self.deadline)
            .operation_attempt_timeout(self.deadline)
            .build();
        // The endpoint variables of the environment (`AWS_ENDPOINT_URL`) are not read: a shell that is set up for a
        // sandbox must not turn a live run into one.
        let mut config = SdkConfig::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(region.clone())
            .credentials_provider(self.credentials(region).await?)
            .timeout_config(timeouts)
            // The engine asks again by itself, and wants to know at once when it is throttled.
            .retry_config(RetryConfig::disabled())
            // The answers are small and have a deadline.
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled());
        config.set_endpoint_url(self.endpoint.clone());
        if self.is_loopback() {
            config.set_http_client(Some(self.direct_client()));
        }
        Ok(config.build())
    }

    /// The default client asks the proxy that the environment names, for loopback too; this one asks none.
    fn direct_client(&self) -> SharedHttpClient {
        let builder = aws_smithy_http_client::Builder::new();
        if self.endpoint.as_deref().is_some_and(|endpoint| endpoint.starts_with("http://")) {
            // The system's certificates need not be read.
            builder.build_http()
        } else {
            builder.tls_provider(tls::Provider::Rustls(CryptoMode::AwsLc)).build_https()
        }
    }

    async fn region(&self) -> Result<Region, Trouble> {
        let remedy = "set `AWS_DEFAULT_REGION` to the region that the service uses, such as `ca-central-1`";
        let region = match self.region.as_deref().map(str::trim).filter(|region| !region.is_empty()) {
            Some(region) => Region::new(region.to_owned()),
            None => RegionProviderChain::first_try(EnvironmentVariableRegionProvider::new())
                .or_else(ProfileFileRegionProvider::new())
                .region()
                .await
                .ok_or_else(|| trouble::lasting("no AWS region is set", remedy))?,
        };
        // A wrong name would show as an unknown host, after a wait.
        if self.endpoint.is_none() && !looks_like_region(region.as_ref()) {
            return Err(trouble::lasting(format!("there is no AWS region `{region}`"), remedy));
        }
        Ok(region)
    }

    async fn credentials(&self, region: Region) -> Result<SharedCredentialsProvider, Trouble> {
        if let Some(keys) = &self.keys {
            for (name, value) in [("AWS_ACCESS_KEY_ID", &keys.access_key_id), ("AWS_SECRET_ACCESS_KEY", &keys.secret_access_key)]
            {
                if value.is_blank() {
                    return Err(trouble::lasting(
                        format!("`{name}` is blank ({})", value.describe()),
                        format!("set `{name}` to the access key's value: in AWS under IAM, Users, Security credentials"),
                    ));
                }
            }
            let token =
                keys.session_token.as_ref().filter(|token| !token.is_blank()).map(|token| token.expose().trim().to_owned());
            let keys = Credentials::new(
                keys.access_key_id.expose().trim(),
                keys.secret_access_key.expose().trim(),
                token,
                None,
                "handed-in",
            );
            return Ok(SharedCredentialsProvider::new(keys));
        }
        let metadata = imds::Client::builder()
            .max_attempts(1)
            .connect_timeout(METADATA_DEADLINE)
            .read_timeout(METADATA_DEADLINE)
            .operation_timeout(METADATA_DEADLINE * 2)
            .build();
        let chain = DefaultCredentialsChain::builder().region(region).imds_client(metadata).build().await;
        // Asked here once, so that missing credentials are told apart from a request that failed.
        match tokio::time::timeout(self.deadline, chain.provide_credentials()).await {
            Ok(Ok(_)) => Ok(SharedCredentialsProvider::new(chain)),
            Ok(Err(error)) => Err(refusal::no_credentials(&error)),
            Err(_) => Err(trouble::passing(
                "the AWS credentials could not be had in time",
                "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY`, which need no look-up",
            )),
        }
    }
}

/// Whether a text has the form of a region's code: `ca-central-1`, `us-gov-west-1`, `eusc-de-east-1`.
#[must_use]
pub fn looks_like_region(name: &str) -> bool {
    let parts: Vec<&str> = name.split('-').collect();
    let letters = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_lowercase());
    let [first, .., _, last] = parts.as_slice() else { return false };
    let known_length = first.len() == 2 || *first == "eusc";
    known_length
        && parts[..parts.len() - 1].iter().all(letters)
        && !last.is_empty()
        && last.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_are_told_from_typos() {
        for region in ["ca-central-1", "us-east-1", "us-gov-west-1", "ap-southeast-2", "eusc-de-east-1"] {
            assert!(looks_like_region(region), "{region}");
        }
        for typo in ["can-central-1", "ca-central", "ca_central_1", "", "1", "ca-central-", "Canada"] {
            assert!(!looks_like_region(typo), "{typo}");
        }
    }

    fn keys(id: &str, secret: &str) -> Keys {
        Keys { access_key_id: Secret::new(id), secret_access_key: Secret::new(secret), session_token: None }
    }

    #[tokio::test]
    async fn a_wrong_region_and_blank_keys_are_told_before_anything_is_sent() {
        let typo = Account::new(Some(String::from("can-central-1")), Some(keys("a", "b"))).session().await.unwrap_err();
        assert!(typo.cause.contains("`can-central-1`") && typo.remedy.contains("AWS_DEFAULT_REGION"), "{typo:?}");
        let blank = Account::new(Some(String::from("ca-central-1")), Some(keys("AKIA", " "))).session().await.unwrap_err();
        assert!(blank.cause.contains("`AWS_SECRET_ACCESS_KEY` is blank (1 characters"), "{blank:?}");
    }

    #[tokio::test]
    async fn the_clones_share_a_session_and_its_debug_form_shows_no_key() {
        let account = Account::new(Some(String::from("ca-central-1")), Some(keys("AKIASECRETID", "verysecret")));
        let clone = account.clone();
        assert!(std::ptr::eq(account.session().await.unwrap(), clone.session().await.unwrap()));
        let shown = format!("{account:?}");
        assert!(!shown.contains("verysecret"), "{shown}");
    }

    #[test]
    fn the_reason_for_missing_credentials_is_kept() {
        let nowhere = refusal::no_credentials(&std::io::Error::other("no credentials found in chain. Attempted: Environment: …"));
        assert_eq!(nowhere.cause, "no AWS credentials were found");
        let trouble = refusal::no_credentials(&std::io::Error::other("the profile `x` does not exist"));
        assert!(
            !trouble.passing
                && trouble.cause.contains("the profile `x` does not exist")
                && trouble.remedy.contains("AWS_ACCESS_KEY_ID")
        );
    }
}
