//! For load balancers and `depends_on`. Asked every few seconds, so it is neither traced nor logged.

use axum::Json;
use serde_json::{Value, json};

/// `GET /api/health`
pub async fn show() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}
