//! A course proves itself, and what it cannot prove is told: with a course that has nothing to do with week 2.

use crate::mini;
use crate::support::{Bootcamp, has};

fn prove(call: &Bootcamp) -> Bootcamp {
    call.again().args("author prove mini --timeout 1s --quiet")
}

#[test]
fn every_step_is_worth_its_points() {
    let checkout = mini::checkout();
    let run = prove(&checkout).passes();
    has(&run.stdout, &["mini/first/an-answer", "mini/first/a-name", "2 of 2 steps are proved"]);

    // A check that holds already and does not say why.
    let silent = checkout.again().edit("checks/mini/first.toml", "implied-by = \"first/an-answer\"\n", "");
    let run = prove(&silent).fails_with(4);
    has(&run.stdout, &["`still-answers` passes before the step: say with `implied-by`", "1 of 2 steps are proved"]);
    // Only what was asked for is proved.
    has(&prove(&silent).args("--step first/an-answer --folder bench").passes().stdout, &["1 of 1 steps are proved"]);

    // A check that says so, and does not hold.
    let wrong = silent.again().edit(
        "checks/mini/first.toml",
        "[named-in-compose]\n",
        "[named-in-compose]\nimplied-by = \"first/an-answer\"\n",
    );
    has(
        &prove(&wrong).fails_with(4).stdout,
        &["`named-in-compose` is said to be implied by `first/an-answer`, and is failed before the step"],
    );

    // A step that breaks what an earlier one brought.
    let broken = mini::checkout().edit("solutions/mini/src/main.rs", "format!(\"hello, {name}\")", "format!(\"hullo, {name}\")");
    has(
        &prove(&broken).fails_with(4).stdout,
        &["`named` is failed after the step", "`answers` of an earlier step is failed after this one"],
    );
}

#[test]
fn every_mistake_is_named_right() {
    let checkout = mini::checkout();
    let run = prove(&checkout).arg("--mistakes").passes();
    has(&run.stdout, &["2 of 2 mistakes are named right", "name-not-given", "answers-with-an-error"]);

    // What breaks besides, and what does not break, is told.
    let besides = checkout
        .again()
        .write("checks/mini/mistakes/misspelt.toml", mini::MISSPELT.replace("[\"named\", ", "[\"still-answers\", "));
    let run = prove(&besides).arg("--mistakes").fails_with(4);
    has(
        &run.stdout,
        &["`named` should be passed, and is failed", "`still-answers` should be failed, and is passed", "1 of 2 mistakes"],
    );

    // A wrong name, and a rule that no mistake shows.
    let other = checkout
        .again()
        .write("checks/mini/mistakes/misspelt.toml", mini::MISSPELT.replace("\"name-not-given\"", "\"answers-with-an-error\""));
    let run = prove(&other).arg("--mistakes").fails_with(4);
    has(
        &run.stdout,
        &[
            "`named` is explained by name-not-given, not by answers-with-an-error",
            "no mistake shows that these are right: name-not-given",
        ],
    );
}

#[test]
fn a_mistake_that_cannot_be_made_is_an_authors_error() {
    let call =
        |from: &str, to: &str| mini::checkout().write("checks/mini/mistakes/misspelt.toml", mini::MISSPELT.replace(from, to));
    for (from, to, fragments) in [
        ("NAME: Ada", "NAME: Eve", ["this text stands 0 times in `docker-compose.yml`", "checks/mini/mistakes/misspelt.toml:8"]),
        ("\"named\", ", "\"nmaed\", ", ["no check of a step that is done is called `nmaed`", "misspelt.toml:3"]),
        ("= \"name-not-given\"", "= \"name-given\"", ["the course has no diagnosis `name-given`", "misspelt.toml:4"]),
        ("[[change]]", "on = \"first/a-nmae\"\n[[change]]", ["the course has no step `first/a-nmae`", "misspelt.toml:6"]),
        ("title =", "titel =", ["unknown field `titel`", "misspelt.toml:2"]),
    ] {
        let run = prove(&call(from, to)).arg("--mistakes").fails_with(4);
        has(&run.stderr, &fragments);
    }
    let run = prove(&mini::checkout()).args("--mistakes --only mispelt").fails_with(2);
    has(&run.stderr, &["the course has no mistake `mispelt`; did you mean `misspelt`?"]);
}
