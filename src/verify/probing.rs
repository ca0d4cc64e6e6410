//! Sends the probes: each once, all at the same time, each with a trace of its own.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::time::Instant;

use super::Clock;
use crate::check::Probe;
use crate::facts::{Exchange, ExchangeError, ProbeRecord, TraceId};

/// The longest that an answer may take.
const DEADLINE: Duration = Duration::from_secs(15);

/// The most of an answer's body that is kept.
const LONGEST_BODY: usize = 64 * 1024;

/// The name of the query parameter that carries the nonce.
pub const NONCE_PARAMETER: &str = "bootcamp";

/// What all nonces of one run begin with: twelve hex digits of chance.
#[must_use]
pub fn fresh_run_nonce() -> String {
    uuid::Uuid::new_v4().simple().to_string()[..12].to_owned()
}

/// Where an instance of the service answers, or why it does not.
pub type Bases = BTreeMap<String, Result<String, String>>;

/// Sends every probe to its instance. Probes that are alike in all but their name are sent once and share their record.
pub async fn send(
    http: &reqwest::Client,
    probes: &BTreeMap<String, Probe>,
    bases: &Bases,
    run_nonce: &str,
    clock: Clock,
) -> BTreeMap<String, ProbeRecord> {
    let mut distinct: Vec<(&Probe, Vec<&String>)> = Vec::new();
    for (name, probe) in probes {
        match distinct.iter_mut().find(|(other, _)| *other == probe) {
            Some((_, names)) => names.push(name),
            None => distinct.push((probe, vec![name])),
        }
    }
    let sent = distinct.iter().enumerate().map(|(index, (probe, _))| {
        let base = bases.get(&probe.instance()).cloned().unwrap_or_else(|| Err(String::from("that instance was not started")));
        send_one(http, probe, base, format!("{run_nonce}-{index:02}"), clock)
    });
    let records = join_all(sent).await;
    distinct
        .into_iter()
        .zip(records)
        .flat_map(|((_, names), record)| names.into_iter().map(move |name| (name.clone(), record.clone())))
        .collect()
}

async fn send_one(
    http: &reqwest::Client,
    probe: &Probe,
    base: Result<String, String>,
    nonce: String,
    clock: Clock,
) -> ProbeRecord {
    let sent_ms = clock.now_ms();
    let trace_id = TraceId::fresh(u32::try_from(sent_ms / 1000).unwrap_or(0));
    let parent_id = uuid::Uuid::new_v4().simple().to_string()[16..].to_owned();
    let record = |answer| ProbeRecord {
        trace_id,
        parent_id: parent_id.clone(),
        nonce: nonce.clone(),
        instance: probe.instance(),
        sent_ms,
        answer,
    };
    let fail = |url: &str, reason: String| Err(ExchangeError { method: probe.method.clone(), url: url.to_owned(), reason });
    let base = match base {
        Ok(base) => base,
        Err(reason) => return record(fail(&probe.path, reason)),
    };
    let separator = if probe.path.contains('?') { '&' } else { '?' };
    let url = format!("{}{}{separator}{NONCE_PARAMETER}={nonce}", base.trim_end_matches('/'), probe.path);
    let Ok(method) = reqwest::Method::from_bytes(probe.method.as_bytes()) else {
        return record(fail(&url, format!("`{}` is not an HTTP method", probe.method)));
    };
    let mut request = http
        .request(method, &url)
        .timeout(DEADLINE)
        .header("traceparent", format!("00-{}-{parent_id}-01", trace_id.w3c()))
        .header("x-amzn-trace-id", format!("Root={};Parent={parent_id};Sampled=1", trace_id.xray()));
    for (name, value) in &probe.headers {
        request = request.header(name, value);
    }
    if let Some(json) = &probe.json {
        request = request.json(json);
    }
    let begun = Instant::now();
    let answer = match request.send().await {
        Ok(response) => read(response, probe, &url, begun).await,
        Err(error) => fail(&url, reason(&error)),
    };
    record(answer)
}

async fn read(mut response: reqwest::Response, probe: &Probe, url: &str, begun: Instant) -> Result<Exchange, ExchangeError> {
    let mut headers: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in response.headers() {
        let value = String::from_utf8_lossy(value.as_bytes());
        headers
            .entry(name.as_str().to_owned())
            .and_modify(|all| {
                all.push_str(", ");
                all.push_str(&value);
            })
            .or_insert_with(|| value.into_owned());
    }
    let status = response.status().as_u16();
    let mut body = Vec::new();
    loop {
        match response.chunk().await {
            Ok(Some(chunk)) => {
                let room = LONGEST_BODY - body.len();
                body.extend_from_slice(&chunk[..chunk.len().min(room)]);
                if body.len() == LONGEST_BODY {
                    break;
                }
            }
            Ok(None) => break,
            Err(error) => {
                let reason = format!("the answer broke off after its headers ({status}): {}", reason(&error));
                return Err(ExchangeError { method: probe.method.clone(), url: url.to_owned(), reason });
            }
        }
    }
    Ok(Exchange {
        method: probe.method.clone(),
        url: url.to_owned(),
        status,
        headers,
        body: String::from_utf8_lossy(&body).into_owned(),
        latency_ms: begun.elapsed().as_secs_f64() * 1000.0,
    })
}

/// Why there was no answer, as one would say it.
fn reason(error: &reqwest::Error) -> String {
    let mut deepest: &dyn std::error::Error = error;
    while let Some(source) = deepest.source() {
        deepest = source;
    }
    if error.is_timeout() {
        format!("no answer within {} s", DEADLINE.as_secs())
    } else if error.is_connect() {
        format!("no connection to the service: {deepest}")
    } else if deepest.downcast_ref::<hyper::Error>().is_some_and(hyper::Error::is_incomplete_message) {
        String::from("the connection was closed without an answer")
    } else {
        format!("the answer is not one: {deepest}")
    }
}
