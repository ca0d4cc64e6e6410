//! What the program says of itself.

use crate::support::{Bootcamp, has, matches};
use crate::tiny;

#[test]
fn help_teaches() {
    let commands = [
        "",
        "init",
        "status",
        "next",
        "hint",
        "verify",
        "show",
        "solution",
        "reset",
        "sandbox",
        "doctor",
        "list",
        "author",
        "author lint",
        "author sync",
        "author new",
        "author prove",
        "completions",
    ];
    for command in commands {
        let name = if command.is_empty() { String::from("bootcamp") } else { command.replace(' ', "-") };
        let long = Bootcamp::new().args(command).arg("--help").passes();
        assert_eq!(long.stderr, "");
        matches(&format!("help/{name}.txt"), &long.stdout);
        assert_eq!(Bootcamp::new().arg("help").args(command).passes().stdout, long.stdout, "`help {command}` says the same");
    }
    has(&Bootcamp::new().fails_with(2).stderr, &["Usage: bootcamp <COMMAND>"]);
}

#[test]
fn the_version() {
    let run = Bootcamp::new().arg("--version").passes();
    assert_eq!(run.stdout, format!("bootcamp {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn completions_for_every_shell() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let run = Bootcamp::new().args("completions").arg(shell).passes();
        has(&run.stdout, &["bootcamp", "verify", "sandbox", "solution"]);
    }
    has(&Bootcamp::new().args("completions tcsh").fails_with(2).stderr, &["bash", "fish"]);
}

#[test]
fn a_list_in_three_forms() {
    let list = |args: &str| tiny::course(Bootcamp::new()).args("list").args(args).passes().stdout;
    matches("list/plain.txt", &list("tiny"));
    matches("list/pretty.txt", &list("tiny --format pretty"));
    matches("list/json.json", &list("tiny --format json"));
    matches("list/lesson.txt", &list("tiny/folder --format plain"));
}

#[test]
fn the_course_that_the_program_was_built_with() {
    // Anywhere, without a workspace.
    let run = Bootcamp::new().args("list --format json").passes();
    let list: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!(list["course"], "week2");
    let here = Bootcamp::new().within(crate::support::repository("")).args("list week2 --format json").passes();
    assert_eq!(here.stdout, run.stdout);
}
