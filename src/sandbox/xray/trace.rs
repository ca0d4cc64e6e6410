//! One compiled trace: the documents joined into segments, and segments inferred for the services that send none.
//!
//! Follows the developer guide: subsegments that came on their own stand beneath their segment; a call (`namespace` of
//! `aws` or `remote`) to which no segment answers gets an inferred segment, whose parent is the call.

use std::collections::{HashMap, HashSet};

use crate::facts::Segment;

/// A trace as X-Ray shows it.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Trace {
    /// `1-8hex-24hex`.
    pub id: String,
    /// Segments, inferred segments, and subsegments whose parent has not come, by their start.
    pub segments: Vec<Segment>,
    /// How many documents have made it.
    pub revision: i64,
    /// Whether documents were dropped because the trace was too large.
    pub limit_exceeded: bool,
    root: Option<usize>,
}

/// One service reached from another, or from outside.
#[derive(Debug, Clone, Copy)]
pub(super) struct Call<'a> {
    /// The segment that called; absent for the client.
    pub from: Option<&'a Segment>,
    /// The subsegment that measured the call.
    pub via: Option<&'a Segment>,
    /// The segment that answered.
    pub to: &'a Segment,
}

impl Trace {
    /// Compiles a trace from its documents, in the order of their arrival.
    pub fn compile<'a>(id: impl Into<String>, documents: impl IntoIterator<Item = &'a str>) -> Self {
        let parsed: Vec<Segment> = documents.into_iter().filter_map(|text| Segment::parse(text).ok()).collect();
        let mut segments = Segment::assemble(parsed);
        let inferred = infer(&segments);
        segments.extend(inferred);
        segments.sort_by(|left, right| left.start_time.total_cmp(&right.start_time));
        let mut trace = Self { id: id.into(), segments, revision: 0, limit_exceeded: false, root: None };
        let root = trace.calls().into_iter().find(|call| call.from.is_none()).map(|call| call.to.id.clone());
        trace.root = trace.segments.iter().position(|segment| Some(&segment.id) == root.as_ref());
        trace
    }

    /// The services' segments, inferred ones among them, without orphaned subsegments.
    pub fn services(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(|segment| !segment.is_subsegment())
    }

    /// All segments and subsegments.
    pub fn entities(&self) -> impl Iterator<Item = &Segment> {
        self.segments.iter().flat_map(Segment::walk)
    }

    /// The entry point: the first segment that no other segment of this trace called.
    pub fn root(&self) -> Option<&Segment> {
        self.root.and_then(|place| self.segments.get(place))
    }

    /// Every service with how it was reached, in the order of the segments.
    pub fn calls(&self) -> Vec<Call<'_>> {
        let mut homes: HashMap<&str, (&Segment, &Segment)> = HashMap::new();
        for segment in &self.segments {
            for entity in segment.walk() {
                homes.insert(&entity.id, (segment, entity));
            }
        }
        self.services()
            .map(|to| {
                let home = to.parent_id.as_deref().and_then(|parent| homes.get(parent)).filter(|(home, _)| home.id != to.id);
                match home {
                    Some(&(from, entity)) => {
                        let via = entity.is_subsegment().then_some(entity);
                        Call { from: Some(from), via, to }
                    }
                    None => Call { from: None, via: None, to },
                }
            })
            .collect()
    }

    /// The segments that answered a call.
    pub fn answering<'a>(&'a self, subsegment: &'a Segment) -> impl Iterator<Item = &'a Segment> {
        self.services().filter(|segment| segment.parent_id.as_deref() == Some(subsegment.id.as_str()))
    }

    /// When the first segment began, in Unix seconds.
    pub fn start(&self) -> f64 {
        self.segments.iter().map(|segment| segment.start_time).reduce(f64::min).unwrap_or_default()
    }

    /// When the last one that has ended did, in Unix seconds.
    pub fn end(&self) -> f64 {
        self.entities().filter_map(|entity| entity.end_time).fold(self.start(), f64::max)
    }

    /// From the first start to the last end, in seconds.
    pub fn duration(&self) -> f64 {
        round(self.end() - self.start())
    }

    /// Whether something has not ended yet.
    pub fn is_partial(&self) -> bool {
        self.entities().any(|entity| entity.in_progress)
    }
}

/// How long it took, in seconds; `None` while it is in progress.
pub(super) fn elapsed(segment: &Segment) -> Option<f64> {
    segment.end_time.map(|end| round((end - segment.start_time).max(0.0)))
}

/// To the millisecond, as X-Ray answers.
pub(super) fn round(seconds: f64) -> f64 {
    (seconds * 1000.0).round() / 1000.0
}

/// The name that a segment's service goes by in graphs: the resource for AWS's own, else the segment's.
pub(super) fn service_name(segment: &Segment) -> &str {
    if segment.inferred
        && let Some(aws) = &segment.aws
    {
        let keys = ["table_name", "bucket_name", "queue_url", "topic_arn", "function_name"];
        let named = keys.iter().find_map(|key| aws.get(*key)?.as_str());
        if let Some(name) = named.or_else(|| aws.pointer("/resource_names/0")?.as_str()).filter(|name| !name.is_empty()) {
            return name;
        }
    }
    &segment.name
}

/// The type of a segment's service: its origin; `remote` for one that is only known from a call; else none.
pub(super) fn service_type(segment: &Segment) -> Option<&str> {
    segment.origin.as_deref().or_else(|| segment.inferred.then_some("remote"))
}

/// Whether it is a call to another service.
pub(super) fn is_remote(segment: &Segment) -> bool {
    matches!(segment.namespace.as_deref(), Some("aws" | "remote"))
}

/// The account that a segment names.
pub(super) fn account(segment: &Segment) -> Option<&str> {
    segment.aws.as_ref()?.get("account_id")?.as_str()
}

fn infer(segments: &[Segment]) -> Vec<Segment> {
    let answered: HashSet<&str> =
        segments.iter().filter(|segment| !segment.is_subsegment()).filter_map(|segment| segment.parent_id.as_deref()).collect();
    segments
        .iter()
        .flat_map(Segment::walk)
        .filter(|entity| entity.is_subsegment() && !answered.contains(entity.id.as_str()))
        .filter_map(|call| {
            let origin = match call.namespace.as_deref()? {
                "aws" => Some(aws_type(&call.name)),
                "remote" => call.sql.is_some().then(|| String::from("Database::SQL")),
                _ => return None,
            };
            Some(Segment {
                trace_id: call.trace_id.clone(),
                id: inferred_id(&call.id),
                name: call.name.clone(),
                parent_id: Some(call.id.clone()),
                start_time: call.start_time,
                end_time: call.end_time,
                in_progress: call.in_progress,
                http: call.http.clone(),
                aws: call.aws.clone(),
                sql: call.sql.clone(),
                fault: call.fault,
                error: call.error,
                throttle: call.throttle,
                origin,
                inferred: true,
                ..Segment::default()
            })
        })
        .collect()
}

fn aws_type(name: &str) -> String {
    let known = match name.to_ascii_lowercase().as_str() {
        "dynamodb" => "AWS::DynamoDB::Table",
        "s3" => "AWS::S3::Bucket",
        "sqs" => "AWS::SQS::Queue",
        "sns" => "AWS::SNS",
        "lambda" => "AWS::Lambda",
        _ => return format!("AWS::{name}"),
    };
    known.to_owned()
}

/// An id that stays the same from one look to the next: FNV-1a over the call's id.
fn inferred_id(call: &str) -> String {
    let hash = call.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    format!("{hash:016x}")
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "1-4efaaf4d-1e8720b39541901950019ee5";

    fn trace(documents: &[&str]) -> Trace {
        let whole: Vec<String> = documents
            .iter()
            .map(|document| document.replacen('{', &format!("{{\"trace_id\":\"{ID}\",\"start_time\":1,\"end_time\":2,"), 1))
            .collect();
        Trace::compile(ID, whole.iter().map(String::as_str))
    }

    #[test]
    fn a_call_that_nobody_answers_is_inferred_once() {
        let caller = r#"{"id":"aaaaaaaaaaaaaaaa","name":"front","subsegments":[
            {"id":"bbbbbbbbbbbbbbbb","name":"DynamoDB","namespace":"aws","start_time":1.1,"end_time":1.2,"aws":{"table_name":"users"}},
            {"id":"cccccccccccccccc","name":"back","namespace":"remote","start_time":1.1,"end_time":1.3},
            {"id":"dddddddddddddddd","name":"work","start_time":1.1,"end_time":1.3}]}"#;
        let alone = trace(&[caller]);
        let named: Vec<_> = alone.services().map(|segment| (service_name(segment), service_type(segment))).collect();
        assert_eq!(named, [("front", None), ("users", Some("AWS::DynamoDB::Table")), ("back", Some("remote"))]);
        assert_eq!(alone, trace(&[caller]));

        let answered = trace(&[caller, r#"{"id":"eeeeeeeeeeeeeeee","name":"back","parent_id":"cccccccccccccccc"}"#]);
        let calls: Vec<_> = answered
            .calls()
            .iter()
            .map(|call| (call.from.map(|from| from.name.clone()), call.to.name.clone(), call.to.inferred))
            .collect();
        assert_eq!(calls.len(), 3);
        assert!(calls.contains(&(Some(String::from("front")), String::from("back"), false)), "{calls:?}");
        assert_eq!(answered.root().unwrap().name, "front");
    }

    #[test]
    fn a_parent_outside_the_trace_makes_a_root() {
        let trace = trace(&[r#"{"id":"aaaaaaaaaaaaaaaa","name":"front","parent_id":"ffffffffffffffff"}"#]);
        assert_eq!(trace.root().unwrap().name, "front");
        assert_eq!(trace.duration().to_string(), "1");
    }

    #[test]
    fn orphans_are_shown_but_are_no_service() {
        let trace = trace(&[r#"{"id":"aaaaaaaaaaaaaaaa","name":"work","type":"subsegment","parent_id":"ffffffffffffffff"}"#]);
        assert_eq!((trace.segments.len(), trace.services().count()), (1, 0));
        assert!(trace.root().is_none());
    }
}
