//! What changed between two catalogues.

/// The changes between two catalogues, the breaking ones first.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[non_exhaustive]
pub struct CatalogueDiff {
    /// The changes: breaking ones first, then by metric and dimension.
    pub changes: Vec<Change>,
}

/// One change.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Change {
    /// Whether it breaks what was built on the older catalogue.
    pub severity: Severity,
    /// The metric, by its older name if it has one.
    pub metric: String,
    /// The dimension, by its older name if it has one; `None` for a change of the whole metric.
    pub dimension: Option<String>,
    /// What changed, such as `the unit was seconds and is bytes`.
    pub what: String,
    /// The names of the older series that are gone, or that mean something else now: what queries, alerts and dashboards have.
    pub series: Vec<String>,
}

/// Whether a change breaks queries, alerts, dashboards or stored snapshots.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Severity {
    /// What was built on the older catalogue gets no or other numbers, or stored snapshots do not merge.
    Breaking,
    /// What was built on the older catalogue goes on.
    Compatible,
}

impl CatalogueDiff {
    /// Whether there is a breaking change.
    #[must_use]
    pub fn is_breaking(&self) -> bool {
        self.changes.iter().any(|change| change.severity == Severity::Breaking)
    }
}
