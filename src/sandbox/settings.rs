use std::net::{IpAddr, Ipv4Addr};
use std::time::Duration;

use super::Keys;
use super::store::Place;

/// How a sandbox is to be.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where its store lives.
    pub place: Place,
    /// The address on which it listens.
    pub bind: IpAddr,
    /// Further addresses, for services in containers: the Docker bridge's own.
    pub also_bind: Vec<IpAddr>,
    /// The ports, the same on every address.
    pub ports: Ports,
    /// The credentials that it knows.
    pub keys: Keys,
    /// How much it keeps.
    pub bounds: Bounds,
    /// How long it waits for slow clients.
    pub patience: Patience,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            place: Place::Memory,
            bind: IpAddr::V4(Ipv4Addr::LOCALHOST),
            also_bind: Vec::new(),
            ports: Ports::default(),
            keys: Keys::default(),
            bounds: Bounds::default(),
            patience: Patience::default(),
        }
    }
}

/// The ports; 0 takes a free one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ports {
    /// All vendors over HTTP.
    pub http: u16,
    /// OTLP over gRPC.
    pub grpc: u16,
    /// The X-Ray daemon, UDP and TCP.
    pub daemon: u16,
}

impl Default for Ports {
    /// The vendors' usual ones: 4318, 4317 and 2000.
    fn default() -> Self {
        Self { http: 4318, grpc: 4317, daemon: 2000 }
    }
}

impl Ports {
    /// Whatever is free.
    #[must_use]
    pub fn free() -> Self {
        Self { http: 0, grpc: 0, daemon: 0 }
    }
}

/// How much a sandbox keeps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bounds {
    /// What is older goes.
    pub max_age: Duration,
    /// When the store is larger, the oldest goes.
    pub max_bytes: u64,
}

impl Default for Bounds {
    /// 30 days and 512 MiB.
    fn default() -> Self {
        Self { max_age: Duration::from_hours(30 * 24), max_bytes: 512 << 20 }
    }
}

/// How long a sandbox waits for slow clients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Patience {
    /// For the head of a request, and between two requests.
    pub head: Duration,
    /// For the whole body.
    pub body: Duration,
    /// For requests under way, when it stops.
    pub stop: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self { head: Duration::from_secs(10), body: Duration::from_secs(30), stop: Duration::from_secs(2) }
    }
}
