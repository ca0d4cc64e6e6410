use proptest::prelude::*;

use super::*;

#[track_caller]
fn holds(pattern: &str, messages: &[(&str, bool)]) {
    let parsed = Pattern::parse(pattern).unwrap_or_else(|error| panic!("{pattern}: {error}"));
    for (message, expected) in messages {
        assert_eq!(parsed.matches(message), *expected, "{pattern} on {message}");
        assert!(!expected || parsed.needle().is_none_or(|needle| message.contains(needle)), "{pattern} on {message}");
    }
}

#[test]
fn terms() {
    holds("", &[("", true), ("x", true)]);
    holds(" \"\" ", &[("x", true)]);
    holds("ERROR", &[("[ERROR 400] BAD", true), ("error", false)]);
    holds("ERROR ARGUMENTS", &[("[ERROR 419] MISSING ARGUMENTS", true), ("ERROR", false)]);
    holds("?ERROR ?WARN", &[("an ERROR", true), ("a WARN", true), ("INFO", false)]);
    holds("ERROR -ARGUMENTS", &[("ERROR 400", true), ("ERROR ARGUMENTS", false)]);
    holds("-ERROR", &[("fine", true), ("ERROR", false)]);
    holds("\"GET /api?bootcamp=42\"", &[("x GET /api?bootcamp=42 y", true), ("GET /api", false)]);
    holds("-\"not this\" ?that", &[("that", true), ("not this that", false), ("other", false)]);
    holds(r#""say \"hi\" \ now""#, &[(r#"say "hi" \ now"#, true)]);
    holds("\"{ $.x = 1 }\"", &[("a { $.x = 1 } b", true), ("{\"x\":1}", false)]);
    holds("größe", &[("die größe", true)]);
}

#[test]
fn regular_expressions() {
    holds("%[Ee]rror|FAIL%", &[("an Error", true), ("FAIL", true), ("failed", false)]);
    holds(r"%\d{3}$% GET", &[("GET 404", true), ("404 GET", false)]);
    for wrong in ["%a!%", "%(a)%", "%a", "%[%", "%a% %b% %c%", "%ä%", "%a{1000}{1000}%"] {
        assert!(Pattern::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn json() {
    let message = r#"{"a":{"b":["x-ray",2]},"n":4,"z":null,"ok":true,"no":false,"ip":"10.0.3.1","u.id":"7","f":1.5,"list":[{"k":1},{"k":2}]}"#;
    let cases = [
        ("{ $.a.b[0] = \"x*\" }", true),
        ("{$.a.b[0]=x-ray}", true),
        ("{ $.a.b[0] = \"X*\" }", false),
        ("{ $.a.b[1] = 2 }", true),
        ("{ $.a.b[2] = 2 }", false),
        ("{ $.n > 3 && $.n <= 4e0 }", true),
        ("{ $.n > 4 || $.z IS NULL }", true),
        ("{ ($.n > 4 || $.ok IS TRUE) && $.no IS FALSE }", true),
        ("{ $.n > 4 || $.ok IS TRUE && $.no IS TRUE }", false),
        ("{ $.missing NOT EXISTS }", true),
        ("{ $.n NOT EXISTS }", false),
        ("{ $.n EXISTS }", true),
        ("{ $.missing != 1 }", false),
        ("{ $.n != 5 }", true),
        ("{ $.ip = 10.0.* }", true),
        ("{ $.ip != 10.0.* }", false),
        ("{ $.ip = %10\\.0\\.[0-9]+% }", true),
        ("{ $.['u.id'] = \"7\" }", true),
        ("{ $.list[*].k = 2 }", true),
        ("{ $.list[*].k = 3 }", false),
        ("{ $.ok = true }", true),
        ("{ $.f < 1.6 }", true),
        ("{ $.n = \"4\" }", false),
    ];
    for (pattern, expected) in cases {
        holds(pattern, &[(message, expected)]);
    }
    holds("{ $.n NOT EXISTS }", &[("no json", false), ("{broken", false), ("{}", true)]);
}

#[test]
fn columns() {
    let line = r#"127.0.0.1 - frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534"#;
    let cases = [
        ("[ip, id, user, time, request, status, bytes]", true),
        ("[ip, id, user, time, request, status]", false),
        ("[ip, id, user, time, request, status=404, bytes]", true),
        ("[ip, ..., status = 4*, bytes]", true),
        ("[..., status = 5*, bytes]", false),
        ("[..., bytes > 1000]", true),
        ("[..., bytes > 2000]", false),
        ("[ip = 127.0.*, ...]", true),
        ("[ip, id, user, time = \"10/Oct/2000*\", request = \"*index*\", status = 404 || status = 410, bytes]", true),
        ("[ip, id, user != frank, ...]", false),
        ("[ip, id, (user = a || user = f*) && user != \"x\", ...]", true),
        ("[..., request = %GET.+HTTP%, s, b]", true),
        ("[...]", true),
    ];
    for (pattern, expected) in cases {
        holds(pattern, &[(line, expected)]);
    }
    holds("[a, b]", &[("\"x y", true), ("\"x y\" z", true), ("", false), ("[x] y", true)]);
}

#[test]
fn what_is_no_pattern_is_refused() {
    let wrong = [
        "GET/api",
        "a-b",
        "\"open",
        "{",
        "{}",
        "{ a = 1 }",
        "{ $.a }",
        "{ $ = 1 }",
        "{ $.a = }",
        "{ $.a < \"x\" }",
        "{ $.a = 1 } x",
        "{ $.a[ = 1 }",
        "{ ($.a = 1 }",
        "{ $.a IS MAYBE }",
        "[",
        "[]",
        "[a b]",
        "[a,]",
        "[..., ...]",
        "[a = 1 && b = 2]",
        "[a] b",
        "a\"b\"",
        "\"a\"b",
        "?",
        "-",
    ];
    for pattern in wrong {
        assert!(Pattern::parse(pattern).is_err(), "{pattern}");
    }
    assert_eq!(Pattern::parse("a/b").unwrap_err().to_string(), "Invalid character(s) in term 'a/b'");
    let deep = format!("{{ {}$.a = 1{} }}", "(".repeat(200), ")".repeat(200));
    assert!(Pattern::parse(&deep).unwrap_err().to_string().contains("too deep"));
    assert!(Pattern::parse(&"a".repeat(1025)).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(pattern in "\\PC{0,80}", message in "\\PC{0,80}") {
        if let Ok(parsed) = Pattern::parse(&pattern) {
            let _ = parsed.matches(&message);
        }
    }

    #[test]
    fn nothing_like_a_pattern_makes_it_panic(
        pattern in "[{\\[]?( ?(\\$\\.a|\\(|\\)|&&|\\|\\||=|!=|<|\"|%|\\*|1|\\[0\\]|\\]|\\}|,|\\.\\.\\.|IS NULL|b|ü|\\\\)){0,20}",
        message in "( ?(\"|\\[|\\]|ü|1|a|\\{\"a\":1\\})){0,8}",
    ) {
        if let Ok(parsed) = Pattern::parse(&pattern) {
            let matched = parsed.matches(&message);
            prop_assert!(!matched || parsed.needle().is_none_or(|needle| message.contains(needle)));
        }
    }

    #[test]
    fn a_quoted_phrase_is_found_where_it_is(before in "\\PC{0,20}", phrase in "\\PC{1,20}", after in "\\PC{0,20}") {
        let pattern = format!("\"{}\"", phrase.replace('\\', "\\\\").replace('"', "\\\""));
        let parsed = Pattern::parse(&pattern).unwrap();
        let message = format!("{before}{phrase}{after}");
        prop_assert!(parsed.matches(&message));
    }
}
