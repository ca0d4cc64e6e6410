//! What authors are told of a course, and what is written for them.

use crate::support::{Bootcamp, has, matches, repository};

const README: &str = "# Demo\n\n**Total** · 3 points and 1 bonus point\n";
const LESSON: &str = "\
---
title: First
order: 1
summary: The first lesson.
---

What it is about; [the second step](#look-again) comes later.

## Look

Because it matters.

```rust file=src/main.rs
fn main() {
    look();
}
```

See it: look.

**Verify** · 2 points
- [ ] `looks` it looks

## Look again

Because once is not enough.

```rust file=src/main.rs sync=step
    look();
```

See it: look again.

<details><summary>Nothing to see</summary>

Open your eyes.

</details>

**Verify** · 1 point
- [ ] `looks-again` it looks twice

## Look away

Because one may. Set `AWAY` in the shell.

See it: look there.

**Verify** · 1 bonus point
- [ ] `away` it is set
";
const CHECKS: &str = "\
[looks]
probe = \"home\"
fix = \"Look.\"
[looks.expect.http-response]
status = 200

[looks-again]
fix = \"Look again.\"
[looks-again.expect.file]
path = \"src/main.rs\"

[away]
fix = \"Set it.\"
[away.expect.variable]
name = \"AWAY\"
";
const SOLUTION: &str = "\
fn main() {
    look(); //@ since first/look
    //@ since first/look-again
    look();
    //@ end
}
";

/// A course with nothing to repair.
fn course() -> Bootcamp {
    Bootcamp::new()
        .write("lessons/demo/README.md", README)
        .write("lessons/demo/1-first.md", LESSON)
        .write("checks/demo/first.toml", CHECKS)
        .write("checks/demo/probes.toml", "[home]\npath = \"/\"\n")
        .write("solutions/demo/src/main.rs", SOLUTION)
}

#[test]
fn a_sound_course_is_said_to_be_sound() {
    let run = course().args("author lint").passes();
    assert_eq!(run.stdout, "the course `demo` is sound: 1 lesson, 3 steps, 3 checks, 2 code blocks\n");
    assert_eq!(run.stderr, "");
    course().args("author sync --check demo").passes();
}

#[test]
fn whatever_is_wrong_is_told_at_once_with_its_place_and_a_remedy() {
    let broken = course()
        .write("lessons/demo/README.md", "# Demo\n\n**Total** · 7 points\n\nSee [the lesson](2-first.md), [here](../../../x).\n")
        .edit("lessons/demo/1-first.md", "(#look-again)", "(#lok-again)")
        .edit("lessons/demo/1-first.md", "Because it matters.\n\n", "")
        .edit("lessons/demo/1-first.md", "    look();\n}", "    stare();\n}")
        .edit("lessons/demo/1-first.md", "See it: look.", "See it:")
        .edit("lessons/demo/1-first.md", "See it: look again.", "```rust file=src/mian.rs\nx\n```\n\n```rust file=src/main.rs\nfn start() {\n}\n```")
        .edit("lessons/demo/1-first.md", "sync=step\n    look();", "sync=step\n    stare();")
        .edit("lessons/demo/1-first.md", "Open your eyes.\n\n", "")
        .edit("lessons/demo/1-first.md", "**Verify** · 1 bonus point\n- [ ] `away` it is set\n", "")
        .edit("lessons/demo/1-first.md", "What it is", "‹what› it is")
        .write("lessons/demo/picture.svg", "<svg/>\n")
        .write("checks/demo/probes.toml", "[home]\npath = \"/\"\n\n[idle]\npath = \"/idle\"\n")
        .write("checks/demo/notes.txt", "")
        .write("checks/demo/mistakes/README.md", "# Mistakes\n")
        .write(
            "checks/demo/diagnoses/first.toml",
            "[blind]\nexplains = [\"http\"]\ncause = \"C.\"\nfix = \"F.\"\nlesson = \"first/lok\"\nwhen = [{ variable = { name = \"A\", is = \
             \"missing\" } }]\n",
        )
        .write("src/course/source.rs", "const EMBEDDED: &[(&str, &str)] = embed![\n    \"lessons/demo/1-first.md\"\n];\n");
    let run = broken.again().args("author lint demo").fails_with(4);
    assert_eq!(run.stderr, "");
    matches("author/broken.txt", &run.shown());
    let run = broken.again().args("author lint demo --format plain").fails_with(4);
    matches("author/broken.plain.txt", &run.shown());

    let lines = run.stdout.lines().count();
    let run = broken.again().args("author lint --format json").fails_with(4);
    let told: serde_json::Value = serde_json::from_str(&run.stdout).unwrap();
    let problems = told["problems"].as_array().unwrap();
    assert_eq!(problems.len(), lines);
    let dead = problems.iter().find(|problem| problem["label"] == "no such heading").unwrap();
    assert_eq!((&dead["file"], &dead["line"], &dead["column"]), (&"lessons/demo/1-first.md".into(), &7.into(), &39.into()));
    assert_eq!(dead["help"], "did you mean `#look-again`?");
}

#[test]
fn a_broken_marker_is_told_beside_the_rest() {
    let run = course()
        .edit("solutions/demo/src/main.rs", "since first/look-again", "since first/look-agan")
        .edit("lessons/demo/1-first.md", "See it: look.", "Nothing to see.")
        .args("author lint")
        .fails_with(4);
    has(
        &run.stdout,
        &["no step `first/look-agan`", "src/main.rs:3", "does not say how to see it", "the course `demo` has 2 problems"],
    );
}

#[test]
fn the_solutions_lines_are_written_into_the_lessons() {
    let call = course().edit(
        "solutions/demo/src/main.rs",
        "    look(); //@ since first/look\n",
        "    open_eyes(); //@ since first/look\n",
    );
    let lesson = call.workspace().join("lessons/demo/1-first.md");
    let run = call.again().args("author sync --check").fails_with(1);
    has(&run.stdout, &["--- a/lessons/demo/1-first.md\n", "\n-    look();\n", "\n+    open_eyes();\n"]);
    has(&run.stderr, &["1 code block of 2 would be written"]);
    assert_eq!(std::fs::read_to_string(&lesson).unwrap(), LESSON);

    let run = call.again().args("author sync demo").passes();
    assert_eq!(run.stdout, "lessons/demo/1-first.md:13: src/main.rs: +1 -1\n");
    assert_eq!(std::fs::read_to_string(&lesson).unwrap(), LESSON.replacen("    look();", "    open_eyes();", 1));
    call.again().args("author sync --check").passes();
    has(&call.again().args("author lint").passes().stdout, &["is sound"]);

    // What no state has any more stays, and is told.
    let call = call.edit("solutions/demo/src/main.rs", "fn main", "pub fn main");
    let run = call.again().args("author sync").fails_with(4);
    has(&run.stderr, &["`src/main.rs` does not have this line", "`pub fn main() {`"]);
    has(&std::fs::read_to_string(&lesson).unwrap(), &["\nfn main() {\n    open_eyes();\n"]);
}

#[test]
fn what_is_begun_leaves_to_lint_only_what_its_author_must_write() {
    let call = course();
    let run = call.again().args("author new lesson demo").arg("Second thoughts").passes();
    assert_eq!(run.stdout, "checks/demo/second-thoughts.toml:1\nlessons/demo/2-second-thoughts.md:1\n");
    call.again().args("author new step demo/second-thoughts").arg("Think: twice").passes();
    let run = call.again().args("author new check demo/2/think-twice").arg("it is thought").passes();
    assert_eq!(run.stdout, "lessons/demo/2-second-thoughts.md:27\nchecks/demo/second-thoughts.toml:6\n");
    call.again().args("author new check demo/first/look").arg("it looks hard").args("--id hard").passes();
    matches("author/begun.md", &run.read("lessons/demo/2-second-thoughts.md"));
    matches("author/begun.toml", &run.read("checks/demo/second-thoughts.toml"));
    assert_eq!(
        run.read("lessons/demo/1-first.md"),
        LESSON.replace("`looks` it looks\n", "`looks` it looks\n- [ ] `hard` it looks hard\n")
    );
    assert!(run.read("checks/demo/first.toml").starts_with(CHECKS));

    let run = call.again().args("author lint --format plain").fails_with(4);
    let unforeseen: Vec<_> = run
        .stdout
        .lines()
        .filter(|line| !line.contains("this is still to be written") && !line.contains("the steps add up to 4 points"))
        .collect();
    assert_eq!(unforeseen, [""; 0]);
    has(
        &run.stdout,
        &[
            "lessons/demo/README.md:3:1: the steps add up to 4 points and 1 bonus point; write `**Total** · 4 points and 1 bonus point`",
        ],
    );
    call.again().args("list demo").passes();
}

#[test]
fn nothing_is_begun_twice_or_nowhere() {
    let refused = |args: &str, title: &str, told: &str| {
        let call = course();
        let run = call.again().args("author new").args(args).arg(title).fails_with(2);
        has(&run.said(), &[told]);
        assert_eq!(run.read("lessons/demo/1-first.md"), LESSON);
        assert_eq!(run.read("checks/demo/first.toml"), CHECKS);
    };
    refused("lesson demo", "First", "`lessons/demo/1-first.md` is the lesson `first` already");
    refused("lesson dmo", "Next", "did you mean `demo`?");
    refused("lesson demo", "!?", "`!?` makes no id");
    refused("step demo/first", "Look", "has a step `look` already, in line 9");
    refused("step demo/frist", "Look", "did you mean `first`?");
    refused("step demo", "Look", "write `<course>/<lesson>`");
    refused("check demo/first/look", "Looks", "has a check `looks` already: name this one with `--id`");
    refused("check demo/first", "Looks", "write `<course>/<lesson>/<step>`");
    refused("check demo/first/lok", "sees", "did you mean `look`?");
    let call = course().write("checks/demo/next.toml", "");
    has(&call.again().args("author new lesson demo Next").fails_with(2).stderr, &["`checks/demo/next.toml` is already there"]);
    assert!(!call.workspace().join("lessons/demo/2-next.md").exists());
}

#[test]
fn without_a_checkout_there_is_nothing_to_do() {
    for args in ["author lint", "author sync", "author new lesson demo First"] {
        has(&Bootcamp::new().args(args).fails_with(2).stderr, &["has `lessons/` and `checks/`"]);
    }
}

#[test]
fn the_courses_of_this_repository_are_sound() {
    let run = Bootcamp::new().within(repository("")).args("author lint").passes();
    has(&run.stdout, &["the course `week2` is sound: "]);
    Bootcamp::new().within(repository("")).args("author sync --check").passes();
}
