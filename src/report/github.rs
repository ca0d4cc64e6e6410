//! The report for GitHub Actions: annotations as workflow commands, and a job summary in Markdown.

use super::plain::{points, values};
use super::text::{bounded, duration, one_line};
use super::words::{remarks, sentence};
use super::{CheckReport, Place, Report, RunStatus, ServiceTrouble, Status, StepReport};
use crate::check::Points;

/// No single value of an annotation or a summary is longer than this: GitHub refuses a summary of over 1 MiB as a whole.
const LONGEST_VALUE: usize = 1_000;

/// The annotations, one workflow command a line, and a line that says how it ended.
///
/// A failed check is an error at the learner's own line, else at the lesson's; a bonus check that is not met is a notice. What could
/// not be looked at is a warning, what was skipped a notice, once for each cause: GitHub shows only the first ten of a kind.
#[must_use]
pub fn render(report: &Report) -> String {
    let mut lines = Vec::new();
    if let Some(trouble) = &report.service.trouble {
        let message = format!("{}\nFix: {}", trouble.cause, trouble.remedy);
        lines.push(command("error", None, headline(trouble), &message));
    }
    let checks = || report.steps.iter().flat_map(|step| step.checks.iter().map(move |check| (step, check)));
    for (step, check) in checks().filter(|(_, check)| check.status == Status::Failed) {
        lines.push(failure(report, step, check));
    }
    let mut told: Vec<(&str, Status)> = Vec::new();
    for (_, check) in checks() {
        let Some(why) = check.cause.as_deref().or(check.reason.as_deref()) else { continue };
        if told.contains(&(why, check.status)) {
            continue;
        }
        told.push((why, check.status));
        let alike = |(_, other): &(_, &CheckReport)| {
            other.status == check.status && other.cause.as_deref().or(other.reason.as_deref()) == Some(why)
        };
        let ids = checks().filter(alike).map(|(_, check)| check.id.as_str()).collect::<Vec<_>>().join(", ");
        let fix = check.remedy.as_ref().map_or(String::new(), |remedy| format!("\nFix: {remedy}"));
        let (level, title) = match check.status {
            Status::Skipped => ("notice", "Skipped"),
            _ => ("warning", "Could not check"),
        };
        lines.push(command(level, Some(&check.lesson), title, &format!("{why}{fix}\nChecks: {ids}")));
    }
    lines.push(format!("{}: {}, in {}.", word(report.status), points(&report.score), duration(report.duration_ms)));
    lines.push(String::new());
    lines.join("\n")
}

fn failure(report: &Report, step: &StepReport, check: &CheckReport) -> String {
    let level = if report.decides(step) { "error" } else { "notice" };
    let bonus = if step.bonus { " (bonus)" } else { "" };
    let title = format!("{} {}{bonus}", step.number, check.title);
    let message = values(check).iter().map(|(label, value)| format!("{label}: {value}")).collect::<Vec<_>>().join("\n");
    command(level, Some(&check.place()), &title, &message)
}

/// One workflow command, in one line whatever it holds.
fn command(level: &str, place: Option<&Place>, title: &str, message: &str) -> String {
    let mut properties = Vec::new();
    if let Some(place) = place {
        properties.push(format!("file={}", property(&place.file)));
        properties.extend(place.line.map(|line| format!("line={line}")));
    }
    properties.push(format!("title={}", property(&bounded(title, LONGEST_VALUE))));
    format!("::{level} {}::{}", properties.join(","), data(message))
}

fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

const fn headline(trouble: &ServiceTrouble) -> &'static str {
    if trouble.while_building { "The service does not build" } else { "The service did not come up" }
}

const fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Passed => "Passed",
        RunStatus::Failed => "Not passed yet",
        RunStatus::Errored => "Could not verify",
        RunStatus::Interrupted => "Interrupted",
    }
}

const fn sign(status: Status) -> &'static str {
    match status {
        Status::Passed => "✅",
        Status::Failed => "❌",
        Status::Skipped => "⏭️",
        Status::Errored => "⚠️",
    }
}

/// The job summary: a table of the lessons, and folded details of every step that is not met.
#[must_use]
pub fn summary(report: &Report) -> String {
    let heading = [report.course.as_str(), report.title.as_str()].map(inline).join(" · ");
    let mut lines = vec![format!("## {heading}"), String::new()];
    lines.push(format!("**{}**: {}, in {}.", word(report.status), points(&report.score), duration(report.duration_ms)));
    lines.push(String::new());
    lines.push(format!("Verified: {} · target: {}", inline(&report.subject), inline(&report.target)));
    lines.push(String::new());
    if let Some(trouble) = &report.service.trouble {
        lines.push("> [!CAUTION]".to_owned());
        lines.push(format!("> {}: {}", headline(trouble), inline(&trouble.cause)));
        lines.push(format!("> {}", inline(&trouble.remedy)));
        lines.push(String::new());
        let output = report.service.output.join("\n");
        folded("The service's output", &output, &mut lines);
    }
    lines.push("| Lesson | Steps met | Points | Bonus |".to_owned());
    lines.push("|---|---:|---:|---:|".to_owned());
    for lesson in &report.lessons {
        let steps: Vec<_> = report.steps_of(&lesson.id).collect();
        let met = steps.iter().filter(|step| step.status == Status::Passed).count();
        let score = &lesson.score;
        lines.push(format!(
            "| {} {} | {met} of {} | {} | {} |",
            lesson.number,
            inline(&lesson.title),
            steps.len(),
            of(score.earned, score.possible),
            of(score.bonus, score.bonus_possible)
        ));
    }
    let score = &report.score;
    lines.push(format!(
        "| **Total** | | **{}** | **{}** |",
        of(score.earned, score.possible),
        of(score.bonus, score.bonus_possible)
    ));
    lines.push(String::new());
    for step in report.steps.iter().filter(|step| step.status != Status::Passed) {
        let title = format!("{} {} {}", sign(step.status), inline(&step.number), inline(&step.title));
        folded(&title, &step_details(step), &mut lines);
    }
    let tally = report.tally();
    lines.push(sentence(&tally));
    lines.push(String::new());
    lines.extend(remarks(report, &tally).into_iter().map(|remark| format!("- {remark}")));
    lines.push(String::new());
    lines.join("\n")
}

/// `8 of 10`, or a dash where there is nothing to earn.
fn of(earned: Points, possible: Points) -> String {
    if possible == Points::ZERO { "–".to_owned() } else { format!("{earned} of {possible}") }
}

fn step_details(step: &StepReport) -> String {
    let mut lines = Vec::new();
    for check in &step.checks {
        lines.push(format!("{}: {}", check.status.name(), check.title));
        if check.status != Status::Passed {
            lines.extend(values(check).iter().map(|(label, value)| format!("  {label}: {}", bounded(value, LONGEST_VALUE))));
        }
    }
    lines.join("\n")
}

/// A folded block of text, as it is: the fence is longer than any run of backticks within.
fn folded(title: &str, text: &str, lines: &mut Vec<String>) {
    let text = bounded(text, 20 * LONGEST_VALUE);
    let longest = text.split(|next| next != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    lines.push(format!("<details><summary>{title}</summary>"));
    lines.push(String::new());
    lines.push(format!("{fence}text"));
    lines.push(text);
    lines.push(fence);
    lines.push(String::new());
    lines.push("</details>".to_owned());
    lines.push(String::new());
}

/// Text in one line that Markdown and HTML leave as it is, but for code between backticks.
fn inline(text: &str) -> String {
    let mut out = String::new();
    let text = bounded(&one_line(text), LONGEST_VALUE);
    let parts: Vec<&str> = text.split('`').collect();
    for (index, part) in parts.iter().enumerate() {
        let code = index % 2 == 1 && index + 1 < parts.len();
        if index > 0 && !code && (index % 2 == 1) {
            out.push_str("&#96;");
        }
        out.push_str(if code { "<code>" } else { "" });
        for next in part.chars() {
            match next {
                '&' | '<' | '>' | '"' | '|' | '*' | '_' | '[' | ']' | '\\' | '#' | '!' | '~' | '$' | '@' | ':' => {
                    out.push_str(&format!("&#{};", u32::from(next)));
                }
                _ => out.push(next),
            }
        }
        out.push_str(if code { "</code>" } else { "" });
    }
    out
}
