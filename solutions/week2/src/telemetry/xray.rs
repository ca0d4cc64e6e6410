//@ file since x-ray/a-segment-for-every-request
//! AWS X-Ray: the same spans, translated to segment documents and sent to the daemon over UDP.
//!
//! - A span of kind *server* becomes the segment, named after the service; its children become
//!   subsegments, each a datagram of its own.
//! - An attribute `annotation.<key>` becomes the annotation `<key>`, which filters can find.
//! - Every attribute without a place of its own in the document becomes metadata.

use std::{
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs, UdpSocket},
    sync::OnceLock,
};

use opentelemetry_aws::xray_exporter::{
    SegmentDocument, SegmentDocumentExporter, SegmentTranslator, XrayExporter,
};

use crate::{config::var, telemetry::Warnings};

/// The exporter for the daemon at `AWS_XRAY_DAEMON_ADDRESS`.
pub fn exporter(warnings: &mut Warnings) -> Option<XrayExporter<Daemon>> {
    let Some(address) = var("AWS_XRAY_DAEMON_ADDRESS") else {
        warnings.add("AWS_XRAY_DAEMON_ADDRESS", "no segments are sent to X-Ray");
        return None;
    };
    let translator = SegmentTranslator::new().metadata_all_attrs();
    Some(XrayExporter::new(Daemon::new(address)).with_translator(translator))
}

/// The X-Ray daemon, which may well start after us.
///
/// The crate's own client wants an IP address at start, while compose gives a name
/// (`xray-daemon:2000`), and it gives a whole batch up when the daemon was away for a moment. This
/// one resolves the name when the first batch goes out, on the batch processor's thread.
#[derive(Debug)]
pub struct Daemon {
    address: String,
    connection: OnceLock<(UdpSocket, SocketAddr)>,
}

impl Daemon {
    /// What the daemon wants to read before each document.
    const HEADER: &[u8] = b"{\"format\": \"json\", \"version\": 1}\n";

    fn new(address: String) -> Self {
        Self {
            address,
            connection: OnceLock::new(),
        }
    }

    /// The socket and the daemon's address, from the first time that the name resolves.
    fn connection(&self) -> io::Result<&(UdpSocket, SocketAddr)> {
        if let Some(connection) = self.connection.get() {
            return Ok(connection);
        }
        let daemon =
            self.address.to_socket_addrs()?.next().ok_or_else(|| {
                io::Error::new(io::ErrorKind::NotFound, "the name has no address")
            })?;
        let socket = match daemon {
            SocketAddr::V4(_) => UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?,
            SocketAddr::V6(_) => UdpSocket::bind((Ipv6Addr::UNSPECIFIED, 0))?,
        };
        Ok(self.connection.get_or_init(|| (socket, daemon)))
    }
}

impl SegmentDocumentExporter for Daemon {
    type Error = io::Error;

    async fn export_segment_documents(
        &self,
        documents: Vec<SegmentDocument<'_>>,
    ) -> io::Result<()> {
        let (socket, daemon) = self.connection().map_err(|error| {
            let address = &self.address;
            io::Error::new(
                error.kind(),
                format!("the X-Ray daemon at `{address}` cannot be resolved: {error}"),
            )
        })?;
        let mut datagram = Vec::new();
        for document in documents {
            datagram.clear();
            datagram.extend_from_slice(Self::HEADER);
            document.to_writer(&mut datagram);
            socket.send_to(&datagram, daemon)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_resolved_when_it_is_needed_and_not_before() {
        let receiver = UdpSocket::bind("127.0.0.1:0").unwrap();
        let address = receiver.local_addr().unwrap();
        let daemon = Daemon::new(format!("localhost:{}", address.port()));
        assert!(daemon.connection.get().is_none());
        let (_, resolved) = daemon.connection().unwrap();
        assert_eq!(resolved.port(), address.port());
    }

    #[test]
    fn an_address_without_a_port_is_an_error_and_no_panic() {
        assert!(Daemon::new("xray-daemon".to_owned()).connection().is_err());
    }
}
