//! What stands between producers and metrics: the queue, or the rings of a recorder that has one for each thread. The rest of the
//! engine asks here, and need not know which it is.

use super::recorder_inner::RecorderInner;
use crate::queue::ring::RING_SLOTS;
use crate::queue::rings::Counts;
use crate::stats::RecorderStats;

impl RecorderInner {
    pub(crate) fn stats(&self) -> RecorderStats {
        if let Some(per_thread) = &self.per_thread {
            let Counts { published, folded, discarded, .. } = per_thread.rings.counts();
            return self.counters.stats_with_discarded(folded, published, discarded);
        }
        // `accepted` is read second, so it is never below `consumed`.
        let consumed = self.queue.consumed();
        self.counters.stats(consumed, self.queue.accepted(), self.queue.limit())
    }

    /// The counts of exactly the events that the metrics show. The caller holds the metrics.
    pub(super) fn stats_of_metrics(&self) -> RecorderStats {
        match &self.per_thread {
            Some(per_thread) => {
                let Counts { published, absorbed, discarded_absorbed, .. } = per_thread.rings.counts();
                self.counters.stats_with_discarded(absorbed, published, discarded_absorbed)
            }
            None => self.stats(),
        }
    }

    /// How many events may be pending; with rings, in each of them.
    pub(super) fn limit(&self) -> u64 {
        if self.per_thread.is_some() { RING_SLOTS } else { self.queue.limit() }
    }

    /// Whether every accepted event is consumed.
    pub(super) fn is_drained(&self) -> bool {
        if let Some(per_thread) = &self.per_thread {
            return per_thread.rings.is_drained();
        }
        let accepted = self.queue.accepted();
        self.queue.consumed() == accepted
    }

    /// A number that [`drained`](Self::drained) reaches when the metrics have all events that are accepted by now.
    pub(super) fn drain_target(&self) -> u64 {
        self.per_thread
            .as_ref()
            .map_or_else(|| self.queue.accepted(), |per_thread| per_thread.rings.next_cut())
    }

    /// How far the metrics are: the number of consumed events, or with rings of cuts.
    pub(super) fn drained(&self) -> u64 {
        self.per_thread
            .as_ref()
            .map_or_else(|| self.queue.consumed(), |per_thread| per_thread.rings.cuts_ended())
    }

    /// A number that grows while the metrics come closer to the accepted events.
    pub(super) fn drain_progress(&self) -> u64 {
        self.per_thread
            .as_ref()
            .map_or_else(|| self.queue.consumed(), |per_thread| per_thread.rings.progress())
    }

    /// Whether a handler in the thread of a producer holds up the metrics.
    pub(super) fn is_held_up(&self) -> bool {
        self.per_thread.as_ref().is_some_and(|per_thread| per_thread.rings.is_held_up())
    }

    /// Whether the consumer is parked and no producer has unparked it.
    pub(super) fn is_parked(&self) -> bool {
        self.per_thread
            .as_ref()
            .map_or_else(|| self.queue.is_parked(), |per_thread| per_thread.rings.is_parked())
    }

    /// Whether the recorder refuses events.
    pub(super) fn is_closed(&self) -> bool {
        self.per_thread
            .as_ref()
            .map_or_else(|| self.queue.is_closed(), |per_thread| per_thread.rings.is_closed())
    }

    /// Refuses events from now on.
    pub(super) fn close(&self) {
        match &self.per_thread {
            Some(per_thread) => per_thread.rings.close(),
            None => self.queue.close(),
        }
    }

    /// Accepts events again.
    pub(super) fn reopen(&self) {
        match &self.per_thread {
            Some(per_thread) => per_thread.rings.reopen(),
            None => self.queue.reopen(),
        }
    }
}
