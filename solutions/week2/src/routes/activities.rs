//! `/api/activities`
//@ since x-ray/captures-for-three-routes
//!
//! `#[instrument]` opens a span around a handler, which X-Ray shows as a subsegment.
//@ end

use axum::{
    Json, Router,
    extract::{Path, Query},
    routing::{get, post},
};
use serde::Deserialize;
use tracing::instrument; //@ since x-ray/captures-for-three-routes
use uuid::Uuid;

use crate::{
    app::AppState,
    error::{ApiError, JsonBody},
    model::{Activity, CreatedActivity, CreatedReply},
    services::{
        create_activity::{self, NewActivity},
        create_reply::{self, NewReply},
        current_user::CURRENT_USER,
        home_activities, notifications_activities, search_activities, show_activity,
        user_activities,
    },
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/", post(create))
        .route("/home", get(home))
        .route("/notifications", get(notifications))
        .route("/search", get(search))
        .route("/@", get(blank_user))
        .route("/@{handle}", get(user))
        .route("/{activity_uuid}", get(show))
        .route("/{activity_uuid}/reply", post(reply))
}

/// `GET /api/activities/home`
//@ since homework/an-annotation-to-search-by
//~ #[instrument(name = "activities_home", skip_all)] //@ since x-ray/captures-for-three-routes
#[instrument(name = "activities_home", skip_all, fields(annotation.user_id = CURRENT_USER.id))]
//@ end
async fn home() -> Json<Vec<Activity>> {
    Json(home_activities::run())
}

/// `GET /api/activities/notifications`
async fn notifications() -> Json<Vec<Activity>> {
    Json(notifications_activities::run())
}

/// `GET /api/activities/@{handle}`
#[instrument(name = "activities_users", skip_all)] //@ since x-ray/captures-for-three-routes
async fn user(Path(handle): Path<String>) -> Result<Json<Vec<Activity>>, ApiError> {
    user_activities::run(&handle).map(Json)
}

/// `GET /api/activities/@`: a path parameter is never empty, so the blank handle has its own route.
async fn blank_user() -> Result<Json<Vec<Activity>>, ApiError> {
    user(Path(String::new())).await
}

#[derive(Deserialize)]
struct SearchQuery {
    #[serde(default)]
    term: String,
}

/// `GET /api/activities/search?term=`
async fn search(Query(query): Query<SearchQuery>) -> Result<Json<Vec<Activity>>, ApiError> {
    search_activities::run(&query.term).map(Json)
}

/// `GET /api/activities/{activity_uuid}`
#[instrument(name = "activities_show", skip_all)] //@ since x-ray/captures-for-three-routes
async fn show(Path(activity_uuid): Path<String>) -> Result<Json<Activity>, ApiError> {
    show_activity::run(parse(&activity_uuid)?).map(Json)
}

/// `POST /api/activities`
async fn create(JsonBody(new): JsonBody<NewActivity>) -> Result<Json<CreatedActivity>, ApiError> {
    create_activity::run(CURRENT_USER, new).map(Json)
}

/// `POST /api/activities/{activity_uuid}/reply`
async fn reply(
    Path(activity_uuid): Path<String>,
    JsonBody(new): JsonBody<NewReply>,
) -> Result<Json<CreatedReply>, ApiError> {
    create_reply::run(CURRENT_USER, parse(&activity_uuid)?, new).map(Json)
}

/// What is no uuid names no activity.
fn parse(activity_uuid: &str) -> Result<Uuid, ApiError> {
    activity_uuid.parse().map_err(|_| ApiError::NotFound)
}
