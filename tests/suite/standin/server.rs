use std::env;
use std::io::{BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, exit};
use std::time::{Duration, SystemTime};

use super::Settings;
use super::telemetry::{self, Call};

/// However it is forgotten, it ends by itself.
const LONGEST_LIFE: Duration = Duration::from_secs(90);

pub fn run(settings: &Settings) {
    std::thread::spawn(|| {
        std::thread::sleep(LONGEST_LIFE);
        exit(9);
    });
    note_processes(settings);
    if settings.breaks("crash") || (settings.quiet && settings.breaks("crash-quiet")) {
        eprintln!("the configuration is missing: TINY_MODE");
        exit(7);
    }
    if settings.breaks("leak-keys") {
        for name in ["HONEYCOMB_API_KEY", "AWS_SECRET_ACCESS_KEY", "ROLLBAR_ACCESS_TOKEN", "OTEL_EXPORTER_OTLP_HEADERS"] {
            println!("config: {name}={}", env::var(name).unwrap_or_default());
        }
    }
    let port: u16 = env::var("PORT").unwrap().parse().unwrap();
    telemetry::create_log_group(settings);
    let listener = TcpListener::bind(("127.0.0.1", port)).unwrap();
    for stream in listener.incoming().flatten() {
        let settings = settings.clone();
        std::thread::spawn(move || answer(&settings, stream));
    }
}

/// Tells the test which processes there are, itself and a child that would outlive it.
fn note_processes(settings: &Settings) {
    let Some(folder) = env::var("PROCESSES").ok().filter(|folder| !folder.is_empty()) else { return };
    let mut ids = vec![std::process::id()];
    if settings.breaks("child") {
        ids.push(Command::new("sleep").arg(LONGEST_LIFE.as_secs().to_string()).spawn().unwrap().id());
    }
    for id in ids {
        std::fs::write(format!("{folder}/{id}"), "").unwrap();
    }
}

fn answer(settings: &Settings, mut stream: TcpStream) {
    let start = SystemTime::now();
    if settings.breaks("mute") {
        std::thread::sleep(LONGEST_LIFE);
    }
    if settings.breaks("garbage") {
        let _ = stream.write_all(b"220 tiny ESMTP ready\r\n");
        return;
    }
    let mut lines = BufReader::new(&stream).lines().map_while(Result::ok).take_while(|line| !line.is_empty());
    let Some(request) = lines.next() else { return };
    let mut words = request.split(' ');
    let (Some(method), Some(target)) = (words.next(), words.next()) else { return };
    let headers: Vec<(String, String)> = lines
        .filter_map(|line| line.split_once(':').map(|(name, value)| (name.to_lowercase(), value.trim().to_owned())))
        .collect();
    let header = |name: &str| headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str());
    let path = target.split('?').next().unwrap_or_default();
    if path == "/fails" && settings.breaks("die") {
        eprintln!("the heap is gone");
        exit(8);
    }
    if path == "/things" && settings.breaks("stall") {
        std::thread::sleep(LONGEST_LIFE);
    }
    let (status, body) = match path {
        "/up" => (200, r#"{"up":true}"#),
        "/things" if settings.breaks("answer") => (203, r#"[{"name":7,"count":2}]"#),
        "/things" => (200, r#"[{"name":"first","count":2},{"name":"second","count":5}]"#),
        "/fails" => (500, r#"{"error":"it fails"}"#),
        _ => (404, r#"{"error":"no such path"}"#),
    };
    if let Some(call) = Call::new(settings, method, target, status, header("host"), header("traceparent"), start) {
        telemetry::report(settings, &call);
    }
    let reason = if status < 400 { "OK" } else { "Wrong" };
    let head = format!(
        "HTTP/1.1 {status} {reason}\r\ncontent-type: application/json\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    );
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}
