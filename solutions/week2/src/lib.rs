//! Cruddur's backend as it stands at the end of week 2: distributed tracing.
//!
//! ```text
//! main ─► config ─► telemetry ─► app ─► routes ─► services
//!                   │                              the business logic, mock data for now
//!                   ├ honeycomb   spans over OTLP
//!                   ├ xray        the same spans as X-Ray segments over UDP
//!                   ├ console     the same spans, and the log, on stdout
//!                   ├ cloudwatch  log lines to CloudWatch Logs
//!                   └ rollbar     errors and messages to Rollbar
//! ```

pub mod app;
pub mod config;
pub mod error;
pub mod model;
pub mod routes;
pub mod services;
pub mod telemetry;

use std::{io, net::SocketAddr, time::Duration};

use axum::serve::ListenerExt;
use tokio::{net::TcpListener, runtime, signal, sync::oneshot, time};
use tracing::info;

use crate::{app::AppState, config::Config, telemetry::Telemetry};

/// How long requests in flight may take to end after the signal to stop.
/// Together with [`telemetry::FLUSH_WITHIN`] it stays under two seconds.
const DRAIN_WITHIN: Duration = Duration::from_millis(400);

/// Runs the service until SIGTERM or SIGINT, and leaves nothing unsent.
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

    let telemetry = Telemetry::start(&config).await;
    let state = AppState::new(config, telemetry.rollbar());
    let app = app::router(state).into_make_service_with_connect_info::<SocketAddr>();

    info!("listening on http://{address}");

    let (stopping, stopped) = oneshot::channel();
    let listener = listener.tap_io(|stream| {
        let _ = stream.set_nodelay(true);
    });
    let server = axum::serve(listener, app).with_graceful_shutdown(async {
        stop_signal().await;
        info!("stopping");
        let _ = stopping.send(());
    });
    let drained = async {
        let _ = stopped.await;
        time::sleep(DRAIN_WITHIN).await;
    };
    let result = tokio::select! {
        result = server.into_future() => result,
        () = drained => Ok(()),
    };

    telemetry.shutdown().await;
    result
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
