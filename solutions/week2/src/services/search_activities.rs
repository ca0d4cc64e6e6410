//! Search.

use chrono::TimeDelta;
use uuid::uuid;

use crate::{
    error::{ApiError, Violation},
    model::{Activity, Timestamp},
};

/// The cruds that match the term.
///
/// # Errors
///
/// [`Violation::SearchTermBlank`] when the term is missing or blank.
pub fn run(term: &str) -> Result<Vec<Activity>, ApiError> {
    if term.trim().is_empty() {
        return Err(ApiError::Invalid(vec![Violation::SearchTermBlank]));
    }
    Ok(mock_data(Timestamp::now()))
}

/// One crud, whatever the term.
pub(super) fn mock_data(now: Timestamp) -> Vec<Activity> {
    vec![Activity {
        uuid: uuid!("97082418-3375-4eef-94fe-53e427b22435"),
        reply_to_activity_uuid: None,
        handle: "yuki",
        message: "Found what I was searching for. It was in the other coat.",
        created_at: now.before(TimeDelta::minutes(40)),
        expires_at: now.after(TimeDelta::days(1)),
        likes_count: 8,
        replies_count: 0,
        reposts_count: 1,
        replies: vec![],
    }]
}
