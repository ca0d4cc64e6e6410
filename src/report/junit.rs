//! The report as JUnit XML: a suite is a lesson, a case is a check. Failed is `<failure>`, errored `<error>`, skipped `<skipped>`.
//!
//! A bonus check that is not met is a `<failure>` too, of type `bonus`: JUnit has no word for work that is welcome but not due.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::plain::values;
use super::text::one_line;
use super::{CheckReport, LessonReport, Report, Status, StepReport};

/// One XML document.
///
/// # Panics
/// Never: it is written to memory.
#[must_use]
#[allow(clippy::expect_used)]
pub fn render(report: &Report) -> String {
    let mut bytes = Vec::new();
    write(report, &mut Writer::new_with_indent(&mut bytes, b' ', 2)).expect("memory takes all that is written to it");
    bytes.push(b'\n');
    String::from_utf8_lossy(&bytes).into_owned()
}

fn write(report: &Report, xml: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
    xml.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let counts = Counts::of(report.steps.iter());
    let mut suites = xml.create_element("testsuites").with_attribute(("name", report.course.as_str()));
    for (name, value) in counts.attributes() {
        suites = suites.with_attribute((name, value.as_str()));
    }
    let time = seconds(report.duration_ms);
    suites = suites.with_attribute(("time", time.as_str()));
    let started = report.started_at.map(|started| started.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
    if let Some(started) = &started {
        suites = suites.with_attribute(("timestamp", started.as_str()));
    }
    suites
        .write_inner_content(|xml| report.lessons.iter().try_for_each(|lesson| suite(report, lesson, started.as_deref(), xml)))?;
    Ok(())
}

fn suite(report: &Report, lesson: &LessonReport, started: Option<&str>, xml: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
    let name = format!("{} {}", lesson.number, lesson.title);
    let mut suite = xml.create_element("testsuite").with_attribute(("name", name.as_str()));
    for (name, value) in Counts::of(report.steps_of(&lesson.id)).attributes() {
        suite = suite.with_attribute((name, value.as_str()));
    }
    // The checks of a lesson settle side by side: it took as long as the slowest.
    let slowest = report.steps_of(&lesson.id).flat_map(|step| &step.checks).map(|check| check.duration_ms).max();
    let time = seconds(slowest.unwrap_or(0));
    suite = suite.with_attribute(("time", time.as_str()));
    if let Some(started) = started {
        suite = suite.with_attribute(("timestamp", started));
    }
    suite.with_attribute(("file", lesson.file.as_str())).write_inner_content(|xml| {
        xml.create_element("properties").write_inner_content(|xml| {
            for (name, value) in [("target", &report.target), ("subject", &report.subject)] {
                let property = xml.create_element("property").with_attribute(("name", name));
                property.with_attribute(("value", value.as_str())).write_empty()?;
            }
            Ok(())
        })?;
        for step in report.steps_of(&lesson.id) {
            step.checks.iter().try_for_each(|check| case(step, check, xml))?;
        }
        if let Some(trouble) = report.service.trouble.as_ref().filter(|_| report.lessons.first() == Some(lesson)) {
            let text = format!("{}\n{}\n{}", trouble.cause, trouble.remedy, report.service.output.join("\n"));
            xml.create_element("system-err").write_text_content(BytesText::new(&text))?;
        }
        Ok(())
    })?;
    Ok(())
}

fn case(step: &StepReport, check: &CheckReport, xml: &mut Writer<&mut Vec<u8>>) -> io::Result<()> {
    let name = format!("{} {}", step.number, check.title);
    let (time, place) = (seconds(check.duration_ms), check.place());
    let mut case = xml.create_element("testcase");
    for (name, value) in [("name", &name), ("classname", &step.id), ("time", &time), ("file", &place.file)] {
        case = case.with_attribute((name, value.as_str()));
    }
    let line = place.line.map(|line| line.to_string());
    if let Some(line) = &line {
        case = case.with_attribute(("line", line.as_str()));
    }
    case.write_inner_content(|xml| {
        let details = values(check).iter().map(|(label, value)| format!("{label}: {value}")).collect::<Vec<_>>().join("\n");
        let details = BytesText::new(&details);
        match check.status {
            Status::Passed if check.facts.is_empty() => {}
            Status::Passed => {
                xml.create_element("system-out").write_text_content(details)?;
            }
            Status::Failed => {
                let message = check.mismatch.as_ref().map_or(String::new(), |mismatch| {
                    format!("expected {}; found {}", one_line(&mismatch.expected), one_line(&mismatch.actual))
                });
                let failure = xml.create_element("failure").with_attribute(("message", message.as_str()));
                failure.with_attribute(("type", if step.bonus { "bonus" } else { &check.kind })).write_text_content(details)?;
            }
            Status::Errored => {
                let message = one_line(check.cause.as_deref().unwrap_or_default());
                let error = xml.create_element("error").with_attribute(("message", message.as_str()));
                error.with_attribute(("type", check.kind.as_str())).write_text_content(details)?;
            }
            Status::Skipped => {
                let message = one_line(check.reason.as_deref().unwrap_or_default());
                xml.create_element("skipped").with_attribute(("message", message.as_str())).write_empty()?;
            }
        }
        Ok(())
    })?;
    Ok(())
}

/// How many cases ended how.
#[derive(Default)]
struct Counts {
    tests: usize,
    failures: usize,
    errors: usize,
    skipped: usize,
}

impl Counts {
    fn of<'a>(steps: impl Iterator<Item = &'a StepReport>) -> Self {
        let mut counts = Self::default();
        for check in steps.flat_map(|step| &step.checks) {
            counts.tests += 1;
            match check.status {
                Status::Passed => {}
                Status::Failed => counts.failures += 1,
                Status::Errored => counts.errors += 1,
                Status::Skipped => counts.skipped += 1,
            }
        }
        counts
    }

    fn attributes(&self) -> [(&'static str, String); 4] {
        [("tests", self.tests), ("failures", self.failures), ("errors", self.errors), ("skipped", self.skipped)]
            .map(|(name, count)| (name, count.to_string()))
    }
}

/// `1.250`.
fn seconds(ms: u64) -> String {
    format!("{}.{:03}", ms / 1_000, ms % 1_000)
}
