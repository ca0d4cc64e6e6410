//! What a learner has passed, and the commands that rest on it: `status`, `next`, `hint`, `reset`, and the states in `list`.

use std::fs;

use serde_json::Value;

use crate::support::{Bootcamp, Run, has, matches, redact};
use crate::tiny;

/// The tiny course's workspace, with two hints in its first step.
fn workspace() -> Bootcamp {
    let hints = "<details><summary>Where?</summary>\n\nBeside `bootcamp.toml`:\n\n```text\nnotes.txt\n```\n\n</details>\n\n\
                 <details><summary>Hint</summary>\n\nThe word is *tiny*.\n\n</details>\n";
    tiny::workspace().edit(
        "lessons/tiny/1-folder.md",
        "Each format is read as what it is.\n",
        &format!("Each format is read as what it is.\n\n{hints}"),
    )
}

fn status(call: &Bootcamp) -> Value {
    serde_json::from_str(&call.again().args("status --format json").passes().stdout).unwrap()
}

/// How the learner stands with each step.
fn states(call: &Bootcamp) -> Vec<String> {
    let status = status(call);
    let lessons = status["lessons"].as_array().unwrap();
    let steps = lessons.iter().flat_map(|lesson| lesson["steps"].as_array().unwrap());
    steps.map(|step| step["state"].as_str().unwrap().to_owned()).collect()
}

const FILE: &str = ".bootcamp/progress.json";

fn shown(run: &Run) -> String {
    let page = redact(&run.stdout, run.call.root());
    regex::Regex::new(r"\d{4}-\d\d-\d\dT\d\d-\d\d-\d\dZ").unwrap().replace_all(&page, "[TIME]").into_owned()
}

#[test]
fn from_the_first_step_on() {
    let call = workspace();
    matches("progress/status-begun.txt", &call.again().args("status --format pretty").passes().shown());
    assert!(!call.workspace().join(FILE).exists(), "to look writes nothing");
    matches("progress/next-first.txt", &call.again().args("next").passes().shown());
    // It stays with the step until it is passed.
    has(&call.again().args("next").passes().stdout, &["1.1  Files"]);
    assert_eq!(status(&call)["current"], "tiny/folder/files");
    // A step that is not met is not noted.
    let call = call.edit("notes.txt", "tiny", "other");
    call.again().args("verify tiny/folder --quiet").fails_with(1);
    assert_eq!(states(&call)[..3], ["open", "passed", "open"]);
    let call = call.edit("notes.txt", "other", "tiny");
    let verified = call.again().args("verify tiny/folder/files --quiet").passes();
    assert_eq!(verified.stderr, "");
    assert_eq!(states(&call)[..3], ["passed", "passed", "open"]);
    let next = call.again().args("next").passes();
    has(&next.stdout, &["2.1  The answer", "The vendors · lessons/tiny/2-vendors.md:9", "the list of things comes as JSON"]);
    matches("progress/status.txt", &call.again().args("status --format pretty").passes().shown());
    matches("progress/status-plain.txt", &call.again().args("status").passes().shown());
    matches("progress/status.json", &call.again().args("status tiny --format json").passes().shown());
    matches("progress/list.txt", &call.again().args("list --format pretty").passes().shown());
    has(&call.again().args("list tiny/folder").passes().stdout, &["Step 1.2, The key (tiny/folder/the-key): 1 point, passed."]);
    has(&call.again().args("list --format json").passes().stdout, &["\"state\": \"passed\"", "\"state\": \"open\""]);
}

#[test]
fn one_that_was_passed_and_fails_later_is_not_lost() {
    let call = workspace();
    call.again().args("verify tiny/folder --quiet").passes();
    let call = call.edit("notes.txt", "tiny", "other");
    call.again().args("verify tiny/folder --quiet").fails_with(1);
    assert_eq!(states(&call)[..2], ["broken", "passed"]);
    assert_eq!(status(&call)["earned"], 6);
    let shown = call.again().args("status").passes().stdout;
    has(&shown, &["Step 1.1, Files (tiny/folder/files), was passed, and held no longer when it was last verified."]);
    // Nobody could look: that says nothing about the step.
    let call = call.edit("notes.txt", "other", "tiny");
    call.again().args("verify tiny/folder --quiet").passes();
    assert_eq!(states(&call)[..2], ["passed", "passed"]);
}

#[test]
fn neither_a_replay_nor_the_solution_is_the_learners_own() {
    let call = workspace();
    call.again().args("verify tiny/folder --quiet --record evidence.json").passes();
    fs::remove_file(call.workspace().join(FILE)).unwrap();
    call.again().args("verify tiny/folder --quiet --replay evidence.json").passes();
    assert!(!call.workspace().join(FILE).exists());
}

#[test]
fn all_is_done() {
    let call = workspace();
    // What a run of the whole course leaves behind.
    call.again().args("verify --quiet").run();
    let open: Vec<_> = states(&call).into_iter().filter(|state| state != "passed").collect();
    // The group and the rule are in no sandbox yet.
    assert_eq!(open, ["open"]);
    let sandboxless = fs::read_to_string(call.workspace().join(FILE)).unwrap();
    let mut file: Value = serde_json::from_str(&sandboxless).unwrap();
    let steps = file["courses"]["tiny"]["steps"].as_object_mut().unwrap();
    let skipped = serde_json::json!({ "checks": [], "skipped": "2026-01-02T03:04:05Z" });
    steps.insert(String::from("tiny/vendors/segments"), skipped);
    let call = call.write(FILE, file.to_string());
    let next = call.again().args("next").passes();
    matches("progress/next-skipped.txt", &next.shown());
    has(
        &call.again().args("status").passes().stdout,
        &["Segments (tiny/vendors/segments), is skipped.", "Nothing is left to do."],
    );
    has(&call.again().args("hint").passes().stdout, &["is done but for 1 step"]);
}

#[test]
fn a_new_edition_offers_what_changed_again() {
    let call = workspace();
    call.again().args("verify tiny/folder --quiet").passes();
    let call = call.edit("lessons/tiny/1-folder.md", "## Files\n", "## All the files\n").edit(
        "checks/tiny/folder.toml",
        "fix = \"Export `HONEYCOMB_API_KEY`.\"",
        "fix = \"Export it.\"",
    );
    assert_eq!(states(&call)[..2], ["passed", "passed"], "another name, another advice");
    let call = call.edit("checks/tiny/folder.toml", "name = \"HONEYCOMB_API_KEY\"", "name = \"OTHER_KEY\"");
    assert_eq!(states(&call)[..2], ["passed", "changed"]);
    has(&call.again().args("next").passes().stdout, &["1.2  The key", "its checks have changed since"]);
    call.again().env("OTHER_KEY", "x").args("verify tiny/folder --quiet").passes();
    assert_eq!(states(&call)[..2], ["passed", "passed"]);
}

#[test]
fn each_hint_tells_more() {
    let call = workspace();
    let hint = |args: &str| call.again().args("hint").args(args).passes().shown();
    has(&hint("--all"), &["No hint of 1.1 Files was shown yet.", "bootcamp hint tiny/folder/files"]);
    matches("progress/hint-1.txt", &hint(""));
    has(&call.again().args("next").passes().stdout, &["when you are stuck: hint 2 of 2"]);
    matches("progress/hint-2.txt", &hint("1.1"));
    has(&hint("folder/files"), &["All 2 hints of 1.1 Files were shown.", "bootcamp solution tiny/folder/files"]);
    matches("progress/hint-all.txt", &hint("tiny/folder/files --all"));
    has(&hint("the-key"), &["1.2 The key has no hints."]);
    has(&call.again().args("hint the-kex").fails_with(2).stderr, &["did you mean `the-key`?"]);
    let elsewhere = tiny::course(Bootcamp::new()).args("hint").fails_with(2);
    has(&elsewhere.stderr, &["bootcamp.toml"]);
}

#[test]
fn several_programs_at_once_lose_nothing() {
    let call = workspace();
    let others = ["tiny/folder/files", "tiny/folder/the-key"];
    let running: Vec<_> = others.iter().map(|step| call.again().args("verify --quiet").arg(*step).start()).collect();
    let hints = call.again().args("hint 1.1").start();
    for running in running {
        assert_eq!(running.finish().code, Some(0));
    }
    assert_eq!(hints.finish().code, Some(0));
    assert_eq!(states(&call)[..2], ["passed", "passed"]);
    assert_eq!(status(&call)["lessons"][0]["steps"][0]["hints_shown"], 1);
}

#[test]
fn what_cannot_be_noted_is_told_and_stops_nothing() {
    let newer = "{\"version\": 9}\n";
    let call = workspace().write(FILE, newer);
    let run = call.again().args("verify tiny/folder --quiet").passes();
    has(&run.stderr, &["note: `.bootcamp/progress.json` has the version 9, which a newer `bootcamp` wrote"]);
    assert_eq!(run.read(FILE), newer);
    let broken = call.again().write(FILE, "{").args("status").passes();
    has(&broken.stderr, &["note: `.bootcamp/progress.json` cannot be understood"]);
    has(&broken.stdout, &["0 of 22.5 points"]);
    let noted = call.again().args("verify tiny/folder --quiet").passes();
    has(&noted.stderr, &["it is kept as `.bootcamp/progress.json.broken-1`"]);
    assert_eq!(noted.read(".bootcamp/progress.json.broken-1"), "{");
    assert_eq!(states(&call)[0], "passed");
}

/// A workspace of the solved tiny course in `mine`, with the steps that can be passed without its service.
fn begun() -> Bootcamp {
    let call = tiny::solved().env("HONEYCOMB_API_KEY", tiny::HONEYCOMB_KEY);
    call.again().args("init mine --course tiny").passes();
    let call = call.again().within(call.workspace().join("mine"));
    call.again().args("next").passes();
    call.again().args("solution tiny/folder/files --apply").passes();
    call.again().args("verify tiny/folder --quiet").passes();
    call
}

#[test]
fn a_step_is_begun_anew() {
    let call = begun().write("mine/notes.txt", "mine\n").write("mine/other.txt", "other\n");
    assert_eq!(states(&call)[..2], ["passed", "passed"]);
    let run = call.again().args("reset").passes();
    matches("progress/reset.txt", &shown(&run));
    assert_eq!(states(&call)[..2], ["open", "passed"]);
    assert_eq!(status(&call)["current"], "tiny/folder/files");
    assert!(!run.path("mine/notes.txt").exists() && run.path("mine/other.txt").exists());
    let mut backups: Vec<_> =
        fs::read_dir(run.path("mine/.bootcamp/backups")).unwrap().map(|entry| entry.unwrap().path()).collect();
    backups.retain(|path| path.to_string_lossy().ends_with("-reset-tiny-folder-files"));
    assert_eq!(fs::read_to_string(backups[0].join("before/notes.txt")).unwrap(), "mine\n");
    // And once more there is nothing to do.
    let again = call.again().args("reset").fails_with(2);
    has(&again.stderr, &["already as they are before `tiny/folder/files`", "`bootcamp solution tiny/folder/files --mine` shows"]);
    has(&call.again().args("reset the-key").passes().stdout, &["The step is open again."]);
    has(&call.again().args("reset the-key").fails_with(2).stderr, &["changes no file, so there is nothing to put back"]);
    assert_eq!(states(&call)[..2], ["open", "open"]);
}

#[test]
fn a_reset_says_what_else_it_undoes_and_what_stays() {
    let call = begun();
    for step in ["vendors/the-answer", "vendors/spans"] {
        call.again().args("solution --apply").arg(format!("tiny/{step}")).passes();
    }
    // As if its service had been verified.
    let mut file: Value = serde_json::from_str(&fs::read_to_string(call.workspace().join("mine").join(FILE)).unwrap()).unwrap();
    let passed = serde_json::json!({ "passed": { "at": "2026-01-02T03:04:05Z", "points": 4, "of": 4 } });
    file["courses"]["tiny"]["steps"]["tiny/vendors/spans"] = passed;
    let call = call.write(&format!("mine/{FILE}"), file.to_string());
    let run = call.again().args("reset 2.1").passes();
    has(&run.stdout, &["src/main.rs", "Steps after it that you passed changed the same files", "  2.2 Spans\n"]);
    assert_eq!(run.read("mine/src/main.rs"), "//! The tiny service.\n\nfn main() {\n    println!(\"nothing yet\");\n}\n");
    assert!(run.path("mine/src/trace.rs").exists());
}

#[test]
fn a_reset_that_was_interrupted_is_named_as_what_it_was() {
    let call = begun();
    let backup = ".bootcamp/backups/2026-01-02T03-04-05Z-reset-tiny-folder-files";
    let journal = serde_json::json!({
        "schema": 1, "step": "reset/tiny/folder/files", "started": "2026-01-02T03:04:05Z", "backup": backup,
        "files": [{ "path": "notes.txt", "before": true, "after": false }], "folders": [],
    });
    let call = call
        .write(&format!("mine/{backup}/before/notes.txt"), "mine\n")
        .write("mine/.bootcamp/apply.json", journal.to_string())
        .without("mine/notes.txt");
    let run = call.again().args("reset").passes();
    has(&run.stderr, &["note: `bootcamp reset tiny/folder/files` was interrupted here; it was taken back"]);
}

#[test]
fn without_a_current_step_a_reset_wants_a_name() {
    let call = tiny::solved();
    call.again().args("init mine --course tiny").passes();
    let run = call.again().within(call.workspace().join("mine")).args("reset").fails_with(2);
    has(&run.stderr, &["you are at no step yet; name one"]);
}
