//! What a condition compares with: a number, a text with `*`, or a regular expression.

use regex::Regex;

use super::PatternError;
use super::cursor::Cursor;

/// How many regular expressions one pattern may have.
const REGEXES: usize = 2;

/// How much memory a compiled regular expression may take.
const REGEX_BYTES: usize = 1 << 20;

/// A comparison.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operator {
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

impl Operator {
    pub fn parse(cursor: &mut Cursor<'_>) -> Option<Self> {
        let all = [
            ("!=", Self::Unequal),
            ("<=", Self::AtMost),
            (">=", Self::AtLeast),
            ("=", Self::Equal),
            ("<", Self::Less),
            (">", Self::Greater),
        ];
        all.into_iter().find(|(sign, _)| cursor.eat(sign)).map(|(_, operator)| operator)
    }

    pub fn orders(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }

    #[expect(clippy::float_cmp, reason = "equal is what the pattern says")]
    pub fn compare(self, left: f64, right: f64) -> bool {
        match self {
            Self::Equal => left == right,
            Self::Unequal => left != right,
            Self::Less => left < right,
            Self::AtMost => left <= right,
            Self::Greater => left > right,
            Self::AtLeast => left >= right,
        }
    }
}

/// A text in which `*` stands for any characters.
#[derive(Debug, Clone)]
pub(super) struct Wild {
    parts: Vec<String>,
}

impl Wild {
    /// From a text in which `\*` is a plain asterisk.
    pub fn new(text: &str) -> Self {
        let (mut parts, mut part, mut chars) = (Vec::new(), String::new(), text.chars().peekable());
        while let Some(c) = chars.next() {
            match c {
                '\\' if chars.next_if_eq(&'*').is_some() => part.push('*'),
                '*' => parts.push(std::mem::take(&mut part)),
                c => part.push(c),
            }
        }
        parts.push(part);
        Self { parts }
    }

    pub fn matches(&self, text: &str) -> bool {
        let [first, middle @ .., last] = self.parts.as_slice() else {
            return self.parts.first().is_some_and(|only| only == text);
        };
        let Some(mut rest) = text.strip_prefix(first.as_str()).and_then(|rest| rest.strip_suffix(last.as_str())) else {
            return false;
        };
        for part in middle {
            let Some(at) = rest.find(part.as_str()) else { return false };
            rest = &rest[at + part.len()..];
        }
        true
    }
}

/// The right side of a comparison.
#[derive(Debug, Clone)]
pub(super) enum Operand {
    /// A bare number, and how it was written.
    Number(f64, String),
    /// A bare word, which also means `true`, `false` and `null`.
    Word(String, Wild),
    /// A quoted text.
    Text(Wild),
    Regex(Regex),
}

impl Operand {
    /// Reads the right side. `stop` lists what ends a bare word, beside space and operators.
    pub fn parse(cursor: &mut Cursor<'_>, operator: Operator, stop: &str) -> Result<Self, PatternError> {
        cursor.skip_space();
        let operand = match cursor.peek() {
            Some('"') => Self::Text(Wild::new(&cursor.quoted()?)),
            Some('%') => Self::Regex(regex(cursor)?),
            _ => {
                let word = cursor.take_while(|c| !c.is_whitespace() && !"()\"'&|=!<>%".contains(c) && !stop.contains(c));
                if word.is_empty() {
                    return Err(cursor.fail("a value is missing"));
                }
                match number(word) {
                    Some(value) => Self::Number(value, word.to_owned()),
                    None => Self::Word(word.to_owned(), Wild::new(word)),
                }
            }
        };
        if operator.orders() && !matches!(operand, Self::Number(..)) {
            return Err(cursor.fail("an order wants a number"));
        }
        Ok(operand)
    }
}

/// A number as patterns write it: `3`, `-1.5`, `1e3`.
pub(super) fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || b"+-.eE".contains(&byte));
    text.parse().ok().filter(|value: &f64| plain && value.is_finite())
}

/// Reads `%regex%`. Of the syntax only what CloudWatch Logs takes: no groups, no other symbols, ASCII.
pub(super) fn regex(cursor: &mut Cursor<'_>) -> Result<Regex, PatternError> {
    cursor.next();
    let text = cursor.take_while(|c| c != '%');
    if !cursor.eat("%") {
        return Err(cursor.fail("a percent sign is missing"));
    }
    cursor.regexes += 1;
    if cursor.regexes > REGEXES {
        return Err(cursor.fail("a pattern has at most two regular expressions, a third is"));
    }
    if !text.chars().all(|c| c.is_ascii_alphanumeric() || ":_#=@/;,-^$?[]{}|\\*+.".contains(c)) {
        return Err(cursor.fail("the regular expression has a character that is not supported"));
    }
    let regex = regex::RegexBuilder::new(text).size_limit(REGEX_BYTES).dfa_size_limit(REGEX_BYTES).nest_limit(50).build();
    regex.map_err(|_| cursor.fail("the regular expression is not valid"))
}
