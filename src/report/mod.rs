//! The same events as pretty, plain, json, junit, tap, github: what a run says to people and to programs.
//!
//! A [`Fold`] turns the stream of [`Event`](crate::verify::Event)s into one [`Report`], plain data whose texts are already free of
//! terminal escapes. Every format is a pure function of a report: `pretty::render`, `plain::render`, `json::render`, and so on.
//! [`Sinks`] writes one of them to stdout and any others to files. While the run goes on, [`Progress`] shows the same events on
//! stderr, so that stdout carries exactly one report.
//!
//! What decides a run: all required checks that could be looked at. A bonus check that is not met costs nothing, unless bonus steps
//! are all that was selected; a skipped check leaves its points out of the total. [`ExitStatus`] lists the exit codes.

pub mod doctor;
mod exit;
mod fold;
pub mod github;
pub mod json;
pub mod junit;
pub mod lesson;
pub mod list;
mod look;
mod model;
mod noted;
mod page;
pub mod plain;
pub mod pretty;
mod progress;
mod schema;
mod sheet;
mod sinks;
pub mod status;
pub mod step;
pub mod tap;
pub(crate) mod text;
mod waterfall;
pub mod way;
pub(crate) mod words;

pub use exit::ExitStatus;
pub use fold::Fold;
pub use look::Look;
pub(crate) use look::Tone;
pub use model::{
    CheckReport, Diagnosis, Fact, LessonReport, Mismatch, Place, Report, RunStatus, Score, ServiceReport, ServiceTrouble, Status,
    StepReport, Tally,
};
pub use progress::Progress;
pub use schema::schema;
pub use sheet::sheet;
pub use sinks::{Format, SinkError, Sinks};
pub use waterfall::{Row, Tree, Waterfall, took};
