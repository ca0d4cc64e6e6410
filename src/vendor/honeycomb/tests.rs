use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use serde_json::json;

use super::*;
use crate::vendor::fake::{Answer, Asked, Fake, nowhere};
use crate::vendor::http_client;

const KEY: &str = "s3cretConfigurationKey";
const TRACE: &str = "4efaaf4d1e8720b39541901950019ee5";

fn client(fake: &Fake) -> Client {
    Client::new(http_client().unwrap(), fake.url(), Secret::new(KEY))
}

fn question() -> Question {
    Question {
        service: Some(String::from("cruddur")),
        trace_ids: vec![TRACE.parse().unwrap()],
        nonce: String::from("bc-7"),
        columns: vec![String::from("app.result_length"), String::from("app.not_there")],
        since_ms: 1_700_000_000_000,
    }
}

fn auth(queries: bool) -> Answer {
    let body = json!({ "id": "k", "type": "configuration",
        "api_key_access": { "events": true, "create_datasets": true, "columns": true, "queries": queries },
        "environment": { "name": "Test", "slug": "test" }, "team": { "name": "T", "slug": "t" } });
    Answer::json(200, body.to_string())
}

fn columns() -> Answer {
    let column = |name: &str, kind: &str| json!({ "id": name, "key_name": name, "type": kind, "hidden": false, "last_written": "2026-03-01T12:00:00Z" });
    let names = [
        ("trace.trace_id", "string"),
        ("trace.span_id", "string"),
        ("trace.parent_id", "string"),
        ("name", "string"),
        ("span.kind", "string"),
        ("duration_ms", "float"),
        ("status_code", "integer"),
        ("service.name", "string"),
        ("url.query", "string"),
        ("app.result_length", "integer"),
    ];
    Answer::json(200, json!(names.map(|(name, kind)| column(name, kind))).to_string())
}

fn result(complete: bool) -> String {
    let row = |data: serde_json::Value| json!({ "data": data });
    json!({ "id": "r1", "complete": complete, "query": {}, "data": { "series": [], "results": [
        row(json!({ "trace.trace_id": TRACE, "trace.span_id": "00f067aa0ba902b7", "trace.parent_id": "aaaaaaaaaaaaaaaa", "name": "mock",
            "span.kind": "internal", "duration_ms": 1.25, "status_code": 0, "service.name": "cruddur", "app.result_length": 3, "url.query": null, "COUNT": 1 })),
        row(json!({ "trace.trace_id": "ffffffffffffffffffffffffffffffff", "trace.span_id": "00f067aa0ba902b8", "name": "GET /", "span.kind": "server",
            "duration_ms": 2, "status_code": 2, "service.name": "unknown_service:python", "app.result_length": "3", "url.query": "bootcamp=bc-7-1", "COUNT": 1 })),
        row(json!({ "trace.trace_id": TRACE, "name": "an event of a span", "COUNT": 1 })),
    ] } }).to_string()
}

/// An environment with everything; `overrides` answers first.
async fn environment(overrides: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) -> Fake {
    Fake::serve(move |asked| {
        if let Some(answer) = overrides(asked) {
            return answer;
        }
        match asked.line().as_str() {
            "GET /1/auth" => auth(true),
            "GET /1/datasets" => Answer::json(
                200,
                r#"[{"name":"old","slug":"old","last_written_at":null},
                {"name":"cruddur","slug":"cruddur","last_written_at":"2026-03-01T12:00:01.5Z"}]"#,
            ),
            "GET /1/columns/cruddur" => columns(),
            "GET /1/columns/old" => Answer::json(200, "[]"),
            "POST /1/queries/__all__" => Answer::json(200, r#"{"id":"q1"}"#),
            "POST /1/query_results/__all__" => Answer::json(201, r#"{"id":"r1","complete":false}"#),
            "GET /1/query_results/__all__/r1" => Answer::json(200, result(true)),
            _ => Answer::json(404, r#"{"error":"not found"}"#),
        }
    })
    .await
}

#[tokio::test]
async fn spans_are_read_back_with_the_types_of_their_values() {
    let fake = environment(|_| None).await;
    let seen = client(&fake).observe(&question()).await.unwrap();
    assert_eq!(seen.level, Level::Exact);
    assert_eq!(seen.spans.len(), 2, "the span event is no span");
    let (child, stray) = (&seen.spans[0], &seen.spans[1]);
    assert_eq!(
        (child.name.as_str(), child.kind.as_str(), child.parent_id.as_deref()),
        ("mock", "internal", Some("aaaaaaaaaaaaaaaa"))
    );
    assert_eq!((child.dataset.as_str(), child.duration_ms, child.status_code), ("cruddur", 1.25, 0));
    assert_eq!(child.attributes["app.result_length"], json!(3));
    assert!(!child.attributes.contains_key("url.query") && !child.attributes.contains_key("COUNT"));
    assert_eq!(stray.attributes["app.result_length"], json!("3"));
    assert_eq!((stray.dataset.as_str(), stray.parent_id.as_deref(), stray.status_code), ("unknown_service", None, 2));
    assert!(stray.mentions("bc-7"));
    assert_eq!(seen.datasets[1].last_written_ms, Some(1_772_366_401_500));
    let asked = fake.requests();
    assert!(asked.iter().all(|asked| asked.header("x-honeycomb-team") == Some(KEY)));
    let query = asked.iter().find(|asked| asked.path == "/1/queries/__all__").unwrap().json();
    assert!(query["breakdowns"].as_array().unwrap().contains(&json!("app.result_length")));
    assert!(!query["breakdowns"].as_array().unwrap().contains(&json!("app.not_there")));
    let order = asked.iter().find(|asked| asked.line() == "POST /1/query_results/__all__").unwrap().json();
    assert_eq!(order, json!({ "query_id": "q1", "disable_series": true, "limit": 10_000 }));
}

#[tokio::test]
async fn the_next_round_asks_only_for_what_may_have_changed() {
    let fake = environment(|_| None).await;
    let client = client(&fake);
    let question = Question { columns: vec![String::from("app.result_length")], ..question() };
    client.observe(&question).await.unwrap();
    let first = fake.requests().len();
    client.observe(&question).await.unwrap();
    let second = fake.lines().split_off(first);
    assert_eq!(
        second,
        ["GET /1/datasets", "POST /1/query_results/__all__", "GET /1/query_results/__all__/r1"],
        "what the key may do, the columns and the query are known"
    );
}

#[tokio::test]
async fn spans_that_come_with_new_columns_are_read_with_them() {
    // The columns are listed just before the first batch arrives, and the query runs just after: without its parent, a span
    // would look like a root, and without its attributes like one that has none.
    let lists = Arc::new(AtomicUsize::new(0));
    let fake = environment(move |asked| {
        let early = asked.line() == "GET /1/columns/cruddur" && lists.fetch_add(1, Ordering::Relaxed) == 0;
        early.then(|| Answer::json(200, r#"[{"key_name":"trace.trace_id"},{"key_name":"trace.span_id"}]"#))
    })
    .await;
    let seen = client(&fake).observe(&question()).await.unwrap();
    assert_eq!(seen.spans.len(), 2);
    let queries: Vec<_> = fake.requests().into_iter().filter(|asked| asked.path == "/1/queries/__all__").collect();
    let named = |asked: &Asked, column: &str| asked.json()["breakdowns"].as_array().unwrap().contains(&json!(column));
    assert_eq!(queries.len(), 2, "once more, with what had come");
    assert!(!named(&queries[0], "trace.parent_id") && named(&queries[1], "trace.parent_id"));
    assert!(named(&queries[1], "app.result_length"));
}

#[tokio::test]
async fn a_column_that_comes_later_is_found() {
    let rounds = Arc::new(AtomicUsize::new(0));
    let fake = environment(move |asked| {
        let early = asked.line() == "GET /1/columns/cruddur" && rounds.fetch_add(1, Ordering::Relaxed) == 0;
        early.then(|| Answer::json(200, r#"[{"key_name":"trace.trace_id"},{"key_name":"trace.span_id"}]"#))
    })
    .await;
    let client = client(&fake);
    for _ in 0..2 {
        client.observe(&question()).await.unwrap();
    }
    let queries: Vec<_> =
        fake.requests().into_iter().filter(|asked| asked.path == "/1/queries/__all__").map(|asked| asked.json()).collect();
    let names = |index: usize| queries[index]["breakdowns"].as_array().unwrap().contains(&json!("app.result_length"));
    assert_eq!((queries.len(), names(0), names(1)), (2, false, true));
}

#[tokio::test]
async fn where_nothing_was_ever_sent_nothing_is_queried() {
    let fake = environment(|asked| (asked.line() == "GET /1/datasets").then(|| Answer::json(200, "[]"))).await;
    let seen = client(&fake).observe(&question()).await.unwrap();
    assert_eq!((seen.level, seen.spans.len(), seen.datasets.len()), (Level::Exact, 0, 0));
    assert_eq!(fake.lines(), ["GET /1/auth", "GET /1/datasets"]);
}

#[tokio::test]
async fn a_plan_without_queries_proves_freshness_and_is_not_asked_again() {
    for status in [401, 402, 403] {
        let fake = environment(move |asked| {
            (asked.line() == "POST /1/query_results/__all__").then(|| Answer::json(status, r#"{"error":"not on this plan"}"#))
        })
        .await;
        let client = client(&fake);
        for _ in 0..2 {
            let seen = client.observe(&question()).await.unwrap();
            assert_eq!((seen.level, seen.spans.len()), (Level::Fresh, 0));
            assert_eq!(seen.columns["cruddur"]["app.result_length"], 1_772_366_400_000);
        }
        assert_eq!(fake.lines().iter().filter(|line| line.contains("query_results")).count(), 1);
    }
}

#[tokio::test]
async fn a_key_that_may_not_query_is_known_from_the_start() {
    let fake = environment(|asked| (asked.line() == "GET /1/auth").then(|| auth(false))).await;
    let client = client(&fake);
    assert_eq!(client.observe(&question()).await.unwrap().level, Level::Fresh);
    assert!(!fake.lines().iter().any(|line| line.contains("quer")));
}

#[tokio::test]
async fn an_ingest_key_is_explained() {
    let fake = environment(|asked| {
        (asked.line() == "GET /1/auth")
            .then(|| Answer::json(200, r#"{"type":"ingest","api_key_access":{"events":true,"createDatasets":true}}"#))
    })
    .await;
    let trouble = client(&fake).observe(&question()).await.unwrap_err();
    assert!(
        !trouble.passing && trouble.cause.contains("only send") && trouble.remedy.contains("configuration key"),
        "{trouble:?}"
    );
}

#[tokio::test]
async fn both_spellings_of_create_datasets_are_read() {
    for spelling in ["createDatasets", "create_datasets"] {
        let body = json!({ "type": "configuration", "api_key_access": { spelling: false } }).to_string();
        let fake = environment(move |asked| (asked.line() == "GET /1/auth").then(|| Answer::json(200, body.clone()))).await;
        let client = client(&fake);
        assert_eq!(client.access().await.unwrap().create_datasets, Some(false));
        assert!(client.observe(&question()).await.unwrap_err().remedy.contains("Create Datasets"));
    }
}

async fn trouble_at(path: &'static str, answer: Answer) -> Trouble {
    let fake = environment(move |asked| (asked.line() == path).then(|| answer.clone())).await;
    let client = client(&fake).with_deadline(Duration::from_millis(150));
    let trouble = client.observe(&question()).await.unwrap_err();
    assert!(!format!("{trouble:?}").contains(KEY), "{trouble:?}");
    assert!(!trouble.remedy.is_empty());
    trouble
}

#[tokio::test]
async fn each_refusal_has_its_cause_and_its_remedy() {
    let wrong = trouble_at("GET /1/auth", Answer::json(401, format!(r#"{{"error":"unknown API key {KEY}"}}"#))).await;
    assert!(!wrong.passing && wrong.cause.contains("refused the key (401)"), "{wrong:?}");
    let denied = trouble_at("GET /1/datasets", Answer::json(403, r#"{"error":"denied"}"#)).await;
    assert!(!denied.passing && denied.remedy.contains("Create Datasets"), "{denied:?}");
    let denied = trouble_at("GET /1/columns/cruddur", Answer::json(401, r#"{"error":"denied"}"#)).await;
    assert!(!denied.passing && denied.remedy.contains("Manage Queries and Columns"), "{denied:?}");
    let problem =
        json!({ "status": 422, "title": "The provided input is invalid.", "error": format!("unknown column, key {KEY}") });
    let invalid = trouble_at("POST /1/queries/__all__", Answer::json(422, problem.to_string())).await;
    assert!(!invalid.passing && invalid.cause.contains("(422): unknown column, key …"), "{invalid:?}");
    let missing = trouble_at("GET /1/datasets", Answer::json(404, "{}")).await;
    assert!(!missing.passing && missing.cause.contains("`GET /1/datasets` (404)"), "{missing:?}");
    let page = trouble_at("GET /1/auth", Answer::json(200, "<html>log in</html>")).await;
    assert!(!page.passing && page.remedy.contains("proxy"), "{page:?}");
}

#[tokio::test]
async fn what_passes_is_told_apart() {
    let often = trouble_at("POST /1/query_results/__all__", Answer::json(429, "{}").header("retry-after", "3")).await;
    assert!(often.passing && often.retry_after_ms == Some(3_000), "{often:?}");
    let date = jiff::fmt::rfc2822::to_string(&(jiff::Zoned::now() + jiff::Span::new().seconds(600))).unwrap();
    let often = trouble_at("GET /1/datasets", Answer::json(429, "{}").header("retry-after", &date)).await;
    assert!(often.retry_after_ms.is_some_and(|ms| (500_000..=600_000).contains(&ms)), "{often:?}");
    let down = trouble_at("GET /1/datasets", Answer::json(503, "oh dear")).await;
    assert!(down.passing && down.cause.contains("503"), "{down:?}");
    let late = trouble_at("GET /1/auth", Answer::Hang).await;
    assert!(late.passing && late.cause.contains("did not answer within 150ms"), "{late:?}");
    let cut = trouble_at("GET /1/auth", Answer::Truncated).await;
    assert!(cut.passing && cut.cause.contains("broke"), "{cut:?}");
    let never = trouble_at("GET /1/query_results/__all__/r1", Answer::json(200, result(false))).await;
    assert!(never.passing && never.cause.contains("finish the query"), "{never:?}");
    let absent = Client::new(http_client().unwrap(), &nowhere(), Secret::new(KEY)).observe(&question()).await.unwrap_err();
    assert!(absent.passing && absent.cause.contains("nothing listens"), "{absent:?}");
}

#[tokio::test]
async fn keys_that_cannot_be_sent_are_described_not_shown() {
    for (key, says) in [("", "blank (empty)"), ("  ", "blank (2 characters"), ("abc\ndef", "cannot be sent (7 characters)")] {
        let client = Client::new(http_client().unwrap(), "http://127.0.0.1:9", Secret::new(key));
        let trouble = client.observe(&question()).await.unwrap_err();
        assert!(!trouble.passing && trouble.cause.contains(says), "{trouble:?}");
    }
    let trouble = Client::new(http_client().unwrap(), "honeycomb", Secret::new(KEY)).observe(&question()).await.unwrap_err();
    assert!(trouble.cause.contains("not a URL"), "{trouble:?}");
}

#[tokio::test]
async fn a_refused_key_is_asked_about_again_in_the_next_round() {
    let count = Arc::new(AtomicUsize::new(0));
    let fake = environment(move |asked| {
        (asked.line() == "GET /1/auth" && count.fetch_add(1, Ordering::Relaxed) == 0).then(|| Answer::json(401, "{}"))
    })
    .await;
    let client = client(&fake);
    client.observe(&question()).await.unwrap_err();
    assert_eq!(client.observe(&question()).await.unwrap().level, Level::Exact);
}

#[test]
fn the_pace_follows_the_endpoint() {
    let http = http_client().unwrap();
    let at = |endpoint: &str| Client::new(http.clone(), endpoint, Secret::new(KEY)).min_interval();
    assert_eq!(at("http://127.0.0.1:4318"), Duration::ZERO);
    assert!(at(ENDPOINT) >= Duration::from_secs(6));
}

#[tokio::test]
async fn a_connection_that_is_not_secure_is_not_used() {
    let plain = Fake::serve(|_| auth(true)).await;
    let client = Client::new(http_client().unwrap(), &plain.url().replace("http://", "https://"), Secret::new(KEY));
    let trouble = client.observe(&question()).await.unwrap_err();
    assert!(
        !trouble.passing && trouble.cause.contains("no secure connection") && trouble.remedy.contains("clock"),
        "{trouble:?}"
    );
    assert_eq!(plain.requests().len(), 0);
}

#[tokio::test]
async fn an_answer_without_end_is_cut_off() {
    let fake =
        environment(|asked| (asked.line() == "GET /1/datasets").then(|| Answer::json(200, vec![b' '; 17 * 1024 * 1024]))).await;
    let trouble = client(&fake).observe(&question()).await.unwrap_err();
    assert!(!trouble.passing && trouble.cause.contains("larger than 16 MiB"), "{trouble:?}");
}

#[tokio::test]
async fn a_keys_reach_is_told_rung_by_rung() {
    let whole = environment(|_| None).await;
    let told = client(&whole).try_out().await.unwrap();
    assert!(told.starts_with("datasets: ") && told.ends_with("with 10 columns"), "{told}");
    let none = environment(|asked| (asked.line() == "GET /1/datasets").then(|| Answer::json(200, "[]"))).await;
    assert!(client(&none).try_out().await.unwrap().contains("no dataset yet"));
    let ingest = r#"{"type":"ingest","api_key_access":{"events":true},"environment":{"slug":"test"},"team":{"slug":"t"}}"#;
    for (line, answer, at) in [
        ("GET /1/auth", Answer::json(401, r#"{"error":"unknown API key"}"#), Rung::Authenticated),
        ("GET /1/auth", Answer::json(200, ingest), Rung::Allowed),
        ("GET /1/datasets", Answer::json(401, "{}"), Rung::ReadBack),
        ("GET /1/datasets", Answer::Truncated, Rung::ReadBack),
    ] {
        let fake = environment(move |asked| (asked.line() == line).then(|| answer.clone())).await;
        let stop = client(&fake).try_out().await.unwrap_err();
        assert_eq!(stop.at, at, "{line}: {stop:?}");
    }
}
