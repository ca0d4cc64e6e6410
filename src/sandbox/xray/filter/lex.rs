//! From characters to tokens.

use serde_json::Value;

use super::{FilterError, LONGEST, Operator};

/// A word, a value or a sign.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Token {
    /// A keyword, a word operator, or a value without quotes.
    Word(String),
    /// A value in double quotes.
    Quoted(String),
    /// A number.
    Number(f64),
    /// `#` and a JSON value.
    Json(Value),
    /// `=`, `!=`, `<`, `<=`, `>`, `>=`; the word operators are words.
    Operator(Operator),
    /// `!`
    Not,
    /// `(`, `)`, `{`, `}`, `[`, `]`, `,` or `:`
    Sign(char),
}

/// A token and the character at which it begins, from 1.
pub(super) type Placed = (usize, Token);

/// Splits an expression into tokens.
pub(super) fn lex(text: &str) -> Result<Vec<Placed>, FilterError> {
    if text.chars().count() > LONGEST {
        let message = format!("the filter expression is longer than {LONGEST} characters");
        return Err(FilterError { position: LONGEST, message });
    }
    let mut lexer = Lexer { rest: text, position: 1 };
    let mut tokens = Vec::new();
    loop {
        lexer.skip(char::is_whitespace);
        let position = lexer.position;
        match lexer.token()? {
            Some(token) => tokens.push((position, token)),
            None => return Ok(tokens),
        }
    }
}

struct Lexer<'a> {
    rest: &'a str,
    position: usize,
}

impl<'a> Lexer<'a> {
    fn skip(&mut self, wanted: impl Fn(char) -> bool) -> &'a str {
        let end = self.rest.find(|letter| !wanted(letter)).unwrap_or(self.rest.len());
        self.take(end)
    }

    fn take(&mut self, bytes: usize) -> &'a str {
        let (taken, rest) = self.rest.split_at(bytes);
        self.rest = rest;
        self.position += taken.chars().count();
        taken
    }

    fn error<T>(&self, message: impl Into<String>) -> Result<T, FilterError> {
        Err(FilterError { position: self.position, message: message.into() })
    }

    fn token(&mut self) -> Result<Option<Token>, FilterError> {
        let Some(first) = self.rest.chars().next() else { return Ok(None) };
        for (sign, operator) in [
            ("!=", Operator::NotEqual),
            ("<=", Operator::AtMost),
            (">=", Operator::AtLeast),
            ("=", Operator::Equal),
            ("<", Operator::Less),
            (">", Operator::More),
        ] {
            if self.rest.starts_with(sign) {
                self.take(sign.len());
                return Ok(Some(Token::Operator(operator)));
            }
        }
        match first {
            '!' => {
                self.take(1);
                Ok(Some(Token::Not))
            }
            '(' | ')' | '{' | '}' | '[' | ']' | ',' | ':' => {
                self.take(1);
                Ok(Some(Token::Sign(first)))
            }
            '"' => self.quoted().map(Some),
            '\'' => self.error("a text value is put in double quotes, not in single ones: unexpected `'`"),
            '#' => self.json().map(Some),
            _ if in_word(first) => Ok(Some(self.word())),
            _ => self.error(format!("unexpected character `{first}`")),
        }
    }

    fn word(&mut self) -> Token {
        let word = self.skip(in_word);
        let digits = word.strip_prefix('-').unwrap_or(word);
        // Rust reads `inf` and `nan` as numbers; nobody means that here.
        let number = digits.starts_with(|first: char| first.is_ascii_digit() || first == '.').then(|| word.parse::<f64>().ok());
        match number.flatten().filter(|number| number.is_finite()) {
            Some(number) => Token::Number(number),
            None => Token::Word(word.to_owned()),
        }
    }

    fn quoted(&mut self) -> Result<Token, FilterError> {
        let start = self.position;
        self.take(1);
        let mut value = String::new();
        loop {
            value.push_str(self.skip(|letter| letter != '"' && letter != '\\'));
            let mut letters = self.rest.chars();
            match (letters.next(), letters.next()) {
                (Some('"'), _) => {
                    self.take(1);
                    return Ok(Token::Quoted(value));
                }
                (Some('\\'), Some(escaped @ ('"' | '\\'))) => {
                    self.take(2);
                    value.push(escaped);
                }
                // Any other backslash stands for itself.
                (Some('\\'), _) => value.push_str(self.take(1)),
                _ => {
                    return Err(FilterError {
                        position: start,
                        message: String::from("the closing `\"` is missing for the text"),
                    });
                }
            }
        }
    }

    fn json(&mut self) -> Result<Token, FilterError> {
        self.take(1);
        let mut values = serde_json::Deserializer::from_str(self.rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => {
                let end = values.byte_offset();
                self.take(end);
                Ok(Token::Json(value))
            }
            Some(Err(error)) => self.error(format!("`#` is followed by JSON, and this is none ({error})")),
            None => self.error("`#` is followed by JSON, and nothing follows"),
        }
    }
}

fn in_word(letter: char) -> bool {
    letter.is_alphanumeric() || matches!(letter, '_' | '.' | '-')
}
