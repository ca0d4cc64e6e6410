use std::io::IsTerminal;

use super::args::{ListFormat, StatusArgs};
use super::learner::{Learner, print};
use super::{Failure, place};
use crate::report::status::Overview;
use crate::report::{ExitStatus, Look, status};

/// Shows how far the learner is.
pub fn run(args: &StatusArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    let learner = Learner::open(&folder, args.course.as_deref())?;
    let overview = Overview::new(&learner.course, &learner.progress);
    let default = if std::io::stdout().is_terminal() { ListFormat::Pretty } else { ListFormat::Plain };
    print(&match args.format.unwrap_or(default) {
        ListFormat::Pretty => status::pretty(&overview, &Look::of_stdout()),
        ListFormat::Plain => status::plain(&overview),
        ListFormat::Json => status::json(&overview),
    });
    Ok(ExitStatus::Passed)
}
