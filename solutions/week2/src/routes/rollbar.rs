//@ file since rollbar/a-message
//! `/rollbar`: ways to make Rollbar show something.

use axum::{Router, extract::State, routing::get};

use crate::{
    app::AppState,
    telemetry::rollbar::{Level, RequestInfo},
};

pub fn router() -> Router<AppState> {
    //@ since rollbar/an-error
    //~ Router::new().route("/rollbar/test", get(test))
    Router::new()
        .route("/rollbar/test", get(test))
        .route("/rollbar/error", get(error))
    //@ end
}

/// `GET /rollbar/test`: a message, sent on purpose.
async fn test(State(state): State<AppState>, request: RequestInfo) -> &'static str {
    state
        .rollbar
        .report_message(Level::Warning, "Hello World!", request);
    "Hello World!"
}
//@ since rollbar/an-error

/// `GET /rollbar/error`: a bug, reported by nobody but the layer that catches it.
async fn error() -> &'static str {
    first_bookmark(&[])
}

fn first_bookmark(bookmarks: &[&'static str]) -> &'static str {
    bookmarks
        .first()
        .expect("everybody has at least one bookmark")
}
//@ end
