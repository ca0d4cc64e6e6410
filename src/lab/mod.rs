//! Sandbox or live: endpoints and credentials for the vendors' clients, and the environment for the service.
//!
//! No check and no client knows which of the two it talks to; only this room and `cli` know that a sandbox exists.

mod endpoints;

use std::time::Duration;

use endpoints::Endpoints;

use crate::facts::{Rejection, Secret, Source, TraceId, Trouble};
use crate::sandbox::console;
use crate::sandbox::rejection;
use crate::sandbox::{Addresses, Discovery, Keys, Sandbox};
use crate::service::{Environment, Target, Variables};
use crate::vendor::aws::{self, Account};
use crate::vendor::{cloudwatch, docker, honeycomb, http_client, rollbar, xray};

/// The region that the sandbox is asked under: it answers for any, and one has to be named.
const SANDBOX_REGION: &str = "us-east-1";

/// A client, or why there is none.
type Had<C> = Result<C, Trouble>;

/// The vendors as one run sees them.
pub struct Lab {
    target: Target,
    honeycomb: Had<honeycomb::Client>,
    xray: Had<xray::Client>,
    cloudwatch: Had<cloudwatch::Client>,
    rollbar: Had<rollbar::Client>,
    docker: docker::Client,
    account: Account,
    /// Where Honeycomb and Rollbar are asked.
    places: (String, String),
    endpoints: Endpoints,
    backing: Backing,
}

/// Who answers.
enum Backing {
    /// The vendors themselves.
    Vendors,
    /// A sandbox of ours, which ends with the run.
    Own(Box<Sandbox>),
    /// A sandbox that was running already.
    Running(Box<Discovery>),
}

impl Lab {
    /// A sandbox of one's own, which [`Self::stop`] ends.
    #[must_use]
    pub fn own(sandbox: Sandbox, docker: docker::Client) -> Self {
        let (addresses, keys) = (sandbox.addresses().clone(), sandbox.shared().keys.as_ref().clone());
        Self::sandboxed(&addresses, &keys, docker, Backing::Own(Box::new(sandbox)))
    }

    /// The workspace's sandbox, which was running already and goes on when the run has ended.
    #[must_use]
    pub fn running(found: Discovery, docker: docker::Client) -> Self {
        Self::sandboxed(&found.addresses.clone(), &found.keys.clone(), docker, Backing::Running(Box::new(found)))
    }

    fn sandboxed(addresses: &Addresses, keys: &Keys, docker: docker::Client, backing: Backing) -> Self {
        let base = addresses.http_url();
        let account = Account::new(
            Some(SANDBOX_REGION.to_owned()),
            Some(aws::Keys {
                access_key_id: Secret::new("AKIASANDBOX000000001"),
                secret_access_key: Secret::new("sandbox-secret-access-key"),
                session_token: None,
            }),
        )
        .with_endpoint(&base);
        let http = http_client();
        Self {
            target: Target::Sandbox,
            honeycomb: http
                .clone()
                .map(|http| honeycomb::Client::new(http, &base, Secret::new(keys.honeycomb_configuration.clone()))),
            xray: Ok(xray::Client::new(account.clone())),
            cloudwatch: Ok(cloudwatch::Client::new(account.clone())),
            rollbar: http.map(|http| rollbar::Client::new(http, &base, Secret::new(keys.rollbar_read.clone()))),
            docker,
            account,
            places: (base.clone(), base),
            endpoints: Endpoints::of_sandbox(addresses),
            backing,
        }
    }

    /// The vendors themselves, with the credentials that the shell or `.env` gives.
    #[must_use]
    pub fn live(variables: &Variables, docker: docker::Client) -> Self {
        let value = |name: &str| variables.value(name).filter(|value| !value.trim().is_empty());
        let key = value("HONEYCOMB_CONFIGURATION_KEY").or_else(|| value("HONEYCOMB_API_KEY"));
        let honeycomb = key.ok_or_else(|| {
            missing(
                "no Honeycomb key to read with",
                "set `HONEYCOMB_CONFIGURATION_KEY` to a configuration key that may run queries (Honeycomb: Environment settings, API keys)",
            )
        });
        let honeycomb_url = value("HONEYCOMB_API_ENDPOINT").unwrap_or(honeycomb::ENDPOINT);
        let token = value("ROLLBAR_READ_TOKEN").ok_or_else(|| {
            missing(
                "no Rollbar token to read with",
                "set `ROLLBAR_READ_TOKEN` to a project access token with the scope `read` (Rollbar: Project settings, Access tokens)",
            )
        });
        let keys = match (value("AWS_ACCESS_KEY_ID"), value("AWS_SECRET_ACCESS_KEY")) {
            (Some(id), Some(secret)) => Some(aws::Keys {
                access_key_id: Secret::new(id),
                secret_access_key: Secret::new(secret),
                session_token: value("AWS_SESSION_TOKEN").map(Secret::new),
            }),
            // The default chain: profiles, single sign-on, roles.
            _ => None,
        };
        let region = value("AWS_DEFAULT_REGION").or_else(|| value("AWS_REGION")).map(str::to_owned);
        let account = Account::new(region, keys);
        let http = http_client();
        let with = |http: &Had<reqwest::Client>| http.clone();
        Self {
            target: Target::Live,
            honeycomb: honeycomb.and_then(|key| Ok(honeycomb::Client::new(with(&http)?, honeycomb_url, Secret::new(key)))),
            xray: Ok(xray::Client::new(account.clone())),
            cloudwatch: Ok(cloudwatch::Client::new(account.clone())),
            rollbar: token.and_then(|token| Ok(rollbar::Client::new(with(&http)?, rollbar::ENDPOINT, Secret::new(token)))),
            docker,
            account,
            places: (honeycomb_url.trim().trim_end_matches('/').to_owned(), rollbar::ENDPOINT.to_owned()),
            endpoints: Endpoints::default(),
            backing: Backing::Vendors,
        }
    }

    /// Sandbox or live.
    #[must_use]
    pub fn target(&self) -> Target {
        self.target
    }

    /// The client for Honeycomb.
    ///
    /// # Errors
    /// Why there is none: a missing key, most likely.
    pub fn honeycomb(&self) -> Result<&honeycomb::Client, Trouble> {
        self.honeycomb.as_ref().map_err(Clone::clone)
    }

    /// The client for X-Ray.
    ///
    /// # Errors
    /// Why there is none.
    pub fn xray(&self) -> Result<&xray::Client, Trouble> {
        self.xray.as_ref().map_err(Clone::clone)
    }

    /// The client for CloudWatch Logs.
    ///
    /// # Errors
    /// Why there is none.
    pub fn cloudwatch(&self) -> Result<&cloudwatch::Client, Trouble> {
        self.cloudwatch.as_ref().map_err(Clone::clone)
    }

    /// The client for Rollbar.
    ///
    /// # Errors
    /// Why there is none: a missing token, most likely.
    pub fn rollbar(&self) -> Result<&rollbar::Client, Trouble> {
        self.rollbar.as_ref().map_err(Clone::clone)
    }

    /// Where a vendor's API is asked, for the vendors; `None` for any other source.
    ///
    /// # Errors
    /// When it depends on a region that is not set, or on one that there cannot be.
    pub async fn address(&self, source: Source) -> Result<Option<String>, Trouble> {
        Ok(match source {
            Source::Honeycomb => Some(self.places.0.clone()),
            Source::Rollbar => Some(self.places.1.clone()),
            Source::Xray => Some(self.account.address_of("xray").await?),
            Source::CloudWatch => Some(self.account.address_of("logs").await?),
            Source::Docker | Source::Files | Source::Environment | Source::Http | Source::Output => None,
        })
    }

    /// The client for the Docker engine.
    #[must_use]
    pub fn docker(&self) -> &docker::Client {
        &self.docker
    }

    /// The shortest time between two questions to a source.
    #[must_use]
    pub fn interval(&self, source: Source) -> Duration {
        match source {
            Source::Honeycomb => self.honeycomb.as_ref().map_or(Duration::ZERO, honeycomb::Client::min_interval),
            Source::Xray => self.xray.as_ref().map_or(Duration::ZERO, xray::Client::min_interval),
            Source::CloudWatch => self.cloudwatch.as_ref().map_or(Duration::ZERO, cloudwatch::Client::min_interval),
            Source::Rollbar => self.rollbar.as_ref().map_or(Duration::ZERO, rollbar::Client::min_interval),
            Source::Docker => self.docker.min_interval(),
            Source::Files | Source::Environment | Source::Http | Source::Output => Duration::ZERO,
        }
    }

    /// Points a service's environment at this lab. Live, it stays as it is.
    pub fn equip(&self, environment: &mut Environment) {
        self.endpoints.equip(environment);
    }

    /// What the sandbox has refused since then; nothing where the vendors themselves answer, or the sandbox cannot be asked:
    /// it only explains, it decides nothing.
    pub async fn rejections(&self, since_ms: i64) -> Vec<Rejection> {
        match &self.backing {
            Backing::Vendors => Vec::new(),
            Backing::Own(sandbox) => rejection::since(sandbox.shared(), since_ms).await.unwrap_or_default(),
            Backing::Running(found) => {
                let url = format!("{}/_bootcamp/rejections?since={since_ms}", found.addresses.http_url());
                let Ok(http) = http_client() else { return Vec::new() };
                match http.get(url).timeout(Duration::from_secs(2)).send().await {
                    Ok(response) => response.json().await.unwrap_or_default(),
                    Err(_) => Vec::new(),
                }
            }
        }
    }

    /// The address of the sandbox's console, without a slash at its end; `None` live, where the vendors have their own.
    #[must_use]
    pub fn console(&self) -> Option<String> {
        Some(format!("{}{}", self.addresses()?.http_url(), console::PATH))
    }

    /// The address of a trace's page in the sandbox's console; `None` live.
    #[must_use]
    pub fn console_of(&self, trace: &TraceId) -> Option<String> {
        Some(format!("{}{}", self.addresses()?.http_url(), console::trace_path(trace)))
    }

    /// Where the sandbox listens, if there is one.
    fn addresses(&self) -> Option<&Addresses> {
        match &self.backing {
            Backing::Vendors => None,
            Backing::Own(sandbox) => Some(sandbox.addresses()),
            Backing::Running(found) => Some(&found.addresses),
        }
    }

    /// Ends the sandbox, if it is ours.
    pub async fn stop(self) {
        if let Backing::Own(sandbox) = self.backing {
            sandbox.stop().await;
        }
    }
}

fn missing(cause: &str, remedy: &str) -> Trouble {
    Trouble { cause: cause.to_owned(), remedy: remedy.to_owned(), passing: false, retry_after_ms: None }
}
