//! The reports from the outside: whole outputs as snapshots, and each format read back by a reader that is not its writer.
//!
//! `SNAPSHOTS=overwrite cargo test --test report` writes the snapshots and `docs/report.schema.json` anew.

#![allow(clippy::unwrap_used)]

mod hostile;
mod read_back;
mod sample;
mod snapshots;

use std::path::{Path, PathBuf};

/// A file of the repository.
fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}
