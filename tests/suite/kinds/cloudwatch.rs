use super::{Case, SOUND};

/// Groups, lines and silence.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "no line",
        breaks: "no-line",
        fails: &["access-line", "quiet"],
        says: &[
            ("access-line", "expected", "a log event in `tiny` matching `^GET /things"),
            ("access-line", "actual", "nothing has come in since the request"),
            ("quiet", "actual", "silence proves nothing yet"),
        ],
        ..SOUND
    },
    Case {
        name: "another form",
        breaks: "line-form",
        fails: &["access-line"],
        says: &[("access-line", "nearest", "a line about this request: `/things?")],
        ..SOUND
    },
    Case {
        name: "another group",
        breaks: "other-log-group",
        // The switch still silences the line, wherever it goes.
        fails: &["access-line"],
        says: &[
            ("access-line", "actual", "nothing has come in since the request"),
            ("access-line", "nearest", "it came in another group, `elsewhere`"),
        ],
        ..SOUND
    },
    Case {
        name: "no group",
        breaks: "no-log-group",
        fails: &["log-group", "access-line", "quiet"],
        says: &[
            ("log-group", "expected", "a log group `tiny` with log streams: at least 1"),
            ("log-group", "actual", "there is no such group"),
            ("log-group", "nearest", "PutLogEvents was refused with 400"),
            ("access-line", "actual", "there is no such group"),
            ("access-line", "nearest", "the log group `tiny` does not exist; create it before"),
        ],
        ..SOUND
    },
    Case {
        name: "no stream",
        breaks: "no-log-stream",
        fails: &["log-group", "access-line", "quiet"],
        says: &[
            ("log-group", "actual", "the group is there, with 0 streams"),
            ("access-line", "nearest", "does not exist in `tiny`; create it before"),
        ],
        ..SOUND
    },
    Case {
        name: "a switch that does nothing",
        breaks: "switch",
        fails: &["quiet"],
        says: &[
            ("quiet", "expected", "nothing of this request in CloudWatch Logs"),
            ("quiet", "actual", "it arrived: line `GET /things?"),
        ],
        ..SOUND
    },
];
