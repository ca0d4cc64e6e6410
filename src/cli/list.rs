use std::io::{IsTerminal, Write};

use super::args::{ListArgs, ListFormat};
use super::{Failure, place};
use crate::report::{ExitStatus, Look, list};
use crate::verify::Plan;

/// Lists lessons and steps.
pub fn run(args: &ListArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    // A list needs no workspace; where there is one, its course is meant.
    let manifest = if args.selection.is_some() { None } else { place::manifest_if_any(&folder)? };
    let selection = place::selection(args.selection.as_deref(), None, manifest.as_ref())?;
    let stdout = std::io::stdout();
    let format = args.format.unwrap_or(if stdout.is_terminal() { ListFormat::Pretty } else { ListFormat::Plain });
    let course = match format {
        ListFormat::Pretty | ListFormat::Plain => place::outline(&folder, selection.course())?,
        // Programs are told the checks' ids, too.
        ListFormat::Json => place::course(&folder, selection.course())?,
    };
    let steps = course.select(&selection).map_err(Failure::usage)?;
    let agenda = Plan::new(&course, &steps).agenda;
    let text = match format {
        ListFormat::Pretty => list::pretty(&agenda, &Look::of_stdout()),
        ListFormat::Plain => list::plain(&agenda),
        ListFormat::Json => list::json(&agenda),
    };
    // A reader who has gone away has seen enough.
    let _ = stdout.lock().write_all(text.as_bytes());
    Ok(ExitStatus::Passed)
}
