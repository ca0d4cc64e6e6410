//! One request as the vendors show it: a line for each span, segment and subsegment, indented beneath its parent, with a bar for
//! when and how long.

use std::collections::HashSet;

use super::text::{bounded, one_line};
use crate::facts::{Evidence, Segment, Span, TraceId};

/// So many lines are kept of one vendor's tree.
const ROWS: usize = 60;

/// Deeper than this, a line is not indented any further.
const DEEPEST: usize = 16;

/// What the vendors have of one request.
#[derive(Debug, Clone, PartialEq)]
pub struct Waterfall {
    /// The trace's id in the W3C's form: 32 hex digits.
    pub trace_id: String,
    /// A tree for each vendor that has one.
    pub trees: Vec<Tree>,
}

/// What one vendor has of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tree {
    /// `Honeycomb`, `AWS X-Ray`.
    pub vendor: &'static str,
    /// Its lines, parents first.
    pub rows: Vec<Row>,
    /// From the first beginning to the last end, in milliseconds.
    pub span_ms: f64,
    /// Lines that are left out, because there are too many.
    pub left_out: usize,
}

/// A span, a segment or a subsegment.
#[derive(Debug, Clone, PartialEq)]
pub struct Row {
    /// How deep it stands: 0 is a root.
    pub depth: usize,
    /// Its name, free of terminal escapes.
    pub name: String,
    /// `server`, `client`, `segment`, …
    pub kind: String,
    /// From the tree's beginning, in milliseconds.
    pub offset_ms: f64,
    /// In milliseconds.
    pub duration_ms: f64,
    /// Whether it ended in an error.
    pub failed: bool,
}

impl Waterfall {
    /// What there is of a trace; `None` where no vendor has anything of it.
    #[must_use]
    pub fn of(evidence: &Evidence, trace: &TraceId) -> Option<Self> {
        let (hex, own) = (trace.w3c(), trace.xray());
        let mut spans: Vec<&Span> = evidence.spans.iter().map(|seen| &seen.fact).filter(|span| span.trace_id == hex).collect();
        spans.sort_by_key(|span| span.start_ms);
        let mut segments: Vec<&Segment> =
            evidence.segments.iter().map(|seen| &seen.fact).filter(|segment| segment.trace_id == own).collect();
        segments.sort_by(|one, other| one.start_time.total_cmp(&other.start_time));
        let trees = [Tree::of_spans(&spans), Tree::of_segments(&segments)];
        let trees: Vec<Tree> = trees.into_iter().flatten().collect();
        (!trees.is_empty()).then_some(Self { trace_id: hex, trees })
    }
}

impl Tree {
    fn of_spans(spans: &[&Span]) -> Option<Self> {
        let known: HashSet<&str> = spans.iter().map(|span| span.span_id.as_str()).collect();
        let is_root = |span: &Span| span.parent_id.as_deref().is_none_or(|parent| !known.contains(parent));
        let start = spans.iter().map(|span| span.start_ms).min()?;
        let mut rows = Vec::new();
        let mut seen = HashSet::new();
        // A list instead of recursion: what was sent may be deep, or go in circles.
        let mut open: Vec<(&Span, usize)> = spans.iter().rev().filter(|span| is_root(span)).map(|span| (*span, 0)).collect();
        while let Some((span, depth)) = open.pop() {
            if !seen.insert(span.span_id.as_str()) {
                continue;
            }
            #[expect(clippy::cast_precision_loss, reason = "milliseconds within one trace")]
            let offset_ms = span.start_ms.saturating_sub(start) as f64;
            let kind = one_line(&span.kind);
            rows.push(Row::new(depth, &span.name, kind, offset_ms, span.duration_ms, span.status_code == 2));
            let children = spans.iter().rev().filter(|child| child.parent_id.as_deref() == Some(span.span_id.as_str()));
            open.extend(children.map(|child| (*child, depth + 1)));
        }
        Self::new("Honeycomb", rows)
    }

    fn of_segments(segments: &[&Segment]) -> Option<Self> {
        let start = segments.iter().map(|segment| segment.start_time).min_by(f64::total_cmp)?;
        let mut rows = Vec::new();
        let mut open: Vec<(&Segment, usize)> = segments.iter().rev().map(|segment| (*segment, 0)).collect();
        while let Some((segment, depth)) = open.pop() {
            let ended = segment.end_time.unwrap_or(segment.start_time);
            let kind = if depth == 0 && !segment.is_subsegment() { "segment" } else { "subsegment" };
            let failed = segment.fault || segment.error || segment.throttle;
            let (offset_ms, took_ms) = ((segment.start_time - start) * 1e3, (ended - segment.start_time) * 1e3);
            rows.push(Row::new(depth, &segment.name, kind.to_owned(), offset_ms, took_ms, failed));
            open.extend(segment.subsegments.iter().rev().map(|child| (child, depth + 1)));
        }
        Self::new("AWS X-Ray", rows)
    }

    fn new(vendor: &'static str, mut rows: Vec<Row>) -> Option<Self> {
        let span_ms = rows.iter().map(|row| row.offset_ms + row.duration_ms).fold(0.0, f64::max);
        let left_out = rows.len().saturating_sub(ROWS);
        rows.truncate(ROWS);
        (!rows.is_empty()).then_some(Self { vendor, rows, span_ms, left_out })
    }
}

impl Row {
    fn new(depth: usize, name: &str, kind: String, offset_ms: f64, duration_ms: f64, failed: bool) -> Self {
        // What a service sends may be no number at all.
        let sound = |number: f64| if number.is_finite() { number.max(0.0) } else { 0.0 };
        Self {
            depth: depth.min(DEEPEST),
            name: bounded(&one_line(name), 100),
            kind,
            offset_ms: sound(offset_ms),
            duration_ms: sound(duration_ms),
            failed,
        }
    }

    /// Where its bar begins and how long it is, in so many columns; at least one is filled.
    #[must_use]
    pub fn bar(&self, span_ms: f64, columns: usize) -> (usize, usize) {
        if columns == 0 {
            return (0, 0);
        }
        let share = |ms: f64| if span_ms > 0.0 { (ms / span_ms).clamp(0.0, 1.0) } else { 0.0 };
        #[expect(clippy::cast_precision_loss, reason = "columns of a terminal")]
        let width = columns as f64;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and the columns")]
        let at = |ms: f64| (share(ms) * width).round() as usize;
        let begin = at(self.offset_ms).min(columns - 1);
        let end = at(self.offset_ms + self.duration_ms).clamp(begin + 1, columns);
        (begin, end - begin)
    }
}

/// How long something took: `0.04 ms`, `4.2 ms`, `48 ms`, `1.2 s`.
#[must_use]
pub fn took(ms: f64) -> String {
    match ms {
        ms if ms < 1.0 => format!("{ms:.2} ms"),
        ms if ms < 10.0 => format!("{ms:.1} ms"),
        ms if ms < 1_000.0 => format!("{ms:.0} ms"),
        ms => format!("{:.1} s", ms / 1e3),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::facts::Sighting;

    fn span(id: &str, parent: Option<&str>, name: &str, start_ms: i64, duration_ms: f64, trace: &TraceId) -> Sighting<Span> {
        let fact = Span {
            trace_id: trace.w3c(),
            span_id: id.to_owned(),
            parent_id: parent.map(str::to_owned),
            name: name.to_owned(),
            kind: String::from("internal"),
            dataset: String::from("backend"),
            start_ms,
            duration_ms,
            status_code: 0,
            attributes: crate::facts::Attributes::default(),
        };
        Sighting { seen_ms: 0, fact }
    }

    fn shape(tree: &Tree) -> Vec<(usize, &str)> {
        tree.rows.iter().map(|row| (row.depth, row.name.as_str())).collect()
    }

    #[test]
    fn children_stand_beneath_their_parents_and_strangers_are_left_out() {
        let trace = TraceId::fresh(1_790_000_000);
        let spans = vec![
            span("b", Some("a"), "second", 20, 5.0, &trace),
            span("a", Some("the-probe"), "root", 0, 40.0, &trace),
            span("c", Some("b"), "deep\u{1b}[2J", 21, 1.0, &trace),
            span("d", Some("a"), "first", 10, 5.0, &trace),
            span("x", None, "another trace", 0, 1.0, &TraceId::fresh(1_790_000_001)),
        ];
        let segment = Segment {
            trace_id: trace.xray(),
            id: String::from("1"),
            name: String::from("backend"),
            start_time: 1.0,
            end_time: Some(1.2),
            subsegments: vec![Segment {
                name: String::from("mock-data"),
                start_time: 1.1,
                end_time: Some(1.15),
                fault: true,
                ..Segment::default()
            }],
            ..Segment::default()
        };
        let segments = vec![Sighting { seen_ms: 0, fact: segment }];
        let waterfall = Waterfall::of(&Evidence { spans, segments, ..Evidence::default() }, &trace).unwrap();
        assert_eq!(shape(&waterfall.trees[0]), [(0, "root"), (1, "first"), (1, "second"), (2, "deep")]);
        assert_eq!(shape(&waterfall.trees[1]), [(0, "backend"), (1, "mock-data")]);
        assert!(waterfall.trees[1].rows[1].failed);
        assert_eq!(waterfall.trees[0].rows[1].bar(waterfall.trees[0].span_ms, 40), (10, 5));
        assert_eq!(Waterfall::of(&Evidence::default(), &trace), None);
    }

    #[test]
    fn circles_and_numbers_that_are_none_do_no_harm() {
        let trace = TraceId::fresh(1_790_000_000);
        let spans = vec![
            span("a", None, "root", 0, f64::NAN, &trace),
            span("a", Some("a"), "itself", 0, -1.0, &trace),
            span("b", Some("c"), "round", i64::MAX, f64::INFINITY, &trace),
            span("c", Some("b"), "and round", 0, 1.0, &trace),
        ];
        let waterfall = Waterfall::of(&Evidence { spans, ..Evidence::default() }, &trace).unwrap();
        for row in &waterfall.trees[0].rows {
            for columns in [0, 1, 7, 80] {
                let (begin, length) = row.bar(waterfall.trees[0].span_ms, columns);
                assert!(begin + length <= columns);
            }
        }
    }
}
