//! A stand-in for a Docker engine: it answers what an engine would after `docker compose up` in a workspace, so that checks of
//! containers are proved through the same client on a machine that has no engine, and no image can be pulled.
//!
//! It knows what [`docker::Client`](crate::vendor::docker::Client) asks: version, list, inspect, logs (Docker Engine API 1.41).

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::Bytes;
use http_body_util::Full;
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::author::mistake::Contained;
use crate::service::{Compose, Manifest, Variables};
use crate::vendor::docker::Host;

/// A running stand-in. It stops when it is dropped.
pub struct Engine {
    address: SocketAddr,
    _stop: DropGuard,
}

/// One container, as the engine's API tells of it.
struct Container {
    id: String,
    listed: Value,
    inspected: Value,
    prints: Vec<String>,
}

impl Engine {
    /// Listens on a free port of loopback, with the containers of the workspace's compose file. A file that is missing or
    /// cannot be read has none.
    ///
    /// # Errors
    /// When no port can be had.
    pub async fn bind(manifest: &Manifest, variables: &Variables, differences: &BTreeMap<String, Contained>) -> io::Result<Self> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await?;
        let address = listener.local_addr()?;
        let containers = Arc::new(composed(manifest, variables, differences));
        let stop = CancellationToken::new();
        let stopped = stop.clone();
        tokio::spawn(async move {
            loop {
                let stream = tokio::select! {
                    () = stopped.cancelled() => return,
                    accepted = listener.accept() => match accepted {
                        Ok((stream, _)) => stream,
                        Err(_) => continue,
                    },
                };
                let (containers, ended) = (Arc::clone(&containers), stopped.clone());
                tokio::spawn(async move {
                    let service = service_fn(move |request: Request<Incoming>| {
                        let answer = answer(request.uri().path(), &containers);
                        async move { Ok::<_, Infallible>(answer) }
                    });
                    let connection = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
                    tokio::select! {
                        () = ended.cancelled() => {}
                        _ = connection => {}
                    }
                });
            }
        });
        Ok(Self { address, _stop: stop.drop_guard() })
    }

    /// Where it listens.
    pub fn host(&self) -> Host {
        Host::at(format!("tcp://{}", self.address))
    }
}

fn answer(path: &str, containers: &[Container]) -> Response<Full<Bytes>> {
    // With or without a version in front.
    let path = match path.strip_prefix("/v1.") {
        Some(rest) => rest.find('/').map_or("", |slash| &rest[slash..]),
        None => path,
    };
    let of = |ending: &str| {
        let id = path.strip_prefix("/containers/")?.strip_suffix(ending)?;
        containers.iter().find(|container| container.id == id)
    };
    let body = match path {
        "/version" => json!({ "Version": "20.10.24", "ApiVersion": "1.41", "MinAPIVersion": "1.12" }),
        "/_ping" => return Response::new(Full::from("OK")),
        "/containers/json" => containers.iter().map(|container| container.listed.clone()).collect(),
        _ => match (of("/json"), of("/logs")) {
            (Some(container), _) => container.inspected.clone(),
            (_, Some(container)) => return logs(&container.prints),
            _ => {
                let mut missing = Response::new(Full::from(r#"{"message":"No such container"}"#));
                *missing.status_mut() = hyper::StatusCode::NOT_FOUND;
                return missing;
            }
        },
    };
    let mut response = Response::new(Full::from(body.to_string()));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/json"));
    response
}

/// Frames of a log: a byte for the stream, three of nothing, the length.
fn logs(lines: &[String]) -> Response<Full<Bytes>> {
    let mut body = Vec::new();
    for line in lines {
        let length = u32::try_from(line.len() + 1).unwrap_or(u32::MAX).to_be_bytes();
        body.extend_from_slice(&[1, 0, 0, 0]);
        body.extend_from_slice(&length);
        body.extend_from_slice(line.as_bytes());
        body.push(b'\n');
    }
    let mut response = Response::new(Full::from(body));
    response.headers_mut().insert("content-type", http::HeaderValue::from_static("application/vnd.docker.raw-stream"));
    response
}

fn composed(manifest: &Manifest, variables: &Variables, differences: &BTreeMap<String, Contained>) -> Vec<Container> {
    let file = manifest.compose_file();
    let Ok(text) = std::fs::read_to_string(&file) else { return Vec::new() };
    let document: Value = serde_saphyr::from_str(&text).unwrap_or_default();
    let Ok(compose) = Compose::load(&manifest.workspace, &manifest.service.compose) else { return Vec::new() };
    let unchanged = Contained::default();
    let names: Vec<&str> = compose.services().collect();
    let up = |(index, name): (usize, &&str)| {
        let different = differences.get(*name).unwrap_or(&unchanged);
        let state = different.state.as_deref().unwrap_or("running");
        if state == "absent" {
            return None;
        }
        let mut environment = compose.resolve(name, variables).map(|resolved| resolved.environment).unwrap_or_default();
        environment.extend(different.environment.clone());
        let service = document.pointer(&format!("/services/{name}"));
        let image = service.and_then(|service| service.get("image")).and_then(Value::as_str).map(str::to_owned);
        let image = different.image.clone().or(image).unwrap_or_else(|| format!("{}_{name}", manifest.course));
        let ports = service.and_then(|service| service.get("ports")).and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
        let ports = ports.iter().filter_map(published).collect::<Vec<_>>();
        let folder = different.folder.as_ref().map_or_else(|| manifest.compose_folder(), PathBuf::from);
        Some(container(index, name, state, &image, &environment, &ports, &folder, &different.prints))
    };
    names.iter().enumerate().filter_map(up).collect()
}

#[allow(clippy::too_many_arguments, reason = "each is a field of the engine's answer, and is named once")]
fn container(
    index: usize,
    name: &str,
    state: &str,
    image: &str,
    environment: &BTreeMap<String, String>,
    ports: &[(u16, u16, &str)],
    folder: &Path,
    prints: &[String],
) -> Container {
    let id = format!("{index:064x}");
    let running = state == "running";
    let labels = json!({
        "com.docker.compose.service": name,
        "com.docker.compose.project.working_dir": folder.display().to_string(),
    });
    let open: Vec<Value> = ports
        .iter()
        .filter(|_| running)
        .map(|(public, private, protocol)| {
            json!({ "IP": "0.0.0.0", "PrivatePort": private, "PublicPort": public, "Type": protocol })
        })
        .collect();
    let bindings: serde_json::Map<String, Value> = ports
        .iter()
        .map(|(public, private, protocol)| (format!("{private}/{protocol}"), json!([{ "HostPort": public.to_string() }])))
        .collect();
    let env: Vec<String> = environment.iter().map(|(name, value)| format!("{name}={value}")).collect();
    Container {
        listed: json!({
            "Id": id, "Names": [format!("/workspace_{name}_1")], "Image": image, "Created": 1, "State": state,
            "Status": if running { "Up 2 minutes" } else { "Exited (1) 2 minutes ago" }, "Labels": labels, "Ports": open,
        }),
        inspected: json!({ "Id": id, "Config": { "Image": image, "Env": env }, "HostConfig": { "PortBindings": bindings } }),
        id,
        prints: prints.to_vec(),
    }
}

/// `2000:2000/udp`, with or without an address in front: the public port, the private one, the protocol.
fn published(port: &Value) -> Option<(u16, u16, &str)> {
    let (ports, protocol) = port.as_str()?.split_once('/').unwrap_or((port.as_str()?, "tcp"));
    let mut parts = ports.rsplit(':');
    let private = parts.next()?.parse().ok()?;
    let public = parts.next()?.parse().ok()?;
    Some((public, private, protocol))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vendor::docker;

    const COMPOSE: &str = "services:\n  backend:\n    build: .\n    ports: ['4567:4567']\n  xray-daemon:\n    image: amazon/aws-xray-daemon\n    environment:\n      AWS_REGION: ${AWS_DEFAULT_REGION}\n    ports: ['2000:2000/udp']\n";

    #[tokio::test]
    async fn the_client_sees_what_compose_would_have_started() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("docker-compose.yml"), COMPOSE).unwrap();
        let manifest = Manifest::defaults(folder.path(), "week2");
        let variables = Variables::parse("AWS_DEFAULT_REGION=eu-west-1\n", BTreeMap::new()).unwrap();
        let ended =
            Contained { state: Some(String::from("exited")), prints: vec![String::from("no region")], ..Contained::default() };
        let engine = Engine::bind(&manifest, &variables, &BTreeMap::from([(String::from("backend"), ended)])).await.unwrap();
        let containers = docker::Client::new(engine.host()).observe().await.unwrap();
        let [daemon, backend] = &containers[..] else { panic!("{containers:?}") };
        assert_eq!((daemon.service.as_deref(), daemon.image.as_str()), (Some("xray-daemon"), "amazon/aws-xray-daemon"));
        assert_eq!(daemon.environment["AWS_REGION"], "eu-west-1");
        assert_eq!((daemon.ports[0].public, daemon.ports[0].protocol.as_str()), (Some(2000), "udp"));
        assert_eq!((backend.state.as_str(), backend.last_lines.as_slice()), ("exited", &[String::from("no region")][..]));
        assert_eq!(daemon.folder.as_deref(), Some(folder.path().to_str().unwrap()));
    }
}
