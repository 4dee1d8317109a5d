//! What a push does not contain, and why.

use std::fmt;

/// A dimension that the requests of a push do not contain, or not with all of its values.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct LeftOutDimension {
    /// The metric's name.
    pub metric: String,
    /// The dimension's name; empty when several dimensions or the whole metric are left out.
    pub dimension: String,
    /// The name that the dimension has in OTLP; empty for what the totals themselves do not contain.
    pub name: String,
    /// Why the requests do not contain all of its values.
    pub reason: String,
}

impl fmt::Display for LeftOutDimension {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { metric, dimension, reason, .. } = self;
        if dimension.is_empty() {
            return write!(formatter, "values of the metric `{metric}` are left out: {reason}");
        }
        write!(formatter, "`{dimension}` of the metric `{metric}` is left out: {reason}")
    }
}
