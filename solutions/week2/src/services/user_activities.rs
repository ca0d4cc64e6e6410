//! One user's profile.

use chrono::TimeDelta;
use tracing::{field::Empty, info_span}; //@ since x-ray/a-subsegment-with-metadata
use uuid::uuid;

use crate::{
    error::{ApiError, Violation},
    model::{Activity, Timestamp},
    services::length, //@ since x-ray/a-subsegment-with-metadata
};

/// The cruds of the user with this handle.
///
/// # Errors
///
/// [`Violation::BlankUserHandle`] when the handle is blank.
pub fn run(handle: &str) -> Result<Vec<Activity>, ApiError> {
    if handle.trim().is_empty() {
        return Err(ApiError::Invalid(vec![Violation::BlankUserHandle]));
    }

    //@ since x-ray/a-subsegment-with-metadata
    //~ Ok(mock_data(Timestamp::now()))
    // A subsegment in X-Ray; what it records becomes the subsegment's metadata.
    let span = info_span!("mock-data", now = Empty, "results-size" = Empty);
    let _entered = span.enter();

    let now = Timestamp::now();
    span.record("now", now.to_string());
    let results = mock_data(now);
    span.record("results-size", length(&results));
    Ok(results)
    //@ end
}

/// One crud.
pub(super) fn mock_data(now: Timestamp) -> Vec<Activity> {
    vec![Activity {
        uuid: uuid!("5249b4ad-c088-4aee-a016-51cb39fab116"),
        reply_to_activity_uuid: None,
        handle: "ines",
        message: "Clouds like this should be printed on curtains.",
        created_at: now.before(TimeDelta::days(1)),
        expires_at: now.after(TimeDelta::days(31)),
        likes_count: 3,
        replies_count: 0,
        reposts_count: 0,
        replies: vec![],
    }]
}
