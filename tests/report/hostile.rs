//! Texts of others, at their worst: every format stays well formed.

use bootcamp::check::{Fact, Mismatch, Outcome};
use bootcamp::facts::{Level, Trouble};
use bootcamp::report::{Fold, Look, Report, github, json, junit, plain, pretty, tap};
use bootcamp::verify::{Event, Judgement, Stage};
use proptest::prelude::*;

use crate::read_back::{elements, read_tap};
use crate::sample;

/// A run in which everything that comes from outside is this text, and some of the course's own texts too.
fn run(text: &str) -> Report {
    run_of(text, text)
}

fn run_of(title: &str, text: &str) -> Report {
    let trouble = Trouble { cause: text.into(), remedy: text.into(), passing: false, retry_after_ms: None };
    let outcomes = [
        Outcome::Passed { facts: vec![Fact::new(text, text)], level: Level::Fresh },
        Outcome::Failed(Mismatch::new(text, text).nearest(Some(text.into())).at(text, Some(7))),
        Outcome::Skipped(text.into()),
        Outcome::Errored(trouble),
    ];
    let mut agenda = sample::agenda();
    (agenda.subject, agenda.title) = (title.into(), title.into());
    agenda.lessons[0].steps[0].checks[0].title = title.into();
    agenda.lessons[1].title = title.into();
    let checks: Vec<String> = agenda
        .lessons
        .iter()
        .flat_map(|lesson| &lesson.steps)
        .flat_map(|step| &step.checks)
        .map(|check| check.id.clone())
        .collect();
    let mut fold = Fold::new();
    fold.absorb(&Event::Planned(agenda));
    fold.absorb(&Event::Stage(Stage::Starting));
    fold.absorb(&Event::ServiceFailed { cause: text.into(), remedy: text.into(), output: vec![text.into(); 3] });
    fold.absorb(&Event::Notice(text.into()));
    for (check, outcome) in checks.into_iter().zip(outcomes.iter().cycle()) {
        fold.absorb(&Event::Judged(Judgement { check, outcome: outcome.clone(), after_ms: 1 }));
    }
    fold.absorb(&sample::finished(false));
    fold.finish()
}

/// The formats' own signs, escapes of terminals, and anything else.
fn text() -> impl Strategy<Value = String> {
    let signs = "(&|<|>|\"|'|\\]\\]>|<!--|%|::|::error::|,|:|#|\\\\|```|`|\\||---|\\.\\.\\.|</details>|\r|\n|\t|\u{1b}\\[2J|\u{1b}|\u{7}|\u{0}|\u{85}|\u{2028}|\u{ffff}|\u{202e}|a| |é|漢|🦀){0,24}";
    prop_oneof![signs.prop_map(String::from), any::<String>()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn every_format_stays_well_formed(text in text()) {
        let report = run(&text);
        let checks = report.tally().checks();

        let xml = elements(&junit::render(&report));
        prop_assert_eq!(xml.iter().filter(|(name, _)| name == "testcase").count(), checks);

        let (points, _) = read_tap(&tap::render(&report));
        prop_assert_eq!(points.len(), checks);
        let (plain_points, _) = read_tap(&tap::render(&run("text")));
        for (point, plain) in points.iter().zip(&plain_points) {
            let word = |directive: &Option<String>| directive.as_deref().and_then(|text| text.split(' ').next().map(str::to_owned));
            prop_assert_eq!((point.ok, word(&point.directive)), (plain.ok, word(&plain.directive)));
        }

        let commands = github::render(&report);
        prop_assert_eq!(commands.lines().count(), github::render(&run("text")).lines().count());
        for line in commands.lines() {
            let is_command = ["::error ", "::warning ", "::notice "].iter().any(|level| line.starts_with(level));
            prop_assert!(is_command || line.starts_with("Not passed yet: "), "{:?}", line);
        }

        prop_assert_eq!(serde_json::from_str::<Report>(&json::render(&report)).unwrap(), report.clone());

        for width in [60, 100] {
            for line in pretty::render(&report, &Look { width, ..Look::BARE }).lines() {
                prop_assert!(console::measure_text_width(line) <= width, "{:?}", line);
            }
        }

        for page in [pretty::render(&report, &Look::BARE), plain::render(&report), github::summary(&report), tap::render(&report)] {
            prop_assert!(page.chars().all(|next| next == '\n' || !next.is_control()), "{:?}", page);
        }
    }

    #[test]
    fn a_summary_has_no_markup_but_its_own(text in text()) {
        let summary = github::summary(&run(&text));
        let mut fence: Option<String> = None;
        let mut open = 0_i32;
        for line in summary.lines() {
            let ticks: String = line.chars().take_while(|next| *next == '`').collect();
            match &fence {
                Some(opened) if line == opened => fence = None,
                Some(_) => {}
                None if ticks.len() >= 3 => fence = Some(ticks),
                None => {
                    let markup = line.replace("<details><summary>", "").replace("</summary>", "").replace("</details>", "");
                    let markup = markup.replace("<code>", "").replace("</code>", "");
                    prop_assert!(!markup.contains('<'), "{:?}", line);
                    open += i32::from(line.starts_with("<details>")) - i32::from(line == "</details>");
                    prop_assert!((0..=1).contains(&open), "{:?}", line);
                }
            }
        }
        prop_assert!(fence.is_none() && open == 0);
    }
}

#[test]
fn a_value_of_a_megabyte_does_not_drown_the_page() {
    let report = run_of("title", &"x".repeat(1_000_000));
    assert!(pretty::render(&report, &Look::BARE).len() < 60_000);
    assert!(github::summary(&report).len() < 1_000_000, "GitHub refuses a summary of over 1 MiB");
    assert!(json::render(&report).len() < 1_000_000);
}
