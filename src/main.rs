//! The `bootcamp` binary: everything is in the library.

use std::process::ExitCode;

fn main() -> ExitCode {
    bootcamp::cli::run(std::env::args_os())
}
