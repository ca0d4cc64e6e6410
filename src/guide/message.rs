use std::collections::BTreeSet;

use super::Pane;
use crate::progress::{Change, Loaded};
use crate::verify::{Event, Renewal};

/// Something that happened. The guide changes by nothing else.
#[derive(Debug, Clone)]
pub enum Message {
    /// The learner wants something.
    Command(Command),
    /// A step was chosen, by its place in the course: with a click, or in the list.
    Chosen(usize),
    /// The keys are to scroll this part: it was pointed at.
    Focused(Pane),
    /// A frame was drawn: how far each part can be scrolled.
    Drawn(Drawn),
    /// Files of the workspace were saved.
    Saved(BTreeSet<String>),
    /// Something happened in a run.
    Run {
        /// Which run, as [`Effect::Verify`] named it. What a run tells after another has taken its place counts no more.
        run: u64,
        /// What.
        event: Event,
    },
    /// A run could not begin: the workspace's files are broken, say.
    Refused {
        /// Which run.
        run: u64,
        /// Why, and what to do.
        text: String,
    },
    /// The service printed: its last lines.
    ServicePrinted(Vec<String>),
    /// The service ended by itself.
    ServiceEnded(String),
    /// The progress as it stands now, with what another bootcamp may have noted; and what there is to say about its file.
    Noted(Loaded),
    /// What the step's solution would change.
    Solution(Result<Solution, String>),
    /// The solution was applied: what became of the files; or why not.
    Applied(Result<String, String>),
    /// Something is told to the learner: a page was opened, a block copied.
    Told(String),
    /// The same, where it did not work.
    Warned(String),
    /// Time passes; for what moves while something runs.
    Tick,
}

/// What a learner can want, by key, click or word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Command {
    /// Look again.
    Verify,
    /// Look at all that has passed, too.
    Recheck,
    /// On to the next step.
    Next,
    /// Back to the step before.
    Back,
    /// The list of lessons and steps.
    List,
    /// The next rung of the step's hints.
    Hint,
    /// What the step's solution would change.
    Solution,
    /// Make these changes.
    Apply,
    /// The console's page, or the vendor's.
    Open,
    /// Copy the code block that is in sight.
    Copy,
    /// Build and start the service anew.
    Restart,
    /// Go on without this step.
    Skip,
    /// What the service and its build printed.
    Output,
    /// The keys.
    Help,
    /// Close what lies over the lesson.
    Close,
    /// Choose the line that is marked in the list.
    Choose,
    /// Scroll.
    Scroll(Towards),
    /// Let the keys scroll the other part.
    Focus,
    /// End the guide.
    Quit,
}

/// How far to scroll, and where to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Towards {
    /// One line up.
    Up,
    /// One line down.
    Down,
    /// A page up.
    PageUp,
    /// A page down.
    PageDown,
    /// To the beginning.
    Top,
    /// To the end.
    Bottom,
}

/// What a drawn frame tells back: the view alone knows how many lines there are.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Drawn {
    /// The furthest line to which each part can be scrolled, by [`Pane`].
    pub furthest: [usize; Pane::COUNT],
    /// The lines of a page.
    pub page: usize,
    /// The code block that is in sight.
    pub snippet: Option<Snippet>,
}

/// A code block of a lesson.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snippet {
    /// The code.
    pub code: String,
    /// `src/main.rs`, or the language.
    pub name: String,
}

/// What the solution of a step would change in the learner's files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Solution {
    /// The step's path.
    pub step: String,
    /// The difference as text; coloured by terminal escapes where the guide has colour.
    pub text: String,
}

/// Something to be done, which is not the guide's to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Verify these steps; a run that goes on is broken off first.
    Verify {
        /// The run's number, in what it tells.
        run: u64,
        /// The steps' paths, in the course's order; none has the service built and started, and no more.
        steps: Vec<String>,
        /// Whether the service is built and started anew.
        renewal: Renewal,
        /// Whether to wait as long as may be needed. Otherwise it is told soon what is not there yet.
        patient: bool,
    },
    /// Keep it in the progress file.
    Note(Change),
    /// Tell what the step's solution would change.
    Solution {
        /// The step's path.
        step: String,
    },
    /// Make these changes.
    Apply {
        /// The step's path.
        step: String,
    },
    /// Open the page that shows this trace, or where there is none the vendor's.
    Open {
        /// The trace's id, in the W3C's form.
        trace: Option<String>,
        /// The source that the step looks at: the vendor whose page is meant.
        source: crate::facts::Source,
    },
    /// Put it into the clipboard.
    Copy(Snippet),
    /// End.
    Quit,
}
