//! Work in the order of its calls, each with a bar from its start to its end.

use std::collections::{HashMap, HashSet};

use maud::{Markup, html};

use super::{ROWS, shown};

/// The indentation does not grow beyond this.
const DEEPEST: usize = 8;
/// How many bytes the details of all rows may take together; those of further rows are left out.
const DETAILS: usize = 1 << 20;

/// A span, a segment or a subsegment.
#[derive(Debug, Clone)]
pub(super) struct Work {
    pub id: String,
    /// The caller's id; empty on a root.
    pub parent: String,
    pub name: String,
    /// What stands beside the name: the service, the kind.
    pub by: String,
    /// In milliseconds, from any moment that is the same for all.
    pub start_ms: f64,
    /// In milliseconds; `None` while it has not ended.
    pub duration_ms: Option<f64>,
    /// Whether it failed.
    pub failed: bool,
    /// Whether it is work within a service, and not a service's own.
    pub inner: bool,
}

/// The rows, the earliest first and what was called beneath its caller, each with its details.
pub(super) fn waterfall(works: &[Work], details: impl Fn(usize) -> Markup) -> Markup {
    let start = works.iter().map(|work| work.start_ms).fold(f64::INFINITY, f64::min);
    let end = works.iter().map(|work| work.start_ms + work.duration_ms.unwrap_or(0.0)).fold(f64::NEG_INFINITY, f64::max);
    let whole = (end - start).max(f64::MIN_POSITIVE);
    let order = order(works);
    let mut room = DETAILS;
    html! {
        ol.falls {
            @for &(index, depth) in order.iter().take(ROWS) {
                @let work = &works[index];
                li {
                    details {
                        summary {
                            span class=(format!("name d{}", depth.min(DEEPEST))) {
                                span.away { "level " (depth + 1) ": " }
                                (shown::text(&work.name, shown::CELL)) " "
                                span.note { (shown::text(&work.by, shown::CELL)) }
                                @if work.failed { " " span.bad { "error" } }
                            }
                            (bar(work, (work.start_ms - start) / whole, work.duration_ms.unwrap_or(0.0) / whole))
                            span.took {
                                @match work.duration_ms { Some(ms) => (shown::duration(ms)), None => "in progress" }
                            }
                        }
                        div.in {
                            p.note { "Begins " (shown::duration(work.start_ms - start)) " after the first." }
                            (within(&mut room, || details(index)))
                        }
                    }
                }
            }
        }
        @if works.len() > ROWS { p.note { "Of " (shown::grouped(works.len())) " only the first " (ROWS) " are shown." } }
    }
}

fn within(room: &mut usize, details: impl FnOnce() -> Markup) -> Markup {
    if *room == 0 {
        return html! { p.note { "The details are left out: this page is long enough." } };
    }
    let details = details();
    *room = room.saturating_sub(details.0.len());
    details
}

fn bar(work: &Work, from: f64, part: f64) -> Markup {
    // Thinner ones could not be seen.
    let width = (part * 100.0).clamp(0.5, 100.0);
    let left = (from * 100.0).clamp(0.0, 100.0 - width);
    let class = if work.failed { Some("wrong") } else { work.inner.then_some("inner") };
    html! {
        svg aria-hidden="true" {
            rect class=[class] x=(format!("{left:.2}%")) width=(format!("{width:.2}%")) height="100%" {}
        }
    }
}

/// Every piece of work once, with its depth: callers before what they called, siblings by their start. Whose caller is
/// not there begins anew, and so does a ring.
fn order(works: &[Work]) -> Vec<(usize, usize)> {
    let known: HashSet<&str> = works.iter().map(|work| work.id.as_str()).filter(|id| !id.is_empty()).collect();
    let mut called: HashMap<&str, Vec<usize>> = HashMap::new();
    let mut roots = Vec::new();
    for (index, work) in works.iter().enumerate() {
        if work.parent != work.id && known.contains(work.parent.as_str()) {
            called.entry(&work.parent).or_default().push(index);
        } else {
            roots.push(index);
        }
    }
    let by_start = |left: &usize, right: &usize| works[*left].start_ms.total_cmp(&works[*right].start_ms).then(left.cmp(right));
    roots.sort_by(by_start);
    let mut rest: Vec<usize> = (0..works.len()).collect();
    rest.sort_by(by_start);
    let mut seen = vec![false; works.len()];
    let mut order = Vec::with_capacity(works.len());
    for first in roots.into_iter().chain(rest) {
        let mut waiting = vec![(first, 0)];
        while let Some((index, depth)) = waiting.pop() {
            if std::mem::replace(&mut seen[index], true) {
                continue;
            }
            order.push((index, depth));
            // Taken away: of two with one id, the first to be shown has what they called.
            let mut below = called.remove(works[index].id.as_str()).unwrap_or_default();
            below.sort_by(by_start);
            waiting.extend(below.into_iter().rev().map(|below| (below, depth + 1)));
        }
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn work(id: &str, parent: &str, start_ms: f64, duration_ms: f64) -> Work {
        Work {
            id: id.to_owned(),
            parent: parent.to_owned(),
            name: format!("<{id}>"),
            by: String::from("cruddur"),
            start_ms,
            duration_ms: Some(duration_ms),
            failed: false,
            inner: false,
        }
    }

    #[test]
    fn callers_come_before_what_they_called_and_orphans_begin_anew() {
        let works = [
            work("c", "b", 3.0, 1.0),
            work("b", "a", 2.0, 2.0),
            work("d", "a", 1.0, 1.0),
            work("a", "", 0.0, 8.0),
            work("e", "gone", 9.0, 1.0),
        ];
        assert_eq!(order(&works), [(3, 0), (2, 1), (1, 1), (0, 2), (4, 0)]);
        let page = waterfall(&works, |_| html! {}).into_string();
        assert!(page.contains(r#"<rect x="20.00%" width="20.00%" height="100%">"#), "{page}");
        assert!(page.contains("&lt;a&gt;") && !page.contains("<a>"));
    }

    #[test]
    fn details_end_where_the_page_is_long_enough() {
        let works: Vec<Work> = (0..5).map(|index| work(&index.to_string(), "", 0.0, 1.0)).collect();
        let page = waterfall(&works, |_| html! { ("x".repeat(DETAILS / 2)) }).into_string();
        assert_eq!(page.matches("are left out").count(), 3);
    }

    proptest! {
        #[test]
        fn each_is_shown_once_whoever_called_whom(links in prop::collection::vec((0_u8..6, 0_u8..7, any::<f64>(), any::<f64>()), 0..24)) {
            let works: Vec<Work> =
                links.iter().map(|(id, parent, start, took)| work(&id.to_string(), &parent.to_string(), *start, *took)).collect();
            let mut shown: Vec<usize> = order(&works).into_iter().map(|(index, _)| index).collect();
            shown.sort_unstable();
            prop_assert_eq!(shown, (0..works.len()).collect::<Vec<_>>());
            let page = waterfall(&works, |_| html! {}).into_string();
            prop_assert_eq!(page.matches("<li>").count(), works.len());
        }
    }
}
