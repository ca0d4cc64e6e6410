use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::ops::ControlFlow;

use serde_json::{Map, Value, json};

use super::calculation::Tally;
use super::filter::compare;
use super::{Calculation, Spec, Window};
use crate::sandbox::honeycomb::event::Event;

/// How many groups a query holds at the most; events of further ones are left out.
const MAX_GROUPS: usize = 50_000;
/// How many points all series of a query have at the most.
const MAX_POINTS: usize = 200_000;
/// How many matching events a query takes in at the most.
const MAX_EVENTS: u64 = 10_000_000;

/// A query's result in the making: take events in, then [`finish`](Table::finish).
#[derive(Debug)]
pub struct Table<'s> {
    spec: &'s Spec,
    window: Window,
    series: bool,
    groups: HashMap<String, Group>,
    points: usize,
    events: u64,
}

#[derive(Debug)]
struct Group {
    breakdowns: Vec<Value>,
    total: Vec<Tally>,
    series: BTreeMap<i64, Vec<Tally>>,
}

impl<'s> Table<'s> {
    /// A table without rows. With `series`, the calculations are also made for every bucket of time.
    #[must_use]
    pub fn new(spec: &'s Spec, window: Window, series: bool) -> Self {
        Self { spec, window, series, groups: HashMap::new(), points: 0, events: 0 }
    }

    /// Counts an event in, if the filters let it, and says whether the table can take more.
    pub fn add(&mut self, event: &Event) -> ControlFlow<()> {
        if !self.spec.matches(event) {
            return ControlFlow::Continue(());
        }
        self.events += 1;
        let values: Vec<Value> =
            self.spec.breakdowns.iter().map(|column| event.fields.get(column).cloned().unwrap_or(Value::Null)).collect();
        // As JSON, `3` and `"3"` are groups of their own.
        let key = serde_json::to_string(&values).unwrap_or_default();
        if !self.groups.contains_key(&key) && self.groups.len() >= MAX_GROUPS {
            return ControlFlow::Continue(());
        }
        let calculations = &self.spec.calculations;
        let start = || calculations.iter().map(Calculation::start).collect::<Vec<_>>();
        let group =
            self.groups.entry(key).or_insert_with(|| Group { breakdowns: values, total: start(), series: BTreeMap::new() });
        let bucket = self.window.bucket(event.at_ms);
        tally(&mut group.total, calculations, event, bucket);
        if self.series {
            let is_new = !group.series.contains_key(&bucket);
            if !is_new || self.points < MAX_POINTS {
                self.points += usize::from(is_new);
                tally(group.series.entry(bucket).or_insert_with(start), calculations, event, bucket);
            }
        }
        if self.events < MAX_EVENTS { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    }

    /// The `data` of the result: `results` and, where asked for, `series`, at most `limit` groups of each.
    #[must_use]
    pub fn finish(self, limit: usize) -> Value {
        let Self { spec, groups, series, .. } = self;
        let mut rows: Vec<(Map<String, Value>, Group)> = groups
            .into_values()
            .map(|mut group| (row(spec, &group.breakdowns, std::mem::take(&mut group.total)), group))
            .filter(|(row, _)| meets_havings(spec, row))
            .collect();
        rows.sort_by(|one, other| order(spec, &one.0, &other.0));
        rows.truncate(limit);
        let mut points = Vec::new();
        let mut results = Vec::with_capacity(rows.len());
        for (row_data, group) in rows {
            for (bucket, tallies) in group.series {
                points.push((bucket, row(spec, &group.breakdowns, tallies)));
            }
            results.push(json!({ "data": row_data }));
        }
        if !series {
            return json!({ "results": results });
        }
        points.sort_by_key(|(bucket, _)| *bucket);
        let points: Vec<Value> = points
            .into_iter()
            .map(|(bucket, data)| json!({ "time": crate::sandbox::honeycomb::iso(Some(bucket)), "data": data }))
            .collect();
        json!({ "series": points, "results": results })
    }
}

impl Window {
    /// The beginning of the bucket into which a time falls.
    fn bucket(&self, at_ms: i64) -> i64 {
        at_ms.saturating_sub(at_ms.rem_euclid(self.bucket_ms.max(1)))
    }
}

fn tally(tallies: &mut [Tally], calculations: &[Calculation], event: &Event, bucket: i64) {
    for (tally, calculation) in tallies.iter_mut().zip(calculations) {
        tally.add(calculation.column.as_deref(), event, bucket);
    }
}

fn row(spec: &Spec, breakdowns: &[Value], tallies: Vec<Tally>) -> Map<String, Value> {
    let columns = spec.breakdowns.iter().cloned().zip(breakdowns.iter().cloned());
    let values = spec.calculations.iter().map(Calculation::name).zip(tallies.into_iter().map(Tally::finish));
    columns.chain(values).collect()
}

fn meets_havings(spec: &Spec, row: &Map<String, Value>) -> bool {
    spec.havings.iter().all(|having| {
        let order = row.get(&having.key()).and_then(|value| compare(value, &having.value));
        match having.op.as_str() {
            "=" => order == Some(Ordering::Equal),
            "!=" => order.is_some_and(Ordering::is_ne),
            ">" => order == Some(Ordering::Greater),
            ">=" => order.is_some_and(Ordering::is_ge),
            "<" => order == Some(Ordering::Less),
            _ => order.is_some_and(Ordering::is_le),
        }
    })
}

/// By the query's orders; else by the first calculation, greatest first; among equals by the breakdowns.
fn order(spec: &Spec, one: &Map<String, Value>, other: &Map<String, Value>) -> Ordering {
    let by = |key: &str, descending: bool| {
        let ordering = total_order(one.get(key).unwrap_or(&Value::Null), other.get(key).unwrap_or(&Value::Null));
        if descending { ordering.reverse() } else { ordering }
    };
    let mut ordering = Ordering::Equal;
    for wish in &spec.orders {
        ordering = ordering.then_with(|| by(&wish.key(), wish.is_descending()));
    }
    if let (true, Some(first)) = (spec.orders.is_empty(), spec.calculations.first()) {
        ordering = by(&first.name(), true);
    }
    spec.breakdowns.iter().fold(ordering, |ordering, column| ordering.then_with(|| by(column, false)))
}

/// An order of all values: nothing, then truth values, numbers, text and the rest.
fn total_order(one: &Value, other: &Value) -> Ordering {
    let rank = |value: &Value| match value {
        Value::Null => 0,
        Value::Bool(_) => 1,
        Value::Number(_) => 2,
        Value::String(_) => 3,
        Value::Array(_) | Value::Object(_) => 4,
    };
    rank(one).cmp(&rank(other)).then_with(|| match (one, other) {
        (Value::Number(a), Value::Number(b)) => {
            // Where floats cannot tell them apart, whole numbers go first and by themselves: a total order.
            let floats = a.as_f64().unwrap_or(0.0).total_cmp(&b.as_f64().unwrap_or(0.0));
            floats.then_with(|| a.is_f64().cmp(&b.is_f64())).then_with(|| a.as_i64().cmp(&b.as_i64()))
        }
        _ => compare(one, other).unwrap_or(Ordering::Equal),
    })
}
