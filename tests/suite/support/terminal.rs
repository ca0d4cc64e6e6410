use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::process::Command;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use expectrl::process::unix::{Signal, UnixProcess, WaitStatus};
use expectrl::session::OsSession;
use vt100::Parser;

use super::{Bootcamp, wait_until};

/// How long something may take to appear: a build on a busy machine is among it.
const PATIENCE: Duration = Duration::from_secs(120);

/// The program in a pseudo-terminal, and the screen that a learner sees there.
pub struct Terminal {
    session: OsSession,
    keys: File,
    screen: Arc<Mutex<Parser>>,
    reader: Option<JoinHandle<()>>,
    patience: Duration,
    _call: Bootcamp,
}

impl Terminal {
    /// Starts a call in a terminal of so many rows and columns.
    pub fn start(call: Bootcamp, rows: u16, columns: u16) -> Self {
        let mut command = call.command();
        if !call.variables().contains_key("TERM") {
            command.env("TERM", "xterm-256color");
        }
        let mut session = OsSession::spawn(command).unwrap();
        session.get_process_mut().set_window_size(columns, rows).unwrap();
        let keys = session.get_process().get_raw_handle().unwrap();
        let mut printed = keys.try_clone().unwrap();
        let screen = Arc::new(Mutex::new(Parser::new(rows, columns, 0)));
        let painted = Arc::clone(&screen);
        let reader = std::thread::spawn(move || {
            let mut room = [0; 8192];
            // A terminal whose program has ended is an error to read from.
            while let Ok(count @ 1..) = printed.read(&mut room) {
                painted.lock().unwrap_or_else(PoisonError::into_inner).process(&room[..count]);
            }
        });
        Self { session, keys, screen, reader: Some(reader), patience: PATIENCE, _call: call }
    }

    /// How long something may take to appear.
    #[allow(dead_code, reason = "where services are built from nothing")]
    pub fn patience(mut self, patience: Duration) -> Self {
        self.patience = patience;
        self
    }

    fn parser(&self) -> MutexGuard<'_, Parser> {
        self.screen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What stands on the screen.
    pub fn screen(&self) -> String {
        self.parser().screen().contents()
    }

    /// Waits until the screen is as it should be.
    #[track_caller]
    pub fn until(&self, what: &str, is: impl Fn(&str) -> bool) {
        let begun = Instant::now();
        while !is(&self.screen()) {
            assert!(begun.elapsed() < self.patience, "the screen never was so: {what}\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the text stands on the screen, however it is broken into lines there.
    #[track_caller]
    pub fn sees(&self, text: &str) {
        self.until(&format!("`{text}` is seen"), |screen| flat(screen).contains(text) || screen.contains(text));
    }

    /// Waits until the text stands on the screen no more.
    #[track_caller]
    pub fn no_longer_sees(&self, text: &str) {
        self.until(&format!("`{text}` is gone"), |screen| !flat(screen).contains(text) && !screen.contains(text));
    }

    /// Types.
    pub fn types(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
        self.keys.flush().unwrap();
    }

    /// Clicks with the left button on the first place where the text stands.
    #[track_caller]
    pub fn clicks(&mut self, text: &str) {
        let screen = self.screen();
        let place = screen.lines().enumerate().find_map(|(row, line)| Some((row, line[..line.find(text)?].chars().count())));
        let (row, column) = place.unwrap_or_else(|| panic!("`{text}` is not on the screen:\n{screen}"));
        self.types(&format!("\u{1b}[<0;{};{}M\u{1b}[<0;{};{}m", column + 1, row + 1, column + 1, row + 1));
    }

    /// Gives the terminal another size.
    pub fn resizes(&mut self, rows: u16, columns: u16) {
        self.parser().screen_mut().set_size(rows, columns);
        self.process().set_window_size(columns, rows).unwrap();
    }

    fn process(&mut self) -> &mut UnixProcess {
        self.session.get_process_mut()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        u32::try_from(self.session.get_process().pid().as_raw()).unwrap()
    }

    /// Kills it, as a machine does that is switched off.
    pub fn killed(mut self) {
        self.process().signal(Signal::SIGKILL).unwrap();
        let _ = self.session.get_process().wait();
    }

    /// Waits until it ends; its exit code, and what stands on the screen then.
    #[track_caller]
    pub fn ends(mut self) -> (i32, String) {
        let begun = Instant::now();
        let status = loop {
            match self.session.get_process().status().unwrap() {
                WaitStatus::StillAlive => {}
                status => break status,
            }
            assert!(begun.elapsed() < self.patience, "it never ends:\n{}", self.screen());
            std::thread::sleep(Duration::from_millis(20));
        };
        if let Some(reader) = self.reader.take() {
            // What was printed last may still be under way.
            let _ = reader.join();
        }
        let WaitStatus::Exited(_, code) = status else { panic!("it was ended by {status:?}:\n{}", self.screen()) };
        (code, self.screen())
    }

    /// Whether the terminal is as it was: the cursor shown, no second screen, no mouse reports.
    pub fn is_given_back(&self) -> bool {
        let parser = self.parser();
        let screen = parser.screen();
        !screen.alternate_screen() && !screen.hide_cursor() && screen.mouse_protocol_mode() == vt100::MouseProtocolMode::None
    }
}

/// The screen's words in one line, the borders of its parts left out.
fn flat(screen: &str) -> String {
    let words = screen.split(|c: char| c.is_whitespace() || "│║┃|".contains(c)).filter(|word| !word.is_empty());
    words.collect::<Vec<_>>().join(" ")
}

/// Runs a command in a terminal of its own, of 80 columns and 24 rows, and says what was written to it and how it ended. Nobody
/// types anything.
#[track_caller]
pub fn in_terminal(command: Command) -> (String, i32) {
    let mut session = OsSession::spawn(command).unwrap();
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
