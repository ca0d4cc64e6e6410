use std::collections::BTreeSet;

use super::diagnosis::Search;
use crate::facts::Source;

/// All that a set of checks wants to know, each thing once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Wants {
    /// The sources to ask.
    pub sources: BTreeSet<Source>,
    /// The probes to send, by name.
    pub probes: BTreeSet<String>,
    /// The files of the workspace to read.
    pub files: BTreeSet<String>,
    /// The variables to look up.
    pub variables: BTreeSet<String>,
    /// The span attributes to ask Honeycomb for.
    pub columns: BTreeSet<String>,
    /// Whether X-Ray's traces are wanted.
    pub traces: bool,
    /// Whether X-Ray's groups are wanted.
    pub trace_groups: bool,
    /// Whether X-Ray's sampling rules are wanted.
    pub sampling_rules: bool,
    /// Whether X-Ray's service graph is wanted.
    pub service_graph: bool,
    /// The X-Ray filter expressions to try, as the check file has them.
    pub filters: BTreeSet<String>,
    /// The variables to look up in what compose gives the service.
    pub composed: BTreeSet<String>,
    /// The lines to look for in the workspace's files.
    pub searches: BTreeSet<Search>,
    /// The log groups to read.
    pub log_groups: BTreeSet<String>,
}
