//! Runs a program in a terminal of its own, waits for what is to be seen, types, and prints the screen with its colours:
//!
//! ```console
//! screen ROWS COLUMNS see:TEXT key:n see:TEXT -- program arguments…
//! ```
//!
//! `docs/picture.sh` makes the pictures of the guide with it.

#[cfg(not(unix))]
fn main() {
    eprintln!("this needs a Unix terminal");
}

#[cfg(unix)]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    unix::main()
}

#[cfg(unix)]
#[allow(clippy::disallowed_methods, reason = "a screen cannot be waited for, only looked at")]
mod unix {
    use std::fmt::Write as _;
    use std::io::{Read, Write};
    use std::process::Command;
    use std::sync::{Arc, Mutex, PoisonError};
    use std::time::{Duration, Instant};

    use expectrl::session::OsSession;
    use vt100::{Color, Parser, Screen};

    /// A first build of a service is among what is waited for.
    const PATIENCE: Duration = Duration::from_mins(5);

    pub fn main() -> Result<(), Box<dyn std::error::Error>> {
        let usage = "usage: screen ROWS COLUMNS [see:TEXT | key:KEYS]… -- PROGRAM [ARGUMENT…]";
        let mut words = std::env::args().skip(1);
        let (rows, columns) = (words.next().ok_or(usage)?.parse()?, words.next().ok_or(usage)?.parse()?);
        let doings: Vec<String> = words.by_ref().take_while(|word| word != "--").collect();
        let mut command = Command::new(words.next().ok_or(usage)?);
        command.args(words).env("TERM", "xterm-256color");
        let mut session = OsSession::spawn(command)?;
        session.get_process_mut().set_window_size(columns, rows)?;
        let mut keys = session.get_process().get_raw_handle()?;
        let mut printed = keys.try_clone()?;
        let parser = Arc::new(Mutex::new(Parser::new(rows, columns, 0)));
        let painted = Arc::clone(&parser);
        std::thread::spawn(move || {
            let mut room = [0; 8192];
            while let Ok(count @ 1..) = printed.read(&mut room) {
                painted.lock().unwrap_or_else(PoisonError::into_inner).process(&room[..count]);
            }
        });
        let contents = || parser.lock().unwrap_or_else(PoisonError::into_inner).screen().contents();
        for doing in doings {
            match doing.split_once(':') {
                Some(("see", text)) => {
                    let begun = Instant::now();
                    while !contents().contains(text) {
                        if begun.elapsed() > PATIENCE {
                            return Err(format!("`{text}` was never seen:\n{}", contents()).into());
                        }
                        std::thread::sleep(Duration::from_millis(50));
                    }
                }
                Some(("key", typed)) => keys.write_all(typed.as_bytes())?,
                _ => return Err(usage.into()),
            }
        }
        // What follows in the same breath belongs to the picture.
        std::thread::sleep(Duration::from_millis(300));
        let picture = painted_screen(parser.lock().unwrap_or_else(PoisonError::into_inner).screen());
        keys.write_all(b"q")?;
        let _ = session.get_process().wait();
        std::io::stdout().write_all(picture.as_bytes())?;
        Ok(())
    }

    /// The screen's lines, with their colours as escapes.
    fn painted_screen(screen: &Screen) -> String {
        let (rows, columns) = screen.size();
        let mut text = String::new();
        for row in 0..rows {
            let mut line = String::new();
            for cell in (0..columns).filter_map(|column| screen.cell(row, column)).filter(|cell| !cell.is_wide_continuation()) {
                let mut codes = vec![0];
                let set = [(cell.bold(), 1), (cell.dim(), 2), (cell.italic(), 3), (cell.underline(), 4), (cell.inverse(), 7)];
                codes.extend(set.iter().filter(|(is, _)| *is).map(|(_, code)| *code));
                for (colour, base) in [(cell.fgcolor(), 30), (cell.bgcolor(), 40)] {
                    match colour {
                        Color::Idx(index @ 0..8) => codes.push(base + u16::from(index)),
                        Color::Idx(index @ 8..16) => codes.push(base + 60 + u16::from(index) - 8),
                        Color::Idx(_) | Color::Rgb(..) | Color::Default => {}
                    }
                }
                let codes: Vec<String> = codes.iter().map(u16::to_string).collect();
                let shown = if cell.has_contents() { cell.contents() } else { " " };
                let _ = write!(line, "\u{1b}[{}m{shown}", codes.join(";"));
            }
            text.push_str(&line);
            text.push_str("\u{1b}[0m\n");
        }
        text
    }
}
