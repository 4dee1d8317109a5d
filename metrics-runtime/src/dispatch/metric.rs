//! Metrics: they own the measured state and know which events change it.

use super::EventHandler;
use crate::descriptor::MetricDescriptor;
use crate::event::EventRef;
use crate::snapshot::{MetricSnapshot, Times, Timestamp};

/// Measured state, and the handlers that update it from events.
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
    message = "`{Self}` is not a metric: a metric is a struct with `#[derive(Metric)]`",
    label = "not a metric",
    note = "a recorder takes the metric itself: no reference, `Box` or dimension of it"
)]
pub trait Metric: Send + 'static {
    /// The name of the metric, unique within a recorder.
    fn metric_name(&self) -> &str;

    /// The events to which this metric listens, each with its handler.
    ///
    /// The recorder merges this list into its own table when the metric is registered. From then on it passes an event to
    /// the metrics that list its type, and to no others.
    fn handlers() -> &'static [EventHandler<Self>]
    where
        Self: Sized;

    /// The current state, without changing it.
    fn snapshot(&self) -> MetricSnapshot;

    /// A description of the metric: its name, help text and dimensions.
    ///
    /// Without an implementation of your own it has the name only.
    fn descriptor(&self) -> MetricDescriptor {
        MetricDescriptor::new(self.metric_name().to_owned())
    }

    /// Metrics that this one shows beside itself: those of another library, for example, whose names are not known before.
    ///
    /// Each reading asks anew, in the thread of the reader and after [`snapshot`](Metric::snapshot), so they may come at any time and are not
    /// registered. Each says by [`MetricSnapshot::declared`] what it is; without that it has no totals. One with the name of another
    /// metric of the recorder is left out. Whoever once shows a metric must show it for ever, or its counts fall.
    ///
    /// ```
    /// use mvx_metrics::{
    ///     DimensionDescriptor, DimensionKind, EventHandler, Metric, MetricDescriptor, MetricSnapshot, MetricsRuntime, Scope,
    /// };
    ///
    /// /// Shows numbers that another library counts.
    /// struct Adapter;
    ///
    /// impl Metric for Adapter {
    ///     fn metric_name(&self) -> &str {
    ///         "adapter"
    ///     }
    ///     fn handlers() -> &'static [EventHandler<Self>] {
    ///         &[]
    ///     }
    ///     fn snapshot(&self) -> MetricSnapshot {
    ///         MetricSnapshot::new("adapter")
    ///     }
    ///     fn further_metrics(&self) -> Vec<MetricSnapshot> {
    ///         let hits = DimensionDescriptor::new("hits", DimensionKind::Counter);
    ///         let cache = MetricDescriptor::new("cache").with_dimensions(vec![hits]);
    ///         vec![MetricSnapshot::new("cache").with("hits", 3_u64).declared(cache)]
    ///     }
    /// }
    ///
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// let runtime = MetricsRuntime::new("example")?;
    /// runtime.start()?;
    /// runtime.create_recorder("adapter")?.register_metric(Adapter)?;
    /// let totals = runtime.totals(Scope::Rollup)?;
    /// let hits = totals.groups[0].metrics.get("cache").and_then(|cache| cache.get("hits")?.as_u64());
    /// assert_eq!(hits, Some(3));
    /// # runtime.shutdown()?;
    /// # Ok(())
    /// # }
    /// ```
    fn further_metrics(&self) -> Vec<MetricSnapshot> {
        Vec::new()
    }

    /// Whether all metrics of this type have one descriptor, as derived ones do.
    #[doc(hidden)]
    #[must_use]
    fn is_derived() -> bool
    where
        Self: Sized,
    {
        false
    }

    /// Why this metric cannot be kept in parts, one for each thread; `None` when it can.
    #[doc(hidden)]
    #[must_use]
    fn order_problem() -> Option<String>
    where
        Self: Sized,
    {
        Some("only a derived metric adds up threads, and this one is written by hand".to_owned())
    }

    /// An empty metric with the configuration of this one, for the events of one more thread.
    ///
    /// It panics when there is an [`order_problem`](Metric::order_problem). No `Option` tells: its checks, one for each field, would
    /// be compiled for each type of metric.
    #[doc(hidden)]
    #[must_use]
    fn empty_shard(&self) -> Self
    where
        Self: Sized,
    {
        no_shard()
    }

    /// Takes over all that a shard has recorded, which is not used afterwards.
    #[doc(hidden)]
    fn absorb_shard(&mut self, shard: &mut Self)
    where
        Self: Sized,
    {
        let _ = shard;
    }

    /// Applies an event of any type; `true` when the metric accepted it.
    ///
    /// This is for tests, and for metrics without a recorder. A recorder calls the handlers directly.
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

/// A metric with a snapshot type of its own. `#[derive(Metric)]` implements it.
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
    message = "`{Self}` has no typed snapshot: name a struct with `#[derive(Metric)]`, or read `metric_snapshots()`",
    label = "no typed snapshot"
)]
pub trait TypedMetric: Metric {
    /// The type of the snapshot, with one public field for each dimension.
    type Snapshot: Send + 'static;

    /// The current state, equal in content to [`Metric::snapshot`].
    fn typed_snapshot(&self) -> Self::Snapshot;

    /// The same with the times that the metric's recorder knows.
    #[doc(hidden)]
    fn typed_snapshot_at(&self, times: Times) -> Self::Snapshot {
        let _ = times;
        self.typed_snapshot()
    }

    /// The name of all metrics of this type; empty for one that is written by hand.
    #[doc(hidden)]
    const NAME: &'static str = "";

    /// Reads the typed snapshot back from one without types; `None` when it is of another declaration.
    #[doc(hidden)]
    #[must_use]
    fn restore(snapshot: &MetricSnapshot, taken_at: Timestamp) -> Option<Self::Snapshot> {
        let _ = (snapshot, taken_at);
        None
    }
}

/// The shard of what needs the events of all threads in one order.
#[cold]
pub(crate) fn no_shard() -> ! {
    panic!("`order_problem` tells why it has no shards")
}
