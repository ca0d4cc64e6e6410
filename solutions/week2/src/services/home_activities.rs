//! The home feed.

use chrono::TimeDelta;
//@ since cloudwatch-logs/a-line-from-home
//~ use tracing::{field::Empty, info_span}; //@ since honeycomb/the-mock-data
use tracing::{field::Empty, info, info_span};
//@ end
use uuid::{Uuid, uuid};

use crate::model::{Activity, Timestamp};
use crate::services::length; //@ since honeycomb/the-mock-data

/// The checks of the course ask for it.
const KITES: Uuid = uuid!("b725863c-539d-4441-8731-a5966b38f557");

/// What the current user sees first.
#[must_use]
pub fn run() -> Vec<Activity> {
    //@ since cloudwatch-logs/a-line-from-home
    info!(target: "HomeActivities", "Hello Cloudwatch! from /api/activities/home");

    //@ end
    //@ since honeycomb/the-mock-data
    //~ mock_data(Timestamp::now())
    let span = info_span!(
        "home-activities-mock-data",
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

/// Three cruds, the first with a reply.
pub(super) fn mock_data(now: Timestamp) -> Vec<Activity> {
    vec![
        Activity {
            uuid: KITES,
            reply_to_activity_uuid: None,
            handle: "mira",
            message: "Wind is up on the east beach. Bring kites.",
            created_at: now.before(TimeDelta::days(2)),
            expires_at: now.after(TimeDelta::days(5)),
            likes_count: 5,
            replies_count: 1,
            reposts_count: 0,
            replies: vec![Activity {
                uuid: uuid!("b4378380-fc13-4018-acd6-8ad7245cde41"),
                reply_to_activity_uuid: Some(KITES),
                handle: "tomasz",
                message: "On my way, with two of them.",
                created_at: now.before(TimeDelta::days(1)),
                expires_at: now.after(TimeDelta::days(5)),
                likes_count: 2,
                replies_count: 0,
                reposts_count: 0,
                replies: vec![],
            }],
        },
        Activity {
            uuid: uuid!("f3882d92-d9ff-40f1-ac09-93d3bd0a1176"),
            reply_to_activity_uuid: None,
            handle: "tomasz",
            message: "Day 7 of baking bread: it now also tastes like bread.",
            created_at: now.before(TimeDelta::days(7)),
            expires_at: now.after(TimeDelta::days(9)),
            likes_count: 11,
            replies_count: 0,
            reposts_count: 3,
            replies: vec![],
        },
        Activity {
            uuid: uuid!("4dd023cf-bdf6-4b61-94c2-8fe73cb0ba34"),
            reply_to_activity_uuid: None,
            handle: "yuki",
            message: "Whoever left the green umbrella on line 4: it is with the driver.",
            created_at: now.before(TimeDelta::hours(1)),
            expires_at: now.after(TimeDelta::hours(12)),
            likes_count: 0,
            replies_count: 0,
            reposts_count: 0,
            replies: vec![],
        },
    ]
}
