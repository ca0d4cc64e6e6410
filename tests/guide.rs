//! A learner's first hour of week 2, in a terminal of their own: `init`, then the guide, and each file as the lessons have it,
//! saved as an editor does. What is asserted is what stands on the screen.
//!
//! It has a binary of its own, and so a time of its own: the services are built where those of the solution are, and two that are
//! built there at once would take each other's place.

#![cfg(unix)]
#![allow(clippy::unwrap_used)]
#![allow(clippy::disallowed_methods, reason = "processes are waited for")]

#[allow(dead_code, unused_imports, reason = "it is shared with the suite")]
#[path = "suite/support/mod.rs"]
mod support;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use bootcamp::course::{Course, Source};
use bootcamp::solution::States;
use support::{Bootcamp, Terminal, free_port, has, repository};

/// A first build takes minutes on a small machine.
const BUILD: Duration = Duration::from_mins(10);

/// The learner, with their editor.
struct Learner {
    workspace: PathBuf,
    states: States,
}

impl Learner {
    /// Types what the lesson of the step says, and saves it: the files that the step changes.
    fn types(&self, step: &str) {
        for change in self.states.changes(&format!("week2/{step}")) {
            let after = change.after.unwrap();
            self.saves(&change.path, &after);
        }
    }

    /// As editors do it: beside the file, and then in its place.
    fn saves(&self, file: &str, text: &[u8]) {
        let path = self.workspace.join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let beside = path.with_extension("swp");
        fs::write(&beside, text).unwrap();
        fs::rename(beside, path).unwrap();
    }

    fn edits(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.workspace.join(file)).unwrap();
        assert!(text.contains(from), "`{from}` is not in `{file}`");
        self.saves(file, text.replacen(from, to, 1).as_bytes());
    }
}

fn passes(guide: &Terminal) {
    guide.until("the step has passed", |screen| screen.contains("✓ passed"));
}

#[test]
fn the_first_lessons_from_init_on() {
    let call = Bootcamp::new()
        .toolchain()
        .env("DOCKER_HOST", "unix:///nowhere/docker.sock")
        .env("CARGO_TARGET_DIR", repository("target/solutions/week2").display().to_string());
    let made = call.again().args("init cruddur").passes();
    has(&made.stdout, &["Type next:\n  cd cruddur\n  bootcamp\n"]);
    let workspace = call.workspace().join("cruddur");
    let course = Course::load(&Source::Folder(repository("")), "week2").unwrap();
    let learner = Learner { states: States::load(&course, &repository("")).unwrap(), workspace: workspace.clone() };
    let port = free_port();
    learner.edits("bootcamp.toml", "127.0.0.1:4567", &format!("127.0.0.1:{port}"));

    let mut guide = Terminal::start(call.again().within(&workspace), 50, 140).patience(BUILD);
    guide.sees("1.1 The backend in a container");
    guide.sees("there is no such file");
    learner.types("setup/the-backend-in-a-container");
    // There is no engine: what can be looked at has passed, the rest says why it was not.
    guide.sees("no Docker engine answers");
    passes(&guide);
    guide.sees("ready at");

    guide.types("n");
    guide.sees("1.2 The feeds answer");
    passes(&guide);
    guide.types("n");
    guide.sees("1.3 What comes in");
    // What is not met is told with what was found, and what to do.
    guide.sees("not met");
    guide.sees("9 of 10 met");
    learner.types("setup/what-comes-in");
    passes(&guide);

    guide.types("n");
    guide.sees("1.4 A health route");
    guide.sees("404");
    // A step is a question first: a hint helps on.
    guide.types("h");
    guide.sees("more hint");
    learner.types("setup/a-health-route");
    passes(&guide);

    // A bonus that can wait.
    guide.types("n");
    guide.sees("1.5 A workspace that is ready");
    guide.until("it is not done", |screen| screen.contains('✗'));
    guide.types("x");
    guide.sees("2.1 A key");
    guide.until("it is not done", |screen| screen.contains('✗'));
    learner.saves(".env", b"HONEYCOMB_API_KEY=aZ3456789012345678901X\nHONEYCOMB_CONFIGURATION_KEY=bZ3456789012345678901X\n");
    passes(&guide);

    guide.types("n");
    guide.sees("2.2 The crates");
    learner.types("honeycomb/the-crates");
    passes(&guide);
    guide.types("n");
    guide.sees("2.3 Three variables");
    learner.types("honeycomb/three-variables");
    passes(&guide);

    guide.types("n");
    guide.sees("2.4 A span for every request");
    guide.until("it is not done", |screen| screen.contains('✗'));
    learner.types("honeycomb/a-span-for-every-request");
    passes(&guide);
    // The request as Honeycomb has it.
    guide.sees("GET /api/activities/home");
    guide.sees("ms");

    // A slip in what was done before is told of at once, and put right.
    let app = fs::read_to_string(workspace.join("src/app.rs")).unwrap();
    learner.edits("src/app.rs", "\"/health\"", "\"/healthy\"");
    guide.sees("1.4 A health route held before");
    learner.saves("src/app.rs", app.as_bytes());
    guide.sees("1.4 A health route holds again");

    guide.types("q");
    let (code, screen) = guide.ends();
    assert_eq!(code, 0, "{screen}");
    assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok(), "the service has ended");
    let status = call.again().within(&workspace).args("status --format plain").passes();
    has(&status.stdout, &["2.5"]);
    assert!(!everything_beneath(&workspace.join(".bootcamp")).contains("aZ3456789012345678901X"), "no key is kept");
}

/// The texts of all files beneath a folder, but for the sandbox's own data.
fn everything_beneath(folder: &Path) -> String {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    files
        .filter(|path| path.extension().is_none_or(|ending| ending != "db"))
        .map(|path| fs::read_to_string(path).unwrap_or_default())
        .collect()
}
