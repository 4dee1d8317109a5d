//! Snapshots that merge, and why some do not.

/// Snapshots that merge: the result is what one recorder would show that has seen the events of both.
///
/// Counts, sums and buckets add up, extremes combine, different values count once, and gauges follow their `merge` rule. Labels
/// are all kept. Integers and durations merge exactly. Merging is associative and commutative, up to the rounding of sums of `f64`.
/// A [`TopSnapshot`](crate::TopSnapshot) keeps its promise in any order, but a label that was cut off makes errors depend on it.
///
/// The snapshots of `#[derive(Metric)]` implement it, and [`HistogramSnapshot`](crate::HistogramSnapshot),
/// [`MeanSnapshot`](crate::MeanSnapshot), [`InFlightSnapshot`](crate::InFlightSnapshot),
/// [`DistinctSnapshot`](crate::DistinctSnapshot) and [`TopSnapshot`](crate::TopSnapshot). Snapshots without types merge
/// with [`MetricSnapshot::merge`](crate::MetricSnapshot::merge), which checks that both have one declaration.
///
/// ```
/// use mvx_metrics::{Counter, HandleEvent, Max, Merge, Metric, TypedMetric, metric_event};
///
/// #[metric_event]
/// struct Fetched {
///     bytes: u64,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Fetched))]
/// struct Fetches {
///     total: Counter,
///     #[dimension(value = bytes)]
///     largest: Max<u64>,
/// }
///
/// let (mut north, mut south) = (Fetches::default(), Fetches::default());
/// north.handle(&Fetched { bytes: 700 });
/// south.handle(&Fetched { bytes: 20 });
/// let mut both = north.typed_snapshot();
/// both.merge(&south.typed_snapshot());
/// assert_eq!((both.total, both.largest.known()), (2, Some(700)));
/// ```
pub trait Merge {
    /// Adds what `other` has recorded.
    fn merge(&mut self, other: &Self);
}

/// Why two snapshots do not merge. Nothing was changed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MergeError {
    /// The snapshots are of metrics with different names.
    #[error("`{other}` does not merge into `{metric}`: it is another metric")]
    OtherMetric {
        /// The metric to merge into.
        metric: String,
        /// The other metric.
        other: String,
    },
    /// A snapshot has no declaration, so nothing says how its values merge. JSON of a single metric has none.
    #[error("nothing says how the values of `{metric}` merge: its declaration is not known")]
    Undeclared {
        /// The metric.
        metric: String,
    },
    /// The metrics of one name are declared in different ways.
    #[error("`{metric}` is declared in another way: {difference}")]
    OtherDeclaration {
        /// The metric.
        metric: String,
        /// The first difference.
        difference: String,
    },
    /// A value does not have the form that its declaration says.
    #[error("a value of `{dimension}` of `{metric}` does not have the declared form")]
    OtherForm {
        /// The metric.
        metric: String,
        /// The dimension.
        dimension: String,
    },
    /// A dimension merges by the rule of its own type, and no such metric was registered in this program.
    #[error("`{dimension}` of `{metric}` merges by the rule of its own type, which is not known here")]
    UnknownType {
        /// The metric.
        metric: String,
        /// The dimension.
        dimension: String,
    },
    /// Totals of different scopes do not merge.
    #[error("totals of other scopes do not merge")]
    OtherScope,
}

impl MergeError {
    /// A stable code of the error: `MERGE_ERROR`.
    #[must_use]
    pub fn reason(&self) -> &'static str {
        "MERGE_ERROR"
    }
}
