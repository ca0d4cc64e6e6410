use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use url::{Host, Url};

use super::ServiceError;
use super::instance::Instance;

/// How long a service that already runs has to answer.
const ATTACH: Duration = Duration::from_millis(300);

/// The service answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// How long it took from the start on.
    pub after: Duration,
    /// The status of the answer: any is an answer.
    pub status: u16,
}

/// What became of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Knock {
    /// It was answered in HTTP.
    Answered(u16),
    /// It was answered in something else.
    Garbage(String),
    /// Nobody listens.
    Closed,
    /// The connection was taken, and nothing was said in time.
    Silent,
}

/// Where to knock: resolved from a URL once.
#[derive(Debug, Clone)]
pub(super) struct Door {
    host: String,
    port: u16,
    authority: String,
    path: String,
}

impl Door {
    /// The door of a service at `url` that is asked for `path`.
    pub(super) fn new(url: &Url, path: &str) -> Result<Self, ServiceError> {
        let refused = |reason: &str| ServiceError::Address { url: url.to_string(), reason: reason.to_owned() };
        if url.scheme() != "http" {
            return Err(refused("a service that is started here speaks plain `http`"));
        }
        let host = match url.host() {
            Some(Host::Domain(name)) => name.to_owned(),
            Some(Host::Ipv4(Ipv4Addr::UNSPECIFIED)) => Ipv4Addr::LOCALHOST.to_string(),
            Some(Host::Ipv6(Ipv6Addr::UNSPECIFIED)) => Ipv6Addr::LOCALHOST.to_string(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            None => return Err(refused("it names no host")),
        };
        let port = url.port_or_known_default().ok_or_else(|| refused("it names no port"))?;
        let authority = url.authority().to_owned();
        Ok(Self { host, port, authority, path: format!("{}{path}", url.path().trim_end_matches('/')) })
    }

    /// Whether anybody takes connections.
    pub(super) async fn is_open(&self, patience: Duration) -> bool {
        matches!(timeout(patience, self.connect()).await, Ok(Ok(_)))
    }

    async fn connect(&self) -> std::io::Result<TcpStream> {
        TcpStream::connect((self.host.as_str(), self.port)).await
    }

    /// Sends one request and looks at the first bytes of the answer.
    pub(super) async fn knock(&self, patience: Duration) -> Knock {
        let mut connected = false;
        timeout(patience, self.exchange(&mut connected)).await.unwrap_or(if connected { Knock::Silent } else { Knock::Closed })
    }

    async fn exchange(&self, connected: &mut bool) -> Knock {
        let Ok(mut stream) = self.connect().await else { return Knock::Closed };
        *connected = true;
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nUser-Agent: bootcamp\r\nAccept: */*\r\nConnection: close\r\n\r\n",
            self.path, self.authority
        );
        if stream.write_all(request.as_bytes()).await.is_err() {
            return Knock::Silent;
        }
        let mut answer = Vec::with_capacity(512);
        let mut room = [0; 512];
        loop {
            if let Some(verdict) = judge(&answer) {
                return verdict;
            }
            match stream.read(&mut room).await {
                Ok(count) if count > 0 => answer.extend_from_slice(&room[..count]),
                _ if answer.is_empty() => return Knock::Silent,
                _ => return Knock::Garbage(sample(&answer)),
            }
        }
    }
}

/// What the first bytes of an answer say; `None` where more are needed.
fn judge(answer: &[u8]) -> Option<Knock> {
    const VERSION: &[u8] = b"HTTP/1.";
    const STATUS_END: usize = 12;
    let compared = answer.len().min(VERSION.len());
    if answer[..compared] != VERSION[..compared] {
        return Some(Knock::Garbage(sample(answer)));
    }
    let line = answer.get(..STATUS_END)?;
    let status = std::str::from_utf8(&line[9..]).ok().and_then(|digits| digits.parse().ok());
    Some(status.map_or_else(|| Knock::Garbage(sample(answer)), Knock::Answered))
}

/// The first bytes, made printable.
fn sample(bytes: &[u8]) -> String {
    const SHOWN: usize = 60;
    let mut text = String::from_utf8_lossy(&bytes[..bytes.len().min(SHOWN)]).escape_default().to_string();
    if bytes.len() > SHOWN {
        text.push('…');
    }
    text
}

/// The service that already answers at `url`, if one does: used as it is, its output is not ours to see.
///
/// # Errors
///
/// Where something answers there that does not speak HTTP.
pub async fn attach(url: &Url, health: &str) -> Result<Option<Instance>, ServiceError> {
    let answered = if url.scheme() == "https" {
        asked_securely(url, health).await
    } else {
        match Door::new(url, health)?.knock(ATTACH).await {
            Knock::Answered(status) => Some(status),
            Knock::Garbage(sample) => {
                return Err(ServiceError::Garbage { url: url.to_string(), sample, lines: Vec::new() });
            }
            Knock::Closed | Knock::Silent => None,
        }
    };
    Ok(answered.map(|status| Instance::attached(url.clone(), status)))
}

/// A service behind a proxy of the workspace's host may be far away: it gets ten times as long.
async fn asked_securely(url: &Url, health: &str) -> Option<u16> {
    let client = reqwest::Client::builder().timeout(ATTACH * 10).build().ok()?;
    let address = format!("{}{health}", url.as_str().trim_end_matches('/'));
    client.get(address).send().await.ok().map(|answer| answer.status().as_u16())
}

/// A port of this machine on which nothing listens, given out once only.
///
/// It lies below the range from which systems take ports for outgoing connections, so that none of those takes it before
/// the service does.
///
/// # Errors
///
/// Where the machine has no port left.
pub fn free_port() -> std::io::Result<u16> {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    const TRIES: usize = 200;
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    for _ in 0..TRIES {
        let port = fastrand::u16(20_000..32_000);
        // both: a listener on all addresses does not always keep another from binding to one
        let free =
            TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok();
        if free && given.insert(port) {
            return Ok(port);
        }
    }
    Ok(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn answers_are_told_from_garbage() {
        assert_eq!(judge(b"HTTP/1.1 503 Busy"), Some(Knock::Answered(503)));
        assert_eq!(judge(b"HTT"), None);
        assert_eq!(judge(b""), None);
        assert_eq!(judge(b"SSH-2.0-x\r\n"), Some(Knock::Garbage(String::from("SSH-2.0-x\\r\\n"))));
        assert!(matches!(judge(b"HTTP/1.1 abc"), Some(Knock::Garbage(_))));
    }

    #[test]
    fn doors_are_found() -> Result<(), Box<dyn std::error::Error>> {
        let door = Door::new(&Url::parse("http://0.0.0.0:4567/base/")?, "/api/health")?;
        assert_eq!((door.host.as_str(), door.port, door.path.as_str()), ("127.0.0.1", 4567, "/base/api/health"));
        let door = Door::new(&Url::parse("http://[::1]/")?, "/x")?;
        assert_eq!((door.host.as_str(), door.port, door.authority.as_str()), ("::1", 80, "[::1]"));
        assert!(Door::new(&Url::parse("https://x/")?, "/").is_err());
        Ok(())
    }

    #[test]
    fn a_port_is_given_out_once() -> std::io::Result<()> {
        let ports = (0..20).map(|_| free_port()).collect::<std::io::Result<BTreeSet<u16>>>()?;
        assert_eq!(ports.len(), 20);
        Ok(())
    }

    proptest! {
        #[test]
        fn no_answer_makes_it_panic(answer in proptest::collection::vec(any::<u8>(), 0..40), http in any::<bool>()) {
            let answer = if http { [b"HTTP/1.1 ".as_slice(), &answer].concat() } else { answer };
            let _ = judge(&answer);
        }
    }
}
