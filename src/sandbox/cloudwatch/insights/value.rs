//! Values of a query: loosely typed, as Insights has them.

use std::cmp::Ordering;

/// One value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Value {
    Null,
    Number(f64),
    /// Unix milliseconds.
    Time(i64),
    /// A period, in milliseconds: `5m`.
    Period(i64),
    Text(String),
}

impl Value {
    pub fn truth(truth: bool) -> Self {
        Self::Number(if truth { 1.0 } else { 0.0 })
    }

    pub fn is_true(&self) -> bool {
        self.number().is_some_and(|number| number != 0.0)
    }

    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// As a number, where it is one or reads as one.
    #[expect(clippy::cast_precision_loss, reason = "milliseconds fit into 53 bits for 285,000 years")]
    pub fn number(&self) -> Option<f64> {
        match self {
            Self::Number(number) => Some(*number),
            Self::Time(time) | Self::Period(time) => Some(*time as f64),
            Self::Text(text) => number_in(text),
            Self::Null => None,
        }
    }

    /// As shown; `None` for null.
    pub fn text(&self) -> Option<String> {
        match self {
            Self::Null => None,
            Self::Number(number) => Some(shown(*number)),
            Self::Time(time) => Some(moment(*time)),
            Self::Period(period) => Some(period.to_string()),
            Self::Text(text) => Some(text.clone()),
        }
    }

    /// As numbers where both are, else as texts; null compares with nothing.
    pub fn compare(&self, other: &Self) -> Option<Ordering> {
        if let (Some(a), Some(b)) = (self.number(), other.number()) {
            return a.partial_cmp(&b);
        }
        match (self, other) {
            (Self::Text(a), Self::Text(b)) => Some(a.cmp(b)),
            _ => Some(self.text()?.cmp(&other.text()?)),
        }
    }

    /// A total order for sorting: nulls, then numbers, then texts.
    pub fn order(&self, other: &Self) -> Ordering {
        match (self.number(), other.number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            (Some(_), None) => {
                if other.is_null() {
                    Ordering::Greater
                } else {
                    Ordering::Less
                }
            }
            (None, Some(_)) => {
                if self.is_null() {
                    Ordering::Less
                } else {
                    Ordering::Greater
                }
            }
            (None, None) => self.text().cmp(&other.text()),
        }
    }
}

/// A decimal number; words such as `inf` and `nan` are texts.
fn number_in(text: &str) -> Option<f64> {
    let text = text.trim();
    let first = *text.as_bytes().first()?;
    if !(first.is_ascii_digit() || b"+-.".contains(&first)) || text.len() > 40 {
        return None;
    }
    text.parse().ok().filter(|number: &f64| number.is_finite() && !text.contains(['n', 'N']))
}

/// Up to four decimals, none for whole numbers.
fn shown(number: f64) -> String {
    if number == 0.0 {
        return String::from("0");
    }
    if number.fract() == 0.0 {
        return format!("{number:.0}");
    }
    let text = format!("{number:.4}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

/// `2026-11-20 12:28:48.000`.
pub(super) fn moment(time_ms: i64) -> String {
    jiff::Timestamp::from_millisecond(time_ms)
        .map_or_else(|_| time_ms.to_string(), |time| time.strftime("%Y-%m-%d %H:%M:%S.%3f").to_string())
}
