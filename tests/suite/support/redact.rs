use std::path::Path;
use std::sync::LazyLock;

use regex::Regex;

/// What differs from run to run, and what stands for it, in the order in which it is looked for.
static PATTERNS: LazyLock<Vec<(Regex, &'static str)>> = LazyLock::new(|| {
    [
        (r"1-[0-9a-f]{8}-[0-9a-f]{24}", "[XRAY-TRACE]"),
        (r"\b[0-9a-f]{12}-\d\d\b", "[NONCE]"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "[UUID]"),
        (r"\b[0-9a-f]{32}\b", "[HEX-32]"),
        (r"\b[0-9a-f]{16}\b", "[HEX-16]"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?", "[TIME]"),
        (r"\[\d{4}-[A-Z][a-z]{2}-\d\d \d\d:\d\d\]", "[[TIME]]"),
        (r"(127\.0\.0\.1|localhost):\d{4,5}", "$1:[PORT]"),
        (r"\bprocess \d+", "process [PID]"),
        (r"\b(\d+ min )?\d+(\.\d+)? ?(ms|s)\b", "[DURATION]"),
    ]
    .into_iter()
    .map(|(pattern, with)| (Regex::new(pattern).unwrap(), with))
    .collect()
});

/// The text without what differs from run to run: ids, times, ports, and the workspace's place.
pub fn redact(text: &str, root: &Path) -> String {
    let text = text.replace(&root.display().to_string(), "[ROOT]");
    PATTERNS.iter().fold(text, |text, (pattern, with)| pattern.replace_all(&text, *with).into_owned())
}
