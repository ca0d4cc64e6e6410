//! Every state builds from its lock, is formatted, passes clippy with warnings denied, and passes its own tests, which ask every
//! endpoint that it has.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use bootcamp::solution::Tree;

use crate::{all, lay_out, repository, week2};

/// Where the dependencies are built, apart from the states: `STATES_TARGET_DIR`, else where those of the reference are.
fn target_dir() -> PathBuf {
    std::env::var_os("STATES_TARGET_DIR").map_or_else(|| repository("target/solutions/week2"), PathBuf::from)
}

/// All states in one folder, in turn: cargo builds what differs from the state before, and nothing twice.
#[test]
#[ignore = "builds every state: minutes"]
fn build() {
    let states = week2();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("states/week2");
    let mut last: Option<&Tree> = None;
    let mut failures = Vec::new();
    for (name, tree) in all(&states) {
        if last.replace(tree).is_some_and(|before| before == tree) {
            continue;
        }
        lay_out(tree, &folder);
        let began = Instant::now();
        let before = failures.len();
        for arguments in [
            &["fmt", "--check"][..],
            &["clippy", "--quiet", "--locked", "--all-targets", "--", "-D", "warnings"],
            &["test", "--quiet", "--locked"],
        ] {
            let output = Command::new(env!("CARGO"))
                .args(arguments)
                .current_dir(&folder)
                .env("CARGO_TARGET_DIR", target_dir())
                .output()
                .unwrap();
            if !output.status.success() {
                let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
                failures.push(format!("--- {name}: cargo {}\n{}", arguments.join(" "), said.concat()));
            }
        }
        let verdict = if failures.len() == before { "ok" } else { "FAILED" };
        println!("{verdict:6} {:6.1} s  {name}", began.elapsed().as_secs_f64());
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}
