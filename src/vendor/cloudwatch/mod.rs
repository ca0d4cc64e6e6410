//! CloudWatch Logs, through AWS's own SDK: groups, streams, and the events since the run began.

#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::time::Duration;

use aws_sdk_cloudwatchlogs::operation::describe_log_streams::DescribeLogStreamsError;
use aws_sdk_cloudwatchlogs::operation::filter_log_events::FilterLogEventsError;
use aws_sdk_cloudwatchlogs::types::{FilteredLogEvent, OrderBy};
use futures_util::stream::{self, StreamExt, TryStreamExt};
use tokio::sync::OnceCell;

use super::aws::Account;
use super::{CLOUDWATCH, Rung, Stop};
use crate::facts::{LogEvent, LogGroup, Trouble};

/// How many events of one group are read at the most.
const MOST_EVENTS: usize = 2_000;
/// How many pages of events are read at the most: empty ones come in between.
const MOST_PAGES: usize = 50;
/// How many pages of 50 groups are read at the most.
const MOST_GROUP_PAGES: usize = 20;
/// How many streams of a group are listed, those with the latest events first.
const MOST_STREAMS: i32 = 50;
/// In how many other groups the nonce is looked for, the newest first: a group that was named wrongly is a new one.
const MOST_OTHERS: usize = 4;
/// How many requests of one kind are under way at once.
const AT_ONCE: usize = 4;

/// What one round wants to know.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Question {
    /// The groups whose events are wanted.
    pub groups: Vec<String>,
    /// What all nonces of the run begin with: looked for in other groups when the asked-for ones do not have it. Empty for none.
    pub nonce: String,
    /// When the run began, in Unix milliseconds.
    pub since_ms: i64,
}

/// What one round saw.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sightings {
    /// All groups; those that were asked for, or in which the nonce was found, with their streams.
    pub groups: Vec<LogGroup>,
    /// The events of the asked-for groups, and those of others that hold the nonce.
    pub events: Vec<LogEvent>,
}

/// A client for one account and region.
#[derive(Debug)]
pub struct Client {
    account: Account,
    sdk: OnceCell<aws_sdk_cloudwatchlogs::Client>,
}

/// A group, and when it was made.
struct Known {
    name: String,
    created_ms: i64,
}

impl Client {
    /// A client. Nothing is looked up or sent yet.
    #[must_use]
    pub fn new(account: Account) -> Self {
        Self { account, sdk: OnceCell::new() }
    }

    /// The least time between two rounds: none for an endpoint on this machine.
    #[must_use]
    pub fn min_interval(&self) -> Duration {
        if self.account.is_loopback() { Duration::ZERO } else { Duration::from_millis(2_500) }
    }

    async fn sdk(&self) -> Result<&aws_sdk_cloudwatchlogs::Client, Trouble> {
        self.sdk.get_or_try_init(|| async { Ok(aws_sdk_cloudwatchlogs::Client::new(self.account.session().await?)) }).await
    }

    /// Lists groups and reads an event of the first, as the checks do, to see how far the key gets. Says what came back.
    ///
    /// # Errors
    /// The first rung that the key does not reach, and why.
    pub async fn try_out(&self) -> Result<String, Stop> {
        let sdk = self.sdk().await.map_err(Rung::Authenticated.stops())?;
        let listed = sdk.describe_log_groups().limit(50).send().await;
        let listed = listed.map_err(|error| self.account.stop(CLOUDWATCH, "logs:DescribeLogGroups", &error))?;
        let Some(first) = listed.log_groups().iter().find_map(|group| group.log_group_name()) else {
            return Ok(String::from("no log group yet"));
        };
        match sdk.filter_log_events().log_group_name(first).limit(1).send().await {
            Ok(_) => {}
            // Deleted since it was listed.
            Err(error) if error.as_service_error().is_some_and(FilterLogEventsError::is_resource_not_found_exception) => {}
            Err(error) => return Err(self.account.stop(CLOUDWATCH, "logs:FilterLogEvents", &error)),
        }
        let (count, more) = (listed.log_groups().len(), if listed.next_token().is_some() { " and more" } else { "" });
        Ok(format!("log groups: {count}{more}"))
    }

    /// Looks once. A group that does not exist is no trouble: it is simply not among the groups.
    ///
    /// # Errors
    /// When we could not look.
    pub async fn observe(&self, question: &Question) -> Result<Sightings, Trouble> {
        let sdk = self.sdk().await?;
        let wanted: BTreeSet<&str> = question.groups.iter().map(String::as_str).collect();
        let mut known = self.groups(sdk).await?;
        let present: Vec<String> =
            known.iter().map(|group| group.name.clone()).filter(|name| wanted.contains(name.as_str())).collect();
        let mut found: Vec<(LogGroup, Vec<LogEvent>)> = stream::iter(present)
            .map(|name| async move {
                let (streams, events) =
                    tokio::try_join!(self.streams(sdk, &name), self.events(sdk, &name, question.since_ms, None))?;
                Ok::<_, Trouble>((LogGroup { name, streams }, events))
            })
            .buffered(AT_ONCE)
            .try_collect()
            .await?;
        let nonce = question.nonce.as_str();
        if !nonce.is_empty() && !found.iter().any(|(_, events)| events.iter().any(|event| event.message.contains(nonce))) {
            known.sort_by_key(|group| std::cmp::Reverse(group.created_ms));
            let others: Vec<String> = known
                .iter()
                .map(|group| group.name.clone())
                .filter(|name| !wanted.contains(name.as_str()))
                .take(MOST_OTHERS)
                .collect();
            let strays: Vec<_> =
                stream::iter(others).map(|name| self.stray(sdk, name, question)).buffered(AT_ONCE).try_collect().await?;
            found.extend(strays.into_iter().flatten());
        }
        let looked_at: BTreeSet<String> = found.iter().map(|(group, _)| group.name.clone()).collect();
        let (mut groups, events): (Vec<LogGroup>, Vec<Vec<LogEvent>>) = found.into_iter().unzip();
        let rest = known.into_iter().filter(|group| !looked_at.contains(&group.name));
        groups.extend(rest.map(|group| LogGroup { name: group.name, streams: Vec::new() }));
        Ok(Sightings { groups, events: events.into_iter().flatten().collect() })
    }

    async fn groups(&self, sdk: &aws_sdk_cloudwatchlogs::Client) -> Result<Vec<Known>, Trouble> {
        let mut groups = Vec::new();
        let mut token = None;
        for _ in 0..MOST_GROUP_PAGES {
            let answer = sdk.describe_log_groups().limit(50).set_next_token(token).send().await;
            let answer = answer.map_err(|error| self.account.trouble(CLOUDWATCH, "logs:DescribeLogGroups", &error))?;
            groups.extend(answer.log_groups().iter().filter_map(|group| {
                Some(Known { name: group.log_group_name()?.to_owned(), created_ms: group.creation_time().unwrap_or(0) })
            }));
            token = next(answer.next_token);
            if token.is_none() {
                break;
            }
        }
        Ok(groups)
    }

    async fn streams(&self, sdk: &aws_sdk_cloudwatchlogs::Client, group: &str) -> Result<Vec<String>, Trouble> {
        let request = sdk.describe_log_streams().log_group_name(group).order_by(OrderBy::LastEventTime).descending(true);
        match request.limit(MOST_STREAMS).send().await {
            Ok(answer) => {
                Ok(answer.log_streams().iter().filter_map(|stream| stream.log_stream_name().map(str::to_owned)).collect())
            }
            // Deleted since it was listed.
            Err(error) if error.as_service_error().is_some_and(DescribeLogStreamsError::is_resource_not_found_exception) => {
                Ok(Vec::new())
            }
            Err(error) => Err(self.account.trouble(CLOUDWATCH, "logs:DescribeLogStreams", &error)),
        }
    }

    async fn events(
        &self,
        sdk: &aws_sdk_cloudwatchlogs::Client,
        group: &str,
        since_ms: i64,
        pattern: Option<&str>,
    ) -> Result<Vec<LogEvent>, Trouble> {
        let mut events = Vec::new();
        let mut token = None;
        // An empty page can have a next one: only its absence is the end.
        for _ in 0..MOST_PAGES {
            let request = sdk.filter_log_events().log_group_name(group).start_time(since_ms.max(0));
            match request.set_filter_pattern(pattern.map(str::to_owned)).set_next_token(token).send().await {
                Ok(answer) => {
                    events.extend(answer.events().iter().map(|event| log_event(group, event)));
                    token = next(answer.next_token);
                }
                Err(error) if error.as_service_error().is_some_and(FilterLogEventsError::is_resource_not_found_exception) => {
                    break;
                }
                Err(error) => return Err(self.account.trouble(CLOUDWATCH, "logs:FilterLogEvents", &error)),
            }
            if token.is_none() || events.len() >= MOST_EVENTS {
                break;
            }
        }
        events.truncate(MOST_EVENTS);
        Ok(events)
    }

    /// Another group, if the nonce is in it.
    async fn stray(
        &self,
        sdk: &aws_sdk_cloudwatchlogs::Client,
        name: String,
        question: &Question,
    ) -> Result<Option<(LogGroup, Vec<LogEvent>)>, Trouble> {
        let pattern = format!("\"{}\"", question.nonce.replace(['"', '\\'], ""));
        let events = self.events(sdk, &name, question.since_ms, Some(&pattern)).await?;
        if events.is_empty() {
            return Ok(None);
        }
        let streams: BTreeSet<String> = events.iter().map(|event| event.stream.clone()).collect();
        Ok(Some((LogGroup { name, streams: streams.into_iter().collect() }, events)))
    }
}

fn log_event(group: &str, event: &FilteredLogEvent) -> LogEvent {
    LogEvent {
        group: group.to_owned(),
        stream: event.log_stream_name().unwrap_or_default().to_owned(),
        timestamp_ms: event.timestamp().unwrap_or(0),
        ingestion_ms: event.ingestion_time().unwrap_or(0),
        message: event.message().unwrap_or_default().to_owned(),
    }
}

fn next(token: Option<String>) -> Option<String> {
    token.filter(|token| !token.is_empty())
}
