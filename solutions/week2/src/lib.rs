//! Cruddur's backend in week 2: distributed tracing.
//!
//! ```text
//@ since honeycomb/a-span-for-every-request
//~ //! main ─► config ─► app ─► routes ─► services
//! main ─► config ─► telemetry ─► app ─► routes ─► services
//@ end
//!                                       the business logic, mock data for now
//! ```

pub mod app;
pub mod config;
pub mod error;
pub mod model;
pub mod routes;
pub mod services;
pub mod telemetry; //@ since honeycomb/a-span-for-every-request

//@ since cloudwatch-logs/the-access-line
//~ use std::{io, time::Duration};
use std::{io, net::SocketAddr, time::Duration};
//@ end

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, runtime, signal, sync::oneshot, time};
use tracing::info; //@ since honeycomb/a-span-for-every-request

//@ since honeycomb/a-span-for-every-request
//~ use crate::{app::AppState, config::Config};
use crate::{app::AppState, config::Config, telemetry::Telemetry};
//@ end

/// How long requests in flight may take to end after the signal to stop.
/// Together with [`telemetry::FLUSH_WITHIN`] it stays under two seconds. //@ since honeycomb/a-span-for-every-request
const DRAIN_WITHIN: Duration = Duration::from_millis(400);

/// Runs the service until SIGTERM or SIGINT.
///
/// # Errors
///
/// When the address cannot be listened on, usually because another process has the port.
pub fn run(config: Config) -> io::Result<()> {
    let runtime = runtime::Builder::new_multi_thread().enable_all().build()?;
    let result = runtime.block_on(serve(config));
    // A name look-up that still hangs in the background must not keep the process alive.
    runtime.shutdown_background();
    result
}

async fn serve(config: Config) -> io::Result<()> {
    let listener = TcpListener::bind((config.host, config.port)).await?;
    let address = listener.local_addr()?;

    //@ since cloudwatch-logs/the-switch
    //~ //@ since cloudwatch-logs/a-group-and-a-stream
    //~ //~ let telemetry = Telemetry::start(); //@ since honeycomb/a-span-for-every-request
    //~ let telemetry = Telemetry::start().await;
    //~ //@ end
    let telemetry = Telemetry::start(&config).await;
    //@ end
    //@ since rollbar/a-message
    //~ let state = AppState::new(config);
    let state = AppState::new(config, telemetry.rollbar());
    //@ end
    //@ since cloudwatch-logs/the-access-line
    //~ let app = app::router(state);
    let app = app::router(state).into_make_service_with_connect_info::<SocketAddr>();
    //@ end

    //@ since honeycomb/a-span-for-every-request
    //~ println!("listening on http://{address}");
    info!("listening on http://{address}");
    //@ end

    let (stopping, stopped) = oneshot::channel();
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        stop_signal().await;
        info!("stopping"); //@ since honeycomb/a-span-for-every-request
        let _ = stopping.send(());
    });
    let drained = async {
        let _ = stopped.await;
        time::sleep(DRAIN_WITHIN).await;
    };
    //@ since honeycomb/a-span-for-every-request
    //~ tokio::select! {
    //~     result = server.into_future() => result,
    //~     () = drained => Ok(()),
    //~ }
    let result = tokio::select! {
        result = server.into_future() => result,
        () = drained => Ok(()),
    };

    telemetry.shutdown().await;
    result
    //@ end
}

/// Resolves at the first SIGTERM (`docker stop`) or SIGINT (Ctrl-C).
async fn stop_signal() {
    let terminate = async {
        match signal::unix::signal(signal::unix::SignalKind::terminate()) {
            Ok(mut terminate) => {
                terminate.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    tokio::select! {
        _ = signal::ctrl_c() => {}
        () = terminate => {}
    }
}
