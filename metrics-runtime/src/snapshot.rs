//! Snapshots: the public, serialisable view of a metric's state.

mod aggregate;
mod breakdown;
mod combine;
mod declaration;
mod distinct;
mod extreme;
mod histogram;
mod mean;
mod merge;
mod metric;
mod output;
#[cfg(test)]
mod tests;
mod times;
mod top;
mod value;

pub use crate::number::{Arithmetic, Number, NumberType};
pub(crate) use aggregate::{Aggregate, for_aggregate, for_aggregates};
pub use breakdown::{BreakdownIter, BreakdownSnapshot};
pub(crate) use breakdown::{
    HasLabels, LabelMap, NestedMap, ReadLabel, SerializeEntry, check_labels, positions,
};
pub(crate) use combine::{emptied, merge_plain_values, merge_values};
pub(crate) use declaration::{Declaration, Declared};
pub use distinct::DistinctSnapshot;
pub use extreme::Extreme;
#[cfg(feature = "page")]
pub(crate) use histogram::bound;
pub use histogram::{Bucket, BucketRange, Buckets, ExponentialBucket, ExponentialBuckets, HistogramSnapshot};
#[cfg(feature = "openmetrics")]
pub(crate) use histogram::{MIN_EXPONENT, power_of_two, union};
pub use mean::{InFlightSnapshot, MeanSnapshot};
pub use merge::{Merge, MergeError};
pub use metric::{MetricSnapshot, MetricSnapshots};
pub use output::Output;
pub(crate) use output::{DeserializeOutput, SerializeOutput, named};
pub use times::{Times, Timestamp};
pub(crate) use top::MAX_KEPT_LABELS;
pub use top::{TopEntry, TopSnapshot};
pub(crate) use value::ValueDeserializer;
pub use value::{BreakdownEntry, DimensionValue, Dimensions};
