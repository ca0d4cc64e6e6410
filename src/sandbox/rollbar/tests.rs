use std::io::Write as _;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::sandbox::store::{Place, Store};
use crate::sandbox::{Keys, rejection};

fn shared() -> Shared {
    let store = Store::open(&Place::Memory, &[rejection::TABLES, TABLES]).unwrap();
    Shared { store, keys: Keys::default().into() }
}

async fn send(
    shared: &Shared,
    method: Method,
    target: &str,
    headers: &[(&'static str, &str)],
    body: impl Into<Bytes>,
) -> (u16, Value) {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(*name, HeaderValue::from_str(value).unwrap());
    }
    let peer = "127.0.0.1:9".parse().unwrap();
    let request = Request { method, path: path.into(), query: query.into(), headers: map, body: body.into(), peer };
    let response = handle(shared, request).await;
    assert!(response.headers().contains_key("x-rate-limit-remaining-seconds"));
    let status = response.status().as_u16();
    (
        status,
        serde_json::from_slice(response.body())
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(response.body()).into())),
    )
}

const TOKEN: &str = "x-rollbar-access-token";

async fn post(shared: &Shared, data: Value) -> (u16, Value) {
    let token = shared.keys.rollbar_post.clone();
    send(shared, Method::POST, "/api/1/item/", &[(TOKEN, &token)], json!({ "data": data }).to_string()).await
}

async fn get(shared: &Shared, target: &str) -> (u16, Value) {
    let token = shared.keys.rollbar_read.clone();
    send(shared, Method::GET, target, &[(TOKEN, &token)], "").await
}

fn message(text: &str) -> Value {
    json!({"environment": "production", "level": "warning", "body": {"message": {"body": text}}})
}

async fn reasons(shared: &Shared) -> Vec<String> {
    rejection::since(shared, 0).await.unwrap().into_iter().map(|rejection| rejection.reason).collect()
}

#[tokio::test]
async fn occurrences_of_one_kind_are_one_item() {
    let shared = shared();
    let trace = |message: &str| {
        json!({"environment": "production", "framework": "axum", "timestamp": 1_780_000_000, "body": {"trace": {
            "exception": {"class": "Panic", "message": message}, "frames": [{"filename": "src/main.rs", "lineno": 3, "method": "f"}]}}})
    };
    for data in [message("hello"), trace("one"), trace("two"), message("hello")] {
        let (status, body) = post(&shared, data).await;
        assert_eq!((status, &body["err"], &body["result"]["id"]), (200, &json!(0), &Value::Null));
        assert_eq!(body["result"]["uuid"].as_str().unwrap().len(), 32);
    }
    let (_, items) = get(&shared, "/api/1/items").await;
    assert_eq!(items["result"]["total_count"], 2);
    let hello = &items["result"]["items"][0];
    assert_eq!((&hello["title"], &hello["level"], &hello["total_occurrences"]), (&json!("hello"), &json!("warning"), &json!(2)));
    let panic = &items["result"]["items"][1];
    assert_eq!((&panic["title"], &panic["level"], &panic["counter"]), (&json!("Panic: one"), &json!("error"), &json!(2)));
    assert_eq!(panic["last_occurrence_timestamp"], 1_780_000_000);
    let (_, instances) = get(&shared, &format!("/api/1/item/{}/instances", panic["id"])).await;
    let instances = instances["result"]["instances"].as_array().unwrap();
    let messages: Vec<&Value> = instances.iter().map(|one| &one["data"]["body"]["trace"]["exception"]["message"]).collect();
    assert_eq!(messages, [&json!("two"), &json!("one")]);
    let (status, one) = get(&shared, &format!("/api/1/instance/{}", instances[0]["id"])).await;
    assert_eq!((status, &one["result"]), (200, &instances[0]));
    let uuid = instances[0]["data"]["uuid"].as_str().unwrap();
    assert_eq!(get(&shared, &format!("/api/1/item/?uuid={uuid}")).await.1["result"]["id"], panic["id"]);
    let (status, moved) = get(&shared, "/api/1/item_by_counter/2").await;
    assert_eq!((status, &moved["result"]["itemId"]), (301, &panic["id"]));
    assert_eq!(get(&shared, "/api/1/instances").await.1["result"]["instances"].as_array().unwrap().len(), 4);
}

#[tokio::test]
async fn items_are_filtered_and_paged() {
    let shared = shared();
    for n in 0..105 {
        let mut data = message(&format!("{}x", "a".repeat(n % 5 + 1)));
        data["fingerprint"] = json!(format!("f{n}"));
        data["level"] = json!(if n % 2 == 0 { "error" } else { "warning" });
        data["environment"] = json!(if n < 100 { "production" } else { "staging" });
        assert_eq!(post(&shared, data).await.0, 200);
    }
    let total = async |query: &str| {
        let (status, body) = get(&shared, &format!("/api/1/items?{query}")).await;
        (status, body["result"]["total_count"].as_i64().unwrap_or(-1), body["result"]["items"].as_array().map_or(0, Vec::len))
    };
    assert_eq!(total("").await, (200, 105, 100));
    assert_eq!(total("page=2").await, (200, 105, 5));
    assert_eq!(total("level=error&level=warning&environment=staging").await, (200, 5, 5));
    assert_eq!(total("level=warning&environment=staging&status=active").await, (200, 2, 2));
    assert_eq!(total("query=AAAAAX").await, (200, 21, 21));
    assert_eq!(total("status=resolved").await, (200, 0, 0));
    for wrong in ["level=bad", "status=bad", "page=0", "page=x"] {
        assert_eq!(total(wrong).await.0, 422, "{wrong}");
    }
    assert_eq!(get(&shared, "/api/1/item/1/instances?page=2").await.1["result"]["instances"], json!([]));
}

#[tokio::test]
async fn a_token_is_asked_for() {
    let shared = shared();
    let (ours, theirs) = (shared.keys.rollbar_post.clone(), shared.keys.rollbar_read.clone());
    let body = json!({ "data": message("x") }).to_string();
    let post = async |headers: &[(&'static str, &str)], body: &str| {
        send(&shared, Method::POST, "/api/1/item/", headers, body.to_owned()).await
    };
    assert_eq!(post(&[], &body).await.0, 401);
    assert_eq!(post(&[(TOKEN, "")], &body).await.0, 401);
    assert_eq!(post(&[(TOKEN, "not-a-token")], &body).await.0, 403);
    let (status, refused) = post(&[(TOKEN, &theirs)], &body).await;
    assert_eq!(status, 403);
    let text = "insufficient privileges: post_server_item scope is required but the access token only has read.";
    assert_eq!(refused, json!({"err": 1, "message": text}));
    assert_eq!(reasons(&shared).await, ["missing-key", "blank-key", "unknown-key", "wrong-kind-of-key"]);
    let kept = rejection::since(&shared, 0).await.unwrap();
    assert!(kept.iter().all(|one| !one.detail.contains("not-a-token") && !one.detail.contains(&theirs)));
    let in_body = json!({ "access_token": ours, "data": message("x") }).to_string();
    assert_eq!(post(&[], &in_body).await.0, 200);
    let learners = "0123456789abcdef0123456789abcdef";
    assert_eq!(post(&[(TOKEN, learners)], &body).await.0, 200);
    assert_eq!(send(&shared, Method::GET, "/api/1/items", &[(TOKEN, learners)], "").await.0, 200);
    assert_eq!(send(&shared, Method::GET, "/api/1/items", &[(TOKEN, &ours)], "").await.0, 403);
    assert_eq!(send(&shared, Method::GET, &format!("/api/1/items?access_token={theirs}"), &[], "").await.0, 200);
    assert_eq!(send(&shared, Method::GET, "/api/1/status/ping", &[], "").await, (200, json!("pong")));
}

#[tokio::test]
async fn a_payload_keeps_the_rules() {
    let shared = shared();
    let frame = json!({"filename": "a"});
    let cases = [
        (Value::Null, "data "),
        (json!({"body": {"message": {"body": "x"}}}), "data.environment"),
        (json!({"environment": "e".repeat(256), "body": {"message": {"body": "x"}}}), "data.environment"),
        (json!({"environment": "e"}), "data.body"),
        (json!({"environment": "e", "body": {}}), "found none"),
        (json!({"environment": "e", "body": {"message": {"body": "x"}, "trace": {}}}), "found trace, message"),
        (json!({"environment": "e", "body": {"message": {}}}), "data.body.message.body"),
        (json!({"environment": "e", "body": {"crash_report": {"raw": ""}}}), "data.body.crash_report.raw"),
        (json!({"environment": "e", "body": {"trace": {"exception": {"class": "C"}}}}), "data.body.trace.frames"),
        (json!({"environment": "e", "body": {"trace": {"frames": [{}], "exception": {"class": "C"}}}}), "frames[0].filename"),
        (json!({"environment": "e", "body": {"trace": {"frames": [frame]}}}), "data.body.trace.exception.class"),
        (json!({"environment": "e", "body": {"trace_chain": []}}), "data.body.trace_chain"),
        (json!({"environment": "e", "body": {"trace_chain": [{"frames": []}]}}), "trace_chain[0].exception.class"),
        (json!({"environment": "e", "level": "fatal", "body": {"message": {"body": "x"}}}), "data.level"),
        (json!({"environment": "e", "uuid": "u".repeat(37), "body": {"message": {"body": "x"}}}), "data.uuid"),
        (json!({"environment": "e", "timestamp": "soon", "body": {"message": {"body": "x"}}}), "data.timestamp"),
        (json!({"environment": "e", "request": [], "body": {"message": {"body": "x"}}}), "data.request"),
    ];
    for (data, part) in cases {
        let (status, body) = post(&shared, data.clone()).await;
        assert_eq!((status, &body["err"]), (422, &json!(1)), "{data}");
        assert!(body["message"].as_str().unwrap().contains(part), "{data}: {body}");
    }
    assert!(reasons(&shared).await.iter().all(|reason| reason == "invalid-payload"));
    assert_eq!(get(&shared, "/api/1/items").await.1["result"]["total_count"], 0);
}

#[tokio::test]
async fn a_uuid_is_taken_once() {
    let shared = shared();
    let mut data = message("x");
    data["uuid"] = json!("d4c7acef-55bf-c9ea-95e4-01cf5f1cbdcd");
    for _ in 0..2 {
        let (status, body) = post(&shared, data.clone()).await;
        assert_eq!((status, &body["result"]["uuid"]), (200, &data["uuid"]));
    }
    let (_, items) = get(&shared, "/api/1/items").await;
    assert_eq!(items["result"]["items"][0]["total_occurrences"], 1);
    assert_eq!(
        get(&shared, "/api/1/item/?uuid=none").await,
        (404, json!({"err": 1, "message": "UUID did not match any occurrence"}))
    );
}

#[tokio::test]
async fn bodies_are_bounded_packed_or_not() {
    let shared = shared();
    let token = shared.keys.rollbar_post.clone();
    let gzip = |bytes: &[u8]| {
        let mut packer = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packer.write_all(bytes).unwrap();
        packer.finish().unwrap()
    };
    let body = json!({ "data": message("packed") }).to_string();
    let post = async |encoding: &str, body: Vec<u8>| {
        send(&shared, Method::POST, "/api/1/item/", &[(TOKEN, &token), ("content-encoding", encoding)], body).await.0
    };
    assert_eq!(post("gzip", gzip(body.as_bytes())).await, 200);
    assert_eq!(post("gzip", gzip(&vec![b' '; 100 << 20])).await, 413);
    assert_eq!(post("gzip", body.clone().into_bytes()).await, 400);
    assert_eq!(post("br", body.into_bytes()).await, 415);
    assert_eq!(post("identity", vec![b' '; (1 << 20) + 1]).await, 413);
    assert_eq!(post("identity", vec![b'['; 100_000]).await, 400);
    assert_eq!(post("identity", b"{\"data\": \xff}".to_vec()).await, 400);
    let expected = ["too-large", "unparsable", "wrong-content-type", "too-large", "unparsable", "unparsable"];
    assert_eq!(reasons(&shared).await, expected);
}

#[tokio::test]
async fn what_is_not_there_is_not_found() {
    let shared = shared();
    for path in [
        "/api/1/item/9",
        "/api/1/item_by_counter/9",
        "/api/1/instance/9",
        "/api/1/item/9/instances",
        "/api/1/item/99999999999999999999",
    ] {
        assert_eq!(get(&shared, path).await.0, 404, "{path}");
    }
    assert!(reasons(&shared).await.is_empty());
    for path in ["/api/1/nope", "/api/2/items", "/api/1/item/x", "/api/1/"] {
        assert_eq!(get(&shared, path).await.0, 404, "{path}");
    }
    assert_eq!(send(&shared, Method::DELETE, "/api/1/items", &[], "").await.0, 405);
    assert_eq!(send(&shared, Method::PUT, "/api/1/item/", &[], "").await.0, 405);
    assert_eq!(reasons(&shared).await, ["wrong-path", "wrong-path", "wrong-path", "wrong-path", "wrong-method", "wrong-method"]);
}

#[tokio::test]
async fn a_resolved_item_comes_back_to_life() {
    let shared = shared();
    post(&shared, message("x")).await;
    let learners = "0123456789abcdef0123456789abcdef";
    let change =
        async |body: Value| send(&shared, Method::PATCH, "/api/1/item/1", &[(TOKEN, learners)], body.to_string()).await.0;
    assert_eq!(change(json!({"status": "gone"})).await, 422);
    assert_eq!(change(json!({"status": "resolved", "resolved_in_version": "1.2"})).await, 200);
    let (_, item) = get(&shared, "/api/1/item/1").await;
    assert_eq!((&item["result"]["status"], &item["result"]["resolved_in_version"]), (&json!("resolved"), &json!("1.2")));
    post(&shared, message("x")).await;
    let (_, item) = get(&shared, "/api/1/item/1").await;
    assert_eq!((&item["result"]["status"], &item["result"]["activating_occurrence_id"]), (&json!("active"), &json!(2)));
    let ours = shared.keys.rollbar_read.clone();
    assert_eq!(send(&shared, Method::PATCH, "/api/1/item/1", &[(TOKEN, &ours)], "{}").await.0, 403);
}

#[tokio::test]
async fn items_without_occurrences_are_evicted() {
    let shared = shared();
    post(&shared, message("x")).await;
    let gone = shared.store.write(|tx| (TABLES.evict)(tx, i64::MAX)).await.unwrap();
    assert_eq!(gone, 1);
    assert_eq!(get(&shared, "/api/1/item/1").await.0, 404);
}

fn json_value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from)
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let key =
            "environment|body|message|trace|trace_chain|frames|exception|class|filename|level|timestamp|uuid|raw|fingerprint";
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::btree_map(key, inner, 0..6).prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_payload_makes_it_panic(data in json_value(), message in "\\PC{0,30}") {
        let _ = payload::parse(&data, 0).is_ok();
        fingerprint::of(&data);
        let mut whole = json!({"environment": "e", "body": {"message": {"body": message}}});
        prop_assert_eq!(payload::parse(&whole, 0).is_ok(), !message.trim().is_empty());
        whole["body"] = data;
        let _ = payload::parse(&whole, 0).is_ok();
    }

    #[test]
    fn no_path_makes_it_panic(path in "/api/1/(item|items|instance|/|[0-9]{1,25}|ü|%2F){0,5}") {
        let _ = route(&path).is_some();
    }
}
