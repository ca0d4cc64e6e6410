use serde_json::json;

use super::*;
use crate::vendor::fake::{Answer, Fake, nowhere};
use crate::vendor::http_client;

const TOKEN: &str = "0123456789abcdef0123456789abcdef";

fn client(fake: &Fake) -> Client {
    Client::new(http_client().unwrap(), fake.url(), Secret::new(TOKEN))
}

fn page(occurrences: impl IntoIterator<Item = (i64, i64)>) -> Answer {
    let instances: Vec<Value> = occurrences
        .into_iter()
        .map(|(id, timestamp)| json!({ "id": id, "timestamp": timestamp, "data": { "environment": "production", "level": "warning", "body": { "message": { "body": "Hello World!" } } } }))
        .collect();
    Answer::json(200, json!({ "err": 0, "result": { "page": 1, "instances": instances } }).to_string())
}

#[tokio::test]
async fn pages_are_read_until_they_are_older_than_the_run() {
    let fake = Fake::serve(|asked| match asked.path.as_str() {
        "/api/1/instances?page=1" => page([(4, 1_004), (3, 1_003)]),
        // 3 slid onto the second page while something new came in.
        "/api/1/instances?page=2" => page([(3, 1_003), (2, 999), (1, 900)]),
        _ => Answer::json(500, "must not be asked"),
    })
    .await;
    let seen = client(&fake).observe(&Question { since_ms: 1_003_700 }).await.unwrap();
    assert_eq!(
        seen.items.iter().map(|item| item.occurrence_id).collect::<Vec<_>>(),
        [4, 3],
        "the run's second counts as a whole"
    );
    assert_eq!((seen.items[0].level.as_str(), seen.items[0].title.as_str()), ("warning", "Hello World!"));
    assert_eq!(fake.requests().len(), 2);
    assert!(fake.requests().iter().all(|asked| asked.header("x-rollbar-access-token") == Some(TOKEN)));
}

#[tokio::test]
async fn the_pages_are_bounded_and_an_empty_one_ends_them() {
    let endless = Fake::serve(|_| page([(0, i64::MAX)])).await;
    assert_eq!(client(&endless).observe(&Question::default()).await.unwrap().items.len(), MOST_PAGES);
    assert_eq!(endless.requests().len(), MOST_PAGES);
    let empty = Fake::serve(|_| page([])).await;
    assert_eq!(client(&empty).observe(&Question::default()).await.unwrap(), Sightings::default());
    assert_eq!(empty.requests().len(), 1);
}

async fn trouble(answer: Answer) -> Trouble {
    let fake = Fake::serve(move |_| answer.clone()).await;
    let trouble = client(&fake).with_deadline(Duration::from_millis(150)).observe(&Question::default()).await.unwrap_err();
    assert!(!format!("{trouble:?}").contains(TOKEN) && !trouble.remedy.is_empty(), "{trouble:?}");
    trouble
}

#[tokio::test]
async fn each_refusal_has_its_cause_and_its_remedy() {
    let scope = "insufficient privileges: read scope is required but the access token only has post_server_item.";
    for status in [401, 403] {
        let wrong = trouble(Answer::json(status, json!({ "err": 1, "message": scope }).to_string())).await;
        assert!(!wrong.passing && wrong.cause.contains("scope `read`") && wrong.remedy.contains("post_server_item"), "{wrong:?}");
        let unknown =
            trouble(Answer::json(status, json!({ "err": 1, "message": format!("access token not found: {TOKEN}") }).to_string()))
                .await;
        assert!(!unknown.passing && unknown.cause.contains("refused the token"), "{unknown:?}");
    }
    for status in [200, 404, 422] {
        let odd = trouble(Answer::json(status, json!({ "err": 1, "message": format!("odd {TOKEN}") }).to_string())).await;
        assert!(!odd.passing && odd.cause.contains("odd …"), "{odd:?}");
    }
    for garbage in ["{", "[]", r#"{"err":0}"#, "<html>"] {
        let page = trouble(Answer::json(200, garbage)).await;
        assert!(!page.passing && page.cause.contains("cannot be read"), "{page:?}");
    }
}

#[tokio::test]
async fn what_passes_is_told_apart() {
    let often = trouble(Answer::json(429, "{}").header("X-Rate-Limit-Remaining-Seconds", "9")).await;
    assert!(often.passing && often.retry_after_ms == Some(9_000), "{often:?}");
    let down = trouble(Answer::json(502, "<html>")).await;
    assert!(down.passing && down.cause.contains("502") && down.remedy.contains("status.rollbar.com"), "{down:?}");
    assert!(trouble(Answer::Hang).await.passing);
    assert!(trouble(Answer::Truncated).await.passing);
    let absent =
        Client::new(http_client().unwrap(), &nowhere(), Secret::new(TOKEN)).observe(&Question::default()).await.unwrap_err();
    assert!(absent.passing && absent.cause.contains("nothing listens"), "{absent:?}");
}

#[tokio::test]
async fn a_tokens_reach_is_told_rung_by_rung() {
    let tried = async |answer: Answer| {
        let fake = Fake::serve(move |_| answer.clone()).await;
        client(&fake).try_out().await
    };
    let refused = |status, message: &str| Answer::json(status, json!({ "err": 1, "message": message }).to_string());
    assert_eq!(tried(page([])).await.as_deref(), Ok("no occurrence yet"));
    assert_eq!(tried(page([(1, 1)])).await.as_deref(), Ok("occurrences on the newest page: 1"));
    let stop = |tried: Result<String, Stop>| tried.unwrap_err().at;
    assert_eq!(stop(tried(refused(403, &format!("access token not found: {TOKEN}"))).await), Rung::Authenticated);
    let scope = "insufficient privileges: read scope is required but the access token only has post_server_item.";
    assert_eq!(stop(tried(refused(403, scope)).await), Rung::Allowed);
    assert_eq!(stop(tried(Answer::json(200, "no json")).await), Rung::ReadBack);
}
