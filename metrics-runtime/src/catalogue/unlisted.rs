//! What a running program has and its catalogue does not: the check that no metric was forgotten.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::collect::written;
use super::{Catalogue, CatalogueDimension, CatalogueMetric};
use crate::descriptor::{DimensionDescriptor, MetricDescriptor};
use crate::totals::Totals;

impl Catalogue {
    /// What the totals of a program have and this catalogue does not say: metrics that no list names, and metrics that are declared in
    /// another way. One sentence for each, which begins with the metric's name; none when the catalogue is complete.
    ///
    /// The metrics that an adapter shows beside itself are there too, because no list names them. Help texts, `limit`, `keep` and
    /// `max_buckets` may differ, and so may the order of the dimensions. Dimensions that say not how they merge are in no totals.
    ///
    /// ```
    /// use mvx_metrics::{Counter, Metric, MetricsRuntime, Scope, catalogue, metric_event};
    ///
    /// #[metric_event]
    /// struct Rang;
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(name = "bell", on(Rang))]
    /// struct Bell {
    ///     rings: Counter,
    /// }
    ///
    /// #[derive(Metric, Default)]
    /// #[metric(name = "door", on(Rang))]
    /// struct Door {
    ///     visitors: Counter,
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("example")?;
    /// runtime.start()?;
    /// let recorder = runtime.create_recorder("house")?;
    /// recorder.metric::<Bell>()?;
    /// recorder.metric::<Door>()?;
    ///
    /// let unlisted = catalogue![Bell]?.unlisted(&runtime.totals(Scope::Rollup)?);
    /// assert_eq!(unlisted, ["`door` is not in the catalogue"]);
    /// # runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn unlisted(&self, totals: &Totals) -> Vec<String> {
        let mut unlisted = BTreeSet::new();
        for metric in totals.groups.iter().flat_map(|group| group.metrics.iter()) {
            let name = metric.name.escape_debug();
            match (self.get(&metric.name), metric.declaration()) {
                (None, _) => {
                    unlisted.insert(format!("`{name}` is not in the catalogue"));
                }
                (Some(listed), Some(declared)) => {
                    let differences = listed.differences(declared).into_iter();
                    unlisted.extend(
                        differences.map(|differs| format!("`{name}` is declared in another way: {differs}")),
                    );
                }
                (Some(_), None) => {}
            }
        }
        unlisted.into_iter().collect()
    }
}

impl CatalogueMetric {
    /// What differs so that the values of both do not merge.
    fn differences(&self, declared: &MetricDescriptor) -> Vec<String> {
        let mut differences = Vec::new();
        for other in declared.dimensions.iter().filter(|other| other.merge.is_some()) {
            let name = other.name.escape_debug();
            let listed = self.get(&other.name);
            match listed.map(|listed| listed.descriptor().difference(&comparable(other))) {
                None => differences.push(format!("the catalogue does not have its dimension `{name}`")),
                Some(Some(differs)) => differences.push(format!("the {differs} of `{name}` differ")),
                Some(None) => {}
            }
        }
        for listed in self.dimensions.iter().filter(|listed| listed.merge.is_some()) {
            if !declared.dimensions.iter().any(|other| other.name == listed.name) {
                let name = listed.name.escape_debug();
                differences.push(format!("the program does not have its dimension `{name}`"));
            }
        }
        differences
    }
}

/// The declaration with buckets and labels as a catalogue has them.
fn comparable(declared: &DimensionDescriptor) -> DimensionDescriptor {
    let mut comparable = declared.clone();
    comparable.parts = declared.label_parts();
    comparable.buckets = declared.buckets.iter().filter_map(|bound| written(declared, *bound)).collect();
    if declared.labels.iter().all(|label| label.is_empty()) {
        comparable.labels = Cow::Borrowed(&[]);
    }
    comparable
}

impl CatalogueDimension {
    /// The declaration, as far as it decides about merging.
    fn descriptor(&self) -> DimensionDescriptor {
        let mut declared = DimensionDescriptor::new("", self.kind);
        declared.name = Cow::Owned(self.name.clone());
        declared.number = self.number;
        declared.unit = self.unit.clone().map(Cow::Owned);
        declared.parts = self.labels.len();
        if self.labels.iter().any(|label| !label.name.is_empty()) {
            declared.labels = self.labels.iter().map(|label| Cow::Owned(label.name.clone())).collect();
        }
        declared.buckets = Cow::Owned(self.buckets.clone());
        declared.max_buckets = self.max_buckets;
        declared.merge = self.merge;
        declared.window = self.window;
        declared
    }
}
