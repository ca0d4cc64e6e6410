//! Arguments, commands and exit codes: the only place that knows all the rooms.

mod args;
mod author;
mod completions;
mod doctor;
mod guide;
mod hint;
mod init;
mod learner;
mod list;
mod next;
mod pager;
mod place;
mod prove;
mod reset;
mod sandbox;
mod show;
mod signals;
mod solution;
mod status;
mod vendors;
mod verify;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::{CommandFactory, Parser};

use crate::report::{ExitStatus, Look};
use args::{Args, Command, GuideArgs};

/// Runs the command line and says how the process should end.
#[must_use]
pub fn run(arguments: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = match Args::try_parse_from(arguments) {
        Ok(args) => args,
        Err(error) => {
            // Help and the version are what was asked for; all else is a usage error.
            let status = if error.use_stderr() { ExitStatus::Usage } else { ExitStatus::Passed };
            let _ = error.print();
            return status.into();
        }
    };
    let Some(command) = args.command.or_else(without_a_word) else {
        let mut wanting = Args::command().subcommand_required(true).arg_required_else_help(true);
        let _ = wanting.try_get_matches_from_mut(["bootcamp"]).map_err(|help| help.print());
        return ExitStatus::Usage.into();
    };
    let status = match command {
        Command::Init(args) => init::run(&args),
        Command::Guide(args) => guide::run(&args),
        Command::Status(args) => status::run(&args),
        Command::Next(args) => next::run(&args),
        Command::Hint(args) => hint::run(&args),
        Command::Verify(args) => verify::run(&args),
        Command::Solution(args) => solution::run(&args),
        Command::Reset(args) => reset::run(&args),
        Command::Sandbox(args) => sandbox::run(&args),
        Command::Author(what) => author::run(what),
        Command::Doctor(args) => doctor::run(&args),
        Command::List(args) => list::run(&args),
        Command::Show(args) => show::run(&args),
        Command::Completions(args) => completions::run(&args),
    };
    match status {
        Ok(status) => status.into(),
        Err(failure) => {
            failure.print();
            failure.status.into()
        }
    }
}

/// What `bootcamp` alone means: in a workspace the guide.
fn without_a_word() -> Option<Command> {
    let folder = std::env::current_dir().ok()?;
    guide::is_wanted(&folder).then(|| Command::Guide(GuideArgs::default()))
}

/// A command that could not do its work: what to print, and how to end.
struct Failure {
    status: ExitStatus,
    text: String,
}

impl Failure {
    /// Something that the user wrote is wrong.
    fn usage(error: impl std::fmt::Display) -> Self {
        Self { status: ExitStatus::Usage, text: format!("error: {error}") }
    }

    /// A file with a place to show.
    fn shown(status: ExitStatus, problem: impl Into<miette::Report>) -> Self {
        Self { status, text: rendered(problem, &Look::of_stderr()) }
    }

    fn print(&self) {
        let _ = writeln!(std::io::stderr(), "{}", self.text.trim_end());
    }
}

/// A problem as people read it, with the place in its file.
fn rendered(problem: impl Into<miette::Report>, look: &Look) -> String {
    let theme = match (look.unicode, look.colour) {
        (true, true) => miette::GraphicalTheme::unicode(),
        (true, false) => miette::GraphicalTheme::unicode_nocolor(),
        (false, _) => miette::GraphicalTheme::none(),
    };
    let handler = miette::GraphicalReportHandler::new_themed(theme).with_links(false).with_width(look.width);
    let report = problem.into();
    let mut text = String::new();
    if handler.render_report(&mut text, report.as_ref()).is_err() {
        text = format!("error: {report}\n");
    }
    text
}

/// The shell's variables, as values to hand down. What is not Unicode cannot stand in a compose file, and is left out.
fn shell() -> BTreeMap<String, String> {
    std::env::vars_os().filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?))).collect()
}

/// The runtime, for the commands that need one: the others start without.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    runtime_of(2)
}

/// A runtime with so many threads for what never waits.
fn runtime_of(workers: usize) -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers)
        .enable_all()
        .build()
        .map_err(|error| Failure { status: ExitStatus::Unverified, text: format!("error: no threads to run on: {error}") })
}
