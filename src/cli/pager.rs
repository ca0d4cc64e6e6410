use std::io::{IsTerminal, Write};
use std::process::{Command, Stdio};

use console::Term;

use super::signals;

/// Prints a text for people: through their pager, when it is wanted and stdout is a terminal with fewer lines than the text.
pub fn print(text: &str, wanted: bool) {
    let stdout = std::io::stdout();
    let rows = if wanted && stdout.is_terminal() { Term::stdout().size_checked() } else { None };
    // One line is the prompt's.
    let too_long = rows.is_some_and(|(rows, _)| text.lines().count() >= usize::from(rows));
    let variable = |name: &str| std::env::var(name).ok();
    if too_long
        && let Some(pager) = chosen(variable("PAGER").as_deref(), variable("TERM").as_deref())
        && paged(text, &pager)
    {
        return;
    }
    // A reader who has gone away has seen enough.
    let _ = stdout.lock().write_all(text.as_bytes());
}

/// Whether the pager took the text; not so where there is no such program.
fn paged(text: &str, pager: &[String]) -> bool {
    let Some((program, arguments)) = pager.split_first() else { return false };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::piped());
    if std::env::var_os("LESS").is_none() {
        // Of one's own PAGER=less, too: let colours through, leave the text on the screen, and end where all of it fits.
        command.env("LESS", "FRX");
    }
    let Ok(mut child) = command.spawn() else { return false };
    signals::leave_interrupts_to_the_child();
    if let Some(mut stdin) = child.stdin.take() {
        // A reader who leaves early has seen enough.
        let _ = stdin.write_all(text.as_bytes());
    }
    let _ = child.wait();
    true
}

/// The pager and its arguments: `PAGER`, else `less`. An empty one and `cat` mean none.
fn chosen(pager: Option<&str>, term: Option<&str>) -> Option<Vec<String>> {
    if term == Some("dumb") {
        return None;
    }
    let Some(pager) = pager else { return Some(vec![String::from("less"), String::from("-FRX")]) };
    let words = words(pager);
    let program = words.first()?;
    let name = program.rsplit('/').next().unwrap_or(program);
    if name == "cat" || name.is_empty() { None } else { Some(words) }
}

/// The words of a command as a shell would split them: at blanks, but for what is quoted. Nothing else is special.
fn words(command: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut quote = None;
    let mut rest = command.chars().peekable();
    while let Some(next) = rest.next() {
        match (next, quote) {
            (mark, Some(open)) if mark == open => quote = None,
            ('"' | '\'', None) => {
                quote = Some(next);
                word.get_or_insert_default();
            }
            ('\\', None | Some('"')) if rest.peek().is_some_and(|next| matches!(next, '"' | '\'' | '\\' | ' ')) => {
                word.get_or_insert_default().extend(rest.next());
            }
            (blank, None) if blank.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(next),
        }
    }
    words.extend(word);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pager_is_split_as_a_shell_would() {
        for (command, expected) in [
            ("less -R  +G", &["less", "-R", "+G"][..]),
            ("'/a b/less' -P \"see \\\"it\\\"\"", &["/a b/less", "-P", "see \"it\""]),
            ("/a\\ b/more ''", &["/a b/more", ""]),
            ("C:\\tools\\less.exe", &["C:\\tools\\less.exe"]),
            ("less 'never closed", &["less", "never closed"]),
            ("  ", &[]),
        ] {
            assert_eq!(words(command), expected, "{command}");
        }
    }

    #[test]
    fn an_empty_pager_and_cat_are_none() {
        for none in ["", " ", "cat", "/bin/cat -v", "''"] {
            assert_eq!(chosen(Some(none), None), None, "{none:?}");
        }
        assert_eq!(chosen(None, Some("dumb")), None);
        assert_eq!(chosen(None, Some("xterm")).unwrap(), ["less", "-FRX"]);
        assert_eq!(chosen(Some("more -f"), None).unwrap(), ["more", "-f"]);
    }
}
