//! The consumer's side: batches of events, and parking.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use crate::event::EventRef;
use crate::queue::segment::is_segment_start;
use crate::queue::slot::{self, EventMeta, Slot};
use crate::queue::{CLOSED, PARKED, POSITION, Queue};
use crate::sync::Ordering;

impl Queue {
    /// The next events of one type in a row, at most `max`; `None` when the next event is not published yet.
    ///
    /// Callers should not ask for more than is pending. The consumer fetches slots for writing before it reads them, and
    /// so would take them from the producers that are about to write them.
    #[inline]
    pub(crate) fn next_batch<'q>(&'q self, _consumer: &'q mut Consumer, max: u64) -> Option<Batch<'q>> {
        let directory = &self.line().directory;
        if !directory.is_made() {
            return None;
        }
        // Relaxed: only the consumer writes it.
        let head = self.head().load(Ordering::Relaxed);
        // SAFETY: the ring is made. Only `Batch::consume` and `park` remove a segment, and both need the consumer that the
        // batch borrows.
        let slots = unsafe { directory.slots_from(head) }?;
        let slots = &slots[..slots.len().min(usize::try_from(max).unwrap_or(usize::MAX))];
        let meta = slots.first()?.published()?;
        let same = |slot: &Slot| slot.published().is_some_and(|other| ptr::eq(other, meta));
        let mut length = 1;
        while length < slots.len() {
            slot::fetch_ahead(slots, length);
            if !same(&slots[length]) {
                break;
            }
            length += 1;
        }
        Some(Batch { queue: self, published: Published::new(&slots[..length], meta), head })
    }

    /// Marks the queue as parked unless events are pending, and gives the last segment back to the pool.
    ///
    /// Returns whether the consumer may sleep. A closed queue answers `false`: the recorder's stop is still to be finished.
    pub(crate) fn park(&self, _consumer: &mut Consumer) -> bool {
        let line = self.line();
        let (tail, segment) = {
            let _guard = self.park_lock().lock();
            // Relaxed: only the consumer writes it.
            let head = self.head().load(Ordering::Relaxed);
            // Relaxed: the exchange checks it.
            let tail = self.tail().load(Ordering::Relaxed);
            if tail & POSITION != head {
                return false;
            }
            // AcqRel: pairs with `is_parked`. A producer that clears PARKED is ordered by the lock.
            if self.tail().compare_exchange(tail, tail | PARKED, Ordering::AcqRel, Ordering::Relaxed).is_err()
            {
                return false;
            }
            // SAFETY: everything is consumed. No position is reserved before this thread releases the lock (Q4).
            let segment = line.directory.is_made().then(|| unsafe { line.directory.remove(head) });
            (tail, segment.flatten())
        };
        if let Some(segment) = segment {
            line.pool.put(segment);
        }
        tail & CLOSED == 0
    }
}

/// The right to consume. There is one for each queue, kept under the lock of the recorder's metrics.
pub(crate) struct Consumer(());

impl Consumer {
    /// The caller makes one for each queue.
    pub(crate) fn new() -> Self {
        Self(())
    }
}

/// Published events of one type in a row, still in the queue.
///
/// [`consume`](Batch::consume) drops the events. A batch that is dropped instead leaves them pending.
pub(crate) struct Batch<'q> {
    queue: &'q Queue,
    published: Published<'q>,
    head: u64,
}

/// Slots in a row with published events of one type.
pub(crate) struct Published<'q> {
    slots: &'q [Slot],
    meta: &'static EventMeta,
}

impl<'q> Published<'q> {
    /// The caller has seen that all of these slots are published with `meta`, and keeps them so.
    pub(super) fn new(slots: &'q [Slot], meta: &'static EventMeta) -> Self {
        Self { slots, meta }
    }

    pub(crate) fn meta(&self) -> &'static EventMeta {
        self.meta
    }

    /// The slots, all published with [`meta`](Self::meta).
    pub(crate) fn slots(&self) -> &[Slot] {
        self.slots
    }

    pub(crate) fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    /// Drops the events and frees the slots.
    ///
    /// # Safety
    /// The caller is the consumer. It holds no reference to the events, and treats the slots as free afterwards.
    pub(super) unsafe fn clear(&self) {
        for slot in self.slots {
            // SAFETY: published with this meta; the rest is passed on.
            unsafe { slot.clear(self.meta) };
        }
    }
}

impl Batch<'_> {
    pub(crate) fn published(&self) -> &Published<'_> {
        &self.published
    }

    pub(crate) fn len(&self) -> u64 {
        self.published.len()
    }

    /// The first event of the batch, to be shown to a hook.
    ///
    /// It borrows the batch mutably, so there is one [`PendingEvent`] at a time. Its soundness rests on that.
    pub(crate) fn first(&mut self) -> PendingEvent<'_> {
        let Published { slots, meta } = self.published;
        PendingEvent { slot: &slots[0], meta, one_thread: PhantomData }
    }

    /// Drops the events and makes room for as many.
    pub(crate) fn consume(self) {
        // SAFETY: the batch, which alone refers to the events, is used up.
        unsafe { self.published.clear() };
        let line = self.queue.line();
        let head = self.head + self.len();
        let segment = if is_segment_start(head) {
            // SAFETY: the last slot of the segment was just freed, so all its positions are consumed (Q2).
            unsafe { line.directory.remove(self.head) }
        } else {
            None
        };
        // Release: pairs with `consumed`. Shows the freed slots, the removed segment (Q3), and the effects of the events.
        self.queue.head().store(head, Ordering::Release);
        if let Some(segment) = segment {
            line.pool.put(segment);
        }
    }
}

/// An event that is still in the queue, to be viewed by one thread at a time.
///
/// A worker task may move it to another thread, for which an event only needs to be `Send`. No two threads see an event
/// that is not `Sync` at once. A `PendingEvent` can be neither shared nor copied, and [`Batch::first`] lends one at a
/// time. A view borrows the `PendingEvent`, so the view ends before the `PendingEvent` moves.
pub(crate) struct PendingEvent<'q> {
    slot: &'q Slot,
    meta: &'static EventMeta,
    /// `Send` and not `Sync`.
    one_thread: PhantomData<Cell<()>>,
}

impl PendingEvent<'_> {
    pub(crate) fn view(&self) -> EventRef<'_> {
        // SAFETY: the slot was published with this meta, and the batch this was borrowed from keeps it.
        unsafe { self.slot.view(self.meta) }
    }
}
