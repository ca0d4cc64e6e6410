use super::{Case, SOUND};

/// Items.
pub(super) const CASES: &[Case] = &[
    Case {
        name: "no item",
        breaks: "no-item",
        fails: &["item", "item-request"],
        says: &[
            ("item", "expected", "a Rollbar occurrence with level `error`, environment `production`, exception `Failure`"),
            ("item", "actual", "nothing has come in since the request"),
        ],
        ..SOUND
    },
    Case {
        name: "another level",
        breaks: "item-level",
        fails: &["item"],
        says: &[("item", "actual", "its level is `info`, a text (expected `error`)")],
        ..SOUND
    },
    Case {
        name: "another environment",
        breaks: "item-environment",
        fails: &["item"],
        says: &[("item", "actual", "its environment is `development`, a text (expected `production`)")],
        ..SOUND
    },
    Case {
        name: "no frame of ours",
        breaks: "item-frame",
        fails: &["item"],
        says: &[("item", "actual", "its stack has 1 frames, the last in `/lib/libc.so`")],
        ..SOUND
    },
    Case {
        name: "no request",
        breaks: "item-request",
        fails: &["item-request"],
        says: &[("item-request", "actual", "its request's URL is missing")],
        ..SOUND
    },
    Case {
        name: "a token that is none",
        breaks: "item-token",
        fails: &["item", "item-request"],
        says: &[("item", "nearest", "was refused with 40")],
        ..SOUND
    },
];
