//! How the tests run the program and look at what it did.

mod bootcamp;
mod process;
mod redact;
mod run;
mod sandboxed;
mod terminal;
pub mod wire;

use std::path::{Path, PathBuf};

use snapbox::data::DataFormat;
use snapbox::{Assert, Data};

pub use bootcamp::{Bootcamp, Running};
pub use process::{free_port, lives, signal, wait_until};
pub use redact::redact;
pub use run::{Report, Run};
pub use sandboxed::Sandboxed;
pub use terminal::{Terminal, in_terminal};

/// A file of the repository.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// Holds a text against a snapshot.
#[track_caller]
pub fn matches(name: &str, actual: &str) {
    let path = repository("tests/snapshots/suite").join(name);
    let expected = Data::read_from(&path, Some(DataFormat::Text)).raw();
    Assert::new().action_env("SNAPSHOTS").eq(Data::text(actual), expected);
}

/// Holds a text against fragments that it must have, in any order.
#[track_caller]
pub fn has(text: &str, fragments: &[&str]) {
    for fragment in fragments {
        assert!(text.contains(fragment), "`{fragment}` is not in:\n{text}");
    }
}
