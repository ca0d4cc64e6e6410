//! The router: which path leads where, and through which layers.

//@ since honeycomb/requests-that-go-out
//~ use std::sync::Arc;
use std::{sync::Arc, time::Duration};
//@ end

use axum::{
    Router,
    http::{HeaderName, Method, header},
    //@ since rollbar/an-error
    //~ //@ since cloudwatch-logs/the-access-line
    //~ //~ middleware::map_request, //@ since honeycomb/a-span-for-every-request
    //~ middleware::{from_fn, map_request},
    //~ //@ end
    middleware::{from_fn, from_fn_with_state, map_request},
    //@ end
    routing::get, //@ since setup/a-health-route
};
use axum_tracing_opentelemetry::middleware::OtelAxumLayer; //@ since honeycomb/a-span-for-every-request
use tower_http::cors::{AllowOrigin, CorsLayer};

//@ since rollbar/a-message
//~ //@ since cloudwatch-logs/the-access-line
//~ //~ use crate::telemetry::server_span; //@ since honeycomb/a-span-for-every-request
//~ use crate::telemetry::{cloudwatch, server_span};
//~ //@ end
//@ since rollbar/an-error
//~ use crate::telemetry::{cloudwatch, rollbar::Rollbar, server_span};
use crate::telemetry::{cloudwatch, rollbar, rollbar::Rollbar, server_span};
//@ end
//@ end
use crate::{config::Config, error::not_found, routes};

/// What every handler can ask for.
#[derive(Clone)]
pub struct AppState {
    pub config: Arc<Config>,
    pub rollbar: Rollbar, //@ since rollbar/a-message
    //@ since honeycomb/requests-that-go-out
    /// For requests to other services. Send them with
    /// [`client_span::send`](crate::telemetry::client_span::send), so that they show in the trace.
    pub http: reqwest::Client,
    //@ end
}

impl AppState {
    //@ since honeycomb/requests-that-go-out
    /// How long another service may take to answer.
    const PATIENCE: Duration = Duration::from_secs(2);

    /// # Panics
    ///
    /// When the system's certificates cannot be read.
    //@ end
    #[must_use]
    //@ since rollbar/a-message
    //~ pub fn new(config: Config) -> Self {
    pub fn new(config: Config, rollbar: Rollbar) -> Self {
        //@ end
        Self {
            config: Arc::new(config),
            rollbar, //@ since rollbar/a-message
            //@ since honeycomb/requests-that-go-out
            http: reqwest::Client::builder()
                .timeout(Self::PATIENCE)
                .build()
                .expect("the system's certificates can be read"),
            //@ end
        }
    }
}

/// The whole service, ready to be served.
//@ since honeycomb/a-span-for-every-request
///
/// The layer added last sees the request first and the response last, so read them from the bottom
/// to the top.
//@ end
pub fn router(state: AppState) -> Router {
    let api = Router::new()
        .route("/health", get(routes::health::show)) //@ since setup/a-health-route
        .route("/reachability", get(routes::reachability::show)) //@ since honeycomb/requests-that-go-out
        .nest("/activities", routes::activities::router())
        .nest("/message_groups", routes::messages::groups())
        .nest("/messages", routes::messages::router())
        .fallback(not_found)
        .layer(cors(&state.config));
    Router::new()
        .nest("/api", api)
        .merge(routes::rollbar::router()) //@ since rollbar/a-message
        .fallback(not_found)
        //@ since rollbar/an-error
        .layer(from_fn_with_state(
            state.rollbar.clone(),
            rollbar::report_panics,
        ))
        //@ end
        .layer(from_fn(server_span::identify)) //@ since homework/who-was-it
        .layer(from_fn(cloudwatch::access_log)) //@ since cloudwatch-logs/the-access-line
        //@ since homework/leave-the-health-checks-out
        //~ .layer(OtelAxumLayer::default()) //@ since honeycomb/a-span-for-every-request
        .layer(OtelAxumLayer::default().filter(server_span::is_traced))
        //@ end
        .layer(map_request(server_span::complete_uri)) //@ since honeycomb/a-span-for-every-request
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
