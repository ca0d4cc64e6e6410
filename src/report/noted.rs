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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::Points;
    use crate::report::StepReport;

    fn step(id: &str, status: Status) -> StepReport {
        StepReport {
            id: id.to_owned(),
            number: String::from("1.1"),
            lesson: String::from("one"),
            title: String::from("A step"),
            points: Points::whole(4),
            possible: Points::whole(3),
            earned: Points::whole(3),
            bonus: false,
            status,
            file: String::from("1-one.md"),
            line: 1,
            checks: Vec::new(),
        }
    }

    #[test]
    fn what_could_not_be_looked_at_is_not_noted() {
        let statuses = [Status::Passed, Status::Failed, Status::Skipped, Status::Errored];
        let steps: Vec<StepReport> = statuses.iter().map(|status| step(status.name(), *status)).collect();
        let mut report = Report { status: RunStatus::Failed, steps, ..Report::default() };
        let passed = Change::Passed { step: String::from("passed"), earned: Points::whole(3) };
        assert_eq!(report.changes(), [passed.clone(), Change::Failed { step: String::from("failed") }]);
        report.status = RunStatus::Interrupted;
        assert_eq!(report.changes(), [passed]);
    }
}
