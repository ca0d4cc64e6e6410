//! A new crud.

use chrono::TimeDelta;
use serde::Deserialize;
use uuid::Uuid;

use crate::{
    error::{ApiError, Violation},
    model::{CreatedActivity, Timestamp},
    services::{create_message::check_message, current_user::User},
};

/// The longest crud.
const MAX_CHARS: usize = 280;

/// What the client sends. A missing member counts as blank.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewActivity {
    pub message: Option<String>,
    pub ttl: Option<String>,
}

/// Publishes a crud of this user.
///
/// # Errors
///
/// Every rule that the message or the time to live breaks, in one answer.
pub fn run(user: User, new: NewActivity) -> Result<CreatedActivity, ApiError> {
    let message = new.message.unwrap_or_default();
    let ttl = new.ttl.as_deref().and_then(time_to_live);
    let violations: Vec<_> = ttl
        .is_none()
        .then_some(Violation::TtlBlank)
        .into_iter()
        .chain(check_message(&message, MAX_CHARS))
        .collect();
    match ttl {
        Some(ttl) if violations.is_empty() => {
            let now = Timestamp::now();
            Ok(CreatedActivity {
                uuid: Uuid::new_v4(),
                display_name: user.display_name,
                handle: user.handle,
                message,
                created_at: now,
                expires_at: now.after(ttl),
            })
        }
        _ => Err(ApiError::Invalid(violations)),
    }
}

/// How long a crud lives, out of the choices that the frontend offers.
fn time_to_live(choice: &str) -> Option<TimeDelta> {
    Some(match choice {
        "30-days" => TimeDelta::days(30),
        "7-days" => TimeDelta::days(7),
        "3-days" => TimeDelta::days(3),
        "1-day" => TimeDelta::days(1),
        "12-hours" => TimeDelta::hours(12),
        "3-hours" => TimeDelta::hours(3),
        "1-hour" => TimeDelta::hours(1),
        _ => return None,
    })
}
