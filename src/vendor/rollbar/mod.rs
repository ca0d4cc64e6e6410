//! Rollbar's read API: `/api/1/instances`, the project's occurrences, newest first and in pages of 20.

mod occurrence;
#[cfg(test)]
mod tests;

use std::time::Duration;

use http::StatusCode;
use serde::Deserialize;
use serde_json::Value;

use super::api::{Api, Reply};
use super::{ROLLBAR, Rung, Stop, transport, trouble};
use crate::facts::{ErrorItem, Secret, Trouble};

/// Where Rollbar is.
pub const ENDPOINT: &str = "https://api.rollbar.com";

/// How many pages are read at the most: a run makes a handful of occurrences.
const MOST_PAGES: usize = 10;

/// Occurrences are ordered by id and only roughly by time, and their time is in seconds.
const SLACK_SECONDS: i64 = 5;

/// What one round wants to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// When the run began, in Unix milliseconds.
    pub since_ms: i64,
}

/// What one round saw.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Sightings {
    /// The occurrences since the run began, newest first.
    pub items: Vec<ErrorItem>,
}

/// A client for one project.
#[derive(Debug)]
pub struct Client {
    api: Api,
    loopback: bool,
}

#[derive(Deserialize)]
struct Envelope {
    #[serde(default)]
    err: i64,
    #[serde(default)]
    result: Option<Page>,
}

#[derive(Deserialize)]
struct Page {
    instances: Vec<Value>,
}

impl Client {
    /// A client that reads with a token of the scope `read`. Nothing is sent yet.
    #[must_use]
    pub fn new(http: reqwest::Client, endpoint: &str, token: Secret) -> Self {
        Self {
            api: Api::new(ROLLBAR, http, endpoint, "x-rollbar-access-token", token),
            loopback: transport::is_loopback(endpoint),
        }
    }

    /// The same client with another deadline for each request.
    #[must_use]
    pub fn with_deadline(mut self, deadline: Duration) -> Self {
        self.api.deadline = deadline;
        self
    }

    /// The least time between two rounds: none for an endpoint on this machine.
    #[must_use]
    pub fn min_interval(&self) -> Duration {
        if self.loopback { Duration::ZERO } else { Duration::from_secs(2) }
    }

    /// Reads the newest occurrences, as the checks do, to see how far the token gets. Says what came back.
    ///
    /// # Errors
    /// The first rung that the token does not reach, and why.
    pub async fn try_out(&self) -> Result<String, Stop> {
        let reply = self.api.get(&["api", "1", "instances"], &[("page", "1")]).await.map_err(Rung::Authenticated.stops())?;
        let at = match reply.status {
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN if self.lacks_scope(&reply) => Rung::Allowed,
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => Rung::Authenticated,
            _ => Rung::ReadBack,
        };
        match self.page(&reply).map_err(at.stops())?.len() {
            0 => Ok(String::from("no occurrence yet")),
            count => Ok(format!("occurrences on the newest page: {count}")),
        }
    }

    /// Looks once: reads pages until they are older than the run.
    ///
    /// # Errors
    /// When we could not look.
    pub async fn observe(&self, question: &Question) -> Result<Sightings, Trouble> {
        let oldest = question.since_ms.div_euclid(1000);
        let mut items: Vec<ErrorItem> = Vec::new();
        for page in 1..=MOST_PAGES {
            let reply = self.api.get(&["api", "1", "instances"], &[("page", &page.to_string())]).await?;
            let instances = self.page(&reply)?;
            let mut past = instances.is_empty();
            for instance in instances {
                let item = occurrence::parse(&instance);
                past |= item.timestamp < oldest - SLACK_SECONDS;
                // Pages shift when something new comes in between two of them.
                let repeated = item.occurrence_id != 0 && items.iter().any(|known| known.occurrence_id == item.occurrence_id);
                if item.timestamp >= oldest && !repeated {
                    items.push(item);
                }
            }
            if past {
                break;
            }
        }
        Ok(Sightings { items })
    }

    fn page(&self, reply: &Reply) -> Result<Vec<Value>, Trouble> {
        if matches!(reply.status, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) {
            return Err(self.refused_token(reply));
        }
        let envelope: Envelope = self.api.read(reply)?;
        match envelope.result {
            Some(page) if envelope.err == 0 => Ok(page.instances),
            _ if envelope.err != 0 => Err(self.api.refusal(reply)),
            _ => Err(trouble::garbage(ROLLBAR, &reply.request, &self.api.endpoint)),
        }
    }

    /// Whether Rollbar knows the token, and it is one for something else.
    fn lacks_scope(&self, reply: &Reply) -> bool {
        let said = self.api.message(reply);
        said.contains("scope") || said.contains("privileges")
    }

    fn refused_token(&self, reply: &Reply) -> Trouble {
        let place = "in Rollbar under the project's Settings, Project Access Tokens";
        if self.lacks_scope(reply) {
            return trouble::lasting(
                format!("the Rollbar token for the checks has not the scope `read` ({})", reply.status.as_u16()),
                format!("copy the token with the scope `read` ({place}); the one with `post_server_item` is the service's"),
            );
        }
        trouble::lasting(
            format!("Rollbar refused the token for the checks ({})", reply.status.as_u16()),
            format!("copy the project's token with the scope `read` again ({place})"),
        )
    }
}
