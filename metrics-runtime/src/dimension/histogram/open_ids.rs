//! The time between two events of one id: the options `begin` and `end` of a field.

use std::collections::{BTreeMap, HashMap};
use std::hash::BuildHasherDefault;
use std::time::{Duration, Instant};

use super::event_id::{EventId, IdHasher, IdKey, KeyHasher};
use super::{Histogram, UpTo, WithLayout};
use crate::dimension::Record;

/// The ids that have begun and not ended, up to a limit.
///
/// A key of 16 bytes stands for an id, so the memory does not depend on the length of ids.
#[derive(Debug, Clone)]
pub(super) struct OpenIds {
    hasher: IdHasher,
    begun: HashMap<IdKey, Begun, BuildHasherDefault<KeyHasher>>,
    /// The keys by their number, so that the oldest one is found.
    order: BTreeMap<u64, IdKey>,
    next_number: u64,
}

/// When an id began.
#[derive(Debug, Clone, Copy)]
struct Begun {
    number: u64,
    at: Instant,
}

impl OpenIds {
    fn new() -> Self {
        let hasher = IdHasher::with_new_keys();
        Self { hasher, begun: HashMap::default(), order: BTreeMap::new(), next_number: 0 }
    }

    /// Keeps an id; returns how many ids it took the place of: the same one, or the oldest one where there is no room.
    fn begin(&mut self, key: IdKey, at: Instant, limit: usize) -> u64 {
        let mut replaced = 0;
        if let Some(before) = self.begun.remove(&key) {
            self.order.remove(&before.number);
            replaced += 1;
        }
        while self.begun.len() >= limit.max(1)
            && let Some((_, oldest)) = self.order.pop_first()
        {
            self.begun.remove(&oldest);
            replaced += 1;
        }
        let number = self.next_number;
        self.next_number += 1;
        self.begun.insert(key, Begun { number, at });
        self.order.insert(number, key);
        replaced
    }

    /// Forgets an id; returns when it began.
    fn end(&mut self, key: IdKey) -> Option<Instant> {
        let begun = self.begun.remove(&key)?;
        self.order.remove(&begun.number);
        Some(begun.at)
    }
}

impl Histogram<Duration> {
    fn open_ids(&mut self) -> &mut OpenIds {
        self.rest().seldom.get_or_insert_default().open.get_or_insert_with(|| Box::new(OpenIds::new()))
    }
}

/// A histogram of durations: the type of a field with `begin` and `end`.
///
/// It is implemented for [`Histogram<Duration>`](crate::Histogram).
#[diagnostic::on_unimplemented(
    message = "`begin` and `end` record durations, and `{Self}` is no `Histogram<Duration>`",
    label = "write `Histogram<Duration>`"
)]
pub trait RecordsDurations {
    /// The histogram, once it has its buckets.
    #[doc(hidden)]
    fn prepared(&mut self) -> &mut Histogram<Duration>;

    /// Records a duration.
    #[doc(hidden)]
    fn record_duration(&mut self, duration: Duration);
}

impl RecordsDurations for Histogram<Duration> {
    fn prepared(&mut self) -> &mut Self {
        self
    }

    fn record_duration(&mut self, duration: Duration) {
        self.record(duration);
    }
}

impl RecordsDurations for WithLayout<'_, Duration> {
    fn prepared(&mut self) -> &mut Histogram<Duration> {
        WithLayout::prepared(self)
    }

    fn record_duration(&mut self, duration: Duration) {
        Record::record(self, duration);
    }
}

impl RecordsDurations for UpTo<'_, Duration> {
    fn prepared(&mut self) -> &mut Histogram<Duration> {
        UpTo::prepared(self)
    }

    fn record_duration(&mut self, duration: Duration) {
        Record::record(self, duration);
    }
}

/// The time of an event: the source of `at`.
#[diagnostic::on_unimplemented(
    message = "`at` takes the `Instant` of the event, not a value of type `{Self}`",
    label = "not an `Instant`",
    note = "add a field to the event that is set with `Instant::now()`"
)]
pub trait EventTime {
    /// The time; `None` when the event has none.
    fn event_time(self) -> Option<Instant>;
}

impl EventTime for Instant {
    #[inline]
    fn event_time(self) -> Option<Instant> {
        Some(self)
    }
}

impl EventTime for tokio::time::Instant {
    #[inline]
    fn event_time(self) -> Option<Instant> {
        Some(self.into_std())
    }
}

impl<T: EventTime> EventTime for Option<T> {
    #[inline]
    fn event_time(self) -> Option<Instant> {
        self.and_then(T::event_time)
    }
}

/// Keeps an id until its end. `false` when the event has no id or no time.
pub(super) fn begin(
    target: &mut impl RecordsDurations,
    id: &impl EventId,
    at: Option<Instant>,
    limit: usize,
) -> bool {
    let Some(at) = at else { return false };
    let histogram = target.prepared();
    let open = histogram.open_ids();
    let Some(key) = open.hasher.key(id) else { return false };
    let replaced = open.begin(key, at, limit);
    histogram.add_invalid(replaced);
    true
}

/// Records the time since the begin of an id. `false` when the event has no id or no time.
pub(super) fn end(target: &mut impl RecordsDurations, id: &impl EventId, at: Option<Instant>) -> bool {
    let Some(at) = at else { return false };
    let histogram = target.prepared();
    let open = histogram.open_ids();
    let Some(key) = open.hasher.key(id) else { return false };
    match open.end(key) {
        // The clocks of two threads may differ.
        Some(begun) => target.record_duration(at.saturating_duration_since(begun)),
        None => histogram.add_invalid(1),
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dl4_a_million_ids_that_never_end_take_the_memory_of_the_limit() {
        const LIMIT: usize = if cfg!(miri) { 10 } else { 1_000 };
        const IDS: u64 = if cfg!(miri) { 200 } else { 1_000_000 };
        let mut histogram = Histogram::<Duration>::default();
        let at = Instant::now();
        for id in 0..IDS {
            assert!(begin(&mut histogram, &id, Some(at), LIMIT));
        }
        let open = histogram.open_ids();
        assert_eq!((open.begun.len(), open.order.len()), (LIMIT, LIMIT));
        assert!(open.begun.capacity() < 4 * LIMIT, "room for {} ids", open.begun.capacity());
        assert!(open.order.values().all(|key| open.begun.contains_key(key)));
        assert_eq!(crate::Dimension::invalid(&histogram), IDS - LIMIT as u64);
        assert!(
            end(&mut histogram, &(IDS - 1), Some(at)) && end(&mut histogram, &(IDS - LIMIT as u64), Some(at))
        );
        assert_eq!(histogram.count(), 2);
    }

    #[test]
    fn dl4_ids_that_end_leave_nothing_behind() {
        let mut histogram = Histogram::<Duration>::default();
        let at = Instant::now();
        for id in 0..if cfg!(miri) { 200 } else { 100_000_u64 } {
            assert!(begin(&mut histogram, &id, Some(at), usize::MAX) && end(&mut histogram, &id, Some(at)));
        }
        let open = histogram.open_ids();
        assert!(open.begun.is_empty() && open.order.is_empty() && open.begun.capacity() < 10);
    }
}
