//! What the environment says. Read once, at start; a wrong value ends the process with the reason.
//@ since honeycomb/a-span-for-every-request
//!
//! The vendors' own variables (`OTEL_*`, `AWS_*`, `ROLLBAR_*`) are read by the files in
//! [`telemetry`](crate::telemetry), next to the code that uses them.
//@ end

use std::{
    env,
    net::{IpAddr, Ipv4Addr},
};

use axum::http::HeaderValue;
use thiserror::Error;

/// The settings of the service itself.
#[derive(Debug, Clone)]
pub struct Config {
    /// `HOST`: the address to listen on.
    pub host: IpAddr,
    /// `PORT`: the port to listen on.
    pub port: u16,
    /// `FRONTEND_URL`: an origin that may call the API from a browser.
    pub frontend_url: Origin,
    /// `BACKEND_URL`: where this service is reached from outside; an allowed origin too.
    pub backend_url: Origin,
    //@ since cloudwatch-logs/the-switch
    /// `CLOUDWATCH_LOGS`: how much goes to CloudWatch Logs.
    pub cloudwatch_logs: CloudWatchLogs,
    //@ end
}

//@ since cloudwatch-logs/the-switch
/// The switch that keeps the CloudWatch bill small.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CloudWatchLogs {
    /// Every line.
    #[default]
    All,
    //@ since homework/only-what-went-wrong
    /// Only the access lines of responses other than 200.
    Errors,
    //@ end
    /// Nothing, not even a log group.
    Off,
}

//@ end
/// A URL without a trailing slash, as browsers write it in the `Origin` header.
#[derive(Debug, Clone)]
pub struct Origin {
    url: String,
    header: HeaderValue,
}

/// A variable whose value the service cannot use.
#[derive(Debug, Error)]
pub enum ConfigError {
    #[error("`HOST` is `{0}`, which is no IP address; use `0.0.0.0` or `127.0.0.1`")]
    Host(String),
    #[error("`PORT` is `{0}`, which is no port; use a number from 0 to 65535")]
    Port(String),
    #[error(
        "`{name}` is `{value}`, which is no origin; use something like `http://localhost:3000`"
    )]
    Origin { name: &'static str, value: String },
    //@ since cloudwatch-logs/the-switch
    //@ since homework/only-what-went-wrong
    //~ #[error("`CLOUDWATCH_LOGS` is `{0}`; use `all` or `off`")]
    #[error("`CLOUDWATCH_LOGS` is `{0}`; use `all`, `errors` or `off`")]
    //@ end
    CloudWatchLogs(String),
    //@ end
}

impl Config {
    /// Reads the process's environment.
    ///
    /// # Errors
    ///
    /// When a variable is set to something that cannot be used.
    pub fn from_env() -> Result<Self, ConfigError> {
        Self::from_lookup(var)
    }

    /// Reads from any source of variables, so that a test needs no process of its own.
    ///
    /// # Errors
    ///
    /// As [`Config::from_env`].
    pub fn from_lookup(var: impl Fn(&'static str) -> Option<String>) -> Result<Self, ConfigError> {
        let host = match var("HOST") {
            Some(host) => host.parse().map_err(|_| ConfigError::Host(host))?,
            None => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        let port = match var("PORT") {
            Some(port) => port.parse().map_err(|_| ConfigError::Port(port))?,
            None => 4567,
        };
        let origin = |name: &'static str, default: String| {
            let value = var(name).unwrap_or(default);
            Origin::parse(&value).ok_or(ConfigError::Origin { name, value })
        };
        Ok(Self {
            host,
            port,
            frontend_url: origin("FRONTEND_URL", "http://localhost:3000".to_owned())?,
            backend_url: origin("BACKEND_URL", format!("http://localhost:{port}"))?,
            //@ since cloudwatch-logs/the-switch
            cloudwatch_logs: match var("CLOUDWATCH_LOGS").as_deref() {
                None | Some("all") => CloudWatchLogs::All,
                Some("errors") => CloudWatchLogs::Errors, //@ since homework/only-what-went-wrong
                Some("off") => CloudWatchLogs::Off,
                Some(other) => return Err(ConfigError::CloudWatchLogs(other.to_owned())),
            },
            //@ end
        })
    }
}

impl Origin {
    fn parse(url: &str) -> Option<Self> {
        let url = url.trim_end_matches('/');
        let host = url
            .strip_prefix("http://")
            .or_else(|| url.strip_prefix("https://"))?;
        if host.is_empty() {
            return None;
        }
        Some(Self {
            url: url.to_owned(),
            header: HeaderValue::from_str(url).ok()?,
        })
    }

    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.url
    }

    #[must_use]
    pub fn header(&self) -> &HeaderValue {
        &self.header
    }
}

/// A variable of the environment. Compose passes what the shell lacks as an empty string,
/// so an empty variable counts as unset.
#[must_use]
pub fn var(name: &str) -> Option<String> {
    env::var(name)
        .ok()
        .map(|value| value.trim().to_owned())
        .filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, ConfigError> {
        Config::from_lookup(|name| {
            pairs
                .iter()
                .find(|(key, _)| *key == name)
                .map(|(_, value)| (*value).to_owned())
        })
    }

    #[test]
    fn an_empty_environment_gives_the_defaults() {
        let config = read(&[]).unwrap();
        assert_eq!(config.host.to_string(), "0.0.0.0");
        assert_eq!(config.port, 4567);
        assert_eq!(config.frontend_url.as_str(), "http://localhost:3000");
        assert_eq!(config.backend_url.as_str(), "http://localhost:4567");
        assert_eq!(config.cloudwatch_logs, CloudWatchLogs::All); //@ since cloudwatch-logs/the-switch
    }

    #[test]
    fn an_origin_has_no_trailing_slash() {
        let config = read(&[("FRONTEND_URL", "https://3000-cruddur.example/")]).unwrap();
        assert_eq!(config.frontend_url.as_str(), "https://3000-cruddur.example");
    }

    #[test]
    fn a_wrong_value_names_its_variable_and_the_remedy() {
        //@ since cloudwatch-logs/the-switch
        let error = read(&[("CLOUDWATCH_LOGS", "some")]).unwrap_err();
        //@ since homework/only-what-went-wrong
        //~ let remedy = "`CLOUDWATCH_LOGS` is `some`; use `all` or `off`";
        let remedy = "`CLOUDWATCH_LOGS` is `some`; use `all`, `errors` or `off`";
        //@ end
        assert_eq!(error.to_string(), remedy);
        //@ end
        for (name, value) in [("PORT", "70000"), ("HOST", "here"), ("BACKEND_URL", "here")] {
            let error = read(&[(name, value)]).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("`{name}` is `{value}`")),
                "{error}"
            );
        }
    }
}
