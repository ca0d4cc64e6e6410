use super::{Case, SOUND};

/// Answers and output.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "another answer",
        breaks: "answer",
        fails: &["answer"],
        says: &[
            ("answer", "expected", "the status `200`"),
            ("answer", "expected", "`/0/name` in the JSON body a text"),
            ("answer", "actual", "the status is `203`, an integer"),
            ("answer", "actual", "`/0/name` in the JSON body is `7`, an integer"),
            ("answer", "nearest", "GET /things answered 203"),
        ],
        ..SOUND
    },
    Case {
        name: "no output",
        breaks: "silent",
        fails: &["printed"],
        says: &[("printed", "expected", "the service prints a line containing `"), ("printed", "actual", "lines")],
        ..SOUND
    },
];
