//@ file since setup/a-health-route
//! For load balancers and `depends_on`. Asked every few seconds, so it does no work.

use axum::Json;
use serde_json::{Value, json};

/// `GET /api/health`
pub async fn show() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
