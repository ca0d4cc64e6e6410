//! The guide on a whole terminal.

use std::io::{self, Stdout};
use std::mem::ManuallyDrop;
use std::time::Duration;

use crossterm::cursor::Show;
use crossterm::event::{
    DisableMouseCapture, EnableMouseCapture, Event, EventStream, KeyCode, KeyEvent, KeyEventKind, KeyModifiers, MouseButton,
    MouseEvent, MouseEventKind,
};
use crossterm::execute;
use crossterm::terminal::{EnterAlternateScreen, LeaveAlternateScreen, disable_raw_mode, enable_raw_mode};
use futures_util::StreamExt;
use ratatui::Terminal;
use ratatui::backend::CrosstermBackend;
use tokio::sync::mpsc::UnboundedReceiver;
use tokio_util::sync::CancellationToken;

use super::coach::Coach;
use crate::guide::view::{Canvas, Hit};
use crate::guide::{Command, Effect, Guide, Message, Towards, command};
use crate::report::Look;

/// How often what moves is drawn anew while something runs.
const TICK: Duration = Duration::from_millis(120);

/// A wheel's notch, in lines.
const NOTCH: usize = 3;

/// Shows the guide until the learner ends it.
pub async fn show(
    guide: &mut Guide,
    first: Vec<Effect>,
    coach: &mut Coach,
    told: &mut UnboundedReceiver<Message>,
    look: Look,
    stop: &CancellationToken,
) -> io::Result<()> {
    let mut screen = Screen::open()?;
    let mut canvas = Canvas::new(look);
    let mut keys = EventStream::new();
    let mut ticks = tokio::time::interval(TICK);
    ticks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    if !perform(coach, first) {
        return Ok(());
    }
    loop {
        let mut drawn = None;
        screen.terminal.draw(|frame| drawn = Some(canvas.draw(guide, frame)))?;
        if let Some(drawn) = drawn.filter(|drawn| *drawn != guide.drawn) {
            let before = guide.scroll;
            guide.update(Message::Drawn(drawn));
            // What was scrolled beyond its end is drawn where it ends.
            if guide.scroll != before {
                continue;
            }
        }
        let mut effects = Vec::new();
        tokio::select! {
            () = stop.cancelled() => return Ok(()),
            event = keys.next() => match event {
                // A terminal that shrank and grew in one breath has lost its picture, and has the size that it had.
                Some(Ok(Event::Resize(..))) => {
                    let size = screen.terminal.size()?;
                    screen.terminal.resize(size.into())?;
                }
                Some(Ok(event)) => {
                    for message in messages(guide, &canvas, &event) {
                        effects.extend(guide.update(message));
                    }
                }
                // The terminal has gone away.
                Some(Err(_)) | None => return Ok(()),
            },
            message = told.recv() => {
                let Some(message) = message else { return Ok(()) };
                effects.extend(guide.update(message));
                // What has come meanwhile is shown in the same frame.
                while let Ok(message) = told.try_recv() {
                    effects.extend(guide.update(message));
                }
            }
            _ = ticks.tick(), if guide.run.is_some() => {
                effects.extend(guide.update(Message::Tick));
            }
        }
        if !perform(coach, effects) {
            return Ok(());
        }
    }
}

fn perform(coach: &mut Coach, effects: Vec<Effect>) -> bool {
    effects.into_iter().all(|effect| coach.perform(effect))
}

/// What an event of the terminal means to the guide.
fn messages(guide: &Guide, canvas: &Canvas, event: &Event) -> Vec<Message> {
    match event {
        Event::Key(key) if key.kind != KeyEventKind::Release => {
            named(*key).and_then(|key| command(guide, &key)).map(Message::Command).into_iter().collect()
        }
        Event::Mouse(mouse) => clicked(canvas, *mouse),
        _ => Vec::new(),
    }
}

fn clicked(canvas: &Canvas, mouse: MouseEvent) -> Vec<Message> {
    let hit = canvas.hit(mouse.column, mouse.row);
    match mouse.kind {
        MouseEventKind::Down(MouseButton::Left) => match hit {
            Some(Hit::Command(command)) => vec![Message::Command(command)],
            Some(Hit::Step(at)) => vec![Message::Chosen(at)],
            Some(Hit::Pane(pane)) => vec![Message::Focused(pane)],
            None => Vec::new(),
        },
        MouseEventKind::ScrollUp | MouseEventKind::ScrollDown => {
            let towards = if mouse.kind == MouseEventKind::ScrollUp { Towards::Up } else { Towards::Down };
            let over = match hit {
                Some(Hit::Pane(pane)) => vec![Message::Focused(pane)],
                _ => Vec::new(),
            };
            over.into_iter().chain((0..NOTCH).map(|_| Message::Command(Command::Scroll(towards)))).collect()
        }
        _ => Vec::new(),
    }
}

/// A key by the name that the guide knows.
fn named(key: KeyEvent) -> Option<String> {
    let name = match key.code {
        KeyCode::Char('c') if key.modifiers.contains(KeyModifiers::CONTROL) => "Ctrl-C",
        KeyCode::Char(_) if key.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT) => return None,
        KeyCode::Char(' ') => "Space",
        KeyCode::Char(letter) => return Some(letter.to_string()),
        KeyCode::Enter => "Enter",
        KeyCode::Esc => "Esc",
        KeyCode::Tab => "Tab",
        KeyCode::Up => "Up",
        KeyCode::Down => "Down",
        KeyCode::Left => "Left",
        KeyCode::Right => "Right",
        KeyCode::PageUp => "PageUp",
        KeyCode::PageDown => "PageDown",
        KeyCode::Home => "Home",
        KeyCode::End => "End",
        _ => return None,
    };
    Some(name.to_owned())
}

/// The terminal, given back as it was whatever happens.
struct Screen {
    /// Never dropped: it would print that the cursor cannot be shown, which on a terminal that has gone away is a panic.
    terminal: ManuallyDrop<Terminal<CrosstermBackend<Stdout>>>,
}

impl Screen {
    fn open() -> io::Result<Self> {
        give_back_before_a_panic_is_printed();
        let opened = enable_raw_mode()
            .and_then(|()| execute!(io::stdout(), EnterAlternateScreen, EnableMouseCapture))
            .and_then(|()| Terminal::new(CrosstermBackend::new(io::stdout())));
        opened.map(|terminal| Self { terminal: ManuallyDrop::new(terminal) }).inspect_err(|_| give_back())
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        give_back();
    }
}

/// Gives the terminal back as it was. One that has gone away takes nothing back, and nobody is to be told so: to print that would be a
/// panic, and all that runs would be left behind.
fn give_back() {
    let _ = disable_raw_mode();
    let _ = execute!(io::stdout(), DisableMouseCapture, LeaveAlternateScreen, Show);
}

fn give_back_before_a_panic_is_printed() {
    let print = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        give_back();
        print(panic);
    }));
}
