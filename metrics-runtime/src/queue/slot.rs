//! One slot: an event in place, or a box of it, with a pointer to what is known about its type.

use std::any::TypeId;
use std::mem::MaybeUninit;
use std::ptr;

use crate::event::{EventRef, MetricEvent};
use crate::sync::{AtomicPtr, Ordering, UnsafeCell};

/// What an event may need to be stored in place; a larger or more strictly aligned one is boxed.
const PAYLOAD_BYTES: usize = 56;
type Payload = MaybeUninit<[u64; PAYLOAD_BYTES / size_of::<u64>()]>;

/// One cache line: two producers never write to the same one, and an event costs the consumer one miss.
#[repr(C, align(64))]
pub(crate) struct Slot {
    /// Null while the slot is free or reserved; set as the last step of writing.
    meta: AtomicPtr<EventMeta>,
    payload: UnsafeCell<Payload>,
}

// SAFETY: events are `Send`. A payload is touched by the one producer that reserved the slot, then by the one consumer;
// `meta` orders the two. References to an event stay with the thread that consumes it (`PendingEvent`, `EventBatch`).
unsafe impl Send for Slot {}
// SAFETY: as above.
unsafe impl Sync for Slot {}

/// How many slots ahead of its use a slot is fetched: the time it takes to come from another core's cache, divided by the
/// time of one handoff.
pub(crate) const AHEAD: usize = 12;

/// Fetches the slot that is used soon after the one of that index, within the segment.
#[inline]
pub(crate) fn fetch_ahead(slots: &[Slot], index: usize) {
    if let Some(slot) = slots.get(index + AHEAD) {
        fetch_for_writing(slot);
    }
}

/// Fetches the first slots of a segment that comes into use.
pub(crate) fn fetch_first(slots: &[Slot]) {
    slots.iter().take(AHEAD).for_each(fetch_for_writing);
}

/// Asks for a slot's cache line to be brought here, taken from other cores; changes nothing.
#[inline]
pub(crate) fn fetch_for_writing(slot: &Slot) {
    // `_mm_prefetch` with `_MM_HINT_ET0` becomes a prefetch for *reading* unless the whole program is compiled for newer
    // processors. Those without the instruction take it for one that does nothing.
    #[cfg(all(target_arch = "x86_64", not(any(miri, mvx_loom))))]
    // SAFETY: a hint, which neither reads nor writes memory as far as the program can tell, and cannot fault.
    unsafe {
        std::arch::asm!(
            "prefetchw [{slot}]",
            slot = in(reg) ptr::from_ref(slot),
            options(nostack, preserves_flags, readonly)
        );
    }
    #[cfg(not(all(target_arch = "x86_64", not(any(miri, mvx_loom)))))]
    let _ = slot;
}

/// What the queue and the dispatch know about a type of event.
pub(crate) struct EventMeta {
    pub(crate) type_id: TypeId,
    needs_drop: bool,
    view: unsafe fn(*const Payload) -> EventRef<'static>,
    drop: unsafe fn(*mut Payload),
}

/// The event itself when it fits, else a box of it, settled when the program is compiled.
struct Stored<E>(E);

impl<E: MetricEvent> Stored<E> {
    const IN_PLACE: bool = size_of::<E>() <= size_of::<Payload>() && align_of::<E>() <= align_of::<Payload>();

    const META: &'static EventMeta = &EventMeta {
        type_id: TypeId::of::<E>(),
        needs_drop: !Self::IN_PLACE || std::mem::needs_drop::<E>(),
        view: Self::view,
        drop: Self::drop,
    };

    /// # Safety
    /// `payload` is valid for writes and holds no event.
    #[inline]
    unsafe fn write(payload: *mut Payload, event: E) {
        if Self::IN_PLACE {
            // SAFETY: the caller vouches for the memory; IN_PLACE says that size and alignment suffice.
            unsafe { payload.cast::<E>().write(event) }
        } else {
            // SAFETY: as above; a box is one pointer.
            unsafe { payload.cast::<Box<E>>().write(Box::new(event)) }
        }
    }

    /// # Safety
    /// `payload` holds an event that [`write`](Self::write) of the same `E` put there; it stays for `'a`.
    #[inline]
    unsafe fn get<'a>(payload: *const Payload) -> &'a E {
        if Self::IN_PLACE {
            // SAFETY: `write` stored an `E` here.
            unsafe { &*payload.cast::<E>() }
        } else {
            // SAFETY: `write` stored a `Box<E>` here.
            unsafe { &*payload.cast::<Box<E>>() }
        }
    }

    /// # Safety
    /// As [`get`](Self::get).
    unsafe fn view(payload: *const Payload) -> EventRef<'static> {
        // SAFETY: passed on to the caller.
        EventRef::from(unsafe { Self::get(payload) })
    }

    /// # Safety
    /// As [`get`](Self::get), and nobody uses the event afterwards.
    unsafe fn drop(payload: *mut Payload) {
        if Self::IN_PLACE {
            // SAFETY: `write` stored an `E` here, and the caller gives it up.
            unsafe { payload.cast::<E>().drop_in_place() }
        } else {
            // SAFETY: `write` stored a `Box<E>` here, and the caller gives it up.
            unsafe { payload.cast::<Box<E>>().drop_in_place() }
        }
    }
}

impl Slot {
    pub(crate) fn new() -> Self {
        Self { meta: AtomicPtr::new(ptr::null_mut()), payload: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Writes the event and publishes it.
    ///
    /// # Safety
    /// The caller has reserved this slot: it is free, and nobody else writes to it until it was consumed.
    #[inline]
    pub(crate) unsafe fn publish<E: MetricEvent>(&self, event: E) {
        if cfg!(any(debug_assertions, mvx_loom)) {
            // Relaxed: what makes the slot free has to be seen already.
            assert!(self.meta.load(Ordering::Relaxed).is_null(), "a reserved slot is free");
        }
        // SAFETY: the reservation makes this thread the only one that touches the payload until it is published.
        self.payload.with_mut(|payload| unsafe { Stored::<E>::write(payload, event) });
        // Release: whoever sees the pointer sees the event.
        self.meta.store(ptr::from_ref(Stored::<E>::META).cast_mut(), Ordering::Release);
    }

    /// What is known about the event in this slot, or `None` while there is none.
    #[inline]
    pub(crate) fn published(&self) -> Option<&'static EventMeta> {
        // Acquire: pairs with the store of `publish`.
        let meta = self.meta.load(Ordering::Acquire);
        // SAFETY: the pointer is null or was made from a `&'static EventMeta`.
        unsafe { meta.as_ref() }
    }

    /// The event in this slot.
    ///
    /// # Safety
    /// The slot is published with an event of type `E`, and the caller is the consumer, which does not clear the slot
    /// for as long as `'a`.
    #[inline]
    pub(crate) unsafe fn event<'a, E: MetricEvent>(&self) -> &'a E {
        // SAFETY: published means written; the consumer decides when the slot is cleared.
        self.payload.with(|payload| unsafe { Stored::<E>::get(payload) })
    }

    /// The event in this slot, of whatever type.
    ///
    /// # Safety
    /// The slot is published with `meta`, and the caller is the consumer, which does not clear it during `'a`.
    pub(crate) unsafe fn view<'a>(&'a self, meta: &'static EventMeta) -> EventRef<'a> {
        // SAFETY: `meta` was published with the event, so it is that event's own.
        self.payload.with(|payload| unsafe { (meta.view)(payload) })
    }

    /// Drops the event and frees the slot. A panic of the event's `Drop` ends here.
    ///
    /// # Safety
    /// The slot is published with `meta`, and the caller is the consumer and holds no reference into the slot.
    #[inline]
    pub(crate) unsafe fn clear(&self, meta: &'static EventMeta) {
        if meta.needs_drop {
            // SAFETY: `meta` is the event's own, nobody else refers to it, and the slot is freed right below.
            self.payload.with_mut(|payload| crate::unwind::contain(|| unsafe { (meta.drop)(payload) }));
        }
        // Relaxed: the release store of the queue's head hands the free slot back to the producers.
        self.meta.store(ptr::null_mut(), Ordering::Relaxed);
    }
}
