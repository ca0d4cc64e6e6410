//! A parsed query.

use regex::Regex;

use super::function::Function;
use super::value::Value;

/// How deep expressions may nest.
pub(super) const DEPTH: usize = 48;

/// The commands, in order.
#[derive(Debug, Clone)]
pub(super) struct Query {
    pub commands: Vec<Command>,
}

#[derive(Debug, Clone)]
pub(super) enum Command {
    /// Shows these fields, beside those of earlier `fields`.
    Fields(Vec<Named>),
    /// Shows just these.
    Display(Vec<Named>),
    Filter(Expression),
    Parse(Parse),
    Stats(Stats),
    Sort(Vec<(Expression, Direction)>),
    Limit(usize),
    Dedup(Vec<Expression>),
}

/// An expression and the name of its column.
#[derive(Debug, Clone)]
pub(super) struct Named {
    pub name: String,
    pub expression: Expression,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// Takes fields out of a text.
#[derive(Debug, Clone)]
pub(super) struct Parse {
    pub from: Expression,
    pub regex: Regex,
    /// The group of the regular expression, and the field it becomes.
    pub names: Vec<(usize, String)>,
}

/// Aggregates by groups.
#[derive(Debug, Clone)]
pub(super) struct Stats {
    pub aggregates: Vec<Aggregate>,
    /// Expressions over the aggregates.
    pub shown: Vec<Named>,
    pub by: Vec<Named>,
}

#[derive(Debug, Clone)]
pub(super) struct Aggregate {
    pub kind: AggregateKind,
    /// `None` for `count(*)`.
    pub of: Option<Expression>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum AggregateKind {
    Count,
    CountDistinct,
    Sum,
    Average,
    Minimum,
    Maximum,
    Deviation,
    /// The percentile, 0 to 100.
    Percentile(f64),
    Earliest,
    Latest,
}

#[derive(Debug, Clone)]
pub(super) enum Expression {
    Field(String),
    Constant(Value),
    /// The result of the aggregate with this index.
    Aggregate(usize),
    Negative(Box<Expression>),
    Not(Box<Expression>),
    Binary(Binary, Box<Expression>, Box<Expression>),
    /// Holds the text, or the regular expression.
    Like(Box<Expression>, Like),
    In(Box<Expression>, Vec<Expression>),
    Call(Function, Vec<Expression>),
}

#[derive(Debug, Clone)]
pub(super) enum Like {
    Text(String),
    Regex(Regex),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Binary {
    Or,
    And,
    Equal,
    Unequal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Add,
    Subtract,
    Multiply,
    Divide,
    Remainder,
    Power,
}

impl Query {
    /// The columns that are shown, and whether rows are events (which also carry `@ptr`).
    pub fn columns(&self) -> (Vec<String>, bool) {
        let (mut columns, mut events) = (Vec::new(), true);
        let add = |columns: &mut Vec<String>, named: &[Named]| {
            for named in named {
                if !columns.contains(&named.name) {
                    columns.push(named.name.clone());
                }
            }
        };
        let mut display = None;
        for command in &self.commands {
            match command {
                Command::Fields(named) => add(&mut columns, named),
                Command::Display(named) => {
                    let mut only = Vec::new();
                    add(&mut only, named);
                    display = Some(only);
                }
                Command::Stats(stats) => {
                    (columns, events, display) = (Vec::new(), false, None);
                    add(&mut columns, &stats.by);
                    add(&mut columns, &stats.shown);
                }
                _ => {}
            }
        }
        let mut columns = display.unwrap_or(columns);
        if columns.is_empty() {
            columns = vec![String::from("@timestamp"), String::from("@message")];
        }
        (columns, events)
    }
}
