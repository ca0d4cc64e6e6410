//! What an author or a learner may write wrongly: file, line, caret and suggestion, as it is shown.

use crate::support::{Bootcamp, has, matches};
use crate::tiny;

/// The refusal, as it is printed.
fn refusal(call: Bootcamp, args: &str, code: i32) -> String {
    let run = call.args(args).fails_with(code);
    assert_eq!(run.stdout, "", "nothing but the refusal");
    run.said()
}

#[test]
fn a_broken_course_is_shown_where_it_is_broken() {
    let broken = |name: &str, path: &str, from: &str, to: &str| {
        let call = tiny::course(Bootcamp::new()).write("bootcamp.toml", "course = \"tiny\"\n").edit(path, from, to);
        matches(&format!("course/{name}.txt"), &refusal(call, "verify", 4));
    };
    let checks = "checks/tiny/vendors.toml";
    broken("unknown-kind", checks, "[server-span.expect.honeycomb-span]", "[server-span.expect.honeycomb-spam]");
    broken("unknown-field", checks, "http-status = 200", "http-staus = 200");
    broken("unknown-matcher", checks, "{ type = \"string\" }", "{ typ = \"string\" }");
    broken("unknown-probe", checks, "probe = \"fails\"", "probe = \"fail\"");
    broken("no-fix", checks, "fix = \"Create the rule.\"\n", "");
    broken("no-probe", checks, "probe = \"things\"\n", "");
    broken("pattern", checks, "'^GET /things\\?\\S*{nonce}\\S* 200$'", "'^GET (/things'");
    broken("duplicate", checks, "[item-request]", "[item]");
    broken("toml", checks, "status = 200", "status = ");
    broken("probe-path", "checks/tiny/probes.toml", "path = \"/up\"", "path = \"up\"");
    let lesson = "lessons/tiny/1-folder.md";
    broken("dangling-check", lesson, "- [ ] `notes`", "- [ ] `nots`");
    broken("points", lesson, "**Verify** · 5 points", "**Verify** · five points");
    broken("front-matter", lesson, "order: 1", "ordre: 1");
}

#[test]
fn a_broken_course_breaks_its_list_too() {
    let lesson = "lessons/tiny/1-folder.md";
    let call = tiny::course(Bootcamp::new()).edit(lesson, "**Verify** · 5 points", "**Verify** · five points");
    has(&refusal(call, "list tiny", 4), &["this step does not say what it is worth", "1-folder.md:13"]);
    // People are shown no checks, so none is read; programs are.
    let call = tiny::course(Bootcamp::new()).edit(lesson, "- [ ] `notes`", "- [ ] `nots`");
    call.again().args("list tiny").passes();
    has(&refusal(call, "list tiny --format json", 4), &["the check `nots` is not defined"]);
}

#[test]
fn a_broken_manifest_is_shown_where_it_is_broken() {
    let broken = |name: &str, text: &[u8]| {
        let call = tiny::course(Bootcamp::new()).write("bootcamp.toml", text);
        matches(&format!("manifest/{name}.txt"), &refusal(call, "verify", 2));
    };
    broken("toml", b"course = tiny\n");
    broken("key", b"course = \"tiny\"\n\n[service]\nulr = \"http://127.0.0.1:4567\"\n");
    broken("url", b"course = \"tiny\"\n\n[service]\nurl = \"127.0.0.1:4567\"\n");
    broken("target", b"course = \"tiny\"\ntarget = \"sandbx\"\n");
    broken("several", b"target = 7\n\n[service]\nrun = 3\nhealth = \"up\"\n");
    broken("utf-8", b"course = \"\xff\"\n");
    broken("course", b"course = \"tinny\"\n");
}

#[test]
fn a_broken_manifest_is_passed_over_by_no_command() {
    let call = tiny::course(Bootcamp::new()).write("bootcamp.toml", "corse = \"tiny\"\n").write("src/main.rs", "");
    for command in ["list", "sandbox --http-port 0 --grpc-port 0 --daemon-port 0 --no-bridge"] {
        let within = call.workspace().join("src");
        has(&refusal(call.again().within(within), command, 2), &["did you mean `course`?"]);
    }
    assert!(!call.workspace().join("src/.bootcamp").exists());
    // What was asked for by name is listed all the same.
    call.again().args("list tiny").passes();
}

#[test]
fn without_a_manifest_there_is_no_workspace() {
    // Where the lines are broken depends on the length of the folder's name.
    let said = refusal(tiny::course(Bootcamp::new()), "verify tiny", 2).split_whitespace().collect::<Vec<_>>().join(" ");
    has(
        &said,
        &["nor a folder above it has a `bootcamp.toml`", "create a `bootcamp.toml` there with the line `course = \"week2\"`"],
    );
}

#[test]
fn a_broken_dotenv_shows_nothing_of_it() {
    let call = tiny::workspace().write(".env", "TINY_MODE=plain\nSECRET=\"half of a secr\n");
    let said = refusal(call, "verify", 2);
    assert!(said.contains("`.env` line 2"), "{said}");
    assert!(!said.contains("half of"), "{said}");
}
