//! Whole outputs.

use bootcamp::report::{Format, Look, github, list, pretty, schema};
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

use crate::{repository, sample};

const NARROW: Look = Look { width: 60, colour: false, unicode: false };

fn check(name: &str, actual: &str) {
    let path = repository("tests/snapshots/report").join(name);
    matches(&path, actual);
}

fn matches(path: &std::path::Path, actual: &str) {
    let expected = Data::read_from(path, Some(DataFormat::Text)).raw();
    Assert::new().action_env("SNAPSHOTS").eq(Data::text(actual), expected);
}

#[test]
fn a_mixed_run_in_every_format() {
    let report = sample::mixed();
    for (format, name) in [
        (Format::Pretty, "mixed.pretty.txt"),
        (Format::Plain, "mixed.plain.txt"),
        (Format::Json, "mixed.json"),
        (Format::Junit, "mixed.junit.xml"),
        (Format::Tap, "mixed.tap"),
        (Format::Github, "mixed.github.txt"),
    ] {
        check(name, &format.render(&report, &Look::BARE));
    }
    check("mixed.summary.md", &github::summary(&report));
}

#[test]
fn a_run_with_its_causes() {
    let report = sample::diagnosed();
    for (format, name) in [
        (Format::Pretty, "diagnosed.pretty.txt"),
        (Format::Plain, "diagnosed.plain.txt"),
        (Format::Tap, "diagnosed.tap"),
        (Format::Github, "diagnosed.github.txt"),
        (Format::Json, "diagnosed.json"),
    ] {
        check(name, &format.render(&report, &Look::BARE));
    }
}

#[test]
fn a_mixed_run_on_a_narrow_page_of_ascii() {
    check("mixed.narrow.txt", &pretty::render(&sample::mixed(), &NARROW));
}

#[test]
fn a_mixed_run_in_colour() {
    let page = pretty::render(&sample::mixed(), &Look { colour: true, ..Look::BARE });
    check("mixed.colour.txt", &page.replace('\u{1b}', "ESC"));
    assert_eq!(console::strip_ansi_codes(&page), pretty::render(&sample::mixed(), &Look::BARE), "colour adds nothing but colour");
}

#[test]
fn a_run_that_passed() {
    check("met.pretty.txt", &pretty::render(&sample::met(), &Look::BARE));
    check("met.github.txt", &Format::Github.render(&sample::met(), &Look::BARE));
}

#[test]
fn a_run_that_was_broken_off() {
    for (format, name) in
        [(Format::Pretty, "interrupted.pretty.txt"), (Format::Plain, "interrupted.plain.txt"), (Format::Tap, "interrupted.tap")]
    {
        check(name, &format.render(&sample::interrupted(), &Look::BARE));
    }
}

#[test]
fn a_service_that_does_not_build() {
    for (format, name) in [
        (Format::Pretty, "unbuilt.pretty.txt"),
        (Format::Plain, "unbuilt.plain.txt"),
        (Format::Junit, "unbuilt.junit.xml"),
        (Format::Tap, "unbuilt.tap"),
        (Format::Github, "unbuilt.github.txt"),
    ] {
        check(name, &format.render(&sample::unbuilt(), &Look::BARE));
    }
    check("unbuilt.summary.md", &github::summary(&sample::unbuilt()));
}

#[test]
fn a_service_that_crashes() {
    check("crashed.pretty.txt", &pretty::render(&sample::crashed(), &Look::BARE));
}

#[test]
fn a_course_as_a_list() {
    let agenda = list::Listing::from(&sample::agenda());
    check("list.pretty.txt", &list::pretty(&agenda, &Look::BARE));
    check("list.narrow.txt", &list::pretty(&agenda, &NARROW));
    check("list.plain.txt", &list::plain(&agenda));
    check("list.json", &list::json(&agenda));
}

#[test]
fn the_published_schema_is_up_to_date() {
    let mut text = serde_json::to_string_pretty(&schema()).unwrap();
    text.push('\n');
    matches(&repository("docs/report.schema.json"), &text);
}
