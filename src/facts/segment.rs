use std::collections::HashMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Attributes;

/// An X-Ray segment or subsegment, with its subsegments beneath it, however they arrived.
///
/// Shape: the segment documents of the AWS X-Ray Developer Guide.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
pub struct Segment {
    /// `1-8hex-24hex`; a nested subsegment leaves it to its parent.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub trace_id: String,
    /// 16 hex digits.
    #[serde(default)]
    pub id: String,
    /// The name: of the service for a segment, of the work for a subsegment.
    #[serde(default)]
    pub name: String,
    /// The parent's id; absent on a root.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent_id: Option<String>,
    /// Unix seconds.
    #[serde(default)]
    pub start_time: f64,
    /// Unix seconds; absent while in progress.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub end_time: Option<f64>,
    /// Whether the work had not ended when the document was sent.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_progress: bool,
    /// `subsegment` on one that was sent on its own.
    #[serde(default, rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// `aws`, `remote`, or absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub namespace: Option<String>,
    /// `request{method,url,user_agent,client_ip,traced}` and `response{status,content_length}`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub http: Option<Value>,
    /// Indexed: what filter expressions find.
    #[serde(default, skip_serializing_if = "Attributes::is_empty")]
    pub annotations: Attributes,
    /// Not indexed: nested by namespace (Python) or flat (Rust).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub metadata: Option<Value>,
    /// A server error (5xx).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub fault: bool,
    /// A client error (4xx).
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub error: bool,
    /// A 429.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub throttle: bool,
    /// The exceptions, as the document has them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cause: Option<Value>,
    /// The user that the segment names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `AWS::EC2::Instance` and the like.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub origin: Option<String>,
    /// What the segment ran on, or what a subsegment asked of AWS.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub aws: Option<Value>,
    /// The query of a call to a database.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<Value>,
    /// `version` and `runtime` of the service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub service: Option<Value>,
    /// The ARN of what the segment ran on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub resource_arn: Option<String>,
    /// Made by X-Ray from a subsegment, for a service that sends no segments itself.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub inferred: bool,
    /// Siblings that ended before this subsegment began.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub precursor_ids: Vec<String>,
    /// Links to other traces.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub links: Option<Value>,
    /// What ran within.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub subsegments: Vec<Segment>,
}

/// A document that is not a segment.
#[derive(Debug, thiserror::Error)]
#[error("not a segment document: {0}")]
pub struct SegmentError(#[from] serde_json::Error);

/// Deeper nesting than this is cut off: no SDK comes near it, and recursion must be bounded.
const DEEPEST: usize = 64;

impl Segment {
    /// Reads one document, with whatever is nested in it.
    ///
    /// # Errors
    /// When it is not JSON, or a field has a type that X-Ray would refuse.
    pub fn parse(document: &str) -> Result<Self, SegmentError> {
        Ok(serde_json::from_str(document)?)
    }

    /// Joins the documents of one trace into trees. A complete document replaces one in progress; a subsegment that
    /// was sent on its own goes beneath its parent, wherever that stands; one whose parent is not there stays a root.
    #[must_use]
    pub fn assemble(documents: Vec<Segment>) -> Vec<Segment> {
        let mut flat: Vec<Segment> = Vec::new();
        for document in documents {
            let trace_id = document.trace_id.clone();
            flatten(document, None, &trace_id, 0, &mut flat);
        }
        let mut latest: HashMap<String, usize> = HashMap::new();
        let mut kept: Vec<Segment> = Vec::new();
        for segment in flat {
            match latest.get(&segment.id) {
                Some(&index) if !segment.id.is_empty() => {
                    if kept[index].in_progress || !segment.in_progress {
                        kept[index] = segment;
                    }
                }
                _ => {
                    latest.insert(segment.id.clone(), kept.len());
                    kept.push(segment);
                }
            }
        }
        let mut children: HashMap<String, Vec<Segment>> = HashMap::new();
        let mut roots = Vec::new();
        for segment in kept {
            let parent = segment.parent_id.clone().filter(|parent| *parent != segment.id && latest.contains_key(parent));
            match parent {
                // A segment with a parent is another service's call; it is a tree of its own.
                Some(parent) if segment.is_subsegment() => children.entry(parent).or_default().push(segment),
                _ => roots.push(segment),
            }
        }
        for root in &mut roots {
            adopt(root, &mut children, 0);
        }
        // Parents that point at each other would be lost without this.
        roots.extend(children.into_values().flatten());
        roots.sort_by(|left, right| left.start_time.total_cmp(&right.start_time));
        roots
    }

    /// Whether it is work within a segment.
    #[must_use]
    pub fn is_subsegment(&self) -> bool {
        self.kind.as_deref() == Some("subsegment")
    }

    /// This segment and all beneath it, parents first.
    pub fn walk(&self) -> impl Iterator<Item = &Segment> {
        let mut waiting = vec![self];
        std::iter::from_fn(move || {
            let next = waiting.pop()?;
            waiting.extend(next.subsegments.iter().rev());
            Some(next)
        })
    }

    /// `http.request.url`.
    #[must_use]
    pub fn url(&self) -> Option<&str> {
        self.http.as_ref()?.pointer("/request/url")?.as_str()
    }

    /// `http.request.method`.
    #[must_use]
    pub fn method(&self) -> Option<&str> {
        self.http.as_ref()?.pointer("/request/method")?.as_str()
    }

    /// `http.response.status`.
    #[must_use]
    pub fn status(&self) -> Option<i64> {
        self.http.as_ref()?.pointer("/response/status")?.as_i64()
    }

    /// A metadata value: flat (`results-size`) or within any namespace (`default/results-size`).
    #[must_use]
    pub fn metadata(&self, key: &str) -> Option<&Value> {
        let all = self.metadata.as_ref()?.as_object()?;
        all.get(key).or_else(|| all.values().find_map(|namespace| namespace.as_object()?.get(key)))
    }
}

fn flatten(mut segment: Segment, parent: Option<&str>, trace_id: &str, depth: usize, into: &mut Vec<Segment>) {
    let nested = std::mem::take(&mut segment.subsegments);
    if let Some(parent) = parent {
        segment.kind = Some(String::from("subsegment"));
        segment.parent_id = Some(parent.to_owned());
    }
    if segment.trace_id.is_empty() {
        trace_id.clone_into(&mut segment.trace_id);
    }
    let id = segment.id.clone();
    into.push(segment);
    if depth < DEEPEST {
        for child in nested {
            flatten(child, Some(&id), trace_id, depth + 1, into);
        }
    }
}

fn adopt(parent: &mut Segment, children: &mut HashMap<String, Vec<Segment>>, depth: usize) {
    if depth >= DEEPEST {
        return;
    }
    if let Some(mut found) = children.remove(&parent.id) {
        found.sort_by(|left, right| left.start_time.total_cmp(&right.start_time));
        parent.subsegments = found;
        for child in &mut parent.subsegments {
            adopt(child, children, depth + 1);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(documents: &[&str]) -> Vec<Segment> {
        Segment::assemble(documents.iter().map(|document| Segment::parse(document).unwrap()).collect())
    }

    const ROOT: &str = r#"{"trace_id":"1-4efaaf4d-1e8720b39541901950019ee5","id":"aaaaaaaaaaaaaaaa","name":"cruddur","start_time":1.0,"end_time":2.0}"#;
    const CHILD: &str = r#"{"trace_id":"1-4efaaf4d-1e8720b39541901950019ee5","id":"bbbbbbbbbbbbbbbb","parent_id":"aaaaaaaaaaaaaaaa","type":"subsegment","name":"mock-data","start_time":1.2,"end_time":1.4,"metadata":{"default":{"results-size":2}}}"#;

    #[test]
    fn children_may_come_first_nested_or_apart() {
        for order in [[CHILD, ROOT], [ROOT, CHILD]] {
            let roots = tree(&order);
            assert_eq!(roots.len(), 1);
            assert_eq!(roots[0].subsegments[0].metadata("results-size"), Some(&Value::from(2)));
        }
        let nested = r#"{"trace_id":"1-4efaaf4d-1e8720b39541901950019ee5","id":"aaaaaaaaaaaaaaaa","name":"cruddur","subsegments":[{"id":"cccccccccccccccc","name":"inner","metadata":{"results-size":3}}]}"#;
        let roots = tree(&[nested, CHILD]);
        let names: Vec<_> = roots[0].walk().map(|segment| segment.name.as_str()).collect();
        assert_eq!(names, ["cruddur", "inner", "mock-data"]);
    }

    #[test]
    fn a_complete_document_replaces_one_in_progress_whatever_the_order() {
        let started = r#"{"trace_id":"1-4efaaf4d-1e8720b39541901950019ee5","id":"aaaaaaaaaaaaaaaa","name":"cruddur","start_time":1.0,"in_progress":true}"#;
        for order in [[started, ROOT], [ROOT, started]] {
            let roots = tree(&order);
            assert_eq!((roots.len(), roots[0].in_progress), (1, false));
        }
    }

    #[test]
    fn an_orphan_and_a_ring_are_kept() {
        assert_eq!(tree(&[CHILD]).len(), 1);
        let one = r#"{"id":"a","parent_id":"b","type":"subsegment","name":"one"}"#;
        let two = r#"{"id":"b","parent_id":"a","type":"subsegment","name":"two"}"#;
        assert_eq!(tree(&[one, two]).len(), 2);
    }
}
