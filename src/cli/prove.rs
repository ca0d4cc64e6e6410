use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{Failure, place, runtime, shell, signals};
use crate::author::mistake::NamedMistake;
use crate::author::prove::{Bench, Confusion, MistakeProof, StepProof, prove_mistakes, prove_steps};
use crate::course::Source;
use crate::report::{ExitStatus, Look};
use crate::solution::States;

pub const PROVE_HELP: &str = "\
Each state of the solution is built and verified against a sandbox of its own: the checks of a step
must fail on the state before it and pass on the state after it, and break no earlier one. With
--mistakes each file of checks/<course>/mistakes/ is made and verified: what it breaks must be
broken, all else met, and the diagnosis the one that it names.

Docker is not needed: a stand-in answers what an engine would after `docker compose up`.";

/// Options of `author prove`.
#[derive(Debug, clap::Args)]
pub struct ProveArgs {
    /// The course
    #[arg(value_name = "COURSE")]
    pub course: Option<String>,
    /// Only these steps (`x-ray/a-group`), or with --mistakes only these mistakes
    #[arg(long = "only", visible_alias = "step", value_name = "NAME")]
    pub only: Vec<String>,
    /// Make the mistakes, and see whether they are named right
    #[arg(long)]
    pub mistakes: bool,
    /// How long to wait for telemetry [default: 6s]
    #[arg(long, value_name = "DURATION", value_parser = super::args::duration)]
    pub timeout: Option<Duration>,
    /// Where to build [default: target/prove/<course>]
    #[arg(long, value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// The checkout
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// How long each source is waited for: what has not come by then on this machine is not on its way.
const PATIENCE: Duration = Duration::from_secs(6);

/// Proves the course's steps, or that its mistakes are named right.
pub fn run(args: &ProveArgs) -> Result<ExitStatus, Failure> {
    let folder = place::folder(args.workspace.as_deref())?;
    let id = args.course.as_deref().unwrap_or(place::DEFAULT_COURSE);
    let course = place::course(&folder, id)?;
    let states = States::load(&course, &folder).map_err(|error| Failure::shown(ExitStatus::CourseBroken, error))?;
    let root = args.folder.clone().unwrap_or_else(|| folder.join("target/prove").join(id));
    // A workspace knows its place wherever it is looked at from.
    let root = std::path::absolute(root)
        .map_err(|error| Failure::usage(format_args!("the folder to build in cannot be used: {error}")))?;
    let patience = args.timeout.unwrap_or(PATIENCE);
    let begun = Instant::now();
    let progress = Mutex::new(std::io::stderr());
    let tell = |state: &str, what: &str| {
        if let (false, Ok(mut stderr)) = (args.quiet, progress.lock()) {
            let _ = writeln!(stderr, "{:6.1} s  {state}: {what}", begun.elapsed().as_secs_f64());
        }
    };
    let unlooked =
        |error: crate::author::prove::BenchError| Failure { status: ExitStatus::Unverified, text: format!("error: {error}") };
    let runtime = runtime()?;
    let stop = runtime.block_on(async { signals::cancelled_by_user() });
    let bench = Bench::new(root, &shell(), patience, stop.clone());
    let (text, sound) = if args.mistakes {
        let source = Source::of(&folder);
        let mistakes =
            NamedMistake::load_all(&source, &course, &states).map_err(|error| Failure::shown(ExitStatus::CourseBroken, error))?;
        let chosen = known(&args.only, &mistakes.iter().map(|mistake| mistake.id.as_str()), "mistake")?;
        let confusion = runtime.block_on(prove_mistakes(&course, &mistakes, &chosen, &bench, &tell)).map_err(unlooked)?;
        (
            confusion_table(&confusion),
            confusion.unproved.is_empty() && confusion.mistakes.iter().all(|proof| proof.problems.is_empty()),
        )
    } else {
        let steps: Vec<String> = course.steps().map(|(_, step)| step.path.clone()).collect();
        let full = args.only.iter().map(|name| {
            let of_course = format!("{id}/{name}");
            if steps.contains(&of_course) { of_course } else { name.clone() }
        });
        let chosen = known(&full.collect::<Vec<_>>(), &steps.iter().map(String::as_str), "step")?;
        let proofs = runtime.block_on(prove_steps(&course, &states, &chosen, &bench, &tell)).map_err(unlooked)?;
        (step_table(&proofs), proofs.iter().all(|proof| proof.problems.is_empty()))
    };
    if stop.is_cancelled() {
        return Ok(ExitStatus::Interrupted);
    }
    let _ = write!(std::io::stdout(), "{text}");
    let _ = writeln!(std::io::stdout(), "in {:.0} s", begun.elapsed().as_secs_f64());
    Ok(if sound { ExitStatus::Passed } else { ExitStatus::CourseBroken })
}

/// The names that were asked for, all of which must be known.
fn known<'k>(asked: &[String], known: &(impl Iterator<Item = &'k str> + Clone), what: &str) -> Result<Vec<String>, Failure> {
    for name in asked {
        if !known.clone().any(|known| known == name) {
            let close =
                crate::check::closest(name, known.clone()).map_or_else(String::new, |close| format!("; did you mean `{close}`?"));
            return Err(Failure::usage(format_args!("the course has no {what} `{name}`{close}")));
        }
    }
    Ok(asked.to_vec())
}

/// A line a step, and what is wrong beneath it.
fn step_table(proofs: &[StepProof]) -> String {
    let look = Look::of_stdout();
    let widest = proofs.iter().map(|proof| proof.path.len()).max().unwrap_or(0);
    let mut text = format!("{:4} {:widest$}  before: fail, implied  after: pass  earlier: still pass\n", "", "step");
    for proof in proofs {
        let sign = if proof.problems.is_empty() { look.sign("✓", "+") } else { look.sign("✗", "x") };
        let _ = writeln!(
            text,
            "{sign} {:>3}{:widest$}  {:>12} {:>8}  {:>8} of {:<2} {:>9} of {}",
            format!("{} ", proof.number),
            proof.path,
            proof.fail_before,
            proof.implied,
            proof.pass_after,
            proof.checks,
            proof.still_pass.0,
            proof.still_pass.1
        );
        for problem in &proof.problems {
            let _ = writeln!(text, "       {problem}");
        }
    }
    let sound = proofs.iter().filter(|proof| proof.problems.is_empty()).count();
    let _ = write!(text, "{sound} of {} steps are proved, ", proofs.len());
    text
}

/// Some of the columns, with the mistakes that have something in them.
fn matrix(text: &mut String, look: Look, proofs: &[MistakeProof], first: usize, columns: &[&String]) {
    let concerns = |proof: &&MistakeProof| columns.iter().any(|id| proof.wanted.contains(*id) || proof.rules.contains_key(*id));
    let rows: Vec<&MistakeProof> = proofs.iter().filter(concerns).collect();
    let widest = rows.iter().map(|proof| proof.id.len()).max().unwrap_or(0);
    let digit = |number: usize, place: usize| char::from_digit((number / place % 10) as u32, 10).unwrap_or(' ');
    let numbers = first..first + columns.len();
    let tens: String = numbers.clone().map(|number| if number % 10 == 0 { digit(number, 10) } else { ' ' }).collect();
    let ones: String = numbers.clone().map(|number| digit(number, 1)).collect();
    let _ = writeln!(text, "  {:widest$}  {}", "", tens.trim_end());
    let _ = writeln!(text, "  {:widest$}  {ones}", "mistake");
    for proof in rows {
        let sign = if proof.problems.is_empty() { look.sign("✓", "+") } else { look.sign("✗", "x") };
        let cell = |id: &&String| match (proof.wanted.contains(*id), proof.rules.contains_key(*id)) {
            (true, true) => look.sign("■", "#"),
            (true, false) => look.sign("□", "o"),
            (false, true) => "!",
            (false, false) => look.sign("·", "."),
        };
        let row: String = columns.iter().map(cell).collect();
        let _ = writeln!(text, "{sign} {:widest$}  {row}  {} of {}", proof.id, proof.named, proof.broken);
    }
    for (number, id) in numbers.zip(columns) {
        let _ = writeln!(text, "{number:>6}  {id}");
    }
}

/// No table is wider: a course with more diagnoses has several.
const WIDEST: usize = 60;

/// Mistakes down, diagnoses across: a mistake that is named right has its sign in its own columns, and nowhere else.
fn confusion_table(confusion: &Confusion) -> String {
    let look = Look::of_stdout();
    let proofs = &confusion.mistakes;
    let mut columns: Vec<&String> = Vec::new();
    for id in proofs.iter().flat_map(|proof| proof.wanted.iter().chain(proof.rules.keys())) {
        if !columns.contains(&id) {
            columns.push(id);
        }
    }
    let mut text = format!(
        "{} named, and right, {} not named, ! named, and wrong; the numbers say how many of the broken checks are explained so\n",
        look.sign("■", "#"),
        look.sign("□", "o")
    );
    for (index, columns) in columns.chunks(WIDEST).enumerate() {
        text.push('\n');
        matrix(&mut text, look, proofs, index * WIDEST + 1, columns);
    }
    for proof in proofs.iter().filter(|proof| !proof.problems.is_empty()) {
        let _ = writeln!(text, "\n{}: {}", proof.id, proof.title);
        for problem in &proof.problems {
            let _ = writeln!(text, "  {problem}");
        }
    }
    if !confusion.unproved.is_empty() {
        let _ = writeln!(text, "\nno mistake shows that these are right: {}", confusion.unproved.join(", "));
    }
    let right = proofs.iter().filter(|proof| proof.problems.is_empty()).count();
    let _ = write!(text, "\n{right} of {} mistakes are named right, ", proofs.len());
    text
}
