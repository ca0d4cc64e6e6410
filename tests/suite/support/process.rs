use std::collections::BTreeSet;
use std::net::{Ipv4Addr, TcpListener};
use std::process::{Child, Output};
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;

/// Waits for a process that leads its own group, and reads what it prints. One that outstays its time is ended with its group.
#[track_caller]
pub fn finish(child: Child, within: Duration) -> Output {
    let id = child.id();
    let (told, tells) = channel();
    std::thread::spawn(move || told.send(child.wait_with_output()));
    match tells.recv_timeout(within) {
        Ok(output) => output.unwrap(),
        Err(RecvTimeoutError::Disconnected) => panic!("nobody waited for the process"),
        Err(RecvTimeoutError::Timeout) => {
            // Asked first: it has services to end.
            signal_group(id, Signal::SIGTERM);
            let output = tells.recv_timeout(Duration::from_secs(5)).ok();
            signal_group(id, Signal::SIGKILL);
            let printed = output.or_else(|| tells.recv_timeout(Duration::from_secs(5)).ok()).and_then(Result::ok);
            let shown = printed.map_or_else(String::new, |output| {
                format!("{}\n{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
            });
            panic!("it did not end within {within:?}, and was killed; it printed:\n{shown}");
        }
    }
}

fn signal_group(id: u32, signal: Signal) {
    let _ = killpg(Pid::from_raw(i32::try_from(id).unwrap()), signal);
}

/// Sends a signal to one process.
pub fn signal(id: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(id).unwrap()), signal).unwrap();
}

/// Whether a process runs. One that has ended and waits to be fetched does not.
pub fn lives(id: u32) -> bool {
    if kill(Pid::from_raw(i32::try_from(id).unwrap()), None).is_err() {
        return false;
    }
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).unwrap_or_default();
    stat.rsplit_once(") ").is_none_or(|(_, state)| !state.starts_with(['Z', 'X']))
}

/// Waits for something that another process does.
#[track_caller]
pub fn wait_until(what: &str, mut done: impl FnMut() -> bool) {
    let begun = Instant::now();
    while !done() {
        assert!(begun.elapsed() < Duration::from_secs(30), "{what}: it did not come");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// A port on which nothing listens, given out once only. It lies beneath those that the system gives out, and beneath those
/// that the program under test takes for itself.
pub fn free_port() -> u16 {
    static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    loop {
        let port = fastrand::u16(10_000..20_000);
        if TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok() && given.insert(port) {
            return port;
        }
    }
}
