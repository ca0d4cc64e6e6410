//! Root causes: the path from the entry point to where a fault, an error or the time came from.
//!
//! Follows the `FaultRootCauses`, `ErrorRootCauses` and `ResponseTimeRootCauses` of the API model. How the service itself
//! picks among several candidates is not published: here the first faulty child is followed, and the slowest.

use serde_json::{Value, json};

use super::filter::CauseKind;
use super::trace::{Trace, account, elapsed, is_remote, service_name, service_type};
use crate::facts::Segment;

/// One root cause.
#[derive(Debug)]
pub(super) struct Cause<'a> {
    /// The services on the way, from the entry point on.
    pub services: Vec<CauseService<'a>>,
    root_seconds: f64,
}

/// A service on the way.
#[derive(Debug)]
pub(super) struct CauseService<'a> {
    /// Its segment.
    pub segment: &'a Segment,
    /// The segment and the subsegments on the way within it.
    pub path: Vec<&'a Segment>,
}

/// The exceptions of a segment: type and message.
pub(super) fn exceptions(segment: &Segment) -> impl Iterator<Item = (Option<&str>, Option<&str>)> {
    let list = segment.cause.as_ref().and_then(|cause| cause.get("exceptions")).and_then(Value::as_array);
    list.into_iter().flatten().map(|exception| {
        let text = |key: &str| exception.get(key).and_then(Value::as_str);
        (text("type"), text("message"))
    })
}

impl<'a> Cause<'a> {
    /// The root cause of this kind, where the trace has one.
    pub fn find(trace: &'a Trace, kind: CauseKind) -> Option<Self> {
        let root = trace.root()?;
        let root_seconds = elapsed(root).unwrap_or_default();
        let begins = match kind {
            CauseKind::Fault => root.fault,
            CauseKind::Error => root.error,
            CauseKind::ResponseTime => root_seconds > 0.0,
        };
        if !begins {
            return None;
        }
        let mut services: Vec<CauseService<'a>> = Vec::new();
        let mut next = Some(root);
        while let Some(segment) = next {
            let mut path = vec![segment];
            let mut current = segment;
            while let Some(child) = choose(current.subsegments.iter(), kind) {
                path.push(child);
                current = child;
            }
            services.push(CauseService { segment, path });
            next = choose(trace.answering(current), kind)
                .filter(|answer| services.iter().all(|service| service.segment.id != answer.id));
        }
        Some(Self { services, root_seconds })
    }

    /// The share of the root's time that an entity took, from 0 to 1.
    pub fn coverage(&self, entity: &Segment) -> f64 {
        if self.root_seconds > 0.0 { (elapsed(entity).unwrap_or_default() / self.root_seconds).min(1.0) } else { 0.0 }
    }

    /// As an element of `FaultRootCauses` and its siblings.
    pub fn json(&self, kind: CauseKind) -> Value {
        let services: Vec<Value> = self.services.iter().map(|service| self.service_json(service, kind)).collect();
        json!({ "Services": services, "ClientImpacting": true })
    }

    fn service_json(&self, service: &CauseService<'_>, kind: CauseKind) -> Value {
        let entities: Vec<Value> = service.path.iter().map(|entity| self.entity_json(entity, kind)).collect();
        let mut json = service_id(service.segment);
        json["EntityPath"] = Value::Array(entities);
        json["Inferred"] = Value::Bool(service.segment.inferred);
        json
    }

    fn entity_json(&self, entity: &Segment, kind: CauseKind) -> Value {
        let remote = is_remote(entity);
        if kind == CauseKind::ResponseTime {
            return json!({ "Name": entity.name, "Coverage": self.coverage(entity), "Remote": remote });
        }
        let exceptions: Vec<Value> =
            exceptions(entity).map(|(name, message)| json!({ "Name": name, "Message": message })).collect();
        json!({ "Name": entity.name, "Exceptions": exceptions, "Remote": remote })
    }
}

/// A segment's service as the API's `ServiceId`.
pub(super) fn service_id(segment: &Segment) -> Value {
    let name = service_name(segment);
    let mut id = json!({ "Name": name, "Names": [name] });
    if let Some(account) = account(segment) {
        id["AccountId"] = json!(account);
    }
    if let Some(kind) = service_type(segment) {
        id["Type"] = json!(kind);
    }
    id
}

fn choose<'a>(candidates: impl Iterator<Item = &'a Segment>, kind: CauseKind) -> Option<&'a Segment> {
    let mut candidates = candidates;
    match kind {
        CauseKind::Fault => candidates.find(|entity| entity.fault),
        CauseKind::Error => candidates.find(|entity| entity.error),
        CauseKind::ResponseTime => {
            candidates.max_by(|left, right| elapsed(left).unwrap_or_default().total_cmp(&elapsed(right).unwrap_or_default()))
        }
    }
}
