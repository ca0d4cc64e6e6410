//! `bootcamp solution`: what a step changes; and `verify --solution=<step>`: whether that is enough.

use std::process::Command;

use crate::support::{Bootcamp, has, matches};
use crate::tiny;

#[test]
fn what_a_step_changes() {
    let call = tiny::solved();
    let shown = |args: &str| call.again().args("solution").args(args).passes().shown();
    matches("solution/spans.txt", &shown("tiny/vendors/spans"));
    matches("solution/files.txt", &shown("tiny/folder/files"));
    // However it is named.
    for name in ["tiny/spans", "tiny/vendors --step spans", "tiny --step 2.2"] {
        assert_eq!(shown(name), shown("tiny/vendors/spans"), "{name}");
    }
    matches("solution/action.txt", &shown("tiny/vendors/segments"));
    matches("solution/nothing.txt", &shown("tiny/folder/the-key"));
}

#[test]
fn without_colour_it_is_a_patch() {
    let call = tiny::solved();
    call.again().args("init mine --course tiny").passes();
    for step in ["folder/files", "vendors/the-answer", "vendors/spans"] {
        let run = call.again().args("solution").arg(format!("tiny/{step}")).passes();
        std::fs::write(run.path("step.patch"), &run.stdout).unwrap();
        let applied = Command::new("git").args(["apply", "../step.patch"]).current_dir(run.path("mine")).output();
        let applied = applied.expect("git is there wherever the repository was cloned");
        assert!(applied.status.success(), "{step}: {}", String::from_utf8_lossy(&applied.stderr));
    }
    let run = call.again().args("solution tiny/vendors/spans --mine -C mine").passes();
    has(&run.stdout, &["Your files are as the step wants them."]);
}

#[test]
fn colour_when_it_is_asked_for() {
    let call = tiny::solved();
    let of = |args: &str| call.again().args("solution tiny/vendors/spans").args(args).passes().stdout;
    assert!(!of("").contains('\u{1b}') && !of("--color never").contains('\u{1b}'));
    let coloured = of("--color always");
    // The sign in green, a quoted text in yellow.
    has(&coloured, &["\u{1b}[32m+\u{1b}[0m", "\u{1b}[33m\"server\"\u{1b}[0m"]);
    let bare = regex::Regex::new("\u{1b}\\[[0-9;]*m").unwrap().replace_all(&coloured, "").into_owned();
    assert_eq!(bare, of(""));
    has(&call.again().args("solution tiny/spans --color blue").fails_with(2).stderr, &["always"]);
}

#[test]
fn what_is_not_one_step_is_refused_with_what_to_write() {
    let call = tiny::solved();
    let refused = |args: &str, fragments: &[&str]| has(&call.again().args(args).fails_with(2).stderr, fragments);
    refused("solution tiny", &["`tiny` has 8 steps; name one of them, `tiny/folder/files` say"]);
    refused("solution tiny/vendors", &["`tiny/vendors` has 6 steps", "`bootcamp list tiny` shows them all"]);
    refused("solution tiny/vendor", &["did you mean `vendors`?"]);
    refused("solution tiny/vendors/span", &["did you mean `spans`?"]);
    refused("solution tiny/spans --apply", &["bootcamp.toml"]);
    refused("solution tiny/spans --mine --apply", &["cannot be used with"]);
    refused("verify tiny --solution=span", &["did you mean `spans`?"]);
    let bare = tiny::course(Bootcamp::new()).args("solution tiny/spans").fails_with(2);
    has(&bare.stderr, &["the course `tiny` has no solution"]);
    let broken = call.again().edit("solutions/tiny/src/main.rs", "since vendors/spans", "since vendors/span");
    let run = broken.args("solution tiny/spans").fails_with(4);
    has(&run.stderr, &["the course has no step `vendors/span`", "did you mean `vendors/spans`?"]);
}

#[test]
fn the_state_after_a_step_is_verified() {
    let call = tiny::solved().env("HONEYCOMB_API_KEY", tiny::HONEYCOMB_KEY);
    let verify = |state: &str, code: i32| {
        let run =
            call.again().args("verify tiny/folder --format json --quiet").arg(format!("--solution={state}")).fails_with(code);
        (run.report().with("passed").into_iter().map(str::to_owned).collect::<Vec<_>>(), run.report().0["subject"].clone())
    };
    let (passed, whose) = verify("starter", 1);
    assert_eq!((passed, whose.as_str()), (vec![String::from("compose"), String::from("key")], Some("the starter")));
    let (passed, whose) = verify("tiny/folder/files", 0);
    assert_eq!((passed.len(), whose.as_str()), (6, Some("the state after tiny/folder/files")));
    assert_eq!(verify("1.1", 0), verify("files", 0));
    assert_eq!(verify("reference", 0).0.len(), 6);
    // Back again: what the earlier state lacks is gone.
    assert_eq!(verify("starter", 1).0, ["compose", "key"]);
    assert!(!call.workspace().join("target/solutions/tiny-states/workspace/notes.txt").exists());
}
