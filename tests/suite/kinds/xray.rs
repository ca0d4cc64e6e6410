use super::{Case, SOUND};

/// Segments, groups, rules and the map.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "no group",
        group: None,
        fails: &["group"],
        says: &[
            ("group", "expected", "an X-Ray group `Tiny` with the filter matching"),
            ("group", "actual", "there is no such group"),
        ],
        ..SOUND
    },
    Case {
        name: "another filter",
        group: Some("service(\"somebody\")"),
        fails: &["group"],
        says: &[("group", "actual", "its filter expression is `service(\"somebody\")`")],
        ..SOUND
    },
    Case {
        name: "no rule",
        priority: None,
        fails: &["rule"],
        says: &[("rule", "actual", "there is no such rule"), ("rule", "nearest", "the rules that are there: `Default`")],
        ..SOUND
    },
    Case {
        name: "another priority",
        priority: Some(7),
        fails: &["rule"],
        says: &[("rule", "actual", "the rule is there, but its priority is `7`, an integer (expected `100`)")],
        ..SOUND
    },
    Case {
        name: "no segment",
        breaks: "no-segment",
        fails: &["segment", "subsegment", "node", "filter"],
        says: &[
            ("segment", "expected", "a segment named `tiny`, method `GET`, URL containing `/things`, status `200`"),
            ("segment", "actual", "no segment of this trace has arrived"),
            ("node", "expected", "a service `tiny` in X-Ray's service graph"),
            ("node", "actual", "the graph is empty"),
            ("filter", "actual", "it finds no trace"),
        ],
        ..SOUND
    },
    Case {
        name: "the trace header is not continued",
        breaks: "segment-uprooted",
        // The map shows the service whatever the trace.
        fails: &["segment", "subsegment", "filter"],
        says: &[
            ("segment", "nearest", "the request arrived as segment `tiny` in a trace of its own"),
            ("filter", "actual", "but not this one"),
        ],
        ..SOUND
    },
    Case {
        name: "no http block",
        breaks: "no-http",
        fails: &["segment"],
        says: &[
            ("segment", "actual", "the segment `tiny` is there, but its method is missing (expected `GET`)"),
            ("segment", "actual", "its status is missing (expected `200`)"),
        ],
        ..SOUND
    },
    Case {
        name: "another name",
        breaks: "segment-name",
        fails: &["segment", "node"],
        says: &[
            ("segment", "actual", "the segment `somebody` is there, but its name is `somebody`, a text (expected `tiny`)"),
            ("node", "actual", "the graph has `somebody`"),
        ],
        ..SOUND
    },
    Case {
        name: "a segment that stays open",
        breaks: "segment-open",
        fails: &["segment"],
        says: &[("segment", "actual", "the segment `tiny` is still in progress")],
        ..SOUND
    },
    Case {
        name: "a subsegment that stays open",
        breaks: "subsegment-open",
        fails: &["subsegment"],
        says: &[("subsegment", "actual", "the subsegment `look-up` is still in progress")],
        ..SOUND
    },
    Case {
        name: "no subsegment",
        breaks: "no-subsegment",
        fails: &["subsegment", "filter"],
        says: &[("subsegment", "actual", "the trace has no subsegments")],
        ..SOUND
    },
    Case {
        name: "no metadata",
        breaks: "no-metadata",
        fails: &["subsegment"],
        says: &[("subsegment", "actual", "its metadata `results-size` is missing (expected `2`, an integer)")],
        ..SOUND
    },
    Case {
        name: "no annotation",
        breaks: "no-annotation",
        fails: &["filter"],
        says: &[
            ("filter", "expected", "the filter `annotation.kind = \"tiny\"` finds the request's trace"),
            ("filter", "actual", "it finds no trace"),
        ],
        ..SOUND
    },
    Case {
        name: "a header that the daemon does not know",
        breaks: "daemon-header",
        fails: &["segment", "subsegment", "node", "filter"],
        says: &[("segment", "nearest", "was refused"), ("node", "nearest", "was refused")],
        ..SOUND
    },
];
