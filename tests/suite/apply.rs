//! `bootcamp solution --apply`: a step in a learner's files, and nothing of theirs lost.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::support::{Bootcamp, has, matches, redact};
use crate::tiny;

/// A workspace of the tiny course in `mine`, at its beginning.
fn begun() -> Bootcamp {
    let call = tiny::solved();
    call.again().args("init mine --course tiny").passes();
    call
}

/// Applies a step, and says how it ended.
fn step(call: &Bootcamp, step: &str) -> crate::support::Run {
    call.again().args("solution -C mine --apply").arg(step).run()
}

#[test]
fn step_by_step_to_the_reference() {
    let call = begun();
    let first = step(&call, "tiny/folder/files");
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    matches("solution/applied.txt", &backup_named(&first.shown()));
    for name in ["tiny/folder/the-key", "tiny/vendors/the-answer", "tiny/vendors/spans"] {
        assert_eq!(step(&call, name).code, Some(0), "{name}");
    }
    let main = first.read("mine/src/main.rs");
    has(&main, &["println!(\"things\")", "span.set(\"count\", 3);", "mod trace;"]);
    assert!(!main.contains("nothing yet") && !main.contains("//@"), "{main}");
    // Each is there once more when it is done again.
    let again = step(&call, "tiny/vendors/spans");
    has(&again.stdout, &["Your files are as the step wants them: nothing was changed."]);
    assert_eq!(fs::read_dir(first.path("mine/.bootcamp/backups")).unwrap().count(), 3);
}

#[test]
fn what_the_learner_wrote_stays() {
    let call = begun();
    let main = "//! The tiny service.\n//! And mine.\n\nfn main() {\n    println!(\"nothing yet\");\n}\n";
    let call = call.write("mine/src/main.rs", main);
    let mine = call.again().args("solution tiny/the-answer --mine -C mine").passes();
    matches("solution/mine.txt", &mine.shown());
    assert_eq!(mine.read("mine/src/main.rs"), main, "to look changes nothing");
    let run = step(&call, "tiny/the-answer");
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(run.read("mine/src/main.rs"), main.replace("nothing yet", "things"));
    // The former file is kept.
    let backups = run.path("mine/.bootcamp/backups");
    let backup = fs::read_dir(backups).unwrap().next().unwrap().unwrap().path();
    assert_eq!(fs::read_to_string(backup.join("before/src/main.rs")).unwrap(), main);
}

#[test]
fn a_conflict_keeps_both_sides_and_has_to_be_settled() {
    let call = begun().edit("mine/src/main.rs", "nothing yet", "my own").write("mine/notes.txt", "my notes\n");
    let run = step(&call, "tiny/the-answer");
    assert_eq!(run.code, Some(1), "{}", run.stderr);
    matches("solution/conflict.txt", &backup_named(&run.shown()));
    let text = "<<<<<<< yours\n    println!(\"my own\");\n=======\n    println!(\"things\");\n>>>>>>> tiny/vendors/the-answer\n";
    has(&run.read("mine/src/main.rs"), &[text]);
    // The next step waits for it.
    let next = step(&call, "tiny/spans");
    assert_eq!(next.code, Some(2));
    has(&next.stderr, &["conflicts of an earlier step are not settled yet", "src/main.rs:4"]);
    let settled = run.read("mine/src/main.rs").replace(text, "    println!(\"things\");\n");
    let call = call.write("mine/src/main.rs", settled);
    assert_eq!(step(&call, "tiny/spans").code, Some(0));
    // A file that both have is merged, too.
    let files = step(&call, "tiny/files");
    assert_eq!(files.code, Some(1));
    assert_eq!(
        files.read("mine/notes.txt"),
        "<<<<<<< yours\nmy notes\n=======\nnotes on the tiny course\n>>>>>>> tiny/folder/files\n"
    );
}

#[test]
fn an_apply_that_was_interrupted_is_taken_back_by_the_next_run() {
    for next in ["solution tiny/the-answer -C mine", "verify tiny/folder/the-key -C mine"] {
        let call = begun().env("HONEYCOMB_API_KEY", tiny::HONEYCOMB_KEY);
        let before = fs::read_to_string(call.workspace().join("mine/src/main.rs")).unwrap();
        // What a killed apply leaves: the copies, the journal, one file done, one half written.
        let backup = "mine/.bootcamp/backups/2026-01-02T03-04-05Z-tiny-vendors-spans";
        let journal = json!({
            "schema": 1, "step": "tiny/vendors/spans", "started": "2026-01-02T03:04:05Z",
            "backup": ".bootcamp/backups/2026-01-02T03-04-05Z-tiny-vendors-spans",
            "files": [
                { "path": "src/main.rs", "before": true, "after": true },
                { "path": "src/deep/trace.rs", "before": false, "after": true },
            ],
            "folders": ["src/deep"],
        });
        let call = call
            .write(&format!("{backup}/before/src/main.rs"), &before)
            .write(&format!("{backup}/after/src/main.rs"), "done\n")
            .write(&format!("{backup}/after/src/deep/trace.rs"), "whole\n")
            .write("mine/.bootcamp/apply.json", journal.to_string())
            .write("mine/src/main.rs", "done\n")
            .write("mine/src/deep/.trace.rs.bootcamp-new", "who");
        let run = call.again().args(next).passes();
        has(&run.stderr, &["note: `bootcamp solution tiny/vendors/spans --apply` was interrupted here; it was taken back"]);
        assert_eq!(run.read("mine/src/main.rs"), before);
        assert!(!run.path("mine/src/deep").exists() && !run.path("mine/.bootcamp/apply.json").exists());
        assert!(!call.again().args(next).passes().stderr.contains("interrupted"));
    }
}

#[test]
fn what_is_done_outside_of_files_is_done_in_the_workspaces_sandbox() {
    let call = begun();
    // In the file that the next sandbox of the workspace reads.
    let first = step(&call, "tiny/segments");
    assert_eq!(first.code, Some(0), "{}", first.stderr);
    matches("solution/performed.txt", &first.shown());
    has(&step(&call, "tiny/segments").stdout, &["There is the X-Ray group `Tiny` in the sandbox already, as the step wants it."]);
    // And in one that runs.
    let inside = call.again().within(call.workspace().join("mine"));
    let sandbox = crate::support::Sandboxed::start_at(
        inside.args("sandbox --http-port 0 --grpc-port 0 --daemon-port 0 --no-bridge"),
        &call.workspace().join("mine"),
    );
    let groups = sandbox.xray("GetGroup", &json!({ "GroupName": "Tiny" })).ok().json();
    assert_eq!(groups["Group"]["FilterExpression"], "service(\"tiny\")");
    sandbox.xray("UpdateGroup", &json!({ "GroupName": "Tiny", "FilterExpression": "fault" })).ok();
    has(&step(&call, "tiny/segments").stdout, &["Changed the X-Ray group `Tiny` in the sandbox to what the step wants"]);
    let groups = sandbox.xray("GetGroup", &json!({ "GroupName": "Tiny" })).ok().json();
    assert_eq!(groups["Group"]["FilterExpression"], "service(\"tiny\")");
    sandbox.stop();
}

#[test]
fn no_key_of_the_learners_is_shown() {
    let env = "# mine\nROLLBAR_ACCESS_TOKEN=0123456789abcdef0123456789abcdef\nHONEYCOMB_API_KEY=\"aZ3456789012345678901X\"\n";
    let call = begun().write("mine/.env", env).write("mine/notes.txt", "key: 0123456789abcdef0123456789abcdef\n");
    for args in ["--mine", "--mine --color always", "--apply"] {
        let run = call.again().args("solution tiny/files -C mine").args(args).run();
        let all = format!("{}{}", run.stdout, run.stderr);
        assert!(!all.contains("0123456789abcdef") && !all.contains("aZ34567890"), "{args}: {all}");
        has(&all, &[".env", "notes.txt"]);
    }
    // In the file itself they stay.
    has(&fs::read_to_string(call.workspace().join("mine/.env")).unwrap(), &[env, "TINY_MODE=plain"]);
}

#[test]
fn all_steps_of_week_2_one_after_the_other_and_nothing_is_left_over() {
    let call = Bootcamp::new();
    call.again().args("init .").passes();
    // Lines of one's own at the end of a file do not stand in any step's way.
    let readme = call.workspace().join("NOTES.md");
    fs::write(&readme, "mine\n").unwrap();
    let list = call.again().args("list week2 --format json").passes();
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let lessons = list["lessons"].as_array().unwrap();
    let steps: Vec<&str> =
        lessons.iter().flat_map(|lesson| lesson["steps"].as_array().unwrap()).map(|step| step["id"].as_str().unwrap()).collect();
    assert!(steps.len() > 20, "{steps:?}");
    for step in &steps {
        let run = call.again().args("solution --apply").arg(*step).run();
        assert_eq!(run.code, Some(0), "{step}:\n{}{}", run.stdout, run.stderr);
        let mine = call.again().args("solution --mine").arg(*step).passes();
        assert!(!mine.stdout.contains("\n@@ "), "{step} is not done by applying it:\n{}", mine.stdout);
    }
    assert_eq!(fs::read_to_string(&readme).unwrap(), "mine\n");
    let shown = call.again().args("solution").arg(steps[0]).passes();
    has(&shown.stdout, &[steps[0], "lessons/week2/"]);
}

/// The page without the time in a backup's name.
fn backup_named(page: &str) -> String {
    let page = redact(page, Path::new("nowhere"));
    regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ").unwrap().replace_all(&page, "[TIME]").into_owned()
}
