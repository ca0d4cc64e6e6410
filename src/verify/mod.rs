//! From a selection of steps to a stream of events: plan, probe, poll, judge.
//!
//! ```text
//! Plan ─► build, start ─► probing ─► polling (asking ─► evidence ─► judge) ─► events
//! ```

pub mod acting;
mod asking;
mod clock;
mod crew;
mod diagnosing;
mod event;
pub mod mask;
mod pace;
mod plan;
pub mod polling;
pub mod probing;
pub mod recording;
mod run;
mod searching;
mod standing;

pub use clock::Clock;
pub use crew::composed;
pub use event::{Agenda, AgendaCheck, AgendaLesson, AgendaStep, Closing, Diagnosed, Event, Judgement, Stage};
pub use pace::Pace;
pub use plan::Plan;
pub use run::{Subject, run, run_on};
pub use standing::{Renewal, Standing};
