//! What a payload must be: `data.environment`, and `data.body` with exactly one of `trace`, `trace_chain`, `message` and
//! `crash_report`. Faults are 422 and name the field.

use serde_json::Value;

use super::fault::Fault;

pub(super) const LEVELS: [&str; 5] = ["critical", "error", "warning", "info", "debug"];

const KINDS: [&str; 4] = ["trace", "trace_chain", "message", "crash_report"];

/// Longest title, in characters.
const TITLE: usize = 255;

/// A payload that keeps the rules, and what an item shows of it.
#[derive(Debug)]
pub(super) struct Payload {
    pub environment: String,
    pub level: String,
    pub title: String,
    pub framework: String,
    pub platform: String,
    /// Unix seconds.
    pub timestamp: i64,
    pub uuid: Option<String>,
}

/// Checks the `data` of a payload.
pub(super) fn parse(data: &Value, now_seconds: i64) -> Result<Payload, Fault> {
    if !data.is_object() {
        return Err(missing("data", "an object"));
    }
    let environment = data["environment"].as_str().ok_or_else(|| missing("data.environment", "a string"))?;
    if environment.is_empty() || environment.chars().count() > 255 {
        return Err(Fault::invalid("Invalid format: data.environment must have 1 to 255 characters"));
    }
    let body = data["body"].as_object().ok_or_else(|| missing("data.body", "an object"))?;
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| body.get(*kind).is_some_and(|value| !value.is_null())).collect();
    let [kind] = kinds.as_slice() else {
        let found = if kinds.is_empty() { String::from("none") } else { kinds.join(", ") };
        let all = KINDS.join(", ");
        return Err(Fault::invalid(format!("Invalid format: data.body must have exactly one of {all}; found {found}")));
    };
    let content = &body[*kind];
    let own = match *kind {
        "trace" => trace("data.body.trace", content)?,
        "trace_chain" => {
            let chain = content.as_array().filter(|chain| !chain.is_empty());
            let chain = chain.ok_or_else(|| missing("data.body.trace_chain", "an array that is not empty"))?;
            let mut titles = Vec::new();
            for (index, one) in chain.iter().enumerate() {
                titles.push(trace(&format!("data.body.trace_chain[{index}]"), one)?);
            }
            titles.swap_remove(0)
        }
        "message" => first_line(text("data.body.message.body", &content["body"])?),
        _ => first_line(text("data.body.crash_report.raw", &content["raw"])?),
    };
    let fallback = if *kind == "message" { "info" } else { "error" };
    let level = optional("data.level", &data["level"])?.unwrap_or(fallback);
    if !LEVELS.contains(&level) {
        return Err(Fault::invalid(format!("Invalid format: data.level must be one of {}", LEVELS.join(", "))));
    }
    let title = optional("data.title", &data["title"])?.filter(|title| !title.is_empty()).map_or(own, first_line);
    let uuid = optional("data.uuid", &data["uuid"])?.filter(|uuid| !uuid.is_empty()).map(str::to_owned);
    if uuid.as_ref().is_some_and(|uuid| uuid.chars().count() > 36) {
        return Err(Fault::invalid("Invalid format: data.uuid must have at most 36 characters"));
    }
    let word = |member: &str| optional(&format!("data.{member}"), &data[member]).map(|text| text.unwrap_or("unknown").to_owned());
    for (member, longest) in [("code_version", 40), ("context", 255), ("language", 40), ("platform", 255), ("framework", 255)] {
        let field = format!("data.{member}");
        if optional(&field, &data[member])?.is_some_and(|text| text.chars().count() > longest) {
            return Err(Fault::invalid(format!("Invalid format: {field} must have at most {longest} characters")));
        }
    }
    optional("data.fingerprint", &data["fingerprint"])?;
    for member in ["request", "server", "client", "custom", "notifier"] {
        if !(data[member].is_null() || data[member].is_object()) {
            return Err(missing(&format!("data.{member}"), "an object"));
        }
    }
    Ok(Payload {
        environment: environment.to_owned(),
        level: level.to_owned(),
        title: title.chars().take(TITLE).collect(),
        framework: word("framework")?,
        platform: word("platform")?,
        timestamp: timestamp(&data["timestamp"], now_seconds)?,
        uuid,
    })
}

fn missing(field: &str, kind: &str) -> Fault {
    Fault::invalid(format!("Invalid format: {field} is required and must be {kind}"))
}

fn optional<'a>(field: &str, value: &'a Value) -> Result<Option<&'a str>, Fault> {
    match value {
        Value::Null => Ok(None),
        Value::String(text) => Ok(Some(text)),
        _ => Err(Fault::invalid(format!("Invalid format: {field} must be a string"))),
    }
}

fn text<'a>(field: &str, value: &'a Value) -> Result<&'a str, Fault> {
    value.as_str().filter(|text| !text.trim().is_empty()).ok_or_else(|| missing(field, "a string that is not empty"))
}

/// Checks a trace; its title is the class and the message.
fn trace(field: &str, trace: &Value) -> Result<String, Fault> {
    let frames = trace["frames"].as_array().ok_or_else(|| missing(&format!("{field}.frames"), "an array"))?;
    for (index, frame) in frames.iter().enumerate() {
        text(&format!("{field}.frames[{index}].filename"), &frame["filename"])?;
    }
    let class = text(&format!("{field}.exception.class"), &trace["exception"]["class"])?;
    let message = optional(&format!("{field}.exception.message"), &trace["exception"]["message"])?.unwrap_or_default();
    Ok(first_line(&if message.is_empty() { class.to_owned() } else { format!("{class}: {message}") }))
}

fn first_line(text: &str) -> String {
    text.trim_start().lines().next().unwrap_or_default().trim_end().to_owned()
}

/// Seconds, whole or not, as a number or as a text; absent means now.
#[expect(clippy::cast_possible_truncation, reason = "the bounds are checked")]
fn timestamp(value: &Value, now_seconds: i64) -> Result<i64, Fault> {
    let seconds = match value {
        Value::Null => return Ok(now_seconds),
        Value::Number(number) => number.as_f64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    let seconds = seconds.filter(|seconds| (0.0..1e11).contains(seconds));
    seconds
        .map(|seconds| seconds as i64)
        .ok_or_else(|| Fault::invalid("Invalid format: data.timestamp must be a Unix time in seconds"))
}
