use super::{Check, Expect, Matcher, Mismatch, Placeholders, Verdict};
use crate::facts::{Evidence, ProbeRecord, Source, SourceRecord, Trouble};

/// What an expectation is held against: the evidence, seen from one check's probe.
pub(super) struct Scene<'e> {
    pub evidence: &'e Evidence,
    /// The probe's record; always there for expectations that need one.
    pub probe: Option<&'e ProbeRecord>,
    pub placeholders: Placeholders,
    /// How the check's source was looked at.
    pub looked: &'e SourceRecord,
}

/// Holds one check against the evidence. Pure: no clock, no I/O.
#[must_use]
pub fn judge(check: &Check, evidence: &Evidence) -> Verdict {
    hold(&check.expect, check.probe.as_deref(), evidence)
}

/// Holds an expectation against the evidence, seen from a probe.
pub(super) fn hold(expect: &Expect, probe_name: Option<&str>, evidence: &Evidence) -> Verdict {
    let source = expect.source();
    if let Some(reason) = evidence.sources.get(&source).and_then(|record| record.skipped.clone()) {
        return Verdict::Skipped(reason);
    }
    let probe = match probe_name.map(|name| probe(name, evidence)).transpose() {
        Ok(probe) => probe,
        Err(verdict) => return verdict,
    };
    let Some(looked) = evidence.sources.get(&source) else {
        return Verdict::Unseen(not_asked(source));
    };
    if looked.looked_ms == 0 {
        return Verdict::Unseen(looked.trouble.clone().unwrap_or_else(|| not_asked(source)));
    }
    let scene = Scene { evidence, probe, placeholders: Placeholders::of(evidence, probe), looked };
    match (expect.judge(&scene), &looked.trouble) {
        // What we saw stands; what we did not see proves nothing while we cannot look.
        (Verdict::NotYet(_), Some(trouble)) => Verdict::Unseen(trouble.clone()),
        (verdict, _) => verdict,
    }
}

fn probe<'e>(name: &str, evidence: &'e Evidence) -> Result<&'e ProbeRecord, Verdict> {
    if let Some(reason) = evidence.skipped_probes.get(name) {
        return Err(Verdict::Skipped(reason.clone()));
    }
    if let Some(trouble) = &evidence.service_trouble {
        return Err(Verdict::Never(Mismatch::new(
            "the service answers the request that this check rests on",
            trouble.cause.clone(),
        )));
    }
    let Some(record) = evidence.probes.get(name) else {
        return Err(Verdict::Unseen(Trouble {
            cause: format!("the request `{name}` was not sent in this run"),
            remedy: String::from("run the verification again, without --replay if this is a recording of other steps"),
            passing: false,
            retry_after_ms: None,
        }));
    };
    match &record.answer {
        Ok(_) => Ok(record),
        Err(error) => {
            let expected = format!("an answer to {} {}", error.method, error.url);
            Err(Verdict::Never(Mismatch::new(expected, error.reason.clone())))
        }
    }
}

fn not_asked(source: Source) -> Trouble {
    Trouble {
        cause: format!("{} was not asked", source.title()),
        remedy: String::from("run the verification again"),
        passing: true,
        retry_after_ms: None,
    }
}

impl<'e> Scene<'e> {
    /// The record of the probe. Expectations that need one are refused without it when the course is read.
    pub fn probe(&self) -> Option<&'e ProbeRecord> {
        self.probe
    }

    /// Whether a text is as demanded, where anything is.
    pub fn accepts(&self, matcher: Option<&Matcher>, text: &str) -> bool {
        matcher.is_none_or(|matcher| matcher.accepts_text(text, &self.placeholders))
    }

    /// The latest refusal of the vendor since the probe was sent, as one sentence.
    pub fn refusal(&self, vendor: &str) -> Option<String> {
        let since = self.probe.map_or(self.evidence.started_ms, |probe| probe.sent_ms);
        let all = &self.evidence.rejections;
        let refused = all.iter().rev().find(|rejection| rejection.vendor == vendor && rejection.at_ms >= since);
        // A refusal at the service's start (a log group that could not be made) explains what is missing later.
        let refused = refused.or_else(|| all.iter().rev().find(|rejection| rejection.vendor == vendor))?;
        Some(refused.sentence())
    }
}
