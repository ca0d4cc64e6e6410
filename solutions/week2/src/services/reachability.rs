//@ file since honeycomb/requests-that-go-out
//! Can the service be reached where it says that it is?

use serde::Serialize;

use crate::telemetry::client_span;

/// What came of asking.
#[derive(Debug, Serialize)]
pub struct Reachability {
    pub url: String,
    pub reachable: bool,
    /// The status of the answer, if one came.
    pub status: Option<u16>,
}

/// Asks the health check under the public address. The request that goes out is traced.
pub async fn run(http: &reqwest::Client, backend_url: &str) -> Reachability {
    let url = format!("{backend_url}/api/health");
    let status = client_span::send(http, http.get(&url))
        .await
        .ok()
        .map(|response| response.status());
    Reachability {
        url,
        reachable: status.is_some_and(|status| status.is_success()),
        status: status.map(|status| status.as_u16()),
    }
}
