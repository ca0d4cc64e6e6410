//! From a selection of steps to a stream of events: plan, probe, poll, judge.

mod event;

pub use event::{Agenda, AgendaCheck, AgendaLesson, AgendaStep, Closing, Event, Judgement, Stage};
