//! Every endpoint: shape and status of success, and of each error.

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{HeaderMap, Method, Request, StatusCode, header},
};
use cruddur_backend::{
    app::{AppState, router},
    config::Config,
    telemetry::rollbar::Rollbar, //@ since rollbar/a-message
};
use serde_json::{Value, json};
use tower::ServiceExt;

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|_| panic!("no JSON: {}", self.text))
    }
}

fn app() -> Router {
    let config = Config::from_lookup(|_| None).unwrap();
    //@ since rollbar/a-message
    //~ router(AppState::new(config))
    router(AppState::new(config, Rollbar::default()))
    //@ end
}

async fn send(request: Request<Body>) -> Answer {
    let response = app().oneshot(request).await.unwrap();
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, 1 << 20).await.unwrap();
    Answer {
        status: parts.status,
        headers: parts.headers,
        text: String::from_utf8(body.to_vec()).unwrap(),
    }
}

async fn get(path: &str) -> Answer {
    send(Request::get(path).body(Body::empty()).unwrap()).await
}

async fn post(path: &str, body: &Value) -> Answer {
    let request = Request::post(path).header(header::CONTENT_TYPE, "application/json");
    send(request.body(Body::from(body.to_string())).unwrap()).await
}

/// The members of an object, in order.
fn members(value: &Value) -> Vec<&str> {
    let mut members: Vec<_> = value
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    members.sort_unstable();
    members
}

const ACTIVITY: [&str; 9] = [
    "created_at",
    "expires_at",
    "handle",
    "likes_count",
    "message",
    "replies",
    "replies_count",
    "reposts_count",
    "uuid",
];

fn assert_version_4(uuid: &Value) {
    let uuid: uuid::Uuid = uuid.as_str().unwrap().parse().unwrap();
    assert_eq!(uuid.get_version_num(), 4);
}

fn assert_microseconds_and_offset(time: &Value) {
    let time = time.as_str().unwrap();
    let (_, fraction) = time.split_once('.').unwrap();
    assert_eq!(fraction.len(), "123456+00:00".len(), "{time}");
    assert!(chrono::DateTime::parse_from_rfc3339(time).is_ok(), "{time}");
}

#[tokio::test]
async fn home_has_three_activities_and_the_first_a_reply() {
    let answer = get("/api/activities/home").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    let home = answer.json();
    assert_eq!(home.as_array().unwrap().len(), 3);
    for activity in home.as_array().unwrap() {
        assert_eq!(members(activity), ACTIVITY);
        assert_version_4(&activity["uuid"]);
        assert_microseconds_and_offset(&activity["created_at"]);
        assert_microseconds_and_offset(&activity["expires_at"]);
    }
    let replies = home[0]["replies"].as_array().unwrap();
    assert_eq!(replies.len(), 1);
    assert_eq!(replies[0]["reply_to_activity_uuid"], home[0]["uuid"]);
    assert_eq!(home[0]["replies_count"], 1);
}

#[tokio::test]
async fn notifications_have_one_activity_with_a_reply() {
    let notifications = get("/api/activities/notifications").await.json();
    assert_eq!(notifications.as_array().unwrap().len(), 1);
    assert_eq!(notifications[0]["replies"].as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_profile_has_one_activity() {
    let answer = get("/api/activities/@ada").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(members(&answer.json()[0]), ACTIVITY);
}

#[tokio::test]
async fn a_blank_handle_is_refused() {
    for path in ["/api/activities/@", "/api/activities/@%20"] {
        let answer = get(path).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert_eq!(answer.json(), json!(["blank_user_handle"]));
    }
}

#[tokio::test]
async fn search_finds_one_activity_and_wants_a_term() {
    let answer = get("/api/activities/search?term=coat").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json().as_array().unwrap().len(), 1);
    for path in ["/api/activities/search", "/api/activities/search?term="] {
        let answer = get(path).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{path}");
        assert_eq!(answer.json(), json!(["search_term_blank"]));
    }
}

#[tokio::test]
async fn an_activity_is_shown_by_its_uuid_or_not_at_all() {
    //@ since setup/what-comes-in
    let home = get("/api/activities/home").await.json();
    assert_eq!(home[0]["uuid"], "b725863c-539d-4441-8731-a5966b38f557");
    for activity in home.as_array().unwrap() {
        let uuid = activity["uuid"].as_str().unwrap();
        let answer = get(&format!("/api/activities/{uuid}")).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.json()["message"], activity["message"]);
    }

    //@ end
    let unknown = uuid::Uuid::new_v4().to_string();
    for uuid in [unknown.as_str(), "no-uuid"] {
        let answer = get(&format!("/api/activities/{uuid}")).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{uuid}");
    }
}

#[tokio::test]
async fn a_new_activity_comes_back() {
    for ttl in [
        "30-days", "7-days", "3-days", "1-day", "12-hours", "3-hours", "1-hour",
    ] {
        let body = json!({ "message": "hello", "ttl": ttl });
        let answer = post("/api/activities", &body).await;
        assert_eq!(answer.status, StatusCode::OK, "{ttl}");
        let created = answer.json();
        let expected = [
            "created_at",
            "display_name",
            "expires_at",
            "handle",
            "message",
            "uuid",
        ];
        assert_eq!(members(&created), expected);
        assert_eq!(created["message"], "hello");
        assert_version_4(&created["uuid"]);
        assert_microseconds_and_offset(&created["expires_at"]);
    }
}

#[tokio::test]
async fn a_new_activity_must_keep_the_rules() {
    let long = "x".repeat(281);
    for (body, codes) in [
        (json!({ "message": "hello" }), json!(["ttl_blank"])),
        (
            json!({ "message": "hello", "ttl": "2-days" }),
            json!(["ttl_blank"]),
        ),
        (
            json!({ "message": "", "ttl": "1-day" }),
            json!(["message_blank"]),
        ),
        (
            json!({ "message": null, "ttl": "1-day" }),
            json!(["message_blank"]),
        ),
        (
            json!({ "message": long, "ttl": "1-day" }),
            json!(["message_exceed_max_chars"]),
        ),
        (json!({}), json!(["ttl_blank", "message_blank"])),
    ] {
        let answer = post("/api/activities", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{body}");
        assert_eq!(answer.json(), codes, "{body}");
    }
}

#[tokio::test]
async fn a_reply_names_its_activity() {
    let path = "/api/activities/5d2a7f1e-95a6-4f0c-8b0e-0a4c7d6f1a11/reply";
    let answer = post(path, &json!({ "message": "me too" })).await;
    assert_eq!(answer.status, StatusCode::OK);
    let expected = [
        "created_at",
        "display_name",
        "handle",
        "message",
        "reply_to_activity_uuid",
        "uuid",
    ];
    let reply = answer.json();
    assert_eq!(members(&reply), expected);
    assert_eq!(
        reply["reply_to_activity_uuid"],
        "5d2a7f1e-95a6-4f0c-8b0e-0a4c7d6f1a11"
    );

    let answer = post(path, &json!({})).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(answer.json(), json!(["message_blank"]));
    let answer = post(path, &json!({ "message": "x".repeat(1025) })).await;
    assert_eq!(answer.json(), json!(["message_exceed_max_chars"]));
    assert_eq!(
        post(path, &json!({ "message": "x".repeat(1024) }))
            .await
            .status,
        StatusCode::OK
    );
}

#[tokio::test]
async fn conversations_and_their_messages_are_listed() {
    let groups = get("/api/message_groups").await.json();
    assert_eq!(groups.as_array().unwrap().len(), 2);
    assert_eq!(
        members(&groups[0]),
        ["created_at", "display_name", "handle", "uuid"]
    );

    let messages = get("/api/messages/@mira").await.json();
    assert_eq!(messages.as_array().unwrap().len(), 2);
    assert_eq!(
        members(&messages[0]),
        ["created_at", "display_name", "handle", "message", "uuid"]
    );
}

#[tokio::test]
async fn a_new_message_comes_back_or_breaks_a_rule() {
    let body = json!({ "user_receiver_handle": "mira", "message": "seven it is" });
    let answer = post("/api/messages", &body).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        members(&answer.json()),
        ["created_at", "display_name", "handle", "message", "uuid"]
    );

    let long = "x".repeat(1025);
    for (body, code) in [
        (json!({ "message": "x" }), "user_reciever_handle_blank"),
        (json!({ "user_receiver_handle": "mira" }), "message_blank"),
        (
            json!({ "user_receiver_handle": "mira", "message": long }),
            "message_exceed_max_chars",
        ),
    ] {
        let answer = post("/api/messages", &body).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
        assert_eq!(answer.json(), json!([code]));
    }
}

//@ since setup/a-health-route
#[tokio::test]
async fn health_is_ok() {
    let answer = get("/api/health").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.json(), json!({ "status": "ok" }));
}

//@ end
//@ since rollbar/a-message
#[tokio::test]
async fn rollbar_s_message_greets_even_without_a_token() {
    let answer = get("/rollbar/test").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(answer.text, "Hello World!");
}

//@ end
//@ since rollbar/an-error
#[tokio::test]
async fn a_panic_is_a_500_even_without_a_token() {
    let answer = get("/rollbar/error").await;
    assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR);
}

//@ end
#[tokio::test]
async fn a_body_that_is_no_json_is_refused_by_what_is_wrong_with_it() {
    let request = |content_type: Option<&str>, body: &'static str| {
        let mut request = Request::post("/api/activities");
        if let Some(content_type) = content_type {
            request = request.header(header::CONTENT_TYPE, content_type);
        }
        request.body(Body::from(body)).unwrap()
    };
    let json = Some("application/json");
    for (request, status) in [
        (request(json, "{"), StatusCode::BAD_REQUEST),
        (request(json, "5"), StatusCode::BAD_REQUEST),
        (request(json, r#"{"message": 5}"#), StatusCode::BAD_REQUEST),
        (
            request(Some("text/plain"), "{}"),
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
        ),
        (request(None, "{}"), StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        assert_eq!(send(request).await.status, status);
    }
}

#[tokio::test]
async fn a_wrong_method_is_405_and_a_wrong_path_404() {
    for (method, path, status) in [
        (
            Method::DELETE,
            "/api/activities/home",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        (
            Method::GET,
            "/api/activities",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        //@ since rollbar/a-message
        (
            Method::POST,
            "/rollbar/test",
            StatusCode::METHOD_NOT_ALLOWED,
        ),
        //@ end
        (Method::GET, "/api/nothing", StatusCode::NOT_FOUND),
        (Method::GET, "/", StatusCode::NOT_FOUND),
    ] {
        let request = Request::builder().method(method).uri(path);
        let answer = send(request.body(Body::empty()).unwrap()).await;
        assert_eq!(answer.status, status, "{path}");
    }
}

#[tokio::test]
async fn cors_lets_the_frontend_in_and_others_not() {
    let ask = |origin: &'static str| {
        let request = Request::get("/api/activities/home").header(header::ORIGIN, origin);
        send(request.body(Body::empty()).unwrap())
    };
    for origin in ["http://localhost:3000", "http://localhost:4567"] {
        let headers = ask(origin).await.headers;
        assert_eq!(headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], origin);
        assert_eq!(
            headers[header::ACCESS_CONTROL_EXPOSE_HEADERS],
            "location,link"
        );
    }
    let headers = ask("http://elsewhere.example").await.headers;
    assert!(!headers.contains_key(header::ACCESS_CONTROL_ALLOW_ORIGIN));

    let preflight = Request::options("/api/activities")
        .header(header::ORIGIN, "http://localhost:3000")
        .header(header::ACCESS_CONTROL_REQUEST_METHOD, "POST");
    let answer = send(preflight.body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status, StatusCode::OK);
    assert_eq!(
        answer.headers[header::ACCESS_CONTROL_ALLOW_METHODS],
        "OPTIONS,GET,HEAD,POST"
    );
}
