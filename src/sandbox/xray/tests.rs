use std::net::{Ipv4Addr, SocketAddr};

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method};
use serde_json::{Value, json};

use super::*;
use crate::sandbox::Keys;
use crate::sandbox::store::{Place, Store};

const AUTHORIZATION: &str =
    "AWS4-HMAC-SHA256 Credential=AKID/20260101/eu-west-1/xray/aws4_request, SignedHeaders=host, Signature=00";

fn sandbox() -> Shared {
    let store = Store::open(&Place::Memory, &[TABLES, rejection::TABLES]).unwrap();
    Shared { store, keys: std::sync::Arc::new(Keys::default()) }
}

fn request(path: &str, body: impl Into<Bytes>) -> Request {
    let mut headers = HeaderMap::new();
    headers.insert("authorization", HeaderValue::from_static(AUTHORIZATION));
    let peer = SocketAddr::from((Ipv4Addr::LOCALHOST, 1));
    Request { method: Method::POST, path: path.to_owned(), query: String::new(), headers, body: body.into(), peer }
}

fn open(response: &Response) -> (u16, String, Value) {
    let code = response.headers().get("x-amzn-errortype").map_or("", |value| value.to_str().unwrap()).to_owned();
    assert!(response.headers().contains_key("x-amzn-requestid"));
    (response.status().as_u16(), code, serde_json::from_slice(response.body()).unwrap())
}

async fn ask(shared: &Shared, path: &str, body: Value) -> Value {
    let (status, code, value) = open(&handle(shared, request(path, body.to_string())).await);
    assert_eq!((status, code.as_str()), (200, ""), "{path} {body}: {value}");
    value
}

/// The error's name and message.
async fn refused(shared: &Shared, path: &str, body: Value) -> (String, String) {
    let (status, code, value) = open(&handle(shared, request(path, body.to_string())).await);
    assert_ne!(status, 200, "{path} {body}: {value}");
    (code, value["message"].as_str().unwrap().to_owned())
}

fn trace_id(number: u32) -> String {
    format!("1-{:08x}-{number:024x}", 1_700_000_000 + number)
}

/// A front that calls a back and a table.
fn front(number: u32) -> Value {
    let start = f64::from(1_700_000_000 + number);
    json!({
        "trace_id": trace_id(number), "id": format!("{number:015x}a"), "name": "front", "start_time": start,
        "end_time": start + 0.5, "parent_id": "ffffffffffffffff", "user": "ada", "annotations": {"number": number, "kind": "x", "odd": [1]},
        "http": {"request": {"method": "GET", "url": "http://front/home?n=1", "client_ip": "10.0.0.1"}, "response": {"status": 200}},
        "subsegments": [{"id": format!("{number:015x}b"), "name": "back", "namespace": "remote", "start_time": start + 0.1, "end_time": start + 0.3}],
    })
}

fn back(number: u32) -> Value {
    let start = f64::from(1_700_000_000 + number);
    json!({"trace_id": trace_id(number), "id": format!("{number:015x}c"), "parent_id": format!("{number:015x}b"), "name": "back",
           "start_time": start + 0.15, "end_time": start + 0.25, "error": true, "annotations": {"kind": "x"}})
}

async fn put(shared: &Shared, documents: &[Value]) -> Value {
    let texts: Vec<String> = documents.iter().map(Value::to_string).collect();
    ask(shared, "/TraceSegments", json!({ "TraceSegmentDocuments": texts })).await
}

async fn documents(shared: &Shared, id: &str) -> Vec<Value> {
    let answer = ask(shared, "/Traces", json!({ "TraceIds": [id] })).await;
    let segments = answer["Traces"][0]["Segments"].as_array().unwrap().clone();
    segments.iter().map(|segment| serde_json::from_str(segment["Document"].as_str().unwrap()).unwrap()).collect()
}

#[tokio::test]
async fn good_documents_are_kept_and_bad_ones_come_back() {
    let shared = sandbox();
    let mut nameless = front(2);
    nameless["name"] = json!("(x)");
    let answer = put(&shared, &[front(1), nameless, json!([]), back(1)]).await;
    assert_eq!(
        answer["UnprocessedTraceSegments"],
        json!([
            {"Id": format!("{:015x}a", 2), "ErrorCode": "InvalidName", "Message": "Invalid segment. ErrorCode: InvalidName, Cause: null"},
            {"ErrorCode": "MissingId", "Message": "Invalid segment. ErrorCode: MissingId"},
        ])
    );
    let (one, two, nine) = (trace_id(1), trace_id(2), trace_id(9));
    let answer = ask(&shared, "/Traces", json!({ "TraceIds": [one, two, nine] })).await;
    assert_eq!(answer["UnprocessedTraceIds"], json!([two, nine]));
    let trace = &answer["Traces"][0];
    assert_eq!((&trace["Id"], &trace["Duration"], &trace["LimitExceeded"]), (&json!(one), &json!(0.5), &json!(false)));
    assert_eq!(trace["Segments"].as_array().unwrap().len(), 2);
    let kept = rejection::since(&shared, 0).await.unwrap();
    assert_eq!(kept.iter().map(|rejection| rejection.reason.as_str()).collect::<Vec<_>>(), ["invalid-segment"; 2]);
    assert_eq!(kept[0].service.as_deref(), Some("(x)"));
}

#[tokio::test]
async fn subsegments_sent_apart_stand_beneath_their_segment() {
    let shared = sandbox();
    let mut child = back(1);
    child["type"] = json!("subsegment");
    child["metadata"] = json!({"default": {"results-size": 3}});
    child["parent_id"] = json!(format!("{:015x}a", 1));
    put(&shared, &[child]).await;
    assert_eq!(documents(&shared, &trace_id(1)).await[0]["type"], "subsegment");
    put(&shared, &[front(1)]).await;
    let all = documents(&shared, &trace_id(1)).await;
    let segment = all.iter().find(|document| document["name"] == "front").unwrap();
    let nested = &segment["subsegments"][1];
    assert_eq!(nested["metadata"]["default"]["results-size"], 3);
    assert_eq!((nested.get("type"), nested.get("parent_id"), nested.get("trace_id")), (None, None, None));
    // Nobody answered the call, so a segment is inferred.
    assert_eq!(all.len(), 2);
    assert!(all.iter().any(|document| document["inferred"] == true && document["name"] == "back"));
}

#[tokio::test]
async fn a_trace_that_grows_too_large_is_cut_and_says_so() {
    let shared = sandbox();
    for number in 0..12 {
        let mut big = front(1);
        big["id"] = json!(format!("{number:016x}"));
        big["metadata"] = json!({ "big": "x".repeat(60_000) });
        put(&shared, &[big]).await;
    }
    let answer = ask(&shared, "/Traces", json!({ "TraceIds": [trace_id(1)] })).await;
    assert_eq!(answer["Traces"][0]["LimitExceeded"], true);
    let size: usize = answer["Traces"][0]["Segments"].to_string().len();
    assert!(size < 600_000, "{size}");
}

fn window() -> Value {
    json!({ "StartTime": 1_700_000_000, "EndTime": 1_700_100_000.5 })
}

async fn summaries(shared: &Shared, more: Value) -> Vec<Value> {
    let mut body = window();
    body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    ask(shared, "/TraceSummaries", body).await["TraceSummaries"].as_array().unwrap().clone()
}

#[tokio::test]
async fn a_summary_says_all_there_is_to_say() {
    let shared = sandbox();
    put(&shared, &[front(1), back(1)]).await;
    let all = summaries(&shared, json!({})).await;
    let summary = &all[0];
    let (front, back) = (json!({"Name": "front", "Names": ["front"]}), json!({"Name": "back", "Names": ["back"]}));
    assert_eq!(summary["Id"], trace_id(1));
    assert_eq!(
        (&summary["Duration"], &summary["ResponseTime"], &summary["StartTime"]),
        (&json!(0.5), &json!(0.5), &json!(1_700_000_001.0))
    );
    assert_eq!(
        [&summary["HasFault"], &summary["HasError"], &summary["HasThrottle"], &summary["IsPartial"]],
        [&json!(false), &json!(false), &json!(false), &json!(false)]
    );
    assert_eq!(
        summary["Http"],
        json!({"HttpURL": "http://front/home?n=1", "HttpMethod": "GET", "HttpStatus": 200, "ClientIp": "10.0.0.1"})
    );
    assert_eq!(
        summary["Annotations"],
        json!({
            "number": [{"AnnotationValue": {"NumberValue": 1}, "ServiceIds": [front]}],
            "kind": [{"AnnotationValue": {"StringValue": "x"}, "ServiceIds": [front, back]}],
        })
    );
    assert_eq!(summary["Users"], json!([{"UserName": "ada", "ServiceIds": [front]}]));
    assert_eq!((&summary["ServiceIds"], &summary["EntryPoint"]), (&json!([front, back]), &front));
    assert_eq!(summary["Revision"], 2);
    assert_eq!(summary.get("MatchedEventTime"), None);
}

#[tokio::test]
async fn the_window_is_by_id_by_event_or_by_end() {
    let shared = sandbox();
    put(&shared, &[front(10)]).await;
    let at = |from: f64, until: f64, clock: &str| json!({ "StartTime": 1_700_000_000.0 + from, "EndTime": 1_700_000_000.0 + until, "TimeRangeType": clock });
    for (from, until, clock, found) in [
        (10.0, 11.0, "TraceId", 1),
        (10.9, 11.0, "TraceId", 1),
        (9.0, 10.0, "TraceId", 0),
        (11.0, 12.0, "TraceId", 0),
        (10.2, 10.3, "Event", 1),
        (10.6, 12.0, "Event", 0),
        (9.0, 10.0, "Event", 0),
        (10.5, 10.6, "Service", 1),
        (10.0, 10.5, "Service", 0),
    ] {
        let all = summaries(&shared, at(from, until, clock)).await;
        assert_eq!(all.len(), found, "{from} to {until} by {clock}");
        assert_eq!(
            all.first().is_some_and(|summary| summary.get("MatchedEventTime").is_some()),
            found == 1 && clock != "TraceId"
        );
    }
    let (code, message) = refused(&shared, "/TraceSummaries", at(1.0, 0.0, "TraceId")).await;
    assert_eq!((code.as_str(), message.contains("StartTime")), ("InvalidRequestException", true));
    let (code, _) = refused(&shared, "/TraceSummaries", at(0.0, 1.0, "Epoch")).await;
    assert_eq!(code, "InvalidRequestException");
    let (_, message) = refused(&shared, "/TraceSummaries", json!({ "StartTime": 1 })).await;
    assert!(message.contains("endTime"), "{message}");
}

#[tokio::test]
async fn filters_choose_and_bad_ones_are_explained() {
    let shared = sandbox();
    put(&shared, &[front(1), back(1), front(2)]).await;
    for (filter, found) in [
        ("annotation.number = 2", 1),
        ("service(\"back\") { error }", 1),
        ("http.url CONTAINS \"n=1\"", 2),
        ("edge(\"front\", id(name: \"back\", type: \"remote\"))", 1),
        ("", 2),
        ("fault", 0),
    ] {
        assert_eq!(summaries(&shared, json!({ "FilterExpression": filter })).await.len(), found, "{filter}");
    }
    let mut body = window();
    body["FilterExpression"] = json!("annotation.number =");
    let (code, message) = refused(&shared, "/TraceSummaries", body).await;
    assert_eq!(code, "InvalidRequestException");
    assert!(message.ends_with("at position 20"), "{message}");
}

#[tokio::test]
async fn pages_show_every_trace_once_the_latest_first() {
    let shared = sandbox();
    let documents: Vec<Value> = (0..1_203).map(front).collect();
    for some in documents.chunks(400) {
        put(&shared, some).await;
    }
    for clock in ["TraceId", "Event", "Service"] {
        let mut body = window();
        body["TimeRangeType"] = json!(clock);
        body["FilterExpression"] = json!("annotation.number < 700");
        let (mut ids, mut pages) = (Vec::new(), 0);
        loop {
            let answer = ask(&shared, "/TraceSummaries", body.clone()).await;
            pages += 1;
            ids.extend(
                answer["TraceSummaries"].as_array().unwrap().iter().map(|summary| summary["Id"].as_str().unwrap().to_owned()),
            );
            match answer.get("NextToken") {
                Some(token) => body["NextToken"] = token.clone(),
                None => break,
            }
        }
        let expected: Vec<String> = (0..700).rev().map(trace_id).collect();
        assert_eq!((pages, ids == expected), (3, true), "{clock}");
    }
    let mut body = window();
    body["NextToken"] = json!("nonsense");
    assert_eq!(refused(&shared, "/TraceSummaries", body).await.0, "InvalidRequestException");
}

#[tokio::test]
async fn the_graph_shows_client_services_and_edges() {
    let shared = sandbox();
    put(&shared, &[front(1), back(1), front(2)]).await;
    let answer = ask(&shared, "/ServiceGraph", window()).await;
    let nodes = answer["Services"].as_array().unwrap();
    let node = |name: &str, kind: Value| {
        nodes.iter().find(|node| node["Name"] == name && node.get("Type").cloned().unwrap_or_default() == kind).unwrap()
    };
    let (client, front) = (node("front", json!("client")), node("front", Value::Null));
    let (back, remote) = (node("back", Value::Null), node("back", json!("remote")));
    assert_eq!(nodes.len(), 4);
    for (place, node) in nodes.iter().enumerate() {
        assert_eq!(node["ReferenceId"], place);
    }
    assert_eq!(client["Edges"][0]["ReferenceId"], front["ReferenceId"]);
    assert_eq!(client["Edges"][0]["SummaryStatistics"]["OkCount"], 2);
    assert_eq!((front["Root"].clone(), front["State"].clone(), back.get("Root")), (json!(true), json!("active"), None));
    assert_eq!(front["SummaryStatistics"]["TotalResponseTime"], 1.0);
    assert_eq!(front["DurationHistogram"], json!([{"Value": 0.5, "Count": 2}]));
    assert_eq!(remote["State"], "unknown");
    assert_eq!(back["SummaryStatistics"]["ErrorStatistics"], json!({"ThrottleCount": 0, "OtherCount": 1, "TotalCount": 1}));
    // The edge is timed by the caller, the node by itself.
    let edge = front["Edges"].as_array().unwrap().iter().find(|edge| edge["ReferenceId"] == back["ReferenceId"]).unwrap();
    assert_eq!(edge["ResponseTimeHistogram"], json!([{"Value": 0.2, "Count": 1}]));
    assert_eq!(back["DurationHistogram"], json!([{"Value": 0.1, "Count": 1}]));

    let one = ask(&shared, "/TraceGraph", json!({ "TraceIds": [trace_id(2), trace_id(99)] })).await;
    assert_eq!(one["Services"].as_array().unwrap().len(), 3);

    ask(&shared, "/CreateGroup", json!({ "GroupName": "second", "FilterExpression": "annotation.number = 2" })).await;
    let mut body = window();
    body["GroupName"] = json!("second");
    assert_eq!(ask(&shared, "/ServiceGraph", body.clone()).await["Services"], one["Services"]);
    body["GroupName"] = json!("Default");
    assert_eq!(ask(&shared, "/ServiceGraph", body.clone()).await["Services"], answer["Services"]);
    body["GroupName"] = json!("third");
    assert_eq!(refused(&shared, "/ServiceGraph", body).await.0, "InvalidRequestException");
}

#[tokio::test]
async fn groups_are_made_changed_and_deleted() {
    let shared = sandbox();
    let made =
        ask(&shared, "/CreateGroup", json!({ "GroupName": "Cruddur", "FilterExpression": "service(\"backend-flask\")" })).await;
    let arn = made["Group"]["GroupARN"].clone();
    assert!(arn.as_str().unwrap().starts_with("arn:aws:xray:eu-west-1:000000000000:group/Cruddur/"), "{arn}");
    assert_eq!(made["Group"]["InsightsConfiguration"], json!({"InsightsEnabled": false, "NotificationsEnabled": false}));
    for (body, part) in [
        (json!({ "GroupName": "Cruddur" }), "already exists"),
        (json!({ "GroupName": "" }), "groupName"),
        (json!({ "GroupName": "x".repeat(33) }), "groupName"),
        (json!({ "GroupName": "Default" }), "reserved"),
        (json!({}), "groupName"),
        (json!({ "GroupName": "other", "FilterExpression": "service(" }), "position"),
        (json!({ "GroupName": "other", "InsightsConfiguration": {"NotificationsEnabled": true} }), "insights"),
    ] {
        let (code, message) = refused(&shared, "/CreateGroup", body).await;
        assert_eq!(code, "InvalidRequestException");
        assert!(message.contains(part), "{message}");
    }
    let update = json!({ "GroupARN": arn, "FilterExpression": "fault", "InsightsConfiguration": {"InsightsEnabled": true} });
    assert_eq!(ask(&shared, "/UpdateGroup", update).await["Group"]["FilterExpression"], "fault");
    let got = ask(&shared, "/GetGroup", json!({ "GroupName": "Cruddur" })).await;
    assert_eq!(
        (&got["Group"]["FilterExpression"], &got["Group"]["InsightsConfiguration"]["InsightsEnabled"]),
        (&json!("fault"), &json!(true))
    );
    let names =
        |value: Value| value["Groups"].as_array().unwrap().iter().map(|group| group["GroupName"].clone()).collect::<Vec<_>>();
    assert_eq!(names(ask(&shared, "/Groups", json!({})).await), ["Cruddur", "Default"]);
    assert_eq!(ask(&shared, "/DeleteGroup", json!({ "GroupARN": arn })).await, json!({}));
    assert_eq!(names(ask(&shared, "/Groups", json!({})).await), ["Default"]);
    for path in ["/GetGroup", "/DeleteGroup", "/UpdateGroup"] {
        assert_eq!(refused(&shared, path, json!({ "GroupName": "Cruddur" })).await.0, "InvalidRequestException");
    }
    assert_eq!(refused(&shared, "/DeleteGroup", json!({ "GroupName": "Default" })).await.0, "InvalidRequestException");
}

fn rule(name: &str) -> Value {
    json!({ "RuleName": name, "ResourceARN": "*", "Priority": 9000, "FixedRate": 0.1, "ReservoirSize": 5, "ServiceName": "Cruddur",
            "ServiceType": "*", "Host": "*", "HTTPMethod": "*", "URLPath": "*", "Version": 1 })
}

#[tokio::test]
async fn rules_are_made_changed_and_deleted() {
    let shared = sandbox();
    let made = ask(&shared, "/CreateSamplingRule", json!({ "SamplingRule": rule("Cruddur") })).await;
    let record = &made["SamplingRuleRecord"];
    let arn = record["SamplingRule"]["RuleARN"].clone();
    assert_eq!(arn, "arn:aws:xray:eu-west-1:000000000000:sampling-rule/Cruddur");
    assert_eq!((&record["SamplingRule"]["FixedRate"], &record["CreatedAt"]), (&json!(0.1), &record["ModifiedAt"]));
    for (member, value, part) in [
        ("RuleName", json!("Cruddur"), "already exists"),
        ("RuleName", json!("Default"), "already exists"),
        ("RuleName", json!("x".repeat(33)), "ruleName"),
        ("ServiceName", json!("x".repeat(65)), "serviceName"),
        ("Priority", json!(0), "priority"),
        ("Priority", json!(10_000), "less than or equal to 9999"),
        ("FixedRate", json!(1.1), "fixedRate"),
        ("FixedRate", json!(-0.1), "fixedRate"),
        ("ReservoirSize", json!(-1), "reservoirSize"),
        ("Version", json!(2), "Version"),
        ("HTTPMethod", json!("PROPFINDING"), "HTTPMethod"),
        ("Attributes", json!({"": "x"}), "attributes"),
        ("Host", Value::Null, "host"),
    ] {
        let mut rule = rule("Other");
        rule[member] = value;
        let (code, message) = refused(&shared, "/CreateSamplingRule", json!({ "SamplingRule": rule })).await;
        assert_eq!(code, "InvalidRequestException", "{member}");
        assert!(message.contains(part), "{message}");
    }
    let update = json!({ "SamplingRuleUpdate": { "RuleARN": arn, "FixedRate": 1 } });
    let updated = ask(&shared, "/UpdateSamplingRule", update).await;
    assert_eq!(updated["SamplingRuleRecord"]["SamplingRule"]["FixedRate"], 1.0);
    assert_eq!(updated["SamplingRuleRecord"]["SamplingRule"]["ReservoirSize"], 5);
    let default = |member: &str| json!({ "SamplingRuleUpdate": { "RuleName": "Default", member: 1 } });
    ask(&shared, "/UpdateSamplingRule", default("FixedRate")).await;
    assert_eq!(refused(&shared, "/UpdateSamplingRule", default("Priority")).await.0, "InvalidRequestException");
    let names = |value: &Value| {
        value["SamplingRuleRecords"]
            .as_array()
            .unwrap()
            .iter()
            .map(|record| record["SamplingRule"]["RuleName"].clone())
            .collect::<Vec<_>>()
    };
    assert_eq!(names(&ask(&shared, "/GetSamplingRules", json!({})).await), ["Cruddur", "Default"]);
    ask(&shared, "/DeleteSamplingRule", json!({ "RuleName": "Cruddur" })).await;
    assert_eq!(names(&ask(&shared, "/GetSamplingRules", json!({})).await), ["Default"]);
    for body in [
        json!({ "RuleName": "Cruddur" }),
        json!({ "RuleName": "Default" }),
        json!({}),
        json!({ "RuleName": "a", "RuleARN": "b" }),
    ] {
        assert_eq!(refused(&shared, "/DeleteSamplingRule", body).await.0, "InvalidRequestException");
    }
    for number in 0..25 {
        ask(&shared, "/CreateSamplingRule", json!({ "SamplingRule": rule(&format!("r{number}")) })).await;
    }
    let (code, _) = refused(&shared, "/CreateSamplingRule", json!({ "SamplingRule": rule("one-more") })).await;
    assert_eq!(code, "RuleLimitExceededException");
}

#[tokio::test]
async fn a_reservoir_is_shared_by_those_who_ask() {
    let shared = sandbox();
    ask(&shared, "/CreateSamplingRule", json!({ "SamplingRule": rule("Cruddur") })).await;
    let document = |rule: &str, client: &str| json!({ "RuleName": rule, "ClientID": client, "RequestCount": 7, "SampledCount": 2, "BorrowCount": 1, "Timestamp": 1_700_000_000 });
    let (one, two) = ("0".repeat(24), "1".repeat(24));
    let body = json!({ "SamplingStatisticsDocuments": [document("Cruddur", &one), document("nobody", &one), document("Default", "short")] });
    let answer = ask(&shared, "/SamplingTargets", body).await;
    let target = &answer["SamplingTargetDocuments"][0];
    assert_eq!((&target["ReservoirQuota"], &target["FixedRate"], &target["Interval"]), (&json!(5), &json!(0.1), &json!(10)));
    assert!(target["ReservoirQuotaTTL"].as_f64().unwrap() > answer["LastRuleModification"].as_f64().unwrap());
    let unprocessed = answer["UnprocessedStatistics"].as_array().unwrap();
    assert_eq!(unprocessed.iter().map(|one| one["RuleName"].clone()).collect::<Vec<_>>(), ["nobody", "Default"]);
    let mut quota = 0;
    for client in [&two, &one] {
        let body = json!({ "SamplingStatisticsDocuments": [document("Cruddur", client)] });
        let answer = ask(&shared, "/SamplingTargets", body).await;
        quota += answer["SamplingTargetDocuments"][0]["ReservoirQuota"].as_i64().unwrap();
    }
    assert_eq!(quota, 5);
    let summaries = ask(&shared, "/SamplingStatisticSummaries", json!({})).await;
    let requests: i64 =
        summaries["SamplingStatisticSummaries"].as_array().unwrap().iter().map(|one| one["RequestCount"].as_i64().unwrap()).sum();
    assert_eq!(requests, 21);
}

#[tokio::test]
async fn settings_and_tags() {
    let shared = sandbox();
    let destination = handle(&shared, request("/GetTraceSegmentDestination", "")).await;
    assert_eq!(open(&destination).2, json!({ "Destination": "XRay", "Status": "ACTIVE" }));
    let encryption = handle(&shared, request("/EncryptionConfig", "")).await;
    assert_eq!(open(&encryption).2, json!({ "EncryptionConfig": { "Status": "ACTIVE", "Type": "NONE" } }));
    ask(&shared, "/PutEncryptionConfig", json!({ "Type": "KMS", "KeyId": "alias/x" })).await;
    assert_eq!(ask(&shared, "/EncryptionConfig", json!({})).await["EncryptionConfig"]["KeyId"], "alias/x");
    assert_eq!(refused(&shared, "/PutEncryptionConfig", json!({ "Type": "KMS" })).await.0, "InvalidRequestException");
    assert_eq!(ask(&shared, "/TelemetryRecords", json!({ "TelemetryRecords": [{ "Timestamp": 1 }] })).await, json!({}));
    assert_eq!(refused(&shared, "/TelemetryRecords", json!({ "TelemetryRecords": [{}] })).await.0, "InvalidRequestException");

    put(&shared, &[front(1)]).await;
    ask(&shared, "/UpdateTraceSegmentDestination", json!({ "Destination": "CloudWatchLogs" })).await;
    let hidden = ask(&shared, "/Traces", json!({ "TraceIds": [trace_id(1)] })).await;
    assert_eq!((&hidden["Traces"], &hidden["UnprocessedTraceIds"]), (&json!([]), &json!([trace_id(1)])));

    let made = ask(&shared, "/CreateGroup", json!({ "GroupName": "g", "Tags": [{ "Key": "week", "Value": "2" }] })).await;
    let arn = &made["Group"]["GroupARN"];
    ask(&shared, "/TagResource", json!({ "ResourceARN": arn, "Tags": [{ "Key": "a", "Value": "b" }] })).await;
    ask(&shared, "/UntagResource", json!({ "ResourceARN": arn, "TagKeys": ["week"] })).await;
    assert_eq!(
        ask(&shared, "/ListTagsForResource", json!({ "ResourceARN": arn })).await["Tags"],
        json!([{ "Key": "a", "Value": "b" }])
    );
    let many: Vec<Value> = (0..50).map(|number| json!({ "Key": number.to_string(), "Value": "" })).collect();
    let (code, _) = refused(&shared, "/TagResource", json!({ "ResourceARN": arn, "Tags": many })).await;
    assert_eq!(code, "TooManyTagsException");
    let (code, _) = refused(&shared, "/ListTagsForResource", json!({ "ResourceARN": "arn:aws:xray:x:1:group/none/A" })).await;
    assert_eq!(code, "ResourceNotFoundException");
}

#[tokio::test]
async fn what_is_wrong_with_a_request_is_answered_and_kept() {
    let shared = sandbox();
    let mut unsigned = request("/Groups", "{}");
    unsigned.headers.clear();
    let (status, code, _) = open(&handle(&shared, unsigned).await);
    assert_eq!((status, code.as_str()), (403, "MissingAuthenticationTokenException"));
    let mut get = request("/Groups", "");
    get.method = Method::GET;
    let (status, code, _) = open(&handle(&shared, get).await);
    assert_eq!((status, code.as_str()), (405, "UnknownOperationException"));
    let cases: [(&str, Bytes, &str); 6] = [
        ("/Nothing", Bytes::new(), "UnknownOperationException"),
        ("/Traces", Bytes::from_static(b"{\"TraceIds\":"), "SerializationException"),
        ("/Traces", Bytes::from_static(b"[[\"1\"]]"), "SerializationException"),
        ("/Traces", Bytes::from_static(b"\xff\xfe"), "SerializationException"),
        ("/Traces", Bytes::from("[".repeat(100_000)), "SerializationException"),
        ("/TraceSegments", Bytes::from(vec![b' '; LARGEST_BODY + 1]), "RequestEntityTooLargeException"),
    ];
    for (path, body, expected) in cases {
        assert_eq!(open(&handle(&shared, request(path, body)).await).1, expected, "{path}");
    }
    let six: Vec<String> = (0..6).map(trace_id).collect();
    let (code, message) = refused(&shared, "/Traces", json!({ "TraceIds": six })).await;
    assert_eq!((code.as_str(), message.as_str()), ("InvalidRequestException", "Exceeding maximum query size: 5"));
    let kept = rejection::since(&shared, 0).await.unwrap();
    let reasons: Vec<&str> = kept.iter().map(|rejection| rejection.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "no-credentials",
            "wrong-method",
            "wrong-path",
            "unparsable",
            "unparsable",
            "unparsable",
            "unparsable",
            "too-large",
            "invalid-request"
        ]
    );
}

#[tokio::test]
async fn what_is_old_goes_and_what_was_set_stays() {
    let shared = sandbox();
    put(&shared, &[front(1)]).await;
    ask(&shared, "/CreateGroup", json!({ "GroupName": "g" })).await;
    let gone = shared.store.write(|connection| (TABLES.evict)(connection, i64::MAX)).await.unwrap();
    assert_eq!(gone, 2);
    assert_eq!(summaries(&shared, json!({})).await.len(), 0);
    assert_eq!(ask(&shared, "/Groups", json!({})).await["Groups"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn of_many_traces_those_that_are_old_go() {
    let shared = sandbox();
    // When each was last touched, in the order in which they came; those of revision 2 were touched again.
    let touched = [(10, 1), (90, 2), (20, 1), (30, 2), (80, 1), (85, 2), (95, 1)];
    let insert = move |tx: &rusqlite::Connection| {
        for (number, (at, revision)) in (1..).zip(touched) {
            let values = rusqlite::params![number, at, revision];
            tx.execute("INSERT INTO xray_trace VALUES (?1, 'trace ' || ?1, 0, 0, 0, ?2, ?3, 1)", values)?;
            tx.execute("INSERT INTO xray_document VALUES (?1, 1, '{}')", [number])?;
        }
        Ok(())
    };
    shared.store.write(insert).await.unwrap();
    let left = async |before: i64| {
        shared.store.write(move |tx| (TABLES.evict)(tx, before)).await.unwrap();
        let ids = |tx: &rusqlite::Connection| -> rusqlite::Result<Vec<i64>> {
            let sql = "SELECT t.id FROM xray_trace AS t JOIN xray_document AS d ON d.trace = t.id ORDER BY t.id";
            tx.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
        };
        shared.store.read(ids).await.unwrap()
    };
    assert_eq!(left(5).await, [1, 2, 3, 4, 5, 6, 7]);
    assert_eq!(left(50).await, [2, 5, 6, 7]);
    assert_eq!(left(86).await, [2, 7]);
    assert_eq!(left(1000).await, [0; 0]);
}
