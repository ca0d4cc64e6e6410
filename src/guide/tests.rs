use std::collections::BTreeSet;
use std::fs;
use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::check::{Mismatch, Outcome};
use crate::course::{Course, Source};
use crate::facts::{Level, Trouble};
use crate::progress::{Change, Progress, Standing};
use crate::service::Target;
use crate::verify::{Closing, Event, Judgement, Plan, Renewal, Stage};

const LESSON: &str = "\
---
title: First
order: 1
summary: S
---

Hello.

## One

Set it.

**Verify** · 2 points
- [ ] `set` it is set

## Two

Answer.

<details><summary>Where</summary>

There.

</details>

<details><summary>How</summary>

So.

</details>

**Verify** · 3 points
- [ ] `answers` it answers
- [ ] `also-set` it is set, too

## Three

Once more.

**Verify** · 1 point
- [ ] `again` it answers again
";

const CHECKS: &str = "\
[set]
fix = 'F'
[set.expect.variable]
name = 'A'

[answers]
probe = 'home'
fix = 'F'
[answers.expect.http-response]
status = 200

[also-set]
fix = 'F'
[also-set.expect.variable]
name = 'B'

[again]
probe = 'home'
fix = 'F'
[again.expect.http-response]
status = 201
";

/// A course of three steps: one that rests on a variable, two on a request.
pub(super) fn course() -> Arc<Course> {
    static COURSE: LazyLock<Arc<Course>> = LazyLock::new(read);
    Arc::clone(&COURSE)
}

fn read() -> Arc<Course> {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in [
        ("lessons/demo/1-first.md", LESSON),
        ("lessons/demo/README.md", "# Demo\n"),
        ("checks/demo/first.toml", CHECKS),
        ("checks/demo/probes.toml", "[home]\nmethod = 'GET'\npath = '/'\n"),
    ] {
        let path = folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    Arc::new(Course::load(&Source::of(folder.path()), "demo").unwrap())
}

pub(super) fn setup() -> Setup {
    Setup { course: course(), progress: Progress::default(), target: Target::Sandbox, recheck: false, notices: Vec::new() }
}

pub(super) fn begun() -> Guide {
    let setup = setup();
    let mut guide = Guide::new(&setup);
    guide.begin(&setup);
    guide
}

pub(super) fn passed() -> Outcome {
    Outcome::Passed { facts: Vec::new(), level: Level::Exact }
}

pub(super) fn failed() -> Outcome {
    Outcome::Failed(Mismatch::new("this", "that"))
}

/// The run that the guide waits for tells that it was planned.
pub(super) fn planned(guide: &mut Guide) {
    let run = guide.run.as_ref().unwrap();
    let steps: Vec<_> = guide.course.steps().filter(|(_, step)| run.steps.contains(&step.path)).collect();
    let agenda = Plan::new(&guide.course, &steps).of(&Target::Sandbox, "mine").agenda;
    tell(guide, Event::Planned(agenda));
}

fn tell(guide: &mut Guide, event: Event) -> Vec<Effect> {
    let run = guide.run.as_ref().map_or(0, |run| run.id);
    guide.update(Message::Run { run, event })
}

/// The whole of a run that ends so, in a service that answers; what the guide wants done meanwhile.
pub(super) fn ran(guide: &mut Guide, outcomes: &[(&str, Outcome)]) -> Vec<Effect> {
    planned(guide);
    let ready =
        Event::ServiceReady { instance: String::from("default"), url: String::from("http://127.0.0.1:1"), after_ms: Some(1) };
    let mut effects = tell(guide, ready);
    for (check, outcome) in outcomes {
        let judgement = Judgement { check: (*check).to_owned(), outcome: outcome.clone(), after_ms: 1 };
        effects.extend(tell(guide, Event::Judged(judgement)));
    }
    effects.extend(tell(guide, Event::Finished(Box::default())));
    effects
}

pub(super) fn does(guide: &mut Guide, command: Command) -> Vec<Effect> {
    guide.update(Message::Command(command))
}

fn notes(effects: &[Effect]) -> Vec<&Change> {
    effects.iter().filter_map(|effect| if let Effect::Note(change) = effect { Some(change) } else { None }).collect()
}

/// Of the run that is wanted: its steps, and how.
fn wanted(effects: &[Effect]) -> Option<(Vec<&str>, Renewal, bool)> {
    effects.iter().rev().find_map(|effect| match effect {
        Effect::Verify { steps, renewal, patient, .. } => Some((steps.iter().map(String::as_str).collect(), *renewal, *patient)),
        _ => None,
    })
}

const ONE: &str = "demo/first/one";
const TWO: &str = "demo/first/two";

/// At the second step, the first one passed.
pub(super) fn at_two() -> Guide {
    let mut guide = begun();
    ran(&mut guide, &[("set", passed())]);
    does(&mut guide, Command::Next);
    guide
}

#[test]
fn it_begins_with_the_first_step_that_waits_and_a_fresh_service() {
    let setup = setup();
    let mut guide = Guide::new(&setup);
    let effects = guide.begin(&setup);
    assert_eq!(wanted(&effects), Some((vec![ONE], Renewal::Rebuild, false)));
    assert_eq!(notes(&effects), [&Change::At { step: ONE.into() }]);
    assert_eq!(guide.checks()[0].1, CheckState::Looking);
}

#[test]
fn what_has_passed_is_looked_at_again_only_where_that_is_asked_for() {
    let mut progress = Progress::default();
    for (step, earned) in [(ONE, "2"), (TWO, "3"), ("demo/first/three", "1")] {
        progress.apply(&Change::Passed { step: step.into(), earned: serde_json::from_str(earned).unwrap() }, &course());
    }
    let mut setup = Setup { progress, ..setup() };
    let mut guide = Guide::new(&setup);
    assert_eq!(wanted(&guide.begin(&setup)), Some((vec![], Renewal::Rebuild, false)));
    setup.recheck = true;
    let mut guide = Guide::new(&setup);
    assert_eq!(wanted(&guide.begin(&setup)).unwrap().0, [ONE, TWO, "demo/first/three"]);
}

#[test]
fn a_step_that_passes_is_noted_with_its_points_and_leads_on() {
    let mut guide = begun();
    let effects = ran(&mut guide, &[("set", passed())]);
    let [Change::Passed { step, earned }] = notes(&effects)[..] else { panic!("{effects:?}") };
    assert_eq!((step.as_str(), earned.to_string().as_str()), (ONE, "2"));
    assert!(guide.is_passed() && wanted(&effects).is_none());
    let effects = does(&mut guide, Command::Next);
    // The service is the same: nothing was saved.
    assert_eq!((guide.path(), wanted(&effects)), (TWO, Some((vec![TWO], Renewal::Keep, false))));
    // Back at what has passed, nothing is looked at.
    assert_eq!(wanted(&does(&mut guide, Command::Back)), None);
    assert_eq!(guide.path(), ONE);
    // And passing again changes nothing.
    does(&mut guide, Command::Verify);
    assert!(notes(&ran(&mut guide, &[("set", passed())])).is_empty());
}

#[test]
fn a_step_that_is_not_done_holds_and_says_what_to_do() {
    let mut guide = begun();
    ran(&mut guide, &[("set", failed())]);
    assert_eq!(does(&mut guide, Command::Next), []);
    assert_eq!(guide.path(), ONE);
    assert!(guide.note().unwrap().text.contains("not done yet"));
    // What cannot be looked at here holds nobody up.
    does(&mut guide, Command::Verify);
    ran(&mut guide, &[("set", Outcome::Skipped("no engine".into()))]);
    does(&mut guide, Command::Next);
    assert_eq!(guide.path(), TWO);
}

#[test]
fn a_save_begins_anew_and_what_the_run_before_tells_counts_no_more() {
    let mut guide = begun();
    planned(&mut guide);
    let old = guide.run.as_ref().unwrap().id;
    let effects = guide.update(Message::Saved(BTreeSet::from(["src/main.rs".into()])));
    assert_eq!(wanted(&effects), Some((vec![ONE], Renewal::Rebuild, false)));
    let late = Event::Judged(Judgement { check: "set".into(), outcome: passed(), after_ms: 1 });
    assert_eq!(guide.update(Message::Run { run: old, event: late }), []);
    assert_eq!(guide.update(Message::Run { run: old, event: Event::Finished(Box::default()) }), []);
    assert_eq!(guide.checks()[0].1, CheckState::Looking);
    assert!(guide.run.is_some() && !guide.is_passed());
}

#[test]
fn what_is_not_there_in_time_is_looked_for_once_more_and_longer() {
    let mut guide = at_two();
    let effects = ran(&mut guide, &[("answers", failed()), ("also-set", passed())]);
    assert_eq!(wanted(&effects), Some((vec![TWO], Renewal::Keep, true)));
    // Meanwhile the first look's words stand.
    assert!(matches!(guide.checks()[0].1, CheckState::Settled { again: true, .. }));
    assert!(guide.result().is_some());
    let effects = ran(&mut guide, &[("answers", passed()), ("also-set", passed())]);
    assert_eq!(notes(&effects).len(), 1);
    assert!(guide.is_passed());
}

#[test]
fn a_second_look_is_the_last_and_none_is_given_to_files_or_to_vendors_who_were_waited_for() {
    let mut guide = at_two();
    ran(&mut guide, &[("answers", failed()), ("also-set", passed())]);
    assert_eq!(ran(&mut guide, &[("answers", failed()), ("also-set", passed())]), []);
    does(&mut guide, Command::Verify);
    // The request is answered, a variable is not set: waiting would not set it.
    assert_eq!(ran(&mut guide, &[("answers", passed()), ("also-set", failed())]), []);
    guide.target = Target::Live;
    does(&mut guide, Command::Verify);
    assert_eq!(ran(&mut guide, &[("answers", failed()), ("also-set", passed())]), []);
}

#[test]
fn a_step_that_breaks_is_told_of_and_holds_again() {
    let mut guide = at_two();
    ran(&mut guide, &[("answers", passed()), ("also-set", passed())]);
    let save = || Message::Saved(BTreeSet::from(["a".into()]));
    assert_eq!(wanted(&guide.update(save())).unwrap().0, [ONE, TWO]);
    let effects = ran(&mut guide, &[("set", failed()), ("answers", passed()), ("also-set", passed())]);
    assert_eq!(notes(&effects), [&Change::Failed { step: ONE.into() }]);
    assert_eq!(guide.note().unwrap().weight, Weight::Warning);
    let (_, one) = guide.course.steps().next().unwrap();
    assert_eq!(guide.step_state(one), StepState::Broken);
    guide.update(save());
    let effects = ran(&mut guide, &[("set", passed()), ("answers", passed()), ("also-set", passed())]);
    assert!(matches!(notes(&effects)[..], [Change::Passed { .. }]));
    assert!(guide.notes.iter().any(|note| note.weight == Weight::Good && note.text.contains("holds again")), "{:?}", guide.notes);
}

#[test]
fn a_vendor_that_is_down_breaks_nothing() {
    let mut guide = at_two();
    guide.update(Message::Saved(BTreeSet::from(["a".into()])));
    let trouble = Trouble { cause: "down".into(), remedy: "wait".into(), passing: true, retry_after_ms: None };
    let effects = ran(
        &mut guide,
        &[("set", Outcome::Errored(trouble.clone())), ("answers", Outcome::Errored(trouble)), ("also-set", passed())],
    );
    assert!(effects.is_empty(), "{effects:?}");
    assert_eq!(guide.progress.standing(guide.course.steps().next().unwrap().1), Standing::Passed);
}

#[test]
fn code_that_does_not_compile_breaks_nothing_that_held() {
    let mut guide = at_two();
    ran(&mut guide, &[("answers", passed()), ("also-set", passed())]);
    guide.update(Message::Saved(BTreeSet::from(["src/main.rs".into()])));
    planned(&mut guide);
    tell(&mut guide, Event::Stage(Stage::Building));
    tell(&mut guide, Event::ServiceFailed { cause: "C".into(), remedy: "R".into(), output: Vec::new() });
    for (check, outcome) in [("set", passed()), ("answers", failed()), ("also-set", passed())] {
        tell(&mut guide, Event::Judged(Judgement { check: check.into(), outcome, after_ms: 1 }));
    }
    assert_eq!(tell(&mut guide, Event::Finished(Box::default())), []);
    assert!(guide.is_passed() && matches!(guide.service.phase, Phase::Unbuilt { .. }));
    // A build that was broken off is no build that failed.
    guide.update(Message::Saved(BTreeSet::from(["docker-compose.yml".into()])));
    planned(&mut guide);
    guide.service.phase = Phase::Building;
    tell(&mut guide, Event::ServiceFailed { cause: "no compose file".into(), remedy: "R".into(), output: Vec::new() });
    assert!(matches!(guide.service.phase, Phase::Crashed { .. }));
}

#[test]
fn one_can_go_on_without_a_step_that_broke() {
    let mut guide = at_two();
    ran(&mut guide, &[("answers", passed()), ("also-set", passed())]);
    does(&mut guide, Command::Verify);
    ran(&mut guide, &[("answers", passed()), ("also-set", failed())]);
    let (_, two) = guide.step().unwrap();
    assert_eq!(guide.step_state(two), StepState::Broken);
    assert_eq!(does(&mut guide, Command::Next), []);
    let effects = does(&mut guide, Command::Skip);
    // It keeps its points: nothing is noted of it.
    assert_eq!(notes(&effects), [&Change::At { step: "demo/first/three".into() }]);
}

#[test]
fn what_held_is_looked_at_to_the_end_though_one_goes_on() {
    let mut guide = at_two();
    guide.update(Message::Saved(BTreeSet::from(["a".into()])));
    planned(&mut guide);
    for check in ["answers", "also-set"] {
        tell(&mut guide, Event::Judged(Judgement { check: check.into(), outcome: passed(), after_ms: 1 }));
    }
    // The first step's check is not settled yet.
    let effects = does(&mut guide, Command::Next);
    assert_eq!(wanted(&effects).unwrap().0, [ONE, "demo/first/three"]);
}

#[test]
fn a_step_that_cannot_be_looked_at_here_is_noted_as_left_out() {
    let mut guide = at_two();
    ran(&mut guide, &[("answers", Outcome::Skipped("S".into())), ("also-set", Outcome::Skipped("S".into()))]);
    let effects = does(&mut guide, Command::Next);
    assert_eq!(notes(&effects)[0], &Change::Skipped { step: TWO.into() });
}

#[test]
fn settings_that_cannot_be_read_are_no_crash() {
    let mut guide = begun();
    guide.update(Message::Refused { run: 1, text: "what\nhow".into() });
    assert_eq!(guide.service.phase, Phase::Unsettled { cause: "what".into(), remedy: "how".into() });
}

#[test]
fn hints_come_one_at_a_time() {
    let mut guide = at_two();
    for rung in 1..=2 {
        let effects = does(&mut guide, Command::Hint);
        assert_eq!(notes(&effects), [&Change::HintShown { step: TWO.into(), rung }]);
        assert_eq!(guide.hints_shown(), rung);
    }
    assert_eq!(does(&mut guide, Command::Hint), []);
    assert!(guide.note().unwrap().text.contains("all the hints"));
}

#[test]
fn a_step_can_be_left_out_and_all_that_is_done_leads_to_the_end() {
    let mut guide = at_two();
    let effects = does(&mut guide, Command::Skip);
    assert_eq!(notes(&effects), [&Change::Skipped { step: TWO.into() }, &Change::At { step: "demo/first/three".into() }]);
    ran(&mut guide, &[("again", passed())]);
    does(&mut guide, Command::Next);
    assert_eq!(guide.overlay, Some(Overlay::Done));
    does(&mut guide, Command::Close);
    assert_eq!(guide.overlay, None);
}

#[test]
fn a_build_that_fails_and_a_service_that_ends_are_told_apart() {
    let mut guide = begun();
    planned(&mut guide);
    tell(&mut guide, Event::Stage(Stage::Building));
    tell(&mut guide, Event::BuildLine("Compiling".into()));
    assert_eq!((&guide.service.phase, guide.service.build.len()), (&Phase::Building, 1));
    let broken = |output: &str| Event::ServiceFailed { cause: "C".into(), remedy: "R".into(), output: vec![output.into()] };
    tell(&mut guide, broken("error[E0425]"));
    assert!(matches!(guide.service.phase, Phase::Unbuilt { .. }) && guide.service.build == ["error[E0425]"]);
    guide.update(Message::Saved(BTreeSet::from(["a".into()])));
    planned(&mut guide);
    tell(&mut guide, Event::Stage(Stage::Building));
    tell(&mut guide, Event::Stage(Stage::Starting));
    tell(&mut guide, broken("panicked"));
    assert!(matches!(guide.service.phase, Phase::Crashed { .. }) && guide.service.lines == ["panicked"]);
}

#[test]
fn an_end_between_runs_is_a_crash_and_one_within_is_the_runs_to_tell() {
    let mut guide = begun();
    ran(&mut guide, &[("set", passed())]);
    guide.update(Message::ServiceEnded("it ended".into()));
    assert!(matches!(&guide.service.phase, Phase::Crashed { cause, .. } if cause == "it ended"));
    let mut guide = begun();
    planned(&mut guide);
    guide.update(Message::ServiceEnded("it ended".into()));
    assert_eq!(guide.service.phase, Phase::Idle);
}

#[test]
fn a_run_that_is_broken_off_leaves_no_verdict() {
    let mut guide = begun();
    planned(&mut guide);
    tell(&mut guide, Event::Finished(Box::new(Closing { interrupted: true, ..Closing::default() })));
    assert_eq!((guide.checks()[0].1, guide.results.len()), (CheckState::Unknown, 0));
}

#[test]
fn only_the_solution_that_is_seen_is_applied() {
    let mut guide = begun();
    assert_eq!(does(&mut guide, Command::Apply), []);
    assert_eq!(does(&mut guide, Command::Solution), [Effect::Solution { step: ONE.into() }]);
    assert_eq!(does(&mut guide, Command::Apply), [], "not before it is shown");
    let solution = |step: &str| Message::Solution(Ok(Solution { step: step.into(), text: "+ a".into() }));
    guide.update(solution(TWO));
    assert_eq!(guide.overlay, Some(Overlay::Solution(None)), "another step's comes too late");
    guide.update(solution(ONE));
    assert_eq!(does(&mut guide, Command::Apply), [Effect::Apply { step: ONE.into() }]);
    assert_eq!(wanted(&guide.update(Message::Applied(Ok("done".into())))), Some((vec![ONE], Renewal::Rebuild, false)));
    does(&mut guide, Command::Solution);
    guide.update(Message::Solution(Err("no solution".into())));
    assert_eq!((guide.overlay.as_ref(), guide.note().unwrap().text.as_str()), (None, "no solution"));
}

#[test]
fn keys_mean_what_the_screen_says() {
    let mut guide = begun();
    for binding in bindings(&guide) {
        assert_eq!(command(&guide, binding.key), Some(binding.command));
    }
    assert_eq!(command(&guide, "a"), None, "there is nothing to apply");
    for (key, overlay) in [("l", Overlay::List), ("?", Overlay::Help), ("w", Overlay::Output)] {
        let opens = command(&guide, key).unwrap();
        does(&mut guide, opens);
        assert_eq!(guide.overlay, Some(overlay));
        // The same key closes it.
        assert_eq!(command(&guide, key), Some(Command::Close));
        does(&mut guide, Command::Close);
    }
    does(&mut guide, Command::List);
    does(&mut guide, Command::Scroll(Towards::Bottom));
    let chosen = command(&guide, "Enter").unwrap();
    does(&mut guide, chosen);
    assert_eq!(guide.path(), "demo/first/three");
}

fn commands() -> impl Strategy<Value = Command> {
    let towards = [Towards::Up, Towards::Down, Towards::PageUp, Towards::PageDown, Towards::Top, Towards::Bottom];
    prop_oneof![
        prop::sample::select(all_bindings().iter().map(|binding| binding.command).collect::<Vec<_>>()),
        prop::sample::select(vec![Command::Apply, Command::Close, Command::Choose]),
        prop::sample::select(towards.to_vec()).prop_map(Command::Scroll),
    ]
}

fn outcomes() -> impl Strategy<Value = Outcome> {
    let trouble = Trouble { cause: "C".into(), remedy: "R".into(), passing: true, retry_after_ms: None };
    prop::sample::select(vec![passed(), failed(), Outcome::Skipped("S".into()), Outcome::Errored(trouble)])
}

fn events() -> impl Strategy<Value = Event> {
    let check = prop::sample::select(vec!["set", "answers", "also-set", "again", "unknown"]);
    let stages = vec![Stage::Preparing, Stage::Building, Stage::Starting, Stage::Probing, Stage::Collecting, Stage::Stopping];
    prop_oneof![
        4 => (check, outcomes()).prop_map(|(check, outcome)| Event::Judged(Judgement { check: check.into(), outcome, after_ms: 1 })),
        2 => prop::sample::select(stages).prop_map(Event::Stage),
        1 => Just(Event::BuildLine("line".into())),
        1 => Just(Event::ServiceFailed { cause: "C".into(), remedy: "R".into(), output: vec!["o".into()] }),
        1 => Just(Event::ServiceReady { instance: "default".into(), url: "u".into(), after_ms: None }),
        2 => any::<bool>().prop_map(|interrupted| Event::Finished(Box::new(Closing { interrupted, ..Closing::default() }))),
    ]
}

/// What is to be sent: a message, or an event of the run that goes on, or of one that does not any more.
pub(super) fn messages() -> impl Strategy<Value = Message> {
    prop_oneof![
        6 => commands().prop_map(Message::Command),
        6 => (0_u64..6, events()).prop_map(|(run, event)| Message::Run { run, event }),
        1 => (0_usize..5).prop_map(Message::Chosen),
        1 => Just(Message::Saved(BTreeSet::from(["a".into()]))),
        1 => (0_u64..6).prop_map(|run| Message::Refused { run, text: "a\nb".into() }),
        1 => prop::collection::vec("[a-z\u{1b}]{0,4}", 0..4).prop_map(Message::ServicePrinted),
        1 => Just(Message::ServiceEnded("ended".into())),
        1 => Just(Message::Solution(Ok(Solution { step: TWO.into(), text: "+".into() }))),
        1 => any::<bool>().prop_map(|well| Message::Applied(if well { Ok("a".into()) } else { Err("b".into()) })),
        1 => (0_usize..9).prop_map(|furthest| Message::Drawn(Drawn { furthest: [furthest; 3], page: furthest, snippet: None })),
        1 => Just(Message::Tick),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]

    #[test]
    fn whatever_happens_the_guide_stays_whole(messages in prop::collection::vec(messages(), 0..60)) {
        let course = course();
        let setup = Setup { course: Arc::clone(&course), progress: Progress::default(), target: Target::Sandbox, recheck: false, notices: Vec::new() };
        let mut guide = Guide::new(&setup);
        guide.begin(&setup);
        let mut last = 0;
        for message in messages {
            // A run begins with its agenda.
            if guide.run.as_ref().is_some_and(|run| run.fold.report().course.is_empty()) {
                planned(&mut guide);
            }
            let before = guide.progress.clone();
            let drawn = matches!(message, Message::Drawn(_));
            let effects = guide.update(message);
            prop_assert!(guide.at < guide.count() && guide.marked < guide.count());
            if drawn {
                prop_assert!(guide.scroll.iter().zip(&guide.drawn.furthest).all(|(at, furthest)| at <= furthest));
            }
            for effect in &effects {
                if let Effect::Verify { run, .. } = effect {
                    prop_assert!(*run > last, "each run has a number of its own");
                    last = *run;
                    prop_assert_eq!(guide.run.as_ref().map(|run| run.id), Some(last), "and is waited for");
                }
            }
            // Nothing is known that was not noted.
            if guide.progress != before {
                prop_assert!(!notes(&effects).is_empty());
            }
            // Points are never lost.
            prop_assert!(guide.progress.earned(&course) >= before.earned(&course));
            prop_assert!(guide.checks().len() <= 2);
        }
        // Whatever lies over the lesson can be closed.
        guide.update(Message::Command(Command::Close));
        prop_assert_eq!(guide.overlay, None);
    }
}
