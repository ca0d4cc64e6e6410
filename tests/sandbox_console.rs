//! The sandbox's console over HTTP, as a browser has it.

#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use bootcamp::facts::TraceId;
use bootcamp::lab::Lab;
use bootcamp::sandbox::{Ports, Sandbox, Settings, console};
use bootcamp::vendor::docker;
use reqwest::Method;
use serde_json::json;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_browser_walks_from_the_overview_to_a_trace() {
    let sandbox = Sandbox::bind(Settings { ports: Ports::free(), ..Settings::default() }).await.unwrap();
    let (url, key) = (sandbox.addresses().http_url(), sandbox.shared().keys.honeycomb_ingest.clone());
    let lab = Lab::own(sandbox, docker::Client::new(docker::Host::from_environment()));
    let browser = reqwest::Client::new();
    let id = TraceId::fresh(1_700_000_000);

    let overview = lab.console().unwrap();
    assert_eq!(overview, format!("{url}{}", console::PATH));
    let page = lab.console_of(&id).unwrap();
    assert_eq!(page, format!("{url}{}", console::trace_path(&id)));
    assert_eq!(browser.get(&page).send().await.unwrap().status(), 404);

    let span = json!({"traceId": id.w3c(), "spanId": "00f067aa0ba902b7", "name": "<i>home</i>", "kind": 2,
        "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000000002500000"});
    let resource = json!({"attributes": [{"key": "service.name", "value": {"stringValue": "cruddur"}}]});
    let body = json!({"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": [span]}]}]});
    let sent = browser.post(format!("{url}/v1/traces")).header("x-honeycomb-team", key).json(&body).send().await.unwrap();
    assert_eq!(sent.status(), 200);

    let answer = browser.get(&overview).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    let headers = answer.headers().clone();
    assert_eq!(headers["content-type"], "text/html; charset=utf-8");
    assert!(headers["content-security-policy"].to_str().unwrap().starts_with("default-src 'none';"));
    assert_eq!(headers["cache-control"], "no-store");
    assert!(!headers.contains_key("access-control-allow-origin"));
    let text = answer.text().await.unwrap();
    let link = format!("href=\"{}\">&lt;i&gt;home&lt;/i&gt;</a>", console::trace_path(&id));
    assert!(text.contains(&link), "{text}");

    let trace = browser.get(&page).send().await.unwrap().text().await.unwrap();
    assert!(trace.contains("2.50 ms") && trace.contains("cruddur · server") && !trace.contains("<i>"), "{trace}");
    assert_eq!(browser.get(format!("{overview}/trace/{}", id.xray())).send().await.unwrap().status(), 200);

    let head = browser.head(&page).send().await.unwrap();
    assert_eq!((head.status().as_u16(), head.text().await.unwrap().len()), (200, 0));
    for method in [Method::POST, Method::PUT, Method::DELETE, Method::OPTIONS] {
        assert_eq!(browser.request(method.clone(), &page).send().await.unwrap().status(), 405, "{method}");
    }
    // The sandbox's first page and what a terminal shows lead there.
    assert!(browser.get(&url).send().await.unwrap().text().await.unwrap().contains(console::PATH));
    lab.stop().await;
}
