//! The catalogue: all metrics of a program, from their declarations and before it runs. Feature `catalogue`.
//!
//! [`catalogue!`](crate::catalogue!) makes one of a list of types. Nothing is started, and no event is needed:
//!
//! ```
//! use mvx_metrics::{Breakdown, Counter, Histogram, Label, Metric, catalogue, metric_event};
//! use std::time::Duration;
//!
//! #[derive(Label)]
//! enum Outcome {
//!     Stored,
//!     Failed,
//! }
//!
//! #[metric_event]
//! struct UploadEnded {
//!     outcome: Outcome,
//!     took: Duration,
//! }
//!
//! /// Uploads to the store.
//! #[derive(Metric, Default)]
//! #[metric(name = "uploads", on(UploadEnded))]
//! struct Uploads {
//!     total: Counter,
//!     #[dimension(by = outcome)]
//!     by_outcome: Breakdown<Outcome, Counter>,
//!     #[dimension(value = took, buckets = [0.1, 1])]
//!     took: Histogram<Duration>,
//! }
//!
//! let catalogue = catalogue![Uploads]?;
//! let by_outcome = &catalogue.metrics[0].dimensions[1];
//! assert_eq!(by_outcome.labels[0].values, ["stored", "failed"]);
//! assert_eq!(by_outcome.families[0].name, "uploads_by_outcome_total");
//! let took = &catalogue.metrics[0].dimensions[2].families[0];
//! assert_eq!(took.series(), ["uploads_took_seconds_bucket", "uploads_took_seconds_sum", "uploads_took_seconds_count"]);
//! # Ok::<(), mvx_metrics::catalogue::CatalogueError>(())
//! ```
//!
//! # A committed catalogue
//!
//! A test compares the catalogue with a file of the repository, so a review shows what a change breaks:
//! [`Catalogue::assert_file`]. `mvx-metrics catalogue diff OLD NEW` compares two such files, and the same program makes dashboards and rules
//! of one.
//!
//! # What a catalogue does not have
//!
//! * Metrics that no list names, such as those that an adapter shows beside itself. [`Catalogue::unlisted`] finds them.
//! * The library's own families `mvx_metrics_..`, which are the same in each program, and those of the process.
//! * Families of a dimension that says not how it merges: it is in no totals. Families of texts, lists and truth values.
//!
//! The names are those of an exposition with its [default options](crate::export::ExpositionOptions::new): a rollup with the label
//! `namespace` and without constant labels. A label of a breakdown with the name of a constant label of the process is called
//! `exported_..` in the text, and here as it is declared.
//!
//! A dimension of your own says the form of its values by those that a new metric shows. Where such a value is empty, it is taken for a
//! number.
//!
//! # JSON
//!
//! [`Catalogue::to_json`] writes an object with the keys `schema`, which is 1, and `metrics`, a list that is sorted by name. Keys whose
//! value is an empty text, an empty list or nothing are left out, but for `events`, `dimensions` and `families`. Later versions may add keys.
//! One that changes the meaning of a key has another schema.
//!
//! | of a metric | |
//! |---|---|
//! | `name`, `help` | texts, as they are declared |
//! | `events` | the types of its events, as texts |
//! | `dimensions` | a list in the order of the declaration |
//!
//! | of a dimension | |
//! |---|---|
//! | `name`, `help`, `unit` | texts, as they are declared |
//! | `kind` | `counter`, `sum`, `min`, `max`, `mean`, `gauge`, `in_flight`, `histogram`, `distinct`, `top` or `custom` |
//! | `number` | the type of the numbers: `u64`, `i64`, `f64` or `duration` |
//! | `labels` | a list of `{"name", "values"}`, one for each part of a label; `values` are the texts that a new metric shows |
//! | `limit`, `keep`, `max_buckets` | numbers, as they are declared |
//! | `buckets` | the upper bounds as numbers, those of durations in seconds; a bound that no number of JSON has exactly is a text |
//! | `merge` | `sum`, `min`, `max`, `union` or `own` |
//! | `window` | the seconds that a `Recent` shows |
//! | `families` | a list of what Prometheus gets |
//!
//! | of a family | |
//! |---|---|
//! | `name` | the name behind `# TYPE` in the text for Prometheus: that of a counter ends in `_total` |
//! | `type` | `counter`, `gauge`, `histogram`, `summary`, or `unknown`, which the text calls `untyped` |
//! | `unit` | the unit as it is spelled in names |
//! | `help` | the text behind `# HELP` |
//! | `labels` | the names of the labels of each series, without `namespace` and `le` |

mod collect;
mod diff;
mod error;
mod file;
mod json;
mod markdown;
mod matching;
mod unlisted;

use serde::{Deserialize, Serialize};

pub use self::collect::CatalogueBuilder;
pub use self::diff::{CatalogueDiff, Change, Severity};
pub use self::error::{CatalogueError, NameClash};
pub use self::file::CatalogueFileError;
use crate::descriptor::{DimensionKind, MergeRule};
use crate::number::{Number, NumberType};

/// All metrics of a program. [`catalogue!`](crate::catalogue!) makes one of a list of types.
///
/// The [module](mod@crate::catalogue) has an example.
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
    /// The kind of aggregate. A breakdown has the kind of the dimensions inside it.
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
    /// What Prometheus gets: most dimensions are one family, a `Top` is two, a map has one for each part, a text has none.
    pub families: Vec<CatalogueFamily>,
}

/// One part of the labels of a dimension.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CatalogueLabel {
    /// The declared name; empty where none is declared.
    pub name: String,
    /// The texts that the type knows, and that a new metric shows; empty where they come with the events.
    ///
    /// Most of them have series from the registration on. Windows of means and of histograms have theirs while they have values.
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
    /// The text after `# HELP`: the help of the dimension, else that of the metric, else one that names both.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub help: String,
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
    /// The type of a dimension of the user's own, which the text calls `untyped`.
    Unknown,
}

impl Catalogue {
    /// A builder without metrics.
    pub fn builder() -> CatalogueBuilder {
        CatalogueBuilder::default()
    }

    /// The metric with this name.
    #[must_use]
    pub fn get(&self, metric: &str) -> Option<&CatalogueMetric> {
        self.metrics.iter().find(|candidate| candidate.name == metric)
    }
}

impl CatalogueMetric {
    /// The dimension with this name.
    #[must_use]
    pub fn get(&self, dimension: &str) -> Option<&CatalogueDimension> {
        self.dimensions.iter().find(|candidate| candidate.name == dimension)
    }
}

impl CatalogueFamily {
    /// The names of its series, as queries use them: a counter has one, a histogram three.
    ///
    /// The series `.._created` of OpenMetrics are not among them.
    #[must_use]
    pub fn series(&self) -> Vec<String> {
        let suffixes: &[&str] = match self.family_type {
            CatalogueType::Histogram => &["_bucket", "_sum", "_count"],
            CatalogueType::Summary => &["_sum", "_count"],
            CatalogueType::Counter | CatalogueType::Gauge | CatalogueType::Unknown => &[""],
        };
        suffixes.iter().map(|suffix| format!("{}{suffix}", self.name)).collect()
    }
}

/// Makes a [`Catalogue`] of a list of types of metrics: a
/// `Result<Catalogue, CatalogueError>`.
///
/// Each type is a metric with `Default`. [`CatalogueBuilder::metric_of`](crate::catalogue::CatalogueBuilder::metric_of) takes a value in
/// place of a type.
///
/// ```
/// use mvx_metrics::catalogue::CatalogueError;
/// use mvx_metrics::{Counter, Metric, catalogue, metric_event};
///
/// #[metric_event]
/// struct Rang;
///
/// #[derive(Metric, Default)]
/// #[metric(name = "bell", on(Rang))]
/// struct Bell {
///     rang: Counter,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(name = "bell.rang", on(Rang))]
/// struct Clashing {
///     total: Counter,
/// }
///
/// let catalogue = catalogue![Bell]?;
/// assert_eq!(catalogue.metrics[0].events, ["rang"]);
/// assert!(matches!(catalogue![Bell, Clashing], Err(CatalogueError::SameName(clashes)) if clashes.len() == 1));
/// # Ok::<(), CatalogueError>(())
/// ```
#[macro_export]
macro_rules! catalogue {
    ($($metric:ty),* $(,)?) => {
        $crate::catalogue::Catalogue::builder()$(.metric::<$metric>())*.build()
    };
}
