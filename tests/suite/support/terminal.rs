use std::io::ErrorKind;
use std::process::Command;

use expectrl::Session;
use expectrl::process::unix::WaitStatus;

use super::wait_until;

/// Runs a command in a terminal of its own, of 80 columns and 24 rows, and says what was written to it and how it ended. Nobody
/// types anything.
#[track_caller]
pub fn in_terminal(command: Command) -> (String, i32) {
    let mut session = Session::spawn(command).unwrap();
    let mut written = Vec::new();
    let mut buffer = [0; 4096];
    wait_until("the end of what is written to the terminal", || {
        loop {
            match session.try_read(&mut buffer) {
                Ok(0) => return true,
                Ok(count) => written.extend_from_slice(&buffer[..count]),
                Err(error) if error.kind() == ErrorKind::WouldBlock => return false,
                // What Linux says once nobody has the terminal open any more.
                Err(_) => return true,
            }
        }
    });
    let code = match session.get_process().wait().unwrap() {
        WaitStatus::Exited(_, code) => code,
        other => panic!("it did not end by itself: {other:?}"),
    };
    (String::from_utf8(written).unwrap().replace("\r\n", "\n"), code)
}
