//! A new direct message.

use serde::Deserialize;
use uuid::Uuid;

use crate::{
    error::{ApiError, Violation},
    model::{Message, Timestamp},
    services::current_user::User,
};

/// The longest direct message.
const MAX_CHARS: usize = 1024;

/// What the client sends. A missing member counts as blank.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct NewMessage {
    pub user_receiver_handle: Option<String>,
    pub message: Option<String>,
}

/// Sends a message from this user.
///
/// # Errors
///
/// Every rule that the receiver or the message breaks, in one answer.
pub fn run(user: User, new: NewMessage) -> Result<Message, ApiError> {
    let message = new.message.unwrap_or_default();
    let receiver = new.user_receiver_handle.unwrap_or_default();
    let violations: Vec<_> = receiver
        .trim()
        .is_empty()
        .then_some(Violation::UserRecieverHandleBlank)
        .into_iter()
        .chain(check_message(&message, MAX_CHARS))
        .collect();
    if !violations.is_empty() {
        return Err(ApiError::Invalid(violations));
    }
    Ok(Message {
        uuid: Uuid::new_v4(),
        display_name: user.display_name,
        handle: user.handle,
        message,
        created_at: Timestamp::now(),
    })
}

/// The rule that a text breaks, if any. Characters count, not bytes.
pub(super) fn check_message(message: &str, max_chars: usize) -> Option<Violation> {
    if message.trim().is_empty() {
        Some(Violation::MessageBlank)
    } else if message.chars().count() > max_chars {
        Some(Violation::MessageExceedMaxChars)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_counts_characters() {
        assert_eq!(check_message(&"ü".repeat(280), 280), None);
        assert_eq!(
            check_message(&"ü".repeat(281), 280),
            Some(Violation::MessageExceedMaxChars)
        );
        assert_eq!(check_message(" \n", 280), Some(Violation::MessageBlank));
    }
}
