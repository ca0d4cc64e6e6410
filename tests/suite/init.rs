//! `bootcamp init`: the workspace that a course begins with.

use std::fs;

use crate::support::{Bootcamp, has, matches};
use crate::tiny;

#[test]
fn a_new_folder_with_what_to_type_next() {
    let call = tiny::solved();
    let run = call.again().args("init mine --course tiny").passes();
    matches("init/new.txt", &run.shown());
    let mine = call.workspace().join("mine");
    assert_eq!(
        fs::read_to_string(mine.join("src/main.rs")).unwrap(),
        "//! The tiny service.\n\nfn main() {\n    println!(\"nothing yet\");\n}\n"
    );
    assert!(mine.join(".gitignore").exists() && !mine.join("notes.txt").exists() && !mine.join("states.toml").exists());
    // The lessons are where the reports say that they are.
    assert_eq!(
        fs::read(mine.join("lessons/tiny/1-folder.md")).unwrap(),
        fs::read(call.workspace().join("lessons/tiny/1-folder.md")).unwrap()
    );
    // What it says can be typed.
    let verified = call.again().within(&mine).args("verify tiny/folder --format plain").fails_with(1);
    has(&verified.stdout, &["tiny"]);
    // A second time it says what it is already.
    let again = call.again().args("init mine --course tiny").fails_with(2);
    has(&again.stderr, &["help: it is a workspace already"]);
}

#[test]
fn nothing_is_written_over_what_is_there() {
    let call = tiny::solved().write("mine/src/main.rs", "fn mine() {}\n").write("mine/README.md", "# mine\n");
    let run = call.again().args("init mine --course tiny").fails_with(2);
    matches("init/in-the-way.txt", &run.said());
    assert_eq!(run.read("mine/src/main.rs"), "fn mine() {}\n");
    assert_eq!(fs::read_dir(call.workspace().join("mine")).unwrap().count(), 2);
    // A clone that has nothing in the way is taken as it is.
    fs::remove_file(call.workspace().join("mine/src/main.rs")).unwrap();
    call.again().within(call.workspace().join("mine")).args("init --course tiny").passes();
    assert_eq!(run.read("mine/README.md"), "# mine\n");
    assert!(run.path("mine/bootcamp.toml").exists());
}

#[test]
fn cargo_is_named_where_it_is_missing() {
    let run = tiny::solved().env("PATH", "/nowhere").args("init mine --course tiny").passes();
    has(&run.stdout, &["not on your PATH: install Rust from https://rustup.rs"]);
}

#[test]
fn what_is_to_be_typed_leads_to_this_program() {
    let run = tiny::solved().env("PATH", "/nowhere").args("init mine --course tiny").passes();
    has(&run.stdout, &[&format!("\n  cd mine\n  {}\n", env!("CARGO_BIN_EXE_bootcamp"))]);
}

#[test]
fn a_course_without_a_solution_has_no_starter() {
    let run = tiny::course(Bootcamp::new()).args("init mine --course tiny").fails_with(2);
    has(&run.stderr, &["the course `tiny` has no solution"]);
    assert!(!run.path("mine").exists());
}

#[test]
fn week_2_from_the_program_itself() {
    let call = Bootcamp::new();
    let run = call.again().args("init cruddur").passes();
    has(&run.stdout, &["`cruddur` is ready", "cd cruddur", "\n  bootcamp\n"]);
    for path in ["Cargo.toml", "Cargo.lock", "src/main.rs", "bootcamp.toml", ".gitignore"] {
        assert!(run.path("cruddur").join(path).is_file(), "{path}");
    }
    has(&run.read("cruddur/.gitignore"), &["/target", "/.bootcamp"]);
}
