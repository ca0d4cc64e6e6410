//! `/rollbar`: two ways to make Rollbar show something.

use axum::{Extension, Router, extract::State, routing::get};

use crate::{
    app::AppState,
    telemetry::rollbar::{Level, RequestInfo},
};

pub fn router() -> Router<AppState> {
    Router::new()
        .route("/rollbar/test", get(test))
        .route("/rollbar/error", get(error))
}

/// `GET /rollbar/test`: a message, sent on purpose.
async fn test(
    State(state): State<AppState>,
    Extension(request): Extension<RequestInfo>,
) -> &'static str {
    state
        .rollbar
        .report_message(Level::Warning, "Hello World!", request);
    "Hello World!"
}

/// `GET /rollbar/error`: a bug, reported by nobody but the layer that catches it.
async fn error() -> &'static str {
    first_bookmark(&[])
}

fn first_bookmark(bookmarks: &[&'static str]) -> &'static str {
    bookmarks
        .first()
        .expect("everybody has at least one bookmark")
}
