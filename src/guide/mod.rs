//! The terminal guide: a learner's way through a course, step by step, in one terminal beside one editor.
//!
//! ```text
//! keys, mouse, saves, runs ─► Message ─► Guide::update ─► Effects, which `cli` performs
//!                                           │
//!                                           ▼
//!                                   Guide ─► view::Canvas (a frame) · plain (lines)
//! ```
//!
//! Everything here is pure: what the guide knows is plain data, [`Guide::update`] alone changes it and does no I/O, and the views
//! only read it. So each screen and each reaction can be tested without a terminal, a service or a vendor.

mod keys;
mod message;
pub mod plain;
mod state;
#[cfg(test)]
mod tests;
mod update;
pub mod view;

pub use keys::{Binding, all as all_bindings, bindings, command};
pub use message::{Command, Drawn, Effect, Message, Snippet, Solution, Towards};
pub use state::{CheckState, Guide, Note, Overlay, Pane, Phase, Run, ServiceState, Setup, StepState, Weight};
