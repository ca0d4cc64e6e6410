//! The sandbox's Rollbar, driven over loopback as a service and a check would.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bootcamp::sandbox::{Ports, Sandbox, Settings, rejection};
use serde_json::{Value, json};

async fn sandbox() -> (Sandbox, String) {
    let sandbox = Sandbox::bind(Settings { ports: Ports::free(), ..Settings::default() }).await.unwrap();
    let base = format!("{}/api/1", sandbox.addresses().http_url());
    (sandbox, base)
}

/// What a Flask service with `pyrollbar` sends for an exception.
fn exception(nonce: &str) -> Value {
    json!({"environment": "production", "level": "error", "timestamp": 1_780_000_000, "language": "python 3.12", "framework": "flask",
        "context": "rollbar_error", "notifier": {"name": "pyrollbar", "version": "1.5.0"},
        "body": {"trace": {"exception": {"class": "ZeroDivisionError", "message": "division by zero", "description": "x"},
            "frames": [{"filename": "/app/app.py", "lineno": 21, "method": "rollbar_error", "code": "1 / 0"}]}},
        "request": {"url": format!("http://localhost:4567/rollbar/error?bootcamp={nonce}"), "method": "GET",
            "headers": {"Traceparent": "00-4efaaf4d1e8720b39541901950019ee5-53995c3f42cd8ad8-01"}, "user_ip": "127.0.0.1"}})
}

#[tokio::test]
async fn an_occurrence_is_found_by_its_nonce() {
    let (sandbox, base) = sandbox().await;
    let shared = sandbox.shared();
    let http = reqwest::Client::new();
    for nonce in ["one", "two"] {
        let body = json!({"access_token": shared.keys.rollbar_post, "data": exception(nonce)});
        let answer = http.post(format!("{base}/item/")).json(&body).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers()["x-rate-limit-limit"], "5000");
        assert_eq!(answer.json::<Value>().await.unwrap()["err"], 0);
    }
    let get = async |path: &str| {
        let request = http.get(format!("{base}{path}")).header("X-Rollbar-Access-Token", &shared.keys.rollbar_read);
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
    };
    let (_, page) = get("/instances").await;
    let found = page["result"]["instances"]
        .as_array()
        .unwrap()
        .iter()
        .find(|one| one["data"]["request"]["url"].as_str().is_some_and(|url| url.contains("bootcamp=one")));
    let found = found.expect("the occurrence of the nonce");
    let (status, item) = get(&format!("/item/{}", found["item_id"])).await;
    assert_eq!((status, &item["result"]["title"]), (200, &json!("ZeroDivisionError: division by zero")));
    assert_eq!((&item["result"]["total_occurrences"], &item["result"]["framework"]), (&json!(2), &json!("flask")));
    // The client follows the redirect from the counter to the item.
    assert_eq!(get("/item_by_counter/1").await, (200, item));
    let (_, items) = get("/items?status=active&level=error&environment=production&query=zerodivision").await;
    assert_eq!(items["result"]["total_count"], 1);
    assert_eq!(get("/items?environment=staging").await.1["result"]["total_count"], 0);
    assert_eq!(get("/item/?uuid=nope").await.0, 404);
}

#[tokio::test]
async fn refused_traffic_is_kept_without_its_token() {
    let (sandbox, base) = sandbox().await;
    let shared = sandbox.shared();
    let http = reqwest::Client::new();
    let secret = "not-a-token-but-secret";
    let post = async |token: Option<&str>, body: Value| {
        let mut request = http.post(format!("{base}/item/")).json(&body);
        if let Some(token) = token {
            request = request.header("X-Rollbar-Access-Token", token);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json::<Value>().await.unwrap()["message"].as_str().unwrap_or_default().to_owned())
    };
    let data = json!({"data": exception("x")});
    assert_eq!(post(None, data.clone()).await.0, 401);
    assert_eq!(post(Some(secret), data.clone()).await, (403, String::from("access token not found")));
    assert_eq!(post(Some(&shared.keys.rollbar_read), data).await.0, 403);
    let (status, message) = post(Some(&shared.keys.rollbar_post), json!({"data": {"environment": "x"}})).await;
    assert_eq!(status, 422);
    assert!(message.contains("data.body"), "{message}");
    let kept = rejection::since(shared, 0).await.unwrap();
    let reasons: Vec<&str> = kept.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons, ["missing-key", "unknown-key", "wrong-kind-of-key", "invalid-payload"]);
    let told = serde_json::to_string(&kept).unwrap();
    assert!(!told.contains(secret) && !told.contains(&shared.keys.rollbar_read));
}
