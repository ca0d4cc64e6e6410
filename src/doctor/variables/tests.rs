use std::collections::BTreeMap;

use proptest::prelude::*;

use super::file::{EnvFile, Git};
use super::*;
use crate::doctor::State;

const INGEST: &str = "hcaik_01j0000000000000000000000000000000000000000000000000000000";
const CONFIGURATION: &str = "aZ3456789012345678901X";
const KEY_ID: &str = "AKIAQWERTYUIOPASDFGH";
const SECRET: &str = "abcdefghijKLMNOPQRSTuvwxyz0123456789+/Zz";
const ROLLBAR: &str = "0123456789abcdef0123456789abcdef";

fn variables(file: &[(&str, &str)], shell: &[(&str, &str)]) -> Variables {
    let line = |(name, value): &(&str, &str)| format!("{name}='{value}'\n");
    let text: String = file.iter().map(line).collect();
    let shell: BTreeMap<String, String> = shell.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Variables::parse(&text, shell).unwrap()
}

fn asked(names: &[&str]) -> Vec<Wanted> {
    names.iter().map(|name| Wanted { name: (*name).to_owned(), by: Asker::Step(String::from("2.1")) }).collect()
}

/// The finding of one variable that a step asks for.
#[track_caller]
fn found(name: &str, variables: &Variables, target: Target) -> Finding {
    let findings = judge(variables, &asked(&[name]), target);
    let id = format!("variables.{name}");
    findings.iter().find(|finding| finding.id == id).cloned().unwrap_or_else(|| panic!("nothing of `{name}`: {findings:#?}"))
}

/// The value of one variable in `.env`, in the sandbox: its state and all that is told.
#[track_caller]
fn judged(name: &str, value: &str) -> (State, String) {
    let finding = found(name, &variables(&[(name, value)], &[]), Target::Sandbox);
    let text = format!("{} | {}", finding.told, finding.fix.unwrap_or_default());
    // Whatever is told, the value is not: but for a region's, which is shown where it is one.
    assert!(value.trim().len() < 4 || name.contains("REGION") || !text.contains(value.trim()), "{text}");
    (finding.state, text)
}

#[test]
fn what_is_as_it_should_be_is_told_by_its_length() {
    for (name, value) in [
        ("HONEYCOMB_API_KEY", INGEST),
        ("HONEYCOMB_API_KEY", CONFIGURATION),
        ("HONEYCOMB_API_KEY", ROLLBAR),
        ("HONEYCOMB_CONFIGURATION_KEY", CONFIGURATION),
        ("AWS_ACCESS_KEY_ID", KEY_ID),
        ("AWS_SECRET_ACCESS_KEY", SECRET),
        ("ROLLBAR_ACCESS_TOKEN", ROLLBAR),
        // Of a form that nobody knows: not ours to refuse.
        ("ROLLBAR_ACCESS_TOKEN", "a-token-of-another-form"),
        ("MODE", "plain"),
    ] {
        let (state, text) = judged(name, value);
        assert_eq!(state, State::Good, "{name}: {text}");
        assert!(text.contains(&format!("{} characters, from .env:1", value.len())), "{text}");
    }
    assert_eq!(judged("AWS_DEFAULT_REGION", "ca-central-1").1, "`ca-central-1`, from .env:1 | ");
}

#[test]
fn marks_that_do_not_belong_to_a_value_are_named() {
    for (value, word) in [
        (" abcdefghijklmnopqrstuv", "whitespace around"),
        ("abcdefghijklmnopqrstuv\t", "whitespace around"),
        ("abcdefghijklmnopqrstuv\n", "a line break around"),
        ("abcdefghijk lmnopqrstuv", "whitespace within"),
        ("\"abcdefghijklmnopqrstuv\"", "quotation marks"),
        ("“abcdefghijklmnopqrstuv”", "quotation marks"),
        ("HONEYCOMB_API_KEY=abcdefghijklmnopqrstuv", "a whole assignment"),
        ("export KEY", "a whole assignment"),
        ("${OTHER_KEY}", "the name of another variable"),
        ("$OTHER_KEY", "the name of another variable"),
        ("abcdefghijk\u{200b}lmnopqrstuv", "cannot be seen"),
        ("your-key-here", "placeholder"),
        ("changeme", "placeholder"),
        ("<your ingest key>", "placeholder"),
        ("[key]", "placeholder"),
        ("xxxxxxxxxxxxxxxxxxxxxx", "placeholder"),
        ("********", "placeholder"),
        ("hcaik_...", "placeholder"),
        ("TODO", "placeholder"),
    ] {
        // From the shell, where nothing is unquoted on the way.
        let finding = found("HONEYCOMB_API_KEY", &variables(&[], &[("HONEYCOMB_API_KEY", value)]), Target::Sandbox);
        assert_eq!(finding.state, State::Bad, "{value:?}: {finding:?}");
        assert!(finding.told.contains(word), "{value:?}: {finding:?}");
        assert!(finding.fix.is_some() && !finding.told.contains(value.trim()), "{finding:?}");
    }
    let padded = found("AWS_DEFAULT_REGION", &variables(&[], &[("AWS_DEFAULT_REGION", " ca-central-1")]), Target::Sandbox);
    assert_eq!(padded.state, State::Warning);
    assert!(judged("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE").1.contains("placeholder"));
}

#[test]
fn a_key_of_another_kind_is_known_by_its_form() {
    for (name, value, word) in [
        ("HONEYCOMB_API_KEY", "hcxmk_01j000000000000000000000", "a management key"),
        ("HONEYCOMB_API_KEY", KEY_ID, "the id of an AWS access key"),
        ("HONEYCOMB_CONFIGURATION_KEY", INGEST, "an ingest key"),
        ("ROLLBAR_ACCESS_TOKEN", INGEST, "an ingest key"),
        ("ROLLBAR_ACCESS_TOKEN", "5a4db0c5a4db0c5a4db0c5a4db0c0002", "with the scope `read`"),
        ("AWS_SECRET_ACCESS_KEY", KEY_ID, "the id of an AWS access key"),
        ("AWS_DEFAULT_REGION", "can-central-1", "no region of AWS"),
        ("AWS_DEFAULT_REGION", "Canada", "no region of AWS"),
    ] {
        let (state, text) = judged(name, value);
        assert_eq!(state, State::Bad, "{name}: {text}");
        assert!(text.contains(word), "{name}: {text}");
    }
    let (state, text) = judged("HONEYCOMB_CONFIGURATION_KEY", "hcxlk_01j000000000000000000000");
    assert!(state == State::Warning && text.contains("the id of a configuration key"), "{text}");
}

#[test]
fn swapped_pairs_name_each_other() {
    for [(one, its), (other, theirs)] in [
        [("HONEYCOMB_API_KEY", CONFIGURATION), ("HONEYCOMB_CONFIGURATION_KEY", INGEST)],
        [("HONEYCOMB_API_KEY", "sandboxConfigKey000001"), ("HONEYCOMB_CONFIGURATION_KEY", "sandboxIngestKey000001")],
        [("AWS_ACCESS_KEY_ID", SECRET), ("AWS_SECRET_ACCESS_KEY", KEY_ID)],
        [
            ("ROLLBAR_ACCESS_TOKEN", "5a4db0c5a4db0c5a4db0c5a4db0c0002"),
            ("ROLLBAR_READ_TOKEN", "5a4db0c5a4db0c5a4db0c5a4db0c0001"),
        ],
    ] {
        let swapped = variables(&[(one, its), (other, theirs)], &[]);
        for (name, partner) in [(one, other), (other, one)] {
            let finding = found(name, &swapped, Target::Sandbox);
            assert_eq!(finding.state, State::Bad, "{finding:?}");
            assert!(finding.told.contains(&format!("swapped with `{partner}`")), "{finding:?}");
            assert!(finding.fix.unwrap().contains("exchange the values"));
        }
        let right = variables(&[(one, theirs), (other, its)], &[]);
        for name in [one, other] {
            assert_eq!(found(name, &right, Target::Sandbox).state, State::Good, "{name}");
        }
    }
}

#[test]
fn one_value_in_two_places_is_told() {
    let same =
        variables(&[("HONEYCOMB_API_KEY", ROLLBAR), ("ROLLBAR_ACCESS_TOKEN", ROLLBAR), ("ROLLBAR_READ_TOKEN", ROLLBAR)], &[]);
    let other_vendor = found("HONEYCOMB_API_KEY", &same, Target::Sandbox);
    assert!(other_vendor.state == State::Bad && other_vendor.told.contains("`ROLLBAR_ACCESS_TOKEN`"), "{other_vendor:?}");
    let both = variables(&[("ROLLBAR_ACCESS_TOKEN", ROLLBAR), ("ROLLBAR_READ_TOKEN", ROLLBAR)], &[]);
    let states = ["ROLLBAR_ACCESS_TOKEN", "ROLLBAR_READ_TOKEN"].map(|name| found(name, &both, Target::Live).state);
    assert_eq!(states, [State::Good, State::Warning]);
    let aws = variables(&[("AWS_SECRET_ACCESS_KEY", SECRET), ("AWS_SESSION_TOKEN", SECRET)], &[]);
    assert_eq!(found("AWS_SECRET_ACCESS_KEY", &aws, Target::Sandbox).state, State::Bad);
}

#[test]
fn a_temporary_key_needs_its_session_and_a_lasting_one_has_none() {
    let alone = found("AWS_ACCESS_KEY_ID", &variables(&[("AWS_ACCESS_KEY_ID", "ASIAQWERTYUIOPASDFGH")], &[]), Target::Live);
    assert!(alone.state == State::Bad && alone.told.contains("AWS_SESSION_TOKEN"), "{alone:?}");
    let session = ("AWS_SESSION_TOKEN", "IQoJb3JpZ2luX2VjEXX9");
    let both = variables(&[("AWS_ACCESS_KEY_ID", "ASIAQWERTYUIOPASDFGH"), session], &[]);
    assert_eq!(found("AWS_ACCESS_KEY_ID", &both, Target::Live).state, State::Good);
    let lasting = variables(&[("AWS_ACCESS_KEY_ID", KEY_ID), session], &[]);
    assert_eq!(found("AWS_ACCESS_KEY_ID", &lasting, Target::Live).state, State::Warning);
}

#[test]
fn the_shell_wins_over_the_file_and_that_is_told() {
    let file = [("HONEYCOMB_API_KEY", CONFIGURATION)];
    let other = found("HONEYCOMB_API_KEY", &variables(&file, &[("HONEYCOMB_API_KEY", INGEST)]), Target::Sandbox);
    assert!(other.state == State::Warning && other.fix.unwrap().contains("`unset HONEYCOMB_API_KEY`"));
    assert!(other.told.contains(".env:1") && !other.told.contains(CONFIGURATION), "{}", other.told);
    let same = found("HONEYCOMB_API_KEY", &variables(&file, &[("HONEYCOMB_API_KEY", CONFIGURATION)]), Target::Sandbox);
    assert_eq!(same.state, State::Good);
    for blank in ["", "  \n"] {
        let nothing = found("HONEYCOMB_API_KEY", &variables(&file, &[("HONEYCOMB_API_KEY", blank)]), Target::Sandbox);
        assert!(nothing.state == State::Bad && nothing.told.contains("wins over .env:1"), "{nothing:?}");
    }
}

#[test]
fn what_is_not_set_waits_in_the_sandbox_and_is_named_live() {
    let names = ["HONEYCOMB_API_KEY", "ROLLBAR_ACCESS_TOKEN"];
    let blank = variables(&[("HONEYCOMB_API_KEY", "")], &[]);
    let later = judge(&blank, &asked(&names), Target::Sandbox);
    assert_eq!(later.len(), 1);
    assert_eq!((later[0].id.as_str(), later[0].state), ("variables.later", State::Unknown));
    assert!(later[0].told.starts_with("`HONEYCOMB_API_KEY` (step 2.1), `ROLLBAR_ACCESS_TOKEN` (step 2.1)"), "{later:?}");
    let live = judge(&blank, &asked(&names), Target::Live);
    assert_eq!(live.iter().map(|finding| finding.state).collect::<Vec<_>>(), [State::Warning; 2]);
    assert!(live[0].told.starts_with("set in .env:1, and empty") && live[1].told.starts_with("not set"), "{live:?}");
    assert!(live[1].fix.as_ref().unwrap().contains("Project Access Tokens"));
    let compose = Wanted { name: String::from("GREETING"), by: Asker::Compose(String::from("docker-compose.yml:7")) };
    let hole = &judge(&Variables::default(), &[compose], Target::Sandbox)[0];
    assert!(hole.state == State::Warning && hole.told.contains("docker-compose.yml:7"), "{hole:?}");
}

#[test]
fn what_does_for_the_sandbox_does_not_for_the_vendors() {
    for (name, value, state) in [
        ("HONEYCOMB_API_KEY", "sandboxIngestKey000001", State::Bad),
        ("AWS_ACCESS_KEY_ID", "AKIASANDBOX000000001", State::Bad),
        ("AWS_SECRET_ACCESS_KEY", "sandbox-secret-access-key", State::Bad),
        ("AWS_ACCESS_KEY_ID", "AKIDTINY", State::Warning),
        ("AWS_SECRET_ACCESS_KEY", "abcdefghijKLMNOPQRST", State::Warning),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318", State::Warning),
    ] {
        let variables = variables(&[(name, value)], &[]);
        assert_eq!(found(name, &variables, Target::Live).state, state, "{name}");
        assert_eq!(found(name, &variables, Target::Sandbox).state, State::Good, "{name}");
    }
}

#[test]
fn an_endpoint_that_nobody_asks_for_is_told_only_when_it_is_wrong() {
    let judge = |value: &str, target| judge(&variables(&[("HONEYCOMB_API_ENDPOINT", value)], &[]), &[], target);
    assert_eq!(judge("https://api.eu1.honeycomb.io", Target::Live), []);
    assert_eq!(judge("", Target::Live), []);
    let wrong = judge(INGEST, Target::Live);
    assert!(wrong[0].state == State::Bad && wrong[0].told.contains("no address"), "{wrong:?}");
}

#[test]
fn whoever_tells_a_secret_it_is_taken_out() {
    let variables = variables(&[("HONEYCOMB_API_ENDPOINT", INGEST), ("ROLLBAR_ACCESS_TOKEN", ROLLBAR)], &[("MY_KEY", "abc")]);
    let told = format!("the endpoint `{INGEST}` is not a URL, abc");
    let area = crate::doctor::Area::Vendors;
    let mut findings = vec![Finding::new(area, "x", "x", State::Bad, told).fix(format!("not found: {ROLLBAR}"))];
    mask(&mut findings, &variables);
    assert_eq!(findings[0].told, "the endpoint `…` is not a URL, abc");
    assert_eq!(findings[0].fix.as_deref(), Some("not found: …"));
}

#[test]
fn the_file_is_kept_from_git_and_from_others() {
    let judge = |file: EnvFile, target| {
        let findings = judge_file(&file, None, target);
        findings.into_iter().map(|finding| (finding.id, finding.state)).collect::<Vec<_>>()
    };
    let file = |mode, git| EnvFile { exists: true, mode: Some(mode), git };
    let is = |id: &str, state| vec![(format!("variables.{id}"), state)];
    assert_eq!(judge(file(0o600, Git::Ignored), Target::Live), is("file", State::Good));
    assert_eq!(judge(file(0o644, Git::None), Target::Sandbox), is("file", State::Good));
    assert_eq!(judge(file(0o644, Git::None), Target::Live), is("permissions", State::Warning));
    assert_eq!(judge(file(0o666, Git::None), Target::Sandbox), is("permissions", State::Warning));
    assert_eq!(judge(file(0o600, Git::Tracked), Target::Sandbox), is("git", State::Warning));
    assert_eq!(judge(file(0o600, Git::Untracked), Target::Sandbox), is("git", State::Warning));
    assert_eq!(judge(EnvFile { git: Git::Untracked, ..EnvFile::default() }, Target::Live), is("file", State::Unknown));
    let problem = Variables::parse("A=\"b", BTreeMap::new()).unwrap_err();
    let broken = judge_file(&file(0o600, Git::Ignored), Some(&problem), Target::Sandbox);
    assert!(broken[0].state == State::Bad && broken[0].told.contains("line 1"), "{broken:?}");
}

proptest! {
    #[test]
    fn no_value_makes_it_panic_or_is_told(value in "\\PC{8,60}", index in 0..KNOWN.len(), live in any::<bool>()) {
        let (name, kind) = KNOWN[index];
        let variables = variables(&[], &[(name, &value)]);
        let target = if live { Target::Live } else { Target::Sandbox };
        for finding in judge(&variables, &asked(&[name]), target) {
            let text = format!("{} {}", finding.told, finding.fix.unwrap_or_default());
            prop_assert!(kind == Kind::Region || !text.contains(&value), "{}", text);
        }
    }
}
