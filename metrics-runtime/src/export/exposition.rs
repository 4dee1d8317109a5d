//! Expositions: from recorders to text.

use std::collections::HashSet;
use std::sync::{Mutex, PoisonError};

use super::family::{Families, Skipped};
use super::format::Format;
use super::health;
use super::memory::Memory;
use super::scope::{Collector, Scope, Scoped};
use super::text::Writer;
use super::totals::MetricTotal;
use crate::error::MetricsRuntimeError;
use crate::log::{self, Kind, LogPolicy};
use crate::runtime::{MetricsRuntime, RuntimeSnapshot, Shared};

/// The metrics of a runtime as text.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Exposition {
    /// The text, in the format that was asked for.
    pub text: String,
    /// The dimensions that are missing because of their names or shapes.
    pub skipped: Vec<Skipped>,
}

impl MetricsRuntime {
    /// The metrics of all recorders as text that Prometheus reads, rendered in the calling thread.
    ///
    /// Dimensions that have to be left out are logged once.
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
    /// As [`snapshot`](Self::snapshot).
    pub fn exposition(&self, scope: Scope, format: Format) -> Result<Exposition, MetricsRuntimeError> {
        self.shared.exposition(scope, format)
    }

    /// As [`exposition`](Self::exposition), in a thread of its own.
    ///
    /// # Errors
    /// As there.
    pub async fn exposition_async(
        &self,
        scope: Scope,
        format: Format,
    ) -> Result<Exposition, MetricsRuntimeError> {
        self.in_thread(move |shared| shared.exposition(scope, format)).await
    }
}

impl Shared {
    pub(crate) fn exposition(&self, scope: Scope, format: Format) -> Result<Exposition, MetricsRuntimeError> {
        self.logged(Kind::Read, "metrics_runtime.exposition", || {
            let census = self.census()?;
            let mut collector = Collector::new(scope, self.shared_namespace(), &census.retired);
            census.visit(|recorder| collector.add(&recorder));
            drop(census);
            let exposition = render(scope, format, collector);
            self.reported.report(self.log_policy(), &exposition.skipped);
            Ok(exposition)
        })
    }
}

impl RuntimeSnapshot {
    /// This snapshot as text that Prometheus reads.
    ///
    /// What removed recorders had counted before the snapshot is part of the rollup. Nothing is logged.
    #[must_use]
    pub fn exposition(&self, scope: Scope, format: Format) -> Exposition {
        let mut collector = Collector::new(scope, &self.namespace, &self.retired);
        for recorder in &self.recorders {
            collector.add(recorder);
        }
        render(scope, format, collector)
    }
}

/// What was left out and logged already.
#[derive(Debug, Default)]
pub(crate) struct Reported(Mutex<HashSet<Skipped>>);

impl Reported {
    /// Beyond that many nothing is logged any more; it is all in the expositions.
    const MOST: usize = 1_000;

    fn report(&self, policy: LogPolicy, skipped: &[Skipped]) {
        if skipped.is_empty() || policy == LogPolicy::Silent {
            return;
        }
        for skipped in skipped.iter().filter(|skipped| self.is_new(skipped)) {
            log::export_warning("metrics_export.skipped", skipped);
        }
    }

    fn is_new(&self, skipped: &Skipped) -> bool {
        let mut reported = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        reported.len() < Self::MOST && reported.insert(skipped.clone())
    }
}

fn render(scope: Scope, format: Format, collector: Collector) -> Exposition {
    let (mut scopes, memory) = collector.finish();
    if scope == Scope::Rollup {
        memory.make_up(&mut scopes);
    }
    let exposition = rendered(scope, format, &scopes, &memory);
    if scope == Scope::Rollup {
        memory.keep(scopes);
    }
    exposition
}

fn rendered(scope: Scope, format: Format, scopes: &[Scoped], memory: &Memory) -> Exposition {
    let health: Vec<MetricTotal> = scopes.iter().map(|scoped| health::health(scope, scoped)).collect();
    let reserved = health::missing(0);
    let mut families = Families::new(memory);
    // The library's own families first: they are never the later ones.
    families.reserve(&reserved);
    for (place, health) in health.iter().enumerate() {
        families.add(place, None, std::iter::once(health));
    }
    for (place, scoped) in scopes.iter().enumerate() {
        let rollup = (scope == Scope::Rollup).then_some(&scoped.namespace);
        families.add(place, rollup, scoped.totals.metrics.iter());
        if let Some(metric) = &scoped.totals.beyond {
            families.leave_out_metric(metric);
        }
    }
    let missing = health::missing(families.skipped());
    families.add(0, None, std::iter::once(&missing));
    let (families, skipped) = families.finish();
    let mut writer = Writer::new(format, scopes, &families);
    for family in &families {
        writer.write(family);
    }
    Exposition { text: writer.finish(), skipped }
}
