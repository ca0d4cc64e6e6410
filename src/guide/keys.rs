use super::{Command, Guide, Overlay, Towards};

/// A key, with what it does: as the foot of the screen and the help show it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binding {
    /// The key as it is written: `v`, `Enter`.
    pub key: &'static str,
    /// What it does.
    pub command: Command,
    /// In one or two words, for the foot of the screen.
    pub word: &'static str,
    /// In a sentence, for the help.
    pub what: &'static str,
}

const fn binding(key: &'static str, command: Command, word: &'static str, what: &'static str) -> Binding {
    Binding { key, command, word, what }
}

/// All keys that have a name on the screen, in the order in which they are wanted.
const BINDINGS: &[Binding] = &[
    binding("n", Command::Next, "next", "on to the next step"),
    binding("h", Command::Hint, "hint", "the next hint"),
    binding("v", Command::Verify, "verify", "look again; saving a file does it, too"),
    binding("l", Command::List, "list", "all lessons and steps"),
    binding("?", Command::Help, "keys", "all keys"),
    binding("q", Command::Quit, "quit", "end the guide; what has passed is kept"),
    binding("s", Command::Solution, "solution", "what the step's solution would change in your files"),
    binding("b", Command::Back, "back", "to the step before"),
    binding("w", Command::Output, "output", "what the build and the service printed"),
    binding("o", Command::Open, "open", "open the trace in the sandbox's console, or the vendor's page"),
    binding("c", Command::Copy, "copy", "copy the code block that is in sight"),
    binding("r", Command::Restart, "restart", "build and start the service anew"),
    binding("x", Command::Skip, "skip", "go on without this step; it can be done later"),
    binding("R", Command::Recheck, "recheck", "look at all that has passed, too"),
    binding("Tab", Command::Focus, "other side", "let the arrows scroll the other side"),
];

/// The keys that do something now, in the order in which they are wanted: the first ones are shown where there is little room.
#[must_use]
pub fn bindings(guide: &Guide) -> Vec<Binding> {
    let close = binding("Esc", Command::Close, "close", "close this");
    let quit = binding("q", Command::Quit, "quit", "end the guide");
    match &guide.overlay {
        Some(Overlay::List) => vec![binding("Enter", Command::Choose, "go there", "go to this step"), close, quit],
        Some(Overlay::Solution(Some(_))) => {
            vec![binding("a", Command::Apply, "apply", "make these changes in your files"), close, quit]
        }
        Some(Overlay::Help | Overlay::Output | Overlay::Solution(None) | Overlay::Done) => vec![close, quit],
        None => BINDINGS.to_vec(),
    }
}

/// All keys of the lesson's screen, for the help.
#[must_use]
pub fn all() -> &'static [Binding] {
    BINDINGS
}

/// What a key means now. Keys are named as [`Binding::key`] does: a character, or `Enter`, `Esc`, `Tab`, `Up`, `Down`, `Left`,
/// `Right`, `PageUp`, `PageDown`, `Home`, `End`, `Space`, `Ctrl-C`.
#[must_use]
pub fn command(guide: &Guide, key: &str) -> Option<Command> {
    if let Some(binding) = bindings(guide).into_iter().find(|binding| binding.key == key) {
        return Some(binding.command);
    }
    let command = match key {
        "Ctrl-C" => Command::Quit,
        "Up" | "k" => Command::Scroll(Towards::Up),
        "Down" | "j" => Command::Scroll(Towards::Down),
        "PageUp" => Command::Scroll(Towards::PageUp),
        "PageDown" | "Space" => Command::Scroll(Towards::PageDown),
        "Home" | "g" => Command::Scroll(Towards::Top),
        "End" | "G" => Command::Scroll(Towards::Bottom),
        // What opened an overlay closes it, too.
        "l" if guide.overlay == Some(Overlay::List) => Command::Close,
        "?" if guide.overlay == Some(Overlay::Help) => Command::Close,
        "w" if guide.overlay == Some(Overlay::Output) => Command::Close,
        "s" if matches!(guide.overlay, Some(Overlay::Solution(_))) => Command::Close,
        "Enter" if guide.overlay.is_some() => Command::Close,
        "Right" if guide.overlay.is_none() => Command::Next,
        "Enter" if guide.overlay.is_none() && guide.is_passed() => Command::Next,
        "Left" if guide.overlay.is_none() => Command::Back,
        _ => return None,
    };
    Some(command)
}
