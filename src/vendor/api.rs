//! A vendor's JSON API over HTTP: one credential in one header, a deadline and a bound for every answer.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use reqwest::{Client, Url};
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::transport::Failure;
use super::{DEADLINE, Vendor, trouble};
use crate::facts::{Secret, Trouble};

/// The largest answer that is read, in bytes.
const LARGEST: usize = 16 * 1024 * 1024;

/// One vendor's API.
#[derive(Debug, Clone)]
pub(super) struct Api {
    pub(super) vendor: Vendor,
    /// Where it is, without a trailing slash.
    pub(super) endpoint: String,
    pub(super) deadline: Duration,
    http: Client,
    header: HeaderName,
    secret: Secret,
}

/// A whole answer.
#[derive(Debug)]
pub(super) struct Reply {
    /// The method and path that it answers.
    pub(super) request: String,
    pub(super) status: StatusCode,
    body: Bytes,
}

impl Api {
    pub(super) fn new(vendor: Vendor, http: Client, endpoint: &str, header: &'static str, secret: Secret) -> Self {
        let endpoint = endpoint.trim().trim_end_matches('/').to_owned();
        Self { vendor, endpoint, deadline: DEADLINE, http, header: HeaderName::from_static(header), secret }
    }

    /// Reads.
    pub(super) async fn get(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Reply, Trouble> {
        self.send(Method::GET, path, query, None).await
    }

    /// Sends JSON.
    pub(super) async fn post(&self, path: &[&str], body: &Value) -> Result<Reply, Trouble> {
        self.send(Method::POST, path, &[], Some(body)).await
    }

    /// Sends a request. What any vendor may answer in trouble (429, 5xx, a redirect elsewhere) is an error already;
    /// other refusals are for the caller to read.
    async fn send(&self, method: Method, path: &[&str], query: &[(&str, &str)], body: Option<&Value>) -> Result<Reply, Trouble> {
        let url = self.url(path, query)?;
        let request = format!("{method} {}", url.path());
        let mut builder = self.http.request(method, url).timeout(self.deadline).header(self.header.clone(), self.credential()?);
        if let Some(body) = body {
            builder = builder.json(body);
        }
        let mut answer = builder.send().await.map_err(|error| self.failure(&error))?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        self.refuse_alike(status, &headers)?;
        let mut whole = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(|error| self.failure(&error))? {
            if whole.len() + chunk.len() > LARGEST {
                return Err(trouble::lasting(
                    format!("the answer of {} to `{request}` is larger than {} MiB", self.vendor.name, LARGEST / 1024 / 1024),
                    format!("check the endpoint `{}`", self.endpoint),
                ));
            }
            whole.extend_from_slice(&chunk);
        }
        Ok(Reply { request, status, body: whole.into() })
    }

    fn url(&self, path: &[&str], query: &[(&str, &str)]) -> Result<Url, Trouble> {
        let wrong = || {
            trouble::lasting(
                format!("the endpoint `{}` of {} is not a URL", self.endpoint, self.vendor.name),
                "write it with its scheme, as in `https://api.honeycomb.io`",
            )
        };
        let mut url = Url::parse(&self.endpoint).map_err(|_| wrong())?;
        url.path_segments_mut().map_err(|()| wrong())?.pop_if_empty().extend(path);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    fn credential(&self) -> Result<HeaderValue, Trouble> {
        let wrong = |cause: String| {
            trouble::lasting(
                cause,
                format!("copy the key of {} again, without quotes, spaces or line breaks around it", self.vendor.name),
            )
        };
        if self.secret.is_blank() {
            return Err(wrong(format!("the key of {} is blank ({})", self.vendor.name, self.secret.describe())));
        }
        let mut value = HeaderValue::from_str(self.secret.expose())
            .map_err(|_| wrong(format!("the key of {} cannot be sent ({})", self.vendor.name, self.secret.describe())))?;
        value.set_sensitive(true);
        Ok(value)
    }

    fn failure(&self, error: &reqwest::Error) -> Trouble {
        let failure = if error.is_timeout() { Failure::Late } else { Failure::of(error) };
        failure.trouble(self.vendor, &self.endpoint, self.deadline)
    }

    fn refuse_alike(&self, status: StatusCode, headers: &HeaderMap) -> Result<(), Trouble> {
        let wait = || trouble::retry_after_ms(headers, jiff::Timestamp::now());
        if status == StatusCode::TOO_MANY_REQUESTS {
            return Err(trouble::throttled(self.vendor, wait()));
        }
        if status.is_server_error() {
            return Err(trouble::down(self.vendor, status.as_u16(), wait()));
        }
        if status.is_redirection() {
            return Err(trouble::lasting(
                format!("`{}` sends us elsewhere ({})", self.endpoint, status.as_u16()),
                format!("check the endpoint of {}: the key is not sent to another host", self.vendor.name),
            ));
        }
        Ok(())
    }

    /// Reads a successful answer.
    pub(super) fn read<T: DeserializeOwned>(&self, reply: &Reply) -> Result<T, Trouble> {
        if !reply.status.is_success() {
            return Err(self.refusal(reply));
        }
        serde_json::from_slice(&reply.body).map_err(|_| trouble::garbage(self.vendor, &reply.request, &self.endpoint))
    }

    /// A refusal that nobody has a better explanation for.
    pub(super) fn refusal(&self, reply: &Reply) -> Trouble {
        let said = self.message(reply);
        let said = if said.is_empty() { String::new() } else { format!(": {said}") };
        trouble::lasting(
            format!("{} refused `{}` ({}){said}", self.vendor.name, reply.request, reply.status.as_u16()),
            format!(
                "check the endpoint `{}` and the key; if both are right, this program may be too old for the API",
                self.endpoint
            ),
        )
    }

    /// What the vendor says about a refusal, credentials left out.
    pub(super) fn message(&self, reply: &Reply) -> String {
        let json: Option<Value> = serde_json::from_slice(&reply.body).ok();
        let text = match &json {
            Some(json) => ["error", "message", "detail", "title"].iter().find_map(|key| json.get(*key)?.as_str()).unwrap_or(""),
            // A page for people says nothing in one line.
            None if reply.body.trim_ascii_start().starts_with(b"<") => "",
            None => std::str::from_utf8(&reply.body).unwrap_or(""),
        };
        trouble::quote(text, &[self.secret.expose()])
    }
}
