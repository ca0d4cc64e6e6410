//! Words of a query, with their places.

/// A mistake in a query and where it is, in characters from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what} at line {line} and position {column}")]
pub(super) struct QueryError {
    pub what: String,
    pub start: usize,
    pub end: usize,
    pub line: usize,
    pub column: usize,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A name, a keyword, or a path such as `a.b.0`.
    Word(String),
    /// A name between backticks: never a keyword.
    Name(String),
    Number(f64),
    /// `5m`, in milliseconds.
    Period(i64),
    Text(String),
    Sign(&'static str),
    End,
}

/// A token and the bytes it takes.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Spanned {
    pub token: Token,
    pub start: usize,
    pub end: usize,
}

const SIGNS: [&str; 21] =
    ["!=", "<=", ">=", "=~", "==", "&&", "||", "|", "=", "<", ">", "(", ")", "[", "]", ",", "+", "-", "*", "/", "%"];

/// Reads tokens when they are wanted: whether `/` divides or begins a regular expression only the parser knows.
#[derive(Debug, Clone)]
pub(super) struct Lexer<'a> {
    pub text: &'a str,
    pub at: usize,
}

impl Lexer<'_> {
    fn rest(&self) -> &str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self) {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start();
            let comment = if trimmed.starts_with('#') { trimmed.find('\n').unwrap_or(trimmed.len()) } else { 0 };
            let step = rest.len() - trimmed.len() + comment;
            if step == 0 {
                return;
            }
            self.at += step;
        }
    }

    pub fn next(&mut self) -> Result<Spanned, QueryError> {
        self.skip();
        let start = self.at;
        let token = match self.rest().chars().next() {
            None => Token::End,
            Some(quote @ ('"' | '\'')) => Token::Text(self.quoted(quote)?),
            Some('`') => Token::Name(self.quoted('`')?),
            Some(c) if c.is_ascii_digit() || (c == '.' && self.rest()[1..].starts_with(|c: char| c.is_ascii_digit())) => {
                self.number(start)?
            }
            Some(c) if c.is_alphabetic() || "_@$".contains(c) => {
                let end = self.rest().find(|c: char| !(c.is_alphanumeric() || "_@$.".contains(c))).unwrap_or(self.rest().len());
                let word = self.rest()[..end].to_owned();
                self.at += end;
                Token::Word(word)
            }
            Some('^') => {
                self.at += 1;
                Token::Sign("^")
            }
            Some(c) => {
                let sign = SIGNS.into_iter().find(|sign| self.rest().starts_with(sign));
                let sign = sign.ok_or_else(|| self.fail(format!("unexpected symbol found {c}"), start, start + c.len_utf8()))?;
                self.at += sign.len();
                Token::Sign(sign)
            }
        };
        Ok(Spanned { token, start, end: self.at })
    }

    fn number(&mut self, start: usize) -> Result<Token, QueryError> {
        let rest = self.rest();
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.')).unwrap_or(rest.len());
        let unit = rest[digits..].find(|c: char| !c.is_alphabetic()).unwrap_or(rest.len() - digits);
        let (number, unit) = (rest[..digits].to_owned(), rest[digits..digits + unit].to_owned());
        self.at += digits + unit.len();
        let factor = match unit.as_str() {
            "" => None,
            "ms" => Some(1),
            "s" | "second" | "seconds" | "sec" => Some(1000),
            "m" | "min" | "mins" | "minute" | "minutes" => Some(60_000),
            "h" | "hr" | "hour" | "hours" => Some(3_600_000),
            "d" | "day" | "days" => Some(86_400_000),
            "w" | "week" | "weeks" => Some(604_800_000),
            _ => return Err(self.fail(format!("unexpected symbol found {number}{unit}"), start, self.at)),
        };
        let wrong = || self.fail(format!("unexpected symbol found {number}{unit}"), start, self.at);
        match factor {
            None => number.parse().map(Token::Number).map_err(|_| wrong()),
            Some(factor) => {
                let count = number.parse::<i64>().ok().filter(|count| *count > 0);
                count.and_then(|count| count.checked_mul(factor)).map(Token::Period).ok_or_else(wrong)
            }
        }
    }

    fn quoted(&mut self, quote: char) -> Result<String, QueryError> {
        let start = self.at;
        let (mut text, mut escaped) = (String::new(), false);
        for (at, c) in self.rest().char_indices().skip(1) {
            match c {
                _ if escaped => {
                    if c != quote && c != '\\' {
                        text.push('\\');
                    }
                    text.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                c if c == quote => {
                    self.at += at + 1;
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        Err(self.fail(String::from("a quotation mark is missing"), start, self.text.len()))
    }

    /// The regular expression between slashes that begins here.
    pub fn regex(&mut self) -> Result<String, QueryError> {
        let start = self.at;
        let (mut text, mut escaped) = (String::new(), false);
        for (at, c) in self.rest().char_indices().skip(1) {
            match c {
                _ if escaped => {
                    if c != '/' {
                        text.push('\\');
                    }
                    text.push(c);
                    escaped = false;
                }
                '\\' => escaped = true,
                '/' => {
                    self.at += at + 1;
                    return Ok(text);
                }
                c => text.push(c),
            }
        }
        Err(self.fail(String::from("a closing slash is missing"), start, self.text.len()))
    }

    pub fn fail(&self, what: String, start: usize, end: usize) -> QueryError {
        let before = self.text.get(..start).unwrap_or(self.text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        let start = before.chars().count();
        let length = self.text.get(before.len()..end).map_or(0, |text| text.chars().count());
        QueryError { what, start, end: start + length, line, column }
    }
}
