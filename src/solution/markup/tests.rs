use proptest::prelude::*;

use super::*;

const STEPS: [&str; 4] = ["demo/one/a", "demo/one/b", "demo/two/c", "demo/two/d"];
const NAMES: [&str; 5] = ["one/a", "one/b", "two/c", "two/d", "reference"];

fn stages() -> Stages {
    Stages::new("demo", &STEPS)
}

/// The text at every stage.
#[track_caller]
fn sound(text: &str, leader: &str) -> Vec<String> {
    let (marked, flaws) = Marked::parse(text, leader, &stages());
    assert_eq!(flaws, []);
    (0..=stages().last()).map(|stage| marked.at(stage)).collect()
}

/// What is wrong, each with its line and remedy.
fn wrong(text: &str) -> String {
    let (_, flaws) = Marked::parse(text, "//", &stages());
    let line = |flaw: &Flaw| text[..flaw.span.start].matches('\n').count() + 1;
    let told = flaws.iter().map(|flaw| format!("{}: {}; {}", line(flaw), flaw.message, flaw.help.as_deref().unwrap_or("-")));
    told.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_file_without_markers_is_itself() {
    assert_eq!(sound("a\n\nb\n", "//"), vec!["a\n\nb\n"; 6]);
    assert_eq!(sound("a\r\nno end", "//"), vec!["a\r\nno end"; 6]);
    assert_eq!(sound("", "#"), vec![""; 6]);
}

#[test]
fn lines_come_with_a_step() {
    assert_eq!(
        sound("x\n//@ since one/b\ny\n//@ end\nz\n", "//"),
        ["x\nz\n", "x\nz\n", "x\ny\nz\n", "x\ny\nz\n", "x\ny\nz\n", "x\ny\nz\n"]
    );
    assert_eq!(sound("a = 1 #@ since two/d\n", "#"), ["", "", "", "", "a = 1\n", "a = 1\n"]);
    assert_eq!(sound("/// Doc. //@ since two/d\n", "//")[3..], ["", "/// Doc.\n", "/// Doc.\n"]);
}

#[test]
fn lines_are_replaced_and_old_text_is_indented_as_its_marker() {
    let text = "{\n    //@ since one/b\n    //~ old {\n    //~     deep\n    //~\n    //~ }\n    new\n    //@ end\n}\n";
    let states = sound(text, "//");
    assert_eq!(states[1], "{\n    old {\n        deep\n\n    }\n}\n");
    assert_eq!(states[2], "{\n    new\n}\n");
}

#[test]
fn lines_are_removed() {
    assert_eq!(sound("x\n//@ since one/a\n//~ y\n//@ end\n", "//")[..2], ["x\ny\n", "x\n"]);
}

#[test]
fn a_place_changes_many_times() {
    let text = "\
#@ since two/d
#~ #@ since one/b
#~ #~ first #@ since one/a
#~ second
#~ #@ end
third
#@ end
";
    assert_eq!(sound(text, "#"), ["", "first\n", "second\n", "second\n", "third\n", "third\n"]);
}

#[test]
fn regions_nest() {
    let text = "//@ since one/a\n1\n//@ since two/c\n//~ old\nnew\n//@ end\n2 //@ since reference\n//@ end\n";
    assert_eq!(sound(text, "//"), ["", "1\nold\n", "1\nold\n", "1\nnew\n", "1\nnew\n", "1\nnew\n2\n"]);
}

#[test]
fn a_whole_file_comes_with_a_step() {
    let (marked, flaws) = Marked::parse("//@ file since one/b\nx\n", "//", &stages());
    assert_eq!((marked.since, flaws), (Some(2), vec![]));
    assert_eq!(marked.at(2), "x\n");
    assert_eq!(wrong("//@ file since one/b\n//@ since one/a\nx\n//@ end\n").lines().count(), 1);
}

#[test]
fn changes_are_the_stages_that_are_named() {
    let (marked, _) = Marked::parse("a //@ since one/b\n//@ since two/d\n//~ b //@ since one/a\n//@ end\n", "//", &stages());
    assert_eq!(marked.changes().into_iter().collect::<Vec<_>>(), [1, 2, 4]);
}

#[test]
fn every_mistake_has_its_line_and_a_remedy() {
    for (text, told) in [
        ("//@ since one/bb\nx\n//@ end\n", "1: the course has no step `one/bb`; did you mean `one/b`?"),
        ("x //@ since nine/zz\n", "1: the course has no step `nine/zz`; name a step as `<lesson>/<step>`, or `reference`"),
        ("//@ file since one\n", "1: the course has no step `one`; did you mean `one/a`?"),
        ("x\n//@ end\n", "2: nothing begins that could end here; remove it, or write `//@ since …` where the region begins"),
        ("x\n//@ since one/a\ny\n", "2: this region never ends; write `//@ end` behind its last line"),
        ("//@ since one/a\n//@ end\n", "1: this region is empty; remove it"),
        ("//~ x\n", "1: `//~` stands where nothing was replaced; old text follows directly on `//@ since …`"),
        (
            "//@ since one/a\nx\n//~ y\n//@ end\n",
            "3: `//~` stands where nothing was replaced; old text follows directly on `//@ since …`",
        ),
        ("//@ since one/a\n//~x\ny\n//@ end\n", "2: `//~` and the old text stick together; write `//~ x`"),
        ("//@ sinc one/a\nx\n", "1: `//@ sinc one/a` is no marker; did you mean `//@ since`?"),
        ("x\n//@ file since one/a\n", "2: `//@ file since one/a` is no marker; `//@ file since …` is the first line of a file"),
        (
            "//@ since two/c\n//@ since one/a\nx\n//@ end\n//@ end\n",
            "2: `one/a` is earlier than what surrounds it; what surrounds it came with `demo/two/c`: name that step or a later one, or move it out",
        ),
        (
            "//@ since one/b\n//~ x //@ since two/c\ny\n//@ end\n",
            "2: `two/c` comes when this text is gone already; this text was replaced with `demo/one/b`: name an earlier step",
        ),
        (
            "//@ since one/b\n//@ since one/b\n//~ x\ny\n//@ end\n//@ end\n",
            "3: nobody ever sees this old text; remove the old text, or name a later step",
        ),
    ] {
        assert_eq!(wrong(text), told, "{text}");
    }
}

#[test]
fn all_mistakes_are_told_together() {
    let told = wrong("//@ since x/y\n1\n//@ since one/a\n//@ end\n//@ end\n//@ end\n//@ stop\n//@ since one/a\n2\n");
    let lines: Vec<_> = told.lines().map(|line| line.split(':').next().unwrap()).collect();
    assert_eq!(lines, ["1", "3", "6", "7", "8"]);
}

#[test]
fn depth_and_size_are_bounded() {
    let deep = "//@ since one/a\n".repeat(1000);
    assert!(wrong(&deep).contains("more than 16 regions in one another"));
    let old: String = (0..200).map(|depth| format!("{}//@ since one/b\n", "//~ ".repeat(depth))).collect();
    assert!(!wrong(&old).is_empty());
    assert!(wrong(&"x".repeat(LARGEST + 1)).contains("at most 1048576 are read"));
}

#[test]
fn a_leader_goes_by_the_name() {
    for (path, expected) in [
        ("src/a.rs", Some("//")),
        ("Cargo.toml", Some("#")),
        (".env", Some("#")),
        (".env.example", Some("#")),
        (".gitpod.yml", Some("#")),
        ("deep/Dockerfile", Some("#")),
        (".dockerignore", Some("#")),
        ("README.md", None),
        ("aws/json/xray.json", None),
        ("Cargo.lock", None),
    ] {
        assert_eq!(leader(path), expected, "{path}");
    }
}

/// A place in a file, before it is written down: what stands there from a stage on.
#[derive(Debug, Clone)]
struct Place(Vec<(usize, Option<String>)>);

impl Place {
    /// What stands here at a stage.
    fn at(&self, stage: usize) -> String {
        let now = self.0.iter().rev().find(|(since, _)| *since <= stage);
        now.and_then(|(_, line)| line.clone()).map(|line| format!("{line}\n")).unwrap_or_default()
    }

    /// How an author writes it: the newest text, and before it what was there.
    fn written(&self) -> String {
        let mut text = String::new();
        for (since, line) in &self.0 {
            let new = line.iter().map(|line| format!("{line}\n")).collect::<String>();
            if *since == 0 {
                text = new;
                continue;
            }
            let old: String = text.lines().map(|line| format!("//~ {line}").trim_end().to_owned() + "\n").collect();
            if !old.is_empty() || !new.is_empty() {
                text = format!("//@ since {}\n{old}{new}//@ end\n", NAMES[since - 1]);
            }
        }
        text
    }
}

fn place() -> impl Strategy<Value = Place> {
    let line = proptest::option::weighted(0.8, "[a-z]( ?[a-z{};]){0,6}");
    proptest::collection::btree_map(0_usize..=5, line, 1..4).prop_map(|lines| Place(lines.into_iter().collect()))
}

proptest! {
    #[test]
    fn what_an_author_means_is_what_is_derived(places in proptest::collection::vec(place(), 0..8)) {
        let written: String = places.iter().map(Place::written).collect();
        let (marked, flaws) = Marked::parse(&written, "//", &stages());
        prop_assert_eq!(flaws, vec![]);
        for stage in 0..=stages().last() {
            let expected: String = places.iter().map(|place| place.at(stage)).collect();
            prop_assert_eq!(marked.at(stage), expected, "stage {} of\n{}", stage, written);
        }
    }

    #[test]
    fn any_text_is_read_without_a_panic(text in any::<String>()) {
        let (marked, _) = Marked::parse(&text, "//", &stages());
        marked.at(3);
    }

    #[test]
    fn any_mix_of_markers_is_derived_without_markers_or_told(
        lines in proptest::collection::vec(
            prop_oneof![
                Just("//@ end"), Just("//@ since one/a"), Just("//@ since two/d"), Just("//@ since reference"), Just("//~ old"),
                Just("//~ //@ since one/b"), Just("//~ //@ end"), Just("//~ //~ older"), Just("//~"), Just("x //@ since two/c"),
                Just("//@ file since one/a"), Just("//@"), Just("text"), Just("  //@ since"), Just("//@ since é"), Just(""),
            ],
            0..40,
        )
    ) {
        let text = lines.join("\n");
        let (marked, flaws) = Marked::parse(&text, "//", &stages());
        for flaw in &flaws {
            prop_assert!(text.is_char_boundary(flaw.span.start) && text.is_char_boundary(flaw.span.end));
        }
        for stage in 0..=stages().last() {
            let state = marked.at(stage);
            prop_assert!(!flaws.is_empty() || !(state.contains("//@") || state.contains("//~")), "{}", state);
        }
    }
}
