use std::fmt;
use std::iter::Sum;
use std::ops::{Add, AddAssign};

use schemars::JsonSchema;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Points, counted in hundredths so that the shares of a step's checks add up to the step exactly.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Points(u32);

impl Points {
    /// None.
    pub const ZERO: Self = Self(0);

    /// So many whole points.
    #[must_use]
    pub const fn whole(points: u32) -> Self {
        Self(points * 100)
    }

    /// So many hundredths of a point.
    #[must_use]
    pub const fn hundredths(hundredths: u32) -> Self {
        Self(hundredths)
    }

    /// How many hundredths of a point.
    #[must_use]
    pub const fn as_hundredths(self) -> u32 {
        self.0
    }

    /// Shares among `count` checks: equal, but for a hundredth more for the first ones where it does not divide.
    #[must_use]
    pub fn shared(self, count: usize) -> Vec<Self> {
        let Ok(parts @ 1..) = u32::try_from(count) else { return Vec::new() };
        (0..parts).map(|index| Self(self.0 / parts + u32::from(index < self.0 % parts))).collect()
    }
}

impl fmt::Display for Points {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => write!(formatter, "{whole}"),
            (whole, part) if part % 10 == 0 => write!(formatter, "{whole}.{}", part / 10),
            (whole, part) => write!(formatter, "{whole}.{part:02}"),
        }
    }
}

impl Add for Points {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0 + other.0)
    }
}

impl AddAssign for Points {
    fn add_assign(&mut self, other: Self) {
        self.0 += other.0;
    }
}

impl Sum for Points {
    fn sum<I: Iterator<Item = Self>>(all: I) -> Self {
        all.fold(Self::ZERO, Add::add)
    }
}

impl Serialize for Points {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match (self.0 / 100, self.0 % 100) {
            (whole, 0) => serializer.serialize_u32(whole),
            _ => serializer.serialize_f64(f64::from(self.0) / 100.0),
        }
    }
}

impl<'de> Deserialize<'de> for Points {
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let points = f64::deserialize(deserializer)?;
        Ok(Self((points * 100.0).round().clamp(0.0, f64::from(u32::MAX)) as u32))
    }
}

impl JsonSchema for Points {
    fn schema_name() -> std::borrow::Cow<'static, str> {
        "Points".into()
    }

    fn json_schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "number", "minimum": 0 })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn they_read_as_a_person_writes_them() {
        let texts = [400, 150, 133, 5].map(|hundredths| Points::hundredths(hundredths).to_string());
        assert_eq!(texts, ["4", "1.5", "1.33", "0.05"]);
    }

    proptest! {
        #[test]
        fn shares_add_up(points in 0_u32..100_000, count in 1_usize..50) {
            let whole = Points::hundredths(points);
            let shares = whole.shared(count);
            prop_assert_eq!(shares.len(), count);
            prop_assert_eq!(shares.into_iter().sum::<Points>(), whole);
        }
    }
}
