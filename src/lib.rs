//! `bootcamp` runs a workshop whose steps are proved by evidence.
//!
//! Imports point one way, from the bottom of this list to its top:
//!
//! ```text
//! facts      what was observed, vendor-neutral
//! vendor     one client each: honeycomb, xray, cloudwatch, rollbar, docker
//! check      what a step demands, and the pure `judge`
//! course     lessons and steps from Markdown, the checks beside them
//! solution   the reference service of a course, and from it the state after every step
//! sandbox    the embedded vendors over one SQLite store (knows facts and the wire only)
//! lab        sandbox or live: endpoints for the clients, environment for the service
//! service    the learner's service: build, start, ready, stop
//! verify     plan, probe, poll, run: from a selection of steps to a stream of events
//! doctor     what may keep a learner from the first step: tools, ports, variables, vendors
//! progress   what the learner has passed: one file in the workspace, written whole or not at all
//! highlight  which stretches of code are keywords, texts, comments
//! typeset    Markdown as lines of styled text
//! report     the same events as pretty, plain, json, junit, tap, github
//! guide      the terminal guide: a pure update over messages, and the views of it
//! author     what keeps a course true: lint, sync, new, and the proof of states and mistakes
//! cli        arguments, commands and exit codes: the only place that knows them all
//! ```
//!
//! `tests/layers.rs` keeps it so; `ARCHITECTURE.md` says why.

pub mod author;
pub mod check;
pub mod cli;
pub mod course;
pub mod doctor;
pub mod facts;
pub mod guide;
pub mod highlight;
pub mod lab;
pub mod progress;
pub mod report;
pub mod sandbox;
pub mod service;
pub mod solution;
pub mod typeset;
pub mod vendor;
pub mod verify;
