use serde_json::{Value, json};

use super::*;
use crate::facts::Secret;
use crate::vendor::aws::Keys;
use crate::vendor::fake::{Answer, Asked, Fake};

const SINCE_MS: i64 = 1_700_000_000_000;

fn client(fake: &Fake) -> Client {
    let keys = Keys { access_key_id: Secret::new("AKID"), secret_access_key: Secret::new("topsecret"), session_token: None };
    Client::new(
        Account::new(Some(String::from("ca-central-1")), Some(keys))
            .with_endpoint(fake.url())
            .with_deadline(Duration::from_millis(500)),
    )
}

fn operation(asked: &Asked) -> &str {
    asked.header("x-amz-target").and_then(|target| target.strip_prefix("Logs_20140328.")).unwrap_or_default()
}

fn wire(body: &Value) -> Answer {
    Answer::Whole {
        status: 200,
        headers: vec![(String::from("content-type"), String::from("application/x-amz-json-1.1"))],
        body: body.to_string().into(),
    }
}

fn refusal(status: u16, code: &str) -> Answer {
    Answer::json(status, json!({ "__type": code, "message": "no" }).to_string())
}

/// Three groups on two pages; `cruddur` has two events on three pages, `cruddr` one that holds the nonce.
async fn account(overrides: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) -> Fake {
    Fake::serve(move |asked| {
        if let Some(answer) = overrides(asked) {
            return answer;
        }
        let body = asked.json();
        let event = |stream: &str, message: &str| json!({ "logStreamName": stream, "timestamp": 5, "ingestionTime": 6, "message": message, "eventId": "1" });
        match (operation(asked), body["nextToken"].as_str()) {
            ("DescribeLogGroups", None) => wire(&json!({ "logGroups": [{ "logGroupName": "other", "creationTime": 1 }, { "logGroupName": "cruddr", "creationTime": 9 }], "nextToken": "2" })),
            ("DescribeLogGroups", _) => wire(&json!({ "logGroups": [{ "logGroupName": "cruddur", "creationTime": 3 }] })),
            ("DescribeLogStreams", _) => wire(&json!({ "logStreams": [{ "logStreamName": "latest" }, { "logStreamName": "first" }] })),
            ("FilterLogEvents", token) => match (body["logGroupName"].as_str().unwrap(), token) {
                ("cruddur", _) if !body["filterPattern"].is_null() => wire(&json!({ "events": [] })),
                ("cruddur", None) => wire(&json!({ "events": [event("first", "one")], "nextToken": "a" })),
                ("cruddur", Some("a")) => wire(&json!({ "events": [], "nextToken": "b" })),
                ("cruddur", _) => wire(&json!({ "events": [event("first", "two")] })),
                ("cruddr", _) => wire(&json!({ "events": [event("s", "GET /?bootcamp=bc-7-1")] })),
                _ => wire(&json!({ "events": [] })),
            },
            _ => refusal(400, "UnknownOperationException"),
        }
    })
    .await
}

fn question(groups: &[&str], nonce: &str) -> Question {
    Question { groups: groups.iter().map(|&name| name.to_owned()).collect(), nonce: nonce.to_owned(), since_ms: SINCE_MS }
}

#[tokio::test]
async fn all_events_of_a_group_are_read_through_empty_pages() {
    let fake = account(|_| None).await;
    let seen = client(&fake).observe(&question(&["cruddur"], "")).await.unwrap();
    assert_eq!(seen.events.iter().map(|event| event.message.as_str()).collect::<Vec<_>>(), ["one", "two"]);
    assert_eq!(
        seen.events[0],
        LogEvent {
            group: String::from("cruddur"),
            stream: String::from("first"),
            timestamp_ms: 5,
            ingestion_ms: 6,
            message: String::from("one")
        }
    );
    assert_eq!(
        seen.groups[0],
        LogGroup { name: String::from("cruddur"), streams: vec![String::from("latest"), String::from("first")] }
    );
    assert_eq!(seen.groups.len(), 3);
    let filter = fake.requests().into_iter().find(|asked| operation(asked) == "FilterLogEvents").unwrap().json();
    assert_eq!((filter["startTime"].as_i64(), filter["filterPattern"].is_null()), (Some(SINCE_MS), true));
}

#[tokio::test]
async fn a_group_that_does_not_exist_is_no_trouble_and_the_nonce_is_looked_for_elsewhere() {
    let fake = account(|_| None).await;
    let seen = client(&fake).observe(&question(&["missing"], "bc-7")).await.unwrap();
    assert_eq!(seen.events.iter().map(|event| event.group.as_str()).collect::<Vec<_>>(), ["cruddr"]);
    let found = seen.groups.iter().find(|group| group.name == "cruddr").unwrap();
    assert_eq!(found.streams, ["s"]);
    assert!(!seen.groups.iter().any(|group| group.name == "missing"));
    let patterns: Vec<Value> = fake
        .requests()
        .iter()
        .filter(|asked| operation(asked) == "FilterLogEvents")
        .map(|asked| asked.json()["filterPattern"].clone())
        .collect();
    assert!(patterns.len() >= 3 && patterns.iter().all(|pattern| pattern == "\"bc-7\""), "{patterns:?}");
}

#[tokio::test]
async fn a_nonce_that_was_found_is_not_looked_for_elsewhere() {
    let fake = account(|_| None).await;
    let seen = client(&fake).observe(&question(&["cruddr"], "bc-7")).await.unwrap();
    assert_eq!(seen.events.len(), 1);
    assert_eq!(fake.requests().iter().filter(|asked| operation(asked) == "FilterLogEvents").count(), 1);
}

#[tokio::test]
async fn a_group_that_is_deleted_in_between_is_no_trouble() {
    let fake =
        account(|asked| (operation(asked) != "DescribeLogGroups").then(|| refusal(400, "ResourceNotFoundException"))).await;
    let seen = client(&fake).observe(&question(&["cruddur"], "bc-7")).await.unwrap();
    assert_eq!((seen.events.len(), seen.groups.len()), (0, 3));
}

#[tokio::test]
async fn the_events_are_bounded() {
    let fake = account(|asked| {
        (operation(asked) == "FilterLogEvents").then(|| {
            let events: Vec<Value> =
                (0..900).map(|index| json!({ "logStreamName": "s", "timestamp": index, "message": "x" })).collect();
            wire(&json!({ "events": events, "nextToken": "again" }))
        })
    })
    .await;
    let seen = client(&fake).observe(&question(&["cruddur"], "")).await.unwrap();
    assert_eq!(seen.events.len(), MOST_EVENTS);
    let endless =
        account(|asked| (operation(asked) == "FilterLogEvents").then(|| wire(&json!({ "events": [], "nextToken": "again" }))))
            .await;
    client(&endless).observe(&question(&["cruddur"], "")).await.unwrap();
    assert_eq!(endless.requests().iter().filter(|asked| operation(asked) == "FilterLogEvents").count(), MOST_PAGES);
}

#[tokio::test]
async fn refusals_and_failures_are_told_apart() {
    let cases: [(Answer, bool, &str); 6] = [
        (refusal(400, "UnrecognizedClientException"), false, "does not know the access key"),
        (refusal(400, "AccessDeniedException"), false, "`logs:FilterLogEvents`"),
        (refusal(400, "ThrottlingException"), true, "fewer requests"),
        (refusal(503, "ServiceUnavailableException"), true, "503"),
        (Answer::Truncated, true, "broke"),
        (Answer::Hang, true, "did not answer within"),
    ];
    for (answer, passing, says) in cases {
        let fake = account(move |asked| (operation(asked) == "FilterLogEvents").then(|| answer.clone())).await;
        let trouble = client(&fake).observe(&question(&["cruddur"], "bc-7")).await.unwrap_err();
        assert!(trouble.passing == passing && trouble.cause.contains(says) && !trouble.remedy.is_empty(), "{says}: {trouble:?}");
    }
}

#[tokio::test]
async fn a_keys_reach_is_told_rung_by_rung() {
    let whole = account(|_| None).await;
    assert_eq!(client(&whole).try_out().await.as_deref(), Ok("log groups: 2 and more"));
    let empty = account(|asked| (operation(asked) == "DescribeLogGroups").then(|| wire(&json!({ "logGroups": [] })))).await;
    assert_eq!(client(&empty).try_out().await.as_deref(), Ok("no log group yet"));
    for (name, code, at) in [
        ("DescribeLogGroups", "UnrecognizedClientException", Some(Rung::Authenticated)),
        ("DescribeLogGroups", "AccessDeniedException", Some(Rung::Allowed)),
        ("FilterLogEvents", "AccessDeniedException", Some(Rung::Allowed)),
        // Deleted since it was listed.
        ("FilterLogEvents", "ResourceNotFoundException", None),
    ] {
        let fake = account(move |asked| (operation(asked) == name).then(|| refusal(400, code))).await;
        assert_eq!(client(&fake).try_out().await.err().map(|stop| stop.at), at, "{name} {code}");
    }
}
