use std::net::SocketAddr;

use crate::sandbox::Addresses;
use crate::service::Environment;

/// What a service's variables are replaced by, so that it talks to the sandbox.
#[derive(Debug, Clone, Default)]
pub(super) struct Endpoints {
    sandbox: Option<Addresses>,
}

/// The variables that name an AWS endpoint. A service that sets none means AWS itself, so these are set and not only replaced.
const AWS_ENDPOINTS: [&str; 3] = ["AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_XRAY", "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"];

/// The variables that name where OTLP goes. Without them an exporter sends nothing to Honeycomb: a service that lacks them
/// must lack them here too.
const OTLP_ENDPOINTS: [(&str, &str, &str); 2] = [
    ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_PROTOCOL", ""),
    ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "/v1/traces"),
];

impl Endpoints {
    pub(super) fn of_sandbox(addresses: &Addresses) -> Self {
        Self { sandbox: Some(addresses.clone()) }
    }

    /// Replaces the vendors' endpoints in the environment, and nothing else.
    pub(super) fn equip(&self, environment: &mut Environment) {
        let Some(addresses) = &self.sandbox else { return };
        let base = addresses.http_url();
        for (name, protocol, path) in OTLP_ENDPOINTS {
            let value = environment.get(name).map(str::trim).unwrap_or_default().to_owned();
            if value.is_empty() {
                continue;
            }
            let protocol = environment.get(protocol).or_else(|| environment.get("OTEL_EXPORTER_OTLP_PROTOCOL"));
            let replaced = if protocol == Some("grpc") {
                addresses.grpc_url()
            } else {
                // What the learner appended to the vendor's address is theirs to get right.
                format!("{base}{}", own_path(&value).unwrap_or_else(|| path.to_owned()))
            };
            environment.replace(name, replaced);
        }
        for name in AWS_ENDPOINTS {
            if name == "AWS_ENDPOINT_URL" {
                environment.set(name, &base);
            } else {
                environment.replace(name, &base);
            }
        }
        let daemon = environment.get("AWS_XRAY_DAEMON_ADDRESS").map(str::trim).unwrap_or_default().to_owned();
        if !daemon.is_empty() {
            environment.replace("AWS_XRAY_DAEMON_ADDRESS", daemon_address(&daemon, addresses.daemon_address()));
        }
        // The SDKs take the endpoint from their settings; ours, and any that follows the lesson, takes it from here.
        environment.set("ROLLBAR_ENDPOINT", format!("{base}/api/1/"));
    }
}

/// The sandbox's daemon in the form in which the learner wrote theirs: no SDK takes a scheme in front, or a host without a port,
/// and both would go unseen.
fn daemon_address(own: &str, daemon: SocketAddr) -> String {
    match own.split_once("://") {
        Some((scheme, _)) => format!("{scheme}://{daemon}"),
        None if own.contains(':') => daemon.to_string(),
        None => daemon.ip().to_string(),
    }
}

/// The path of an endpoint, where it has one beyond the slash.
fn own_path(value: &str) -> Option<String> {
    let url = url::Url::parse(value).ok()?;
    let path = url.path().trim_end_matches('/');
    (!path.is_empty()).then(|| path.to_owned())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn equipped(variables: &[(&str, &str)]) -> Environment {
        let variables: BTreeMap<String, String> =
            variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mut environment = Environment::from(variables);
        let addresses = Addresses { ips: vec![std::net::Ipv4Addr::LOCALHOST.into()], http: 5000, grpc: 5001, daemon: 5002 };
        Endpoints::of_sandbox(&addresses).equip(&mut environment);
        environment
    }

    #[test]
    fn what_compose_lacks_stays_missing() {
        let environment = equipped(&[]);
        assert_eq!(environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"), None);
        assert_eq!(environment.get("AWS_XRAY_DAEMON_ADDRESS"), None);
        assert_eq!(environment.get("AWS_ENDPOINT_URL"), Some("http://127.0.0.1:5000"));
    }

    #[test]
    fn vendors_are_replaced_and_mistakes_are_kept() {
        let environment = equipped(&[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", "https://api.honeycomb.io/v1/trace"),
            ("AWS_XRAY_DAEMON_ADDRESS", "xray-daemon:2000"),
        ]);
        assert_eq!(environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"), Some("http://127.0.0.1:5000/v1/trace"));
        assert_eq!(environment.get("AWS_XRAY_DAEMON_ADDRESS"), Some("127.0.0.1:5002"));
    }

    #[test]
    fn a_daemons_address_keeps_its_form() {
        for (own, replaced) in [
            ("localhost:2000", "127.0.0.1:5002"),
            ("tcp:xray-daemon:2000 udp:xray-daemon:2000", "127.0.0.1:5002"),
            ("udp://xray-daemon:2000", "udp://127.0.0.1:5002"),
            ("xray-daemon", "127.0.0.1"),
        ] {
            assert_eq!(equipped(&[("AWS_XRAY_DAEMON_ADDRESS", own)]).get("AWS_XRAY_DAEMON_ADDRESS"), Some(replaced), "{own}");
        }
        assert_eq!(equipped(&[("AWS_XRAY_DAEMON_ADDRESS", " ")]).get("AWS_XRAY_DAEMON_ADDRESS"), Some(" "));
    }

    #[test]
    fn grpc_has_a_port_of_its_own() {
        let environment =
            equipped(&[("OTEL_EXPORTER_OTLP_ENDPOINT", "https://api.honeycomb.io"), ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")]);
        assert_eq!(environment.get("OTEL_EXPORTER_OTLP_ENDPOINT"), Some("http://127.0.0.1:5001"));
    }
}
