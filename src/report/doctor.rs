//! What `bootcamp doctor` prints: each finding with its fix, area by area, and what it comes to.

use console::measure_text_width;
use schemars::JsonSchema;
use serde::Serialize;

use super::look::Tone;
use super::page::Page;
use super::text::{bounded, count, one_line, shorten};
use super::{ExitStatus, Look, Report};
use crate::doctor::{Area, Examination, Finding, State};

/// No finding takes more of a page than this.
const LONGEST: usize = 600;

/// Where a finding's line begins, and the widest that its subject may be.
const INDENT: usize = 3;
const SUBJECT: usize = 30;

/// An examination, as JSON shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Checkup {
    /// The version of this shape.
    pub schema_version: u32,
    /// `sandbox` or `live`.
    pub target: String,
    /// The workspace's folder; nothing where there is none.
    pub workspace: Option<String>,
    /// The worst of the findings: `good`, `warning`, `bad`; `unknown` where nothing could be looked at.
    pub state: &'static str,
    /// The findings, area by area.
    pub findings: Vec<FoundThing>,
}

/// One finding, as JSON shows it.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct FoundThing {
    /// A stable name: `toolchain.cargo`, `vendors.rollbar.allowed`, `variables.HONEYCOMB_API_KEY`.
    pub id: String,
    /// `workspace`, `toolchain`, `docker`, `ports`, `variables`, `vendors`, `disk` or `clock`.
    pub area: &'static str,
    /// What was looked at.
    pub subject: String,
    /// `good`, `warning`, `bad`, or `unknown`: not looked at, or of no matter yet.
    pub state: &'static str,
    /// What was seen.
    pub told: String,
    /// What to do about it.
    pub fix: Option<String>,
}

impl From<&Examination> for Checkup {
    fn from(examination: &Examination) -> Self {
        Self {
            schema_version: Report::SCHEMA_VERSION,
            target: examination.target.to_string(),
            workspace: examination.workspace.as_deref().map(one_line),
            state: examination.state().name(),
            findings: examination.findings.iter().map(FoundThing::from).collect(),
        }
    }
}

impl From<&Finding> for FoundThing {
    fn from(finding: &Finding) -> Self {
        Self {
            id: one_line(&finding.id),
            area: finding.area.name(),
            subject: one_line(&finding.subject),
            state: finding.state.name(),
            told: one_line(&finding.told),
            fix: finding.fix.as_deref().map(one_line),
        }
    }
}

/// How the process should end: 1 where something is bad, 3 where nothing could be looked at.
#[must_use]
pub fn exit_status(examination: &Examination) -> ExitStatus {
    match examination.state() {
        State::Good | State::Warning => ExitStatus::Passed,
        State::Bad => ExitStatus::NotPassed,
        State::Unknown => ExitStatus::Unverified,
    }
}

/// The examination as a page.
#[must_use]
pub fn pretty(examination: &Examination, look: &Look) -> String {
    let mut page = Page::new(*look);
    let findings = in_short(&examination.findings, *look);
    let widest = findings.iter().map(|finding| measure_text_width(&plain_text(&finding.subject))).max().unwrap_or(0);
    let width = widest.min(SUBJECT);
    let mut area = None;
    for finding in &findings {
        if area != Some(finding.area) {
            if area.is_some() {
                page.blank();
            }
            area = Some(finding.area);
            page.line(0, Tone::Strong, heading(finding.area, examination));
        }
        let (tone, sign) = sign(*look, finding.state);
        let subject = shorten(&plain_text(&finding.subject), SUBJECT, look.sign("…", "..."));
        let gap = (width + 2).saturating_sub(measure_text_width(&subject)).max(2);
        let subject = format!(" {subject}{}", " ".repeat(gap));
        let told_tone = if finding.state <= State::Good { Tone::Dim } else { Tone::Bare };
        let mut told = bounded(&one_line(&finding.told), LONGEST);
        // What two of them suffer from is told in full once.
        let again = finding.state >= State::Warning && !page.told.insert((finding.told.clone(), finding.fix.clone()));
        if again {
            told = format!("as above: {told}");
        }
        page.row(INDENT, &[(tone, sign), (Tone::Bare, &subject), (told_tone, &told)], Tone::Bare, "");
        if let Some(fix) = finding.fix.as_ref().filter(|_| !again) {
            let fix = bounded(&one_line(fix), LONGEST);
            page.row(INDENT + 4 + width, &[(Tone::Dim, "fix  "), (Tone::Bare, &fix)], Tone::Bare, "");
        }
    }
    page.blank();
    page.line(0, Tone::Dim, &look.sign("─", "-").repeat(look.width));
    let (tone, _) = sign(*look, examination.state());
    page.row(0, &[(tone, verdict(examination))], Tone::Dim, &examination.target.to_string());
    page.paragraph(0, Tone::Bare, &sentence(examination));
    if let Some(line) = next(examination) {
        page.row(0, &[(Tone::Dim, "next  "), (Tone::Bare, &line)], Tone::Bare, "");
    }
    page.text
}

/// The examination in lines that each make sense alone.
#[must_use]
pub fn plain(examination: &Examination) -> String {
    let place = examination.workspace.as_deref().map_or_else(|| String::from("no workspace"), one_line);
    let mut lines = vec![format!("Looked at: this machine, {place}. Target: {}.", examination.target)];
    for finding in &examination.findings {
        let (area, subject) = (finding.area.name(), one_line(&finding.subject));
        lines.push(format!("{area}, {subject}: {}. {}", word(finding.state), one_line(&finding.told)));
        lines.extend(finding.fix.as_deref().map(|fix| format!("  Fix: {}", one_line(fix))));
    }
    lines.push(format!("Result: {}. {}", verdict(examination).to_lowercase(), sentence(examination)));
    lines.extend(next(examination).map(|next| format!("Next: {next}")));
    lines.push(String::new());
    lines.join("\n")
}

/// The examination as one JSON document.
///
/// # Panics
/// Never: an examination holds only texts, numbers and lists.
#[must_use]
#[allow(clippy::expect_used)]
pub fn json(examination: &Examination) -> String {
    let mut text = serde_json::to_string_pretty(&Checkup::from(examination)).expect("a checkup has only texts as keys");
    text.push('\n');
    text
}

/// A vendor that was climbed to the top takes one line of a page, and so do the rungs that were not tried: four would hide those
/// that matter.
fn in_short(findings: &[Finding], look: Look) -> Vec<Finding> {
    let vendor = |finding: &Finding| match finding.id.split('.').collect::<Vec<_>>()[..] {
        ["vendors", vendor, _] => Some(vendor.to_owned()),
        _ => None,
    };
    let of = |name: &str| findings.iter().filter(|finding| vendor(finding).as_deref() == Some(name)).collect::<Vec<_>>();
    let rung = |finding: &Finding| finding.id.rsplit('.').next().unwrap_or_default().replace('-', " ");
    let mut shown: Vec<Finding> = Vec::new();
    for finding in findings {
        let Some(name) = vendor(finding) else {
            shown.push(finding.clone());
            continue;
        };
        let subject = finding.subject.trim_end_matches(&rung(finding)).trim().to_owned();
        let ladder = of(&name);
        if ladder.iter().all(|finding| finding.state == State::Good) {
            if finding.id.ends_with(".read-back") {
                let told = format!("reachable, authenticated, allowed, read back {} {}", look.sign("·", "-"), finding.told);
                shown.push(Finding { subject, told, ..finding.clone() });
            }
        } else if finding.state == State::Unknown {
            let untried: Vec<&&Finding> = ladder.iter().filter(|finding| finding.state == State::Unknown).collect();
            if untried.first().is_some_and(|first| first.id == finding.id) {
                let rungs: Vec<String> = untried.iter().map(|finding| rung(finding)).collect();
                shown.push(Finding { subject, told: format!("{}: {}", rungs.join(", "), finding.told), ..finding.clone() });
            }
        } else {
            shown.push(finding.clone());
        }
    }
    shown
}

fn heading(area: Area, examination: &Examination) -> &'static str {
    match area {
        Area::Workspace => "Workspace",
        Area::Toolchain => "Toolchain",
        Area::Docker => "Docker",
        Area::Ports => "Ports",
        Area::Variables => "Variables",
        Area::Vendors if examination.is_live() => "Vendors, live",
        Area::Vendors => "Vendors, in the sandbox",
        Area::Disk => "Disk",
        Area::Clock => "Clock",
    }
}

/// A subject without the marks of code: it stands in a column of its own.
fn plain_text(subject: &str) -> String {
    one_line(subject).replace('`', "")
}

const fn sign(look: Look, state: State) -> (Tone, &'static str) {
    match state {
        State::Good => (Tone::Good, look.sign("✓", "+")),
        State::Warning => (Tone::Warn, "!"),
        State::Bad => (Tone::Bad, look.sign("✗", "x")),
        State::Unknown => (Tone::Dim, look.sign("–", "-")),
    }
}

const fn word(state: State) -> &'static str {
    match state {
        State::Good => "good",
        State::Warning => "to be looked into",
        State::Bad => "in the way",
        State::Unknown => "left out",
    }
}

fn verdict(examination: &Examination) -> &'static str {
    match examination.state() {
        State::Good => "Ready",
        State::Warning => "Ready, with reservations",
        State::Bad => "Not ready yet",
        State::Unknown => "Could not look",
    }
}

/// `21 things are good, 1 is in the way, 2 are to be looked into, 3 are left out.`
fn sentence(examination: &Examination) -> String {
    let number = |state| examination.findings.iter().filter(|finding| finding.state == state).count();
    let mut parts = Vec::new();
    for (state, words) in
        [(State::Bad, "in the way"), (State::Warning, "to be looked into"), (State::Unknown, "left out for now")]
    {
        match number(state) {
            0 => {}
            some => parts.push(format!("{some} {words}")),
        }
    }
    let good = format!("{} as it should be", count(number(State::Good), "thing"));
    let good = if number(State::Good) == 1 { good } else { good.replace("as it should", "as they should") };
    if parts.is_empty() { format!("{good}.") } else { format!("{good}; {}.", parts.join(", ")) }
}

/// What to type, once one has read.
fn next(examination: &Examination) -> Option<String> {
    let bad = examination.findings.iter().find(|finding| finding.state == State::Bad);
    match (bad, &examination.workspace) {
        (Some(bad), _) => {
            let subject = plain_text(&bad.subject);
            Some(format!("begin with {subject} ({}), then `bootcamp doctor` again", bad.area.name()))
        }
        (None, Some(_)) => Some(String::from("`bootcamp` alone goes on with the course")),
        (None, None) => Some(String::from("`bootcamp init cruddur` makes a workspace")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(id: &str, area: Area, state: State) -> Finding {
        let fix = (state >= State::Warning).then(|| String::from("do this\u{1b}[31m"));
        let subject = id.rsplit('.').next().unwrap_or_default().to_owned();
        Finding { id: id.to_owned(), area, subject, state, told: String::from("seen\nhere"), fix }
    }

    fn examination(findings: Vec<Finding>) -> Examination {
        Examination { target: Default::default(), workspace: Some(String::from("/w")), findings }
    }

    #[test]
    fn the_exit_code_is_the_worst_findings() {
        let exit = |states: &[State]| {
            exit_status(&examination(states.iter().map(|state| finding("disk.room", Area::Disk, *state)).collect())).code()
        };
        assert_eq!(exit(&[State::Good, State::Warning, State::Unknown]), 0);
        assert_eq!(exit(&[State::Good, State::Bad]), 1);
        assert_eq!((exit(&[State::Unknown]), exit(&[])), (3, 3));
    }

    #[test]
    fn a_vendor_that_is_well_takes_one_line_and_another_all() {
        let ladder = |vendor: &str, states: [State; 4]| {
            let rungs = ["reachable", "authenticated", "allowed", "read-back"].into_iter().zip(states);
            rungs.map(|(rung, state)| finding(&format!("vendors.{vendor}.{rung}"), Area::Vendors, state)).collect::<Vec<_>>()
        };
        use State::{Bad, Good, Unknown};
        let findings = [ladder("rollbar", [Good; 4]), ladder("xray", [Good, Bad, Unknown, Unknown])].concat();
        let shown = in_short(&findings, Look::BARE);
        let ids: Vec<&str> = shown.iter().map(|finding| finding.id.as_str()).collect();
        assert_eq!(
            ids,
            ["vendors.rollbar.read-back", "vendors.xray.reachable", "vendors.xray.authenticated", "vendors.xray.allowed"]
        );
        assert_eq!(shown[3].told, "allowed, read back: seen\nhere");
        assert_eq!(plain(&examination(findings)).matches("vendors, ").count(), 8, "lines tell all");
    }

    #[test]
    fn a_page_holds_however_narrow_it_is_and_however_long_a_name() {
        let mut long = finding("disk.room", Area::Disk, State::Bad);
        long.subject = "A_VARIABLE_".repeat(20);
        let again = Finding { subject: String::from("another"), ..long.clone() };
        let look = Look { width: 60, ..Look::BARE };
        let page = pretty(&examination(vec![long, again]), &look);
        assert!(page.lines().all(|line| measure_text_width(line) <= 60), "{page}");
        assert_eq!((page.matches("fix  ").count(), page.matches("as above: ").count()), (1, 1), "{page}");
    }

    #[test]
    fn what_was_found_is_free_of_escapes_and_line_breaks() {
        let bad = examination(vec![finding("disk.room", Area::Disk, State::Bad)]);
        assert!(plain(&bad).contains("disk, room: in the way. seen here\n  Fix: do this\n"), "{}", plain(&bad));
        let page = pretty(&bad, &Look::BARE);
        assert!(!page.contains('\u{1b}') && page.contains("✗ room") && page.contains("fix  do this"), "{page}");
        let json: serde_json::Value = serde_json::from_str(&json(&bad)).unwrap();
        assert_eq!((json["state"].as_str(), json["findings"][0]["fix"].as_str()), (Some("bad"), Some("do this")));
    }
}
