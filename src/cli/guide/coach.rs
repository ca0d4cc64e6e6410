//! Does what the guide wants done, and tells it what came of it.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use super::super::{Failure, place, solution, vendors, verify};
use crate::check::Probe;
use crate::course::Course;
use crate::facts::Source;
use crate::guide::{Effect, Message, Snippet, Solution};
use crate::lab::Lab;
use crate::progress::{Book, Change};
use crate::report::Look;
use crate::report::step::Shown;
use crate::service::{Environment, Manifest, Output, Target, Variables, Watching};
use crate::solution::States;
use crate::verify::{Event, Pace, Plan, Renewal, Stage, Standing};

/// How often the service's lines are looked at.
const LOOK: Duration = Duration::from_millis(200);

/// So many of them are told.
const LINES: usize = 200;

/// What is told where the work itself came to nothing: somebody waits for an answer.
const BROKE_OFF: &str = "it broke off; try it once more";

/// What the guide stands on.
pub struct Ground {
    /// The folder that the command was given.
    pub folder: PathBuf,
    /// The workspace.
    pub manifest: Manifest,
    /// The course, with its checks.
    pub course: Arc<Course>,
    /// Where progress is kept.
    pub book: Book,
    /// Sandbox or live.
    pub target: Target,
    /// How what is coloured by terminal escapes looks.
    pub look: Look,
}

/// Who does what the guide wants done.
pub struct Coach {
    ground: Arc<Ground>,
    tell: UnboundedSender<Message>,
    jobs: Option<UnboundedSender<Job>>,
    notes: Option<UnboundedSender<Change>>,
    /// Breaks off the run that goes on.
    current: CancellationToken,
    lab: Arc<Lab>,
    shared: Shared,
    runner: JoinHandle<()>,
    keeper: JoinHandle<()>,
    watchers: Vec<JoinHandle<()>>,
}

/// A run that is wanted.
struct Job {
    run: u64,
    steps: Vec<String>,
    renewal: Renewal,
    patient: bool,
    stop: CancellationToken,
}

/// What the runner and the watchers share.
#[derive(Clone, Default)]
struct Shared {
    /// What the service that stands prints.
    output: Arc<Mutex<Option<Output>>>,
    /// Whether cargo runs: then it is who writes `Cargo.lock`.
    building: Arc<AtomicBool>,
    /// A build has ended.
    built: Arc<Notify>,
    /// What a solution wrote, and the watcher has yet to see: it is looked at already. Held while it writes.
    applied: Arc<tokio::sync::Mutex<BTreeMap<String, Option<Vec<u8>>>>>,
}

impl Coach {
    /// Begins to watch the workspace. What happens is told through the channel.
    pub fn begin(ground: Ground, lab: Lab) -> (Self, UnboundedReceiver<Message>) {
        let (tell, told) = unbounded_channel();
        let (jobs, wanted) = unbounded_channel();
        let (notes, noted) = unbounded_channel();
        let (ground, lab, shared) = (Arc::new(ground), Arc::new(lab), Shared::default());
        let runner = tokio::spawn(run(Arc::clone(&ground), Arc::clone(&lab), wanted, tell.clone(), shared.clone()));
        let keeper = {
            let (ground, tell) = (Arc::clone(&ground), tell.clone());
            tokio::task::spawn_blocking(move || keep(&ground, noted, &tell))
        };
        let watchers = vec![
            tokio::spawn(watch(Arc::clone(&ground), tell.clone(), shared.clone())),
            tokio::spawn(listen(tell.clone(), shared.clone())),
        ];
        let coach = Self {
            ground,
            tell,
            jobs: Some(jobs),
            notes: Some(notes),
            current: CancellationToken::new(),
            lab,
            shared,
            runner,
            keeper,
            watchers,
        };
        (coach, told)
    }

    /// Does it. `false` when the guide is to end.
    pub fn perform(&mut self, effect: Effect) -> bool {
        match effect {
            Effect::Quit => return false,
            Effect::Verify { run, steps, renewal, patient } => {
                self.current.cancel();
                self.current = CancellationToken::new();
                let job = Job { run, steps, renewal, patient, stop: self.current.clone() };
                if let Some(jobs) = &self.jobs {
                    let _ = jobs.send(job);
                }
            }
            Effect::Note(change) => {
                if let Some(notes) = &self.notes {
                    let _ = notes.send(change);
                }
            }
            Effect::Solution { step } => {
                let shown = self.aside(move |ground| {
                    let shown = shown(&ground.course, &step)?;
                    let text = solution::mine(&ground.manifest, &states(ground)?, shown, ground.look)?;
                    Ok(Solution { step: shown.step.path.clone(), text })
                });
                self.then(shown, Message::Solution);
            }
            Effect::Apply { step } => self.apply(step),
            Effect::Open { trace, source } => self.open(trace.as_deref(), source),
            Effect::Copy(snippet) => self.copy(&snippet),
        }
        true
    }

    /// Ends everything that was begun.
    pub async fn end(mut self) {
        self.current.cancel();
        (self.jobs, self.notes) = (None, None);
        for watcher in &self.watchers {
            watcher.abort();
        }
        let _ = self.runner.await;
        let _ = self.keeper.await;
        if let Some(lab) = Arc::into_inner(self.lab) {
            lab.stop().await;
        }
    }

    fn say(&self, message: Message) {
        let _ = self.tell.send(message);
    }

    /// Work that takes a while, and no waiting.
    fn aside<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Ground) -> Result<T, Failure> + Send + 'static,
    ) -> JoinHandle<Result<T, String>> {
        let ground = Arc::clone(&self.ground);
        tokio::task::spawn_blocking(move || work(&ground).map_err(|failure| said(&failure)))
    }

    fn then<T: Send + 'static>(
        &self,
        work: JoinHandle<Result<T, String>>,
        message: impl FnOnce(Result<T, String>) -> Message + Send + 'static,
    ) {
        let tell = self.tell.clone();
        tokio::spawn(async move {
            let done = work.await.unwrap_or_else(|_| Err(String::from(BROKE_OFF)));
            let _ = tell.send(message(done));
        });
    }

    fn apply(&self, step: String) {
        let (tell, lab, course) = (self.tell.clone(), Arc::clone(&self.lab), Arc::clone(&self.ground.course));
        let (path, applied) = (step.clone(), Arc::clone(&self.shared.applied));
        let ground = Arc::clone(&self.ground);
        let files = self.aside(move |ground| {
            let step = shown(&ground.course, &step)?.step;
            let mut applied = applied.blocking_lock();
            let merged = solution::merge_into(&ground.manifest, &states(ground)?, step)?;
            applied.extend(merged.written().map(|(path, bytes)| (path.to_owned(), bytes.map(<[u8]>::to_vec))));
            Ok(merged.told())
        });
        tokio::spawn(async move {
            let applied = match files.await.unwrap_or_else(|_| Err(String::from(BROKE_OFF))) {
                Ok(mut told) => {
                    let subject = Manifest::find(&ground.manifest.workspace).and_then(verify::own_subject);
                    let live = subject.ok().and_then(|subject| live(&ground, &subject.variables));
                    match outside(&course, &path, live.as_ref().unwrap_or(&lab)).await {
                        Ok(Some(more)) => {
                            told.push_str("; ");
                            told.push_str(&more);
                        }
                        Ok(None) => {}
                        // The files were written all the same.
                        Err(why) => {
                            let _ = tell.send(Message::Warned(why));
                        }
                    }
                    Ok(told)
                }
                Err(why) => Err(why),
            };
            let _ = tell.send(Message::Applied(applied));
        });
    }

    fn open(&self, trace: Option<&str>, source: Source) {
        let trace = trace.and_then(|trace| trace.parse().ok());
        let page = trace.and_then(|trace| self.lab.console_of(&trace)).or_else(|| self.lab.console());
        let url = page.unwrap_or_else(|| vendor_page(source).to_owned());
        // A machine without a browser still has an address to type elsewhere.
        self.say(match open::that_detached(&url) {
            Ok(()) => Message::Told(format!("opened {url}")),
            Err(_) => Message::Told(format!("open {url} in a browser")),
        });
    }

    fn copy(&self, snippet: &Snippet) {
        use std::io::Write;
        let mut terminal = std::io::stdout();
        let command = crossterm::clipboard::CopyToClipboard::to_clipboard_from(&snippet.code);
        let copied = crossterm::execute!(terminal, command).and_then(|()| terminal.flush());
        let lines = snippet.code.lines().count();
        self.say(match copied {
            Ok(()) => Message::Told(format!("copied {} ({lines} lines), where the terminal allows it", snippet.name)),
            Err(error) => Message::Warned(format!("the terminal does not take it: {error}")),
        });
    }
}

/// Where a vendor shows what it has.
const fn vendor_page(source: Source) -> &'static str {
    match source {
        Source::Xray => "https://console.aws.amazon.com/cloudwatch/home#xray:traces/query",
        Source::CloudWatch => "https://console.aws.amazon.com/cloudwatch/home#logsV2:log-groups",
        Source::Rollbar => "https://app.rollbar.com/",
        _ => "https://ui.honeycomb.io/",
    }
}

fn shown<'a>(course: &'a Course, path: &str) -> Result<Shown<'a>, Failure> {
    let found = course.steps().find(|(_, step)| step.path == path).map(|(lesson, step)| Shown { lesson, step });
    found.ok_or_else(|| Failure::usage(format_args!("there is no step `{path}`")))
}

fn states(ground: &Ground) -> Result<States, Failure> {
    States::load(&ground.course, &ground.folder).map_err(place::no_states)
}

/// What a failure says, without the word before it.
fn said(failure: &Failure) -> String {
    failure.text.strip_prefix("error: ").unwrap_or(&failure.text).to_owned()
}

/// The vendors themselves, where they are meant, with the keys as they stand now.
fn live(ground: &Ground, variables: &Variables) -> Option<Lab> {
    (ground.target == Target::Live).then(|| Lab::live(variables, vendors::engine()))
}

/// Does what the step does outside of files; what was done, if anything.
async fn outside(course: &Course, path: &str, lab: &Lab) -> Result<Option<String>, String> {
    let Ok(shown) = shown(course, path) else { return Ok(None) };
    let mut done = Vec::new();
    for action in &shown.step.actions {
        let put = crate::verify::acting::put(action, lab).await;
        put.map_err(|trouble| format!("{} could not be made: {}; {}", action.object(), trouble.cause, trouble.remedy))?;
        done.push(action.object());
    }
    Ok((!done.is_empty()).then(|| format!("{} made", done.join(", "))))
}

/// Writes what is to be kept, in order: another bootcamp may hold the file for a while.
fn keep(ground: &Ground, mut noted: UnboundedReceiver<Change>, tell: &UnboundedSender<Message>) {
    while let Some(change) = noted.blocking_recv() {
        let _ = tell.send(Message::Noted(ground.book.note(change)));
    }
}

/// Runs what is wanted, one after the other, and keeps the service standing in between.
async fn run(
    ground: Arc<Ground>,
    lab: Arc<Lab>,
    mut wanted: UnboundedReceiver<Job>,
    tell: UnboundedSender<Message>,
    shared: Shared,
) {
    let mut standing = Standing::default();
    // A run that was broken off before it began may have been the one that was to build.
    let mut rebuild = false;
    loop {
        let job = tokio::select! {
            job = wanted.recv() => job,
            exit = standing.ended() => {
                // Its last words before the word of its end.
                if let Some(output) = standing.output() {
                    let _ = tell.send(Message::ServicePrinted(output.last(LINES)));
                }
                let how = exit.map_or_else(String::new, |exit| format!(" with {exit}"));
                let _ = tell.send(Message::ServiceEnded(format!("the service ended by itself{how}")));
                standing = Standing::default();
                continue;
            }
        };
        let Some(mut job) = job else { break };
        rebuild |= job.renewal == Renewal::Rebuild;
        if !job.stop.is_cancelled() {
            if std::mem::take(&mut rebuild) {
                job.renewal = Renewal::Rebuild;
            }
            look(&ground, &lab, &mut standing, &job, &tell, &shared).await;
        }
        if shared.building.swap(false, Ordering::Relaxed) {
            shared.built.notify_one();
        }
    }
    standing.stop(&|_| {}).await;
}

async fn look(ground: &Ground, lab: &Lab, standing: &mut Standing, job: &Job, tell: &UnboundedSender<Message>, shared: &Shared) {
    // What was saved may be the settings themselves.
    let subject = Manifest::find(&ground.manifest.workspace).and_then(verify::own_subject);
    let mut subject = match subject {
        Ok(subject) => subject,
        Err(problem) => {
            let text = format!("{problem}\n{}", problem.help().unwrap_or("correct the file"));
            let _ = tell.send(Message::Refused { run: job.run, text });
            return;
        }
    };
    subject.colour = ground.look.colour;
    let steps: Vec<_> = ground.course.steps().filter(|(_, step)| job.steps.contains(&step.path)).collect();
    let whose = subject.manifest.workspace.display().to_string();
    let plan = Plan::new(&ground.course, &steps).of(&ground.target, whose);
    let pace = match ground.target {
        Target::Live => Pace::LIVE,
        Target::Sandbox if job.patient => Pace::SANDBOX,
        Target::Sandbox => {
            let composed = crate::verify::composed(&subject);
            Pace::guided(Pace::batching(&composed.unwrap_or_else(|_| Environment::from(BTreeMap::new()))))
        }
    };
    // Keys that were saved a moment ago are those that count.
    let live = live(ground, &subject.variables);
    let lab = live.as_ref().unwrap_or(lab);
    let sink = |event: Event| {
        let builds = matches!(event, Event::Stage(Stage::Building));
        match &event {
            Event::Stage(_) if shared.building.swap(builds, Ordering::Relaxed) => shared.built.notify_one(),
            Event::ServiceStarted { instance, output } if instance == Probe::DEFAULT_INSTANCE => {
                *shared.output.lock().unwrap_or_else(PoisonError::into_inner) = Some(output.clone());
            }
            _ => {}
        }
        let _ = tell.send(Message::Run { run: job.run, event });
    };
    crate::verify::run_on(standing, job.renewal, &plan, &subject, lab, pace, &job.stop, &sink).await;
}

/// Tells of what is saved.
async fn watch(ground: Arc<Ground>, tell: UnboundedSender<Message>, shared: Shared) {
    let also = [ground.manifest.compose_file()];
    let mut watching = Watching::begin(&ground.manifest.workspace, &also);
    if let Some(notice) = watching.notice() {
        let _ = tell.send(Message::Told(notice));
    }
    loop {
        let mut changed = tokio::select! {
            changed = watching.changed() => changed,
            () = shared.built.notified() => {
                watching.accept("Cargo.lock");
                continue;
            }
        };
        if shared.building.load(Ordering::Relaxed) {
            changed.remove("Cargo.lock");
        }
        let mut applied = shared.applied.lock().await;
        changed.retain(|path| match applied.remove(path) {
            Some(bytes) => std::fs::read(ground.manifest.workspace.join(path)).ok() != bytes,
            None => true,
        });
        drop(applied);
        if !changed.is_empty() && tell.send(Message::Saved(changed)).is_err() {
            return;
        }
    }
}

/// Tells of what the service prints.
async fn listen(tell: UnboundedSender<Message>, shared: Shared) {
    let mut told = Vec::new();
    let mut looks = tokio::time::interval(LOOK);
    loop {
        looks.tick().await;
        let output = shared.output.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(lines) = output.map(|output| output.last(LINES)) else { continue };
        if lines != told {
            told.clone_from(&lines);
            if tell.send(Message::ServicePrinted(lines)).is_err() {
                return;
            }
        }
    }
}
