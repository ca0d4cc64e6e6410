//! Hides credentials: a name says that its value is one, or the value itself looks like one. The vendors' own pages show them;
//! a page that may be photographed or shared for help had better not.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::sandbox::Keys;

/// Stands where a credential stood.
pub(super) const MASK: &str = "‹hidden›";

/// Parts of names whose values are nobody's business, compared without case, dashes, dots and underscores.
const SECRETIVE: [&str; 12] = [
    "token",
    "secret",
    "password",
    "passwd",
    "passphrase",
    "authorization",
    "cookie",
    "credential",
    "apikey",
    "accesskey",
    "privatekey",
    "honeycombteam",
];

/// A setting or header within a text, an authorization, a password in an address, Honeycomb's keys and AWS's.
static WITHIN: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(concat!(
        r#"(?i)\b((?:x-honeycomb-team|x-rollbar-access-token|(?:proxy-)?authorization|(?:set-)?cookie"#,
        r#"|[a-z_-]*(?:token|password|passwd|secret|api[_-]?key|access[_-]?key)[a-z_-]*)["']?\s*[=:]\s*["']?)"#,
        r#"(?:(?:bearer|basic|aws4-hmac-sha256)\s+)?[^\s"'&,;<>]+"#,
        r#"|\b(bearer\s+)[a-z0-9._~+/=-]{8,}"#,
        r#"|(://[^/\s:@]{1,200}:)[^/\s@]{1,200}@"#,
        r#"|\bhc[a-z]{3}_[a-z0-9]{10,}"#,
        r#"|\b(?:AKIA|ASIA)[A-Z0-9]{12,}\b"#,
    ))
    .ok()
});

/// Whether a name speaks of a credential.
pub(super) fn is_secret(name: &str) -> bool {
    let name: String = name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    SECRETIVE.iter().any(|part| name.contains(part)) || name == "auth" || name == "pwd"
}

/// A text without what looks like a credential in it.
pub(super) fn text(text: &str) -> Cow<'_, str> {
    match WITHIN.as_ref() {
        Some(within) => within.replace_all(text, |found: &Captures<'_>| {
            let group = |index: usize| found.get(index).map_or("", |part| part.as_str());
            let end = if found.get(3).is_some() { "@" } else { "" };
            format!("{}{}{}{MASK}{end}", group(1), group(2), group(3))
        }),
        None => Cow::Borrowed(text),
    }
}

/// A finished page without the sandbox's own keys, wherever they got into it. They are of letters and digits, which no
/// escaping changes.
pub(super) fn keys(mut page: String, keys: &Keys) -> String {
    for key in [&keys.honeycomb_ingest, &keys.honeycomb_configuration, &keys.rollbar_post, &keys.rollbar_read] {
        if key.len() >= 16 && page.contains(key.as_str()) {
            page = page.replace(key.as_str(), MASK);
        }
    }
    page
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_tell_credentials() {
        for name in
            ["http.request.header.authorization", "X-Honeycomb-Team", "db_password", "Set-Cookie", "accessToken", "API-KEY"]
        {
            assert!(is_secret(name), "{name}");
        }
        for name in ["author", "http.route", "key", "app.result_length", "x-amzn-trace-id", "monkey"] {
            assert!(!is_secret(name), "{name}");
        }
    }

    #[test]
    fn credentials_within_texts_are_hidden_and_the_rest_stays() {
        for (with, without) in [
            ("x-honeycomb-team=abc123 sent", "x-honeycomb-team=‹hidden› sent"),
            ("Authorization: Bearer a.b-c, then", "Authorization: ‹hidden›, then"),
            ("got bearer abcdefgh1", "got bearer ‹hidden›"),
            (r#"{"access_token":"s3","n":1}"#, r#"{"access_token":"‹hidden›","n":1}"#),
            ("/x?access_token=s3&page=2", "/x?access_token=‹hidden›&page=2"),
            ("the key hcaik_0123456789abcdef is", "the key ‹hidden› is"),
            ("AKIAIOSFODNN7EXAMPLE", "‹hidden›"),
            ("postgres://ada:s3@db:5432/x and http://a:80/b@c", "postgres://ada:‹hidden›@db:5432/x and http://a:80/b@c"),
            ("the token was refused", "the token was refused"),
            ("GET /api/activities/home 200", "GET /api/activities/home 200"),
        ] {
            assert_eq!(text(with), without);
        }
    }

    #[test]
    fn the_sandboxs_own_keys_leave_a_page() {
        let own = Keys::default();
        let page = keys(format!("<p>{} and {}</p>", own.honeycomb_ingest, own.rollbar_read), &own);
        assert_eq!(page, "<p>‹hidden› and ‹hidden›</p>");
    }

    proptest! {
        #[test]
        fn any_text_is_masked(any in "\\PC{0,80}") {
            let _ = (text(&any), is_secret(&any));
        }

        #[test]
        fn a_token_never_comes_through(before in "[a-z ]{0,8}", secret in "[A-Z0-9]{9,20}") {
            let line = format!("{before} x-rollbar-access-token: {secret}");
            prop_assert!(!text(&line).contains(&secret));
        }
    }
}
