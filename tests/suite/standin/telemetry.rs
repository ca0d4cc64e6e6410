//! What a service tells the vendors, byte for byte by hand: OTLP in JSON, X-Ray's datagrams, CloudWatch Logs' JSON 1.1 and
//! Rollbar's items.

use std::env;
use std::net::UdpSocket;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde_json::{Value, json};

use super::Settings;
use crate::support::wire;

/// One request that is reported.
pub struct Call {
    method: String,
    /// Path and query.
    target: String,
    path: String,
    host: String,
    /// As it is told: what was answered may differ.
    status: u16,
    trace_id: String,
    parent_id: Option<String>,
    start: SystemTime,
}

impl Call {
    /// A request that is to be reported: one that carries a trace, and is no question after the service's health.
    pub fn new(
        settings: &Settings,
        method: &str,
        target: &str,
        status: u16,
        host: Option<&str>,
        traceparent: Option<&str>,
        start: SystemTime,
    ) -> Option<Self> {
        let path = target.split('?').next()?;
        if path == "/up" && !settings.breaks("health-traced") {
            return None;
        }
        let (trace_id, parent_id) = match traceparent?.split('-').collect::<Vec<_>>()[..] {
            ["00", trace_id, parent_id, _] => (trace_id.to_owned(), parent_id.to_owned()),
            _ => return None,
        };
        Some(Self {
            method: method.to_owned(),
            target: target.to_owned(),
            path: path.to_owned(),
            host: host.unwrap_or("localhost").to_owned(),
            status: if status == 203 { 200 } else { status },
            trace_id,
            parent_id: Some(parent_id),
            start,
        })
    }

    /// The same in a trace of its own.
    fn uprooted(&self) -> Self {
        let trace_id = format!("{:08x}{:024x}", seconds(self.start), fastrand::u128(..) >> 32);
        Self {
            trace_id,
            parent_id: None,
            target: self.target.clone(),
            method: self.method.clone(),
            host: self.host.clone(),
            path: self.path.clone(),
            ..*self
        }
    }

    fn url(&self) -> String {
        format!("http://{}{}", self.host, self.target)
    }
}

/// Reports a request to everybody. When it returns, all has been taken.
pub fn report(settings: &Settings, call: &Call) {
    if !settings.breaks("silent") {
        println!("{} {} trace={}", call.method, call.path, call.trace_id);
    }
    let uprooted = call.uprooted();
    spans(settings, if settings.breaks("span-uprooted") { &uprooted } else { call });
    segment(settings, if settings.breaks("segment-uprooted") { &uprooted } else { call });
    access_line(settings, call);
    if call.path == "/fails" {
        item(settings, call);
    }
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap().as_secs()
}

fn nanos(time: SystemTime) -> String {
    time.duration_since(UNIX_EPOCH).unwrap().as_nanos().to_string()
}

fn id() -> String {
    format!("{:016x}", fastrand::u64(1..))
}

fn variable(name: &str) -> Option<String> {
    env::var(name).ok()
}

/// `name=value,name=value`.
fn pairs(text: &str) -> Vec<(String, String)> {
    text.split(',').filter_map(|pair| pair.split_once('=')).map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

fn attribute(name: &str, value: &Value) -> Value {
    json!({ "key": name, "value": value })
}

fn spans(settings: &Settings, call: &Call) {
    let Some(endpoint) = variable("OTEL_EXPORTER_OTLP_ENDPOINT") else { return };
    if settings.breaks("no-span") {
        return;
    }
    let end = call.start + Duration::from_millis(5);
    let server_id = id();
    let mut server = json!({
        "traceId": call.trace_id, "spanId": server_id, "parentSpanId": call.parent_id.clone().unwrap_or_default(),
        "name": format!("{} {}", call.method, call.path), "kind": if settings.breaks("span-kind") { 1 } else { 2 },
        "startTimeUnixNano": nanos(call.start), "endTimeUnixNano": nanos(end), "status": {},
        "attributes": [
            attribute("http.request.method", &json!({ "stringValue": call.method })),
            attribute("url.path", &json!({ "stringValue": call.path })),
            attribute("url.query", &json!({ "stringValue": call.target.split('?').nth(1).unwrap_or_default() })),
        ],
    });
    if !settings.breaks("span-status") {
        let status = attribute("http.response.status_code", &json!({ "intValue": call.status.to_string() }));
        server["attributes"].as_array_mut().unwrap().push(status);
    }
    let mut all = vec![server];
    if call.path == "/things" && !settings.breaks("no-inner-span") {
        let count = if settings.breaks("length-text") { json!({ "stringValue": "2" }) } else { json!({ "intValue": "2" }) };
        let parent = if settings.breaks("inner-is-root") { String::new() } else { server_id };
        all.push(json!({
            "traceId": call.trace_id, "spanId": id(), "parentSpanId": parent, "name": "look-up", "kind": 1,
            "startTimeUnixNano": nanos(call.start), "endTimeUnixNano": nanos(end), "status": {},
            "attributes": [attribute("app.result_length", &count)],
        }));
    }
    let name = if settings.breaks("other-dataset") { "elsewhere" } else { &settings.service };
    let body = json!({ "resourceSpans": [{
        "resource": { "attributes": [attribute("service.name", &json!({ "stringValue": name }))] },
        "scopeSpans": [{ "scope": { "name": "by-hand" }, "spans": all }],
    }] });
    let body = if settings.breaks("otlp-body") { String::from("{\"resourceSpans\": [") } else { body.to_string() };
    let given = pairs(&variable("OTEL_EXPORTER_OTLP_HEADERS").unwrap_or_default());
    let mut headers: Vec<(&str, &str)> = given.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    headers.push(("content-type", "application/json"));
    let _ = wire::send("POST", &format!("{}/v1/traces", endpoint.trim_end_matches('/')), &headers, &body);
}

fn segment(settings: &Settings, call: &Call) {
    let Some(daemon) = variable("AWS_XRAY_DAEMON_ADDRESS") else { return };
    if settings.breaks("no-segment") {
        return;
    }
    let start = call.start.duration_since(UNIX_EPOCH).unwrap().as_secs_f64();
    let mut inner = json!({ "name": "look-up", "id": id(), "start_time": start, "end_time": start + 0.003 });
    if settings.breaks("subsegment-open") {
        inner = json!({ "name": "look-up", "id": inner["id"], "start_time": start, "in_progress": true });
    }
    if !settings.breaks("no-metadata") {
        inner["metadata"] = json!({ "tiny": { "results-size": 2 } });
    }
    if !settings.breaks("no-annotation") {
        inner["annotations"] = json!({ "kind": "tiny" });
    }
    let mut document = json!({
        "name": if settings.breaks("segment-name") { "somebody" } else { &settings.service },
        "id": id(), "trace_id": format!("1-{}-{}", &call.trace_id[..8], &call.trace_id[8..]), "start_time": start,
    });
    if let Some(parent_id) = &call.parent_id {
        document["parent_id"] = json!(parent_id);
    }
    if settings.breaks("segment-open") {
        document["in_progress"] = json!(true);
    } else {
        document["end_time"] = json!(start + 0.005);
    }
    if !settings.breaks("no-http") {
        document["http"] =
            json!({ "request": { "method": call.method, "url": call.url() }, "response": { "status": call.status } });
    }
    if call.path == "/things" && !settings.breaks("no-subsegment") {
        document["subsegments"] = json!([inner]);
    }
    let format = if settings.breaks("daemon-header") { "xml" } else { "json" };
    let datagram = format!("{{\"format\": \"{format}\", \"version\": 1}}\n{document}");
    let _ = UdpSocket::bind("127.0.0.1:0").and_then(|socket| socket.send_to(datagram.as_bytes(), daemon));
}

fn logs(operation: &str, input: &Value) {
    if let Some(base) = variable("AWS_ENDPOINT_URL") {
        let _ = wire::logs(&base, operation, input);
    }
}

/// The stream of this process: each instance writes one of its own.
fn stream() -> String {
    format!("process-{}", std::process::id())
}

/// Makes the group and the stream, which CloudWatch Logs never does by itself.
pub fn create_log_group(settings: &Settings) {
    if settings.breaks("no-log-group") {
        return;
    }
    for group in ["tiny", "elsewhere"] {
        logs("CreateLogGroup", &json!({ "logGroupName": group }));
    }
    if !settings.breaks("no-log-stream") {
        for group in ["tiny", "elsewhere"] {
            logs("CreateLogStream", &json!({ "logGroupName": group, "logStreamName": stream() }));
        }
    }
}

fn access_line(settings: &Settings, call: &Call) {
    if settings.breaks("no-line") || (settings.quiet && !settings.breaks("switch")) {
        return;
    }
    let message = match settings.breaks("line-form") {
        true => format!("{} was asked for", call.target),
        false => format!("{} {} {}", call.method, call.target, call.status),
    };
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let group = if settings.breaks("other-log-group") { "elsewhere" } else { "tiny" };
    let event = json!({ "timestamp": u64::try_from(now.as_millis()).unwrap(), "message": message });
    logs("PutLogEvents", &json!({ "logGroupName": group, "logStreamName": stream(), "logEvents": [event] }));
}

fn item(settings: &Settings, call: &Call) {
    let (Some(endpoint), Some(token)) = (variable("ROLLBAR_ENDPOINT"), variable("ROLLBAR_ACCESS_TOKEN")) else { return };
    if settings.breaks("no-item") {
        return;
    }
    let file = if settings.breaks("item-frame") { "/lib/libc.so" } else { "src/things.rs" };
    let mut data = json!({
        "environment": if settings.breaks("item-environment") { "development" } else { "production" },
        "level": if settings.breaks("item-level") { "info" } else { "error" },
        "timestamp": seconds(SystemTime::now()),
        "body": { "trace": {
            "frames": [{ "filename": file, "lineno": 7 }],
            "exception": { "class": "Failure", "message": "it fails" },
        } },
    });
    if !settings.breaks("item-request") {
        data["request"] = json!({ "url": call.url(), "method": call.method });
    }
    let token = if settings.breaks("item-token") { "short" } else { &token };
    let headers = [("x-rollbar-access-token", token), ("content-type", "application/json")];
    let _ = wire::send("POST", &format!("{endpoint}item/"), &headers, &json!({ "data": data }).to_string());
}
