//! The ports that the week uses: free, ours, or somebody else's.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener, UdpSocket};
use std::time::Duration;

use super::{Area, Finding, Needs, Setting, State};
use crate::facts::Container;
use crate::sandbox::{Discovery, docker_bridge};
use crate::service::attach;

/// How long a connection to this machine may take.
const CONNECT: Duration = Duration::from_millis(500);

/// What was seen.
#[derive(Debug, Clone, Default)]
pub(super) struct Ports {
    /// The service's own, where there is a workspace.
    pub(super) service: Option<ServicePort>,
    /// Those of `bootcamp sandbox`.
    pub(super) sandbox: Vec<Port>,
    /// The workspace's sandbox, while it runs.
    pub(super) running: Option<Discovery>,
    /// Whether it also listens on Docker's bridge, and leaves 2000 to compose.
    pub(super) bridge: bool,
}

/// A port, and who has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Port {
    pub(super) number: u16,
    pub(super) protocol: Protocol,
    pub(super) use_of: &'static str,
    pub(super) held: Held,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Protocol {
    Tcp,
    Udp,
}

impl Protocol {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Tcp => "tcp",
            Self::Udp => "udp",
        }
    }
}

/// Whether a port is free.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Held {
    /// It is.
    Free,
    /// Somebody has it: the process, where the system lets one see it.
    By(Option<(u32, String)>),
    /// We may not even ask for it.
    Denied,
}

impl Held {
    /// `process 4711 (postgres)`.
    fn who(&self) -> String {
        match self {
            Self::By(Some((id, name))) => format!("process {id} (`{name}`)"),
            _ => String::from("another program (of another user: Docker, perhaps)"),
        }
    }
}

/// The service's port.
#[derive(Debug, Clone)]
pub(super) struct ServicePort {
    /// `http://127.0.0.1:4567`.
    pub(super) url: String,
    pub(super) number: u16,
    pub(super) answer: Answer,
}

/// What answers at `service.url`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// Something that speaks HTTP.
    Http,
    /// Something else does, and what was wrong with it.
    Wrong(String),
    /// Nothing; whether the port can be had.
    Nothing(Held),
}

pub(super) async fn look(setting: &Setting) -> Ports {
    let bridge = docker_bridge().is_some();
    let daemon = if bridge { 2001 } else { 2000 };
    let wanted = [
        (4318, Protocol::Tcp, "all vendors over HTTP"),
        (4317, Protocol::Tcp, "OTLP over gRPC"),
        (daemon, Protocol::Udp, "the X-Ray daemon"),
        (daemon, Protocol::Tcp, "the X-Ray daemon"),
    ];
    let sandbox =
        futures_util::future::join_all(wanted.map(|(number, protocol, use_of)| async move {
            Port { number, protocol, use_of, held: held(number, protocol).await }
        }));
    let running = async {
        match setting.workspace.manifest() {
            Some(manifest) => Discovery::find(&manifest.workspace).await,
            None => None,
        }
    };
    let (service, sandbox, running) = tokio::join!(service(setting), sandbox, running);
    Ports { service, sandbox, running, bridge }
}

async fn service(setting: &Setting) -> Option<ServicePort> {
    let settings = &setting.workspace.manifest()?.service;
    let number = settings.url.port_or_known_default()?;
    let answer = match attach(&settings.url, &settings.health).await {
        Ok(Some(_)) => Answer::Http,
        Err(error) => Answer::Wrong(error.to_string()),
        Ok(None) if is_here(&settings.url) => Answer::Nothing(held(number, Protocol::Tcp).await),
        Ok(None) => Answer::Nothing(Held::Free),
    };
    Some(ServicePort { url: settings.url.as_str().trim_end_matches('/').to_owned(), number, answer })
}

fn is_here(url: &url::Url) -> bool {
    match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost",
        Some(url::Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(url::Host::Ipv6(ip)) => ip.is_loopback() || ip.is_unspecified(),
        None => false,
    }
}

/// Asks for a port of this machine, and gives it back at once.
async fn held(number: u16, protocol: Protocol) -> Held {
    let address = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), number);
    // On some systems one may listen on an address of one's own beside who listens on all of them.
    let connected = match protocol {
        Protocol::Tcp => {
            tokio::time::timeout(CONNECT, tokio::net::TcpStream::connect(address)).await.is_ok_and(|done| done.is_ok())
        }
        Protocol::Udp => false,
    };
    let bound = match protocol {
        _ if connected => Err(std::io::ErrorKind::AddrInUse.into()),
        Protocol::Tcp => TcpListener::bind(address).map(drop),
        Protocol::Udp => UdpSocket::bind(address).map(drop),
    };
    match bound {
        Ok(()) => Held::Free,
        Err(error) if error.kind() == std::io::ErrorKind::PermissionDenied => Held::Denied,
        Err(_) => {
            let holder = tokio::task::spawn_blocking(move || holder(number, protocol)).await;
            Held::By(holder.ok().flatten())
        }
    }
}

/// The process that has a port, as far as `/proc` shows it to this user.
#[cfg(target_os = "linux")]
fn holder(number: u16, protocol: Protocol) -> Option<(u32, String)> {
    /// Of so many processes the open files are looked through.
    const MOST: usize = 5_000;
    let tables = match protocol {
        Protocol::Tcp => ["/proc/net/tcp", "/proc/net/tcp6"],
        Protocol::Udp => ["/proc/net/udp", "/proc/net/udp6"],
    };
    let socket = tables.iter().find_map(|table| inode(&std::fs::read_to_string(table).ok()?, number, protocol))?;
    let link = format!("socket:[{socket}]");
    let processes =
        std::fs::read_dir("/proc").ok()?.flatten().filter_map(|entry| entry.file_name().to_str()?.parse::<u32>().ok());
    processes.take(MOST).find_map(|id| {
        let mut files = std::fs::read_dir(format!("/proc/{id}/fd")).ok()?.flatten();
        files.any(|file| std::fs::read_link(file.path()).is_ok_and(|target| target.as_os_str() == link.as_str())).then(|| {
            let name = std::fs::read_to_string(format!("/proc/{id}/comm")).unwrap_or_default();
            (id, name.trim().to_owned())
        })
    })
}

#[cfg(not(target_os = "linux"))]
fn holder(_: u16, _: Protocol) -> Option<(u32, String)> {
    None
}

/// The socket that listens on a port, in a table of the kernel's (`proc_net(5)`).
#[cfg_attr(not(target_os = "linux"), allow(dead_code))]
fn inode(table: &str, number: u16, protocol: Protocol) -> Option<u64> {
    table.lines().skip(1).find_map(|line| {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let [_, local, _, state, _, _, _, _, _, inode, ..] = columns[..] else { return None };
        let (_, port) = local.rsplit_once(':')?;
        // 0A listens; a datagram socket that is not connected is 07.
        let listens = protocol == Protocol::Udp || state == "0A";
        (listens && u16::from_str_radix(port, 16) == Ok(number)).then(|| inode.parse().ok())?
    })
}

pub(super) fn judge(ports: &Ports, containers: &[Container], needs: &Needs) -> Vec<Finding> {
    let mut findings: Vec<Finding> = ports.service.iter().map(|port| service_port(port, containers)).collect();
    if let Some(running) = &ports.running {
        let told = format!("the workspace's sandbox runs at {} (process {})", running.addresses.http_url(), running.pid);
        findings.push(Finding::new(Area::Ports, "sandbox", "sandbox", State::Good, told));
    }
    // One finding for a number: the daemon has both protocols.
    let mut numbers: BTreeMap<u16, Vec<&Port>> = BTreeMap::new();
    for port in &ports.sandbox {
        numbers.entry(port.number).or_default().push(port);
    }
    findings.extend(numbers.values().rev().map(|both| sandbox_port(both, ports, containers, needs)));
    findings
}

fn service_port(port: &ServicePort, containers: &[Container]) -> Finding {
    let subject = format!("{}, the service", port.number);
    let finding = |state, told: String| Finding::new(Area::Ports, "service", subject.as_str(), state, told);
    let url = &port.url;
    let other = "or let the service have another address: `service.url` in `bootcamp.toml`";
    match &port.answer {
        Answer::Nothing(Held::Free) => finding(State::Good, format!("free; `verify` starts the service at {url}")),
        Answer::Http => {
            let whose = publisher(containers, port.number, Protocol::Tcp).map(|name| format!(" from the container `{name}`"));
            let whose = whose.unwrap_or_default();
            finding(
                State::Good,
                format!("{url} answers already{whose}: `verify` takes that for your service, and builds nothing"),
            )
        }
        Answer::Wrong(why) => finding(State::Bad, why.clone()).fix(format!("stop what listens there, {other}")),
        Answer::Nothing(held @ Held::By(_)) => {
            finding(State::Bad, format!("{} has it, and does not answer over HTTP: the service cannot start", held.who()))
                .fix(format!("stop that program, {other}"))
        }
        Answer::Nothing(Held::Denied) => {
            finding(State::Bad, String::from("this user may not listen there: ports below 1024 are the administrator's"))
                .fix("let the service have a port from 1024 on: `service.url` in `bootcamp.toml`")
        }
    }
}

fn sandbox_port(both: &[&Port], ports: &Ports, containers: &[Container], needs: &Needs) -> Finding {
    let number = both.first().map_or(0, |port| port.number);
    let use_of = both.first().map_or("", |port| port.use_of);
    let protocols: Vec<&str> = both.iter().map(|port| port.protocol.name()).collect();
    let subject = format!("{number} {}", protocols.join(", "));
    let finding = |state, told: String| Finding::new(Area::Ports, &number.to_string(), subject.as_str(), state, told);
    let Some(taken) = both.iter().find(|port| port.held != Held::Free) else {
        let note = if ports.bridge && number == 2001 { "; 2000 is left to compose's own daemon" } else { "" };
        return finding(State::Good, format!("free, for {use_of} of `bootcamp sandbox`{note}"));
    };
    if let Some(running) = &ports.running {
        let its = &running.addresses;
        if [its.http, its.grpc, its.daemon].contains(&number) {
            return finding(State::Good, format!("the workspace's sandbox has it, for {use_of}"));
        }
    }
    if let Some(name) = publisher(containers, number, taken.protocol) {
        let daemon = number == 2000 && !needs.containers.is_empty();
        let note = if daemon { ", as the lessons have it" } else { "" };
        let found = finding(State::Good, format!("the container `{name}` publishes it{note}"));
        return if ports.running.is_some() {
            found
        } else {
            Finding { told: format!("{}; `bootcamp sandbox` then takes another: `--daemon-port 0`", found.told), ..found }
        };
    }
    let option = match number {
        4318 => "--http-port 0",
        4317 => "--grpc-port 0",
        _ => "--daemon-port 0",
    };
    let who =
        if taken.held == Held::Denied { String::from("the system keeps it") } else { format!("{} has it", taken.held.who()) };
    finding(State::Warning, format!("{who}: `bootcamp sandbox` cannot, for {use_of}; `verify` by itself takes free ports"))
        .fix(format!("`bootcamp sandbox {option}` takes a free one; or stop that program"))
}

/// The container that publishes a port of this machine.
fn publisher(containers: &[Container], number: u16, protocol: Protocol) -> Option<&str> {
    let publishes = |container: &&Container| {
        container.state == "running"
            && container.ports.iter().any(|port| port.public == Some(number) && port.protocol == protocol.name())
    };
    containers.iter().find(publishes).map(|container| container.name.as_str())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::facts::PublishedPort;
    use crate::sandbox::{Addresses, Keys};

    fn port(number: u16, protocol: Protocol, held: Held) -> Port {
        Port { number, protocol, use_of: "the X-Ray daemon", held }
    }

    fn ports(sandbox: Vec<Port>) -> Ports {
        Ports { sandbox, ..Ports::default() }
    }

    fn container(number: u16, protocol: &str) -> Container {
        let published = PublishedPort { private: number, public: Some(number), protocol: protocol.to_owned() };
        Container {
            id: String::from("a"),
            name: String::from("week2-xray-daemon-1"),
            image: String::from("amazon/aws-xray-daemon"),
            state: String::from("running"),
            status: String::new(),
            service: Some(String::from("xray-daemon")),
            folder: None,
            ports: vec![published],
            environment: BTreeMap::new(),
            last_lines: Vec::new(),
        }
    }

    fn stranger() -> Held {
        Held::By(Some((4711, String::from("postgres"))))
    }

    #[test]
    fn a_number_is_told_once_with_its_protocols() {
        let seen = ports(vec![port(2000, Protocol::Udp, Held::Free), port(2000, Protocol::Tcp, Held::Free)]);
        let findings = judge(&seen, &[], &Needs::default());
        assert_eq!(findings.len(), 1);
        assert_eq!(
            (findings[0].id.as_str(), findings[0].subject.as_str(), findings[0].state),
            ("ports.2000", "2000 udp, tcp", State::Good)
        );
    }

    #[test]
    fn a_taken_port_is_ours_a_containers_or_a_strangers() {
        let seen = ports(vec![port(2000, Protocol::Udp, stranger())]);
        let strange = &judge(&seen, &[container(2000, "tcp")], &Needs::default())[0];
        assert_eq!(strange.state, State::Warning);
        assert!(strange.told.contains("process 4711 (`postgres`)") && strange.fix.as_ref().unwrap().contains("--daemon-port 0"));

        let published = &judge(&seen, &[container(2000, "udp")], &Needs::default())[0];
        assert!(published.state == State::Good && published.told.contains("`week2-xray-daemon-1`"), "{published:?}");

        let addresses = Addresses { ips: vec!["127.0.0.1".parse().unwrap()], http: 4318, grpc: 4317, daemon: 2000 };
        let running = Discovery { pid: 7, version: String::new(), started_ms: 0, addresses, keys: Keys::default() };
        let findings = judge(&Ports { running: Some(running), ..seen }, &[], &Needs::default());
        assert!(findings[0].told.contains("http://127.0.0.1:4318 (process 7)"), "{findings:?}");
        assert!(findings[1].state == State::Good && findings[1].told.contains("the workspace's sandbox has it"), "{findings:?}");
    }

    #[test]
    fn the_services_port_in_every_state() {
        let judge = |answer, containers: &[Container]| {
            service_port(&ServicePort { url: String::from("http://127.0.0.1:4567"), number: 4567, answer }, containers)
        };
        assert_eq!(judge(Answer::Nothing(Held::Free), &[]).state, State::Good);
        let answers = judge(Answer::Http, &[container(4567, "tcp")]);
        assert!(answers.state == State::Good && answers.told.contains("container `week2"), "{answers:?}");
        for held in [stranger(), Held::By(None), Held::Denied] {
            let finding = judge(Answer::Nothing(held), &[]);
            assert!(finding.state == State::Bad && finding.fix.unwrap().contains("service.url"));
        }
        assert_eq!(judge(Answer::Wrong(String::from("it says SSH")), &[]).state, State::Bad);
    }

    #[tokio::test]
    async fn a_port_is_asked_for_and_given_back() {
        let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let udp = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        for (number, protocol) in
            [(tcp.local_addr().unwrap().port(), Protocol::Tcp), (udp.local_addr().unwrap().port(), Protocol::Udp)]
        {
            let Held::By(holder) = held(number, protocol).await else { panic!("{number} is held by us") };
            if cfg!(target_os = "linux") {
                assert_eq!(holder.unwrap().0, std::process::id());
            }
        }
    }

    #[test]
    fn the_kernels_table_is_read() {
        let table = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n\
                        0: 0100007F:11D7 00000000:0000 01 00000000:00000000 00:00000000 00000000  1000        0 111 1\n\
                        1: 0100007F:11D7 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 222 1\n";
        assert_eq!(inode(table, 4567, Protocol::Tcp), Some(222));
        assert_eq!(inode(table, 4567, Protocol::Udp), Some(111));
        assert_eq!(inode(table, 4568, Protocol::Tcp), None);
    }

    proptest! {
        #[test]
        fn no_table_makes_it_panic(table in "[0-9A-F: \n]{0,200}") {
            let _ = inode(&table, 2000, Protocol::Udp);
        }
    }
}
