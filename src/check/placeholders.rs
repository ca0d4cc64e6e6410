use crate::facts::{Evidence, ProbeRecord};

/// What may stand in a check's text for something that only the run knows.
///
/// `{nonce}` the probe's nonce · `{trace-id}` its trace id (32 hex digits) · `{xray-trace-id}` the same as X-Ray writes it ·
/// `{service}` the service's telemetry name · `{path}` the path and query that were asked.
#[derive(Debug, Clone, Default)]
pub struct Placeholders {
    values: Vec<(&'static str, String)>,
}

impl Placeholders {
    /// All the names that are understood.
    pub const NAMES: [&str; 5] = ["{nonce}", "{trace-id}", "{xray-trace-id}", "{service}", "{path}"];

    /// The values for a check that rests on the given probe.
    #[must_use]
    pub fn of(evidence: &Evidence, probe: Option<&ProbeRecord>) -> Self {
        let mut values = Vec::with_capacity(Self::NAMES.len());
        // No service is called so: what rests on the name is not met, and says why.
        let service = evidence.service.as_deref().unwrap_or("‹OTEL_SERVICE_NAME, which is not set›");
        values.push(("{service}", service.to_owned()));
        if let Some(probe) = probe {
            values.push(("{nonce}", probe.nonce.clone()));
            values.push(("{trace-id}", probe.trace_id.w3c()));
            values.push(("{xray-trace-id}", probe.trace_id.xray()));
            let url = match &probe.answer {
                Ok(exchange) => &exchange.url,
                Err(error) => &error.url,
            };
            if let Ok(url) = url::Url::parse(url) {
                let path = url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
                values.push(("{path}", path));
            }
        }
        Self { values }
    }

    /// The text with every known placeholder replaced.
    #[must_use]
    pub fn fill(&self, text: &str) -> String {
        self.replace(text, str::to_owned)
    }

    /// The same for a regular expression: what is filled in stands for itself.
    #[must_use]
    pub fn fill_pattern(&self, text: &str) -> String {
        self.replace(text, regex::escape)
    }

    fn replace(&self, text: &str, form: impl Fn(&str) -> String) -> String {
        let mut filled = text.to_owned();
        for (name, value) in &self.values {
            if filled.contains(name) {
                filled = filled.replace(name, &form(value));
            }
        }
        filled
    }
}
