//! The consumer's side: batches of events, and going to sleep.

use std::cell::Cell;
use std::marker::PhantomData;
use std::ptr;

use crate::event::EventRef;
use crate::queue::segment::SEGMENT_SLOTS;
use crate::queue::slot::{self, EventMeta, Slot};
use crate::queue::{CLOSED, PARKED, POSITION, Queue};
use crate::sync::{Ordering, lock};

impl Queue {
    /// The next events of one type in a row, at most `most`; `None` when the next event is not there yet.
    ///
    /// `most` is best no more than what is pending: the slots of a batch are fetched for writing before they are looked at,
    /// which a producer that is about to write them would feel.
    #[inline]
    pub(crate) fn next_batch<'q>(&'q self, _consumer: &'q mut Consumer, most: u64) -> Option<Batch<'q>> {
        let directory = &self.line().directory;
        if !directory.is_made() {
            return None;
        }
        // Relaxed: only the consumer writes it.
        let head = self.head().load(Ordering::Relaxed);
        // SAFETY: the directory is made, and the consumer removes a segment only when it consumes a batch, which this
        // borrow of it rules out.
        let slots = unsafe { directory.slots_from(head) }?;
        let slots = &slots[..slots.len().min(usize::try_from(most).unwrap_or(usize::MAX))];
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
        Some(Batch { queue: self, slots: &slots[..length], meta, head })
    }

    /// Tells the producers that the consumer goes to sleep, unless something is pending.
    ///
    /// Whether the consumer may sleep: it may not when the queue is closed, because then there is an end to be made.
    pub(crate) fn park(&self, _consumer: &mut Consumer) -> bool {
        let _guard = lock(&self.consumer.0.park_lock);
        // Relaxed: only the consumer writes it.
        let head = self.head().load(Ordering::Relaxed);
        // Relaxed: checked by the exchange.
        let tail = self.tail().load(Ordering::Relaxed);
        if tail & POSITION != head {
            return false;
        }
        // AcqRel: whoever clears PARKED comes through the gate; the exchange itself orders nothing more than the flags.
        if self.tail().compare_exchange(tail, tail | PARKED, Ordering::AcqRel, Ordering::Relaxed).is_err() {
            return false;
        }
        let line = self.line();
        if line.directory.is_made() {
            // SAFETY: everything is consumed, and PARKED keeps producers out until the gate opens (Q4).
            unsafe { line.directory.recycle(head, &line.pool) };
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
/// Dropping a batch leaves its events pending; [`consume`](Batch::consume) drops the events.
pub(crate) struct Batch<'q> {
    queue: &'q Queue,
    slots: &'q [Slot],
    meta: &'static EventMeta,
    head: u64,
}

impl Batch<'_> {
    pub(crate) fn meta(&self) -> &'static EventMeta {
        self.meta
    }

    /// The slots of the batch, all published with [`meta`](Self::meta).
    pub(crate) fn slots(&self) -> &[Slot] {
        self.slots
    }

    pub(crate) fn len(&self) -> u64 {
        self.slots.len() as u64
    }

    /// The first event of the batch, to be shown to a hook.
    pub(crate) fn first(&mut self) -> PendingEvent<'_> {
        PendingEvent { slot: &self.slots[0], meta: self.meta, one_thread: PhantomData }
    }

    /// Drops the events and makes room for as many.
    pub(crate) fn consume(self) {
        for slot in self.slots {
            // SAFETY: published with this meta, and the batch, which alone refers to the event, is given up.
            unsafe { slot.clear(self.meta) };
        }
        let head = self.head + self.len();
        if head.is_multiple_of(SEGMENT_SLOTS) {
            let line = self.queue.line();
            // SAFETY: its last slot was just freed, so all its positions are consumed (Q2).
            unsafe { line.directory.recycle(self.head, &line.pool) };
        }
        // Release: the freed slots and the removed segment (Q3), and whatever the events changed.
        self.queue.head().store(head, Ordering::Release);
    }
}

/// An event that is still in the queue, to be looked at by one thread at a time.
///
/// It moves between threads with the task that consumes it, which asks no more of an event than `Send`. It can neither be
/// shared nor copied, and what it lends out ends before it moves; so an event without `Sync` is never seen by two threads
/// at once.
pub(crate) struct PendingEvent<'q> {
    slot: &'q Slot,
    meta: &'static EventMeta,
    one_thread: PhantomData<Cell<()>>,
}

impl PendingEvent<'_> {
    pub(crate) fn view(&self) -> EventRef<'_> {
        // SAFETY: the slot was published with this meta, and the batch this was borrowed from keeps it.
        unsafe { self.slot.view(self.meta) }
    }
}
