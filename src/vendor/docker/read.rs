use bollard::models::{ContainerInspectResponse, ContainerSummary};

use crate::facts::{Container, PublishedPort, Secret, Variable};

/// How much of a log is read, in bytes.
pub(super) const LONGEST_LOG: usize = 64 * 1024;
/// How much of a line is kept, in characters.
const LONGEST_LINE: usize = 400;
/// Shorter values are not looked for in log lines: they would blot out ordinary words.
const SHORTEST_SECRET: usize = 8;

const SERVICE: &str = "com.docker.compose.service";
const FOLDER: &str = "com.docker.compose.project.working_dir";

pub(super) fn is_composed(summary: &ContainerSummary) -> bool {
    summary.labels.as_ref().is_some_and(|labels| labels.contains_key(SERVICE))
}

pub(super) fn has_stopped(summary: &ContainerSummary) -> bool {
    summary.state.as_ref().is_some_and(|state| ["exited", "dead", "restarting"].contains(&state.to_string().as_str()))
}

/// A container from its line in the list and its details.
pub(super) fn container(summary: &ContainerSummary, inspected: &ContainerInspectResponse, last_lines: Vec<String>) -> Container {
    let label = |name: &str| summary.labels.as_ref().and_then(|labels| labels.get(name)).cloned();
    let config = inspected.config.as_ref();
    let variables = config.and_then(|config| config.env.as_deref()).unwrap_or_default();
    let asked_for = config.and_then(|config| config.image.clone()).or_else(|| summary.image.clone());
    let name = summary.names.iter().flatten().next().or(inspected.name.as_ref());
    Container {
        id: summary.id.as_deref().unwrap_or_default().chars().take(12).collect(),
        name: name.map(|name| name.trim_start_matches('/').to_owned()).unwrap_or_default(),
        image: asked_for.unwrap_or_default(),
        state: summary.state.as_ref().map(ToString::to_string).unwrap_or_default(),
        status: summary.status.clone().unwrap_or_default(),
        service: label(SERVICE),
        folder: label(FOLDER),
        ports: ports(summary, inspected),
        environment: variables.iter().filter_map(|variable| variable.split_once('=')).map(masked).collect(),
        last_lines: without_secrets(last_lines, variables),
    }
}

/// What it publishes; of one that does not run, what it would.
fn ports(summary: &ContainerSummary, inspected: &ContainerInspectResponse) -> Vec<PublishedPort> {
    let mut ports: Vec<PublishedPort> = summary
        .ports
        .iter()
        .flatten()
        .map(|port| PublishedPort {
            private: port.private_port,
            public: port.public_port,
            protocol: port.typ.as_ref().map_or_else(|| String::from("tcp"), ToString::to_string),
        })
        .collect();
    if ports.is_empty() {
        let bindings = inspected.host_config.as_ref().and_then(|config| config.port_bindings.as_ref());
        for (port, bindings) in bindings.into_iter().flatten() {
            let (private, protocol) = port.split_once('/').unwrap_or((port, "tcp"));
            let Ok(private) = private.parse() else { continue };
            for binding in bindings.iter().flatten() {
                let public = binding.host_port.as_deref().and_then(|port| port.parse().ok());
                ports.push(PublishedPort { private, public, protocol: protocol.to_owned() });
            }
        }
    }
    // IPv4 and IPv6 are listed apart.
    ports.sort_by(|left, right| (left.private, &left.protocol, left.public).cmp(&(right.private, &right.protocol, right.public)));
    ports.dedup();
    ports
}

fn masked((name, value): (&str, &str)) -> (String, String) {
    let shown = if Variable::is_secret(name) { Secret::new(value).describe() } else { without_password(value) };
    (name.to_owned(), shown)
}

/// A URL loses its password.
fn without_password(value: &str) -> String {
    match url::Url::parse(value) {
        Ok(mut url) if url.password().is_some() => {
            // Fails only for URLs that cannot have one.
            let _ = url.set_password(Some("…"));
            url.to_string().replace("%E2%80%A6", "…")
        }
        _ => value.to_owned(),
    }
}

/// A service that dies often prints what it was given.
fn without_secrets(lines: Vec<String>, variables: &[String]) -> Vec<String> {
    let secrets: Vec<&str> = variables
        .iter()
        .filter_map(|variable| variable.split_once('='))
        .filter(|(name, value)| Variable::is_secret(name) && value.len() >= SHORTEST_SECRET)
        .map(|(_, value)| value)
        .collect();
    lines.into_iter().map(|line| secrets.iter().fold(line, |line, secret| line.replace(secret, "…"))).collect()
}

/// The last lines of a log, each cut to a length that can be shown.
pub(super) fn lines(text: &[u8], most: usize) -> Vec<String> {
    let text = String::from_utf8_lossy(text);
    let all: Vec<&str> = text.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
    all[all.len().saturating_sub(most)..].iter().map(|line| line.chars().take(LONGEST_LINE).collect()).collect()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    #[test]
    fn secrets_are_told_by_their_length_alone() {
        let seen: BTreeMap<String, String> = [
            "AWS_SECRET_ACCESS_KEY=abcdef",
            "ROLLBAR_ACCESS_TOKEN=",
            "OTEL_EXPORTER_OTLP_HEADERS=x-honeycomb-team=abc",
            "OTEL_SERVICE_NAME=cruddur",
            "CONNECTION_URL=postgresql://postgres:hunter2@db:5432/cruddur",
        ]
        .into_iter()
        .filter_map(|variable| variable.split_once('='))
        .map(masked)
        .collect();
        assert_eq!(seen["AWS_SECRET_ACCESS_KEY"], "6 characters");
        assert_eq!(seen["ROLLBAR_ACCESS_TOKEN"], "empty");
        assert_eq!(seen["OTEL_EXPORTER_OTLP_HEADERS"], "20 characters");
        assert_eq!(seen["OTEL_SERVICE_NAME"], "cruddur");
        assert_eq!(seen["CONNECTION_URL"], "postgresql://postgres:…@db:5432/cruddur");
    }

    #[test]
    fn log_lines_lose_what_the_environment_holds_secret() {
        let variables = [String::from("HONEYCOMB_API_KEY=abcdefgh1234"), String::from("MY_KEY=a")];
        let lines = without_secrets(vec![String::from("bad key abcdefgh1234 a")], &variables);
        assert_eq!(lines, ["bad key … a"]);
    }

    proptest! {
        #[test]
        fn the_lines_are_bounded(text in prop::collection::vec(any::<u8>(), 0..2000), most in 0_usize..30) {
            let lines = lines(&text, most);
            prop_assert!(lines.len() <= most && lines.iter().all(|line| line.chars().count() <= LONGEST_LINE));
        }
    }
}
