//! The current user's conversations.

use chrono::TimeDelta;
use uuid::uuid;

use crate::model::{MessageGroup, Timestamp};

/// Two conversations.
#[must_use]
pub fn run() -> Vec<MessageGroup> {
    let now = Timestamp::now();
    vec![
        MessageGroup {
            uuid: uuid!("36c9b596-ef49-4848-a780-b26fa69297eb"),
            display_name: "Mira Castellan",
            handle: "mira",
            created_at: now.before(TimeDelta::minutes(12)),
        },
        MessageGroup {
            uuid: uuid!("ee449bfd-a552-4932-a595-c95ddc963c35"),
            display_name: "Tomasz Wren",
            handle: "tomasz",
            created_at: now.before(TimeDelta::days(4)),
        },
    ]
}
