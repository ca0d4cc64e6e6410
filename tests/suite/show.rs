//! `bootcamp show`: a step, a lesson or a course to read, and the pager that long ones go through.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use crate::support::{Bootcamp, has, in_terminal, matches};
use crate::tiny;

#[test]
fn a_step_of_the_course() {
    let shown = |args: &str| Bootcamp::new().args("show").args(args).passes().stdout;
    let step = shown("week2/x-ray/a-sampling-rule --width 80");
    matches("show/step.txt", &step);
    assert!(step.lines().all(|line| line.chars().count() <= 80));
    // However it is named.
    for name in ["week2/a-sampling-rule", "week2/x-ray --step a-sampling-rule", "--step 3.4"] {
        assert_eq!(shown(&format!("{name} --width 80")), step, "{name}");
    }
}

#[test]
fn a_lesson_and_a_course() {
    let call = tiny::course(Bootcamp::new());
    let shown = |args: &str| call.again().args("show").args(args).passes().stdout;
    matches("show/lesson.txt", &shown("tiny/folder"));
    matches("show/course.txt", &shown("tiny"));
    assert_eq!(shown("tiny/"), shown("tiny"));
    assert_eq!(shown("tiny/1"), shown("tiny/folder"));
}

#[test]
fn by_default_the_step_that_the_learner_is_at() {
    let here = tiny::workspace().args("show").passes().stdout;
    has(&here, &["1.1 Files\n─────────\nThe folder · 5 points · tiny/folder/files\n", "☐ the notes name the course"]);
    has(&Bootcamp::new().args("show").passes().stdout, &["1.1 The backend in a container"]);
}

#[test]
fn signs_colour_and_width_are_as_the_reader_wants_them() {
    let call = tiny::course(Bootcamp::new());
    let ascii = call.again().args("show tiny/folder/files").env("LC_ALL", "C").passes().stdout;
    assert!(ascii.is_ascii(), "{ascii}");
    has(&ascii, &["1.1 Files\n---------\n", "[ ] `.env` sets the mode"]);
    let coloured = call.again().args("show tiny/folder/files --color always").passes().stdout;
    has(&coloured, &["\u{1b}[1m1.1 Files\u{1b}[0m", "\u{1b}[36m.env\u{1b}[0m sets the mode"]);
    let narrow = call.again().args("show week2 --width 30").passes().stdout;
    assert!(narrow.lines().all(|line| line.chars().count() <= 30), "{narrow}");
    has(&call.again().args("show --width 5").fails_with(2).stderr, &["20..=400"]);
}

#[test]
fn what_is_not_there_is_refused_with_what_is() {
    let call = tiny::course(Bootcamp::new());
    let refused = |args: &str, fragments: &[&str]| has(&call.again().args(args).fails_with(2).stderr, fragments);
    refused("show tiny/vendor", &["did you mean `vendors`?"]);
    refused("show tiny/vendors/span", &["did you mean `spans`?"]);
    refused("show tiny --step 9.9", &["`tiny` has no step `9.9`"]);
    refused("show tiny/vendors/spans --step 2.1", &["leave `--step 2.1` out"]);
    refused("show nothing", &["`nothing`"]);
    refused("show tiny/a/b/c", &["selects nothing"]);
}

/// A pager that says how it was called and shows the first line.
const PAGER: &str = "#!/bin/sh\necho \"pager:$*:$LESS\"\nhead -n 1\n";

fn with_pager() -> Bootcamp {
    let call = Bootcamp::new().write("tools/less", PAGER).write("tools/a pager", PAGER);
    for name in ["less", "a pager"] {
        fs::set_permissions(call.workspace().join("tools").join(name), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let path = format!("{}:{}", call.workspace().join("tools").display(), std::env::var("PATH").unwrap());
    call.env("PATH", path).env("TERM", "xterm-256color")
}

const LONG: &str = "show week2/honeycomb/a-key --color never";

#[test]
fn what_is_longer_than_the_screen_goes_through_a_pager() {
    let call = with_pager();
    let paged = |call: Bootcamp| in_terminal(call.command());
    // The pager leaves after a line, which is no error; it is waited for.
    assert_eq!(paged(call.again().args(LONG)), (String::from("pager:-FRX:FRX\n2.1 A key\n"), 0));
    let own = format!("'{}' -x  \"two words\"", call.workspace().join("tools/a pager").display());
    let set = call.again().args(LONG).env("PAGER", own).env("LESS", "R");
    assert_eq!(paged(set), (String::from("pager:-x two words:R\n2.1 A key\n"), 0));
}

#[test]
fn without_a_pager_all_of_it_is_printed() {
    let call = with_pager();
    let whole = call.again().args(LONG).arg("--width").arg("80").passes().stdout;
    assert!(whole.lines().count() > 24);
    let printed = |call: Bootcamp| assert_eq!(in_terminal(call.command()), (whole.clone(), 0));
    printed(call.again().args(LONG).arg("--no-pager"));
    printed(call.again().args(LONG).env("PAGER", ""));
    printed(call.again().args(LONG).env("PAGER", "cat"));
    printed(call.again().args(LONG).env("PAGER", "/no/such/pager -x"));
    // Such a terminal has few signs, too, so the text is not quite the same.
    let dumb = in_terminal(call.again().args(LONG).env("TERM", "dumb").command()).0;
    assert!(dumb.starts_with("2.1 A key\n---------\n") && dumb.lines().count() == whole.lines().count(), "{dumb}");
    // What fits on the screen needs none.
    let short = tiny::course(call.again()).args("show tiny/folder/files --color never");
    has(&in_terminal(short.command()).0, &["1.1 Files\n─────────\n", "bootcamp verify tiny/folder/files"]);
}
