//! The router: which path leads where, and through which layers.

use std::{sync::Arc, time::Duration};

use axum::{
    Router,
    http::{HeaderName, Method, header},
    middleware::{from_fn, from_fn_with_state, map_request},
    routing::get,
};
use axum_tracing_opentelemetry::middleware::OtelAxumLayer;
use tower_http::cors::{AllowOrigin, CorsLayer};

use crate::{
    config::Config,
    error::not_found,
    routes,
    telemetry::{cloudwatch, rollbar, rollbar::Rollbar, server_span},
};

/// What every handler can ask for.
#[derive(Clone)]
pub struct AppState {
    pub config: Arc<Config>,
    pub rollbar: Rollbar,
    /// For requests to other services. Send them with
    /// [`client_span::send`](crate::telemetry::client_span::send), so that they show in the trace.
    pub http: reqwest::Client,
}

impl AppState {
    /// How long another service may take to answer.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// # Panics
    ///
    /// When the system's certificates cannot be read.
    #[must_use]
    pub fn new(config: Config, rollbar: Rollbar) -> Self {
        Self {
            config: Arc::new(config),
            rollbar,
            http: reqwest::Client::builder()
                .timeout(Self::PATIENCE)
                .build()
                .expect("the system's certificates can be read"),
        }
    }
}

/// The whole service, ready to be served.
///
/// The layer added last sees the request first, so read them from the bottom to the top: the URI is
/// made whole, the server span opens, the access line is prepared, the span learns who asks, and a
/// panic becomes a 500. On the way back the access line and the span see the final status.
pub fn router(state: AppState) -> Router {
    let api = Router::new()
        .route("/health", get(routes::health::show))
        .route("/reachability", get(routes::reachability::show))
        .nest("/activities", routes::activities::router())
        .nest("/message_groups", routes::messages::groups())
        .nest("/messages", routes::messages::router())
        .fallback(not_found)
        .layer(cors(&state.config));
    Router::new()
        .nest("/api", api)
        .merge(routes::rollbar::router())
        .fallback(not_found)
        .layer(from_fn_with_state(
            state.rollbar.clone(),
            rollbar::report_panics,
        ))
        .layer(from_fn(server_span::identify))
        .layer(from_fn(cloudwatch::access_log))
        .layer(OtelAxumLayer::default().filter(server_span::is_traced))
        .layer(map_request(server_span::complete_uri))
        .with_state(state)
}

/// Which pages may call the API from a browser.
fn cors(config: &Config) -> CorsLayer {
    let allowed = [
        config.frontend_url.header().clone(),
        config.backend_url.header().clone(),
    ];
    CorsLayer::new()
        .allow_origin(AllowOrigin::predicate(move |origin, _| {
            allowed.contains(origin)
        }))
        .allow_methods([Method::OPTIONS, Method::GET, Method::HEAD, Method::POST])
        .allow_headers([
            header::CONTENT_TYPE,
            header::IF_MODIFIED_SINCE,
            HeaderName::from_static("traceparent"),
        ])
        .expose_headers([header::LOCATION, header::LINK])
}
