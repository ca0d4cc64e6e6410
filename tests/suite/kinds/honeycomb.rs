use super::{Case, SOUND};

/// Spans and datasets.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "the context is not continued",
        breaks: "span-uprooted",
        // Silence can be told from noise only where something of this run is heard.
        fails: &["server-span", "inner-span", "health-untraced"],
        says: &[
            ("server-span", "expected", "a span of kind `server`, with the HTTP status `200` in the request's trace"),
            ("server-span", "actual", "no span of this trace has arrived"),
            ("server-span", "nearest", "the request arrived as `GET /things` in a trace of its own"),
            ("server-span", "nearest", "dataset `tiny`"),
            ("health-untraced", "actual", "silence proves nothing yet"),
        ],
        ..SOUND
    },
    Case {
        name: "no span",
        breaks: "no-span",
        fails: &["dataset", "server-span", "inner-span", "health-untraced"],
        says: &[
            ("dataset", "expected", "a dataset whose name is `tiny`"),
            ("dataset", "actual", "the environment has no dataset"),
            ("server-span", "actual", "no span of this trace has arrived"),
            ("server-span", "nearest", "null"),
        ],
        ..SOUND
    },
    Case {
        name: "no inner span",
        breaks: "no-inner-span",
        fails: &["inner-span"],
        says: &[
            ("inner-span", "expected", "a span `look-up`"),
            ("inner-span", "actual", "no such span among the 1 of this trace: `GET /things` (server)"),
        ],
        ..SOUND
    },
    Case {
        name: "another kind",
        breaks: "span-kind",
        fails: &["server-span"],
        says: &[("server-span", "actual", "`GET /things` (internal)")],
        ..SOUND
    },
    Case {
        name: "no status",
        breaks: "span-status",
        fails: &["server-span"],
        says: &[("server-span", "actual", "the span `GET /things` is there, but its HTTP status is missing (expected `200`)")],
        ..SOUND
    },
    Case {
        name: "a span that is a root",
        breaks: "inner-is-root",
        fails: &["inner-span"],
        says: &[("inner-span", "actual", "its parent is missing: it is a root (expected a span `GET /things`)")],
        ..SOUND
    },
    Case {
        name: "a count that is a text",
        breaks: "length-text",
        fails: &["inner-span"],
        says: &[("inner-span", "actual", "`app.result_length` is `2`, a text (expected `2`, an integer)")],
        ..SOUND
    },
    Case {
        name: "another dataset",
        breaks: "other-dataset",
        fails: &["dataset"],
        says: &[("dataset", "actual", "its datasets are `elsewhere`")],
        ..SOUND
    },
    Case {
        name: "a broken body",
        breaks: "otlp-body",
        fails: &["dataset", "server-span", "inner-span", "health-untraced"],
        says: &[("server-span", "nearest", "POST /v1/traces was refused with 400")],
        ..SOUND
    },
    Case {
        name: "a wrong path",
        prepare: |call| call.edit("docker-compose.yml", "https://api.honeycomb.io", "https://api.honeycomb.io/v1/trace"),
        fails: &["dataset", "server-span", "inner-span", "health-untraced"],
        says: &[("server-span", "nearest", "/v1/trace/v1/traces was refused with 404")],
        ..SOUND
    },
    Case {
        name: "a header that is misspelt",
        prepare: |call| call.edit("docker-compose.yml", "x-honeycomb-team=", "x-honeycomb-taem="),
        fails: &["dataset", "server-span", "inner-span", "health-untraced"],
        says: &[("server-span", "nearest", "was refused with 401")],
        ..SOUND
    },
    Case {
        name: "a service without a name",
        prepare: |call| call.edit("docker-compose.yml", "      OTEL_SERVICE_NAME: \"tiny\"\n", ""),
        fails: &["compose", "dataset", "group", "rule", "segment", "node"],
        says: &[
            ("compose", "actual", "is missing"),
            ("dataset", "expected", "a dataset whose name is `‹OTEL_SERVICE_NAME, which is not set›`"),
            ("dataset", "actual", "its datasets are `unknown_service`"),
            ("segment", "actual", "its name is `unknown_service`, a text"),
        ],
        ..SOUND
    },
    Case {
        name: "traced health",
        breaks: "health-traced",
        fails: &["health-untraced"],
        says: &[
            ("health-untraced", "expected", "nothing of this request in Honeycomb"),
            ("health-untraced", "actual", "it arrived"),
        ],
        ..SOUND
    },
];
