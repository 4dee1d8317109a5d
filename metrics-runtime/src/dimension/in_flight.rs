//! Work in flight: started, and not finished yet.

use crate::descriptor::{DimensionKind, MergeRule};
use crate::snapshot::{DimensionValue, InFlightSnapshot, Merge};

use super::measure::IntoMeasure;
use super::{Add, Dimension, Shape, Sub};

/// The amount of work that was started and is not finished yet. Both counts are kept, so recorders can be added up.
///
/// One event updates it with `add`, another one with `sub`. A snapshot shows an [`InFlightSnapshot`]. Its current amount is 0
/// before the first event, and below 0 while more was finished than started.
///
/// An end that is not emitted is missing for ever. [`EmitOnDrop`](crate::EmitOnDrop) emits it on every way out: an early return, a
/// panic, a future that is dropped.
///
/// ```
/// use mvx_metrics::{HandleEvent, InFlight, Metric, metric_event};
///
/// #[metric_event]
/// struct DoorOpened;
///
/// #[metric_event]
/// struct DoorClosed;
///
/// #[derive(Metric, Default)]
/// struct Doors {
///     #[dimension(on(DoorOpened, add), on(DoorClosed, sub))]
///     open: InFlight,
/// }
///
/// let mut doors = Doors::default();
/// doors.handle(&DoorOpened);
/// doors.handle(&DoorOpened);
/// doors.handle(&DoorClosed);
/// assert_eq!(doors.open.get(), 1);
/// assert_eq!((doors.open.started(), doors.open.finished()), (2, 1));
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct InFlight {
    started: u64,
    finished: u64,
}

impl InFlight {
    /// Counts `amount` as started.
    #[inline]
    pub fn start(&mut self, amount: u64) {
        self.started = self.started.saturating_add(amount);
    }

    /// Counts `amount` as finished.
    #[inline]
    pub fn finish(&mut self, amount: u64) {
        self.finished = self.finished.saturating_add(amount);
    }

    /// Started minus finished.
    #[must_use]
    pub fn get(&self) -> i64 {
        self.read().current()
    }

    /// The amount that was started.
    #[must_use]
    pub fn started(&self) -> u64 {
        self.started
    }

    /// The amount that was finished.
    #[must_use]
    pub fn finished(&self) -> u64 {
        self.finished
    }
}

impl Dimension for InFlight {
    type Output = InFlightSnapshot;
    const KIND: DimensionKind = DimensionKind::InFlight;
    const SHAPE: Shape = Shape::new(Self::KIND, None);

    fn read(&self) -> InFlightSnapshot {
        InFlightSnapshot { started: self.started, finished: self.finished }
    }

    fn value(in_flight: InFlightSnapshot) -> DimensionValue {
        DimensionValue::InFlight(in_flight)
    }

    fn since(later: &InFlightSnapshot, earlier: &InFlightSnapshot) -> InFlightSnapshot {
        later.since(earlier)
    }

    fn merge_outputs(
        in_flight: &mut InFlightSnapshot,
        other: &InFlightSnapshot,
        _rule: Option<MergeRule>,
    ) -> bool {
        in_flight.merge(other);
        true
    }

    fn empty_shard(&self) -> Option<Self> {
        Some(Self::default())
    }

    fn absorb_shard(&mut self, shard: &mut Self) {
        self.start(shard.started);
        self.finish(shard.finished);
    }

    fn has_fallen(later: &InFlightSnapshot, earlier: &InFlightSnapshot) -> bool {
        later.started < earlier.started || later.finished < earlier.finished
    }

    fn zero() -> Option<InFlightSnapshot> {
        Some(InFlightSnapshot::default())
    }
}

impl<V: IntoMeasure<u64>> Add<V> for InFlight {
    #[inline]
    fn add(&mut self, amount: V) -> bool {
        let Some(amount) = amount.into_measure() else { return false };
        self.start(amount);
        true
    }
}

impl<V: IntoMeasure<u64>> Sub<V> for InFlight {
    #[inline]
    fn sub(&mut self, amount: V) -> bool {
        let Some(amount) = amount.into_measure() else { return false };
        self.finish(amount);
        true
    }
}
