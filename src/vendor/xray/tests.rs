use serde_json::{Value, json};

use super::*;
use crate::facts::Secret;
use crate::vendor::aws::Keys;
use crate::vendor::fake::{Answer, Asked, Fake, nowhere};

const SECRET: &str = "wJalrXUtnFEMIsecret";
const KEY_ID: &str = "AKIDEXAMPLEKEY";
const SINCE_MS: i64 = 1_700_000_000_000;

fn client(url: &str) -> Client {
    let keys = Keys { access_key_id: Secret::new(KEY_ID), secret_access_key: Secret::new(SECRET), session_token: None };
    Client::new(
        Account::new(Some(String::from("ca-central-1")), Some(keys)).with_endpoint(url).with_deadline(Duration::from_secs(5)),
    )
}

fn id(index: usize) -> TraceId {
    format!("6553f100{index:024x}").parse().unwrap()
}

fn document(trace: &str, id: &str, name: &str, more: &Value) -> Value {
    let mut document = json!({ "trace_id": trace, "id": id, "name": name, "start_time": 1.0, "end_time": 2.0 });
    document.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    json!({ "Id": id, "Document": document.to_string() })
}

/// An account with one trace, found by its id and by the nonce.
async fn account(present: TraceId, overrides: impl Fn(&Asked) -> Option<Answer> + Send + Sync + 'static) -> Fake {
    Fake::serve(move |asked| {
        if let Some(answer) = overrides(asked) {
            return answer;
        }
        let trace = present.xray();
        let body = match asked.path.as_str() {
            "/GetTraceSegmentDestination" => json!({ "Destination": "XRay", "Status": "ACTIVE" }),
            "/Traces" => {
                let asked_for = asked.json()["TraceIds"].as_array().unwrap().contains(&json!(trace));
                let child = document(&trace, "bbbbbbbbbbbbbbbb", "mock-data", &json!({ "type": "subsegment", "parent_id": "aaaaaaaaaaaaaaaa", "metadata": { "results-size": 2 } }));
                let root = document(&trace, "aaaaaaaaaaaaaaaa", "cruddur", &json!({ "http": { "response": { "status": 200 } } }));
                let traces = if asked_for { json!([{ "Id": trace, "Duration": 1.0, "LimitExceeded": false, "Segments": [child, root] }]) } else { json!([]) };
                json!({ "Traces": traces, "UnprocessedTraceIds": [] })
            }
            "/TraceSummaries" => json!({ "TraceSummaries": [{ "Id": trace }], "TracesProcessedCount": 1, "ApproximateTime": 1_700_000_000.5 }),
            "/Groups" if asked.json()["NextToken"].is_null() => json!({ "Groups": [{ "GroupName": "Default" }], "NextToken": "more" }),
            "/Groups" => json!({ "Groups": [{ "GroupName": "Cruddur", "FilterExpression": "service(\"cruddur\")" }] }),
            "/GetSamplingRules" => json!({ "SamplingRuleRecords": [{ "SamplingRule": { "RuleName": "Cruddur", "ResourceARN": "*", "Priority": 9000,
                "FixedRate": 0.1, "ReservoirSize": 5, "ServiceName": "cruddur", "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1 } }] }),
            "/ServiceGraph" => json!({ "Services": [{ "ReferenceId": 0, "Name": "cruddur", "Type": "AWS::EC2::Instance", "EndTime": 1780000000.5, "SummaryStatistics": { "TotalCount": 3 } }] }),
            _ => return Answer::json(404, "{}"),
        };
        Answer::json(200, body.to_string())
    })
    .await
}

fn everything(trace_ids: Vec<TraceId>) -> Question {
    Question {
        trace_ids,
        nonce: String::from("bc-7"),
        since_ms: SINCE_MS,
        traces: true,
        groups: true,
        rules: true,
        graph: true,
        filters: vec![String::from("annotation.user_id = \"andrew\"")],
    }
}

#[tokio::test]
async fn one_round_sees_everything_that_was_asked_for() {
    let fake = account(id(1), |_| None).await;
    let seen = client(fake.url()).observe(&everything(vec![id(1)])).await.unwrap();
    assert_eq!(seen.segments.len(), 1);
    assert_eq!((seen.segments[0].name.as_str(), seen.segments[0].status()), ("cruddur", Some(200)));
    assert_eq!(seen.segments[0].subsegments[0].metadata("results-size"), Some(&json!(2)));
    assert_eq!(seen.groups.iter().map(|group| group.name.as_str()).collect::<Vec<_>>(), ["Default", "Cruddur"]);
    assert_eq!((seen.rules[0].priority, seen.rules[0].reservoir_size, seen.rules[0].fixed_rate), (9000, 5, 0.1));
    assert_eq!(
        seen.nodes,
        [ServiceNode {
            name: String::from("cruddur"),
            kind: Some(String::from("AWS::EC2::Instance")),
            requests: 3,
            last_ms: Some(1_780_000_000_500),
        }]
    );
    assert_eq!(seen.filtered["annotation.user_id = \"andrew\""], [id(1).w3c()]);
    let summaries: Vec<Value> = fake.requests().iter().filter(|asked| asked.path == "/TraceSummaries").map(Asked::json).collect();
    assert_eq!(summaries.len(), 1, "the trace is there, so nobody looks for the nonce");
    assert_eq!(summaries[0]["TimeRangeType"], "Event");
    assert!(
        fake.requests()
            .iter()
            .all(|asked| asked.header("authorization").is_some_and(|value| value.contains("/ca-central-1/xray/")))
    );
}

#[tokio::test]
async fn only_what_was_asked_for_is_asked() {
    let fake = account(id(1), |_| None).await;
    let client = client(fake.url());
    client.observe(&Question { rules: true, ..Question::default() }).await.unwrap();
    assert_eq!(fake.lines(), ["POST /GetSamplingRules"]);
    let traces = Question { traces: true, trace_ids: vec![id(1)], ..Question::default() };
    client.observe(&traces).await.unwrap();
    client.observe(&traces).await.unwrap();
    assert_eq!(
        fake.lines()[1..],
        ["POST /GetTraceSegmentDestination", "POST /Traces", "POST /Traces"],
        "the destination is asked once"
    );
}

#[tokio::test]
async fn ids_go_out_in_fives_and_a_missing_trace_is_looked_for_by_the_nonce() {
    let stray = id(99);
    let fake = account(stray, |_| None).await;
    let question =
        Question { groups: false, rules: false, graph: false, filters: Vec::new(), ..everything((0..12).map(id).collect()) };
    let seen = client(fake.url()).observe(&question).await.unwrap();
    assert_eq!(seen.segments[0].trace_id, stray.xray());
    let sizes: Vec<usize> = fake
        .requests()
        .iter()
        .filter(|asked| asked.path == "/Traces")
        .map(|asked| asked.json()["TraceIds"].as_array().unwrap().len())
        .collect();
    assert_eq!((sizes.iter().sum::<usize>(), sizes.len(), sizes.iter().max()), (13, 4, Some(&5)));
    let summary = fake.requests().into_iter().find(|asked| asked.path == "/TraceSummaries").unwrap().json();
    assert_eq!(summary["FilterExpression"], "http.url CONTAINS \"bc-7\"");
}

#[tokio::test]
async fn a_trace_is_assembled_over_pages() {
    let fake = account(id(1), |asked| {
        (asked.path == "/Traces").then(|| {
            let trace = id(1).xray();
            let body = if asked.json()["NextToken"].is_null() {
                let child = document(&trace, "bbbbbbbbbbbbbbbb", "mock-data", &json!({ "type": "subsegment", "parent_id": "aaaaaaaaaaaaaaaa" }));
                json!({ "Traces": [{ "Id": trace, "Segments": [child] }], "NextToken": "2" })
            } else {
                json!({ "Traces": [{ "Id": trace, "Segments": [document(&trace, "aaaaaaaaaaaaaaaa", "cruddur", &json!({})), { "Id": "x", "Document": "garbage" }] }] })
            };
            Answer::json(200, body.to_string())
        })
    })
    .await;
    let seen =
        client(fake.url()).observe(&Question { traces: true, trace_ids: vec![id(1)], ..Question::default() }).await.unwrap();
    assert_eq!((seen.segments.len(), seen.segments[0].subsegments.len()), (1, 1));
}

async fn trouble(answer: Answer) -> Trouble {
    let fake = account(id(1), move |asked| (asked.path == "/Groups").then(|| answer.clone())).await;
    let client = Client::new(client(fake.url()).account.with_deadline(Duration::from_millis(300)));
    let trouble = client.observe(&Question { groups: true, ..Question::default() }).await.unwrap_err();
    let shown = format!("{trouble:?}");
    assert!(!shown.contains(SECRET) && !shown.contains(KEY_ID) && !trouble.remedy.is_empty(), "{shown}");
    trouble
}

fn refusal(status: u16, code: &str, message: &str) -> Answer {
    Answer::json(status, json!({ "message": message }).to_string()).header("x-amzn-errortype", code)
}

#[tokio::test]
async fn each_refusal_has_its_cause_and_its_remedy() {
    let unknown =
        trouble(refusal(403, "UnrecognizedClientException", "The security token included in the request is invalid.")).await;
    assert!(!unknown.passing && unknown.cause.contains("does not know the access key"), "{unknown:?}");
    let secret = trouble(refusal(403, "InvalidSignatureException", &format!("The Canonical String … {KEY_ID}"))).await;
    assert!(secret.cause.contains("secret access key"), "{secret:?}");
    let clock = trouble(refusal(403, "InvalidSignatureException", "Signature expired: 2026 is now earlier than 2027")).await;
    assert!(clock.cause.contains("clock"), "{clock:?}");
    let expired = trouble(refusal(403, "ExpiredTokenException", "expired")).await;
    assert!(expired.cause.contains("expired"), "{expired:?}");
    let denied = trouble(refusal(403, "AccessDeniedException", &format!("User: arn:{KEY_ID} is not authorized"))).await;
    assert!(!denied.passing && denied.remedy.contains("`xray:GetGroups`"), "{denied:?}");
    let invalid = trouble(refusal(400, "InvalidRequestException", &format!("bad {SECRET}"))).await;
    assert!(!invalid.passing && invalid.cause.contains("InvalidRequestException bad …"), "{invalid:?}");
    let other = trouble(Answer::json(404, "<html>")).await;
    assert!(!other.passing && other.remedy.contains("endpoint"), "{other:?}");
    for garbage in ["<html>", "[1", "7"] {
        let page = trouble(Answer::json(200, garbage)).await;
        assert!(!page.passing && page.cause.contains("cannot be read"), "{garbage}: {page:?}");
    }
}

#[tokio::test]
async fn what_passes_is_told_apart() {
    let often = trouble(refusal(429, "ThrottledException", "slow down").header("retry-after", "4")).await;
    assert!(often.passing && often.retry_after_ms == Some(4_000), "{often:?}");
    assert!(trouble(refusal(400, "ThrottlingException", "Rate exceeded")).await.passing);
    let down = trouble(Answer::json(503, "<html>")).await;
    assert!(down.passing && down.cause.contains("503"), "{down:?}");
    let late = trouble(Answer::Hang).await;
    assert!(late.passing && late.cause.contains("did not answer within"), "{late:?}");
    let cut = trouble(Answer::Truncated).await;
    assert!(cut.passing && cut.cause.contains("broke"), "{cut:?}");
    let absent = client(&nowhere()).observe(&Question { groups: true, ..Question::default() }).await.unwrap_err();
    assert!(absent.passing && absent.cause.contains("nothing listens"), "{absent:?}");
}

#[tokio::test]
async fn transaction_search_is_explained_before_waiting() {
    let fake = account(id(1), |asked| {
        (asked.path == "/GetTraceSegmentDestination")
            .then(|| Answer::json(200, r#"{"Destination":"CloudWatchLogs","Status":"ACTIVE"}"#))
    })
    .await;
    let trouble = client(fake.url()).observe(&everything(vec![id(1)])).await.unwrap_err();
    assert!(
        !trouble.passing && trouble.cause.contains("Transaction Search") && trouble.remedy.contains("--destination XRay"),
        "{trouble:?}"
    );
    assert_eq!(fake.requests().len(), 1);
}

#[tokio::test]
async fn a_key_that_may_not_see_the_destination_may_still_read_traces() {
    let fake = account(id(1), |asked| {
        (asked.path == "/GetTraceSegmentDestination").then(|| refusal(403, "AccessDeniedException", "no"))
    })
    .await;
    let seen =
        client(fake.url()).observe(&Question { traces: true, trace_ids: vec![id(1)], ..Question::default() }).await.unwrap();
    assert_eq!(seen.segments.len(), 1);
}

#[tokio::test]
async fn a_connection_that_is_not_secure_is_not_used() {
    let plain = account(id(1), |_| None).await;
    let trouble = client(&plain.url().replace("http://", "https://")).observe(&everything(vec![id(1)])).await.unwrap_err();
    assert!(!trouble.passing && trouble.cause.contains("no secure connection"), "{trouble:?}");
}

#[tokio::test]
async fn a_region_without_the_destination_operation_is_taken_as_it_is() {
    let fake = account(id(1), |asked| {
        (asked.path == "/GetTraceSegmentDestination").then(|| refusal(404, "UnknownOperationException", "no such operation"))
    })
    .await;
    let seen =
        client(fake.url()).observe(&Question { traces: true, trace_ids: vec![id(1)], ..Question::default() }).await.unwrap();
    assert_eq!(seen.segments.len(), 1);
}

#[tokio::test]
async fn a_wrong_filter_expression_is_named() {
    let fake = account(id(1), |asked| {
        (asked.path == "/TraceSummaries").then(|| refusal(400, "InvalidRequestException", "Invalid filter expression"))
    })
    .await;
    let question = Question { filters: vec![String::from("annotation.x = (")], since_ms: SINCE_MS, ..Question::default() };
    let trouble = client(fake.url()).observe(&question).await.unwrap_err();
    assert!(!trouble.passing && trouble.cause.contains("`annotation.x = (`: Invalid filter"), "{trouble:?}");
}

#[tokio::test]
async fn a_keys_reach_is_told_rung_by_rung() {
    let whole = account(id(1), |_| None).await;
    assert_eq!(client(whole.url()).try_out().await.as_deref(), Ok("groups: 1, sampling rules: 1"));
    let asked = ["POST /Groups", "POST /GetSamplingRules", "POST /Traces", "POST /GetTraceSegmentDestination"];
    assert_eq!(whole.lines(), asked);
    for (path, answer, at) in [
        ("/Groups", refusal(403, "UnrecognizedClientException", "no"), Rung::Authenticated),
        ("/Groups", refusal(403, "InvalidSignatureException", "no"), Rung::Authenticated),
        ("/GetSamplingRules", refusal(403, "AccessDeniedException", "no"), Rung::Allowed),
        ("/Traces", refusal(403, "AccessDeniedException", "no"), Rung::Allowed),
        ("/Traces", refusal(429, "ThrottledException", "no"), Rung::ReadBack),
        ("/GetTraceSegmentDestination", Answer::json(200, r#"{"Destination":"CloudWatchLogs"}"#), Rung::ReadBack),
    ] {
        let fake = account(id(1), move |asked| (asked.path == path).then(|| answer.clone())).await;
        let stop = client(fake.url()).try_out().await.unwrap_err();
        assert_eq!(stop.at, at, "{path}: {stop:?}");
    }
    assert_eq!(client(&nowhere()).try_out().await.unwrap_err().at, Rung::Authenticated);
}
