/// The name that was most likely meant: what a "did you mean" offers.
///
/// `None` where nothing comes near; an unrelated suggestion is worse than none.
#[must_use]
pub fn closest<'a>(given: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let given = given.to_lowercase();
    // The measure takes time in the square of the length, and no name is longer than this.
    if given.is_empty() || given.len() > 100 {
        return None;
    }
    names
        .into_iter()
        .map(|name| (likeness(&given, &name.to_lowercase()), name))
        .filter(|(likeness, _)| *likeness >= 0.6)
        // Of names that are as like, the same one is suggested in every run.
        .max_by(|(left, one), (right, other)| left.total_cmp(right).then_with(|| other.cmp(one)))
        .map(|(_, name)| name)
}

fn likeness(given: &str, name: &str) -> f64 {
    let squeezed = |text: &str| text.replace(['-', '_', '.', ' '], "");
    let (given, name) = (squeezed(given), squeezed(name));
    if given.len() >= 3 && (name.starts_with(&given) || name.ends_with(&given)) {
        return 0.9;
    }
    strsim::normalized_damerau_levenshtein(&given, &name)
}

#[cfg(test)]
mod tests {
    use super::closest;

    #[test]
    fn what_was_meant_is_found_and_nothing_else() {
        let names = ["honeycomb", "x-ray", "cloudwatch-logs", "rollbar"];
        assert_eq!(closest("xray", names), Some("x-ray"));
        assert_eq!(closest("rolbar", names), Some("rollbar"));
        assert_eq!(closest("cloudwatch", names), Some("cloudwatch-logs"));
        assert_eq!(closest("logs", names), Some("cloudwatch-logs"));
        assert_eq!(closest("kubernetes", names), None);
        assert_eq!(closest("", names), None);
    }
}
