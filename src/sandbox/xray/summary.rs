//! `GetTraceSummaries`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::cause::{Cause, service_id};
use super::failure::Failure;
use super::filter::{self, CauseKind, Expression};
use super::parse_body;
use super::read::{self, Clock, Cursor, Range};
use super::timestamp::Seconds;
use super::trace::{Trace, elapsed};
use crate::facts::Segment;
use crate::sandbox::Shared;

/// How many traces one page looks at. It may find fewer, or none, and go on.
const PAGE: usize = 500;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    start_time: Option<Seconds>,
    end_time: Option<Seconds>,
    time_range_type: Option<String>,
    filter_expression: Option<String>,
    next_token: Option<String>,
}

/// Answers `GetTraceSummaries`. `Sampling` and `SamplingStrategy` are read over: a sandbox has few enough traces to show all.
pub(super) async fn get_trace_summaries(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let clock = match input.time_range_type.as_deref() {
        None | Some("TraceId") => Clock::TraceId,
        Some("Event") => Clock::Event,
        Some("Service") => Clock::Service,
        Some(other) => {
            return Err(Failure::constraint(other, "timeRangeType", "satisfy enum value set: [TraceId, Event, Service]"));
        }
    };
    let range = range(clock, input.start_time, input.end_time)?;
    let expression = expression(input.filter_expression.as_deref())?;
    let after = input.next_token.as_deref().filter(|token| !token.is_empty()).map(cursor).transpose()?;
    let answer = shared
        .store
        .read(move |connection| {
            let groups = read::groups(connection)?;
            let page = read::page(connection, range, after.as_ref(), PAGE)?;
            let mut summaries = Vec::new();
            for stored in &page {
                let trace = stored.load(connection)?;
                if expression.as_ref().is_none_or(|expression| filter::matches(expression, &trace, &groups)) {
                    summaries.push(summary(&trace, range));
                }
            }
            let mut answer =
                json!({ "TraceSummaries": summaries, "ApproximateTime": range.from, "TracesProcessedCount": page.len() });
            if page.len() == PAGE
                && let Some(last) = page.last()
            {
                let Cursor { at, number } = last.cursor();
                answer["ApproximateTime"] = json!(at);
                answer["NextToken"] = json!(format!("{at}/{number}"));
            }
            Ok(answer)
        })
        .await?;
    Ok(answer)
}

/// A window of time; both ends are required, in order.
pub(super) fn range(clock: Clock, start: Option<Seconds>, end: Option<Seconds>) -> Result<Range, Failure> {
    let from = start.ok_or_else(|| Failure::missing("startTime"))?.0;
    let until = end.ok_or_else(|| Failure::missing("endTime"))?.0;
    if from > until {
        return Err(Failure::invalid("StartTime must not be later than EndTime"));
    }
    Ok(Range { clock, from, until })
}

/// A filter expression; blank is none.
pub(super) fn expression(text: Option<&str>) -> Result<Option<Expression>, Failure> {
    text.filter(|text| !text.trim().is_empty())
        .map(filter::parse)
        .transpose()
        .map_err(|error| Failure::invalid(format!("Invalid filter expression: {error}")))
}

fn cursor(token: &str) -> Result<Cursor, Failure> {
    token
        .split_once('/')
        .and_then(|(at, number)| {
            Some(Cursor { at: at.parse().ok().filter(|at: &f64| at.is_finite())?, number: number.parse().ok()? })
        })
        .ok_or_else(|| Failure::invalid("Invalid NextToken"))
}

fn summary(trace: &Trace, range: Range) -> Value {
    let root = trace.root();
    let causes = |kind| Cause::find(trace, kind).map(|cause| cause.json(kind)).into_iter().collect::<Vec<_>>();
    let distinct = |read: fn(&Segment) -> Option<&str>, key: &str| {
        let mut values: Vec<&str> = trace.entities().filter_map(read).collect();
        values.sort_unstable();
        values.dedup();
        values.into_iter().map(|value| json!({ key: value })).collect::<Vec<_>>()
    };
    let mut services: Vec<Value> = Vec::new();
    for segment in trace.services() {
        add(&mut services, service_id(segment));
    }
    let mut summary = json!({
        "Id": trace.id,
        "StartTime": trace.start(),
        "Duration": trace.duration(),
        "HasFault": root.is_some_and(|root| root.fault),
        "HasError": root.is_some_and(|root| root.error),
        "HasThrottle": trace.entities().any(|entity| entity.throttle),
        "IsPartial": trace.is_partial(),
        "Http": root.map(http).unwrap_or_default(),
        "Annotations": annotations(trace),
        "Users": users(trace),
        "ServiceIds": services,
        "ResourceARNs": distinct(|entity| entity.resource_arn.as_deref(), "ARN"),
        "InstanceIds": distinct(|entity| entity.aws.as_ref()?.pointer("/ec2/instance_id")?.as_str(), "Id"),
        "AvailabilityZones": distinct(|entity| entity.aws.as_ref()?.pointer("/ec2/availability_zone")?.as_str(), "Name"),
        "FaultRootCauses": causes(CauseKind::Fault),
        "ErrorRootCauses": causes(CauseKind::Error),
        "ResponseTimeRootCauses": causes(CauseKind::ResponseTime),
        "Revision": trace.revision,
    });
    if let Some(root) = root {
        summary["EntryPoint"] = service_id(root);
        if let Some(seconds) = elapsed(root) {
            summary["ResponseTime"] = json!(seconds);
        }
    }
    if range.clock != Clock::TraceId {
        let matched = if range.clock == Clock::Event { trace.start().max(range.from) } else { trace.end() };
        summary["MatchedEventTime"] = json!(matched);
    }
    summary
}

fn http(root: &Segment) -> Value {
    let mut http = Map::new();
    let request = |key: &str| root.http.as_ref()?.pointer(&format!("/request/{key}"))?.as_str();
    for (name, key) in [("HttpURL", "url"), ("HttpMethod", "method"), ("UserAgent", "user_agent"), ("ClientIp", "client_ip")] {
        if let Some(value) = request(key) {
            http.insert(name.to_owned(), json!(value));
        }
    }
    if let Some(status) = root.status() {
        http.insert(String::from("HttpStatus"), json!(status));
    }
    Value::Object(http)
}

fn add(list: &mut Vec<Value>, value: Value) {
    if !list.contains(&value) {
        list.push(value);
    }
}

fn annotations(trace: &Trace) -> BTreeMap<&str, Vec<Value>> {
    let mut all: BTreeMap<&str, Vec<(Value, Vec<Value>)>> = BTreeMap::new();
    for service in &trace.segments {
        for entity in service.walk() {
            for (key, value) in &entity.annotations {
                let value = match value {
                    Value::String(_) => json!({ "StringValue": value }),
                    Value::Number(_) => json!({ "NumberValue": value }),
                    Value::Bool(_) => json!({ "BooleanValue": value }),
                    // Lists and objects are no annotations: they are not indexed.
                    _ => continue,
                };
                let values = all.entry(key).or_default();
                match values.iter_mut().find(|(known, _)| *known == value) {
                    Some((_, services)) => add(services, service_id(service)),
                    None => values.push((value, vec![service_id(service)])),
                }
            }
        }
    }
    let shaped = |(value, services): (Value, Vec<Value>)| json!({ "AnnotationValue": value, "ServiceIds": services });
    all.into_iter().map(|(key, values)| (key, values.into_iter().map(shaped).collect())).collect()
}

fn users(trace: &Trace) -> Vec<Value> {
    let mut users: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for service in &trace.segments {
        for user in service.walk().filter_map(|entity| entity.user.as_deref()) {
            add(users.entry(user).or_default(), service_id(service));
        }
    }
    users.into_iter().map(|(user, services)| json!({ "UserName": user, "ServiceIds": services })).collect()
}
