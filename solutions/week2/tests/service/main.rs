//! The service from the outside: its answers, and what its vendors get to see.

mod endpoints;
mod fakes;
mod process;
mod telemetry;
