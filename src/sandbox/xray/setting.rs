//! What an account has set: where segments go, how they are encrypted. And the daemon's own telemetry, which nobody reads.

use rusqlite::Connection;
use serde::Deserialize;
use serde_json::{Value, json};

use super::failure::Failure;
use super::timestamp::Seconds;
use super::{parse_body, tables};
use crate::sandbox::Shared;

/// Where segments go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Destination {
    /// To X-Ray itself.
    XRay,
    /// To CloudWatch Logs: Transaction Search is on.
    CloudWatchLogs,
}

impl Destination {
    /// Whether X-Ray's own reading API finds nothing.
    pub fn is_elsewhere(self) -> bool {
        self == Self::CloudWatchLogs
    }

    fn parse(name: &str) -> Option<Self> {
        match name {
            "XRay" => Some(Self::XRay),
            "CloudWatchLogs" => Some(Self::CloudWatchLogs),
            _ => None,
        }
    }

    fn json(self) -> Value {
        let name = if self.is_elsewhere() { "CloudWatchLogs" } else { "XRay" };
        json!({ "Destination": name, "Status": "ACTIVE" })
    }
}

const DESTINATION: &str = "destination";
const ENCRYPTION_KEY: &str = "encryption-key";

/// Where segments go.
pub(super) fn destination(connection: &Connection) -> rusqlite::Result<Destination> {
    let name = tables::setting(connection, DESTINATION)?;
    Ok(name.as_deref().and_then(Destination::parse).unwrap_or(Destination::XRay))
}

/// Answers `GetTraceSegmentDestination`.
pub(super) async fn get_trace_segment_destination(shared: &Shared) -> Result<Value, Failure> {
    Ok(shared.store.read(destination).await?.json())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct DestinationInput {
    destination: Option<String>,
}

/// Answers `UpdateTraceSegmentDestination`.
pub(super) async fn update_trace_segment_destination(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: DestinationInput = parse_body(body)?;
    let name = input.destination.ok_or_else(|| Failure::missing("destination"))?;
    let destination = Destination::parse(&name)
        .ok_or_else(|| Failure::constraint(&name, "destination", "satisfy enum value set: [XRay, CloudWatchLogs]"))?;
    shared.store.write(move |connection| tables::set(connection, DESTINATION, &name)).await?;
    Ok(destination.json())
}

/// Answers `GetEncryptionConfig`.
pub(super) async fn get_encryption_config(shared: &Shared) -> Result<Value, Failure> {
    let key = shared.store.read(|connection| tables::setting(connection, ENCRYPTION_KEY)).await?;
    Ok(encryption(key.as_deref().filter(|key| !key.is_empty())))
}

fn encryption(key: Option<&str>) -> Value {
    json!({ "EncryptionConfig": match key {
        Some(key) => json!({ "KeyId": key, "Status": "ACTIVE", "Type": "KMS" }),
        None => json!({ "Status": "ACTIVE", "Type": "NONE" }),
    }})
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct EncryptionInput {
    key_id: Option<String>,
    #[serde(rename = "Type")]
    kind: Option<String>,
}

/// Answers `PutEncryptionConfig`.
pub(super) async fn put_encryption_config(shared: &Shared, body: &[u8]) -> Result<Value, Failure> {
    let input: EncryptionInput = parse_body(body)?;
    let key = match (input.kind.as_deref(), input.key_id) {
        (Some("NONE"), None) => String::new(),
        (Some("NONE"), Some(_)) => return Err(Failure::invalid("KeyId must be omitted when Type is NONE")),
        (Some("KMS"), Some(key)) if (1..=3000).contains(&key.len()) => key,
        (Some("KMS"), _) => return Err(Failure::invalid("KeyId is required when Type is KMS")),
        (Some(other), _) => return Err(Failure::constraint(other, "type", "satisfy enum value set: [NONE, KMS]")),
        (None, _) => return Err(Failure::missing("type")),
    };
    let answer = encryption(Some(key.as_str()).filter(|key| !key.is_empty()));
    shared.store.write(move |connection| tables::set(connection, ENCRYPTION_KEY, &key)).await?;
    Ok(answer)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TelemetryInput {
    telemetry_records: Option<Vec<TelemetryRecord>>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct TelemetryRecord {
    timestamp: Option<Seconds>,
}

/// Answers `PutTelemetryRecords`.
pub(super) fn put_telemetry_records(body: &[u8]) -> Result<Value, Failure> {
    let input: TelemetryInput = parse_body(body)?;
    let records = input.telemetry_records.ok_or_else(|| Failure::missing("telemetryRecords"))?;
    if records.iter().any(|record| record.timestamp.is_none()) {
        return Err(Failure::missing("telemetryRecords.timestamp"));
    }
    Ok(json!({}))
}
