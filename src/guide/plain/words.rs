use super::super::{Command, Guide, Message, all_bindings};
use crate::check::closest;
use crate::report::text::{bounded, one_line};

/// What a learner's line asks for.
#[derive(Debug, Clone)]
pub enum Asked {
    /// Something for the guide to take in.
    Message(Message),
    /// The step's text once more.
    Show,
    /// The step's blocks of code: there is no clipboard here that one could be sure of.
    Copy,
}

/// The words beyond those that are keys of the screen, with the commands that they stand for.
const WORDS: &[(&str, Command)] = &[
    ("help", Command::Help),
    ("apply", Command::Apply),
    ("a", Command::Apply),
    ("quit", Command::Quit),
    ("exit", Command::Quit),
    ("hints", Command::Hint),
    ("look", Command::Verify),
];

/// What a typed line means: a word, a key of the screen, or a step by its number, its id or its path. Nothing where nothing stands
/// in it.
///
/// # Errors
///
/// A sentence for the learner: with the word that was most likely meant, and how to find all of them.
pub fn asked(line: &str, guide: &Guide) -> Result<Option<Asked>, String> {
    let line = bounded(&one_line(line), 200);
    let word = line.trim();
    if word.is_empty() {
        return Ok(None);
    }
    if let Some(asked) = known(word).or_else(|| known(&word.to_lowercase())) {
        return Ok(Some(asked));
    }
    let name = ["go to ", "go ", "step "].iter().find_map(|lead| word.strip_prefix(lead)).unwrap_or(word).trim();
    let is_it = |path: &str, number: &str, id: &str| [path, number, id].contains(&name);
    if let Some(at) = guide.course.steps().position(|(_, step)| is_it(&step.path, &step.number, &step.id)) {
        return Ok(Some(Asked::Message(Message::Chosen(at))));
    }
    if name.chars().all(|sign| sign.is_ascii_digit() || sign == '.') || name.contains('/') {
        return Err(format!("there is no step `{name}`; `list` shows them all"));
    }
    let names = words().chain(guide.course.steps().map(|(_, step)| step.id.as_str()));
    Err(match closest(word, names) {
        Some(near) => format!("`{word}` is no word here; did you mean `{near}`? `help` has them all"),
        None => format!("`{word}` is no word here; `help` has them all"),
    })
}

fn known(word: &str) -> Option<Asked> {
    match word {
        "show" => return Some(Asked::Show),
        "copy" | "c" => return Some(Asked::Copy),
        // What scrolls and what lies over the lesson belongs to the screen.
        "keys" => return Some(Asked::Message(Message::Command(Command::Help))),
        _ => {}
    }
    let named = WORDS.iter().find(|(name, _)| *name == word).map(|(_, command)| *command);
    let bound =
        || all_bindings().iter().find(|binding| binding.key == word || binding.word == word).map(|binding| binding.command);
    let command = named.or_else(bound).filter(|command| *command != Command::Focus)?;
    Some(Asked::Message(Message::Command(command)))
}

/// The words that are worth a suggestion.
fn words<'w>() -> impl Iterator<Item = &'w str> {
    let bound = all_bindings().iter().filter(|binding| binding.command != Command::Focus).map(|binding| binding.word);
    bound.chain(["show", "help", "apply"])
}
