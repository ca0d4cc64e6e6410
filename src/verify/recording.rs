//! Evidence on disk: written whole or not at all, and judged again without a vendor.

use std::io::Write;
use std::path::Path;

use super::diagnosing::{Unmet, explain};
use super::polling::{PlannedCheck, Sink};
use super::{Closing, Event, Judgement, Plan, mask};
use crate::check::{Outcome, judge};
use crate::facts::{Evidence, Secret};

/// Why a recording could not be written or read. Each message ends with the remedy.
#[derive(Debug, thiserror::Error)]
pub enum RecordingError {
    /// It cannot be written.
    #[error("cannot write the recording `{file}`: {cause}; choose another file for --record")]
    Write {
        /// The file.
        file: String,
        /// Why.
        cause: String,
    },
    /// It cannot be read.
    #[error("cannot read the recording `{file}`: {cause}; give --replay a file that --record wrote")]
    Read {
        /// The file.
        file: String,
        /// Why.
        cause: String,
    },
    /// It is of a newer shape.
    #[error(
        "the recording `{file}` has the shape {found}, and this program reads up to {}; use the bootcamp that wrote it",
        Evidence::SCHEMA_VERSION
    )]
    Newer {
        /// The file.
        file: String,
        /// Its shape's version.
        found: u32,
    },
    /// It is of another course.
    #[error("the recording `{file}` is of the course `{found}`, not of `{wanted}`; verify that one")]
    OtherCourse {
        /// The file.
        file: String,
        /// Its course.
        found: String,
        /// The course that was asked for.
        wanted: String,
    },
}

/// Writes the evidence, every known secret hidden.
///
/// # Errors
/// When the file cannot be written.
pub fn write(file: &Path, evidence: &Evidence, secrets: &[Secret]) -> Result<(), RecordingError> {
    let name = file.display().to_string();
    let failed = |cause: String| RecordingError::Write { file: name.clone(), cause };
    let masked = mask::evidence(evidence, secrets).map_err(|error| failed(error.to_string()))?;
    let folder = file.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut temporary = tempfile::NamedTempFile::new_in(folder).map_err(|error| failed(error.to_string()))?;
    serde_json::to_writer_pretty(&mut temporary, &masked).map_err(|error| failed(error.to_string()))?;
    temporary.write_all(b"\n").map_err(|error| failed(error.to_string()))?;
    temporary.persist(file).map_err(|error| failed(error.error.to_string()))?;
    Ok(())
}

/// Reads evidence back.
///
/// # Errors
/// When the file is none, or is of a newer shape or another course.
pub fn read(file: &Path, course: &str) -> Result<Evidence, RecordingError> {
    let name = file.display().to_string();
    let failed = |cause: String| RecordingError::Read { file: name.clone(), cause };
    let text = std::fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    // The version is looked at first: a newer shape may not read as this one at all.
    let value: serde_json::Value = serde_json::from_str(&text).map_err(|error| failed(error.to_string()))?;
    let found = value.get("schema_version").and_then(serde_json::Value::as_u64).and_then(|version| u32::try_from(version).ok());
    match found {
        Some(found) if found > Evidence::SCHEMA_VERSION => return Err(RecordingError::Newer { file: name, found }),
        Some(_) => {}
        None => return Err(failed(String::from("it has no `schema_version`"))),
    }
    let evidence: Evidence = serde_json::from_value(value).map_err(|error| failed(error.to_string()))?;
    if evidence.course != course {
        return Err(RecordingError::OtherCourse { file: name, found: evidence.course, wanted: course.to_owned() });
    }
    Ok(evidence)
}

/// Judges recorded evidence as if it had just come in, and explains it by today's rules.
pub fn replay(plan: &Plan, evidence: Evidence, sink: Sink<'_>) {
    let unmet = Unmet::default();
    sink(Event::Planned(plan.agenda.clone()));
    for PlannedCheck { id, check } in &plan.checks {
        let event = Event::Judged(Judgement { check: id.clone(), outcome: Outcome::from(judge(check, &evidence)), after_ms: 0 });
        unmet.absorb(&event);
        sink(event);
    }
    explain(plan, &unmet, &evidence, sink);
    sink(Event::Finished(Box::new(Closing { evidence, took_ms: 0, interrupted: false })));
}
