//! The result as one would put it on a slide: by lesson with points, a line a step, and what to do about all that is not met.

use console::measure_text_width;

use super::look::Tone;
use super::page::Page;
use super::text::{bounded, count, duration, shorten};
use super::words::{earned_of, next, remarks, sentence, untold};
use super::{CheckReport, Diagnosis, Look, Report, RunStatus, Score, Status, StepReport};

/// Where a step's line begins, and where the text beneath it does.
const STEP: usize = 3;
const DETAIL: usize = 11;
/// The width of the labels `expected`, `nearest` and so on, with the space after them.
const LABEL: usize = 10;
/// No single value takes more of the page than this.
const LONGEST_VALUE: usize = 600;
/// Of a service's last output, so many lines.
const OUTPUT_LINES: usize = 12;

/// The report as a page.
#[must_use]
pub fn render(report: &Report, look: &Look) -> String {
    let mut page = Page::new(*look);
    page.header(report);
    page.service(report);
    for lesson in &report.lessons {
        page.blank();
        let number = format!("{}  ", lesson.number);
        page.row(0, &[(Tone::Strong, &number), (Tone::Strong, &lesson.title)], Tone::Strong, &points(&lesson.score));
        let steps: Vec<&StepReport> = report.steps_of(&lesson.id).collect();
        for (index, step) in steps.iter().enumerate() {
            page.step(step, steps.get(index + 1).copied());
        }
    }
    page.notices(report);
    page.footer(report);
    page.text
}

/// `8 of 10 points`, `8 of 10 points, 2 of 5 bonus`.
fn points(score: &Score) -> String {
    earned_of(score.earned, score.possible, score.bonus, score.bonus_possible)
}

/// The sign of a status.
const fn sign(look: Look, status: Status) -> (Tone, &'static str) {
    match status {
        Status::Passed => (Tone::Good, look.sign("✓", "+")),
        Status::Failed => (Tone::Bad, look.sign("✗", "x")),
        Status::Skipped => (Tone::Dim, look.sign("–", "-")),
        Status::Errored => (Tone::Warn, "!"),
    }
}

impl Page {
    /// A value beneath its label: `expected  a span …`.
    fn labelled(&mut self, indent: usize, label: &str, tone: Tone, value: &str) {
        let label = format!("{label:LABEL$}");
        let value = bounded(value, LONGEST_VALUE);
        let value = if value.trim().is_empty() { "(nothing)" } else { value.as_str() };
        self.row(indent, &[(Tone::Dim, &label), (tone, value)], Tone::Bare, "");
    }

    fn header(&mut self, report: &Report) {
        let dot = self.look.sign("·", "-");
        let title = [report.course.as_str(), report.title.as_str()].into_iter().filter(|part| !part.is_empty());
        self.paragraph(0, Tone::Strong, &title.collect::<Vec<_>>().join(&format!(" {dot} ")));
        let checks = report.tally().checks();
        let facts = [
            report.subject.clone(),
            report.target.clone(),
            count(report.steps.len(), "step"),
            count(checks, "check"),
            report.service.url.clone().unwrap_or_default(),
        ];
        let facts: Vec<String> = facts.into_iter().filter(|fact| !fact.is_empty()).collect();
        self.paragraph(0, Tone::Dim, &facts.join(&format!(" {dot} ")));
    }

    fn service(&mut self, report: &Report) {
        let Some(trouble) = &report.service.trouble else { return };
        self.blank();
        let (tone, sign) = sign(self.look, Status::Failed);
        let title = if trouble.while_building { "The service does not build" } else { "The service did not come up" };
        self.row(0, &[(tone, sign), (Tone::Bare, "  "), (Tone::Strong, title)], Tone::Bare, "");
        self.labelled(STEP, "what", Tone::Bare, &trouble.cause);
        self.labelled(STEP, "fix", Tone::Bare, &trouble.remedy);
        let output = &report.service.output;
        let (heading, lines) = if trouble.while_building {
            ("In short (the whole of it went to stderr):", in_short(output))
        } else {
            let last: Vec<&str> = output.iter().map(String::as_str).collect();
            ("Its last lines:", last[last.len().saturating_sub(OUTPUT_LINES)..].to_vec())
        };
        if !lines.is_empty() {
            self.line(STEP, Tone::Dim, heading);
            let bar = self.look.sign("│ ", "| ");
            for line in lines {
                let line = shorten(line, self.look.width - STEP - 2, self.look.sign("…", "..."));
                self.line(STEP, Tone::Dim, format!("{bar}{line}").trim_end());
            }
        }
    }

    /// A step. What it has in common with the next one is told there.
    fn step(&mut self, step: &StepReport, next: Option<&StepReport>) {
        let (tone, sign) = sign(self.look, step.status);
        let bonus = if step.bonus { " bonus" } else { "" };
        let right = match step.status {
            Status::Skipped => "skipped".to_owned(),
            Status::Errored => "could not check".to_owned(),
            Status::Passed | Status::Failed => format!("{} of {}{bonus}", step.earned, step.possible),
        };
        let number = format!(" {:<w$}", step.number, w = DETAIL - STEP - 2);
        let right_tone = if step.status == Status::Passed { Tone::Dim } else { tone };
        self.row(STEP, &[(tone, sign), (Tone::Dim, &number), (Tone::Bare, &step.title)], right_tone, &right);
        match step.status {
            Status::Passed => {
                self.facts(step);
                for check in step.checks.iter().filter(|check| check.status == Status::Skipped) {
                    self.check(check);
                }
            }
            Status::Skipped | Status::Errored => {
                let notes = notes(step);
                let shared = next.is_some_and(|next| next.status == step.status && self::notes(next) == notes && !is_mixed(next));
                if is_mixed(step) || !shared {
                    self.notes(step, &notes);
                }
            }
            Status::Failed => step.checks.iter().for_each(|check| self.check(check)),
        }
    }

    /// What shows that a step is met, as far as it fits in one line: the JSON report has all of it.
    fn facts(&mut self, step: &StepReport) {
        // One fact of each label: a page shows that there is proof, and the other reports show all of it.
        let mut labels: Vec<&str> = Vec::new();
        let mut seen: Vec<String> = Vec::new();
        for fact in step.checks.iter().flat_map(|check| &check.facts) {
            if !labels.contains(&fact.label.as_str()) {
                labels.push(&fact.label);
                seen.push(format!("{} {}", fact.label, fact.value.split_whitespace().collect::<Vec<_>>().join(" ")));
            }
        }
        if seen.is_empty() {
            return;
        }
        let (dot, ellipsis) = (self.look.sign(" · ", " - "), self.look.sign("…", "..."));
        let room = self.look.width - DETAIL;
        // Whole facts only, for half a value proves nothing; that there are more is announced by an ellipsis.
        let tail = measure_text_width(dot) + measure_text_width(ellipsis);
        let mut text = String::new();
        let mut left_out = false;
        for (index, fact) in seen.iter().enumerate() {
            let more = if text.is_empty() { fact.clone() } else { format!("{text}{dot}{fact}") };
            let reserved = if left_out || index + 1 < seen.len() { tail } else { 0 };
            if measure_text_width(&more) + reserved <= room {
                text = more;
            } else if text.is_empty() {
                text = shorten(fact, room - tail, ellipsis);
            } else {
                left_out = true;
            }
        }
        if left_out {
            text = format!("{text}{dot}{ellipsis}");
        }
        self.line(DETAIL, Tone::Dim, &text);
    }

    /// What keeps a step from being looked at, each thing once.
    fn notes(&mut self, step: &StepReport, notes: &[Note<'_>]) {
        if is_mixed(step) {
            step.checks.iter().for_each(|check| self.check_line(check));
        }
        for note in notes {
            if !self.told.insert((note.why.to_owned(), note.remedy.map(str::to_owned))) {
                self.paragraph(
                    DETAIL,
                    Tone::Dim,
                    &format!("as above: {}", shorten(note.why.lines().next().unwrap_or_default(), 60, "...")),
                );
                continue;
            }
            self.paragraph(DETAIL, Tone::Dim, &bounded(note.why, LONGEST_VALUE));
            if let Some(remedy) = note.remedy.filter(|remedy| !remedy.is_empty()) {
                self.labelled(DETAIL, "fix", Tone::Bare, remedy);
            }
        }
        if let Some(check) = step.checks.iter().find(|check| !check.diagnoses.is_empty()) {
            self.diagnoses(DETAIL, check);
        }
    }

    fn check_line(&mut self, check: &CheckReport) {
        let (tone, sign) = sign(self.look, check.status);
        let text_tone = if check.status == Status::Passed { Tone::Dim } else { Tone::Bare };
        self.row(DETAIL, &[(tone, sign), (Tone::Bare, " "), (text_tone, &check.title)], Tone::Bare, "");
    }

    fn check(&mut self, check: &CheckReport) {
        self.check_line(check);
        let indent = DETAIL + 2;
        match check.status {
            Status::Passed => {}
            Status::Skipped => self.paragraph(indent, Tone::Dim, check.reason.as_deref().unwrap_or_default()),
            Status::Errored => {
                self.paragraph(indent, Tone::Dim, check.cause.as_deref().unwrap_or_default());
                if let Some(remedy) = check.remedy.as_deref().filter(|remedy| !remedy.is_empty()) {
                    self.labelled(indent, "fix", Tone::Bare, remedy);
                }
                self.diagnoses(indent, check);
            }
            Status::Failed => {
                // Of a cause that was told already, what was expected and found is enough.
                let again = check.diagnoses.first().is_some_and(|diagnosis| self.has_told(diagnosis));
                if let Some(mismatch) = &check.mismatch {
                    self.labelled(indent, "expected", Tone::Good, &mismatch.expected);
                    self.labelled(indent, "found", Tone::Bad, &mismatch.actual);
                    if let (Some(nearest), false) = (&mismatch.nearest, again) {
                        self.labelled(indent, "nearest", Tone::Warn, nearest);
                    }
                    if let Some(place) = mismatch.place() {
                        self.labelled(indent, "in", Tone::Bare, &place.to_string());
                    }
                }
                if !check.diagnoses.is_empty() {
                    return self.diagnoses(indent, check);
                }
                if let Some(fix) = check.fix.as_deref().filter(|fix| !fix.is_empty()) {
                    self.labelled(indent, "fix", Tone::Bare, fix);
                }
                self.labelled(indent, "lesson", Tone::Dim, &check.lesson.to_string());
            }
        }
    }

    /// The causes that rules name, with what they rest on. One that many checks share is told in full once.
    fn diagnoses(&mut self, indent: usize, check: &CheckReport) {
        for (index, diagnosis) in check.diagnoses.iter().enumerate() {
            let label = if index == 0 { "cause" } else { "or" };
            if self.has_told(diagnosis) {
                let cause = shorten(&diagnosis.cause, 60, self.look.sign("…", "..."));
                self.labelled(indent, label, Tone::Dim, &format!("as above: {cause}"));
                continue;
            }
            self.told.insert((diagnosis.cause.clone(), Some(diagnosis.fix.clone())));
            self.labelled(indent, label, Tone::Warn, &diagnosis.cause);
            for sentence in untold(check, diagnosis) {
                self.labelled(indent, "seen", Tone::Dim, sentence);
            }
            self.labelled(indent, "fix", Tone::Bare, &diagnosis.fix);
            self.labelled(indent, "lesson", Tone::Dim, &diagnosis.lesson.to_string());
        }
    }

    fn has_told(&self, diagnosis: &Diagnosis) -> bool {
        self.told.contains(&(diagnosis.cause.clone(), Some(diagnosis.fix.clone())))
    }

    fn notices(&mut self, report: &Report) {
        if !report.notices.is_empty() {
            self.blank();
        }
        for notice in &report.notices {
            self.row(0, &[(Tone::Dim, "note  "), (Tone::Dim, notice)], Tone::Bare, "");
        }
    }

    fn footer(&mut self, report: &Report) {
        let tally = report.tally();
        self.blank();
        let rule = self.look.sign("─", "-").repeat(self.look.width);
        self.line(0, Tone::Dim, &rule);
        let (tone, word) = match report.status {
            RunStatus::Passed => (Tone::Good, "Passed"),
            RunStatus::Failed => (Tone::Bad, "Not passed yet"),
            RunStatus::Errored => (Tone::Warn, "Could not verify"),
            RunStatus::Interrupted => (Tone::Warn, "Interrupted"),
        };
        let right = [report.target.clone(), duration(report.duration_ms)].into_iter().filter(|part| !part.is_empty());
        let right = right.collect::<Vec<_>>().join(self.look.sign(" · ", " - "));
        self.row(0, &[(tone, word)], Tone::Dim, &right);
        self.bar(tone, &report.score);
        self.paragraph(0, Tone::Bare, &sentence(&tally));
        if let Some(next) = next(report) {
            self.row(0, &[(Tone::Dim, "next  "), (Tone::Bare, &next)], Tone::Bare, "");
        }
        for line in remarks(report, &tally) {
            self.paragraph(0, Tone::Dim, &line);
        }
    }

    fn bar(&mut self, tone: Tone, score: &Score) {
        let text = points(score);
        let width = (self.look.width - measure_text_width(&text) - 2).clamp(10, 60);
        let (earned, possible) = match score.possible.as_hundredths() {
            0 => (score.bonus.as_hundredths(), score.bonus_possible.as_hundredths()),
            possible => (score.earned.as_hundredths(), possible),
        };
        let full = (earned as usize * width).checked_div(possible as usize).unwrap_or(0).min(width);
        let done = self.look.sign("█", "#").repeat(full);
        let left = self.look.sign("░", ".").repeat(width - full);
        let bar = format!(
            "{}{}  {}",
            self.look.paint(tone, &done),
            self.look.paint(Tone::Dim, &left),
            self.look.paint(Tone::Strong, &text)
        );
        self.text.push_str(&bar);
        self.blank();
    }
}

/// Whether some of a step's checks passed though the step did not.
fn is_mixed(step: &StepReport) -> bool {
    step.checks.iter().any(|check| check.status == Status::Passed)
}

/// Why a check was not looked at, and what to do.
#[derive(PartialEq, Eq)]
struct Note<'a> {
    why: &'a str,
    remedy: Option<&'a str>,
}

/// Why a step's checks were not looked at, each reason once.
fn notes(step: &StepReport) -> Vec<Note<'_>> {
    let mut notes = Vec::new();
    for check in &step.checks {
        if let Some(why) = check.cause.as_deref().or(check.reason.as_deref()) {
            let note = Note { why, remedy: check.remedy.as_deref() };
            if !notes.contains(&note) {
                notes.push(note);
            }
        }
    }
    notes
}

/// Of a compiler's output: each error's first line, and the place it names.
fn in_short(output: &[String]) -> Vec<&str> {
    let mut lines = Vec::new();
    for (index, line) in output.iter().enumerate() {
        if line.starts_with("error") {
            lines.push(line.as_str());
            let place = output[index + 1..].iter().take(3).find(|line| line.trim_start().starts_with("-->"));
            lines.extend(place.map(String::as_str));
        }
    }
    lines.truncate(OUTPUT_LINES);
    lines
}
