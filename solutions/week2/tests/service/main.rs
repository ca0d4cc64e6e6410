//! The service from the outside.

mod endpoints;
mod fakes; //@ since reference
mod process; //@ since reference
mod telemetry; //@ since reference
