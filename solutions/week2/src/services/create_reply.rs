//! A reply to a crud.

use serde::Deserialize;
use uuid::Uuid;

use crate::{
    error::ApiError,
    model::{CreatedReply, Timestamp},
    services::{create_message::check_message, current_user::User},
};

/// The longest reply.
const MAX_CHARS: usize = 1024;

/// What the client sends.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewReply {
    pub message: Option<String>,
}

/// Replies to the crud with this uuid.
///
/// # Errors
///
/// When the message is blank or too long.
pub fn run(user: User, reply_to: Uuid, new: NewReply) -> Result<CreatedReply, ApiError> {
    let message = new.message.unwrap_or_default();
    if let Some(violation) = check_message(&message, MAX_CHARS) {
        return Err(ApiError::Invalid(vec![violation]));
    }
    Ok(CreatedReply {
        uuid: Uuid::new_v4(),
        reply_to_activity_uuid: reply_to,
        display_name: user.display_name,
        handle: user.handle,
        message,
        created_at: Timestamp::now(),
    })
}
