//! From the text of a query to its commands.

use regex::{Regex, RegexBuilder};

use super::function::Function;
use super::lexer::{Lexer, QueryError, Spanned, Token};
use super::query::{Aggregate, AggregateKind, Binary, Command, DEPTH, Direction, Expression, Like, Named, Parse, Query, Stats};
use super::value::Value;

/// How many commands a query may have.
const COMMANDS: usize = 64;

/// How much memory a compiled regular expression may take.
const REGEX_BYTES: usize = 1 << 20;

type Parsed<T> = Result<T, QueryError>;

/// Parses a query in the Logs Insights language.
pub(super) fn parse(text: &str) -> Parsed<Query> {
    let mut lexer = Lexer { text, at: 0 };
    let next = lexer.next()?;
    let mut parser = Parser { lexer, next, before: 0, depth: 0, aggregates: None };
    let mut commands = Vec::new();
    // A query may begin with a pipe, and need not have a command at all.
    parser.eat("|")?;
    while parser.next.token != Token::End {
        commands.push(parser.command()?);
        if commands.len() > COMMANDS {
            return Err(parser.unexpected());
        }
        // After a pipe comes a command.
        if parser.next.token != Token::End && (!parser.eat("|")? || parser.next.token == Token::End) {
            return Err(parser.unexpected());
        }
    }
    Ok(Query { commands })
}

struct Parser<'a> {
    lexer: Lexer<'a>,
    next: Spanned,
    /// Where the last token that was taken ends.
    before: usize,
    depth: usize,
    /// Where aggregates go while `stats` is read; elsewhere they are not allowed.
    aggregates: Option<Vec<Aggregate>>,
}

impl Parser<'_> {
    fn take(&mut self) -> Parsed<Token> {
        let next = self.lexer.next()?;
        let taken = std::mem::replace(&mut self.next, next);
        self.before = taken.end;
        Ok(taken.token)
    }

    fn is(&self, sign: &str) -> bool {
        matches!(self.next.token, Token::Sign(found) if found == sign)
    }

    fn eat(&mut self, sign: &str) -> Parsed<bool> {
        let found = self.is(sign);
        if found {
            self.take()?;
        }
        Ok(found)
    }

    fn expect(&mut self, sign: &str) -> Parsed<()> {
        if self.eat(sign)? { Ok(()) } else { Err(self.unexpected()) }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(&self.next.token, Token::Word(found) if found.eq_ignore_ascii_case(word))
    }

    fn eat_word(&mut self, word: &str) -> Parsed<bool> {
        let found = self.is_word(word);
        if found {
            self.take()?;
        }
        Ok(found)
    }

    fn unexpected(&self) -> QueryError {
        let found = self.lexer.text.get(self.next.start..self.next.end).unwrap_or_default();
        let what = if found.is_empty() {
            String::from("unexpected end of the query")
        } else {
            format!("unexpected symbol found {found}")
        };
        self.lexer.fail(what, self.next.start, self.next.end)
    }

    fn wrong(&self, what: impl Into<String>) -> QueryError {
        self.lexer.fail(what.into(), self.next.start, self.next.end)
    }

    fn command(&mut self) -> Parsed<Command> {
        let Token::Word(word) = &self.next.token else { return Err(self.unexpected()) };
        let word = word.to_ascii_lowercase();
        if !["fields", "display", "filter", "where", "parse", "stats", "sort", "limit", "head", "dedup"].contains(&word.as_str())
        {
            return Err(self.unexpected());
        }
        self.take()?;
        Ok(match word.as_str() {
            "fields" => Command::Fields(self.list(Self::named)?),
            "display" => Command::Display(self.list(Self::named)?),
            "filter" | "where" => Command::Filter(self.expression()?),
            "parse" => Command::Parse(self.parse()?),
            "stats" => Command::Stats(self.stats()?),
            "sort" => {
                self.eat_word("by")?;
                Command::Sort(self.list(Self::sorted)?)
            }
            "dedup" => Command::Dedup(self.list(Self::expression)?),
            _ => match self.next.token {
                Token::Number(number) if number.fract() == 0.0 && (1.0..=100_000.0).contains(&number) => {
                    self.take()?;
                    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "within the bounds above")]
                    Command::Limit(number as usize)
                }
                _ => return Err(self.wrong("limit wants a whole number of 1 to 100000")),
            },
        })
    }

    fn list<T>(&mut self, one: fn(&mut Self) -> Parsed<T>) -> Parsed<Vec<T>> {
        let mut all = vec![one(self)?];
        while self.eat(",")? {
            all.push(one(self)?);
        }
        Ok(all)
    }

    /// An expression, and `as name`; without one its own text is the name.
    fn named(&mut self) -> Parsed<Named> {
        let start = self.next.start;
        let expression = self.expression()?;
        let own = self.lexer.text.get(start..self.before).unwrap_or_default().trim();
        let name = if self.eat_word("as")? {
            self.name()?
        } else if let Expression::Field(field) = &expression {
            field.clone()
        } else {
            own.to_owned()
        };
        Ok(Named { name, expression })
    }

    fn name(&mut self) -> Parsed<String> {
        match &self.next.token {
            Token::Word(_) | Token::Name(_) => match self.take()? {
                Token::Word(name) | Token::Name(name) => Ok(name),
                _ => Err(self.unexpected()),
            },
            _ => Err(self.unexpected()),
        }
    }

    fn sorted(&mut self) -> Parsed<(Expression, Direction)> {
        // An aggregate in `sort` names the column of that text.
        let start = self.next.start;
        let outer = self.aggregates.replace(Vec::new());
        let expression = self.expression();
        let inside = std::mem::replace(&mut self.aggregates, outer).unwrap_or_default();
        let mut expression = expression?;
        if !inside.is_empty() {
            expression = Expression::Field(self.lexer.text.get(start..self.before).unwrap_or_default().trim().to_owned());
        }
        let direction = if self.eat_word("desc")? {
            Direction::Descending
        } else {
            self.eat_word("asc")?;
            Direction::Ascending
        };
        Ok((expression, direction))
    }

    fn stats(&mut self) -> Parsed<Stats> {
        self.aggregates = Some(Vec::new());
        let shown = self.list(Self::named)?;
        let aggregates = self.aggregates.take().unwrap_or_default();
        if aggregates.is_empty() {
            return Err(self.wrong("stats wants an aggregate such as count(*)"));
        }
        let by = if self.eat_word("by")? { self.list(Self::named)? } else { Vec::new() };
        Ok(Stats { aggregates, shown, by })
    }

    fn parse(&mut self) -> Parsed<Parse> {
        let given = !matches!(self.next.token, Token::Text(_) | Token::Sign("/"));
        let from = if given { self.primary()? } else { Expression::Field(String::from("@message")) };
        if self.is("/") {
            let regex = self.regex()?;
            let names: Vec<(usize, String)> =
                regex.capture_names().enumerate().filter_map(|(group, name)| name.map(|name| (group, name.to_owned()))).collect();
            if names.is_empty() {
                return Err(self.wrong("the regular expression of parse names no group; write (?<name>…)"));
            }
            return Ok(Parse { from, regex, names });
        }
        let Token::Text(glob) = &self.next.token else { return Err(self.unexpected()) };
        // Each asterisk is as short as may be; the last one runs to the end.
        let parts: Vec<String> = glob.split('*').map(regex::escape).collect();
        let (wild, ends) = (parts.len() - 1, parts.last().is_some_and(String::is_empty));
        let text = format!("(?s){}{}", parts.join("(.*?)"), if ends { "$" } else { "" });
        let regex = self.compile(&text)?;
        self.take()?;
        if !self.eat_word("as")? {
            return Err(self.unexpected());
        }
        let names = self.list(Self::name)?;
        if names.len() != wild {
            return Err(self.wrong(format!("parse has {wild} asterisks and {} names", names.len())));
        }
        Ok(Parse { from, regex, names: (1..).zip(names).collect() })
    }

    /// The regular expression between slashes that begins at the token that is next.
    fn regex(&mut self) -> Parsed<Regex> {
        self.lexer.at = self.next.start;
        let text = self.lexer.regex()?;
        self.before = self.lexer.at;
        let regex = self.compile(&text)?;
        self.next = self.lexer.next()?;
        Ok(regex)
    }

    fn compile(&self, text: &str) -> Parsed<Regex> {
        let regex = RegexBuilder::new(text).size_limit(REGEX_BYTES).dfa_size_limit(REGEX_BYTES).nest_limit(50).build();
        regex.map_err(|_| self.wrong("the regular expression is not valid"))
    }

    fn expression(&mut self) -> Parsed<Expression> {
        self.binary(0)
    }

    /// Operators by precedence: `or`, `and`, `not`, comparisons, sums, products, powers.
    fn binary(&mut self, level: usize) -> Parsed<Expression> {
        self.depth += 1;
        if self.depth > DEPTH * 7 {
            return Err(self.wrong("the expression nests too deep"));
        }
        let result = self.binary_at(level);
        self.depth -= 1;
        result
    }

    fn binary_at(&mut self, level: usize) -> Parsed<Expression> {
        match level {
            2 if self.eat_word("not")? => return Ok(Expression::Not(Box::new(self.binary(2)?))),
            2 => return self.binary(3),
            3 => return self.comparison(),
            7 => return self.primary(),
            _ => {}
        }
        let mut left = self.binary(level + 1)?;
        let mut length = 0;
        while let Some(operator) = self.operator(level) {
            self.take()?;
            // A long chain leans to the left and is as deep as it is long.
            length += 1;
            if length > DEPTH * 4 {
                return Err(self.wrong("the expression is too long"));
            }
            let right = self.binary(level + 1)?;
            left = Expression::Binary(operator, Box::new(left), Box::new(right));
        }
        Ok(left)
    }

    fn operator(&self, level: usize) -> Option<Binary> {
        match (&self.next.token, level) {
            (Token::Word(word), 0) if word.eq_ignore_ascii_case("or") => Some(Binary::Or),
            (Token::Word(word), 1) if word.eq_ignore_ascii_case("and") => Some(Binary::And),
            (Token::Sign("||"), 0) => Some(Binary::Or),
            (Token::Sign("&&"), 1) => Some(Binary::And),
            (Token::Sign("+"), 4) => Some(Binary::Add),
            (Token::Sign("-"), 4) => Some(Binary::Subtract),
            (Token::Sign("*"), 5) => Some(Binary::Multiply),
            (Token::Sign("/"), 5) => Some(Binary::Divide),
            (Token::Sign("%"), 5) => Some(Binary::Remainder),
            (Token::Sign("^"), 6) => Some(Binary::Power),
            _ => None,
        }
    }

    fn comparison(&mut self) -> Parsed<Expression> {
        let left = self.binary(4)?;
        let operator = match self.next.token {
            Token::Sign("=" | "==") => Some(Binary::Equal),
            Token::Sign("!=") => Some(Binary::Unequal),
            Token::Sign("<") => Some(Binary::Less),
            Token::Sign("<=") => Some(Binary::AtMost),
            Token::Sign(">") => Some(Binary::Greater),
            Token::Sign(">=") => Some(Binary::AtLeast),
            _ => None,
        };
        if let Some(operator) = operator {
            self.take()?;
            return Ok(Expression::Binary(operator, Box::new(left), Box::new(self.binary(4)?)));
        }
        let denied = self.eat_word("not")?;
        let left = Box::new(left);
        let found = if self.is_word("like") || self.is("=~") {
            self.take()?;
            let like = match &self.next.token {
                Token::Text(text) => {
                    let like = Like::Text(text.clone());
                    self.take()?;
                    like
                }
                Token::Sign("/") => Like::Regex(self.regex()?),
                _ => return Err(self.unexpected()),
            };
            Expression::Like(left, like)
        } else if self.eat_word("in")? {
            self.expect("[")?;
            let set = if self.is("]") { Vec::new() } else { self.list(Self::expression)? };
            self.expect("]")?;
            Expression::In(left, set)
        } else if denied {
            return Err(self.unexpected());
        } else {
            return Ok(*left);
        };
        Ok(if denied { Expression::Not(Box::new(found)) } else { found })
    }

    fn primary(&mut self) -> Parsed<Expression> {
        let called = match &self.next.token {
            Token::Word(word) => Some(word.clone()),
            _ => None,
        };
        match self.take_primary()? {
            Token::Sign("(") => {
                let inner = self.expression()?;
                self.expect(")")?;
                Ok(inner)
            }
            Token::Sign("-") => Ok(Expression::Negative(Box::new(self.binary(6)?))),
            Token::Number(number) => Ok(Expression::Constant(Value::Number(number))),
            Token::Period(period) => Ok(Expression::Constant(Value::Period(period))),
            Token::Text(text) => Ok(Expression::Constant(Value::Text(text))),
            Token::Name(name) => Ok(Expression::Field(name)),
            _ => {
                let name = called.unwrap_or_default();
                if self.is("(") {
                    return self.call(&name);
                }
                Ok(match name.as_str() {
                    "true" => Expression::Constant(Value::truth(true)),
                    "false" => Expression::Constant(Value::truth(false)),
                    "null" => Expression::Constant(Value::Null),
                    _ => Expression::Field(name),
                })
            }
        }
    }

    /// The token that is next, where an operand can begin with it.
    fn take_primary(&mut self) -> Parsed<Token> {
        match &self.next.token {
            Token::Sign("(" | "-") | Token::Number(_) | Token::Period(_) | Token::Text(_) | Token::Name(_) => self.take(),
            Token::Word(word) if !["as", "by", "and", "or", "like", "in"].contains(&word.to_ascii_lowercase().as_str()) => {
                self.take()
            }
            _ => Err(self.unexpected()),
        }
    }

    fn call(&mut self, name: &str) -> Parsed<Expression> {
        if let Some(kind) = aggregate(name) {
            return self.aggregate(kind);
        }
        let Some((function, least, most)) = Function::named(name) else {
            return Err(self.wrong(format!("unknown function {name}")));
        };
        self.expect("(")?;
        let arguments = if self.is(")") { Vec::new() } else { self.list(Self::expression)? };
        if !(least..=most).contains(&arguments.len()) {
            return Err(self.wrong(format!("wrong number of arguments for {name}: found {}", arguments.len())));
        }
        self.expect(")")?;
        Ok(Expression::Call(function, arguments))
    }

    fn aggregate(&mut self, mut kind: AggregateKind) -> Parsed<Expression> {
        let Some(outer) = self.aggregates.take() else {
            return Err(self.wrong("aggregates belong into stats and sort"));
        };
        self.expect("(")?;
        let of = if kind == AggregateKind::Count && (self.eat("*")? || self.is(")")) { None } else { Some(self.expression()?) };
        if let AggregateKind::Percentile(percent) = &mut kind
            && *percent < 0.0
        {
            self.expect(",")?;
            match self.take()? {
                Token::Number(number) if (0.0..=100.0).contains(&number) => *percent = number,
                _ => return Err(self.wrong("pct wants a percentage of 0 to 100")),
            }
        }
        self.expect(")")?;
        let index = outer.len();
        self.aggregates = Some(outer);
        self.aggregates.get_or_insert_default().push(Aggregate { kind, of });
        Ok(Expression::Aggregate(index))
    }
}

fn aggregate(name: &str) -> Option<AggregateKind> {
    Some(match name.to_ascii_lowercase().as_str() {
        "count" => AggregateKind::Count,
        "count_distinct" => AggregateKind::CountDistinct,
        "sum" => AggregateKind::Sum,
        "avg" => AggregateKind::Average,
        "min" => AggregateKind::Minimum,
        "max" => AggregateKind::Maximum,
        "stddev" => AggregateKind::Deviation,
        "median" => AggregateKind::Percentile(50.0),
        // Which one, the second argument says.
        "pct" | "percentile" => AggregateKind::Percentile(-1.0),
        "earliest" => AggregateKind::Earliest,
        "latest" => AggregateKind::Latest,
        _ => return None,
    })
}
