//! Runs that never were: with every way to end, and fixed times.

use bootcamp::check::{Diagnosis, Fact, LessonPlace, Mismatch, Outcome, Points};
use bootcamp::facts::{Evidence, Level, Source, Trouble};
use bootcamp::report::{Fold, Report};
use bootcamp::verify::{Agenda, AgendaCheck, AgendaLesson, AgendaStep, Closing, Diagnosed, Event, Judgement, Stage};

/// A step: id, number, title, points, bonus, line, and its checks (id, title, kind, fix).
fn step(number: &str, id: &str, title: &str, points: u32, bonus: bool, line: usize, checks: &[[&str; 4]]) -> AgendaStep {
    let shares = Points::whole(points).shared(checks.len());
    let checks = checks.iter().zip(shares).enumerate().map(|(index, ([id, title, kind, fix], points))| AgendaCheck {
        id: (*id).into(),
        title: (*title).into(),
        kind: (*kind).into(),
        points,
        fix: (*fix).into(),
        line: line + 20 + index,
    });
    AgendaStep {
        id: id.into(),
        number: number.into(),
        title: title.into(),
        points: Points::whole(points),
        bonus,
        line,
        checks: checks.collect(),
    }
}

fn lesson(number: u32, id: &str, title: &str, steps: Vec<AgendaStep>) -> AgendaLesson {
    AgendaLesson { id: id.into(), number, title: title.into(), file: format!("lessons/week2/{number}-{id}.md"), steps }
}

/// A part of week 2.
pub fn agenda() -> Agenda {
    Agenda {
        course: "week2".into(),
        title: "Distributed Tracing".into(),
        target: "sandbox".into(),
        subject: "/home/ada/cruddur".into(),
        lessons: vec![
            lesson(
                1,
                "setup",
                "Setup",
                vec![
                    step(
                        "1.1",
                        "week2/setup/answers",
                        "The service answers",
                        3,
                        false,
                        10,
                        &[[
                            "home-answers",
                            "`GET /api/activities/home` answers 200 with three activities",
                            "http-response",
                            "Start it with `cargo run`.",
                        ]],
                    ),
                    step(
                        "1.2",
                        "week2/setup/health",
                        "A health route that costs nothing",
                        2,
                        false,
                        48,
                        &[[
                            "health-answers",
                            "`GET /api/health` answers `{\"status\":\"ok\"}`",
                            "http-response",
                            "Add the route.",
                        ]],
                    ),
                    step(
                        "1.3",
                        "week2/setup/container",
                        "The backend runs in a container",
                        3,
                        false,
                        90,
                        &[
                            [
                                "backend-container",
                                "a container `backend-axum` is up",
                                "docker-container",
                                "Run `docker compose up`.",
                            ],
                            ["backend-port", "it publishes 4567", "docker-container", "Publish the port."],
                        ],
                    ),
                ],
            ),
            lesson(
                2,
                "honeycomb",
                "Honeycomb",
                vec![
                    step(
                        "2.3",
                        "week2/honeycomb/key",
                        "Tell the exporter where to send",
                        4,
                        false,
                        31,
                        &[
                            [
                                "otlp-endpoint",
                                "`OTEL_EXPORTER_OTLP_ENDPOINT` is set for the backend",
                                "yaml-file",
                                "Add it to `docker-compose.yml`.",
                            ],
                            ["otlp-headers", "so is `OTEL_EXPORTER_OTLP_HEADERS`", "yaml-file", "Add it beneath."],
                        ],
                    ),
                    step(
                        "2.4",
                        "week2/honeycomb/server-span",
                        "A span for every request",
                        5,
                        false,
                        77,
                        &[[
                            "server-span",
                            "the probe's trace has a server span",
                            "honeycomb-span",
                            "Put `OtelAxumLayer` around the router.",
                        ]],
                    ),
                    step(
                        "2.7",
                        "week2/honeycomb/mock-data",
                        "Give the mock data a span of its own",
                        5,
                        false,
                        140,
                        &[
                            [
                                "home-span",
                                "a span `home-activities-mock-data` is a child of the request's span",
                                "honeycomb-span",
                                "Enter the span.",
                            ],
                            [
                                "home-span-length",
                                "it carries `app.result_length` = 3, a number",
                                "honeycomb-span",
                                "Record it as an `i64`: a `usize` travels as text.",
                            ],
                        ],
                    ),
                    step(
                        "2.8",
                        "week2/honeycomb/outgoing",
                        "Trace what you ask of others",
                        3,
                        false,
                        190,
                        &[
                            [
                                "outgoing-crate",
                                "`Cargo.toml` has `reqwest-tracing`",
                                "toml-file",
                                "Run `cargo add reqwest-tracing`, and wrap the client once, where it is made, so that every request of the service \
                         carries the trace on.",
                            ],
                            ["outgoing-span", "the trace has a client span", "honeycomb-span", "Ask through the wrapped client."],
                        ],
                    ),
                ],
            ),
            lesson(
                3,
                "x-ray",
                "AWS X-Ray",
                vec![
                    step(
                        "3.5",
                        "week2/x-ray/segment",
                        "A segment for every request",
                        5,
                        false,
                        66,
                        &[["segment", "the probe's trace has a segment with its http block", "xray-segment", "Send segments."]],
                    ),
                    step(
                        "3.6",
                        "week2/x-ray/group",
                        "A group for Cruddur",
                        2,
                        false,
                        101,
                        &[["group", "there is a group `Cruddur`", "xray-group", "Create it."]],
                    ),
                ],
            ),
            lesson(
                6,
                "homework",
                "Homework",
                vec![
                    step(
                        "6.1",
                        "week2/homework/user",
                        "Say who it was",
                        4,
                        true,
                        8,
                        &[[
                            "user-id",
                            "the server span carries `app.user_id`",
                            "honeycomb-span",
                            "Record it on the current span.",
                        ]],
                    ),
                    step(
                        "6.2",
                        "week2/homework/health",
                        "Leave the health checks out",
                        3,
                        true,
                        35,
                        &[["health-untraced", "no span comes of `GET /api/health`", "absent", "Filter the route in the layer."]],
                    ),
                ],
            ),
        ],
    }
}

fn judged(check: &str, after_ms: u64, outcome: Outcome) -> Event {
    Event::Judged(Judgement { check: check.into(), outcome, after_ms })
}

pub fn passed(check: &str, after_ms: u64, facts: &[(&str, &str)]) -> Event {
    let facts = facts.iter().map(|(label, value)| Fact::new(*label, *value)).collect();
    judged(check, after_ms, Outcome::Passed { facts, level: Level::Exact })
}

pub fn failed(check: &str, after_ms: u64, mismatch: Mismatch) -> Event {
    judged(check, after_ms, Outcome::Failed(mismatch))
}

pub fn skipped(check: &str, reason: &str) -> Event {
    judged(check, 4, Outcome::Skipped(reason.into()))
}

pub fn errored(check: &str, cause: &str, remedy: &str) -> Event {
    let trouble = Trouble { cause: cause.into(), remedy: remedy.into(), passing: false, retry_after_ms: None };
    judged(check, 812, Outcome::Errored(trouble))
}

pub fn finished(interrupted: bool) -> Event {
    // 2026-01-12T09:30:00Z
    let evidence = Evidence { started_ms: 1_768_210_200_000, ..Evidence::default() };
    Event::Finished(Box::new(Closing { evidence, took_ms: 11_870, interrupted }))
}

const TRACE: (&str, &str) = ("trace", "4efaaf4d1e8720b39541901950019ee5");

/// The verdicts on the files and on the setup, which come first.
fn early() -> Vec<Event> {
    vec![
        Event::Planned(agenda()),
        Event::Stage(Stage::Building),
        Event::BuildLine("   Compiling backend-axum v0.1.0".into()),
        Event::Stage(Stage::Starting),
        Event::ServiceReady { instance: "default".into(), url: "http://127.0.0.1:4567".into(), after_ms: Some(83) },
        Event::ServiceReady { instance: "quiet".into(), url: "http://127.0.0.1:4568".into(), after_ms: Some(80) },
        Event::Stage(Stage::Probing),
        Event::Probed { probe: "home".into(), status: Some(200), latency_ms: 3.4 },
        passed("home-answers", 12, &[("status", "200"), ("latency", "3.4 ms"), TRACE]),
        passed("health-answers", 14, &[("status", "200"), ("latency", "0.6 ms")]),
        skipped("backend-container", "no Docker engine answers at `/var/run/docker.sock`"),
        skipped("backend-port", "no Docker engine answers at `/var/run/docker.sock`"),
        passed("otlp-endpoint", 2, &[("value", "https://api.honeycomb.io"), ("in", "docker-compose.yml:14")]),
        passed("otlp-headers", 2, &[("value", "x-honeycomb-team=(32 characters)"), ("in", "docker-compose.yml:15")]),
        Event::Stage(Stage::Collecting),
        Event::Polled { source: Source::Honeycomb, round: 1, waiting: 6 },
    ]
}

fn fold(events: &[Event]) -> Report {
    let mut fold = Fold::new();
    events.iter().for_each(|event| fold.absorb(event));
    fold.finish()
}

fn cause(id: &str, cause: &str, fix: &str, evidence: &[&str]) -> Diagnosis {
    Diagnosis {
        id: id.into(),
        cause: cause.into(),
        fix: fix.into(),
        lesson: LessonPlace { file: "lessons/week2/2-honeycomb.md".into(), line: 20 },
        evidence: evidence.iter().map(|sentence| (*sentence).into()).collect(),
    }
}

/// One cause that two checks have in common, and one check with two candidates.
pub fn diagnosed() -> Report {
    let refused = "POST /v1/traces was refused with 401: the key is empty";
    let blank = || {
        let fix = "Put `HONEYCOMB_API_KEY=…` into `.env` and start the service again.";
        cause(
            "honeycomb-key-blank",
            "The key is empty, so every batch goes out without one.",
            fix,
            &[refused, "`HONEYCOMB_API_KEY` is blank (.env:1)"],
        )
    };
    let mut events = early();
    events.extend([
        failed(
            "server-span",
            10_000,
            Mismatch::new("a span of kind `server`", "no span of this trace has arrived").nearest(Some(refused.into())),
        ),
        failed(
            "home-span",
            10_000,
            Mismatch::new("a span `home-activities-mock-data`", "no span of this trace has arrived")
                .nearest(Some(refused.into())),
        ),
        failed("home-span-length", 10_000, Mismatch::new("an integer", "a text")),
    ]);
    let explained = |check: &str, diagnoses: Vec<Diagnosis>| Diagnosed { check: check.into(), diagnoses };
    events.push(Event::Diagnosed(vec![
        explained("server-span", vec![blank()]),
        explained("home-span", vec![blank()]),
        explained(
            "home-span-length",
            vec![
                cause("as-usize", "The length is recorded as a `usize`.", "Record an `i64`.", &[]),
                cause(
                    "as-text",
                    "The length is formatted before it is recorded.",
                    "Record the number itself.",
                    &["src/a.rs:7: `to_string()`"],
                ),
            ],
        ),
    ]));
    events.push(finished(false));
    fold(&events)
}

/// Everything at once: passed, failed with the nearest thing, skipped, errored, bonus.
pub fn mixed() -> Report {
    let throttled = "AWS X-Ray refused the credentials (403, `UnrecognizedClientException`)";
    let remedy = "set `AWS_ACCESS_KEY_ID` and `AWS_SECRET_ACCESS_KEY` in `.env` to a key that may read X-Ray";
    let mut events = early();
    events.extend([
        passed("server-span", 431, &[TRACE, ("span", "GET /api/activities/home"), ("duration", "2.1 ms"), ("dataset", "backend-axum")]),
        passed("home-span", 431, &[TRACE, ("span", "home-activities-mock-data"), ("parent", "GET /api/activities/home")]),
        failed(
            "home-span-length",
            10_000,
            Mismatch::new("`app.result_length` to be the number 3", "the text \"3\"").nearest(Some(
                "the span `home-activities-mock-data` of trace 4efaaf4d1e8720b39541901950019ee5 in the dataset `backend-axum`, with \
                 `app.now` and `app.result_length`"
                    .into(),
            )),
        ),
        failed(
            "outgoing-crate",
            2,
            Mismatch::new("`dependencies.reqwest-tracing` to be there", "no such key; the nearest is `reqwest`").at("Cargo.toml", Some(23)),
        ),
        errored("outgoing-span", "Honeycomb asked us to wait for 60 s (429), longer than this run lasts", "run it again in a minute"),
        errored("segment", throttled, remedy),
        errored("group", throttled, remedy),
        failed("user-id", 10_000, Mismatch::new("an attribute `app.user_id`", "none such among its 14 attributes")),
        Event::Judged(Judgement {
            check: "health-untraced".into(),
            outcome: Outcome::Passed { facts: vec![Fact::new("quiet for", "2 s")], level: Level::Fresh },
            after_ms: 2_600,
        }),
        Event::Notice("the workspace's sandbox was running already and was used".into()),
        finished(false),
    ]);
    fold(&events)
}

/// All is met that could be looked at.
pub fn met() -> Report {
    let mut events = early();
    for (check, after) in [
        ("server-span", 431),
        ("home-span", 431),
        ("home-span-length", 431),
        ("outgoing-crate", 2),
        ("outgoing-span", 640),
        ("segment", 512),
        ("group", 512),
        ("user-id", 431),
        ("health-untraced", 2_600),
    ] {
        events.push(passed(check, after, &[TRACE]));
    }
    events.push(finished(false));
    fold(&events)
}

/// The user pressed Ctrl-C while Honeycomb was asked.
pub fn interrupted() -> Report {
    let mut events = early();
    events.extend([passed("server-span", 431, &[TRACE]), finished(true)]);
    fold(&events)
}

fn without_service(stage: Stage, cause: &str, remedy: &str, output: &[&str]) -> Report {
    let mut events = vec![Event::Planned(agenda()), Event::Stage(stage)];
    events.push(Event::ServiceFailed {
        cause: cause.into(),
        remedy: remedy.into(),
        output: output.iter().map(|line| (*line).to_owned()).collect(),
    });
    events.extend([passed("otlp-endpoint", 2, &[("in", "docker-compose.yml:14")]), passed("otlp-headers", 2, &[])]);
    for lesson in agenda().lessons {
        for check in lesson.steps.into_iter().flat_map(|step| step.checks).filter(|check| !check.id.starts_with("otlp")) {
            events.push(errored(
                &check.id,
                "there is no service to ask",
                "fix the service first: what keeps it from running is said at the top",
            ));
        }
    }
    events.push(finished(false));
    fold(&events)
}

/// The service does not compile.
pub fn unbuilt() -> Report {
    without_service(
        Stage::Building,
        "`cargo build` failed with exit status 101",
        "fix what the compiler names, then run this again",
        &[
            "\u{1b}[1m\u{1b}[32m   Compiling\u{1b}[0m backend-axum v0.1.0 (/home/ada/cruddur)",
            "\u{1b}[1m\u{1b}[31merror[E0425]\u{1b}[0m\u{1b}[1m: cannot find value `tracer` in this scope\u{1b}[0m",
            "  \u{1b}[34m-->\u{1b}[0m src/main.rs:31:18",
            "   |",
            "31 |     let layer = tracer.layer();",
            "   |                 ^^^^^^ not found in this scope",
            "",
            "error: could not compile `backend-axum` (bin \"backend-axum\") due to 1 previous error",
        ],
    )
}

/// The service crashes at its start.
pub fn crashed() -> Report {
    let lines: Vec<String> = (1..=20).map(|line| format!("starting part {line}\u{1b}[2K")).collect();
    let mut lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    lines.push("thread 'main' panicked at src/main.rs:31:18:\ncalled `Option::unwrap()` on a `None` value: AWS_DEFAULT_REGION");
    without_service(
        Stage::Starting,
        "the service ended with exit status 101 after 0.2 s",
        "read its last lines; a variable that is missing in `docker-compose.yml` is missing here too",
        &lines,
    )
}
