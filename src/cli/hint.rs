use super::args::HintArgs;
use super::learner::{Learner, print};
use super::{Failure, place};
use crate::progress::Change;
use crate::report::step::Shown;
use crate::report::{ExitStatus, Look, way};

/// Shows the next hint of a step, and remembers that it did.
pub fn run(args: &HintArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    let mut learner = Learner::open(&folder, None)?;
    let look = Look::of_stdout();
    let Some((lesson, step)) = learner.step(args.step.as_deref())? else {
        print(&way::nothing_left(&learner.course, &learner.progress, look));
        return Ok(ExitStatus::Passed);
    };
    let shown = Shown { lesson, step };
    let before = learner.progress.hints_shown(step);
    let rungs = match () {
        () if args.all => 0..before,
        () => before..(before + 1).min(step.hints.len()),
    };
    print(&way::hints(shown, rungs.clone(), look));
    if !args.all && !rungs.is_empty() {
        let step = step.path.clone();
        learner.note([Change::HintShown { step, rung: rungs.end }]);
    }
    Ok(ExitStatus::Passed)
}
