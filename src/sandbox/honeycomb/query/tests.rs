use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::sandbox::honeycomb::event::{Event, Fields};

fn fields(value: Value) -> Fields {
    match value {
        Value::Object(fields) => fields,
        other => panic!("{other} is no object"),
    }
}

fn event(at_ms: i64, value: Value) -> Event {
    Event { at_ms, sample_rate: 1, fields: fields(value) }
}

fn ask(spec: Value, events: &[Event]) -> Vec<Value> {
    let mut spec = spec;
    spec["start_time"] = json!(0);
    spec["end_time"] = json!(1000);
    let spec = parse(spec.to_string().as_bytes()).unwrap();
    let mut table = Table::new(&spec, spec.window(0), false);
    for event in events {
        assert!(table.add(event).is_continue());
    }
    let data = table.finish(spec.limit.unwrap_or(DEFAULT_LIMIT));
    assert!(data.get("series").is_none());
    data["results"].as_array().unwrap().iter().map(|row| row["data"].clone()).collect()
}

#[allow(clippy::needless_pass_by_value, reason = "a literal reads best without a reference")]
fn invalid(spec: Value) -> Vec<String> {
    match parse(spec.to_string().as_bytes()) {
        Err(SpecError::Invalid(details)) => details.into_iter().map(|detail| detail.field).collect(),
        other => panic!("{other:?}"),
    }
}

fn some_events() -> Vec<Event> {
    vec![
        event(1_000, json!({"name": "home", "status": 200, "duration_ms": 10.0, "n": 3, "trace.trace_id": "a"})),
        event(2_000, json!({"name": "home", "status": 500, "duration_ms": 30.0, "n": "3", "error": true})),
        event(3_000, json!({"name": "users", "status": 200, "duration_ms": 20.0, "n": 4})),
        event(4_000, json!({"name": "users", "duration_ms": null})),
    ]
}

#[test]
fn every_operator_holds_and_denies() {
    let row = fields(json!({"s": "mock-data", "i": 3, "f": 2.5, "b": true, "null": null}));
    let holds = |column: &str, op: &str, value: Value| {
        let filter = Filter { column: column.to_owned(), op: op.to_owned(), value };
        let mut details = Vec::new();
        filter.validate("filters[0]", &mut details);
        assert!(details.is_empty(), "{column} {op}: {details:?}");
        filter.matches(&row)
    };
    for (column, op, value, other) in [
        ("s", "=", json!("mock-data"), json!("mock")),
        ("s", "!=", json!("mock"), json!("mock-data")),
        ("i", "=", json!(3), json!(4)),
        ("i", "=", json!("3"), json!("4")),
        ("i", "=", json!(3.0), json!(3.5)),
        ("f", ">", json!(2), json!(2.5)),
        ("f", ">=", json!(2.5), json!(3)),
        ("i", "<", json!(3.5), json!(3)),
        ("i", "<=", json!(3), json!(2)),
        ("b", "=", json!(true), json!(false)),
        ("b", "=", json!("true"), json!("false")),
        ("s", "starts-with", json!("mock"), json!("data")),
        ("s", "does-not-start-with", json!("data"), json!("mock")),
        ("s", "ends-with", json!("data"), json!("mock")),
        ("s", "does-not-end-with", json!("mock"), json!("data")),
        ("s", "contains", json!("k-d"), json!("kd")),
        ("s", "does-not-contain", json!("kd"), json!("k-d")),
        ("i", "in", json!([1, 3]), json!([1, 2])),
        ("i", "not-in", json!([1, 2]), json!([1, 3])),
        ("s", "in", json!(["x", "mock-data"]), json!(["x"])),
    ] {
        assert!(holds(column, op, value.clone()), "{column} {op} {value}");
        assert!(!holds(column, op, other.clone()), "{column} {op} {other}");
    }
    assert!(holds("s", "exists", Value::Null) && !holds("s", "does-not-exist", Value::Null));
    for missing in ["null", "nowhere"] {
        assert!(!holds(missing, "exists", Value::Null) && holds(missing, "does-not-exist", Value::Null));
        assert!(!holds(missing, "=", json!("x")) && holds(missing, "!=", json!("x")));
        assert!(!holds(missing, "<", json!(9)) && !holds(missing, "in", json!([1])) && holds(missing, "not-in", json!([1])));
    }
}

#[test]
fn groups_keep_the_types_of_their_values() {
    let rows = ask(json!({"breakdowns": ["n"], "orders": [{"column": "n"}]}), &some_events());
    assert_eq!(
        rows,
        [json!({"n": null, "COUNT": 1}), json!({"n": 3, "COUNT": 1}), json!({"n": 4, "COUNT": 1}), json!({"n": "3", "COUNT": 1}),]
    );
}

#[test]
fn the_calculations_calculate() {
    let mut events = some_events();
    events[0].sample_rate = 2;
    let calculations = json!([
        {"op": "COUNT"}, {"op": "SUM", "column": "status"}, {"op": "AVG", "column": "duration_ms"},
        {"op": "COUNT_DISTINCT", "column": "name"}, {"op": "MAX", "column": "status"}, {"op": "MIN", "column": "duration_ms"},
        {"op": "SUM", "column": "duration_ms"}, {"op": "P50", "column": "duration_ms"}, {"op": "P99", "column": "duration_ms"},
        {"op": "P001", "column": "duration_ms"}, {"op": "SUM", "column": "nowhere"}, {"op": "AVG", "column": "name"},
    ]);
    let rows = ask(json!({ "calculations": calculations }), &events);
    assert_eq!(
        rows,
        [json!({
            "COUNT": 5, "SUM(status)": 1100, "AVG(duration_ms)": 17.5, "COUNT_DISTINCT(name)": 2, "MAX(status)": 500,
            "MIN(duration_ms)": 10.0, "SUM(duration_ms)": 70.0, "P50(duration_ms)": 10.0, "P99(duration_ms)": 30.0,
            "P001(duration_ms)": 10.0, "SUM(nowhere)": null, "AVG(name)": null,
        })]
    );
}

#[test]
fn concurrency_is_the_most_at_one_time() {
    let span = |at, duration: f64| event(at, json!({ "duration_ms": duration }));
    let spans = [span(0, 100.0), span(50, 50.0), span(100, 10.0), span(60, 1.0)];
    let rows = ask(json!({"calculations": [{"op": "CONCURRENCY"}]}), &spans);
    assert_eq!(rows, [json!({"CONCURRENCY": 3})]);
}

#[test]
fn heatmaps_and_rates() {
    let value = |at, x: f64| event(at, json!({ "x": x }));
    let events = [value(0, 1.0), value(500, 3.0), value(10_000, 10.0), value(20_000, 100.0)];
    let rows = ask(
        json!({"granularity": 10, "calculations": [{"op": "RATE_SUM", "column": "x"}, {"op": "RATE_AVG", "column": "x"},
            {"op": "RATE_MAX", "column": "x"}, {"op": "HEATMAP", "column": "x"}]}),
        &events,
    );
    assert_eq!(rows[0]["RATE_SUM(x)"], json!(48.0));
    assert_eq!(rows[0]["RATE_AVG(x)"], json!(49.0));
    assert_eq!(rows[0]["RATE_MAX(x)"], json!(48.5));
    let bars = rows[0]["HEATMAP(x)"].as_array().unwrap();
    assert_eq!(bars.iter().map(|bar| bar["count"].as_u64().unwrap()).sum::<u64>(), 4);
    assert_eq!((bars[0]["min"].as_f64(), bars[0]["count"].as_u64()), (Some(1.0), Some(1)));
}

#[test]
fn filters_orders_havings_and_limits() {
    let events = some_events();
    let rows = ask(
        json!({"breakdowns": ["name"], "filters": [{"column": "status", "op": "exists"}],
            "calculations": [{"op": "COUNT"}, {"op": "MAX", "column": "duration_ms"}],
            "orders": [{"op": "MAX", "column": "duration_ms", "order": "ascending"}]}),
        &events,
    );
    assert_eq!(rows.iter().map(|row| row["name"].as_str().unwrap()).collect::<Vec<_>>(), ["users", "home"]);
    let rows = ask(
        json!({"breakdowns": ["name"], "havings": [{"calculate_op": "AVG", "column": "status", "op": ">", "value": 200}],
            "calculations": [{"op": "AVG", "column": "status"}]}),
        &events,
    );
    assert_eq!(rows, [json!({"name": "home", "AVG(status)": 350.0})]);
    let both = json!([{"column": "name", "op": "=", "value": "home"}, {"column": "status", "op": "=", "value": 200}]);
    assert_eq!(ask(json!({"filters": both, "filter_combination": "OR"}), &events), [json!({"COUNT": 3})]);
    assert_eq!(ask(json!({"filters": both, "filter_combination": "AND"}), &events), [json!({"COUNT": 1})]);
    assert_eq!(ask(json!({"breakdowns": ["n"], "limit": 2}), &events).len(), 2);
}

#[test]
fn a_series_has_a_point_a_bucket() {
    let spec = parse(br#"{"start_time":0,"end_time":100,"granularity":2,"breakdowns":["name"]}"#).unwrap();
    let mut table = Table::new(&spec, spec.window(0), true);
    for event in some_events() {
        let _ = table.add(&event);
    }
    let data = table.finish(1);
    let points: Vec<(&str, i64)> = data["series"]
        .as_array()
        .unwrap()
        .iter()
        .map(|point| (point["time"].as_str().unwrap(), point["data"]["COUNT"].as_i64().unwrap()))
        .collect();
    assert_eq!(points, [("1970-01-01T00:00:00Z", 1), ("1970-01-01T00:00:02Z", 1)]);
    assert_eq!(data["results"][0]["data"], json!({"name": "home", "COUNT": 2}));
}

#[test]
fn windows_are_absolute_or_relative() {
    let window = |spec: Value| {
        let window = parse(spec.to_string().as_bytes()).unwrap().window(10_000_000);
        (window.start_ms, window.end_ms)
    };
    assert_eq!(window(json!({})), (2_800_000, 10_000_000));
    assert_eq!(window(json!({"time_range": 600})), (9_400_000, 10_000_000));
    assert_eq!(window(json!({"start_time": 5, "time_range": 10})), (5_000, 15_000));
    assert_eq!(window(json!({"end_time": 50, "time_range": 10})), (40_000, 50_000));
    assert_eq!(window(json!({"start_time": 5, "end_time": 7})), (5_000, 7_000));
}

#[test]
fn what_makes_no_sense_is_refused_where_it_stands() {
    assert_eq!(invalid(json!({"calculations": [{"op": "COUNT"}, {"op": "MEAN"}]})), ["calculations[1].op"]);
    assert_eq!(invalid(json!({"calculations": [{"op": "SUM"}]})), ["calculations[0].column"]);
    assert_eq!(invalid(json!({"calculations": [{"op": "COUNT", "column": "x"}]})), ["calculations[0].column"]);
    assert_eq!(invalid(json!({"filters": [{"column": "x", "op": "~"}]})), ["filters[0].op"]);
    assert_eq!(invalid(json!({"filters": [{"op": "=", "value": 1}]})), ["filters[0].column"]);
    assert_eq!(invalid(json!({"filters": [{"column": "x", "op": "in", "value": 1}]})), ["filters[0].value"]);
    assert_eq!(invalid(json!({"filters": [{"column": "x", "op": "exists", "value": 1}]})), ["filters[0].value"]);
    assert_eq!(invalid(json!({"filters": [{"column": "x", "op": "="}]})), ["filters[0].value"]);
    assert_eq!(invalid(json!({"orders": [{"column": "x"}]})), ["orders[0]"]);
    assert_eq!(
        invalid(json!({"havings": [{"calculate_op": "MAX", "column": "x", "op": ">", "value": 1}]})),
        ["havings[0].calculate_op"]
    );
    assert_eq!(invalid(json!({"limit": 1001})), ["limit"]);
    assert_eq!(invalid(json!({"limit": 0})), ["limit"]);
    assert_eq!(invalid(json!({"time_range": 0})), ["time_range"]);
    assert_eq!(invalid(json!({"time_range": 5, "start_time": 1, "end_time": 6})), ["time_range"]);
    assert_eq!(invalid(json!({"start_time": 6, "end_time": 6})), ["end_time"]);
    assert_eq!(invalid(json!({"time_range": 60, "granularity": 61})), ["granularity"]);
    assert!(matches!(parse(b"{\"calculations\": 5}"), Err(SpecError::Json(_))));
    let deep = "[".repeat(100_000);
    assert!(matches!(parse(deep.as_bytes()), Err(SpecError::Json(_))));
}

#[test]
fn a_query_for_a_trace_reads_that_trace_alone() {
    let traces = |filters: Value, combination: &str| {
        parse(json!({"filters": filters, "filter_combination": combination}).to_string().as_bytes()).unwrap().traces()
    };
    let this = json!({"column": "trace.trace_id", "op": "=", "value": "4efaaf4d1e8720b39541901950019ee5"});
    let other = json!({"column": "name", "op": "exists"});
    assert_eq!(traces(json!([other, this]), "AND").unwrap().len(), 1);
    assert_eq!(traces(json!([this]), "OR").unwrap().len(), 1);
    assert_eq!(traces(json!([this, other]), "OR"), None);
    assert_eq!(traces(json!([{"column": "trace.trace_id", "op": "in", "value": ["a", "b"]}]), "AND").unwrap().len(), 2);
    assert_eq!(traces(json!([{"column": "trace.trace_id", "op": "!=", "value": "a"}]), "AND"), None);
}

fn any_json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        prop_oneof![Just("COUNT"), Just("P99"), Just("="), Just("in"), Just("x"), Just("3")].prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let names = prop_oneof![
            Just("calculations"),
            Just("filters"),
            Just("op"),
            Just("column"),
            Just("value"),
            Just("breakdowns"),
            Just("orders"),
            Just("havings"),
            Just("limit"),
            Just("time_range"),
            Just("start_time"),
            Just("granularity"),
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((names, inner), 0..5)
                .prop_map(|entries| Value::Object(entries.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())),
        ]
    })
}

proptest! {
    #[test]
    fn any_query_is_judged(text in "\\PC{0,80}", value in any_json()) {
        let _ = parse(text.as_bytes());
        if let Ok(spec) = parse(value.to_string().as_bytes()) {
            let _ = (spec.window(i64::MAX), spec.window(i64::MIN), spec.traces(), spec.columns());
        }
    }

    #[test]
    fn any_values_can_be_grouped_and_ordered(values in prop::collection::vec(any_json(), 0..40), descending: bool) {
        let order = if descending { "descending" } else { "ascending" };
        let events: Vec<Event> =
            values.into_iter().enumerate().map(|(at, value)| event(i64::try_from(at).unwrap(), json!({ "x": value }))).collect();
        let rows = ask(
            json!({"breakdowns": ["x"], "orders": [{"column": "x", "order": order}], "calculations": [{"op": "COUNT"},
                {"op": "MAX", "column": "x"}, {"op": "P50", "column": "x"}, {"op": "HEATMAP", "column": "x"}, {"op": "RATE_SUM", "column": "x"}]}),
            &events,
        );
        prop_assert_eq!(rows.iter().map(|row| row["COUNT"].as_u64().unwrap()).sum::<u64>(), events.len() as u64);
    }

    #[test]
    fn any_filter_is_decided(op in prop::sample::select(super::filter::OPERATORS.to_vec()), field in any_json(), value in any_json()) {
        let filter = Filter { column: String::from("x"), op: op.to_owned(), value };
        let _ = filter.matches(&fields(json!({ "x": field })));
    }
}
