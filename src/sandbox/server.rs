use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::listen::{self, Context};
use super::status::Identity;
use super::store::{Store, StoreError};
use super::{Addresses, Patience, Settings, Shared, TABLES, eviction, now_ms, xray};

/// How often a free port is looked for that is free on every address and for UDP as well.
const ATTEMPTS: usize = 64;

/// Why a sandbox does not start.
#[derive(Debug, thiserror::Error)]
pub enum SandboxError {
    /// Somebody listens there already.
    #[error("port {port} of {ip} ({what}) is taken by another program; stop that program, or give the sandbox another port")]
    PortTaken {
        /// What it was wanted for.
        what: &'static str,
        /// The address.
        ip: IpAddr,
        /// The port.
        port: u16,
    },
    /// This machine does not have the address.
    #[error("this machine has no address {ip}; name one of its own, such as 127.0.0.1")]
    NoSuchAddress {
        /// The address.
        ip: IpAddr,
    },
    /// The system refused for another reason.
    #[error("cannot listen on port {port} of {ip} ({what}): {source}")]
    Listen {
        /// What it was wanted for.
        what: &'static str,
        /// The address.
        ip: IpAddr,
        /// The port.
        port: u16,
        /// Why.
        source: io::Error,
    },
    /// The store cannot be opened.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A running sandbox. Stop it with [`stop`](Self::stop); dropped, it ends its listeners and leaves the rest to the
/// runtime.
#[derive(Debug)]
pub struct Sandbox {
    context: Arc<Context>,
    /// Ends when the last connection and task does.
    done: mpsc::Receiver<Infallible>,
    patience: Patience,
}

impl Sandbox {
    /// Opens the store and starts to listen. When it returns, all ports are open.
    ///
    /// # Errors
    /// When the store cannot be opened, or a port is not to be had.
    pub async fn bind(settings: Settings) -> Result<Self, SandboxError> {
        let mut ips = vec![settings.bind];
        for ip in settings.also_bind {
            // "All addresses" covers the others of its family.
            if !ips.contains(&ip) && !ips.iter().any(|known| known.is_unspecified() && known.is_ipv4() == ip.is_ipv4()) {
                ips.push(ip);
            }
        }
        let http = listeners(&ips, settings.ports.http, "HTTP").await?;
        let grpc = listeners(&ips, settings.ports.grpc, "OTLP over gRPC").await?;
        let daemon = daemon_sockets(&ips, settings.ports.daemon).await?;
        let store = Store::open(&settings.place, &TABLES)?;

        let shared = Shared { store, keys: Arc::new(settings.keys) };
        let addresses = Addresses { ips, http: http.port, grpc: grpc.port, daemon: daemon.port };
        let identity = Identity { addresses, started_ms: now_ms() };
        let shutdown = CancellationToken::new();
        let context = Arc::new(Context::new(shared.clone(), identity, settings.patience, shutdown.clone()));
        let (alive, done) = mpsc::channel(1);
        for listener in http.sockets.into_iter().chain(grpc.sockets) {
            tokio::spawn(listen::serve(Arc::clone(&context), listener, alive.clone()));
        }
        for (udp, tcp) in daemon.sockets {
            let (shared, shutdown, alive) = (shared.clone(), shutdown.clone(), alive.clone());
            tokio::spawn(async move {
                let _alive = alive;
                xray::serve_daemon(shared, udp, tcp, shutdown).await;
            });
        }
        let (store, shutdown) = (shared.store, shutdown);
        tokio::spawn(async move {
            let _alive = alive;
            eviction::run(store, &TABLES, settings.bounds, shutdown).await;
        });
        Ok(Self { context, done, patience: settings.patience })
    }

    /// Where it listens.
    #[must_use]
    pub fn addresses(&self) -> &Addresses {
        &self.context.identity.addresses
    }

    /// The store and the keys.
    #[must_use]
    pub fn shared(&self) -> &Shared {
        &self.context.shared
    }

    /// When it started, in Unix milliseconds.
    #[must_use]
    pub fn started_ms(&self) -> i64 {
        self.context.identity.started_ms
    }

    /// Stops listening, lets the requests under way finish within bounds, and closes the store.
    pub async fn stop(mut self) {
        self.context.shutdown.cancel();
        // A little longer than each connection waits for itself.
        let _ = tokio::time::timeout(self.patience.stop * 2, self.done.recv()).await;
        self.context.shared.store.close().await;
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        self.context.shutdown.cancel();
    }
}

/// Sockets on the same port of several addresses.
struct Bound<S> {
    port: u16,
    sockets: Vec<S>,
}

async fn listeners(ips: &[IpAddr], port: u16, what: &'static str) -> Result<Bound<TcpListener>, SandboxError> {
    attempt(port, async || {
        let mut bound = Bound { port, sockets: Vec::new() };
        for ip in ips {
            let listener = listener(*ip, bound.port, what).await?;
            bound.port = local_port(listener.local_addr(), bound.port);
            bound.sockets.push(listener);
        }
        Ok(bound)
    })
    .await
}

async fn daemon_sockets(ips: &[IpAddr], port: u16) -> Result<Bound<(UdpSocket, TcpListener)>, SandboxError> {
    let what = "the X-Ray daemon";
    attempt(port, async || {
        let mut bound = Bound { port, sockets: Vec::new() };
        for ip in ips {
            let tcp = listener(*ip, bound.port, what).await?;
            bound.port = local_port(tcp.local_addr(), bound.port);
            let udp = UdpSocket::bind((*ip, bound.port)).await.map_err(|source| refused(what, *ip, bound.port, source))?;
            bound.sockets.push((udp, tcp));
        }
        Ok(bound)
    })
    .await
}

/// Tries again while any port would do and the one that was found is taken elsewhere.
async fn attempt<S>(port: u16, bind: impl AsyncFn() -> Result<Bound<S>, SandboxError>) -> Result<Bound<S>, SandboxError> {
    let mut last = bind().await;
    for _ in 1..ATTEMPTS {
        if port != 0 || !matches!(last, Err(SandboxError::PortTaken { .. })) {
            break;
        }
        last = bind().await;
    }
    last
}

async fn listener(ip: IpAddr, port: u16, what: &'static str) -> Result<TcpListener, SandboxError> {
    TcpListener::bind((ip, port)).await.map_err(|source| refused(what, ip, port, source))
}

fn local_port(address: io::Result<SocketAddr>, fallback: u16) -> u16 {
    address.map_or(fallback, |address| address.port())
}

fn refused(what: &'static str, ip: IpAddr, port: u16, source: io::Error) -> SandboxError {
    match source.kind() {
        io::ErrorKind::AddrInUse => SandboxError::PortTaken { what, ip, port },
        io::ErrorKind::AddrNotAvailable => SandboxError::NoSuchAddress { ip },
        _ => SandboxError::Listen { what, ip, port, source },
    }
}
