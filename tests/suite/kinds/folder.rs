use super::{Case, SOUND};

/// Files and variables.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "another text",
        prepare: |call| call.write("notes.txt", "notes on something else\n"),
        fails: &["notes"],
        says: &[
            ("notes", "expected", "`notes.txt` with a text containing `tiny`"),
            ("notes", "actual", "its text is another"),
            ("notes", "file", "notes.txt"),
        ],
        ..SOUND
    },
    Case {
        name: "no file",
        prepare: |call| call.without("notes.txt"),
        fails: &["notes"],
        says: &[("notes", "actual", "there is no such file")],
        ..SOUND
    },
    Case {
        name: "a number that is a text",
        prepare: |call| call.edit("settings.toml", "weight = 3", "weight = \"3\""),
        fails: &["settings"],
        says: &[
            ("settings", "expected", "in `settings.toml`: `things.0.weight` `3`, an integer"),
            ("settings", "actual", "is `3`, a text"),
            ("settings", "line", "3"),
        ],
        ..SOUND
    },
    Case {
        name: "no element of the list",
        prepare: |call| call.edit("settings.toml", "\"second\"", "\"third\""),
        fails: &["settings"],
        says: &[("settings", "expected", "`things.*.name` `second`")],
        ..SOUND
    },
    Case {
        name: "broken toml",
        prepare: |call| call.edit("settings.toml", "weight = 3", "weight = = 3"),
        fails: &["settings"],
        says: &[("settings", "actual", "it is not sound TOML"), ("settings", "line", "3")],
        ..SOUND
    },
    Case {
        name: "another rule",
        prepare: |call| call.edit("rule.json", "0.5", "0.75"),
        fails: &["rule-file"],
        says: &[
            ("rule-file", "expected", "`SamplingRule.FixedRate` at most 0.5"),
            ("rule-file", "actual", "is `0.75`, a number"),
            ("rule-file", "file", "rule.json"),
            ("rule-file", "line", "4"),
        ],
        ..SOUND
    },
    Case {
        name: "broken json",
        prepare: |call| call.write("rule.json", "{\n  \"SamplingRule\": {\n"),
        fails: &["rule-file"],
        says: &[("rule-file", "actual", "it is not sound JSON"), ("rule-file", "line", "3")],
        ..SOUND
    },
    Case {
        name: "another mode",
        prepare: |call| call.edit(".env", "TINY_MODE=plain", "TINY_MODE=wild"),
        fails: &["dotenv"],
        says: &[
            ("dotenv", "expected", "one of `plain`, `fancy`"),
            ("dotenv", "actual", "is `wild`, a text"),
            ("dotenv", "file", ".env"),
            ("dotenv", "line", "1"),
        ],
        ..SOUND
    },
    Case {
        name: "the variable of another service",
        // The stand-in still has its name, by the list that compose merges.
        prepare: |call| call.edit("docker-compose.yml", "OTEL_SERVICE_NAME: \"tiny\"", "OTEL_SERVICE_NAME: \"tiny-app\""),
        // The group, the rule and the map's filter are made for `tiny`, the service is another.
        fails: &["compose", "group", "rule"],
        says: &[
            ("compose", "actual", "is `tiny-app`, a text"),
            ("compose", "file", "docker-compose.yml"),
            ("compose", "line", "9"),
            ("group", "expected", "tiny-app"),
            ("group", "actual", "its filter expression is `service(\"tiny\")`, a text"),
            ("rule", "actual", "its service name is `tiny`, a text (expected `tiny-app`)"),
        ],
        ..SOUND
    },
    Case {
        name: "a blank key",
        prepare: |call| call.env("HONEYCOMB_API_KEY", "  "),
        fails: &["key", "dataset", "server-span", "inner-span", "health-untraced"],
        says: &[
            ("key", "expected", "`HONEYCOMB_API_KEY` is set and not blank"),
            ("key", "actual", "`HONEYCOMB_API_KEY` is set in the shell, but it is blank"),
            ("server-span", "actual", "no span of this trace has arrived"),
            ("server-span", "nearest", "was refused with 401"),
            ("server-span", "nearest", "header is empty"),
        ],
        ..SOUND
    },
];
