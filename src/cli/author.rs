use std::io::Write;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand, ValueEnum};

use super::{Failure, place, prove, rendered};
use crate::author::{AuthorError, Checkout, Linted, Scaffold, lint, sync};
use crate::course::{LoadError, Problem};
use crate::report::{ExitStatus, Look};

/// What authors do with a course.
#[derive(Debug, Subcommand)]
pub enum Author {
    /// Look for whatever is wrong with lessons, checks and solution
    #[command(after_help = LINT_HELP)]
    Lint(LintArgs),
    /// Write the solution's lines into the lessons' code blocks
    #[command(after_help = SYNC_HELP)]
    Sync(SyncArgs),
    /// Begin a lesson, a step or a check
    #[command(after_help = NEW_HELP, subcommand)]
    New(New),
    /// Show that each step is worth its points, or with --mistakes that each mistake is named right
    #[command(after_help = prove::PROVE_HELP)]
    Prove(prove::ProveArgs),
}

const LINT_HELP: &str = "\
Exit code 4 where something is wrong. lessons/README.md says what a course is held against.";

const SYNC_HELP: &str = "\
A code block with `file=` shows parts of that file as it is after the block's step. Lines `// …`
part them. The first and the last line of a part stay; what lies between is written anew. With
`sync=step` the block shows all that the step does to the file.

Exit code 1 where --check finds something to write, and 4 where a block is tied to no state.";

const NEW_HELP: &str = "\
What is to be filled in stands in angle quotes; `bootcamp author lint` tells of it until it is.
Nothing that is there is overwritten.";

/// Options of `author lint`.
#[derive(Debug, Args)]
pub struct LintArgs {
    /// The course; by default all of the checkout
    pub course: Option<String>,
    /// The form of what is told
    #[arg(long, value_enum, default_value_t = LintFormat::Pretty)]
    pub format: LintFormat,
    #[command(flatten)]
    place: Place,
}

/// The forms in which problems are told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum LintFormat {
    /// With the lines of the file
    Pretty,
    /// One line each
    Plain,
    /// JSON
    Json,
}

/// Options of `author sync`.
#[derive(Debug, Args)]
pub struct SyncArgs {
    /// The course; by default all of the checkout
    pub course: Option<String>,
    /// Write nothing: show what would change
    #[arg(long)]
    pub check: bool,
    #[command(flatten)]
    place: Place,
}

/// What `author new` begins.
#[derive(Debug, Subcommand)]
pub enum New {
    /// A lesson behind the last one, with its check file
    Lesson {
        /// The course
        course: String,
        /// The lesson's title
        title: String,
        #[command(flatten)]
        place: Place,
    },
    /// A step at the end of a lesson, with one check
    Step {
        /// The lesson
        #[arg(value_name = "COURSE/LESSON")]
        lesson: String,
        /// The step's heading
        title: String,
        #[command(flatten)]
        place: Place,
    },
    /// A check at the end of a step's list
    Check {
        /// The step
        #[arg(value_name = "COURSE/LESSON/STEP")]
        step: String,
        /// What must be seen
        title: String,
        /// Its id [default: made of the title]
        #[arg(long)]
        id: Option<String>,
        #[command(flatten)]
        place: Place,
    },
}

/// Where the course is written.
#[derive(Debug, Args)]
pub struct Place {
    /// The checkout [default: this folder, or the nearest above it with `lessons/` and `checks/`]
    #[arg(long, short = 'C', value_name = "DIR")]
    checkout: Option<PathBuf>,
}

/// Does what an author asks for.
pub fn run(author: Author) -> Result<ExitStatus, Failure> {
    match author {
        Author::Lint(args) => run_lint(&args),
        Author::Sync(args) => run_sync(&args),
        Author::Prove(args) => prove::run(&args),
        Author::New(New::Lesson { course, title, place }) => run_new(&place, &Scaffold::Lesson { course, title }),
        Author::New(New::Step { lesson, title, place }) => run_new(&place, &Scaffold::Step { lesson, title }),
        Author::New(New::Check { step, title, id, place }) => run_new(&place, &Scaffold::Check { step, title, id }),
    }
}

impl Place {
    fn checkout(&self) -> Result<Checkout, Failure> {
        Ok(Checkout::find(&place::folder(self.checkout.as_deref())?)?)
    }
}

impl From<AuthorError> for Failure {
    fn from(error: AuthorError) -> Self {
        match error {
            AuthorError::Course(LoadError::Broken(problems)) | AuthorError::Solution(problems) => {
                Self::shown(ExitStatus::CourseBroken, problems)
            }
            AuthorError::Course(LoadError::Unreadable { .. }) | AuthorError::Unreadable { .. } => {
                Self { status: ExitStatus::CourseBroken, text: format!("error: {error}") }
            }
            _ => Self::usage(error),
        }
    }
}

fn courses(checkout: &Checkout, given: Option<&str>) -> Result<Vec<String>, Failure> {
    Ok(match given {
        Some(course) => vec![course.trim_end_matches('/').to_owned()],
        None => checkout.courses()?,
    })
}

/// A reader who has gone away has seen enough.
fn print(text: &str) {
    let _ = std::io::stdout().lock().write_all(text.as_bytes());
}

fn run_lint(args: &LintArgs) -> Result<ExitStatus, Failure> {
    let checkout = args.place.checkout()?;
    let courses = courses(&checkout, args.course.as_deref())?;
    let linted = courses.iter().map(|course| Ok(lint(&checkout, course)?)).collect::<Result<Vec<Linted>, Failure>>()?;
    if args.format == LintFormat::Json {
        print(&json(&linted));
    }
    for linted in linted.iter().filter(|_| args.format != LintFormat::Json) {
        match &linted.problems {
            None => print(&format!("{}\n", sound(linted))),
            Some(problems) if args.format == LintFormat::Plain => print(&problems.iter().map(plain).collect::<String>()),
            Some(problems) => print(&rendered(problems.clone(), &Look::of_stdout())),
        }
    }
    Ok(if linted.iter().all(|linted| linted.problems.is_none()) { ExitStatus::Passed } else { ExitStatus::CourseBroken })
}

fn sound(linted: &Linted) -> String {
    let counted = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let tally = linted.tally;
    format!(
        "the course `{}` is sound: {}, {}, {}, {}",
        linted.course,
        counted(tally.lessons, "lesson"),
        counted(tally.steps, "step"),
        counted(tally.checks, "check"),
        counted(tally.code_blocks, "code block"),
    )
}

/// One line, of the form that editors and terminals lead to the place from.
fn plain(problem: &Problem) -> String {
    let help = problem.remedy().map_or_else(String::new, |help| format!("; {}", help.lines().collect::<Vec<_>>().join(" ")));
    format!("{}:{}:{}: {problem}{help}\n", problem.file(), problem.line(), problem.column())
}

fn json(linted: &[Linted]) -> String {
    let problem = |course: &str, problem: &Problem| {
        serde_json::json!({
            "course": course,
            "file": problem.file(),
            "line": problem.line(),
            "column": problem.column(),
            "message": problem.to_string(),
            "label": problem.label(),
            "help": problem.remedy(),
        })
    };
    let problems: Vec<_> = linted
        .iter()
        .flat_map(|linted| {
            linted.problems.iter().flat_map(|problems| problems.iter().map(|found| problem(&linted.course, found)))
        })
        .collect();
    format!("{:#}\n", serde_json::json!({ "problems": problems }))
}

fn run_sync(args: &SyncArgs) -> Result<ExitStatus, Failure> {
    let checkout = args.place.checkout()?;
    let (mut drifted, mut loose, mut tied) = (0, Vec::new(), 0);
    for course in courses(&checkout, args.course.as_deref())? {
        let synced = sync(&checkout, &course)?;
        for lesson in &synced.rewritten {
            drifted += lesson.blocks.len();
            if args.check {
                print(&lesson.diff());
                continue;
            }
            lesson.write(&checkout)?;
            for (line, file, added, removed) in &lesson.blocks {
                print(&format!("{}:{line}: {file}: +{added} -{removed}\n", lesson.file));
            }
        }
        tied += synced.tied;
        loose.extend(synced.loose);
    }
    let blocks = |count: usize| if count == 1 { String::from("1 code block") } else { format!("{count} code blocks") };
    let said = match (drifted, args.check) {
        (0, _) => format!("{}: nothing to write", blocks(tied)),
        (_, true) => format!("{} of {tied} would be written: `bootcamp author sync` does it", blocks(drifted)),
        (_, false) => format!("{} of {tied} written", blocks(drifted)),
    };
    let _ = writeln!(std::io::stderr(), "{said}");
    for problem in &loose {
        Failure::shown(ExitStatus::CourseBroken, problem.clone()).print();
    }
    Ok(match (loose.is_empty(), drifted > 0 && args.check) {
        (false, _) => ExitStatus::CourseBroken,
        (true, true) => ExitStatus::NotPassed,
        (true, false) => ExitStatus::Passed,
    })
}

fn run_new(place: &Place, scaffold: &Scaffold) -> Result<ExitStatus, Failure> {
    let checkout = place.checkout()?;
    let written = scaffold.write(&checkout)?;
    for (file, line) in &written.places {
        print(&format!("{file}:{line}\n"));
    }
    if !written.created.is_empty() && is_own(checkout.root()) {
        let lines: Vec<_> = written.created.iter().map(|file| format!("    {file:?}\n")).collect();
        let _ = write!(std::io::stderr(), "add to `EMBEDDED` in `src/course/source.rs`:\n{}", lines.concat());
    }
    Ok(ExitStatus::Passed)
}

/// Whether the checkout is that of this program, which is built with the courses in it.
fn is_own(root: &Path) -> bool {
    root.join("src/course/source.rs").is_file()
}
