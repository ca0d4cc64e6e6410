//! The TCP side: any API path, over HTTP/1, without a signature. The real daemon signs what passes through.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;

use super::super::credential::Caller;
use super::super::failure::Failure;
use super::super::{LARGEST_BODY, answer};
use crate::sandbox::Shared;
use crate::sandbox::wire::Response;

/// How many connections are open at the most; a further one waits in the kernel.
const CONNECTIONS: usize = 64;

/// How long a connection may take for its next request's head: more than the SDKs' polling interval of ten seconds.
const HEAD: Duration = Duration::from_secs(30);

/// How long a body may take.
const BODY: Duration = Duration::from_secs(10);

/// How long requests under way may still take after the shutdown.
const GRACE: Duration = Duration::from_millis(500);

/// Serves connections until the shutdown.
pub(super) async fn serve(shared: &Shared, listener: &TcpListener, shutdown: &CancellationToken) {
    let permits = Arc::new(Semaphore::new(CONNECTIONS));
    let mut connections = JoinSet::new();
    loop {
        // Finished ones are let go of as others come.
        while connections.try_join_next().is_some() {}
        let accepted = tokio::select! {
            () = shutdown.cancelled() => break,
            accepted = accept(listener, &permits) => accepted,
        };
        let Some((stream, permit)) = accepted else {
            // Out of descriptors, most likely: others must close first.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (shared, shutdown) = (shared.clone(), shutdown.clone());
        connections.spawn(async move {
            converse(shared, stream, &shutdown).await;
            drop(permit);
        });
    }
    let _ = tokio::time::timeout(GRACE, async { while connections.join_next().await.is_some() {} }).await;
}

async fn accept(listener: &TcpListener, permits: &Arc<Semaphore>) -> Option<(TcpStream, OwnedSemaphorePermit)> {
    let permit = Arc::clone(permits).acquire_owned().await.ok()?;
    let (stream, _) = listener.accept().await.ok()?;
    Some((stream, permit))
}

async fn converse(shared: Shared, stream: TcpStream, shutdown: &CancellationToken) {
    let service = service_fn(move |request| {
        let shared = shared.clone();
        async move { Ok::<_, Infallible>(respond(&shared, request).await.map(Full::new)) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD)
        .max_buf_size(64 * 1024)
        .serve_connection(TokioIo::new(stream), service);
    tokio::pin!(connection);
    tokio::select! {
        // How a client ends a connection is its own affair.
        _ = connection.as_mut() => {}
        () = shutdown.cancelled() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

async fn respond(shared: &Shared, request: http::Request<Incoming>) -> Response {
    let (head, body) = request.into_parts();
    let body = match tokio::time::timeout(BODY, Limited::new(body, LARGEST_BODY).collect()).await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(_)) => return too_large(),
        Err(_) => return late(),
    };
    let authorization = head.headers.get(http::header::AUTHORIZATION).and_then(|value| value.to_str().ok());
    let caller = Caller::parse(authorization).unwrap_or_default();
    answer(shared, &caller, &head.method, head.uri.path(), &body).await
}

fn too_large() -> Response {
    let message = format!("the body was cut off, or is longer than {LARGEST_BODY} bytes");
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", message).response()
}

fn late() -> Response {
    Failure::new(StatusCode::REQUEST_TIMEOUT, "RequestTimeoutException", "the body did not arrive in time").response()
}
