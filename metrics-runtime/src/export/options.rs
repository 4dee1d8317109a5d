//! The options of an exposition.

use super::format::Format;
use super::labels::ConstantLabels;
use super::name::is_reserved;
use crate::error::MetricsRuntimeError;
use crate::totals::Scope;

/// What an exposition shows, for [`MetricsRuntime::exposition_with`](crate::MetricsRuntime::exposition_with).
///
/// ```
/// use mvx_metrics::MetricsRuntime;
/// use mvx_metrics::export::{ExpositionOptions, Format};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let runtime = MetricsRuntime::new("example")?;
/// runtime.start()?;
/// let options = ExpositionOptions::new().format(Format::OpenMetrics).label("region", "north");
/// let text = runtime.exposition_with(&options)?.text;
/// assert!(text.contains("mvx_metrics_recorders_removed_total{namespace=\"example\",region=\"north\"} 0\n"));
/// # runtime.shutdown()?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct ExpositionOptions {
    pub(super) scope: Scope,
    pub(super) format: Format,
    pub(super) created: bool,
    labels: Vec<(String, String)>,
}

impl ExpositionOptions {
    /// A rollup in the Prometheus format, without further labels.
    pub fn new() -> Self {
        Self { scope: Scope::default(), format: Format::default(), created: true, labels: Vec::new() }
    }

    /// Which recorders share series.
    pub fn scope(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// The format of the text.
    pub fn format(mut self, format: Format) -> Self {
        self.format = format;
        self
    }

    /// Whether OpenMetrics shows since when each series counts, in the series `.._created`; `true` by default.
    pub fn created(mut self, created: bool) -> Self {
        self.created = created;
        self
    }

    /// A label of every series. A breakdown's label of the same name gets the prefix `exported_`.
    pub fn label(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.push((name.into(), value.into()));
        self
    }

    pub(super) fn constant_labels(&self) -> Result<ConstantLabels, MetricsRuntimeError> {
        let problem = |problem| MetricsRuntimeError::InvalidArgument { argument: "label", problem };
        let mut labels = ConstantLabels::default();
        for (name, value) in &self.labels {
            let mut characters = name.chars();
            let begins = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_');
            if !begins || !characters.all(|other| other.is_ascii_alphanumeric() || other == '_') {
                return Err(problem("must have letters, digits and `_` only, and begin with no digit"));
            }
            if is_reserved(name) {
                return Err(problem("must have a name that the library does not use itself"));
            }
            if labels.reserved().contains(name) {
                return Err(problem("must have a name of its own"));
            }
            labels.push(name, value);
        }
        Ok(labels)
    }
}

impl Default for ExpositionOptions {
    fn default() -> Self {
        Self::new()
    }
}
