//! The guide in a terminal, as a learner has it: from `init` to the end of a course, with an editor beside it.

use std::fs;
use std::path::{Path, PathBuf};

use bootcamp::course::{Course, Source};
use bootcamp::solution::States;
use nix::sys::signal::Signal;

use crate::mini;
use crate::support::{Bootcamp, Terminal, free_port, has, lives, signal, wait_until};

/// A learner's workspace of the mini course, made by `init`, with an address of its own; and what the first step makes of the
/// service: it answers.
fn workspace() -> (Bootcamp, PathBuf, String) {
    let call = mini::checkout();
    let course = Course::load(&Source::of(&call.workspace()), "mini").unwrap();
    let states = States::load(&course, &call.workspace()).unwrap();
    let answers = states.after("mini/first/an-answer").unwrap().get("src/main.rs").unwrap();
    let answers = String::from_utf8(answers.to_vec()).unwrap();
    let made = call.again().args("init mine --course mini").passes();
    has(&made.stdout, &["Type next:\n  cd mine\n  bootcamp\n"]);
    let mine = call.workspace().join("mine");
    let manifest = fs::read_to_string(mine.join("bootcamp.toml")).unwrap();
    save(&mine, "bootcamp.toml", &manifest.replace("127.0.0.1:4567", &format!("127.0.0.1:{}", free_port())));
    (call.again().within(&mine).env("DOCKER_HOST", "unix:///nowhere/docker.sock"), mine, answers)
}

/// As editors do it: beside the file, and then in its place.
fn save(workspace: &Path, file: &str, text: &str) {
    let beside = workspace.join(format!("{file}~"));
    fs::write(&beside, text).unwrap();
    fs::rename(beside, workspace.join(file)).unwrap();
}

#[test]
fn a_course_from_init_to_its_end() {
    let (call, mine, answers) = workspace();
    let mut guide = Terminal::start(call.again(), 40, 120);
    // Nothing answers yet.
    guide.sees("1.1 An answer");
    guide.sees("A service that answers can be asked.");
    guide.sees("it answers with a hello");
    guide.until("the step is not done", |screen| screen.contains('✗'));
    guide.types("n");
    guide.sees("this step is not done yet");

    // A slip of the pen: cargo's own words.
    save(&mine, "src/main.rs", &answers.replacen(".expect(", ".expectt(", 1));
    guide.sees("does not build");
    guide.sees("error[E0599]");
    // Put right, it is seen without a key.
    save(&mine, "src/main.rs", &answers);
    guide.sees("2 points");
    guide.until("the step has passed", |screen| screen.contains('✓') && !screen.contains("error[E0599]"));
    assert!(!guide.screen().contains("does not build"));

    guide.types("n");
    guide.sees("1.2 A name");
    guide.types("h");
    guide.sees("no hints");
    // The solution, looked at and taken.
    guide.types("s");
    guide.sees("NAME: Ada");
    guide.sees("a apply");
    guide.types("a");
    guide.until("all checks have passed", |screen| screen.matches('✓').count() >= 3 && !screen.contains('✗'));
    guide.types("n");
    guide.sees("5");
    guide.types("\u{1b}");

    // A save that breaks what held before is told of.
    let text = fs::read_to_string(mine.join("src/main.rs")).unwrap();
    save(&mine, "src/main.rs", &text.replace("200 OK", "500 Oh No"));
    guide.sees("held before, and does not any more");
    save(&mine, "src/main.rs", &text);
    guide.sees("holds again");

    guide.types("q");
    let (code, screen) = guide.ends();
    assert_eq!(code, 0, "{screen}");
    has(&call.again().args("status --format plain").passes().stdout, &["5"]);
}

#[test]
fn a_save_during_a_build_begins_it_anew() {
    let (call, mine, answers) = workspace();
    // A build that never ends by itself.
    save(&mine, "build.rs", "fn main() {\n    std::thread::sleep(std::time::Duration::from_secs(600));\n}\n");
    let mut guide = Terminal::start(call.again(), 40, 120);
    guide.sees("building");
    fs::remove_file(mine.join("build.rs")).unwrap();
    save(&mine, "src/main.rs", &answers);
    guide.until("the step has passed", |screen| screen.contains('✓'));
    guide.types("q");
    assert_eq!(guide.ends().0, 0);
}

#[test]
fn settings_that_break_are_told_of_and_mended() {
    let (call, mine, answers) = workspace();
    save(&mine, "src/main.rs", &answers);
    let mut guide = Terminal::start(call, 30, 100);
    guide.until("the step has passed", |screen| screen.contains('✓'));
    let manifest = fs::read_to_string(mine.join("bootcamp.toml")).unwrap();
    save(&mine, "bootcamp.toml", &manifest.replace("health =", "heath ="));
    guide.sees("heath");
    guide.sees("did you mean `health`?");
    save(&mine, "bootcamp.toml", &manifest);
    guide.no_longer_sees("heath");
    guide.sees("ready at");
    guide.types("q");
    assert_eq!(guide.ends().0, 0);
}

#[test]
fn nothing_is_left_when_it_ends_however_it_ends() {
    for how in ["q", "\u{3}", "SIGTERM", "SIGHUP"] {
        let (call, mine, answers) = workspace();
        save(
            &mine,
            "src/main.rs",
            &answers.replacen("fn main() {", "fn main() {\n    println!(\"process {}.\", std::process::id());", 1),
        );
        let mut guide = Terminal::start(call.again(), 30, 100);
        guide.until("the step has passed", |screen| screen.contains('✓'));
        guide.sees("process ");
        let screen = guide.screen();
        let rest = screen.split("process ").nth(1).unwrap();
        let service: u32 = rest.split('.').next().unwrap().parse().unwrap();
        assert!(lives(service));
        let asked = match how {
            "SIGTERM" => Some(Signal::SIGTERM),
            // As when the terminal's window is closed.
            "SIGHUP" => Some(Signal::SIGHUP),
            _ => None,
        };
        match asked {
            Some(asked) => signal(guide.id(), asked),
            None => guide.types(how),
        }
        let (code, screen) = guide.ends();
        assert_eq!(code, if asked.is_some() { 130 } else { 0 }, "{screen}");
        wait_until("the service has ended", || !lives(service));
        assert!(!mine.join(".bootcamp/sandbox.json").exists(), "nobody is told of a sandbox that is gone");
    }
}

/// The process of the workspace's service.
fn service_of(workspace: &Path) -> u32 {
    let named = fs::read_to_string(workspace.join(".bootcamp/service.json")).unwrap();
    named.split("\"id\":").nth(1).unwrap().split(',').next().unwrap().parse().unwrap()
}

#[test]
fn the_terminal_is_given_back_and_every_size_can_be_read() {
    let (call, mine, answers) = workspace();
    save(&mine, "src/main.rs", &answers);
    let mut guide = Terminal::start(call, 24, 80);
    guide.until("the step has passed", |screen| screen.contains('✓'));
    for (rows, columns) in [(50, 200), (24, 80), (12, 40), (60, 60), (5, 20), (24, 80)] {
        guide.resizes(rows, columns);
        guide.until("something is drawn", |screen| !screen.trim().is_empty());
    }
    guide.sees("1.1 An answer");
    // The mouse: the keys at the foot can be clicked.
    guide.clicks("? ");
    guide.sees("the next hint");
    guide.types("\u{1b}");
    guide.no_longer_sees("the next hint");
    guide.types("q");
    guide.until("the terminal is as it was", |_| guide.is_given_back());
    assert_eq!(guide.ends().0, 0);
}

#[test]
fn killed_at_any_moment_it_goes_on_where_it_was() {
    let (call, mine, answers) = workspace();
    save(&mine, "src/main.rs", &answers.replacen("hello", "hello, you", 1));
    let mut guide = Terminal::start(call.again(), 30, 100);
    guide.until("the step has passed", |screen| screen.contains('✓'));
    guide.types("n");
    guide.sees("1.2 A name");
    wait_until("it is noted", || {
        fs::read_to_string(mine.join(".bootcamp/progress.json")).is_ok_and(|text| text.contains("mini/first/a-name"))
    });
    guide.killed();
    // The service that it left says what it said; what is written meanwhile must be seen all the same.
    let service = service_of(&mine);
    assert!(lives(service));
    let mut guide = Terminal::start(call.again(), 30, 100);
    guide.sees("1.2 A name");
    wait_until("the one that was left has ended", || !lives(service));
    guide.types("l");
    guide
        .until("the first step has passed", |screen| screen.lines().any(|line| line.contains("An answer") && line.contains('✓')));
    guide.types("q");
    assert_eq!(guide.ends().0, 0);
}

#[test]
fn without_colour_and_without_unicode_it_says_the_same() {
    let (call, mine, answers) = workspace();
    save(&mine, "src/main.rs", &answers);
    let mut guide = Terminal::start(call.env("NO_COLOR", "1").env("LC_ALL", "C"), 30, 100);
    guide.sees("1.1 An answer");
    guide.sees("passed");
    assert!(guide.screen().is_ascii(), "{}", guide.screen());
    guide.types("q");
    assert_eq!(guide.ends().0, 0);
}
