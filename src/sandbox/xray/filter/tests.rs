use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::sandbox::xray::trace::Trace;

const ID: &str = "1-4efaaf4d-1e8720b39541901950019ee5";

/// A front that failed because a table said no, and a back that answered.
fn sample() -> Trace {
    let front = json!({
        "trace_id": ID, "id": "aaaaaaaaaaaaaaaa", "name": "front", "start_time": 10.0, "end_time": 14.0, "fault": true,
        "origin": "AWS::ECS::Container", "user": "Alice", "resource_arn": "arn:aws:ecs:x",
        "aws": {"ec2": {"availability_zone": "eu-west-1a", "instance_id": "i-1"}},
        "http": {"request": {"url": "http://front/v2/home", "method": "GET", "user_agent": "curl", "client_ip": "10.0.0.1"},
                 "response": {"status": 500}},
        "annotations": {"gameid": "817DL6VO", "age": 30, "internal": false, "Beta": true},
        "subsegments": [
            {"id": "bbbbbbbbbbbbbbbb", "name": "load", "namespace": "local", "start_time": 10.5, "end_time": 13.5, "fault": true,
             "cause": {"exceptions": [{"id": "e", "type": "Denied", "message": "Access Denied"}]},
             "subsegments": [{"id": "cccccccccccccccc", "name": "DynamoDB", "namespace": "aws", "start_time": 11.0,
                              "end_time": 13.0, "fault": true, "aws": {"table_name": "users"}}]},
            {"id": "dddddddddddddddd", "name": "back", "namespace": "remote", "start_time": 13.5, "end_time": 13.75}]});
    let back = json!({
        "trace_id": ID, "id": "eeeeeeeeeeeeeeee", "name": "back", "parent_id": "dddddddddddddddd", "start_time": 13.55,
        "end_time": 13.65, "error": true, "throttle": true, "http": {"response": {"status": 429}}});
    Trace::compile(ID, [front.to_string().as_str(), back.to_string().as_str()])
}

fn holds(expression: &str) -> bool {
    let groups = Groups::from([
        (String::from("slow"), Some(parse("responsetime > 3").unwrap())),
        (String::from("everything"), None),
        (String::from("ring"), Some(parse("group.name = \"ring\"").unwrap())),
    ]);
    matches(&parse(expression).unwrap_or_else(|error| panic!("{expression}: {error}")), &sample(), &groups)
}

#[test]
fn what_matches() {
    for expression in [
        "fault",
        "!ok",
        "ok = false",
        "FAULT AND responseTime > 3.5",
        "duration >= 4 duration <= 4",
        "http.status = 500",
        "http.status != 200",
        "http.url CONTAINS \"/v2/\" and http.url beginswith \"http://front/\" AND http.url ENDSWITH \"home\"",
        "http.url",
        "user = \"Alice\"",
        "user CONTAINS \"\"",
        "http.method = GET",
        "http.useragent = \"curl\" http.clientip = \"10.0.0.1\"",
        "availabilityzone = \"eu-west-1a\" instance.id = \"i-1\" resource.arn BEGINSWITH \"arn\"",
        "name = \"back\" type = \"AWS::DynamoDB::Table\"",
        "message = \"Access Denied\"",
        "throttle",
        "inferred",
        "root",
        "!partial",
        "annotation.gameid = \"817DL6VO\"",
        "annotation[\"gameid\"] BEGINSWITH \"817\"",
        "annotation[age] > 29",
        "annotation.age",
        "annotation.Beta",
        "!annotation.internal",
        "annotation.internal = false",
        "!annotation.missing",
        "service(\"front\")",
        "service(\"back\") { error = true AND http.status = 429 }",
        "service(\"front\") {root = true and fault = true}",
        "service() { throttle }",
        "service(id(name: \"front\", type: \"AWS::ECS::Container\")) { fault OR responsetime > 100 }",
        "service(id(type: \"AWS::DynamoDB::Table\"))",
        "service(\"DynamoDB\") service(\"users\")",
        "edge(\"front\", \"back\") { error }",
        "edge(\"front\", \"back\") { responsetime > 0.2 }",
        "edge(id(type: \"client\"), \"front\")",
        "edge(, \"users\") { fault }",
        "!edge(\"back\", \"front\")",
        "rootcause.fault.service { inferred and name = users and type = \"AWS::DynamoDB::Table\" }",
        "rootcause.fault.service { index > 0 last }",
        "rootcause.fault.entity { remote and name = \"DynamoDB\" }",
        "rootcause.fault.exception { first and message = \"Access Denied\" and name = \"Denied\" }",
        "rootcause.responsetime.entity { coverage > 0.7 and name = \"load\" }",
        "!rootcause.error.service",
        r#"rootcause.json = #[{"Services":[{"Name":"front","EntityPath":[{"Name":"front"},{"Name":"load"},{"Name":"DynamoDB"}]},{"Name":"users"}]}]"#,
        r#"json != #[{"Services":[{"Name":"front"}]}]"#,
        "group.name = \"slow\" AND user = \"Alice\"",
        "group.arn = \"arn:aws:xray:eu-west-1:000000000000:group/slow/ABC\"",
        "group.name = \"everything\"",
        "group.name != \"unknown\"",
        // AND binds tighter than OR.
        "fault OR ok AND ok",
        "(error OR fault) AND NOT ok",
    ] {
        assert!(holds(expression), "{expression}");
    }
}

#[test]
fn what_does_not_match() {
    for expression in [
        "ok",
        "error",
        "(fault OR ok) AND ok",
        "responsetime > 4",
        "http.status < 500",
        "user = \"alice\"",
        "http.url = \"http://front\"",
        "annotation.age = \"30\"",
        "annotation.GameID = \"817DL6VO\"",
        "annotation.internal",
        "annotation.missing != 1",
        "service(\"elsewhere\")",
        "service(\"back\") { fault }",
        "service(id(name: \"front\", type: \"AWS::EC2::Instance\"))",
        "edge(\"back\", \"front\")",
        "edge(\"front\", \"back\") { fault }",
        "rootcause.error.service",
        "rootcause.fault.entity { remote and name = \"load\" }",
        "rootcause.fault.entity { last and name = \"load\" }",
        "group.name = \"ring\"",
        "group.name = \"unknown\"",
        "coverage > 0",
        "first",
    ] {
        assert!(!holds(expression), "{expression}");
    }
}

#[test]
fn errors_say_what_and_where() {
    for (expression, position, part) in [
        ("", 1, "expected a keyword, found the end"),
        ("fault AND", 10, "expected a keyword"),
        ("fualt", 1, "unknown keyword `fualt`"),
        ("http.status = \"200\"", 15, "a number, without quotes"),
        ("user = 5", 8, "a text in double quotes"),
        ("user > \"a\"", 6, "`>` cannot be used with `user`"),
        ("ok = 1", 6, "`true` or `false`"),
        ("user = 'a'", 8, "double quotes"),
        ("user = \"a", 8, "closing"),
        ("service(front)", 9, "a service's name"),
        ("service(\"a\") { annotation.b = 1 }", 16, "whole trace"),
        ("service(\"a\") { fault", 21, "expected `}`"),
        ("edge(\"a\")", 9, "expected `,`"),
        ("(fault", 7, "expected `)`"),
        ("fault)", 6, "unexpected `)`"),
        ("über ~", 6, "unexpected character `~`"),
        ("rootcause.responsetime.exception", 1, "unknown root cause"),
        ("rootcause.json = [1]", 18, "`#` and JSON"),
        ("annotation. = 1", 1, "unknown keyword"),
        ("annotation[] = 1", 12, "an annotation's key"),
        ("group.name = x", 14, "double quotes"),
    ] {
        let error = parse(expression).unwrap_err();
        assert_eq!(error.position, position, "{expression}: {error}");
        assert!(error.message.contains(part), "{expression}: {error}");
    }
}

#[test]
fn length_and_depth_are_bounded() {
    assert!(parse(&"(".repeat(60)).unwrap_err().message.contains("nested"));
    assert!(parse(&"!".repeat(9_000)).unwrap_err().message.contains("nested"));
    assert!(parse(&"x".repeat(10_001)).unwrap_err().message.contains("longer"));
    let long = vec!["fault"; 1_500].join(" ");
    assert!(matches(&parse(&long).unwrap(), &sample(), &Groups::new()));
    assert!(parse(&format!("json = #{}", "[".repeat(5_000))).is_err());
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["[a-z0-9 _.\"\\\\{}()-]{0,8}", "\\PC{0,6}"]
}

fn comparison(inner: bool) -> BoxedStrategy<Expression> {
    let equality = || prop_oneof![Just(Operator::Equal), Just(Operator::NotEqual)];
    let flag = || (0..Flag::ALL.len()).prop_map(|index| Operand::Flag(Flag::ALL[index]));
    let measure = || (0..Measure::ALL.len()).prop_map(|index| Operand::Measure(Measure::ALL[index]));
    let words = || (0..Text::ALL.len()).prop_map(|index| Operand::Text(Text::ALL[index]));
    let order = (0..6_usize).prop_map(|index| Operator::ALL[index]);
    let textual = (6..9_usize).prop_map(|index| Operator::ALL[index]);
    let number = prop_oneof![(-1e6..1e6_f64), any::<f64>().prop_filter("finite", |number| number.is_finite())];
    let simple = prop_oneof![
        prop_oneof![flag(), measure(), words()].prop_map(Expression::Is),
        (flag(), equality(), any::<bool>()).prop_map(|(key, operator, value)| Expression::Compare(
            key,
            operator,
            Literal::Bool(value)
        )),
        (measure(), order, number.clone()).prop_map(|(key, operator, value)| Expression::Compare(
            key,
            operator,
            Literal::Number(value)
        )),
        (words(), prop_oneof![equality(), textual], text()).prop_map(|(key, operator, value)| Expression::Compare(
            key,
            operator,
            Literal::Text(value)
        )),
    ];
    if inner {
        return simple.boxed();
    }
    let key = text().prop_filter("not empty", |key| !key.is_empty()).prop_map(Operand::Annotation).boxed();
    let value =
        prop_oneof![any::<bool>().prop_map(Literal::Bool), number.prop_map(Literal::Number), text().prop_map(Literal::Text)];
    let by = prop_oneof![Just(GroupBy::Name), Just(GroupBy::Arn)];
    prop_oneof![
        4 => simple,
        1 => key.clone().prop_map(Expression::Is),
        1 => (key, equality(), value).prop_map(|(key, operator, value)| Expression::Compare(key, operator, value)),
        1 => (by, any::<bool>(), text()).prop_map(|(by, is, value)| Expression::Group(by, is, value)),
        1 => any::<bool>().prop_map(|is| Expression::RootCauseJson(is, json!([{"Services": [{"Name": "a } b"}]}]))),
    ]
    .boxed()
}

fn nested(leaf: BoxedStrategy<Expression>) -> BoxedStrategy<Expression> {
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::All),
            prop::collection::vec(inner.clone(), 2..4).prop_map(Expression::Any),
            inner.prop_map(|inner| Expression::Not(Box::new(inner))),
        ]
    })
    .boxed()
}

fn expression() -> impl Strategy<Value = Expression> {
    let target =
        || {
            (prop::option::of(text()), prop::option::of(text()), prop::option::of(text()))
                .prop_map(|(name, kind, account)| Target { name, kind, account })
        };
    let filter = || prop::option::of(nested(comparison(true)).prop_map(Box::new));
    let cause = prop_oneof![
        (0..2_usize, 0..3_usize).prop_map(|(kind, element)| (CauseKind::ALL[kind], Element::ALL[element])),
        (0..2_usize).prop_map(|element| (CauseKind::ResponseTime, Element::ALL[element])),
    ];
    let leaf = prop_oneof![
        3 => comparison(false),
        1 => (target(), filter()).prop_map(|(target, filter)| Expression::Service(target, filter)),
        1 => (target(), target(), filter()).prop_map(|(from, to, filter)| Expression::Edge(from, to, filter)),
        1 => (cause, filter()).prop_map(|((kind, element), filter)| Expression::RootCause(kind, element, filter)),
    ];
    nested(leaf.boxed())
}

proptest! {
    #[test]
    fn any_text_is_read_or_refused(text in "\\PC{0,80}") {
        if let Err(error) = parse(&text) {
            prop_assert!(error.position <= text.chars().count() + 1);
        }
    }

    #[test]
    fn anything_made_of_the_grammar_is_read_or_refused(
        words in prop::collection::vec(prop::sample::select(vec![
            "fault", "AND", "OR", "!", "(", ")", "{", "}", "service", "edge", "id", "name", ":", ",", "\"a\"", "5", "=", "!=", "<",
            "CONTAINS", "annotation.x", "annotation", "[", "]", "rootcause.fault.service", "json", "#[]", "#", "group.name", "true", "\\", "-",
        ]), 0..24)
    ) {
        if let Ok(expression) = parse(&words.join(" ")) {
            let _ = matches(&expression, &sample(), &Groups::new());
        }
    }

    #[test]
    fn what_is_printed_is_read_back(expression in expression()) {
        let printed = expression.to_string();
        let again = parse(&printed).map_err(|error| TestCaseError::fail(format!("{printed}: {error}")))?;
        prop_assert_eq!(&again, &expression, "{}", printed);
        let _ = matches(&again, &sample(), &Groups::new());
    }
}
