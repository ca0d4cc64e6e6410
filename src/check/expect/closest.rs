use serde_json::Value;

use crate::check::{Kind, Matcher, Placeholders};

/// One demand that a candidate does not meet.
#[derive(Debug, Clone)]
pub struct Miss {
    pub what: String,
    pub expected: String,
    pub actual: String,
}

impl Miss {
    /// As a clause: "`app.result_length` is `3`, a text (expected an integer)".
    pub fn sentence(&self) -> String {
        format!("{} {} (expected {})", self.what, self.actual, self.expected)
    }
}

/// The demands on one candidate, as they are gone through.
pub struct Demands<'p> {
    pub misses: Vec<Miss>,
    pub met: usize,
    placeholders: &'p Placeholders,
}

impl<'p> Demands<'p> {
    pub fn new(placeholders: &'p Placeholders) -> Self {
        Self { misses: Vec::new(), met: 0, placeholders }
    }

    /// Holds a value against a matcher, where there is one.
    pub fn value(&mut self, what: &str, matcher: Option<&Matcher>, value: Option<&Value>) {
        let Some(matcher) = matcher else { return };
        if matcher.accepts(value, self.placeholders) {
            self.met += 1;
        } else {
            self.misses.push(Miss {
                what: what.to_owned(),
                expected: matcher.describe(self.placeholders),
                actual: describe(value),
            });
        }
    }

    pub fn text(&mut self, what: &str, matcher: Option<&Matcher>, text: Option<&str>) {
        self.value(what, matcher, text.map(Value::from).as_ref());
    }

    pub fn number(&mut self, what: &str, matcher: Option<&Matcher>, number: Option<i64>) {
        self.value(what, matcher, number.map(Value::from).as_ref());
    }

    /// A demand that no matcher expresses.
    pub fn demand(&mut self, met: bool, miss: impl FnOnce() -> Miss) {
        if met {
            self.met += 1;
        } else {
            self.misses.push(miss());
        }
    }

    /// All misses as one clause.
    pub fn describe(&self) -> String {
        self.misses.iter().map(Miss::sentence).collect::<Vec<_>>().join("; ")
    }
}

/// "is `3`, a text" or "is missing".
pub fn describe(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::from("is missing"),
        Some(Value::String(text)) => format!("is `{}`, a text", shorten(text)),
        Some(value) => format!("is `{}`, {}", shorten(&value.to_string()), Kind::name_of(value)),
    }
}

/// The text, cut where it would fill the screen.
pub fn shorten(text: &str) -> String {
    const LONGEST: usize = 120;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// The candidate with the fewest misses (of equals, the one that meets most; of those, the first).
pub fn closest<'p, T>(candidates: impl IntoIterator<Item = T>, hold: impl Fn(&T) -> Demands<'p>) -> Option<(T, Demands<'p>)> {
    candidates
        .into_iter()
        .map(|candidate| {
            let demands = hold(&candidate);
            (candidate, demands)
        })
        .min_by_key(|(_, demands)| (demands.misses.len(), usize::MAX - demands.met))
}
