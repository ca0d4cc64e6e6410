use std::io::{IsTerminal, Write};
use std::path::Path;

use super::args::{DoctorArgs, ListFormat};
use super::{Failure, place, runtime, shell, signals};
use crate::course::{Course, Source};
use crate::doctor::{Examination, Needs, Setting, System, Workspace, examine};
use crate::report::{ExitStatus, Look, doctor};
use crate::service::{Manifest, Target};
use crate::vendor::docker::Host;

/// Looks at what may keep a learner from the first step.
pub fn run(args: &DoctorArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    let workspace = workspace(&folder);
    let manifest = workspace.manifest();
    let course = manifest.map_or(place::DEFAULT_COURSE, |manifest| manifest.course.as_str());
    let setting = Setting {
        target: args.target.map_or(manifest.map_or(Target::Sandbox, |manifest| manifest.target), Target::from),
        needs: needs(&folder, course),
        folder,
        workspace,
        shell: shell(),
        engine: Host::from_environment(),
        system: System::here(),
    };
    let Some(examination) = runtime()?.block_on(examined(&setting)) else {
        return Err(Failure { status: ExitStatus::Interrupted, text: String::from("interrupted") });
    };
    let stdout = std::io::stdout();
    let format = args.format.unwrap_or(if stdout.is_terminal() { ListFormat::Pretty } else { ListFormat::Plain });
    let text = match format {
        ListFormat::Pretty => doctor::pretty(&examination, &Look::of_stdout()),
        ListFormat::Plain => doctor::plain(&examination),
        ListFormat::Json => doctor::json(&examination),
    };
    // A reader who has gone away has seen enough.
    let _ = stdout.lock().write_all(text.as_bytes());
    Ok(doctor::exit_status(&examination))
}

/// A manifest that is broken is a finding here, and no reason to look at nothing else.
fn workspace(folder: &Path) -> Workspace {
    if !folder.ancestors().any(|folder| folder.join(Manifest::FILE).is_file()) {
        return Workspace::Missing;
    }
    match Manifest::find(folder) {
        Ok(manifest) => Workspace::Found(manifest),
        Err(problem) => Workspace::Broken(problem),
    }
}

/// What the course rests on; nothing, where the course itself cannot be read: `verify` and `author lint` say why.
fn needs(folder: &Path, course: &str) -> Needs {
    let around = place::course(folder, course).ok();
    let course = around.or_else(|| Course::load(&Source::Embedded, course).ok());
    course.map(|course| Needs::of(&course)).unwrap_or_default()
}

/// `None` where the user has broken it off.
async fn examined(setting: &Setting) -> Option<Examination> {
    let stop = signals::cancelled_by_user();
    tokio::select! {
        () = stop.cancelled() => None,
        examination = examine(setting) => Some(examination),
    }
}
