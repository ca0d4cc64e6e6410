use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::name;
use crate::check::Outcome;
use crate::facts::Source;
use crate::report::Look;
use crate::report::look::Tone;
use crate::report::text::{count, one_line};
use crate::verify::{Agenda, Event, Stage};

/// How often a spinner turns.
const TICK: Duration = Duration::from_millis(100);

/// Progress as bars: the stage, and beneath it one bar a lesson.
pub(super) struct Bars {
    all: MultiProgress,
    look: Look,
    turning: bool,
    header: ProgressBar,
    lessons: Vec<LessonBar>,
    /// The lesson of each check that is not settled.
    waiting: HashMap<String, usize>,
    stage: Option<Stage>,
    /// The checks that wait for each source.
    sources: BTreeMap<Source, usize>,
}

struct LessonBar {
    bar: ProgressBar,
    passed: usize,
    failed: usize,
    errored: usize,
    skipped: usize,
}

impl Bars {
    /// Bars whose spinners turn by themselves, if they are to.
    pub(super) fn new(target: ProgressDrawTarget, look: Look, turning: bool) -> Self {
        let all = MultiProgress::with_draw_target(target);
        let header = all.add(ProgressBar::new_spinner().with_style(style(look, "{spinner} {wide_msg}")));
        if turning {
            header.enable_steady_tick(TICK);
        }
        Self { all, look, turning, header, lessons: Vec::new(), waiting: HashMap::new(), stage: None, sources: BTreeMap::new() }
    }

    /// Text above the bars, where it stays.
    pub(super) fn print(&self, text: &str) {
        self.all.suspend(|| {
            // Progress that cannot be shown is no reason to end the run.
            let _ = std::io::Write::write_all(&mut std::io::stderr(), text.as_bytes());
        });
    }

    pub(super) fn clear(&mut self) {
        self.header.finish_and_clear();
        for lesson in &self.lessons {
            lesson.bar.finish_and_clear();
        }
        let _ = self.all.clear();
    }

    pub(super) fn absorb(&mut self, event: &Event) {
        match event {
            Event::Planned(agenda) => self.plan(agenda),
            Event::Stage(stage) => {
                self.stage = Some(*stage);
                self.say(name(*stage));
            }
            Event::BuildLine(line) => {
                let line = one_line(line);
                if !line.is_empty() {
                    self.say(&line);
                }
            }
            Event::ServiceReady { url, .. } => self.say(&format!("The service answers at {}", one_line(url))),
            Event::ServiceFailed { cause, .. } => self.say(&format!("The service did not come up: {}", one_line(cause))),
            Event::Probed { probe, .. } => self.say(&format!("Sent the probe {}", one_line(probe))),
            Event::Polled { source, waiting, .. } => {
                self.sources.insert(*source, *waiting);
                self.say_what_is_awaited();
            }
            Event::Judged(judgement) => {
                self.settle(&judgement.check, &judgement.outcome);
                if self.stage == Some(Stage::Collecting) {
                    self.say_what_is_awaited();
                }
            }
            // The report shows the notices and the causes.
            Event::ServiceStarted { .. } | Event::Notice(_) | Event::Diagnosed(_) => {}
            Event::Finished(_) => self.clear(),
        }
    }

    fn plan(&mut self, agenda: &Agenda) {
        let widest = agenda.lessons.iter().map(|lesson| console::measure_text_width(&one_line(&lesson.title))).max().unwrap_or(0);
        for (index, lesson) in agenda.lessons.iter().enumerate() {
            let checks = lesson.steps.iter().flat_map(|step| &step.checks);
            self.waiting.extend(checks.clone().map(|check| (check.id.clone(), index)));
            let title = one_line(&lesson.title);
            let title = console::pad_str(&title, widest.min(24), console::Alignment::Left, Some(""));
            let style = style(self.look, "{spinner} {prefix}  {bar:20} {pos:>2} of {len:<2} {msg}");
            let bar = self.all.add(ProgressBar::new(checks.count() as u64).with_style(style));
            bar.set_prefix(format!("{} {title}", lesson.number));
            if self.turning {
                bar.enable_steady_tick(TICK);
            } else {
                bar.tick();
            }
            self.lessons.push(LessonBar { bar, passed: 0, failed: 0, errored: 0, skipped: 0 });
        }
    }

    fn settle(&mut self, check: &str, outcome: &Outcome) {
        let Some(index) = self.waiting.remove(check) else { return };
        let lesson = &mut self.lessons[index];
        match outcome {
            Outcome::Passed { .. } => lesson.passed += 1,
            Outcome::Failed(_) => lesson.failed += 1,
            Outcome::Errored(_) => lesson.errored += 1,
            Outcome::Skipped(_) => lesson.skipped += 1,
        }
        let parts = [
            (Tone::Good, lesson.passed, "passed"),
            (Tone::Bad, lesson.failed, "failed"),
            (Tone::Warn, lesson.errored, "errored"),
            (Tone::Dim, lesson.skipped, "skipped"),
        ];
        let parts: Vec<String> = parts
            .into_iter()
            .filter(|(_, number, _)| *number > 0)
            .map(|(tone, number, word)| self.look.paint(tone, &format!("{number} {word}")))
            .collect();
        lesson.bar.set_message(parts.join(", "));
        lesson.bar.inc(1);
        if Some(lesson.bar.position()) == lesson.bar.length() {
            let (tone, sign) = if lesson.failed > 0 {
                (Tone::Bad, self.look.sign("✗", "x"))
            } else if lesson.errored > 0 {
                (Tone::Warn, "!")
            } else {
                (Tone::Good, self.look.sign("✓", "+"))
            };
            let template = format!("{} {{prefix}}  {{bar:20}} {{pos:>2}} of {{len:<2}} {{msg}}", self.look.paint(tone, sign));
            lesson.bar.set_style(style(self.look, &template));
            lesson.bar.abandon();
        }
    }

    fn say(&self, text: &str) {
        self.header.set_message(text.to_owned());
    }

    /// `Waiting for Honeycomb, AWS X-Ray: 12 checks`.
    fn say_what_is_awaited(&self) {
        let sources: Vec<&str> =
            self.sources.iter().filter(|(_, waiting)| **waiting > 0).map(|(source, _)| source.title()).collect();
        if sources.is_empty() || self.waiting.is_empty() {
            self.say(name(Stage::Collecting));
        } else {
            self.say(&format!("Waiting for {}: {}", sources.join(", "), count(self.waiting.len(), "check")));
        }
    }
}

/// A style by a template of ours, with this look's signs.
#[allow(clippy::literal_string_with_formatting_args)]
fn style(look: Look, template: &str) -> ProgressStyle {
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_spinner());
    style.progress_chars(look.sign("██░", "##.")).tick_chars(look.sign("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ ", "|/-\\ "))
}
