//@ file since honeycomb/requests-that-go-out
//! A request that makes a request.

use axum::{Json, extract::State};

use crate::{
    app::AppState,
    services::reachability::{self, Reachability},
};

/// `GET /api/reachability`
pub async fn show(State(state): State<AppState>) -> Json<Reachability> {
    Json(reachability::run(&state.http, state.config.backend_url.as_str()).await)
}
