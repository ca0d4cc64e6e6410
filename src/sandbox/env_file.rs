use std::fmt::Write;
use std::net::SocketAddr;

use super::{Addresses, Keys};

/// The variables that a service needs to talk to the sandbox, in the order in which they are explained. `None` for a
/// service in a container when the sandbox listens on loopback alone, where no container can reach it.
#[must_use]
pub fn variables(addresses: &Addresses, keys: &Keys, service_in_container: bool) -> Option<Vec<(&'static str, String)>> {
    let ip = if service_in_container { addresses.for_containers()? } else { addresses.local() };
    let url = format!("http://{}", SocketAddr::new(ip, addresses.http));
    let text = String::from;
    Some(vec![
        ("OTEL_EXPORTER_OTLP_ENDPOINT", url.clone()),
        ("HONEYCOMB_API_KEY", keys.honeycomb_ingest.clone()),
        ("HONEYCOMB_CONFIGURATION_KEY", keys.honeycomb_configuration.clone()),
        ("AWS_ENDPOINT_URL", url.clone()),
        ("AWS_ACCESS_KEY_ID", text("AKIASANDBOX000000001")),
        ("AWS_SECRET_ACCESS_KEY", text("sandbox-secret-access-key")),
        ("AWS_DEFAULT_REGION", text("us-east-1")),
        ("AWS_XRAY_DAEMON_ADDRESS", SocketAddr::new(ip, addresses.daemon).to_string()),
        ("ROLLBAR_ENDPOINT", format!("{url}/api/1/")),
        ("ROLLBAR_ACCESS_TOKEN", keys.rollbar_post.clone()),
        ("ROLLBAR_READ_TOKEN", keys.rollbar_read.clone()),
    ])
}

/// [`variables`] as a `.env` file with comments, for `docker compose --env-file` or a shell.
#[must_use]
pub fn env_file(addresses: &Addresses, keys: &Keys, service_in_container: bool) -> Option<String> {
    let mut file = String::from(
        "# Points a service at the bootcamp sandbox on this machine instead of at the vendors.\n\
         # The credentials are published and open nothing; real ones do not belong here.\n",
    );
    if service_in_container {
        file.push_str("# For a service in a container: the address is that of the Docker bridge.\n");
    }
    for (name, value) in variables(addresses, keys, service_in_container)? {
        let comment = match name {
            "OTEL_EXPORTER_OTLP_ENDPOINT" => {
                "\n# Honeycomb: the base URL, to which the exporter adds /v1/traces. The first key sends, the second reads.\n"
            }
            "AWS_ENDPOINT_URL" => "\n# AWS: X-Ray and CloudWatch Logs.\n",
            "AWS_XRAY_DAEMON_ADDRESS" => "# The X-Ray daemon, UDP and TCP.\n",
            "ROLLBAR_ENDPOINT" => "\n# Rollbar: the slash at the end belongs to it. The first token sends, the second reads.\n",
            _ => "",
        };
        file.push_str(comment);
        // Writing to a string cannot fail.
        let _ = writeln!(file, "{name}={value}");
    }
    Some(file)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(ips: &[&str]) -> Addresses {
        Addresses { ips: ips.iter().map(|ip| ip.parse().unwrap()).collect(), http: 5000, grpc: 5001, daemon: 5002 }
    }

    #[test]
    fn a_dotenv_reader_reads_all_of_it_back() {
        let file = env_file(&addresses(&["127.0.0.1"]), &Keys::default(), false).unwrap();
        let read: Vec<(String, String)> = dotenvy::from_read_iter(file.as_bytes()).map(Result::unwrap).collect();
        let expected = variables(&addresses(&["127.0.0.1"]), &Keys::default(), false).unwrap();
        let expected: Vec<(String, String)> = expected.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
        assert_eq!(read, expected);
        assert!(read.contains(&(String::from("ROLLBAR_ENDPOINT"), String::from("http://127.0.0.1:5000/api/1/"))));
        assert!(read.contains(&(String::from("AWS_XRAY_DAEMON_ADDRESS"), String::from("127.0.0.1:5002"))));
    }

    #[test]
    fn a_container_gets_an_address_that_it_can_reach_or_none() {
        assert_eq!(env_file(&addresses(&["127.0.0.1"]), &Keys::default(), true), None);
        let file = env_file(&addresses(&["127.0.0.1", "172.17.0.1"]), &Keys::default(), true).unwrap();
        assert!(file.contains("OTEL_EXPORTER_OTLP_ENDPOINT=http://172.17.0.1:5000\n"));
        assert!(!file.contains("127.0.0.1"));
    }
}
