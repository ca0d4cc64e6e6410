//! `bootcamp guide --plain`: the same walk in lines, as whole transcripts.
//!
//! Each `> word` of a transcript is a line of the input: it waits until all is done that was asked for before.

use crate::support::{Bootcamp, Run, Terminal, free_port, has, matches, redact, wait_until};
use crate::{mini, tiny};

/// The transcript without what differs from run to run.
fn transcript(run: &Run) -> String {
    let text = redact(&run.stdout, run.call.root());
    let text = regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ").unwrap().replace_all(&text, "[TIME]").into_owned();
    let mut lines: Vec<&str> = Vec::new();
    for line in text.lines() {
        assert!(console::measure_text_width(line) <= 100, "too wide: {line}");
        assert!(!line.contains('\u{1b}') && !line.contains('\r'), "{line:?}");
        // What the stand-in's test harness says comes on another stream than what the stand-in says itself.
        if ["  running 1 test", "  test standin::serve ..."].contains(&line) {
            continue;
        }
        // Files are read while the service starts: which of both is done first is left open.
        let begun = lines.iter().rposition(|line| line.starts_with("Looking at") || line.starts_with("Building"));
        match begun {
            Some(begun) if line.starts_with("Your service is ready") => lines.insert(begun + 1, line),
            _ => lines.push(line),
        }
    }
    lines.join("\n") + "\n"
}

#[test]
fn with_nobody_to_type_it_looks_at_the_step_says_how_it_stands_and_ends() {
    let call = tiny::workspace();
    let run = call.again().args("guide --plain").passes();
    assert_eq!(run.stderr, "");
    matches("guide/passes.txt", &transcript(&run));
    // Where no terminal is, there is nothing else to do; and what has passed is not looked at again.
    let again = call.again().passes();
    has(&again.stdout, &["You have 5 of 22.5 points", "Step 1.2: The key", "Step 1.2 is passed: 1 point."]);
    assert!(!again.stdout.contains("Step 1.1"), "{}", again.stdout);
}

#[test]
fn what_is_not_done_is_told_with_what_was_expected_and_found() {
    let call = tiny::workspace().write("notes.txt", "of something else\n").without("rule.json");
    let run = call.args("guide --plain").fails_with(1);
    matches("guide/not-done.txt", &transcript(&run));
}

#[test]
fn a_request_that_shows_something_else_is_looked_at_in_the_vendors() {
    let call = tiny::workspace().edit("docker-compose.yml", "      STANDIN", "      OTEL_BSP_SCHEDULE_DELAY: 100\n      STANDIN");
    let run = call.env("BREAK", "length-text").args("guide tiny/vendors/spans --plain").fails_with(1);
    matches("guide/spans.txt", &transcript(&run));
}

#[test]
fn a_step_in_the_vendors_is_passed_with_its_request() {
    let run = tiny::workspace().args("guide --step 2.2 --plain").passes();
    matches("guide/waterfall.txt", &transcript(&run));
}

#[test]
fn a_service_that_crashes_is_quoted() {
    let run = tiny::workspace().env("BREAK", "crash").args("guide tiny/vendors --plain").fails_with(1);
    matches("guide/crashes.txt", &transcript(&run));
}

#[test]
fn a_service_that_does_not_build_is_shown_as_cargo_shows_it() {
    let call = begun();
    let call = call.edit("mine/src/main.rs", "let (status", "let count: u32 = \"three\";\n    let (status");
    let run = call.args("guide --plain -C mine").fails_with(1);
    // Cargo's words are its own, and change with it.
    let cargos = "  error[E0308]: mismatched types\n    --> src/main.rs:17:22\n     |\n  17 |     let count: u32 = \"three\";\n";
    let said = "Building your service.\nYour service does not build: `cargo build` ended with exit code 101\n";
    has(
        &transcript(&run),
        &[
            &format!("{said}{cargos}"),
            "  Fix: correct what the compiler points at;",
            "\n  It needs your service, which is not up.\n",
        ],
    );
}

#[test]
fn a_session_of_words() {
    let call = begun();
    let words = "help\n\nlist\nnext\nhint\nHINT\nh\ncopy\napply\nsolution\napply\nnext\nhnit\n7.1\nback\nskip\nskip\nlist\n1.2\nquit\nlist\n";
    let run = call.args("guide --plain -C mine").input(words).passes();
    assert_eq!(run.stderr, "");
    matches("guide/session.txt", &transcript(&run));
    // What was noted is kept.
    let next = run.call.again().args("guide --plain -C mine").input("solution\napply\nnext\n").passes();
    matches("guide/to-the-end.txt", &transcript(&next));
}

#[test]
fn at_a_terminal_that_cannot_be_drawn_on_it_prompts_and_tells_of_saves() {
    let call = begun();
    let main = call.workspace().join("mine/src/main.rs");
    let mut terminal = Terminal::start(call.env("TERM", "dumb").args("guide -C mine"), 40, 100);
    let prompts = |screen: &str| screen.trim_end().ends_with("\n>");
    terminal.sees("Step 1.1 is not done yet: 0 of 1 checks are met.");
    terminal.until("it waits for a word", prompts);
    terminal.types("list\r");
    terminal.sees("1.1 An answer: not done yet, 2 points; you are here");
    terminal.until("it waits for a word", prompts);
    let text = std::fs::read_to_string(&main).unwrap();
    let answers = text.replace("(\"404 Not Found\", String::new())", "(\"200 OK\", \"hello\".to_owned())");
    assert_ne!(text, answers);
    std::fs::write(&main, answers).unwrap();
    terminal.sees("Saved src/main.rs: looking again.");
    terminal.sees("Step 1.1 is passed: 2 points.");
    terminal.until("it waits for a word", prompts);
    // The end of the input.
    terminal.types("\u{4}");
    let (code, screen) = terminal.ends();
    assert_eq!(code, 0, "{screen}");
    has(&screen, &["`bootcamp` goes on with step 1.2, A name."]);
}

#[test]
fn settings_that_are_broken_end_it_before_it_begins() {
    let run = tiny::workspace().write("bootcamp.toml", "course = 7\n").args("guide --plain").fails_with(2);
    has(&run.stderr, &["bootcamp.toml"]);
    assert_eq!(run.stdout, "");
}

#[test]
fn an_interruption_ends_it_and_the_service() {
    let call = tiny::workspace().env("BREAK", "mute");
    let port = tiny::port(&call);
    let running = call.args("guide --plain").start();
    wait_until("the service listens", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    running.interrupt();
    let run = running.finish();
    assert_eq!(run.code, Some(130), "{}{}", run.stdout, run.stderr);
    has(&run.stdout, &["`bootcamp` goes on with step 1."]);
    assert!(std::net::TcpStream::connect(("127.0.0.1", port)).is_err(), "the service is left behind");
}

#[test]
fn a_reader_that_goes_away_ends_it() {
    let mut running = tiny::workspace().args("guide --plain").input("list\nhelp\nlist\n").start();
    drop(running.child.stdout.take());
    let run = running.finish();
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

/// A workspace of the mini course in `mine`, the first step of which has two hints and a block of code.
fn begun() -> Bootcamp {
    let hints = "\
See it: `curl localhost:4567`.

```rust file=src/main.rs
fn greeting() -> String {
    \"hello\".to_owned()
}
```

<details><summary>Where</summary>

In `answer`, where the status is.

</details>

<details><summary>How</summary>

Answer with `200 OK`:

```rust
let (status, body) = (\"200 OK\", greeting());
```

</details>
";
    let port = free_port();
    let call = mini::checkout().edit("lessons/mini/1-first.md", "See it: `curl localhost:4567`.\n", hints).edit(
        "solutions/mini/bootcamp.toml",
        ":4567",
        &format!(":{port}"),
    );
    call.again().args("init mine --course mini").passes();
    call
}
