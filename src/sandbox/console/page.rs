//! What all pages have in common.

use std::sync::LazyLock;

use maud::{DOCTYPE, Markup, PreEscaped, html};
use sha2::{Digest, Sha256};

use super::PATH;
use super::asked::Asked;
use crate::sandbox::otlp::base64;

const STYLE: &str = include_str!("style.css");

/// How often a live page is asked for, in seconds.
const REFRESH: u32 = 5;

/// Only the stylesheet above is taken, told by its hash; no script, no picture, no form, no frame.
static POLICY: LazyLock<String> = LazyLock::new(|| {
    let hash = base64(&Sha256::digest(STYLE));
    format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'")
});

/// The policy that goes with every page.
pub(super) fn policy() -> &'static str {
    &POLICY
}

/// The parts of the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Tab {
    Overview,
    Traces,
    Logs,
    Items,
}

impl Tab {
    const ALL: [Self; 4] = [Self::Overview, Self::Traces, Self::Logs, Self::Items];

    fn path(self) -> String {
        match self {
            Self::Overview => PATH.to_owned(),
            Self::Traces => format!("{PATH}/traces"),
            Self::Logs => format!("{PATH}/logs"),
            Self::Items => format!("{PATH}/items"),
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Overview => "Overview",
            Self::Traces => "Traces",
            Self::Logs => "Logs",
            Self::Items => "Errors",
        }
    }
}

/// A page without its frame.
#[derive(Debug)]
pub(super) struct Page {
    /// What it is about, for the window's title.
    pub title: String,
    /// Which part of the console it belongs to.
    pub tab: Option<Tab>,
    /// Whether it lists what may have come in meanwhile.
    pub live: bool,
    /// From the first heading on.
    pub body: Markup,
}

impl Page {
    /// The whole page.
    pub fn write(&self, asked: &Asked) -> String {
        let to = |path: String| if asked.live { path } else { format!("{path}?live=off") };
        let markup = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width,initial-scale=1";
                    @if self.live && asked.live { meta http-equiv="refresh" content=(REFRESH); }
                    title { (self.title) " · bootcamp sandbox" }
                    style { (PreEscaped(STYLE)) }
                }
                body {
                    header {
                        a.skip href="#main" { "Skip to the content" }
                        strong { "bootcamp sandbox" }
                        nav aria-label="Parts of the console" {
                            ul {
                                @for tab in Tab::ALL {
                                    li { a href=(to(tab.path())) aria-current=[(self.tab == Some(tab)).then_some("true")] { (tab.name()) } }
                                }
                            }
                        }
                    }
                    main #main { (self.body) }
                    footer.note {
                        p {
                            "All times are UTC. "
                            @if self.live {
                                @if asked.live {
                                    "This page is loaded anew every " (REFRESH) " seconds: "
                                    a href=(asked.again(false)) { "stop that" } "."
                                } @else {
                                    "This page stays as it is: " a href=(asked.again(false)) { "load it once" } ", or "
                                    a href=(asked.again(true)) { "every " (REFRESH) " seconds" } "."
                                }
                            }
                        }
                    }
                }
            }
        };
        markup.into_string()
    }
}

/// A table with its headings; the columns of numbers are set to the right.
pub(super) fn table(headings: &[&str], numbers: &[usize], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll {
            table {
                thead { tr { @for (index, heading) in headings.iter().enumerate() { th scope="col" class=[numbers.contains(&index).then_some("n")] { (heading) } } } }
                tbody {
                    @for row in rows {
                        tr { @for (index, cell) in row.iter().enumerate() { td class=[numbers.contains(&index).then_some("n")] { (cell) } } }
                    }
                }
            }
        }
    }
}
