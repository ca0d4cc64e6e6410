//! One crud by its uuid.

use uuid::Uuid;

//@ since setup/what-comes-in
//~ use crate::{error::ApiError, model::Activity};
use crate::{
    error::ApiError,
    model::{Activity, Timestamp},
    services::{home_activities, notifications_activities, search_activities, user_activities},
};
//@ end

//@ since setup/what-comes-in
//~ /// The crud with this uuid.
//~ ///
//~ /// # Errors
//~ ///
//~ /// [`ApiError::NotFound`] when nobody has posted it.
//~ pub fn run(uuid: Uuid) -> Result<Activity, ApiError> {
//~     posted()
//~         .into_iter()
//~         .find(|activity| activity.uuid == uuid)
//~         .ok_or(ApiError::NotFound)
//~ }
//~
//~ /// What was posted. None of it is kept until the database comes in week 4.
//~ fn posted() -> Vec<Activity> {
//~     vec![]
//~ }
/// The crud or the reply with this uuid.
///
/// # Errors
///
/// [`ApiError::NotFound`] when no feed has it.
pub fn run(uuid: Uuid) -> Result<Activity, ApiError> {
    let now = Timestamp::now();
    [
        home_activities::mock_data,
        notifications_activities::mock_data,
        user_activities::mock_data,
        search_activities::mock_data,
    ]
    .into_iter()
    .flat_map(|mock_data| mock_data(now))
    .flat_map(|activity| {
        let replies = activity.replies.clone();
        std::iter::once(activity).chain(replies)
    })
    .find(|activity| activity.uuid == uuid)
    .ok_or(ApiError::NotFound)
}
//@ end

#[cfg(test)]
mod tests {
    use super::*;

    //@ since setup/what-comes-in
    //~ #[test]
    //~ fn an_unknown_uuid_is_not_found() {
    //~     assert!(matches!(run(Uuid::new_v4()), Err(ApiError::NotFound)));
    //~ }
    #[test]
    fn a_crud_and_its_reply_are_found_by_their_uuids() {
        let crud = &home_activities::mock_data(Timestamp::now())[0];
        assert_eq!(run(crud.uuid).unwrap().message, crud.message);
        let reply = &crud.replies[0];
        assert_eq!(
            run(reply.uuid).unwrap().reply_to_activity_uuid,
            Some(crud.uuid)
        );
        assert!(matches!(run(Uuid::new_v4()), Err(ApiError::NotFound)));
    }
    //@ end
}
