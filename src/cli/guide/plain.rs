//! The guide in lines: it tells what happens, and takes words.
//!
//! At a terminal a word is obeyed at once. What comes out of a file or a pipe was written by somebody who could not see how far
//! the guide was: there each line waits until all is done that was asked for before, so that the same script has the same
//! course every time.

use std::io::{self, BufRead, ErrorKind, IsTerminal, Read, Write};

use tokio::sync::mpsc::{Receiver, UnboundedReceiver, channel};
use tokio_util::sync::CancellationToken;

use super::coach::Coach;
use crate::guide::plain::{Asked, Telling, asked};
use crate::guide::{Command, Effect, Guide, Message, Overlay, plain};
use crate::report::Look;
use crate::report::text::clean;

/// No line that is typed is longer; the rest of one that is goes unread.
const LONGEST_LINE: u64 = 4_096;

/// How the walk ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// The learner ended it, or nobody reads any more.
    Quit,
    /// There is no more input, and nothing goes on.
    InputEnded,
}

/// Walks through the course in lines, until the learner ends it or the input does. Then it first waits for the run that goes on.
pub async fn walk(
    guide: &mut Guide,
    first: Vec<Effect>,
    coach: &mut Coach,
    told: &mut UnboundedReceiver<Message>,
    look: Look,
    stop: &CancellationToken,
) -> io::Result<Ended> {
    let mut walk = Walk {
        guide,
        coach,
        look,
        telling: Telling::new(look),
        waits: Waits::default(),
        at_a_terminal: io::stdin().is_terminal(),
        prompted: false,
        parted: false,
    };
    let ended = walk.go(first, told, stop).await;
    let ended = ended.and_then(|ended| walk.leave().map(|()| ended));
    match ended {
        // Who piped it into `head` has seen enough.
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(Ended::Quit),
        ended => ended,
    }
}

/// Says where the learner is, after a guide that had the whole screen.
pub fn farewell(guide: &Guide, look: Look) {
    // Who cannot read it any more misses nothing that is not kept.
    let _ = io::stdout().write_all(plain::farewell(guide, look).as_bytes());
}

struct Walk<'w> {
    guide: &'w mut Guide,
    coach: &'w mut Coach,
    look: Look,
    telling: Telling,
    waits: Waits,
    at_a_terminal: bool,
    /// Whether the prompt is the last thing that was printed.
    prompted: bool,
    /// Whether an empty line is.
    parted: bool,
}

/// The answers that are still to come.
#[derive(Default)]
struct Waits {
    notes: usize,
    solutions: usize,
    applied: usize,
    opened: usize,
}

impl Waits {
    fn is_none(&self) -> bool {
        self.notes + self.solutions + self.applied + self.opened == 0
    }

    fn expect(&mut self, effect: &Effect) {
        match effect {
            Effect::Note(_) => self.notes += 1,
            Effect::Solution { .. } => self.solutions += 1,
            Effect::Apply { .. } => self.applied += 1,
            Effect::Open { .. } => self.opened += 1,
            Effect::Verify { .. } | Effect::Copy(_) | Effect::Quit => {}
        }
    }

    fn hear(&mut self, message: &Message) {
        let count = match message {
            Message::Noted(_) => &mut self.notes,
            Message::Solution(_) => &mut self.solutions,
            Message::Applied(_) => &mut self.applied,
            Message::Told(_) | Message::Warned(_) => &mut self.opened,
            _ => return,
        };
        *count = count.saturating_sub(1);
    }
}

impl Walk<'_> {
    async fn go(
        &mut self,
        first: Vec<Effect>,
        told: &mut UnboundedReceiver<Message>,
        stop: &CancellationToken,
    ) -> io::Result<Ended> {
        self.perform(first);
        self.say_news()?;
        let mut lines = lines();
        let mut input_ended = false;
        loop {
            let at_rest = self.guide.run.is_none() && self.waits.is_none();
            if input_ended && at_rest {
                match told.try_recv() {
                    Ok(message) => self.hear(message)?,
                    Err(_) => return Ok(Ended::InputEnded),
                }
                continue;
            }
            if at_rest && self.at_a_terminal && !self.prompted {
                self.print("> ")?;
                self.prompted = true;
            }
            let listens = !input_ended && (self.at_a_terminal || at_rest);
            tokio::select! {
                // What has happened before a line was read is told before it is obeyed.
                biased;
                () = stop.cancelled() => {
                    self.leave_prompt()?;
                    return Ok(Ended::Quit);
                }
                message = told.recv() => match message {
                    Some(message) => self.hear(message)?,
                    None => return Ok(Ended::Quit),
                },
                line = lines.recv(), if listens => match line {
                    Some(line) => {
                        if !self.obey(&line)? {
                            return Ok(Ended::Quit);
                        }
                    }
                    // Who ends the input of a terminal wants to leave.
                    None if self.at_a_terminal => {
                        self.leave_prompt()?;
                        return Ok(Ended::Quit);
                    }
                    None => input_ended = true,
                }
            }
        }
    }

    /// Takes in what happened, and tells what is new. What was asked for is answered also where that is nothing new.
    fn hear(&mut self, message: Message) -> io::Result<()> {
        let answers = matches!(message, Message::Told(_) | Message::Warned(_)) && self.waits.opened > 0;
        self.waits.hear(&message);
        let effects = self.guide.update(message);
        self.perform(effects);
        if !self.say_news()? && answers {
            self.print(&self.telling.again(self.guide))?;
        }
        Ok(())
    }

    /// Does what the line asks for. `false` when the guide is to end.
    fn obey(&mut self, line: &str) -> io::Result<bool> {
        if self.at_a_terminal {
            // The terminal has shown the line, and has gone to the next one.
            self.prompted = false;
        }
        let asked = asked(line, self.guide);
        // In a recording, what follows is to be understood.
        if !self.at_a_terminal && !matches!(asked, Ok(None)) {
            self.part()?;
            self.print(&format!("> {}\n", clean(line.trim())))?;
        }
        let message = match asked {
            Ok(None) => return Ok(true),
            Ok(Some(Asked::Show)) => return self.print(&self.telling.show(self.guide)).map(|()| true),
            Ok(Some(Asked::Copy)) => return self.print(&self.telling.blocks(self.guide)).map(|()| true),
            Err(sentence) => return self.print(&self.telling.sentence(&sentence)).map(|()| true),
            Ok(Some(Asked::Message(message))) => message,
        };
        if let Message::Chosen(at) = message
            && at == self.guide.at
        {
            return self.print(&self.telling.sentence("you are at this step; `show` tells it once more")).map(|()| true);
        }
        let applies = matches!(message, Message::Command(Command::Apply));
        if applies && !matches!(self.guide.overlay, Some(Overlay::Solution(Some(_)))) {
            let first = "see first what would change: type `solution`, then `apply`";
            return self.print(&self.telling.sentence(first)).map(|()| true);
        }
        if !applies {
            // What was shown is past.
            self.guide.update(Message::Command(Command::Close));
            self.say_news()?;
        }
        let effects = self.guide.update(message);
        let waited = self.waits.solutions + self.waits.applied + self.waits.opened;
        let goes_on = self.perform(effects);
        if goes_on && !self.say_news()? && self.waits.solutions + self.waits.applied + self.waits.opened == waited {
            self.print(&self.telling.again(self.guide))?;
        }
        Ok(goes_on)
    }

    fn perform(&mut self, effects: Vec<Effect>) -> bool {
        effects.into_iter().fold(true, |goes_on, effect| {
            self.waits.expect(&effect);
            self.coach.perform(effect) && goes_on
        })
    }

    /// Tells what is new; whether there was anything.
    fn say_news(&mut self) -> io::Result<bool> {
        let news = self.telling.tell(self.guide);
        self.print(&news)?;
        Ok(!news.is_empty())
    }

    /// The last words.
    fn leave(&mut self) -> io::Result<()> {
        self.part()?;
        self.print(&plain::farewell(self.guide, self.look))
    }

    fn part(&mut self) -> io::Result<()> {
        if self.parted { Ok(()) } else { self.print("\n") }
    }

    fn leave_prompt(&mut self) -> io::Result<()> {
        if std::mem::take(&mut self.prompted) { self.print("\n") } else { Ok(()) }
    }

    fn print(&mut self, text: &str) -> io::Result<()> {
        if text.is_empty() {
            return Ok(());
        }
        self.parted = text.ends_with("\n\n") || text == "\n";
        let mut stdout = io::stdout().lock();
        if std::mem::take(&mut self.prompted) {
            stdout.write_all(b"\n")?;
        }
        stdout.write_all(text.as_bytes())?;
        stdout.flush()
    }
}

/// The lines of the input, read by a thread of their own: one that waits for a line would hold up the end of a runtime.
fn lines() -> Receiver<String> {
    let (tell, told) = channel(16);
    let read = move || {
        let mut stdin = io::stdin().lock();
        while let Some(line) = next_line(&mut stdin) {
            if tell.blocking_send(line).is_err() {
                return;
            }
        }
    };
    // Where there is no thread to be had, there is no input.
    let _ = std::thread::Builder::new().name(String::from("input")).spawn(read);
    told
}

/// The next line, however it is written; `None` at the end of the input.
fn next_line(input: &mut impl BufRead) -> Option<String> {
    let mut bytes = Vec::new();
    let read = input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut bytes).ok()?;
    if read == 0 {
        return None;
    }
    if !bytes.ends_with(b"\n") && read as u64 == LONGEST_LINE {
        input.skip_until(b'\n').ok()?;
    }
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_one_by_one_and_long_ones_are_cut() {
        let mut text = b"next\r\nca\xffe\n".to_vec();
        text.extend(vec![b'x'; 10_000]);
        text.extend(b"\nlast");
        let mut input = io::Cursor::new(text);
        assert_eq!(next_line(&mut input).unwrap().trim(), "next");
        assert_eq!(next_line(&mut input).unwrap(), "ca\u{fffd}e\n");
        assert_eq!(next_line(&mut input).unwrap().len() as u64, LONGEST_LINE);
        assert_eq!(next_line(&mut input).unwrap(), "last");
        assert_eq!(next_line(&mut input), None);
    }
}
