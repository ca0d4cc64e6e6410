use std::collections::BTreeSet;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use proptest::prelude::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;
use ratatui::style::Color;
use snapbox::data::DataFormat;
use snapbox::{Assert, Data};
use unicode_width::UnicodeWidthStr;

use super::*;
use crate::check::{Diagnosis, Fact, LessonPlace, Mismatch, Outcome};
use crate::course::{Course, Source};
use crate::facts::{Level, Trouble};
use crate::guide::tests::messages;
use crate::guide::{Message, Note, Phase, Setup, Solution, Towards, Weight};
use crate::progress::{Change, Progress};
use crate::report::{Row, Tree, Waterfall};
use crate::service::Target;
use crate::verify::{Diagnosed, Event, Judgement, Plan, Stage};

const LESSON: &str = "\
---
title: Traces
order: 1
summary: Requests leave a trace.
---

A request leaves a *trace*: a tree of **spans**, each with a beginning and an end. This lesson makes the service tell of its own.

## A key for `telemetry`

Set the key in `.env`, as the [documentation](https://example.com/keys) says:

```sh file=.env
TELEMETRY_KEY=a-key-of-thirty-two-characters
```

| Where | What it is |
| --- | --- |
| `.env` | the key itself |
| `docker-compose.yml` | its name |

<details><summary>Where to look</summary>

The file is hidden: its name begins with a dot.

</details>

<details><summary>What to look for</summary>

No space stands before the key.

</details>

**Verify** · 2 points
- [ ] `key` `TELEMETRY_KEY` is set
- [ ] `region` The region is the code of a region that exists, and not its name in words

## A span for each request

Wrap the service in a layer, in `src/main.rs`:

```rust file=src/main.rs
// The outermost layer is the first to see a request.
let app = Router::new()
    .route(\"/api/home\", get(home))
    .layer(TraceLayer::new_for_http());
```

> A span that is never ended is never sent.

1. Start the service.
2. Ask it for `/api/home`.

**Verify** · 4 points
- [ ] `answers` It answers `/api/home`
- [ ] `answers-again` It does so again

## A bonus

Beyond what is needed.

**Verify** · 1 bonus point
- [ ] `extra` `EXTRA` is set
";

const CHECKS: &str = "\
[key]
fix = 'Set `TELEMETRY_KEY` in `.env`.'
[key.expect.variable]
name = 'TELEMETRY_KEY'

[region]
fix = 'Take one of the codes, such as `eu-west-3`.'
[region.expect.variable]
name = 'REGION'

[answers]
probe = 'home'
fix = 'Start the service, and look at what it prints.'
[answers.expect.http-response]
status = 200

[answers-again]
probe = 'home'
fix = 'Look at what it prints.'
[answers-again.expect.http-response]
status = 200

[extra]
fix = 'F'
[extra.expect.variable]
name = 'EXTRA'
";

const COLOURED: Look = Look { width: 100, colour: true, unicode: true };
const ASCII: Look = Look { width: 100, colour: false, unicode: false };

fn setup() -> Setup {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("lessons/demo/1-traces.md", LESSON),
        ("lessons/demo/README.md", "# A short course in tracing\n"),
        ("checks/demo/traces.toml", CHECKS),
        ("checks/demo/probes.toml", "[home]\nmethod = 'GET'\npath = '/api/home'\n"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let course = Arc::new(Course::load(&Source::of(folder.path()), "demo").unwrap());
    Setup { course, progress: Progress::default(), target: Target::Sandbox, recheck: false, notices: Vec::new() }
}

/// At the first step, which is about to be looked at.
fn fresh() -> Guide {
    let setup = setup();
    let mut guide = Guide::new(&setup);
    guide.begin(&setup);
    planned(&mut guide);
    guide
}

fn planned(guide: &mut Guide) {
    let run = guide.run.as_ref().unwrap();
    let steps: Vec<_> = guide.course.steps().filter(|(_, step)| run.steps.contains(&step.path)).collect();
    let agenda = Plan::new(&guide.course, &steps).of(&Target::Sandbox, "mine").agenda;
    tell(guide, Event::Planned(agenda));
}

fn tell(guide: &mut Guide, event: Event) {
    let run = guide.run.as_ref().map_or(0, |run| run.id);
    guide.update(Message::Run { run, event });
}

fn does(guide: &mut Guide, command: Command) {
    guide.update(Message::Command(command));
}

fn ready(guide: &mut Guide) {
    let url = String::from("http://127.0.0.1:4567");
    tell(guide, Event::ServiceReady { instance: String::from("default"), url, after_ms: Some(318) });
}

fn judged(guide: &mut Guide, check: &str, outcome: Outcome) {
    tell(guide, Event::Judged(Judgement { check: check.to_owned(), outcome, after_ms: 1 }));
}

fn finished(guide: &mut Guide) {
    tell(guide, Event::Finished(Box::default()));
}

fn passed(facts: &[(&str, &str)]) -> Outcome {
    let fact = |(label, value): &(&str, &str)| Fact { label: (*label).to_owned(), value: (*value).to_owned() };
    Outcome::Passed { facts: facts.iter().map(fact).collect(), level: Level::Exact }
}

/// The first step, not met: one check is, the other has a cause.
fn failed() -> Guide {
    let mut guide = fresh();
    ready(&mut guide);
    judged(&mut guide, "key", passed(&[("from", ".env"), ("length", "32")]));
    let mismatch = Mismatch {
        file: Some(String::from(".env")),
        line: Some(7),
        ..Mismatch::new("the code of a region, such as `us-east-1`", "`Paris`, which is the name of a place")
            .nearest(Some(String::from("`eu-west-3` is in Paris")))
    };
    judged(&mut guide, "region", Outcome::Failed(mismatch));
    let diagnosis = Diagnosis {
        id: String::from("region-in-words"),
        cause: String::from("the region is written as people say it"),
        fix: String::from("write its code: `REGION=eu-west-3`"),
        lesson: LessonPlace { file: String::from("lessons/demo/1-traces.md"), line: 9 },
        evidence: vec![String::from("`REGION` has a capital letter")],
    };
    tell(&mut guide, Event::Diagnosed(vec![Diagnosed { check: String::from("region"), diagnoses: vec![diagnosis] }]));
    finished(&mut guide);
    guide
}

/// At the second step, which has passed; the first one was skipped.
fn all_passed() -> Guide {
    let mut guide = fresh();
    does(&mut guide, Command::Skip);
    planned(&mut guide);
    ready(&mut guide);
    judged(&mut guide, "answers", passed(&[("status", "200"), ("trace", "4bf92f3577b34da6a3ce929d0e0e4736")]));
    judged(&mut guide, "answers-again", passed(&[]));
    finished(&mut guide);
    let row = |depth, name: &str, offset_ms, duration_ms, failed| Row {
        depth,
        name: name.to_owned(),
        kind: String::from("server"),
        offset_ms,
        duration_ms,
        failed,
    };
    let rows = vec![
        row(0, "GET /api/home", 0.0, 48.2, false),
        row(1, "home-activities", 4.0, 31.0, false),
        row(2, "mock-data", 12.0, 9.4, false),
        row(1, "render", 36.0, 8.0, true),
    ];
    let tree = Tree { vendor: "Honeycomb", rows, span_ms: 48.2, left_out: 0 };
    let trace_id = String::from("4bf92f3577b34da6a3ce929d0e0e4736");
    guide.waterfalls.insert(guide.path().to_owned(), Waterfall { trace_id, trees: vec![tree] });
    let lines = ["listening on 0.0.0.0:4567", "GET /api/home 200 in 48 ms", "GET /api/home 200 in 2 ms"];
    guide.update(Message::ServicePrinted(lines.map(str::to_owned).to_vec()));
    guide
}

const COMPILE_ERROR: [&str; 8] = [
    "   Compiling backend v0.1.0 (/home/learner/backend)",
    "\u{1b}[1m\u{1b}[38;5;9merror[E0425]\u{1b}[0m\u{1b}[1m: cannot find function `hme` in this scope\u{1b}[0m",
    "  \u{1b}[1m\u{1b}[38;5;12m--> \u{1b}[0msrc/main.rs:12:31",
    "   \u{1b}[1m\u{1b}[38;5;12m|\u{1b}[0m",
    "\u{1b}[1m\u{1b}[38;5;12m12\u{1b}[0m \u{1b}[1m\u{1b}[38;5;12m|\u{1b}[0m     .route(\"/api/home\", get(hme))",
    "   \u{1b}[1m\u{1b}[38;5;12m|\u{1b}[0m                             \u{1b}[1m\u{1b}[38;5;9m^^^\u{1b}[0m help: a function with a similar name exists: `home`",
    "",
    "\u{1b}[1m\u{1b}[38;5;9merror\u{1b}[0m\u{1b}[1m:\u{1b}[0m could not compile `backend` (bin \"backend\") due to 1 previous error",
];

fn building() -> Guide {
    let mut guide = fresh();
    tell(&mut guide, Event::Stage(Stage::Building));
    for line in ["   Compiling serde v1.0.228", "\u{1b}[1m\u{1b}[32m   Compiling\u{1b}[0m backend v0.1.0 (/home/learner/backend)"]
    {
        tell(&mut guide, Event::BuildLine(line.to_owned()));
    }
    guide.update(Message::Tick);
    guide
}

fn broken(stage: Stage, cause: &str, remedy: &str, output: &[&str]) -> Guide {
    let mut guide = fresh();
    tell(&mut guide, Event::Stage(stage));
    let output = output.iter().map(|line| (*line).to_owned()).collect();
    tell(&mut guide, Event::ServiceFailed { cause: cause.to_owned(), remedy: remedy.to_owned(), output });
    let trouble = Trouble { cause: cause.to_owned(), remedy: remedy.to_owned(), passing: false, retry_after_ms: None };
    for check in ["key", "region"] {
        judged(&mut guide, check, Outcome::Errored(trouble.clone()));
    }
    finished(&mut guide);
    guide
}

fn unbuilt() -> Guide {
    broken(Stage::Building, "`cargo build` failed", "mend what the compiler names first, and save", &COMPILE_ERROR)
}

fn crashed() -> Guide {
    let lines = ["thread 'main' panicked at src/main.rs:9:40:", "TELEMETRY_KEY is not set"];
    broken(Stage::Starting, "the service ended with exit status 101", "its last lines say why", &lines)
}

/// A frame, drawn until it stands; as the driver does.
fn draw(guide: &mut Guide, look: Look, width: u16, height: u16) -> (Canvas, Buffer) {
    let mut canvas = Canvas::new(look);
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    for _ in 0..2 {
        let mut drawn = Drawn::default();
        terminal.draw(|frame| drawn = canvas.draw(guide, frame)).unwrap();
        guide.update(Message::Drawn(drawn));
    }
    let buffer = terminal.backend().buffer().clone();
    (canvas, buffer)
}

fn text(buffer: &Buffer) -> String {
    let mut text = String::new();
    for row in buffer.area.rows() {
        let mut line = String::new();
        let mut hidden = 0;
        for position in row.positions() {
            let symbol = buffer[position].symbol();
            if hidden == 0 {
                line.push_str(symbol);
                hidden = symbol.width().max(1);
            }
            hidden -= 1;
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

fn screen(guide: &mut Guide, look: Look, width: u16, height: u16) -> String {
    text(&draw(guide, look, width, height).1)
}

fn check(name: &str, guide: &mut Guide, look: Look, (width, height): (u16, u16)) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/snapshots/guide").join(format!("{name}.{width}x{height}.txt"));
    let expected = Data::read_from(&path, Some(DataFormat::Text)).raw();
    Assert::new().action_env("SNAPSHOTS").eq(Data::text(screen(guide, look, width, height)), expected);
}

const SIZES: [(u16, u16); 6] = [(80, 24), (120, 40), (200, 50), (60, 20), (40, 12), (20, 5)];

#[test]
fn a_step_that_is_looked_at_at_all_sizes() {
    let mut guide = fresh();
    ready(&mut guide);
    tell(&mut guide, Event::Stage(Stage::Collecting));
    for size in SIZES {
        check("looking", &mut guide, COLOURED, size);
    }
}

#[test]
fn a_step_that_is_not_met() {
    for size in SIZES {
        check("failed", &mut failed(), COLOURED, size);
    }
    let mut guide = failed();
    does(&mut guide, Command::Focus);
    check("failed.focus", &mut guide, COLOURED, (60, 12));
}

#[test]
fn a_step_that_passed() {
    for size in [(80, 24), (120, 40), (200, 50)] {
        check("passed", &mut all_passed(), COLOURED, size);
    }
}

#[test]
fn a_hint_that_was_asked_for() {
    let mut guide = failed();
    does(&mut guide, Command::Hint);
    check("hint", &mut guide, COLOURED, (100, 30));
    let mut guide = failed();
    does(&mut guide, Command::Hint);
    assert!(screen(&mut guide, COLOURED, 80, 24).contains("Hint 1 of 2: Where to look"), "it is scrolled to");
}

#[test]
fn the_service() {
    for size in [(80, 24), (120, 40)] {
        check("building", &mut building(), COLOURED, size);
        check("unbuilt", &mut unbuilt(), COLOURED, size);
        check("crashed", &mut crashed(), COLOURED, size);
    }
    // What is wrong is seen wherever there is any room at all.
    for (width, height) in [(80, 24), (120, 40), (60, 20), (200, 12)] {
        assert!(screen(&mut unbuilt(), COLOURED, width, height).contains("does not build"), "{width} by {height}");
    }
}

#[test]
fn a_compile_error_keeps_its_colours() {
    let (_, buffer) = draw(&mut unbuilt(), COLOURED, 120, 40);
    let rows = text(&buffer);
    let row = rows.lines().position(|line| line.contains("error[E0425]")).unwrap();
    let column = rows.lines().nth(row).unwrap().find("error").unwrap();
    let cell = &buffer[(u16::try_from(column).unwrap(), u16::try_from(row).unwrap())];
    assert_eq!((cell.fg, cell.symbol()), (Color::LightRed, "e"));
}

#[test]
fn hostile_lines_stay_in_their_place() {
    let mut guide = failed();
    let lines =
        ["\u{1b}[2J\u{1b}[Hwiped", "\u{1b}]0;title\u{7}named", "one\rtwo\nthree", "\u{202e}turned", "\ttab", "\u{9b}5Aup\u{0}"];
    guide.update(Message::ServicePrinted(lines.map(str::to_owned).to_vec()));
    guide.service.phase = Phase::Ready { url: String::from("http://127.0.0.1:1/\u{1b}[31m\nx"), after_ms: None };
    guide.update(Message::Warned(String::from("told\u{1b}[2J in\ntwo lines")));
    let (_, buffer) = draw(&mut guide, COLOURED, 120, 40);
    let symbols = || buffer.content().iter().flat_map(|cell| cell.symbol().chars());
    assert!(symbols().all(|next| !next.is_control() && next != '\u{202e}'));
    check("hostile", &mut guide, COLOURED, (120, 40));
    does(&mut guide, Command::Output);
    let printed = screen(&mut guide, COLOURED, 80, 30);
    for word in ["wiped", "named", "one", "two", "three", "turned", "tab", "up"] {
        assert!(printed.contains(word), "{word}");
    }
}

#[test]
fn what_lies_over_the_lesson() {
    for size in [(80, 24), (120, 40), (40, 12)] {
        let mut guide = all_passed();
        for (name, command) in [("list", Command::List), ("help", Command::Help), ("output", Command::Output)] {
            does(&mut guide, command);
            check(name, &mut guide, COLOURED, size);
        }
        does(&mut guide, Command::Solution);
        assert!(screen(&mut guide, COLOURED, size.0, size.1).contains("working it out"));
        let text = "2 files\n\n--- a/.env\n+++ b/.env\n@@ -1 +1,2 @@\n NAME=demo\n\u{1b}[32m+TELEMETRY_KEY=a-key\u{1b}[0m\n";
        let solution = Solution { step: guide.path().to_owned(), text: text.to_owned() };
        guide.update(Message::Solution(Ok(solution)));
        check("solution", &mut guide, COLOURED, size);
        guide.overlay = Some(Overlay::Done);
        check("done", &mut guide, COLOURED, size);
    }
}

#[test]
fn the_end_where_nothing_is_left() {
    let mut guide = all_passed();
    let steps: Vec<_> = guide.course.steps().map(|(_, step)| (step.path.clone(), step.points)).collect();
    for (step, earned) in steps {
        guide.progress.apply(&Change::Passed { step, earned }, &Arc::clone(&guide.course));
    }
    guide.overlay = Some(Overlay::Done);
    check("done.whole", &mut guide, COLOURED, (100, 30));
}

#[test]
fn without_unicode() {
    for (name, mut guide) in [("ascii.failed", failed()), ("ascii.passed", all_passed()), ("ascii.building", building())] {
        check(name, &mut guide, ASCII, (120, 30));
        for command in [None, Some(Command::List), Some(Command::Help), Some(Command::Output)] {
            command.into_iter().for_each(|command| does(&mut guide, command));
            let screen = screen(&mut guide, ASCII, 120, 40);
            assert_eq!(screen.chars().find(|next| !next.is_ascii()), None, "{screen}");
        }
    }
}

#[test]
fn without_colour() {
    let guides = [fresh(), failed(), all_passed(), building(), unbuilt(), crashed()];
    let commands = [None, Some(Command::List), Some(Command::Help), Some(Command::Output)];
    for mut guide in guides {
        for command in commands {
            command.into_iter().for_each(|command| does(&mut guide, command));
            let (_, buffer) = draw(&mut guide, Look::BARE, 120, 40);
            assert!(buffer.content().iter().all(|cell| (cell.fg, cell.bg) == (Color::Reset, Color::Reset)));
        }
    }
    check("bare.failed", &mut failed(), Look::BARE, (120, 40));
}

#[test]
fn colours_are_the_terminals_own() {
    for mut guide in [failed(), all_passed(), unbuilt()] {
        let (_, buffer) = draw(&mut guide, COLOURED, 120, 40);
        assert!(buffer.content().iter().any(|cell| cell.fg != Color::Reset));
        let foreign = |colour| matches!(colour, Color::Rgb(..) | Color::Indexed(_));
        assert!(!buffer.content().iter().any(|cell| foreign(cell.fg) || cell.bg != Color::Reset));
    }
}

#[test]
fn what_was_told_is_signed_by_its_weight() {
    for (weight, text, line) in [
        (Weight::Good, "1.1 A key holds again", " ✓ 1.1 A key holds again"),
        (Weight::Plain, "copied `.env`", " › copied `.env`"),
        (Weight::Warning, "the page cannot be opened", " ! the page cannot be opened"),
    ] {
        let mut guide = failed();
        guide.notes.push_back(Note { weight, text: text.to_owned() });
        let screen = screen(&mut guide, COLOURED, 80, 24);
        assert_eq!(screen.lines().nth(22), Some(line));
    }
    let mut guide = failed();
    does(&mut guide, Command::Next);
    let long = screen(&mut guide, COLOURED, 80, 24);
    assert!(long.contains("goes on without it"), "a long one takes two lines:\n{long}");
}

/// Where a text stands.
fn find(buffer: &Buffer, wanted: &str) -> (u16, u16) {
    for row in buffer.area.rows() {
        let line: Vec<&str> = row.positions().map(|position| buffer[position].symbol()).collect();
        if let Some(column) = (0..line.len()).find(|column| line[*column..].concat().starts_with(wanted)) {
            return (u16::try_from(column).unwrap(), row.y);
        }
    }
    panic!("`{wanted}` is not there:\n{}", text(buffer));
}

#[test]
fn what_is_seen_can_be_clicked() {
    let mut guide = all_passed();
    let (canvas, buffer) = draw(&mut guide, COLOURED, 120, 40);
    let hit = |wanted: &str| {
        let (column, row) = find(&buffer, wanted);
        canvas.hit(column, row)
    };
    assert_eq!(hit("l list"), Some(Hit::Command(Command::List)));
    assert_eq!(hit("q quit"), Some(Hit::Command(Command::Quit)));
    assert_eq!(hit("? keys"), Some(Hit::Command(Command::Help)));
    assert_eq!(hit("n goes on"), Some(Hit::Command(Command::Next)));
    assert_eq!(hit("c copies"), Some(Hit::Command(Command::Copy)));
    assert_eq!(hit("listening on"), Some(Hit::Command(Command::Output)));
    assert_eq!(hit("Wrap the service"), Some(Hit::Pane(Pane::Lesson)));
    assert_eq!(hit("mock-data"), Some(Hit::Pane(Pane::Checks)));
    assert_eq!(canvas.hit(500, 500), None);

    does(&mut guide, Command::List);
    let (canvas, buffer) = draw(&mut guide, COLOURED, 120, 40);
    let (column, row) = find(&buffer, "A bonus");
    assert_eq!(canvas.hit(column, row), Some(Hit::Step(2)));
    assert_eq!(canvas.hit(1, 3), Some(Hit::Pane(Pane::Overlay)), "what lies beneath cannot be reached");
}

#[test]
fn the_code_block_in_sight_is_told() {
    let mut guide = fresh();
    let snippet = |guide: &mut Guide, size: (u16, u16)| {
        draw(guide, COLOURED, size.0, size.1);
        guide.drawn.snippet.clone()
    };
    let snippet_name = snippet(&mut guide, (120, 40)).map(|snippet| (snippet.name, snippet.code));
    assert_eq!(snippet_name, Some((String::from(".env"), String::from("TELEMETRY_KEY=a-key-of-thirty-two-characters\n"))));
    assert_eq!(snippet(&mut guide, (60, 16)), None, "it stands further down");
    guide.scroll[Pane::Lesson as usize] = usize::MAX;
    draw(&mut guide, COLOURED, 60, 16);
    assert!(guide.scroll[0] > 0 && guide.scroll[0] == guide.drawn.furthest[0]);
}

#[test]
fn a_page_is_set_once() {
    let mut guide = fresh();
    let paint = Paint { look: COLOURED };
    let page = Page::of(None, &guide, paint, 60);
    let begin = page.lines.as_ptr();
    let page = Page::of(Some(page), &guide, paint, 60);
    assert_eq!(page.lines.as_ptr(), begin, "the same step, width and hints");
    let count = page.lines.len();
    does(&mut guide, Command::Hint);
    let page = Page::of(Some(page), &guide, paint, 60);
    assert!(page.lines.len() > count, "a hint has been added");
}

#[test]
fn a_course_without_steps_can_be_looked_at() {
    let mut setup = setup();
    let mut course = (*setup.course).clone();
    course.lessons.clear();
    setup.course = Arc::new(course);
    let mut guide = Guide::new(&setup);
    assert!(screen(&mut guide, COLOURED, 80, 24).contains("no steps yet"));
    for command in [Command::List, Command::Help, Command::Output] {
        does(&mut guide, command);
        screen(&mut guide, COLOURED, 80, 24);
    }
}

#[test]
fn a_saved_file_is_named_while_it_is_looked_at() {
    let mut guide = failed();
    guide.update(Message::Saved(BTreeSet::from([String::from(".env"), String::from("src/main.rs")])));
    assert!(screen(&mut guide, COLOURED, 120, 40).contains(".env and 1 more saved: about to look"));
}

#[test]
fn the_end_of_what_is_printed_is_followed_until_one_scrolls() {
    let mut guide = failed();
    let print = |guide: &mut Guide, count: usize| {
        guide.update(Message::ServicePrinted((0..count).map(|line| format!("line {line}.")).collect()));
    };
    print(&mut guide, 100);
    does(&mut guide, Command::Output);
    assert!(screen(&mut guide, COLOURED, 80, 24).contains("line 99."));
    print(&mut guide, 150);
    assert!(screen(&mut guide, COLOURED, 80, 24).contains("line 149."));
    does(&mut guide, Command::Scroll(Towards::Up));
    print(&mut guide, 200);
    let held = screen(&mut guide, COLOURED, 80, 24);
    assert!(held.contains("line 148.") && !held.contains("line 199."));
}

#[test]
fn where_room_is_short_the_focus_has_more_of_it() {
    let mut guide = failed();
    assert!(!screen(&mut guide, COLOURED, 80, 24).contains("write its code"));
    does(&mut guide, Command::Focus);
    assert!(screen(&mut guide, COLOURED, 80, 24).contains("write its code"));
}

fn looks() -> impl Strategy<Value = Look> {
    (any::<bool>(), any::<bool>()).prop_map(|(colour, unicode)| Look { colour, unicode, ..Look::BARE })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn whatever_happens_it_can_be_drawn(
        messages in prop::collection::vec((messages(), 1_u16..=250, 1_u16..=80), 1..20),
        look in looks(),
    ) {
        let setup = Setup { course: crate::guide::tests::course(), ..setup() };
        let mut guide = Guide::new(&setup);
        guide.begin(&setup);
        let mut canvas = Canvas::new(look);
        for (message, width, height) in messages {
            if guide.run.as_ref().is_some_and(|run| run.fold.report().course.is_empty()) {
                planned(&mut guide);
            }
            guide.update(message);
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            let mut drawn = Drawn::default();
            terminal.draw(|frame| drawn = canvas.draw(&guide, frame)).unwrap();
            guide.update(Message::Drawn(drawn));
            let buffer = terminal.backend().buffer();
            prop_assert!(buffer.content().iter().all(|cell| !cell.symbol().chars().any(char::is_control)));
            if (width, height) >= (40, 10) && height >= 10 {
                let foot: String = (0..width).map(|column| buffer[(column, height - 1)].symbol().to_owned()).collect();
                prop_assert!(foot.contains("q quit"), "{foot}");
                if guide.overlay.is_some() {
                    prop_assert!(foot.contains("Esc close"), "{foot}");
                }
            }
            let hits = canvas.hits.clone();
            prop_assert!(hits.iter().all(|(area, _)| area.right() <= width && area.bottom() <= height));
        }
        guide.update(Message::Command(Command::Close));
        prop_assert_eq!(guide.overlay, None);
    }
}
