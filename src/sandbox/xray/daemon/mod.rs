//! The X-Ray daemon: segment documents by UDP, and on the same port by TCP an HTTP proxy to the API that needs no
//! signature.
//!
//! The real daemon gathers 50 documents or waits a second; here a document is visible at once, and what has arrived
//! together is written together.

mod datagram;
mod proxy;

use std::sync::Arc;
use std::time::Duration;

use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc};
use tokio_util::sync::CancellationToken;

use self::datagram::{BadDatagram, LONGEST, parse};
use super::ingest;
use crate::facts::Rejection;
use crate::sandbox::{Shared, now_ms, rejection};

/// How many documents are written together at the most.
const BATCH: usize = 50;

/// How many bytes of datagrams may wait to be written, in KiB. Bursts must be taken off the kernel's buffer at once, which
/// holds a hundred or so; beyond this bound that buffer fills, and then datagrams are lost, as with the real daemon.
const WAITING_KIB: usize = 16 * 1024;

/// How long the kernel may take, after the shutdown, to hand out a datagram that it already has.
const LAST: Duration = Duration::from_millis(20);

/// How many datagrams are read after the shutdown at the most.
const LEFT: usize = 1024;

/// How many refusals are kept as evidence in a while, so that a flood of bad datagrams does not bury everything else.
const KEPT: u32 = 50;

/// That while, in milliseconds.
const WHILE_MS: i64 = 10_000;

/// Serves both sides of the daemon until it is told to stop. What has arrived by then is still written.
pub async fn serve_daemon(shared: Shared, udp: UdpSocket, tcp: TcpListener, shutdown: CancellationToken) {
    let (documents, queue) = mpsc::unbounded_channel();
    tokio::join!(receive(&udp, documents, &shutdown), write(&shared, queue), proxy::serve(&shared, &tcp, &shutdown),);
}

/// What a datagram held, and the room that it takes until it is written.
type Received = (Result<String, BadDatagram>, OwnedSemaphorePermit);

/// Reads datagrams until the shutdown, and then what is left of them.
async fn receive(socket: &UdpSocket, documents: mpsc::UnboundedSender<Received>, shutdown: &CancellationToken) {
    let room = Arc::new(Semaphore::new(WAITING_KIB));
    let mut buffer = vec![0; LONGEST];
    loop {
        let length = tokio::select! {
            biased;
            () = shutdown.cancelled() => break,
            received = socket.recv_from(&mut buffer) => {
                let Ok((length, _)) = received else {
                    // On some systems an ICMP error about someone else's datagram surfaces here: it concerns nobody.
                    tokio::task::yield_now().await;
                    continue;
                };
                length
            }
        };
        queue(&buffer[..length], &documents, &room).await;
    }
    for _ in 0..LEFT {
        let Ok(Ok((length, _))) = tokio::time::timeout(LAST, socket.recv_from(&mut buffer)).await else { return };
        queue(&buffer[..length], &documents, &room).await;
    }
}

async fn queue(datagram: &[u8], documents: &mpsc::UnboundedSender<Received>, room: &Arc<Semaphore>) {
    let kib = u32::try_from(datagram.len() / 1024 + 1).unwrap_or(u32::MAX);
    // Neither is ever closed while datagrams are read.
    if let Ok(permit) = Arc::clone(room).acquire_many_owned(kib).await {
        let _ = documents.send((parse(datagram), permit));
    }
}

/// Writes what has queued up, a burst in one transaction.
async fn write(shared: &Shared, mut queue: mpsc::UnboundedReceiver<Received>) {
    let mut batch = Vec::with_capacity(BATCH);
    let mut allowance = Allowance::default();
    while queue.recv_many(&mut batch, BATCH).await > 0 {
        let mut documents = Vec::with_capacity(batch.len());
        let mut permits = Vec::with_capacity(batch.len());
        for (received, permit) in batch.drain(..) {
            permits.push(permit);
            match received {
                Ok(document) => documents.push(document),
                Err(bad) if allowance.take(now_ms()) => keep(shared, &bad).await,
                Err(_) => {}
            }
        }
        // Only a closing store refuses to write, and then nobody is left to tell.
        let refused = ingest::put(shared, documents).await.unwrap_or_default();
        drop(permits);
        for one in &refused {
            if allowance.take(now_ms()) {
                ingest::reject(shared, "udp datagram", one).await;
            }
        }
    }
}

async fn keep(shared: &Shared, bad: &BadDatagram) {
    let rejection = Rejection {
        at_ms: now_ms(),
        vendor: String::from("xray"),
        request: String::from("udp datagram"),
        status: 0,
        reason: String::from("unparsable"),
        detail: bad.to_string(),
        service: None,
    };
    rejection::keep(shared, rejection).await;
}

/// So many in a while, and no more.
#[derive(Debug, Default)]
struct Allowance {
    since_ms: i64,
    taken: u32,
}

impl Allowance {
    fn take(&mut self, now_ms: i64) -> bool {
        if now_ms - self.since_ms >= WHILE_MS {
            *self = Self { since_ms: now_ms, taken: 0 };
        }
        self.taken += 1;
        self.taken <= KEPT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_runs_out_and_comes_back() {
        let mut allowance = Allowance::default();
        let given = (0..200).filter(|_| allowance.take(1_000_000)).count();
        assert_eq!(given, usize::try_from(KEPT).unwrap());
        assert!(allowance.take(1_000_000 + WHILE_MS));
    }
}
