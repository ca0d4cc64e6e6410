use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthStr;

use super::flow::Measure;
use super::node::{Fragment, Kind};
use super::{Face, Line, Link, Piece, Role, Sheet};

/// Sets running text in lines, broken at blanks; a word that is wider than a line is cut between graphemes.
pub(super) fn wrap(fragments: &[Fragment], measure: Measure<'_>) -> Sheet {
    let mut sheet = Sheet::default();
    for text in texts(fragments, measure.marks) {
        let mut setter = Setter { width: measure.width, ..Setter::default() };
        for cell in text.cells() {
            setter.take(cell);
        }
        setter.end_word();
        setter.end_line();
        for cells in &setter.lines {
            set(cells, &mut sheet, measure.urls);
        }
    }
    sheet
}

/// The columns that running text takes where nothing breaks it, and those of its widest word.
pub(super) fn extent(fragments: &[Fragment], marks: bool) -> (usize, usize) {
    let (mut whole, mut widest) = (0, 0);
    for text in texts(fragments, marks) {
        let (mut used, mut word, mut blank) = (0, 0, 0);
        for cell in text.cells() {
            if cell.text == " " {
                (word, blank) = (0, blank + 1);
                continue;
            }
            used += cell.width + if used > 0 { blank } else { 0 };
            (word, blank) = (word + cell.width, 0);
            widest = widest.max(word);
        }
        whole = whole.max(used);
    }
    (whole, widest)
}

/// Text between two forced breaks, and who is who in it.
#[derive(Default)]
struct Text {
    text: String,
    /// Up to which byte which face and link go.
    spans: Vec<(usize, Face, Option<usize>)>,
}

impl Text {
    fn push(&mut self, fragment: &Fragment) {
        // Blanks that follow blanks are one; but those of code mean something.
        let keeps = fragment.face.role == Role::Code;
        for next in fragment.text.chars() {
            if next != ' ' || keeps || !(self.text.is_empty() || self.text.ends_with(' ')) {
                self.text.push(next);
            }
        }
        self.spans.push((self.text.len(), fragment.face, fragment.link));
    }

    /// Its graphemes. They are found in the whole, for one may begin in a fragment and end in the next.
    fn cells(&self) -> impl Iterator<Item = Cell<'_>> {
        let mut spans = self.spans.iter().peekable();
        self.text.grapheme_indices(true).map(move |(at, text)| {
            while spans.next_if(|(end, ..)| *end <= at).is_some() {}
            let (face, link) = spans.peek().map_or((Face::default(), None), |(_, face, link)| (*face, *link));
            Cell { text, width: text.width(), face, link }
        })
    }
}

fn texts(fragments: &[Fragment], marks: bool) -> Vec<Text> {
    let mut texts = vec![Text::default()];
    for fragment in fragments {
        match (fragment.kind, texts.last_mut()) {
            (Kind::Break, _) => texts.push(Text::default()),
            (Kind::Text, Some(last)) => last.push(fragment),
            (Kind::Mark, Some(last)) if marks => last.push(fragment),
            _ => {}
        }
    }
    texts.retain(|text| !text.text.trim_matches(' ').is_empty());
    texts
}

/// A grapheme.
#[derive(Clone, Copy)]
struct Cell<'t> {
    text: &'t str,
    width: usize,
    face: Face,
    link: Option<usize>,
}

#[derive(Default)]
struct Setter<'t> {
    width: usize,
    lines: Vec<Vec<Cell<'t>>>,
    line: Vec<Cell<'t>>,
    used: usize,
    blanks: Vec<Cell<'t>>,
    word: Vec<Cell<'t>>,
}

impl<'t> Setter<'t> {
    fn take(&mut self, cell: Cell<'t>) {
        if cell.text == " " {
            self.end_word();
            self.blanks.push(cell);
        } else {
            self.word.push(cell);
        }
    }

    fn end_word(&mut self) {
        if self.word.is_empty() {
            return;
        }
        let wide: usize = self.word.iter().map(|cell| cell.width).sum();
        if !self.line.is_empty() && self.used + self.blanks.len() + wide > self.width {
            self.end_line();
        }
        if self.line.is_empty() {
            self.blanks.clear();
        }
        self.used += self.blanks.len();
        self.line.append(&mut self.blanks);
        for cell in std::mem::take(&mut self.word) {
            if !self.line.is_empty() && self.used + cell.width > self.width {
                self.end_line();
            }
            self.used += cell.width;
            self.line.push(cell);
        }
    }

    fn end_line(&mut self) {
        self.used = 0;
        if !self.line.is_empty() {
            self.lines.push(std::mem::take(&mut self.line));
        }
    }
}

/// Puts a line's graphemes together into pieces and links.
fn set(cells: &[Cell<'_>], sheet: &mut Sheet, urls: &[String]) {
    let mut line = Line::default();
    let mut at = 0;
    let mut open: Option<(usize, Link)> = None;
    for cell in cells {
        match (&mut open, cell.link) {
            (Some((id, link)), Some(same)) if *id == same => link.columns.end = at + cell.width,
            (_, other) => {
                sheet.links.extend(open.take().map(|(_, link)| link));
                open = other.and_then(|id| {
                    let url = urls.get(id)?.clone();
                    Some((id, Link { url, line: sheet.lines.len(), columns: at..at + cell.width }))
                });
            }
        }
        line.push(Piece::new(cell.text, cell.face));
        at += cell.width;
    }
    sheet.links.extend(open.map(|(_, link)| link));
    sheet.push(line);
}
