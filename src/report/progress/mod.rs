//! What a run looks like while it goes on, on stderr.
//!
//! On a terminal: a line for the stage and a bar a lesson, all of it gone at the end, so that the report on stdout stands alone.
//! Elsewhere (a file, a pipe, a dumb terminal, CI): plain lines, each once. What a build says of its failure is passed on as cargo
//! shows it, either way and also when quiet.

mod bars;
mod lines;

use std::io::{self, IsTerminal, Write};

use console::Term;
use indicatif::ProgressDrawTarget;

use super::Look;
use crate::verify::{Event, Stage};
use bars::Bars;
use lines::Lines;

/// Shows a run's events as they come. Dropping it leaves the terminal clean; it never hides the cursor.
pub struct Progress {
    view: View,
    failure: BuildFailure,
}

enum View {
    Bars(Box<Bars>),
    Lines(Lines),
    Nothing(Box<dyn Write + Send>),
}

impl Progress {
    /// On this process's stderr: bars on a terminal, lines elsewhere, nothing but build failures when quiet.
    #[must_use]
    pub fn of_stderr(quiet: bool) -> Self {
        let set = |name: &str| std::env::var(name).is_ok_and(|value| !value.is_empty() && value != "false" && value != "0");
        let dumb = std::env::var("TERM").is_ok_and(|term| term == "dumb");
        let look = Look::of_stderr();
        let mut progress = if quiet {
            Self::with(View::Nothing(Box::new(io::stderr())), look)
        } else if io::stderr().is_terminal() && !dumb && !set("CI") {
            Self::bars(ProgressDrawTarget::term(Term::buffered_stderr(), 20), look, true)
        } else {
            Self::lines(Box::new(io::stderr()), look)
        };
        progress.failure.in_workflow = set("GITHUB_ACTIONS");
        progress
    }

    /// Plain lines to any writer.
    #[must_use]
    pub fn lines(out: Box<dyn Write + Send>, look: Look) -> Self {
        Self::with(View::Lines(Lines::new(out)), look)
    }

    /// Bars on any terminal.
    fn bars(target: ProgressDrawTarget, look: Look, turning: bool) -> Self {
        Self::with(View::Bars(Box::new(Bars::new(target, look, turning))), look)
    }

    fn with(view: View, look: Look) -> Self {
        Self { view, failure: BuildFailure { colour: look.colour, stage: None, in_workflow: false } }
    }

    /// Shows the next event.
    pub fn absorb(&mut self, event: &Event) {
        let failure = self.failure.absorb(event);
        match &mut self.view {
            View::Bars(bars) => {
                if let Some(text) = failure {
                    bars.print(&text);
                }
                bars.absorb(event);
            }
            View::Lines(lines) => {
                if let Some(text) = failure {
                    lines.print(&text);
                }
                lines.absorb(event);
            }
            View::Nothing(out) => {
                if let Some(text) = failure {
                    // Progress that cannot be shown is no reason to end the run.
                    let _ = out.write_all(text.as_bytes()).and_then(|()| out.flush());
                }
            }
        }
    }

    /// Takes the bars off the terminal. Nothing is shown after it.
    pub fn clear(&mut self) {
        if let View::Bars(bars) = &mut self.view {
            bars.clear();
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        self.clear();
    }
}

/// Waits for a build's failure and has its output as text.
struct BuildFailure {
    colour: bool,
    stage: Option<Stage>,
    /// Whether the lines are read by GitHub's runner, which takes any that begins with `::` as a command.
    in_workflow: bool,
}

impl BuildFailure {
    fn absorb(&mut self, event: &Event) -> Option<String> {
        match event {
            Event::Stage(stage) => self.stage = Some(*stage),
            Event::ServiceFailed { output, .. } if self.stage == Some(Stage::Building) && !output.is_empty() => {
                let print = if self.colour { super::text::keep_colour } else { super::text::clean };
                let text: String = output.iter().map(|line| print(line.trim_end_matches(['\r', '\n'])) + "\n").collect();
                let token = uuid::Uuid::new_v4().simple();
                return Some(if self.in_workflow { format!("::stop-commands::{token}\n{text}::{token}::\n") } else { text });
            }
            _ => {}
        }
        None
    }
}

/// What a stage is called.
const fn name(stage: Stage) -> &'static str {
    match stage {
        Stage::Preparing => "Preparing",
        Stage::Building => "Building the service",
        Stage::Starting => "Starting the service",
        Stage::Probing => "Sending the probes",
        Stage::Collecting => "Collecting the evidence",
        Stage::Stopping => "Stopping what was started",
    }
}

#[cfg(test)]
mod tests;
