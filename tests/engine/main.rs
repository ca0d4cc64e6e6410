//! Container checks against a real Docker engine, with images that are built here: nothing is pulled.
//!
//! Where no engine answers, the tests that need one say so and pass; `BOOTCAMP_TEST_DOCKER=required` makes them fail instead.
//! They take turns, and remove what they made.

#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used)]

mod absent;
mod bootcamp;
mod daemon;
mod engine;
mod image;
mod project;
mod reference;

use std::path::Path;

/// The repository.
fn repository() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}
