use super::args::NextArgs;
use super::learner::{Learner, print};
use super::{Failure, place};
use crate::progress::Change;
use crate::report::step::Shown;
use crate::report::{ExitStatus, Look, way};

/// Shows the step at which the learner is to go on, and makes it the current one.
pub fn run(args: &NextArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    let mut learner = Learner::open(&folder, None)?;
    let look = Look::of_stdout();
    let Some((lesson, step)) = learner.progress.here(&learner.course) else {
        print(&way::nothing_left(&learner.course, &learner.progress, look));
        return Ok(ExitStatus::Passed);
    };
    print(&way::next(Shown { lesson, step }, &learner.progress, look));
    let step = step.path.clone();
    learner.note([Change::At { step }]);
    Ok(ExitStatus::Passed)
}
