//! Each format read by a reader that is not its writer, and the rules of the score.

use std::collections::BTreeMap;

use bootcamp::check::{Mismatch, Points};
use bootcamp::report::{ExitStatus, Fold, Look, Report, RunStatus, Status, github, json, junit, plain, pretty, schema, tap};
use bootcamp::verify::{Agenda, Event};
use quick_xml::events::Event as Xml;
use quick_xml::reader::Reader;

use crate::sample::{self, errored, failed, finished, passed, skipped};

/// All samples.
fn samples() -> [Report; 5] {
    [sample::mixed(), sample::met(), sample::interrupted(), sample::unbuilt(), sample::crashed()]
}

#[test]
fn the_json_is_valid_by_its_schema_and_reads_back_as_the_same_report() {
    let mut schemas = boon::Schemas::new();
    let mut compiler = boon::Compiler::new();
    compiler.add_resource("report.json", serde_json::to_value(schema()).unwrap()).unwrap();
    let schema = compiler.compile("report.json", &mut schemas).unwrap();
    for report in samples() {
        let value: serde_json::Value = serde_json::from_str(&json::render(&report)).unwrap();
        if let Err(error) = schemas.validate(&value, schema) {
            panic!("{error}");
        }
        assert_eq!(serde_json::from_value::<Report>(value.clone()).unwrap(), report);
        let mut broken = value;
        broken["steps"][0]["checks"][0]["status"] = "met".into();
        assert!(schemas.validate(&broken, schema).is_err(), "the schema knows the four statuses");
    }
}

#[test]
fn the_json_has_what_it_promises() {
    let value: serde_json::Value = serde_json::from_str(&json::render(&sample::mixed())).unwrap();
    assert_eq!(value["schema_version"], 1);
    assert_eq!(value["started_at"], "2026-01-12T09:30:00Z");
    assert_eq!(value["status"], "failed");
    assert_eq!(value["score"], serde_json::json!({ "earned": 16.5, "possible": 29, "bonus": 3, "bonus_possible": 7 }));
    let check = &value["steps"][5]["checks"][1];
    assert_eq!(check["id"], "home-span-length");
    assert_eq!(check["lesson"], serde_json::json!({ "file": "lessons/week2/2-honeycomb.md", "line": 161 }));
    assert!(check["mismatch"]["nearest"].is_string());
    assert_eq!(value["steps"][3]["checks"][0]["evidence_level"], "exact");
}

/// Every element of a document with its attributes, in order. Fails on one that is not well formed.
pub fn elements(xml: &str) -> Vec<(String, BTreeMap<String, String>)> {
    let mut reader = Reader::from_str(xml);
    let mut found = Vec::new();
    let mut open = 0_usize;
    loop {
        let event = reader.read_event().unwrap();
        match &event {
            Xml::Eof => break,
            Xml::Start(element) | Xml::Empty(element) => {
                open += usize::from(matches!(event, Xml::Start(_)));
                let attributes = element.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap().into_owned();
                    (attribute.key.as_ref().to_owned(), value)
                });
                found.push((element.name().as_ref().to_owned(), attributes.collect()));
            }
            Xml::End(_) => open -= 1,
            Xml::Text(text) => assert!(open > 0 || text.trim().is_empty(), "text outside the root"),
            _ => {}
        }
    }
    assert_eq!(open, 0, "an element is not closed");
    // XML 1.0, production 2: no control characters but these.
    assert!(xml.chars().all(|next| matches!(next, '\t' | '\n' | '\r') || !next.is_control()));
    found
}

#[test]
fn junit_counts_what_it_holds() {
    for report in samples() {
        let elements = elements(&junit::render(&report));
        let number = |name: &str| elements.iter().filter(|(element, _)| element == name).count();
        let (root, attributes) = &elements[0];
        assert_eq!(root, "testsuites");
        for (attribute, element) in [("tests", "testcase"), ("failures", "failure"), ("errors", "error"), ("skipped", "skipped")]
        {
            assert_eq!(attributes[attribute], number(element).to_string(), "{element}");
        }
        assert_eq!(number("testsuite"), report.lessons.len());
        let count = |status| report.steps.iter().flat_map(|step| &step.checks).filter(|check| check.status == status).count();
        assert_eq!(number("failure"), count(Status::Failed));
        assert_eq!(number("error"), count(Status::Errored));
        assert_eq!(number("skipped"), count(Status::Skipped));
    }
    let failures: Vec<_> = elements(&junit::render(&sample::mixed())).into_iter().filter(|(name, _)| name == "failure").collect();
    assert_eq!(failures[0].1["message"], "expected `app.result_length` to be the number 3; found the text \"3\"");
}

/// A test point of a TAP stream.
#[derive(Debug)]
pub struct Point {
    pub ok: bool,
    pub directive: Option<String>,
    pub diagnostics: BTreeMap<String, serde_json::Value>,
}

/// A reader of TAP 14, as far as reports use it.
pub fn read_tap(text: &str) -> (Vec<Point>, bool) {
    let mut lines = text.lines().peekable();
    assert_eq!(lines.next(), Some("TAP version 14"));
    let planned: usize = lines.next().unwrap().strip_prefix("1..").unwrap().split(' ').next().unwrap().parse().unwrap();
    let mut points: Vec<Point> = Vec::new();
    let mut bailed = false;
    while let Some(line) = lines.next() {
        if line.starts_with('#') || line.is_empty() {
            continue;
        }
        assert!(!bailed, "nothing follows a bail-out");
        if line.starts_with("Bail out!") {
            bailed = true;
            continue;
        }
        let (ok, rest) = match line.strip_prefix("not ok ") {
            Some(rest) => (false, rest),
            None => (true, line.strip_prefix("ok ").unwrap_or_else(|| panic!("no test point: {line}"))),
        };
        let (number, description) = rest.split_once(" - ").unwrap();
        assert_eq!(number.parse::<usize>().unwrap(), points.len() + 1);
        let bytes = description.as_bytes();
        let hash = (0..bytes.len()).find(|at| {
            let escapes = bytes[..*at].iter().rev().take_while(|byte| **byte == b'\\').count();
            bytes[*at] == b'#' && escapes % 2 == 0
        });
        let directive = hash.map(|at| description[at + 1..].trim().to_owned());
        let mut diagnostics = BTreeMap::new();
        if lines.next_if_eq(&"  ---").is_some() {
            for line in lines.by_ref().take_while(|line| *line != "  ...") {
                let (key, value) = line.strip_prefix("  ").unwrap().split_once(": ").unwrap();
                diagnostics.insert(key.to_owned(), serde_json::from_str(value).unwrap());
            }
        }
        points.push(Point { ok, directive, diagnostics });
    }
    assert_eq!(points.len(), planned);
    (points, bailed)
}

#[test]
fn a_tap_harness_comes_to_the_same_result() {
    for report in samples() {
        let (points, bailed) = read_tap(&tap::render(&report));
        assert_eq!(bailed, report.status == RunStatus::Interrupted);
        let is_todo = |point: &Point| point.directive.as_deref().is_some_and(|directive| directive.starts_with("TODO"));
        let green = !bailed && points.iter().all(|point| point.ok || is_todo(point));
        assert_eq!(green, report.status == RunStatus::Passed);
        let skips = points.iter().filter(|point| point.directive.as_deref().is_some_and(|text| text.starts_with("SKIP"))).count();
        assert_eq!(skips, report.tally().skipped);
    }
    let (points, _) = read_tap(&tap::render(&sample::mixed()));
    let point = &points[9];
    assert_eq!(point.diagnostics["actual"], "no such key; the nearest is `reqwest`");
    assert_eq!(point.diagnostics["at"], "Cargo.toml:23");
}

#[test]
fn annotations_point_to_the_learners_line_or_else_to_the_lessons() {
    let text = github::render(&sample::mixed());
    let errors: Vec<&str> = text.lines().filter(|line| line.starts_with("::error ")).collect();
    assert!(errors[0].starts_with("::error file=lessons/week2/2-honeycomb.md,line=161,title=2.7 it carries"), "{}", errors[0]);
    assert!(errors[1].starts_with("::error file=Cargo.toml,line=23,"), "{}", errors[1]);
    assert_eq!(errors.len(), 2, "the bonus that is not met is no error");
    assert_eq!(text.matches("::warning ").count(), 2, "one for each cause");
    assert_eq!(text.matches("::notice ").count(), 2, "one for what was skipped, one for the bonus");
}

#[test]
fn no_page_is_wider_than_asked_for() {
    for report in samples() {
        for width in 60..=100 {
            for line in pretty::render(&report, &Look { width, ..Look::BARE }).lines() {
                assert!(console::measure_text_width(line) <= width, "{width}: {line}");
                assert_eq!(line.trim_end(), line, "no blanks at a line's end");
            }
        }
    }
}

#[test]
fn plain_and_ascii_pages_are_ascii_where_the_course_is() {
    for report in samples() {
        assert!(plain::render(&report).is_ascii());
        assert!(pretty::render(&report, &Look { unicode: false, ..Look::BARE }).is_ascii());
    }
}

/// The report on the sample's steps with these numbers, after these events.
fn run(chosen: &[&str], events: &[Event]) -> Report {
    let mut agenda: Agenda = sample::agenda();
    for lesson in &mut agenda.lessons {
        lesson.steps.retain(|step| chosen.contains(&step.number.as_str()));
    }
    let mut fold = Fold::new();
    fold.absorb(&Event::Planned(agenda));
    events.iter().for_each(|event| fold.absorb(event));
    fold.finish()
}

#[test]
fn how_a_run_ends_follows_from_its_checks() {
    let no = || Mismatch::new("this", "that");
    let cases: Vec<(&str, &[&str], Vec<Event>, ExitStatus)> = vec![
        ("all met", &["1.1"], vec![passed("home-answers", 1, &[]), finished(false)], ExitStatus::Passed),
        (
            "one not met",
            &["1.1", "1.2"],
            vec![passed("home-answers", 1, &[]), failed("health-answers", 1, no()), finished(false)],
            ExitStatus::NotPassed,
        ),
        (
            "not met outweighs not looked at",
            &["1.1", "1.2"],
            vec![errored("home-answers", "", ""), failed("health-answers", 1, no()), finished(false)],
            ExitStatus::NotPassed,
        ),
        (
            "not looked at",
            &["1.1", "1.2"],
            vec![passed("home-answers", 1, &[]), errored("health-answers", "", ""), finished(false)],
            ExitStatus::Unverified,
        ),
        (
            "bonus not met",
            &["1.1", "6.1"],
            vec![passed("home-answers", 1, &[]), failed("user-id", 1, no()), finished(false)],
            ExitStatus::Passed,
        ),
        (
            "bonus not looked at",
            &["1.1", "6.1"],
            vec![passed("home-answers", 1, &[]), errored("user-id", "", ""), finished(false)],
            ExitStatus::Passed,
        ),
        ("nothing but bonus, not met", &["6.1"], vec![failed("user-id", 1, no()), finished(false)], ExitStatus::NotPassed),
        (
            "part skipped",
            &["1.1", "1.3"],
            vec![passed("home-answers", 1, &[]), skipped("backend-container", ""), skipped("backend-port", ""), finished(false)],
            ExitStatus::Passed,
        ),
        (
            "all skipped",
            &["1.3"],
            vec![skipped("backend-container", ""), skipped("backend-port", ""), finished(false)],
            ExitStatus::Unverified,
        ),
        ("nothing selected", &[], vec![finished(false)], ExitStatus::Unverified),
        ("never settled", &["1.1"], vec![finished(false)], ExitStatus::Unverified),
        ("broken off", &["1.1"], vec![failed("home-answers", 1, no()), finished(true)], ExitStatus::Interrupted),
    ];
    for (what, chosen, events, expected) in cases {
        assert_eq!(run(chosen, &events).exit_status(), expected, "{what}");
    }
    assert_eq!([ExitStatus::Passed, ExitStatus::NotPassed, ExitStatus::Usage].map(ExitStatus::code), [0, 1, 2]);
    assert_eq!([ExitStatus::Unverified, ExitStatus::CourseBroken, ExitStatus::Interrupted].map(ExitStatus::code), [3, 4, 130]);
}

#[test]
fn skipped_points_are_left_out_and_errored_ones_are_not() {
    let report = run(
        &["1.3", "2.3"],
        &[
            skipped("backend-container", "no engine"),
            passed("backend-port", 1, &[]),
            errored("otlp-endpoint", "no", ""),
            passed("otlp-headers", 1, &[]),
            finished(false),
        ],
    );
    let [container, key] = &report.steps[..] else { panic!("two steps") };
    assert_eq!(
        (container.earned, container.possible, container.points),
        (Points::hundredths(150), Points::hundredths(150), Points::whole(3))
    );
    assert_eq!(container.status, Status::Passed, "what was skipped does not keep a step from passing");
    assert_eq!((key.earned, key.possible, key.status), (Points::whole(2), Points::whole(4), Status::Errored));
    assert_eq!((report.score.earned, report.score.possible), (Points::hundredths(350), Points::hundredths(550)));
}

#[test]
fn a_verdict_on_a_check_that_nobody_planned_is_let_go() {
    let report = run(&["1.1"], &[passed("home-answers", 1, &[]), passed("stranger", 1, &[]), finished(false)]);
    assert_eq!(report.tally().checks(), 1);
}
