//! The running state of aggregates.

use std::collections::HashSet;

use super::query::AggregateKind;
use super::value::Value;

/// One aggregate of one group.
#[derive(Debug, Clone)]
pub(super) enum State {
    Count(f64),
    Distinct(HashSet<String>),
    Sum(Option<f64>),
    /// How many, their mean, and the sum of squared distances from it (Welford).
    Moments {
        count: f64,
        mean: f64,
        squares: f64,
        deviation: bool,
    },
    Extreme {
        best: Value,
        greatest: bool,
    },
    Percentile {
        percent: f64,
        samples: Vec<f64>,
    },
    ByTime {
        best: Option<(i64, Value)>,
        latest: bool,
    },
}

impl State {
    pub fn new(kind: AggregateKind) -> Self {
        match kind {
            AggregateKind::Count => Self::Count(0.0),
            AggregateKind::CountDistinct => Self::Distinct(HashSet::new()),
            AggregateKind::Sum => Self::Sum(None),
            AggregateKind::Average => Self::Moments { count: 0.0, mean: 0.0, squares: 0.0, deviation: false },
            AggregateKind::Deviation => Self::Moments { count: 0.0, mean: 0.0, squares: 0.0, deviation: true },
            AggregateKind::Minimum => Self::Extreme { best: Value::Null, greatest: false },
            AggregateKind::Maximum => Self::Extreme { best: Value::Null, greatest: true },
            AggregateKind::Percentile(percent) => Self::Percentile { percent, samples: Vec::new() },
            AggregateKind::Earliest => Self::ByTime { best: None, latest: false },
            AggregateKind::Latest => Self::ByTime { best: None, latest: true },
        }
    }

    /// Takes a value in; `None` counts the row itself. Returns roughly how many bytes it had to keep.
    pub fn add(&mut self, value: Option<Value>, at_ms: i64) -> usize {
        let value = match value {
            None => Value::Number(1.0),
            Some(Value::Null) => return 0,
            Some(value) => value,
        };
        match self {
            Self::Count(count) => *count += 1.0,
            Self::Distinct(seen) => {
                let text = value.text().unwrap_or_default();
                let bytes = text.len() + 48;
                if seen.insert(text) {
                    return bytes;
                }
            }
            Self::Sum(sum) => {
                if let Some(number) = value.number() {
                    *sum = Some(sum.unwrap_or(0.0) + number);
                }
            }
            Self::Moments { count, mean, squares, .. } => {
                if let Some(number) = value.number() {
                    *count += 1.0;
                    let distance = number - *mean;
                    *mean += distance / *count;
                    *squares += distance * (number - *mean);
                }
            }
            Self::Extreme { best, greatest } => {
                let better = best.is_null() || value.order(best).is_gt() == *greatest && value.order(best).is_ne();
                if better {
                    *best = value;
                }
            }
            Self::Percentile { samples, .. } => {
                if let Some(number) = value.number() {
                    samples.push(number);
                    return size_of::<f64>();
                }
            }
            Self::ByTime { best, latest } => {
                let better = best.as_ref().is_none_or(|(at, _)| if *latest { at_ms > *at } else { at_ms <= *at });
                if better {
                    *best = Some((at_ms, value));
                }
            }
        }
        0
    }

    #[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "counts of samples")]
    pub fn finish(self) -> Value {
        match self {
            Self::Count(count) => Value::Number(count),
            Self::Distinct(seen) => Value::Number(seen.len() as f64),
            Self::Sum(sum) => sum.map_or(Value::Null, Value::Number),
            Self::Moments { count: 0.0, .. } => Value::Null,
            Self::Moments { count, squares, deviation: true, .. } => Value::Number((squares / count).sqrt()),
            Self::Moments { mean, .. } => Value::Number(mean),
            Self::Extreme { best, .. } => best,
            Self::Percentile { percent, mut samples } => {
                samples.sort_by(f64::total_cmp);
                let rank = (percent / 100.0 * samples.len() as f64).ceil().max(1.0) as usize;
                samples.get(rank - 1).map_or(Value::Null, |sample| Value::Number(*sample))
            }
            Self::ByTime { best, .. } => best.map_or(Value::Null, |(_, value)| value),
        }
    }
}
