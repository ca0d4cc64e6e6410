use std::collections::{BTreeMap, HashSet};

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value, json};

use crate::sandbox::honeycomb::event::Event;
use crate::sandbox::honeycomb::problem::Detail;

/// What is computed over the events of a group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Calculation {
    /// One of the API's operations: `COUNT`, `P99`, ….
    #[serde(default)]
    pub op: String,
    /// The column, for all but `COUNT` and `CONCURRENCY`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
}

/// The operations, with the share below the percentile for those that are one.
const OPERATIONS: [(&str, Option<f64>); 24] = [
    ("COUNT", None),
    ("CONCURRENCY", None),
    ("SUM", None),
    ("AVG", None),
    ("COUNT_DISTINCT", None),
    ("HEATMAP", None),
    ("MAX", None),
    ("MIN", None),
    ("P001", Some(0.001)),
    ("P01", Some(0.01)),
    ("P05", Some(0.05)),
    ("P10", Some(0.10)),
    ("P20", Some(0.20)),
    ("P25", Some(0.25)),
    ("P50", Some(0.50)),
    ("P75", Some(0.75)),
    ("P80", Some(0.80)),
    ("P90", Some(0.90)),
    ("P95", Some(0.95)),
    ("P99", Some(0.99)),
    ("P999", Some(0.999)),
    ("RATE_AVG", None),
    ("RATE_SUM", None),
    ("RATE_MAX", None),
];

/// How many bars a heatmap has.
const BARS: usize = 50;

impl Calculation {
    /// The name of its value in a row: `COUNT`, `AVG(duration_ms)`.
    #[must_use]
    pub fn name(&self) -> String {
        match &self.column {
            Some(column) => format!("{}({column})", self.op),
            None => self.op.clone(),
        }
    }

    /// Says what is wrong with it.
    pub fn validate(&self, field: &str, details: &mut Vec<Detail>) {
        if !OPERATIONS.iter().any(|(name, _)| *name == self.op) {
            let names: Vec<&str> = OPERATIONS.iter().map(|(name, _)| *name).collect();
            details.push(Detail::invalid(format!("{field}.op"), format!("op must be one of {}", names.join(", "))));
            return;
        }
        let takes_column = !matches!(self.op.as_str(), "COUNT" | "CONCURRENCY");
        match (&self.column, takes_column) {
            (None, true) => {
                details.push(Detail::invalid(format!("{field}.column"), format!("column is required with the op {}", self.op)));
            }
            (Some(_), false) => {
                details
                    .push(Detail::invalid(format!("{field}.column"), format!("column is not allowed with the op {}", self.op)));
            }
            _ => {}
        }
    }

    /// An empty sum of this kind.
    #[must_use]
    pub fn start(&self) -> Tally {
        if let Some((_, Some(share))) = OPERATIONS.iter().find(|(name, _)| *name == self.op) {
            return Tally::Percentile { share: *share, values: Vec::new() };
        }
        match self.op.as_str() {
            "CONCURRENCY" => Tally::Concurrency(Vec::new()),
            "SUM" => Tally::Sum(Sum::default()),
            "AVG" => Tally::Average { sum: 0.0, weight: 0.0 },
            "COUNT_DISTINCT" => Tally::Distinct(HashSet::new()),
            "HEATMAP" => Tally::Heatmap(Vec::new()),
            "MAX" => Tally::Extreme { greatest: true, value: None },
            "MIN" => Tally::Extreme { greatest: false, value: None },
            "RATE_AVG" => Tally::Rate { of: RateOf::Average, buckets: BTreeMap::new() },
            "RATE_SUM" => Tally::Rate { of: RateOf::Sum, buckets: BTreeMap::new() },
            "RATE_MAX" => Tally::Rate { of: RateOf::Max, buckets: BTreeMap::new() },
            _ => Tally::Count(0),
        }
    }
}

/// The sum of numbers, whole as long as they are.
#[derive(Debug, Clone, Default)]
pub struct Sum {
    whole: i128,
    fraction: f64,
    has_fraction: bool,
    seen: bool,
}

/// Which value of a bucket a rate compares with the bucket's before.
#[derive(Debug, Clone, Copy)]
pub enum RateOf {
    /// The average.
    Average,
    /// The sum.
    Sum,
    /// The greatest.
    Max,
}

/// The events of one bucket, for a rate.
#[derive(Debug, Clone, Copy)]
pub struct Bucket {
    sum: f64,
    weight: f64,
    max: f64,
}

/// A calculation under way.
#[derive(Debug, Clone)]
pub enum Tally {
    /// Events, each as many as it stands for.
    Count(u64),
    /// The spans' beginnings and ends, in microseconds.
    Concurrency(Vec<(i64, i64)>),
    /// A sum.
    Sum(Sum),
    /// An average.
    Average {
        /// Of all values, weighted.
        sum: f64,
        /// Of how many.
        weight: f64,
    },
    /// The distinct values, as JSON.
    Distinct(HashSet<String>),
    /// All values, with their weights.
    Heatmap(Vec<(f64, u32)>),
    /// The greatest or the smallest number.
    Extreme {
        /// Which of the two.
        greatest: bool,
        /// So far.
        value: Option<Number>,
    },
    /// All values, with their weights.
    Percentile {
        /// The share of values below.
        share: f64,
        /// So far.
        values: Vec<(f64, u32)>,
    },
    /// How a value changes from bucket to bucket.
    Rate {
        /// Which value.
        of: RateOf,
        /// By the bucket's beginning.
        buckets: BTreeMap<i64, Bucket>,
    },
}

impl Tally {
    /// Counts an event in. `bucket_ms` is the beginning of the bucket that it falls into.
    pub fn add(&mut self, column: Option<&str>, event: &Event, bucket_ms: i64) {
        match self {
            Self::Count(count) => *count += u64::from(event.sample_rate),
            Self::Concurrency(spans) => {
                let duration_ms = event.fields.get("duration_ms").and_then(Value::as_f64).unwrap_or(0.0).max(0.0);
                let start = event.at_ms.saturating_mul(1000);
                #[expect(clippy::cast_possible_truncation, reason = "a saturated end is still an end")]
                spans.push((start, start.saturating_add((duration_ms * 1000.0) as i64)));
            }
            Self::Distinct(values) => {
                if let Some(value) = column.and_then(|column| event.fields.get(column)).filter(|value| !value.is_null()) {
                    values.insert(value.to_string());
                }
            }
            _ => {
                if let Some(Value::Number(number)) = column.and_then(|column| event.fields.get(column)) {
                    self.add_number(number, event.sample_rate, bucket_ms);
                }
            }
        }
    }

    fn add_number(&mut self, number: &Number, sample_rate: u32, bucket_ms: i64) {
        let Some(value) = number.as_f64() else { return };
        let weight = f64::from(sample_rate);
        match self {
            Self::Sum(sum) => {
                sum.seen = true;
                match number.as_i64() {
                    Some(whole) => sum.whole += i128::from(whole) * i128::from(sample_rate),
                    None => {
                        sum.has_fraction = true;
                        sum.fraction += value * weight;
                    }
                }
            }
            Self::Average { sum, weight: total } => {
                *sum += value * weight;
                *total += weight;
            }
            Self::Heatmap(values) | Self::Percentile { values, .. } => values.push((value, sample_rate)),
            Self::Extreme { greatest, value: kept } => {
                let beats =
                    kept.as_ref().and_then(Number::as_f64).is_none_or(|kept| if *greatest { value > kept } else { value < kept });
                if beats {
                    *kept = Some(number.clone());
                }
            }
            Self::Rate { buckets, .. } => {
                let bucket = buckets.entry(bucket_ms).or_insert(Bucket { sum: 0.0, weight: 0.0, max: f64::NEG_INFINITY });
                bucket.sum += value * weight;
                bucket.weight += weight;
                bucket.max = bucket.max.max(value);
            }
            Self::Count(_) | Self::Concurrency(_) | Self::Distinct(_) => {}
        }
    }

    /// The value of the row; `null` where no event had a number.
    #[must_use]
    pub fn finish(self) -> Value {
        match self {
            Self::Count(count) => json!(count),
            Self::Concurrency(spans) => json!(peak(spans)),
            Self::Sum(sum) if !sum.seen => Value::Null,
            #[expect(clippy::cast_precision_loss, reason = "beside fractions, precision is already that of a float")]
            Self::Sum(sum) if sum.has_fraction => json!(sum.whole as f64 + sum.fraction),
            #[expect(clippy::cast_precision_loss, reason = "past the whole numbers of JSON only a float is left")]
            Self::Sum(sum) => i64::try_from(sum.whole).map_or_else(|_| json!(sum.whole as f64), |whole| json!(whole)),
            Self::Average { weight, .. } if weight <= 0.0 => Value::Null,
            Self::Average { sum, weight } => json!(sum / weight),
            Self::Distinct(values) => json!(values.len()),
            Self::Heatmap(values) => heatmap(&values),
            Self::Extreme { value, .. } => value.map_or(Value::Null, Value::Number),
            Self::Percentile { share, values } => percentile(share, values),
            Self::Rate { of, buckets } => rate(of, buckets.values()),
        }
    }
}

/// The most spans that were open at one time.
fn peak(spans: Vec<(i64, i64)>) -> u64 {
    let mut edges: Vec<(i64, i64)> =
        spans.into_iter().flat_map(|(start, end)| [(start, 1), (end.max(start.saturating_add(1)), -1)]).collect();
    // At one time the ends go first: a span that ends as another begins is not beside it.
    edges.sort_unstable();
    let (mut open, mut most) = (0_i64, 0_i64);
    for (_, edge) in edges {
        open += edge;
        most = most.max(open);
    }
    most.unsigned_abs()
}

/// The nearest-rank percentile of weighted values.
fn percentile(share: f64, mut values: Vec<(f64, u32)>) -> Value {
    values.sort_unstable_by(|one, other| one.0.total_cmp(&other.0));
    let total: f64 = values.iter().map(|(_, weight)| f64::from(*weight)).sum();
    let mut below = 0.0;
    for (value, weight) in &values {
        below += f64::from(*weight);
        if below >= share * total {
            return json!(value);
        }
    }
    values.last().map_or(Value::Null, |(value, _)| json!(value))
}

/// Bars of equal width from the smallest to the greatest value: `[{"min", "max", "count"}, …]`, empty ones left out.
fn heatmap(values: &[(f64, u32)]) -> Value {
    let (low, high) =
        values.iter().fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), (value, _)| (low.min(*value), high.max(*value)));
    if values.is_empty() {
        return Value::Null;
    }
    let width = (high - low) / f64::from(u32::try_from(BARS).unwrap_or(1));
    let mut bars = vec![0_u64; BARS];
    for (value, weight) in values {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the number of bars")]
        let bar = if width > 0.0 { ((value - low) / width) as usize } else { 0 };
        bars[bar.min(BARS - 1)] += u64::from(*weight);
    }
    let mut edge = low;
    let mut shown = Vec::new();
    for count in bars {
        if count > 0 {
            shown.push(json!({ "min": edge, "max": edge + width, "count": count }));
        }
        edge += width;
    }
    Value::Array(shown)
}

/// The average change from one bucket with values to the next.
fn rate<'b>(of: RateOf, buckets: impl Iterator<Item = &'b Bucket>) -> Value {
    let values: Vec<f64> = buckets
        .map(|bucket| match of {
            RateOf::Average => bucket.sum / bucket.weight,
            RateOf::Sum => bucket.sum,
            RateOf::Max => bucket.max,
        })
        .collect();
    match (values.first(), values.last(), u32::try_from(values.len())) {
        (Some(first), Some(last), Ok(count)) if count > 1 => json!((last - first) / f64::from(count - 1)),
        _ => Value::Null,
    }
}
