use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use pulldown_cmark::{Event, Options, Parser, Tag, TagEnd};

use crate::check::closest;
use crate::course::{Page, slug};

use super::{AuthorError, Subject};

/// Something on a page that leads to a file.
struct Link {
    target: String,
    /// Where the target is written.
    span: Range<usize>,
}

impl Subject<'_> {
    /// Links to files or headings that are not there. The answer is all files that are led to.
    pub(super) fn links(&mut self) -> Result<BTreeSet<String>, AuthorError> {
        let id = &self.course.id;
        let pages = |folder: &str| -> Result<Vec<Page>, AuthorError> {
            let files = self.checkout.files(folder)?;
            Ok(files.iter().filter(|file| file.ends_with(".md")).filter_map(|file| self.checkout.page(file)).collect())
        };
        let mut read = pages(&format!("lessons/{id}"))?;
        read.extend(["lessons/README.md", "solutions/README.md"].iter().filter_map(|file| self.checkout.page(file)));
        read.extend(self.checkout.page(&format!("solutions/{id}/README.md")));
        let mut anchors: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
        let mut targets = BTreeSet::new();
        for page in &read {
            for link in links(&page.text) {
                let (path, anchor) =
                    link.target.split_once('#').map_or((link.target.as_str(), None), |(path, anchor)| (path, Some(anchor)));
                let Some(file) = resolve(&page.file, path) else {
                    let problem = page.problem(
                        link.span,
                        format!("the link `{}` leads out of the checkout", link.target),
                        "nobody else has it there",
                    );
                    self.problems.push(problem.help("link to a file of the checkout, or to a whole address: `https://…`"));
                    continue;
                };
                if !self.checkout.root().join(&file).exists() {
                    let problem = page.problem(
                        link.span,
                        format!("the link `{}` leads to a file that is not there", link.target),
                        "no such file",
                    );
                    self.problems.push(problem.maybe_help(self.beside(&file)));
                    continue;
                }
                let anchor = anchor.filter(|anchor| !anchor.is_empty() && file.ends_with(".md"));
                targets.insert(file.clone());
                let Some(anchor) = anchor else { continue };
                let known = anchors
                    .entry(file.clone())
                    .or_insert_with(|| self.checkout.page(&file).map(|page| headings(&page.text)).unwrap_or_default());
                if !known.contains(anchor) {
                    let message = format!("the link `{}` leads to a heading that is not there", link.target);
                    let close =
                        closest(anchor, known.iter().map(String::as_str)).map(|close| format!("did you mean `#{close}`?"));
                    let help = close.unwrap_or_else(|| format!("`{file}` has no heading that makes this anchor"));
                    self.problems.push(page.problem(link.span, message, "no such heading").help(help));
                }
            }
        }
        Ok(targets)
    }

    /// The file in the same folder that was probably meant.
    fn beside(&self, file: &str) -> Option<String> {
        let (folder, name) = file.rsplit_once('/').unwrap_or(("", file));
        let entries = std::fs::read_dir(self.checkout.root().join(folder)).ok()?;
        let names: Vec<String> = entries.filter_map(|entry| entry.ok()?.file_name().into_string().ok()).collect();
        closest(name, names.iter().map(String::as_str)).map(|close| format!("did you mean `{close}`?"))
    }
}

fn links(text: &str) -> Vec<Link> {
    let mut links = Vec::new();
    for (event, range) in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_TASKLISTS).into_offset_iter() {
        let Event::Start(Tag::Link { dest_url, .. } | Tag::Image { dest_url, .. }) = event else { continue };
        let is_elsewhere =
            dest_url.starts_with("//") || dest_url.split(['/', '#', '?']).next().is_some_and(|first| first.contains(':'));
        if is_elsewhere || dest_url.contains('@') {
            continue;
        }
        let source = text.get(range.clone()).unwrap_or_default();
        let span = match source.rfind(&*dest_url) {
            Some(at) if !dest_url.is_empty() => range.start + at..range.start + at + dest_url.len(),
            _ => range.start..range.start + source.lines().next().map_or(0, str::len),
        };
        links.push(Link { target: dest_url.replace("%20", " "), span });
    }
    links
}

/// The file that a path on a page leads to, from the checkout's root. `None` where it leads out.
fn resolve(page: &str, path: &str) -> Option<String> {
    if path.is_empty() {
        return Some(page.to_owned());
    }
    let mut parts: Vec<&str> = if path.starts_with('/') { Vec::new() } else { page.split('/').collect() };
    parts.pop();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()?),
            part => parts.push(part),
        }
    }
    Some(parts.join("/"))
}

/// The anchors of a page, as code hosts make them: a heading that comes again gets a number.
fn headings(text: &str) -> BTreeSet<String> {
    let mut anchors = BTreeSet::new();
    let mut heading: Option<(Option<String>, String)> = None;
    for event in Parser::new_ext(text, Options::ENABLE_TABLES | Options::ENABLE_HEADING_ATTRIBUTES) {
        match event {
            Event::Start(Tag::Heading { id, .. }) => heading = Some((id.map(|id| id.to_string()), String::new())),
            Event::Text(part) | Event::Code(part) => {
                if let Some((_, text)) = &mut heading {
                    text.push_str(&part);
                }
            }
            Event::End(TagEnd::Heading(_)) => {
                if let Some((id, text)) = heading.take() {
                    let plain = id.unwrap_or_else(|| slug(&text));
                    let numbered = (1..).map(|number| format!("{plain}-{number}"));
                    let free = std::iter::once(plain.clone()).chain(numbered).find(|anchor| !anchors.contains(anchor));
                    anchors.extend(free);
                }
            }
            Event::Html(html) | Event::InlineHtml(html) => {
                for lead in ["id=\"", "name=\""] {
                    let named = html.split(lead).skip(1).filter_map(|rest| rest.split('"').next());
                    anchors.extend(named.map(str::to_owned));
                }
            }
            _ => {}
        }
    }
    anchors
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn links_are_found_where_their_target_is_written() {
        let text = "[a](b.md#c), <https://x.y>, [d](https://e.f) and ![g](h.svg)\n\n[i][j] `[k](l)`\n\n[j]: m.md\n";
        let found: Vec<_> = links(text).into_iter().map(|link| (link.target, text[link.span].to_owned())).collect();
        let expected = [("b.md#c", "b.md#c"), ("h.svg", "h.svg"), ("m.md", "[i][j]")];
        assert_eq!(found, expected.map(|(target, span)| (target.to_owned(), span.to_owned())));
    }

    #[test]
    fn a_path_leads_from_its_page() {
        assert_eq!(resolve("lessons/a/1-x.md", "../../README.md").as_deref(), Some("README.md"));
        assert_eq!(resolve("lessons/a/1-x.md", "./2-y.md").as_deref(), Some("lessons/a/2-y.md"));
        assert_eq!(resolve("lessons/a/1-x.md", "/docs/z.svg").as_deref(), Some("docs/z.svg"));
        assert_eq!(resolve("lessons/a/1-x.md", "").as_deref(), Some("lessons/a/1-x.md"));
        assert_eq!(resolve("lessons/a/1-x.md", "../../../x"), None);
    }

    #[test]
    fn anchors_are_those_of_code_hosts() {
        let anchors = headings("# A `b` c\n\n## Twice\n\n## Twice\n\n## Named {#own}\n\n<a id=\"there\"></a>\n");
        let expected = ["a-b-c", "own", "there", "twice", "twice-1"];
        assert_eq!(anchors.into_iter().collect::<Vec<_>>(), expected);
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "(?s)[a#\\[\\]()!<>:`/. \n{}é]{0,80}") {
            for link in links(&text) {
                prop_assert!(text.get(link.span).is_some());
            }
            let _ = headings(&text);
        }
    }
}
