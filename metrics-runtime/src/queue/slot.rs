//! One slot: an event or a box of it, with a pointer to the metadata of its type.

use std::any::TypeId;
use std::mem::MaybeUninit;
use std::ptr;

use crate::event::{EventRef, MetricEvent};
use crate::sync::{AtomicPtr, Ordering, UnsafeCell};

/// The size of the largest event that is stored in place. Larger or more strictly aligned events are boxed.
const PAYLOAD_BYTES: usize = 56;
type Payload = MaybeUninit<[u64; PAYLOAD_BYTES / size_of::<u64>()]>;

/// One cache line: two producers never write to the same one, and an event costs the consumer one miss.
///
/// Every byte lies in an atomic or an [`UnsafeCell`]. [`publish`](Self::publish) relies on it: after its last store the
/// consumer may free the slot while the producer still has a reference to it. The compiler then assumes nothing about bytes
/// behind that reference.
///
/// A slot of zero bytes is a free slot: `meta` is then null, and no byte of the payload is initialised. Pools rely on it.
#[repr(C, align(64))]
pub(crate) struct Slot {
    /// Null while the slot is free or reserved; set as the last step of writing.
    meta: AtomicPtr<EventMeta>,
    payload: UnsafeCell<Payload>,
}

// A further field would have to be an atomic or an `UnsafeCell` too.
#[cfg(all(target_pointer_width = "64", not(mvx_loom)))]
const _: () =
    assert!(size_of::<Slot>() == size_of::<AtomicPtr<EventMeta>>() + size_of::<UnsafeCell<Payload>>());

// SAFETY: events are `Send`. The producer that reserved the slot accesses the payload, then the consumer does; `meta`
// orders the two. Only one thread at a time refers to an event that is not `Sync`. Its `EventBatch` is not `Send`.
// `Batch::first` lends one `PendingEvent` at a time, which is never `Sync`.
unsafe impl Send for Slot {}
// SAFETY: as above.
unsafe impl Sync for Slot {}

/// How many slots before its use a slot is fetched. This is the time a line takes from another core's cache, divided by
/// the time of one handoff.
pub(crate) const PREFETCH_DISTANCE: usize = 12;

/// Fetches the slot that is used soon after the one of that index, within the segment.
#[inline]
pub(crate) fn fetch_ahead(slots: &[Slot], index: usize) {
    if let Some(slot) = slots.get(index + PREFETCH_DISTANCE) {
        fetch_for_writing(slot);
    }
}

/// Fetches the first of these slots, of a segment that comes into use.
pub(crate) fn fetch_first(slots: &[Slot]) {
    slots.iter().take(PREFETCH_DISTANCE).for_each(fetch_for_writing);
}

/// Asks the processor to bring a slot's cache line here and to take it from other cores. It is only a hint.
#[inline]
pub(crate) fn fetch_for_writing(slot: &Slot) {
    // `_mm_prefetch` with `_MM_HINT_ET0` becomes a prefetch for *reading* unless the whole program is compiled for newer
    // processors. Processors that do not know `prefetchw` execute it as a no-op.
    #[cfg(all(target_arch = "x86_64", not(any(miri, mvx_loom))))]
    // SAFETY: a prefetch has no effect that the program can observe, and cannot fault.
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

/// Metadata of a type of event, for the queue and the dispatch.
pub(crate) struct EventMeta {
    pub(crate) type_id: TypeId,
    needs_drop: bool,
    view: unsafe fn(*const Payload) -> EventRef<'static>,
    drop: unsafe fn(*mut Payload),
}

/// Whether events of this type fit a slot. If not, the slot holds a box.
pub(crate) const fn fits<E>() -> bool {
    size_of::<E>() <= size_of::<Payload>() && align_of::<E>() <= align_of::<Payload>()
}

/// How an event of type `E` lies in a slot: in place if it [`fits`], else as a `Box<E>`. Known at compile time.
struct Stored<E>(E);

impl<E: MetricEvent> Stored<E> {
    const META: &'static EventMeta = &EventMeta {
        type_id: TypeId::of::<E>(),
        needs_drop: !fits::<E>() || std::mem::needs_drop::<E>(),
        view: Self::view,
        drop: Self::drop,
    };

    /// # Safety
    /// `payload` holds an event that was published as an `E`; it stays for `'a`.
    #[inline]
    unsafe fn get<'a>(payload: *const Payload) -> &'a E {
        if const { fits::<E>() } {
            // SAFETY: `publish` stored an `E` here.
            unsafe { &*payload.cast::<E>() }
        } else {
            // SAFETY: `publish_boxed` stored a `Box<E>` here.
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
    /// As [`get`](Self::get), and the caller does not use the event afterwards.
    unsafe fn drop(payload: *mut Payload) {
        if const { fits::<E>() } {
            // SAFETY: `publish` stored an `E` here, and the caller gives it up.
            unsafe { payload.cast::<E>().drop_in_place() }
        } else {
            // SAFETY: `publish_boxed` stored a `Box<E>` here, and the caller gives it up.
            unsafe { payload.cast::<Box<E>>().drop_in_place() }
        }
    }
}

/// The metadata of an event that lies in its slot as an `E`, or as a `Box<E>` if it does not [`fits`].
pub(crate) fn meta_of<E: MetricEvent>() -> &'static EventMeta {
    Stored::<E>::META
}

impl Slot {
    #[cfg(any(test, mvx_loom))]
    pub(crate) fn new() -> Self {
        Self { meta: AtomicPtr::new(ptr::null_mut()), payload: UnsafeCell::new(MaybeUninit::uninit()) }
    }

    /// Writes an event that fits, and publishes it.
    ///
    /// # Safety
    /// The caller has reserved this slot, and it is free. The event [`fits`].
    #[inline]
    pub(crate) unsafe fn publish<E: MetricEvent>(&self, event: E) {
        debug_assert!(fits::<E>());
        // SAFETY: passed on.
        unsafe { self.write(event, Stored::<E>::META) };
    }

    /// Writes a box with an event that does not fit, and publishes it.
    ///
    /// # Safety
    /// The caller has reserved this slot, and it is free. The event does not [`fits`].
    pub(crate) unsafe fn publish_boxed<E: MetricEvent>(&self, event: Box<E>) {
        debug_assert!(!fits::<E>());
        // SAFETY: passed on; a box fits.
        unsafe { self.write(event, Stored::<E>::META) };
    }

    /// # Safety
    /// The caller has reserved this slot, and it is free. `stored` [`fits`], and `meta` describes it.
    #[inline]
    pub(super) unsafe fn write<S>(&self, stored: S, meta: &'static EventMeta) {
        if cfg!(any(debug_assertions, mvx_loom)) {
            // Relaxed: the store that freed the slot happens before the reservation.
            assert!(self.meta.load(Ordering::Relaxed).is_null(), "a reserved slot is free");
        }
        // SAFETY: the reservation makes this thread the only one that accesses the payload until it is published.
        self.payload.with_mut(|payload| unsafe { payload.cast::<S>().write(stored) });
        // Release: pairs with `published`, so that the consumer sees the event.
        self.meta.store(ptr::from_ref(meta).cast_mut(), Ordering::Release);
    }

    /// The metadata of the event in this slot, or `None` while none is published.
    #[inline]
    pub(crate) fn published(&self) -> Option<&'static EventMeta> {
        // Acquire: pairs with `write`.
        let meta = self.meta.load(Ordering::Acquire);
        // SAFETY: the pointer is null or was made from a `&'static EventMeta`.
        unsafe { meta.as_ref() }
    }

    /// The event in this slot.
    ///
    /// # Safety
    /// The slot is published with an event of type `E`. The caller is the consumer and does not clear the slot during `'a`.
    #[inline]
    pub(crate) unsafe fn event<'a, E: MetricEvent>(&self) -> &'a E {
        // SAFETY: a published slot is written, and the caller keeps it so.
        self.payload.with(|payload| unsafe { Stored::<E>::get(payload) })
    }

    /// The event in this slot, of any type.
    ///
    /// # Safety
    /// The slot is published with `meta`. The caller is the consumer and does not clear the slot during `'a`.
    pub(crate) unsafe fn view<'a>(&'a self, meta: &'static EventMeta) -> EventRef<'a> {
        // SAFETY: `meta` was published with the event, so it describes that event.
        self.payload.with(|payload| unsafe { (meta.view)(payload) })
    }

    /// Drops the event and frees the slot. A panic of the event's `Drop` ends here.
    ///
    /// # Safety
    /// The slot is published with `meta`. The caller is the consumer and holds no reference into the slot.
    #[inline]
    pub(crate) unsafe fn clear(&self, meta: &'static EventMeta) {
        if meta.needs_drop {
            // SAFETY: `meta` describes the event, no thread refers to it, and the slot is freed right below.
            self.payload
                .with_mut(|payload| crate::panics::catch_and_ignore(|| unsafe { (meta.drop)(payload) }));
        }
        // Relaxed: the release store of `head` in `Batch::consume` shows the free slot to the producers.
        self.meta.store(ptr::null_mut(), Ordering::Relaxed);
    }
}
