//! From a selection of steps to a stream of events: plan, probe, poll, judge.

mod clock;
mod event;
mod pace;
pub mod polling;
pub mod probing;

pub use clock::Clock;
pub use event::{Agenda, AgendaCheck, AgendaLesson, AgendaStep, Closing, Event, Judgement, Stage};
pub use pace::Pace;
