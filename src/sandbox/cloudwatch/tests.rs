use http::{HeaderMap, HeaderValue};
use serde_json::{Value, json};

use super::*;
use crate::sandbox::store::{Place, Store};
use crate::sandbox::{Keys, rejection};

const SIGNED: &str = "AWS4-HMAC-SHA256 Credential=AKID/20261120/ca-central-1/logs/aws4_request, SignedHeaders=host, Signature=0";

fn shared() -> Shared {
    let store = Store::open(&Place::Memory, &[rejection::TABLES, TABLES]).unwrap();
    Shared { store, keys: Keys::default().into() }
}

async fn raw(shared: &Shared, target: &str, authorization: Option<&str>, body: impl Into<Bytes>) -> Response {
    let mut headers = HeaderMap::new();
    headers.insert("x-amz-target", HeaderValue::from_str(target).unwrap());
    if let Some(value) = authorization {
        headers.insert("authorization", HeaderValue::from_str(value).unwrap());
    }
    let peer = "127.0.0.1:9".parse().unwrap();
    let request = Request { method: Method::POST, path: "/".into(), query: String::new(), headers, body: body.into(), peer };
    handle(shared, request).await
}

/// The answer's status and body.
async fn ask(shared: &Shared, operation: &str, input: Value) -> (u16, Value) {
    let response = raw(shared, &format!("Logs_20140328.{operation}"), Some(SIGNED), input.to_string()).await;
    let body = if response.body().is_empty() { Value::Null } else { serde_json::from_slice(response.body()).unwrap() };
    if let Some(kind) = response.headers().get("x-amzn-errortype") {
        assert_eq!(kind, body["__type"].as_str().unwrap());
    }
    (response.status().as_u16(), body)
}

#[track_caller]
fn ok((status, body): (u16, Value)) -> Value {
    assert_eq!(status, 200, "{body}");
    body
}

#[track_caller]
fn refused((status, body): (u16, Value), kind: &str, part: &str) {
    assert_eq!(status, 400, "{body}");
    assert_eq!(body["__type"], kind, "{body}");
    assert!(body["message"].as_str().unwrap().contains(part), "{body}");
}

async fn reasons(shared: &Shared) -> Vec<String> {
    rejection::since(shared, 0).await.unwrap().into_iter().map(|rejection| rejection.reason).collect()
}

async fn with_stream(group: &str, stream: &str) -> Shared {
    let shared = shared();
    ok(ask(&shared, "CreateLogGroup", json!({"logGroupName": group})).await);
    ok(ask(&shared, "CreateLogStream", json!({"logGroupName": group, "logStreamName": stream})).await);
    shared
}

async fn put(shared: &Shared, group: &str, stream: &str, events: &[(i64, &str)]) -> (u16, Value) {
    let events: Vec<Value> = events.iter().map(|(at, text)| json!({"timestamp": at, "message": text})).collect();
    ask(shared, "PutLogEvents", json!({"logGroupName": group, "logStreamName": stream, "logEvents": events})).await
}

fn messages(body: &Value) -> Vec<&str> {
    body["events"].as_array().unwrap().iter().map(|event| event["message"].as_str().unwrap()).collect()
}

#[tokio::test]
async fn a_caller_brings_credentials() {
    let shared = shared();
    let target = "Logs_20140328.DescribeLogGroups";
    for (authorization, kind) in [
        (None, "MissingAuthenticationTokenException"),
        (Some("Bearer x"), "MissingAuthenticationTokenException"),
        (Some("AWS4-HMAC-SHA256 Credential=/20261120/us-east-1/logs/aws4_request"), "UnrecognizedClientException"),
        // A secret in the id's place, and an id with a blank after it.
        (Some("AWS4-HMAC-SHA256 Credential=aB3/x+9/20261120/us-east-1/logs/aws4_request"), "UnrecognizedClientException"),
        (Some("AWS4-HMAC-SHA256 Credential=AKID /20261120/us-east-1/logs/aws4_request"), "UnrecognizedClientException"),
    ] {
        let response = raw(&shared, target, authorization, "{}").await;
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()["x-amzn-errortype"], kind);
    }
    assert_eq!(reasons(&shared).await, ["no-credentials", "no-credentials", "no-credentials", "unknown-key", "unknown-key"]);
    assert_eq!(raw(&shared, target, Some(SIGNED), "").await.status(), 200);
}

#[tokio::test]
async fn what_is_no_request_is_refused() {
    let shared = shared();
    let unknown = raw(&shared, "Logs_20140328.StartLiveTail", Some(SIGNED), "{}").await;
    assert_eq!(unknown.headers()["x-amzn-errortype"], "UnknownOperationException");
    let other = raw(&shared, "X", Some(SIGNED), "{}").await;
    assert_eq!(other.headers()["x-amzn-errortype"], "UnknownOperationException");
    for body in ["{", "[]", "{\"logGroupName\":3}", "\u{0}"] {
        let response = raw(&shared, "Logs_20140328.CreateLogGroup", Some(SIGNED), body).await;
        assert_eq!(response.headers()["x-amzn-errortype"], "SerializationException", "{body}");
    }
    let deep = format!("{}{}", "[".repeat(5000), "]".repeat(5000));
    let response = raw(&shared, "Logs_20140328.CreateLogGroup", Some(SIGNED), deep).await;
    assert_eq!(response.status(), 400);
    let large = raw(&shared, "Logs_20140328.CreateLogGroup", Some(SIGNED), vec![b' '; BODY_LIMIT + 1]).await;
    assert_eq!(large.status(), 413);
}

#[tokio::test]
async fn an_unknown_group_or_stream_is_never_made() {
    let shared = shared();
    let now = now_ms();
    refused(put(&shared, "g", "s", &[(now, "x")]).await, "ResourceNotFoundException", "The specified log group does not exist.");
    ok(ask(&shared, "CreateLogGroup", json!({"logGroupName": "g"})).await);
    refused(put(&shared, "g", "s", &[(now, "x")]).await, "ResourceNotFoundException", "The specified log stream does not exist.");
    assert_eq!(reasons(&shared).await, ["no-such-group", "no-such-stream"]);
    let streams = ok(ask(&shared, "DescribeLogStreams", json!({"logGroupName": "g"})).await);
    assert_eq!(streams["logStreams"], json!([]));
}

#[tokio::test]
async fn a_put_keeps_the_limits() {
    let shared = with_stream("g", "s").await;
    let now = now_ms();
    let invalid = "InvalidParameterException";
    refused(put(&shared, "g", "s", &[]).await, invalid, "Member must have length greater than or equal to 1");
    refused(put(&shared, "g", "s", &[(now, "b"), (now - 1, "a")]).await, invalid, "chronological");
    refused(put(&shared, "g", "s", &[(now - 86_400_001, "a"), (now, "b")]).await, invalid, "24 hours");
    refused(put(&shared, "g", "s", &[(now, "")]).await, invalid, "logEvents.1.member.message");
    refused(put(&shared, "g", "s", &[(-1, "x")]).await, invalid, "logEvents.1.member.timestamp");
    refused(put(&shared, "g", "s:x", &[(now, "x")]).await, invalid, "[^:*]*");
    refused(put(&shared, "g", "s", &vec![(now, "x"); 10_001]).await, invalid, "less than or equal to 10000");
    let large = "ü".repeat(524_288 - 13);
    refused(
        put(&shared, "g", "s", &[(now, &large), (now, "x")]).await,
        invalid,
        "Upload too large: 1048603 bytes exceeds limit of 1048576",
    );
    refused(put(&shared, "g", "s", &[(now, &format!("{large}x"))]).await, invalid, "Log event too large: 1048577 bytes");
    ok(put(&shared, "g", "s", &[(now, &large)]).await);
    ok(put(&shared, "g", "s", &vec![(now, "x"); 10_000]).await);
    assert!(reasons(&shared).await.iter().all(|reason| reason == "invalid-request"));
}

#[tokio::test]
async fn too_old_too_new_and_expired_events_come_back() {
    let shared = with_stream("g", "s").await;
    let now = now_ms();
    let (day, hour) = (86_400_000, 3_600_000);
    let answer = ok(put(&shared, "g", "s", &[(now - 20 * day, "old")]).await);
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooOldLogEventEndIndex": 1}));
    let answer = ok(put(&shared, "g", "s", &[(now - hour, "fine"), (now, "fine"), (now + 3 * hour, "new")]).await);
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"tooNewLogEventStartIndex": 2}));
    assert!(answer["nextSequenceToken"].is_string());
    ok(ask(&shared, "PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 1})).await);
    let answer = ok(put(&shared, "g", "s", &[(now - 30 * hour, "gone"), (now - 10 * hour, "kept")]).await);
    assert_eq!(answer["rejectedLogEventsInfo"], json!({"expiredLogEventEndIndex": 1}));
    let found = ok(ask(&shared, "FilterLogEvents", json!({"logGroupName": "g"})).await);
    assert_eq!(messages(&found), ["kept", "fine", "fine"]);
    assert_eq!(reasons(&shared).await, ["rejected-events"; 3]);
}

#[tokio::test]
async fn events_are_read_forward_and_backward_until_the_token_repeats() {
    let shared = with_stream("g", "s").await;
    let now = now_ms();
    let texts: Vec<String> = (0..25).map(|n| n.to_string()).collect();
    for (n, text) in (0..).zip(&texts) {
        ok(put(&shared, "g", "s", &[(now + n / 3, text)]).await);
    }
    for (forward, token_name) in [(true, "nextForwardToken"), (false, "nextBackwardToken")] {
        let (mut seen, mut token) = (Vec::new(), Value::Null);
        for round in 0.. {
            assert!(round < 10, "the token never repeats");
            let input =
                json!({"logGroupName": "g", "logStreamName": "s", "limit": 10, "startFromHead": forward, "nextToken": token});
            let page = ok(ask(&shared, "GetLogEvents", input).await);
            let found: Vec<String> = messages(&page).into_iter().map(str::to_owned).collect();
            seen = if forward { [seen, found].concat() } else { [found, seen].concat() };
            if page[token_name] == token {
                break;
            }
            token = page[token_name].clone();
        }
        assert_eq!(seen, texts);
        // What comes later is found with the token that had come to the end.
        if forward {
            ok(put(&shared, "g", "s", &[(now + 100, "later")]).await);
            let input = json!({"logGroupName": "g", "logStreamName": "s", "nextToken": token});
            assert_eq!(messages(&ok(ask(&shared, "GetLogEvents", input).await)), ["later"]);
            let all = json!({"logGroupName": "g", "logStreamName": "s", "startTime": now + 1, "endTime": now + 2});
            assert_eq!(messages(&ok(ask(&shared, "GetLogEvents", all).await)), ["3", "4", "5"]);
            ok(ask(&shared, "DeleteLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await);
            ok(ask(&shared, "CreateLogStream", json!({"logGroupName": "g", "logStreamName": "s"})).await);
            for (n, text) in (0..).zip(&texts) {
                ok(put(&shared, "g", "s", &[(now + n / 3, text)]).await);
            }
        }
    }
    let wrong = json!({"logGroupName": "g", "logStreamName": "s", "nextToken": "f/12"});
    refused(ask(&shared, "GetLogEvents", wrong).await, "InvalidParameterException", "nextToken");
}

#[tokio::test]
async fn filtered_events_come_in_order_across_streams_page_by_page() {
    let shared = with_stream("g", "a").await;
    ok(ask(&shared, "CreateLogStream", json!({"logGroupName": "g", "logStreamName": "b"})).await);
    let now = now_ms();
    // More single puts than a tail holds, so that merged and unmerged chunks lie side by side.
    let mut expected = Vec::new();
    for n in 0..600_i64 {
        let (stream, text) =
            (if n % 3 == 0 { "a" } else { "b" }, format!("line {n} {}", if n % 2 == 0 { "even" } else { "odd" }));
        let at = now + n % 50;
        ok(put(&shared, "g", stream, &[(at, &text)]).await);
        expected.push((at, text, stream));
    }
    expected.sort_by_key(|(at, ..)| *at);
    for (pattern, stream) in [("", None), ("even", None), ("\"line 300 \"", None), ("odd", Some("b"))] {
        let (mut seen, mut ids, mut token) = (Vec::new(), std::collections::HashSet::new(), Value::Null);
        loop {
            let streams = stream.map(|name| vec![name]);
            let input = json!({"logGroupName": "g", "filterPattern": pattern, "limit": 70, "nextToken": token, "logStreamNames": streams});
            let page = ok(ask(&shared, "FilterLogEvents", input).await);
            for event in page["events"].as_array().unwrap() {
                seen.push((event["timestamp"].as_i64().unwrap(), event["message"].as_str().unwrap().to_owned()));
                assert!(ids.insert(event["eventId"].as_str().unwrap().to_owned()), "the event id repeats");
            }
            token = page["nextToken"].clone();
            if token.is_null() {
                break;
            }
        }
        let wanted: Vec<_> = expected
            .iter()
            .filter(|(_, text, name)| text.contains(pattern.trim_matches('"')) && stream.is_none_or(|stream| stream == *name))
            .map(|(at, text, _)| (*at, text.clone()))
            .collect();
        assert_eq!(seen, wanted, "{pattern}");
    }
    // Merging keeps an event's id.
    let one = json!({"logGroupName": "g", "filterPattern": "\"line 599 \""});
    let before = ok(ask(&shared, "FilterLogEvents", one.clone()).await);
    for n in 0..300 {
        ok(put(&shared, "g", "b", &[(now, &format!("more {n}"))]).await);
    }
    assert_eq!(ok(ask(&shared, "FilterLogEvents", one).await)["events"], before["events"]);
    let record = json!({"logRecordPointer": before["events"][0]["eventId"]});
    assert_eq!(ok(ask(&shared, "GetLogRecord", record).await)["logRecord"]["@message"], before["events"][0]["message"]);
}

#[tokio::test]
async fn a_page_of_filtered_events_holds_a_megabyte() {
    let shared = with_stream("g", "s").await;
    let now = now_ms();
    let text = "x".repeat(400_000);
    for n in 0..5 {
        ok(put(&shared, "g", "s", &[(now + n, &text), (now + n, &text)]).await);
    }
    let (mut pages, mut token) = (Vec::new(), Value::Null);
    loop {
        let page = ok(ask(&shared, "FilterLogEvents", json!({"logGroupName": "g", "nextToken": token})).await);
        pages.push(messages(&page).len());
        token = page["nextToken"].clone();
        if token.is_null() {
            break;
        }
    }
    assert_eq!(pages, [2; 5]);
}

#[tokio::test]
async fn a_filter_says_what_is_wrong() {
    let shared = with_stream("g", "s").await;
    let invalid = "InvalidParameterException";
    let ask = async |input: Value| ask(&shared, "FilterLogEvents", input).await;
    refused(ask(json!({"logGroupName": "g", "filterPattern": "{ $.a }"})).await, invalid, "Invalid filter pattern");
    refused(ask(json!({"logGroupName": "g", "limit": 10_001})).await, invalid, "'limit'");
    refused(ask(json!({"logGroupName": "g", "nextToken": "x"})).await, invalid, "nextToken");
    refused(ask(json!({"logGroupName": "g", "logStreamNames": ["s"], "logStreamNamePrefix": "s"})).await, invalid, "together");
    refused(ask(json!({})).await, invalid, "Either");
    refused(ask(json!({"logGroupName": "none"})).await, "ResourceNotFoundException", "group");
    refused(ask(json!({"logGroupName": "g", "logStreamNames": ["none"]})).await, "ResourceNotFoundException", "stream");
    let arn = "arn:aws:logs:us-east-1:000000000000:log-group:g:*";
    assert_eq!(ok(ask(json!({"logGroupIdentifier": arn})).await)["events"], json!([]));
}

#[tokio::test]
async fn groups_are_listed_by_prefix_pattern_and_page() {
    let shared = shared();
    for name in ["/aws/a", "/aws/b", "app", "Zebra", "api/aws/x"] {
        ok(ask(&shared, "CreateLogGroup", json!({"logGroupName": name, "tags": {"k": "v"}})).await);
    }
    refused(
        ask(&shared, "CreateLogGroup", json!({"logGroupName": "app"})).await,
        "ResourceAlreadyExistsException",
        "already exists",
    );
    refused(
        ask(&shared, "CreateLogGroup", json!({"logGroupName": "a b"})).await,
        "InvalidParameterException",
        "regular expression",
    );
    refused(ask(&shared, "CreateLogGroup", json!({})).await, "InvalidParameterException", "must not be null");
    let names = async |input: Value| {
        let page = ok(super::tests::ask(&shared, "DescribeLogGroups", input).await);
        let names: Vec<String> = page["logGroups"]
            .as_array()
            .unwrap()
            .iter()
            .map(|group| group["logGroupName"].as_str().unwrap().to_owned())
            .collect();
        (names, page["nextToken"].clone())
    };
    assert_eq!(names(json!({"logGroupNamePrefix": "/aws"})).await.0, ["/aws/a", "/aws/b"]);
    assert_eq!(names(json!({"logGroupNamePattern": "aws"})).await.0, ["/aws/a", "/aws/b", "api/aws/x"]);
    let (first, token) = names(json!({"limit": 3})).await;
    let (second, end) = names(json!({"limit": 3, "nextToken": token})).await;
    assert_eq!([first, second].concat(), ["/aws/a", "/aws/b", "Zebra", "api/aws/x", "app"]);
    assert!(end.is_null());
    let both = json!({"logGroupNamePrefix": "a", "logGroupNamePattern": "a"});
    refused(ask(&shared, "DescribeLogGroups", both).await, "InvalidParameterException", "mutually exclusive");
    refused(ask(&shared, "DescribeLogGroups", json!({"limit": 51})).await, "InvalidParameterException", "51");
    let one = ok(ask(&shared, "DescribeLogGroups", json!({"logGroupNamePrefix": "app"})).await);
    assert_eq!(one["logGroups"][0]["arn"], "arn:aws:logs:ca-central-1:000000000000:log-group:app:*");
}

#[tokio::test]
async fn streams_are_listed_by_name_and_by_time() {
    let shared = with_stream("g", "a").await;
    for name in ["b", "c"] {
        ok(ask(&shared, "CreateLogStream", json!({"logGroupName": "g", "logStreamName": name})).await);
    }
    let now = now_ms();
    ok(put(&shared, "g", "a", &[(now - 5, "x"), (now, "y")]).await);
    ok(put(&shared, "g", "b", &[(now - 10, "x")]).await);
    let listed = async |input: Value| {
        let page = ok(super::tests::ask(&shared, "DescribeLogStreams", input).await);
        let names: Vec<String> = page["logStreams"]
            .as_array()
            .unwrap()
            .iter()
            .map(|stream| stream["logStreamName"].as_str().unwrap().to_owned())
            .collect();
        (names.concat(), page)
    };
    assert_eq!(listed(json!({"logGroupName": "g"})).await.0, "abc");
    assert_eq!(listed(json!({"logGroupName": "g", "logStreamNamePrefix": "b"})).await.0, "b");
    let by_time = json!({"logGroupName": "g", "orderBy": "LastEventTime", "descending": true, "limit": 2});
    let (names, page) = listed(by_time.clone()).await;
    assert_eq!(names, "ab");
    assert_eq!(page["logStreams"][0]["firstEventTimestamp"], now - 5);
    assert_eq!(page["logStreams"][0]["lastEventTimestamp"], now);
    let mut next = by_time;
    next["nextToken"] = page["nextToken"].clone();
    assert_eq!(listed(next).await.0, "c");
    let wrong = json!({"logGroupName": "g", "orderBy": "LastEventTime", "logStreamNamePrefix": "a"});
    refused(ask(&shared, "DescribeLogStreams", wrong).await, "InvalidParameterException", "LastEventTime");
}

#[tokio::test]
async fn what_a_group_holds_goes_with_it() {
    let shared = with_stream("g", "s").await;
    ok(put(&shared, "g", "s", &[(now_ms(), "x")]).await);
    ok(ask(&shared, "DeleteLogGroup", json!({"logGroupName": "g"})).await);
    refused(ask(&shared, "DeleteLogGroup", json!({"logGroupName": "g"})).await, "ResourceNotFoundException", "group");
    let left: i64 = shared
        .store
        .read(|connection| connection.query_row("SELECT count(*) FROM log_chunk", [], |row| row.get(0)))
        .await
        .unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn old_chunks_are_evicted_and_the_stream_goes_on() {
    let shared = with_stream("g", "s").await;
    let now = now_ms();
    ok(put(&shared, "g", "s", &[(now, "x")]).await);
    let gone = shared.store.write(move |tx| (TABLES.evict)(tx, now + 60_000)).await.unwrap();
    assert_eq!(gone, 1);
    for n in 0..300 {
        ok(put(&shared, "g", "s", &[(now, &n.to_string())]).await);
    }
    assert_eq!(messages(&ok(ask(&shared, "FilterLogEvents", json!({"logGroupName": "g"})).await)).len(), 300);
    let rows: i64 = shared
        .store
        .read(|connection| connection.query_row("SELECT count(*) FROM log_chunk", [], |row| row.get(0)))
        .await
        .unwrap();
    assert_eq!(rows, 1 + 300 - 256);
}

#[tokio::test]
async fn retention_has_its_days() {
    let shared = with_stream("g", "s").await;
    let wrong = json!({"logGroupName": "g", "retentionInDays": 8});
    refused(ask(&shared, "PutRetentionPolicy", wrong).await, "InvalidParameterException", "'retentionInDays'");
    ok(ask(&shared, "PutRetentionPolicy", json!({"logGroupName": "g", "retentionInDays": 7})).await);
    let days = async || ok(ask(&shared, "DescribeLogGroups", json!({})).await)["logGroups"][0]["retentionInDays"].clone();
    assert_eq!(days().await, 7);
    ok(ask(&shared, "DeleteRetentionPolicy", json!({"logGroupName": "g"})).await);
    assert!(days().await.is_null());
    refused(ask(&shared, "DeleteRetentionPolicy", json!({"logGroupName": "x"})).await, "ResourceNotFoundException", "group");
}

#[tokio::test]
async fn tags_are_put_listed_and_removed() {
    let shared = with_stream("g", "s").await;
    let arn = "arn:aws:logs:ca-central-1:000000000000:log-group:g";
    ok(ask(&shared, "TagLogGroup", json!({"logGroupName": "g", "tags": {"a": "1", "b": "2"}})).await);
    ok(ask(&shared, "TagResource", json!({"resourceArn": arn, "tags": {"b": "3", "c": "4"}})).await);
    ok(ask(&shared, "UntagLogGroup", json!({"logGroupName": "g", "tags": ["a"]})).await);
    let expected = json!({"tags": {"b": "3", "c": "4"}});
    assert_eq!(ok(ask(&shared, "ListTagsLogGroup", json!({"logGroupName": "g"})).await), expected);
    ok(ask(&shared, "UntagResource", json!({"resourceArn": arn, "tagKeys": ["b"]})).await);
    assert_eq!(ok(ask(&shared, "ListTagsForResource", json!({"resourceArn": arn})).await), json!({"tags": {"c": "4"}}));
    let many: serde_json::Map<String, Value> = (0..50).map(|n| (n.to_string(), json!("x"))).collect();
    refused(ask(&shared, "TagResource", json!({"resourceArn": arn, "tags": many})).await, "TooManyTagsException", "50");
    refused(ask(&shared, "ListTagsForResource", json!({"resourceArn": "g"})).await, "InvalidParameterException", "ARN");
}

/// Members of inputs with values that may be of a wrong kind.
fn inputs() -> impl proptest::strategy::Strategy<Value = (String, Value)> {
    use proptest::prelude::*;
    let operation = "PutLogEvents|(Create|Delete|Describe)Log(Group|Stream)s?|GetLogEvents|FilterLogEvents|(Start|Stop)Query|GetQueryResults|DescribeQueries|(Tag|Untag)(LogGroup|Resource)|ListTags(LogGroup|ForResource)|PutRetentionPolicy|GetLogRecord|ListLogGroups";
    let member = "log(Group|Stream)Name(Prefix|s|Pattern)?|logGroupIdentifier|nextToken|limit|startTime|endTime|filterPattern|queryString|queryId|tags|logEvents|resourceArn|retentionInDays|logRecordPointer";
    let value = prop_oneof![
        "[gs]".prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from),
        "[fb]?/?3[0-9]{54}[01](/s)?".prop_map(Value::from),
        prop_oneof![Just(0), Just(-1), Just(i64::MAX), Just(i64::MIN), 1..60_i64].prop_map(Value::from),
        Just(json!(["g", "s"])),
        Just(json!([{"timestamp": now_ms(), "message": "{\"a\":1}"}, {"timestamp": i64::MAX, "message": "x"}])),
        Just(json!({"k": "v"})),
        Just(Value::Null),
    ];
    let body = prop::collection::btree_map(member, value, 0..5);
    (operation, body, any::<bool>()).prop_map(|(operation, mut body, named)| {
        if named {
            body.insert("logGroupName".into(), json!("g"));
            body.insert("logStreamName".into(), json!("s"));
        }
        (operation, Value::Object(body.into_iter().collect()))
    })
}

proptest::proptest! {
    #[test]
    fn no_input_makes_it_panic_or_fail_within(calls in proptest::collection::vec(inputs(), 1..8)) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let shared = with_stream("g", "s").await;
            for (operation, input) in calls {
                let (status, body) = ask(&shared, &operation, input.clone()).await;
                assert!(status == 200 || status == 400, "{operation} {input}: {status} {body}");
            }
        });
    }
}
