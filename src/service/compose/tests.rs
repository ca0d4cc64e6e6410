use proptest::prelude::*;

use super::*;

fn variables(pairs: &[(&str, &str)]) -> Variables {
    let shell = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Variables::parse("", shell).unwrap_or_default()
}

fn resolve(text: &str, pairs: &[(&str, &str)]) -> Result<Resolved, Problem> {
    Compose::parse(Path::new("."), "docker-compose.yml", text)?.resolve("backend", &variables(pairs))
}

fn environment(text: &str, pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    resolve(text, pairs).unwrap_or_else(|problem| panic!("{problem}")).environment.into_iter().collect()
}

fn pairs(expected: &[(&str, &str)]) -> Vec<(String, String)> {
    expected.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn the_map_form_is_read() {
    let text = r#"
services:
  backend:
    image: cruddur
    environment:
      OTEL_EXPORTER_OTLP_HEADERS: "x-honeycomb-team=${HONEYCOMB_API_KEY}"
      SINGLE: '${HONEYCOMB_API_KEY}'
      DEFAULT: ${NOBODY:-https://api.honeycomb.io}
      DOLLARS: cost $$5
      PORT: 4567
      RATE: 1.10
      HEX: 0x1F
      DEBUG: true
      YES: yes
      EMPTY: ""
      PASSED:
      NOT_PASSED:
      LONG: >-
        a $PASSED
        b
"#;
    let found = environment(text, &[("HONEYCOMB_API_KEY", "k3y\n"), ("PASSED", "p")]);
    let expected = [
        ("DEBUG", "true"),
        ("DEFAULT", "https://api.honeycomb.io"),
        ("DOLLARS", "cost $5"),
        ("EMPTY", ""),
        ("HEX", "31"),
        ("LONG", "a p b"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "x-honeycomb-team=k3y\n"),
        ("PASSED", "p"),
        ("PORT", "4567"),
        ("RATE", "1.1"),
        ("SINGLE", "k3y\n"),
        ("YES", "yes"),
    ];
    assert_eq!(found, pairs(&expected));
}

#[test]
fn the_list_form_is_read() {
    let text = "services:\n  backend:\n    environment:\n      - A=x=${V}\n      - 'B=$V'\n      - C\n      - V\n      - D=\n      - \"E=a b # c\"\n";
    let found = environment(text, &[("V", "v")]);
    assert_eq!(found, pairs(&[("A", "x=v"), ("B", "v"), ("D", ""), ("E", "a b # c"), ("V", "v")]));
}

#[test]
fn what_nobody_sets_is_told_with_its_line() {
    let text = "services:\n  backend:\n    environment:\n      HEADERS: a=${KEY},b=$KEY_TWO\n      PASSED:\n      OTHER: 1\n";
    let resolved = resolve(text, &[]).unwrap_or_else(|problem| panic!("{problem}"));
    let told: Vec<_> = resolved
        .unset
        .iter()
        .map(|unset| (unset.name.as_str(), unset.within.as_str(), unset.place.to_string(), unset.reference))
        .collect();
    let at = |line| format!("docker-compose.yml:{line}");
    assert_eq!(
        told,
        [
            ("KEY", "HEADERS", at(4), Reference::Substituted),
            ("KEY_TWO", "HEADERS", at(4), Reference::Substituted),
            ("PASSED", "PASSED", at(5), Reference::PassedOn),
        ]
    );
    assert_eq!(resolved.environment.get("HEADERS").map(String::as_str), Some("a=,b="));
    assert_eq!(resolved.places.get("OTHER").map(|place| place.line), Some(6));
    assert!(!resolved.environment.contains_key("PASSED"));
}

#[test]
fn a_required_variable_stops_it_whichever_service_asks() {
    let text = "services:\n  backend:\n    image: a\n  db:\n    environment:\n      P: ${PASSWORD:?choose one}\n";
    let problem = resolve(text, &[]).err().unwrap_or_else(|| panic!("taken"));
    assert_eq!(problem.to_string(), "compose requires the variable `PASSWORD`, which is not set: choose one");
    assert_eq!(problem.place().map(ToString::to_string).as_deref(), Some("docker-compose.yml:6"));
    assert!(resolve(text, &[("PASSWORD", "x")]).is_ok());
}

#[test]
fn anchors_merges_and_extends_are_followed() {
    let text = "x-common: &common\n  A: one\n  B: ${V}\nservices:\n  base:\n    environment:\n      <<: *common\n      C: base\n  backend:\n    extends:\n      service: base\n    environment:\n      C: own\n";
    assert_eq!(environment(text, &[("V", "v")]), pairs(&[("A", "one"), ("B", "v"), ("C", "own")]));
    let circle = "services:\n  backend:\n    extends: other\n  other:\n    extends:\n      service: backend\n";
    assert!(resolve(circle, &[]).is_err_and(|problem| problem.to_string().contains("circle")));
}

#[test]
fn an_unknown_service_gets_a_suggestion() {
    let text = "services:\n  backend-flask:\n    image: a\n  db:\n    image: b\n";
    let problem = resolve(text, &[]).err().unwrap_or_else(|| panic!("taken"));
    assert_eq!(problem.to_string(), "`docker-compose.yml` has no service `backend`");
    assert!(problem.help().is_some_and(|help| help.starts_with("did you mean `backend-flask`?")));
}

#[test]
fn broken_yaml_is_shown_at_its_line() {
    for (text, line) in [
        ("services:\n  backend:\n    environment:\n\t  A: b\n", 4),
        ("services:\n  backend:\n   image: x\n    environment:\n      A: b\n", 4),
        ("services:\n  backend:\n    environment:\n      A: b: c\n", 4),
        ("services:\n  backend:\n    environment:\n      A: b\n      A: c\n", 5),
    ] {
        let problem = resolve(text, &[]).err().unwrap_or_else(|| panic!("{text} was taken"));
        assert_eq!(problem.place().map(|place| place.line), Some(line), "{text}{problem}");
        assert!(problem.to_string().starts_with("`docker-compose.yml` is not valid YAML: "), "{problem}");
    }
}

#[test]
fn an_environment_of_another_form_is_refused_at_its_line() {
    for (text, line) in [
        ("services:\n  backend:\n    environment:\n      A\n", 4),
        ("services:\n  backend:\n    environment:\n      A: {b: c}\n", 4),
        ("services:\n  backend:\n    environment:\n    - A: b\n", 4),
        ("services:\n  backend:\n    environment:\n    A: b\n    image: c\n", 4),
    ] {
        let problem = resolve(text, &[]).err().unwrap_or_else(|| panic!("{text} was taken"));
        assert_eq!(problem.place().map(|place| place.line), Some(line), "{text}{problem}");
    }
}

#[test]
fn an_empty_environment_has_no_variables() {
    assert!(environment("services:\n  backend:\n    environment:\n      # A: b\n    image: c\n", &[]).is_empty());
    assert!(environment("services:\n  backend:\n    image: c\n", &[]).is_empty());
}

#[test]
fn files_of_windows_are_read() {
    let text = "services:\r\n  backend:\r\n    environment:\r\n      A: ${V}\r\n      B: \"x\"\r\n";
    assert_eq!(environment(text, &[("V", "v")]), pairs(&[("A", "v"), ("B", "x")]));
}

#[test]
fn a_variable_under_the_wrong_service_is_not_the_backends() {
    let text = "services:\n  backend:\n    image: a\n  xray-daemon:\n    environment:\n      AWS_XRAY_URL: x\n";
    let resolved = resolve(text, &[]).unwrap_or_else(|problem| panic!("{problem}"));
    assert!(resolved.environment.is_empty());
    assert_eq!(resolved.services, ["backend", "xray-daemon"]);
}

#[test]
fn files_are_read_below_the_environment() -> Result<(), Box<dyn std::error::Error>> {
    let folder = tempfile::tempdir()?;
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text);
    write(
        "docker-compose.yml",
        "services:\n  backend:\n    env_file:\n      - one.env\n      - path: two.env\n        required: false\n      - path: raw.env\n        format: raw\n    environment:\n      OWN: yes\n",
    )?;
    write("docker-compose.override.yml", "services:\n  backend:\n    environment:\n      OVER: laid\n")?;
    write("one.env", "OWN=file\nKEPT='$x'\nASKS=${V}${NOBODY}\n")?;
    write("raw.env", "RAW=\"${V}\"\n")?;
    write(".env", "V=from-dotenv\n")?;
    let variables = Variables::load(folder.path(), BTreeMap::new())?;
    let resolved = Compose::load(folder.path(), Path::new("docker-compose.yml"))?.resolve("backend", &variables)?;
    let expected = [("ASKS", "from-dotenv"), ("KEPT", "$x"), ("OVER", "laid"), ("OWN", "yes"), ("RAW", "\"${V}\"")];
    assert_eq!(resolved.environment.clone().into_iter().collect::<Vec<_>>(), pairs(&expected));
    assert_eq!(resolved.places.get("OVER").map(ToString::to_string).as_deref(), Some("docker-compose.override.yml:4"));
    assert_eq!(resolved.unset.iter().map(|unset| unset.place.to_string()).collect::<Vec<_>>(), ["one.env:3"]);
    assert!(!format!("{resolved:?}").contains("from-dotenv"));

    std::fs::remove_file(folder.path().join("one.env"))?;
    let problem = Compose::load(folder.path(), Path::new("docker-compose.yml"))?.resolve("backend", &variables).err();
    assert_eq!(problem.and_then(|problem| problem.place().map(|place| place.line)), Some(4));
    assert!(Compose::load(folder.path(), Path::new("none.yml")).is_err_and(|problem| problem.to_string().contains("`none.yml`")));
    Ok(())
}

#[test]
fn files_without_services_are_refused() {
    for text in ["", "services:\n", "a: b\n", "- a\n", "services: [a]\n", "services:\n- backend\n"] {
        assert!(resolve(text, &[]).is_err(), "{text:?}");
    }
}

#[test]
fn deep_and_odd_files_are_refused_within_bounds() {
    for text in [
        "[".repeat(100_000),
        "- ".repeat(100_000),
        format!("services: {}", "{a: ".repeat(50_000)),
        format!("a: {}", "${".repeat(100_000)),
    ] {
        assert!(resolve(&text, &[]).is_err());
    }
    let text = format!("services:\n  backend:\n    environment:\n      A: \"{}\"\n", "${A:-".repeat(100) + &"}".repeat(100));
    assert!(resolve(&text, &[]).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "(?s).{0,120}") {
        let _ = resolve(&text, &[]);
    }

    #[test]
    fn no_likely_text_makes_it_panic(lines in proptest::collection::vec("( ){0,6}(services:|backend:|environment:|env_file:|- |A: |<<: \\*a|&a|\\$\\{A:-|'|\"|\\||x|é){1,3}", 0..8)) {
        let text = format!("services:\n  backend:\n    environment:\n{}\n", lines.join("\n"));
        let _ = resolve(&text, &[("A", "é")]);
    }
}
