use aws_sdk_xray::types;
use serde_json::{Value, json};

use crate::facts::{SamplingRule, Segment, ServiceNode, TraceGroup};

/// One document of a trace. A field of an unexpected type costs that document its details, not its place in the tree.
pub(super) fn document(text: &str, trace_id: &str) -> Option<Segment> {
    let mut segment = match Segment::parse(text) {
        Ok(segment) => segment,
        Err(_) => outline(&serde_json::from_str(text).ok()?)?,
    };
    if segment.trace_id.is_empty() {
        trace_id.clone_into(&mut segment.trace_id);
    }
    Some(segment)
}

fn outline(document: &Value) -> Option<Segment> {
    let text = |key: &str| document.get(key).and_then(Value::as_str);
    let kept = json!({
        "trace_id": text("trace_id").unwrap_or_default(),
        "id": text("id")?,
        "name": text("name").unwrap_or_default(),
        "parent_id": text("parent_id"),
        "type": text("type"),
    });
    serde_json::from_value(kept).ok()
}

pub(super) fn group(group: &types::GroupSummary) -> TraceGroup {
    TraceGroup {
        name: group.group_name().unwrap_or_default().to_owned(),
        filter: group.filter_expression().unwrap_or_default().to_owned(),
    }
}

pub(super) fn rule(rule: &types::SamplingRule) -> SamplingRule {
    SamplingRule {
        name: rule.rule_name().unwrap_or_default().to_owned(),
        priority: rule.priority().into(),
        fixed_rate: rule.fixed_rate(),
        reservoir_size: rule.reservoir_size().into(),
        service_name: rule.service_name().to_owned(),
        service_type: rule.service_type().to_owned(),
        host: rule.host().to_owned(),
        http_method: rule.http_method().to_owned(),
        url_path: rule.url_path().to_owned(),
        resource_arn: rule.resource_arn().to_owned(),
        version: rule.version().into(),
    }
}

pub(super) fn node(service: &types::Service) -> ServiceNode {
    ServiceNode {
        name: service.name().unwrap_or_default().to_owned(),
        kind: service.r#type().map(str::to_owned),
        requests: service.summary_statistics().and_then(types::ServiceStatistics::total_count).unwrap_or(0),
        last_ms: service.end_time().and_then(|time| time.to_millis().ok()),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_odd_field_does_not_cost_the_document() {
        let odd = r#"{"id":"aaaaaaaaaaaaaaaa","name":"cruddur","user":["a","list"],"start_time":1.0}"#;
        assert!(Segment::parse(odd).is_err());
        let segment = document(odd, "1-4efaaf4d-1e8720b39541901950019ee5").unwrap();
        assert_eq!((segment.name.as_str(), segment.trace_id.as_str()), ("cruddur", "1-4efaaf4d-1e8720b39541901950019ee5"));
        assert_eq!(document("not json", ""), None);
        assert_eq!(document(r#"{"id":7}"#, ""), None);
    }

    proptest! {
        #[test]
        fn no_document_makes_it_panic(text in "\\PC{0,80}") {
            let _ = document(&text, "");
        }
    }
}
