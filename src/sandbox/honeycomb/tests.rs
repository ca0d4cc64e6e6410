use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;

use http::{Method, StatusCode};
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::sandbox::store::{Place, Store};
use crate::sandbox::{Keys, Shared, rejection, wire};

const CONFIGURATION: &str = "sandboxConfigKey000001";
const INGEST: &str = "sandboxIngestKey000001";

fn open(place: &Place) -> Shared {
    let store = Store::open(place, &[TABLES, rejection::TABLES]).unwrap();
    Shared { store, keys: Arc::new(Keys::default()) }
}

struct Answer {
    status: u16,
    headers: http::HeaderMap,
    body: Value,
}

async fn send(shared: &Shared, key: &str, method: Method, target: &str, body: impl Into<bytes::Bytes>) -> Answer {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut headers = http::HeaderMap::new();
    headers.insert("x-honeycomb-team", key.parse().unwrap());
    let request = wire::Request {
        method,
        path: path.to_owned(),
        query: query.to_owned(),
        headers,
        body: body.into(),
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
    };
    let answer = handle(shared, request).await;
    let body = serde_json::from_slice(answer.body()).unwrap_or(Value::Null);
    Answer { status: answer.status().as_u16(), headers: answer.headers().clone(), body }
}

async fn get(shared: &Shared, target: &str) -> Answer {
    send(shared, CONFIGURATION, Method::GET, target, "").await
}

async fn post(shared: &Shared, target: &str, body: Value) -> Answer {
    send(shared, CONFIGURATION, Method::POST, target, body.to_string()).await
}

/// The rows of a query, by way of all three calls.
async fn rows(shared: &Shared, dataset: &str, spec: Value) -> Vec<Value> {
    let query = post(shared, &format!("/1/queries/{dataset}"), spec).await;
    assert_eq!(query.status, 200, "{}", query.body);
    let wish = json!({ "query_id": query.body["id"], "disable_series": true, "limit": 10_000 });
    let made = post(shared, &format!("/1/query_results/{dataset}"), wish).await;
    assert_eq!((made.status, &made.body["complete"]), (201, &json!(false)));
    let location = made.headers["location"].to_str().unwrap();
    let done = get(shared, location).await;
    assert_eq!((done.status, &done.body["complete"]), (200, &json!(true)), "{}", done.body);
    assert_eq!(get(shared, location).await.body, done.body, "a finished result stays as it is");
    done.body["data"]["results"].as_array().unwrap().iter().map(|row| row["data"].clone()).collect()
}

#[tokio::test]
async fn a_batch_can_be_read_at_once_with_its_types() {
    let shared = open(&Place::Memory);
    let events = json!([
        {"data": {"name": "a", "n": 3, "trace.trace_id": "t1"}},
        {"data": {"name": "b", "n": "3", "nested": {"x": 1.5}}, "samplerate": 10},
        {"data": {}},
        {"time": "yesterday", "data": {"x": 1}},
        "no object",
    ]);
    let answer = send(&shared, INGEST, Method::POST, "/1/batch/My%20Data!", events.to_string()).await;
    assert_eq!(answer.status, 200);
    let statuses: Vec<_> = answer.body.as_array().unwrap().iter().map(|answer| answer["status"].as_i64().unwrap()).collect();
    assert_eq!(statuses, [202, 202, 400, 400, 400]);

    let found = rows(&shared, "my-data-", json!({"breakdowns": ["name", "n", "nested.x"], "orders": [{"column": "name"}]})).await;
    assert_eq!(
        found,
        [
            json!({"name": "a", "n": 3, "nested.x": null, "COUNT": 1}),
            json!({"name": "b", "n": "3", "nested.x": 1.5, "COUNT": 10})
        ]
    );
    let filter = json!([{"column": "trace.trace_id", "op": "=", "value": "t1"}]);
    assert_eq!(rows(&shared, "__all__", json!({ "filters": filter })).await, [json!({"COUNT": 1})]);
    let other = json!([{"column": "trace.trace_id", "op": "=", "value": "t2"}]);
    assert_eq!(rows(&shared, "__all__", json!({ "filters": other })).await, Vec::<Value>::new());
}

#[tokio::test]
async fn an_event_has_its_time_and_rate_in_headers() {
    let shared = open(&Place::Memory);
    let mut request = wire::Request {
        method: Method::POST,
        path: String::from("/1/events/one"),
        query: String::new(),
        headers: http::HeaderMap::new(),
        body: r#"{"a":1}"#.into(),
        peer: SocketAddr::from((Ipv4Addr::LOCALHOST, 1)),
    };
    request.headers.insert("x-honeycomb-team", INGEST.parse().unwrap());
    request.headers.insert("x-honeycomb-event-time", "2023-11-14T22:13:20Z".parse().unwrap());
    request.headers.insert("x-honeycomb-samplerate", "7".parse().unwrap());
    assert_eq!(handle(&shared, request.clone()).await.status(), StatusCode::OK);
    let when = json!({"start_time": 1_700_000_000, "end_time": 1_700_000_001});
    assert_eq!(rows(&shared, "one", when).await, [json!({"COUNT": 7})]);
    request.headers.insert("x-honeycomb-event-time", "never".parse().unwrap());
    assert_eq!(handle(&shared, request.clone()).await.status(), StatusCode::BAD_REQUEST);
    for broken in ["[1]", "{", "{}", ""] {
        let answer = send(&shared, INGEST, Method::POST, "/1/events/one", broken).await;
        assert_eq!(answer.status, 400, "{broken}");
        assert!(answer.body["error"].is_string());
    }
    let large = format!(r#"{{"a":"{}"}}"#, "x".repeat(1 << 20));
    assert_eq!(send(&shared, INGEST, Method::POST, "/1/events/one", large).await.status, 413);
}

#[tokio::test]
async fn datasets_and_columns_tell_when_they_were_written() {
    let shared = open(&Place::Memory);
    assert_eq!(get(&shared, "/1/datasets").await.body, json!([]));
    let before = now_ms();
    post(&shared, "/1/batch/cruddur", json!([{"data": {"f": 1.5, "i": 1, "s": "x", "b": true, "null": null}}])).await;
    let dataset = get(&shared, "/1/datasets/cruddur").await.body;
    assert_eq!(
        (&dataset["name"], &dataset["slug"], &dataset["regular_columns_count"]),
        (&json!("cruddur"), &json!("cruddur"), &json!(4))
    );
    let written: jiff::Timestamp = dataset["last_written_at"].as_str().unwrap().parse().unwrap();
    assert!(written.as_millisecond() >= before);
    assert_eq!(get(&shared, "/1/datasets").await.body, json!([dataset]));

    let columns = get(&shared, "/1/columns/cruddur").await.body;
    let types: Vec<_> = columns.as_array().unwrap().iter().map(|column| (&column["key_name"], &column["type"])).collect();
    assert_eq!(json!(types), json!([["b", "boolean"], ["f", "float"], ["i", "integer"], ["s", "string"]]));
    let one = get(&shared, "/1/columns/cruddur?key_name=i").await;
    assert_eq!((one.status, &one.body["type"]), (200, &json!("integer")));
    assert_eq!(get(&shared, &format!("/1/columns/cruddur/{}", one.body["id"].as_str().unwrap())).await.body, one.body);

    // A second value of another type leaves the column as it is, and moves its time.
    let first = one.body["last_written"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
    while now_ms() <= first.as_millisecond() {
        tokio::task::yield_now().await;
    }
    post(&shared, "/1/batch/cruddur", json!([{"data": {"i": "text"}}])).await;
    let again = get(&shared, "/1/columns/cruddur?key_name=i").await.body;
    assert_eq!(again["type"], json!("integer"));
    assert!(again["last_written"].as_str().unwrap().parse::<jiff::Timestamp>().unwrap() > first);
    assert_eq!(get(&shared, "/1/columns/cruddur?key_name=f").await.body["last_written"], json!(first.to_string()));
}

#[tokio::test]
async fn datasets_and_columns_can_be_made() {
    let shared = open(&Place::Memory);
    let made = post(&shared, "/1/datasets", json!({"name": "My Set", "description": "mine"})).await;
    assert_eq!((made.status, &made.body["slug"], &made.body["last_written_at"]), (201, &json!("my-set"), &Value::Null));
    let again = post(&shared, "/1/datasets", json!({"name": "My Set"})).await;
    assert_eq!((again.status, &again.body["description"]), (200, &json!("mine")));
    assert_eq!(post(&shared, "/1/datasets", json!({"name": " "})).await.status, 422);

    let column = post(&shared, "/1/columns/my-set", json!({"key_name": "n", "type": "integer", "hidden": true})).await;
    assert_eq!((column.status, &column.body["hidden"], &column.body["last_written"]), (201, &json!(true), &Value::Null));
    assert_eq!(post(&shared, "/1/columns/my-set", json!({"key_name": "n"})).await.status, 409);
    assert_eq!(post(&shared, "/1/columns/nowhere", json!({"key_name": "n"})).await.status, 404);
    let wrong = post(&shared, "/1/columns/my-set", json!({"type": "date"})).await;
    assert_eq!(wrong.status, 422);
    let fields: Vec<_> = wrong.body["type_detail"].as_array().unwrap().iter().map(|detail| &detail["field"]).collect();
    assert_eq!(json!(fields), json!(["key_name", "type"]));
}

#[tokio::test]
async fn keys_decide_who_may_what() {
    let shared = open(&Place::Memory);
    for (key, kind, reads) in [(CONFIGURATION, "configuration", true), (INGEST, "ingest", false)] {
        let auth = send(&shared, key, Method::GET, "/1/auth", "").await;
        assert_eq!((auth.status, &auth.body["type"]), (200, &json!(kind)));
        let access = &auth.body["api_key_access"];
        assert_eq!((&access["events"], &access["queries"], &access["columns"]), (&json!(true), &json!(reads), &json!(reads)));
        assert_eq!(auth.body["environment"]["slug"], json!("sandbox"));
    }
    let denied = send(&shared, INGEST, Method::GET, "/1/datasets", "").await;
    assert_eq!(denied.status, 403);
    assert!(denied.body["error"].as_str().unwrap().starts_with("denied"));
    let unknown = send(&shared, "not-a-key", Method::POST, "/1/events/x", "{}").await;
    assert_eq!((unknown.status, &unknown.body), (401, &json!({"error": "unknown API key - check your credentials"})));
    let kept: Vec<String> = rejection::since(&shared, 0).await.unwrap().into_iter().map(|kept| kept.reason).collect();
    assert_eq!(kept, ["wrong-kind-of-key", "unknown-key"]);
}

#[tokio::test]
async fn problems_come_as_problem_json() {
    let shared = open(&Place::Memory);
    for target in ["/1/datasets/nowhere", "/1/columns/nowhere", "/1/queries/__all__/x", "/1/query_results/__all__/x", "/1/what"] {
        let missing = get(&shared, target).await;
        assert_eq!((missing.status, &missing.body["status"]), (404, &json!(404)), "{target}");
        assert_eq!(missing.headers["content-type"], "application/problem+json");
        assert!(missing.body["type"].as_str().unwrap().ends_with("/problems/not-found"));
    }
    assert_eq!(post(&shared, "/1/queries/nowhere", json!({})).await.status, 404);
    let unparseable = send(&shared, CONFIGURATION, Method::POST, "/1/queries/__all__", "{").await;
    assert_eq!(unparseable.status, 400);
    assert!(unparseable.body["type"].as_str().unwrap().ends_with("/problems/unparseable"));
    let invalid = post(&shared, "/1/queries/__all__", json!({"calculations": [{"op": "MEAN", "column": "x"}]})).await;
    assert_eq!((invalid.status, &invalid.body["type_detail"][0]["field"]), (422, &json!("calculations[0].op")));
    let query = post(&shared, "/1/queries/__all__", json!({"time_range": 60})).await.body;
    assert_eq!((&query["time_range"], &query["calculations"]), (&json!(60), &json!([{"op": "COUNT"}])));
    assert_eq!(get(&shared, &format!("/1/queries/__all__/{}", query["id"].as_str().unwrap())).await.body, query);
    let wish = |limit: u64| json!({"query_id": query["id"], "disable_series": true, "limit": limit});
    assert_eq!(post(&shared, "/1/query_results/__all__", wish(10_001)).await.status, 422);
    assert_eq!(post(&shared, "/1/query_results/__all__", json!({"query_id": query["id"], "limit": 1001})).await.status, 422);
    assert_eq!(post(&shared, "/1/query_results/__all__", json!({"query_id": "nope"})).await.status, 404);
    assert_eq!(send(&shared, CONFIGURATION, Method::DELETE, "/1/datasets", "").await.status, 405);
}

#[tokio::test]
async fn a_file_keeps_datasets_columns_and_events() {
    let folder = tempfile::tempdir().unwrap();
    let place = Place::File(folder.path().join("sandbox.db"));
    let shared = open(&place);
    post(&shared, "/1/batch/cruddur", json!([{"data": {"n": 1}}])).await;
    shared.store.close().await;
    let shared = open(&place);
    assert_eq!(get(&shared, "/1/columns/cruddur?key_name=n").await.body["type"], json!("integer"));
    post(&shared, "/1/batch/cruddur", json!([{"data": {"n": 2, "new": true}}])).await;
    assert_eq!(rows(&shared, "cruddur", json!({"calculations": [{"op": "SUM", "column": "n"}]})).await, [json!({"SUM(n)": 3})]);
    assert_eq!(get(&shared, "/1/datasets").await.body.as_array().unwrap().len(), 1);
    assert_eq!(get(&shared, "/1/columns/cruddur").await.body.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn a_failed_write_leaves_no_memory_of_it() {
    let shared = open(&Place::Memory);
    let (ledger, losses) = (shared.store.memo::<ledger::Ledger>(), shared.store.losses());
    let failed = shared
        .store
        .write(move |tx| {
            ledger.change(tx, losses, |state| {
                state.dataset(tx, "lost", 1)?;
                Err::<(), _>(rusqlite::Error::InvalidQuery)
            })
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(get(&shared, "/1/datasets").await.body, json!([]));
    post(&shared, "/1/batch/lost", json!([{"data": {"n": 1}}])).await;
    assert_eq!(rows(&shared, "lost", json!({})).await, [json!({"COUNT": 1})]);
}

#[tokio::test]
async fn a_failed_commit_leaves_no_memory_of_it() {
    let shared = open(&Place::Memory);
    let (ledger, losses) = (shared.store.memo::<ledger::Ledger>(), shared.store.losses());
    let failed = shared
        .store
        .write(move |tx| {
            ledger.change(tx, losses, |state| state.dataset(tx, "lost", 1).map(|_| ()))?;
            // A broken reference that is looked at only when all is committed.
            tx.execute_batch("PRAGMA defer_foreign_keys = ON")?;
            tx.execute("INSERT INTO hny_column VALUES (1, 999, 'x', 'string', 0, '', 0, NULL)", [])
        })
        .await;
    assert!(failed.is_err());
    assert_eq!(shared.store.losses(), losses + 1);
    assert_eq!(get(&shared, "/1/datasets").await.body, json!([]));
    post(&shared, "/1/batch/lost", json!([{"data": {"n": 1}}])).await;
    assert_eq!(rows(&shared, "lost", json!({})).await, [json!({"COUNT": 1})]);
}

#[tokio::test]
async fn only_events_within_the_time_count() {
    let shared = open(&Place::Memory);
    let events = json!([{"time": 100, "data": {"n": 1}}, {"time": 200, "data": {"n": 2}}, {"time": 300, "data": {"n": 4}}]);
    post(&shared, "/1/batch/times", events).await;
    let sum = async |start: i64, end: i64| {
        let spec = json!({"start_time": start, "end_time": end, "calculations": [{"op": "SUM", "column": "n"}]});
        rows(&shared, "times", spec).await.first().map(|row| row["SUM(n)"].clone())
    };
    assert_eq!(sum(100, 300).await, Some(json!(7)));
    assert_eq!(sum(101, 299).await, Some(json!(2)));
    assert_eq!(sum(301, 400).await, None);
    assert_eq!(rows(&shared, "times", json!({"time_range": 600})).await, Vec::<Value>::new());
}

#[tokio::test]
async fn eviction_takes_events_and_their_traces_and_leaves_the_dataset() {
    let shared = open(&Place::Memory);
    post(&shared, "/1/batch/cruddur", json!([{"data": {"trace.trace_id": "t1"}}])).await;
    assert_eq!(shared.store.write(|tx| (TABLES.evict)(tx, now_ms() - 60_000)).await.unwrap(), 0);
    assert_eq!(count(&shared).await.unwrap(), 1);
    assert_eq!(shared.store.write(|tx| (TABLES.evict)(tx, now_ms() + 60_000)).await.unwrap(), 1);
    assert_eq!(count(&shared).await.unwrap(), 0);
    let traces =
        shared.store.read(|c| c.query_row("SELECT count(*) FROM hny_trace", [], |row| row.get::<_, i64>(0))).await.unwrap();
    assert_eq!(traces, 0);
    assert_eq!(get(&shared, "/1/datasets/cruddur").await.status, 200);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_body_anywhere_is_answered(
        place in prop::sample::select(vec!["/1/events/x", "/1/batch/x", "/1/datasets", "/1/columns/x", "/1/queries/__all__", "/1/query_results/__all__"]),
        bytes: Vec<u8>, text in "\\PC{0,60}",
    ) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let shared = open(&Place::Memory);
            for body in [bytes.clone(), text.clone().into_bytes()] {
                let answer = send(&shared, CONFIGURATION, Method::POST, place, body).await;
                assert!(answer.status < 500);
            }
            assert!(get(&shared, &format!("/1/{text}")).await.status < 500);
        });
    }
}
