//! From tokens to the tree: recursive descent, one level of the grammar a function.

use super::lex::{Placed, Token, lex};
use super::{
    CauseKind, DEEPEST, Element, Expression, FilterError, Flag, GroupBy, Literal, Measure, Operand, Operator, Target, Text,
};

/// Reads an expression. Blank text is none: it is refused here, callers treat it as "no filter".
pub(in crate::sandbox::xray) fn parse(text: &str) -> Result<Expression, FilterError> {
    let tokens = lex(text)?;
    let mut parser = Parser { end: text.chars().count() + 1, tokens: tokens.into_iter().peekable(), depth: 0, inner: false };
    let expression = parser.any()?;
    match parser.tokens.next() {
        None => Ok(expression),
        Some((position, token)) => {
            Err(FilterError { position, message: format!("unexpected {}; the expression was complete before it", show(&token)) })
        }
    }
}

struct Parser {
    tokens: std::iter::Peekable<std::vec::IntoIter<Placed>>,
    end: usize,
    depth: usize,
    /// Within the braces of a service, an edge or a root cause.
    inner: bool,
}

fn show(token: &Token) -> String {
    match token {
        Token::Word(word) => format!("`{word}`"),
        Token::Quoted(text) => format!("the text \"{text}\""),
        Token::Number(number) => format!("the number {number}"),
        Token::Json(_) => String::from("JSON"),
        Token::Operator(operator) => format!("`{}`", operator.word()),
        Token::Not => String::from("`!`"),
        Token::Sign(sign) => format!("`{sign}`"),
    }
}

fn is_word(token: &Token, wanted: &str) -> bool {
    matches!(token, Token::Word(word) if word.eq_ignore_ascii_case(wanted))
}

impl Parser {
    fn peek(&mut self) -> Option<&Token> {
        self.tokens.peek().map(|(_, token)| token)
    }

    fn position(&mut self) -> usize {
        self.tokens.peek().map_or(self.end, |(position, _)| *position)
    }

    fn error<T>(&mut self, message: impl Into<String>) -> Result<T, FilterError> {
        Err(FilterError { position: self.position(), message: message.into() })
    }

    fn unexpected<T>(&mut self, expected: &str) -> Result<T, FilterError> {
        let found = self.peek().map_or_else(|| String::from("the end of the expression"), show);
        self.error(format!("expected {expected}, found {found}"))
    }

    fn takes(&mut self, wanted: impl FnOnce(&Token) -> bool) -> bool {
        let takes = self.peek().is_some_and(wanted);
        if takes {
            self.tokens.next();
        }
        takes
    }

    fn sign(&mut self, sign: char) -> bool {
        self.takes(|token| *token == Token::Sign(sign))
    }

    fn expect(&mut self, sign: char) -> Result<(), FilterError> {
        if self.sign(sign) { Ok(()) } else { self.unexpected(&format!("`{sign}`")) }
    }

    fn deeper<T>(&mut self, read: impl FnOnce(&mut Self) -> Result<T, FilterError>) -> Result<T, FilterError> {
        if self.depth == DEEPEST {
            return self.error(format!("the expression is nested more than {DEEPEST} deep"));
        }
        self.depth += 1;
        let result = read(self);
        self.depth -= 1;
        result
    }

    fn any(&mut self) -> Result<Expression, FilterError> {
        let first = self.all()?;
        let mut parts = vec![first];
        while self.takes(|token| is_word(token, "OR")) {
            parts.push(self.all()?);
        }
        Ok(joined(parts, Expression::Any))
    }

    fn all(&mut self) -> Result<Expression, FilterError> {
        let first = self.unary()?;
        let mut parts = vec![first];
        loop {
            let beside = match self.peek() {
                Some(token) if is_word(token, "AND") => {
                    self.tokens.next();
                    true
                }
                Some(Token::Word(word)) => !word.eq_ignore_ascii_case("OR"),
                Some(Token::Not | Token::Sign('(')) => true,
                _ => false,
            };
            if !beside {
                return Ok(joined(parts, Expression::All));
            }
            parts.push(self.unary()?);
        }
    }

    fn unary(&mut self) -> Result<Expression, FilterError> {
        self.deeper(|parser| {
            if parser.takes(|token| *token == Token::Not || is_word(token, "NOT")) {
                return Ok(Expression::Not(Box::new(parser.unary()?)));
            }
            if parser.sign('(') {
                let inner = parser.any()?;
                parser.expect(')')?;
                return Ok(inner);
            }
            parser.term()
        })
    }

    fn term(&mut self) -> Result<Expression, FilterError> {
        let Some(Token::Word(word)) = self.peek() else { return self.unexpected("a keyword") };
        let word = word.clone();
        let lower = word.to_ascii_lowercase();
        let whole = lower.starts_with("group.") || lower.starts_with("rootcause.") || lower.starts_with("annotation");
        if self.inner && (whole || matches!(lower.as_str(), "service" | "edge" | "json" | "annotation")) {
            return self.error(format!("`{word}` speaks of the whole trace and cannot stand within `{{…}}`"));
        }
        match lower.as_str() {
            "service" => self.service(),
            "edge" => self.edge(),
            "rootcause.json" | "json" => self.root_cause_json(),
            _ => match (GroupBy::parse(&lower), lower.strip_prefix("rootcause.")) {
                (Some(by), _) => self.group(by),
                (None, Some(path)) => self.root_cause(path),
                (None, None) => self.comparison(&word, &lower),
            },
        }
    }

    fn service(&mut self) -> Result<Expression, FilterError> {
        self.tokens.next();
        self.expect('(')?;
        let target = self.target()?;
        self.expect(')')?;
        Ok(Expression::Service(target, self.braces()?))
    }

    fn edge(&mut self) -> Result<Expression, FilterError> {
        self.tokens.next();
        self.expect('(')?;
        let from = self.target()?;
        self.expect(',')?;
        let to = self.target()?;
        self.expect(')')?;
        Ok(Expression::Edge(from, to, self.braces()?))
    }

    fn braces(&mut self) -> Result<Option<Box<Expression>>, FilterError> {
        if !self.sign('{') {
            return Ok(None);
        }
        let inner = self.deeper(|parser| {
            let outer = std::mem::replace(&mut parser.inner, true);
            let filter = parser.any();
            parser.inner = outer;
            filter
        })?;
        self.expect('}')?;
        Ok(Some(Box::new(inner)))
    }

    /// A name, `id(…)`, or nothing.
    fn target(&mut self) -> Result<Target, FilterError> {
        let mut target = Target::default();
        match self.peek() {
            Some(Token::Quoted(name)) => {
                target.name = Some(name.clone());
                self.tokens.next();
            }
            Some(token) if is_word(token, "id") => {
                self.tokens.next();
                self.expect('(')?;
                while !self.sign(')') {
                    self.identity(&mut target)?;
                    if !self.sign(',') && self.peek() != Some(&Token::Sign(')')) {
                        return self.unexpected("`,` or `)`");
                    }
                }
            }
            Some(Token::Sign(')' | ',')) => {}
            _ => return self.unexpected("a service's name in double quotes, or `id(name: \"…\", type: \"…\")`"),
        }
        Ok(target)
    }

    fn identity(&mut self, target: &mut Target) -> Result<(), FilterError> {
        let key = match self.peek() {
            Some(Token::Word(word)) => word.to_ascii_lowercase(),
            _ => return self.unexpected("`name:`, `type:` or `account.id:`"),
        };
        let place = match key.as_str() {
            "name" => &mut target.name,
            "type" => &mut target.kind,
            "account.id" => &mut target.account,
            _ => return self.unexpected("`name:`, `type:` or `account.id:`"),
        };
        self.tokens.next();
        self.expect(':')?;
        let Some(Token::Quoted(value)) = self.peek() else { return self.unexpected("a text in double quotes") };
        *place = Some(value.clone());
        self.tokens.next();
        Ok(())
    }

    fn root_cause(&mut self, path: &str) -> Result<Expression, FilterError> {
        let known = path.split_once('.').and_then(|(kind, element)| Some((CauseKind::parse(kind)?, Element::parse(element)?)));
        match known {
            // A slow answer throws nothing.
            None | Some((CauseKind::ResponseTime, Element::Exception)) => self.error(format!(
                "unknown root cause `{path}`; known are `fault` and `error` with `.service`, `.entity` or `.exception`, and \
                 `responsetime` with `.service` or `.entity`"
            )),
            Some((kind, element)) => {
                self.tokens.next();
                Ok(Expression::RootCause(kind, element, self.braces()?))
            }
        }
    }

    fn equality(&mut self) -> Result<bool, FilterError> {
        match self.peek() {
            Some(Token::Operator(operator @ (Operator::Equal | Operator::NotEqual))) => {
                let equal = *operator == Operator::Equal;
                self.tokens.next();
                Ok(equal)
            }
            _ => self.unexpected("`=` or `!=`"),
        }
    }

    fn root_cause_json(&mut self) -> Result<Expression, FilterError> {
        self.tokens.next();
        let is = self.equality()?;
        let Some(Token::Json(value)) = self.peek() else { return self.unexpected("`#` and JSON") };
        let value = value.clone();
        self.tokens.next();
        Ok(Expression::RootCauseJson(is, value))
    }

    fn group(&mut self, by: GroupBy) -> Result<Expression, FilterError> {
        self.tokens.next();
        let is = self.equality()?;
        let Some(Token::Quoted(value)) = self.peek() else { return self.unexpected("a text in double quotes") };
        let value = value.clone();
        self.tokens.next();
        Ok(Expression::Group(by, is, value))
    }

    fn operand(&mut self, word: &str, lower: &str) -> Result<Operand, FilterError> {
        if lower == "annotation" {
            self.tokens.next();
            self.expect('[')?;
            let key = match self.peek() {
                Some(Token::Quoted(key) | Token::Word(key)) if !key.is_empty() => key.clone(),
                _ => return self.unexpected("an annotation's key"),
            };
            self.tokens.next();
            self.expect(']')?;
            return Ok(Operand::Annotation(key));
        }
        let known = if lower.starts_with("annotation.") {
            word.get("annotation.".len()..).filter(|key| !key.is_empty()).map(|key| Operand::Annotation(key.to_owned()))
        } else {
            let flag = Flag::parse(word).map(Operand::Flag);
            flag.or_else(|| Measure::parse(word).map(Operand::Measure)).or_else(|| Text::parse(word).map(Operand::Text))
        };
        match known {
            Some(operand) => {
                self.tokens.next();
                Ok(operand)
            }
            None => self.error(format!("unknown keyword `{word}`")),
        }
    }

    fn comparison(&mut self, word: &str, lower: &str) -> Result<Expression, FilterError> {
        let operand = self.operand(word, lower)?;
        let operator = match self.peek() {
            Some(Token::Operator(operator)) => *operator,
            Some(Token::Word(word)) => match Operator::parse(word) {
                Some(operator) => operator,
                None => return Ok(Expression::Is(operand)),
            },
            _ => return Ok(Expression::Is(operand)),
        };
        let allowed = match &operand {
            Operand::Flag(_) => is_equality(operator),
            Operand::Measure(_) => !is_textual(operator),
            Operand::Text(_) => is_equality(operator) || is_textual(operator),
            Operand::Annotation(_) => true,
        };
        if !allowed {
            return self.error(format!("`{}` cannot be used with `{word}`", operator.word()));
        }
        self.tokens.next();
        let literal = match self.peek() {
            Some(Token::Quoted(text)) => Literal::Text(text.clone()),
            Some(Token::Number(number)) => Literal::Number(*number),
            Some(token) if is_word(token, "true") => Literal::Bool(true),
            Some(token) if is_word(token, "false") => Literal::Bool(false),
            // The guide itself leaves the quotes out once: `name = traces`.
            Some(Token::Word(word)) => Literal::Text(word.clone()),
            _ => return self.unexpected("a value"),
        };
        let expected = match (&operand, &literal) {
            (Operand::Flag(_), Literal::Bool(_)) | (Operand::Measure(_), Literal::Number(_)) => None,
            (Operand::Flag(_), _) => Some("`true` or `false`"),
            (Operand::Measure(_), _) => Some("a number, without quotes"),
            (Operand::Text(_), Literal::Text(_)) => None,
            (Operand::Text(_), _) => Some("a text in double quotes"),
            (Operand::Annotation(_), Literal::Text(_)) => None,
            (Operand::Annotation(_), _) if is_textual(operator) => Some("a text in double quotes"),
            (Operand::Annotation(_), Literal::Bool(_)) if !is_equality(operator) => Some("a number or a text"),
            (Operand::Annotation(_), _) => None,
        };
        if let Some(expected) = expected {
            return self.unexpected(expected);
        }
        self.tokens.next();
        Ok(Expression::Compare(operand, operator, literal))
    }
}

fn joined(mut parts: Vec<Expression>, join: fn(Vec<Expression>) -> Expression) -> Expression {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            join(parts)
        }
        None => join(parts),
    }
}

fn is_equality(operator: Operator) -> bool {
    matches!(operator, Operator::Equal | Operator::NotEqual)
}

fn is_textual(operator: Operator) -> bool {
    matches!(operator, Operator::Contains | Operator::BeginsWith | Operator::EndsWith)
}
