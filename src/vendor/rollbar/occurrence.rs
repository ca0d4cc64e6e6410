use serde_json::Value;

use crate::facts::{Attributes, ErrorItem, Frame};

/// More frames than this are cut off.
const MOST_FRAMES: usize = 200;

/// Reads one occurrence, `{"id","item_id","timestamp","data":{payload}}`. What is missing or of another type is left
/// empty: the payload is what a learner's own code sent.
pub(super) fn parse(instance: &Value) -> ErrorItem {
    let data = instance.get("data").unwrap_or(&Value::Null);
    let body = data.get("body").unwrap_or(&Value::Null);
    let text = |value: &Value, pointer: &str| value.pointer(pointer).and_then(Value::as_str).map(str::to_owned);
    // The first of a chain is what was caught; the rest are its causes.
    let trace = body.get("trace").or_else(|| body.get("trace_chain")?.get(0)).unwrap_or(&Value::Null);
    let message = text(body, "/message/body").or_else(|| text(body, "/crash_report/raw"));
    let exception_class = text(trace, "/exception/class");
    let exception_message = text(trace, "/exception/message");
    let title =
        text(data, "/title").or_else(|| text(instance, "/title")).or_else(|| match (&exception_class, &exception_message) {
            (Some(class), Some(message)) => Some(format!("{class}: {message}")),
            (Some(class), None) => Some(class.clone()),
            _ => message.as_deref().and_then(|message| message.lines().next()).map(str::to_owned),
        });
    let frames = trace.get("frames").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    ErrorItem {
        occurrence_id: integer(instance.get("id")),
        item_id: integer(instance.get("item_id")),
        timestamp: integer(instance.get("timestamp").or_else(|| data.get("timestamp"))),
        level: level(data.get("level").or_else(|| instance.get("level"))),
        environment: text(data, "/environment").or_else(|| text(instance, "/environment")).unwrap_or_default(),
        title: title.unwrap_or_default(),
        message,
        exception_class,
        exception_message,
        frames: frames.iter().take(MOST_FRAMES).map(frame).collect(),
        request_url: text(data, "/request/url"),
        request_method: text(data, "/request/method"),
        request_headers: headers(data.pointer("/request/headers")),
    }
}

fn frame(frame: &Value) -> Frame {
    Frame {
        filename: frame.get("filename").and_then(Value::as_str).unwrap_or_default().to_owned(),
        lineno: frame.get("lineno").and_then(Value::as_u64),
        method: frame.get("method").and_then(Value::as_str).map(str::to_owned),
    }
}

/// A level by its name, or by the number that some of the API's answers have in its place.
fn level(value: Option<&Value>) -> String {
    let name = match value {
        Some(Value::String(name)) if !name.is_empty() => return name.to_lowercase(),
        Some(value) => match value.as_i64() {
            Some(50) => "critical",
            Some(30) => "warning",
            Some(20) => "info",
            Some(10) => "debug",
            _ => "error",
        },
        None => "error",
    };
    name.to_owned()
}

fn integer(value: Option<&Value>) -> i64 {
    match value {
        #[expect(clippy::cast_possible_truncation, reason = "a time in seconds with a fraction; the cast saturates")]
        Some(Value::Number(number)) => number.as_i64().or_else(|| number.as_f64().map(|float| float as i64)).unwrap_or(0),
        Some(Value::String(text)) => text.parse().unwrap_or(0),
        _ => 0,
    }
}

fn headers(value: Option<&Value>) -> Attributes {
    let Some(Value::Object(headers)) = value else { return Attributes::new() };
    headers.iter().map(|(name, value)| (name.to_lowercase(), value.clone())).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn an_exception_is_read_whole() {
        let item = parse(&json!({ "id": 9, "item_id": 4, "timestamp": 1_700_000_000, "data": {
            "environment": "production", "level": "error",
            "body": { "trace": { "exception": { "class": "HomeError", "message": "no mock" },
                "frames": [{ "filename": "src/main.rs", "lineno": 12, "method": "serve" }, { "filename": "src/home.rs" }] } },
            "request": { "url": "http://x/rollbar/error?bootcamp=bc-1", "method": "GET", "headers": { "Traceparent": "00-abc-def-01" } } } }));
        assert_eq!((item.occurrence_id, item.item_id, item.timestamp), (9, 4, 1_700_000_000));
        assert_eq!(
            (item.level.as_str(), item.environment.as_str(), item.title.as_str()),
            ("error", "production", "HomeError: no mock")
        );
        assert_eq!(
            item.frames[0],
            Frame { filename: String::from("src/main.rs"), lineno: Some(12), method: Some(String::from("serve")) }
        );
        assert!(item.mentions("bc-1") && item.mentions("00-abc"));
        assert_eq!(item.request_headers["traceparent"], "00-abc-def-01");
    }

    #[test]
    fn messages_chains_and_crash_reports_are_read() {
        let of = |body: Value| parse(&json!({ "data": { "level": 30, "body": body } }));
        let message = of(json!({ "message": { "body": "Hello\nWorld!" } }));
        assert_eq!(
            (message.title.as_str(), message.message.as_deref(), message.level.as_str()),
            ("Hello", Some("Hello\nWorld!"), "warning")
        );
        let chain = of(
            json!({ "trace_chain": [{ "exception": { "class": "Outer" }, "frames": [{ "filename": "a" }] }, { "exception": { "class": "Inner" } }] }),
        );
        assert_eq!((chain.title.as_str(), chain.frames.len()), ("Outer", 1));
        assert_eq!(of(json!({ "crash_report": { "raw": "panicked\nat …" } })).title, "panicked");
        assert_eq!(parse(&json!({ "data": { "title": "own title" } })).title, "own title");
        assert_eq!(parse(&Value::Null).level, "error");
    }

    fn any_json() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<i64>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "\\PC{0,6}".prop_map(Value::from)
        ];
        leaf.prop_recursive(5, 40, 5, |inner| {
            let key = prop::sample::select(vec![
                "id",
                "timestamp",
                "data",
                "level",
                "body",
                "trace",
                "trace_chain",
                "frames",
                "exception",
                "request",
                "headers",
                "lineno",
            ]);
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                prop::collection::vec((key, inner), 0..6)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_payload_makes_it_panic(instance in any_json()) {
            prop_assert!(!parse(&instance).level.is_empty());
        }
    }
}
