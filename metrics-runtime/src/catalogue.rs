//! The catalogue: all metrics of a program, from their declarations and before it runs. Feature `catalogue`.

mod diff;
mod error;

use serde::{Deserialize, Serialize};

pub use self::diff::{CatalogueDiff, Change, Severity};
pub use self::error::CatalogueError;
use crate::descriptor::{DimensionKind, MergeRule};
use crate::dispatch::Metric;
use crate::number::{Number, NumberType};

/// All metrics of a program. [`catalogue!`](crate::catalogue!) makes one of a list of types.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Catalogue {
    /// The metrics by name.
    pub metrics: Vec<CatalogueMetric>,
}

/// One metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueMetric {
    /// The metric's name.
    pub name: String,
    /// The help text, empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// The types of the events that the metric listens to, in the order of their declaration.
    pub events: Vec<String>,
    /// The dimensions in the order of their declaration.
    pub dimensions: Vec<CatalogueDimension>,
}

/// One dimension of a metric.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueDimension {
    /// The dimension's name within its metric.
    pub name: String,
    /// The kind of aggregate.
    pub kind: DimensionKind,
    /// The type of the recorded numbers; `None` where the dimension does not say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<NumberType>,
    /// The declared unit. Series of durations are in seconds whatever it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The help text, empty when there is none.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
    /// The labels of a breakdown or a `Top`, one for each part of a label.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<CatalogueLabel>,
    /// The largest number of labels that a breakdown keeps, `other` not included; `None` when the labels need no limit.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<usize>,
    /// The number of labels that a `Top` keeps.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keep: Option<usize>,
    /// The upper bounds of a histogram's buckets, without the last one; seconds for durations.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub buckets: Vec<Number>,
    /// The largest number of buckets of a histogram with exponential buckets.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_buckets: Option<usize>,
    /// How the values of several recorders combine. `None`: the dimension is left out of totals.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub merge: Option<MergeRule>,
    /// The seconds that a `Recent` shows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<u64>,
    /// What Prometheus gets: most dimensions are one family, a `Top` is two, a text is none.
    pub families: Vec<CatalogueFamily>,
}

/// One part of the labels of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueLabel {
    /// The declared name.
    pub name: String,
    /// The texts that the type knows and that have series from the registration on; empty where they come with the events.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// One family of series of a dimension, as the default options of an exposition name it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueFamily {
    /// The name after `# TYPE` in the text for Prometheus: that of a counter ends in `_total`.
    pub name: String,
    /// The type after `# TYPE`.
    #[serde(rename = "type")]
    pub family_type: CatalogueType,
    /// The unit of the series, as it is spelled in names.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<String>,
    /// The names of the labels of the series beside `namespace`, without `le`: those of the dimension first, in their order, as
    /// they are exported; then `quantile`, if the family has it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub labels: Vec<String>,
}

/// The type of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum CatalogueType {
    /// A count that only grows.
    Counter,
    /// A value that may fall.
    Gauge,
    /// `_bucket`, `_sum` and `_count`.
    Histogram,
    /// `_sum` and `_count`.
    Summary,
    /// The type of a dimension of the user's own.
    Unknown,
}

/// Collects metrics for a [`Catalogue`].
#[derive(Debug, Default)]
#[must_use]
pub struct CatalogueBuilder {
    metrics: Vec<CatalogueMetric>,
}

impl Catalogue {
    /// A builder without metrics.
    pub fn builder() -> CatalogueBuilder {
        CatalogueBuilder::default()
    }

    /// The catalogue as JSON, which [`from_json`](Self::from_json) reads back equal: `{"schema": 1, "metrics": [..]}`. It is
    /// indented, ends with a line break, and is the same for the same declarations in any order.
    #[must_use]
    pub fn to_json(&self) -> String {
        String::new()
    }

    /// Reads a catalogue that [`to_json`](Self::to_json) has written. Keys that this version does not know are ignored.
    ///
    /// # Errors
    /// [`CatalogueError::Json`] for a text that is no catalogue, [`CatalogueError::Schema`] for a schema that this version does not know.
    pub fn from_json(json: &str) -> Result<Self, CatalogueError> {
        let _ = json;
        Ok(Self { metrics: Vec::new() })
    }

    /// The catalogue as a page for people.
    #[must_use]
    pub fn to_markdown(&self) -> String {
        String::new()
    }

    /// What changed from this catalogue to a newer one.
    #[must_use]
    pub fn diff(&self, newer: &Self) -> CatalogueDiff {
        let _ = newer;
        CatalogueDiff::default()
    }
}

impl CatalogueBuilder {
    /// Adds a metric by its type.
    pub fn metric<M: Metric + Default>(self) -> Self {
        self.metric_of(&M::default())
    }

    /// Adds a metric by a value of its type, which says what is configured only in the value.
    pub fn metric_of<M: Metric>(self, metric: &M) -> Self {
        let _ = metric;
        self
    }

    /// The catalogue of these metrics.
    ///
    /// # Errors
    /// [`CatalogueError::SameName`] when two dimensions would export series of one name.
    pub fn build(self) -> Result<Catalogue, CatalogueError> {
        Ok(Catalogue { metrics: self.metrics })
    }
}
