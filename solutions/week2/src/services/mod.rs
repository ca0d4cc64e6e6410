//! The business logic, one file an operation. The data is made up until the database comes
//! in week 4; every mock activity keeps its uuid, so that it can be found again.

pub mod create_activity;
pub mod create_message;
pub mod create_reply;
pub mod current_user;
pub mod home_activities;
pub mod message_groups;
pub mod messages;
pub mod notifications_activities;
pub mod reachability; //@ since honeycomb/requests-that-go-out
pub mod search_activities;
pub mod show_activity;
pub mod user_activities;
//@ since honeycomb/the-mock-data

/// The length of a result as a span can carry it: integers are `i64` in OpenTelemetry, and a
/// `usize` would arrive as a string.
fn length<T>(results: &[T]) -> i64 {
    i64::try_from(results.len()).unwrap_or(i64::MAX)
}
//@ end
