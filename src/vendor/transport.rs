//! What lies beneath every client: one connection pool, and plain words for what keeps a request from its answer.

use std::error::Error;
use std::io::ErrorKind;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, NoProxy, Proxy};

use super::Vendor;
use super::trouble::{lasting, passing};
use crate::facts::Trouble;

/// Hosts that no proxy is asked for: the sandbox is always on this machine.
const LOOPBACK: &str = "localhost,127.0.0.0/8,::1";

/// The HTTP client that the clients share. It goes through the proxy that the environment names, never for loopback, and
/// follows a redirect only within the same origin, because the credential travels in a header that is not `Authorization`.
///
/// # Errors
/// When TLS cannot be set up.
pub fn http_client() -> Result<Client, Trouble> {
    client_in(|name| std::env::var(name).ok().filter(|value| !value.trim().is_empty()))
}

fn client_in(variable: impl Fn(&str) -> Option<String>) -> Result<Client, Trouble> {
    let either = |upper: &str| variable(&upper.to_lowercase()).or_else(|| variable(upper));
    let direct = either("NO_PROXY").map_or_else(|| LOOPBACK.to_owned(), |more| format!("{LOOPBACK},{more}"));
    let all = either("ALL_PROXY");
    let https = either("HTTPS_PROXY").or_else(|| all.clone());
    // Upper-case HTTP_PROXY can be set by whoever sends a `Proxy:` header to a CGI program, so it is left alone.
    let http = variable("http_proxy").or(all);

    let mut builder = Client::builder()
        .user_agent(concat!("bootcamp/", env!("CARGO_PKG_VERSION")))
        .no_proxy()
        .connect_timeout(Duration::from_secs(5))
        .pool_idle_timeout(Duration::from_secs(30))
        .redirect(Policy::custom(|attempt| {
            let origin = attempt.previous().first().map(url::Url::origin);
            if attempt.previous().len() <= 3 && origin == Some(attempt.url().origin()) {
                attempt.follow()
            } else {
                attempt.stop()
            }
        }));
    for (proxy, name) in [(https.map(Proxy::https), "HTTPS_PROXY"), (http.map(Proxy::http), "http_proxy")] {
        let Some(proxy) = proxy else { continue };
        // The value may hold a password, so it is not repeated.
        let proxy = proxy.map_err(|_| {
            lasting(
                format!("the proxy that `{name}` names is not a URL"),
                format!("set `{name}` to something like `http://proxy.example:3128`, or unset it"),
            )
        })?;
        builder = builder.proxy(proxy.no_proxy(NoProxy::from_string(&direct)));
    }
    builder.build().map_err(|error| {
        lasting(
            format!("the HTTPS client cannot be set up: {}", innermost(&error)),
            "install the system's certificates (`ca-certificates` on Debian and Ubuntu) and run again",
        )
    })
}

/// Whether the endpoint is on this machine: no proxy, no rate limit, no patience needed.
pub(super) fn is_loopback(endpoint: &str) -> bool {
    url::Url::parse(endpoint).is_ok_and(|url| match url.host() {
        Some(url::Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        Some(url::Host::Ipv4(address)) => address.is_loopback(),
        Some(url::Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    })
}

/// What kept a request from its answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Failure {
    /// The deadline passed.
    Late,
    /// Nobody listens there.
    Refused,
    /// There is no such socket.
    Missing,
    /// We may not connect.
    Denied,
    /// No such host.
    Unresolved,
    /// The TLS handshake failed, and why.
    Tls(String),
    /// The connection broke before the answer was complete.
    Broken,
    /// Anything else, in the library's words.
    Other(String),
}

impl Failure {
    /// Looks through an error and its sources for what really happened.
    pub(super) fn of(error: &(dyn Error + 'static)) -> Self {
        let mut next = Some(error);
        while let Some(error) = next {
            if let Some(io) = error.downcast_ref::<std::io::Error>() {
                match io.kind() {
                    ErrorKind::ConnectionRefused => return Self::Refused,
                    ErrorKind::NotFound => return Self::Missing,
                    ErrorKind::PermissionDenied => return Self::Denied,
                    ErrorKind::TimedOut => return Self::Late,
                    ErrorKind::ConnectionReset
                    | ErrorKind::ConnectionAborted
                    | ErrorKind::BrokenPipe
                    | ErrorKind::UnexpectedEof => return Self::Broken,
                    _ => {}
                }
            }
            let text = error.to_string().to_lowercase();
            let says = |words: &[&str]| words.iter().any(|word| text.contains(word));
            if says(&["dns error", "lookup address"]) {
                return Self::Unresolved;
            }
            if says(&["certificate", "handshake", "received fatal alert", "corrupt message"]) {
                return Self::Tls(innermost(error));
            }
            if says(&["end of file before message length", "connection closed before message completed", "incomplete message"]) {
                return Self::Broken;
            }
            if says(&["timed out", "timeout"]) {
                return Self::Late;
            }
            next = error.source();
        }
        Self::Other(innermost(error))
    }

    /// The trouble that it means for a vendor behind an endpoint.
    pub(super) fn trouble(self, vendor: Vendor, endpoint: &str, deadline: Duration) -> Trouble {
        let Vendor { name, status_page } = vendor;
        match self {
            Self::Late => passing(
                format!("{name} did not answer within {deadline:?}"),
                format!("check the network connection and try again in a minute; {status_page} says how {name} is"),
            ),
            Self::Refused | Self::Missing => passing(
                format!("nothing listens at `{endpoint}`, where {name} should be"),
                "start what should listen there, or correct the endpoint",
            ),
            Self::Unresolved => passing(
                format!("the host of `{endpoint}` is not known to the network's name service"),
                format!("check the network connection and the spelling of the endpoint of {name}"),
            ),
            Self::Tls(reason) => lasting(
                format!("no secure connection to `{endpoint}`: {reason}"),
                "check this machine's clock, and whether a proxy puts its own certificate in between: its root must then be among the system's",
            ),
            Self::Broken => passing(
                format!("the connection to {name} broke before its answer was complete"),
                "try again in a minute; check the network connection if it stays so",
            ),
            Self::Denied => passing(
                format!("this machine does not let us connect to `{endpoint}`"),
                "allow the connection in the firewall or the sandbox that this program runs in",
            ),
            Self::Other(reason) => passing(
                format!("{name} could not be asked: {reason}"),
                format!("check the network connection and the endpoint `{endpoint}`"),
            ),
        }
    }
}

/// The last of an error's sources: what libraries wrap says more than what wraps it.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut last = error;
    for _ in 0..16 {
        match last.source() {
            Some(source) => last = source,
            None => break,
        }
    }
    super::trouble::quote(&last.to_string(), &[])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::HONEYCOMB;
    use crate::vendor::fake::{Answer, Fake};

    #[test]
    fn loopback_is_recognised() {
        for here in ["http://127.0.0.1:4318", "http://localhost", "http://[::1]:80/x", "http://127.9.9.9"] {
            assert!(is_loopback(here), "{here}");
        }
        for elsewhere in ["https://api.honeycomb.io", "http://10.0.0.1", "http://localhost.example.com", "nonsense"] {
            assert!(!is_loopback(elsewhere), "{elsewhere}");
        }
    }

    #[tokio::test]
    async fn a_proxy_in_the_environment_is_not_asked_for_the_sandbox() {
        let fake = Fake::serve(|_| Answer::json(200, "{}")).await;
        let dead = |name: &str| name.to_lowercase().ends_with("_proxy").then(|| String::from("http://127.0.0.1:9"));
        let dead = |name: &str| if name.eq_ignore_ascii_case("no_proxy") { None } else { dead(name) };
        let client = client_in(dead).unwrap();
        assert_eq!(client.get(fake.url()).send().await.unwrap().status(), 200);
    }

    #[tokio::test]
    async fn a_proxy_is_asked_for_other_hosts() {
        let proxy = Fake::serve(|_| Answer::json(200, "\"from the proxy\"")).await;
        let url = proxy.url().to_owned();
        let client = client_in(move |name| (name == "http_proxy").then(|| url.clone())).unwrap();
        let text = client.get("http://vendor.invalid/1/auth").send().await.unwrap().text().await.unwrap();
        assert_eq!(text, "\"from the proxy\"");
    }

    #[test]
    fn a_proxy_that_is_no_url_is_named_without_its_value() {
        let trouble = client_in(|name| (name == "HTTPS_PROXY").then(|| String::from("http://user:hunter2@[bad"))).unwrap_err();
        assert!(trouble.cause.contains("HTTPS_PROXY") && !format!("{trouble:?}").contains("hunter2"), "{trouble:?}");
    }

    #[tokio::test]
    async fn a_redirect_to_another_host_is_not_followed() {
        let other = Fake::serve(|_| Answer::json(200, "{}")).await;
        let there = format!("{}/1/auth", other.url());
        let fake = Fake::serve(move |_| Answer::json(302, "{}").header("location", &there)).await;
        let client = http_client().unwrap();
        assert_eq!(client.get(fake.url()).send().await.unwrap().status(), 302);
        assert_eq!(other.requests().len(), 0);
    }

    #[test]
    fn what_happened_is_found_beneath_its_wrappings() {
        #[derive(Debug, thiserror::Error)]
        #[error("outer")]
        struct Outer(#[source] std::io::Error);
        let of = |io: std::io::Error| Failure::of(&Outer(io));
        assert_eq!(of(std::io::Error::from(ErrorKind::ConnectionRefused)), Failure::Refused);
        assert_eq!(of(std::io::Error::other("dns error: no record")), Failure::Unresolved);
        assert!(
            matches!(of(std::io::Error::other("invalid peer certificate: Expired")), Failure::Tls(why) if why.contains("Expired"))
        );
        assert_eq!(of(std::io::Error::other("operation timed out")), Failure::Late);
        assert_eq!(of(std::io::Error::other("a riddle")), Failure::Other(String::from("a riddle")));
        let trouble = Failure::Tls(String::from("expired")).trouble(HONEYCOMB, "https://x", crate::vendor::DEADLINE);
        assert!(!trouble.passing && trouble.remedy.contains("clock"));
    }
}
