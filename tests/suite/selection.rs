//! What one may ask for, and what is said where it is not there.

use crate::support::has;
use crate::tiny;

#[test]
fn a_lesson_a_step_and_a_step_by_number() {
    let call = tiny::workspace();
    let ids = |args: &str| {
        let run = call.again().args("verify --format json --quiet").args(args).passes();
        run.report().checks().iter().map(|check| check["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let folder = ["notes", "settings", "compose", "rule-file", "dotenv", "key"];
    assert_eq!(ids("tiny/folder"), folder);
    assert_eq!(ids("tiny/1/"), folder);
    assert_eq!(ids("tiny/folder/the-key"), ["key"]);
    assert_eq!(ids("--step 1.2"), ["key"]);
    assert_eq!(ids("--step the-key"), ["key"]);
    assert_eq!(ids("tiny/folder --step files"), folder[..5]);
    // A bonus step alone decides for itself.
    assert_eq!(ids("tiny --step 2.6"), ["filter"]);
}

#[test]
fn a_bonus_step_costs_nothing_beside_others_and_decides_alone() {
    let call = tiny::workspace().env("BREAK", "no-annotation");
    let run = call.again().args("verify --step annotations --format json --timeout 1s").fails_with(1);
    assert_eq!(run.report().with("failed"), ["filter"]);
}

#[test]
fn what_is_not_there_is_said_with_what_was_meant() {
    let call = tiny::workspace();
    let refused = |args: &str, fragments: &[&str]| {
        let run = call.again().args(args).fails_with(2);
        assert_eq!(run.stdout, "");
        has(&run.stderr, fragments);
    };
    refused("verify tiny/vendor", &["`tiny` has no lesson `vendor`", "did you mean `vendors`?"]);
    refused("verify tiny/kubernetes", &["`tiny` has no lesson `kubernetes`", "`folder`", "`vendors`"]);
    refused("verify tiny/folder/the-kay", &["`tiny/folder` has no step `the-kay`", "did you mean `the-key`?"]);
    refused("verify --step 9.9", &["`tiny` has no step `9.9`", "`bootcamp list tiny` shows what there is"]);
    refused("verify tinny", &["there is no course `tinny`"]);
    refused("verify tiny/folder/the-key/more", &["`tiny/folder/the-key/more` selects nothing"]);
    refused("verify tiny/folder/the-key --step 1.2", &["already names a step: leave `--step 1.2` out"]);
    refused("verify --timeout soon", &["`soon` is not a duration: write `30s`, `2m` or `1h`"]);
    refused("verify --timeout 0s", &["is not a duration above zero"]);
    refused("verify -C nowhere", &["`nowhere` is no folder"]);
    refused("verify --record a --replay b", &["cannot be used with"]);
    refused("verfy", &["unrecognized subcommand 'verfy'"]);
    refused("verify tiny --solution", &["the course `tiny` has no reference solution; leave `--solution` out"]);
    refused("list tiny/vendor", &["did you mean `vendors`?"]);
}

#[test]
fn a_workspace_is_found_from_within() {
    let call = tiny::workspace().write("src/deep/file.rs", "");
    let folder = call.workspace().join("src/deep");
    call.again().within(folder).args("verify tiny/folder").passes();
    let outside = call.root().to_owned();
    call.again().within(outside).args("verify tiny/folder -C work").passes();
}
