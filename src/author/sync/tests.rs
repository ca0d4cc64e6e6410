use std::fs;

use proptest::prelude::*;

use super::*;

const SOLUTION: &str = "\
use axum::Router;
use tracing::info; //@ since first/b

fn main() {
    //@ since first/a
    serve();
    //@ end
    //@ since first/b
    info!(\"over\");
    //@ end
}
";

const README: &str = "\
Notes.

```text
in a fence
```
";

/// A course of two steps with a solution. `body` is the text of step A.
fn checkout(folder: &tempfile::TempDir, body: &str) -> Checkout {
    let verify = |id: &str| format!("\n\n**Verify** · 1 point\n- [ ] `{id}` it is there\n");
    let lesson = format!(
        "---\ntitle: First\norder: 1\nsummary: S\n---\n\nIntro.\n\n## A\n\n{body}{}\n## B\n\nB.{}",
        verify("a"),
        verify("b")
    );
    write(folder, "lessons/demo/1-first.md", &lesson);
    write(folder, "checks/demo/first.toml", "");
    write(folder, "solutions/demo/src/main.rs", SOLUTION);
    write(folder, "solutions/demo/NOTES.md", README);
    Checkout::find(folder.path()).unwrap()
}

fn write(folder: &tempfile::TempDir, path: &str, text: &str) {
    let path = folder.path().join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What step A says after the command, and what is loose.
fn synced(body: &str) -> (String, Vec<String>) {
    let folder = tempfile::tempdir().unwrap();
    let checkout = checkout(&folder, body);
    let told = sync(&checkout, "demo").unwrap();
    for lesson in &told.rewritten {
        lesson.write(&checkout).unwrap();
    }
    let again = sync(&checkout, "demo").unwrap();
    assert!(again.rewritten.is_empty(), "written a second time: {:?}", again.rewritten);
    let text = fs::read_to_string(folder.path().join("lessons/demo/1-first.md")).unwrap();
    let body = text.split("## A\n\n").nth(1).unwrap().split("\n\n**Verify**").next().unwrap();
    (body.to_owned(), told.loose.iter().map(ToString::to_string).collect())
}

#[track_caller]
fn becomes(body: &str, expected: &str) {
    assert_eq!(synced(body), (expected.to_owned(), Vec::new()));
}

#[test]
fn what_lies_between_the_ends_of_a_part_is_written() {
    becomes(
        "```rust file=src/main.rs\nfn main() {\n    listen();\n}\n```",
        "```rust file=src/main.rs\nfn main() {\n    serve();\n}\n```",
    );
    // The line that the next step brings is none of this state's.
    becomes(
        "```rust file=src/main.rs\nuse axum::Router;\nuse tracing::info;\nfn main() {\n\n// …\n\n  serve();\n// …\n```\ntext",
        "```rust file=src/main.rs\nuse axum::Router;\n\nfn main() {\n\n// …\n\n    serve();\n// …\n```\ntext",
    );
}

#[test]
fn a_block_that_follows_its_step_shows_what_the_step_brings() {
    becomes("```rust file=src/main.rs sync=step\n```", "```rust file=src/main.rs sync=step\n    serve();\n```");
    becomes("~~~rust file=src/main.rs sync=step\nold\nolder\n~~~", "~~~rust file=src/main.rs sync=step\n    serve();\n~~~");
    let (_, loose) = synced("````md file=NOTES.md sync=step\n````");
    assert_eq!(loose, ["the step `demo/first/a` brings no line of `NOTES.md`"]);
}

#[test]
fn line_breaks_lists_and_quotes_stay_as_they_are() {
    becomes(
        "- a\n\n  ```rust file=src/main.rs\n  fn main() {\n  }\n  ```\n- b",
        "- a\n\n  ```rust file=src/main.rs\n  fn main() {\n      serve();\n  }\n  ```\n- b",
    );
    becomes(
        "- ```rust file=src/main.rs\n  fn main() {\n  }\n  ```",
        "- ```rust file=src/main.rs\n  fn main() {\n      serve();\n  }\n  ```",
    );
    becomes(
        "> ```rust file=src/main.rs\n> use axum::Router;\n> fn main() {\n> ```",
        "> ```rust file=src/main.rs\n> use axum::Router;\n>\n> fn main() {\n> ```",
    );
    let folder = tempfile::tempdir().unwrap();
    let checkout = checkout(&folder, "Why. \n\n```rust file=src/main.rs\nfn main() {\n}\n```\nA\ttab.");
    let path = folder.path().join("lessons/demo/1-first.md");
    let before = fs::read_to_string(&path).unwrap().replace('\n', "\r\n");
    fs::write(&path, &before).unwrap();
    for lesson in sync(&checkout, "demo").unwrap().rewritten {
        lesson.write(&checkout).unwrap();
    }
    let after = fs::read_to_string(&path).unwrap();
    assert_eq!(after, before.replace("fn main() {\r\n", "fn main() {\r\n    serve();\r\n"));
    assert!(sync(&checkout, "demo").unwrap().rewritten.is_empty());
}

#[test]
fn what_cannot_be_tied_stays_and_is_told() {
    for (body, told) in [
        ("```rust file=src/main.rs\nfn start() {\n}\n```", "`src/main.rs` does not have this line, or not here"),
        ("```rust file=src/main.rs\n    info!(\"over\");\n```", "`src/main.rs` does not have this line, or not here"),
        ("```rust file=src/man.rs\nx\n```", "no state of the solution has a file `src/man.rs`"),
        ("```rust file=src/main.rs\n// …\n```", "this code block shows nothing of `src/main.rs`"),
    ] {
        let (after, loose) = synced(body);
        assert_eq!((after.as_str(), loose), (body, vec![told.to_owned()]));
    }
    let body = "```text file=NOTES.md\nin a fence\n// …\nNotes.\n```";
    assert_eq!(synced(body).0, body);
}

#[test]
fn a_line_that_would_end_the_block_is_not_written_into_it() {
    let body = "~~~text file=NOTES.md\nNotes.\nin a fence\n~~~";
    assert_eq!(synced(body).0, "~~~text file=NOTES.md\nNotes.\n\n```text\nin a fence\n~~~");
    let folder = tempfile::tempdir().unwrap();
    let checkout = checkout(&folder, "```text file=NOTES.md\nNotes.\nthe end\n```");
    write(&folder, "solutions/demo/NOTES.md", &format!("{README}the end\n"));
    let told = sync(&checkout, "demo").unwrap();
    assert!(told.rewritten.is_empty());
    assert_eq!(told.loose[0].to_string(), "a line `` ``` `` of `NOTES.md` would end this code block");
}

#[test]
fn a_lesson_that_changed_meanwhile_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let checkout = checkout(&folder, "```rust file=src/main.rs\nfn main() {\n}\n```");
    let told = sync(&checkout, "demo").unwrap();
    assert_eq!(told.rewritten[0].blocks, [(11, String::from("src/main.rs"), 1, 0)]);
    assert!(told.rewritten[0].diff().contains("\n+    serve();\n"), "{}", told.rewritten[0].diff());
    write(&folder, "lessons/demo/1-first.md", "mine");
    assert!(told.rewritten[0].write(&checkout).unwrap_err().to_string().contains("has changed meanwhile"));
    assert_eq!(fs::read_to_string(folder.path().join("lessons/demo/1-first.md")).unwrap(), "mine");
}

/// The lesson without the insides of its code blocks that show a file, and how many there are of those.
fn outside(checkout: &Checkout) -> Option<(String, usize)> {
    let course = Course::outline(&checkout.source(), "demo").ok()?;
    let page = checkout.page("lessons/demo/1-first.md")?;
    let (mut text, mut from, mut count) = (String::new(), 0, 0);
    for code in course.steps().flat_map(|(_, step)| &step.code_blocks).filter(|code| code.file.is_some()) {
        let block = &page.text[code.span.clone()];
        let first = code.span.start + block.find('\n').map_or(block.len(), |at| at + 1);
        let last = (code.span.start + block.trim_end().rfind('\n').map_or(0, |at| at + 1)).max(first);
        text.push_str(&page.text[from..first]);
        from = last;
        count += 1;
    }
    text.push_str(&page.text[from..]);
    Some((text, count))
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(192))]

    #[test]
    fn nothing_outside_of_the_blocks_changes_and_once_is_enough(
        parts in proptest::collection::vec(
            proptest::sample::select(vec![
                "```rust file=src/main.rs\n", "```rust file=src/main.rs sync=step\n", "```\n", "~~~~md file=NOTES.md\n", "~~~~\n",
                "fn main() {\n", "    serve();\n", "}\n", "// …\n", "\n", "\n", "use axum::Router;\n", "Notes.\n", "    x\n", "> ", "- ", "  ",
                "1. ", "text\r\n", "é🦀 ", "\t", "in a fence\n", "<b>\n", "`", "```\r\n", "fn main() {\r\n",
            ]),
            0..30,
        )
    ) {
        let folder = tempfile::tempdir().unwrap();
        let checkout = checkout(&folder, &parts.concat());
        if let Some((before, count)) = outside(&checkout) {
            let told = sync(&checkout, "demo").unwrap();
            prop_assert_eq!(told.tied + told.loose.len(), count);
            for lesson in &told.rewritten {
                lesson.write(&checkout).unwrap();
            }
            prop_assert_eq!(outside(&checkout), Some((before, count)));
            let again = sync(&checkout, "demo").unwrap();
            prop_assert!(again.rewritten.is_empty(), "{}", again.rewritten[0].diff());
            prop_assert_eq!(again.loose.len(), told.loose.len());
        }
    }
}
