//! Rings in one thread and in a few. Loom tries the interleavings; Miri and `AddressSanitizer` check the memory here.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::*;
use crate::queue::ring::RING_SLOTS;

thread_local! {
    static FOLDS: Cell<bool> = const { Cell::new(false) };
}

struct Number {
    number: u64,
    held: Arc<AtomicUsize>,
}

impl Drop for Number {
    fn drop(&mut self) {
        self.held.fetch_add(1, Ordering::Relaxed);
    }
}

impl MetricEvent for Number {
    const EVENT_TYPE: &'static str = "number";
}

/// Does not fit a slot.
struct Large([u64; 20]);

impl MetricEvent for Large {
    const EVENT_TYPE: &'static str = "large";
}

/// A part is the list of the numbers that were applied to it.
#[derive(Default)]
struct Lists {
    generation: AtomicU64,
}

/// Marks the thread, and restores what it was before.
struct Folds(bool);

impl Drop for Folds {
    fn drop(&mut self) {
        FOLDS.set(self.0);
    }
}

impl Folding for Lists {
    type Part = Vec<u64>;
    type Entered = Folds;

    fn generation(&self) -> u64 {
        self.generation.load(Ordering::Relaxed)
    }

    fn make(&self) -> Vec<u64> {
        Vec::new()
    }

    fn apply(&self, part: &mut Vec<u64>, events: &Published<'_>) {
        assert!(FOLDS.get(), "the thread is marked");
        let is_large = std::ptr::eq(events.meta(), slot::meta_of::<Large>());
        for slot in events.slots() {
            part.push(if is_large {
                // SAFETY: the batch keeps its events, which are of the type that its metadata tells.
                unsafe { slot.event::<Large>() }.0[19]
            } else {
                // SAFETY: as above; there are two types.
                unsafe { slot.event::<Number>() }.number
            });
        }
    }

    fn is_folding(&self) -> bool {
        FOLDS.get()
    }

    fn take_slots(&self, pool: &SegmentPool) -> Option<OwnedSegment> {
        Some(pool.take())
    }

    fn enter(&self) -> Folds {
        Folds(FOLDS.replace(true))
    }
}

/// Rings, with the number of events that were dropped.
struct Fixture {
    rings: Rings<Lists>,
    dropped: Arc<AtomicUsize>,
}

impl Fixture {
    fn new() -> Self {
        let pool = crate::sync::Arc::new(SegmentPool::new());
        Self { rings: Rings::new(Lists::default(), pool), dropped: Arc::default() }
    }

    fn push(&self, ring: &ThreadRing<Lists>, number: u64) -> Result<WakeHint, PushError> {
        let event = Number { number, held: Arc::clone(&self.dropped) };
        // SAFETY: each test pushes to a ring from one thread at a time.
        unsafe { self.rings.push(ring, event) }.map_err(|(error, _)| error)
    }

    fn cut(&self) -> Vec<u64> {
        let mut numbers = Vec::new();
        assert!(self.rings.cut(Fold::Apply, |part| numbers.extend(part)), "it ends");
        numbers
    }

    fn dropped(&self) -> usize {
        self.dropped.load(Ordering::Relaxed)
    }
}

#[test]
fn pt1_a_ring_that_overflows_is_folded_by_its_producer() {
    let fixture = Fixture::new();
    let ring = fixture.rings.join();
    let hints: Vec<_> = (0..=3 * RING_SLOTS).map(|number| fixture.push(&ring, number)).collect();
    assert_eq!(hints[0], Ok(WakeHint::Unpark));
    assert!(hints[1..].iter().all(|hint| *hint == Ok(WakeHint::None)));
    let Counts { published, folded, absorbed, .. } = fixture.rings.counts();
    assert_eq!((published, folded, absorbed), (3 * RING_SLOTS + 1, 3 * RING_SLOTS, 0));
    assert_eq!(fixture.cut(), (0..=3 * RING_SLOTS).collect::<Vec<_>>());
    assert_eq!(fixture.rings.counts().absorbed, 3 * RING_SLOTS + 1);
    assert_eq!(fixture.dropped() as u64, 3 * RING_SLOTS + 1);
}

#[test]
fn pt1_a_thread_that_folds_waits_for_another_fold_for_a_while() {
    let fixture = Fixture::new();
    let ring = fixture.rings.join();
    for number in 0..RING_SLOTS {
        fixture.push(&ring, number).expect("there is room");
    }
    {
        let _folds = Lists::default().enter();
        let _locked = ring.part.lock();
        let begin = Instant::now();
        assert_eq!(fixture.push(&ring, 0), Err(PushError::Full));
        assert!(begin.elapsed() >= FOLD_PATIENCE);
        let _folder = Folder::enter(&ring.folder);
        let begin = Instant::now();
        assert_eq!(fixture.push(&ring, 0), Err(PushError::Full));
        assert!(begin.elapsed() < FOLD_PATIENCE, "a thread does not wait for itself");
    }
    {
        let _folds = Lists::default().enter();
        fixture.push(&ring, RING_SLOTS).expect("it folds a ring that no thread folds");
    }
    assert_eq!(fixture.cut().len() as u64, RING_SLOTS + 1);
}

#[test]
fn pt1_events_of_several_types_keep_their_order() {
    let fixture = Fixture::new();
    let ring = fixture.rings.join();
    for number in 0..10 {
        fixture.push(&ring, 2 * number).expect("it is open");
        // SAFETY: this thread alone pushes.
        let pushed = unsafe { fixture.rings.push(&ring, Large([2 * number + 1; 20])) };
        assert!(pushed.is_ok());
    }
    assert_eq!(fixture.cut(), (0..20).collect::<Vec<_>>());
}

#[test]
fn pt6_events_that_are_left_are_dropped_once() {
    let fixture = Fixture::new();
    let dropped = Arc::clone(&fixture.dropped);
    let ring = fixture.rings.join();
    for number in 0..5 {
        fixture.push(&ring, number).expect("it is open");
    }
    // SAFETY: this thread alone pushes.
    assert!(unsafe { fixture.rings.push(&ring, Large([0; 20])) }.is_ok());
    drop((fixture, ring));
    assert_eq!(dropped.load(Ordering::Relaxed), 5);
}

#[test]
fn pt6_discarded_events_are_counted_and_not_applied() {
    let fixture = Fixture::new();
    let ring = fixture.rings.join();
    for number in 0..RING_SLOTS + 7 {
        fixture.push(&ring, number).expect("it is open");
    }
    fixture.rings.close();
    assert_eq!(fixture.push(&ring, 0), Err(PushError::Closed));
    let mut applied = 0;
    fixture.rings.cut(Fold::Discard, |part| applied += part.len() as u64);
    let Counts { published, absorbed, discarded, .. } = fixture.rings.counts();
    assert_eq!((applied, discarded), (RING_SLOTS, 7));
    assert_eq!((published, absorbed), (RING_SLOTS + 7, RING_SLOTS + 7));
    assert!(fixture.rings.is_drained() && !fixture.rings.park());
    fixture.rings.reopen();
    assert_eq!(fixture.push(&ring, 0), Ok(WakeHint::Unpark));
    assert_eq!(fixture.cut(), [0; 0], "a failure is final");
}

/// Keeps the counts at the moment of its drop.
struct Watching {
    rings: Arc<Rings<Lists>>,
    seen: Arc<Mutex<Vec<Counts>>>,
}

impl Drop for Watching {
    fn drop(&mut self) {
        self.seen.lock().push(self.rings.counts());
    }
}

impl MetricEvent for Watching {
    const EVENT_TYPE: &'static str = "watching";
}

#[test]
fn pt6_no_applied_event_counts_as_discarded_while_others_are() {
    let Fixture { rings, dropped } = Fixture::new();
    let (rings, seen) = (Arc::new(rings), Arc::<Mutex<Vec<Counts>>>::default());
    let ring = rings.join();
    for number in 0..5 {
        // SAFETY: this thread alone pushes.
        assert!(unsafe { rings.push(&ring, Number { number, held: Arc::clone(&dropped) }) }.is_ok());
    }
    assert!(rings.cut(Fold::Apply, drop));
    for _ in 0..3 {
        let event = Watching { rings: Arc::clone(&rings), seen: Arc::clone(&seen) };
        // SAFETY: as above.
        assert!(unsafe { rings.push(&ring, event) }.is_ok());
    }
    assert!(rings.cut(Fold::Discard, drop));
    for counts in &*seen.lock() {
        assert_eq!((counts.folded - counts.discarded, counts.absorbed - counts.discarded_absorbed), (5, 5));
    }
    let counts = rings.counts();
    assert_eq!((seen.lock().len(), counts.discarded, counts.discarded_absorbed), (3, 3, 3));
}

#[test]
fn rs1_a_parked_recorder_has_no_slots() {
    let fixture = Fixture::new();
    let rings = [fixture.rings.join(), fixture.rings.join()];
    assert_eq!(fixture.push(&rings[0], 1), Ok(WakeHint::Unpark));
    assert!(!fixture.rings.park(), "an event is pending");
    assert!(!fixture.rings.is_parked());
    assert_eq!(fixture.cut(), [1]);
    assert!(fixture.rings.park() && fixture.rings.is_parked());
    assert!(rings.iter().all(|ring| !ring.ring.has_slots()));
    assert_eq!(fixture.rings.pool.used(), (0, 1), "the pool has the segment again");
    assert_eq!(fixture.push(&rings[1], 2), Ok(WakeHint::Unpark));
    assert_eq!(fixture.push(&rings[0], 3), Ok(WakeHint::None));
    assert!(rings.iter().all(|ring| ring.ring.has_slots()));
    assert_eq!(fixture.rings.pool.used(), (2, 1));
    let mut numbers = fixture.cut();
    numbers.sort_unstable();
    assert_eq!(numbers, [2, 3]);
}

#[test]
fn a_ring_that_goes_gives_its_segment_back() {
    let pool = crate::sync::Arc::new(SegmentPool::new());
    let fixture = Fixture { rings: Rings::new(Lists::default(), pool.clone()), dropped: Arc::default() };
    let [first, second] = [fixture.rings.join(), fixture.rings.join()];
    fixture.push(&first, 1).expect("it is open");
    fixture.push(&second, 2).expect("it is open");
    assert_eq!(pool.used(), (2, 1));
    assert!(fixture.rings.leave(&first), "its event is not absorbed");
    assert_eq!(fixture.cut().len(), 2);
    drop(first);
    assert_eq!(pool.used(), (1, 1));
    fixture.push(&second, 3).expect("it is open");
    drop((fixture, second));
    assert_eq!(pool.used(), (0, 1), "also a ring with an event");
}

#[test]
fn pt1_events_after_a_new_generation_are_in_a_part_of_it() {
    let fixture = Fixture::new();
    let ring = fixture.rings.join();
    fixture.push(&ring, 1).expect("it is open");
    fixture.rings.fold_all();
    fixture.rings.folding.generation.store(1, Ordering::Relaxed);
    fixture.push(&ring, 2).expect("it is open");
    fixture.rings.fold_all();
    let mut parts = Vec::new();
    assert!(fixture.rings.cut(Fold::Apply, |part| parts.push(part)));
    assert_eq!(parts, [vec![1], vec![2]]);
}

#[test]
fn pt4_a_thread_that_ends_leaves_its_counts() {
    let fixture = Fixture::new();
    let [first, second] = [fixture.rings.join(), fixture.rings.join()];
    fixture.push(&first, 1).expect("it is open");
    assert!(fixture.rings.leave(&first), "its event is to be absorbed");
    assert!(!fixture.rings.leave(&second), "it has emitted nothing");
    assert_eq!(fixture.rings.members(), 1);
    assert_eq!(fixture.cut(), [1]);
    assert_eq!(fixture.rings.members(), 0);
    assert_eq!((fixture.rings.counts().published, fixture.rings.counts().absorbed), (1, 1));
    let third = fixture.rings.join();
    fixture.push(&third, 2).expect("it is open");
    assert_eq!(fixture.cut(), [2]);
    assert_eq!(fixture.rings.counts().published, 2);
}

#[test]
fn pt3_a_reader_needs_no_cut_while_everything_is_absorbed() {
    let fixture = Fixture::new();
    let ring = fixture.rings.join();
    assert_eq!(fixture.rings.next_cut(), fixture.rings.cuts_ended());
    fixture.push(&ring, 1).expect("it is open");
    let target = fixture.rings.next_cut();
    assert!(target > fixture.rings.cuts_ended());
    assert_eq!(fixture.cut(), [1]);
    assert_eq!(fixture.rings.cuts_ended(), target);
    assert_eq!(fixture.rings.next_cut(), target);
}

#[test]
#[cfg_attr(miri, ignore = "the held cut gives up after 100 ms, which Miri's clock passes at once")]
fn pt3_a_recorder_that_is_unparked_during_a_cut_gives_it_no_effect_without_its_cause() {
    let fixture = Fixture::new();
    let [first, second] = [fixture.rings.join(), fixture.rings.join()];
    fixture.push(&first, 0).expect("it is open");
    fixture.push(&second, 0).expect("it is open");
    assert_eq!(fixture.cut(), [0, 0]);
    assert!(fixture.rings.park());
    thread::scope(|scope| {
        let held = second.part.lock();
        let before = first.part.lock().aside_for;
        let cut = scope.spawn(|| fixture.cut());
        while first.part.lock().aside_for == before {
            thread::yield_now();
        }
        // The cut has visited the first ring only. The second event follows the first one.
        assert_eq!(fixture.push(&first, 1), Ok(WakeHint::Unpark));
        assert_eq!(fixture.push(&second, 2), Ok(WakeHint::None));
        drop(held);
        let seen = cut.join().expect("it does not panic");
        assert!(!seen.contains(&2), "{seen:?}");
    });
    assert_eq!(fixture.cut(), [1, 2]);
    assert_eq!(fixture.rings.counts().absorbed, 4);
}

#[test]
fn pt7_a_cut_gives_up_behind_a_fold_that_does_not_end_and_loses_nothing() {
    let fixture = Fixture::new();
    let [first, second] = [fixture.rings.join(), fixture.rings.join()];
    fixture.push(&first, 1).expect("it is open");
    fixture.push(&second, 2).expect("it is open");
    {
        let _held = second.part.lock();
        fixture.rings.fold_all();
        assert_eq!(fixture.rings.counts().folded, 1);
        assert!(!fixture.rings.cut(Fold::Apply, |part| panic!("{part:?} is absorbed without the others")));
        assert!(fixture.rings.is_held_up() && !fixture.rings.is_drained());
        let progress = fixture.rings.progress();
        fixture.push(&first, 3).expect("it is open");
        assert!(!fixture.rings.cut(Fold::Apply, |part| panic!("{part:?} is absorbed without the others")));
        assert_eq!(fixture.rings.progress(), progress, "no cut has ended");
    }
    assert_eq!(fixture.cut(), [1, 3, 2]);
    assert!(!fixture.rings.is_held_up() && fixture.rings.is_drained());
}

#[test]
fn pt7_a_cut_passes_a_producer_that_folds_without_a_pause() {
    let fixture = Fixture::new();
    let ring = fixture.rings.join();
    let is_done = AtomicUsize::new(0);
    thread::scope(|scope| {
        scope.spawn(|| {
            while is_done.load(Ordering::Relaxed) == 0 {
                let mut part = {
                    let_cut_pass(&ring);
                    ring.part.lock()
                };
                part.aside.clear();
                thread::sleep(Duration::from_millis(if cfg!(miri) { 1 } else { 5 }));
            }
        });
        for _ in 0..20 {
            let begin = Instant::now();
            let passed = lock_part(&ring, true).is_some();
            assert!(passed, "{:?}", begin.elapsed());
        }
        is_done.store(1, Ordering::Relaxed);
    });
}

#[test]
fn pt4_threads_come_and_go_while_others_read_and_park() {
    const THREADS: u64 = if cfg!(miri) { 3 } else { 40 };
    const EVENTS: u64 = if cfg!(miri) { 20 } else { 2_000 };
    let fixture = Fixture::new();
    let mut numbers = Vec::new();
    thread::scope(|scope| {
        let threads: Vec<_> = (0..THREADS)
            .map(|thread| {
                let fixture = &fixture;
                scope.spawn(move || {
                    let ring = fixture.rings.join();
                    for number in 0..EVENTS {
                        fixture.push(&ring, thread * EVENTS + number).expect("it is open");
                    }
                    fixture.rings.leave(&ring);
                })
            })
            .collect();
        while threads.iter().any(|thread| !thread.is_finished()) {
            numbers.append(&mut fixture.cut());
            fixture.rings.park();
            thread::yield_now();
        }
    });
    numbers.append(&mut fixture.cut());
    for thread in 0..THREADS {
        let of_thread = numbers.iter().filter(|number| **number / EVENTS == thread);
        assert!(of_thread.is_sorted(), "the events of one thread apply in order");
    }
    numbers.sort_unstable();
    assert_eq!(numbers, (0..THREADS * EVENTS).collect::<Vec<_>>());
    assert_eq!((fixture.rings.members(), fixture.dropped() as u64), (0, THREADS * EVENTS));
}
