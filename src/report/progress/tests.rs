use std::sync::{Arc, Mutex};

use indicatif::InMemoryTerm;

use super::*;
use crate::check::{Mismatch, Outcome};
use crate::facts::{Level, Source};
use crate::verify::{Agenda, AgendaCheck, AgendaLesson, AgendaStep, Judgement};

/// A writer whose text can be read while it is lent.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Shared {
    fn text(&self) -> String {
        String::from_utf8(self.0.lock().unwrap().clone()).unwrap()
    }
}

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn agenda() -> Event {
    let check = |id: &str| AgendaCheck { id: id.into(), title: format!("check {id}"), ..AgendaCheck::default() };
    let lesson = |number, title: &str, checks: &[&str]| AgendaLesson {
        number,
        title: title.into(),
        steps: vec![AgendaStep {
            number: format!("{number}.1"),
            checks: checks.iter().copied().map(check).collect(),
            ..AgendaStep::default()
        }],
        ..AgendaLesson::default()
    };
    Event::Planned(Agenda {
        course: "week2".into(),
        target: "sandbox".into(),
        subject: "the reference solution".into(),
        lessons: vec![lesson(1, "Setup", &["a", "b"]), lesson(2, "Honeycomb", &["c"])],
        ..Agenda::default()
    })
}

fn judged(check: &str, outcome: Outcome) -> Event {
    Event::Judged(Judgement { check: check.into(), outcome, after_ms: 1 })
}

fn passed(check: &str) -> Event {
    judged(check, Outcome::Passed { facts: Vec::new(), level: Level::Exact })
}

fn failed(check: &str, found: &str) -> Event {
    judged(check, Outcome::Failed(Mismatch::new("something", found)))
}

fn broken_build() -> Event {
    Event::ServiceFailed {
        cause: "cargo build failed".into(),
        remedy: "mend what the compiler names".into(),
        output: vec!["\u{1b}[1m\u{1b}[31merror\u{1b}[0m: no\u{1b}[2K".into(), "::error::forged".into()],
    }
}

#[test]
fn elsewhere_each_thing_is_a_line_said_once() {
    let out = Shared::default();
    let mut progress = Progress::lines(Box::new(out.clone()), Look::BARE);
    let mut events = vec![agenda(), Event::Stage(Stage::Building), Event::Stage(Stage::Building)];
    events.extend((0..500).map(|index| Event::BuildLine(format!("Compiling crate {index}"))));
    events.push(Event::Stage(Stage::Starting));
    events.push(Event::ServiceReady { instance: "default".into(), url: "http://127.0.0.1:4567".into(), after_ms: Some(83) });
    events.push(Event::Stage(Stage::Probing));
    events.push(Event::Probed { probe: "home".into(), status: Some(200), latency_ms: 3.7 });
    events.push(Event::Stage(Stage::Collecting));
    events.extend((1..200).map(|round| Event::Polled { source: Source::Honeycomb, round, waiting: 1 }));
    events.extend([
        passed("a"),
        failed("c", "the string\n\"3\"\u{1b}[2J"),
        passed("a"),
        Event::Notice("the sandbox was running".into()),
    ]);
    events.extend([Event::Notice("the sandbox was running".into()), Event::Finished(Box::default())]);
    events.iter().for_each(|event| progress.absorb(event));
    drop(progress);
    assert_eq!(
        out.text(),
        "verifying the reference solution of week2 (sandbox): 2 steps, 3 checks\n\
         building the service\n\
         starting the service\n\
         the service answers at http://127.0.0.1:4567 after 83 ms\n\
         sending the probes\n\
         probe home: 200 in 4 ms\n\
         collecting the evidence\n\
         passed 1.1 check a\n\
         failed 2.1 check c: found the string \"3\"\n\
         note: the sandbox was running\n"
    );
}

#[test]
fn a_build_that_fails_is_shown_as_cargo_shows_it_even_when_quiet() {
    let bare = "error: no\n::error::forged\n";
    let coloured = "\u{1b}[1m\u{1b}[31merror\u{1b}[0m: no\u{1b}[0m\n::error::forged\n";
    for (colour, expected) in [(false, bare), (true, coloured)] {
        let out = Shared::default();
        let mut progress = Progress::with(View::Nothing(Box::new(out.clone())), Look { colour, ..Look::BARE });
        [agenda(), Event::Stage(Stage::Building), broken_build(), passed("a")].iter().for_each(|event| progress.absorb(event));
        assert_eq!(out.text(), expected);
    }
}

#[test]
fn a_crash_is_left_to_the_report() {
    let out = Shared::default();
    let mut progress = Progress::with(View::Nothing(Box::new(out.clone())), Look::BARE);
    [agenda(), Event::Stage(Stage::Starting), broken_build()].iter().for_each(|event| progress.absorb(event));
    assert_eq!(out.text(), "");
}

#[test]
fn a_workflow_takes_no_commands_from_a_build() {
    let out = Shared::default();
    let mut progress = Progress::lines(Box::new(out.clone()), Look::BARE);
    progress.failure.in_workflow = true;
    [Event::Stage(Stage::Building), broken_build()].iter().for_each(|event| progress.absorb(event));
    let text = out.text();
    let lines: Vec<&str> = text.lines().collect();
    let token = lines[1].strip_prefix("::stop-commands::").expect("commands are stopped before the output");
    assert_eq!(lines[2..4], ["error: no", "::error::forged"]);
    assert_eq!(lines[4], format!("::{token}::"));
}

#[test]
fn on_a_terminal_there_is_a_bar_a_lesson_and_nothing_at_the_end() {
    let term = InMemoryTerm::new(12, 80);
    let target = ProgressDrawTarget::term_like(Box::new(term.clone()));
    let mut progress = Progress::bars(target, Look { unicode: false, ..Look::BARE }, false);
    let polled = Event::Polled { source: Source::Honeycomb, round: 1, waiting: 1 };
    [agenda(), Event::Stage(Stage::Collecting), passed("a"), failed("b", "nothing"), polled]
        .iter()
        .for_each(|event| progress.absorb(event));
    let screen = term.contents();
    let lines: Vec<&str> = screen.lines().collect();
    assert_eq!(lines.len(), 3, "{screen}");
    assert_eq!(&lines[0][2..], "Waiting for Honeycomb: 1 check");
    assert_eq!(lines[1], "x 1 Setup      ####################  2 of 2  1 passed, 1 failed");
    assert_eq!(&lines[2][2..], "2 Honeycomb  ....................  0 of 1");
    drop(progress);
    assert_eq!(term.contents(), "");
}

#[test]
fn the_header_shows_the_last_line_of_the_build() {
    let term = InMemoryTerm::new(12, 40);
    let mut progress =
        Progress::bars(ProgressDrawTarget::term_like(Box::new(term.clone())), Look { unicode: false, ..Look::BARE }, false);
    let line = "\u{1b}[1m   Compiling\u{1b}[0m axum v0.8.6 and a path that is far too long for the line";
    [Event::Stage(Stage::Building), Event::BuildLine(line.into())].iter().for_each(|event| progress.absorb(event));
    let screen = term.contents();
    assert_eq!(screen.lines().count(), 1, "{screen}");
    assert!(screen[2..].starts_with("Compiling axum v0.8.6 and a path"), "{screen}");
    progress.absorb(&Event::Finished(Box::default()));
    assert_eq!(term.contents(), "");
}
