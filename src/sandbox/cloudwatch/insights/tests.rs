use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::json;

use super::*;
use crate::sandbox::cloudwatch::{TABLES, chunk};

const AT: i64 = 1_780_000_000_000;

/// A store of one group with a stream and these messages, a second apart.
fn store(messages: &[&str]) -> Connection {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(TABLES.schema).unwrap();
    connection
        .execute_batch(
            "INSERT INTO log_group (id, name, created_ms, class) VALUES (1, 'g', 0, 'STANDARD');
             INSERT INTO log_stream (id, group_id, name, created_ms) VALUES (1, 1, 's', 0);
             INSERT INTO log_query (id, text, groups, status, created_ms) VALUES ('q', '', '[]', 'Running', 0);",
        )
        .unwrap();
    let events = (0..).zip(messages).map(|(n, text)| (AT + n * 1000, text.as_bytes())).collect::<Vec<_>>();
    let body = chunk::encode(AT + 5, events.iter().copied());
    connection
        .execute(
            "INSERT INTO log_chunk (stream_id, min_ms, max_ms, ingested_ms, tail, body) VALUES (1, 0, ?1, 0, 0, ?2)",
            params![i64::MAX, body],
        )
        .unwrap();
    connection
}

fn rows(connection: &Connection, text: &str) -> Vec<String> {
    let query = parser::parse(text).unwrap_or_else(|error| panic!("{text}: {error}"));
    let job = Job { id: "q".into(), groups: vec!["g".into()], from_ms: 0, until_ms: i64::MAX, limit: 1000 };
    let found = run::run(connection, &job, &query).unwrap().unwrap();
    let cell = |cell: &Value| format!("{}={}", cell["field"].as_str().unwrap(), cell["value"].as_str().unwrap());
    let row = |row: &Value| {
        let cells = row.as_array().unwrap().iter().filter(|cell| cell["field"] != "@ptr").map(cell);
        cells.collect::<Vec<_>>().join(" ")
    };
    found.rows.as_array().unwrap().iter().map(row).collect()
}

const LINES: [&str; 5] = [
    r#"{"status":200,"path":"/a","took":1.5,"user":{"id":"u1","tags":["x","y"]},"ok":true}"#,
    r#"{"status":404,"path":"/b","took":10,"user":{"id":"u2"}}"#,
    r#"{"status":200,"path":"/a","took":2.5,"user":{"id":"u1"}}"#,
    r#"{"status":500,"path":"/c d","took":40}"#,
    "plain GET /x took 7 ms",
];

#[test]
fn a_query_without_commands_shows_time_and_message_newest_first() {
    let found = rows(&store(&LINES), "");
    assert_eq!(found.len(), 5);
    assert_eq!(found[0], "@timestamp=2026-05-28 20:26:44.000 @message=plain GET /x took 7 ms");
}

#[test]
fn queries() {
    let store = store(&LINES);
    let cases: [(&str, &[&str]); 30] = [
        ("fields path | filter status = 404", &["path=/b"]),
        ("fields path | filter status >= 404 | sort status", &["path=/b", "path=/c d"]),
        ("fields status | sort status desc | limit 2", &["status=500", "status=404"]),
        ("fields path | filter user.id = 'u1' and took < 2", &["path=/a"]),
        ("fields user.tags.1 as tag | filter ispresent(tag)", &["tag=y"]),
        ("filter @message like /took \\d+ ms/ | fields @logStream, @log", &["@logStream=s @log=000000000000:g"]),
        ("fields took | filter @message like \"plain\" or path like '/c'", &["", "took=40"]),
        ("fields path | filter path in ['/b', \"/c d\"]", &["path=/c d", "path=/b"]),
        ("fields path | filter path not in ['/b', \"/c d\"] and not status != 200", &["path=/a", "path=/a"]),
        ("fields path | filter path not like /a|b/ and ispresent(path)", &["path=/c d"]),
        (
            "stats count(*) as n by status | sort n desc, status asc",
            &["status=200 n=2", "n=1", "status=404 n=1", "status=500 n=1"],
        ),
        (
            "stats count(*), sum(took), avg(took), min(took), max(took), count_distinct(path)",
            &["count(*)=5 sum(took)=54 avg(took)=13.5 min(took)=1.5 max(took)=40 count_distinct(path)=3"],
        ),
        ("stats pct(took, 50) as p50, median(took), stddev(status) as d", &["p50=2.5 median(took)=2.5 d=130.4914"]),
        ("stats count(*) by bin(1h)", &["bin(1h)=2026-05-28 20:00:00.000 count(*)=5"]),
        ("stats max(took) - min(took) as spread by path | filter spread > 0", &["path=/a spread=1"]),
        ("stats count(*) by path | sort count(*) desc | limit 1", &["path=/a count(*)=2"]),
        ("stats sum(took) as t by path | stats max(t) as m", &["m=40"]),
        ("stats latest(path), earliest(path)", &["latest(path)=/c d earliest(path)=/a"]),
        ("filter status = 999 | stats count(*)", &["count(*)=0"]),
        (
            "parse @message 'plain * * took * ms' as method, path, ms | filter ispresent(ms) | display method, path, ms",
            &["method=GET path=/x ms=7"],
        ),
        ("parse @message /took (?<ms>\\d+)/ | filter ms > 6 | fields ms * 2 as twice", &["twice=14"]),
        ("parse 'plain *' as rest | filter ispresent(rest) | display rest", &["rest=GET /x took 7 ms"]),
        ("fields status | dedup status | filter ispresent(status)", &["status=500", "status=200", "status=404"]),
        ("fields concat(path, '-', status) as x | filter status = 404", &["x=/b-404"]),
        (
            "fields toupper(path) as u, strlen(path), substr(path, 1) | filter status = 404",
            &["u=/B strlen(path)=2 substr(path, 1)=b"],
        ),
        ("fields 1 + 2 * 3 ^ 2 - 4 / 2 % 3 as n | limit 1", &["n=17"]),
        ("fields -took as n, abs(-took) as m | filter status = 404", &["n=-10 m=10"]),
        ("fields `user.id` as who # a comment\n| filter who = \"u2\"", &["who=u2"]),
        ("fields ok | filter ok = 1 and ok = true", &["ok=1"]),
        ("fields path | sort @timestamp asc | limit 1", &["path=/a"]),
    ];
    for (text, expected) in cases {
        assert_eq!(rows(&store, text), expected, "{text}");
    }
}

#[test]
fn the_time_range_includes_both_ends() {
    let query = parser::parse("stats count(*) as n").unwrap();
    let job = Job { id: "q".into(), groups: vec!["g".into()], from_ms: AT + 1000, until_ms: AT + 3000, limit: 10 };
    let found = run::run(&store(&LINES), &job, &query).unwrap().unwrap();
    assert_eq!(found.rows, json!([[{"field": "n", "value": "3"}]]));
    assert_eq!(found.statistics["recordsMatched"], 3);
}

#[test]
fn mistakes_have_a_place() {
    let cases = [
        ("fields @message | foo", "unexpected symbol found foo at line 1 and position 19", 18),
        ("fields @message |\n filter", "unexpected end of the query at line 2 and position 8", 25),
        ("filter a = 'x", "a quotation mark is missing at line 1 and position 12", 11),
        ("filter a ~ 1", "unexpected symbol found ~ at line 1 and position 10", 9),
        ("filter ü = = 1", "unexpected symbol found = at line 1 and position 12", 11),
        ("fields sum(a)", "aggregates belong into stats and sort at line 1 and position 11", 10),
        ("fields nope(a)", "unknown function nope at line 1 and position 12", 11),
        ("limit 0", "limit wants a whole number of 1 to 100000 at line 1 and position 7", 6),
    ];
    for (text, message, start) in cases {
        let error = parser::parse(text).unwrap_err();
        assert_eq!((error.to_string().as_str(), error.start), (message, start), "{text}");
    }
    for text in [
        "stats a",
        "fields a |",
        "stats count(*) by",
        "parse @message '*' as a, b",
        "filter a like",
        "filter (a",
        "filter a in [1",
        "fields a b",
        "fields bin(5x)",
        "parse @message /x/",
    ] {
        assert!(parser::parse(text).is_err(), "{text}");
    }
    let deep = format!("filter {}a{}", "(".repeat(3000), ")".repeat(3000));
    assert!(parser::parse(&deep).unwrap_err().what.contains("too deep"));
    assert!(parser::parse(&format!("filter {}a", "not ".repeat(2000))).is_err());
    assert!(parser::parse(&format!("filter {}a", "-".repeat(4000))).is_err());
    assert!(parser::parse(&format!("filter a{}", " + a".repeat(2400))).is_err());
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text in "\\PC{0,120}") {
        let _ = parser::parse(&text);
    }

    #[test]
    fn nothing_like_a_query_makes_it_panic(
        text in "(fields|filter|stats|sort|parse|dedup|limit|display)( ?(@message|a|b\\.c|count\\(\\*\\)|sum\\(|pct\\(a,|bin\\(5m\\)|\\(|\\)|,|\\||=|like|/x+/|'\\*'|\"|as|by|in|\\[|\\]|not|and|or|-|1|5m|\\*|ü|stats|filter|substr\\(a,|replace\\()){0,14}",
        message in "\\PC{0,20}|\\{\"a\":-?[0-9]{1,20},\"b\":\\{\"c\":\"x\"\\}\\}",
    ) {
        if let Ok(query) = parser::parse(&text) {
            let job = Job { id: "q".into(), groups: vec!["g".into()], from_ms: 0, until_ms: i64::MAX, limit: 10 };
            run::run(&store(&[&message, "a"]), &job, &query).unwrap();
        }
    }
}
