//! What X-Ray keeps: one row a trace, its documents clustered beside it; groups, rules, tags and settings.

use rusqlite::{Connection, OptionalExtension as _, params};

use crate::sandbox::store::Tables;

/// X-Ray's tables. Traces and statistics go with age; groups, rules, tags and settings stay.
///
/// A trace's documents lie together under its number, so that reading one trace is one walk of the tree and writing
/// a document touches no index but its own. Of the indexes on traces, one alone has chance for its order: a page that is
/// written anew is what a write costs.
pub const TABLES: Tables = Tables {
    schema: r#"
        CREATE TABLE IF NOT EXISTS xray_trace (
            id INTEGER PRIMARY KEY,
            trace_id TEXT NOT NULL UNIQUE,
            epoch_s INTEGER NOT NULL,
            started REAL NOT NULL,
            ended REAL NOT NULL,
            updated_ms INTEGER NOT NULL,
            revision INTEGER NOT NULL,
            size INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS xray_trace_epoch ON xray_trace (epoch_s);
        DROP INDEX IF EXISTS xray_trace_updated;
        CREATE TABLE IF NOT EXISTS xray_document (
            trace INTEGER NOT NULL,
            number INTEGER NOT NULL,
            document TEXT NOT NULL,
            PRIMARY KEY (trace, number)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS xray_group (
            name TEXT PRIMARY KEY, filter TEXT NOT NULL, insights INTEGER NOT NULL, notifications INTEGER NOT NULL);
        INSERT OR IGNORE INTO xray_group VALUES ('Default', '', 0, 0);
        CREATE TABLE IF NOT EXISTS xray_rule (
            name TEXT PRIMARY KEY, body TEXT NOT NULL, created_ms INTEGER NOT NULL, modified_ms INTEGER NOT NULL);
        INSERT OR IGNORE INTO xray_rule VALUES ('Default',
            '{"RuleName":"Default","ResourceARN":"*","Priority":10000,"FixedRate":0.05,"ReservoirSize":1,"ServiceName":"*","ServiceType":"*","Host":"*","HTTPMethod":"*","URLPath":"*","Version":1,"Attributes":{}}',
            0, 0);
        CREATE TABLE IF NOT EXISTS xray_statistic (
            at_ms INTEGER NOT NULL, rule TEXT NOT NULL, client TEXT NOT NULL,
            requests INTEGER NOT NULL, borrowed INTEGER NOT NULL, sampled INTEGER NOT NULL);
        CREATE INDEX IF NOT EXISTS xray_statistic_at ON xray_statistic (at_ms);
        CREATE TABLE IF NOT EXISTS xray_tag (
            resource TEXT NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (resource, key)) WITHOUT ROWID;
        CREATE TABLE IF NOT EXISTS xray_setting (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"#,
    evict,
};

fn evict(connection: &Connection, before_ms: i64) -> rusqlite::Result<usize> {
    // Traces are numbered as they come: behind one that is young and was never touched again, all are young. So no index
    // is needed, which every document would have to pay for.
    let young: Option<i64> = connection
        .prepare_cached("SELECT id FROM xray_trace WHERE revision = 1 AND updated_ms >= ?1 ORDER BY id LIMIT 1")?
        .query_row([before_ms], |row| row.get(0))
        .optional()?;
    let old = params![before_ms, young.unwrap_or(i64::MAX)];
    let documents = connection
        .execute("DELETE FROM xray_document WHERE trace IN (SELECT id FROM xray_trace WHERE id < ?2 AND updated_ms < ?1)", old)?;
    let traces = connection.execute("DELETE FROM xray_trace WHERE id < ?2 AND updated_ms < ?1", old)?;
    let statistics = connection.execute("DELETE FROM xray_statistic WHERE at_ms < ?1", [before_ms])?;
    Ok(documents + traces + statistics)
}

/// A setting's value.
pub(super) fn setting(connection: &Connection, name: &str) -> rusqlite::Result<Option<String>> {
    connection.prepare_cached("SELECT value FROM xray_setting WHERE name = ?1")?.query_row([name], |row| row.get(0)).optional()
}

/// Changes a setting.
pub(super) fn set(connection: &Connection, name: &str, value: &str) -> rusqlite::Result<()> {
    connection
        .execute("INSERT INTO xray_setting VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET value = ?2", [name, value])
        .map(drop)
}
