//! Work in flight: started, and not finished yet.

use crate::descriptor::DimensionKind;
use crate::snapshot::{DimensionValue, in_flight};

use super::measure::IntoMeasure;
use super::{Add, Dimension, Sub};

/// The amount of work that was started and is not finished yet. Both counts are kept, so recorders can be added up.
///
/// One event updates it with `add`, another one with `sub`. A snapshot shows an `i64`: 0 before the first event, and
/// below 0 while more was finished than started.
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
        in_flight(self.started, self.finished)
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
    type Output = i64;
    const KIND: DimensionKind = DimensionKind::InFlight;

    fn read(&self) -> i64 {
        self.get()
    }

    fn value(&self) -> DimensionValue {
        DimensionValue::InFlight { started: self.started, finished: self.finished }
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
