//! Metrics: aggregates that own measured state and know which events change it.

mod breakdown;
mod buckets;
mod counter;
mod dimension;
mod extremum;
mod gauge;
mod histogram;
mod in_flight;
mod mean;
mod measure;
mod reading;
mod sum;

use crate::descriptor::MetricDescriptor;
use crate::dispatch::EventHandler;
use crate::event::EventRef;
use crate::snapshot::MetricSnapshot;

pub use breakdown::Breakdown;
pub(crate) use breakdown::uses_slots;
#[doc(hidden)]
pub use buckets::BucketsOf;
pub(crate) use buckets::put;
pub use counter::Counter;
pub use dimension::{Add, Count, Dimension, Record, Set, Sub};
pub use extremum::{Max, Min};
pub use gauge::Gauge;
pub use histogram::Histogram;
#[doc(hidden)]
pub use histogram::{Bucketed, DefaultBuckets};
pub use in_flight::InFlight;
pub(crate) use in_flight::in_flight;
pub use mean::Mean;
pub use measure::{IntoMeasure, Level, Measure};
pub use reading::Reading;
pub(crate) use reading::{Read, Written};
pub use sum::Sum;

/// Measured state together with its interpretation of events.
///
/// Usually derived with [`#[derive(Metric)]`](macro@crate::Metric). A hand-written metric implements
/// [`HandleEvent`](crate::HandleEvent) for each event it listens to and lists those events in [`handlers`](Metric::handlers):
///
/// ```
/// use mvx_metrics::{EventHandler, HandleEvent, Metric, MetricSnapshot, metric_event};
///
/// #[metric_event]
/// struct Shipped {
///     parcels: u64,
/// }
///
/// #[derive(Default)]
/// struct LargestShipment {
///     parcels: u64,
/// }
///
/// impl HandleEvent<Shipped> for LargestShipment {
///     fn handle(&mut self, event: &Shipped) -> bool {
///         let larger = event.parcels > self.parcels;
///         self.parcels = self.parcels.max(event.parcels);
///         larger
///     }
/// }
///
/// impl Metric for LargestShipment {
///     fn metric_name(&self) -> &str {
///         "largest_shipment"
///     }
///     fn handlers() -> &'static [EventHandler<Self>] {
///         const { &[EventHandler::of::<Shipped>()] }
///     }
///     fn snapshot(&self) -> MetricSnapshot {
///         MetricSnapshot::new(self.metric_name()).with("parcels", self.parcels)
///     }
/// }
///
/// let mut metric = LargestShipment::default();
/// assert!(metric.handle_event((&Shipped { parcels: 3 }).into()));
/// assert!(!metric.handle_event((&Shipped { parcels: 2 }).into()));
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a metric: add `#[derive(Metric)]` to it",
    label = "not a metric"
)]
pub trait Metric: Send + 'static {
    /// The name of the metric, unique within a recorder.
    fn metric_name(&self) -> &str;

    /// The events this metric listens to, each with its handler.
    ///
    /// The recorder merges this table into its own when the metric is registered; from then on an event reaches the
    /// metrics that list its type and no others.
    fn handlers() -> &'static [EventHandler<Self>]
    where
        Self: Sized;

    /// The current state, without changing it.
    fn snapshot(&self) -> MetricSnapshot;

    /// What this metric measures: its name, help text and dimensions.
    ///
    /// The default knows the name only.
    fn descriptor(&self) -> MetricDescriptor {
        MetricDescriptor::new(self.metric_name().to_owned())
    }

    /// Offers an event of any type to this metric; `true` when the metric accepted it.
    ///
    /// The recorder does not go this way; it is meant for tests and for metrics that are used without a recorder.
    fn handle_event(&mut self, event: EventRef<'_>) -> bool
    where
        Self: Sized,
    {
        let mut accepted = false;
        for handler in Self::handlers() {
            accepted |= handler.handle(self, event);
        }
        accepted
    }
}

/// A metric whose snapshot has a type of its own, as `#[derive(Metric)]` generates it.
///
/// ```
/// use mvx_metrics::{Counter, HandleEvent, Metric, TypedMetric, metric_event};
///
/// #[metric_event]
/// struct Rang;
///
/// #[derive(Metric, Default)]
/// #[metric(on(Rang))]
/// struct Bell {
///     times: Counter,
/// }
///
/// let mut bell = Bell::default();
/// bell.handle(&Rang);
/// let snapshot: BellSnapshot = bell.typed_snapshot();
/// assert_eq!(snapshot.times, 1);
/// assert_eq!(serde_json::from_str::<BellSnapshot>(r#"{"times":1}"#)?, snapshot);
/// # Ok::<(), serde_json::Error>(())
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` has no typed snapshot: add `#[derive(Metric)]` to it, or read `metric_snapshots()`",
    label = "no typed snapshot"
)]
pub trait TypedMetric: Metric {
    /// The snapshot: one public field for each dimension.
    type Snapshot: Send + 'static;

    /// The current state with its types, equal in content to [`Metric::snapshot`].
    fn typed_snapshot(&self) -> Self::Snapshot;
}
