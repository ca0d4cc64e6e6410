use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use clap::{Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::author::Author;
use crate::report::Format;
use crate::service::Target;

/// Prove each step of a workshop with evidence from the vendors themselves.
///
/// A check sends your service a request with a fresh trace id and demands that very span, segment, log line or error item.
/// Without any account it looks for them in a sandbox that speaks the vendors' protocols.
#[derive(Debug, Parser)]
#[command(name = "bootcamp", version, max_term_width = 100, after_help = EXAMPLES)]
pub struct Args {
    /// What to do; in a workspace, and without a word, the guide.
    #[command(subcommand)]
    pub command: Option<Command>,
}

const EXAMPLES: &str = "\
Examples:
  bootcamp init cruddur                 the workspace that week 2 begins with, in a new folder
  bootcamp                              in there: the guide, step by step
  bootcamp next                         the step to do next, and when it is done
  bootcamp verify week2                 prove your own service, in a folder with a bootcamp.toml
  bootcamp verify week2/x-ray           one lesson of it
  bootcamp verify --step 2.3            one step of it
  bootcamp solution --step 2.3          what that step changes, when you are stuck
  bootcamp verify week2 --solution      prove the reference service, offline
  bootcamp sandbox --env-file .env      the vendors on this machine, for your own experiments
  bootcamp doctor                       what may be in the way, and what to do about it

Exit codes:
  0 passed   1 not passed   2 usage   3 could not verify   4 the course is broken   130 interrupted";

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Write the workspace that a course begins with
    #[command(after_help = INIT_HELP)]
    Init(InitArgs),
    /// Take a course step by step: the lesson, your service and its checks on one screen
    #[command(after_help = GUIDE_HELP)]
    Guide(GuideArgs),
    /// Show how far you are: points, lessons, the next step
    #[command(after_help = STATUS_HELP)]
    Status(StatusArgs),
    /// Show the step to do next, and when it is done
    #[command(after_help = NEXT_HELP)]
    Next(NextArgs),
    /// Show the next hint of a step
    #[command(after_help = HINT_HELP)]
    Hint(HintArgs),
    /// Prove steps of a course against a service
    #[command(after_help = VERIFY_HELP)]
    Verify(VerifyArgs),
    /// Read a step, a lesson or the course's introduction
    #[command(after_help = SHOW_HELP)]
    Show(ShowArgs),
    /// Show what a step changes, or make the changes in your files
    #[command(after_help = SOLUTION_HELP)]
    Solution(SolutionArgs),
    /// Put a step's files back to what they are before it, and begin it anew
    #[command(after_help = RESET_HELP)]
    Reset(ResetArgs),
    /// Run Honeycomb, AWS X-Ray, CloudWatch Logs and Rollbar on this machine
    #[command(after_help = SANDBOX_HELP)]
    Sandbox(SandboxArgs),
    /// Look at this machine: what may keep you from a step, and what to do about it
    #[command(after_help = DOCTOR_HELP)]
    Doctor(DoctorArgs),
    /// List the lessons and steps of a course, with their points and how you stand with them
    List(ListArgs),
    /// Keep a course true: for those who write one
    #[command(subcommand)]
    Author(Author),
    /// Print the completions for a shell
    Completions(CompletionsArgs),
}

const INIT_HELP: &str = "\
Examples:
  bootcamp init cruddur       in a new folder
  bootcamp init               in this one: an empty clone, say

The workspace comes from the program itself. Nothing is written over what is there: when a file
is in the way, nothing is written at all, and you are told which.";

/// Options of `init`.
#[derive(Debug, clap::Args)]
pub struct InitArgs {
    /// The folder; one that is not there is created [default: this folder]
    #[arg(value_name = "DIR")]
    pub folder: Option<PathBuf>,
    /// The course
    #[arg(long, default_value = super::place::DEFAULT_COURSE, value_name = "COURSE")]
    pub course: String,
}

const GUIDE_HELP: &str = "\
It runs the sandbox, builds and starts your service with the environment that docker-compose.yml
gives it, and watches the workspace: save a file, and the step is looked at. What has passed is
kept in .bootcamp/progress.json, and is not looked at again unless --recheck is given.

`bootcamp` alone, in a workspace, is the same as `bootcamp guide`. Without a terminal it talks in
lines: `bootcamp guide --plain` does so anywhere. When its input ends, it waits for what goes on, and
ends as `bootcamp verify` of the step would: 0 passed, 1 not passed, 3 could not verify.";

/// Options of `guide`.
#[derive(Debug, Default, clap::Args)]
pub struct GuideArgs {
    /// The course, or the lesson or step to begin with: `week2`, `week2/x-ray`, `week2/x-ray/a-group`; by default where you were
    #[arg(value_name = "COURSE[/LESSON[/STEP]]")]
    pub selection: Option<String>,
    /// The step to begin with: its number (2.3) or its id
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
    /// Lines and prompts instead of a screen: for screen readers and recordings
    #[arg(long)]
    pub plain: bool,
    /// Look again at what has passed
    #[arg(long)]
    pub recheck: bool,
    /// Where the telemetry goes and is looked for [default: what bootcamp.toml says]
    #[arg(long, value_enum)]
    pub target: Option<TargetArg>,
    /// The workspace [default: this folder, or the nearest above it with a bootcamp.toml]
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

const SHOW_HELP: &str = "\
Examples:
  bootcamp show                              the step that you are at
  bootcamp show week2/x-ray/a-group          that step; its hints are not shown
  bootcamp show 3.2                          the same by its number
  bootcamp show week2/x-ray                  a whole lesson
  bootcamp show week2                        what introduces the course, and its lessons

On a terminal, what is longer than the screen goes through $PAGER, or `less`. PAGER=cat does
without, and so does --no-pager.";

/// Options of `show`.
#[derive(Debug, clap::Args)]
pub struct ShowArgs {
    /// What to read: a step (`3.2`, `a-group`, `week2/x-ray/a-group`), a lesson (`week2/x-ray`), a course [default: the step that you are at]
    #[arg(value_name = "STEP or COURSE[/LESSON]")]
    pub selection: Option<String>,
    /// The step by its number (2.3) or its id
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
    /// Print all of it at once
    #[arg(long)]
    pub no_pager: bool,
    /// How wide lines may be, in columns [default: the terminal's width, 102 at most]
    #[arg(long, value_name = "COLUMNS", value_parser = clap::value_parser!(u16).range(20..=400))]
    pub width: Option<u16>,
    /// When to colour
    #[arg(long, value_enum, default_value_t = ColourArg::Auto, value_name = "WHEN")]
    pub color: ColourArg,
    /// The workspace [default: this folder, or the nearest above it with a bootcamp.toml]
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

const STATUS_HELP: &str = "\
`bootcamp verify` notes what it saw passed, in .bootcamp/progress.json of your workspace. A step is
passed when at least one of its checks is met, and none is unmet or could not be looked at.

A step that was passed keeps its points. When it is verified again and not met, it is shown as
broken; when its checks have changed since, it is offered again.";

/// Options of `status`.
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    /// The course [default: the workspace's]
    #[arg(value_name = "COURSE")]
    pub course: Option<String>,
    /// The form of the overview [default: pretty on a terminal, plain elsewhere]
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
    /// The workspace [default: this folder, or the nearest above it with a bootcamp.toml]
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

const NEXT_HELP: &str = "\
It stays with a step until that step is passed or skipped. After the last step it comes back to
those that were left open, and then to those that broke.";

/// Options of `next`.
#[derive(Debug, clap::Args)]
pub struct NextArgs {
    /// The workspace [default: this folder, or the nearest above it with a bootcamp.toml]
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

const HINT_HELP: &str = "\
Examples:
  bootcamp hint            the next hint of the step that you are at
  bootcamp hint 3.2        of another step
  bootcamp hint --all      those that you have seen already

Each hint tells more than the one before it. When you have seen them all, `bootcamp solution` shows
what the step changes.";

/// Options of `hint`.
#[derive(Debug, clap::Args)]
pub struct HintArgs {
    /// The step: its number (3.2), its id, or `week2/x-ray/a-group` [default: the one that `bootcamp next` shows]
    #[arg(value_name = "STEP")]
    pub step: Option<String>,
    /// Show all that were shown so far, and no new one
    #[arg(long)]
    pub all: bool,
    /// The workspace [default: this folder, or the nearest above it with a bootcamp.toml]
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

const RESET_HELP: &str = "\
Examples:
  bootcamp reset           the step that you are at
  bootcamp reset 3.2       another one

The files that the step changes become what they are in the course before that step, whatever stands
in them now; all others stay as they are. Your files as they were are kept in .bootcamp/backups/.
What the step makes outside of files, an X-Ray group say, stays.";

/// Options of `reset`.
#[derive(Debug, clap::Args)]
pub struct ResetArgs {
    /// The step: its number (3.2), its id, or `week2/x-ray/a-group` [default: the one that you are at]
    #[arg(value_name = "STEP")]
    pub step: Option<String>,
    /// The workspace [default: this folder, or the nearest above it with a bootcamp.toml]
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

const SOLUTION_HELP: &str = "\
Examples:
  bootcamp solution week2/x-ray/a-group      what the step changes, against the state before it
  bootcamp solution --step 3.2 --mine        what it would change in your own files
  bootcamp solution --step 3.2 --apply       make those changes
  bootcamp solution --step 3.2 > 3.2.patch   without colour it is a patch

--apply merges: what you wrote yourself stays. Where you and the step changed the same lines, both
stand between conflict markers, and it ends with 1. Your files as they were are kept in
.bootcamp/backups/. When it is interrupted, the next run takes it back.

What a step does outside of files, an X-Ray group say, is shown as the AWS CLI's command; --apply
does it in the workspace's sandbox, or with `--target live` in your account.";

/// Options of `solution`.
#[derive(Debug, clap::Args)]
pub struct SolutionArgs {
    /// The step: `week2/x-ray/a-group`, or `week2/a-group` where no other lesson has one of that name
    #[arg(value_name = "COURSE/LESSON/STEP")]
    pub selection: Option<String>,
    /// The step by its number (2.3) or its id
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
    /// Show what would change in your own files
    #[arg(long, conflicts_with = "apply")]
    pub mine: bool,
    /// Make the changes in your files
    #[arg(long)]
    pub apply: bool,
    /// With --apply: where to do what is done outside of files [default: what bootcamp.toml says]
    #[arg(long, value_enum, requires = "apply")]
    pub target: Option<TargetArg>,
    /// When to colour
    #[arg(long, value_enum, default_value_t = ColourArg::Auto, value_name = "WHEN")]
    pub color: ColourArg,
    /// The workspace [default: this folder, or the nearest above it with a bootcamp.toml]
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

/// When to colour.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ColourArg {
    /// On a terminal, unless NO_COLOR is set
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

const VERIFY_HELP: &str = "\
The service is started with the environment that docker-compose.yml gives it, the vendors'
endpoints replaced by the sandbox's; one that already answers at `service.url` of bootcamp.toml
is used as it is.

\"failed\" means that a step is not done. \"errored\" means that we could not look: a wrong key, a
vendor that is down. A bonus step that is not met costs nothing.

What your own service has passed is noted in .bootcamp/progress.json: `bootcamp status` shows it.";

/// What `--solution` means without a step.
pub const REFERENCE: &str = "reference";

/// Options of `verify`.
#[derive(Debug, clap::Args)]
pub struct VerifyArgs {
    /// What to verify: `week2`, `week2/x-ray`, `week2/x-ray/group`; by default the workspace's course
    #[arg(value_name = "COURSE[/LESSON[/STEP]]")]
    pub selection: Option<String>,
    /// Verify the course's reference solution instead of your service; or, with a step, the state after that step; or `starter`
    #[arg(long, value_name = "STEP", num_args = 0..=1, require_equals = true, default_missing_value = REFERENCE)]
    pub solution: Option<String>,
    /// Only this step: its number (2.3) or its id
    #[arg(long, value_name = "STEP")]
    pub step: Option<String>,
    /// Where the telemetry goes and is looked for
    #[arg(long, value_enum)]
    pub target: Option<TargetArg>,
    /// How long to wait for telemetry after the requests were answered: `30s`, `2m` [default: 10s in the sandbox, 2m live]
    #[arg(long, value_name = "DURATION", value_parser = duration)]
    pub timeout: Option<Duration>,
    /// The workspace [default: this folder, or the nearest above it with a bootcamp.toml]
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Keep the evidence, to be judged again later; secrets are masked
    #[arg(long, value_name = "FILE", conflicts_with = "replay")]
    pub record: Option<PathBuf>,
    /// Judge recorded evidence: nothing is built, started or asked
    #[arg(long, value_name = "FILE")]
    pub replay: Option<PathBuf>,
    /// The form of the report on stdout [default: pretty on a terminal, plain elsewhere]
    #[arg(long, value_enum)]
    pub format: Option<Format>,
    /// Also write the report as JSON
    #[arg(long, value_name = "FILE")]
    pub report_json: Option<PathBuf>,
    /// Also write the report as JUnit XML
    #[arg(long, value_name = "FILE")]
    pub report_junit: Option<PathBuf>,
    /// Also write the report as TAP
    #[arg(long, value_name = "FILE")]
    pub report_tap: Option<PathBuf>,
    /// Show no progress
    #[arg(long, short)]
    pub quiet: bool,
}

/// [`Target`] on the command line.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum TargetArg {
    /// The vendors that are part of this program
    Sandbox,
    /// The vendors themselves, with your own keys
    Live,
}

impl From<TargetArg> for Target {
    fn from(target: TargetArg) -> Self {
        match target {
            TargetArg::Sandbox => Self::Sandbox,
            TargetArg::Live => Self::Live,
        }
    }
}

const SANDBOX_HELP: &str = "\
One HTTP port carries all vendors, told apart by path and headers; OTLP over gRPC and the X-Ray
daemon have ports of their own.

It keeps what it was sent in the workspace's .bootcamp/ folder; `bootcamp verify` in that
workspace finds and uses it. Nothing but this machine reaches it, unless --bind says otherwise;
where Docker runs, it also listens on Docker's bridge.";

/// Options of `sandbox`.
#[derive(Debug, clap::Args)]
pub struct SandboxArgs {
    /// The workspace whose `.bootcamp/` keeps the data [default: this folder, or the nearest above it with a bootcamp.toml]
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
    /// Keep nothing: all is gone when it stops
    #[arg(long)]
    pub memory: bool,
    /// The address to listen on
    #[arg(long, default_value = "127.0.0.1", value_name = "IP")]
    pub bind: IpAddr,
    /// The port for all vendors over HTTP; 0 takes a free one
    #[arg(long, default_value_t = 4318, value_name = "PORT")]
    pub http_port: u16,
    /// The port for OTLP over gRPC; 0 takes a free one
    #[arg(long, default_value_t = 4317, value_name = "PORT")]
    pub grpc_port: u16,
    /// The port of the X-Ray daemon, UDP and TCP; 0 takes a free one [default: 2000; 2001 where it also listens on Docker's
    /// bridge, for 2000 is the port that a compose project publishes for a daemon of its own]
    #[arg(long, value_name = "PORT")]
    pub daemon_port: Option<u16>,
    /// Listen on loopback alone, even where Docker runs
    #[arg(long)]
    pub no_bridge: bool,
    /// Write the variables that a service needs to this file: for one in a container where Docker's bridge is listened on
    #[arg(long, value_name = "FILE")]
    pub env_file: Option<PathBuf>,
    /// With --env-file: the service runs on this machine, not in a container
    #[arg(long, requires = "env_file")]
    pub env_for_process: bool,
    /// Forget what is older
    #[arg(long, default_value = "30d", value_name = "DURATION", value_parser = duration)]
    pub max_age: Duration,
    /// Forget the oldest beyond this size, in MiB
    #[arg(long, default_value_t = 512, value_name = "MIB")]
    pub max_size: u64,
}

const DOCTOR_HELP: &str = "\
It looks at the Rust toolchain, Docker and compose, the ports, .env and the shell's variables, each
vendor step by step (reachable, authenticated, allowed, able to read back), the disk and the clock.
It changes nothing and tells no key.

Exit code 0 where nothing is in the way, 1 where something is, 3 where nothing could be looked at.";

/// Options of `doctor`.
#[derive(Debug, clap::Args)]
pub struct DoctorArgs {
    /// Which vendors to look at [default: what bootcamp.toml says, else the sandbox]
    #[arg(long, value_enum)]
    pub target: Option<TargetArg>,
    /// The form of the findings [default: pretty on a terminal, plain elsewhere]
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
    /// The workspace [default: this folder, or the nearest above it with a bootcamp.toml]
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

/// Options of `list`.
#[derive(Debug, clap::Args)]
pub struct ListArgs {
    /// What to list: `week2`, `week2/x-ray`; by default the workspace's course
    #[arg(value_name = "COURSE[/LESSON]")]
    pub selection: Option<String>,
    /// The form of the list [default: pretty on a terminal, plain elsewhere]
    #[arg(long, value_enum)]
    pub format: Option<ListFormat>,
    /// The workspace
    #[arg(long, short = 'C', value_name = "DIR")]
    pub workspace: Option<PathBuf>,
}

/// The forms of a list, and of a doctor's findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum ListFormat {
    /// A table for people
    Pretty,
    /// Lines
    Plain,
    /// JSON
    Json,
}

/// Options of `completions`.
#[derive(Debug, clap::Args)]
pub struct CompletionsArgs {
    /// The shell
    #[arg(value_enum)]
    pub shell: Shell,
}

pub fn duration(text: &str) -> Result<Duration, String> {
    let parsed: Result<jiff::Span, _> = text.parse();
    let span = parsed.map_err(|_| format!("`{text}` is not a duration: write `30s`, `2m` or `1h`"))?;
    let duration = span
        .to_duration(jiff::SpanRelativeTo::days_are_24_hours())
        .ok()
        .and_then(|duration| Duration::try_from(duration).ok())
        .filter(|duration| !duration.is_zero());
    duration.ok_or_else(|| format!("`{text}` is not a duration above zero: write `30s`, `2m` or `1h`"))
}
