use std::collections::BTreeSet;

use console::{measure_text_width, strip_ansi_codes};
use proptest::prelude::*;

use super::*;
use crate::guide::tests::{at_two, begun, does, failed, messages, passed, planned, ran, setup};
use crate::guide::{Command, Message, Solution};
use crate::progress::{Change, Progress};
use crate::report::Look;

const BARE: Look = Look { width: 60, ..Look::BARE };

/// At a guide, all of whose words so far were heard.
fn heard(guide: &Guide) -> Telling {
    let mut telling = Telling::new(BARE);
    let _ = telling.tell(guide);
    telling
}

fn command(word: &str, guide: &Guide) -> Result<Option<Command>, String> {
    asked(word, guide).map(|asked| match asked {
        Some(Asked::Message(Message::Command(command))) => Some(command),
        None => None,
        other => panic!("{other:?}"),
    })
}

#[test]
fn words_and_keys_are_obeyed_however_they_are_written() {
    let guide = begun();
    for (word, means) in [
        ("next", Command::Next),
        (" Next \r\n", Command::Next),
        ("n", Command::Next),
        ("r", Command::Restart),
        ("R", Command::Recheck),
        ("RECHECK", Command::Recheck),
        ("x", Command::Skip),
        ("?", Command::Help),
        ("help", Command::Help),
        ("quit", Command::Quit),
        ("a", Command::Apply),
        ("output", Command::Output),
    ] {
        assert_eq!(command(word, &guide), Ok(Some(means)), "{word}");
    }
    assert_eq!(command(" \t\n", &guide), Ok(None));
    assert!(matches!(asked("show", &guide), Ok(Some(Asked::Show))));
    assert!(matches!(asked("C", &guide), Ok(Some(Asked::Copy))));
    for step in ["1.2", "two", "demo/first/two", "step 1.2", "go to two"] {
        assert!(matches!(asked(step, &guide), Ok(Some(Asked::Message(Message::Chosen(1))))), "{step}");
    }
}

#[test]
fn what_is_no_word_is_answered_with_the_nearest() {
    let guide = begun();
    let said = |word: &str| asked(word, &guide).unwrap_err();
    assert_eq!(said("solutoin"), "`solutoin` is no word here; did you mean `solution`? `help` has them all");
    assert_eq!(said("thre"), "`thre` is no word here; did you mean `three`? `help` has them all");
    assert_eq!(said("xyzzy"), "`xyzzy` is no word here; `help` has them all");
    assert_eq!(said("1.9"), "there is no step `1.9`; `list` shows them all");
    assert_eq!(said("demo/first/nine"), "there is no step `demo/first/nine`; `list` shows them all");
    // What the screen alone has is no word.
    assert!(asked("tab", &guide).is_err() && asked("other side", &guide).is_err());
    assert!(!said("\u{1b}[2J\u{202e}oops").contains(['\u{1b}', '\u{202e}']));
}

#[test]
fn checks_are_told_in_the_lessons_order_and_each_once() {
    let mut guide = at_two();
    let mut telling = heard(&guide);
    planned(&mut guide);
    let settled = |check: &str| crate::verify::Judgement { check: check.into(), outcome: passed(), after_ms: 1 };
    let run = guide.run.as_ref().unwrap().id;
    // The second one is settled first.
    guide.update(Message::Run { run, event: crate::verify::Event::Judged(settled("also-set")) });
    assert_eq!(telling.tell(&guide), "");
    guide.update(Message::Run { run, event: crate::verify::Event::Judged(settled("answers")) });
    assert_eq!(telling.tell(&guide), "Passed: it answers\nPassed: it is set, too\n");
    assert_eq!(telling.tell(&guide), "");
    guide.update(Message::Run { run, event: crate::verify::Event::Finished(Box::default()) });
    let end = "Step 1.2 is passed: 3 points. You have 5 of 6 points.\nType `next` to go on.\n";
    assert_eq!(telling.tell(&guide), end);
    // Once more, and it is as it was.
    does(&mut guide, Command::Verify);
    assert_eq!(telling.tell(&guide), "Looking at step 1.2.\n");
    ran(&mut guide, &[("answers", passed()), ("also-set", passed())]);
    assert_eq!(telling.tell(&guide), "This step is passed, as before.\n");
}

#[test]
fn a_second_look_repeats_nothing_and_what_comes_late_is_told() {
    let mut guide = at_two();
    let mut telling = heard(&guide);
    ran(&mut guide, &[("answers", failed()), ("also-set", passed())]);
    let first = telling.tell(&guide);
    assert!(first.contains("Not yet: it answers\n  Expected: this\n  Found: that\n  Fix: F\n"), "{first}");
    assert!(first.ends_with("Looking once more, for it may only be late.\n") && !first.contains("not done yet"), "{first}");
    ran(&mut guide, &[("answers", passed()), ("also-set", passed())]);
    let second = telling.tell(&guide);
    assert!(second.starts_with("Passed: it answers\nStep 1.2 is passed: 3 points."), "{second}");
    assert!(!second.contains("it is set, too"), "{second}");
}

#[test]
fn what_is_still_not_done_after_a_save_is_told_in_short() {
    let mut guide = at_two();
    let mut telling = heard(&guide);
    // A request that is answered wrongly is given a second look; a variable is not.
    ran(&mut guide, &[("answers", passed()), ("also-set", failed())]);
    assert!(telling.tell(&guide).contains("Save a file, and it is looked at again;"));
    guide.update(Message::Saved(BTreeSet::from(["src/main.rs".into(), "Cargo.toml".into(), "a".into()])));
    assert_eq!(telling.tell(&guide), "Saved Cargo.toml and 2 more: looking again.\n");
    ran(&mut guide, &[("set", passed()), ("answers", passed()), ("also-set", failed())]);
    assert_eq!(telling.tell(&guide), "Still not: it is set, too\nStep 1.2 is not done yet: 1 of 2 checks are met.\n");
}

#[test]
fn a_step_that_breaks_is_warned_of_and_what_holds_is_counted() {
    let mut guide = at_two();
    ran(&mut guide, &[("answers", passed()), ("also-set", passed())]);
    let mut telling = heard(&guide);
    guide.update(Message::Saved(BTreeSet::from(["a".into()])));
    ran(&mut guide, &[("set", failed()), ("answers", passed()), ("also-set", passed())]);
    let told = telling.tell(&guide);
    assert!(told.contains("Warning: 1.1 One held before, and does not any more\n"), "{told}");
    does(&mut guide, Command::Recheck);
    let _ = telling.tell(&guide);
    ran(&mut guide, &[("set", passed()), ("answers", passed()), ("also-set", passed())]);
    let told = telling.tell(&guide);
    assert!(told.contains("The other one holds.\n") && told.contains("Good: 1.1 One holds again\n"), "{told}");
}

#[test]
fn what_a_build_says_is_told_from_its_first_error_and_once() {
    let mut guide = begun();
    let mut telling = heard(&guide);
    let mut fails = |guide: &mut Guide| {
        planned(guide);
        let run = guide.run.as_ref().unwrap().id;
        let output: Vec<String> = std::iter::once("   Compiling demo v0.1.0".to_owned())
            .chain((0..70).map(|line| format!("error: {line}\u{1b}[0m")))
            .collect();
        let mut told = String::new();
        for event in [
            crate::verify::Event::Stage(crate::verify::Stage::Building),
            crate::verify::Event::ServiceFailed { cause: "C".into(), remedy: "R".into(), output },
        ] {
            guide.update(Message::Run { run, event });
            told.push_str(&telling.tell(guide));
        }
        told
    };
    let told = fails(&mut guide);
    assert!(told.starts_with("Building your service.\nYour service does not build: C\n  error: 0\n"), "{told}");
    assert!(told.ends_with("  error: 59\n  And 10 more lines: `output` shows all of them.\n  Fix: R\n"), "{told}");
    does(&mut guide, Command::Restart);
    assert!(fails(&mut guide).ends_with("Your service does not build: C\n  For the same reason as before.\n  Fix: R\n"));
}

#[test]
fn a_long_build_is_announced_once() {
    let mut guide = begun();
    let mut telling = heard(&guide);
    let run = guide.run.as_ref().unwrap().id;
    guide.update(Message::Run { run, event: crate::verify::Event::Stage(crate::verify::Stage::Building) });
    let mut told = telling.tell(&guide);
    for line in 0..50 {
        guide.update(Message::Run { run, event: crate::verify::Event::BuildLine(format!("   Compiling crate-{line} v1.0.0")) });
        told.push_str(&telling.tell(&guide));
    }
    assert_eq!(told, "Building your service.\nWhat it depends on is built, too: the first time, this takes\na while.\n");
}

#[test]
fn last_words_are_told_also_when_they_come_late() {
    let mut guide = begun();
    ran(&mut guide, &[("set", passed())]);
    let mut telling = heard(&guide);
    guide.update(Message::ServiceEnded("it ended".into()));
    assert!(telling.tell(&guide).starts_with("Your service is not up: it ended\n  Fix: "));
    guide.update(Message::ServicePrinted(vec!["".into(), "the heap is gone".into()]));
    assert_eq!(telling.tell(&guide), "It printed last:\n  the heap is gone\n");
    guide.update(Message::ServicePrinted(vec!["the heap is gone".into(), "more".into()]));
    assert_eq!(telling.tell(&guide), "");
}

#[test]
fn lessons_are_set_without_signs_that_would_be_read_aloud() {
    let mut lines = Lines::new(Look { width: 60, ..Look::BARE });
    lines.markdown("# A\n\n> quoted\n\n- one\n- [ ] two\n\n---\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n```rust file=src/x.rs\nlet a = 1;\n```\n");
    let expected = "\nA\n\n> quoted\n\n- one\n[ ] two\n\na  b\n1  2\n\nsrc/x.rs:\n  let a = 1;\n";
    assert_eq!(lines.text, expected);
    assert!(lines.text.is_ascii());
}

#[test]
fn only_the_solution_that_was_shown_can_be_applied_by_its_word() {
    let mut guide = at_two();
    let mut telling = heard(&guide);
    does(&mut guide, Command::Solution);
    assert_eq!(telling.tell(&guide), "");
    let text = "demo\n\n+new\n\n`bootcamp solution demo --apply` makes these changes.\n".into();
    guide.update(Message::Solution(Ok(Solution { step: guide.path().to_owned(), text })));
    assert_eq!(
        telling.tell(&guide),
        "\ndemo\n\n+new\n\nType `apply` to make these changes; your files are kept as\nthey were.\n"
    );
}

#[test]
fn who_is_through_is_told_so() {
    let mut setup = setup();
    let mut progress = Progress::default();
    for (step, earned) in [("one", "2"), ("two", "3"), ("three", "1")] {
        let earned = serde_json::from_str(earned).unwrap();
        progress.apply(&Change::Passed { step: format!("demo/first/{step}"), earned }, &setup.course);
    }
    setup.progress = progress;
    assert_eq!(farewell(&Guide::new(&setup), BARE), "You have 6 of 6 points.\nYou have passed every step.\n");
    assert_eq!(farewell(&at_two(), BARE), "You have 2 of 6 points.\n`bootcamp` goes on with step 1.2, Two.\n");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn whatever_happens_lines_stay_lines_and_nothing_is_said_twice(
        messages in prop::collection::vec(messages(), 0..60), width in 60_usize..100, colour: bool,
    ) {
        let setup = setup();
        let mut guide = Guide::new(&setup);
        guide.begin(&setup);
        let mut telling = Telling::new(Look { width, colour, unicode: true });
        for message in messages {
            if guide.run.as_ref().is_some_and(|run| run.fold.report().course.is_empty()) {
                planned(&mut guide);
            }
            guide.update(message);
            let told = telling.tell(&guide);
            prop_assert!(told.is_empty() || told.ends_with('\n'));
            prop_assert!(colour || !told.contains('\u{1b}'), "{told:?}");
            for line in told.lines() {
                prop_assert!(measure_text_width(line) <= width, "{line:?}");
                prop_assert!(!strip_ansi_codes(line).contains(char::is_control), "{line:?}");
            }
            prop_assert_eq!(telling.tell(&guide), "");
            for text in [telling.again(&guide), telling.show(&guide), farewell(&guide, BARE)] {
                prop_assert!(text.is_empty() || text.ends_with('\n'));
            }
        }
    }

    #[test]
    fn whatever_is_typed_is_understood_or_answered(line in any::<String>()) {
        let guide = begun();
        if let Err(sentence) = asked(&line, &guide) {
            prop_assert!(sentence.contains("`list`") || sentence.contains("`help`"));
            prop_assert!(!sentence.contains(char::is_control));
        }
    }

    #[test]
    fn no_quoted_line_is_too_wide_and_none_is_lost(line in "[ -~äé漢\t]{0,300}", indent in 0_usize..4) {
        let mut lines = Lines::new(BARE);
        lines.quote(indent, &line);
        let bare = |text: &str| text.chars().filter(|sign| !sign.is_whitespace()).collect::<String>();
        prop_assert_eq!(bare(&lines.text), bare(&line));
        prop_assert!(lines.text.lines().all(|line| measure_text_width(line) <= 60));
    }
}
