use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};

use serde::{Deserialize, Serialize};

/// Where a sandbox listens.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Addresses {
    /// The addresses, the main one first.
    pub ips: Vec<IpAddr>,
    /// All vendors over HTTP.
    pub http: u16,
    /// OTLP over gRPC.
    pub grpc: u16,
    /// The X-Ray daemon, UDP and TCP.
    pub daemon: u16,
}

impl Addresses {
    /// The address for programs on this machine.
    #[must_use]
    pub fn local(&self) -> IpAddr {
        match self.ips.first() {
            None => IpAddr::V4(Ipv4Addr::LOCALHOST),
            // "All addresses" is nothing one could connect to everywhere.
            Some(IpAddr::V4(ip)) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
            Some(IpAddr::V6(ip)) if ip.is_unspecified() => IpAddr::V6(std::net::Ipv6Addr::LOCALHOST),
            Some(ip) => *ip,
        }
    }

    /// The address for programs in containers, where there is one: loopback there is the container's own.
    #[must_use]
    pub fn for_containers(&self) -> Option<IpAddr> {
        let reachable = self.ips.iter().copied().find(|ip| !ip.is_loopback() && !ip.is_unspecified());
        reachable.or_else(|| if self.ips.iter().any(IpAddr::is_unspecified) { docker_bridge() } else { None })
    }

    /// `http://127.0.0.1:4318`: all vendors over HTTP, for programs on this machine.
    #[must_use]
    pub fn http_url(&self) -> String {
        format!("http://{}", SocketAddr::new(self.local(), self.http))
    }

    /// `http://127.0.0.1:4317`: OTLP over gRPC, for programs on this machine.
    #[must_use]
    pub fn grpc_url(&self) -> String {
        format!("http://{}", SocketAddr::new(self.local(), self.grpc))
    }

    /// `127.0.0.1:2000`: the X-Ray daemon, for programs on this machine.
    #[must_use]
    pub fn daemon_address(&self) -> SocketAddr {
        SocketAddr::new(self.local(), self.daemon)
    }
}

/// The address of Docker's default bridge on this machine, under which containers reach it; `None` where there is none.
#[must_use]
pub fn docker_bridge() -> Option<IpAddr> {
    // Linux alone has the bridge on the host itself.
    let (network, mask) = bridge_network(&std::fs::read_to_string("/proc/net/route").ok()?)?;
    // Connecting a datagram socket sends nothing; it only asks which address of ours leads there.
    let neighbour = Ipv4Addr::from(u32::from(network).checked_add(2)?);
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0)).ok()?;
    socket.connect((neighbour, 9)).ok()?;
    match socket.local_addr().ok()?.ip() {
        IpAddr::V4(ip) if u32::from(ip) & u32::from(mask) == u32::from(network) => Some(IpAddr::V4(ip)),
        _ => None,
    }
}

/// The network of `docker0` and its mask in the kernel's table of routes.
fn bridge_network(routes: &str) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let number = |text: &str| u32::from_str_radix(text, 16).ok().map(|bits| Ipv4Addr::from(bits.to_ne_bytes()));
    routes.lines().find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        match columns[..] {
            ["docker0", network, _, _, _, _, _, mask, ..] => Some((number(network)?, number(mask)?)),
            _ => None,
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(ips: &[&str]) -> Addresses {
        Addresses { ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(), http: 4318, grpc: 4317, daemon: 2000 }
    }

    #[test]
    fn containers_need_an_address_that_is_not_loopback() {
        assert_eq!(addresses(&["127.0.0.1"]).for_containers(), None);
        let both = addresses(&["127.0.0.1", "172.17.0.1"]);
        assert_eq!(both.for_containers(), Some("172.17.0.1".parse().unwrap()));
        assert_eq!(both.http_url(), "http://127.0.0.1:4318");
        assert_eq!(addresses(&["0.0.0.0"]).http_url(), "http://127.0.0.1:4318");
        assert_eq!(addresses(&["::1"]).grpc_url(), "http://[::1]:4317");
    }

    #[test]
    #[cfg(target_endian = "little")]
    fn the_bridge_stands_in_the_routes() {
        let routes = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n\
                      eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0\n\
                      docker0\t000011AC\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n";
        let (network, mask) = bridge_network(routes).unwrap();
        assert_eq!((network.to_string(), mask.to_string()), (String::from("172.17.0.0"), String::from("255.255.0.0")));
        assert_eq!(bridge_network("docker0 zz"), None);
        assert_eq!(bridge_network(""), None);
    }
}
