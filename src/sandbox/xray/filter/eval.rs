//! Whether a trace matches an expression.

use std::collections::HashMap;

use serde_json::Value;

use super::{CauseKind, Element, Expression, Flag, GroupBy, Literal, Measure, Operand, Operator, Target, Text};
use crate::facts::Segment;
use crate::sandbox::xray::cause::{Cause, exceptions};
use crate::sandbox::xray::credential::ACCOUNT;
use crate::sandbox::xray::trace::{Call, Trace, account, elapsed, is_remote, service_name, service_type};

/// The filters of the groups, by name. A group without a filter holds every trace.
pub(in crate::sandbox::xray) type Groups = HashMap<String, Option<Expression>>;

/// Groups may speak of groups, in a ring even: this deep they are followed.
const DEEPEST_GROUP: usize = 8;

/// Whether the trace matches.
pub(in crate::sandbox::xray) fn matches(expression: &Expression, trace: &Trace, groups: &Groups) -> bool {
    Judge { trace, groups, depth: 0 }.holds(expression, Scope::Trace)
}

#[derive(Clone, Copy)]
struct Judge<'a> {
    trace: &'a Trace,
    groups: &'a Groups,
    depth: usize,
}

/// What a keyword speaks of.
#[derive(Clone, Copy)]
enum Scope<'a> {
    /// The whole trace: its root, for most.
    Trace,
    /// One service's segment.
    Service { segment: &'a Segment, root: bool },
    /// One call.
    Edge(Call<'a>),
    /// One element of a root cause.
    Cause(&'a Part<'a>),
}

/// A service, an entity or an exception on the way to a root cause.
struct Part<'a> {
    segment: &'a Segment,
    name: Option<&'a str>,
    message: Option<&'a str>,
    coverage: Option<f64>,
    index: usize,
    last: bool,
}

impl<'a> Judge<'a> {
    fn holds(&self, expression: &Expression, scope: Scope<'_>) -> bool {
        match expression {
            Expression::All(parts) => parts.iter().all(|part| self.holds(part, scope)),
            Expression::Any(parts) => parts.iter().any(|part| self.holds(part, scope)),
            Expression::Not(inner) => !self.holds(inner, scope),
            Expression::Is(operand) => self.is(operand, scope),
            Expression::Compare(operand, operator, literal) => self.compare(operand, *operator, literal, scope),
            Expression::Service(target, filter) => self.trace.calls().into_iter().any(|call| {
                let inner = Scope::Service { segment: call.to, root: call.from.is_none() };
                is_target(target, call.to) && self.passes(filter.as_deref(), inner)
            }),
            Expression::Edge(from, to, filter) => self.trace.calls().into_iter().any(|call| {
                let begins = match call.from {
                    Some(segment) => is_target(from, segment),
                    // The client goes by the name of the service that it asks.
                    None => fits(from, service_name(call.to), Some("client"), ACCOUNT),
                };
                begins && is_target(to, call.to) && self.passes(filter.as_deref(), Scope::Edge(call))
            }),
            Expression::RootCause(kind, element, filter) => self.has_cause(*kind, *element, filter.as_deref()),
            Expression::RootCauseJson(is, wanted) => self.has_cause_json(wanted) == *is,
            Expression::Group(by, is, value) => self.is_in_group(*by, value) == *is,
        }
    }

    fn passes(&self, filter: Option<&Expression>, scope: Scope<'_>) -> bool {
        filter.is_none_or(|filter| self.holds(filter, scope))
    }

    fn is_in_group(&self, by: GroupBy, value: &str) -> bool {
        let name = match by {
            GroupBy::Name => value,
            GroupBy::Arn => value.split_once(":group/").map_or("", |(_, rest)| rest.split('/').next().unwrap_or_default()),
        };
        let deeper = Self { depth: self.depth + 1, ..*self };
        match self.groups.get(name) {
            Some(Some(filter)) => self.depth < DEEPEST_GROUP && deeper.holds(filter, Scope::Trace),
            Some(None) => true,
            None => false,
        }
    }

    fn has_cause(&self, kind: CauseKind, element: Element, filter: Option<&Expression>) -> bool {
        let Some(cause) = Cause::find(self.trace, kind) else { return false };
        let mut parts: Vec<Part<'_>> = Vec::new();
        for service in &cause.services {
            let part = |segment, name, message, coverage| Part { segment, name, message, coverage, index: 0, last: false };
            match element {
                Element::Service => {
                    let name = Some(service_name(service.segment));
                    parts.push(part(service.segment, name, None, Some(cause.coverage(service.segment))));
                }
                Element::Entity => parts.extend(service.path.iter().map(|entity| {
                    let name = Some(entity.name.as_str());
                    part(*entity, name, None, Some(cause.coverage(entity)))
                })),
                Element::Exception => parts.extend(
                    service
                        .path
                        .iter()
                        .flat_map(|entity| exceptions(entity).map(move |(name, message)| part(*entity, name, message, None))),
                ),
            }
        }
        let count = parts.len();
        for (index, part) in parts.iter_mut().enumerate() {
            part.index = index;
            part.last = index + 1 == count;
        }
        parts.iter().any(|part| self.passes(filter, Scope::Cause(part)))
    }

    fn has_cause_json(&self, wanted: &Value) -> bool {
        let Some(wanted) = wanted.as_array() else { return false };
        let found: Vec<Value> =
            CauseKind::ALL.iter().filter_map(|kind| Cause::find(self.trace, *kind).map(|cause| cause.json(*kind))).collect();
        !wanted.is_empty() && wanted.iter().all(|cause| found.iter().any(|found| covers(found, cause)))
    }

    fn is(&self, operand: &Operand, scope: Scope<'_>) -> bool {
        match operand {
            Operand::Flag(flag) => self.flag(*flag, scope),
            Operand::Measure(measure) => self.measure(*measure, scope).is_some(),
            Operand::Text(text) => self.any_text(*text, scope, &mut |_| true),
            Operand::Annotation(key) => {
                let mut values = self.annotations(key).peekable();
                let present = values.peek().is_some();
                // A Boolean annotation stands for its own value.
                present && values.any(|value| value.as_bool().unwrap_or(true))
            }
        }
    }

    fn compare(&self, operand: &Operand, operator: Operator, literal: &Literal, scope: Scope<'_>) -> bool {
        match (operand, literal) {
            (Operand::Flag(flag), Literal::Bool(wanted)) => (self.flag(*flag, scope) == *wanted) == (operator == Operator::Equal),
            (Operand::Measure(measure), Literal::Number(wanted)) => {
                self.measure(*measure, scope).is_some_and(|value| numbers(value, operator, *wanted))
            }
            (Operand::Text(text), Literal::Text(wanted)) => {
                self.any_text(*text, scope, &mut |value| texts(value, operator, wanted))
            }
            (Operand::Annotation(key), _) => self.annotations(key).any(|value| annotation(value, operator, literal)),
            _ => false,
        }
    }

    fn annotations(&self, key: &str) -> impl Iterator<Item = &'a Value> {
        let trace = self.trace;
        trace.entities().filter_map(move |entity| entity.annotations.get(key))
    }

    fn flag(&self, flag: Flag, scope: Scope<'_>) -> bool {
        // What the client sees of the whole trace is its root.
        let segment = match scope {
            Scope::Trace => self.trace.root(),
            Scope::Service { segment, .. } => Some(segment),
            Scope::Edge(call) => Some(call.to),
            Scope::Cause(part) => Some(part.segment),
        };
        let via = if let Scope::Edge(call) = scope { call.via } else { None };
        let either = |is: fn(&Segment) -> bool| segment.is_some_and(is) || via.is_some_and(is);
        match flag {
            Flag::Ok => segment.is_some() && !either(|entity| entity.fault || entity.error || entity.throttle),
            Flag::Error => either(|entity| entity.error),
            Flag::Throttle if matches!(scope, Scope::Trace) => self.trace.entities().any(|entity| entity.throttle),
            Flag::Throttle => either(|entity| entity.throttle),
            Flag::Fault => either(|entity| entity.fault),
            Flag::Partial if matches!(scope, Scope::Trace) => self.trace.is_partial(),
            Flag::Partial => either(|entity| entity.walk().any(|inner| inner.in_progress)),
            Flag::Inferred if matches!(scope, Scope::Trace) => self.trace.segments.iter().any(|entity| entity.inferred),
            Flag::Inferred => either(|entity| entity.inferred),
            Flag::First => matches!(scope, Scope::Cause(part) if part.index == 0),
            Flag::Last => matches!(scope, Scope::Cause(part) if part.last),
            Flag::Remote => matches!(scope, Scope::Cause(part) if is_remote(part.segment)),
            Flag::Root => match scope {
                Scope::Trace => segment.is_some(),
                Scope::Service { root, .. } => root,
                Scope::Edge(call) => call.from.is_none(),
                Scope::Cause(part) => self.trace.root().is_some_and(|root| root.id == part.segment.id),
            },
        }
    }

    #[expect(clippy::cast_precision_loss, reason = "an index and an HTTP status are small")]
    fn measure(&self, measure: Measure, scope: Scope<'_>) -> Option<f64> {
        let segment = match scope {
            Scope::Trace => self.trace.root(),
            Scope::Service { segment, .. } => Some(segment),
            Scope::Edge(call) => Some(call.to),
            Scope::Cause(part) => Some(part.segment),
        };
        match (measure, scope) {
            (Measure::Duration, Scope::Trace) => Some(self.trace.duration()),
            (Measure::ResponseTime, Scope::Edge(call)) => elapsed(call.via.unwrap_or(call.to)),
            (Measure::ResponseTime | Measure::Duration, _) => elapsed(segment?),
            (Measure::HttpStatus, _) => segment?.status().map(|status| status as f64),
            (Measure::Index, Scope::Cause(part)) => Some(part.index as f64),
            (Measure::Coverage, Scope::Cause(part)) => part.coverage,
            (Measure::Index | Measure::Coverage, _) => None,
        }
    }

    fn any_text(&self, text: Text, scope: Scope<'_>, wanted: &mut dyn FnMut(&str) -> bool) -> bool {
        let mut check = |value: Option<&str>| value.is_some_and(&mut *wanted);
        match scope {
            Scope::Trace => match text {
                Text::Url | Text::Method | Text::UserAgent | Text::ClientIp => {
                    self.trace.root().is_some_and(|root| check(field(root, text)))
                }
                Text::Name => self.trace.services().any(|segment| check(Some(service_name(segment)))),
                Text::Type => self.trace.services().any(|segment| check(service_type(segment))),
                _ => self.trace.entities().any(|entity| any_field(entity, text, &mut check)),
            },
            Scope::Service { segment, .. } => in_segment(segment, text, &mut check),
            Scope::Edge(call) => in_segment(call.to, text, &mut check),
            Scope::Cause(part) => match text {
                Text::Name => check(part.name),
                Text::Message => check(part.message),
                Text::Type => check(service_type(part.segment)),
                _ => any_field(part.segment, text, &mut check),
            },
        }
    }
}

type Check<'a> = &'a mut dyn FnMut(Option<&str>) -> bool;

fn in_segment(segment: &Segment, text: Text, check: Check<'_>) -> bool {
    match text {
        Text::Name => check(Some(service_name(segment))),
        Text::Type => check(service_type(segment)),
        Text::Message | Text::User => segment.walk().any(|entity| any_field(entity, text, check)),
        _ => any_field(segment, text, check),
    }
}

fn any_field(entity: &Segment, text: Text, check: Check<'_>) -> bool {
    if text == Text::Message {
        return exceptions(entity).any(|(_, message)| check(message));
    }
    check(field(entity, text))
}

fn field(entity: &Segment, text: Text) -> Option<&str> {
    let request = |key: &str| entity.http.as_ref()?.get("request")?.get(key)?.as_str();
    let aws = |path: &str| entity.aws.as_ref()?.pointer(path)?.as_str();
    match text {
        Text::Url => request("url"),
        Text::Method => request("method"),
        Text::UserAgent => request("user_agent"),
        Text::ClientIp => request("client_ip"),
        Text::User => entity.user.as_deref(),
        Text::AvailabilityZone => aws("/ec2/availability_zone"),
        Text::InstanceId => aws("/ec2/instance_id"),
        Text::ResourceArn => entity.resource_arn.as_deref(),
        Text::Name | Text::Type | Text::Message => None,
    }
}

fn is_target(target: &Target, segment: &Segment) -> bool {
    let by_own_name = fits(target, &segment.name, service_type(segment), account(segment).unwrap_or(ACCOUNT));
    by_own_name || fits(target, service_name(segment), service_type(segment), account(segment).unwrap_or(ACCOUNT))
}

fn fits(target: &Target, name: &str, kind: Option<&str>, account: &str) -> bool {
    target.name.as_deref().is_none_or(|wanted| wanted == name)
        && target.kind.as_deref().is_none_or(|wanted| Some(wanted) == kind)
        && target.account.as_deref().is_none_or(|wanted| wanted == account)
}

/// Whether all that is wanted is in what was found; lists have as many elements, in the same order.
fn covers(found: &Value, wanted: &Value) -> bool {
    match (found, wanted) {
        (Value::Object(found), Value::Object(wanted)) => {
            wanted.iter().all(|(key, wanted)| found.get(key).is_some_and(|found| covers(found, wanted)))
        }
        (Value::Array(found), Value::Array(wanted)) => {
            found.len() == wanted.len() && found.iter().zip(wanted).all(|(found, wanted)| covers(found, wanted))
        }
        _ => found == wanted,
    }
}

fn numbers(value: f64, operator: Operator, wanted: f64) -> bool {
    ordered(value.partial_cmp(&wanted), operator)
}

fn texts(value: &str, operator: Operator, wanted: &str) -> bool {
    match operator {
        Operator::Contains => value.contains(wanted),
        Operator::BeginsWith => value.starts_with(wanted),
        Operator::EndsWith => value.ends_with(wanted),
        _ => ordered(Some(value.cmp(wanted)), operator),
    }
}

fn ordered(ordering: Option<std::cmp::Ordering>, operator: Operator) -> bool {
    ordering.is_some_and(|ordering| match operator {
        Operator::Equal => ordering.is_eq(),
        Operator::NotEqual => ordering.is_ne(),
        Operator::Less => ordering.is_lt(),
        Operator::AtMost => ordering.is_le(),
        Operator::More => ordering.is_gt(),
        Operator::AtLeast => ordering.is_ge(),
        Operator::Contains | Operator::BeginsWith | Operator::EndsWith => false,
    })
}

fn annotation(value: &Value, operator: Operator, literal: &Literal) -> bool {
    match (value, literal) {
        (Value::Bool(value), Literal::Bool(wanted)) => ordered(Some(value.cmp(wanted)), operator),
        (Value::Number(value), Literal::Number(wanted)) => value.as_f64().is_some_and(|value| numbers(value, operator, *wanted)),
        (Value::String(value), Literal::Text(wanted)) => texts(value, operator, wanted),
        // Another type is another value.
        _ => operator == Operator::NotEqual,
    }
}
