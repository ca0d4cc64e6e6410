//! The book as a whole: what it keeps, whatever happens to it.

use std::fs;
use std::io;
use std::path::Path;
use std::time::Duration;

use jiff::Timestamp;
use proptest::prelude::*;
use tempfile::TempDir;

use super::disk::{Disk, Real};
use super::file::{FILE, LOCK};
use super::hold::Hold;
use super::*;
use crate::course::Source;

const LESSON: &str = "\
---
title: One
order: 1
summary: One.
---

One.

## A

Do a.

<details><summary>First</summary>

Look.

</details>

<details><summary>Second</summary>

Look closer.

</details>

**Verify** · 4 points
- [ ] `a-one` one
- [ ] `a-two` two

## B

Do b.

**Verify** · 2 bonus points
- [ ] `b-one` one

## C

Do c.

**Verify** · 3 points
- [ ] `c-one` one
";

fn check(id: &str, text: &str) -> String {
    format!("[{id}]\nfix = 'Write it.'\n[{id}.expect.file]\npath = '{id}.txt'\ntext = '{text}'\n\n")
}

/// A course of three steps, with its lesson and its checks as they are handed in.
fn course_of(lesson: &str, checks: &str) -> Course {
    let root = tempfile::tempdir().unwrap();
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    };
    write("lessons/demo/README.md", "# A demo\n");
    write("lessons/demo/1-one.md", lesson);
    write("checks/demo/one.toml", checks);
    Course::load(&Source::of(root.path()), "demo").unwrap()
}

fn checks() -> String {
    ["a-one", "a-two", "b-one", "c-one"].map(|id| check(id, "x")).concat()
}

fn course() -> Course {
    course_of(LESSON, &checks())
}

fn step<'c>(course: &'c Course, id: &str) -> &'c Step {
    course.steps().find(|(_, step)| step.id == id).unwrap().1
}

const A: &str = "demo/one/a";
const B: &str = "demo/one/b";
const C: &str = "demo/one/c";

fn passed(path: &str, points: u32) -> Change {
    Change::Passed { step: path.to_owned(), earned: Points::whole(points) }
}

fn workspace() -> TempDir {
    tempfile::tempdir().unwrap()
}

fn standings(progress: &Progress, course: &Course) -> Vec<&'static str> {
    course.steps().map(|(_, step)| progress.standing(step).name()).collect()
}

fn when(second: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + second).unwrap()
}

fn quiet(loaded: Loaded) -> Progress {
    assert_eq!(loaded.notices, Vec::<String>::new());
    loaded.progress
}

#[test]
fn what_is_noted_is_there_for_the_next_one() {
    let (folder, course) = (workspace(), course());
    let book = Book::of(folder.path(), &course);
    assert!(!Book::exists(folder.path()));
    assert!(quiet(book.load()).is_empty());
    let now = quiet(book.note_all([passed(A, 4), Change::Skipped { step: B.into() }, Change::At { step: C.into() }]));
    assert_eq!(standings(&now, &course), ["passed", "skipped", "open"]);
    assert_eq!(now.earned(&course), (Points::whole(4), Points::ZERO));
    assert_eq!((now.current(), now.here(&course).unwrap().1.path.as_str()), (Some(C), C));
    let again = quiet(Book::of(folder.path(), &course).load());
    assert_eq!(again, now);
    assert!(again.passed_at(step(&course, "a")).is_some() && again.passed_at(step(&course, "c")).is_none());
}

#[test]
fn the_form_of_the_file() {
    let (folder, course) = (workspace(), course());
    let book = Book::of(folder.path(), &course);
    let changes = [passed(A, 3), Change::HintShown { step: A.into(), rung: 2 }, Change::At { step: A.into() }];
    let _ = quiet(book.note_on(&mut Real, changes, when(0)));
    let text = fs::read_to_string(folder.path().join(FILE)).unwrap();
    let demand = serde_json::to_string(&step(&course, "a").demand()).unwrap();
    let expected = format!(
        r#"{{
  "version": 1,
  "courses": {{
    "demo": {{
      "current": "demo/one/a",
      "steps": {{
        "demo/one/a": {{
          "checks": [
            "a-one",
            "a-two"
          ],
          "passed": {{
            "at": "2027-01-15T08:00:00Z",
            "points": 3,
            "of": 4,
            "demand": {demand}
          }},
          "hints": 2
        }}
      }}
    }}
  }}
}}
"#
    );
    assert_eq!(text, expected);
    assert!(!text.contains(&folder.path().display().to_string()), "the folder may be moved");
}

#[test]
fn a_moved_folder_takes_its_progress_along() {
    let (folder, course) = (workspace(), course());
    let (here, there) = (folder.path().join("here"), folder.path().join("there"));
    fs::create_dir(&here).unwrap();
    let before = quiet(Book::of(&here, &course).note(passed(A, 4)));
    fs::rename(&here, &there).unwrap();
    assert_eq!(quiet(Book::of(&there, &course).load()), before);
}

#[test]
fn one_that_was_passed_and_fails_is_broken_until_it_passes_again_or_is_begun_anew() {
    let (folder, course) = (workspace(), course());
    let book = Book::of(folder.path(), &course);
    let _ = book.note(Change::Failed { step: A.into() });
    assert!(!folder.path().join(FILE).exists(), "nothing is known of it, so nothing is written");
    let first = quiet(book.note_on(&mut Real, [passed(A, 4)], when(0)));
    let broken = quiet(book.note(Change::Failed { step: A.into() }));
    assert_eq!(standings(&broken, &course)[0], "broken");
    assert_eq!(broken.earned(&course).0, Points::whole(4), "its points are kept");
    // To skip it takes nothing away either.
    assert_eq!(quiet(book.note(Change::Skipped { step: A.into() })), broken);
    let again = quiet(book.note_on(&mut Real, [passed(A, 4)], when(9)));
    assert_eq!(again, first, "passed at the first time");
    let anew = quiet(book.note(Change::Reopened { step: A.into() }));
    assert_eq!(standings(&anew, &course)[0], "open");
}

#[test]
fn points_of_skipped_checks_are_earned_when_they_count() {
    let (folder, course) = (workspace(), course());
    let book = Book::of(folder.path(), &course);
    let points = |progress: &Progress| progress.earned(&course);
    assert_eq!(points(&quiet(book.note_all([passed(A, 3), passed(B, 2)]))), (Points::whole(3), Points::whole(2)));
    assert_eq!(points(&quiet(book.note(passed(A, 4)))), (Points::whole(4), Points::whole(2)));
    // A later run in which they do not count takes nothing away.
    assert_eq!(points(&quiet(book.note(passed(A, 3)))), (Points::whole(4), Points::whole(2)));
    // The step is worth more in the next edition: it was passed as a whole.
    let richer = course_of(&LESSON.replace("4 points", "10 points"), &checks());
    assert_eq!(quiet(Book::of(folder.path(), &richer).load()).earned(&richer).0, Points::whole(10));
}

#[test]
fn hints_are_counted_and_never_beyond_what_there_is() {
    let (folder, course) = (workspace(), course());
    let book = Book::of(folder.path(), &course);
    let shown = |rung: usize| quiet(book.note(Change::HintShown { step: A.into(), rung })).hints_shown(step(&course, "a"));
    assert_eq!([1, 2, 1, 99].map(shown), [1, 2, 2, 2]);
    assert_eq!(standings(&quiet(book.load()), &course)[0], "open");
}

#[test]
fn a_new_edition_of_the_course() {
    let (folder, course) = (workspace(), course());
    let book = Book::of(folder.path(), &course);
    let changes = [passed(A, 4), passed(B, 2), passed(C, 3), Change::At { step: B.into() }];
    let _ = quiet(book.note_all(changes));
    // `a` has another heading, a check of `b` demands something else, `c` is gone, `d` is new.
    let lesson = LESSON.replace("## A\n", "## Another name\n").replace("## C\n", "## D\n").replace("`c-one`", "`d-one`");
    let toml = checks()
        .replace("[b-one.expect.file]\npath = 'b-one.txt'\ntext = 'x'", "[b-one.expect.file]\npath = 'b-one.txt'\ntext = 'y'");
    let newer = course_of(&lesson, &toml.replace("c-one", "d-one"));
    let book = Book::of(folder.path(), &newer);
    let progress = quiet(book.load());
    assert_eq!(standings(&progress, &newer), ["passed", "changed", "open"]);
    assert_eq!(progress.earned(&newer), (Points::whole(4), Points::whole(2)));
    assert_eq!(progress.here(&newer).unwrap().1.path, B, "it is offered again");
    let done = quiet(book.note(passed(B, 2)));
    assert_eq!(standings(&done, &newer), ["passed", "passed", "open"]);
    // What was removed has not been forgotten: the former edition finds it again.
    let former = quiet(Book::of(folder.path(), &course).load());
    assert_eq!(standings(&former, &course), ["passed", "changed", "passed"]);
}

#[test]
fn advice_and_layout_change_no_standing() {
    let (folder, course) = (workspace(), course());
    let _ = quiet(Book::of(folder.path(), &course).note_all([passed(A, 4)]));
    let same = course_of(&LESSON.replace("Do a.", "Do it well."), &checks().replace("Write it.", "Write it down."));
    assert_eq!(standings(&quiet(Book::of(folder.path(), &same).load()), &same)[0], "passed");
}

#[test]
fn what_waits_next() {
    let (folder, course) = (workspace(), course());
    let book = Book::of(folder.path(), &course);
    let next = |progress: &Progress, after: Option<&str>| progress.next_open(&course, after).map(|(_, step)| step.id.clone());
    let start = quiet(book.load());
    assert_eq!(next(&start, None).as_deref(), Some("a"));
    assert_eq!(next(&start, Some(A)).as_deref(), Some("b"));
    assert_eq!(next(&start, Some(C)).as_deref(), Some("a"), "then those before it");
    assert_eq!(next(&start, Some("demo/one/gone")).as_deref(), Some("a"));
    let later = quiet(book.note_all([passed(B, 2), Change::At { step: B.into() }]));
    assert_eq!(later.here(&course).unwrap().1.id, "c", "the current one is done");
    let broken = quiet(book.note_all([passed(A, 4), Change::Failed { step: A.into() }, Change::Skipped { step: C.into() }]));
    assert_eq!(next(&broken, None).as_deref(), Some("a"), "what broke comes last");
    assert_eq!(next(&quiet(book.note(passed(A, 4))), None), None);
}

#[test]
fn other_courses_entries_are_left_as_they_are() {
    let (folder, course) = (workspace(), course());
    let other = r#"{"current":"x","steps":{"x":{"passed":"by another version"}},"more":[1,2.5,null]}"#;
    fs::create_dir(folder.path().join(".bootcamp")).unwrap();
    fs::write(folder.path().join(FILE), format!(r#"{{"version":1,"note":"kept","courses":{{"week9":{other}}}}}"#)).unwrap();
    let _ = quiet(Book::of(folder.path(), &course).note(passed(A, 4)));
    let value: serde_json::Value = serde_json::from_slice(&fs::read(folder.path().join(FILE)).unwrap()).unwrap();
    assert_eq!(value["courses"]["week9"], serde_json::from_str::<serde_json::Value>(other).unwrap());
    assert_eq!(value["note"], "kept");
    assert!(value["courses"]["demo"]["steps"][A].is_object());
}

fn write_file(folder: &Path, bytes: &[u8]) {
    fs::create_dir_all(folder.join(".bootcamp")).unwrap();
    fs::write(folder.join(FILE), bytes).unwrap();
}

#[test]
fn a_broken_file_is_set_aside_when_something_new_is_noted() {
    let (folder, course) = (workspace(), course());
    for (round, bytes) in [&b"{ \"version\": 1, "[..], b"", b"[]", b"{\"version\":1,\"courses\":{\"demo\":3}}"].iter().enumerate()
    {
        write_file(folder.path(), bytes);
        let book = Book::of(folder.path(), &course);
        let [notice] = &book.load().notices[..] else { panic!("one notice") };
        assert!(notice.contains("`.bootcamp/progress.json` cannot be understood"), "{notice}");
        assert_eq!(book.load().notices, Vec::<String>::new(), "it is told once");
        assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), *bytes, "to look changes nothing");
        let noted = book.note(passed(A, 4));
        let aside = format!("{FILE}.broken-{}", round + 1);
        assert_eq!(noted.notices, [format!("`{FILE}` could not be understood; it is kept as `{aside}`")]);
        assert_eq!(fs::read(folder.path().join(aside)).unwrap(), *bytes);
        assert_eq!(quiet(Book::of(folder.path(), &course).load()), noted.progress);
        assert_eq!(standings(&noted.progress, &course)[0], "passed");
    }
}

#[test]
fn what_is_broken_in_one_course_costs_another_nothing() {
    let (folder, course) = (workspace(), course());
    write_file(folder.path(), br#"{"version":1,"courses":{"demo":{"steps":[]},"week9":{"current":"x"}}}"#);
    let _ = Book::of(folder.path(), &course).note(passed(A, 4));
    let value: serde_json::Value = serde_json::from_slice(&fs::read(folder.path().join(FILE)).unwrap()).unwrap();
    assert_eq!(value["courses"]["week9"]["current"], "x");
}

#[test]
fn a_newer_file_is_not_touched() {
    let (folder, course) = (workspace(), course());
    let bytes = br#"{"version":2,"people":[]}"#;
    write_file(folder.path(), bytes);
    let book = Book::of(folder.path(), &course);
    let [notice] = &book.load().notices[..] else { panic!("one notice") };
    assert!(notice.contains("has the version 2, which a newer `bootcamp` wrote; use that one"), "{notice}");
    let noted = book.note(passed(A, 4));
    assert!(noted.notices[0].contains("counts for this run of `bootcamp` alone"), "{:?}", noted.notices);
    assert_eq!(standings(&noted.progress, &course)[0], "passed", "in memory");
    assert_eq!(standings(&quiet(book.load()), &course)[0], "passed");
    assert_eq!(fs::read(folder.path().join(FILE)).unwrap(), bytes);
    assert_eq!(fs::read_dir(folder.path().join(".bootcamp")).unwrap().filter(|entry| !is_lock(entry)).count(), 1);
    // It can be written now, and so is what was kept in memory.
    fs::remove_file(folder.path().join(FILE)).unwrap();
    let later = quiet(book.note(passed(B, 2)));
    assert_eq!(standings(&later, &course), ["passed", "passed", "open"]);
    assert_eq!(quiet(Book::of(folder.path(), &course).load()), later);
}

fn is_lock(entry: &io::Result<fs::DirEntry>) -> bool {
    entry.as_ref().is_ok_and(|entry| entry.path().ends_with("progress.lock"))
}

/// A disk that does so many things and then no more: what a killed process or a full disk comes to. The last write is cut in half.
struct Failing {
    left: usize,
}

impl Failing {
    fn may(&mut self) -> io::Result<()> {
        self.left = self.left.checked_sub(1).ok_or_else(|| io::Error::from(io::ErrorKind::StorageFull))?;
        Ok(())
    }
}

impl Disk for Failing {
    fn create_folder(&mut self, path: &Path) -> io::Result<()> {
        self.may()?;
        Real.create_folder(path)
    }

    fn write(&mut self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        if let Err(full) = self.may() {
            // What a full disk took of it.
            let _ = fs::write(path, &bytes[..bytes.len() / 2]);
            return Err(full);
        }
        fs::write(path, bytes)
    }

    fn rename(&mut self, from: &Path, to: &Path) -> io::Result<()> {
        self.may()?;
        Real.rename(from, to)
    }
}

/// A way to begin: nothing, an earlier state, a broken file.
fn beginnings() -> Vec<(&'static str, Option<Vec<u8>>)> {
    let (folder, course) = (workspace(), course());
    let _ = Book::of(folder.path(), &course).note_all([passed(C, 3), Change::At { step: B.into() }]);
    let earlier = fs::read(folder.path().join(FILE)).unwrap();
    let torn = earlier[..earlier.len() / 2].to_vec();
    vec![("nothing", None), ("an earlier state", Some(earlier)), ("a torn file", Some(torn))]
}

#[test]
fn whoever_is_killed_anywhere_leaves_the_file_as_it_was_or_as_it_was_to_be() {
    let course = course();
    for (beginning, bytes) in beginnings() {
        for operations in 0.. {
            assert!(operations < 20, "it never comes to its end");
            let folder = workspace();
            if let Some(bytes) = &bytes {
                write_file(folder.path(), bytes);
            }
            let before = Book::of(folder.path(), &course).load().progress;
            let book = Book::of(folder.path(), &course);
            let mut disk = Failing { left: operations };
            let meant = book.note_on(&mut disk, [passed(A, 4)], when(0));
            // The process is gone, and with it what it remembered.
            let told = !meant.notices.is_empty();
            drop(book);
            let after = Book::of(folder.path(), &course).load().progress;
            assert!(after == before || after == meant.progress, "{beginning}, {operations} operations");
            if beginning == "a torn file" {
                let kept = [FILE.to_owned(), format!("{FILE}.broken-1")].map(|path| fs::read(folder.path().join(path)).ok());
                assert!(kept.contains(&bytes), "{beginning}, {operations} operations: what it held is lost");
                assert!(!folder.path().join(format!("{FILE}.broken-2")).exists());
            }
            // And the next one can go on.
            let next = Book::of(folder.path(), &course).note_on(&mut Real, [passed(A, 4), passed(B, 2)], when(0)).progress;
            assert_eq!(standings(&next, &course)[..2], ["passed", "passed"], "{beginning}, {operations} operations");
            assert!(!folder.path().join(format!("{FILE}.broken-2")).exists(), "{beginning}, {operations} operations");
            if disk.left > 0 {
                assert!(operations >= 2 && after == meant.progress);
                break;
            }
            assert!(told || after == meant.progress, "what was not written is told of");
        }
    }
}

#[test]
fn a_folder_that_cannot_be_written_to_is_told_of_and_progress_goes_on_in_memory() {
    let (folder, course) = (workspace(), course());
    // A file where the folder ought to be: that stops even one who may write everything.
    fs::write(folder.path().join(".bootcamp"), "").unwrap();
    let book = Book::of(folder.path(), &course);
    let first = book.note(passed(A, 4));
    let [notice] = &first.notices[..] else { panic!("one notice: {:?}", first.notices) };
    assert!(notice.contains(".bootcamp") && notice.ends_with("counts for this run of `bootcamp` alone"), "{notice}");
    let second = quiet(book.note(passed(B, 2)));
    assert_eq!(standings(&second, &course), ["passed", "passed", "open"]);
    assert_eq!(quiet(book.load()), second);
    fs::remove_file(folder.path().join(".bootcamp")).unwrap();
    let third = quiet(book.note(passed(C, 3)));
    assert_eq!(quiet(Book::of(folder.path(), &course).load()), third);
    assert_eq!(standings(&third, &course), ["passed"; 3]);
}

#[test]
fn where_nothing_changes_nothing_is_written() {
    let (folder, course) = (workspace(), course());
    let book = Book::of(folder.path(), &course);
    let done = quiet(book.note(passed(A, 4)));
    // It would fail at once.
    let again = quiet(book.note_on(&mut Failing { left: 0 }, [passed(A, 4), Change::Failed { step: C.into() }], when(99)));
    assert_eq!(again, done);
}

#[test]
fn many_at_once_lose_nothing() {
    let folder = workspace();
    let headings: String = (0..24).map(|n| format!("## S {n}\n\nDo.\n\n**Verify** · 1 point\n- [ ] `c-{n}` it\n\n")).collect();
    let lesson = format!("---\ntitle: One\norder: 1\nsummary: One.\n---\n\nOne.\n\n{headings}");
    let course = course_of(&lesson, &(0..24).map(|n| check(&format!("c-{n}"), "x")).collect::<String>());
    let paths: Vec<String> = course.steps().map(|(_, step)| step.path.clone()).collect();
    std::thread::scope(|scope| {
        for chunk in paths.chunks(6) {
            let (course, folder) = (&course, folder.path());
            scope.spawn(move || {
                for path in chunk {
                    // Each with a book of its own, as another process has.
                    let _ = quiet(Book::of(folder, course).note(passed(path, 1)));
                }
            });
        }
    });
    let progress = quiet(Book::of(folder.path(), &course).load());
    assert_eq!(standings(&progress, &course), ["passed"; 24]);
}

#[test]
fn a_lock_that_is_kept_is_not_waited_for_without_end() {
    let folder = workspace();
    fs::create_dir(folder.path().join(".bootcamp")).unwrap();
    let lock = folder.path().join(LOCK);
    let held = Hold::take(&lock).unwrap().unwrap();
    assert!(Hold::take_within(&lock, Duration::from_millis(20)).unwrap().is_none());
    drop(held);
    assert!(Hold::take_within(&lock, Duration::ZERO).unwrap().is_some());
}

fn change() -> impl Strategy<Value = Change> {
    let path = prop_oneof![Just(A), Just(B), Just(C), Just("demo/one/none")];
    (path, 0_u32..6, 0_usize..5).prop_map(|(path, kind, number)| {
        let step = path.to_owned();
        match kind {
            0 => Change::Passed { step, earned: Points::whole(u32::try_from(number).unwrap()) },
            1 => Change::Failed { step },
            2 => Change::Skipped { step },
            3 => Change::Reopened { step },
            4 => Change::At { step },
            _ => Change::HintShown { step, rung: number },
        }
    })
}

/// Something that a file may hold.
fn bytes() -> impl Strategy<Value = Vec<u8>> {
    let value = prop_oneof![Just("null"), Just("1"), Just("-1"), Just("1e400"), Just("\"x\""), Just("[]"), Just("{}")];
    let shape = prop_oneof![
        Just(r#"{"version":@,"courses":{}}"#),
        Just(r#"{"version":1,"courses":@}"#),
        Just(r#"{"version":1,"courses":{"demo":@}}"#),
        Just(r#"{"version":1,"courses":{"demo":{"current":@,"steps":{}}}}"#),
        Just(r#"{"version":1,"courses":{"demo":{"steps":{"demo/one/a":@}}}}"#),
        Just(
            r#"{"version":1,"courses":{"demo":{"steps":{"demo/one/a":{"hints":@,"passed":{"at":"2026-01-02T03:04:05Z","points":9e99,"of":0}}}}}}"#
        ),
    ];
    prop_oneof![
        proptest::collection::vec(any::<u8>(), 0..60),
        (shape, value).prop_map(|(shape, value)| shape.replace('@', value).into_bytes()),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_the_file_holds_it_is_read_and_kept(bytes in bytes(), change in change()) {
        let (folder, course) = (workspace(), COURSE.with(Clone::clone));
        write_file(folder.path(), &bytes);
        let book = Book::of(folder.path(), &course);
        let loaded = book.load();
        prop_assert!(loaded.progress.earned(&course).0 <= course.points());
        prop_assert!(loaded.progress.next_open(&course, loaded.progress.current()).is_some());
        let noted = book.note(change);
        prop_assert!(course.steps().all(|(_, step)| noted.progress.hints_shown(step) <= step.hints.len()));
        if !loaded.notices.is_empty() {
            let kept: Vec<Option<Vec<u8>>> = [FILE.to_owned(), format!("{FILE}.broken-1")].iter()
                .map(|path| fs::read(folder.path().join(path)).ok()).collect();
            prop_assert!(kept.contains(&Some(bytes)));
        }
    }

    #[test]
    fn what_is_loaded_is_what_was_noted(changes in proptest::collection::vec(change(), 0..12), split in 0_usize..12) {
        let (folder, course) = (workspace(), COURSE.with(Clone::clone));
        let edition = change::Edition::of(&course);
        let mut meant = Progress::default();
        for change in &changes {
            meant.absorb(change, when(0), &edition);
        }
        let split = split.min(changes.len());
        let book = Book::of(folder.path(), &course);
        let mut last = Loaded::default();
        for change in &changes[..split] {
            last = book.note_on(&mut Real, [change.clone()], when(0));
        }
        if split < changes.len() {
            last = Book::of(folder.path(), &course).note_on(&mut Real, changes[split..].to_vec(), when(0));
        }
        prop_assert_eq!(&last.progress, &meant);
        prop_assert_eq!(Book::of(folder.path(), &course).load(), Loaded { progress: meant, notices: Vec::new() });
    }
}

thread_local! {
    static COURSE: Course = course();
}
