//! What could not be shown as it was asked for: counted, and logged once for each name.

use std::panic::{self, AssertUnwindSafe};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use mvx_metrics::{DimensionDescriptor, DimensionKind, MetricSnapshot, NumberType};

/// How often each problem occurred. The counts are separate numbers, so their orderings are relaxed.
#[derive(Default)]
pub(crate) struct Problems {
    refused_names: AtomicU64,
    renamed_metrics: AtomicU64,
    lost_labels: AtomicU64,
    late_units: AtomicU64,
}

/// One problem of a name.
#[derive(Clone, Copy)]
pub(crate) enum Problem<'a> {
    /// There are too many names, or this one is too long.
    RefusedName,
    /// A metric of another kind has the name.
    Renamed { shown_as: &'a str },
    /// A label came that the metric does not have.
    LostLabel { label: &'a str },
    /// A unit came after the metric was shown with another one.
    LateUnit,
}

impl Problems {
    pub(crate) fn count(&self, problem: Problem<'_>) {
        let count = match problem {
            Problem::RefusedName => &self.refused_names,
            Problem::Renamed { .. } => &self.renamed_metrics,
            Problem::LostLabel { .. } => &self.lost_labels,
            Problem::LateUnit => &self.late_units,
        };
        count.fetch_add(1, Relaxed);
    }

    /// Each count with its name and its help text.
    fn all(&self) -> [(&'static str, &'static str, u64); 4] {
        let read = |count: &AtomicU64| count.load(Relaxed);
        [
            (
                "refused_names",
                "Macros called with a name beyond the limit of names.",
                read(&self.refused_names),
            ),
            ("renamed_metrics", "Metrics whose name one of another kind has.", read(&self.renamed_metrics)),
            (
                "lost_labels",
                "Macros called with a label that the metric does not have.",
                read(&self.lost_labels),
            ),
            ("late_units", "Units that came after the metric was shown.", read(&self.late_units)),
        ]
    }

    pub(crate) fn snapshot(&self, name: &str) -> MetricSnapshot {
        self.all()
            .into_iter()
            .fold(MetricSnapshot::new(name), |snapshot, (name, _, count)| snapshot.with(name, count))
    }

    pub(crate) fn dimensions(&self) -> Vec<DimensionDescriptor> {
        let dimension = |(name, help, _): (&'static str, &'static str, u64)| {
            let mut counter = DimensionDescriptor::new(name, DimensionKind::Counter);
            counter.number = Some(NumberType::Unsigned);
            counter.help = help.into();
            counter
        };
        self.all().into_iter().map(dimension).collect()
    }
}

/// Writes the line of a problem. The caller holds no lock: a subscriber may record metrics itself. One that panics has no effect on the caller,
/// which is a macro in some library.
pub(crate) fn log(metric: &str, kind: &'static str, problem: Problem<'_>) {
    let line = || match problem {
        Problem::RefusedName => tracing::warn!(
            target: "mvx_metrics_facade", event = "metrics_facade.name_refused", metric, kind,
            "a name is refused: there are too many, or it has more than 256 bytes; later ones are only counted"
        ),
        Problem::Renamed { shown_as } => tracing::warn!(
            target: "mvx_metrics_facade", event = "metrics_facade.metric_renamed", metric, kind, shown_as,
            "a metric of another kind has this name"
        ),
        Problem::LostLabel { label } => tracing::warn!(
            target: "mvx_metrics_facade", event = "metrics_facade.label_lost", metric, kind, label,
            "a label came after the first reading, or stands twice: name all of them with `FacadeBuilder::labels`"
        ),
        Problem::LateUnit => tracing::warn!(
            target: "mvx_metrics_facade", event = "metrics_facade.unit_late", metric, kind,
            "a unit came after the first reading: describe the metric before"
        ),
    };
    if let Err(payload) = panic::catch_unwind(AssertUnwindSafe(line)) {
        // Its `Drop` may panic too.
        std::mem::forget(payload);
    }
}
