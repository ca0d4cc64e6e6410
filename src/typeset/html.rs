/// Whether a tag is `<br>`, in any of its spellings.
pub(super) fn is_line_break(tag: &str) -> bool {
    let name = tag.trim_start_matches('<').trim_end_matches('>').trim_end_matches('/').trim();
    name.eq_ignore_ascii_case("br")
}

/// The text of a piece of HTML: comments and tags are gone.
pub(super) fn without_tags(html: &str) -> String {
    let mut text = String::with_capacity(html.len());
    let mut rest = html;
    while let Some(at) = rest.find('<') {
        text.push_str(&rest[..at]);
        rest = &rest[at..];
        rest = match rest.strip_prefix("<!--") {
            // A comment that is never closed goes on to the end.
            Some(comment) => comment.split_once("-->").map_or("", |(_, after)| after),
            None => match rest.split_once('>') {
                Some((_, after)) => after,
                // There are no more tags.
                None => break,
            },
        };
        // Words on both sides of a tag are words of their own.
        if !text.ends_with(char::is_whitespace) && !text.is_empty() {
            text.push(' ');
        }
    }
    text.push_str(rest);
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_and_comments_go() {
        assert_eq!(without_tags("<p\nclass=x>one<b>two</b></p>"), "one two ");
        assert_eq!(without_tags("a<!-- <b> -- > -->b"), "a b");
        assert_eq!(without_tags("a<!-- never closed"), "a ");
        assert_eq!(without_tags("1 < 2 << 3"), "1 < 2 << 3");
        let lone = "<".repeat(1_000_000);
        assert_eq!(without_tags(&lone), lone);
    }

    #[test]
    fn a_line_break_is_spelled_in_three_ways() {
        assert!(["<br>", "<br/>", "<BR />"].into_iter().all(is_line_break));
        assert!(!is_line_break("<b>") && !is_line_break("<brief>"));
    }
}
