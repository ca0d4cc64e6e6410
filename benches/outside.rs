//! The whole program, as a process of its own: how fast it starts, how much memory the sandbox takes, and what a span costs.
//!
//! `cargo bench --bench outside`, or one part of it: `cargo bench --bench outside -- start`, `memory`, `otlp`. Memory and CPU are
//! read from `/proc`, so those two are for Linux. The output is tables in Markdown; medians, where there is more than one run.

mod spans;

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use bootcamp::sandbox::otlp::ExportTraceServiceRequest;
use prost::Message;

const PROGRAM: &str = env!("CARGO_BIN_EXE_bootcamp");

fn main() {
    let chosen: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with('-')).collect();
    let parts: [(&str, fn()); 3] = [("start", start), ("memory", memory), ("otlp", otlp)];
    for (name, part) in parts {
        if chosen.is_empty() || chosen.iter().any(|filter| name.contains(filter.as_str())) {
            part();
        }
    }
}

/// From the call to the end of the process.
fn start() {
    println!("\n| command | median | fastest |\n|---|---:|---:|");
    // What the system alone takes to start a process.
    let commands: [(&str, &[&str]); 4] =
        [("true", &[]), (PROGRAM, &["--version"]), (PROGRAM, &["list"]), (PROGRAM, &["list", "--format", "json"])];
    for (program, arguments) in commands {
        let run = || {
            let begun = Instant::now();
            let done = Command::new(program).args(arguments).stdout(Stdio::null()).status();
            assert!(done.is_ok_and(|status| status.success()), "`{program}` failed");
            begun.elapsed()
        };
        run();
        let mut runs: Vec<Duration> = (0..40).map(|_| run()).collect();
        runs.sort_unstable();
        let name = if program == PROGRAM { format!("bootcamp {}", arguments.join(" ")) } else { program.to_owned() };
        println!("| `{name}` | {} | {} |", milliseconds(runs[runs.len() / 2]), milliseconds(runs[0]));
    }
}

/// Resident memory: at rest, after a little, and after a lot.
#[expect(clippy::disallowed_methods, reason = "a process at rest is one that was left alone for a while")]
fn memory() {
    println!("\n| sandbox | at rest | after 1,000 spans | after 200,000 spans |\n|---|---:|---:|---:|");
    for memory in [false, true] {
        let sandbox = Sandbox::start(memory);
        // What happens at the start has happened.
        std::thread::sleep(Duration::from_millis(500));
        let at_rest = sandbox.resident();
        let mut connection = sandbox.connect();
        let mut send = |requests: usize, count: usize| {
            let request = request(&spans::export(count).encode_to_vec());
            (0..requests).for_each(|_| exchange(&mut connection, &request));
        };
        send(10, 100);
        let little = sandbox.resident();
        send(400, 500);
        let much = sandbox.resident();
        let name = if memory { "in memory" } else { "in a file" };
        println!("| {name} | {} | {} | {} |", mebibytes(at_rest), mebibytes(little), mebibytes(much));
    }
}

/// One connection, one request after the other; beside it the decoding of the same bytes, by the same library, and nothing else.
fn otlp() {
    println!("\n| OTLP over HTTP | spans a second | CPU a span | bare prost decode | ratio |\n|---|---:|---:|---:|---:|");
    for memory in [false, true] {
        for count in [100, 512] {
            let body = spans::export(count).encode_to_vec();
            let sandbox = Sandbox::start(memory);
            let mut connection = sandbox.connect();
            let request = request(&body);
            (0..20).for_each(|_| exchange(&mut connection, &request));
            // In turn, so that a machine that slows down slows both.
            let (mut sent, mut took, mut used, mut decoded, mut decoding) = (0_u32, Duration::ZERO, 0.0, 0_u32, 0.0);
            for _ in 0..6 {
                let (cpu, begun) = (sandbox.cpu(), Instant::now());
                while begun.elapsed() < Duration::from_millis(500) {
                    exchange(&mut connection, &request);
                    sent += 1;
                }
                took += begun.elapsed();
                used += sandbox.cpu() - cpu;
                let (cpu, begun) = (own_cpu(), Instant::now());
                while begun.elapsed() < Duration::from_millis(150) {
                    assert!(std::hint::black_box(ExportTraceServiceRequest::decode(&body[..])).is_ok());
                    decoded += 1;
                }
                decoding += own_cpu() - cpu;
            }
            let spans = f64::from(u32::try_from(count).unwrap_or(u32::MAX));
            let rate = f64::from(sent) * spans / took.as_secs_f64();
            let (ours, bare) = (used / (f64::from(sent) * spans), decoding / (f64::from(decoded) * spans));
            println!(
                "| {count} spans a request, store in {} | {rate:.0} | {:.2} µs | {:.2} µs | {:.1} |",
                if memory { "memory" } else { "a file" },
                ours * 1e6,
                bare * 1e6,
                ours / bare,
            );
        }
    }
}

/// A sandbox in a process and a workspace of its own; both go when it is dropped.
struct Sandbox {
    process: Child,
    port: u16,
    _workspace: tempfile::TempDir,
}

impl Sandbox {
    #[expect(clippy::disallowed_methods, reason = "another process is waited for, until a deadline")]
    fn start(memory: bool) -> Self {
        let workspace = tempfile::tempdir().expect("a folder for the workspace");
        let port =
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).and_then(|listener| listener.local_addr()).expect("a free port").port();
        let mut command = Command::new(PROGRAM);
        command.args(["sandbox", "--no-bridge", "--grpc-port", "0", "--daemon-port", "0", "--http-port", &port.to_string()]);
        command.arg("-C").arg(workspace.path()).stdout(Stdio::null());
        if memory {
            command.arg("--memory");
        }
        let process = command.spawn().expect("the sandbox starts");
        let sandbox = Self { process, port, _workspace: workspace };
        let begun = Instant::now();
        while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
            assert!(begun.elapsed() < Duration::from_secs(20), "the sandbox does not answer");
            std::thread::sleep(Duration::from_millis(5));
        }
        sandbox
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, self.port)).expect("the sandbox answers");
        stream.set_nodelay(true).expect("a socket takes its options");
        stream.set_read_timeout(Some(Duration::from_secs(20))).expect("a socket takes its options");
        stream
    }

    /// Bytes.
    fn resident(&self) -> f64 {
        let status = proc(&self.process.id().to_string(), "status");
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
        line.trim().trim_end_matches(" kB").parse::<f64>().unwrap_or(f64::NAN) * 1024.0
    }

    /// Seconds, of all its threads.
    fn cpu(&self) -> f64 {
        // The 14th and 15th field, in hundredths of a second; the second one ends in the only parenthesis.
        let stat = proc(&self.process.id().to_string(), "stat");
        let fields = stat.rsplit(')').next().unwrap_or_default().split_whitespace().skip(11).take(2);
        fields.filter_map(|field| field.parse::<f64>().ok()).sum::<f64>() / 100.0
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// CPU seconds of this thread.
fn own_cpu() -> f64 {
    let nanoseconds = proc("thread-self", "schedstat");
    nanoseconds.split_whitespace().next().and_then(|first| first.parse::<f64>().ok()).unwrap_or(f64::NAN) / 1e9
}

fn proc(process: &str, file: &str) -> String {
    std::fs::read_to_string(Path::new("/proc").join(process).join(file)).unwrap_or_default()
}

fn request(body: &[u8]) -> Vec<u8> {
    let head = format!(
        "POST /v1/traces HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/x-protobuf\r\n\
         x-honeycomb-team: sandboxIngestKey000001\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    [head.as_bytes(), body].concat()
}

/// Sends a request and reads its answer, which has no body.
fn exchange(connection: &mut TcpStream, request: &[u8]) {
    connection.write_all(request).expect("the sandbox reads");
    let (mut answer, mut buffer) = (Vec::new(), [0; 4096]);
    while !answer.ends_with(b"\r\n\r\n") {
        let read = connection.read(&mut buffer).expect("the sandbox answers");
        assert!(read > 0, "the sandbox closed the connection");
        answer.extend_from_slice(&buffer[..read]);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
}

fn milliseconds(duration: Duration) -> String {
    format!("{:.2} ms", duration.as_secs_f64() * 1e3)
}

fn mebibytes(bytes: f64) -> String {
    format!("{:.1} MiB", bytes / f64::from(1 << 20))
}
