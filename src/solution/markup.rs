//! A file of the solution, with markers that say which lines came with which step. `solutions/README.md` has the grammar.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::ops::Range;

use crate::check::{Flaw, closest};

use super::stages::Stages;

/// A file that was taken apart at its markers.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Marked {
    /// The stage from which on the file is there, where it says so.
    pub since: Option<usize>,
    pieces: Vec<Piece>,
}

#[derive(Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Region { since: usize, old: Vec<Piece>, new: Vec<Piece> },
}

/// Regions in regions, and old text in old text. Nobody can read more of them.
const DEEPEST: usize = 16;

/// What is larger is not written by hand.
const LARGEST: usize = 1 << 20;

/// More flaws than this in one file help nobody.
const MOST_FLAWS: usize = 20;

/// How a comment begins in a file of this name; `None` where it has no comments, and so no markers.
pub(crate) fn leader(path: &str) -> Option<&'static str> {
    let name = path.rsplit('/').next().unwrap_or(path);
    match name.rsplit_once('.').map_or(name, |(_, ending)| ending) {
        "rs" => Some("//"),
        "toml" | "yaml" | "yml" | "Dockerfile" | "gitignore" | "dockerignore" | "env" | "sh" => Some("#"),
        _ if name.starts_with(".env.") || name.starts_with("Dockerfile.") => Some("#"),
        _ => None,
    }
}

/// A line, and where it stands in the file. Its text lacks the line break.
#[derive(Debug, Clone)]
struct Line<'a> {
    text: Cow<'a, str>,
    ending: &'a str,
    span: Range<usize>,
}

impl Marked {
    /// Reads a file's text. What is wrong is told, and left out.
    pub(super) fn parse(text: &str, leader: &str, stages: &Stages) -> (Self, Vec<Flaw>) {
        if text.len() > LARGEST {
            let message = format!("the file has {} bytes; at most {LARGEST} are read", text.len());
            let flaw = Flaw { message, span: 0..0, label: String::from("far too large"), help: None };
            return (Self { since: None, pieces: Vec::new() }, vec![flaw]);
        }
        let mut reader = Reader { leader, stages, flaws: Vec::new() };
        let mut lines = lines(text);
        let since = reader.file_marker(&mut lines);
        let pieces = reader.pieces(lines, since.unwrap_or(0)..=stages.last(), 0);
        reader.flaws.sort_by_key(|flaw| flaw.span.start);
        reader.flaws.truncate(MOST_FLAWS);
        (Self { since, pieces }, reader.flaws)
    }

    /// The file's text at a stage.
    pub(super) fn at(&self, stage: usize) -> String {
        let mut text = String::new();
        render(&self.pieces, stage, &mut text);
        text
    }

    /// The stages at which the text changes.
    pub(super) fn changes(&self) -> BTreeSet<usize> {
        let mut stages = BTreeSet::new();
        collect(&self.pieces, &mut stages);
        stages
    }
}

fn render(pieces: &[Piece], stage: usize, text: &mut String) {
    for piece in pieces {
        match piece {
            Piece::Text(lines) => text.push_str(lines),
            Piece::Region { since, old, new } => render(if stage < *since { old } else { new }, stage, text),
        }
    }
}

fn collect(pieces: &[Piece], stages: &mut BTreeSet<usize>) {
    for piece in pieces {
        if let Piece::Region { since, old, new } = piece {
            stages.insert(*since);
            collect(old, stages);
            collect(new, stages);
        }
    }
}

fn lines(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    let mut lines = Vec::new();
    for whole in text.split_inclusive('\n') {
        let line = whole.strip_suffix('\n').map_or(whole, |line| line.strip_suffix('\r').unwrap_or(line));
        lines.push(Line { text: Cow::Borrowed(line), ending: &whole[line.len()..], span: start..start + line.len() });
        start += whole.len();
    }
    lines
}

/// What a line is.
enum Role<'a> {
    Text,
    /// `//@ …` on a line of its own.
    Marker(&'a str),
    /// `//~ …`: the indentation, and what follows it.
    Old(&'a str, &'a str),
    /// `… //@ …`: the line without its marker, and the marker.
    Trailing(&'a str, &'a str),
}

fn role<'a>(line: &'a str, leader: &str) -> Role<'a> {
    let bare = line.trim_start();
    let indent = &line[..line.len() - bare.len()];
    if let Some(comment) = bare.strip_prefix(leader) {
        if let Some(marker) = comment.strip_prefix('@') {
            return Role::Marker(marker.trim());
        }
        if let Some(old) = comment.strip_prefix('~') {
            return Role::Old(indent, old);
        }
    }
    let found = line.match_indices(leader).find_map(|(at, _)| {
        let marker = line[at + leader.len()..].strip_prefix("@ ")?;
        line[..at].ends_with([' ', '\t']).then_some((line[..at].trim_end(), marker.trim()))
    });
    found.map_or(Role::Text, |(text, marker)| Role::Trailing(text, marker))
}

/// A region whose end has not come yet.
struct Open<'a> {
    since: usize,
    span: Range<usize>,
    old: Vec<Line<'a>>,
    new: Vec<Piece>,
    /// Whether something stands in it already that is not old text.
    begun: bool,
}

struct Reader<'s> {
    leader: &'s str,
    stages: &'s Stages,
    flaws: Vec<Flaw>,
}

impl Reader<'_> {
    fn flaw(&mut self, span: &Range<usize>, message: impl Into<String>, label: &str, help: impl Into<String>) {
        let (message, label, help) = (message.into(), label.to_owned(), Some(help.into()));
        self.flaws.push(Flaw { message, span: span.clone(), label, help });
    }

    /// Takes `//@ file since …` off the top.
    fn file_marker(&mut self, lines: &mut Vec<Line<'_>>) -> Option<usize> {
        let first = lines.first()?;
        let Role::Marker(marker) = role(&first.text, self.leader) else { return None };
        let name = marker.strip_prefix("file since ")?.trim().to_owned();
        let line = lines.remove(0);
        self.stage(&name, &line.span)
    }

    /// The stage that a marker names.
    fn stage(&mut self, name: &str, span: &Range<usize>) -> Option<usize> {
        let stage = self.stages.named(name);
        if stage.is_none() {
            let help = self.stages.remedy(name);
            self.flaw(span, format!("the course has no step `{name}`"), "no such step", help);
        }
        stage
    }

    /// The stage that `since …` names, if it lies where it can be seen.
    fn since(&mut self, marker: &str, span: &Range<usize>, seen: &std::ops::RangeInclusive<usize>) -> Option<usize> {
        let Some(name) = marker.strip_prefix("since ").map(str::trim) else {
            let word = marker.split_whitespace().next().unwrap_or_default();
            let leader = self.leader;
            let help = match (word, closest(word, ["since", "end"])) {
                ("file", _) => format!("`{leader}@ file since …` is the first line of a file"),
                (_, Some(close)) => format!("did you mean `{leader}@ {close}`?"),
                _ => format!(
                    "there are `{leader}@ since <lesson>/<step>`, `{leader}@ end` and `{leader}@ file since <lesson>/<step>`"
                ),
            };
            self.flaw(span, format!("`{leader}@ {marker}` is no marker"), "unknown", help);
            return None;
        };
        let stage = self.stage(name, span)?;
        if stage < *seen.start() {
            let outer = self.name(*seen.start());
            let help = format!("what surrounds it came with {outer}: name that step or a later one, or move it out");
            self.flaw(span, format!("`{name}` is earlier than what surrounds it"), "never seen", help);
            return None;
        }
        if stage > *seen.end() {
            let outer = self.name(*seen.end() + 1);
            let help = format!("this text was replaced with {outer}: name an earlier step");
            self.flaw(span, format!("`{name}` comes when this text is gone already"), "never seen", help);
            return None;
        }
        Some(stage)
    }

    fn name(&self, stage: usize) -> String {
        match stage.checked_sub(1).map(|index| self.stages.steps.get(index)) {
            Some(Some(step)) => format!("`{step}`"),
            Some(None) => String::from("the reference"),
            None => String::from("the starter"),
        }
    }

    /// The pieces of lines that are seen in these stages.
    fn pieces(&mut self, lines: Vec<Line<'_>>, seen: std::ops::RangeInclusive<usize>, depth: usize) -> Vec<Piece> {
        let mut pieces = Vec::new();
        let mut open: Vec<Open<'_>> = Vec::new();
        for line in lines {
            let text = line.text.clone();
            // What has no step is read on as if it came with what surrounds it, so that its end finds its beginning.
            let surround = open.last().map_or(*seen.start(), |region| region.since);
            let here = surround..=*seen.end();
            match role(&text, self.leader) {
                Role::Old(indent, old) => match open.last_mut().filter(|region| !region.begun) {
                    Some(region) => {
                        let Some(old) = (if old.is_empty() { Some("") } else { old.strip_prefix(' ') }) else {
                            let message = format!("`{}~` and the old text stick together", self.leader);
                            self.flaw(&line.span, message, "a space is missing", format!("write `{}~ {old}`", self.leader));
                            continue;
                        };
                        let text = if old.is_empty() { String::new() } else { format!("{indent}{old}") };
                        region.old.push(Line { text: Cow::Owned(text), ..line });
                    }
                    None => {
                        let message = format!("`{}~` stands where nothing was replaced", self.leader);
                        let help = format!("old text follows directly on `{}@ since …`", self.leader);
                        self.flaw(&line.span, message, "out of place", help);
                    }
                },
                Role::Marker("end") => match open.pop() {
                    Some(region) => {
                        let from = open.last().map_or(*seen.start(), |outer| outer.since);
                        let piece = self.close(region, from, depth);
                        push(&mut pieces, &mut open, piece);
                    }
                    None => {
                        let help = format!("remove it, or write `{}@ since …` where the region begins", self.leader);
                        self.flaw(&line.span, "nothing begins that could end here", "an end too many", help);
                    }
                },
                Role::Marker(marker) => {
                    if open.len() + depth >= DEEPEST {
                        let help = String::from("put what changes so often into a file of its own");
                        self.flaw(&line.span, format!("more than {DEEPEST} regions in one another"), "too deep", help);
                        return Vec::new();
                    }
                    let stage = self.since(marker, &line.span, &here);
                    if let Some(outer) = open.last_mut() {
                        outer.begun = true;
                    }
                    if stage.is_some() || marker.starts_with("since ") {
                        let since = stage.unwrap_or(surround);
                        open.push(Open { since, span: line.span, old: Vec::new(), new: Vec::new(), begun: false });
                    }
                }
                Role::Trailing(kept, marker) => {
                    let since = self.since(marker, &line.span, &here);
                    let text = Piece::Text(format!("{kept}{}", line.ending));
                    let piece = match since {
                        Some(since) => Piece::Region { since, old: Vec::new(), new: vec![text] },
                        None => text,
                    };
                    push(&mut pieces, &mut open, piece);
                }
                Role::Text => push(&mut pieces, &mut open, Piece::Text(format!("{text}{}", line.ending))),
            }
        }
        for region in open {
            let help = format!("write `{}@ end` behind its last line", self.leader);
            self.flaw(&region.span, "this region never ends", "it begins here", help);
        }
        pieces
    }

    fn close(&mut self, region: Open<'_>, from: usize, depth: usize) -> Piece {
        let Open { since, span, old, new, .. } = region;
        if old.is_empty() && new.is_empty() {
            self.flaw(&span, "this region is empty", "nothing came and nothing went", "remove it");
        }
        let old = match since.checked_sub(1).filter(|until| *until >= from) {
            Some(until) => self.pieces(old, from..=until, depth + 1),
            None => {
                if let Some(line) = old.first() {
                    let help = "remove the old text, or name a later step";
                    self.flaw(&line.span.clone(), "nobody ever sees this old text", "replaced from its first day on", help);
                }
                Vec::new()
            }
        };
        Piece::Region { since, old, new }
    }
}

/// Adds a piece to the innermost region. Text joins text.
fn push(pieces: &mut Vec<Piece>, open: &mut [Open<'_>], piece: Piece) {
    let target = match open.last_mut() {
        Some(region) => {
            region.begun = true;
            &mut region.new
        }
        None => pieces,
    };
    match (target.last_mut(), piece) {
        (Some(Piece::Text(before)), Piece::Text(text)) => before.push_str(&text),
        (_, piece) => target.push(piece),
    }
}

#[cfg(test)]
mod tests;
