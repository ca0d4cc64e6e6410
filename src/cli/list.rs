use std::io::{IsTerminal, Write};

use super::args::{ListArgs, ListFormat};
use super::learner::told;
use super::{Failure, place};
use crate::progress::Book;
use crate::report::list::Listing;
use crate::report::{ExitStatus, Look, list};
use crate::verify::Plan;

/// Lists lessons and steps.
pub fn run(args: &ListArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    // A list needs no workspace; where there is one, its course is meant, and how far one is in it is shown.
    let manifest = match &args.selection {
        None => place::manifest_if_any(&folder)?,
        // What is listed does not depend on it.
        Some(_) => place::manifest_if_any(&folder).unwrap_or_default(),
    };
    let selection = place::selection(args.selection.as_deref(), None, manifest.as_ref())?;
    let stdout = std::io::stdout();
    let format = args.format.unwrap_or(if stdout.is_terminal() { ListFormat::Pretty } else { ListFormat::Plain });
    let begun = manifest.as_ref().is_some_and(|manifest| Book::exists(&manifest.workspace));
    let course = match format {
        ListFormat::Pretty | ListFormat::Plain if !begun => place::outline(&folder, selection.course())?,
        // Programs are told the checks' ids, too; and whether what was passed has changed since, only the checks can tell.
        _ => place::course(&folder, selection.course())?,
    };
    let steps = course.select(&selection).map_err(Failure::usage)?;
    let mut listing = Listing::from(&Plan::new(&course, &steps).agenda);
    if let Some(manifest) = &manifest {
        listing = listing.with(&course, &told(Book::of(&manifest.workspace, &course).load()));
    }
    let text = match format {
        ListFormat::Pretty => list::pretty(&listing, &Look::of_stdout()),
        ListFormat::Plain => list::plain(&listing),
        ListFormat::Json => list::json(&listing),
    };
    // A reader who has gone away has seen enough.
    let _ = stdout.lock().write_all(text.as_bytes());
    Ok(ExitStatus::Passed)
}
