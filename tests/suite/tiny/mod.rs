//! A course with one check of each kind (but for containers), and a workspace in which the stand-in passes all of them.

use crate::standin;
use crate::support::{Bootcamp, free_port};

/// Secrets of the workspace, in forms that the sandbox takes for the learner's own.
pub const HONEYCOMB_KEY: &str = "aZ3456789012345678901X";
pub const AWS_SECRET: &str = "tinySecretAccessKey/+0123456789abcdefghij";
pub const ROLLBAR_TOKEN: &str = "0123456789abcdef0123456789abcdef";

/// The checks of the tiny course.
pub const CHECKS: usize = 23;

/// A course and a stand-in that is made as it asks.
pub fn workspace() -> Bootcamp {
    let words: Vec<String> = standin::command().iter().map(|word| format!("{word:?}")).collect();
    let manifest = format!(
        "course = \"tiny\"\n\n[service]\nurl = \"http://127.0.0.1:{}\"\nname = \"app\"\nhealth = \"/up\"\nrun = [{}]\n",
        free_port(),
        words.join(", ")
    );
    let call = Bootcamp::new()
        .write("bootcamp.toml", manifest)
        .write("notes.txt", "notes on the tiny course\n")
        .write("settings.toml", "[[things]]\nname = \"first\"\nweight = 3\n\n[[things]]\nname = \"second\"\n")
        .write("rule.json", "{\n  \"SamplingRule\": {\n    \"RuleName\": \"Tiny\",\n    \"FixedRate\": 0.5\n  }\n}\n")
        .write(".env", format!("TINY_MODE=plain\nROLLBAR_ACCESS_TOKEN={ROLLBAR_TOKEN}\n"))
        .env("HONEYCOMB_API_KEY", HONEYCOMB_KEY)
        .env("AWS_ACCESS_KEY_ID", "AKIDTINY")
        .env("AWS_SECRET_ACCESS_KEY", AWS_SECRET)
        .file("docker-compose.yml", "tests/suite/tiny/docker-compose.yml");
    course(call)
}

/// The tiny course alone.
pub fn course(call: Bootcamp) -> Bootcamp {
    let lessons = ["README.md", "1-folder.md", "2-vendors.md"];
    let checks = ["probes.toml", "folder.toml", "vendors.toml"];
    let call = lessons
        .iter()
        .fold(call, |call, name| call.file(&format!("lessons/tiny/{name}"), &format!("tests/suite/tiny/lessons/{name}")));
    checks.iter().fold(call, |call, name| call.file(&format!("checks/tiny/{name}"), &format!("tests/suite/tiny/checks/{name}")))
}

/// Where the workspace's service listens.
pub fn port(call: &Bootcamp) -> u16 {
    let manifest = std::fs::read_to_string(call.workspace().join("bootcamp.toml")).unwrap();
    let rest = manifest.split("http://127.0.0.1:").nth(1).unwrap();
    rest.split('"').next().unwrap().parse().unwrap()
}

/// The tiny course with a solution: what `init`, `solution` and `verify --solution=…` work from.
pub fn solved() -> Bootcamp {
    let manifest = "course = \"tiny\"\n\n[service]\nname = \"app\"\nhealth = \"/up\"\nbuild = [\"true\"]\nrun = [\"true\"]\n";
    let main = "\
//! The tiny service.

fn main() {
    //@ since vendors/the-answer
    //~ println!(\"nothing yet\");
    println!(\"things\");
    //@ end
    //@ since vendors/spans
    let span = trace(\"server\");
    span.set(\"count\", 3);
    //@ end
}
//@ since vendors/spans

mod trace;
//@ end
";
    let states = "[files]\n\"notes.txt\" = \"folder/files\"\n\"rule.json\" = \"folder/files\"\n";
    let settings = "#@ file since folder/files\n[[things]]\nname = \"first\"\nweight = 3\n\n[[things]]\nname = \"second\"\n";
    let files = [
        ("bootcamp.toml", manifest),
        ("Cargo.toml", "[workspace]\n\n[package]\nname = \"tiny\"\nversion = \"0.1.0\"\nedition = \"2024\"\n"),
        (".gitignore", "/target\n/.bootcamp\n"),
        (".env", "#@ since folder/files\nTINY_MODE=plain\n#@ end\n"),
        ("src/main.rs", main),
        ("src/trace.rs", "//@ file since vendors/spans\n//! Spans by hand.\n"),
        ("src/plan.md", "to be removed by hand\n"),
        ("states.toml", states),
        ("notes.txt", "notes on the tiny course\n"),
        ("rule.json", "{ \"SamplingRule\": { \"RuleName\": \"Tiny\", \"FixedRate\": 0.5 } }\n"),
        ("settings.toml", settings),
    ];
    let call = course(Bootcamp::new()).file("solutions/tiny/docker-compose.yml", "tests/suite/tiny/docker-compose.yml");
    files.iter().fold(call, |call, (path, text)| call.write(&format!("solutions/tiny/{path}"), text))
}
