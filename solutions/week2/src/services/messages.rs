//! One conversation.

use chrono::TimeDelta;
use uuid::uuid;

use crate::{
    model::{Message, Timestamp},
    services::current_user::User,
};

/// The messages between this user and the other, whoever that is: one each.
#[must_use]
pub fn run(user: User, _other: &str) -> Vec<Message> {
    let now = Timestamp::now();
    vec![
        Message {
            uuid: uuid!("cb1cb4ca-afb7-4364-bc50-e61d320fe7ef"),
            display_name: user.display_name,
            handle: user.handle,
            message: "Is the workshop still on for tonight?".to_owned(),
            created_at: now.before(TimeDelta::minutes(15)),
        },
        Message {
            uuid: uuid!("951d470c-4402-41d9-8064-31ca03973c48"),
            display_name: "Mira Castellan",
            handle: "mira",
            message: "Yes, at seven, and there will be soup.".to_owned(),
            created_at: now.before(TimeDelta::minutes(12)),
        },
    ]
}
