//! What happened around the current user's cruds.

use chrono::TimeDelta;
use tracing::{field::Empty, info_span}; //@ since homework/a-span-for-the-notifications
use uuid::{Uuid, uuid};

use crate::model::{Activity, Timestamp};
use crate::services::length; //@ since homework/a-span-for-the-notifications

const LIGHTHOUSE: Uuid = uuid!("4e63c5e4-6e04-41b4-9729-dabdd5d319ea");

/// The notifications of the current user.
#[must_use]
pub fn run() -> Vec<Activity> {
    //@ since homework/a-span-for-the-notifications
    //~ mock_data(Timestamp::now())
    let span = info_span!(
        "notifications-activities-mock-data",
        app.now = Empty,
        app.result_length = Empty
    );
    let _entered = span.enter();

    let now = Timestamp::now();
    span.record("app.now", now.to_string());
    let results = mock_data(now);
    span.record("app.result_length", length(&results));
    results
    //@ end
}

/// One crud with a reply.
pub(super) fn mock_data(now: Timestamp) -> Vec<Activity> {
    vec![Activity {
        uuid: LIGHTHOUSE,
        reply_to_activity_uuid: None,
        handle: "ines",
        message: "The lighthouse is open to visitors this Sunday!",
        created_at: now.before(TimeDelta::hours(6)),
        expires_at: now.after(TimeDelta::days(3)),
        likes_count: 4,
        replies_count: 1,
        reposts_count: 1,
        replies: vec![Activity {
            uuid: uuid!("cb7c2f99-f9df-457b-a08b-c6e6298ef17a"),
            reply_to_activity_uuid: Some(LIGHTHOUSE),
            handle: "mira",
            message: "Counting the steps again: 214.",
            created_at: now.before(TimeDelta::hours(2)),
            expires_at: now.after(TimeDelta::days(3)),
            likes_count: 1,
            replies_count: 0,
            reposts_count: 0,
            replies: vec![],
        }],
    }]
}
