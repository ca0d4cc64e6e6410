//! The sandbox's CloudWatch Logs, driven by AWS's own SDK over loopback.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::time::Duration;

use aws_sdk_cloudwatchlogs::Client;
use aws_sdk_cloudwatchlogs::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudwatchlogs::error::ProvideErrorMetadata;
use aws_sdk_cloudwatchlogs::types::{InputLogEvent, OrderBy, QueryStatus};
use bootcamp::sandbox::store::Place;
use bootcamp::sandbox::{Ports, Sandbox, Settings, now_ms, rejection};

async fn sandbox() -> (Sandbox, Client) {
    let sandbox = Sandbox::bind(Settings { ports: Ports::free(), ..Settings::default() }).await.unwrap();
    let client = client(&sandbox.addresses().http_url(), "AKID");
    (sandbox, client)
}

fn client(url: &str, key: &str) -> Client {
    let credentials = Credentials::builder().access_key_id(key).secret_access_key("secret").provider_name("test").build();
    let config = aws_sdk_cloudwatchlogs::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("ca-central-1"))
        .credentials_provider(credentials)
        .endpoint_url(url)
        .build();
    Client::from_conf(config)
}

fn event(at: i64, text: impl Into<String>) -> InputLogEvent {
    InputLogEvent::builder().timestamp(at).message(text).build().unwrap()
}

async fn with_stream() -> (Sandbox, Client) {
    let (sandbox, client) = sandbox().await;
    client.create_log_group().log_group_name("cruddur").send().await.unwrap();
    client.create_log_stream().log_group_name("cruddur").log_stream_name("home").send().await.unwrap();
    (sandbox, client)
}

#[tokio::test]
async fn the_order_in_which_watchtower_calls() {
    let (sandbox, client) = sandbox().await;
    let groups = client.describe_log_groups().log_group_name_prefix("cruddur").send().await.unwrap();
    assert!(groups.log_groups().is_empty());
    client.create_log_group().log_group_name("cruddur").send().await.unwrap();
    let put = || client.put_log_events().log_group_name("cruddur").log_stream_name("home").log_events(event(now_ms(), "hello"));
    let error = put().send().await.unwrap_err().into_service_error();
    assert!(error.is_resource_not_found_exception());
    assert_eq!(error.message(), Some("The specified log stream does not exist."));
    client.create_log_stream().log_group_name("cruddur").log_stream_name("home").send().await.unwrap();
    let again = client.create_log_stream().log_group_name("cruddur").log_stream_name("home").send().await.unwrap_err();
    assert!(again.into_service_error().is_resource_already_exists_exception());
    let answer = put().send().await.unwrap();
    assert!(answer.rejected_log_events_info().is_none());
    assert!(answer.next_sequence_token().is_some());
    // A stale sequence token is ignored.
    put().sequence_token("stale").send().await.unwrap();
    let kept = rejection::since(sandbox.shared(), 0).await.unwrap();
    assert_eq!(kept.iter().map(|one| one.reason.as_str()).collect::<Vec<_>>(), ["no-such-stream"]);
}

#[tokio::test]
async fn groups_streams_retention_and_tags() {
    let (_sandbox, client) = with_stream().await;
    client.create_log_group().log_group_name("other").tags("team", "a").send().await.unwrap();
    let error = client.create_log_group().log_group_name("other").send().await.unwrap_err().into_service_error();
    assert!(error.is_resource_already_exists_exception());
    let error = client.create_log_group().log_group_name("not good").send().await.unwrap_err().into_service_error();
    assert!(error.is_invalid_parameter_exception(), "{error:?}");
    let mut pages = client.describe_log_groups().limit(1).into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(group) = pages.next().await {
        names.push(group.unwrap().log_group_name.unwrap());
    }
    assert_eq!(names, ["cruddur", "other"]);
    let listed = client.list_log_groups().log_group_name_pattern("^oth").send().await.unwrap();
    assert_eq!(listed.log_groups()[0].log_group_name(), Some("other"));

    client.put_retention_policy().log_group_name("other").retention_in_days(14).send().await.unwrap();
    let other = client.describe_log_groups().log_group_name_pattern("the").send().await.unwrap();
    assert_eq!(other.log_groups()[0].retention_in_days(), Some(14));
    let arn = other.log_groups()[0].log_group_arn().unwrap().to_owned();
    client.delete_retention_policy().log_group_name("other").send().await.unwrap();

    client.tag_resource().resource_arn(&arn).tags("stage", "x").send().await.unwrap();
    client.untag_resource().resource_arn(&arn).tag_keys("team").send().await.unwrap();
    let tags = client.list_tags_for_resource().resource_arn(&arn).send().await.unwrap();
    assert_eq!(tags.tags().unwrap().get("stage").map(String::as_str), Some("x"));
    assert_eq!(tags.tags().unwrap().len(), 1);

    client.create_log_stream().log_group_name("cruddur").log_stream_name("away").send().await.unwrap();
    client
        .put_log_events()
        .log_group_name("cruddur")
        .log_stream_name("home")
        .log_events(event(now_ms(), "x"))
        .send()
        .await
        .unwrap();
    let describe = || client.describe_log_streams().log_group_name("cruddur");
    let streams = describe().order_by(OrderBy::LastEventTime).descending(true).send().await.unwrap();
    let names: Vec<_> = streams.log_streams().iter().filter_map(|stream| stream.log_stream_name()).collect();
    assert_eq!(names, ["home", "away"]);
    assert!(
        streams.log_streams()[0].last_event_timestamp().is_some() && streams.log_streams()[1].last_event_timestamp().is_none()
    );
    client.delete_log_stream().log_group_name("cruddur").log_stream_name("away").send().await.unwrap();
    client.delete_log_group().log_group_name("cruddur").send().await.unwrap();
    let error = describe().send().await.unwrap_err().into_service_error();
    assert_eq!(error.message(), Some("The specified log group does not exist."));
}

#[tokio::test]
async fn events_are_put_got_and_filtered() {
    let (_sandbox, client) = with_stream().await;
    let now = now_ms();
    for batch in 0..3 {
        let events = (0..100).map(|n| event(now + n, format!("GET /api/activities/home?bootcamp={batch}-{n} 200")));
        let put = client.put_log_events().log_group_name("cruddur").log_stream_name("home");
        put.set_log_events(Some(events.collect())).send().await.unwrap();
    }
    let one = client.filter_log_events().log_group_name("cruddur").filter_pattern("\"bootcamp=1-42 \"").send().await.unwrap();
    let [found] = one.events() else { panic!("{one:?}") };
    assert_eq!(found.message(), Some("GET /api/activities/home?bootcamp=1-42 200"));
    assert_eq!((found.timestamp(), found.log_stream_name()), (Some(now + 42), Some("home")));
    assert!(found.ingestion_time() >= Some(now) && found.event_id().is_some());

    let range = client.filter_log_events().log_group_name("cruddur").start_time(now + 10).end_time(now + 11);
    let mut pages = range.limit(4).into_paginator().send();
    let mut seen = Vec::new();
    while let Some(page) = pages.next().await {
        seen.extend(
            page.unwrap()
                .events()
                .iter()
                .filter_map(aws_sdk_cloudwatchlogs::types::FilteredLogEvent::timestamp)
                .map(|at| at - now),
        );
    }
    assert_eq!(seen, [10, 10, 10, 11, 11, 11]);

    let get = || client.get_log_events().log_group_name("cruddur").log_stream_name("home").start_from_head(true).limit(150);
    let mut pages = get().into_paginator().stop_on_duplicate_token(true).send();
    let mut total = 0;
    while let Some(page) = pages.next().await {
        total += page.unwrap().events().len();
    }
    assert_eq!(total, 300);

    let error = client.filter_log_events().log_group_name("cruddur").filter_pattern("a-b").send().await.unwrap_err();
    let error = error.into_service_error();
    assert!(error.is_invalid_parameter_exception());
    assert_eq!(error.message(), Some("Invalid character(s) in term 'a-b'"));
}

#[tokio::test]
async fn out_of_range_events_are_reported() {
    let (_sandbox, client) = with_stream().await;
    let put = |events: Vec<InputLogEvent>| {
        client.put_log_events().log_group_name("cruddur").log_stream_name("home").set_log_events(Some(events)).send()
    };
    let now = now_ms();
    let answer = put(vec![event(now, "fine"), event(now + 3 * 3_600_000, "new")]).await.unwrap();
    assert_eq!(answer.rejected_log_events_info().unwrap().too_new_log_event_start_index(), Some(1));
    let answer = put(vec![event(now - 15 * 86_400_000, "old")]).await.unwrap();
    assert_eq!(answer.rejected_log_events_info().unwrap().too_old_log_event_end_index(), Some(1));
    let error = put(vec![event(now, "b"), event(now - 1, "a")]).await.unwrap_err().into_service_error();
    assert!(error.is_invalid_parameter_exception());
}

#[tokio::test]
async fn insights_answers_queries() {
    let (_sandbox, client) = with_stream().await;
    let now = now_ms();
    let events = (0..20).map(|n| event(now + n, format!(r#"{{"status":{},"took":{n}}}"#, if n % 4 == 0 { 500 } else { 200 })));
    let put = client.put_log_events().log_group_name("cruddur").log_stream_name("home");
    put.set_log_events(Some(events.collect())).send().await.unwrap();
    let start = |text: &str| {
        let query = client.start_query().log_group_name("cruddur").query_string(text);
        query.start_time(now / 1000 - 60).end_time(now / 1000 + 60).send()
    };
    let text = "filter took < 16 | stats count(*) as n, max(took) as longest by status | sort n desc";
    let id = start(text).await.unwrap().query_id.unwrap();
    let mut rounds = 0;
    let results = loop {
        let results = client.get_query_results().query_id(&id).send().await.unwrap();
        if results.status() != Some(&QueryStatus::Running) {
            break results;
        }
        rounds += 1;
        assert!(rounds < 500, "the query does not end");
        tokio::time::sleep(Duration::from_millis(10)).await;
    };
    assert_eq!(results.status(), Some(&QueryStatus::Complete));
    let rows: Vec<String> = results
        .results()
        .iter()
        .map(|row| {
            row.iter().map(|cell| format!("{}={}", cell.field().unwrap(), cell.value().unwrap())).collect::<Vec<_>>().join(" ")
        })
        .collect();
    assert_eq!(rows, ["status=200 n=12 longest=15", "status=500 n=4 longest=12"]);
    let statistics = results.statistics().unwrap();
    assert!((statistics.records_scanned() - 20.0).abs() < 1e-9 && (statistics.records_matched() - 16.0).abs() < 1e-9);
    let stopped = client.stop_query().query_id(&id).send().await.unwrap_err().into_service_error();
    assert!(stopped.is_invalid_parameter_exception());
    let queries = client.describe_queries().log_group_name("cruddur").send().await.unwrap();
    assert_eq!(queries.queries()[0].query_string(), Some(text));

    let error = start("fields @message | nope").await.unwrap_err().into_service_error();
    let location = match &error {
        aws_sdk_cloudwatchlogs::operation::start_query::StartQueryError::MalformedQueryException(malformed) => {
            malformed.query_compile_error().unwrap().location().unwrap()
        }
        other => panic!("{other:?}"),
    };
    assert_eq!((location.start_char_offset(), location.end_char_offset()), (Some(18), Some(22)));
    let unknown = client.get_query_results().query_id("none").send().await.unwrap_err().into_service_error();
    assert!(unknown.is_resource_not_found_exception());
}

#[tokio::test]
async fn what_was_put_survives_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("store.db"));
    let open = async || {
        let settings = Settings { place: place.clone(), ports: Ports::free(), ..Settings::default() };
        let sandbox = Sandbox::bind(settings).await.unwrap();
        let client = client(&sandbox.addresses().http_url(), "AKID");
        (sandbox, client)
    };
    let read = async |client: &Client| {
        let found = client.filter_log_events().log_group_name("g").send().await.unwrap();
        found.events().iter().map(|event| (event.event_id.clone(), event.message.clone())).collect::<Vec<_>>()
    };
    let (sandbox, client) = open().await;
    client.create_log_group().log_group_name("g").send().await.unwrap();
    client.create_log_stream().log_group_name("g").log_stream_name("s").send().await.unwrap();
    client.put_log_events().log_group_name("g").log_stream_name("s").log_events(event(now_ms(), "kept")).send().await.unwrap();
    let before = read(&client).await;
    assert_eq!(before[0].1.as_deref(), Some("kept"));
    sandbox.stop().await;
    let (_again, client) = open().await;
    assert_eq!(read(&client).await, before);
}
