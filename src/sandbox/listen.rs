use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Semaphore, mpsc};
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use super::body::{self, Outgoing};
use super::route::{self, Target};
use super::status::{self, Identity};
use super::{Patience, Shared, cloudwatch, honeycomb, otlp, rollbar, wire, xray};

/// How many connections there are at a time, over all listeners; further ones wait in the kernel's queue.
const CONNECTIONS: usize = 512;
/// How many KiB of bodies are in memory at a time.
const BODIES_KIB: u32 = 256 << 10;
/// How many compressed bodies are worked on at a time: each may become large.
const COMPRESSED: usize = 4;
/// How HTTP/2 begins.
const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/// What all connections share.
#[derive(Debug)]
pub struct Context {
    /// The store and the keys.
    pub shared: Shared,
    /// What the sandbox tells of itself.
    pub identity: Identity,
    /// How long it waits for slow clients.
    pub patience: Patience,
    /// Cancelled when the sandbox is to stop.
    pub shutdown: CancellationToken,
    connections: Arc<Semaphore>,
    bodies: Semaphore,
    compressed: Semaphore,
}

impl Context {
    /// The context of a sandbox that starts.
    #[must_use]
    pub fn new(shared: Shared, identity: Identity, patience: Patience, shutdown: CancellationToken) -> Self {
        Self {
            shared,
            identity,
            patience,
            shutdown,
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            bodies: Semaphore::new(BODIES_KIB as usize),
            compressed: Semaphore::new(COMPRESSED),
        }
    }
}

/// Accepts connections until the sandbox stops. Every connection holds a clone of `alive` while it lasts.
pub async fn serve(context: Arc<Context>, listener: TcpListener, alive: mpsc::Sender<Infallible>) {
    loop {
        let Ok(permit) = Arc::clone(&context.connections).acquire_owned().await else { return };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = context.shutdown.cancelled() => return,
        };
        let Ok((stream, peer)) = accepted else {
            // Out of file descriptors, most likely: those who are done will give some back.
            tokio::time::sleep(Duration::from_millis(50)).await;
            continue;
        };
        let (context, alive) = (Arc::clone(&context), alive.clone());
        tokio::spawn(async move {
            let _held = (permit, alive);
            connection(context, stream, peer).await;
        });
    }
}

async fn connection(context: Arc<Context>, stream: TcpStream, peer: SocketAddr) {
    let _ = stream.set_nodelay(true);
    let http2 = tokio::select! {
        told = timeout(context.patience.head, speaks_http2(&stream)) => match told {
            Ok(Some(http2)) => http2,
            // Nothing came, or not enough to tell.
            _ => return,
        },
        () = context.shutdown.cancelled() => return,
    };
    let shutdown = context.shutdown.clone();
    let (patience, io) = (context.patience, TokioIo::new(stream));
    let service = service_fn(move |request| {
        let context = Arc::clone(&context);
        async move { Ok::<_, Infallible>(answer(&context, peer, request).await) }
    });
    // What goes wrong on a connection ends that connection; there is nobody to tell.
    if http2 {
        let mut builder = hyper::server::conn::http2::Builder::new(TokioExecutor::new());
        builder
            .timer(TokioTimer::new())
            .max_concurrent_streams(64)
            .max_header_list_size(64 << 10)
            .keep_alive_interval(Duration::from_secs(20))
            .keep_alive_timeout(Duration::from_secs(10));
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let _ = timeout(patience.stop, connection).await;
    } else {
        let mut builder = hyper::server::conn::http1::Builder::new();
        builder.timer(TokioTimer::new()).header_read_timeout(patience.head).max_buf_size(64 << 10);
        let mut connection = std::pin::pin!(builder.serve_connection(io, service));
        tokio::select! {
            _ = connection.as_mut() => return,
            () = shutdown.cancelled() => connection.as_mut().graceful_shutdown(),
        }
        let _ = timeout(patience.stop, connection).await;
    }
}

/// Whether a connection begins as HTTP/2 does; `None` where it ends before one can tell.
async fn speaks_http2(stream: &TcpStream) -> Option<bool> {
    let mut start = [0; PREFACE.len()];
    let mut seen = 0;
    loop {
        let length = stream.peek(&mut start).await.ok()?;
        if length == 0 {
            return None;
        }
        if start[..length] != PREFACE[..length] {
            return Some(false);
        }
        if length == PREFACE.len() {
            return Some(true);
        }
        if length == seen {
            // Peeking returns at once with what was there before.
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        seen = length;
    }
}

async fn answer(context: &Context, peer: SocketAddr, request: hyper::Request<Incoming>) -> hyper::Response<Outgoing> {
    let (parts, body) = request.into_parts();
    let mut request = wire::Request {
        method: parts.method,
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().unwrap_or_default().to_owned(),
        headers: parts.headers,
        body: bytes::Bytes::new(),
        peer,
    };
    let target = route::target(&request.method, &request.path, &request.headers);
    let limit = target.limit(&request.path);
    // A body without a declared length may become as large as its path allows.
    let expected = body.size_hint().upper().and_then(|length| usize::try_from(length).ok()).unwrap_or(limit).min(limit);
    let share = u32::try_from(expected.div_ceil(1024)).unwrap_or(BODIES_KIB).min(BODIES_KIB);
    let room = timeout(context.patience.body, context.bodies.acquire_many(share)).await;
    let read = match room {
        Ok(_) => body::read(&request.headers, body, limit, context.patience.body).await,
        Err(_) => Err(body::BodyError::TooSlow),
    };
    match read {
        Ok(whole) => request.body = whole,
        Err(error) => return body::outgoing(route::refuse_body(&context.shared, target, &request, error).await),
    }
    let is_compressed = ["content-encoding", "grpc-encoding"]
        .iter()
        .any(|name| request.header(name).is_some_and(|encoding| !encoding.eq_ignore_ascii_case("identity")));
    // The semaphore is never closed, so this is a permit.
    let _turn = if is_compressed { context.compressed.acquire().await.ok() } else { None };
    body::outgoing(dispatch(context, target, request).await)
}

async fn dispatch(context: &Context, target: Target, request: wire::Request) -> wire::Response {
    let shared = &context.shared;
    match target {
        Target::Otlp => otlp::http::handle(shared, request).await,
        Target::Grpc => otlp::grpc::handle(shared, request).await,
        Target::Honeycomb => honeycomb::handle(shared, request).await,
        Target::CloudWatch => cloudwatch::handle(shared, request).await,
        Target::Rollbar => rollbar::handle(shared, request).await,
        Target::Xray => xray::handle(shared, request).await,
        Target::Own => status::handle(shared, &context.identity, &request).await,
        Target::Nobody => route::nobody(shared, &request).await,
    }
}
