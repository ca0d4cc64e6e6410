//! Sampling targets: how the reservoirs are shared among those who sample, and what they reported.

use rusqlite::{Connection, params};
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::timestamp::Seconds;
use super::{parse_body, rule};
use crate::sandbox::{Shared, now_ms};

/// How often a client asks again, in seconds.
const INTERVAL: i64 = 10;

/// How long a client that stays silent still counts, in milliseconds: three intervals.
const ACTIVE_MS: i64 = 3 * INTERVAL * 1000;

/// How far back statistics are summed up, and in which steps, in milliseconds.
const SUMMED_MS: i64 = 3_600_000;
const STEP_MS: i64 = 60_000;

/// How many documents one call may carry.
const MOST: usize = 25;

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Input {
    sampling_statistics_documents: Option<Vec<Statistics>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Statistics {
    rule_name: String,
    #[serde(rename = "ClientID")]
    client_id: String,
    #[serde(default)]
    request_count: i64,
    #[serde(default)]
    borrow_count: i64,
    #[serde(default)]
    sampled_count: i64,
}

/// Answers `GetSamplingTargets`.
pub(super) async fn get_sampling_targets(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: Input = parse_body(body)?;
    let documents = input.sampling_statistics_documents.ok_or_else(|| Failure::missing("samplingStatisticsDocuments"))?;
    if documents.len() > MOST {
        return Err(Failure::constraint(
            &documents.len().to_string(),
            "samplingStatisticsDocuments",
            &format!("have length less than or equal to {MOST}"),
        ));
    }
    let now = now_ms();
    let answer = shared
        .store
        .write(move |connection| {
            let mut targets = Vec::new();
            let mut unprocessed = Vec::new();
            for document in &documents {
                match target(connection, document, now)? {
                    Ok(target) => targets.push(target),
                    Err(message) => {
                        unprocessed.push(json!({ "RuleName": document.rule_name, "ErrorCode": "400", "Message": message }));
                    }
                }
            }
            Ok(json!({
                "SamplingTargetDocuments": targets,
                "LastRuleModification": Seconds::from_ms(rule::last_modified(connection)?),
                "UnprocessedStatistics": unprocessed,
            }))
        })
        .await?;
    Ok(answer)
}

fn target(connection: &Connection, document: &Statistics, now: i64) -> rusqlite::Result<Result<Value, &'static str>> {
    if document.client_id.len() != 24 || !document.client_id.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return Ok(Err("ClientID must have 24 hexadecimal digits"));
    }
    if [document.request_count, document.borrow_count, document.sampled_count].iter().any(|count| *count < 0) {
        return Ok(Err("Counts must not be negative"));
    }
    let Some(record) = rule::find(connection, &document.rule_name)? else { return Ok(Err("Unknown sampling rule")) };
    connection.prepare_cached("INSERT INTO xray_statistic VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?.execute(params![
        now,
        document.rule_name,
        document.client_id,
        document.request_count,
        document.borrow_count,
        document.sampled_count
    ])?;
    let mut statement =
        connection.prepare_cached("SELECT DISTINCT client FROM xray_statistic WHERE at_ms > ?1 AND rule = ?2 ORDER BY client")?;
    let clients: Vec<String> =
        statement.query_map(params![now - ACTIVE_MS, document.rule_name], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let place = clients.iter().position(|client| *client == document.client_id).unwrap_or_default();
    Ok(Ok(json!({
        "RuleName": document.rule_name,
        "FixedRate": record.rule.fixed_rate,
        "ReservoirQuota": share(record.rule.reservoir_size.unwrap_or_default(), clients.len(), place),
        "ReservoirQuotaTTL": Seconds::from_ms(now + ACTIVE_MS),
        "Interval": INTERVAL,
    })))
}

/// A client's share of the reservoir: even, what is left over goes to the first.
fn share(reservoir: i64, clients: usize, place: usize) -> i64 {
    let clients = i64::try_from(clients).unwrap_or(i64::MAX).max(1);
    let extra = i64::try_from(place).is_ok_and(|place| place < reservoir % clients);
    reservoir / clients + i64::from(extra)
}

/// Answers `GetSamplingStatisticSummaries`.
pub(super) async fn get_sampling_statistic_summaries(shared: &Shared) -> Result<Value, Failure> {
    let since = now_ms() - SUMMED_MS;
    let summaries: Vec<Value> = shared
        .store
        .read(move |connection| {
            let mut statement = connection.prepare_cached(
                "SELECT rule, at_ms / ?2 * ?2 AS step, sum(requests), sum(borrowed), sum(sampled) FROM xray_statistic
                 WHERE at_ms >= ?1 GROUP BY rule, step ORDER BY step DESC, rule LIMIT 1000",
            )?;
            let rows = statement.query_map(params![since, STEP_MS], |row| {
                Ok(json!({
                    "RuleName": row.get::<_, String>(0)?,
                    "Timestamp": Seconds::from_ms(row.get(1)?),
                    "RequestCount": row.get::<_, i64>(2)?,
                    "BorrowCount": row.get::<_, i64>(3)?,
                    "SampledCount": row.get::<_, i64>(4)?,
                }))
            })?;
            rows.collect()
        })
        .await?;
    Ok(json!({ "SamplingStatisticSummaries": summaries }))
}

#[cfg(test)]
mod tests {
    use super::share;

    #[test]
    fn a_reservoir_is_shared_out_whole() {
        for (reservoir, clients) in [(0, 1), (1, 3), (10, 3), (50, 7), (5, 5)] {
            let shares: Vec<i64> = (0..clients).map(|place| share(reservoir, clients, place)).collect();
            assert_eq!(shares.iter().sum::<i64>(), reservoir, "{shares:?}");
            assert!(shares.iter().max().unwrap() - shares.iter().min().unwrap() <= 1, "{shares:?}");
        }
    }
}
