//! Dimensions: the state in the fields of a metric, and the ways in which events update it.

mod breakdown;
mod buckets;
mod counter;
mod extremum;
mod gauge;
mod histogram;
mod in_flight;
mod mean;
mod measure;
mod sum;

use crate::descriptor::DimensionKind;
use crate::snapshot::{DimensionValue, Output};

pub use breakdown::Breakdown;
pub(crate) use breakdown::is_indexed;
#[doc(hidden)]
pub use buckets::BucketsOf;
pub(crate) use buckets::append;
pub use counter::Counter;
pub use extremum::{Max, Min};
pub use gauge::Gauge;
pub use histogram::Histogram;
#[doc(hidden)]
pub use histogram::{Bucketed, DefaultBuckets};
pub use in_flight::InFlight;
pub use mean::Mean;
pub use measure::{GaugeValue, IntoMeasure, Measure};
pub use sum::Sum;

/// State that events update and a snapshot shows: the type of a field under `#[derive(Metric)]`.
///
/// [`Counter`], [`Sum`] and the other dimension types implement it. A type of your own becomes a dimension with this
/// trait and a trait in [`feed`](crate::feed). The traits in `feed` say how events update it:
///
/// ```
/// use mvx_metrics::feed::{IntoMeasure, Record};
/// use mvx_metrics::{Dimension, DimensionKind, DimensionValue, Metric, metric_event};
///
/// /// The number of times the value was larger than the one before it.
/// #[derive(Default)]
/// struct Rises {
///     last: Option<f64>,
///     rises: u64,
/// }
///
/// impl Dimension for Rises {
///     type Output = u64;
///     const KIND: DimensionKind = DimensionKind::Custom;
///
///     fn read(&self) -> u64 {
///         self.rises
///     }
///
///     fn value(&self) -> DimensionValue {
///         self.rises.into()
///     }
/// }
///
/// impl<V: IntoMeasure<f64>> Record<V> for Rises {
///     fn record(&mut self, value: V) -> bool {
///         let Some(value) = value.into_measure() else { return false };
///         self.rises += u64::from(self.last.is_some_and(|last| value > last));
///         self.last = Some(value);
///         true
///     }
/// }
///
/// #[metric_event]
/// struct Sampled {
///     load: f64,
/// }
///
/// #[derive(Metric, Default)]
/// #[metric(on(Sampled))]
/// struct Load {
///     #[dimension(value = load)]
///     rises: Rises,
/// }
///
/// let mut metric = Load::default();
/// for load in [0.1, 0.4, 0.3, 0.9] {
///     metric.handle_event((&Sampled { load }).into());
/// }
/// assert_eq!(metric.rises.read(), 2);
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric dimension: use `Counter`, `Sum<T>`, .. or `#[dimension(skip)]`",
    label = "not a dimension",
    note = "a type of your own becomes one with `impl Dimension for {Self}`"
)]
pub trait Dimension: Send + 'static {
    /// The type of the dimension's field in the typed snapshot.
    type Output: Output;

    /// The kind of aggregate, for exporters.
    const KIND: DimensionKind;

    /// The unit that the type itself implies, such as `seconds` for durations.
    const UNIT: Option<&'static str> = None;

    /// The current state for the typed snapshot.
    fn read(&self) -> Self::Output;

    /// The current state for the snapshot without types, equal in content to [`read`](Dimension::read).
    fn value(&self) -> DimensionValue;

    /// How many values could not be recorded because they were not finite.
    fn invalid(&self) -> u64 {
        0
    }
}

/// A dimension that each event updates without a value.
#[diagnostic::on_unimplemented(
    message = "`{Self}` needs a value: add `value = <event field>`",
    label = "cannot be updated by the event alone"
)]
pub trait Count {
    /// Counts one event. `false` means that the state has not changed.
    fn count(&mut self) -> bool;
}

/// A dimension that `value = ..` updates with a `V`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take this `value`",
    label = "`value` does not fit this dimension",
    note = "a dimension of your own takes it with `impl Record<V> for {Self}`"
)]
pub trait Record<V> {
    /// Records one value. `false` means that the state has not changed.
    fn record(&mut self, value: V) -> bool;
}

/// A dimension that `add` or `add = ..` updates with a `V`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take this `add`",
    label = "`add` does not fit this dimension",
    note = "a dimension of your own takes it with `impl Add<V> for {Self}`"
)]
pub trait Add<V> {
    /// Adds an amount. `false` means that the state has not changed.
    fn add(&mut self, amount: V) -> bool;
}

/// A dimension that `sub` or `sub = ..` updates with a `V`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take this `sub`",
    label = "`sub` does not fit this dimension",
    note = "a dimension of your own takes it with `impl Sub<V> for {Self}`"
)]
pub trait Sub<V> {
    /// Subtracts an amount. `false` means that the state has not changed.
    fn sub(&mut self, amount: V) -> bool;
}

/// A dimension that `set = ..` updates with a `V`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not take this `set`",
    label = "`set` does not fit this dimension",
    note = "a dimension of your own takes it with `impl Set<V> for {Self}`"
)]
pub trait Set<V> {
    /// Sets the value. `false` means that the state has not changed.
    fn set(&mut self, value: V) -> bool;
}
