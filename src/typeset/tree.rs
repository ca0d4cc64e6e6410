use std::borrow::Cow;

use pulldown_cmark::{BlockQuoteKind, CodeBlockKind, CowStr, Event, Options, Parser, Tag, TagEnd};

use super::html::{is_line_break, without_tags};
use super::node::{Code, Fragment, Item, Kind, List, Node, Table, Tree};
use super::{Face, Role, clean};

/// How deep lists and quotes may be nested. What is deeper stands at the depth of what is around it.
const DEEPEST: usize = 12;

/// Takes Markdown apart.
pub(super) fn grow(markdown: &str) -> Tree {
    let options = Options::ENABLE_TABLES
        | Options::ENABLE_TASKLISTS
        | Options::ENABLE_STRIKETHROUGH
        | Options::ENABLE_FOOTNOTES
        | Options::ENABLE_HEADING_ATTRIBUTES
        | Options::ENABLE_GFM;
    // A parser hands out an escape in pieces that no longer look like one, so those go first.
    let markdown = without_escapes(markdown);
    let mut builder = Builder::default();
    for event in Parser::new_ext(&markdown, options) {
        builder.take(event);
    }
    builder.finish()
}

/// The same without terminal escapes; tabs mean something in Markdown, and in code.
fn without_escapes(markdown: &str) -> Cow<'_, str> {
    let begins = |next| next == '\u{1b}' || ('\u{80}'..='\u{9f}').contains(&next);
    if !markdown.contains(begins) {
        return Cow::Borrowed(markdown);
    }
    Cow::Owned(markdown.split('\t').map(clean).collect::<Vec<_>>().join("\t"))
}

/// A container that is open.
#[derive(Debug)]
struct Frame {
    holds: Holds,
    nodes: Vec<Node>,
}

#[derive(Debug)]
enum Holds {
    Quote,
    List(List),
    Item(Option<bool>),
    Footnote(String),
}

#[derive(Debug, Default)]
struct Builder {
    tree: Tree,
    stack: Vec<Frame>,
    /// How many containers are open beyond the deepest.
    beyond: usize,
    /// The running text that is open.
    inline: Option<Vec<Fragment>>,
    code: Option<Code>,
    html: Option<String>,
    table: Option<Table>,
    heading: Option<u8>,
    strong: usize,
    emphasis: usize,
    struck: usize,
    /// The link that is open, and where in the running text it began.
    link: Option<(usize, usize)>,
}

impl Builder {
    fn finish(mut self) -> Tree {
        self.end_paragraph();
        while !self.stack.is_empty() {
            self.close();
        }
        self.tree
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) => self.text(&text),
            Event::Code(code) => {
                let face = Face { role: Role::Code, ..self.face() };
                self.push(Kind::Mark, "`", face);
                self.push(Kind::Text, &code, face);
                self.push(Kind::Mark, "`", face);
            }
            Event::SoftBreak => self.push(Kind::Text, " ", self.face()),
            Event::HardBreak => self.push(Kind::Break, "", self.face()),
            Event::Html(text) => match &mut self.html {
                Some(html) => html.push_str(&text),
                None => self.push(Kind::Text, &without_tags(&text), self.face()),
            },
            Event::InlineHtml(tag) => {
                if is_line_break(&tag) {
                    self.push(Kind::Break, "", self.face());
                }
            }
            Event::FootnoteReference(name) => self.push(Kind::Text, &format!("[{name}]"), self.face()),
            Event::TaskListMarker(done) => self.task(done),
            Event::Rule => {
                self.end_paragraph();
                self.node(Node::Rule);
            }
            Event::InlineMath(text) | Event::DisplayMath(text) => self.text(&text),
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph => {
                self.end_paragraph();
                self.loosen();
            }
            Tag::Heading { level, .. } => {
                self.end_paragraph();
                self.heading = Some(level as u8);
                self.inline = Some(Vec::new());
            }
            Tag::BlockQuote(kind) => {
                self.open(Holds::Quote);
                if let Some(kind) = kind {
                    self.push(Kind::Text, kind_name(kind), self.face().strong());
                    self.end_paragraph();
                }
            }
            Tag::CodeBlock(kind) => {
                self.end_paragraph();
                self.code = Some(match kind {
                    CodeBlockKind::Indented => Code::default(),
                    CodeBlockKind::Fenced(info) => fenced(&info),
                });
            }
            Tag::HtmlBlock => {
                self.end_paragraph();
                self.html = Some(String::new());
            }
            Tag::List(first) => self.open(Holds::List(List { first, loose: false, items: Vec::new() })),
            Tag::Item => self.open(Holds::Item(None)),
            Tag::FootnoteDefinition(name) => self.open(Holds::Footnote(one_line(&name))),
            Tag::Table(alignments) => {
                self.end_paragraph();
                self.table = Some(Table { alignments, ..Table::default() });
            }
            Tag::TableRow => {
                if let Some(table) = &mut self.table {
                    table.rows.push(Vec::new());
                }
            }
            Tag::TableCell => self.inline = Some(Vec::new()),
            Tag::Strong => {
                self.strong += 1;
                self.push(Kind::Mark, "**", self.face());
            }
            Tag::Emphasis => {
                self.emphasis += 1;
                self.push(Kind::Mark, "*", self.face());
            }
            Tag::Strikethrough => {
                self.struck += 1;
                self.push(Kind::Mark, "~~", self.face());
            }
            Tag::Link { dest_url, .. } => {
                self.tree.urls.push(one_line(&dest_url));
                let begun = self.inline.get_or_insert_default().len();
                self.link = Some((self.tree.urls.len() - 1, begun));
            }
            // What is in an image is what is said instead of it.
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Paragraph => self.end_paragraph(),
            TagEnd::Heading(_) => {
                let level = self.heading.take();
                if let (Some(level), Some(fragments)) = (level, self.inline.take()) {
                    self.node(Node::Heading(level, fragments));
                }
            }
            TagEnd::BlockQuote(_) | TagEnd::List(_) | TagEnd::Item | TagEnd::FootnoteDefinition => {
                self.end_paragraph();
                if self.beyond > 0 {
                    self.beyond -= 1;
                } else {
                    self.close();
                }
            }
            TagEnd::CodeBlock => self.end_code(),
            TagEnd::HtmlBlock => {
                let text = without_tags(&self.html.take().unwrap_or_default());
                if !text.trim().is_empty() {
                    self.push(Kind::Text, &text, self.face());
                    self.end_paragraph();
                }
            }
            TagEnd::Table => {
                if let Some(table) = self.table.take() {
                    self.node(Node::Table(table));
                }
            }
            TagEnd::TableCell => {
                let cell = self.inline.take().unwrap_or_default();
                if let Some(table) = &mut self.table {
                    table.rows.last_mut().unwrap_or(&mut table.head).push(cell);
                }
            }
            TagEnd::Strong => {
                self.push(Kind::Mark, "**", self.face());
                self.strong = self.strong.saturating_sub(1);
            }
            TagEnd::Emphasis => {
                self.push(Kind::Mark, "*", self.face());
                self.emphasis = self.emphasis.saturating_sub(1);
            }
            TagEnd::Strikethrough => {
                self.push(Kind::Mark, "~~", self.face());
                self.struck = self.struck.saturating_sub(1);
            }
            TagEnd::Link => self.end_link(),
            _ => {}
        }
    }

    fn face(&self) -> Face {
        let role = match (&self.link, self.heading) {
            (Some(_), _) => Role::Link,
            (None, Some(level)) => Role::Heading(level),
            (None, None) => Role::Body,
        };
        let strong = self.strong > 0 || self.heading.is_some();
        Face { role, strong, emphasis: self.emphasis > 0, struck: self.struck > 0 }
    }

    fn text(&mut self, text: &str) {
        match &mut self.code {
            Some(code) => code.text.push_str(text),
            None => self.push(Kind::Text, text, self.face()),
        }
    }

    fn push(&mut self, kind: Kind, text: &str, face: Face) {
        let link = self.link.map(|(link, _)| link);
        let text = clean(text).replace('\n', " ");
        self.inline.get_or_insert_default().push(Fragment { kind, text, face, link });
    }

    /// The address is told where the text is another and a reader could type it in.
    fn end_link(&mut self) {
        let Some((link, begun)) = self.link.take() else { return };
        let (Some(inline), Some(url)) = (&self.inline, self.tree.urls.get(link)) else { return };
        let text: String = plain(inline.get(begun..).unwrap_or_default());
        let bare = |text: &str| text.trim().trim_start_matches("mailto:").trim_end_matches('/').to_owned();
        if is_absolute(url) && bare(url) != bare(&text) {
            let address = if text.trim().is_empty() { url.clone() } else { format!(" ({url})") };
            self.push(Kind::Text, &address, Face::of(Role::Dim));
        }
    }

    fn end_paragraph(&mut self) {
        if let Some(fragments) = self.inline.take()
            && !fragments.is_empty()
        {
            self.node(Node::Paragraph(fragments));
        }
    }

    fn end_code(&mut self) {
        let Some(mut code) = self.code.take() else { return };
        // Code hosts do not show what follows the language, so lessons name the file above its block; once is enough.
        let said = match (&code.file, self.nodes().last()) {
            (Some(file), Some(Node::Paragraph(above))) => Some(plain(above)).filter(|text| names(text, file)),
            _ => None,
        };
        if said.is_some() {
            self.nodes().pop();
        }
        code.caption = said.or_else(|| code.file.as_deref().map(one_line));
        self.node(Node::Code(code));
    }

    fn task(&mut self, done: bool) {
        match self.stack.last_mut() {
            Some(Frame { holds: Holds::Item(task), .. }) if self.beyond == 0 => *task = Some(done),
            _ => self.push(Kind::Text, if done { "[x] " } else { "[ ] " }, self.face()),
        }
    }

    /// A paragraph of its own right in an item sets the list's items apart.
    fn loosen(&mut self) {
        if self.beyond == 0
            && let [.., Frame { holds: Holds::List(list), .. }, Frame { holds: Holds::Item(_), .. }] = &mut self.stack[..]
        {
            list.loose = true;
        }
    }

    fn nodes(&mut self) -> &mut Vec<Node> {
        self.stack.last_mut().map_or(&mut self.tree.nodes, |frame| &mut frame.nodes)
    }

    fn node(&mut self, node: Node) {
        self.nodes().push(node);
    }

    fn open(&mut self, holds: Holds) {
        self.end_paragraph();
        if self.beyond > 0 || self.stack.len() >= DEEPEST {
            self.beyond += 1;
        } else {
            self.stack.push(Frame { holds, nodes: Vec::new() });
        }
    }

    fn close(&mut self) {
        let Some(Frame { holds, nodes }) = self.stack.pop() else { return };
        match holds {
            Holds::Quote => self.node(Node::Quote(nodes)),
            Holds::Footnote(name) => self.node(Node::Footnote(name, nodes)),
            Holds::List(mut list) => {
                // What is in a list but in none of its items: there is no such thing, but nothing may be lost.
                if !nodes.is_empty() {
                    list.items.push(Item { task: None, nodes });
                }
                self.node(Node::List(list));
            }
            Holds::Item(task) => match self.stack.last_mut() {
                Some(Frame { holds: Holds::List(list), .. }) => list.items.push(Item { task, nodes }),
                _ => self.nodes().extend(nodes),
            },
        }
    }
}

/// The words after a fence: the language, and the file that is named.
fn fenced(info: &CowStr<'_>) -> Code {
    let mut code = Code::default();
    for word in info.split_whitespace() {
        match word.split_once('=') {
            None if code.language.is_empty() => word.clone_into(&mut code.language),
            Some(("file", path)) if !path.is_empty() => code.file = Some(path.to_owned()),
            _ => {}
        }
    }
    code
}

/// Whether a paragraph says no more than the file's name: `src/x.rs`, `src/x.rs (new)`.
fn names(text: &str, file: &str) -> bool {
    text.trim().strip_prefix(file).is_some_and(|rest| rest.is_empty() || rest.starts_with(" (") && rest.ends_with(')'))
}

fn plain(fragments: &[Fragment]) -> String {
    fragments.iter().filter(|fragment| fragment.kind == Kind::Text).map(|fragment| fragment.text.as_str()).collect()
}

fn one_line(text: &str) -> String {
    clean(text).split_whitespace().collect::<Vec<_>>().join(" ")
}

fn is_absolute(url: &str) -> bool {
    url.contains("://") || url.starts_with("mailto:")
}

const fn kind_name(kind: BlockQuoteKind) -> &'static str {
    match kind {
        BlockQuoteKind::Note => "Note",
        BlockQuoteKind::Tip => "Tip",
        BlockQuoteKind::Important => "Important",
        BlockQuoteKind::Warning => "Warning",
        BlockQuoteKind::Caution => "Caution",
    }
}
