//! `/api/message_groups` and `/api/messages`

use axum::{
    Json, Router,
    extract::Path,
    routing::{get, post},
};

use crate::{
    app::AppState,
    error::{ApiError, JsonBody},
    model::{Message, MessageGroup},
    services::{
        create_message::{self, NewMessage},
        current_user::CURRENT_USER,
        message_groups, messages,
    },
};

pub fn groups() -> Router<AppState> {
    Router::new().route("/", get(list_groups))
}

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/", post(create))
        .route("/@{handle}", get(list))
}

/// `GET /api/message_groups`
async fn list_groups() -> Json<Vec<MessageGroup>> {
    Json(message_groups::run())
}

/// `GET /api/messages/@{handle}`
async fn list(Path(handle): Path<String>) -> Json<Vec<Message>> {
    Json(messages::run(CURRENT_USER, &handle))
}

/// `POST /api/messages`
async fn create(JsonBody(new): JsonBody<NewMessage>) -> Result<Json<Message>, ApiError> {
    create_message::run(CURRENT_USER, new).map(Json)
}
