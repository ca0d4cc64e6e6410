use super::*;
use crate::check::{Mismatch, Rules};
use crate::facts::{Container, FoundLine, ProbeRecord, Rejection, Sighting, Span, Trouble, Variable};
use proptest::prelude::*;

const CHECK: &str = "probe = 'home'\nfix = ''\n[expect.honeycomb-span]\nkind = 'server'";

fn rules(text: &str) -> Vec<NamedRule> {
    let parsed = Rules::parse(text);
    assert_eq!(parsed.flaws, []);
    let named = |entry: crate::check::Entry<Rule>| {
        let place = LessonPlace { file: String::from("1-a.md"), line: 3 };
        NamedRule { id: entry.name, rule: entry.value.unwrap(), place }
    };
    parsed.entries.into_iter().map(named).collect()
}

fn rule(id: &str, extra: &str) -> String {
    format!("[{id}]\nexplains = ['honeycomb']\ncause = 'The cause of {id}.'\nfix = 'The fix.'\nlesson = 'a/b'\n{extra}\n")
}

fn failed() -> Outcome {
    Outcome::Failed(Mismatch::new("a span", "no span of this trace has arrived"))
}

fn refused(reason: &str) -> Evidence {
    let rejection = Rejection {
        at_ms: 1,
        vendor: String::from("honeycomb"),
        request: String::from("POST /v1/traces"),
        status: 401,
        reason: reason.to_owned(),
        detail: String::from("the key is blank"),
        service: None,
    };
    let mut evidence = Evidence { rejections: vec![rejection], ..Evidence::default() };
    for source in [Source::Environment, Source::Files, Source::Honeycomb] {
        evidence.sources.insert(source, SourceRecord { looked_ms: 1, ..SourceRecord::default() });
    }
    evidence
}

fn ids(rules_text: &str, outcome: &Outcome, evidence: &Evidence) -> Vec<String> {
    let check: Check = toml::from_str(CHECK).unwrap();
    diagnose(&rules(rules_text), &check, outcome, evidence).into_iter().map(|diagnosis| diagnosis.id).collect()
}

fn fires(when: &str, evidence: &Evidence) -> bool {
    let fired = ids(&rule("one", &format!("when = [{{ {when} }}]")), &failed(), evidence);
    !fired.is_empty()
}

#[test]
fn a_rule_tells_cause_fix_place_and_what_it_rests_on() {
    let text = rule("blank", "when = [{ rejected = { vendor = 'honeycomb', reason = 'blank-key' } }]");
    let check: Check = toml::from_str(CHECK).unwrap();
    let found = diagnose(&rules(&text), &check, &failed(), &refused("blank-key"));
    let [diagnosis] = &found[..] else { panic!("{found:?}") };
    assert_eq!((diagnosis.cause.as_str(), diagnosis.lesson.line), ("The cause of blank.", 3));
    assert_eq!(diagnosis.evidence, ["POST /v1/traces was refused with 401: the key is blank"]);
    assert_eq!(diagnose(&rules(&text), &check, &failed(), &refused("unknown-key")), []);
}

#[test]
fn only_what_is_not_met_and_of_its_kind_is_explained() {
    let evidence = refused("blank-key");
    let text = rule("blank", "when = [{ rejected = { vendor = 'honeycomb' } }]");
    assert_eq!(ids(&text, &failed(), &evidence), ["blank"]);
    assert_eq!(ids(&text.replace("'honeycomb']", "'xray']"), &failed(), &evidence), [""; 0]);
    assert_eq!(ids(&text.replace("'honeycomb']", "'honeycomb-dataset']"), &failed(), &evidence), [""; 0]);
    assert_eq!(ids(&text.replace("'honeycomb']", "'any']"), &failed(), &evidence), ["blank"]);
    let errored =
        Outcome::Errored(Trouble { cause: String::from("401"), remedy: String::new(), passing: false, retry_after_ms: None });
    assert_eq!(ids(&text, &errored, &evidence), ["blank"]);
    for fine in [Outcome::Skipped(String::new()), Outcome::Passed { facts: Vec::new(), level: crate::facts::Level::Exact }] {
        assert_eq!(ids(&text, &fine, &evidence), [""; 0]);
    }
}

#[test]
fn the_likeliest_comes_first_and_a_fallback_only_where_nothing_else_does() {
    let refusal = "{ rejected = { vendor = 'honeycomb' } }";
    let text = [
        rule("last-resort", &format!("fallback = true\nwhen = [{refusal}]")),
        rule("second", &format!("when = [{refusal}, {{ silent = 'honeycomb' }}]")),
        rule("third", &format!("when = [{refusal}]")),
    ]
    .concat();
    assert_eq!(ids(&text, &failed(), &refused("x")), ["second", "third"]);
    let without = text.replace("silent = 'honeycomb'", "heard = 'honeycomb'");
    assert_eq!(ids(&without, &failed(), &refused("x")), ["third"]);
    assert_eq!(
        ids(&rule("last-resort", &format!("fallback = true\nwhen = [{refusal}]")), &failed(), &refused("x")),
        ["last-resort"]
    );
}

#[test]
fn a_decisive_rule_silences_what_follows_from_its_cause() {
    let refusal = "{ rejected = { vendor = 'honeycomb' } }";
    let text = [
        rule("consequence", &format!("when = [{refusal}]")),
        rule("beneath", &format!("decisive = true\nwhen = [{refusal}]")),
        rule("last-resort", &format!("fallback = true\ndecisive = true\nwhen = [{refusal}]")),
    ]
    .concat();
    assert_eq!(ids(&text, &failed(), &refused("x")), ["beneath"]);
    let without = text.replacen(&format!("true\nwhen = [{refusal}"), "true\nwhen = [{ heard = 'rollbar' }", 1);
    assert_eq!(ids(&without, &failed(), &refused("x")), ["consequence"]);
}

#[test]
fn all_of_some_within_one_of_many() {
    let (holds, fails) = ("{ rejected = { vendor = 'honeycomb' } }", "{ heard = 'rollbar' }");
    assert!(fires(&format!("all = [{holds}, {holds}]"), &refused("x")));
    assert!(!fires(&format!("all = [{holds}, {fails}]"), &refused("x")));
    assert!(fires(&format!("any = [{{ all = [{holds}, {fails}] }}, {holds}]"), &refused("x")));
    assert!(fires(&format!("none = [{{ all = [{holds}, {fails}] }}]"), &refused("x")));
}

#[test]
fn variables_are_told_by_their_state_and_never_by_a_secret_value() {
    let mut evidence = refused("x");
    let all = [
        ("A_KEY", "same-secret", String::from(".env:1")),
        ("B_KEY", "same-secret", String::from("the shell")),
        ("C_KEY", "  ", String::from(".env:3")),
        ("D_KEY", "padded\n", String::from(".env:4")),
        ("REGION", "can-central-1", String::from(".env:5")),
    ];
    evidence.variables = Variable::all(&all);
    evidence.composed = Some(Variable::all(&all[4..]));
    for (when, holds) in [
        ("variable = { name = 'A_KEY', is = 'set' }", true),
        ("variable = { name = 'A_KEY', same-as = 'B_KEY' }", true),
        ("variable = { name = 'A_KEY', same-as = 'D_KEY' }", false),
        ("variable = { name = 'C_KEY', same-as = 'C_KEY' }", false),
        ("variable = { name = 'C_KEY', is = 'blank' }", true),
        ("variable = { name = 'C_KEY', is = 'missing' }", true),
        ("variable = { name = 'D_KEY', is = 'padded' }", true),
        ("variable = { name = 'X_KEY', is = 'missing' }", true),
        ("variable = { name = 'X_KEY', is = 'unset' }", true),
        ("variable = { name = 'X_KEY', is = 'blank' }", false),
        ("variable = { name = 'REGION', value = { matches = '^can-' } }", true),
        ("composed = { name = 'REGION', value = 'can-central-1' }", true),
        ("composed = { name = 'A_KEY', is = 'unset' }", true),
        ("variable = { name = 'A_KEY', value = { contains = 'same' } }", false),
    ] {
        assert_eq!(fires(when, &evidence), holds, "{when}");
    }
    evidence.composed = None;
    assert!(!fires("composed = { name = 'A_KEY', is = 'unset' }", &evidence), "a compose file that cannot be read says nothing");
}

#[test]
fn output_files_and_trouble_are_evidence() {
    let mut evidence = refused("x");
    evidence.output.insert(String::from("default"), vec![String::from("thread panicked: there is no reactor running")]);
    evidence.found.insert(
        String::from("src: span"),
        vec![FoundLine { file: String::from("src/a.rs"), line: 7, text: String::from("  let span = info_span!();") }],
    );
    evidence.files.insert(String::from("a.toml"), Some(String::from("x = 1")));
    evidence.service_trouble = Some(Trouble {
        cause: String::from("the service ended at start"),
        remedy: String::new(),
        passing: false,
        retry_after_ms: None,
    });
    for (when, holds) in [
        ("printed = { contains = 'no reactor running' }", true),
        ("printed = { contains = 'listening' }", false),
        ("found = { in = 'src', line = 'span' }", true),
        ("found = { in = 'src', line = 'other' }", false),
        ("trouble = { contains = 'ended at start' }", true),
        ("met = { expect = { toml-file = { path = 'a.toml', values = { x = 1 } } } }", true),
        ("unmet = { expect = { toml-file = { path = 'a.toml', values = { x = 2 } } } }", true),
        ("unmet = { expect = { toml-file = { path = 'a.toml', values = { x = 1 } } } }", false),
        ("any = [{ printed = { contains = 'listening' } }, { trouble = { contains = 'ended' } }]", true),
        ("none = [{ printed = { contains = 'listening' } }, { trouble = { contains = 'ended' } }]", false),
        ("none = [{ printed = { contains = 'listening' } }]", true),
        ("failing = { actual = { contains = 'no span' } }", true),
        ("failing = { nearest = { exists = false } }", true),
        ("failing = { expected = { contains = 'segment' } }", false),
    ] {
        assert_eq!(fires(when, &evidence), holds, "{when}");
    }
    evidence.service_trouble = None;
    // The check's own probe was not sent in this evidence, so what is seen from it is not seen at all.
    assert!(!fires("unmet = { expect = { honeycomb-span = { kind = 'server' } } }", &evidence));
    let group = "unmet = { expect = { xray-group = { name = 'Cruddur' } } }";
    assert!(!fires(group, &evidence), "X-Ray was not looked at");
}

#[test]
fn a_container_is_told_by_its_service_state_environment_and_last_lines() {
    let mut evidence = refused("x");
    let container = Container {
        id: String::from("0"),
        name: String::from("week2_xray-daemon_1"),
        image: String::from("amazon/aws-xray-daemon"),
        state: String::from("exited"),
        status: String::new(),
        service: Some(String::from("xray-daemon")),
        folder: Some(String::from("/here")),
        ports: Vec::new(),
        environment: [(String::from("AWS_REGION"), String::new())].into(),
        last_lines: vec![String::from("[Error] Cannot fetch region variable"), String::from("bye")],
    };
    evidence.workspace = Some(String::from("/here"));
    evidence.containers = vec![container];
    for (when, holds) in [
        ("container = { service = 'xray-daemon' }", true),
        ("container = { service = { matches = 'xray' }, state = 'exited' }", true),
        ("container = { service = 'xray-daemon', state = 'running' }", false),
        ("container = { service = 'backend' }", false),
        ("container = { service = 'xray-daemon', image = { contains = 'otel' } }", false),
        ("container = { service = 'xray-daemon', environment = { AWS_REGION = '' } }", true),
        ("container = { service = 'xray-daemon', environment = { AWS_REGION = { matches = 'us-' } } }", false),
        ("container = { service = 'xray-daemon', environment = { NO_SUCH = { exists = false } } }", true),
        ("container = { service = 'xray-daemon', prints = { contains = 'fetch region' } }", true),
        ("container = { service = 'xray-daemon', prints = { contains = 'denied' } }", false),
    ] {
        assert_eq!(fires(when, &evidence), holds, "{when}");
    }
    evidence.workspace = Some(String::from("/elsewhere"));
    assert!(!fires("container = { service = 'xray-daemon' }", &evidence), "it belongs to another project");
}

#[test]
fn what_was_seen_of_another_request_is_evidence() {
    let answer = serde_json::json!({ "method": "GET", "url": "/", "status": 200, "latency_ms": 1.0 });
    let probe = |trace_id: &str| ProbeRecord {
        trace_id: trace_id.parse().unwrap(),
        parent_id: String::from("53995c3f42cd8ad8"),
        nonce: String::from("bc-0000"),
        instance: String::from("default"),
        sent_ms: 1,
        answer: Ok(serde_json::from_value(answer.clone()).unwrap()),
    };
    let mut evidence = refused("x");
    evidence.target = String::from("sandbox");
    evidence.probes.insert(String::from("home"), probe("4efaaf4d1e8720b39541901950019ee5"));
    evidence.probes.insert(String::from("user"), probe("4efaaf4d1e8720b39541901950019ee6"));
    let span = serde_json::json!({
        "trace_id": "4efaaf4d1e8720b39541901950019ee6", "span_id": "53995c3f42cd8ad8", "name": "GET", "kind": "server", "dataset": "d"
    });
    let span: Span = serde_json::from_value(span).unwrap();
    evidence.spans.push(Sighting { seen_ms: 2, fact: span });
    let another = "elsewhere = { expect = { honeycomb-span = { kind = 'client' } } }";
    assert!(fires("elsewhere = {}", &evidence));
    assert!(!fires(another, &evidence));
    // Of the check's own request it is no evidence.
    evidence.spans[0].fact.trace_id = String::from("4efaaf4d1e8720b39541901950019ee5");
    assert!(!fires("elsewhere = {}", &evidence));
    evidence.spans[0].fact.kind = String::from("client");
    evidence.spans[0].fact.trace_id = String::from("4efaaf4d1e8720b39541901950019ee6");
    assert!(!fires("elsewhere = {}", &evidence));
    assert!(fires(another, &evidence));
    assert!(fires("target = 'sandbox'", &evidence));
    assert!(!fires("target = 'live'", &evidence));
}

#[test]
fn what_a_rule_wants_is_asked_of_no_vendor_that_the_plan_leaves_out() {
    let text = rule(
        "one",
        "when = [{ met = { expect = { xray-group = { name = 'a' } } } }, { met = { expect = { file = { path = 'f' } } } }, \
         { composed = { name = 'C' } }, { variable = { name = 'V', same-as = 'W' } }, { found = { in = 'src', line = 'x' } }]",
    );
    let mut wants = Wants::default();
    rules(&text)[0].rule.wants(&mut wants);
    assert!(!wants.trace_groups && wants.files.contains("f") && wants.composed.contains("C"));
    assert!(wants.variables.contains("W") && wants.searches.len() == 1);
    let mut wants = Wants { sources: [Source::Xray].into(), ..Wants::default() };
    rules(&text)[0].rule.wants(&mut wants);
    assert!(wants.trace_groups);
}

#[test]
fn mistakes_in_a_rule_are_found_where_they_stand() {
    let flaw = |text: &str| {
        let mut flaws = Rules::parse(text).flaws;
        assert_eq!(flaws.len(), 1, "{flaws:?}");
        let flaw = flaws.remove(0);
        (flaw.message, text[flaw.span].to_owned(), flaw.help)
    };
    let good = rule("one", "when = [{ silent = 'honeycomb' }]");
    let (message, at, _) = flaw(&good.replace("'honeycomb']", "'rolbar']"));
    assert!(message.contains("did you mean `rollbar`?"), "{message}");
    assert_eq!(at, "['rolbar']");
    let (message, at, help) = flaw(&good.replace("silent", "silnt"));
    assert!(message.contains("unknown"), "{message}");
    assert_eq!((at.as_str(), help.as_deref()), ("silnt", Some("did you mean `silent`?")));
    let (message, ..) = flaw(&good.replace("{ silent = 'honeycomb' }", ""));
    assert!(message.contains("rests on nothing"), "{message}");
    let (message, ..) = flaw(&good.replace("silent = 'honeycomb'", "found = { in = 'src', line = '(' }"));
    assert!(message.contains("not a regular expression"), "{message}");
}

proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in "(?s).{0,200}") {
        let _ = Rules::parse(&text);
    }
}
