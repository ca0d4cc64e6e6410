use serde_json::{Value, json};

use super::*;
use crate::facts::PublishedPort;
use crate::vendor::fake::{Answer, Asked, Fake, nowhere};

fn listed(id: &str, name: &str, state: &str, labels: &Value, ports: &Value) -> Value {
    json!({ "Id": id, "Names": [format!("/{name}")], "Image": "sha256:abc", "Created": 1, "State": state, "Status": "Up 3 seconds", "Labels": labels, "Ports": ports })
}

/// One frame of a log: a byte for the stream, three of nothing, the length.
fn frame(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).unwrap().to_be_bytes();
    [&[2, 0, 0, 0], length.as_slice(), text.as_bytes()].concat()
}

/// An engine with three containers, one of which is removed while we look.
fn engine(asked: &Asked) -> Answer {
    let path = asked.path.split('?').next().unwrap_or_default();
    // With or without a version in front.
    let path = path.strip_prefix("/v1.41").unwrap_or(path);
    if path == "/version" {
        return Answer::json(200, r#"{"Version":"20.10.24","ApiVersion":"1.41","MinAPIVersion":"1.12"}"#);
    }
    let daemon = "d".repeat(64);
    let body = match path {
        "/containers/json" => json!([
            listed(&"e".repeat(64), "old", "exited", &json!({}), &json!([])),
            listed(&"f".repeat(64), "gone", "running", &json!({}), &json!([])),
            listed(
                &daemon,
                "week2-xray-daemon-1",
                "running",
                &json!({ "com.docker.compose.service": "xray-daemon", "com.docker.compose.project.working_dir": "/home/me/week2" }),
                &json!([{ "IP": "0.0.0.0", "PrivatePort": 2000, "PublicPort": 2000, "Type": "udp" }, { "IP": "::", "PrivatePort": 2000, "PublicPort": 2000, "Type": "udp" },
                    { "PrivatePort": 2000, "Type": "tcp" }])
            ),
        ]),
        _ if path == format!("/containers/{daemon}/json") => {
            json!({ "Id": daemon, "Config": { "Image": "amazon/aws-xray-daemon", "Env": ["AWS_REGION=ca-central-1", "AWS_SECRET_ACCESS_KEY=abcdefghij"] } })
        }
        _ if path == format!("/containers/{}/json", "e".repeat(64)) => {
            json!({ "Id": "e", "Config": { "Image": "cruddur", "Env": ["API_KEY=verysecretvalue"] }, "HostConfig": { "PortBindings": { "4567/tcp": [{ "HostPort": "4567" }] } } })
        }
        _ if path == format!("/containers/{}/logs", "e".repeat(64)) => {
            let body = [frame("starting\n"), frame("panicked: key verysecretvalue\n")].concat();
            return Answer::Whole {
                status: 200,
                headers: vec![(String::from("content-type"), String::from("application/vnd.docker.raw-stream"))],
                body,
            };
        }
        _ => return Answer::json(404, r#"{"message":"No such container"}"#),
    };
    Answer::json(200, body.to_string())
}

fn tcp(fake: &Fake) -> Client {
    Client::new(Host::at(fake.url().replace("http://", "tcp://"))).with_deadline(Duration::from_secs(5))
}

fn check(containers: &[Container]) {
    assert_eq!(
        containers.iter().map(|container| container.name.as_str()).collect::<Vec<_>>(),
        ["week2-xray-daemon-1", "old"],
        "the one that is gone is left out"
    );
    let daemon = &containers[0];
    assert_eq!(
        (daemon.id.as_str(), daemon.image.as_str(), daemon.state.as_str()),
        ("dddddddddddd", "amazon/aws-xray-daemon", "running")
    );
    assert_eq!((daemon.service.as_deref(), daemon.folder.as_deref()), (Some("xray-daemon"), Some("/home/me/week2")));
    let port = |public: Option<u16>, protocol: &str| PublishedPort { private: 2000, public, protocol: protocol.to_owned() };
    assert_eq!(daemon.ports, [port(None, "tcp"), port(Some(2000), "udp")]);
    assert_eq!(
        (daemon.environment["AWS_REGION"].as_str(), daemon.environment["AWS_SECRET_ACCESS_KEY"].as_str()),
        ("ca-central-1", "10 characters")
    );
    assert!(daemon.last_lines.is_empty());
    let old = &containers[1];
    assert_eq!(old.last_lines, ["starting", "panicked: key …"]);
    assert_eq!(old.ports, [PublishedPort { private: 4567, public: Some(4567), protocol: String::from("tcp") }]);
}

#[tokio::test]
async fn containers_are_read_over_tcp() {
    let fake = Fake::serve(engine).await;
    let client = tcp(&fake);
    assert_eq!(client.engine().await.unwrap(), Engine::Present);
    check(&client.observe().await.unwrap());
    assert_eq!(fake.lines().iter().filter(|line| line.ends_with("/version")).count(), 1);
    assert!(fake.requests().iter().any(|asked| asked.path.contains("/containers/json?") && asked.path.contains("all=true")));
}

#[cfg(unix)]
#[tokio::test]
async fn containers_are_read_over_a_socket() {
    let folder = tempfile::tempdir().unwrap();
    let fake = Fake::serve_unix(&folder.path().join("docker.sock"), engine);
    check(&Client::new(Host::at(fake.url())).observe().await.unwrap());
}

#[cfg(unix)]
#[tokio::test]
async fn an_absent_engine_is_no_trouble_until_it_is_needed() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("docker.sock");
    let client = Client::new(Host::at(format!("unix://{}", socket.display())));
    let reason = format!("no Docker engine answers at {}", socket.display());
    assert_eq!(client.engine().await.unwrap(), Engine::Absent(reason.clone()));
    assert_eq!(client.observe().await.unwrap_err().cause, reason);
    // A socket that a stopped engine left behind.
    drop(std::os::unix::net::UnixListener::bind(&socket).unwrap());
    assert_eq!(client.engine().await.unwrap(), Engine::Absent(reason));
    let refused = Client::new(Host::at(nowhere().replace("http://", "tcp://")));
    assert!(matches!(refused.engine().await.unwrap(), Engine::Absent(_)));
}

#[test]
fn a_socket_of_others_is_trouble_with_a_remedy() {
    let client = Client::new(Host::at("unix:///var/run/docker.sock"));
    let denied = DockerError::from(std::io::Error::from(std::io::ErrorKind::PermissionDenied));
    let Unreached::Trouble(trouble) = client.unreached(Failed::Docker(denied)) else { panic!("denied is not absent") };
    assert!(!trouble.passing && trouble.remedy.contains("usermod -aG docker"), "{trouble:?}");
}

#[tokio::test]
async fn what_goes_wrong_is_told_apart() {
    let cases: [(Answer, bool, &str); 5] = [
        (Answer::json(500, r#"{"message":"the disk is full"}"#), true, "the disk is full"),
        (Answer::json(403, r#"{"message":"not allowed by the proxy"}"#), false, "(403)"),
        (Answer::json(200, "<html>"), false, "cannot be read"),
        (Answer::Truncated, true, "broke off"),
        (Answer::Hang, true, "did not answer within"),
    ];
    for (answer, passing, says) in cases {
        let fake =
            Fake::serve(move |asked| if asked.path.contains("/containers/json") { answer.clone() } else { engine(asked) }).await;
        let trouble = tcp(&fake).with_deadline(Duration::from_millis(300)).observe().await.unwrap_err();
        assert!(trouble.passing == passing && trouble.cause.contains(says) && !trouble.remedy.is_empty(), "{says}: {trouble:?}");
    }
    let other = Fake::serve(|_| Answer::json(200, r#"{"hello":"world"}"#)).await;
    assert!(tcp(&other).engine().await.unwrap_err().cause.contains("is no Docker engine"));
    for address in ["ssh://me@host", "https://host:2376", "nonsense"] {
        let trouble = Client::new(Host::at(address)).engine().await.unwrap_err();
        assert!(!trouble.passing && trouble.remedy.contains("DOCKER_HOST"), "{trouble:?}");
    }
}
