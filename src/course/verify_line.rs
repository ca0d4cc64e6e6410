use crate::check::Points;

/// What a step is worth: the line `**Verify** · 4 points`, or `· 2 bonus points`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct VerifyLine {
    pub points: Points,
    pub bonus: bool,
}

/// How the line begins, whatever follows.
pub(super) const VERIFY: &str = "**Verify";

/// No step is worth more; a larger number is a slip of the keyboard.
const MOST: u32 = 1000;

impl VerifyLine {
    /// Reads the paragraph. `None` where it is not in the form above, or the points are none or too many.
    pub(super) fn parse(paragraph: &str) -> Option<Self> {
        let rest = paragraph.trim().strip_prefix("**Verify**")?.trim_start().strip_prefix('·')?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (number, bonus) = match words[..] {
            [number, "point" | "points"] => (number, false),
            [number, "bonus", "point" | "points"] => (number, true),
            _ => return None,
        };
        Some(Self { points: parse_points(number)?, bonus })
    }
}

/// What a course is worth by its own account: the line `**Total** · 100 points` of its `README.md`, or
/// `**Total** · 100 points and 20 bonus points`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Total {
    pub points: Points,
    pub bonus: Points,
}

impl Total {
    /// How the line begins, whatever follows.
    pub(crate) const LEAD: &str = "**Total**";

    /// Reads the line. `None` where it is not in the form above.
    pub(crate) fn parse(line: &str) -> Option<Self> {
        let rest = line.trim().strip_prefix(Self::LEAD)?.trim_start().strip_prefix('·')?;
        let words: Vec<&str> = rest.split_whitespace().collect();
        let (points, bonus) = match words[..] {
            [points, "point" | "points"] => (points, None),
            [points, "point" | "points", "and", bonus, "bonus", "point" | "points"] => (points, Some(bonus)),
            _ => return None,
        };
        let bonus = bonus.map_or(Some(Points::ZERO), parse_points)?;
        Some(Self { points: parse_points(points)?, bonus })
    }
}

/// `4`, `2.5` or `0.25`.
fn parse_points(text: &str) -> Option<Points> {
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| (!text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())).then_some(());
    digits(whole)?;
    digits(part)?;
    let hundredths: u32 = match part.len() {
        1 => part.parse::<u32>().ok()? * 10,
        2 => part.parse().ok()?,
        _ => return None,
    };
    let whole: u32 = whole.parse().ok().filter(|whole| *whole <= MOST)?;
    let points = Points::hundredths(whole * 100 + hundredths);
    (points > Points::ZERO).then_some(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn points_and_bonus_points() {
        let read = |text| VerifyLine::parse(text).map(|line| (line.points.to_string(), line.bonus));
        assert_eq!(read("**Verify** · 4 points"), Some(("4".into(), false)));
        assert_eq!(read("**Verify** · 1 point\n"), Some(("1".into(), false)));
        assert_eq!(read("**Verify** · 2.5 bonus points"), Some(("2.5".into(), true)));
        for wrong in
            ["**Verify**", "**Verify** 4 points", "**Verify** · four points", "**Verify** · 0 points", "**Verify** · -1 points"]
        {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        assert_eq!(read("**Verify** · 99999999999 points"), None);
    }

    #[test]
    fn a_total_with_and_without_bonus_points() {
        let read = |text| Total::parse(text).map(|total| (total.points.to_string(), total.bonus.to_string()));
        assert_eq!(read("**Total** · 100 points and 20 bonus points"), Some(("100".into(), "20".into())));
        assert_eq!(read("**Total** · 7.5 points"), Some(("7.5".into(), "0".into())));
        for wrong in [
            "**Total** 100 points",
            "**Total** · 100",
            "**Total** · 100 points and 20",
            "**Total** · 100 points, 20 bonus points",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_printed_is_read_back(hundredths in 1_u32..100_000, bonus: bool) {
            let points = Points::hundredths(hundredths);
            let text = format!("**Verify** · {points} {}points", if bonus { "bonus " } else { "" });
            prop_assert_eq!(VerifyLine::parse(&text), Some(VerifyLine { points, bonus }));
        }
    }
}
