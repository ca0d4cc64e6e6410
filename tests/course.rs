//! The course as it ships, and what an author is told when something is wrong with one.

#![allow(clippy::unwrap_used)]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use bootcamp::check::Points;
use bootcamp::course::{ActionKind, Course, LoadError, Selection, Source, check_schema, diagnosis_schema, probe_schema};
use bootcamp::solution::States;
use miette::{GraphicalReportHandler, GraphicalTheme};
use snapbox::{assert_data_eq, str};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn week2() -> Course {
    Course::load(&Source::Embedded, "week2").unwrap_or_else(|error| panic!("{}", rendered(&error)))
}

/// All problems as a person sees them, without colours.
fn rendered(error: &LoadError) -> String {
    let LoadError::Broken(problems) = error else { return error.to_string() };
    let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor()).with_width(120).with_links(false);
    let mut text = format!("{error}\n");
    for problem in problems.iter() {
        handler.render_report(&mut text, problem).unwrap();
    }
    text
}

#[test]
fn a_hundred_points_and_twenty_more() {
    let course = week2();
    assert_eq!(course.title, "Distributed tracing");
    let mut lessons = String::new();
    for lesson in &course.lessons {
        let checks: usize = lesson.steps.iter().map(|step| step.checks.len()).sum();
        let (points, bonus, steps) = (lesson.points(), lesson.bonus_points(), lesson.steps.len());
        writeln!(lessons, "{} {}: {points} + {bonus} points, {steps} steps, {checks} checks", lesson.number, lesson.id).unwrap();
    }
    assert_data_eq!(
        lessons,
        str![[r#"
1 setup: 10 + 2 points, 5 steps, 23 checks
2 honeycomb: 29 + 0 points, 8 steps, 15 checks
3 x-ray: 29 + 0 points, 10 steps, 20 checks
4 cloudwatch-logs: 17 + 0 points, 6 steps, 9 checks
5 rollbar: 15 + 0 points, 3 steps, 9 checks
6 homework: 0 + 18 points, 6 steps, 10 checks

"#]]
    );
    assert_eq!(course.points(), Points::whole(100));
    assert_eq!(course.bonus_points(), Points::whole(20));
}

#[test]
fn an_outline_is_the_course_without_its_checks() {
    let (course, outline) = (week2(), Course::outline(&Source::Embedded, "week2").unwrap());
    let steps =
        |course: &Course| course.steps().map(|(_, step)| (step.path.clone(), step.points, step.bonus)).collect::<Vec<_>>();
    assert_eq!(steps(&outline), steps(&course));
    assert!(outline.steps().all(|(_, step)| step.checks.is_empty()));
}

#[test]
fn the_shares_of_a_steps_checks_add_up_to_the_step() {
    for (_, step) in week2().steps() {
        assert!(!step.checks.is_empty(), "{} has no checks", step.path);
        assert_eq!(step.checks.iter().map(|check| check.points).sum::<Points>(), step.points, "{}", step.path);
    }
}

#[test]
fn every_step_says_why_and_how_to_see_it() {
    for (_, step) in week2().steps() {
        assert!(step.body.contains("\nSee it: "), "{} does not say how to see it with one's own eyes", step.path);
        let first = step.body.split("\n\n").next().unwrap_or_default();
        assert!(!first.starts_with("```"), "{} begins with code, not with why", step.path);
        let sentences =
            first.split_inclusive(char::is_whitespace).filter(|word| word.trim_end().ends_with(['.', '?', '!'])).count();
        assert!(sentences <= 3, "{} needs {sentences} sentences to say why", step.path);
    }
}

/// A rung asks, or names a place to look; code to copy would be the answer.
#[test]
fn every_step_has_hints_that_climb_and_do_not_give_the_answer_away() {
    for (_, step) in week2().steps() {
        assert!(step.hints.len() >= 2, "{} has {} hints", step.path, step.hints.len());
        for (at, hint) in step.hints.iter().enumerate() {
            let told = format!("{}: the hint “{}”", step.path, hint.summary);
            assert!(!hint.text.contains("```"), "{told} holds code");
            assert!(step.hints[..at].iter().all(|other| other.summary != hint.summary), "{told} is there twice");
        }
    }
}

#[test]
fn every_lesson_says_what_it_costs() {
    for lesson in &week2().lessons {
        assert!(lesson.intro.contains("*What it costs.*"), "`{}` does not say what it costs", lesson.file);
    }
}

/// Who starts from the starter and types what the lessons say gets to the state after each step: a block of the step shows each line
/// that the step brings. Comments may be left out, and `Cargo.lock` is cargo's.
#[test]
fn the_lessons_tell_all_that_a_step_changes() {
    let course = week2();
    let states = States::load(&course, &root()).unwrap();
    let mut untold = String::new();
    for (lesson, step) in course.steps() {
        for change in states.changes(&step.path).iter().filter(|change| change.path != "Cargo.lock") {
            let Some(after) = states.after(&step.path).unwrap().text(&change.path) else {
                assert!(step.body.contains(&change.path), "{} does not say that `{}` goes", step.path, change.path);
                continue;
            };
            let before = states.before(&step.path).unwrap().text(&change.path).unwrap_or_default();
            let count = |text: &str, line: &str| text.lines().filter(|other| other.trim() == line).count();
            let blocks = step.code_blocks.iter().filter(|block| block.file.as_ref() == Some(&change.path));
            let told: Vec<&str> = blocks.flat_map(|block| block.text.lines()).map(str::trim).collect();
            let is_comment = |line: &str| line.starts_with("//") || line == "#" || line.starts_with("# ");
            for line in after.lines().map(str::trim).filter(|line| !line.is_empty() && !is_comment(line)) {
                if count(after, line) > count(before, line) && !told.contains(&line) {
                    writeln!(untold, "{} {}: `{}`: {line}", lesson.file, step.path, change.path).unwrap();
                }
            }
        }
    }
    assert!(untold.is_empty(), "no block shows:\n{untold}");
}

/// A code host does not show what follows a block's language.
#[test]
fn above_each_block_stands_its_file_and_whether_it_is_new() {
    let course = week2();
    let states = States::load(&course, &root()).unwrap();
    for (lesson, step) in course.steps() {
        let text = fs::read_to_string(root().join(&lesson.file)).unwrap();
        for block in &step.code_blocks {
            let Some(file) = &block.file else { continue };
            let known = states.before(&step.path).unwrap().get(file).is_some();
            let caption = if known { format!("`{file}`") } else { format!("`{file}` (new)") };
            let above = text.lines().take(block.line - 1).filter(|line| !line.is_empty()).last();
            assert_eq!(above, Some(caption.as_str()), "{}:{}", lesson.file, block.line);
        }
    }
}

#[test]
fn group_and_sampling_rule_are_declared_as_actions() {
    let course = week2();
    let actions: Vec<_> =
        course.steps().flat_map(|(_, step)| step.actions.iter().map(move |action| (step.path.as_str(), action))).collect();
    let [(group, create_group), (rule, create_rule)] = actions[..] else { panic!("{actions:?}") };
    assert_eq!((group, create_group.kind), ("week2/x-ray/a-group", ActionKind::XrayCreateGroup));
    assert_eq!(create_group.input["FilterExpression"], "service(\"cruddur-backend\")");
    assert_eq!((rule, create_rule.kind), ("week2/x-ray/a-sampling-rule", ActionKind::XrayCreateSamplingRule));
    let file = fs::read_to_string(root().join("solutions/week2/aws/json/xray.json")).unwrap();
    assert_eq!(create_rule.input, serde_json::from_str::<serde_json::Value>(&file).unwrap());
}

#[test]
fn the_schemas_for_editors_are_up_to_date() {
    for (file, schema) in [
        ("checks/schema.json", check_schema()),
        ("checks/probes.schema.json", probe_schema()),
        ("checks/diagnoses.schema.json", diagnosis_schema()),
        ("checks/mistakes.schema.json", bootcamp::author::mistake::schema()),
    ] {
        let text = format!("{}\n", serde_json::to_string_pretty(&schema).unwrap());
        let path = root().join(file);
        if std::env::var_os("SNAPSHOTS").is_some_and(|value| value == "overwrite") {
            fs::write(&path, &text).unwrap();
        }
        let committed = fs::read_to_string(&path).unwrap_or_default();
        assert!(committed == text, "`{file}` is out of date: run `SNAPSHOTS=overwrite cargo test --test course`");
    }
}

#[test]
fn every_check_file_leads_editors_to_its_schema() {
    for (folder, up) in [("checks/week2", "../"), ("checks/week2/diagnoses", "../../"), ("checks/week2/mistakes", "../../")] {
        for entry in fs::read_dir(root().join(folder)).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                continue;
            }
            let schema = match path.file_name().and_then(|name| name.to_str()) {
                _ if folder.ends_with("diagnoses") => "diagnoses.schema.json",
                _ if folder.ends_with("mistakes") => "mistakes.schema.json",
                Some("probes.toml") => "probes.schema.json",
                _ => "schema.json",
            };
            let text = fs::read_to_string(&path).unwrap();
            assert!(text.starts_with(&format!("#:schema {up}{schema}\n")), "{} does not begin with its schema", path.display());
        }
    }
}

#[test]
fn steps_are_selected_by_path_and_by_number() {
    let course = week2();
    let select = |path: &str, step: Option<&str>| {
        let selection = Selection::parse(path, step).map_err(|error| error.to_string())?;
        let steps = course.select(&selection).map_err(|error| error.to_string())?;
        Ok::<_, String>(steps.into_iter().map(|(_, step)| step.path.clone()).collect::<Vec<_>>())
    };
    let rollbar = ["week2/rollbar/the-token", "week2/rollbar/a-message", "week2/rollbar/an-error"];
    assert_eq!(select("week2", None).unwrap().len(), course.steps().count());
    assert_eq!(select("week2/rollbar", None).unwrap(), rollbar);
    assert_eq!(select("week2/5", None).unwrap(), rollbar);
    assert_eq!(select("week2/x-ray/a-group", None).unwrap(), ["week2/x-ray/a-group"]);
    assert_eq!(select("week2", Some("5.3")).unwrap(), ["week2/rollbar/an-error"]);
    assert_eq!(select("week2", Some("an-error")).unwrap(), ["week2/rollbar/an-error"]);
    let messages = [
        select("week2/xray", None),
        select("week2/kubernetes", None),
        select("week2/x-ray/group", None),
        select("week2/rollbar/frontend", None),
        select("week2", Some("9.9")),
        select("week2", Some("three-variables")),
        select("week2/x-ray/a-group", Some("2.3")),
        select("week2/x-ray/a-group/more", None),
    ];
    let messages: Vec<_> = messages.into_iter().map(Result::unwrap_err).collect();
    assert_data_eq!(
        messages.join("\n"),
        str![[r#"
`week2` has no lesson `xray`: did you mean `x-ray`?
`week2` has no lesson `kubernetes`: there are `setup`, `honeycomb`, `x-ray`, `cloudwatch-logs`, `rollbar`, `homework`
`week2/x-ray` has no step `group`: did you mean `a-group`?
`week2/rollbar` has no step `frontend`: there are `the-token`, `a-message`, `an-error`
`week2` has no step `9.9`: `bootcamp list week2` shows what there is
more than one lesson of `week2` has a step `three-variables`: say which, `week2/honeycomb/three-variables`, `week2/cloudwatch-logs/three-variables`
`week2/x-ray/a-group` already names a step: leave `--step 2.3` out
`week2/x-ray/a-group/more` selects nothing: write `week2`, `week2/x-ray` or `week2/x-ray/<step>`
"#]]
    );
}

#[test]
fn a_course_that_is_not_there() {
    let error = |id| Course::load(&Source::Embedded, id).unwrap_err().to_string();
    assert_eq!(error("week3"), "there is no course `week3`: did you mean `week2`?");
    assert_eq!(error("kitchen"), "there is no course `kitchen`: there is `week2`");
}

/// A course in a folder of its own, to break.
struct Broken(tempfile::TempDir);

const LESSON: &str = "\
---
title: First
order: 1
summary: The first lesson.
---

## Answer

Text.

**Verify** · 4 points
- [ ] `answers` it answers
";
const CHECKS: &str = "\
[answers]
probe = \"home\"
fix = \"Answer.\"
[answers.expect.http-response]
status = 200
";
const PROBES: &str = "\
[home]
path = \"/\"
";

impl Broken {
    fn new() -> Self {
        let broken = Self(tempfile::tempdir().unwrap());
        broken
            .write("lessons/demo/1-first.md", LESSON)
            .write("checks/demo/first.toml", CHECKS)
            .write("checks/demo/probes.toml", PROBES)
    }

    fn write(self, path: &str, text: impl AsRef<[u8]>) -> Self {
        let path = self.0.path().join(path);
        fs::create_dir_all(path.parent().unwrap_or(Path::new("."))).unwrap();
        fs::write(path, text).unwrap();
        self
    }

    fn load(&self) -> Result<Course, LoadError> {
        Course::load(&Source::of(self.0.path()), "demo")
    }

    #[track_caller]
    fn problems(&self) -> String {
        rendered(&self.load().expect_err("the course was taken"))
    }
}

#[test]
fn the_course_that_is_broken_below_is_sound() {
    let course = Broken::new().load().unwrap();
    assert_eq!(course.steps().map(|(_, step)| step.path.as_str()).collect::<Vec<_>>(), ["demo/first/answer"]);
}

#[test]
fn mistakes_in_checks() {
    let checks = r#"[answers]
probe = "hme"
fix = "Answer."
[answers.expect.http-respons]
status = 200

[twice]
fix = 3
[twice.expect.variable]
name = "A"

[unlisted]
fix = "List it."
[unlisted.expect.honeycomb-span]
name = { contain = "x" }

[probeless]
fix = "Name one."
[probeless.expect.honeycomb-span]
"#;
    assert_data_eq!(
        Broken::new().write("checks/demo/first.toml", checks).problems(),
        str![[r#"
the course `demo` has 7 problems
  × the check `answers` expects the unknown kind `http-respons`
   ╭─[checks/demo/first.toml:4:17]
 3 │ fix = "Answer."
 4 │ [answers.expect.http-respons]
   ·                 ──────┬─────
   ·                       ╰── no such kind
 5 │ status = 200
   ╰────
  help: did you mean `http-response`?
  × no step lists the check `twice`
   ╭─[checks/demo/first.toml:7:2]
 6 │ 
 7 │ [twice]
   ·  ──┬──
   ·    ╰── never judged
 8 │ fix = 3
   ╰────
  help: add it to a step of the lesson `first`: - [ ] `twice` what must be seen
  × the check `twice`: invalid type: integer `3`, expected a string
   ╭─[checks/demo/first.toml:8:7]
 7 │ [twice]
 8 │ fix = 3
   ·       ┬
   ·       ╰── here
 9 │ [twice.expect.variable]
   ╰────
  × no step lists the check `unlisted`
    ╭─[checks/demo/first.toml:12:2]
 11 │ 
 12 │ [unlisted]
    ·  ────┬───
    ·      ╰── never judged
 13 │ fix = "List it."
    ╰────
  help: add it to a step of the lesson `first`: - [ ] `unlisted` what must be seen
  × the check `unlisted` has the unknown field `contain`
    ╭─[checks/demo/first.toml:15:10]
 14 │ [unlisted.expect.honeycomb-span]
 15 │ name = { contain = "x" }
    ·          ───┬───
    ·             ╰── no such field here
 16 │ 
    ╰────
  help: did you mean `contains`?
  × the check `probeless` names no probe
    ╭─[checks/demo/first.toml:17:2]
 16 │ 
 17 │ [probeless]
    ·  ────┬────
    ·      ╰── `honeycomb-span` is judged by what a probe brings about
 18 │ fix = "Name one."
    ╰────
  help: add `probe = "…"`, with a name that `probes.toml` defines
  × no step lists the check `probeless`
    ╭─[checks/demo/first.toml:17:2]
 16 │ 
 17 │ [probeless]
    ·  ────┬────
    ·      ╰── never judged
 18 │ fix = "Name one."
    ╰────
  help: add it to a step of the lesson `first`: - [ ] `probeless` what must be seen

"#]]
    );
}

#[test]
fn a_check_is_implied_by_an_earlier_step() {
    let second = LESSON.replace("order: 1", "order: 2").replace("`answers`", "`again`").replace("## Answer", "## Answer twice");
    let implied_by = |step: &str| {
        let checks = CHECKS.replace("[answers", "[again").replace("fix", &format!("implied-by = \"{step}\"\nfix"));
        Broken::new().write("lessons/demo/2-second.md", &second).write("checks/demo/second.toml", checks)
    };
    let course = implied_by("first/answer").load().unwrap();
    let implied: Vec<_> = course.steps().map(|(_, step)| step.checks[0].check.implied_by.as_deref()).collect();
    assert_eq!(implied, [None, Some("first/answer")]);
    assert_data_eq!(
        [implied_by("second/answer-twice").problems(), implied_by("first/anser").problems()].concat(),
        str![[r#"
the course `demo` has a problem
  × the check `again` is implied by `second/answer-twice`, which does not come before it
   ╭─[checks/demo/second.toml:3:14]
 2 │ probe = "home"
 3 │ implied-by = "second/answer-twice"
   ·              ──────────┬──────────
   ·                        ╰── no earlier step
 4 │ fix = "Answer."
   ╰────
  help: name the earlier step that makes it hold, or remove the field
the course `demo` has a problem
  × the check `again` is implied by the unknown step `first/anser`
   ╭─[checks/demo/second.toml:3:14]
 2 │ probe = "home"
 3 │ implied-by = "first/anser"
   ·              ──────┬──────
   ·                    ╰── no such step
 4 │ fix = "Answer."
   ╰────
  help: did you mean `first/answer`?

"#]]
    );
}

#[test]
fn mistakes_in_probes_and_in_what_rests_on_them() {
    let broken = Broken::new()
        .write("checks/demo/probes.toml", "[home]\npath = \"/\"\nmethd = \"GET\"\n\n[idle]\npath = \"idle\"\n")
        .write("checks/demo/first.toml", CHECKS.replace("\"home\"", "\"hme\""));
    assert_data_eq!(
        broken.problems(),
        str![[r#"
the course `demo` has 5 problems
  × the check `answers` rests on the unknown probe `hme`
   ╭─[checks/demo/first.toml:2:9]
 1 │ [answers]
 2 │ probe = "hme"
   ·         ──┬──
   ·           ╰── no such probe
 3 │ fix = "Answer."
   ╰────
  help: did you mean `home`?
  × no check rests on the probe `home`
   ╭─[checks/demo/probes.toml:1:2]
 1 │ [home]
   ·  ──┬─
   ·    ╰── never sent
 2 │ path = "/"
   ╰────
  help: use it in a check, or remove it
  × the probe `home` has the unknown field `methd`
   ╭─[checks/demo/probes.toml:3:1]
 2 │ path = "/"
 3 │ methd = "GET"
   · ──┬──
   ·   ╰── no such field here
 4 │ 
   ╰────
  help: did you mean `method`?
  × the probe `idle` has the path `idle`
   ╭─[checks/demo/probes.toml:5:2]
 4 │ 
 5 │ [idle]
   ·  ──┬─
   ·    ╰── a path begins with a slash
 6 │ path = "idle"
   ╰────
  help: write `path = "/idle"`
  × no check rests on the probe `idle`
   ╭─[checks/demo/probes.toml:5:2]
 4 │ 
 5 │ [idle]
   ·  ──┬─
   ·    ╰── never sent
 6 │ path = "idle"
   ╰────
  help: use it in a check, or remove it

"#]]
    );
}

#[test]
fn toml_that_defines_a_check_twice() {
    assert_data_eq!(
        Broken::new().write("checks/demo/first.toml", format!("{CHECKS}[answers]\n")).problems(),
        str![[r#"
the course `demo` has a problem
  × `answers` is defined twice
   ╭─[checks/demo/first.toml:6:2]
 5 │ status = 200
 6 │ [answers]
   ·  ───┬───
   ·     ╰── the second time
   ╰────
  help: rename one of the two, or remove it

"#]]
    );
}

#[test]
fn toml_that_is_none() {
    assert_data_eq!(
        Broken::new().write("checks/demo/first.toml", CHECKS.replace("\"Answer.\"", "\"Answer.")).problems(),
        str![[r#"
the course `demo` has a problem
  × this is not TOML: invalid basic string, expected `"`
   ╭─[checks/demo/first.toml:3:15]
 2 │ probe = "home"
 3 │ fix = "Answer.
   ·               ▲
   ·               ╰── here
 4 │ [answers.expect.http-response]
   ╰────

"#]]
    );
}

#[test]
fn mistakes_in_a_lesson() {
    let lesson = r"---
title: First
ordr: 1
summary: The first lesson.
---

## Answer

```rust fiel=src/main.rs
```

**Verify** · four points
- [ ] `answer` it answers
- [ ] it answers well

## Answer

**Verify** · 4 points
- [ ] `answers` it answers
- [ ] `answers` and again

## Nothing to do
";
    assert_data_eq!(
        Broken::new().write("lessons/demo/1-first.md", lesson).problems(),
        str![[r#"
the course `demo` has 8 problems
  × the front matter has the unknown field `ordr`
   ╭─[lessons/demo/1-first.md:3:1]
 2 │ title: First
 3 │ ordr: 1
   · ───┬───
   ·    ╰── no such field
 4 │ summary: The first lesson.
   ╰────
  help: did you mean `order`?
  × a code block has no attribute `fiel`
    ╭─[lessons/demo/1-first.md:9:9]
  8 │ 
  9 │ ```rust fiel=src/main.rs
    ·         ────────┬───────
    ·                 ╰── here
 10 │ ```
    ╰────
  help: did you mean `file`?
  × this step does not say what it is worth
    ╭─[lessons/demo/1-first.md:12:1]
 11 │ 
 12 │ **Verify** · four points
    · ────────────┬───────────
    ·             ╰── no points can be read here
 13 │ - [ ] `answer` it answers
    ╰────
  help: write `**Verify** · 4 points` or `**Verify** · 2 bonus points`, alone in its paragraph
  × the check `answer` is not defined
    ╭─[lessons/demo/1-first.md:13:7]
 12 │ **Verify** · four points
 13 │ - [ ] `answer` it answers
    ·       ────┬───
    ·           ╰── no such check
 14 │ - [ ] it answers well
    ╰────
  help: did you mean `answers`?
  × this item names no check
    ╭─[lessons/demo/1-first.md:14:1]
 13 │ - [ ] `answer` it answers
 14 │ - [ ] it answers well
    · ──────────┬──────────
    ·           ╰── an item begins with the check's id in backticks
 15 │ 
    ╰────
  help: write: - [ ] `id` what must be seen
  × two steps of this lesson have the id `answer`
    ╭─[lessons/demo/1-first.md:16:1]
 15 │ 
 16 │ ## Answer
    · ────┬────
    ·     ╰── the second one
 17 │ 
    ╰────
  help: the first one is in line 7; name this one: `## Answer {#another-id}`
  × the check `answers` is listed a second time
    ╭─[lessons/demo/1-first.md:20:7]
 19 │ - [ ] `answers` it answers
 20 │ - [ ] `answers` and again
    ·       ────┬────
    ·           ╰── here again
 21 │ 
    ╰────
  help: it is already listed in `lessons/demo/1-first.md`, line 19; a check belongs to one step
  × the step `nothing-to-do` has no checks
    ╭─[lessons/demo/1-first.md:22:1]
 21 │ 
 22 │ ## Nothing to do
    · ────────┬───────
    ·         ╰── nothing can fail here
    ╰────
  help: end the step with `**Verify** · 4 points` and a list: - [ ] `id` what must be seen

"#]]
    );
}

#[test]
fn lessons_and_check_files_that_do_not_belong_together() {
    let broken = Broken::new()
        .write("lessons/demo/2-second.md", LESSON.replace("title: First", "title: Second").replace("`answers`", "`others`"))
        .write("checks/demo/frist.toml", CHECKS)
        .write("lessons/demo/3-third.md", b"---\ntitle: \xff\n---\n");
    assert_data_eq!(
        broken.problems(),
        str![[r#"
the course `demo` has 5 problems
  × there is no lesson `frist` to which these checks could belong
   ╭─[checks/demo/frist.toml:1:1]
 1 │ [answers]
   · ▲
   · ╰── this file
 2 │ probe = "home"
   ╰────
  help: did you mean `first.toml`?
  × the check `answers` is defined a second time
   ╭─[checks/demo/frist.toml:1:2]
 1 │ [answers]
   ·  ───┬───
   ·     ╰── ids are unique in a course
 2 │ probe = "home"
   ╰────
  help: it is already defined in `checks/demo/first.toml`, line 1
  × two lessons have the order 1
   ╭─[lessons/demo/2-second.md:1:1]
 1 │ ---
   · ─┬─
   ·  ╰── in this file
 2 │ title: Second
   ╰────
  help: the other one is `lessons/demo/1-first.md`
  × the check `others` is not defined
    ╭─[lessons/demo/2-second.md:12:7]
 11 │ **Verify** · 4 points
 12 │ - [ ] `others` it answers
    ·       ────┬───
    ·           ╰── no such check
    ╰────
  help: write `checks/demo/second.toml` and define `[others]` in it
  × the file is not UTF-8
   ╭─[lessons/demo/3-third.md:2:8]
 1 │ ---
 2 │ title: �
   ·        ┬
   ·        ╰── this byte is part of no character
   ╰────
  help: save it as UTF-8

"#]]
    );
}
