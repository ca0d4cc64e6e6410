//! The scalar functions.

use super::value::Value;

macro_rules! functions {
    ($($variant:ident $name:literal $least:literal $most:expr;)*) => {
        /// A scalar function.
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(super) enum Function { $($variant),* }

        impl Function {
            /// The function of that name, in any case, with the fewest and the most arguments it takes.
            pub fn named(name: &str) -> Option<(Self, usize, usize)> {
                $(if name.eq_ignore_ascii_case($name) { return Some((Self::$variant, $least, $most)); })*
                None
            }
        }
    };
}

functions! {
    Abs "abs" 1 1; Ceil "ceil" 1 1; Floor "floor" 1 1; Log "log" 1 1; Sqrt "sqrt" 1 1;
    Greatest "greatest" 1 usize::MAX; Least "least" 1 usize::MAX;
    Length "strlen" 1 1; Concat "concat" 1 usize::MAX; Trim "trim" 1 2; TrimStart "ltrim" 1 2; TrimEnd "rtrim" 1 2;
    Upper "toupper" 1 1; Lower "tolower" 1 1; Substring "substr" 2 3; Replace "replace" 3 3; Contains "strcontains" 2 2;
    IsEmpty "isempty" 1 1; IsBlank "isblank" 1 1; IsPresent "ispresent" 1 1; Coalesce "coalesce" 1 usize::MAX;
    Bin "bin" 1 1; DateFloor "datefloor" 2 2; DateCeil "dateceil" 2 2; FromMillis "fromMillis" 1 1; ToMillis "toMillis" 1 1;
    Now "now" 0 0;
}

impl Function {
    /// Computes it. `at_ms` is the event's time, for `bin`.
    pub fn call(self, arguments: &[Value], at_ms: Option<i64>) -> Value {
        let argument = |index: usize| arguments.get(index).unwrap_or(&Value::Null);
        let text = |index: usize| argument(index).text();
        let calculate = |with: fn(f64) -> f64| number(argument(0).number().map(with));
        match self {
            Self::Abs => calculate(f64::abs),
            Self::Ceil => calculate(f64::ceil),
            Self::Floor => calculate(f64::floor),
            Self::Log => calculate(f64::ln),
            Self::Sqrt => calculate(f64::sqrt),
            Self::Greatest => number(arguments.iter().filter_map(Value::number).reduce(f64::max)),
            Self::Least => number(arguments.iter().filter_map(Value::number).reduce(f64::min)),
            Self::Length => number(text(0).map(|text| f64::from(u32::try_from(text.chars().count()).unwrap_or(u32::MAX)))),
            Self::Concat => Value::Text(arguments.iter().filter_map(Value::text).collect()),
            Self::Trim | Self::TrimStart | Self::TrimEnd => match text(0) {
                Some(subject) => Value::Text(self.trim(&subject, text(1).as_deref()).to_owned()),
                None => Value::Null,
            },
            Self::Upper => text(0).map_or(Value::Null, |text| Value::Text(text.to_uppercase())),
            Self::Lower => text(0).map_or(Value::Null, |text| Value::Text(text.to_lowercase())),
            Self::Substring => match (text(0), index(argument(1))) {
                (Some(text), Some(start)) => {
                    let length = if arguments.len() > 2 { index(argument(2)).unwrap_or(0) } else { usize::MAX };
                    Value::Text(text.chars().skip(start).take(length).collect())
                }
                _ => Value::Null,
            },
            Self::Replace => match (text(0), text(1), text(2)) {
                // A text that could multiply is not replaced in.
                (Some(subject), Some(old), Some(new)) if !old.is_empty() && subject.len().saturating_mul(new.len()) < 1 << 24 => {
                    Value::Text(subject.replace(&old, &new))
                }
                (Some(subject), ..) => Value::Text(subject),
                _ => Value::Null,
            },
            Self::Contains => match (text(0), text(1)) {
                (Some(text), Some(part)) => Value::truth(text.contains(&part)),
                _ => Value::truth(false),
            },
            Self::IsEmpty => Value::truth(text(0).is_none_or(|text| text.is_empty())),
            Self::IsBlank => Value::truth(text(0).is_none_or(|text| text.trim().is_empty())),
            Self::IsPresent => Value::truth(!argument(0).is_null()),
            Self::Coalesce => arguments.iter().find(|value| !value.is_null()).cloned().unwrap_or(Value::Null),
            Self::Bin => floor(at_ms, argument(0)),
            Self::DateFloor => floor(milliseconds(argument(0)), argument(1)),
            Self::DateCeil => match (milliseconds(argument(0)), argument(1)) {
                (Some(at), Value::Period(period)) => floor(at.checked_add(period - 1), &Value::Period(*period)),
                _ => Value::Null,
            },
            Self::FromMillis => milliseconds(argument(0)).map_or(Value::Null, Value::Time),
            Self::ToMillis => number(argument(0).number()),
            Self::Now => Value::Time(crate::sandbox::now_ms()),
        }
    }

    fn trim<'a>(self, text: &'a str, set: Option<&str>) -> &'a str {
        let wanted = |c: char| set.map_or_else(|| c.is_whitespace(), |set| set.contains(c));
        match self {
            Self::TrimStart => text.trim_start_matches(wanted),
            Self::TrimEnd => text.trim_end_matches(wanted),
            _ => text.trim_matches(wanted),
        }
    }
}

fn number(number: Option<f64>) -> Value {
    number.filter(|number| number.is_finite()).map_or(Value::Null, Value::Number)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
fn index(value: &Value) -> Option<usize> {
    value.number().map(|number| number.clamp(0.0, 1e9) as usize)
}

#[expect(clippy::cast_possible_truncation, reason = "out of range saturates, and shows as a number")]
fn milliseconds(value: &Value) -> Option<i64> {
    match value {
        Value::Time(time) => Some(*time),
        other => other.number().map(|number| number as i64),
    }
}

fn floor(at_ms: Option<i64>, period: &Value) -> Value {
    match (at_ms, period) {
        (Some(at), Value::Period(period)) if *period > 0 => Value::Time(at - at.rem_euclid(*period)),
        _ => Value::Null,
    }
}
