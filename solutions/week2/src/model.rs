//! What the API talks about, in the shapes that the frontend expects.

use std::fmt;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use serde::{Serialize, Serializer};
use uuid::Uuid;

/// A moment in ISO 8601 with microseconds and offset: `2026-11-20T12:13:14.151617+00:00`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Timestamp(DateTime<Utc>);

impl Timestamp {
    #[must_use]
    pub fn now() -> Self {
        Self(Utc::now())
    }

    #[must_use]
    pub fn before(self, ago: TimeDelta) -> Self {
        Self(self.0 - ago)
    }

    #[must_use]
    pub fn after(self, later: TimeDelta) -> Self {
        Self(self.0 + later)
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.to_rfc3339_opts(SecondsFormat::Micros, false))
    }
}

impl Serialize for Timestamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// A crud: a post that expires. A reply is one too, and says to which it belongs.
#[derive(Debug, Clone, Serialize)]
pub struct Activity {
    pub uuid: Uuid,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reply_to_activity_uuid: Option<Uuid>,
    pub handle: &'static str,
    pub message: &'static str,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
    pub likes_count: u32,
    pub replies_count: u32,
    pub reposts_count: u32,
    pub replies: Vec<Activity>,
}

/// The answer to a new crud.
#[derive(Debug, Serialize)]
pub struct CreatedActivity {
    pub uuid: Uuid,
    pub display_name: &'static str,
    pub handle: &'static str,
    pub message: String,
    pub created_at: Timestamp,
    pub expires_at: Timestamp,
}

/// The answer to a new reply.
#[derive(Debug, Serialize)]
pub struct CreatedReply {
    pub uuid: Uuid,
    pub reply_to_activity_uuid: Uuid,
    pub display_name: &'static str,
    pub handle: &'static str,
    pub message: String,
    pub created_at: Timestamp,
}

/// A conversation in the list of conversations.
#[derive(Debug, Serialize)]
pub struct MessageGroup {
    pub uuid: Uuid,
    pub display_name: &'static str,
    pub handle: &'static str,
    pub created_at: Timestamp,
}

/// One direct message.
#[derive(Debug, Serialize)]
pub struct Message {
    pub uuid: Uuid,
    pub display_name: &'static str,
    pub handle: &'static str,
    pub message: String,
    pub created_at: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_timestamp_has_microseconds_and_an_offset_even_on_the_full_second() {
        let moment = DateTime::from_timestamp(1_790_000_000, 0).unwrap();
        assert_eq!(
            serde_json::to_value(Timestamp(moment)).unwrap(),
            "2026-09-21T14:13:20.000000+00:00"
        );
    }
}
