//! The tree of a filter expression, and how it is written.

use std::fmt;

use serde_json::Value;

/// A filter expression.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::xray) enum Expression {
    /// All of them, at least two.
    All(Vec<Expression>),
    /// Any of them, at least two.
    Any(Vec<Expression>),
    /// Not this.
    Not(Box<Expression>),
    /// A keyword alone: the flag is true, the value is there.
    Is(Operand),
    /// A keyword and what it is compared with.
    Compare(Operand, Operator, Literal),
    /// `service(…) {…}`
    Service(Target, Option<Box<Expression>>),
    /// `edge(…, …) {…}`
    Edge(Target, Target, Option<Box<Expression>>),
    /// `rootcause.fault.service {…}`
    RootCause(CauseKind, Element, Option<Box<Expression>>),
    /// `rootcause.json = #[…]`; `false` for `!=`.
    RootCauseJson(bool, Value),
    /// `group.name = "…"`; `false` for `!=`.
    Group(GroupBy, bool, String),
}

/// What a keyword stands for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::sandbox::xray) enum Operand {
    /// True or false.
    Flag(Flag),
    /// A number.
    Measure(Measure),
    /// A text.
    Text(Text),
    /// `annotation.key`: true or false, a number or a text.
    Annotation(String),
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($variant:ident = $word:literal),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq)]
        pub(in crate::sandbox::xray) enum $name {
            $(#[doc = $word] $variant),+
        }

        impl $name {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The word in an expression.
            pub fn word(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }

            /// Reads the word, in any case.
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.word().eq_ignore_ascii_case(word))
            }
        }
    };
}

words! {
    /// A keyword that is true or false.
    Flag {
        Ok = "ok", Error = "error", Throttle = "throttle", Fault = "fault", Partial = "partial", Inferred = "inferred",
        First = "first", Last = "last", Remote = "remote", Root = "root",
    }
}

words! {
    /// A keyword that is a number.
    Measure {
        ResponseTime = "responsetime", Duration = "duration", HttpStatus = "http.status", Index = "index", Coverage = "coverage",
    }
}

words! {
    /// A keyword that is a text.
    Text {
        Url = "http.url", Method = "http.method", UserAgent = "http.useragent", ClientIp = "http.clientip", User = "user",
        Name = "name", Type = "type", Message = "message", AvailabilityZone = "availabilityzone", InstanceId = "instance.id",
        ResourceArn = "resource.arn",
    }
}

words! {
    /// How two values are compared.
    Operator {
        Equal = "=", NotEqual = "!=", Less = "<", AtMost = "<=", More = ">", AtLeast = ">=",
        Contains = "CONTAINS", BeginsWith = "BEGINSWITH", EndsWith = "ENDSWITH",
    }
}

words! {
    /// Which root cause.
    CauseKind { Fault = "fault", Error = "error", ResponseTime = "responsetime" }
}

words! {
    /// Which part of a root cause.
    Element { Service = "service", Entity = "entity", Exception = "exception" }
}

words! {
    /// How a group is named.
    GroupBy { Name = "group.name", Arn = "group.arn" }
}

/// A value in an expression.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::sandbox::xray) enum Literal {
    /// `true`, `false`
    Bool(bool),
    /// `5`, `0.7`
    Number(f64),
    /// `"text"`
    Text(String),
}

/// Which services `service` and `edge` mean: all, those of a name, a type, an account.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::sandbox::xray) struct Target {
    /// The service's name.
    pub name: Option<String>,
    /// The service's type.
    pub kind: Option<String>,
    /// The account's id.
    pub account: Option<String>,
}

struct Quoted<'a>(&'a str);

impl fmt::Display for Quoted<'_> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "\"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
    }
}

impl fmt::Display for Operand {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => formatter.write_str(flag.word()),
            Self::Measure(measure) => formatter.write_str(measure.word()),
            Self::Text(text) => formatter.write_str(text.word()),
            Self::Annotation(key) => write!(formatter, "annotation[{}]", Quoted(key)),
        }
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool(value) => write!(formatter, "{value}"),
            Self::Number(value) => write!(formatter, "{value}"),
            Self::Text(value) => write!(formatter, "{}", Quoted(value)),
        }
    }
}

impl fmt::Display for Target {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self { name: None, kind: None, account: None } => Ok(()),
            Self { name: Some(name), kind: None, account: None } => write!(formatter, "{}", Quoted(name)),
            Self { name, kind, account } => {
                let parts = [("name", name), ("type", kind), ("account.id", account)];
                let given: Vec<String> = parts
                    .iter()
                    .filter_map(|(key, value)| value.as_ref().map(|value| format!("{key}: {}", Quoted(value))))
                    .collect();
                write!(formatter, "id({})", given.join(", "))
            }
        }
    }
}

impl Expression {
    fn fmt_within(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(_) | Self::Any(_) => write!(formatter, "({self})"),
            _ => write!(formatter, "{self}"),
        }
    }

    fn fmt_joined(parts: &[Self], word: &str, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, part) in parts.iter().enumerate() {
            if index > 0 {
                write!(formatter, " {word} ")?;
            }
            part.fmt_within(formatter)?;
        }
        Ok(())
    }
}

fn fmt_filter(filter: Option<&Expression>, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
    filter.map_or(Ok(()), |filter| write!(formatter, " {{ {filter} }}"))
}

impl fmt::Display for Expression {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equal = |is: &bool| if *is { "=" } else { "!=" };
        match self {
            Self::All(parts) => Self::fmt_joined(parts, "AND", formatter),
            Self::Any(parts) => Self::fmt_joined(parts, "OR", formatter),
            Self::Not(inner) => {
                formatter.write_str("!")?;
                inner.fmt_within(formatter)
            }
            Self::Is(operand) => write!(formatter, "{operand}"),
            Self::Compare(operand, operator, literal) => write!(formatter, "{operand} {} {literal}", operator.word()),
            Self::Service(target, filter) => {
                write!(formatter, "service({target})")?;
                fmt_filter(filter.as_deref(), formatter)
            }
            Self::Edge(from, to, filter) => {
                write!(formatter, "edge({from}, {to})")?;
                fmt_filter(filter.as_deref(), formatter)
            }
            Self::RootCause(kind, element, filter) => {
                write!(formatter, "rootcause.{}.{}", kind.word(), element.word())?;
                fmt_filter(filter.as_deref(), formatter)
            }
            Self::RootCauseJson(is, value) => write!(formatter, "rootcause.json {} #{value}", equal(is)),
            Self::Group(by, is, value) => write!(formatter, "{} {} {}", by.word(), equal(is), Quoted(value)),
        }
    }
}
