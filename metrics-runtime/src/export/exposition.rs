//! The exposition: from recorders to text, in three steps. The collector adds recorders up, families give the totals their
//! names, and the writer spells them.

use super::collector::{Collector, Group, Scope};
use super::family::{Families, Skipped};
use super::format::Format;
use super::health;
use super::removed::RemovedTotals;
use super::text;
use super::totals::MetricTotal;
use crate::error::MetricsRuntimeError;
use crate::log::OperationKind;
use crate::runtime::{MetricsRuntime, RuntimeInner, RuntimeSnapshot};

/// The metrics of a runtime as text.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exposition {
    /// The text, in the format that was asked for.
    pub text: String,
    /// The dimensions that the text does not show because of their names or shapes.
    pub skipped: Vec<Skipped>,
}

impl MetricsRuntime {
    /// The metrics of all recorders as text that Prometheus reads, rendered in the calling thread.
    ///
    /// Each skipped dimension is logged once.
    ///
    /// ```
    /// use mvx_metrics::export::{Format, Scope};
    /// use mvx_metrics::{Counter, Metric, MetricsRuntime, metric_event};
    ///
    /// #[metric_event]
    /// struct Greeted;
    ///
    /// /// Greetings so far.
    /// #[derive(Metric, Default)]
    /// #[metric(on(Greeted))]
    /// struct Greetings {
    ///     total: Counter,
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("example")?;
    /// runtime.start()?;
    /// let recorder = runtime.create_recorder("greeter")?;
    /// recorder.register_metric(Greetings::default())?;
    /// recorder.emit(Greeted);
    /// let exposition = runtime.exposition(Scope::Rollup, Format::OpenMetrics)?;
    /// assert!(exposition.text.contains("# TYPE greetings counter\ngreetings_total{namespace=\"example\"} 1\n"));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// The same as those of [`snapshot`](Self::snapshot).
    pub fn exposition(&self, scope: Scope, format: Format) -> Result<Exposition, MetricsRuntimeError> {
        exposition(&self.inner, scope, format)
    }

    /// Calls [`exposition`](Self::exposition) in a thread of its own and waits for it without blocking.
    ///
    /// # Errors
    /// The same as those of [`exposition`](Self::exposition).
    pub async fn exposition_async(
        &self,
        scope: Scope,
        format: Format,
    ) -> Result<Exposition, MetricsRuntimeError> {
        self.in_thread(move |inner| exposition(inner, scope, format)).await
    }
}

/// Reads the recorders one by one and renders them.
pub(crate) fn exposition(
    runtime: &RuntimeInner,
    scope: Scope,
    format: Format,
) -> Result<Exposition, MetricsRuntimeError> {
    runtime.logged(OperationKind::Read, "metrics_runtime.exposition", || {
        let recorders = runtime.list_recorders()?;
        let removed = RemovedTotals::from_copy(&recorders.removed);
        let mut collector = Collector::new(scope, runtime.namespace(), &removed);
        recorders.read(|recorder| collector.add(&recorder));
        drop(recorders);
        let exposition = render(scope, format, collector);
        removed.skipped_log.log(runtime.log_policy(), &exposition.skipped);
        Ok(exposition)
    })
}

impl RuntimeSnapshot {
    /// This snapshot as text that Prometheus reads.
    ///
    /// The rollup contains the counts of recorders that were removed before the snapshot. Nothing is logged.
    #[must_use]
    pub fn exposition(&self, scope: Scope, format: Format) -> Exposition {
        let mut collector = Collector::new(scope, &self.namespace, &RemovedTotals::from_copy(&self.removed));
        for recorder in &self.recorders {
            collector.add(recorder);
        }
        render(scope, format, collector)
    }
}

fn render(scope: Scope, format: Format, collector: Collector) -> Exposition {
    let (groups, history) = collector.finish();
    let health: Vec<MetricTotal> = groups.iter().map(|group| health::of_group(scope, group)).collect();
    let reserved = health::of_skipped(0);
    let mut families = Families::new(&history);
    // The library's own families come first, so that no metric can take their names.
    families.reserve(&reserved);
    for (index, health) in health.iter().enumerate() {
        families.add_library_metric(index, health);
    }
    for (index, group) in groups.iter().enumerate() {
        let rollup = (scope == Scope::Rollup).then_some(&group.namespace);
        families.add_group(index, rollup, &group.totals);
    }
    let skipped = health::of_skipped(families.skipped_count());
    families.add_library_metric(0, &skipped);
    let (families, skipped) = families.finish();
    let text = text::write(format, &groups, &families);
    if scope == Scope::Rollup {
        for Group { namespace, totals, .. } in groups {
            history.store(namespace, totals);
        }
    }
    Exposition { text, skipped }
}
