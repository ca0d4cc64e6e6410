use clap::CommandFactory;

use super::Failure;
use super::args::{Args, CompletionsArgs};
use crate::report::ExitStatus;

/// Prints the completions for a shell.
pub fn run(args: &CompletionsArgs) -> Result<ExitStatus, Failure> {
    clap_complete::generate(args.shell, &mut Args::command(), "bootcamp", &mut std::io::stdout());
    Ok(ExitStatus::Passed)
}
