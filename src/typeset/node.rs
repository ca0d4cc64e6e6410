use pulldown_cmark::Alignment;

use super::Face;

/// A page, taken apart.
#[derive(Debug, Default)]
pub(super) struct Tree {
    pub nodes: Vec<Node>,
    /// Where the links lead; fragments name them by their place here.
    pub urls: Vec<String>,
}

/// A block of the page.
#[derive(Debug)]
pub(super) enum Node {
    Heading(u8, Vec<Fragment>),
    Paragraph(Vec<Fragment>),
    Code(Code),
    Quote(Vec<Node>),
    List(List),
    /// The note's name, and what it says.
    Footnote(String, Vec<Node>),
    Table(Table),
    Rule,
}

#[derive(Debug, Default)]
pub(super) struct Code {
    pub text: String,
    pub language: String,
    pub file: Option<String>,
    /// What stands above it.
    pub caption: Option<String>,
}

#[derive(Debug)]
pub(super) struct List {
    /// The first number; none where it has bullets.
    pub first: Option<u64>,
    /// Whether its items are set apart by empty lines.
    pub loose: bool,
    pub items: Vec<Item>,
}

#[derive(Debug, Default)]
pub(super) struct Item {
    /// Whether its box is ticked, where it has one.
    pub task: Option<bool>,
    pub nodes: Vec<Node>,
}

#[derive(Debug, Default)]
pub(super) struct Table {
    pub alignments: Vec<Alignment>,
    pub head: Vec<Vec<Fragment>>,
    pub rows: Vec<Vec<Vec<Fragment>>>,
}

/// A stretch of running text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Fragment {
    pub kind: Kind,
    pub text: String,
    pub face: Face,
    /// Its place among the tree's links.
    pub link: Option<usize>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Text,
    /// One of Markdown's own marks, shown only where they are asked for.
    Mark,
    /// The line ends here.
    Break,
}

impl Fragment {
    pub(super) fn text(text: &str, face: Face) -> Self {
        Self { kind: Kind::Text, text: text.to_owned(), face, link: None }
    }
}
