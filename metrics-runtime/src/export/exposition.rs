//! The exposition: from totals to text, in two steps. Families give the totals their names, and the writer spells them.

use std::borrow::Cow;
use std::sync::Arc;

use super::family::{Dimension, Families};
use super::format::Format;
use super::labels::ConstantLabels;
use super::memory::ExportMemory;
use super::options::ExpositionOptions;
use super::parts::{for_each_part, has_parts};
use super::skipped::Skipped;
use super::{health, name, text};
use crate::descriptor::{DimensionDescriptor, DimensionKind};
use crate::error::MetricsRuntimeError;
use crate::log::OperationKind;
use crate::runtime::{MetricsRuntime, RuntimeInner};
use crate::snapshot::{DimensionValue, MetricSnapshot};
use crate::totals::{GroupTotals, RuntimeSnapshot, Scope, Totals};

/// The dimensions of the health of one group.
const HEALTH_DIMENSIONS: usize = 8;

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
    /// recorder.metric::<Greetings>()?;
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
        exposition(&self.inner, &ExpositionOptions::new().scope(scope).format(format))
    }

    /// Like [`exposition`](Self::exposition), with further options.
    ///
    /// # Errors
    /// The same as those of [`snapshot`](Self::snapshot), and
    /// [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) for a label that cannot be used.
    pub fn exposition_with(&self, options: &ExpositionOptions) -> Result<Exposition, MetricsRuntimeError> {
        exposition(&self.inner, options)
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
        let options = ExpositionOptions::new().scope(scope).format(format);
        self.in_thread(move |inner| exposition(inner, &options)).await
    }
}

/// Reads the recorders one by one and renders their totals.
pub(crate) fn exposition(
    runtime: &RuntimeInner,
    options: &ExpositionOptions,
) -> Result<Exposition, MetricsRuntimeError> {
    runtime.logged(OperationKind::Read, "metrics_runtime.exposition", || {
        let labels = options.constant_labels()?;
        let totals = runtime.totals_for_text(options.scope)?;
        let memory = memory_of(&totals);
        let exposition = render(&totals, options, &labels, &memory);
        memory.skipped_log.log(runtime.log_policy(), &exposition.skipped);
        Ok(exposition)
    })
}

impl Totals {
    /// These totals as text that Prometheus reads. Nothing is logged.
    ///
    /// Totals of a runtime give each name of a series to the dimension that had it first in this runtime.
    #[must_use]
    pub fn exposition(&self, format: Format) -> Exposition {
        let options = ExpositionOptions::new().scope(self.scope).format(format);
        render(self, &options, &ConstantLabels::default(), &memory_of(self))
    }
}

impl Totals {
    /// Like [`exposition`](Self::exposition), with further options. The totals have a scope already, so that of the options has no
    /// effect.
    ///
    /// # Errors
    /// [`InvalidArgument`](MetricsRuntimeError::InvalidArgument) for a label that cannot be used.
    pub fn exposition_with(&self, options: &ExpositionOptions) -> Result<Exposition, MetricsRuntimeError> {
        Ok(render(self, options, &options.constant_labels()?, &memory_of(self)))
    }
}

impl RuntimeSnapshot {
    /// The totals of this snapshot as text that Prometheus reads. Nothing is logged.
    #[must_use]
    pub fn exposition(&self, scope: Scope, format: Format) -> Exposition {
        self.totals(scope).exposition(format)
    }
}

fn memory_of(totals: &Totals) -> Arc<ExportMemory> {
    totals.memory().map(|memory| memory.extension()).unwrap_or_default()
}

fn render(
    totals: &Totals,
    options: &ExpositionOptions,
    labels: &ConstantLabels,
    memory: &ExportMemory,
) -> Exposition {
    let mut groups: Vec<Vec<u8>> = totals.groups.iter().map(|group| labels.of_group(group)).collect();
    let of_namespace = |index: usize| {
        let namespace = &totals.namespaces[index].namespace;
        let is_namespace = |group: &GroupTotals| group.entity_id.is_none() && group.namespace == *namespace;
        totals
            .groups
            .get(index)
            .filter(|group| is_namespace(group))
            .map(|_| index)
            .or_else(|| totals.groups.iter().position(is_namespace))
    };
    let namespaces: Vec<usize> = (0..totals.namespaces.len())
        .map(|index| {
            of_namespace(index).unwrap_or_else(|| {
                groups.push(labels.of_namespace(&totals.namespaces[index].namespace));
                groups.len() - 1
            })
        })
        .collect();
    let created = totals.runtime_started_at();
    let of_groups = totals.groups.iter().enumerate();
    let health: Vec<_> = health::of_namespaces(totals, |index| namespaces[index], created)
        .into_iter()
        .chain(of_groups.flat_map(|(index, group)| health::of_group(index, group)))
        .collect();
    let parts = parts_of(totals);
    let no_skipped = health::of_skipped(0);
    let mut families = Families::new(memory);
    // The library's own families come first, so that no metric can take their names.
    // Totals that were read back may have no group, so no series has labels.
    let has_groups = !groups.is_empty();
    if has_groups {
        families.reserve(&no_skipped.dimension());
    }
    for (position, health) in health.iter().enumerate() {
        families.add(position % HEALTH_DIMENSIONS, &health.dimension());
    }
    for (index, group) in totals.groups.iter().enumerate() {
        add_metrics(&mut families, index, group);
    }
    for (position, part) in parts.iter().enumerate() {
        families.add(position, &part.dimension());
    }
    for left_out in &totals.left_out {
        families.skip(Skipped {
            metric: left_out.metric.clone(),
            dimension: left_out.dimension.clone(),
            family: match &*left_out.dimension {
                "" => String::new(),
                dimension => name::joined(&left_out.metric, dimension),
            },
            reason: left_out.reason.to_string(),
        });
    }
    let skipped = health::of_skipped(families.skipped_count());
    if has_groups {
        families.add(0, &skipped.dimension());
    }
    let (families, skipped) = families.finish();
    let text = text::write(options, labels.reserved(), &groups, &families);
    Exposition { text, skipped }
}

fn add_metrics<'a>(families: &mut Families<'a>, index: usize, group: &'a GroupTotals) {
    let mut position = 0;
    for metric in &group.metrics {
        let Some(declaration) = &metric.declaration else { continue };
        for (at, (name, value)) in metric.dimensions.iter().enumerate() {
            position += 1;
            if let Some(declared) = declaration.dimension_at(at, name)
                && !has_parts(value)
            {
                let dimension = Dimension {
                    group: index,
                    of_library: false,
                    metric: &metric.name,
                    help: &declaration.descriptor().help,
                    declared,
                    value,
                    created: metric.times.counting_since,
                };
                families.add(position, &dimension);
            }
        }
    }
}

/// A value that stands in no metric as it is shown: a named part of another value, or one that its metric does not describe.
struct Part<'a> {
    group: usize,
    metric: &'a MetricSnapshot,
    help: &'a str,
    declared: DimensionDescriptor,
    value: DimensionValue,
}

impl Part<'_> {
    fn dimension(&self) -> Dimension<'_> {
        Dimension {
            group: self.group,
            of_library: false,
            metric: &self.metric.name,
            help: self.help,
            declared: &self.declared,
            value: &self.value,
            created: self.metric.times.counting_since,
        }
    }
}

fn parts_of(totals: &Totals) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    for (group, totals) in totals.groups.iter().enumerate() {
        for metric in &totals.metrics {
            let Some(declaration) = &metric.declaration else { continue };
            let help = &*declaration.descriptor().help;
            for (at, (name, value)) in metric.dimensions.iter().enumerate() {
                let declared = declaration.dimension_at(at, name);
                if declared.is_some() && !has_parts(value) {
                    continue;
                }
                let declared = declared.cloned().unwrap_or_else(|| undeclared(name));
                for_each_part(&declared, value, &mut |declared, value| {
                    parts.push(Part { group, metric, help, declared, value });
                });
            }
        }
    }
    parts
}

/// The descriptor of a value that its metric does not describe.
fn undeclared(name: &str) -> DimensionDescriptor {
    let mut declared = DimensionDescriptor::new("", DimensionKind::Custom);
    declared.name = Cow::Owned(name.to_owned());
    declared
}
