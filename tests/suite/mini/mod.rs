//! A course with a solution of its own, of two steps: a service of the standard library alone, which builds in a second.

use crate::support::Bootcamp;

const LESSON: &str = "\
---
title: First
order: 1
summary: A service that says hello.
---

Hello comes first.

## An answer

A service that answers can be asked. See it: `curl localhost:4567`.

**Verify** · 2 points
- [ ] `answers` it answers with a hello

## A name

A hello without a name is for nobody. See it: `curl localhost:4567`.

**Verify** · 3 points
- [ ] `named` it greets Ada by name
- [ ] `named-in-compose` the name stands in the compose file
- [ ] `still-answers` it still says hello
";

const CHECKS: &str = r#"
[answers]
probe = "hello"
fix = "Answer with 200."
[answers.expect.http-response]
status = 200
body = { contains = "hello" }

[named]
probe = "hello"
fix = "Read `NAME`."
[named.expect.http-response]
body = "hello, Ada"

[named-in-compose]
fix = "Set `NAME` in the compose file."
[named-in-compose.expect.yaml-file]
path = "docker-compose.yml"
[named-in-compose.expect.yaml-file.values]
"services.backend.environment.NAME" = { exists = true }

[still-answers]
probe = "hello"
fix = "Answer with 200."
implied-by = "first/an-answer"
[still-answers.expect.http-response]
status = 200
"#;

const RULES: &str = r#"
[name-not-given]
explains = ["http", "files"]
cause = "Compose does not give the service a `NAME`."
fix = "Set `NAME` under the service's `environment`."
lesson = "first/a-name"
when = [{ composed = { name = "NAME", is = "missing" } }, { failing = { expected = { matches = "Ada|NAME" } } }]

[answers-with-an-error]
explains = ["http-response"]
cause = "The service answers every request with an error."
fix = "Answer with 200."
lesson = "first/an-answer"
when = [{ unmet = { probe = "hello", expect = { http-response = { status = 200 } } } }]
"#;

/// The change of a mistake, and what it says of itself.
pub const MISSPELT: &str = r#"
title = "The variable is misspelt"
fails = ["named", "named-in-compose"]
diagnosis = "name-not-given"

[[change]]
file = "docker-compose.yml"
find = "NAME: Ada"
replace = "NAEM: Ada"
"#;

const REFUSES: &str = r#"
title = "Every request is refused"
on = "first/an-answer"
fails = ["answers"]
diagnosis = "answers-with-an-error"

[[change]]
file = "src/main.rs"
find = '"200 OK"'
replace = '"500 Oh No"'
"#;

const COMPOSE: &str = "\
services:
  backend:
    image: mini
    environment:
      PLACE: here
      NAME: Ada #@ since first/a-name
";

/// A checkout that holds the course and its solution.
pub fn checkout() -> Bootcamp {
    Bootcamp::new()
        .write("lessons/mini/README.md", "# A mini course\n\nTwo steps.\n")
        .write("lessons/mini/1-first.md", LESSON)
        .write("checks/mini/probes.toml", "[hello]\npath = \"/\"\n")
        .write("checks/mini/first.toml", CHECKS)
        .write("checks/mini/diagnoses/1-first.toml", RULES)
        .write("checks/mini/mistakes/misspelt.toml", MISSPELT)
        .write("checks/mini/mistakes/refuses.toml", REFUSES)
        .write(
            "solutions/mini/Cargo.toml",
            "[workspace]\n\n[package]\nname = \"mini\"\nversion = \"0.1.0\"\nedition = \"2024\"\n",
        )
        .write("solutions/mini/Cargo.lock", "version = 4\n\n[[package]]\nname = \"mini\"\nversion = \"0.1.0\"\n")
        .write(
            "solutions/mini/bootcamp.toml",
            "course = \"mini\"\n\n[service]\nname = \"backend\"\nurl = \"http://127.0.0.1:4567\"\nhealth = \"/\"\n",
        )
        .write("solutions/mini/docker-compose.yml", COMPOSE)
        .file("solutions/mini/src/main.rs", "tests/suite/mini/main.rs")
        // Cargo and rustc are found by what rustup keeps in the real home.
        .env("RUSTUP_HOME", home("RUSTUP_HOME", ".rustup"))
        .env("CARGO_HOME", home("CARGO_HOME", ".cargo"))
}

fn home(variable: &str, folder: &str) -> String {
    std::env::var(variable).unwrap_or_else(|_| format!("{}/{folder}", std::env::var("HOME").unwrap()))
}
