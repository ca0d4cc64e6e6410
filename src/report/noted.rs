use super::{Report, RunStatus, Status};
use crate::progress::Change;

impl Report {
    /// What a run shows of a learner's own steps, for their book.
    ///
    /// A step is passed when at least one of its checks is met and none is unmet or could not be looked at: those that were skipped
    /// do not count, and do not earn anything. One that could not be looked at changes nothing. A run that was broken off shows
    /// what was met until then, and no failure.
    #[must_use]
    pub fn changes(&self) -> Vec<Change> {
        let change = |step: &super::StepReport| match step.status {
            Status::Passed => Some(Change::Passed { step: step.id.clone(), earned: step.earned }),
            Status::Failed if self.status != RunStatus::Interrupted => Some(Change::Failed { step: step.id.clone() }),
            Status::Failed | Status::Skipped | Status::Errored => None,
        };
        self.steps.iter().filter_map(change).collect()
    }
}
